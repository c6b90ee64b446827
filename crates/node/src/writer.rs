//! Group commit: one thread appends what all requests under way have handed in, and answers when it is on disk.

use crate::sources::Sources;
use ledger::{Appended, ClassNo, CollectionNo, Dialect, Entry, Ledger, Receipt, Submission, Version};
use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, atomic};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Requests that may wait; more are told to come back.
const QUEUE: usize = 1_024;
/// Objects that one commit takes at most.
const MOST: usize = 50_000;
/// The longest that a commit waits for requests that are about to arrive.
const PATIENCE: Duration = Duration::from_millis(10);

/// An entry that owns what it says.
pub struct OwnedEntry {
    /// See [`Entry`].
    pub collection: CollectionNo,
    /// See [`Entry`].
    pub key: String,
    /// See [`Entry`].
    pub kind: String,
    /// Microseconds, picoseconds, text.
    pub version: Option<(i64, u32, String)>,
    /// See [`Entry`].
    pub dialect: Dialect,
    /// See [`Entry`].
    pub author: Option<String>,
    /// See [`Entry`].
    pub revoked: bool,
    /// See [`Entry`].
    pub class: ClassNo,
    /// See [`Entry`].
    pub references: Vec<String>,
    /// Where the body lies in the request.
    pub body: Range<usize>,
}

/// Makes the status resource out of the answers.
pub type MakeReceipt = Box<dyn Fn(&[Appended]) -> Receipt + Send + Sync>;

/// What one request hands in.
pub struct Work {
    /// The request's bytes.
    pub text: bytes::Bytes,
    /// Its objects.
    pub entries: Vec<OwnedEntry>,
    /// Its status resource.
    pub receipt: Option<MakeReceipt>,
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<Vec<Appended>, Arc<ledger::Error>>>,
}

/// Why nothing was written.
#[derive(Clone, Debug)]
pub enum Refused {
    /// Too many requests wait.
    Busy,
    /// The store could not; nothing of the commit was kept.
    Failed(Arc<ledger::Error>),
    /// The node is ending.
    Ending,
}

/// Figures of the writer, for metrics.
#[derive(Default)]
pub struct Figures {
    /// Commits so far.
    pub commits: atomic::AtomicU64,
    /// Objects in them.
    pub objects: atomic::AtomicU64,
    /// Microseconds spent in them.
    pub micros: atomic::AtomicU64,
    /// Requests that wait now.
    pub waiting: atomic::AtomicU64,
}

/// The way to the thread that writes.
pub struct Writer {
    queue: SyncSender<Job>,
    /// See [`Figures`].
    pub figures: Arc<Figures>,
}

impl Writer {
    /// Starts the thread; it ends when the value is dropped and everything that waits has been answered.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(book: Arc<dyn Ledger>, sources: Sources) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let figures = Arc::new(Figures::default());
        let thread = Thread { book, sources, jobs, figures: Arc::clone(&figures), crowd: 1, took: Duration::ZERO };
        std::thread::Builder::new().name("writer".into()).spawn(move || thread.run())?;
        Ok(Self { queue, figures })
    }

    /// Hands work in and waits until it is on disk.
    ///
    /// # Errors
    /// [`Refused`]: nothing of it was written.
    pub async fn write(&self, work: Work) -> Result<Vec<Appended>, Refused> {
        let (answer, done) = oneshot::channel();
        self.figures.waiting.fetch_add(1, atomic::Ordering::Relaxed);
        self.queue.try_send(Job { work, answer }).map_err(|error| {
            self.figures.waiting.fetch_sub(1, atomic::Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Refused::Busy,
                TrySendError::Disconnected(_) => Refused::Ending,
            }
        })?;
        match done.await {
            Ok(answers) => answers.map_err(Refused::Failed),
            Err(_) => Err(Refused::Ending),
        }
    }
}

struct Thread {
    book: Arc<dyn Ledger>,
    sources: Sources,
    jobs: Receiver<Job>,
    figures: Arc<Figures>,
    /// How many requests the last commit answered or left waiting.
    crowd: usize,
    /// How long the last commit took.
    took: Duration,
}

impl Thread {
    fn run(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let jobs = self.gather(first);
            let begin = Instant::now();
            self.commit(jobs);
            self.took = begin.elapsed();
            self.figures.micros.fetch_add(u64::try_from(self.took.as_micros()).unwrap_or(0), atomic::Ordering::Relaxed);
        }
    }

    /// Clients that were just answered come back at once. Without waiting for them, half of a crowd would miss every
    /// commit and the two halves would take turns; so a commit waits, for at most the time that one takes, until as many
    /// are there as the last one answered or left waiting.
    fn gather(&self, first: Job) -> Vec<Job> {
        let mut objects = first.work.entries.len();
        let mut jobs = vec![first];
        let deadline = Instant::now() + self.took.min(PATIENCE);
        while objects < MOST {
            let job = match self.jobs.try_recv() {
                Ok(job) => Ok(job),
                Err(_) if jobs.len() >= self.crowd => break,
                Err(_) => self.jobs.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            };
            match job {
                Ok(job) => {
                    objects += job.work.entries.len();
                    jobs.push(job);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        jobs
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        let references: Vec<Vec<Vec<&str>>> = jobs.iter().map(|job| references(&job.work)).collect();
        let entries: Vec<Vec<Entry<'_>>> =
            jobs.iter().zip(&references).map(|(job, references)| borrowed(&job.work, references)).collect();
        let submissions: Vec<Submission<'_>> = jobs
            .iter()
            .zip(&entries)
            .map(|(job, entries)| Submission {
                entries,
                receipt: job.work.receipt.as_ref().map(|make| &**make as &(dyn Fn(&[Appended]) -> Receipt + Sync)),
            })
            .collect();
        let done = self.book.append(&submissions, self.sources.now(), &stix::canonical::equivalent);
        drop(submissions);
        let objects: usize = entries.iter().map(Vec::len).sum();
        drop(entries);
        drop(references);
        self.figures.commits.fetch_add(1, atomic::Ordering::Relaxed);
        self.figures.objects.fetch_add(objects as u64, atomic::Ordering::Relaxed);
        // Counted before anybody is answered: who is answered may be back at once.
        let crowd = self.figures.waiting.fetch_sub(jobs.len() as u64, atomic::Ordering::Relaxed);
        self.crowd = usize::try_from(crowd).unwrap_or(QUEUE);
        match done {
            Ok(answers) => {
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // Whoever hung up is not told; what was accepted stays.
                    let _ = job.answer.send(Ok(answer));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for job in jobs {
                    let _ = job.answer.send(Err(Arc::clone(&error)));
                }
            }
        }
    }
}

fn references(work: &Work) -> Vec<Vec<&str>> {
    work.entries.iter().map(|entry| entry.references.iter().map(String::as_str).collect()).collect()
}

fn borrowed<'w>(work: &'w Work, references: &'w [Vec<&str>]) -> Vec<Entry<'w>> {
    work.entries
        .iter()
        .zip(references)
        .map(|(entry, references)| Entry {
            collection: entry.collection,
            key: &entry.key,
            kind: &entry.kind,
            version: entry.version.as_ref().map(|(micros, picos, text)| Version {
                micros: *micros,
                picos: *picos,
                text,
            }),
            dialect: entry.dialect,
            author: entry.author.as_deref(),
            revoked: entry.revoked,
            class: entry.class,
            references,
            body: work.text.get(entry.body.clone()).unwrap_or_default(),
        })
        .collect()
}
