//! What the parser hands over while it reads, and to whom: a tree keeps all of it, a check keeps nothing.

use std::borrow::Cow;

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operand,
    Operator, Qualifier, QualifierKind, Span, Step, StepKind,
};
use crate::chain::Operands;
use crate::constant::{Constant, Value};

/// A step of a path as it is read; a name is borrowed from the text unless it holds escapes.
pub(crate) enum FoundStep<'t> {
    Property(Cow<'t, str>),
    Index(u64),
    Any,
}

/// A constant as it is read; a string is borrowed from the text unless it holds escapes.
pub(crate) enum FoundConstant<'t> {
    String(Cow<'t, str>),
    Other(Value),
}

/// The right side of a comparison.
pub(crate) enum FoundOperand<C> {
    One(C),
    Set(Vec<C>),
}

/// Takes the parts of a pattern in the order of the text. A path and the constants it is compared with are not
/// interrupted by those of another.
pub(crate) trait Build<'t> {
    type Path;
    type Constant;
    type Comparison: Operands;
    type Qualifiers: Default;
    type Observation: Operands;

    fn path(&mut self, object_type: &'t str, start: Span) -> Self::Path;
    fn step(&mut self, path: &mut Self::Path, step: FoundStep<'t>, span: Span);
    fn end_path(&mut self, path: &mut Self::Path, span: Span);
    fn constant(&mut self, operator: Operator, constant: FoundConstant<'t>, span: Span) -> Self::Constant;
    fn comparison(
        &mut self,
        test: (Self::Path, bool, Operator),
        operand: FoundOperand<Self::Constant>,
        span: Span,
    ) -> Self::Comparison;
    fn exists(&mut self, path: Self::Path, negated: bool, span: Span) -> Self::Comparison;
    fn comparison_group(&mut self, inner: Self::Comparison, span: Span) -> Self::Comparison;
    fn observation(&mut self, comparison: Self::Comparison, span: Span) -> Self::Observation;
    fn observation_group(&mut self, inner: Self::Observation, span: Span) -> Self::Observation;
    /// A qualifier of an `[ … ]`, if `bracketed`, or of a group.
    fn qualifier(&mut self, qualifiers: &mut Self::Qualifiers, kind: QualifierKind, span: Span, bracketed: bool);
    /// An observation with its qualifiers, at least one, the last of which ends at `end`.
    fn qualified(&mut self, inner: Self::Observation, qualifiers: Self::Qualifiers, end: Span) -> Self::Observation;
}

/// Builds the tree.
pub(crate) struct Tree;

impl<'t> Build<'t> for Tree {
    type Path = ObjectPath;
    type Constant = Constant;
    type Comparison = ComparisonExpression;
    type Qualifiers = Vec<Qualifier>;
    type Observation = ObservationExpression;

    fn path(&mut self, object_type: &'t str, start: Span) -> ObjectPath {
        // Most paths have one to three steps.
        ObjectPath { object_type: object_type.into(), steps: Vec::with_capacity(3), span: start }
    }

    fn step(&mut self, path: &mut ObjectPath, step: FoundStep<'t>, span: Span) {
        let kind = match step {
            FoundStep::Property(name) => StepKind::Property(name.into()),
            FoundStep::Index(index) => StepKind::Index(index),
            FoundStep::Any => StepKind::Any,
        };
        path.steps.push(Step { kind, span });
    }

    fn end_path(&mut self, path: &mut ObjectPath, span: Span) {
        path.span = span;
    }

    fn constant(&mut self, _: Operator, constant: FoundConstant<'t>, span: Span) -> Constant {
        let value = match constant {
            FoundConstant::String(text) => Value::String(text.into()),
            FoundConstant::Other(value) => value,
        };
        Constant { value, span }
    }

    fn comparison(
        &mut self,
        (path, negated, operator): (ObjectPath, bool, Operator),
        operand: FoundOperand<Constant>,
        span: Span,
    ) -> ComparisonExpression {
        let operand = match operand {
            FoundOperand::One(constant) => Operand::Constant(constant),
            FoundOperand::Set(constants) => Operand::Set(constants),
        };
        ComparisonExpression { kind: ComparisonKind::Comparison(Comparison { path, negated, operator, operand }), span }
    }

    fn exists(&mut self, path: ObjectPath, negated: bool, span: Span) -> ComparisonExpression {
        ComparisonExpression { kind: ComparisonKind::Exists { path, negated }, span }
    }

    fn comparison_group(&mut self, inner: ComparisonExpression, span: Span) -> ComparisonExpression {
        ComparisonExpression { kind: ComparisonKind::Group(Box::new(inner)), span }
    }

    fn observation(&mut self, comparison: ComparisonExpression, span: Span) -> ObservationExpression {
        ObservationExpression { kind: ObservationKind::Observation(comparison), span }
    }

    fn observation_group(&mut self, inner: ObservationExpression, span: Span) -> ObservationExpression {
        ObservationExpression { kind: ObservationKind::Group(Box::new(inner)), span }
    }

    fn qualifier(&mut self, qualifiers: &mut Vec<Qualifier>, kind: QualifierKind, span: Span, _: bool) {
        qualifiers.push(Qualifier { kind, span });
    }

    fn qualified(
        &mut self,
        inner: ObservationExpression,
        qualifiers: Vec<Qualifier>,
        end: Span,
    ) -> ObservationExpression {
        let span = inner.span.to(end);
        ObservationExpression { kind: ObservationKind::Qualified(Box::new(inner), qualifiers), span }
    }
}
