//! The shared samples beside the project, where they are.

use std::path::{Path, PathBuf};

pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if !path.exists() {
        println!("skipped: the shared samples are not beside the project");
        return None;
    }
    Some(path)
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

/// The members of a tar archive: a header of 512 bytes, then the content, padded to 512.
pub(crate) fn members(archive: &[u8]) -> Vec<(String, &[u8])> {
    let mut all = Vec::new();
    let mut at = 0;
    while archive.len() > at + 512 && archive[at] != 0 {
        let header = &archive[at..at + 512];
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[range]).trim_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).expect("an octal size");
        let (name, prefix) = (text(0..100), text(345..500));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        all.push((name, &archive[at + 512..at + 512 + size]));
        at += 512 + size.div_ceil(512) * 512;
    }
    all
}
