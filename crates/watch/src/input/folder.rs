//! The files below a folder.

use std::io;
use std::path::{Path, PathBuf};

/// How deep folders are entered.
const DEEPEST: usize = 16;
/// The most files of one input.
pub(super) const MOST_FILES: usize = 1 << 17;

/// The regular files below a path in the order of their names, or the path itself if it is no folder. Hidden ones are
/// left out, and links to folders are not followed.
///
/// # Errors
/// The path cannot be read. A folder below it that cannot be read is passed over.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b".") || found.len() >= MOST_FILES {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEEPEST {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
