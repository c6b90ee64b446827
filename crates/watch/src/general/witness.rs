//! The values by which a pattern was met, as whoever is told of a match wants them, and whether warning lists name them all.

use observable::{Claim, Kind};
use pattern::{
    Atom, ComparisonExpression, ComparisonKind, Data, Matcher, Need, Observation, ObservationExpression,
    ObservationKind, Observed, Operand, Operator, Pattern, Value,
};

use super::show::Origins;
use super::told;
use crate::warning::Warnings;

/// A value of telemetry that took part in a match.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Witness {
    /// Its kind.
    pub kind: Kind,
    /// As it stood in the event where that is known, else in its canonical form.
    pub value: Box<str>,
    /// Whether the pattern itself names it as a claim would: by itself, by a network or by a domain above it. What it was
    /// met by otherwise (LIKE, MATCHES, an order, a negation) only our own sensors show.
    pub is_named: bool,
}

/// So many are kept of a match.
pub const MAX_WITNESSES: usize = 8;

/// Bytes of a value that is kept; a longer one is not.
const MAX_VALUE: usize = 1_024;

/// What warning lists say of the values by which something was met.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Listed {
    /// The first list that names one of them.
    list: Option<Box<str>>,
    /// Whether there is one that no list names.
    unlisted: bool,
}

impl Listed {
    /// The list that has what a match has: every value of it that is observable is on some list, and there is one.
    pub(super) fn benign(self) -> Option<Box<str>> {
        self.list.filter(|_| !self.unlisted)
    }

    pub(super) fn of(list: Option<Box<str>>, unlisted: bool) -> Self {
        Self { list, unlisted }
    }

    pub(super) fn parts(self) -> (Option<Box<str>>, bool) {
        (self.list, self.unlisted)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.unlisted |= other.unlisted;
        if self.list.is_none() {
            self.list.clone_from(&other.list);
        }
    }

    fn see(&mut self, list: Option<&str>) {
        match list {
            Some(list) if self.list.is_none() => self.list = Some(list.into()),
            Some(_) => {}
            None => self.unlisted = true,
        }
    }
}

/// A comparison of a pattern whose path leads to values of a kind.
#[derive(Debug)]
struct Said {
    /// The path as it is written, as a matcher names it.
    path: Box<str>,
    /// What names values; nothing else of a comparison is kept.
    atom: Atom,
}

/// What a pattern says of values that have a kind.
#[derive(Debug, Default)]
pub(super) struct Sayings(Box<[Said]>);

impl Sayings {
    pub(super) fn of(pattern: &Pattern) -> Self {
        let mut said = Vec::new();
        observation(&pattern.expression, &mut said);
        Self(said.into())
    }

    /// Adds the values by which an observation meets a leaf.
    pub(super) fn witnesses(
        &self,
        (matcher, leaf): (&Matcher, usize),
        (observed, origins): (&Observed<'_>, &Origins),
        observation: &Observation<'_>,
        warnings: Option<&Warnings>,
        (found, listed): (&mut Vec<Witness>, &mut Listed),
    ) {
        // All places are gone over here, one that holds was enough when the leaf was tested: it may take too long where that did
        // not. Who cannot be sure that all is benign does not say so.
        let seen = matcher.witnesses(leaf, observed, observation, &mut |path, data| {
            let Some((kind, shown)) = self.kind(path, data) else { return };
            if let Some(warnings) = warnings {
                listed.see(warnings.benign(&Claim::new(kind, shown.as_str())).first().copied());
            }
            if found.len() >= MAX_WITNESSES {
                return;
            }
            let value = origins.of(&shown).map_or(shown.as_str(), |(_, raw)| raw);
            if value.len() <= MAX_VALUE && !found.iter().any(|known| known.kind == kind && &*known.value == value) {
                let is_named = self.names(path, kind, &shown);
                found.push(Witness { kind, value: value.into(), is_named });
            }
        });
        if seen.is_err() {
            listed.see(None);
        }
    }

    /// The kind of a value that this path led to, and the value as text.
    fn kind(&self, path: &str, data: &Data<'_>) -> Option<(Kind, String)> {
        let said = self.0.iter().find(|said| &*said.path == path)?;
        let (value, shown) = match data {
            Data::Text(text) => (Value::String((&**text).into()), text.to_string()),
            Data::Integer(number) => (Value::Integer(*number), number.to_string()),
            _ => return None,
        };
        Some((told::kind(&said.atom.path, &value)?, shown))
    }

    fn names(&self, path: &str, kind: Kind, shown: &str) -> bool {
        self.0.iter().filter(|said| &*said.path == path).any(|said| match &said.atom.need {
            Need::OneOf(values) => values.iter().any(|value| match value {
                Value::String(text) => &**text == shown,
                Value::Integer(number) => number.to_string() == shown,
                _ => false,
            }),
            Need::Pass(..) => told::claims(&said.atom)
                .is_some_and(|claims| claims.iter().any(|claim| claim.meets(kind, shown.as_bytes()))),
            Need::Present => false,
        })
    }
}

/// Recurses as deep as the parser lets parentheses nest, as do the others.
fn observation(expression: &ObservationExpression, said: &mut Vec<Said>) {
    match &expression.kind {
        ObservationKind::Observation(inner) => comparison(inner, said),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => observation(inner, said),
        ObservationKind::And(parts) | ObservationKind::Or(parts) | ObservationKind::FollowedBy(parts) => {
            parts.iter().for_each(|part| observation(part, said));
        }
    }
}

fn comparison(expression: &ComparisonExpression, said: &mut Vec<Said>) {
    match &expression.kind {
        ComparisonKind::Group(inner) => comparison(inner, said),
        ComparisonKind::And(parts) | ComparisonKind::Or(parts) => parts.iter().for_each(|part| comparison(part, said)),
        ComparisonKind::Exists { .. } => {}
        ComparisonKind::Comparison(test) => {
            if !told::is_observable(&test.path) {
                return;
            }
            let need = match (&test.operand, test.operator, test.negated) {
                (_, Operator::Equal | Operator::In, false) | (_, Operator::NotEqual, true) => {
                    Need::OneOf(test.operand.constants().iter().map(|constant| constant.value.clone()).collect())
                }
                (Operand::Constant(constant), operator @ (Operator::IsSubset | Operator::Like), false) => {
                    Need::Pass(operator, constant.value.clone())
                }
                _ => Need::Present,
            };
            said.push(Said { path: test.path.to_string().into(), atom: Atom { path: test.path.clone(), need } });
        }
    }
}
