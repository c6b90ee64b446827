//! Strict JSON as a flat tape of spans over the author's bytes.
//!
//! [`Tape::parse`] checks a text once and notes where each value starts and ends; nothing is copied or unescaped until
//! somebody asks. It accepts RFC 8259 as narrowed by RFC 7493 (I-JSON): UTF-8 only, no duplicate names, no lone
//! surrogates, no number beyond a double; and it keeps to the caller's [`Limits`].
//!
//! ```
//! use stix::json::{Kind, Limits, Tape};
//! let mut tape = Tape::new();
//! let value = tape.parse(br#"{"type": "tool", "aliases": ["a", "b"]}"#, &Limits::default())?;
//! assert_eq!(value.get("type").and_then(|found| found.as_str()).as_deref(), Some("tool"));
//! assert_eq!(value.get("aliases").map(|found| (found.kind(), found.len())), Some((Kind::Array, 2)));
//! # Ok::<(), stix::json::Error>(())
//! ```

mod error;
mod keys;
mod number;
mod parse;
mod string;
mod value;

pub use error::{Error, ErrorKind, position};
pub use value::{Entries, Items, Key, Kind, Value};

use value::Node;

/// What one text may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Arrays and objects inside one another; a bare scalar has depth 0.
    pub max_depth: usize,
    /// Bytes of one value.
    pub max_bytes: usize,
    /// Values of every kind in one text, the names of members not counted.
    pub max_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 64, max_bytes: 16 << 20, max_values: 1_000_000 }
    }
}

/// The buffer that a parse fills: use one for many texts and it stays in the processor's cache.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    scratch: parse::Scratch,
}

impl Tape {
    /// An empty tape; the first parse allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a text that is one value, with white space around it at most.
    ///
    /// # Errors
    /// The first fault of the text, see [`ErrorKind`].
    pub fn parse<'t>(&'t mut self, text: &'t [u8], limits: &Limits) -> Result<Value<'t>, Error> {
        let (source, base, end) = self.fill(text, 0, limits)?;
        match text.iter().skip(end).position(|byte| !parse::is_white(*byte)) {
            Some(more) => Err(Error::new(end + more, ErrorKind::Trailing)),
            None => Ok(Value::root(source, base, &self.nodes)),
        }
    }

    /// Parses the value that starts at `at` (white space before it allowed) and tells where it ends.
    ///
    /// What follows the value is not looked at. Spans count from the start of `text`.
    ///
    /// # Errors
    /// The first fault of the value, see [`ErrorKind`].
    pub fn parse_at<'t>(&'t mut self, text: &'t [u8], at: usize, limits: &Limits) -> Result<(Value<'t>, usize), Error> {
        let (source, base, end) = self.fill(text, at, limits)?;
        Ok((Value::root(source, base, &self.nodes), end))
    }

    /// Fills the tape with the value at `at`: its text, where that starts, and where it ends in `text`.
    fn fill<'t>(&mut self, text: &'t [u8], at: usize, limits: &Limits) -> Result<(&'t str, usize, usize), Error> {
        let rest = text.get(at..).unwrap_or_default();
        let white = rest.iter().position(|byte| !parse::is_white(*byte)).unwrap_or(rest.len());
        let base = at + white;
        let body = text.get(base..).unwrap_or_default();
        let outcome = parse::fill(body, limits, &mut self.nodes, &mut self.scratch);
        let seen = match outcome {
            Ok(end) => end,
            Err(error) => error.offset,
        };
        let (source, utf8_fault) = check_utf8(body.get(..seen).unwrap_or(body));
        match (outcome, utf8_fault) {
            (_, Some(fault)) => Err(Error::new(base + fault, ErrorKind::Utf8)),
            (Err(error), None) => Err(Error::new(base + error.offset, error.kind)),
            (Ok(end), None) => Ok((source, base, base + end)),
        }
    }
}

/// The text as UTF-8, or what of it is, and the first byte that is not.
fn check_utf8(text: &[u8]) -> (&str, Option<usize>) {
    match simdutf8::basic::from_utf8(text) {
        Ok(source) => (source, None),
        Err(_) => match simdutf8::compat::from_utf8(text) {
            Ok(source) => (source, None),
            Err(fault) => ("", Some(fault.valid_up_to())),
        },
    }
}

#[cfg(test)]
mod tests;
