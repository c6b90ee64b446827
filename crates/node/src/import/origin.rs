//! Where objects of a batch come from: their seals, what their bringer says of them, and what gives way to them.

use crate::intake::Taken;
use crate::partners::provenance::{Incoming, Proof, Sound, mark};
use crate::partners::statement::Statement;
use ledger::{CollectionNo, Entry, Mark, Micros, Scope, Stated};
use partner::seal::Verified;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The origins of the objects of a batch, of those of which any is known.
#[derive(Default)]
pub(crate) struct Origins {
    rows: Vec<Row>,
    /// What is said of objects, each once.
    statements: Vec<Words>,
    /// Where it is.
    said: HashMap<Saying, usize>,
}

/// A statement in the words of the book; `None`: it says nothing.
type Words = Option<Vec<u8>>;
/// What is said of an object: path, reliability, credibility, confidence.
type Saying = (Arc<[String]>, Option<char>, Option<u8>, Option<u8>);

struct Row {
    /// Which object of the batch.
    object: usize,
    mark: Mark,
    seal: Option<(Mark, bytes::Bytes)>,
    /// What is said of it, by its place.
    said: usize,
    proof: Option<Verified>,
}

impl Origins {
    /// Notes where an accepted object comes from.
    pub(crate) fn note(&mut self, object: usize, taken: &Taken<'_>, sound: &Sound) {
        // A seal is over the bytes that came, not over what they were upgraded to.
        let as_it_came = *taken.body == *sound.body;
        let mark = if as_it_came { sound.mark } else { mark::of(taken.body) };
        let (place, proof) = match &sound.backing.proof {
            Proof::Verified(verified) => (mark, Some(verified.clone())),
            Proof::Foreign => (mark::unproven(taken.body), None),
        };
        let seal = sound.seal.clone().filter(|_| as_it_came).map(|seal| (place, seal));
        let said = self.say(sound);
        self.rows.push(Row { object, mark, seal, said, proof });
    }

    /// Where what is said of an object is.
    fn say(&mut self, sound: &Sound) -> usize {
        let Sound { path, reliability, credibility, confidence, .. } = sound;
        let saying = (Arc::clone(path), *reliability, *credibility, *confidence);
        *self.said.entry(saying).or_insert_with(|| {
            let statement = Statement {
                path: path.to_vec(),
                reliability: *reliability,
                credibility: *credibility,
                confidence: *confidence,
            };
            let words = (statement != Statement::default()).then(|| serde_json::to_vec(&statement).unwrap_or_default());
            self.statements.push(words);
            self.statements.len() - 1
        })
    }

    /// The seals, to be kept with the objects: one that is there and was sealed has its seal.
    pub(crate) fn seals(&self) -> impl Iterator<Item = (Mark, &[u8])> {
        self.rows.iter().filter_map(|row| row.seal.as_ref().map(|(mark, seal)| (*mark, &**seal)))
    }

    /// What the source says of the objects, to be kept with them.
    pub(crate) fn statements<'s>(
        &'s self,
        incoming: &Incoming<'_>,
        source: &'s str,
    ) -> impl Iterator<Item = Stated<'s>> {
        let (own, now) = (same(source, incoming.own), incoming.now);
        self.rows.iter().filter_map(move |row| {
            let body = match self.statements.get(row.said)? {
                Some(words) => &**words,
                // What our own members bring in without a word about it has no source but us.
                None if own => return None,
                None => b"{}",
            };
            Some(Stated { mark: row.mark, source, first: now, last: now, body })
        })
    }

    /// Of two seals of a body the first stays. One whose key counts no more proves nothing: what its author sealed anew takes
    /// its place, so that it goes on with a proof.
    pub(crate) fn renew(&self, incoming: &Incoming<'_>) -> ledger::Result<()> {
        let changed = |row: &&Row| row.proof.as_ref().is_some_and(|by| incoming.ring.has_changed(by.organisation()));
        let new: Vec<(Mark, &[u8])> = self
            .rows
            .iter()
            .filter(changed)
            .filter_map(|row| row.seal.as_ref().map(|(mark, seal)| (*mark, &**seal)))
            .collect();
        incoming.renew_seals(new)
    }

    /// The proof of who made an object of the batch.
    pub(crate) fn proof(&self, object: usize) -> Option<&Verified> {
        // In the order of the objects.
        let place = self.rows.binary_search_by_key(&object, |row| row.object).ok()?;
        self.rows.get(place)?.proof.as_ref()
    }
}

/// Puts aside what stands in the way of an object whose author is proven: versions under the same author's name that carry
/// no seal. They were brought in before the author's card was confirmed, by whomever. Returns how many; erased is then also
/// the copy of the object itself that was kept aside, so that it can be added again.
///
/// What our own organisation made, what is sealed and what names another author stays.
pub(crate) fn give_way(
    incoming: &Incoming<'_>,
    collection: CollectionNo,
    entry: &Entry<'_>,
    proof: &Verified,
    now: Micros,
) -> ledger::Result<u64> {
    let mut held: Vec<(Mark, ledger::ClassNo)> = Vec::new();
    incoming.book.look(&mut |shelf| {
        // A failure is noted by the book and fails the whole look.
        let _ = shelf.versions(entry.key, &mut |met| {
            let says = stix::head::created_by_of(met.body);
            let of_author = says.and_then(|identity| incoming.ring.organisation_of(&identity).map(str::to_owned));
            if met.collection == collection && of_author.is_some_and(|author| same(&author, proof.organisation())) {
                held.push((mark::of(met.body), met.class));
            }
            true
        });
    })?;
    let marks: Vec<Mark> = held.iter().map(|(mark, _)| *mark).collect();
    let sealed = incoming.partners.seals(&marks)?;
    let mut unsealed: HashSet<Mark> = HashSet::new();
    for ((mark, class), seal) in held.into_iter().zip(sealed) {
        if seal.is_none() && !incoming.is_ours(class)? {
            unsealed.insert(mark);
        }
    }
    if unsealed.is_empty() {
        return Ok(0);
    }
    let (mut given_way, own) = (0, mark::of(entry.body));
    let mut which = |met: &ledger::Met<'_>| {
        let mark = mark::of(met.body);
        given_way += u64::from(unsealed.contains(&mark));
        unsealed.contains(&mark) || mark == own
    };
    let scope = Scope { collection: Some(collection), key: Some(entry.key), ..Scope::default() };
    incoming.book.erase(&scope, &mut which, now)?;
    Ok(given_way)
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}
