//! The hunt: logs of the past, searched for what the book claims now.
//!
//! A hunt keeps in the node's directory how far it has come, and every hit that it has found until there. One that was killed
//! goes on where it was: its hits so far are told again, in front of the others, so that the run that ends has told each of
//! them once. What a hunt has searched to its end is remembered, so that the next one can search it for what is new in the
//! book alone.
//!
//! Patterns that need several observations are judged at the end, over all files together and in the order of time, whichever
//! file an observation lies in and in whichever order files are read ([`later`]): what met a part of one is noted until then,
//! some million observations at most, and what is beyond is counted and told. What was noted survives as the hits do. With
//! `--new-only` they see what this hunt reads.

mod kept;
mod later;
mod report;
mod state;

pub use report::{Report, Row};
pub use state::{Progress, Request};

use super::book::{self, Followed};
use super::hits::Hit;
use super::line::Line;
use super::seer::{self, Found, Seer, Tally};
use crate::home::Home;
use ::watch::input::{Cutter, Eye as _, HEAD, Opened, Piece, Wanted, ahead, detect, open};
use ledger::Seq;
use state::{At, Journal, Mark, Searched};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often it is kept how far the hunt has come.
const KEEP: Duration = Duration::from_millis(500);

/// Why a hunt could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The book.
    #[error(transparent)]
    Book(#[from] book::Error),
    /// An input cannot be read.
    #[error("cannot read {path}: {source}")]
    Input {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What the hunt keeps cannot be read or written.
    #[error("cannot keep the state of the hunt in {path}: {source}")]
    State {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another hunt is under way.
    #[error("another hunt is under way in {0}: wait for its end")]
    Taken(PathBuf),
    /// Hits cannot be told.
    #[error("cannot write: {0}")]
    Out(io::Error),
}

/// What to tell while it goes.
pub trait Teller {
    /// Bytes in all, as they lie there.
    fn total(&mut self, bytes: u64);
    /// Bytes so far, in all files.
    fn done(&mut self, bytes: u64);
    /// Something that a person should know.
    fn note(&mut self, message: String);
}

/// The sets that a hunt searches for.
struct Sets {
    all: Arc<Followed>,
    /// What is new since the files were searched that are known; `None`: not asked for.
    new: Option<Arc<Followed>>,
}

/// Whether there is nothing to look for.
fn is_empty(followed: &Followed) -> bool {
    let now = followed.now();
    now.set.is_empty() && now.general.is_empty()
}

/// One hunt.
pub struct Hunt<'h> {
    journal: Journal,
    sets: Sets,
    out: &'h mut dyn Write,
    teller: &'h mut dyn Teller,
    /// Bytes of files that are done, as they lie there.
    passed: u64,
}

impl std::fmt::Debug for Hunt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hunt").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// Searches the inputs of a request, and writes a line of JSON for each hit. `sets` makes the set of what was added to the
/// book after a place, or of everything.
///
/// # Errors
/// [`Error`]; what was searched until then is kept.
pub fn run(
    home: &Home,
    request: Request,
    sets: &mut dyn FnMut(Option<Seq>) -> Result<Arc<Followed>, book::Error>,
    out: &mut dyn Write,
    teller: &mut dyn Teller,
) -> Result<Report, Error> {
    let mut files = Vec::new();
    for input in &request.inputs {
        let found = ::watch::input::files(input).map_err(|source| Error::Input { path: input.clone(), source })?;
        files.extend(found);
    }
    files.sort();
    files.dedup();
    let mut journal = Journal::open(home, request)?;
    journal.settle()?;
    // What was begun is ended first, whatever came to stand before it: what was found in it lies behind all else.
    if let Some(begun) = journal.begun().and_then(|begun| files.iter().position(|path| path == begun)) {
        files.get_mut(..=begun).into_iter().for_each(|before| before.rotate_right(1));
    }
    let all = sets(None)?;
    let known: Vec<Option<Searched>> = files.iter().map(|path| journal.searched(path)).collect();
    let oldest = known.iter().flatten().map(|searched| Seq(searched.position)).min();
    all.patterns().defer();
    let new = oldest.filter(|_| journal.progress.request.new_only).map(|since| sets(Some(since))).transpose()?;
    if let Some(new) = &new {
        new.patterns().defer();
    }
    // What was added while an earlier part was searched has not been looked for there.
    journal.progress.position = journal.progress.position.min(all.position().0);
    journal.tell_again(out).map_err(Error::Out)?;
    let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |about| about.len());
    teller.total(files.iter().map(length).sum());
    let mut hunt = Hunt { journal, sets: Sets { all, new }, out, teller, passed: 0 };
    for (path, known) in files.iter().zip(known) {
        if let Err(error) = hunt.file(path, known) {
            match error {
                Error::Input { path, source } => {
                    hunt.journal.progress.unread += 1;
                    hunt.teller.note(format!("cannot read {}: {source}", path.display()));
                }
                other => return Err(other),
            }
        }
        hunt.passed += length(path);
        hunt.teller.done(hunt.passed);
    }
    hunt.judge()?;
    hunt.out.flush().map_err(Error::Out)?;
    let report = Report::of(&mut hunt.journal)?;
    hunt.journal.finish()?;
    Ok(report)
}

/// What is looked for in a file that was searched before.
struct Before {
    lines: u64,
    position: i64,
}

impl Hunt<'_> {
    fn file(&mut self, path: &Path, known: Option<Searched>) -> Result<(), Error> {
        let input = |source| Error::Input { path: path.to_owned(), source };
        let about = std::fs::metadata(path).map_err(input)?;
        let mark = Mark::of(path).map_err(input)?;
        if self.journal.is_done(path, &mark) {
            return Ok(());
        }
        let new_only = self.journal.progress.request.new_only;
        let known = known.filter(|_| new_only);
        let same = known.as_ref().is_some_and(|known| known.length == about.len());
        if same && self.sets.new.as_ref().is_some_and(|new| is_empty(new)) {
            // As it was, and nothing is new.
            return self.journal.done(path, mark, known.map_or(0, |known| known.lines), about.len());
        }
        if let Some(since) = self.journal.since()
            && about.modified().is_ok_and(|at| at < since)
        {
            return self.journal.done(path, mark, 0, about.len());
        }
        let followed = match &self.sets.new {
            Some(new) if same => Arc::clone(new),
            _ => Arc::clone(&self.sets.all),
        };
        let before = known.map(|known| Before { lines: known.lines, position: known.position });
        let opened = open(path).map_err(input)?;
        let lines = self.search(path, &mark, opened, (followed, before))?;
        self.journal.done(path, mark, lines, about.len())
    }

    /// Searches one file from where it was left. Returns how many lines it has.
    fn search(
        &mut self,
        path: &Path,
        mark: &Mark,
        mut opened: Opened,
        (followed, before): (Arc<Followed>, Option<Before>),
    ) -> Result<u64, Error> {
        let input = |source| Error::Input { path: path.to_owned(), source };
        let at = self.journal.at(path, mark);
        let mut head = Vec::new();
        (&mut opened.source).take(HEAD as u64).read_to_end(&mut head).map_err(input)?;
        let format = detect(&head, seer::format(&self.journal.progress.request.format).unwrap_or(Wanted::Auto));
        let (found, tally) = (Found::default(), Arc::new(Tally::default()));
        let name = path.display().to_string();
        let Some(mut seer) = Seer::new(&followed, &name, format, &found, &tally) else {
            let what = format!("its format, {}, is not searched by this version", format.name());
            return Err(input(io::Error::new(io::ErrorKind::Unsupported, what)));
        };
        let by_lines = seer.by_lines();
        let at = at.filter(|_| by_lines).unwrap_or_default();
        if !at.header.is_empty() {
            seer.block(at.header.as_bytes(), 1);
        }
        let mut cutter = Cutter::at(at.offset, at.line.max(1), by_lines);
        let mut skip = at.offset;
        let read = Arc::clone(&opened.read);
        let pieces = ahead(Box::new(io::Cursor::new(head).chain(opened.source)), false);
        let (mut kept, mut ids) = (Instant::now(), later::Ids::new());
        for piece in pieces {
            let bytes = match piece {
                Piece::Bytes(bytes) => bytes,
                Piece::Failed(error) => {
                    // What could be read was searched.
                    self.journal.progress.faults += 1;
                    self.teller.note(format!("{} cannot be read to its end: {error}", path.display()));
                    break;
                }
            };
            let passed = skip.min(bytes.len() as u64);
            skip -= passed;
            let rest = bytes.get(usize::try_from(passed).unwrap_or(bytes.len())..).unwrap_or_default();
            cutter.push(rest, &mut |block, first| seer.block(block, first));
            self.tell(found.take(), before.as_ref())?;
            self.note(found.take_deferred(), (&followed, &mut ids), (&name, before.as_ref()))?;
            self.teller.done(self.passed + read.load(Ordering::Relaxed));
            if by_lines && kept.elapsed() >= KEEP {
                kept = Instant::now();
                let header = String::from_utf8_lossy(seer.header()).into_owned();
                let place = At { offset: cutter.offset() - seer.pending() as u64, line: cutter.line(), header };
                self.keep(path, mark, place, &tally)?;
            }
        }
        cutter.rest(&mut |block, first| seer.block(block, first));
        seer.count(&cutter.take_faults());
        seer.end();
        self.tell(found.take(), before.as_ref())?;
        self.note(found.take_deferred(), (&followed, &mut ids), (&name, before.as_ref()))?;
        self.journal.count(&tally);
        Ok(cutter.line() - 1)
    }

    fn tell(&mut self, hits: Vec<Hit>, before: Option<&Before>) -> Result<(), Error> {
        for hit in hits {
            let known = before.is_some_and(|before| hit.line <= before.lines && hit.indicator.seq.0 <= before.position);
            let early = match (&hit.time, &self.journal.progress.request.since) {
                (Some(time), Some(since)) => book::instant(time).is_some_and(|time| time < *since),
                _ => false,
            };
            if known || early {
                continue;
            }
            let line = serde_json::to_string(&Line::of(&hit)).unwrap_or_default();
            self.journal.hit(&line)?;
            writeln!(self.out, "{line}").map_err(Error::Out)?;
        }
        Ok(())
    }

    fn keep(&mut self, path: &Path, mark: &Mark, at: At, tally: &Tally) -> Result<(), Error> {
        self.out.flush().map_err(Error::Out)?;
        self.journal.count(tally);
        self.journal.keep(path, mark, at)
    }
}
