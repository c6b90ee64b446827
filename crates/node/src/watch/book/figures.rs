//! How the set stands, for people and for metrics.

use super::object::Why;
use super::{Error, Shared};
use ledger::{Ledger as _, Micros, Seq};
use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// Refusals that are kept with the indicator that they are about.
const EXAMPLES: usize = 100;

/// What was counted while the book was read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Indicators that are watched for, as they came; versions count anew.
    pub(super) indicators: u64,
    refused: BTreeMap<Why, u64>,
    /// Of those that are well known, by the first list that names them.
    benign: BTreeMap<Box<str>, u64>,
    /// The last of them.
    examples: VecDeque<(Why, String)>,
}

impl Counts {
    pub(super) fn refuse(&mut self, why: Why, id: &str) {
        *self.refused.entry(why).or_default() += 1;
        if self.examples.len() == EXAMPLES {
            self.examples.pop_front();
        }
        self.examples.push_back((why, id.to_owned()));
    }

    pub(super) fn benign(&mut self, list: &str, id: &str) {
        match self.benign.get_mut(list) {
            Some(count) => *count += 1,
            None => drop(self.benign.insert(list.into(), 1)),
        }
        self.refuse(Why::Benign, id);
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.indicators += more.indicators;
        for (why, count) in &more.refused {
            *self.refused.entry(*why).or_default() += count;
        }
        for (list, count) in &more.benign {
            *self.benign.entry(list.clone()).or_default() += count;
        }
        self.examples.extend(more.examples.iter().cloned());
        let over = self.examples.len().saturating_sub(EXAMPLES);
        self.examples.drain(..over);
    }
}

/// Figures of the set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Indicators that were taken in.
    pub indicators: u64,
    /// Claims in the set.
    pub claims: u64,
    /// Patterns beside it.
    pub patterns: u64,
    /// What the set and the names take in memory.
    pub bytes: u64,
    /// How long something in the book has been there that the set does not have; 0: it has everything.
    pub lag: Micros,
}

/// How the set stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// In numbers.
    pub figures: Figures,
    /// Up to where the book was read.
    pub position: Option<Seq>,
    /// What is not watched for, by reason.
    pub refused: Vec<(Why, u64)>,
    /// Of those on what is well known and benign ([`Why::Benign`]), how many for each list that names them.
    pub benign: Vec<(Box<str>, u64)>,
    /// The last of those that are not watched for, by the id of the indicator.
    pub examples: Vec<(Why, String)>,
    /// Matches of patterns that were not told since warning lists name every value that they were made by, for each list.
    pub benign_matches: Vec<(Box<str>, u64)>,
}

pub(super) fn status(shared: &Shared) -> Result<Status, Error> {
    let snapshot = shared.now();
    let position = Some(Seq(shared.position.load(Ordering::Acquire))).filter(|seq| seq.0 != i64::MIN);
    // The first that is not taken in yet has been there since its number.
    let waiting = match shared.book.last()? > position {
        true => shared.book.follow(position.unwrap_or(Seq(i64::MIN)), 1, &mut |_| {})?,
        false => None,
    };
    let lag = waiting.map_or(0, |waiting| shared.at().saturating_sub(waiting.0));
    let names = shared.names.read().unwrap_or_else(PoisonError::into_inner);
    let counts = shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Status {
        figures: Figures {
            indicators: counts.indicators,
            claims: snapshot.set.len().saturating_sub(shared.patterns.claims()) as u64,
            patterns: snapshot.general.len() as u64,
            bytes: (snapshot.set.bytes() + names.bytes()) as u64,
            lag: lag.max(0),
        },
        position,
        refused: counts.refused.iter().map(|(why, count)| (*why, *count)).collect(),
        benign: counts.benign.iter().map(|(list, count)| (list.clone(), *count)).collect(),
        benign_matches: shared.patterns.benign().into_iter().collect(),
        examples: counts.examples.iter().cloned().collect(),
    })
}
