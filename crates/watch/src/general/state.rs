//! What patterns remember of the observations of an entity.

use std::collections::{HashMap, VecDeque};

use super::witness::{Listed, MAX_WITNESSES, Witness};
use super::{Bound, MAX_BOUND};
use pattern::{Exhausted, Matcher, Moment};

/// Observations that make a pattern true.
#[derive(Debug)]
pub(super) struct Joined {
    /// Their tokens.
    pub(super) observations: Vec<u64>,
    pub(super) bound: Vec<Bound>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) listed: Listed,
}

/// An observation that met leaves of a pattern.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) token: u64,
    pub(super) leaves: Vec<u32>,
    /// Values by which it was found.
    pub(super) bound: Vec<Bound>,
    /// Values that have a kind and took part.
    pub(super) witnesses: Vec<Witness>,
    /// What warning lists say of those.
    pub(super) listed: Listed,
}

/// The observations of one entity that met leaves of one pattern.
#[derive(Debug, Default)]
pub(super) struct State {
    kept: VecDeque<Kept>,
    /// The latest moment that any of them ended.
    latest: Option<i64>,
}

#[derive(Debug)]
struct Kept {
    moment: Moment,
    met: Met,
}

impl State {
    /// Keeps an observation, and lets go those that ended longer than the window before the latest. Returns how many had
    /// to go for there being more than `most`.
    pub(super) fn add(&mut self, moment: Moment, met: Met, window: i64, most: usize) -> u64 {
        let latest = self.latest.map_or(moment.first, |latest| latest.max(moment.first));
        self.latest = Some(latest);
        let oldest = latest.saturating_sub(window);
        // What came late may be old behind younger ones; it goes when it reaches the front, or counts against the most.
        while self.kept.front().is_some_and(|kept| kept.moment.last < oldest) {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { moment, met });
        let mut dropped = 0;
        while self.kept.len() > most.max(1) {
            self.kept.pop_front();
            dropped += 1;
        }
        dropped
    }

    /// The observations that make the pattern true: their tokens, and the values that met it.
    pub(super) fn join(&self, matcher: &Matcher, budget: u64) -> Result<Option<Joined>, Exhausted> {
        let capacity = self.kept.iter().fold(0_u64, |sum, kept| sum.saturating_add(kept.moment.count));
        if capacity < matcher.demand() {
            return Ok(None);
        }
        let moments: Vec<Moment> = self.kept.iter().map(|kept| kept.moment).collect();
        let mut met = vec![Vec::new(); matcher.leaves()];
        for (place, kept) in (0_u32..).zip(&self.kept) {
            for leaf in &kept.met.leaves {
                if let Some(met) = met.get_mut(*leaf as usize) {
                    met.push(place);
                }
            }
        }
        let Some(bound) = matcher.join(&moments, &met, budget)? else { return Ok(None) };
        let mut places: Vec<usize> = bound.iter().map(|bound| bound.observation).collect();
        places.sort_unstable();
        places.dedup();
        let mut joined =
            Joined { observations: Vec::new(), bound: Vec::new(), witnesses: Vec::new(), listed: Listed::default() };
        for Kept { met, .. } in places.iter().filter_map(|place| self.kept.get(*place)) {
            joined.observations.push(met.token);
            add(&met.bound, &mut joined.bound, MAX_BOUND);
            add(&met.witnesses, &mut joined.witnesses, MAX_WITNESSES);
            joined.listed.merge(&met.listed);
        }
        Ok(Some(joined))
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// Adds what is not there yet.
fn add<T: Clone + PartialEq>(more: &[T], all: &mut Vec<T>, most: usize) {
    for one in more {
        if all.len() < most && !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// All states, in two generations: when the young are half of what may be, the old are forgotten and the young are old.
/// What is touched becomes young again, so what is forgotten was not touched for long.
#[derive(Debug)]
pub(super) struct States {
    young: HashMap<(u64, u32), State>,
    old: HashMap<(u64, u32), State>,
    most: usize,
    forgotten: u64,
}

impl States {
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most: most.max(2), forgotten: 0 }
    }

    pub(super) fn of(&mut self, entity: u64, pattern: u32) -> &mut State {
        let key = (entity, pattern);
        let known = self.old.remove(&key);
        if known.is_none() && !self.young.contains_key(&key) && self.young.len() >= self.most / 2 {
            let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.forgotten += gone.values().filter(|state| !state.kept.is_empty()).count() as u64;
        }
        let state = self.young.entry(key).or_default();
        if let Some(known) = known {
            *state = known;
        }
        state
    }

    /// Gives patterns other numbers, and forgets those that have none.
    pub(super) fn renumber(&mut self, numbers: &HashMap<u32, u32>) {
        for states in [&mut self.young, &mut self.old] {
            let before = std::mem::take(states);
            let renumbered = before.into_iter();
            *states = renumbered
                .filter_map(|((entity, number), state)| Some(((entity, *numbers.get(&number)?), state)))
                .collect();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
