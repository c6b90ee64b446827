//! From the tree of a pattern to what is searched: leaves, the sources of observations made of them, and the shape.

use std::collections::HashMap;

use super::Matcher;
use super::constant::no_such_day;
use super::test::{self, Expression};
use crate::ast::{ObservationExpression, ObservationKind, Pattern, Qualifier, QualifierKind};
use crate::constant::{Constant, Value};
use crate::error::Error;
use crate::observed::Moment;

/// How leaves are joined. START and STOP are no part of it: they concern each observation alone and went to the sources.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// One observation of this source.
    Leaf(usize),
    And(Vec<Shape>),
    Or(Vec<Shape>),
    FollowedBy(Vec<Shape>),
    Repeats(Box<Shape>, u64),
    /// Within so many microseconds.
    Within(Box<Shape>, i64),
    /// What no observation fulfils: START not before STOP.
    Never,
}

/// Observations of which one is asked for: those that meet any of the members.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) members: Vec<Member>,
}

/// A leaf, and the times (START, STOP) within which it must be met.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) leaf: usize,
    pub(super) window: Window,
}

/// Several START … STOP: each must be touched, though not at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    start: i64,
    stop: i64,
}

impl Window {
    const ALWAYS: Self = Self { start: i64::MIN, stop: i64::MAX };

    /// Whether it sets no bounds.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::ALWAYS
    }

    /// Touching START counts, touching STOP does not (STIX 2.1 §9.5.1).
    pub(super) fn admits(&self, moment: &Moment) -> bool {
        moment.last >= self.start && (moment.first < self.stop || self.stop == i64::MAX)
    }
}

impl Shape {
    /// See [`Matcher::demand`].
    pub(super) fn demand(&self) -> u64 {
        match self {
            Self::Leaf(_) => 1,
            Self::Never => u64::MAX,
            Self::Or(operands) => operands.iter().map(Self::demand).min().unwrap_or(u64::MAX),
            Self::And(operands) | Self::FollowedBy(operands) => {
                operands.iter().fold(0, |sum, operand| sum.saturating_add(operand.demand()))
            }
            Self::Repeats(inner, times) => inner.demand().saturating_mul(*times),
            Self::Within(inner, _) => inner.demand(),
        }
    }

    /// See [`Matcher::horizon`].
    pub(super) fn horizon(&self) -> Option<i64> {
        match self {
            Self::Leaf(_) | Self::Never => Some(0),
            Self::Within(_, micros) => Some(*micros),
            Self::Or(operands) => operands.iter().map(Self::horizon).try_fold(0, |all, one| Some(all.max(one?))),
            Self::Repeats(inner, 1) => inner.horizon(),
            Self::And(_) | Self::FollowedBy(_) | Self::Repeats(..) => None,
        }
    }
}

pub(super) fn compile(pattern: &Pattern, regexes: usize) -> Result<Matcher, Error> {
    let mut count = 0;
    count_regexes(&pattern.expression, &mut count);
    let mut compiler = Compiler { regex: regexes / count.max(1), ..Compiler::default() };
    let shape = compiler.shape(&pattern.expression, Window::ALWAYS)?;
    Ok(Matcher { leaves: compiler.leaves, sources: compiler.sources, shape })
}

fn count_regexes(expression: &ObservationExpression, count: &mut usize) {
    match &expression.kind {
        ObservationKind::Observation(comparison) => *count += test::regexes(comparison),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => count_regexes(inner, count),
        ObservationKind::And(operands) | ObservationKind::Or(operands) | ObservationKind::FollowedBy(operands) => {
            operands.iter().for_each(|operand| count_regexes(operand, count));
        }
    }
}

#[derive(Default)]
struct Compiler {
    /// The most bytes that one regular expression may take.
    regex: usize,
    leaves: Vec<Expression>,
    /// Leaves by their text: the same test is made once.
    known: HashMap<String, usize>,
    sources: Vec<Source>,
    known_sources: HashMap<String, usize>,
}

impl Compiler {
    fn shape(&mut self, expression: &ObservationExpression, window: Window) -> Result<Shape, Error> {
        Ok(match &expression.kind {
            ObservationKind::Observation(comparison) => {
                let text = comparison.to_string();
                let leaf = match self.known.get(&text) {
                    Some(leaf) => *leaf,
                    None => {
                        let leaf = self.leaves.len();
                        self.leaves.push(Expression::new(comparison, self.regex)?);
                        self.known.insert(text, leaf);
                        leaf
                    }
                };
                Shape::Leaf(self.source(vec![Member { leaf, window }]))
            }
            ObservationKind::Group(inner) => self.shape(inner, window)?,
            ObservationKind::And(operands) => Shape::And(self.shapes(operands, window)?),
            ObservationKind::Or(operands) => {
                let operands = self.shapes(operands, window)?;
                self.either(operands)
            }
            ObservationKind::FollowedBy(operands) => Shape::FollowedBy(self.shapes(operands, window)?),
            ObservationKind::Qualified(inner, qualifiers) => self.qualified(inner, qualifiers, window)?,
        })
    }

    fn shapes(&mut self, operands: &[ObservationExpression], window: Window) -> Result<Vec<Shape>, Error> {
        operands.iter().map(|operand| self.shape(operand, window)).collect()
    }

    /// Alternatives that each ask for one observation are one source.
    fn either(&mut self, operands: Vec<Shape>) -> Shape {
        let mut members = Vec::new();
        let mut others = Vec::new();
        for operand in operands {
            match operand {
                Shape::Leaf(source) => members.extend(self.members(source)),
                Shape::Or(inner) => others.extend(inner),
                Shape::Never => {}
                other => others.push(other),
            }
        }
        if !members.is_empty() {
            let source = self.source(members);
            others.push(Shape::Leaf(source));
        }
        match (others.pop(), others.is_empty()) {
            (None, _) => Shape::Never,
            (Some(only), true) => only,
            (Some(last), false) => {
                others.push(last);
                Shape::Or(others)
            }
        }
    }

    fn members(&self, source: usize) -> Vec<Member> {
        self.sources.get(source).map(|source| source.members.clone()).unwrap_or_default()
    }

    fn source(&mut self, members: Vec<Member>) -> usize {
        let source = Source { members };
        let key = format!("{source:?}");
        if let Some(known) = self.known_sources.get(&key) {
            return *known;
        }
        let number = self.sources.len();
        self.sources.push(source);
        self.known_sources.insert(key, number);
        number
    }

    fn qualified(
        &mut self,
        inner: &ObservationExpression,
        qualifiers: &[Qualifier],
        mut window: Window,
    ) -> Result<Shape, Error> {
        let mut possible = true;
        for qualifier in qualifiers {
            if let QualifierKind::StartStop { start, stop } = &qualifier.kind {
                let (start, stop) = (micros(start)?, micros(stop)?);
                possible &= start < stop;
                window = Window { start: window.start.max(start), stop: window.stop.min(stop) };
            }
        }
        let mut shape = self.shape(inner, window)?;
        if !possible {
            return Ok(Shape::Never);
        }
        for qualifier in qualifiers {
            shape = match (&qualifier.kind, shape) {
                (QualifierKind::Within { .. }, single @ (Shape::Leaf(_) | Shape::Never)) => single,
                (QualifierKind::Within { seconds }, shape) => Shape::Within(Box::new(shape), length(seconds)),
                (QualifierKind::Repeats { times: 1 }, shape) => shape,
                (QualifierKind::Repeats { times }, shape) => Shape::Repeats(Box::new(shape), *times),
                (QualifierKind::StartStop { .. }, shape) => shape,
            };
        }
        Ok(shape)
    }
}

fn micros(constant: &Constant) -> Result<i64, Error> {
    match &constant.value {
        Value::Timestamp(timestamp) => timestamp.micros.ok_or_else(|| no_such_day(constant)),
        _ => Err(Error::new(constant.span, "expected a timestamp")),
    }
}

/// Longer windows than a hundred thousand years are that long.
fn length(seconds: &Constant) -> i64 {
    const MOST: i64 = 3_155_760_000_000_000_000;
    match &seconds.value {
        Value::Integer(seconds) => seconds.saturating_mul(1_000_000).min(MOST),
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the most comes after")]
        Value::Float(seconds) => ((seconds * 1e6).round() as i64).min(MOST),
        _ => MOST,
    }
}
