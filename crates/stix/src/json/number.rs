//! The grammar of numbers, RFC 8259 §6.

use super::error::{Error, ErrorKind};

/// Length of the number at the start of `text`, and whether it has neither fraction nor exponent.
///
/// The caller has seen a digit or a minus sign. Offsets in errors count from the start of `text`.
pub(super) fn scan(text: &[u8]) -> Result<(usize, bool), Error> {
    let negative = usize::from(text.first() == Some(&b'-'));
    let whole = digits(text, negative);
    let mut at = negative + whole;
    match (whole, text.get(negative)) {
        (0, Some(b'I')) => return Err(Error::new(0, ErrorKind::NotANumber)),
        (0, None) => return Err(Error::new(at, ErrorKind::Truncated)),
        (0, _) => return Err(Error::new(at, ErrorKind::Number)),
        (2.., Some(b'0')) => return Err(Error::new(negative + 1, ErrorKind::Number)),
        _ => {}
    }
    if !matches!(text.get(at), Some(b'.' | b'e' | b'E')) {
        return if whole > 308 { Ok((in_range(text, at)?, true)) } else { Ok((at, true)) };
    }
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = some_digits(text, at + 1 + sign)?;
        return Ok((in_range(text, at)?, false));
    }
    if whole > 308 { Ok((in_range(text, at)?, false)) } else { Ok((at, false)) }
}

/// How many digits stand at `at`.
fn digits(text: &[u8], at: usize) -> usize {
    text.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count()
}

/// The end of the digits at `at`, of which there must be one.
fn some_digits(text: &[u8], at: usize) -> Result<usize, Error> {
    match digits(text, at) {
        0 if at >= text.len() => Err(Error::new(at, ErrorKind::Truncated)),
        0 => Err(Error::new(at, ErrorKind::Number)),
        count => Ok(at + count),
    }
}

/// The end of the number again, if a double can hold it.
fn in_range(text: &[u8], end: usize) -> Result<usize, Error> {
    let value = text.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|n| n.parse::<f64>().ok());
    match value {
        Some(value) if value.is_finite() => Ok(end),
        _ => Err(Error::new(0, ErrorKind::NumberRange)),
    }
}
