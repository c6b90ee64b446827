//! Necessary atoms: what must be in the data for a pattern to have a chance. An index over them tells which of many
//! patterns an observation concerns at all.

use std::collections::{BTreeSet, HashSet};

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operator,
    Pattern,
};
use crate::constant::Value;

/// A test of one path that the data must pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Where the value is.
    pub path: ObjectPath,
    /// What it is asked for.
    pub need: Need,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// To equal one of these constants.
    OneOf(Vec<Value>),
    /// To pass this operator with this constant.
    Pass(Operator, Value),
    /// To be there.
    Present,
}

/// What must be in the data for one leaf.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaf {
    /// One of these at least; none if nothing can ever meet the leaf.
    pub alternatives: Vec<Atom>,
    /// Whether the alternatives say all: any one of them is enough.
    pub is_exact: bool,
}

/// The necessary atoms of each leaf: of each different `[ … ]` of the pattern, numbered as
/// [`Matcher`](crate::Matcher) numbers them. A pattern needs all leaves that AND and FOLLOWEDBY join, and one of those
/// that OR joins.
#[must_use]
pub fn atoms(pattern: &Pattern) -> Vec<Leaf> {
    atoms_preferring(pattern, &|_| false)
}

/// The same; where there is a choice, atoms that are all preferred come before others.
#[must_use]
pub fn atoms_preferring(pattern: &Pattern, prefer: &dyn Fn(&Atom) -> bool) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut known = HashSet::new();
    collect(&pattern.expression, &mut |comparison| {
        if known.insert(comparison.to_string()) {
            leaves.push(Leaf { alternatives: preferred(comparison, prefer), is_exact: is_exact(comparison) });
        }
    });
    leaves
}

/// Whether the pattern is an exact look-up: a value of some path equals one of its constants, and nothing more is said.
#[must_use]
pub fn is_look_up(pattern: &Pattern) -> bool {
    let joins = |expression: &ObservationExpression| {
        !matches!(
            expression.kind,
            ObservationKind::And(_) | ObservationKind::FollowedBy(_) | ObservationKind::Qualified(..)
        )
    };
    fn all(expression: &ObservationExpression, holds: &dyn Fn(&ObservationExpression) -> bool) -> bool {
        holds(expression)
            && match &expression.kind {
                ObservationKind::Group(inner) => all(inner, holds),
                ObservationKind::Or(operands) => operands.iter().all(|operand| all(operand, holds)),
                _ => true,
            }
    }
    let by_value = |leaf: &Leaf| {
        let exact = |atom: &Atom| matches!(atom.need, Need::OneOf(_));
        leaf.is_exact && !leaf.alternatives.is_empty() && leaf.alternatives.iter().all(exact)
    };
    all(&pattern.expression, &joins) && atoms(pattern).iter().all(by_value)
}

fn collect<'p>(expression: &'p ObservationExpression, each: &mut dyn FnMut(&'p ComparisonExpression)) {
    match &expression.kind {
        ObservationKind::Observation(comparison) => each(comparison),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => collect(inner, each),
        ObservationKind::And(operands) | ObservationKind::Or(operands) | ObservationKind::FollowedBy(operands) => {
            operands.iter().for_each(|operand| collect(operand, each));
        }
    }
}

/// Atoms of which one must be present; none if nothing can ever meet the expression.
pub(crate) fn alternatives(expression: &ComparisonExpression) -> Vec<Atom> {
    preferred(expression, &|_| false)
}

fn preferred(expression: &ComparisonExpression, prefer: &dyn Fn(&Atom) -> bool) -> Vec<Atom> {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => of_comparison(comparison),
        ComparisonKind::Exists { negated: true, .. } => Vec::new(),
        ComparisonKind::Exists { path, negated: false } => vec![Atom { path: path.clone(), need: Need::Present }],
        ComparisonKind::Group(inner) => preferred(inner, prefer),
        ComparisonKind::Or(operands) => {
            merged(operands.iter().flat_map(|operand| preferred(operand, prefer)).collect())
        }
        ComparisonKind::And(operands) => {
            if types(expression).is_empty() {
                return Vec::new();
            }
            let choices: Vec<Vec<Atom>> = operands.iter().map(|operand| preferred(operand, prefer)).collect();
            if choices.iter().any(Vec::is_empty) {
                return Vec::new();
            }
            // Every operand is necessary; the one that the fewest data have is the best to look for.
            let rank = |atoms: &Vec<Atom>| (!atoms.iter().all(prefer), weight(atoms));
            choices.into_iter().min_by_key(rank).unwrap_or_default()
        }
    }
}

fn of_comparison(comparison: &Comparison) -> Vec<Atom> {
    let constants = comparison.operand.constants();
    let need = match (comparison.operator, comparison.negated, constants) {
        (Operator::NotEqual, true, _) | (Operator::Equal | Operator::In, false, _) => {
            if constants.is_empty() {
                return Vec::new();
            }
            Need::OneOf(constants.iter().map(|constant| constant.value.clone()).collect())
        }
        (operator, false, [constant]) if operator != Operator::NotEqual => Need::Pass(operator, constant.value.clone()),
        _ => Need::Present,
    };
    vec![Atom { path: comparison.path.clone(), need }]
}

/// Equalities of one path become one atom.
fn merged(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut places: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut all: Vec<Atom> = Vec::new();
    for atom in atoms {
        if let Need::OneOf(values) = &atom.need {
            let next = all.len();
            let place = *places.entry(atom.path.to_string()).or_insert(next);
            if let Some(Atom { need: Need::OneOf(known), .. }) = all.get_mut(place) {
                known.extend(values.iter().cloned());
                continue;
            }
        }
        all.push(atom);
    }
    all
}

/// How much data have one of these, as far as one can guess.
fn weight(atoms: &[Atom]) -> (u8, usize) {
    let of = |atom: &Atom| match &atom.need {
        Need::OneOf(values) => match values.first() {
            // A port or a truth value says little.
            Some(Value::Boolean(_)) => (3, values.len()),
            Some(Value::Integer(_) | Value::Float(_)) => (1, values.len()),
            _ => (0, values.len()),
        },
        Need::Pass(Operator::IsSubset | Operator::IsSuperset, _) => (2, 1),
        Need::Pass(Operator::Like | Operator::Matches, _) => (4, 1),
        Need::Pass(..) => (5, 1),
        Need::Present => (6, 1),
    };
    atoms.iter().map(of).fold((0, 0), |(worst, sum), (rank, count)| (worst.max(rank), sum + count))
}

/// Whether the alternatives of an expression are all it says.
fn is_exact(expression: &ComparisonExpression) -> bool {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => {
            matches!(of_comparison(comparison).as_slice(), [Atom { need: Need::OneOf(_) | Need::Pass(..), .. }])
        }
        ComparisonKind::Exists { negated, .. } => !negated,
        ComparisonKind::Group(inner) => is_exact(inner),
        ComparisonKind::Or(operands) => operands.iter().all(is_exact),
        ComparisonKind::And(_) => false,
    }
}

/// The types of object that could meet an expression: AND asks one object to be of all its operands' types.
fn types(expression: &ComparisonExpression) -> BTreeSet<&str> {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => BTreeSet::from([&*comparison.path.object_type]),
        ComparisonKind::Exists { path, .. } => BTreeSet::from([&*path.object_type]),
        ComparisonKind::Group(inner) => types(inner),
        ComparisonKind::Or(operands) => operands.iter().flat_map(types).collect(),
        ComparisonKind::And(operands) => {
            let mut all = operands.iter().map(types);
            let first = all.next().unwrap_or_default();
            all.fold(first, |sofar, next| sofar.intersection(&next).copied().collect())
        }
    }
}
