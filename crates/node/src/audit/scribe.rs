//! Writes events down in the background: in groups of a few milliseconds, in the order in which they were told.
//!
//! The queue is bounded: whoever is faster than the disk waits, and nothing is dropped. Refusals are counted and written
//! once a minute for each who and what, so that a flood of them cannot fill the disk. The anchor follows within a second.

use super::{By, Event, Way, salt};
use ledger::Micros;
use ledger::journal::{Entry, Journal, Keep};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Events that may wait.
const QUEUE: usize = 4_096;
/// Entries of one group.
const GROUP: usize = 1_000;
/// How long a group is gathered.
const GATHER: Duration = Duration::from_millis(20);
/// How long the anchor may lag behind.
const ANCHOR: Duration = Duration::from_secs(1);
/// How often the disk is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How often at the end, before what waits is given up.
const LAST_TRIES: usize = 10;
const MINUTE: Micros = 60_000_000;
/// Refusals that are counted apart within a minute; those beyond are counted together.
const TALLIES: usize = 1_000;

/// The audit log has been closed: the node is ending.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit log is closed")]
pub struct Ended;

/// What the thread is told, and when.
type Item = (Micros, Told);

#[derive(Debug)]
enum Told {
    /// An event.
    Event(Event),
    /// Somebody waits until everything that was told before is written.
    Flush(SyncSender<()>),
}

/// The way to the thread that writes.
pub struct Scribe {
    /// `None` once the node is ending: the thread then hears the rest, and no more can come after it.
    queue: RwLock<Option<SyncSender<Item>>>,
    ending: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    journal: Arc<dyn Journal>,
}

impl Scribe {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(journal: Arc<dyn Journal>) -> std::io::Result<Self> {
        let (queue, items) = sync_channel(QUEUE);
        let ending = Arc::new(AtomicBool::new(false));
        let thread = Thread {
            journal: Arc::clone(&journal),
            items,
            ending: Arc::clone(&ending),
            tallies: HashMap::new(),
            unanchored: None,
            waiting: Vec::new(),
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || thread.run())?;
        Ok(Self { queue: RwLock::new(Some(queue)), ending, thread: Mutex::new(Some(thread)), journal })
    }

    /// The log itself.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// Tells of an event; waits if too many wait. For threads that may wait.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn note(&self, event: Event) -> Result<(), Ended> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().ok_or(Ended)?.send((crate::clock::now(), Told::Event(event))).map_err(|_| Ended)
    }

    /// Waits until everything that was told is written, but for counts of a minute that is not over. For threads that may
    /// wait.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn flush(&self) -> Result<(), Ended> {
        let (done, written) = sync_channel(1);
        {
            let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
            queue.as_ref().ok_or(Ended)?.send((crate::clock::now(), Told::Flush(done))).map_err(|_| Ended)?;
        }
        written.recv().map_err(|_| Ended)
    }

    /// Tells of an event; waits if too many wait.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn tell(&self, event: Event) -> Result<(), Ended> {
        let mut item = (crate::clock::now(), Told::Event(event));
        loop {
            match self.try_send(item)? {
                None => return Ok(()),
                Some(back) => item = back,
            }
            tokio::time::sleep(GATHER / 4).await;
        }
    }

    /// Gives the event back if too many wait.
    fn try_send(&self, item: Item) -> Result<Option<Item>, Ended> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().ok_or(Ended)?.try_send(item) {
            Ok(()) => Ok(None),
            Err(TrySendError::Disconnected(_)) => Err(Ended),
            Err(TrySendError::Full(back)) => Ok(Some(back)),
        }
    }

    /// Writes everything that was told and moves the anchor on. What is told afterwards is refused.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
        // Waits for those who are just telling something.
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the audit log failed");
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is counted together: everything of a refusal but how often.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Tally {
    SignIn(By),
    Refused(By, String, u16),
}

impl Tally {
    /// What is counted of the event, and how often it counts; `None`: it stands for itself.
    fn of(event: &Event) -> Option<(Self, u64)> {
        match event {
            Event::SignInRefused { by, count } => Some((Self::SignIn(by.clone()), *count)),
            Event::Refused { by, about, status, count } => {
                Some((Self::Refused(by.clone(), about.clone(), *status), *count))
            }
            _ => None,
        }
    }

    /// Under what it is counted when too many are counted apart.
    fn rest(&self) -> Self {
        let nobody = |way: Way| By { way, who: None, organisation: None, address: None };
        match self {
            Self::SignIn(by) => Self::SignIn(nobody(by.way)),
            Self::Refused(by, _, status) => Self::Refused(nobody(by.way), "others".to_owned(), *status),
        }
    }

    fn event(self, count: u64) -> Event {
        match self {
            Self::SignIn(by) => Event::SignInRefused { by, count },
            Self::Refused(by, about, status) => Event::Refused { by, about, status, count },
        }
    }
}

struct Thread {
    journal: Arc<dyn Journal>,
    items: Receiver<Item>,
    ending: Arc<AtomicBool>,
    tallies: HashMap<Tally, (Micros, u64)>,
    /// Since when the anchor does not know of what was written.
    unanchored: Option<Instant>,
    /// Who waits until what was gathered is written.
    waiting: Vec<SyncSender<()>>,
}

impl Thread {
    fn run(mut self) {
        let mut going = true;
        while going {
            let mut entries = Vec::new();
            going = match self.next() {
                Ok(Some((time, told))) => {
                    self.take(time, told, &mut entries);
                    self.gather(&mut entries)
                }
                Ok(None) => true,
                Err(()) => false,
            };
            self.count_up(crate::clock::now(), !going, &mut entries);
            self.write(&entries);
            for done in self.waiting.drain(..) {
                // Whoever waited and has gone needs no word.
                let _ = done.send(());
            }
            self.anchor(!going);
        }
    }

    /// The next item; `None` when there is something to do without one.
    fn next(&self) -> Result<Option<Item>, ()> {
        let minute = (!self.tallies.is_empty()).then_some(Duration::from_secs(5));
        let anchor = self.unanchored.map(|since| ANCHOR.saturating_sub(since.elapsed()));
        match minute.into_iter().chain(anchor).min() {
            None => self.items.recv().map(Some).map_err(drop),
            Some(wait) => match self.items.recv_timeout(wait) {
                Ok(item) => Ok(Some(item)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(()),
            },
        }
    }

    /// Takes what comes within a few milliseconds; whether there is to be more.
    ///
    /// The thread sleeps meanwhile and does not wait at the queue: it would be woken for each event, which costs whoever
    /// tells of it, and this thread, more than the rest of writing it down.
    fn gather(&mut self, entries: &mut Vec<Entry>) -> bool {
        let mut more = self.take_waiting(entries);
        if more && entries.len() < GROUP {
            std::thread::sleep(GATHER);
            more = self.take_waiting(entries);
        }
        more
    }

    /// Takes what waits, but no more than a group; whether there is to be more.
    fn take_waiting(&mut self, entries: &mut Vec<Entry>) -> bool {
        // Refusals are counted and make no entries: a flood of them must not keep the others from being written.
        for _ in 0..GROUP.saturating_sub(entries.len()) {
            match self.items.try_recv() {
                Ok((time, told)) => self.take(time, told, entries),
                Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => break,
            }
        }
        true
    }

    fn take(&mut self, time: Micros, told: Told, entries: &mut Vec<Entry>) {
        let event = match told {
            Told::Event(event) => event,
            Told::Flush(done) => return self.waiting.push(done),
        };
        let Some((mut tally, count)) = Tally::of(&event) else {
            entries.push(event.entry(time, salt()));
            return;
        };
        if self.tallies.len() >= TALLIES && !self.tallies.contains_key(&tally) {
            tally = tally.rest();
        }
        let counted = self.tallies.entry(tally).or_insert((time, 0));
        counted.1 = counted.1.saturating_add(count);
    }

    /// Counts of minutes that are over become entries.
    fn count_up(&mut self, now: Micros, all: bool, entries: &mut Vec<Entry>) {
        let over = |since: Micros| all || now.div_euclid(MINUTE) != since.div_euclid(MINUTE);
        let mut ready: Vec<(Tally, (Micros, u64))> = self.tallies.extract_if(|_, (since, _)| over(*since)).collect();
        ready.sort_by_key(|(_, (since, _))| *since);
        entries.extend(ready.into_iter().map(|(tally, (since, count))| tally.event(count).entry(since, salt())));
    }

    /// Tries until it is written: until then the queue fills, and whoever has something to tell waits.
    fn write(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut tries = 0;
        while let Err(error) = self.journal.write(entries, Keep::Soon) {
            tries += 1;
            let given_up = self.ending.load(Ordering::Relaxed) && tries >= LAST_TRIES;
            if tries == 1 || given_up {
                tracing::error!(%error, entries = entries.len(), given_up, "the audit log cannot be written");
            }
            if given_up {
                return;
            }
            std::thread::sleep(RETRY);
        }
        self.unanchored.get_or_insert_with(Instant::now);
    }

    fn anchor(&mut self, now: bool) {
        if self.unanchored.is_some_and(|since| now || since.elapsed() >= ANCHOR) {
            match self.journal.anchor() {
                Ok(()) => self.unanchored = None,
                Err(error) => {
                    tracing::error!(%error, "the anchor of the audit log cannot be moved on");
                    self.unanchored = Some(Instant::now());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::journal::{Anchor, Line, Wanted};
    use ledger::sqlite::JournalFile;

    fn journal(folder: &std::path::Path) -> Arc<JournalFile> {
        let anchor = Anchor::new(&folder.join("audit.anchor"), [1; 32]);
        Arc::new(JournalFile::open(&folder.join("audit.db"), anchor).unwrap())
    }

    fn lines(journal: &JournalFile) -> Vec<Line> {
        let mut lines = Vec::new();
        journal.read(&Wanted::default(), &mut |line| lines.push(line)).unwrap();
        lines
    }

    fn by(who: &str, address: [u8; 4]) -> By {
        By { way: Way::Taxii, who: Some(who.to_owned()), organisation: None, address: Some(address.into()) }
    }

    #[test]
    fn a_flush_waits_for_what_was_told_before() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let scribe = Scribe::start(Arc::clone(&journal) as _).unwrap();
        for told in 1..50 {
            scribe.note(Event::SignedIn { by: by("amina", [192, 0, 2, 1]) }).unwrap();
            scribe.flush().unwrap();
            assert_eq!(lines(&journal).len(), told);
        }
        scribe.end();
        assert_eq!(scribe.flush(), Err(Ended));
    }

    #[test]
    fn everything_that_was_told_is_written_in_order_by_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let scribe = Scribe::start(Arc::clone(&journal) as _).unwrap();
        // More than the queue holds: whoever tells has to wait in between.
        let count = QUEUE * 2 + 17;
        for number in 0..count {
            scribe.note(Event::SignedIn { by: by(&number.to_string(), [192, 0, 2, 1]) }).unwrap();
        }
        scribe.end();
        assert_eq!(scribe.note(Event::SignedIn { by: by("late", [192, 0, 2, 1]) }), Err(Ended));
        let names: Vec<String> = lines(&journal).iter().map(|line| line.person.kept().unwrap().who.clone()).collect();
        assert_eq!(names, (0..count).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(journal.verify(Some(journal.head().unwrap()), &mut |_, _| {}).unwrap().faults, []);
    }

    #[test]
    fn a_flood_of_refusals_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let mut thread = Thread {
            journal: Arc::clone(&journal) as _,
            items: sync_channel(1).1,
            ending: Arc::default(),
            tallies: HashMap::new(),
            unanchored: None,
            waiting: Vec::new(),
        };
        let mut entries = Vec::new();
        let refused = |who: &str, address| Event::SignInRefused { by: by(who, address), count: 1 };
        for _ in 0..500 {
            thread.take(MINUTE, Told::Event(refused("amina", [192, 0, 2, 1])), &mut entries);
        }
        thread.take(MINUTE + 5, Told::Event(refused("omar", [192, 0, 2, 1])), &mut entries);
        thread.count_up(2 * MINUTE - 1, false, &mut entries);
        assert!(entries.is_empty(), "the minute is not over");
        thread.count_up(2 * MINUTE, false, &mut entries);
        let counts = |entries: &[Entry]| -> Vec<(String, u64)> {
            let count = |entry: &Entry| {
                let body: serde_json::Value = serde_json::from_slice(&entry.matter.body).unwrap();
                body["count"].as_u64().unwrap()
            };
            entries.iter().map(|entry| (entry.person.who.clone(), count(entry))).collect()
        };
        assert_eq!(counts(&entries), [("amina".to_owned(), 500), ("omar".to_owned(), 1)]);
        entries.clear();
        for number in 0..100_000_u32 {
            thread.take(2 * MINUTE, Told::Event(refused("amina", number.to_be_bytes())), &mut entries);
        }
        thread.count_up(3 * MINUTE, false, &mut entries);
        assert_eq!(entries.len(), TALLIES + 1);
        assert_eq!(counts(&entries).iter().map(|(_, count)| count).sum::<u64>(), 100_000);
    }
}
