//! Escapes of strings, RFC 8259 §7.

use std::borrow::Cow;

use super::error::{Error, ErrorKind};

/// Length of an escape of the form `\uXXXX`.
pub(super) const UNICODE: usize = 6;

/// Checks the escape whose backslash stands at `at`, and gives the offset after it; a surrogate pair is one escape.
pub(super) fn check_escape(text: &[u8], at: usize) -> Result<usize, Error> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => check_unicode(text, at),
        Some(_) => Err(Error::new(at, ErrorKind::Escape)),
        None => Err(Error::new(text.len(), ErrorKind::Truncated)),
    }
}

/// Checks `\uXXXX` at `at`, with its second half if it starts a surrogate pair.
fn check_unicode(text: &[u8], at: usize) -> Result<usize, Error> {
    let first = four_digits(text, at)?;
    match first {
        0xD800..=0xDBFF => {
            if text.len() <= at + 6 {
                return Err(Error::new(text.len(), ErrorKind::Truncated));
            }
            if text.get(at + 6..at + 8) != Some(br"\u".as_slice()) {
                return Err(Error::new(at, ErrorKind::LoneSurrogate));
            }
            match four_digits(text, at + 6)? {
                0xDC00..=0xDFFF => Ok(at + 12),
                _ => Err(Error::new(at, ErrorKind::LoneSurrogate)),
            }
        }
        0xDC00..=0xDFFF => Err(Error::new(at, ErrorKind::LoneSurrogate)),
        _ => Ok(at + 6),
    }
}

/// The number after `\u` at `at`.
fn four_digits(text: &[u8], at: usize) -> Result<u32, Error> {
    let mut number = 0;
    for offset in at + 2..at + 6 {
        let Some(byte) = text.get(offset) else { return Err(Error::new(text.len(), ErrorKind::Truncated)) };
        let Some(digit) = char::from(*byte).to_digit(16) else { return Err(Error::new(at, ErrorKind::Escape)) };
        number = number * 16 + digit;
    }
    Ok(number)
}

/// The text that a string with escapes stands for; `raw` is what stands between the quotes, already checked.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(at) = next {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let (character, length) = resolve(escape);
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
        next = memchr::memchr(b'\\', rest.as_bytes());
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that the escape at the start of `text` stands for, and the escape's length.
fn resolve(text: &str) -> (char, usize) {
    let simple = match text.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{C}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return resolve_unicode(text),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

/// The same for `\uXXXX` and for surrogate pairs.
fn resolve_unicode(text: &str) -> (char, usize) {
    let hex = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match (hex(2), hex(8)) {
        (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
            let scalar = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        (Some(scalar), _) => (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
        (None, _) => (char::REPLACEMENT_CHARACTER, 6),
    }
}
