//! A pattern that is written in another way has the same normal form: parts change places, are put in parentheses, are
//! written twice, and AND is multiplied out over OR.

#[path = "support/texts.rs"]
mod texts;

use pattern::{
    Comparison, ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Operand, Operator,
    Pattern, Span, equivalent, normal, parse,
};
use proptest::prelude::*;
use texts::pattern_text;

/// Decides, by a number that changes with every question.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap_or_default() % end
    }

    fn happens(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn shuffle<T>(&mut self, parts: &mut [T]) {
        for at in (1..parts.len()).rev() {
            parts.swap(at, self.below(at + 1));
        }
    }
}

/// The two languages, in which the same rules hold; observations have some more.
trait Expression: Clone {
    fn group(self) -> Self;
    /// The operands of an OR within parentheses.
    fn alternatives(&self) -> Option<&[Self]>;
    fn or(parts: Vec<Self>) -> Self;
}

fn comparison_of(kind: ComparisonKind) -> ComparisonExpression {
    ComparisonExpression { kind, span: Span::default() }
}

fn observation_of(kind: ObservationKind) -> ObservationExpression {
    ObservationExpression { kind, span: Span::default() }
}

impl Expression for ComparisonExpression {
    fn group(self) -> Self {
        comparison_of(ComparisonKind::Group(Box::new(self)))
    }

    fn alternatives(&self) -> Option<&[Self]> {
        match &self.kind {
            ComparisonKind::Group(inner) => match &inner.kind {
                ComparisonKind::Or(parts) => Some(parts),
                _ => inner.alternatives(),
            },
            _ => None,
        }
    }

    fn or(parts: Vec<Self>) -> Self {
        comparison_of(ComparisonKind::Or(parts))
    }
}

impl Expression for ObservationExpression {
    fn group(self) -> Self {
        observation_of(ObservationKind::Group(Box::new(self)))
    }

    fn alternatives(&self) -> Option<&[Self]> {
        match &self.kind {
            ObservationKind::Group(inner) => match &inner.kind {
                ObservationKind::Or(parts) => Some(parts),
                _ => inner.alternatives(),
            },
            _ => None,
        }
    }

    fn or(parts: Vec<Self>) -> Self {
        observation_of(ObservationKind::Or(parts))
    }
}

/// A run of a chain put in parentheses: it groups to either side.
fn associated<E: Expression>(mut parts: Vec<E>, chain: fn(Vec<E>) -> E, chance: &mut Chance) -> Vec<E> {
    if parts.len() > 2 && chance.happens(2) {
        let start = chance.below(parts.len() - 1);
        let end = start + 2 + chance.below(parts.len() - start - 1);
        let run: Vec<E> = parts.drain(start..end).collect();
        parts.insert(start, chain(run).group());
    }
    parts
}

/// A chain multiplied out over one OR in it, if there is one.
fn distributed<E: Expression>(parts: Vec<E>, chain: fn(Vec<E>) -> E, chance: &mut Chance) -> E {
    let at = chance.below(parts.len());
    let alternatives = parts.get(at).and_then(Expression::alternatives).map(<[E]>::to_vec);
    match alternatives {
        Some(alternatives) if chance.happens(2) => {
            let with = |alternative: E| {
                let mut parts = parts.clone();
                if let Some(place) = parts.get_mut(at) {
                    *place = alternative.group();
                }
                chain(parts).group()
            };
            E::or(alternatives.into_iter().map(with).collect()).group()
        }
        _ => chain(parts),
    }
}

fn comparison(expression: &ComparisonExpression, chance: &mut Chance) -> ComparisonExpression {
    let and = |parts| comparison_of(ComparisonKind::And(parts));
    let operands = |parts: &[ComparisonExpression], chance: &mut Chance| {
        let mut parts: Vec<_> = parts.iter().map(|part| comparison(part, chance)).collect();
        if chance.happens(4) {
            parts.extend(parts.first().cloned());
        }
        chance.shuffle(&mut parts);
        parts
    };
    let rewritten = match &expression.kind {
        ComparisonKind::Comparison(test) => otherwise(test, chance),
        ComparisonKind::Exists { .. } => expression.clone(),
        ComparisonKind::Group(inner) => comparison(inner, chance).group(),
        ComparisonKind::And(parts) => {
            let parts = operands(parts, chance);
            distributed(associated(parts, and, chance), and, chance)
        }
        ComparisonKind::Or(parts) => {
            let parts = operands(parts, chance).into_iter().map(Expression::group).collect();
            ComparisonExpression::or(associated(parts, ComparisonExpression::or, chance))
        }
    };
    if chance.happens(4) { rewritten.group() } else { rewritten }
}

/// `NOT =` for `!=` and the other way, OR for IN.
fn otherwise(test: &Comparison, chance: &mut Chance) -> ComparisonExpression {
    let of = |test: Comparison| comparison_of(ComparisonKind::Comparison(test));
    let with = |negated, operator| of(Comparison { negated, operator, ..test.clone() });
    match (test.operator, &test.operand) {
        (Operator::Equal, _) if chance.happens(2) => with(!test.negated, Operator::NotEqual),
        (Operator::NotEqual, _) if chance.happens(2) => with(!test.negated, Operator::Equal),
        (Operator::In, Operand::Set(constants)) if !test.negated && constants.len() > 1 && chance.happens(2) => {
            let one = |constant: &pattern::Constant| {
                let operand = Operand::Constant(constant.clone());
                of(Comparison { operator: Operator::Equal, operand, ..test.clone() })
            };
            ComparisonExpression::or(constants.iter().map(one).collect()).group()
        }
        _ => of(test.clone()),
    }
}

fn observation(expression: &ObservationExpression, chance: &mut Chance) -> ObservationExpression {
    let and = |parts| observation_of(ObservationKind::And(parts));
    let followed = |parts| observation_of(ObservationKind::FollowedBy(parts));
    let operands = |parts: &[ObservationExpression], chance: &mut Chance| -> Vec<_> {
        parts.iter().map(|part| observation(part, chance).group()).collect()
    };
    let rewritten = match &expression.kind {
        ObservationKind::Observation(inner) => observation_of(ObservationKind::Observation(comparison(inner, chance))),
        ObservationKind::Group(inner) => observation(inner, chance).group(),
        ObservationKind::And(parts) => {
            let mut parts = operands(parts, chance);
            chance.shuffle(&mut parts);
            distributed(associated(parts, and, chance), and, chance)
        }
        ObservationKind::Or(parts) => {
            let mut parts = operands(parts, chance);
            if chance.happens(4) {
                parts.extend(parts.first().cloned());
            }
            chance.shuffle(&mut parts);
            ObservationExpression::or(associated(parts, ObservationExpression::or, chance))
        }
        ObservationKind::FollowedBy(parts) => {
            let parts = operands(parts, chance);
            distributed(associated(parts, followed, chance), followed, chance)
        }
        ObservationKind::Qualified(inner, qualifiers) => {
            let inner = Box::new(observation(inner, chance).group());
            observation_of(ObservationKind::Qualified(inner, qualifiers.clone()))
        }
    };
    if chance.happens(4) { rewritten.group() } else { rewritten }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_way_it_is_written_the_normal_form_is_one(text in pattern_text(), seed in any::<u64>()) {
        // Of one type: what can never hold, as AND over different types, has one form only as it is written.
        let pattern = parse(&text.replace("b:", "a:")).unwrap();
        let mut chance = Chance(seed);
        let mut other = pattern.expression.clone();
        for _ in 0..2 {
            other = observation(&other, &mut chance);
        }
        let other = Pattern { expression: other };
        prop_assert!(
            equivalent(&pattern, &other),
            "{}\n{}\n{}\n{}", pattern, other, normal(&pattern), normal(&other)
        );
    }
}
