//! Reading of the published files that some tests compare with; they are no part of the project.

use std::{io::Read, path::PathBuf};

/// Where the file would be, seen from the project's root.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name)
}

/// The file's bytes; None, with the reason printed, when it is absent.
pub(crate) fn bytes(name: &str) -> Option<Vec<u8>> {
    match std::fs::read(path(name)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            println!("skipped: the published file {name} is not here ({error})");
            None
        }
    }
}

/// The file as JSON.
pub(crate) fn json(name: &str) -> Option<serde_json::Value> {
    bytes(name).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// A gzipped file of one JSON value a line.
#[expect(dead_code, reason = "the first users come with the cases")]
pub(crate) fn cases(name: &str) -> Option<Vec<serde_json::Value>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes(name)?.as_slice()).read_to_string(&mut text).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}
