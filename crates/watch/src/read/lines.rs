//! Formats of lines.

use super::{Fault, Faults, Reader, Sink};

/// What a format of lines makes of one line.
pub trait Line: Send {
    /// Reads a line without its end. A fault is counted by whoever calls.
    ///
    /// # Errors
    /// Why it could not be read.
    fn line(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) -> Result<(), Fault>;
}

/// A reader of such a format.
#[derive(Debug, Default)]
pub struct Lines<F> {
    format: F,
    faults: Faults,
}

impl<F: Line> Lines<F> {
    /// Reads lines of this format.
    pub fn new(format: F) -> Self {
        Self { format, faults: Faults::default() }
    }
}

impl<F: Line> Reader for Lines<F> {
    fn block(&mut self, bytes: &[u8], first: u64, sink: &mut Sink<'_>) {
        each(bytes, first, &mut |line, number| {
            if let Err(fault) = self.format.line(line, number, sink) {
                self.faults.add(fault, number);
            }
        });
    }

    fn end(&mut self, _: &mut Sink<'_>) {}

    fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// Gives each line with its number, without `\n` or `\r\n` and without the mark of UTF-8 before the first; empty ones
/// are passed over.
pub(super) fn each(bytes: &[u8], first: u64, line: &mut dyn FnMut(&[u8], u64)) {
    let mut number = first;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (whole, after) = match memchr::memchr(b'\n', rest) {
            Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
            None => (rest, &[][..]),
        };
        let whole = trimmed(whole, number);
        if !whole.is_empty() {
            line(whole, number);
        }
        number += 1;
        rest = after;
    }
}

/// A line without `\r` at its end, and without a byte order mark if it is the first.
pub(super) fn trimmed(line: &[u8], number: u64) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
}
