//! Warning lists in files.

use super::{Collector, InvalidList, Warnings};
use crate::input;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The largest file that is read, in bytes; the largest published list has some 30 MB.
const MOST_BYTES: u64 = 256 << 20;

/// Warning lists that were read from files.
#[derive(Debug)]
pub struct Loaded {
    /// The lists, compiled.
    pub warnings: Warnings,
    /// Files in folders that were left out, and why.
    pub refused: Vec<(PathBuf, InvalidList)>,
}

/// Why no warning lists can be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file or folder that was named cannot be read.
    #[error("cannot read the warning list {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that was named is no warning list, or one that cannot be met.
    #[error("cannot use the warning list {path}")]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: InvalidList,
    },
    /// A folder that was named holds none.
    #[error(
        "no warning list that can be used is in {0}: its files must be JSON, as MISP publishes them, and end in `.json`"
    )]
    Nothing(PathBuf),
}

/// Reads files, and the files below folders whose names end in `.json`. `seed` as for [`Collector::new`].
///
/// A file that is named must be a list that can be met. In a folder, which may be a copy of the whole published collection,
/// what cannot is left out and told.
///
/// # Errors
///
/// [`LoadError`].
pub fn load(paths: &[PathBuf], seed: [u8; 32]) -> Result<Loaded, LoadError> {
    let mut collector = Collector::new(seed);
    let mut refused = Vec::new();
    for path in paths {
        let unreadable = |source| LoadError::Read { path: path.clone(), source };
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            let invalid = |source| match source {
                InvalidList::Read(source) => unreadable(source),
                source => LoadError::Invalid { path: path.clone(), source },
            };
            add(&mut collector, path).map_err(invalid)?;
            continue;
        }
        let before = collector.lists.len();
        let files = input::files(path).map_err(unreadable)?;
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "json")) {
            if let Err(why) = add(&mut collector, &file) {
                refused.push((file, why));
            }
        }
        if collector.lists.len() == before {
            return Err(LoadError::Nothing(path.clone()));
        }
    }
    Ok(Loaded { warnings: collector.build(), refused })
}

fn add(collector: &mut Collector, path: &Path) -> Result<(), InvalidList> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(InvalidList::Long);
    }
    collector.add(&text).map(|_| ())
}
