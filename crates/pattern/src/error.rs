//! What is wrong with a pattern, and where.

use std::ops::Range;

use crate::ast::Span;

/// A fault in a pattern: the bytes of the text that are at fault, and what to do about them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message} (at byte {})", span.start)]
pub struct Error {
    /// Byte offsets into the pattern's text; empty where something is missing.
    pub span: Range<usize>,
    /// One line, lower case, without the place.
    pub message: String,
}

impl Error {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span: span.into(), message: message.into() }
    }

    /// On the heap: what hardly ever comes back shall not make every result large.
    #[cold]
    pub(crate) fn boxed(span: Span, message: impl Into<String>) -> Box<Self> {
        Box::new(Self::new(span, message))
    }
}
