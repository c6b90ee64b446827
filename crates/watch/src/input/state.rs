//! How far the files of a growing folder have been read: kept in a file over a restart.

use super::mark::Mark;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The most bytes of a state that are read.
const LARGEST: u64 = 256 << 20;

/// How far one file has been read.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct Known {
    pub(super) path: PathBuf,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Of its bytes, unpacked, so many have been read.
    pub(super) offset: u64,
    /// The number of the line that begins there.
    pub(super) line: u64,
    pub(super) mark: Mark,
    /// The header in force there, in hexadecimal.
    pub(super) header: String,
    /// It was read to this length, packed; nothing is done until that changes.
    pub(super) packed_length: Option<u64>,
}

/// How far files have been read.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
pub struct State {
    version: u32,
    pub(super) files: Vec<Known>,
}

/// The state could not be read.
#[derive(Debug)]
pub struct StateError(String);

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}

impl State {
    pub(super) fn of(files: Vec<Known>) -> Self {
        Self { version: 1, files }
    }

    /// Reads a state; an empty one if there is no such file yet.
    ///
    /// # Errors
    /// The file cannot be read, or is no state: it is not overwritten then.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let error = |what: String| StateError(format!("cannot read the state {}: {what}", path.display()));
        let bytes = match std::fs::metadata(path) {
            Err(none) if none.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(failed) => return Err(error(failed.to_string())),
            Ok(about) if about.len() > LARGEST => return Err(error("it is too large".to_owned())),
            Ok(_) => std::fs::read(path).map_err(|failed| error(failed.to_string()))?,
        };
        let state: Self = serde_json::from_slice(&bytes).map_err(|wrong| error(wrong.to_string()))?;
        match state.version {
            1 => Ok(state),
            other => Err(error(format!("version {other} is of a later program"))),
        }
    }

    /// Writes it beside its file and puts it in its place: it is there whole, or as it was before.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_data()?;
        std::fs::rename(&beside, path)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| if let [a, b] = pair { Some(digit(*a)? << 4 | digit(*b)?) } else { None }).collect()
}
