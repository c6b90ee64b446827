//! Observation expressions in normal form: an OR of ways, each a chain of AND or FOLLOWEDBY over what is qualified or
//! bracketed.

use super::{Keyed, MAX_TERMS, comparison, is_part, observation_of};
use crate::ast::{ObservationExpression, ObservationKind, Qualifier, QualifierKind, Span};
use crate::constant::{Constant, Value};

type Part = Keyed<ObservationExpression>;

/// Alternatives, sorted and without repetition; each is no OR.
struct Ways(Vec<Part>);

pub(super) fn normal(expression: &ObservationExpression) -> ObservationExpression {
    ways(expression).expression()
}

/// Recurses as deep as the parser lets parentheses nest.
fn ways(expression: &ObservationExpression) -> Ways {
    match &expression.kind {
        ObservationKind::Observation(inner) => Ways::single(ObservationKind::Observation(comparison::normal(inner))),
        ObservationKind::Group(inner) => ways(inner),
        ObservationKind::Or(operands) => Ways::either(operands.iter().flat_map(|operand| ways(operand).0).collect()),
        ObservationKind::And(operands) => joined(operands, false),
        ObservationKind::FollowedBy(operands) => joined(operands, true),
        ObservationKind::Qualified(inner, qualifiers) => {
            let mut inner = normal(inner);
            // Each qualifier stands on its own, so that `(… a) b` and `… a b` are one.
            for qualifier in qualifiers {
                let qualifier = Qualifier { kind: qualified(&qualifier.kind), span: Span::default() };
                inner = observation_of(ObservationKind::Qualified(Box::new(grouped(inner)), vec![qualifier]));
            }
            Ways::single(inner.kind)
        }
    }
}

fn qualified(kind: &QualifierKind) -> QualifierKind {
    match kind {
        QualifierKind::Within { seconds: Constant { value: Value::Float(number), .. } }
            if number.fract() == 0.0 && *number < 9e15 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "it is a whole number within the range")]
            let seconds = Constant { value: Value::Integer(*number as i64), span: Span::default() };
            QualifierKind::Within { seconds }
        }
        kind => kind.clone(),
    }
}

fn joined(operands: &[ObservationExpression], in_order: bool) -> Ways {
    let mut product: Vec<Vec<Part>> = vec![Vec::new()];
    for operand in operands {
        let mut alternatives = ways(operand);
        if product.len().saturating_mul(alternatives.0.len()) > MAX_TERMS {
            alternatives = Ways(vec![Keyed::new(alternatives.expression())]);
        }
        let mut longer = Vec::new();
        for sofar in &product {
            for way in &alternatives.0 {
                let mut both = sofar.clone();
                both.extend(flat(way, in_order));
                longer.push(both);
            }
        }
        product = longer;
    }
    let chain = |mut parts: Vec<Part>| {
        if !in_order {
            parts.sort();
        }
        match parts.as_slice() {
            [only] => only.clone(),
            _ => {
                let operands = parts.into_iter().map(|part| grouped(part.part)).collect();
                let kind =
                    if in_order { ObservationKind::FollowedBy(operands) } else { ObservationKind::And(operands) };
                Keyed::new(observation_of(kind))
            }
        }
    };
    Ways::either(product.into_iter().map(chain).collect())
}

/// The operands of a chain of the same kind, or the part itself.
fn flat(part: &Part, in_order: bool) -> Vec<Part> {
    match (&part.part.kind, in_order) {
        (ObservationKind::And(operands), false) | (ObservationKind::FollowedBy(operands), true) => {
            operands.iter().map(|operand| Keyed::new(ungrouped(operand).clone())).collect()
        }
        _ => vec![part.clone()],
    }
}

/// In parentheses where the grammar asks for them: every chain within a chain or under a qualifier.
fn grouped(part: ObservationExpression) -> ObservationExpression {
    match part.kind {
        ObservationKind::Observation(_) | ObservationKind::Group(_) => part,
        ObservationKind::Qualified(..)
        | ObservationKind::And(_)
        | ObservationKind::Or(_)
        | ObservationKind::FollowedBy(_) => observation_of(ObservationKind::Group(Box::new(part))),
    }
}

fn ungrouped(part: &ObservationExpression) -> &ObservationExpression {
    match &part.kind {
        ObservationKind::Group(inner) => inner,
        _ => part,
    }
}

impl Ways {
    fn single(kind: ObservationKind) -> Self {
        Self(match kind {
            ObservationKind::Or(operands) => {
                operands.into_iter().map(|operand| Keyed::new(unwrapped(operand))).collect()
            }
            kind => vec![Keyed::new(observation_of(kind))],
        })
    }

    fn either(mut all: Vec<Part>) -> Self {
        all.sort();
        all.dedup();
        Self(absorbed(all))
    }

    fn expression(self) -> ObservationExpression {
        let mut parts = self.0;
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only.part,
            (last, _) => {
                parts.extend(last);
                observation_of(ObservationKind::Or(parts.into_iter().map(|part| grouped(part.part)).collect()))
            }
        }
    }
}

fn unwrapped(part: ObservationExpression) -> ObservationExpression {
    match part.kind {
        ObservationKind::Group(inner) => *inner,
        _ => part,
    }
}

/// Without ways that ask for all that another asks for, and more. Not across qualifiers: what they bound differs.
fn absorbed(all: Vec<Part>) -> Vec<Part> {
    if all.len() > MAX_TERMS {
        return all;
    }
    let chains: Vec<Vec<Part>> = all.iter().map(operands).collect();
    let is_absorbed = |place: usize| {
        let (Some(own), Some(chain)) = (all.get(place), chains.get(place)) else { return false };
        all.iter().zip(&chains).enumerate().any(|(other, (less, fewer))| {
            other != place
                && !matches!(less.part.kind, ObservationKind::Qualified(..))
                && asks_for(less, fewer, own, chain)
        })
    };
    let kept: Vec<bool> = (0..all.len()).map(|place| !is_absorbed(place)).collect();
    all.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(part, _)| part).collect()
}

/// Whether `own`, a chain, contains `less`: as one of its operands, or operand by operand.
fn asks_for(less: &Part, fewer: &[Part], own: &Part, chain: &[Part]) -> bool {
    match (&less.part.kind, &own.part.kind) {
        (_, ObservationKind::And(_) | ObservationKind::FollowedBy(_)) if chain.contains(less) => true,
        (ObservationKind::And(_), ObservationKind::And(_)) => fewer.len() < chain.len() && is_part(fewer, chain),
        (ObservationKind::FollowedBy(_), ObservationKind::FollowedBy(_)) => {
            let mut rest = chain.iter();
            fewer.len() < chain.len() && fewer.iter().all(|wanted| rest.by_ref().any(|part| part == wanted))
        }
        _ => false,
    }
}

/// The operands of a chain; those of AND are sorted.
fn operands(part: &Part) -> Vec<Part> {
    match &part.part.kind {
        ObservationKind::And(operands) | ObservationKind::FollowedBy(operands) => {
            operands.iter().map(|operand| Keyed::new(ungrouped(operand).clone())).collect()
        }
        _ => Vec::new(),
    }
}
