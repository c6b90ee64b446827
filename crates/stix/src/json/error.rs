//! What is wrong with a text that is not acceptable JSON, and where.

use std::fmt;

/// A refusal of a text: what is wrong, and the byte at which it was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// Bytes from the start of the text; [`position`] makes a line and a column of it.
    pub offset: usize,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(offset: usize, kind: ErrorKind) -> Self {
        Self { offset, kind }
    }
}

/// The ways in which a text fails to be JSON (RFC 8259), interoperable JSON (RFC 7493) or within the caller's limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing but white space.
    Empty,
    /// The text ends inside a value.
    Truncated,
    /// More text follows the value.
    Trailing,
    /// Something else stands where a value must start.
    ExpectedValue,
    /// Something else stands where a member's name must start.
    ExpectedKey,
    /// No colon after a member's name.
    ExpectedColon,
    /// Neither a comma nor the end of the array follows an element.
    ExpectedCommaOrBracket,
    /// Neither a comma nor the end of the object follows a member.
    ExpectedCommaOrBrace,
    /// `NaN`, `Infinity` or `-Infinity`, which JSON does not have.
    NotANumber,
    /// A number against the grammar: a leading zero or plus, a bare point, an exponent without digits.
    Number,
    /// A number that no IEEE 754 double holds (RFC 7493 §2.2).
    NumberRange,
    /// A control character (U+0000 to U+001F) that is not escaped.
    ControlCharacter,
    /// A backslash followed by something that is no escape.
    Escape,
    /// Half a surrogate pair (RFC 7493 §2.1).
    LoneSurrogate,
    /// Bytes that are not UTF-8 (RFC 8259 §8.1).
    Utf8,
    /// A byte order mark before the value (RFC 8259 §8.1).
    ByteOrderMark,
    /// A name that its object already has, escapes resolved (RFC 7493 §2.3).
    DuplicateKey,
    /// Arrays and objects inside one another beyond this limit.
    Depth(usize),
    /// More values than this limit.
    Values(usize),
    /// More bytes than this limit.
    Bytes(usize),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Empty => "no JSON value, only white space",
            Self::Truncated => "the text ends inside a value",
            Self::Trailing => "more text after the end of the value",
            Self::ExpectedValue => "expected a value",
            Self::ExpectedKey => "expected a member's name in double quotes",
            Self::ExpectedColon => "expected `:` after the member's name",
            Self::ExpectedCommaOrBracket => "expected `,` or `]`",
            Self::ExpectedCommaOrBrace => "expected `,` or `}`",
            Self::NotANumber => "JSON has no NaN or Infinity",
            Self::Number => "malformed number",
            Self::NumberRange => "number too large for an IEEE 754 double",
            Self::ControlCharacter => "control character in a string must be escaped",
            Self::Escape => "unknown escape in a string",
            Self::LoneSurrogate => "half a surrogate pair in a string",
            Self::Utf8 => "not UTF-8",
            Self::ByteOrderMark => "byte order mark before the value",
            Self::DuplicateKey => "the object already has a member of this name",
            Self::Depth(limit) => return write!(out, "arrays and objects nested more than {limit} deep"),
            Self::Values(limit) => return write!(out, "more than {limit} values"),
            Self::Bytes(limit) => return write!(out, "more than {limit} bytes"),
        };
        out.write_str(words)
    }
}

/// Line and column of a byte offset, both counted from 1, the column in characters.
///
/// Text that is not UTF-8 is counted by the bytes that could start a character.
#[must_use]
pub fn position(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = before.iter().skip(line_start).filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
    (line, column)
}
