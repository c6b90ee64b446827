//! Operators in the order in which they bind (STIX 2.1 §9.5.3): AND before OR before FOLLOWEDBY.

use crate::ast::{ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Span};

/// What operators join.
pub(crate) trait Operands: Sized {
    fn span(&self) -> Span;

    /// Two or more operands of the operator of this level: 0 AND, 1 OR, 2 FOLLOWEDBY.
    fn joined(level: usize, operands: Vec<Self>, span: Span) -> Self;
}

impl Operands for ObservationExpression {
    fn span(&self) -> Span {
        self.span
    }

    fn joined(level: usize, operands: Vec<Self>, span: Span) -> Self {
        let kind = match level {
            0 => ObservationKind::And(operands),
            1 => ObservationKind::Or(operands),
            _ => ObservationKind::FollowedBy(operands),
        };
        Self { kind, span }
    }
}

impl Operands for ComparisonExpression {
    fn span(&self) -> Span {
        self.span
    }

    fn joined(level: usize, operands: Vec<Self>, span: Span) -> Self {
        let kind = match level {
            0 => ComparisonKind::And(operands),
            _ => ComparisonKind::Or(operands),
        };
        Self { kind, span }
    }
}

/// What a check keeps of an operand: nothing.
impl Operands for () {
    fn span(&self) -> Span {
        Span::default()
    }

    fn joined(_: usize, _: Vec<Self>, _: Span) -> Self {}
}

/// An expression under way: for each level the operands that still wait for their last.
pub(crate) struct Chain<T> {
    /// Where it, or the parenthesis that opens it, stands.
    pub(crate) start: Span,
    waiting: [Vec<T>; 3],
}

impl<T: Operands> Chain<T> {
    pub(crate) fn new(start: Span) -> Self {
        Self { start, waiting: [const { Vec::new() }; 3] }
    }

    /// Puts an operand that stands before an operator of `level`; what binds more tightly is complete with it.
    pub(crate) fn put(&mut self, operand: T, level: usize) {
        let operand = self.complete(operand, level);
        if let Some(waiting) = self.waiting.get_mut(level) {
            waiting.push(operand);
        }
    }

    /// The whole, ended by this operand.
    pub(crate) fn finish(&mut self, operand: T) -> T {
        self.complete(operand, self.waiting.len())
    }

    fn complete(&mut self, mut operand: T, below: usize) -> T {
        for (level, waiting) in self.waiting.iter_mut().enumerate().take(below) {
            if let Some(first) = waiting.first() {
                let span = first.span().to(operand.span());
                waiting.push(operand);
                operand = T::joined(level, std::mem::take(waiting), span);
            }
        }
        operand
    }
}
