//! What a hunt keeps in the node's directory, below `hunts/`.
//!
//! | file | is |
//! |---|---|
//! | `lock` | held while a hunt is under way |
//! | `searched.json` | which files were searched to their end, and for what the book held then |
//! | `ID.json`, `ID.jsonl` | how far a hunt has come that is not at its end, and its hits until there |
//! | `ID.parts` | what met parts of patterns until there |

use super::Error;
use super::kept::Kept;
use super::later::{MOST as MOST_PARTS, MOST_BYTES as MOST_PART_BYTES};
use crate::home::Home;
use crate::watch::seer::Tally;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

/// Bytes by which a file is known again.
const HEAD: u64 = 4096;
/// Files that are remembered as searched.
const MOST: usize = 200_000;
/// Bytes of a state that are read.
const LARGEST: u64 = 256 << 20;

/// What is hunted in. Two runs with the same request are one hunt.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Request {
    /// Files and folders, as absolute paths.
    pub inputs: Vec<PathBuf>,
    /// Only events from then on, in microseconds since 1970.
    pub since: Option<i64>,
    /// In files that were searched before, only what is new in the book since.
    pub new_only: bool,
    /// How the inputs are written; `auto`: as each shows.
    pub format: String,
}

/// By which a file is known again: device, inode and a digest of its first bytes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    length: u64,
    digest: String,
}

impl Mark {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let mut head = Vec::new();
        (&file).take(HEAD).read_to_end(&mut head)?;
        let digest = blake3::hash(&head).to_hex().to_string();
        Ok(Self { device: about.dev(), inode: about.ino(), length: head.len() as u64, digest })
    }

    /// Whether a file that is marked so now is the one that was marked so then, and may have grown since.
    fn is_of(&self, path: &Path, now: &Self) -> bool {
        if (self.device, self.inode) != (now.device, now.inode) || now.length < self.length {
            return false;
        }
        if now.length == self.length {
            return now.digest == self.digest;
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(self.length).read_to_end(&mut head));
        read.is_ok() && blake3::hash(&head).to_hex().as_str() == self.digest
    }
}

/// A file that was searched to its end.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Searched {
    mark: Mark,
    /// As it lay there.
    pub(super) length: u64,
    pub(super) lines: u64,
    /// The place in the book up to which it was searched for.
    pub(super) position: i64,
}

/// How far one file has been searched.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct At {
    /// Bytes, unpacked.
    pub(super) offset: u64,
    /// The number of the line that begins there.
    pub(super) line: u64,
    /// The header in force there.
    pub(super) header: String,
}

/// How far a hunt has come.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Progress {
    pub(super) request: Request,
    /// The place in the book up to which every part was searched for.
    pub(super) position: i64,
    pub(super) done: BTreeMap<PathBuf, (Mark, u64)>,
    pub(super) now: Option<(PathBuf, Mark, At)>,
    /// Bytes of the hits until there, and at the beginning of the file that is being searched.
    hits: u64,
    hits_before: u64,
    /// The same of what met parts of patterns.
    #[serde(default)]
    parts: u64,
    #[serde(default)]
    parts_before: u64,
    /// How many of those there are, and how many there was no place for.
    #[serde(default)]
    noted: u64,
    #[serde(default)]
    pub(super) beyond: u64,
    #[serde(default)]
    noted_before: u64,
    #[serde(default)]
    beyond_before: u64,
    /// What was counted in files that are done, and in the one that is being searched.
    counted: [u64; 3],
    counted_now: [u64; 3],
    /// What was counted in it by processes before this one.
    counted_before: [u64; 3],
    pub(super) faults: u64,
    pub(super) unread: u64,
}

/// The state of a hunt on disk.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    id: String,
    pub(super) progress: Progress,
    known: BTreeMap<PathBuf, Searched>,
    hits: Kept,
    parts: Kept,
    /// Released when the process ends, however it does.
    _lock: File,
}

impl Journal {
    pub(super) fn open(home: &Home, request: Request) -> Result<Self, Error> {
        let directory = home.path().join("hunts");
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::State { path, source }
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(wrong(&directory))?;
        let lock = directory.join("lock");
        let lock = options().create(true).truncate(false).open(&lock).map_err(wrong(&lock))?;
        if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::Taken(directory));
        }
        let words = serde_json::to_vec(&request).unwrap_or_default();
        let id = blake3::hash(&words).to_hex().as_str().chars().take(16).collect::<String>();
        let known: BTreeMap<PathBuf, Searched> = read(&directory.join("searched.json"))?.unwrap_or_default();
        let fresh = || Progress { request: request.clone(), position: i64::MAX, ..Progress::default() };
        let mut progress: Progress = read(&directory.join(format!("{id}.json")))?.unwrap_or_else(fresh);
        let mut hits = Kept::open(directory.join(format!("{id}.jsonl")))?;
        let mut parts = Kept::open(directory.join(format!("{id}.parts")))?;
        // What was written after it was kept how far the hunt had come is found again.
        if hits.written < progress.hits || parts.written < progress.parts {
            progress = fresh();
        }
        hits.cut(progress.hits)?;
        parts.cut(progress.parts)?;
        progress.counted_before = progress.counted_now;
        Ok(Self { directory, id, progress, known, hits, parts, _lock: lock })
    }

    fn state(&self) -> PathBuf {
        self.directory.join(format!("{}.json", self.id))
    }

    /// Tells the hits that were found before this process.
    pub(super) fn tell_again(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.progress.hits > 0 {
            io::copy(&mut File::open(self.hits.path())?.take(self.progress.hits), out)?;
        }
        Ok(())
    }

    /// Shows every hit, as a line.
    pub(super) fn each_hit(&mut self, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.hits.flush()?;
        let wrong = |source| Error::State { path: self.hits.path().to_owned(), source };
        for line in BufReader::new(File::open(self.hits.path()).map_err(wrong)?).lines() {
            each(&line.map_err(wrong)?);
        }
        Ok(())
    }

    pub(super) fn since(&self) -> Option<SystemTime> {
        let micros = u64::try_from(self.progress.request.since?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))
    }

    /// What is known of a file from earlier hunts: under its path, or under another that it had before.
    pub(super) fn searched(&self, path: &Path) -> Option<Searched> {
        let now = Mark::of(path).ok()?;
        let same = |searched: &&Searched| searched.mark.is_of(path, &now);
        let renamed = || self.known.values().find(same);
        self.known.get(path).filter(same).or_else(renamed).cloned()
    }

    /// Whether this hunt has searched a file to its end: what it grew by since then is for the next one.
    pub(super) fn is_done(&self, path: &Path, mark: &Mark) -> bool {
        self.progress.done.get(path).is_some_and(|(done, _)| done.is_of(path, mark))
    }

    /// The file in which this hunt was when it broke off.
    pub(super) fn begun(&self) -> Option<&Path> {
        self.progress.now.as_ref().map(|(path, ..)| &**path)
    }

    /// Forgets how far a file was searched that is not there any more as it was, and what was found in it.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        let Some((path, mark, _)) = &self.progress.now else { return Ok(()) };
        if Mark::of(path).is_ok_and(|now| now == *mark) {
            return Ok(());
        }
        let (hits, parts) = (self.progress.hits_before, self.progress.parts_before);
        self.hits.cut(hits)?;
        self.parts.cut(parts)?;
        (self.progress.hits, self.progress.parts) = (hits, parts);
        (self.progress.noted, self.progress.beyond) = (self.progress.noted_before, self.progress.beyond_before);
        (self.progress.counted_now, self.progress.counted_before) = ([0; 3], [0; 3]);
        self.progress.now = None;
        Ok(())
    }

    /// Where this hunt goes on in a file; `None`: at its beginning.
    pub(super) fn at(&mut self, path: &Path, mark: &Mark) -> Option<At> {
        let here = |now: &(PathBuf, Mark, At)| now.0 == path && now.1 == *mark;
        let at = self.progress.now.clone().filter(here).map(|(.., at)| at);
        if at.is_none() {
            (self.progress.counted_now, self.progress.counted_before) = ([0; 3], [0; 3]);
            (self.progress.hits_before, self.progress.parts_before) = (self.hits.written, self.parts.written);
            (self.progress.noted_before, self.progress.beyond_before) = (self.progress.noted, self.progress.beyond);
        }
        at
    }

    pub(super) fn hit(&mut self, line: &str) -> Result<(), Error> {
        self.hits.push(line)
    }

    /// Keeps an observation that met a part of a pattern, if there is a place for it.
    pub(super) fn part(&mut self, line: &str) -> Result<(), Error> {
        if self.progress.noted >= MOST_PARTS || self.parts.written >= MOST_PART_BYTES {
            self.progress.beyond += 1;
            return Ok(());
        }
        self.progress.noted += 1;
        self.parts.push(line)
    }

    /// The file of what met parts of patterns, as far as it was written.
    pub(super) fn parts(&mut self) -> Result<&Path, Error> {
        self.parts.flush()?;
        Ok(self.parts.path())
    }

    /// Takes over what was counted in the file that is being searched.
    pub(super) fn count(&mut self, tally: &Tally) {
        let now = [&tally.bytes, &tally.events, &tally.faults].map(|figure| figure.load(Ordering::Relaxed));
        for ((sum, before), now) in self.progress.counted_now.iter_mut().zip(self.progress.counted_before).zip(now) {
            *sum = before + now;
        }
    }

    /// Bytes, events and faults.
    pub(super) fn counted(&self) -> [u64; 3] {
        self.progress.counted
    }

    /// Keeps how far a file was searched.
    pub(super) fn keep(&mut self, path: &Path, mark: &Mark, at: At) -> Result<(), Error> {
        self.progress.now = Some((path.to_owned(), mark.clone(), at));
        self.save()
    }

    /// Keeps that a file was searched to its end.
    pub(super) fn done(&mut self, path: &Path, mark: Mark, lines: u64, length: u64) -> Result<(), Error> {
        for (sum, now) in self.progress.counted.iter_mut().zip(self.progress.counted_now) {
            *sum += now;
        }
        (self.progress.counted_now, self.progress.counted_before) = ([0; 3], [0; 3]);
        self.progress.now = None;
        (self.progress.hits_before, self.progress.parts_before) = (self.hits.written, self.parts.written);
        self.progress.done.insert(path.to_owned(), (mark.clone(), lines));
        // What is older than the hunt asks for was not looked at.
        if self.progress.request.since.is_none() && self.known.len() < MOST {
            let position = self.progress.position;
            self.known.insert(path.to_owned(), Searched { mark, length, lines, position });
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), Error> {
        self.hits.sync()?;
        self.parts.sync()?;
        (self.progress.hits, self.progress.parts) = (self.hits.written, self.parts.written);
        write(&self.state(), &self.progress)
    }

    /// The hunt is at its end: what was searched is remembered, and the rest forgotten.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.hits.flush()?;
        write(&self.directory.join("searched.json"), &self.known)?;
        for path in [self.state(), self.hits.path().to_owned(), self.parts.path().to_owned()] {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(Error::State { path, source }),
                _ => {}
            }
        }
        Ok(())
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let wrong = |source| Error::State { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(wrong)?,
    };
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(wrong)?;
    let not = |error: serde_json::Error| wrong(io::Error::new(io::ErrorKind::InvalidData, error));
    serde_json::from_slice(&bytes).map(Some).map_err(not)
}

/// Writes beside the file and puts it in its place: it is there whole, or as it was before.
fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let wrong = |source| Error::State { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    let bytes = serde_json::to_vec(value).map_err(|error| wrong(io::Error::other(error)))?;
    let mut file = options().create(true).truncate(true).open(&beside).map_err(wrong)?;
    file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(wrong)?;
    std::fs::rename(&beside, path).map_err(wrong)
}
