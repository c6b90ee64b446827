//! Many patterns that are no mere look-ups, met by a stream of observations.
//!
//! An index over the necessary atoms of the patterns ([`pattern::atoms`]) tells which leaves an observation may meet at
//! all; only those are tested. What an observation costs depends on what it shows, not on how many patterns there are,
//! as far as the atoms are values or networks: leaves whose atoms are neither (LIKE, MATCHES, orders, presence) are
//! tested whenever their path is there, and [`Report::unindexed`] counts them.
//!
//! Patterns that need several observations are matched per *entity*: whatever the caller takes for one source of events,
//! a host or a user. For each entity and pattern the observations that met a leaf are kept as long as the pattern could
//! still use them, within bounds; what is dropped before is counted. After a match a pattern starts afresh. A value that
//! should be a timestamp and is none counts as unequal. [`show`] turns an event of telemetry into an observation.
//!
//! A match is not told if warning lists name every value that has a kind and took part in it, as a claim on such a value is
//! not watched for; ports, protocols and the like make no difference. It counts as a match all the same: the pattern starts
//! afresh.

mod defer;
mod details;
mod index;
mod show;
mod state;
mod telemetry;
mod told;
mod witness;

use pattern::{Data, Leaf, Matcher, Moment, Observed, Pattern};

pub use defer::Deferred;
pub(crate) use details::Columns;
pub use show::show;
pub(crate) use telemetry::Circumstances;
pub use telemetry::{CANDIDATES, Patterns};
pub use witness::{MAX_WITNESSES, Witness};

use crate::warning::Warnings;
use index::Index;
use show::Origins;
use state::{Joined, Met, States};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use witness::{Listed, Sayings};

/// What bounds the memory of patterns that need several observations.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pairs of entity and pattern that are remembered; beyond, those that were not touched for longest are forgotten.
    pub states: usize,
    /// Observations that are kept for one such pair; beyond, the oldest are dropped. A pattern that needs more keeps so
    /// many, up to [`MAX_KEPT`].
    pub kept: usize,
    /// How long, in microseconds, observations are kept for patterns that say nothing of time.
    pub window: i64,
    /// Steps that one search may take ([`Matcher::join`]).
    pub budget: u64,
}

/// The most observations that are kept for one entity and pattern.
pub const MAX_KEPT: usize = 4_096;

/// What the regular expressions of one pattern may take together, in bytes.
const MAX_REGEXES: usize = 512 << 10;

impl Default for Limits {
    /// A million states of 64 observations, a day, a millisecond or so.
    fn default() -> Self {
        Self { states: 1_000_000, kept: 64, window: 86_400_000_000, budget: 100_000 }
    }
}

/// A pattern that became true.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The name that the pattern was given.
    pub name: u64,
    /// The tokens of the observations that made it true, each once, in the order in which they came.
    pub observations: Vec<u64>,
    /// Values in them by which it was found, [`MAX_BOUND`] at most.
    pub bound: Vec<Bound>,
    /// Values in them that have a kind and took part, [`MAX_WITNESSES`] at most.
    pub witnesses: Vec<Witness>,
}

/// A value that met a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bound {
    /// The field of the event that it stood in; empty where that is not known.
    pub field: Box<str>,
    /// The value, as it stood there; cut after some characters.
    pub value: Box<str>,
}

/// So many values of a match are told.
pub const MAX_BOUND: usize = 5;

/// Places of patterns that were removed, beside as many as there are patterns.
const MOST_GONE: usize = 1_024;

/// Bytes of a value that are told.
const MAX_VALUE: usize = 128;

/// A pattern that cannot be matched, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The name that it was given.
    pub name: u64,
    /// What is wrong with it.
    pub error: pattern::Error,
}

/// What there is and what was left out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Patterns that are matched.
    pub patterns: usize,
    /// Their leaves.
    pub leaves: usize,
    /// Leaves that are tested whenever their path is there.
    pub unindexed: usize,
    /// Pairs of entity and pattern that are remembered.
    pub states: usize,
    /// Pairs that were forgotten to keep the bound.
    pub forgotten: u64,
    /// Observations that were dropped to keep the bound while a pattern could still have used them.
    pub dropped: u64,
    /// Searches and look-ups that took more than their budget.
    pub exhausted: u64,
    /// Matches that were not told: warning lists name every value that they were made by.
    pub benign: u64,
}

/// Patterns and what they remember.
#[derive(Debug)]
pub struct General {
    /// By their numbers; empty where one was removed.
    patterns: Vec<Option<Compiled>>,
    numbers: HashMap<u64, u32>,
    index: Index,
    states: States,
    limits: Limits,
    dropped: u64,
    exhausted: u64,
    /// What met a part of a pattern that needs several observations, where that is put off.
    deferred: Option<Vec<defer::Put>>,
    warnings: Option<Arc<Warnings>>,
    /// Matches that were not told, by the first warning list that names a value of theirs.
    benign: BTreeMap<Box<str>, u64>,
    /// Kept for its memory.
    candidates: Vec<(u32, u32)>,
}

#[derive(Debug)]
struct Compiled {
    name: u64,
    matcher: Matcher,
    is_single: bool,
    atoms: Box<[Leaf]>,
    sayings: Sayings,
}

impl General {
    /// Compiles patterns, each with a name of the caller's; those that can never match are refused.
    pub fn new<'p>(patterns: impl IntoIterator<Item = (u64, &'p Pattern)>, limits: Limits) -> (Self, Vec<Refused>) {
        let mut general = Self::empty(limits);
        let mut refused = Vec::new();
        for (name, pattern) in patterns {
            if let Err(error) = general.add(name, pattern, &pattern::atoms(pattern)) {
                refused.push(Refused { name, error });
            }
        }
        (general, refused)
    }

    /// Without any pattern.
    fn empty(limits: Limits) -> Self {
        Self {
            patterns: Vec::new(),
            numbers: HashMap::new(),
            index: Index::default(),
            states: States::new(limits.states),
            limits,
            dropped: 0,
            exhausted: 0,
            deferred: None,
            warnings: None,
            benign: BTreeMap::new(),
            candidates: Vec::new(),
        }
    }

    /// Adds a pattern whose necessary atoms these are; one of the same name goes.
    fn add(&mut self, name: u64, pattern: &Pattern, atoms: &[Leaf]) -> Result<(), pattern::Error> {
        let matcher = Matcher::with_regexes(pattern, MAX_REGEXES)?;
        self.remove(name);
        let number = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        for (leaf, needs) in (0_u32..).zip(atoms) {
            self.index.add(number, leaf, needs);
        }
        let is_single = matcher.is_single();
        let sayings = Sayings::of(pattern);
        self.patterns.push(Some(Compiled { name, is_single, matcher, atoms: atoms.into(), sayings }));
        self.numbers.insert(name, number);
        Ok(())
    }

    /// Takes a pattern away; what is filed under it in the index leads nowhere from then on.
    fn remove(&mut self, name: u64) -> bool {
        let number = self.numbers.remove(&name);
        let place = number.and_then(|number| self.patterns.get_mut(number as usize));
        let was = place.is_some_and(|place| place.take().is_some());
        if self.patterns.len() > 2 * self.numbers.len() + MOST_GONE {
            self.compact();
        }
        was
    }

    /// Forgets all that is left of patterns that were removed.
    fn compact(&mut self) {
        let mut moved: HashMap<u32, u32> = HashMap::new();
        let mut index = Index::default();
        let old = std::mem::take(&mut self.patterns);
        for (before, compiled) in (0_u32..).zip(old) {
            let Some(compiled) = compiled else { continue };
            let number = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
            for (leaf, needs) in (0_u32..).zip(&compiled.atoms) {
                index.add(number, leaf, needs);
            }
            moved.insert(before, number);
            self.numbers.insert(compiled.name, number);
            self.patterns.push(Some(compiled));
        }
        self.index = index;
        self.states.renumber(&moved);
    }

    /// Takes in observations of one entity, in the order in which they were made as well as that is known, and says what
    /// became true. `token` is the caller's word for them, a line or a sequence number.
    pub fn observe(&mut self, entity: u64, token: u64, observed: &Observed<'_>, each: &mut dyn FnMut(Match)) {
        self.observe_of(entity, token, (observed, &Origins::default()), each);
    }

    /// The same, of objects of which is known where their values come from.
    fn observe_of(
        &mut self,
        entity: u64,
        token: u64,
        (observed, origins): (&Observed<'_>, &Origins),
        each: &mut dyn FnMut(Match),
    ) {
        let mut candidates = std::mem::take(&mut self.candidates);
        for observation in observed.observations() {
            candidates.clear();
            let mut seen = Vec::new();
            if !self.index.candidates(observed, observation, &mut candidates, &mut seen) {
                self.exhausted += 1;
            }
            candidates.sort_unstable();
            candidates.dedup();
            let mut met: Option<(u32, Met)> = None;
            for candidate in candidates.chunk_by(|one, next| one.0 == next.0) {
                let Some((number, leaf)) = candidate.first().and_then(|(leaf, _)| self.index.leaf(*leaf)) else {
                    continue;
                };
                // Candidates come pattern by pattern.
                if let Some((before, met)) = met.take_if(|(before, _)| *before != number) {
                    self.met(entity, observation.moment, before, met, each);
                }
                let Some(Some(compiled)) = self.patterns.get(number as usize) else { continue };
                match compiled.matcher.meets(leaf as usize, observed, observation) {
                    Ok(true) => {
                        let (_, met) = met.get_or_insert_with(|| (number, Met { token, ..Met::default() }));
                        met.leaves.push(leaf);
                        let (shown, found) = ((observed, origins), (&mut met.witnesses, &mut met.listed));
                        let test = (&compiled.matcher, leaf as usize);
                        compiled.sayings.witnesses(test, shown, observation, self.warnings.as_deref(), found);
                        bind(candidate.iter().filter_map(|(_, at)| seen.get(*at as usize)), origins, &mut met.bound);
                    }
                    Ok(false) => {}
                    Err(_) => self.exhausted += 1,
                }
            }
            if let Some((number, met)) = met {
                self.met(entity, observation.moment, number, met, each);
            }
        }
        self.candidates = candidates;
    }

    /// How many of what.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            patterns: self.numbers.len(),
            leaves: self.index.leaves(),
            unindexed: self.index.unindexed(),
            states: self.states.len(),
            forgotten: self.states.forgotten(),
            dropped: self.dropped,
            exhausted: self.exhausted,
            benign: self.benign.values().sum(),
        }
    }

    /// Tells a match, unless all that it was made by is well known and benign.
    fn tell(&mut self, listed: Listed, found: Match, each: &mut dyn FnMut(Match)) {
        match listed.benign() {
            None => each(found),
            Some(list) => *self.benign.entry(list).or_default() += 1,
        }
    }

    /// An observation met these leaves of a pattern.
    fn met(&mut self, entity: u64, moment: Moment, number: u32, met: Met, each: &mut dyn FnMut(Match)) {
        let Some(Some(compiled)) = self.patterns.get(number as usize) else { return };
        let name = compiled.name;
        if compiled.is_single {
            let Met { token, bound, witnesses, listed, .. } = met;
            return self.tell(listed, Match { name, observations: vec![token], bound, witnesses }, each);
        }
        if let Some(deferred) = &mut self.deferred {
            return deferred.push(defer::Put { name, moment: moment.first, met });
        }
        self.met_by_several(entity, moment, number, met, each);
    }

    /// The same of a pattern that needs several observations.
    fn met_by_several(&mut self, entity: u64, moment: Moment, number: u32, met: Met, each: &mut dyn FnMut(Match)) {
        let Some(Some(compiled)) = self.patterns.get(number as usize) else { return };
        let name = compiled.name;
        let needed = usize::try_from(compiled.matcher.demand().saturating_mul(2)).unwrap_or(usize::MAX);
        let most = self.limits.kept.max(needed).min(MAX_KEPT);
        let window = compiled.matcher.horizon().unwrap_or(self.limits.window);
        let state = self.states.of(entity, number);
        self.dropped += state.add(moment, met, window, most);
        match state.join(&compiled.matcher, self.limits.budget) {
            Ok(None) => {}
            Ok(Some(Joined { observations, bound, witnesses, listed })) => {
                state.clear();
                self.tell(listed, Match { name, observations, bound, witnesses }, each);
            }
            Err(_) => self.exhausted += 1,
        }
    }
}

/// Notes values that met a pattern, each once.
fn bind<'d>(values: impl Iterator<Item = &'d &'d Data<'d>>, origins: &Origins, bound: &mut Vec<Bound>) {
    for value in values {
        let shown = match value {
            Data::Text(text) => text.to_string(),
            Data::Integer(number) => number.to_string(),
            _ => continue,
        };
        let (field, value) = origins.of(&shown).unwrap_or(("", &shown));
        let value = Bound { field: field.into(), value: cut(value).into() };
        if bound.len() < MAX_BOUND && !bound.contains(&value) {
            bound.push(value);
        }
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_VALUE)).unwrap_or(text)
}
