//! URLs (RFC 3986), normalised as far as no server may tell the difference (§6.2.2, §6.2.3).

mod host;

use super::digest::digit;
use host::{split_authority, write_authority};

/// The longest URL that is one here, in its canonical form as well.
pub const MAX_URL: usize = 65_536;

/// The parts of a canonical URL that decide how it may be compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parts<'a> {
    /// The scheme, without `://`; none if it was left out.
    pub scheme: Option<&'a [u8]>,
    /// Who is asked: perhaps a user, the host, perhaps a port.
    pub authority: &'a [u8],
    /// All behind the scheme, with the query.
    pub rest: &'a [u8],
    /// The same without the query; equal to `rest` if there is none.
    pub without_query: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &'a [u8] {
        split_authority(self.authority).host
    }
}

/// A URL in one form: scheme and host in lower case, the host as [`domain`](super::domain) or
/// [`address`](super::address) has it, no default port, dot segments resolved, no fragment; in what is percent-encoded,
/// unreserved characters decoded, the others in upper-case digits, and encoded whatever may not stand there. An empty
/// path is `/`. The scheme may be missing, as it is in many logs: then there is no user, and ports 80 and 443 count as
/// default.
#[must_use]
pub fn url<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let raw = raw.trim_ascii();
    if raw.len() > MAX_URL {
        return None;
    }
    if is_canonical(raw) == Some(true) {
        return Some(raw);
    }
    let (scheme, rest) = match scheme_end(raw) {
        Some(end) => (raw.get(..end)?, raw.get(end + 3..)?),
        None => (b"".as_slice(), raw.strip_prefix(b"//").unwrap_or(raw)),
    };
    let rest = rest.split(|&byte| byte == b'#').next()?;
    let (authority, behind) = rest.split_at_checked(authority_end(rest))?;
    scratch.clear();
    scratch.extend(scheme.iter().map(u8::to_ascii_lowercase));
    if !scheme.is_empty() {
        scratch.extend_from_slice(b"://");
    }
    write_authority(authority, scratch)?;
    let query = behind.iter().position(|&byte| byte == b'?').unwrap_or(behind.len());
    let (path, query) = behind.split_at_checked(query)?;
    write_path(path, scratch);
    encode(query, scratch);
    (scratch.len() <= MAX_URL).then_some(scratch)
}

/// The parts of a canonical URL.
#[must_use]
pub fn parts(canonical: &[u8]) -> Parts<'_> {
    let (scheme, rest) = match scheme_end(canonical) {
        Some(end) => (canonical.get(..end), canonical.get(end + 3..).unwrap_or_default()),
        None => (None, canonical),
    };
    let mark = rest.iter().position(|&byte| byte == b'?').unwrap_or(rest.len());
    Parts {
        scheme,
        authority: rest.get(..authority_end(rest)).unwrap_or_default(),
        rest,
        without_query: rest.get(..mark).unwrap_or_default(),
    }
}

/// Where the scheme ends, if `://` follows it (RFC 3986 §3.1).
fn scheme_end(text: &[u8]) -> Option<usize> {
    if !text.first()?.is_ascii_alphabetic() {
        return None;
    }
    let end = text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))?;
    text.get(end..)?.starts_with(b"://").then_some(end)
}

fn authority_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len())
}

/// What a byte behind the host is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Class {
    /// It stands there as it is.
    Kept,
    Slash,
    Question,
    Percent,
    /// It has to be encoded, or begins the fragment.
    Other,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "a constant, below 256")]
        {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => Class::Kept,
                b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => Class::Kept,
                b':' | b'@' | b'[' | b']' => Class::Kept,
                b'/' => Class::Slash,
                b'?' => Class::Question,
                b'%' => Class::Percent,
                _ => Class::Other,
            };
        }
        byte += 1;
    }
    table
};

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Other)
}

/// Whether the URL is plainly canonical: none or false where that would take more than a walk to say.
fn is_canonical(raw: &[u8]) -> Option<bool> {
    let rest = match scheme_end(raw) {
        Some(end) if raw.get(..end)?.iter().any(u8::is_ascii_uppercase) => return None,
        Some(end) => raw.get(end + 3..)?,
        None => raw,
    };
    let (authority, mut behind) = rest.split_at_checked(authority_end(rest))?;
    if !host::is_canonical(authority) || behind.first() != Some(&b'/') {
        return None;
    }
    let mut in_query = false;
    while let Some((&byte, tail)) = behind.split_first() {
        behind = tail;
        match class(byte) {
            Class::Kept => {}
            Class::Question => in_query = true,
            Class::Slash if !in_query && is_dot_segment(tail) => return None,
            Class::Slash => {}
            Class::Percent => match tail {
                [high, low, ..] if !high.is_ascii_lowercase() && !low.is_ascii_lowercase() => {
                    let (high, low) = (digit(*high), digit(*low));
                    if high > 15 || low > 15 || is_unreserved(high << 4 | low) {
                        return None;
                    }
                }
                _ => return None,
            },
            Class::Other => return None,
        }
    }
    Some(true)
}

/// Whether the segment that begins here is `.` or `..`.
fn is_dot_segment(tail: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| matches!(byte, None | Some(b'/' | b'?'));
    match tail {
        [b'.', rest @ ..] if ends(rest.first()) => true,
        [b'.', b'.', rest @ ..] => ends(rest.first()),
        _ => false,
    }
}

/// Characters that mean the same whether they are encoded or not (RFC 3986 §2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The path with its dot segments resolved (RFC 3986 §5.2.4), `/` if it is empty.
fn write_path(path: &[u8], into: &mut Vec<u8>) {
    let root = into.len();
    let mut segments = path.strip_prefix(b"/").unwrap_or(path).split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let before = into.len();
        into.push(b'/');
        encode(segment, into);
        let parents = match into.get(before + 1..) {
            Some(b".") => 0,
            Some(b"..") => 1,
            _ => continue,
        };
        into.truncate(before);
        if parents == 1 {
            let above = into.get(root..).unwrap_or_default();
            let cut = above.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            into.truncate(root + cut);
        }
        if segments.peek().is_none() {
            into.push(b'/');
        }
    }
}

/// Percent-encoding in one form (RFC 3986 §6.2.2.1, §6.2.2.2). A percent sign that begins no encoding is encoded itself.
fn encode(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match class(byte) {
            Class::Kept | Class::Slash | Class::Question => into.push(byte),
            Class::Other => percent(byte, into),
            Class::Percent => match tail {
                [high, low, behind @ ..] if digit(*high) < 16 && digit(*low) < 16 => {
                    let byte = digit(*high) << 4 | digit(*low);
                    if is_unreserved(byte) {
                        into.push(byte);
                    } else {
                        percent(byte, into);
                    }
                    rest = behind;
                }
                _ => percent(byte, into),
            },
        }
    }
}

fn percent(byte: u8, into: &mut Vec<u8>) {
    let letter = |value: u8| if value < 10 { b'0' + value } else { b'A' + value - 10 };
    into.extend_from_slice(&[b'%', letter(byte >> 4), letter(byte & 15)]);
}
