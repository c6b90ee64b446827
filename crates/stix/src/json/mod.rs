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
mod nest;
mod number;
mod parse;
mod scan;
mod string;
mod value;

use std::ops::Range;

pub use error::{Error, ErrorKind, position};
pub use value::{Entries, Items, Key, Kind, Value};

pub(crate) use nest::Nest;

use parse::Filling;
use scan::{Cursor, Positions, Progress, Scanner};

/// What one text may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Arrays and objects inside one another; a bare scalar has depth 0. Never more than [`Limits::DEEPEST`].
    pub max_depth: usize,
    /// Bytes of one value.
    pub max_bytes: usize,
    /// Values of every kind in one text, the names of members not counted.
    pub max_values: usize,
}

impl Limits {
    /// The depth that no limits exceed: whoever goes down a value may call himself for each level.
    pub const DEEPEST: usize = 512;
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 64, max_bytes: 16 << 20, max_values: 1_000_000 }
    }
}

/// The buffer that a parse fills: use one for many texts and it stays in the processor's cache.
#[derive(Debug, Default)]
pub struct Tape {
    filling: Filling,
    positions: Positions,
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
        let (source, base) = self.read(text, limits)?;
        Ok(self.value(source, base))
    }

    /// The same in two steps: what this gives, the text of the value and where that starts, does not hold the tape.
    pub(crate) fn read<'t>(&mut self, text: &'t [u8], limits: &Limits) -> Result<(&'t str, usize), Error> {
        let (source, base, end) = self.fill(text, 0, limits)?;
        match text.iter().skip(end).position(|byte| !is_white(*byte)) {
            Some(more) => Err(Error::new(end + more, ErrorKind::Trailing)),
            None => Ok((source, base)),
        }
    }

    /// The value that was read last, by what `read` gave.
    pub(crate) fn value<'t>(&'t self, source: &'t str, base: usize) -> Value<'t> {
        Value::root(source, base, &self.filling.nodes)
    }

    /// Parses the value that starts at `at` (white space before it allowed) and tells where it ends.
    ///
    /// What follows the value is not looked at. Spans count from the start of `text`.
    ///
    /// # Errors
    /// The first fault of the value, see [`ErrorKind`].
    pub fn parse_at<'t>(&'t mut self, text: &'t [u8], at: usize, limits: &Limits) -> Result<(Value<'t>, usize), Error> {
        let (source, base, end) = self.fill(text, at, limits)?;
        Ok((Value::root(source, base, &self.filling.nodes), end))
    }

    /// Fills the tape with the value at `at`: its text, where that starts, and where it ends in `text`.
    fn fill<'t>(&mut self, text: &'t [u8], at: usize, limits: &Limits) -> Result<(&'t str, usize, usize), Error> {
        let rest = text.get(at..).unwrap_or_default();
        let white = rest.iter().position(|byte| !is_white(*byte)).unwrap_or(rest.len());
        let base = at + white;
        let body = text.get(base..).unwrap_or_default();
        let most = limits.max_bytes.min(Scanner::LONGEST);
        let budget = body.get(..most).unwrap_or(body);
        let mut scanner = Scanner::new(budget, &mut self.positions);
        let outcome = parse::fill(&mut scanner, limits, &mut Cursor::default(), &mut self.filling);
        let end = outcome.as_ref().map_or_else(|error| error.offset, |(_, end)| *end);
        let source = check_utf8(budget.get(..end).unwrap_or(budget));
        match (outcome, source) {
            (_, Err(fault)) => Err(Error::new(base + fault, ErrorKind::Utf8)),
            (Ok(_), Ok(source)) => Ok((source, base, base + end)),
            (Err(Error { kind: ErrorKind::Truncated, .. }), _) if budget.len() < body.len() => {
                Err(Error::new(base + most, ErrorKind::Bytes(most)))
            }
            (Err(error), _) => Err(Error::new(base + end, error.kind)),
        }
    }
}

/// Parses values of one text one after the other, with other things between them: each byte is scanned once.
#[derive(Debug, Default)]
pub(crate) struct Series {
    tape: Tape,
    /// Where the last scanner stopped; `None` if the next one must begin afresh.
    progress: Option<Progress>,
    cursor: Cursor,
    /// Where the part of the text starts that `progress` is about, which is at most [`Scanner::LONGEST`] long.
    origin: usize,
    /// Where the last value ended.
    end: usize,
}

impl Series {
    /// Parses the value at `at` (white space before it allowed) onto the tape: its text, and where it stands.
    ///
    /// `at` is not inside a string, and `text` is always the same. Going back is allowed and costs a new scan.
    pub(crate) fn fill<'t>(
        &mut self,
        text: &'t [u8],
        at: usize,
        limits: &Limits,
    ) -> Result<(&'t str, Range<usize>), Error> {
        let go_on = self.progress.take().filter(|_| at >= self.end && at - self.origin < Scanner::LONGEST / 2);
        if go_on.is_none() {
            (self.origin, self.cursor) = (at, Cursor::default());
        }
        let part = text.get(self.origin..).unwrap_or_default();
        let mut scanner = match go_on {
            Some(progress) => Scanner::resume(part, &mut self.tape.positions, progress),
            None => Scanner::new(part, &mut self.tape.positions),
        };
        scanner.seek(&mut self.cursor, at - self.origin);
        let outcome = parse::fill(&mut scanner, limits, &mut self.cursor, &mut self.tape.filling);
        // After a fault the scanner may be anywhere.
        self.progress = outcome.is_ok().then(|| scanner.progress());
        let (start, end) = match outcome {
            Ok((start, end)) => (self.origin + start, self.origin + end),
            Err(error) => (at, self.origin + error.offset),
        };
        self.end = end;
        let most = limits.max_bytes;
        if end - start > most {
            return Err(Error::new(start + most, ErrorKind::Bytes(most)));
        }
        match (outcome, check_utf8(text.get(start..end).unwrap_or_default())) {
            (_, Err(fault)) => Err(Error::new(start + fault, ErrorKind::Utf8)),
            (Ok(_), Ok(source)) => Ok((source, start..end)),
            (Err(error), _) => Err(Error::new(end, error.kind)),
        }
    }

    /// Parses a value whose range is known already.
    pub(crate) fn fill_range<'t>(
        &mut self,
        text: &'t [u8],
        range: Range<usize>,
        limits: &Limits,
    ) -> Result<&'t str, Error> {
        self.progress = None;
        let (source, _, end) = self.tape.fill(text.get(..range.end).unwrap_or(text), range.start, limits)?;
        if end == range.end { Ok(source) } else { Err(Error::new(end, ErrorKind::Trailing)) }
    }

    /// The value that `fill` or `fill_range` put on the tape, by what it gave: its text and where that starts.
    pub(crate) fn value<'t>(&'t self, source: &'t str, start: usize) -> Value<'t> {
        Value::root(source, start, &self.tape.filling.nodes)
    }
}

/// White space between tokens, RFC 8259 §2.
pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The text if it is UTF-8, else the first byte that is not. A character that the end cuts is no fault.
fn check_utf8(text: &[u8]) -> Result<&str, usize> {
    match simdutf8::basic::from_utf8(text) {
        Ok(source) => Ok(source),
        Err(_) => match simdutf8::compat::from_utf8(text) {
            Err(fault) if fault.error_len().is_some() => Err(fault.valid_up_to()),
            other => Ok(other.unwrap_or_default()),
        },
    }
}

#[cfg(test)]
mod tests;
