//! Where the journal ended when somebody last looked, kept in a file beside it under a key of the node: whoever cuts the
//! journal's end off, or puts an older copy in its place, cannot make the anchor agree.

use super::{Digest, Head, digest, hex};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// An anchor's file and key.
#[derive(Clone)]
pub struct Anchor {
    path: PathBuf,
    key: [u8; 32],
}

/// Why an anchor cannot be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorFault {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not what this node wrote.
    #[error("{path} was not written by this node, or was changed")]
    Forged {
        /// The file.
        path: String,
    },
}

impl std::fmt::Debug for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anchor").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Anchor {
    /// In this file, under this key.
    #[must_use]
    pub fn new(path: &Path, key: [u8; 32]) -> Self {
        Self { path: path.to_owned(), key }
    }

    /// What it says; `None` if there is none.
    ///
    /// # Errors
    /// [`AnchorFault`].
    pub fn read(&self) -> Result<Option<Head>, AnchorFault> {
        let shown = || self.path.display().to_string();
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|file| file.take(1024).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(AnchorFault::Forged { path: shown() });
            }
            Err(source) => return Err(AnchorFault::Unreadable { path: shown(), source }),
            Ok(_) => {}
        }
        let parsed = text.trim_end().split_once(' ').and_then(|(head, mac)| {
            let head: Head = head.parse().ok()?;
            // Compared as hashes, which takes the same time wherever they differ.
            (blake3::Hash::from(self.mac(&head)) == blake3::Hash::from(digest(mac)?)).then_some(head)
        });
        parsed.map(Some).ok_or_else(|| AnchorFault::Forged { path: shown() })
    }

    /// Puts the head into the file's place, whole and on disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, head: &Head) -> std::io::Result<()> {
        let part = self.path.with_extension(format!("{}.part", std::process::id()));
        let text = format!("{head} {}\n", hex(&self.mac(head)));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&part, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn mac(&self, head: &Head) -> Digest {
        blake3::keyed_hash(&self.key, format!("marsad audit anchor {head}").as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_node_wrote_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.anchor");
        let anchor = Anchor::new(&path, [1; 32]);
        assert_eq!(anchor.read().unwrap(), None);
        let head = Head { number: 7, chain: [9; 32] };
        anchor.write(&head).unwrap();
        assert_eq!(anchor.read().unwrap(), Some(head));
        assert!(matches!(Anchor::new(&path, [2; 32]).read(), Err(AnchorFault::Forged { .. })));
        let text = std::fs::read(&path).unwrap();
        for place in 0..text.len() - 1 {
            let mut changed = text.clone();
            changed[place] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert!(anchor.read().is_err(), "byte {place}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }
}
