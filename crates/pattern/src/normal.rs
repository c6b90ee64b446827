//! The normal form of a pattern, and whether two patterns say the same.
//!
//! Two patterns with one normal form mean the same observations. The form is reached by rewriting: parentheses go, chains
//! are flat, ordered and (where that changes nothing) without repetition, `IN` is OR, `NOT =` is `!=`, operands that
//! others imply are absorbed, AND and FOLLOWEDBY are distributed over OR, and constants that are written in several ways
//! are written in one: addresses and networks, names in the Windows registry. The rules are those of the reference
//! library; what they do not know to be equal is not called equal. (One form of an address stands for all, though the
//! matcher, which compares text, tells `198.51.100.7` from `198.51.100.7/32`.)
//!
//! Distribution multiplies. Where it would pass [`MAX_TERMS`] a part stays as it is; two patterns that both pass it are
//! still compared, by a form that is not distributed there.

mod comparison;
mod observation;
mod value;

use crate::ast::{ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Pattern, Span};

/// Terms that distribution may make of one chain.
pub const MAX_TERMS: usize = 256;

/// The normal form, itself a pattern. Its parts stand nowhere: all spans are empty.
#[must_use]
pub fn normal(pattern: &Pattern) -> Pattern {
    Pattern { expression: observation::normal(&pattern.expression) }
}

/// Whether two patterns are known to say the same: their normal forms are equal.
#[must_use]
pub fn equivalent(a: &Pattern, b: &Pattern) -> bool {
    normal(a) == normal(b)
}

/// A part with what orders it, its text, computed once.
#[derive(Clone, Debug)]
struct Keyed<T> {
    key: String,
    part: T,
}

impl<T: std::fmt::Display> Keyed<T> {
    fn new(part: T) -> Self {
        Self { key: part.to_string(), part }
    }
}

impl<T> PartialEq for Keyed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Keyed<T> {}

impl<T> PartialOrd for Keyed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Keyed<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

fn comparison_of(kind: ComparisonKind) -> ComparisonExpression {
    ComparisonExpression { kind, span: Span::default() }
}

fn observation_of(kind: ObservationKind) -> ObservationExpression {
    ObservationExpression { kind, span: Span::default() }
}

/// Whether the sorted `small` is part of the sorted `large`, each element as often.
fn is_part<T: Ord>(small: &[T], large: &[T]) -> bool {
    let mut rest = large.iter();
    small.iter().all(|wanted| rest.by_ref().find(|element| *element >= wanted).is_some_and(|found| found == wanted))
}
