//! What ends the reading of a document.

use std::{fmt, io};

use crate::json;

/// Why no further object can be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source failed.
    #[error("cannot read the document")]
    Read(#[from] io::Error),
    /// The document is not one that holds objects.
    #[error(transparent)]
    Document(#[from] Fault),
}

/// A fault of a document, and where it was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} at byte {offset} (line {line}, column {column})")]
pub struct Fault {
    /// Bytes from the start of the document.
    pub offset: u64,
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// What is wrong.
    pub kind: FaultKind,
}

/// The ways in which a document fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FaultKind {
    /// It is not acceptable JSON, or beyond the limits.
    Json(json::ErrorKind),
    /// It is neither an object nor a list.
    NoContainer,
    /// `objects` of a bundle is not a list (STIX 2.1 §8).
    ObjectsNotAList,
    /// `objects` follows in an object that has them and then calls itself something else than a bundle.
    NotABundle,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(kind) => kind.fmt(out),
            Self::NoContainer => out.write_str("expected an object or a list of objects"),
            Self::ObjectsNotAList => out.write_str("`objects` of a bundle must be a list"),
            Self::NotABundle => out.write_str("`type` of an object with a list of `objects` must be `bundle`"),
        }
    }
}
