//! By which a file is known again: a digest of its first bytes.

use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How many bytes of a file are enough. Two logs may begin with the same header; with so much in common they are copies.
pub(super) const FULL: usize = 4096;

/// A digest of so many first bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub(super) struct Mark {
    pub(super) length: usize,
    pub(super) digest: String,
}

impl Mark {
    /// Of the first bytes of an input; at most [`FULL`] of them count.
    pub(super) fn of(head: &[u8]) -> Self {
        let head = head.get(..FULL).unwrap_or(head);
        let digest = Sha256::digest(head);
        let digest = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { length: head.len(), digest }
    }

    /// Whether it is long enough to know a copy by.
    pub(super) fn full(&self) -> bool {
        self.length == FULL
    }

    /// Whether an input that begins with this is the same, or goes on where the marked one ended.
    pub(super) fn begins(&self, head: &[u8]) -> bool {
        head.get(..self.length).is_some_and(|head| Self::of(head) == *self)
    }
}

/// The first bytes of a file, at most so many.
pub(super) fn head(file: &File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read_at(room, length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}
