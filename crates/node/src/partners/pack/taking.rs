//! Reading a package: at first to judge all of it, then to take it in.

use super::Error;
use super::series::{Answer, Receiving, receiving, sending};
use super::spool::Package;
use super::telling::chain;
use crate::import::{self, Counts, Listener, Options, Pages, Refusal};
use crate::intake::Intake;
use crate::partners::provenance::{Incoming, Refused, Sorted, Strictness};
use bytes::Bytes;
use ledger::{Ledger, Micros, Partners};
use partner::key::{KeyId, Keys};
use partner::package::order::Place;
use partner::package::{Header, Item, Limits, Opener, Sender, Whole};
use partner::signed::{self, Unverified};
use partner::trust::Keyring;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What is held in memory between the two readings, in bytes of content; what is more is read twice.
pub const HELD: usize = 64 << 20;
/// Pages that may wait between the two threads.
const WAITING: usize = 2;
/// Statements that are handed on at once.
const MAIL: usize = 1_000;
/// Refusals that are told one by one.
const TOLD: usize = 100;

/// Takes packages in.
#[derive(Clone, Copy)]
pub struct Taker<'a, B> {
    /// The book, with its register and what is kept of partners.
    pub book: &'a B,
    /// Our own keys.
    pub keys: &'a Keys,
    /// Our own card and those of partners.
    pub ring: &'a Keyring,
    /// Our own organisation.
    pub own: &'a str,
    /// The budget of a package.
    pub limits: Limits,
    /// The budget of one object.
    pub object: stix::json::Limits,
    /// What is held in memory between the two readings, in bytes of content: [`HELD`].
    pub hold: usize,
    /// When.
    pub now: Micros,
}

/// A package that is whole, in order, and from whom it says.
#[derive(Debug)]
pub struct Checked {
    /// What it is.
    pub whole: Whole,
    /// How it stands to those before it.
    pub place: Place,
    /// Objects that can be taken in.
    pub sound: u64,
    /// Objects that were here before they came: they are ours, or have passed this node.
    pub known: u64,
    /// Objects and statements that will not be taken, the first of them with their reasons …
    pub refused: Vec<Refused>,
    /// … and all of them counted.
    pub refusals: u64,
    /// All of it, if it is small.
    held: Option<Held>,
}

/// What became of a package.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// What became of its objects.
    pub counts: Counts,
    /// Objects that were here before they came.
    pub known: u64,
    /// Statements that came.
    pub statements: u64,
    /// Of those, how many were refused.
    pub statements_refused: u64,
    /// What was refused, the first of it with reasons; the counts have the whole number.
    pub refused: Vec<Refused>,
    /// Versions that gave way to what their author has sealed.
    pub gave_way: Vec<(String, u64)>,
    /// Packages of ours of which the sender says that they arrived.
    pub answered: Vec<Answer>,
}

/// Takes signed statements that came from an organisation: recalls, receipts, notices. Says how many it refused.
pub type Control<'c> = dyn FnMut(&str, &[(Unverified, Bytes)]) -> Result<u64, Error> + 'c;

/// A package as it was read.
#[derive(Debug, Default)]
struct Held {
    pages: Vec<Sorted>,
    mail: Vec<Bytes>,
    answers: Vec<u8>,
}

/// Something out of a package.
enum Read {
    Page(Vec<Bytes>),
    Mail(Vec<Bytes>),
    Answers(Vec<u8>),
}

/// Whose key a package was signed with, if that counts.
pub(super) fn trust(ring: &Keyring, now: Micros) -> impl Fn(&KeyId) -> Result<Sender, signed::Error> + Sync + '_ {
    move |key| Sender::of(ring, key, now)
}

impl<B: Ledger + Partners> Taker<'_, B> {
    /// Judges a package: signatures, address, time, order, every chunk, every object. Nothing is taken in.
    ///
    /// # Errors
    /// [`Error`]: it cannot be taken in.
    pub fn check(&self, package: &Package, progress: &mut dyn FnMut(u64)) -> Result<Checked, Error> {
        let opener = self.open(package)?;
        let sender = opener.sender().organisation.clone();
        // What was taken before need not be read to its end to be refused.
        self.receiving(&sender)?.memory.judge(opener.header(), None).map_err(partner::package::Error::from)?;
        let incoming = self.incoming(&sender);
        let mut intake = Intake::new();
        intake.limit(self.object);
        let (mut sound, mut known, mut refusals, mut refused) = (0, 0, 0, Vec::new());
        let (mut held, mut bytes) = (Some(Held::default()), 0);
        let whole = read(opener, &mut |item| {
            match &item {
                Read::Page(objects) => bytes += objects.iter().map(Bytes::len).sum::<usize>(),
                Read::Mail(mail) => bytes += mail.iter().map(Bytes::len).sum::<usize>(),
                Read::Answers(answers) => bytes += answers.len(),
            }
            if bytes > self.hold {
                held = None;
            }
            match item {
                Read::Page(objects) => {
                    let sorted = incoming.sort_all(&objects)?;
                    let wrong = sorted
                        .sound
                        .iter()
                        .filter(|sound| sound.brief.is_none())
                        .filter_map(|sound| wrong(&mut intake, &sound.body));
                    let mut told: Vec<Refused> = wrong.collect();
                    sound += (sorted.sound.len() - told.len()) as u64;
                    known += sorted.dropped;
                    told.extend(sorted.refused.iter().cloned());
                    refusals += told.len() as u64;
                    refused.extend(told.into_iter().take(TOLD.saturating_sub(refused.len())));
                    progress(sound);
                    if let Some(held) = &mut held {
                        held.pages.push(sorted);
                    }
                }
                Read::Mail(mail) => {
                    for letter in &mail {
                        if let Err(error) = signed::read(letter) {
                            refusals += 1;
                            let reason = error.to_string();
                            let told = Refused { id: "(no id)".to_owned(), reason };
                            refused.extend(Some(told).filter(|_| refused.len() < TOLD));
                        }
                    }
                    if let Some(held) = &mut held {
                        held.mail.extend(mail);
                    }
                }
                Read::Answers(answers) => {
                    if let Some(held) = &mut held {
                        held.answers = answers;
                    }
                }
            }
            Ok(())
        })?;
        let memory = self.receiving(&sender)?.memory;
        let place = memory.judge(&whole.header, Some(&whole.digest)).map_err(partner::package::Error::from)?;
        Ok(Checked { whole, place, sound, known, refused, refusals, held })
    }

    /// Takes a package in that was judged. It is remembered when all of it is on disk: what is interrupted is begun again, and
    /// what was taken in by then is known.
    ///
    /// # Errors
    /// [`Error`]. What was taken until then is kept.
    pub fn take(
        &self,
        package: &Package,
        checked: Checked,
        options: &Options,
        control: &mut Control<'_>,
        progress: &mut dyn FnMut(Counts),
    ) -> Result<Taken, Error> {
        let Checked { whole, held, .. } = checked;
        let sender = whole.sender.organisation.clone();
        let mut taking = Taking {
            incoming: self.incoming(&sender),
            pages: Pages::new(self.book, options),
            name: &whole.header.id,
            told: Told::default(),
            taken: Taken::default(),
            statements: Vec::new(),
            answers: Vec::new(),
        };
        match held {
            Some(Held { pages, mail, answers }) => {
                for sorted in pages {
                    taking.page(sorted)?;
                    progress(taking.pages.counts());
                }
                taking.mail(mail);
                taking.answers = answers;
            }
            None => {
                let opener = self.open(package)?;
                if opener.header().id != whole.header.id {
                    return Err(changed());
                }
                let again = read(opener, &mut |item| {
                    match item {
                        Read::Page(objects) => {
                            let sorted = taking.incoming.sort_all(&objects)?;
                            taking.page(sorted)?;
                            progress(taking.pages.counts());
                        }
                        Read::Mail(mail) => taking.mail(mail),
                        Read::Answers(answers) => taking.answers = answers,
                    }
                    Ok(())
                })?;
                if again.digest != whole.digest {
                    return Err(changed());
                }
            }
        }
        let Taking { pages, mut told, mut taken, statements, answers, .. } = taking;
        pages.end()?;
        for statements in statements.chunks(MAIL) {
            taken.statements_refused += control(&sender, statements)?;
        }
        taken.statements = statements.len() as u64;
        taken.counts = pages.counts();
        taken.counts.refused += told.count;
        taken.refused = std::mem::take(&mut told.refused);
        taken.gave_way = told.gave_way;
        taken.answered = self.answered(&sender, &answers)?;
        self.remember(&whole, &taken)?;
        Ok(taken)
    }

    fn open<'p>(&self, package: &'p Package) -> Result<Opener<impl std::io::Read + Send + 'p>, Error> {
        let trust = trust(self.ring, self.now);
        Ok(Opener::begin(package.read(), &[self.keys], &trust, &self.limits, self.now)?)
    }

    fn incoming<'i>(&'i self, sender: &'i str) -> Incoming<'i> {
        Incoming {
            book: self.book,
            partners: self.book,
            ring: self.ring,
            from: sender,
            own: self.own,
            strictness: Strictness::Partner,
            limits: self.object,
            now: self.now,
        }
    }

    fn receiving(&self, sender: &str) -> Result<Receiving, Error> {
        receiving(self.book, sender)
    }

    /// The package was taken: it is not taken again, and its sender is told so with the next package the other way.
    fn remember(&self, whole: &Whole, taken: &Taken) -> Result<(), Error> {
        let sender = &whole.sender.organisation;
        let mut receiving = self.receiving(sender)?;
        receiving.memory.took(whole);
        let Header { id, number, answer, .. } = &whole.header;
        if *answer {
            let Counts { added, unchanged, conflicts, refused, .. } = taken.counts;
            receiving.answer(Answer {
                package: id.clone(),
                number: *number,
                taken: added + unchanged + conflicts + taken.known,
                refused,
                at: self.now,
            });
        }
        receiving.keep(self.book, sender)
    }

    /// What the sender says of packages that went to it. Its word counts for those alone.
    fn answered(&self, sender: &str, answers: &[u8]) -> Result<Vec<Answer>, Error> {
        // Nothing but counts hangs on it: what cannot be read says nothing.
        let answers: Vec<Answer> = serde_json::from_slice(answers).unwrap_or_default();
        let mut sending = sending(self.book, sender)?;
        let mut answered = Vec::new();
        for answer in answers {
            let Some(place) = sending.unanswered.iter().position(|open| open.id == answer.package) else { continue };
            let open = sending.unanswered.remove(place);
            if let Some(upto) = open.mail_upto {
                self.book.drop_mail(sender, upto)?;
            }
            answered.push(answer);
        }
        if !answered.is_empty() {
            sending.keep(self.book, sender)?;
        }
        Ok(answered)
    }
}

fn changed() -> Error {
    let message = "it changed while it was read".to_owned();
    partner::package::Error::Form { what: "content", message }.into()
}

/// Reads a package on a thread of its own; `take` is called here with what comes, in order.
fn read<R: std::io::Read + Send>(
    opener: Opener<R>,
    take: &mut dyn FnMut(Read) -> Result<(), Error>,
) -> Result<Whole, Error> {
    let (send, receive): (_, Receiver<Read>) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read_items(opener, &send));
        // When `take` fails, the receiver goes with this closure, and the reader stops at its next message.
        let receive = receive;
        receive.iter().try_for_each(take)?;
        let gone = || Error::Package(partner::package::Error::Io(std::io::Error::other("the reading thread ended")));
        reader.join().map_err(|_| gone())?.map_err(Error::from)
    })
}

fn read_items<R: std::io::Read>(
    mut opener: Opener<R>,
    send: &SyncSender<Read>,
) -> Result<Whole, partner::package::Error> {
    let (mut page, mut ends) = (Vec::new(), Vec::new());
    let mut mail = Vec::new();
    while let Some(item) = opener.next_item()? {
        let full = match item {
            Item::Object(object) => {
                page.extend_from_slice(object);
                ends.push(page.len());
                None
            }
            Item::PageEnd => Some(Read::Page(apart(std::mem::take(&mut page), &std::mem::take(&mut ends)))),
            Item::Mail(letter) => {
                mail.push(Bytes::copy_from_slice(letter));
                (mail.len() >= MAIL).then(|| Read::Mail(std::mem::take(&mut mail)))
            }
            Item::Answers(answers) => Some(Read::Answers(answers.to_vec())),
        };
        if let Some(full) = full
            && send.send(full).is_err()
        {
            return Err(unheard());
        }
    }
    if !mail.is_empty() && send.send(Read::Mail(mail)).is_err() {
        return Err(unheard());
    }
    opener.finish()
}

/// Nobody listens any more, and says why.
fn unheard() -> partner::package::Error {
    std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()
}

/// Objects that lie one behind the other.
fn apart(page: Vec<u8>, ends: &[usize]) -> Vec<Bytes> {
    let page = Bytes::from(page);
    let begins = std::iter::once(0).chain(ends.iter().copied());
    begins.zip(ends).map(|(begin, end)| page.slice(begin..*end)).collect()
}

/// What is wrong with an object, if anything is.
fn wrong(intake: &mut Intake, body: &[u8]) -> Option<Refused> {
    // What is upgraded is judged when it is.
    let findings = match intake.take(body) {
        Ok(_) => return None,
        Err(findings) => findings,
    };
    let finding = findings.into_iter().next()?;
    let id = finding.object.unwrap_or_else(|| "(no id)".to_owned());
    Some(Refused { id, reason: format!("{}: {} [{}]", finding.path, finding.message, finding.clause) })
}

/// A package that is being taken in.
struct Taking<'t> {
    incoming: Incoming<'t>,
    pages: Pages<'t>,
    name: &'t str,
    told: Told,
    taken: Taken,
    statements: Vec<(Unverified, Bytes)>,
    answers: Vec<u8>,
}

impl Taking<'_> {
    fn page(&mut self, sorted: Sorted) -> Result<(), Error> {
        self.pages.take_sound(self.name, &sorted.sound, &self.incoming, &mut self.told)?;
        self.taken.known += sorted.dropped;
        self.told.count += sorted.refused.len() as u64;
        for refused in sorted.refused {
            self.told.keep(refused);
        }
        self.statements.extend(sorted.control);
        Ok(())
    }

    fn mail(&mut self, mail: Vec<Bytes>) {
        for letter in mail {
            match signed::read(&letter) {
                Ok(statement) => self.statements.push((statement, letter)),
                Err(error) => {
                    self.told.count += 1;
                    self.told.keep(Refused { id: "(no id)".to_owned(), reason: error.to_string() });
                }
            }
        }
    }
}

/// What is told while objects are taken in.
#[derive(Default)]
struct Told {
    refused: Vec<Refused>,
    /// Of those that the importer does not count.
    count: u64,
    gave_way: Vec<(String, u64)>,
}

impl Told {
    fn keep(&mut self, refused: Refused) {
        if self.refused.len() < TOLD {
            self.refused.push(refused);
        }
    }
}

impl Listener for Told {
    fn refused(&mut self, refusal: Refusal) {
        let id = refusal.object.unwrap_or_else(|| "(no id)".to_owned());
        self.keep(Refused { id, reason: format!("{}: {} [{}]", refusal.path, refusal.message, refusal.clause) });
    }

    fn unreadable(&mut self, error: import::Error) {
        self.count += 1;
        self.keep(Refused { id: "(no id)".to_owned(), reason: chain(&error) });
    }

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.gave_way.push((object.to_owned(), versions));
    }
}
