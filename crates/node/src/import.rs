//! Files to the ledger, in bounded memory.
//!
//! One thread reads, splits, upgrades and checks; another appends. What lies between them is a batch of objects,
//! which is durable before it is counted. `all_or_nothing` judges everything before the first append.

mod apart;
mod batch;
pub(crate) mod origin;

use crate::intake::{Classes, Context, Intake, Taken};
use crate::packed::{Budget, Source};
use crate::partners::provenance::{Incoming, Proof, Sound};
use crate::validate_files::placed;
use apart::{Apart, waits};
use batch::Batch;
use ledger::partners::Said;
use ledger::{Appended, Dialect, Entry, Ledger, Submission};
use origin::Origins;
use partner::seal::Verified;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use stix::split::{self, Item, Splitter};
use stix::validate::{Code, Finding};

/// Batches that may wait between the two threads.
const WAITING: usize = 2;
/// Objects of a page from which on two threads check them.
const MANY: usize = 256;
/// Refusals that are handed over together: one by one, each would cost a change of threads.
const TOGETHER: usize = 256;
/// All-or-nothing holds so much in memory; what is more is read twice.
const HELD: usize = 256 << 20;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who imports, where to, for whom.
    pub context: Context,
    /// Keep STIX 2.0 objects as they are, instead of upgrading them.
    pub keep_20: bool,
    /// Take everything or nothing.
    pub all_or_nothing: bool,
    /// How far packed files may unpack.
    pub budget: Budget,
    /// The budget of one object.
    pub limits: stix::json::Limits,
}

/// Why an object, or the rest of a file, was refused.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Refusal {
    /// The file; for an entry of a zip `file!entry`.
    pub file: String,
    /// The object's id, where it has one that can be read.
    pub object: Option<String>,
    /// Where in the file, as a JSON path.
    pub path: String,
    /// The rule.
    pub clause: String,
    /// What is wrong.
    pub message: String,
}

/// What became of the objects.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Counts {
    /// New in the collection.
    pub added: u64,
    /// There already, with the same content.
    pub unchanged: u64,
    /// Not taken, as something is wrong with them.
    pub refused: u64,
    /// Kept aside and served to nobody: they contradict what is there.
    pub conflicts: u64,
    /// How many of the objects were STIX 2.0 and upgraded.
    pub upgraded: u64,
}

/// Why an import could not be done, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A pipe cannot be read twice.
    #[error("standard input has more than 256 MiB, which all-or-nothing cannot hold: write it to a file first")]
    TooMuchToHold,
    /// Between the two readings of all-or-nothing.
    #[error("{file} changed while it was imported: what was taken until then was kept")]
    Changed {
        /// The file.
        file: String,
    },
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// What is told while an import goes on.
pub trait Listener {
    /// Something was refused. One object can be refused for several reasons.
    fn refused(&mut self, refusal: Refusal);
    /// A file could not be read (to its end). Others go on, unless it is all or nothing.
    fn unreadable(&mut self, error: Error);
    /// What has become of everything so far; told whenever more of it is on disk.
    fn counted(&mut self, counts: Counts) {
        let _ = counts;
    }
    /// A version that says that the object is revoked is new here.
    fn revoked(&mut self, object: &str) {
        let _ = object;
    }
    /// So many versions of an object gave way to one that its author sealed: they went by its author's name, without a seal.
    /// To be written down.
    fn gave_way(&mut self, object: &str, versions: u64) {
        let _ = (object, versions);
    }
}

/// Imports files. `read` counts packed bytes as they are consumed.
///
/// # Errors
/// What stops the whole import; a file that cannot be read does not, it is told to the listener.
pub fn run(
    book: &dyn Ledger,
    sources: &[Source],
    options: &Options,
    read: &AtomicU64,
    listener: &mut dyn Listener,
) -> Result<Counts, Error> {
    run_sealed(book, sources, options, None, read, listener)
}

/// The same of files in which there may be seals, or objects of which a seal is asked: `incoming` says what they come to.
///
/// # Errors
/// As [`run`].
pub fn run_sealed(
    book: &dyn Ledger,
    sources: &[Source],
    options: &Options,
    incoming: Option<&Incoming<'_>>,
    read: &AtomicU64,
    listener: &mut dyn Listener,
) -> Result<Counts, Error> {
    if options.all_or_nothing {
        return all_or_nothing(book, sources, options, incoming, read, listener);
    }
    let mut appender = Appender::new(book, options);
    produce(sources, options, incoming, read, |message| appender.receive_from(message, incoming, listener))?;
    appender.end()
}

/// Why an object that is valid is not wanted all the same; `None`: it is.
pub type Unwanted<'u> = &'u (dyn Fn(&Taken<'_>, &Sound) -> Option<String> + Sync);

/// Imports objects that come page by page. A page is durable when [`Pages::take`] returns.
pub struct Pages<'a> {
    appender: Appender<'a>,
    options: &'a Options,
}

impl<'a> Pages<'a> {
    /// Into this ledger. Pages are never all-or-nothing.
    #[must_use]
    pub fn new(book: &'a dyn Ledger, options: &'a Options) -> Self {
        Self { appender: Appender::new(book, options), options }
    }

    /// Takes the objects of one page; `name` is what refusals call it.
    ///
    /// # Errors
    /// The ledger's. What it refused left no trace; the page may be taken again.
    pub fn take<O: AsRef<[u8]> + Sync>(
        &mut self,
        name: &str,
        objects: &[O],
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        let (options, appender) = (self.options, &mut self.appender);
        let work = |producer: &mut Producer<'_>| {
            for (index, object) in objects.iter().enumerate() {
                let place = split::Place { form: split::Form::Envelope, index };
                producer.object(name, &Item { text: object.as_ref(), offset: 0, line: 1, column: 1, place })?;
            }
            producer.flush()
        };
        produce_by(work, options, |message| appender.receive(message, listener))
    }

    /// Takes objects of one page that were sorted, each with what stands behind it. Their seals and what their bringer says of
    /// them are kept before they are; an upgrade, which would break a seal, is not made of what is proven.
    ///
    /// # Errors
    /// The ledger's. The page may be taken again.
    pub fn take_sound(
        &mut self,
        name: &str,
        objects: &[Sound],
        incoming: &Incoming<'_>,
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        self.take_wanted(name, objects, incoming, &|_, _| None, listener)
    }

    /// The same; of what is valid `unwanted` is asked, and what it has a reason against is refused.
    ///
    /// # Errors
    /// The ledger's. The page may be taken again.
    pub fn take_wanted<'u>(
        &'u mut self,
        name: &str,
        objects: &[Sound],
        incoming: &Incoming<'_>,
        unwanted: Unwanted<'u>,
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        let (options, appender): (&'u Options, _) = (self.options, &mut self.appender);
        let work = |producer: &mut Producer<'u>, from: usize, objects: &[Sound]| {
            producer.unwanted = Some(unwanted);
            for (index, sound) in (from..).zip(objects) {
                let place = split::Place { form: split::Form::Envelope, index };
                let item = Item { text: &sound.body, offset: 0, line: 1, column: 1, place };
                producer.sound(name, &item, Some(sound))?;
            }
            producer.flush()
        };
        // Of many each half is checked on a thread of its own; what is good of both is kept in one commit.
        let half = if objects.len() < MANY { objects.len() } else { objects.len() / 2 };
        let (one, two) = objects.split_at(half);
        std::thread::scope(|scope| {
            let parts = [(0, one), (half, two)].map(|(from, part)| {
                let (send, receive): (_, Receiver<Message>) = sync_channel(WAITING);
                if !part.is_empty() {
                    scope.spawn(move || work(&mut Producer::new(options, send), from, part));
                }
                receive
            });
            let mut batches = Vec::new();
            for message in parts.into_iter().flatten() {
                match message {
                    Message::Batch(batch) if batches.len() < WAITING => batches.push(*batch),
                    Message::Batch(batch) => {
                        batches.push(*batch);
                        appender.append(&std::mem::take(&mut batches), Some(incoming), listener)?;
                    }
                    other => appender.receive_from(other, Some(incoming), listener)?,
                }
            }
            appender.append(&batches, Some(incoming), listener)?;
            listener.counted(appender.counts);
            Ok(())
        })
    }

    /// Who brings the objects in.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.options.context
    }

    /// What became of everything so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.appender.counts
    }

    /// The last page was taken.
    ///
    /// # Errors
    /// The ledger's. What was taken is kept all the same.
    pub fn end(&self) -> Result<Counts, Error> {
        self.appender.end()
    }
}

fn all_or_nothing(
    book: &dyn Ledger,
    sources: &[Source],
    options: &Options,
    incoming: Option<&Incoming<'_>>,
    read: &AtomicU64,
    listener: &mut dyn Listener,
) -> Result<Counts, Error> {
    let mut held = Some((Vec::new(), 0));
    let mut refused = 0;
    let mut unreadable = false;
    produce(sources, options, incoming, read, |message| {
        match message {
            Message::Failed(error) => return Err(error.into()),
            Message::Batch(batch) => {
                if let Some((batches, bytes)) = &mut held {
                    *bytes += batch.bytes();
                    batches.push(*batch);
                    if *bytes > HELD {
                        held = None;
                    }
                }
            }
            Message::Refused { refusals, objects } => {
                refused += objects;
                refusals.into_iter().for_each(|refusal| listener.refused(refusal));
            }
            Message::Unreadable(error) => {
                unreadable = true;
                listener.unreadable(error);
            }
        }
        Ok(())
    })?;
    let mut appender = Appender::new(book, options);
    appender.counts.refused = refused;
    if refused > 0 || unreadable {
        return Ok(appender.counts);
    }
    match held {
        Some((batches, _)) => appender.append(&batches, incoming, listener)?,
        None if sources.contains(&Source::Stdin) => return Err(Error::TooMuchToHold),
        None => produce(sources, options, incoming, read, |message| match message {
            Message::Batch(batch) => Ok(appender.append(&[*batch], incoming, listener)?),
            Message::Failed(error) => Err(error.into()),
            Message::Refused { refusals, .. } => {
                let file = refusals.into_iter().next().map(|refusal| refusal.file).unwrap_or_default();
                Err(Error::Changed { file })
            }
            Message::Unreadable(error) => Err(error),
        })?,
    }
    appender.end()
}

/// What the reading thread hands over.
enum Message {
    Batch(Box<Batch>),
    Refused {
        refusals: Vec<Refusal>,
        objects: u64,
    },
    Unreadable(Error),
    /// The ledger could not say what seals come to.
    Failed(ledger::Error),
}

/// Reads and checks on a thread of its own; `take` is called here with what comes, in order.
fn produce<'a>(
    sources: &[Source],
    options: &'a Options,
    incoming: Option<&'a Incoming<'a>>,
    read: &AtomicU64,
    take: impl FnMut(Message) -> Result<(), Error>,
) -> Result<(), Error> {
    let work = |producer: &mut Producer<'a>| {
        producer.apart = incoming.map(Apart::new);
        producer.run(sources, read)
    };
    produce_by(work, options, take)
}

fn produce_by<'a>(
    work: impl FnOnce(&mut Producer<'a>) -> Result<(), Gone> + Send,
    options: &'a Options,
    mut take: impl FnMut(Message) -> Result<(), Error>,
) -> Result<(), Error> {
    let (send, receive): (_, Receiver<Message>) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        // When a message cannot be sent, nobody wants it.
        scope.spawn(move || work(&mut Producer::new(options, send)));
        // When `take` fails, the receiver goes with this closure, and the producer stops at its next message.
        let receive = receive;
        receive.iter().try_for_each(&mut take)
    })
}

struct Producer<'a> {
    options: &'a Options,
    send: SyncSender<Message>,
    intake: Intake,
    batch: Batch,
    refusals: Vec<Refusal>,
    /// Objects that they refuse.
    refused: u64,
    /// What of the document waits until all its seals are known.
    apart: Option<Apart<'a>>,
    /// Says what of the sorted is not wanted.
    unwanted: Option<Unwanted<'a>>,
}

/// Nobody listens any more.
struct Gone;

impl<'a> Producer<'a> {
    fn new(options: &'a Options, send: SyncSender<Message>) -> Self {
        let mut intake = Intake::new();
        intake.limit(options.limits);
        Self {
            options,
            send,
            intake,
            batch: Batch::default(),
            refusals: Vec::new(),
            refused: 0,
            apart: None,
            unwanted: None,
        }
    }

    fn run(&mut self, sources: &[Source], read: &AtomicU64) -> Result<(), Gone> {
        for source in sources {
            self.source(source, read)?;
        }
        self.flush()
    }

    fn source(&mut self, source: &Source, read: &AtomicU64) -> Result<(), Gone> {
        let mut gone = false;
        let outcome = source.each(&self.options.budget, read, &mut |name, reader| {
            self.document(name, reader).map_err(|stop| match stop {
                Stop::Gone => {
                    gone = true;
                    io::ErrorKind::BrokenPipe.into()
                }
                Stop::Io(error) => error,
            })
        });
        match outcome {
            _ if gone => Err(Gone),
            Ok(()) => self.tell_refused(),
            // A zip whose table of contents is broken.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.refuse_rest(&source.name(), "", error.to_string())
            }
            Err(error) => {
                self.tell_refused()?;
                self.tell(Message::Unreadable(Error::Read { file: source.name(), source: error }))
            }
        }
    }

    /// One document: a bundle, an envelope, a list, an object, or JSON lines.
    fn document(&mut self, name: &str, reader: &mut dyn io::Read) -> Result<(), Stop> {
        let mut splitter = Splitter::new(reader, self.options.limits);
        loop {
            match splitter.next_item() {
                Ok(Some(item)) => self.object(name, &item)?,
                Ok(None) => return Ok(self.bring_back(name)?),
                // Broken packing and exceeded budgets are the file's fault, not the disk's.
                Err(split::Error::Read(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.bring_back(name)?;
                    return Ok(self.refuse_rest(name, "", error.to_string())?);
                }
                Err(split::Error::Read(error)) => return Err(Stop::Io(error)),
                Err(split::Error::Document(fault)) => {
                    self.bring_back(name)?;
                    return Ok(self.refuse_rest(name, Code::Json.clause(), fault.to_string())?);
                }
            }
        }
    }

    fn object(&mut self, file: &str, item: &Item<'_>) -> Result<(), Gone> {
        self.sound(file, item, None)
    }

    fn sound(&mut self, file: &str, item: &Item<'_>, sound: Option<&Sound>) -> Result<(), Gone> {
        let proven = sound.is_some_and(|sound| matches!(sound.backing.proof, Proof::Verified(_)));
        let keep = self.options.keep_20 || proven;
        // What was looked at with its page needs no second look.
        let brief = sound.and_then(|sound| sound.brief.as_ref()?.on(item.text));
        let taken = brief.map_or_else(|| self.intake.take(item.text), Ok);
        if let (Some(unwanted), Some(sound), Ok(taken)) = (self.unwanted, sound, &taken)
            && let Some(message) = unwanted(taken, sound)
        {
            let (object, clause) = (Some(taken.head.id.to_string()), String::new());
            let refusal = Refusal { file: file.to_owned(), object, path: item.place.to_string(), clause, message };
            return self.refused([refusal]);
        }
        let refused = match taken {
            Ok(taken) if sound.is_none() && waits(&mut self.apart, &taken, item, &self.options.context) => {
                let full = self.apart.as_ref().is_some_and(Apart::is_full);
                return if full { self.bring_back(file) } else { Ok(()) };
            }
            Ok(taken) if taken.dialect == Dialect::Stix20 && !keep => return self.upgrade(file, item, sound),
            Ok(taken) => {
                self.batch.push(&taken, &self.options.context, sound, false);
                return self.flush_if_full();
            }
            Err(findings) => findings,
        };
        self.refuse(file, item, refused)
    }

    /// Takes in what waited for the seals of the document.
    fn bring_back(&mut self, file: &str) -> Result<(), Gone> {
        let Some(apart) = self.apart.as_mut().filter(|apart| !apart.is_empty()) else { return Ok(()) };
        let (places, sorted) = match apart.sort() {
            Ok(sorted) => sorted,
            Err(error) => return self.tell(Message::Failed(error)),
        };
        for sound in &sorted.sound {
            let place = places.of(&sound.body);
            self.sound(file, &Item { text: &sound.body, offset: 0, line: 1, column: 1, place }, Some(sound))?;
        }
        for refused in sorted.refused {
            let (object, clause) = (Some(refused.id), String::new());
            let refusal =
                Refusal { file: file.to_owned(), object, path: "$".to_owned(), clause, message: refused.reason };
            self.refused([refusal])?;
        }
        Ok(())
    }

    /// STIX 2.0 becomes 2.1, and what it became is judged in turn.
    fn upgrade(&mut self, file: &str, item: &Item<'_>, sound: Option<&Sound>) -> Result<(), Gone> {
        let upgraded = match stix::upgrade::object(item.text) {
            Ok(upgraded) => upgraded,
            Err(error) => {
                let (object, clause) = (None, String::new());
                let message = format!("cannot be upgraded to STIX 2.1: {error}");
                let refusal = Refusal { file: file.to_owned(), object, path: item.place.to_string(), clause, message };
                return self.refused([refusal]);
            }
        };
        let mut accepted = Vec::with_capacity(upgraded.objects.len());
        for object in &upgraded.objects {
            match self.intake.take(object) {
                Ok(taken) => accepted.push(taken),
                Err(mut findings) => {
                    for finding in &mut findings {
                        finding.message.insert_str(0, "upgraded to STIX 2.1: ");
                    }
                    return self.refuse(file, item, findings);
                }
            }
        }
        for taken in &accepted {
            self.batch.push(taken, &self.options.context, sound, true);
        }
        self.flush_if_full()
    }

    fn refuse(&mut self, file: &str, item: &Item<'_>, findings: Vec<Finding>) -> Result<(), Gone> {
        let refusal = |finding: Finding| Refusal {
            file: file.to_owned(),
            object: finding.object,
            path: placed(&item.place, &finding.path),
            clause: finding.clause.to_owned(),
            message: finding.fault.map_or(finding.message, |error| item.fault(error).to_string()),
        };
        self.refused(findings.into_iter().map(refusal))
    }

    /// One object is refused, for these reasons.
    fn refused(&mut self, refusals: impl IntoIterator<Item = Refusal>) -> Result<(), Gone> {
        self.refusals.extend(refusals);
        self.refused += 1;
        if self.refused >= TOGETHER as u64 || self.refusals.len() >= TOGETHER { self.tell_refused() } else { Ok(()) }
    }

    fn tell_refused(&mut self) -> Result<(), Gone> {
        let (refusals, objects) = (std::mem::take(&mut self.refusals), std::mem::take(&mut self.refused));
        if objects == 0 { Ok(()) } else { self.tell(Message::Refused { refusals, objects }) }
    }

    /// The rest of a document cannot be read; what came before it stands.
    fn refuse_rest(&mut self, file: &str, clause: &str, message: String) -> Result<(), Gone> {
        let (path, clause) = ("$".to_owned(), clause.to_owned());
        self.refused([Refusal { file: file.to_owned(), object: None, path, clause, message }])
    }

    fn flush_if_full(&mut self) -> Result<(), Gone> {
        if self.batch.is_full() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Gone> {
        self.tell_refused()?;
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.tell(Message::Batch(Box::new(batch)))
    }

    fn tell(&self, message: Message) -> Result<(), Gone> {
        self.send.send(message).map_err(|_| Gone)
    }
}

/// Why a document is not read on.
enum Stop {
    Gone,
    Io(io::Error),
}

impl From<Gone> for Stop {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// Puts batches into the ledger and counts what became of them.
struct Appender<'a> {
    book: &'a dyn Ledger,
    context: &'a Context,
    classes: Classes,
    counts: Counts,
}

impl<'a> Appender<'a> {
    fn new(book: &'a dyn Ledger, options: &'a Options) -> Self {
        Self { book, context: &options.context, classes: Classes::default(), counts: Counts::default() }
    }

    /// Appends what was accepted, and tells of the rest.
    fn receive(&mut self, message: Message, listener: &mut dyn Listener) -> Result<(), Error> {
        self.receive_from(message, None, listener)
    }

    /// The same, of objects whose origin is known.
    fn receive_from(
        &mut self,
        message: Message,
        incoming: Option<&Incoming<'_>>,
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        match message {
            Message::Batch(batch) => self.append(&[*batch], incoming, listener)?,
            Message::Refused { refusals, objects } => {
                self.counts.refused += objects;
                refusals.into_iter().for_each(|refusal| listener.refused(refusal));
            }
            Message::Unreadable(error) => listener.unreadable(error),
            Message::Failed(error) => return Err(error.into()),
        }
        listener.counted(self.counts);
        Ok(())
    }

    /// Covers what referred to something that came after it.
    fn end(&self) -> Result<Counts, Error> {
        if self.counts.added > 0 {
            self.book.settle(self.context.collection, &crate::intake::references)?;
        }
        Ok(self.counts)
    }

    /// Appends batches in one durable commit.
    fn append(
        &mut self,
        batches: &[Batch],
        incoming: Option<&Incoming<'_>>,
        listener: &mut dyn Listener,
    ) -> Result<(), Error> {
        let references: Vec<Vec<&str>> = batches.iter().map(Batch::references).collect();
        let mut entries = Vec::new();
        for (batch, references) in batches.iter().zip(&references) {
            entries.extend(batch.entries(references, self.book, &self.classes, self.context.collection)?);
        }
        if entries.is_empty() {
            return Ok(());
        }
        let submission = Submission { entries: &entries, receipt: None };
        let now = incoming.map_or_else(crate::clock::now, |incoming| incoming.now);
        let answers = match incoming {
            None => self.book.append(&[submission], now, &stix::equivalent)?,
            Some(incoming) => {
                let origins = || batches.iter().map(Batch::origins);
                let seals: Vec<_> = origins().flat_map(Origins::seals).collect();
                let owner = &*self.context.owner;
                let statements: Vec<_> = origins().flat_map(|of| of.statements(incoming, owner)).collect();
                let said = Said { seals: &seals, statements: &statements };
                let answers = incoming.partners.append_said(&[submission], &said, now, &stix::equivalent)?;
                origins().try_for_each(|of| of.renew(incoming))?;
                answers
            }
        };
        let mut answers = answers.into_iter().flatten();
        let mut entries = entries.iter();
        for batch in batches {
            for (object, (entry, answer)) in (0..batch.len()).zip(entries.by_ref().zip(answers.by_ref())) {
                let answer = match incoming.zip(batch.origins().proof(object)) {
                    Some((incoming, proof)) => self.prevail(incoming, (entry, answer), proof, listener)?,
                    None => answer,
                };
                match answer {
                    Appended::Added(_) => {
                        self.counts.added += 1;
                        if entry.revoked {
                            listener.revoked(entry.key);
                        }
                    }
                    Appended::Unchanged(_) => self.counts.unchanged += 1,
                    Appended::Conflict(_) | Appended::Quarantined(_) => self.counts.conflicts += 1,
                }
            }
        }
        self.counts.upgraded += batches.iter().map(Batch::upgraded).sum::<u64>();
        Ok(())
    }

    /// What its author sealed and what was kept aside prevails over what only goes by the author's name.
    fn prevail(
        &self,
        incoming: &Incoming<'_>,
        (entry, answer): (&Entry<'_>, Appended),
        proof: &Verified,
        listener: &mut dyn Listener,
    ) -> Result<Appended, Error> {
        if matches!(answer, Appended::Added(_) | Appended::Unchanged(_)) {
            return Ok(answer);
        }
        let now = incoming.now;
        let given_way = origin::give_way(incoming, self.context.collection, entry, proof, now)?;
        if given_way == 0 {
            return Ok(answer);
        }
        listener.gave_way(entry.key, given_way);
        let submission = Submission { entries: std::slice::from_ref(entry), receipt: None };
        let answers = self.book.append(&[submission], now, &stix::equivalent)?;
        Ok(answers.into_iter().flatten().next().unwrap_or(answer))
    }
}
