//! Follows files and folders that grow.
//!
//! A file is known by its device and inode, and by a mark of its first bytes. So one that is renamed is read on; one
//! that was cut to nothing and begins anew is read from its beginning; and a copy or a packed copy of one that is known
//! (`copytruncate`, `compress`) is read from where that one had been read to. A file that is deleted is read to its end
//! as long as we hold it. Half a line waits for its other half.

mod followed;

use super::folder::{self, MOST_FILES};
use super::state::{Known, State};
use super::{Eye, Format, Wanted};
use followed::{Fate, Followed};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How often folders are looked through for new files, in milliseconds.
const LOOK_EVERY_MS: u64 = 500;
/// How many files that are gone are remembered, to know their copies.
const MOST_GONE: usize = 4096;
/// How many files are held open.
const MOST_OPEN: usize = 512;

/// Something that happened to a file, for whoever keeps the log.
#[derive(Debug)]
pub enum Notice {
    /// It is new; it is read from its beginning.
    Found(PathBuf, Format),
    /// It is a copy of one that is known, and is read from where that had been read to.
    Copy(PathBuf),
    /// It was cut, or other bytes stand at its beginning; it is read from its beginning.
    Anew(PathBuf),
    /// It is gone.
    Gone(PathBuf),
    /// Its format cannot be followed.
    Unfit(PathBuf, Format),
    /// It cannot be read.
    Failed(PathBuf, std::io::Error),
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Round {
    /// How many bytes were read, unpacked.
    pub bytes: u64,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// Follows inputs. `E` looks at the bytes of one file.
#[derive(Debug)]
pub struct Follower<E> {
    roots: Vec<PathBuf>,
    wanted: Wanted,
    files: Vec<Followed<E>>,
    /// What is remembered of files that are not there.
    gone: Vec<Known>,
    looked_at: Option<u64>,
    failed: BTreeSet<PathBuf>,
}

/// Makes what looks at the bytes of a file in this format; `None` if it cannot be followed.
pub type Make<'m, E> = dyn FnMut(&Path, Format) -> Option<E> + 'm;

impl<E: Eye> Follower<E> {
    /// Follows these files and folders, from where the state says. A file need not exist yet.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, wanted: Wanted, state: State) -> Self {
        Self { roots, wanted, files: Vec::new(), gone: state.files, looked_at: None, failed: BTreeSet::new() }
    }

    /// Reads what is new, up to a bound. `now_ms` is any clock that does not go back.
    pub fn round(&mut self, now_ms: u64, make: &mut Make<'_, E>, notice: &mut dyn FnMut(Notice)) -> Round {
        let look = self.looked_at.is_none_or(|at| now_ms.saturating_sub(at) >= LOOK_EVERY_MS);
        if look {
            self.looked_at = Some(now_ms);
            self.look(notice);
        }
        let mut round = Round::default();
        // A copy may be found before what it was copied from is cut or gone.
        let live: Vec<Known> = match self.files.iter().any(Followed::is_fresh) {
            true => self.files.iter().filter(|file| !file.is_fresh()).map(Followed::known).collect(),
            false => Vec::new(),
        };
        let mut open = self.files.iter().filter(|file| file.is_open()).count();
        let mut left = Vec::new();
        for (index, file) in self.files.iter_mut().enumerate() {
            if !look && !file.is_open() {
                continue;
            }
            let known = |head: &[u8], length: u64| copy_of(&self.gone, &live, head, length);
            let was_open = file.is_open();
            match file.read(self.wanted, &known, make, notice) {
                Ok((read, more)) => {
                    round.bytes += read;
                    round.more |= more;
                }
                Err(error) => notice(Notice::Failed(file.path().to_owned(), error)),
            }
            open += usize::from(file.is_open() && !was_open);
            if open > MOST_OPEN && file.is_open() && !file.is_gone() {
                file.close();
                open -= 1;
            }
            // What a cut file held before is remembered: its copy may be found later.
            self.gone.extend(file.take_old());
            if file.fate() == Fate::Done {
                left.push(index);
            }
        }
        for index in left.into_iter().rev() {
            let mut file = self.files.swap_remove(index);
            file.end();
            notice(Notice::Gone(file.path().to_owned()));
            self.gone.push(file.known());
        }
        if self.gone.len() > MOST_GONE {
            self.gone.drain(..self.gone.len() - MOST_GONE);
        }
        round
    }

    /// How far everything has been read.
    #[must_use]
    pub fn state(&self) -> State {
        let files = self.files.iter().map(Followed::known);
        State::of(self.gone.iter().cloned().chain(files).collect())
    }

    /// Ends: what looks at the files is told. Half lines are left for the next time.
    pub fn end(mut self) -> State {
        let state = self.state();
        self.files.iter_mut().for_each(Followed::stop);
        state
    }

    /// Looks for files that are new, renamed or gone.
    fn look(&mut self, notice: &mut dyn FnMut(Notice)) {
        let mut found: BTreeMap<(u64, u64), (PathBuf, u64)> = BTreeMap::new();
        for root in self.roots.clone() {
            match listed(&root) {
                Ok((paths, folder)) => {
                    self.failed.remove(&root);
                    for path in paths {
                        let Ok(about) = std::fs::metadata(&path) else { continue };
                        let key = (about.device(), about.ino());
                        // Beside a single file only what is known of old is looked at.
                        if about.is_file() && (folder || path == root || self.remembers(key, &path)) {
                            found.entry(key).or_insert((path, about.len()));
                        }
                    }
                }
                Err(error) => {
                    if self.failed.insert(root.clone()) {
                        notice(Notice::Failed(root, error));
                    }
                }
            }
        }
        for file in &mut self.files {
            match found.remove(&file.key()) {
                Some((path, length)) => file.seen(path, length),
                None => file.vanished(),
            }
        }
        for (key, (path, length)) in found {
            if self.files.len() >= MOST_FILES {
                break;
            }
            let known = self.gone.iter().rposition(|known| (known.device, known.inode) == key);
            let known = known.map(|at| self.gone.remove(at));
            self.files.push(Followed::new(path, key, length, known));
        }
        // In the order of their names, older rotations come first or last but always the same way.
        self.files.sort_by(|a, b| a.path().cmp(b.path()));
    }

    /// Whether a file beside a followed one is a rotation of it.
    fn remembers(&self, key: (u64, u64), path: &Path) -> bool {
        let known = |known: &Known| (known.device, known.inode) == key;
        self.files.iter().any(|file| file.key() == key)
            || self.gone.iter().any(known)
            || (!self.gone.is_empty() && followed::begins_like(path, &self.gone))
    }
}

trait Device {
    fn device(&self) -> u64;
}

impl Device for std::fs::Metadata {
    fn device(&self) -> u64 {
        self.dev()
    }
}

/// The files of a root; for a single file also those beside it whose names begin with its name.
/// Whether it is a folder comes with them.
fn listed(root: &Path) -> std::io::Result<(Vec<PathBuf>, bool)> {
    let single = match std::fs::metadata(root) {
        Ok(about) => !about.is_dir(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error),
    };
    if !single {
        return Ok((folder::files(root)?, true));
    }
    let mut paths = vec![root.to_owned()];
    let folder = root.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let (Some(name), Ok(entries)) = (root.file_name(), std::fs::read_dir(folder)) {
        for entry in entries.flatten() {
            let own = entry.file_name();
            if own != name && own.as_encoded_bytes().starts_with(name.as_encoded_bytes()) {
                paths.push(entry.path());
            }
        }
    }
    Ok((paths, false))
}

/// Of which known file one with this beginning and length is a copy. A short one is known only as a whole, and only if
/// it is gone: too many logs begin alike.
fn copy_of(gone: &[Known], live: &[Known], head: &[u8], length: u64) -> Option<Known> {
    let whole = |known: &Known| known.offset == length && known.mark.length as u64 == length && length > 0;
    let begins = |known: &&Known| known.mark.begins(head);
    let gone = gone.iter().rev().filter(|known| known.mark.full() || whole(known)).find(begins);
    gone.or_else(|| live.iter().filter(|known| known.mark.full()).find(begins)).cloned()
}
