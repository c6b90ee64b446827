//! A pattern in words, for people who have to decide whether to trust it.

use std::fmt::Write as _;

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Operand, Operator,
    Pattern, QualifierKind,
};
use crate::atoms::{Atom, Need};

/// Texts longer than this are cut in words; the pattern itself has them whole.
const SHOWN: usize = 80;

/// Elements of a set that are listed.
const LISTED: usize = 8;

/// Says in words what a pattern looks for: one line a part, what belongs to a part indented below it.
#[must_use]
pub fn explain(pattern: &Pattern) -> String {
    let mut words = Words { text: String::new() };
    words.observation(&pattern.expression, 0);
    words.text
}

impl std::fmt::Display for Atom {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.need {
            Need::Present => write!(out, "{} is present", self.path),
            Need::Pass(operator, value) => write!(out, "{} {} {}", self.path, relation(*operator, false), shown(value)),
            Need::OneOf(values) => write!(out, "{} is {}", self.path, listed(values.iter().map(shown), values.len())),
        }
    }
}

struct Words {
    text: String,
}

impl Words {
    fn line(&mut self, level: usize, line: &str) {
        // Deep nesting is told, not drawn.
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(level.min(20)));
    }

    /// Recurses as deep as the parser lets parentheses nest, as does `comparison`.
    fn observation(&mut self, expression: &ObservationExpression, level: usize) {
        let mut several = |head: &str, operands: &[ObservationExpression]| {
            self.line(level, head);
            operands.iter().for_each(|operand| self.observation(operand, level + 1));
        };
        match &expression.kind {
            ObservationKind::Group(inner) => self.observation(inner, level),
            ObservationKind::And(operands) => several("all of these, each in an observation of its own:", operands),
            ObservationKind::Or(operands) => several("one of these:", operands),
            ObservationKind::FollowedBy(operands) => {
                several("one after the other, or at the same time, each in an observation of its own:", operands);
            }
            ObservationKind::Qualified(inner, qualifiers) => {
                let words: Vec<String> = qualifiers.iter().map(|qualifier| qualified(&qualifier.kind)).collect();
                self.line(level, &format!("{}:", words.join(", and that ")));
                self.observation(inner, level + 1);
            }
            ObservationKind::Observation(comparison) => {
                self.line(level, "an observation of one object for which");
                self.comparison(comparison, level + 1);
            }
        }
    }

    fn comparison(&mut self, expression: &ComparisonExpression, level: usize) {
        match &expression.kind {
            ComparisonKind::Comparison(comparison) => self.line(level, &test(comparison)),
            ComparisonKind::Exists { path, negated: false } => self.line(level, &format!("{path} is present")),
            ComparisonKind::Exists { path, negated: true } => {
                self.line(level, &format!("{path} is absent (which no observation is found by)"));
            }
            ComparisonKind::Group(inner) => self.comparison(inner, level),
            ComparisonKind::And(operands) | ComparisonKind::Or(operands) => {
                let all = matches!(expression.kind, ComparisonKind::And(_));
                self.line(level, if all { "all of these hold:" } else { "one of these holds:" });
                operands.iter().for_each(|operand| self.comparison(operand, level + 1));
            }
        }
    }
}

fn qualified(qualifier: &QualifierKind) -> String {
    match qualifier {
        QualifierKind::Repeats { times: 1 } => "once".to_owned(),
        QualifierKind::Repeats { times } => format!("{times} times, in different observations"),
        QualifierKind::Within { seconds } => format!("within {seconds} seconds"),
        QualifierKind::StartStop { start, stop } => {
            format!(
                "from {} until before {}",
                start.to_string().trim_start_matches('t'),
                stop.to_string().trim_start_matches('t')
            )
        }
    }
}

fn test(comparison: &Comparison) -> String {
    let Comparison { path, negated, operator, operand } = comparison;
    match operand {
        Operand::Constant(constant) => format!("{path} {} {}", relation(*operator, *negated), shown(&constant.value)),
        Operand::Set(constants) => {
            let not = if *negated { "is present and is not" } else { "is" };
            format!("{path} {not} {}", listed(constants.iter().map(|constant| shown(&constant.value)), constants.len()))
        }
    }
}

fn relation(operator: Operator, negated: bool) -> &'static str {
    match (operator, negated) {
        (Operator::Equal | Operator::In, false) | (Operator::NotEqual, true) => "is",
        (Operator::NotEqual, false) | (Operator::Equal | Operator::In, true) => "is present and is not",
        (Operator::Less, false) => "is less than",
        (Operator::Less, true) => "is not less than",
        (Operator::LessOrEqual, false) => "is at most",
        (Operator::LessOrEqual, true) => "is more than",
        (Operator::Greater, false) => "is greater than",
        (Operator::Greater, true) => "is not greater than",
        (Operator::GreaterOrEqual, false) => "is at least",
        (Operator::GreaterOrEqual, true) => "is less than",
        (Operator::Like, false) => "is, with % for any text and _ for one character,",
        (Operator::Like, true) => "is present and is not, with % for any text and _ for one character,",
        (Operator::Matches, false) => "contains what the regular expression describes:",
        (Operator::Matches, true) => "is present and does not contain what the regular expression describes:",
        (Operator::IsSubset, false) => "is an address or network within",
        (Operator::IsSubset, true) => "is present and is no address or network within",
        (Operator::IsSuperset, false) => "is a network that holds",
        (Operator::IsSuperset, true) => "is present and is no network that holds",
    }
}

fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let items: Vec<String> = items.take(LISTED).collect();
    match (items.as_slice(), count) {
        ([], _) => "one of none".to_owned(),
        ([only], 1) => only.clone(),
        _ if count > items.len() => format!("one of {} and {} more", items.join(", "), count - items.len()),
        _ => format!("one of {}", items.join(", ")),
    }
}

fn shown(value: &crate::constant::Value) -> String {
    let constant = crate::constant::Constant { value: value.clone(), span: crate::ast::Span::default() };
    let text = constant.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
