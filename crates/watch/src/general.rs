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

mod index;
mod show;
mod state;

use pattern::{Matcher, Moment, Observed, Pattern};

pub use show::show;

use index::Index;
use state::States;

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
}

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
}

/// Patterns and what they remember.
#[derive(Debug)]
pub struct General {
    patterns: Vec<Compiled>,
    index: Index,
    states: States,
    limits: Limits,
    dropped: u64,
    exhausted: u64,
    /// Kept for its memory.
    candidates: Vec<u32>,
}

#[derive(Debug)]
struct Compiled {
    name: u64,
    matcher: Matcher,
    is_single: bool,
}

impl General {
    /// Compiles patterns, each with a name of the caller's; those that can never match are refused.
    pub fn new<'p>(patterns: impl IntoIterator<Item = (u64, &'p Pattern)>, limits: Limits) -> (Self, Vec<Refused>) {
        let mut compiled = Vec::new();
        let mut index = Index::default();
        let mut refused = Vec::new();
        for (name, pattern) in patterns {
            match Matcher::with_regexes(pattern, MAX_REGEXES) {
                Ok(matcher) => {
                    let number = u32::try_from(compiled.len()).unwrap_or(u32::MAX);
                    for (leaf, needs) in (0_u32..).zip(pattern::atoms(pattern)) {
                        index.add(number, leaf, &needs);
                    }
                    compiled.push(Compiled { name, is_single: matcher.is_single(), matcher });
                }
                Err(error) => refused.push(Refused { name, error }),
            }
        }
        let states = States::new(limits.states);
        let general =
            Self { patterns: compiled, index, states, limits, dropped: 0, exhausted: 0, candidates: Vec::new() };
        (general, refused)
    }

    /// Takes in observations of one entity, in the order in which they were made as well as that is known, and says what
    /// became true. `token` is the caller's word for them, a line or a sequence number.
    pub fn observe(&mut self, entity: u64, token: u64, observed: &Observed<'_>, each: &mut dyn FnMut(Match)) {
        for observation in observed.observations() {
            let mut candidates = std::mem::take(&mut self.candidates);
            candidates.clear();
            if !self.index.candidates(observed, observation, &mut candidates) {
                self.exhausted += 1;
            }
            candidates.sort_unstable();
            candidates.dedup();
            let mut met: Option<(u32, Vec<u32>)> = None;
            for candidate in &candidates {
                let Some((number, leaf)) = self.index.leaf(*candidate) else { continue };
                // Candidates come pattern by pattern.
                if let Some((before, leaves)) = met.take_if(|(before, _)| *before != number) {
                    self.met(entity, token, observation.moment, before, leaves, each);
                }
                let Some(compiled) = self.patterns.get(number as usize) else { continue };
                match compiled.matcher.meets(leaf as usize, observed, observation) {
                    Ok(true) => met.get_or_insert_with(|| (number, Vec::new())).1.push(leaf),
                    Ok(false) => {}
                    Err(_) => self.exhausted += 1,
                }
            }
            if let Some((number, leaves)) = met {
                self.met(entity, token, observation.moment, number, leaves, each);
            }
            self.candidates = candidates;
        }
    }

    /// How many of what.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            patterns: self.patterns.len(),
            leaves: self.index.leaves(),
            unindexed: self.index.unindexed(),
            states: self.states.len(),
            forgotten: self.states.forgotten(),
            dropped: self.dropped,
            exhausted: self.exhausted,
        }
    }

    /// An observation met these leaves of a pattern.
    fn met(
        &mut self,
        entity: u64,
        token: u64,
        moment: Moment,
        number: u32,
        leaves: Vec<u32>,
        each: &mut dyn FnMut(Match),
    ) {
        let Some(compiled) = self.patterns.get(number as usize) else { return };
        if compiled.is_single {
            each(Match { name: compiled.name, observations: vec![token] });
            return;
        }
        let needed = usize::try_from(compiled.matcher.demand().saturating_mul(2)).unwrap_or(usize::MAX);
        let most = self.limits.kept.max(needed).min(MAX_KEPT);
        let window = compiled.matcher.horizon().unwrap_or(self.limits.window);
        let state = self.states.of(entity, number);
        self.dropped += state.add(moment, token, leaves, window, most);
        match state.join(&compiled.matcher, self.limits.budget) {
            Ok(None) => {}
            Ok(Some(observations)) => {
                state.clear();
                each(Match { name: compiled.name, observations });
            }
            Err(_) => self.exhausted += 1,
        }
    }
}
