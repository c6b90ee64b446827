//! Comparison expressions compiled (STIX 2.1 §9.6): what must hold for one object of an observation.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use icu_normalizer::ComposingNormalizerBorrowed;
use regex::bytes;

use super::Scope;
use super::constant::{Known, Relation, Seen};
use super::like::Like;
use super::network::Network;
use super::path::Path;
use crate::ast::{Comparison, ComparisonExpression, ComparisonKind, Operand, Operator};
use crate::constant::{Constant, Value};
use crate::error::Error;
use crate::observed::{Data, Object, Observation};

/// What must hold for one object.
#[derive(Debug)]
pub(super) enum Expression {
    Test(Box<Test>),
    Exists(Path),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Never,
}

/// A value compared with what is known.
#[derive(Debug)]
pub(super) struct Test {
    path: Path,
    /// NOT, or `!=`, or neither or both.
    negated: bool,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    Equal(Known),
    Order(Operator, Known),
    In(Set),
    Like(Like),
    Matches(regex::Regex),
    BytesMatch(bytes::Regex),
    /// Matches nothing: characters that are no bytes, sought in bytes.
    NoBytes,
    Subset(Network),
    Superset(Network),
}

/// The set behind IN: texts apart, because there may be thousands.
#[derive(Debug, Default)]
struct Set {
    texts: HashSet<Box<str>>,
    others: Vec<Known>,
}

/// The largest a compiled regular expression may be, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// What its cache may take while it is used, in bytes.
const MAX_DFA: usize = 512 << 10;

/// How many regular expressions there are in an expression.
pub(super) fn regexes(expression: &ComparisonExpression) -> usize {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => usize::from(comparison.operator == Operator::Matches),
        ComparisonKind::Exists { .. } => 0,
        ComparisonKind::Group(inner) => regexes(inner),
        ComparisonKind::And(operands) | ComparisonKind::Or(operands) => operands.iter().map(regexes).sum(),
    }
}

impl Expression {
    /// Recurses as deep as the parser lets parentheses nest.
    pub(super) fn new(expression: &ComparisonExpression, regex: usize) -> Result<Self, Error> {
        let all = |operands: &[ComparisonExpression]| -> Result<Vec<_>, Error> {
            operands.iter().map(|operand| Self::new(operand, regex)).collect()
        };
        Ok(match &expression.kind {
            ComparisonKind::Comparison(comparison) => Self::Test(Box::new(Test::new(comparison, regex)?)),
            ComparisonKind::Exists { path, negated: false } => Self::Exists(Path::new(path)?),
            ComparisonKind::Exists { path, negated: true } => {
                Path::new(path)?;
                Self::Never
            }
            ComparisonKind::Group(inner) => Self::new(inner, regex)?,
            ComparisonKind::And(operands) => Self::All(all(operands)?),
            ComparisonKind::Or(operands) => Self::Any(joined(all(operands)?)),
        })
    }

    pub(super) fn holds(&self, scope: &Scope<'_, '_>, observation: &Observation<'_>, root: &Object<'_>) -> bool {
        match self {
            Self::Test(test) => test.holds(scope, observation, root),
            Self::Exists(path) => path.any(scope, observation, root, &mut |_| true),
            Self::All(operands) => operands.iter().all(|operand| operand.holds(scope, observation, root)),
            Self::Any(operands) => operands.iter().any(|operand| operand.holds(scope, observation, root)),
            Self::Never => false,
        }
    }

    /// Gives the values by which this holds for an object for which it does: path and value of each comparison that holds.
    pub(super) fn witnesses(
        &self,
        scope: &Scope<'_, '_>,
        observation: &Observation<'_>,
        root: &Object<'_>,
        each: &mut dyn FnMut(&str, &Data<'_>),
    ) {
        match self {
            Self::Test(test) => {
                test.path.any(scope, observation, root, &mut |seen| {
                    if let Seen::Data(value) = seen
                        && test.passes(&seen, scope)
                    {
                        each(&test.path.text, value);
                    }
                    // On to the next.
                    false
                });
            }
            Self::All(operands) => {
                operands.iter().for_each(|operand| operand.witnesses(scope, observation, root, each));
            }
            Self::Any(operands) => {
                let holding = operands.iter().filter(|operand| operand.holds(scope, observation, root));
                holding.for_each(|operand| operand.witnesses(scope, observation, root, each));
            }
            Self::Exists(_) | Self::Never => {}
        }
    }
}

/// Equalities of one path among the operands of OR become one look-up.
fn joined(operands: Vec<Expression>) -> Vec<Expression> {
    let mut others = Vec::new();
    let mut sets: std::collections::HashMap<Box<str>, (Path, Set)> = std::collections::HashMap::new();
    for operand in operands {
        match operand {
            Expression::Test(test) if !test.negated && matches!(test.condition, Condition::Equal(_)) => {
                let Test { path, condition, .. } = *test;
                let (_, set) = sets.entry(path.text.clone()).or_insert_with(|| (path, Set::default()));
                if let Condition::Equal(known) = condition {
                    set.insert(known);
                }
            }
            other => others.push(other),
        }
    }
    let test = |(path, set)| Expression::Test(Box::new(Test { path, negated: false, condition: Condition::In(set) }));
    others.extend(sets.into_values().map(test));
    others
}

impl Test {
    fn new(comparison: &Comparison, regex: usize) -> Result<Self, Error> {
        let path = Path::new(&comparison.path)?;
        let condition = match (&comparison.operand, comparison.operator) {
            (Operand::Set(constants), _) => Condition::In(Set::new(constants)?),
            (Operand::Constant(constant), operator) => Condition::new(operator, constant, &path, regex)?,
        };
        let negated = comparison.negated != (comparison.operator == Operator::NotEqual);
        Ok(Self { path, negated, condition })
    }

    fn holds(&self, scope: &Scope<'_, '_>, observation: &Observation<'_>, root: &Object<'_>) -> bool {
        self.path.any(scope, observation, root, &mut |seen| self.passes(&seen, scope))
    }

    fn passes(&self, seen: &Seen<'_>, scope: &Scope<'_, '_>) -> bool {
        match self.condition.holds(seen, scope) {
            Holds::Is(holds) => holds != self.negated,
            Holds::Never => false,
            Holds::Unreadable => {
                if let Seen::Data(Data::Text(text)) = seen {
                    scope.found_unreadable(&self.path.text, text);
                }
                self.negated && !matches!(self.condition, Condition::Order(..))
            }
        }
    }
}

/// What a condition says of a value.
enum Holds {
    Is(bool),
    /// False, whether negated or not.
    Never,
    Unreadable,
}

impl Condition {
    fn new(operator: Operator, constant: &Constant, path: &Path, regex: usize) -> Result<Self, Error> {
        let text = match &constant.value {
            Value::String(text) => &**text,
            _ => "",
        };
        let network = || {
            Network::parse(text).ok_or_else(|| {
                Error::new(constant.span, "not an address or network, as in `198.51.100.0/24` or `2001:db8::/32`")
            })
        };
        Ok(match operator {
            Operator::Equal | Operator::NotEqual | Operator::In => Self::Equal(Known::new(constant)?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                Self::Order(operator, Known::new(constant)?)
            }
            Operator::Like => Self::Like(Like::new(&normal(text))),
            Operator::Matches if path.is_binary() => bytes_regex(text, constant, regex)?,
            Operator::Matches => Self::Matches(
                regex::RegexBuilder::new(&normal(text))
                    .dot_matches_new_line(true)
                    .size_limit(regex.min(MAX_REGEX))
                    .dfa_size_limit(MAX_DFA)
                    .build()
                    .map_err(|error| bad_regex(constant, &error))?,
            ),
            Operator::IsSubset => Self::Subset(network()?),
            Operator::IsSuperset => Self::Superset(network()?),
        })
    }

    fn holds(&self, seen: &Seen<'_>, scope: &Scope<'_, '_>) -> Holds {
        let text = match seen {
            Seen::Data(Data::Text(text)) => Some(&**text),
            _ => None,
        };
        let address = || text.and_then(Network::parse);
        Holds::Is(match self {
            Self::Equal(known) => match known.relate(seen) {
                Relation::Unreadable => return Holds::Unreadable,
                relation => relation.is_equal(),
            },
            Self::Order(operator, known) => match known.relate(seen) {
                Relation::Ordered(order) => in_order(*operator, order),
                Relation::Equal(_) => return Holds::Never,
                Relation::Unreadable => return Holds::Unreadable,
            },
            Self::In(set) => return set.holds(seen),
            Self::Like(like) => {
                let written = match seen {
                    Seen::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
                    _ => text,
                };
                let fits = |text: &str| scope.meter.take(like.steps(text.len())) && like.matches(text);
                written.is_some_and(|text| fits(&normal(text)))
            }
            Self::Matches(regex) => text.is_some_and(|text| regex.is_match(&normal(text))),
            Self::BytesMatch(regex) => matches!(seen, Seen::Bytes(bytes) if regex.is_match(bytes)),
            Self::NoBytes => false,
            Self::Subset(known) => address().is_some_and(|address| known.holds(address)),
            Self::Superset(known) => address().is_some_and(|address| address.holds(*known)),
        })
    }
}

impl Set {
    fn new(constants: &[Constant]) -> Result<Self, Error> {
        let mut set = Self::default();
        for constant in constants {
            if let Some(first) = constants.first()
                && !first.value.type_of().same_kind(constant.value.type_of())
            {
                return Err(Error::new(
                    constant.span,
                    format!(
                        "a set holds constants of one type: {} after {}",
                        constant.value.type_name(),
                        first.value.type_name()
                    ),
                ));
            }
            set.insert(Known::new(constant)?);
        }
        Ok(set)
    }

    fn insert(&mut self, known: Known) {
        match known {
            Known::Text(text) => {
                self.texts.insert(text);
            }
            other => self.others.push(other),
        }
    }

    fn holds(&self, seen: &Seen<'_>) -> Holds {
        let among_texts = match seen {
            Seen::Data(Data::Text(text)) => self.texts.contains(&**text),
            Seen::Bytes(bytes) => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                self.texts.contains(&*text)
            }
            _ => false,
        };
        let mut unreadable = false;
        let mut is = |known: &Known| match known.relate(seen) {
            Relation::Unreadable => {
                unreadable = true;
                false
            }
            relation => relation.is_equal(),
        };
        let found = among_texts || self.others.iter().any(&mut is);
        if unreadable && !found { Holds::Unreadable } else { Holds::Is(found) }
    }
}

fn in_order(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// NFC, in which LIKE and MATCHES compare (STIX 2.1 §9.6.1).
fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
    NFC.normalize(text)
}

/// A regular expression over bytes: each character of it stands for the byte of its number.
fn bytes_regex(text: &str, constant: &Constant, most: usize) -> Result<Condition, Error> {
    let mut bytewise = String::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character) {
            0..=0x7F => bytewise.push(character),
            code @ 0x80..=0xFF => bytewise.push_str(&format!("\\x{code:02x}")),
            _ => return Ok(Condition::NoBytes),
        }
    }
    bytes::RegexBuilder::new(&bytewise)
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(most.min(MAX_REGEX))
        .dfa_size_limit(MAX_DFA)
        .build()
        .map(Condition::BytesMatch)
        .map_err(|error| bad_regex(constant, &error))
}

fn bad_regex(constant: &Constant, error: &regex::Error) -> Error {
    let message = match error {
        regex::Error::CompiledTooBig(_) => "regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("regular expression cannot be used: {reason} (only what runs in linear time is supported)")
        }
    };
    Error::new(constant.span, message)
}
