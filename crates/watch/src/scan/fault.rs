//! What is wrong with a line, and how many there were.

use std::fmt;

/// Why a line was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It does not begin as a JSON object.
    NotObject,
    /// It ends within a string, an object or an array.
    Cut,
    /// A byte stands where the grammar has no place for it (RFC 8259); its offset in the line.
    Syntax(usize),
    /// Objects and arrays stand in one another deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    Depth,
    /// It is not UTF-8.
    Encoding,
    /// It is longer than [`MAX_LINE`](super::MAX_LINE).
    Length,
    /// It has another number of columns than the header names.
    Columns {
        /// How many it has.
        found: usize,
        /// How many the header names.
        named: usize,
    },
    /// No header came before it.
    Header,
    /// A line of the header cannot be used.
    BadHeader,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotObject => f.write_str("not a JSON object"),
            Self::Cut => f.write_str("cut off before its end"),
            Self::Syntax(at) => write!(f, "not JSON at byte {at}"),
            Self::Depth => write!(f, "nested deeper than {} levels", super::MAX_DEPTH),
            Self::Encoding => f.write_str("not UTF-8"),
            Self::Length => write!(f, "longer than {} bytes", super::MAX_LINE),
            Self::Columns { found, named } => write!(f, "{found} columns where the header names {named}"),
            Self::Header => f.write_str("no `#fields` line before it"),
            Self::BadHeader => f.write_str("a header line that cannot be used"),
        }
    }
}

/// What was read, and what was not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Lines so far, empty and broken ones and headers among them.
    pub lines: u64,
    /// Lines that were not read.
    pub broken: u64,
    /// The first few of those, by the number of the line.
    pub faults: Vec<(u64, Fault)>,
}

impl Report {
    /// As many faults are kept; all are counted.
    const KEPT: usize = 8;

    pub(super) fn broken(&mut self, line: u64, fault: Fault) {
        self.broken += 1;
        if self.faults.len() < Self::KEPT {
            self.faults.push((line, fault));
        }
    }
}
