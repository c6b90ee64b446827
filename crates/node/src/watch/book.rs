//! The set of the book: every indicator that the node's own organisation may use, compiled, and following the order of the
//! book. What is accepted is watched for within a moment, what is revoked, erased or withheld from us is watched for no longer.
//!
//! Two things keep it right. A follower asks the book several times a second whether something was added, and amends the set by
//! the objects that are concerned, each as it stands now for our own viewer. And nothing counts as met before the book has been
//! asked again through the door ([`Followed::confirm`]): the set only says what to ask for, so that what it does not know yet
//! (a limit that was put on what is stored, the end of a window) is honoured at the moment of the match.

mod confirm;
mod figures;
mod follow;
mod holds;
mod names;
mod object;
mod read;
mod voices;

pub use figures::{Figures, Status};
pub use object::Why;

use crate::door::Door;
use ::watch::general::Patterns;
use ::watch::set::{Builder, Set};
use ledger::sqlite::Book;
use ledger::{Micros, Seq};
use names::Names;
use pattern::Pattern;
use policy::Viewer;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked whether there is something new.
const LOOK: Duration = Duration::from_millis(100);
/// Patterns that say more than a list of values; what is beyond is refused.
const MOST_GENERAL: usize = 100_000;

/// Why the book cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The book or the register.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A page of the ledger is not what it must be.
    #[error("the ledger gave a page that cannot be split into objects: run `marsad check`")]
    Page,
    /// A defect: nothing of the page was used.
    #[error(transparent)]
    Leak(#[from] policy::Leak),
    /// Nobody owns the node.
    #[error("the node has no organisation of its own")]
    Nobody,
    /// The system gives no random bytes or no thread.
    #[error("the system gives {0}")]
    System(&'static str),
}

/// What is watched for, beyond what the book says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Kinds of value that are not watched for.
    pub without: Vec<observable::Kind>,
    /// Claims that are less sure are not met, as their author and those say who met them ([`crate::alerts::confidence`]). What
    /// nobody says anything of is met.
    pub least_confidence: u8,
    /// How claims decay since they were changed last; `None`: they do not.
    pub decay: Option<::watch::standing::Decay>,
    /// Values that are well known and benign. A claim on one is not watched for, and a pattern that says more than a list of
    /// values is not met by such values alone.
    pub warnings: Option<Arc<::watch::warning::Warnings>>,
}

/// The set as it is at a moment. Whoever watches keeps it for a while and asks for a newer one by [`Followed::generation`].
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts the changes.
    pub generation: u64,
    /// The place in the book up to which it follows.
    pub position: Seq,
    /// What is claimed, under the names that [`Followed::confirm`] knows.
    pub set: Arc<Set>,
    /// Patterns that say more than a list of values, by name.
    pub general: Arc<BTreeMap<u64, Arc<Pattern>>>,
}

/// The book, followed.
pub struct Followed {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A set that is being put together anew.
struct Merging {
    merged: std::sync::mpsc::Receiver<Set>,
    /// The names that went or came since it was begun.
    since: HashSet<u64>,
    /// It ended without a set.
    failed: bool,
}

struct Shared {
    book: Arc<Book>,
    door: Door,
    viewer: Viewer,
    settings: Settings,
    names: RwLock<Names>,
    voices: RwLock<crate::alerts::confidence::Voices>,
    snapshot: RwLock<Arc<Snapshot>>,
    /// The general patterns, compiled; changed in place, so that they keep what they have seen.
    patterns: Arc<Patterns>,
    /// That of the snapshot, to be asked without a lock.
    generation: AtomicU64,
    /// How far the book was read.
    position: AtomicI64,
    confirmed: Mutex<confirm::Cache>,
    merging: Mutex<Option<Merging>>,
    counts: Mutex<figures::Counts>,
    end: Mutex<bool>,
    ended: Condvar,
    ending: AtomicBool,
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Followed").field("position", &self.shared.position).finish_non_exhaustive()
    }
}

impl Followed {
    /// Reads the whole book, and follows it from then on. `progress` is told how many indicators were read.
    ///
    /// # Errors
    /// [`Error`].
    pub fn start(
        book: Arc<Book>,
        door: Door,
        settings: Settings,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Arc<Self>, Error> {
        let followed = Self::still(book, door, settings, progress)?;
        let shared = Arc::clone(&followed.shared);
        let thread = std::thread::Builder::new().name("follow".to_owned()).spawn(move || follow::run(&shared));
        let thread = thread.map_err(|_| Error::System("no thread"))?;
        followed.threads().push(thread);
        Ok(followed)
    }

    /// Reads the whole book and stays there; [`Self::catch_up`] goes on.
    ///
    /// # Errors
    /// [`Error`].
    pub fn still(
        book: Arc<Book>,
        door: Door,
        settings: Settings,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Arc<Self>, Error> {
        Self::added_since(book, door, settings, None, progress)
    }

    /// The same of what was added after a place in the book alone.
    ///
    /// # Errors
    /// [`Error`].
    pub fn added_since(
        book: Arc<Book>,
        door: Door,
        settings: Settings,
        since: Option<Seq>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Arc<Self>, Error> {
        let viewer = read::own_viewer(&*book)?;
        let seed = crate::chance::bytes().map_err(|_| Error::System("no random bytes"))?;
        let empty = Arc::new(Builder::new(seed).build());
        let nothing = Snapshot { generation: 0, position: Seq(i64::MIN), set: empty, general: Arc::default() };
        let shared = Arc::new(Shared {
            book,
            door,
            viewer,
            patterns: Arc::new(Patterns::default().with_warnings(settings.warnings.clone())),
            settings,
            names: RwLock::default(),
            voices: RwLock::default(),
            snapshot: RwLock::new(Arc::new(nothing)),
            generation: AtomicU64::new(0),
            position: AtomicI64::new(i64::MIN),
            confirmed: Mutex::default(),
            merging: Mutex::default(),
            counts: Mutex::default(),
            end: Mutex::new(false),
            ended: Condvar::new(),
            ending: AtomicBool::new(false),
        });
        read::whole(&shared, since, progress)?;
        Ok(Arc::new(Self { shared, threads: Mutex::default() }))
    }

    /// Up to where the book was read.
    #[must_use]
    pub fn position(&self) -> Seq {
        Seq(self.shared.position.load(Ordering::Acquire))
    }

    /// Takes in at once what was added since.
    ///
    /// # Errors
    /// [`Error`].
    pub fn catch_up(&self) -> Result<(), Error> {
        follow::catch_up(&self.shared)
    }

    /// The set as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Snapshot> {
        self.shared.now()
    }

    /// The patterns that say more than a list of values, as they are now and will be: they follow the book as the set does.
    #[must_use]
    pub fn patterns(&self) -> &Arc<Patterns> {
        &self.shared.patterns
    }

    /// The id and the pattern of an indicator that says more than a list of values, by its name.
    #[must_use]
    pub fn general(&self, name: u64) -> Option<(String, Arc<Pattern>)> {
        let pattern = Arc::clone(self.now().general.get(&name)?);
        let id = self.shared.names.read().unwrap_or_else(PoisonError::into_inner).id(name)?;
        Some((id, pattern))
    }

    /// The name of the indicator with this id, if it has one.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<u64> {
        self.shared.names.read().unwrap_or_else(PoisonError::into_inner).known(&names::uuid_of(id)?)
    }

    /// Counts the changes of the set: one look, to be asked before every block of a log.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// How it stands.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn status(&self) -> Result<Status, Error> {
        figures::status(&self.shared)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        *self.shared.end.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.ended.notify_all();
        for thread in self.threads().drain(..) {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn merging(&self) -> MutexGuard<'_, Option<Merging>> {
        self.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts another set in the place of the one that is used.
    fn put(&self, set: Set, general: Arc<BTreeMap<u64, Arc<Pattern>>>, position: Seq) {
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let generation = snapshot.generation + 1;
        *snapshot = Arc::new(Snapshot { generation, position, set: Arc::new(set), general });
        self.position.store(position.0, Ordering::Release);
        self.generation.store(generation, Ordering::Release);
    }

    /// Notes that the book was read up to a place and nothing in it was of concern.
    fn passed(&self, position: Seq) {
        self.position.store(position.0, Ordering::Release);
    }

    /// Waits for so long, or until it is told to end; then `true`.
    fn pause(&self, time: Duration) -> bool {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(end, time, |end| !*end);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn at(&self) -> Micros {
        crate::clock::now()
    }
}

/// The instant that a timestamp names.
pub(super) fn instant(text: &str) -> Option<Micros> {
    object::micros(Some(text))
}

#[cfg(test)]
mod tests;
