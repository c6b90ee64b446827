//! Sorting a page that came from a partner, or that a member brings in: what is proven, what is not, what is refused.

use super::looks::{Looked, Looks, Object};
use super::sketch::Sketch;
use super::verdicts::{Page, Verdict};
use super::{Backing, Proof, Waiting, mark, shown};
use crate::intake::Brief;
use crate::partners::recalls::judge::{self as recalls, Coming};
use bytes::Bytes;
use ledger::{Ledger, Mark, Micros, Partners};
use partner::envelope::{self, LONGEST_PATH};
use partner::recall::{Act, Recall};
use partner::seal::{self, Content, Verified};
use partner::signed::{self, Kind, Unverified};
use partner::trust::Keyring;
use policy::{Author, Class, Handling};
use std::sync::Arc;
use stix::json::{Limits, Tape};

/// Versions of an object that a seal which came late is tried for.
const MOST_VERSIONS: usize = 64;

/// What becomes of an object whose author has a pinned card, and which carries no seal of that author.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Strictness {
    /// It came from a partner: it waits for its seal, and is refused if none comes.
    Partner,
    /// A member of ours brings it in: it is kept as a stranger's.
    Member,
}

/// Objects on their way in.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The book.
    pub book: &'a dyn Ledger,
    /// Where seals and recalls are kept.
    pub partners: &'a dyn Partners,
    /// Our own card and those of partners.
    pub ring: &'a Keyring,
    /// The organisation that brings them.
    pub from: &'a str,
    /// Our own organisation.
    pub own: &'a str,
    /// What becomes of the unproven.
    pub strictness: Strictness,
    /// The budget of one object.
    pub limits: Limits,
    /// When.
    pub now: Micros,
}

/// An object that may be taken in, if it is valid.
#[derive(Debug)]
pub struct Sound {
    /// Its bytes.
    pub body: Bytes,
    /// Their mark.
    pub mark: Mark,
    /// What stands behind it.
    pub backing: Backing,
    /// What intake has taken of it already; `None`: it is to be checked.
    pub brief: Option<Box<Brief>>,
    /// The nodes that it passed, oldest first; the last is the one from which it came here.
    pub path: Arc<[String]>,
    /// How far its source is to be relied upon, as the bringer says: A to F.
    pub reliability: Option<char>,
    /// How far it is to be believed, as the bringer says: 1 to 6.
    pub credibility: Option<u8>,
    /// How sure its author is: 0 to 100.
    pub confidence: Option<u8>,
    /// Its seal as it came, alone or on a sheet: verified if the backing says so, and else one that nobody here can verify.
    pub seal: Option<Bytes>,
}

/// What was refused, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The object's id, as it says.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// A page, sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    /// What may be taken in.
    pub sound: Vec<Sound>,
    /// Recalls, receipts and notices of groups, not verified, each as it came.
    pub control: Vec<(Unverified, Bytes)>,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// Objects that were here before they came: they passed this node, or are our own and known.
    pub dropped: u64,
    /// Their ids.
    pub known: Vec<String>,
    /// Some were refused for their date alone, and will not be from then on.
    pub again: Option<Micros>,
}

/// An object that was read so far.
pub(super) struct Read {
    body: Bytes,
    pub(super) object: Box<Object>,
    pub(super) author: Whose,
    /// What recalls that do not keep it out have set beside its markings.
    narrowing: Narrowing,
    /// Whether there are recalls that have not been looked at.
    recalled: bool,
}

impl Read {
    /// Its id, as it says; empty: it says none.
    pub(super) fn id(&self) -> &str {
        self.object.content.as_ref().map_or("", Content::id)
    }

    /// Its version, as it says.
    pub(super) fn version(&self) -> Option<&str> {
        self.object.content.as_ref().and_then(Content::version)
    }
}

#[derive(Clone, Default)]
struct Narrowing {
    marking: Option<String>,
    handling: Handling,
}

/// Whose an object says that it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Whose {
    /// Nobody's.
    Nobodys,
    /// An organisation's of which no card is pinned.
    Strangers,
    /// Of an organisation with a pinned card; `None`: two cards name the identity.
    Carded(Option<Arc<str>>),
    /// Our own.
    Ours,
}

impl Incoming<'_> {
    /// Sorts a page of objects, in any order; what waited for it comes first. What goes on waiting is in `waiting`.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn sort(&self, objects: &[Bytes], waiting: &mut Waiting) -> ledger::Result<Sorted> {
        self.sort_looked(Looks::of(objects.to_vec(), &self.limits), waiting)
    }

    /// The same of what was looked at before.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn sort_looked(&self, looks: Looks, waiting: &mut Waiting) -> ledger::Result<Sorted> {
        let mut sorted = Sorted::default();
        let mut page = Page { path: self.path_of_bringer(), ..Page::default() };
        let mut came = Vec::with_capacity(looks.len());
        page.seals = waiting.seals.take();
        let waited = Looks::of(waiting.objects.take(), &self.limits);
        sorted.refused.extend(looks.refused);
        // Most objects of a page have one author.
        let mut author_before: Option<(String, Whose)> = None;
        for (body, looked) in waited.looked.into_iter().chain(looks.looked) {
            match looked {
                Looked::Statement(kind, Ok(statement)) => {
                    self.statement(kind, *statement, &body, &mut page, &mut sorted);
                }
                Looked::Statement(_, Err((id, error))) => sorted.refused.push(refused(&id, &error.to_string())),
                Looked::Sheet(_) => {}
                Looked::Object(object) => {
                    let author = match (&object.sketch.created_by_ref, &author_before) {
                        (Some(identity), Some((before, whose))) if identity == before => whose.clone(),
                        (identity, _) => {
                            let whose = self.whose(identity.as_deref());
                            author_before = identity.clone().map(|identity| (identity, whose.clone()));
                            whose
                        }
                    };
                    came.push(Read { body, object, author, narrowing: Narrowing::default(), recalled: false });
                }
            }
        }
        let came = self.in_time(came, &mut sorted);
        let came = self.not_recalled(came, &mut sorted)?;
        let (verdicts, unmet) = self.verdicts(&came, &page)?;
        sorted.sound.reserve(came.len());
        for (read, verdict) in came.into_iter().zip(verdicts) {
            let id = read.object.content.clone();
            let id = || id.as_ref().map_or("", Content::id);
            match self.judge(read, verdict, &page)? {
                Ok(sound) => sorted.sound.push(sound),
                Err(Not::Refused(reason)) => sorted.refused.push(refused(id(), &reason)),
                Err(Not::Known) => {
                    sorted.dropped += 1;
                    sorted.known.push(id().to_owned());
                }
                Err(Not::Proven(body)) => {
                    let length = body.len();
                    if waiting.objects.put(body, length).is_some() {
                        let reason = "no seal of its author came with it, and too many others wait for theirs";
                        sorted.refused.push(refused(id(), reason));
                    }
                }
            }
        }
        // What spoke of nothing on this page waits for the next.
        for seal in unmet {
            let length = seal.1.len();
            waiting.seals.put(seal, length);
        }
        Ok(sorted)
    }

    /// Sorts objects to which nothing comes any more.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn sort_all(&self, objects: &[Bytes]) -> ledger::Result<Sorted> {
        let mut waiting = Waiting::default();
        let mut sorted = self.sort(objects, &mut waiting)?;
        sorted.refused.extend(self.give_up(&mut waiting));
        Ok(sorted)
    }

    /// Keeps the seals that came behind objects which were taken without one, as they name no author or one whose card is not
    /// known: others may want them. Nothing else changes. Returns how many.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn keep_late_seals(&self, waiting: &mut Waiting) -> ledger::Result<u64> {
        let mut kept: Vec<(Mark, Bytes)> = Vec::new();
        for seal in waiting.seals.take() {
            let Some(object) = seal.0.object_ref() else { continue };
            let mut bodies: Vec<Vec<u8>> = Vec::new();
            self.book.look(&mut |shelf| {
                // A failure is noted by the book and fails the whole look.
                let _ = shelf.versions(object, &mut |met| {
                    bodies.push(met.body.to_vec());
                    bodies.len() < MOST_VERSIONS
                });
            })?;
            for body in bodies {
                let author = stix::head::created_by_of(&body);
                let of_signer = |by: &Verified| match self.whose(author.as_deref()) {
                    Whose::Carded(Some(author)) => same(&author, by.organisation()),
                    Whose::Ours => same(self.own, by.organisation()),
                    Whose::Nobodys => true,
                    Whose::Carded(None) | Whose::Strangers => false,
                };
                match seal::verify(&body, &seal.0, self.ring, self.now, &self.limits) {
                    Ok(by) if of_signer(&by) => kept.push((mark::of(&body), seal.1.clone())),
                    Err(signed::Error::Key(_)) => kept.push((mark::unproven(&body), seal.1.clone())),
                    Ok(_) | Err(_) => {}
                }
            }
        }
        let seals: Vec<(Mark, &[u8])> = kept.iter().map(|(mark, seal)| (*mark, &**seal)).collect();
        self.partners.put_seals(&seals)?;
        let count = seals.len() as u64;
        self.renew_seals(seals)?;
        Ok(count)
    }

    /// Keeps seals that were looked at in place of those whose keys count no more. Of those whose keys are not known here, and
    /// of those that hold, the first stays.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(crate) fn renew_seals(&self, mut new: Vec<(Mark, &[u8])>) -> ledger::Result<()> {
        let marks: Vec<Mark> = new.iter().map(|(mark, _)| *mark).collect();
        if marks.is_empty() {
            return Ok(());
        }
        let mut kept = self.partners.seals(&marks)?.into_iter();
        // Many may have one text.
        let mut before: Option<(Vec<u8>, bool)> = None;
        new.retain(|(_, new)| {
            let Some(kept) = kept.next().flatten().filter(|kept| kept != new) else { return false };
            let lapsed = match before.take() {
                Some((text, lapsed)) if text == kept => lapsed,
                _ => matches!(seal::holds(&kept, self.ring, self.now), Err(signed::Error::Lapsed { .. })),
            };
            before = Some((kept, lapsed));
            lapsed
        });
        let mut before: Option<(&[u8], bool)> = None;
        new.retain(|(_, new)| {
            let holds = match before {
                Some((text, holds)) if std::ptr::eq(text, *new) => holds,
                _ => seal::holds(new, self.ring, self.now).is_ok(),
            };
            before = Some((new, holds));
            holds
        });
        self.partners.renew_seals(&new)
    }

    /// The round is over: what still waits is refused.
    pub fn give_up(&self, waiting: &mut Waiting) -> Vec<Refused> {
        let mut tape = Tape::new();
        let refused = |body: Bytes| {
            let value = tape.parse(&body, &self.limits).ok();
            let id = value.and_then(|value| value.get("id")).and_then(|id| id.as_str()).unwrap_or_default();
            refused(&id, "no seal of its author came with it")
        };
        waiting.objects.take().into_iter().map(refused).collect()
    }

    /// A statement of the page.
    fn statement(&self, kind: Kind, statement: Unverified, body: &Bytes, page: &mut Page, sorted: &mut Sorted) {
        match kind {
            Kind::Seal => page.seals.push(Arc::new((statement, body.clone()))),
            Kind::Envelope => {
                if let Err(error) = self.envelope(&statement, page) {
                    sorted.refused.push(refused(&statement.id, &error));
                }
            }
            // Sheets are no statements to be read alone.
            Kind::Seals => {}
            Kind::Recall | Kind::Receipt | Kind::Group => sorted.control.push((statement, body.clone())),
        }
    }

    /// An envelope speaks for the node that signed it: the one that brings the page, or, where that signs nothing, whichever
    /// left it there.
    fn envelope(&self, statement: &Unverified, page: &mut Page) -> Result<(), String> {
        let signer = statement.verify(self.ring, self.now).map_err(|error| error.to_string())?;
        if self.ring.card(self.from).is_some() && !same(signer.organisation, self.from) {
            return Err(format!("it is signed by `{}`, who does not bring this page", shown(signer.organisation)));
        }
        let node = signer.card.node();
        for said in envelope::read(statement).map_err(|error| error.to_string())? {
            page.said.entry(said.digest).or_insert_with(|| (said, node.to_owned()));
        }
        Ok(())
    }

    /// Whether records of a class are our own organisation's, made by it.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(crate) fn is_ours(&self, class: ledger::ClassNo) -> ledger::Result<bool> {
        let definition = self.book.class_definition(class)?;
        let class = definition.and_then(|bytes| Class::from_definition(&bytes));
        // What is not understood may be.
        Ok(class.is_none_or(|class| same(&class.owner, self.own) && class.author == Author::Owner))
    }

    fn whose(&self, identity: Option<&str>) -> Whose {
        let Some(identity) = identity else { return Whose::Nobodys };
        let lower = identity.to_ascii_lowercase();
        if self.ring.own().is_some_and(|card| card.identities.contains(&lower)) {
            return Whose::Ours;
        }
        match self.ring.organisation_of(&lower) {
            Some(organisation) => Whose::Carded(Some(organisation.into())),
            None if self.ring.knows(&lower) => Whose::Carded(None),
            None => Whose::Strangers,
        }
    }

    /// Those that are not dated beyond what clocks differ.
    fn in_time(&self, came: Vec<Read>, sorted: &mut Sorted) -> Vec<Read> {
        let ahead = super::super::quota::Limits::default().ahead;
        let timely = |read: &Read| {
            let Sketch { created, modified, .. } = read.object.sketch;
            super::super::quota::in_time(created, modified, ahead, self.now)
        };
        if came.iter().all(|read| timely(read).is_ok()) {
            return came;
        }
        let mut in_time = Vec::with_capacity(came.len());
        for read in came {
            match timely(&read) {
                Ok(()) => in_time.push(read),
                Err(refusal) => {
                    let until =
                        refusal.until().filter(|until| *until <= self.now.saturating_add(super::super::quota::DAY));
                    sorted.again = [sorted.again, until].into_iter().flatten().min();
                    sorted.refused.push(refused(read.id(), &refusal.to_string()));
                }
            }
        }
        in_time
    }

    /// Those that no recall keeps out. Of what names no author that is known when the seals have been looked at.
    fn not_recalled(&self, came: Vec<Read>, sorted: &mut Sorted) -> ledger::Result<Vec<Read>> {
        let ids: Vec<&str> = came.iter().map(Read::id).collect();
        // What we took back from others is ours to bring in again.
        if ids.is_empty() || same(self.from, self.own) {
            return Ok(came);
        }
        let any = self.partners.any_recalled(&ids)?;
        if !any.contains(&true) {
            return Ok(came);
        }
        let mut kept = Vec::with_capacity(came.len());
        for (mut read, any) in came.into_iter().zip(any) {
            let author = match &read.author {
                Whose::Carded(Some(author)) => Some(author.to_string()),
                Whose::Ours => Some(self.own.to_owned()),
                Whose::Carded(None) | Whose::Strangers | Whose::Nobodys => None,
            };
            read.recalled = any && read.author == Whose::Nobodys;
            let mut narrowing = Narrowing::default();
            let recalled = match any && !read.recalled {
                true => self.recalled(&read, author.as_deref(), &mut narrowing)?,
                false => None,
            };
            read.narrowing = narrowing;
            match recalled {
                Some(reason) => sorted.refused.push(refused(read.id(), &reason)),
                None => kept.push(read),
            }
        }
        Ok(kept)
    }

    /// Why recalls keep an object out. Those that only narrow it are noted.
    fn recalled(&self, read: &Read, author: Option<&str>, narrowing: &mut Narrowing) -> ledger::Result<Option<String>> {
        let (version, from) = (read.version(), self.from);
        let coming = Coming { version, is_revoked: read.object.sketch.revoked, author, from };
        let carded = |organisation: &str| same(organisation, self.own) || self.ring.card(organisation).is_some();
        for kept in self.partners.recalls_of(read.id())? {
            let statement = signed::read(&kept.body).ok();
            // Its key counted when it was taken in: that it has expired since takes nothing from it. Of some the signer was
            // not known then: they are proven here or not at all.
            let signer = statement.as_ref().and_then(|said| said.verify(self.ring, kept.at).ok());
            let by = signer.map_or(kept.from.as_deref().unwrap_or(self.own), |signer| signer.organisation);
            if !recalls::speaks_for(by, coming, &carded) {
                continue;
            }
            let Some(recall) = statement.as_ref().and_then(|said| Recall::read(said).ok()) else {
                return Ok(Some(format!("recalled by {}, in words that are not understood", shown(by))));
            };
            if recalls::keeps_out(&recall, by, coming) {
                return Ok(Some(format!("recalled by {} at {}", shown(by), shown(&recall.at))));
            }
            if recall.act != Act::Narrow || !recalls::means(&recall, version) {
                continue;
            }
            let handling = recall.handling.map(serde_json::from_value::<Handling>).transpose();
            let Ok(handling) = handling else {
                return Ok(Some(format!("narrowed by {}, in words that are not understood", shown(by))));
            };
            narrowing.handling = narrowing.handling.and(&handling.unwrap_or_default());
            narrowing.marking = stricter(narrowing.marking.take(), recall.tlp);
        }
        Ok(None)
    }

    /// The nodes that what the bringer says nothing of has passed.
    fn path_of_bringer(&self) -> Arc<[String]> {
        match self.strictness {
            Strictness::Member => Arc::default(),
            Strictness::Partner => self.ring.card(self.from).map(|card| card.node().to_owned()).into_iter().collect(),
        }
    }

    fn judge(&self, read: Read, verdict: Verdict, page: &Page) -> ledger::Result<Result<Sound, Not>> {
        let Verdict { verified, more, failed } = verdict;
        let has_seal = verified.is_some() || failed.is_some();
        let member = self.strictness == Strictness::Member;
        let sealed_by = match &read.author {
            // Whoever sealed it made it: the bringer rather than another.
            Whose::Nobodys => {
                let mut all = verified.iter().chain(&more).map(|(verified, _)| verified.organisation());
                let of_bringer = all.clone().find(|by| same(by, self.from));
                of_bringer.or_else(|| all.next()).map(str::to_owned)
            }
            _ => None,
        };
        let author = match &read.author {
            Whose::Carded(Some(author)) => Some(&**author),
            Whose::Ours => Some(self.own),
            Whose::Nobodys => sealed_by.as_deref(),
            Whose::Carded(None) | Whose::Strangers => None,
        };
        let is_author = |by: &Verified| author.is_some_and(|who| same(by.organisation(), who));
        let mut narrowing = read.narrowing.clone();
        if read.recalled
            && let Some(reason) = self.recalled(&read, author, &mut narrowing)?
        {
            return Ok(Err(Not::Refused(reason)));
        }
        let Narrowing { marking, mut handling } = narrowing;
        let mut proof = None;
        // Each of its seals is the author's word.
        for (by, seal) in verified.into_iter().chain(more).filter(|(by, _)| is_author(by)) {
            match limits_of(by.handling()) {
                Some(limits) if limits.is_none() => {}
                Some(limits) => handling = handling.and(&limits),
                None => {
                    return Ok(Err(Not::Refused("its seal sets limits that are not understood".to_owned())));
                }
            }
            proof.get_or_insert((by, seal));
        }
        let (proof, seal) = match (proof, &read.author) {
            (Some((proof, seal)), _) => (Proof::Verified(proof), Some(seal)),
            (None, Whose::Ours) if member && same(self.from, self.own) => (Proof::Foreign, None),
            (None, Whose::Carded(Some(_)) | Whose::Ours) if has_seal => {
                return Ok(Err(Not::Refused(match failed {
                    Some((error, _)) => format!("its seal does not hold: {error}"),
                    None => "it is sealed by another organisation than its author".to_owned(),
                })));
            }
            (None, Whose::Carded(None)) if !member => {
                return Ok(Err(Not::Refused("the cards of two organisations name its author".to_owned())));
            }
            (None, Whose::Carded(_) | Whose::Ours) if !member => return Ok(Err(Not::Proven(read.body))),
            (None, Whose::Carded(_) | Whose::Ours) => (Proof::Foreign, None),
            // A seal that nobody here can verify is handed on: others may.
            (None, Whose::Nobodys | Whose::Strangers) => {
                let unknown = failed.filter(|(error, _)| matches!(error, signed::Error::Key(_)));
                (Proof::Foreign, unknown.map(|(_, seal)| seal))
            }
        };
        if read.author == Whose::Ours
            && self.strictness == Strictness::Partner
            && crate::narrow::stored(self.book, read.id())?
        {
            return Ok(Err(Not::Known));
        }
        let said = match &read.object.content {
            Some(content) if !page.said.is_empty() => page.said.get(content.digest()),
            _ => None,
        };
        let path: Arc<[String]> = match said {
            Some((said, node)) => said.path.iter().chain([node]).cloned().collect(),
            None => Arc::clone(&page.path),
        };
        if let Some(own) = self.ring.own()
            && path.iter().any(|node| own.identities.contains(node))
        {
            return Ok(Err(Not::Known));
        }
        if path.len() > LONGEST_PATH {
            return Ok(Err(Not::Refused(format!("it has passed more than {LONGEST_PATH} nodes"))));
        }
        let said = said.map(|(said, _)| said);
        match limits_of(said.and_then(|said| said.handling.as_ref())) {
            Some(limits) if limits.is_none() => {}
            Some(limits) => handling = handling.and(&limits),
            None => {
                let reason = "the envelope sets limits on it that are not understood";
                return Ok(Err(Not::Refused(reason.to_owned())));
            }
        }
        let Object { sketch, mark, brief, .. } = *read.object;
        Ok(Ok(Sound {
            body: read.body,
            mark,
            backing: Backing { proof, handling, marking },
            brief,
            path,
            reliability: said.and_then(|said| said.reliability),
            credibility: said.and_then(|said| said.credibility),
            confidence: sketch.confidence,
            seal,
        }))
    }
}

/// Why an object is not taken in.
enum Not {
    Refused(String),
    /// It was here before.
    Known,
    /// It is not proven; its seal may come with the next page.
    Proven(Bytes),
}

/// The stricter of two markings; of two that cannot be compared the later one.
fn stricter(one: Option<String>, two: Option<String>) -> Option<String> {
    let level = |id: &Option<String>| id.as_deref().and_then(stix::marking::tlp_of);
    match (&one, &two) {
        (Some(_), None) => one,
        (Some(_), Some(_)) if level(&one) > level(&two) => one,
        _ => two,
    }
}

/// Limits as a seal or an envelope has them; `None`: not understood.
fn limits_of(value: Option<&serde_json::Value>) -> Option<Handling> {
    value.map_or_else(|| Some(Handling::default()), |value| serde_json::from_value(value.clone()).ok())
}

pub(super) fn refused(id: &str, reason: &str) -> Refused {
    let id = if id.is_empty() { "(no id)".to_owned() } else { shown(id) };
    Refused { id, reason: reason.chars().filter(|c| !c.is_control()).take(300).collect() }
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}
