//! Making a package, and noting that it went.

use super::release::{self, Given as Page, runs};
use super::series::{Pending, Sending, receiving, sending};
use super::spool::Outbox;
use super::{Answer, Error};
use crate::door::Door;
use crate::partners::provenance::Outgoing;
use crate::partners::recalls;
use ledger::{Collection, Ledger, Micros, Partners, Run, Seq};
use partner::key::{Keys, PublicKeys};
use partner::package::{CHUNK, Draft, Sealed, Sealer};
use partner::trust::Keyring;
use policy::{Relation, Viewer};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use stix::json::Limits;

/// Statements that are read at once.
const MAIL: usize = 1_000;

/// Makes packages.
#[derive(Clone, Copy)]
pub struct Packer<'a, B> {
    /// The book, with its register and what is kept of partners.
    pub book: &'a B,
    /// What decides.
    pub door: &'a Door,
    /// Our own keys.
    pub keys: &'a Keys,
    /// Our own card and those of partners.
    pub ring: &'a Keyring,
    /// Our own organisation.
    pub own: &'a str,
    /// The budget of one object.
    pub limits: Limits,
    /// The node's directory: packages are made below it.
    pub home: &'a Path,
}

/// What is packed, for whom.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The partner: the name of its organisation, as the register spells it.
    pub to: &'a str,
    /// How it stands to us.
    pub relation: Relation,
    /// Out of which collections, in this order.
    pub collections: &'a [Collection],
    /// Everything again, in a series of its own, instead of what is new since the last package.
    pub again: bool,
    /// Until when it may be taken.
    pub expires: Option<Micros>,
    /// Whether an answer is waited for.
    pub answer: bool,
    /// When.
    pub now: Micros,
}

/// A package in the outbox: what it hands over is in the audit log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// Its number in its series.
    pub number: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Objects in it.
    pub objects: u64,
    /// Statements in it.
    pub mail: u64,
    /// The file in the outbox.
    pub file: PathBuf,
    /// It was made before, and has not been written out to its end.
    pub resumed: bool,
}

/// Told before anything leaves: the package's id, out of which collection, and which records.
pub type Witness<'w> = dyn FnMut(&str, &Collection, &[Run]) -> ledger::Result<()> + 'w;

/// What was put in.
struct Put {
    sealed: Sealed,
    spans: BTreeMap<String, (Option<i64>, i64)>,
    given: Vec<(usize, Vec<Run>)>,
    released: [u8; 32],
    objects: u64,
    mail_upto: Option<i64>,
}

impl<B: Ledger + Partners> Packer<'_, B> {
    /// Makes the next package for a partner, or finds the one that was made and not written out. `progress` is told the
    /// number of objects. `None`: there is nothing that it has not been handed.
    ///
    /// # Errors
    /// [`Error`].
    pub fn make(
        &self,
        request: &Request<'_>,
        witness: &mut Witness<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Made>, Error> {
        let key = self.key_of(request)?;
        let outbox = Outbox::open(self.home)?;
        let mut sending = sending(self.book, request.to)?;
        if let Some(pending) = sending.pending.clone() {
            if self.still_holds(request, &pending, &key, &outbox)? {
                return Ok(Some(made(&pending, &outbox, true)));
            }
            outbox.remove(&pending.id)?;
            sending.give_up();
            sending.keep(self.book, request.to)?;
        }
        if request.again {
            sending = Sending { unanswered: sending.unanswered, ..Sending::default() };
        }
        if sending.series.is_empty() {
            sending.series = uuid::Builder::from_random_bytes(crate::chance::bytes()?).into_uuid().to_string();
        }
        let receiving = receiving(self.book, request.to)?;
        let spool = outbox.begin()?;
        let put = self.put(request, &key, &sending, &receiving.answers, spool.writer(), progress)?;
        if put.sealed.objects == 0 && put.sealed.mail == 0 && (receiving.answered || receiving.answers.is_empty()) {
            return Ok(None);
        }
        spool.finish(&put.sealed.header.id)?;
        for (place, runs) in &put.given {
            if let Some(collection) = request.collections.get(*place) {
                witness(&put.sealed.header.id, collection, runs)?;
            }
        }
        let Put { sealed, spans, released, objects, mail_upto, .. } = put;
        let pending = Pending {
            id: sealed.header.id,
            number: sealed.header.number,
            digest: sealed.digest,
            bytes: sealed.bytes,
            objects,
            mail: sealed.mail,
            spans,
            released,
            mail_upto,
            key: key.id().as_str().to_owned(),
            signer: self.keys.public().id().as_str().to_owned(),
            created: request.now,
            expires: request.expires,
            answer: request.answer,
            again: request.again,
            void: false,
        };
        let made = made(&pending, &outbox, false);
        sending.pending = Some(pending);
        sending.keep(self.book, request.to)?;
        Ok(Some(made))
    }

    /// The package is whole where it was asked for: the next begins behind it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn handed_over(&self, to: &str, now: Micros) -> Result<(), Error> {
        let outbox = Outbox::open(self.home)?;
        let mut sending = sending(self.book, to)?;
        let Some(pending) = sending.hand_over() else { return Ok(()) };
        self.note_deliveries(to, &pending, now)?;
        if let (Some(upto), false) = (pending.mail_upto, pending.answer) {
            // Nobody will say that it arrived.
            self.book.drop_mail(to, upto)?;
        }
        let mut receiving = receiving(self.book, to)?;
        if !receiving.answered {
            receiving.answered = true;
            receiving.keep(self.book, to)?;
        }
        sending.keep(self.book, to)?;
        outbox.remove(&pending.id)
    }

    /// The key to which a package for the partner is sealed.
    fn key_of(&self, request: &Request<'_>) -> Result<PublicKeys, Error> {
        let organisation = request.to.to_owned();
        let Some(card) = self.ring.card(request.to) else { return Err(Error::NoCard(organisation)) };
        let signer = self.ring.signer(&card.keys.id(), request.now);
        signer.map_err(|source| Error::Card { organisation, source })?;
        Ok(card.keys)
    }

    /// Fills a package.
    fn put(
        &self,
        request: &Request<'_>,
        key: &PublicKeys,
        sending: &Sending,
        answers: &[Answer],
        out: impl Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Put, Error> {
        let from = self.ring.own().map(|card| card.node().to_owned());
        let from = from.ok_or_else(|| Error::NoCard(self.own.to_owned()))?;
        let recipients = [*key];
        let draft = Draft {
            from: &from,
            keys: self.keys,
            recipients: &recipients,
            series: &sending.series,
            number: sending.number + 1,
            previous: sending.digest,
            created: request.now,
            expires: request.expires,
            answer: request.answer,
            chunk: CHUNK,
        };
        let mut sealer = Sealer::begin(&draft, &crate::chance::bytes()?, out)?;
        let (mut spans, mut given, mut objects) = (BTreeMap::new(), Vec::new(), 0);
        let mut hasher = blake3::Hasher::new();
        for (place, collection) in request.collections.iter().enumerate() {
            let after = sending.positions.get(&collection.id).copied();
            let mut upto = after;
            self.pages(request, collection, after, &mut |page| {
                hash(&mut hasher, page);
                upto = page.seqs.last().map(|seq| seq.0).or(upto);
                let handed = self.put_page(request, page, &mut sealer)?;
                objects += handed.iter().map(|run| u64::from(run.count)).sum::<u64>();
                if !handed.is_empty() {
                    given.push((place, handed));
                }
                progress(objects);
                Ok(true)
            })?;
            if let Some(upto) = upto {
                spans.insert(collection.id.clone(), (after, upto));
            }
        }
        let mail_upto = self.put_mail(request, &mut sealer)?;
        if !answers.is_empty() {
            let said = serde_json::to_vec(answers).map_err(|error| Error::Note("answers".to_owned(), error))?;
            sealer.answers(&said)?;
        }
        let (mut out, sealed) = sealer.finish()?;
        out.flush().map_err(partner::package::Error::from)?;
        Ok(Put { sealed, spans, given, released: *hasher.finalize().as_bytes(), objects, mail_upto })
    }

    fn pages(
        &self,
        request: &Request<'_>,
        collection: &Collection,
        after: Option<i64>,
        each: &mut release::Each<'_>,
    ) -> Result<(), Error> {
        let name = Some(request.to.to_owned());
        let viewer = Viewer { name: name.clone(), relation: request.relation, organisation: name };
        release::pages(self.book, self.door, &viewer, collection, after.map(Seq), each)
    }

    /// Dresses a page as for a link and puts it in. Returns which records it hands over.
    fn put_page<W: Write>(
        &self,
        request: &Request<'_>,
        page: &Page<'_>,
        sealer: &mut Sealer<'_, W>,
    ) -> Result<Vec<Run>, Error> {
        let outgoing = Outgoing {
            book: self.book,
            partners: self.book,
            keys: self.keys,
            ring: self.ring,
            own: self.own,
            to: request.to,
            limits: self.limits,
            now: request.now,
        };
        let dressed = outgoing.dress(page.bodies)?;
        for object in &dressed.objects {
            sealer.object(object)?;
        }
        if !dressed.objects.is_empty() {
            sealer.end_page()?;
        }
        let mut left_out = dressed.left_out.iter().copied().peekable();
        let handed = page.seqs.iter().enumerate().filter(|(place, _)| left_out.next_if_eq(place).is_none());
        Ok(runs(handed.map(|(_, seq)| *seq)))
    }

    /// Puts in what waits for the partner. Returns up to where.
    fn put_mail<W: Write>(&self, request: &Request<'_>, sealer: &mut Sealer<'_, W>) -> Result<Option<i64>, Error> {
        let mut upto = None;
        loop {
            let mail = self.book.mail(request.to, upto.unwrap_or(i64::MIN), MAIL)?;
            for letter in &mail {
                sealer.mail(&letter.body)?;
                upto = Some(letter.no);
            }
            if mail.len() < MAIL {
                return Ok(upto);
            }
        }
    }

    /// Recalls that went with the package were handed over.
    fn note_deliveries(&self, to: &str, pending: &Pending, now: Micros) -> Result<(), Error> {
        let Some(upto) = pending.mail_upto else { return Ok(()) };
        let mut after = i64::MIN;
        loop {
            let mut mail = self.book.mail(to, after, MAIL)?;
            mail.retain(|letter| letter.no <= upto);
            recalls::handed(self.book, to, &mail, now)?;
            match mail.last() {
                Some(last) if mail.len() == MAIL => after = last.no,
                _ => return Ok(()),
            }
        }
    }

    /// Whether a package that was made is the one that would be made now, and may go out as it is.
    fn still_holds(
        &self,
        request: &Request<'_>,
        pending: &Pending,
        key: &PublicKeys,
        outbox: &Outbox,
    ) -> Result<bool, Error> {
        let same = !pending.void
            && pending.key == key.id().as_str()
            && pending.signer == self.keys.public().id().as_str()
            && pending.answer == request.answer
            && pending.again == request.again
            && pending.expires.is_none_or(|expires| expires > request.now)
            && pending.created <= request.now
            && outbox.holds(&pending.id, pending.bytes)?;
        let asked = |id: &String| request.collections.iter().any(|collection| collection.id == *id);
        if !same || !pending.spans.keys().all(asked) {
            return Ok(false);
        }
        let mut hasher = blake3::Hasher::new();
        for collection in request.collections {
            let Some((after, upto)) = pending.spans.get(&collection.id) else { continue };
            self.pages(request, collection, *after, &mut |page| {
                let within = page.seqs.partition_point(|seq| seq.0 <= *upto);
                let (Some(bodies), Some(seqs)) = (page.bodies.get(..within), page.seqs.get(..within)) else {
                    return Ok(false);
                };
                hash(&mut hasher, &Page { bodies, seqs });
                Ok(within == page.seqs.len())
            })?;
        }
        Ok(hasher.finalize().as_bytes() == &pending.released)
    }
}

/// What was released, record by record.
fn hash(hasher: &mut blake3::Hasher, page: &Page<'_>) {
    for ((body, _), seq) in page.bodies.iter().zip(page.seqs) {
        hasher.update(&seq.0.to_be_bytes());
        hasher.update(&(body.len() as u64).to_be_bytes());
        hasher.update(body);
    }
}

fn made(pending: &Pending, outbox: &Outbox, resumed: bool) -> Made {
    Made {
        id: pending.id.clone(),
        number: pending.number,
        bytes: pending.bytes,
        objects: pending.objects,
        mail: pending.mail,
        file: outbox.file(&pending.id),
        resumed,
    }
}
