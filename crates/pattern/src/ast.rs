//! A pattern as a tree (STIX 2.1 §9.3–9.7). Every part carries the span of the text it came from; equality looks at
//! what is said, not at where it stood.

use std::ops::Range;

use crate::constant::Constant;

/// Byte offsets into the pattern's text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from the start of this to the end of a later one.
    pub(crate) fn to(self, later: Self) -> Self {
        Self { start: self.start, end: later.end }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start as usize..span.end as usize
    }
}

/// A whole pattern (STIX 2.1 §9.3). Made by [`parse`](crate::parse); printed back by `Display` with one blank between
/// tokens, in a form that parses to an equal pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What it looks for.
    pub expression: ObservationExpression,
}

/// What must be observed, over one or more observations (STIX 2.1 §9.5).
#[derive(Clone, Debug)]
pub struct ObservationExpression {
    /// Which form it has.
    pub kind: ObservationKind,
    /// Where it stood.
    pub span: Span,
}

/// The forms of an observation expression. Chains are flat and hold two or more operands; all group to the left.
#[derive(Clone, Debug, PartialEq)]
pub enum ObservationKind {
    /// `[ … ]`: one observation for which the comparison holds.
    Observation(ComparisonExpression),
    /// `( … )`.
    Group(Box<ObservationExpression>),
    /// `a AND b`: both, on different observations.
    And(Vec<ObservationExpression>),
    /// `a OR b`: either.
    Or(Vec<ObservationExpression>),
    /// `a FOLLOWEDBY b`: both, on different observations, b not before a.
    FollowedBy(Vec<ObservationExpression>),
    /// `a WITHIN 5 SECONDS …`: an `[ … ]` or `( … )` and its qualifiers, applied from left to right; at least one.
    Qualified(Box<ObservationExpression>, Vec<Qualifier>),
}

/// A bound on the observations to its left (STIX 2.1 §9.5.1).
#[derive(Clone, Debug)]
pub struct Qualifier {
    /// Which bound.
    pub kind: QualifierKind,
    /// Where it stood.
    pub span: Span,
}

/// The kinds of qualifier.
#[derive(Clone, Debug, PartialEq)]
pub enum QualifierKind {
    /// `START t'…' STOP t'…'`: from the first instant up to, not including, the second.
    StartStop {
        /// The first instant.
        start: Constant,
        /// The instant after the last.
        stop: Constant,
    },
    /// `WITHIN n SECONDS`, an integer or float constant greater than zero.
    Within {
        /// The length of the window.
        seconds: Constant,
    },
    /// `REPEATS n TIMES`, an integer greater than zero.
    Repeats {
        /// How often.
        times: u64,
    },
}

impl QualifierKind {
    /// The keyword or keywords that name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::StartStop { .. } => "START … STOP",
            Self::Within { .. } => "WITHIN",
            Self::Repeats { .. } => "REPEATS",
        }
    }
}

/// What must hold for one observation, within `[ … ]` (STIX 2.1 §9.6).
#[derive(Clone, Debug)]
pub struct ComparisonExpression {
    /// Which form it has.
    pub kind: ComparisonKind,
    /// Where it stood.
    pub span: Span,
}

/// The forms of a comparison expression. Chains are flat and hold two or more operands.
#[derive(Clone, Debug, PartialEq)]
pub enum ComparisonKind {
    /// `path operator constant`.
    Comparison(Comparison),
    /// `EXISTS path`, `NOT EXISTS path`.
    Exists {
        /// The property asked for.
        path: ObjectPath,
        /// Whether NOT stood before.
        negated: bool,
    },
    /// `( … )`.
    Group(Box<ComparisonExpression>),
    /// `a AND b`: both, starting from the same object.
    And(Vec<ComparisonExpression>),
    /// `a OR b`: either.
    Or(Vec<ComparisonExpression>),
}

/// One property compared with a constant (STIX 2.1 §9.6).
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Which property.
    pub path: ObjectPath,
    /// Whether NOT stood before the operator.
    pub negated: bool,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
}

/// A comparison operator (STIX 2.1 §9.6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// `=` or `==`.
    Equal,
    /// `!=` or `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `IN`: equal to an element of the set.
    In,
    /// `LIKE`: the whole text, `%` for any run and `_` for any one character.
    Like,
    /// `MATCHES`: a regular expression found anywhere.
    Matches,
    /// `ISSUBSET`: an address or network within that of the constant.
    IsSubset,
    /// `ISSUPERSET`: a network that holds the address or network of the constant.
    IsSuperset,
}

impl Operator {
    /// As it is written in a pattern.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "IN",
            Self::Like => "LIKE",
            Self::Matches => "MATCHES",
            Self::IsSubset => "ISSUBSET",
            Self::IsSuperset => "ISSUPERSET",
        }
    }
}

/// What a property is compared with: a set for `IN`, one constant for every other operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// One constant.
    Constant(Constant),
    /// `( …, … )`, possibly empty.
    Set(Vec<Constant>),
}

impl Operand {
    /// The constants in it, in their order.
    #[must_use]
    pub fn constants(&self) -> &[Constant] {
        match self {
            Self::Constant(constant) => std::slice::from_ref(constant),
            Self::Set(constants) => constants,
        }
    }
}

/// Where a value is found in an observed object (STIX 2.1 §9.7).
#[derive(Clone, Debug)]
pub struct ObjectPath {
    /// The type of the object it starts from.
    pub object_type: Box<str>,
    /// The way from there; begins with a property and is never empty.
    pub steps: Vec<Step>,
    /// Where it stood.
    pub span: Span,
}

/// One step of a path.
#[derive(Clone, Debug)]
pub struct Step {
    /// Into what.
    pub kind: StepKind,
    /// Where it stood, without the point before it.
    pub span: Span,
}

/// The kinds of step (STIX 2.1 §9.7.1–9.7.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StepKind {
    /// A property or dictionary key; behind one whose name ends in `_ref`, the property of the object referred to.
    Property(Box<str>),
    /// `[n]`: one element of a list, counted from 0.
    Index(u64),
    /// `[*]`: any element of a list.
    Any,
}

macro_rules! equal_by_meaning {
    ($($type:ident { $($field:ident),+ })+) => {
        $(impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&+
            }
        })+
    };
}

equal_by_meaning! {
    ObservationExpression { kind }
    Qualifier { kind }
    ComparisonExpression { kind }
    ObjectPath { object_type, steps }
    Step { kind }
}
