//! Sorting a page that came from a partner, or that a member brings in: what is proven, what is not, what is refused.

use super::sketch::Sketch;
use super::{Backing, Proof, Waiting, halves, mark, shown};
use crate::partners::recalls::judge::{self as recalls, Coming};
use bytes::Bytes;
use ledger::{Ledger, Mark, Micros, Partners};
use partner::envelope::{self, LONGEST_PATH, Said};
use partner::recall::{Act, Recall};
use partner::seal::{self, Content, Verified};
use partner::signed::{self, Kind, Unverified};
use partner::trust::Keyring;
use policy::{Author, Class, Handling};
use std::collections::HashMap;
use std::sync::Arc;
use stix::json::{Limits, Tape};

/// Seals that are looked at for one version of an object: more are a flood.
const MOST_SEALS: usize = 8;
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
    /// The nodes that it passed, oldest first; the last is the one from which it came here.
    pub path: Vec<String>,
    /// How far its source is to be relied upon, as the bringer says: A to F.
    pub reliability: Option<char>,
    /// How far it is to be believed, as the bringer says: 1 to 6.
    pub credibility: Option<u8>,
    /// How sure its author is: 0 to 100.
    pub confidence: Option<u8>,
    /// Its seal as it came: verified if the backing says so, and else one that nobody here can verify.
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

/// What something on a page is, before anything is known of the page.
enum Looked {
    /// Ours, or somebody's, about objects; or what says that it is one, with its id.
    Statement(Kind, Result<Box<Unverified>, (String, signed::Error)>),
    Object(Box<Object>),
}

/// An object that was looked at.
#[derive(Default)]
struct Object {
    sketch: Sketch,
    /// `None`: it cannot be read.
    content: Option<Content>,
    mark: Mark,
}

impl Looked {
    fn at(tape: &mut Tape, scratch: &mut Vec<u8>, body: &[u8], limits: &Limits) -> Self {
        let Ok(value) = tape.parse(body, limits) else {
            return Self::Object(Box::new(Object { mark: mark::of(body), ..Object::default() }));
        };
        if let Some(Ok(seal)) = signed::seal_of(value) {
            return Self::Statement(Kind::Seal, Ok(Box::new(seal)));
        }
        let sketch = Sketch::read(value);
        let Some(kind) = Kind::of(&sketch.object_type) else {
            let (content, mark) = (Some(Content::of_on(scratch, value)), mark::of(body));
            return Self::Object(Box::new(Object { sketch, content, mark }));
        };
        let statement = signed::seal_of(value).unwrap_or_else(|| signed::read_on(tape, body));
        Self::Statement(kind, statement.map(Box::new).map_err(|error| (sketch.id, error)))
    }
}

/// What is on a page, looked at without asking anything of this node: a page may be looked at before the one that came before
/// it is taken in.
#[derive(Default)]
pub struct Looks {
    looked: Vec<(Bytes, Looked)>,
    bytes: u64,
}

impl Looks {
    /// At objects and statements, as they came.
    #[must_use]
    pub fn of(objects: Vec<Bytes>, limits: &Limits) -> Self {
        let looked = halves(&objects, |objects| {
            let (mut tape, mut scratch) = (Tape::new(), Vec::new());
            objects.iter().map(|body| Looked::at(&mut tape, &mut scratch, body, limits)).collect()
        });
        let bytes = objects.iter().map(|object| object.len() as u64).sum();
        Self { looked: objects.into_iter().zip(looked).collect(), bytes }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.looked.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looked.is_empty()
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// An object that was read so far.
struct Read {
    body: Bytes,
    sketch: Sketch,
    /// `None`: it cannot be read.
    content: Option<Content>,
    mark: Mark,
    author: Whose,
    /// What recalls that do not keep it out have set beside its markings.
    narrowing: Narrowing,
    /// Whether there are recalls that have not been looked at.
    recalled: bool,
}

#[derive(Clone, Default)]
struct Narrowing {
    marking: Option<String>,
    handling: Handling,
}

/// Whose an object says that it is.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Whose {
    /// Nobody's.
    Nobodys,
    /// An organisation's of which no card is pinned.
    Strangers,
    /// Of an organisation with a pinned card; `None`: two cards name the identity.
    Carded(Option<String>),
    /// Our own.
    Ours,
}

/// A seal that was read, and as it came.
type Seal = Arc<(Unverified, Bytes)>;

/// What the seals of an object came to.
#[derive(Default)]
struct Verdict {
    verified: Vec<(Verified, Bytes)>,
    failed: Option<(signed::Error, Bytes)>,
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
        let mut page = Page::default();
        let mut came = Vec::with_capacity(looks.len());
        page.seals = waiting.seals.take();
        let waited = Looks::of(waiting.objects.take(), &self.limits);
        for (body, looked) in waited.looked.into_iter().chain(looks.looked) {
            match looked {
                Looked::Statement(kind, Ok(statement)) => {
                    self.statement(kind, *statement, &body, &mut page, &mut sorted);
                }
                Looked::Statement(_, Err((id, error))) => sorted.refused.push(refused(&id, &error.to_string())),
                Looked::Object(object) => {
                    let Object { sketch, content, mark } = *object;
                    let author = self.whose(sketch.created_by_ref.as_deref());
                    let narrowing = Narrowing::default();
                    came.push(Read { body, sketch, content, mark, author, narrowing, recalled: false });
                }
            }
        }
        let came = self.in_time(came, &mut sorted);
        let came = self.not_recalled(came, &mut sorted)?;
        let (verdicts, unmet) = self.verdicts(&came, &page)?;
        for (read, verdict) in came.into_iter().zip(verdicts) {
            match self.judge(&read, verdict, &page)? {
                Judged::Sound(sound) => sorted.sound.push(*sound),
                Judged::Refused(reason) => sorted.refused.push(refused(&read.sketch.id, &reason)),
                Judged::Known => {
                    sorted.dropped += 1;
                    sorted.known.push(read.sketch.id);
                }
                Judged::Waits => {
                    let length = read.body.len();
                    if waiting.objects.put(read.body, length).is_some() {
                        let reason = "no seal of its author came with it, and too many others wait for theirs";
                        sorted.refused.push(refused(&read.sketch.id, reason));
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
        new.retain(|(_, new)| {
            let Some(kept) = kept.next().flatten().filter(|kept| kept != new) else { return false };
            let lapsed = signed::read(&kept).map(|kept| kept.verify(self.ring, self.now).map(drop));
            matches!(lapsed, Ok(Err(signed::Error::Lapsed { .. })))
                && signed::read(new).is_ok_and(|new| new.verify(self.ring, self.now).is_ok())
        });
        self.partners.renew_seals(&new)
    }

    /// The round is over: what still waits is refused.
    pub fn give_up(&self, waiting: &mut Waiting) -> Vec<Refused> {
        let mut tape = Tape::new();
        let refused = |body: Bytes| {
            let sketch = Sketch::of(&mut tape, &body, &self.limits);
            refused(&sketch.id, "no seal of its author came with it")
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
            Some(organisation) => Whose::Carded(Some(organisation.to_owned())),
            None if self.ring.knows(&lower) => Whose::Carded(None),
            None => Whose::Strangers,
        }
    }

    /// Those that are not dated beyond what clocks differ.
    fn in_time(&self, came: Vec<Read>, sorted: &mut Sorted) -> Vec<Read> {
        let mut in_time = Vec::with_capacity(came.len());
        for read in came {
            let ahead = super::super::quota::Limits::default().ahead;
            match super::super::quota::in_time(read.sketch.created, read.sketch.modified, ahead, self.now) {
                Ok(()) => in_time.push(read),
                Err(refusal) => {
                    let until =
                        refusal.until().filter(|until| *until <= self.now.saturating_add(super::super::quota::DAY));
                    sorted.again = [sorted.again, until].into_iter().flatten().min();
                    sorted.refused.push(refused(&read.sketch.id, &refusal.to_string()));
                }
            }
        }
        in_time
    }

    /// Those that no recall keeps out. Of what names no author that is known when the seals have been looked at.
    fn not_recalled(&self, came: Vec<Read>, sorted: &mut Sorted) -> ledger::Result<Vec<Read>> {
        let ids: Vec<&str> = came.iter().map(|read| read.sketch.id.as_str()).collect();
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
                Whose::Carded(Some(author)) => Some(author.clone()),
                Whose::Ours => Some(self.own.to_owned()),
                Whose::Carded(None) | Whose::Strangers | Whose::Nobodys => None,
            };
            read.recalled = any && read.author == Whose::Nobodys;
            let mut narrowing = Narrowing::default();
            let recalled = match any && !read.recalled {
                true => self.recalled(&read.sketch, author.as_deref(), &mut narrowing)?,
                false => None,
            };
            read.narrowing = narrowing;
            match recalled {
                Some(reason) => sorted.refused.push(refused(&read.sketch.id, &reason)),
                None => kept.push(read),
            }
        }
        Ok(kept)
    }

    /// Why recalls keep an object out. Those that only narrow it are noted.
    fn recalled(
        &self,
        sketch: &Sketch,
        author: Option<&str>,
        narrowing: &mut Narrowing,
    ) -> ledger::Result<Option<String>> {
        let (version, from) = (sketch.version.as_deref(), self.from);
        let coming = Coming { version, is_revoked: sketch.revoked, author, from };
        let carded = |organisation: &str| same(organisation, self.own) || self.ring.card(organisation).is_some();
        for kept in self.partners.recalls_of(&sketch.id)? {
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

    /// What the seals of each object come to, and the seals that speak of none of them.
    fn verdicts(&self, came: &[Read], page: &Page) -> ledger::Result<(Vec<Verdict>, Vec<Seal>)> {
        let mut by_object = page.by_object();
        let mut candidates: Vec<Vec<Seal>> = Vec::with_capacity(came.len());
        for read in came {
            let version = read.sketch.version.as_deref().unwrap_or(signed::NO_TIME);
            let of = by_object.get_mut(&(read.sketch.id.as_str(), version)).map(|of| {
                of.met = true;
                of.seals.iter().map(|seal| Arc::clone(seal)).collect()
            });
            candidates.push(of.unwrap_or_default());
        }
        let unmet = by_object.into_values().filter(|of| !of.met).flat_map(|of| of.seals).map(Arc::clone).collect();
        self.kept_seals(came, &mut candidates)?;
        for (read, candidates) in came.iter().zip(&mut candidates) {
            if candidates.len() > 1
                && let Some(content) = &read.content
            {
                let speaks =
                    |seal: &Unverified| seal.seal.as_ref().is_some_and(|says| says.digest == *content.digest());
                let first = candidates.first().cloned();
                candidates.retain(|seal| speaks(&seal.0));
                // None of them is of this content: one says so.
                if candidates.is_empty() {
                    candidates.extend(first);
                }
            }
        }
        let mut places = Vec::new();
        let mut pairs: Vec<(&Content, &Unverified)> = Vec::new();
        for (place, (read, candidates)) in came.iter().zip(&candidates).enumerate() {
            let Some(content) = &read.content else { continue };
            for seal in candidates {
                places.push((place, &seal.1));
                pairs.push((content, &seal.0));
            }
        }
        let verified = halves(&pairs, |pairs| seal::verify_all(pairs, self.ring, self.now));
        let mut verdicts: Vec<Verdict> = came.iter().map(|_| Verdict::default()).collect();
        for ((place, text), outcome) in places.into_iter().zip(verified) {
            if let Some(verdict) = verdicts.get_mut(place) {
                match outcome {
                    Ok(verified) => verdict.verified.push((verified, text.clone())),
                    Err(error) => verdict.failed = Some((error, text.clone())),
                }
            }
        }
        Ok((verdicts, unmet))
    }

    /// Adds the seals that are kept since the objects came before, where none came with them.
    fn kept_seals(&self, came: &[Read], candidates: &mut [Vec<Seal>]) -> ledger::Result<()> {
        let needs = |read: &Read| matches!(read.author, Whose::Carded(Some(_)) | Whose::Ours);
        let without: Vec<(&Read, &mut Vec<Seal>)> =
            came.iter().zip(candidates).filter(|(read, found)| found.is_empty() && needs(read)).collect();
        if without.is_empty() {
            return Ok(());
        }
        let marks: Vec<Mark> = without.iter().map(|(read, _)| read.mark).collect();
        for ((_, found), kept) in without.into_iter().zip(self.partners.seals(&marks)?) {
            if let Some(kept) = kept
                && let Ok(seal) = signed::read(&kept)
            {
                found.push(Arc::new((seal, Bytes::from(kept))));
            }
        }
        Ok(())
    }

    fn judge(&self, read: &Read, verdict: Verdict, page: &Page) -> ledger::Result<Judged> {
        let Verdict { verified, failed } = verdict;
        let has_seal = !verified.is_empty() || failed.is_some();
        let member = self.strictness == Strictness::Member;
        let author = match &read.author {
            Whose::Carded(Some(author)) => Some(author.as_str()),
            Whose::Ours => Some(self.own),
            // Whoever sealed it made it: the bringer rather than another.
            Whose::Nobodys => {
                let of_bringer = verified.iter().find(|(verified, _)| same(verified.organisation(), self.from));
                of_bringer.or(verified.first()).map(|(verified, _)| verified.organisation())
            }
            Whose::Carded(None) | Whose::Strangers => None,
        };
        let author = author.map(str::to_owned);
        let mut proofs =
            verified.into_iter().filter(|(by, _)| author.as_deref().is_some_and(|who| same(by.organisation(), who)));
        let mut narrowing = read.narrowing.clone();
        if read.recalled
            && let Some(reason) = self.recalled(&read.sketch, author.as_deref(), &mut narrowing)?
        {
            return Ok(Judged::Refused(reason));
        }
        let Narrowing { marking, mut handling } = narrowing;
        let (proof, seal) = match (proofs.next(), &read.author) {
            (Some((proof, seal)), _) => {
                // Each of its seals is the author's word.
                for verified in std::iter::once(&proof).chain(proofs.map(|(more, _)| more).collect::<Vec<_>>().iter()) {
                    match limits_of(verified.handling()) {
                        Some(limits) => handling = handling.and(&limits),
                        None => return Ok(Judged::Refused("its seal sets limits that are not understood".to_owned())),
                    }
                }
                (Proof::Verified(proof), Some(seal))
            }
            (None, Whose::Ours) if member && same(self.from, self.own) => (Proof::Foreign, None),
            (None, Whose::Carded(Some(_)) | Whose::Ours) if has_seal => {
                return Ok(Judged::Refused(match failed {
                    Some((error, _)) => format!("its seal does not hold: {error}"),
                    None => "it is sealed by another organisation than its author".to_owned(),
                }));
            }
            (None, Whose::Carded(None)) if !member => {
                return Ok(Judged::Refused("the cards of two organisations name its author".to_owned()));
            }
            (None, Whose::Carded(_) | Whose::Ours) if !member => return Ok(Judged::Waits),
            (None, Whose::Carded(_) | Whose::Ours) => (Proof::Foreign, None),
            // A seal that nobody here can verify is handed on: others may.
            (None, Whose::Nobodys | Whose::Strangers) => {
                let unknown = failed.filter(|(error, _)| matches!(error, signed::Error::Key(_)));
                (Proof::Foreign, unknown.map(|(_, seal)| seal))
            }
        };
        if read.author == Whose::Ours
            && self.strictness == Strictness::Partner
            && crate::narrow::stored(self.book, &read.sketch.id)?
        {
            return Ok(Judged::Known);
        }
        let digest = match &proof {
            Proof::Verified(verified) => Some(*verified.digest()),
            Proof::Foreign if page.said.is_empty() => None,
            Proof::Foreign => read.content.as_ref().map(|content| *content.digest()),
        };
        let said = digest.and_then(|digest| page.said.get(&digest));
        let path = match said {
            Some((said, node)) => said.path.iter().chain([node]).cloned().collect(),
            None if member => Vec::new(),
            None => self.ring.card(self.from).map(|card| vec![card.node().to_owned()]).unwrap_or_default(),
        };
        if let Some(own) = self.ring.own()
            && path.iter().any(|node| own.identities.contains(node))
        {
            return Ok(Judged::Known);
        }
        if path.len() > LONGEST_PATH {
            return Ok(Judged::Refused(format!("it has passed more than {LONGEST_PATH} nodes")));
        }
        let said = said.map(|(said, _)| said);
        match limits_of(said.and_then(|said| said.handling.as_ref())) {
            Some(limits) => handling = handling.and(&limits),
            None => return Ok(Judged::Refused("the envelope sets limits on it that are not understood".to_owned())),
        }
        Ok(Judged::Sound(Box::new(Sound {
            body: read.body.clone(),
            mark: read.mark,
            backing: Backing { proof, handling, marking },
            path,
            reliability: said.and_then(|said| said.reliability),
            credibility: said.and_then(|said| said.credibility),
            confidence: read.sketch.confidence,
            seal,
        })))
    }
}

/// What becomes of one object.
enum Judged {
    Sound(Box<Sound>),
    Refused(String),
    /// It was here before.
    Known,
    /// Its seal may come with the next page.
    Waits,
}

/// What is known of a page beside its objects.
#[derive(Default)]
struct Page {
    seals: Vec<Seal>,
    said: HashMap<[u8; 32], (Said, String)>,
}

/// The seals of one version of an object.
#[derive(Default)]
struct OfOne<'p> {
    seals: Vec<&'p Seal>,
    /// Whether the version is on the page.
    met: bool,
}

impl Page {
    /// The seals by the id and the version of which they speak; of several that say the same one is enough, and many are a
    /// flood.
    fn by_object(&self) -> HashMap<(&str, &str), OfOne<'_>> {
        let mut by_object: HashMap<(&str, &str), OfOne<'_>> = HashMap::with_capacity(self.seals.len());
        for seal in &self.seals {
            let Some(object) = seal.0.object_ref() else { continue };
            let of = by_object.entry((object, seal.0.at())).or_default();
            if of.seals.len() < MOST_SEALS && !of.seals.iter().any(|held| held.0 == seal.0) {
                of.seals.push(seal);
            }
        }
        by_object
    }
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

fn refused(id: &str, reason: &str) -> Refused {
    let id = if id.is_empty() { "(no id)".to_owned() } else { shown(id) };
    Refused { id, reason: reason.chars().filter(|c| !c.is_control()).take(300).collect() }
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}
