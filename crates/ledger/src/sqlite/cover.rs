//! Which records are covered: the greatest set in which every member finds each record that it refers to in its own
//! collection and class, either there for certain or in the set itself.

use super::head::Head;
use super::known_key;
use crate::Result;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::{HashMap, HashSet};

/// A collection, a key and a class: what a reference needs.
type Place<'s> = (u32, &'s str, u32);

/// What is known of a place that somebody refers to or where a candidate is.
#[derive(Default)]
struct Target {
    /// Whether something is there that stays, whatever becomes of the candidates; `None`: not asked yet.
    certain: Option<bool>,
    /// Candidates there that are still in the set.
    candidates: usize,
    /// The candidates that refer to it.
    waiting: Vec<usize>,
}

/// A judgement under way.
#[derive(Default)]
pub(super) struct Judgement<'s> {
    targets: HashMap<Place<'s>, Target>,
    /// Where each candidate is, and to what it refers.
    candidates: Vec<(Place<'s>, Vec<&'s str>)>,
}

impl<'s> Judgement<'s> {
    /// Says that something is there for certain.
    pub(super) fn certain(&mut self, place: Place<'s>) {
        self.targets.entry(place).or_default().certain = Some(true);
    }

    /// Adds a record of which it is asked whether it is covered; the answers have the order of these calls.
    pub(super) fn candidate(&mut self, place: Place<'s>, references: Vec<&'s str>) {
        let no = self.candidates.len();
        self.targets.entry(place).or_default().candidates += 1;
        for id in &references {
            self.targets.entry((place.0, id, place.2)).or_default().waiting.push(no);
        }
        self.candidates.push((place, references));
    }

    /// Whether each candidate is covered. `holds` tells whether something is at a place for certain, and is asked once a
    /// place.
    pub(super) fn covered(
        &mut self,
        mut holds: impl FnMut(Place<'s>) -> Result<bool, rusqlite::Error>,
    ) -> Result<Vec<bool>, rusqlite::Error> {
        let mut covered = vec![true; self.candidates.len()];
        let mut lost = Vec::new();
        for (place, target) in self.targets.iter_mut().filter(|(_, target)| !target.waiting.is_empty()) {
            let certain = match target.certain {
                Some(certain) => certain,
                None => holds(*place)?,
            };
            target.certain = Some(certain);
            if !certain && target.candidates == 0 {
                lost.extend_from_slice(&target.waiting);
            }
        }
        while let Some(no) = lost.pop() {
            let Some(still) = covered.get_mut(no).filter(|still| **still) else { continue };
            *still = false;
            let Some((place, _)) = self.candidates.get(no) else { continue };
            let Some(target) = self.targets.get_mut(place) else { continue };
            target.candidates -= 1;
            if target.candidates == 0 && target.certain != Some(true) {
                lost.extend_from_slice(&target.waiting);
            }
        }
        Ok(covered)
    }

    /// The covered candidates, each after those on which it rests, and apart from them those that rest on each other in
    /// a circle or on such.
    pub(super) fn order(&self, covered: &[bool]) -> (Vec<usize>, Vec<usize>) {
        let certain = |target: Option<&Target>| target.is_some_and(|target| target.certain == Some(true));
        let is_covered = |no: usize| covered.get(no).copied().unwrap_or_default();
        let mut missing: Vec<usize> = Vec::with_capacity(self.candidates.len());
        for ((collection, _, class), references) in &self.candidates {
            let open = references.iter().filter(|id| !certain(self.targets.get(&(*collection, **id, *class))));
            missing.push(open.count());
        }
        let free = missing.iter().enumerate().filter(|(no, missing)| **missing == 0 && is_covered(*no));
        let mut order: Vec<usize> = free.map(|(no, _)| no).collect();
        let (mut at, mut there) = (0, HashSet::new());
        while let Some((place, _)) = order.get(at).and_then(|no| self.candidates.get(*no)) {
            at += 1;
            let Some(target) = self.targets.get(place).filter(|target| !certain(Some(*target))) else { continue };
            if !there.insert(place) {
                continue;
            }
            for no in &target.waiting {
                let Some(left) = missing.get_mut(*no) else { continue };
                *left -= 1;
                if *left == 0 && is_covered(*no) {
                    order.push(*no);
                }
            }
        }
        let circles = (0..missing.len()).filter(|no| is_covered(*no) && missing.get(*no).is_some_and(|left| *left > 0));
        (order, circles.collect())
    }
}

/// Whether a live version of a key is in a collection and class, among the records up to `last`.
pub(super) fn holds(base: &Connection, place: Place<'_>, last: i64) -> Result<bool, rusqlite::Error> {
    let (collection, key, class) = place;
    let Some(key) = known_key(base, key)? else { return Ok(false) };
    let found = base
        .prepare_cached(
            "SELECT 1 FROM version WHERE collection = ?1 AND key = ?2 AND class = ?3 AND state = 0 AND seq <= ?4 LIMIT 1",
        )?
        .query_row(params![collection, key, class, last], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// The leaves of a collection in which something may refer to something, in order.
pub(super) fn leaves(base: &Connection, collection: u32) -> Result<Vec<i64>, rusqlite::Error> {
    let mut leaves =
        base.prepare_cached("SELECT no FROM leaf WHERE collection = ?1 AND refers = 1 ORDER BY first_seq")?;
    leaves.query_map([collection], |row| row.get(0))?.collect()
}

/// Changes a record's class in the index; its leaf is the caller's.
pub(super) fn set_class(
    change: &Transaction<'_>,
    collection: u32,
    key: &[u8],
    head: &Head,
    class: u32,
) -> Result<(), rusqlite::Error> {
    change
        .prepare_cached(
            "UPDATE version SET class = ?6 WHERE collection = ?1 AND key = ?2 AND micros = ?3 AND picos = ?4 AND seq = ?5",
        )?
        .execute(params![collection, key, head.micros, head.picos, head.seq, class])
        .map(drop)
}
