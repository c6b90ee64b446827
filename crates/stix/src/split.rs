//! Taking the objects out of a document: a bundle (STIX 2.1 §8), a TAXII envelope (TAXII 2.1 §3.7), a list, one bare
//! object, JSON lines, or several of these one after another.
//!
//! [`Splitter`] reads a stream in bounded memory and hands out the exact bytes of each object; [`objects`] does so for a
//! document in memory, and [`Walk`] parses each object on the way. All are strict about the container and leave the judgement
//! of an object to whoever gets it: an object only has to be well nested to be handed out.

mod error;
mod lines;
mod objects;
mod outline;
mod stream;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;

use crate::json;

pub use error::{Error, Fault, FaultKind};
pub use objects::{Objects, objects};
pub use stream::Splitter;
pub use walk::{Walk, Walked};

/// What the objects of a document stand in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// Nothing around it: one bare object, or JSON lines.
    #[default]
    Bare,
    /// A list.
    List,
    /// A STIX bundle, `"type": "bundle"`. STIX 2.1 §8
    Bundle,
    /// An object with a list of `objects` that does not call itself a bundle. TAXII 2.1 §3.7
    Envelope,
}

/// The container of the objects, as far as it has been read: members that follow `objects` are known at its end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Container {
    /// What it is.
    pub form: Form,
    /// `id` of a bundle.
    pub id: Option<String>,
    /// `spec_version` of a bundle, which tells STIX 2.0 (STIX 2.0 Part 1 §5.1).
    pub spec_version: Option<String>,
    /// `more` of an envelope.
    pub more: Option<bool>,
    /// `next` of an envelope.
    pub next: Option<String>,
}

/// One object of a document: its exact bytes, and where it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Item<'b> {
    /// Its bytes, from brace to brace.
    pub text: &'b [u8],
    /// Bytes from the start of the document.
    pub offset: u64,
    /// Its line in the document, from 1.
    pub line: u64,
    /// Its column in that line, in characters, from 1.
    pub column: u64,
    /// Its place in the document.
    pub place: Place,
}

impl Item<'_> {
    /// What is wrong with the object as JSON, told from the start of the document.
    #[must_use]
    pub fn fault(&self, error: json::Error) -> Fault {
        let (line, column) = json::position(self.text, error.offset);
        let before = if line == 1 { self.column - 1 } else { 0 };
        Fault {
            offset: self.offset + error.offset as u64,
            line: self.line + line as u64 - 1,
            column: before + column as u64,
            kind: FaultKind::Json(error.kind),
        }
    }
}

/// Where an object stands in its document; prints as a JSON path: `$.objects[3]`, `$[3]`, `$`. Of JSON lines the first
/// is `$`, the next ones `$[1]`, `$[2]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The kind of its container.
    pub form: Form,
    /// Elements before it in its list; values before it in the document for bare ones.
    pub index: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Bare if self.index == 0 => out.write_str("$"),
            Form::Bare | Form::List => write!(out, "$[{}]", self.index),
            Form::Bundle | Form::Envelope => write!(out, "$.objects[{}]", self.index),
        }
    }
}
