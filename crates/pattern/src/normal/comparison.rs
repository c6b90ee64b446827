//! Comparison expressions in normal form: an OR of ANDs of tests.

use std::collections::BTreeSet;

use super::{Keyed, MAX_TERMS, comparison_of, is_part, value};
use crate::ast::{Comparison, ComparisonExpression, ComparisonKind, Operand, Operator};

type Part = Keyed<ComparisonExpression>;

/// What an expression is: alternatives, each a sorted set of parts that must all hold. A part is a test, or an expression
/// that would have become too large.
struct Terms(Vec<Vec<Part>>);

pub(super) fn normal(expression: &ComparisonExpression) -> ComparisonExpression {
    terms(expression).expression()
}

/// Recurses as deep as the parser lets parentheses nest.
fn terms(expression: &ComparisonExpression) -> Terms {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => test(comparison),
        ComparisonKind::Exists { .. } => Terms::single(expression.kind.clone()),
        ComparisonKind::Group(inner) => terms(inner),
        ComparisonKind::Or(operands) => Terms::either(operands.iter().map(terms).collect()),
        ComparisonKind::And(operands) => Terms::all(operands.iter().map(terms).collect()),
    }
}

/// A test with its negation undone where it can be, and `IN` as what it stands for.
fn test(comparison: &Comparison) -> Terms {
    let mut comparison = value::comparison(comparison);
    comparison.operator = match (comparison.operator, comparison.negated) {
        (Operator::Equal, true) => Operator::NotEqual,
        (Operator::NotEqual, true) => Operator::Equal,
        (Operator::In, _) => return set(&comparison),
        // An order negated is no other order: neither holds between values of different types.
        (operator, _) => return Terms::single(ComparisonKind::Comparison(Comparison { operator, ..comparison })),
    };
    comparison.negated = false;
    Terms::single(ComparisonKind::Comparison(comparison))
}

/// `IN` is an OR of equalities. `NOT IN` is no AND of inequalities: with `[*]` one element must differ from all.
fn set(comparison: &Comparison) -> Terms {
    let Operand::Set(constants) = &comparison.operand else { return Terms(Vec::new()) };
    if comparison.negated || constants.is_empty() {
        let mut constants = constants.clone();
        constants.sort_by_cached_key(ToString::to_string);
        constants.dedup();
        let operand = Operand::Set(constants);
        return Terms::single(ComparisonKind::Comparison(Comparison { operand, ..comparison.clone() }));
    }
    let equality = |constant: &crate::constant::Constant| {
        Terms::single(ComparisonKind::Comparison(Comparison {
            path: comparison.path.clone(),
            negated: false,
            operator: Operator::Equal,
            operand: Operand::Constant(constant.clone()),
        }))
    };
    Terms::either(constants.iter().map(equality).collect())
}

impl Terms {
    fn single(kind: ComparisonKind) -> Self {
        let kind = match kind {
            ComparisonKind::Comparison(comparison)
                if comparison.operator == Operator::NotEqual && comparison.negated =>
            {
                ComparisonKind::Comparison(Comparison { operator: Operator::Equal, negated: false, ..comparison })
            }
            other => other,
        };
        Self(vec![vec![Keyed::new(comparison_of(kind))]])
    }

    fn either(operands: Vec<Self>) -> Self {
        Self(absorbed(operands.into_iter().flat_map(|operand| operand.0).collect()))
    }

    fn all(operands: Vec<Self>) -> Self {
        let mut product: Vec<Vec<Part>> = vec![Vec::new()];
        let mut too_large: Vec<Part> = Vec::new();
        let operands = ordered(operands);
        for operand in &operands {
            if product.len().saturating_mul(operand.0.len()) > MAX_TERMS {
                too_large.push(Keyed::new(operand.expression()));
                continue;
            }
            let mut longer = Vec::new();
            for sofar in &product {
                for alternative in &operand.0 {
                    let mut both: Vec<Part> = sofar.iter().chain(alternative).cloned().collect();
                    both.sort();
                    both.dedup();
                    if is_possible(&both) {
                        longer.push(both);
                    }
                }
            }
            if longer.is_empty() {
                // What can never hold is kept, in one form, rather than said to be anything else.
                let mut everything: Vec<Part> = operands.iter().flat_map(|operand| operand.0.concat()).collect();
                everything.sort();
                everything.dedup();
                return Self(vec![everything]);
            }
            product = absorbed(longer);
        }
        for term in &mut product {
            term.extend(too_large.iter().cloned());
            term.sort();
            term.dedup();
        }
        Self(absorbed(product))
    }

    fn expression(&self) -> ComparisonExpression {
        let and = |term: &Vec<Part>| match term.as_slice() {
            [only] => only.part.clone(),
            parts => comparison_of(ComparisonKind::And(parts.iter().map(|part| grouped(&part.part)).collect())),
        };
        match self.0.as_slice() {
            [only] => and(only),
            terms => comparison_of(ComparisonKind::Or(terms.iter().map(and).collect())),
        }
    }
}

/// Small operands first: they decide most and multiply least.
fn ordered(mut operands: Vec<Terms>) -> Vec<Terms> {
    operands.sort_by_cached_key(|operand| (operand.0.len(), operand.0.clone()));
    operands
}

/// An OR within AND stands in parentheses.
fn grouped(part: &ComparisonExpression) -> ComparisonExpression {
    match part.kind {
        ComparisonKind::Or(_) | ComparisonKind::And(_) => comparison_of(ComparisonKind::Group(Box::new(part.clone()))),
        _ => part.clone(),
    }
}

/// Whether tests of these can hold for one object: AND asks it to be of all their types.
fn is_possible(term: &[Part]) -> bool {
    let object_type = |part: &Part| match &part.part.kind {
        ComparisonKind::Comparison(comparison) => Some(comparison.path.object_type.clone()),
        ComparisonKind::Exists { path, .. } => Some(path.object_type.clone()),
        _ => None,
    };
    term.iter().filter_map(object_type).collect::<BTreeSet<_>>().len() <= 1
}

/// Sorted, without repetition, and without terms that ask for all that another asks for and more: a or (a and b) is a.
fn absorbed(mut terms: Vec<Vec<Part>>) -> Vec<Vec<Part>> {
    terms.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    terms.dedup();
    if terms.len() > 2 * MAX_TERMS {
        // Of many, only those of one test are looked for in the others.
        let single: BTreeSet<Part> =
            terms.iter().filter(|term| term.len() == 1).flat_map(|term| term.iter().cloned()).collect();
        terms.retain(|term| term.len() == 1 || !term.iter().any(|part| single.contains(part)));
    } else {
        let mut kept: Vec<Vec<Part>> = Vec::new();
        for term in terms {
            let mut smaller = kept.iter().take_while(|smaller| smaller.len() < term.len());
            if !smaller.any(|smaller| is_part(smaller, &term)) {
                kept.push(term);
            }
        }
        terms = kept;
    }
    terms.sort();
    terms
}
