//! What the seals of a page come to.

use super::halves;
use super::incoming::{Incoming, Read, Whose};
use bytes::Bytes;
use ledger::Mark;
use partner::envelope::Said;
use partner::seal::{self, Verified};
use partner::signed::{self, Unverified};
use std::collections::HashMap;
use std::sync::Arc;

/// Seals that are looked at for one version of an object: more are a flood.
const MOST_SEALS: usize = 8;

/// What is known of a page beside its objects.
#[derive(Default)]
pub(super) struct Page {
    pub(super) seals: Vec<Seal>,
    pub(super) said: HashMap<[u8; 32], (Said, String)>,
    /// The nodes that those have passed of which nothing is said.
    pub(super) path: Arc<[String]>,
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

/// A seal that was read, and as it came.
pub(super) type Seal = Arc<(Unverified, Bytes)>;

/// What the seals of an object came to.
#[derive(Default)]
pub(super) struct Verdict {
    pub(super) verified: Option<(Verified, Bytes)>,
    /// Further ones.
    pub(super) more: Vec<(Verified, Bytes)>,
    pub(super) failed: Option<(signed::Error, Bytes)>,
}

impl Verdict {
    fn add(&mut self, outcome: Result<Verified, signed::Error>, text: &Bytes) {
        match outcome {
            Ok(verified) if self.verified.is_none() => self.verified = Some((verified, text.clone())),
            Ok(verified) => self.more.push((verified, text.clone())),
            Err(error) => self.failed = Some((error, text.clone())),
        }
    }
}

impl Incoming<'_> {
    /// What the seals of each object come to, and the seals that speak of none of them.
    pub(super) fn verdicts(&self, came: &[Read], page: &Page) -> ledger::Result<(Vec<Verdict>, Vec<Seal>)> {
        let mut by_object = page.by_object();
        let mut candidates: Vec<Vec<Seal>> = came.iter().map(|_| Vec::new()).collect();
        if !by_object.is_empty() {
            for (read, candidates) in came.iter().zip(&mut candidates) {
                let version = read.version().unwrap_or(signed::NO_TIME);
                if let Some(of) = by_object.get_mut(&(read.id(), version)) {
                    of.met = true;
                    candidates.extend(of.seals.iter().map(|seal| Arc::clone(seal)));
                }
            }
        }
        let unmet = by_object.into_values().filter(|of| !of.met).flat_map(|of| of.seals).map(Arc::clone).collect();
        self.kept_seals(came, &mut candidates)?;
        for (read, candidates) in came.iter().zip(&mut candidates) {
            if candidates.len() > 1
                && let Some(content) = &read.object.content
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
        let mut verdicts: Vec<Verdict> = came.iter().map(|_| Verdict::default()).collect();
        let (mut places, mut pairs) = (Vec::new(), Vec::new());
        let (mut places_on, mut pairs_on) = (Vec::new(), Vec::new());
        for (place, (read, candidates)) in came.iter().zip(&candidates).enumerate() {
            let Some(content) = &read.object.content else { continue };
            for (on, text) in read.object.on.iter().chain(&read.object.on_others) {
                places_on.push((place, text));
                pairs_on.push((content, on));
            }
            for seal in candidates {
                places.push((place, &seal.1));
                pairs.push((content, &seal.0));
            }
        }
        let on = seal::verify_on(&pairs_on, self.ring, self.now);
        let alone = halves(&pairs, |pairs| seal::verify_all(pairs, self.ring, self.now));
        for ((place, text), outcome) in places_on.into_iter().zip(on).chain(places.into_iter().zip(alone)) {
            if let Some(verdict) = verdicts.get_mut(place) {
                verdict.add(outcome, text);
            }
        }
        Ok((verdicts, unmet))
    }

    /// Adds the seals that are kept since the objects came before, where none came with them.
    fn kept_seals(&self, came: &[Read], candidates: &mut [Vec<Seal>]) -> ledger::Result<()> {
        let needs = |read: &Read| matches!(read.author, Whose::Carded(Some(_)) | Whose::Ours);
        let without: Vec<(&Read, &mut Vec<Seal>)> = came
            .iter()
            .zip(candidates)
            .filter(|(read, found)| found.is_empty() && read.object.on.is_none() && needs(read))
            .collect();
        if without.is_empty() {
            return Ok(());
        }
        let marks: Vec<Mark> = without.iter().map(|(read, _)| read.object.mark).collect();
        let mut kept_seals = super::KeptSeals::default();
        for ((read, found), kept) in without.into_iter().zip(self.partners.seals(&marks)?) {
            if let Some(kept) = kept
                && let Some(kept) = kept_seals.alone(kept, || read.object.content.clone())
                && let Ok(seal) = signed::read(&kept)
            {
                found.push(Arc::new((seal, Bytes::from(kept))));
            }
        }
        Ok(())
    }
}
