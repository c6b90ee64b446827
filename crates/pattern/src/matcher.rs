//! Patterns matched with observations (STIX 2.1 §9.3–9.7).
//!
//! A pattern is compiled once and matched often. Each `[ … ]` becomes a *leaf*, tested for one observation at a time;
//! the operators between leaves are answered by an exact search over which observations met which leaves. The search is
//! polynomial for what people write (AND, OR and REPEATS, a WITHIN around them, plain FOLLOWEDBY) and has a budget for
//! the rest, which is as hard as three-dimensional matching.
//!
//! Where the text leaves a choice we do as the reference matcher does:
//!
//! - WITHIN accepts a last observation exactly at the end of the window, where §9.5.1 wants it strictly earlier.
//! - `NOT EXISTS` matches nothing.
//! - `null` equals nothing: `!=` and the negated operators hold for it, except the negated orders.
//! - Qualifiers are checked one by one: of an observation with an extent in time each may take another instant.
//! - Hashes and addresses compare as text; what tells equal forms apart belongs before the matcher.
//!
//! And where its answer contradicts the text, as the text says: MATCHES and LIKE see over line ends (§9.6.1), ISSUBSET
//! and ISSUPERSET know IPv6 and bare addresses, IN compares its elements as `=` does.

mod compile;
mod constant;
mod flow;
mod like;
mod network;
mod path;
mod plan;
mod search;
mod test;
mod window;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::ast::Pattern;
use crate::error::Error;
use crate::observed::{Data, Moment, Observation, Observed};

pub use network::Network;
pub use path::decode_property;

use compile::{Shape, Source};
use test::Expression;

/// A compiled pattern. Cheap to use from many threads.
#[derive(Debug)]
pub struct Matcher {
    leaves: Vec<Expression>,
    sources: Vec<Source>,
    shape: Shape,
}

/// What came of matching.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Which observations make the pattern true; none if it is not.
    pub binding: Option<Vec<Bound>>,
    /// A value that should have been compared with a timestamp and is none. It counted as unequal. The reference
    /// matcher gives up here, so a caller that wants its verdict takes this as an error.
    pub unreadable: Option<Unreadable>,
}

impl Outcome {
    /// Whether the pattern is true.
    #[must_use]
    pub fn matched(&self) -> bool {
        self.binding.is_some()
    }

    /// The observations of the binding, each once, in their order.
    #[must_use]
    pub fn observations(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.binding.iter().flatten().map(|bound| bound.observation).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// An observation that a leaf is bound to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bound {
    /// The leaf: one of the different `[ … ]` of the pattern, counted from 0 in the order of the text.
    pub leaf: usize,
    /// The place of the observation.
    pub observation: usize,
}

/// A value that is no timestamp where one was needed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the value of {path} is no timestamp: `{}`", value.escape_debug())]
pub struct Unreadable {
    /// The path that led to it.
    pub path: String,
    /// Its first characters.
    pub value: String,
}

/// The search took more steps than it may.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, thiserror::Error)]
#[error("the pattern is too hard for these observations: the search was given up")]
pub struct Exhausted;

/// Steps that a search may take where nobody says otherwise; some seconds at most.
pub const BUDGET: u64 = 50_000_000;

/// Steps that the test of one leaf for one observation may take before it counts against the budget.
const STEPS_A_TEST: u64 = 64;

/// What the regular expressions of one pattern may take together, in bytes, where nobody says otherwise.
const MAX_REGEXES: usize = 8 << 20;

impl Matcher {
    /// Compiles a pattern: constants are read, regular expressions built.
    ///
    /// # Errors
    /// A constant with which the pattern can never match, and where it stands: a set of several types, a day that does
    /// not exist, an address that is none, a regular expression that is wrong, too large or not of the kind that runs
    /// in linear time (look-around, back-references). Such a pattern matches nothing (STIX 2.1 §9.1).
    pub fn new(pattern: &Pattern) -> Result<Self, Error> {
        Self::with_regexes(pattern, MAX_REGEXES)
    }

    /// As [`new`](Self::new), where the regular expressions of the pattern may take so many bytes together: for callers
    /// that keep many patterns of strangers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_regexes(pattern: &Pattern, most_bytes: usize) -> Result<Self, Error> {
        compile::compile(pattern, most_bytes)
    }

    /// Matches observations: whether the pattern is true for them, and by which.
    ///
    /// # Errors
    /// When the search takes more than [`BUDGET`] steps.
    pub fn find(&self, observed: &Observed<'_>) -> Result<Outcome, Exhausted> {
        self.find_within(observed, BUDGET)
    }

    /// As [`find`](Self::find) with another budget, which counts steps of the search, not instructions.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn find_within(&self, observed: &Observed<'_>, budget: u64) -> Result<Outcome, Exhausted> {
        // Testing every leaf for every observation is no search.
        let tests = observed.observations().len().saturating_mul(self.leaves.len()) as u64;
        let meter = Meter::new(budget.saturating_add(tests.saturating_mul(STEPS_A_TEST)));
        let scope = Scope::new(observed, &meter);
        if let Some(leaf) = self.only_leaf() {
            for (place, observation) in observed.observations().iter().enumerate() {
                if self.leaf_met(leaf, &scope, observation) {
                    let binding = Some(vec![Bound { leaf, observation: place }]);
                    return Ok(Outcome { binding, unreadable: scope.unreadable.take() });
                }
                meter.spent()?;
            }
            return Ok(Outcome { binding: None, unreadable: scope.unreadable.take() });
        }
        let mut met = vec![Vec::new(); self.leaves.len()];
        for (place, observation) in observed.observations().iter().enumerate() {
            let place = u32::try_from(place).map_err(|_| Exhausted)?;
            for (leaf, met) in met.iter_mut().enumerate() {
                if self.leaf_met(leaf, &scope, observation) {
                    met.push(place);
                }
            }
            meter.spent()?;
        }
        let moments: Vec<Moment> = observed.observations().iter().map(|observation| observation.moment).collect();
        let binding = search::bind(&self.shape, &self.sources, &moments, &met, &Meter::new(budget))?;
        Ok(Outcome { binding, unreadable: scope.unreadable.take() })
    }

    /// How many observations a match needs at least, each counted as often as it is used.
    #[must_use]
    pub fn demand(&self) -> u64 {
        self.shape.demand()
    }

    /// How many leaves there are: different `[ … ]`, numbered from 0 in the order of the text.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// Whether one observation alone decides: the pattern is one `[ … ]`, or several of which one is enough, without
    /// START and STOP.
    #[must_use]
    pub fn is_single(&self) -> bool {
        matches!(&self.shape, Shape::Leaf(source)
            if self.sources.get(*source).is_some_and(|source| source.members.iter().all(|member| member.window.is_empty())))
    }

    /// Whether an observation meets a leaf, START and STOP aside.
    ///
    /// # Errors
    /// When references run in circles for more steps than [`BUDGET`].
    pub fn meets(
        &self,
        leaf: usize,
        observed: &Observed<'_>,
        observation: &Observation<'_>,
    ) -> Result<bool, Exhausted> {
        let meter = Meter::new(BUDGET);
        let met = self.leaf_met(leaf, &Scope::new(observed, &meter), observation);
        meter.spent()?;
        Ok(met)
    }

    /// The values by which an observation meets a leaf, START and STOP aside: for every comparison of it that holds, also of
    /// several alternatives, the path as it is written and what it led to. Values that are compared as bytes are left out;
    /// of a leaf that is not met there are none.
    ///
    /// # Errors
    /// When references run in circles for more steps than [`BUDGET`].
    pub fn witnesses(
        &self,
        leaf: usize,
        observed: &Observed<'_>,
        observation: &Observation<'_>,
        each: &mut dyn FnMut(&str, &Data<'_>),
    ) -> Result<(), Exhausted> {
        let Some(expression) = self.leaves.get(leaf) else { return Ok(()) };
        let meter = Meter::new(BUDGET);
        let scope = Scope::new(observed, &meter);
        for root in observed.objects_of(observation) {
            if expression.holds(&scope, observation, root) {
                expression.witnesses(&scope, observation, root, each);
            }
        }
        meter.spent()
    }

    /// Whether observations make the pattern true of which only the moments are still known and, for each leaf, which
    /// of them met it (in ascending order). Together with [`meets`](Self::meets) this is what [`find`](Self::find) does.
    ///
    /// # Errors
    /// When the search takes more than `budget` steps.
    pub fn join(&self, moments: &[Moment], met: &[Vec<u32>], budget: u64) -> Result<Option<Vec<Bound>>, Exhausted> {
        search::bind(&self.shape, &self.sources, moments, met, &Meter::new(budget))
    }

    /// The longest time, in microseconds, between the last moment of one observation and the first of another that the
    /// pattern can still join: the largest WITHIN around all of it. None if there is no such bound.
    #[must_use]
    pub fn horizon(&self) -> Option<i64> {
        self.shape.horizon()
    }

    fn only_leaf(&self) -> Option<usize> {
        let Shape::Leaf(source) = &self.shape else { return None };
        match self.sources.get(*source)?.members.as_slice() {
            [member] if member.window.is_empty() => Some(member.leaf),
            _ => None,
        }
    }

    fn leaf_met(&self, leaf: usize, scope: &Scope<'_, '_>, observation: &Observation<'_>) -> bool {
        let Some(expression) = self.leaves.get(leaf) else { return false };
        scope.observed.objects_of(observation).any(|root| expression.holds(scope, observation, root))
    }
}

/// Counts the steps of one search.
#[derive(Debug)]
struct Meter(Cell<u64>);

impl Meter {
    fn new(budget: u64) -> Self {
        Self(Cell::new(budget))
    }

    /// Takes steps; false when there are none left.
    fn take(&self, steps: usize) -> bool {
        let left = self.0.get().saturating_sub(steps as u64);
        self.0.set(left);
        left > 0
    }

    fn charge(&self, steps: usize) -> Result<(), Exhausted> {
        if self.take(steps) { Ok(()) } else { Err(Exhausted) }
    }

    fn spent(&self) -> Result<(), Exhausted> {
        if self.0.get() > 0 { Ok(()) } else { Err(Exhausted) }
    }
}

/// What a leaf is tested in.
#[derive(Debug)]
struct Scope<'o, 'd> {
    observed: &'o Observed<'d>,
    meter: &'o Meter,
    unreadable: RefCell<Option<Unreadable>>,
    /// Steps into objects that were tried for the value at hand and led nowhere.
    visited: RefCell<HashSet<(usize, u32)>>,
}

impl<'o, 'd> Scope<'o, 'd> {
    fn new(observed: &'o Observed<'d>, meter: &'o Meter) -> Self {
        Self { observed, meter, unreadable: RefCell::new(None), visited: RefCell::default() }
    }

    fn found_unreadable(&self, path: &str, value: &str) {
        self.unreadable
            .borrow_mut()
            .get_or_insert_with(|| Unreadable { path: path.to_owned(), value: value.chars().take(64).collect() });
    }
}
