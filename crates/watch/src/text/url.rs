//! Where a URL begins and ends in text. RFC 3986 Appendix C.

use memchr::memmem;

/// The longest name of a scheme that is read.
const LONGEST_SCHEME: usize = 16;

/// Where the scheme before `://` at `at` begins, not before `from`.
pub(super) fn scheme_before(chunk: &[u8], from: usize, at: usize) -> Option<usize> {
    let before = chunk.get(from..at)?;
    let run = before.iter().rev().take(LONGEST_SCHEME + 1).take_while(|&&byte| is_scheme(byte)).count();
    // A scheme begins with a letter: RFC 3986 §3.1.
    let scheme = before.get(before.len() - run..)?;
    let after = |at: usize| at.checked_sub(1).and_then(|at| scheme.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let begin = (0..run).find(|&at| scheme.get(at).is_some_and(u8::is_ascii_alphabetic) && !after(at))?;
    (run <= LONGEST_SCHEME && begin < run).then_some(at - run + begin)
}

/// Where the URL that begins at `begin`, with its authority at `authority`, ends.
pub(super) fn end(chunk: &[u8], begin: usize, authority: usize) -> usize {
    let rest = chunk.get(authority..).unwrap_or_default();
    let mut length = rest.len();
    // The next one of a list: `http://a/x,http://b/y`.
    if let Some(next) = memmem::find(rest, b"://")
        && let Some(scheme) = scheme_before(rest, 0, next)
        && let Some(parted) = scheme.checked_sub(1)
        && matches!(rest.get(parted), Some(b',' | b';' | b'|'))
    {
        length = parted;
    }
    let open = chunk.get(begin.wrapping_sub(1)).copied();
    trimmed(rest.get(..length).unwrap_or_default(), open) + authority
}

/// The host of a URL, or of what follows its scheme, without user and port; an IPv6 address without its brackets. A path
/// alone has none. RFC 3986 §3.2.
#[must_use]
pub fn host(url: &[u8]) -> Option<&[u8]> {
    let rest = match memmem::find(url, b"://") {
        Some(at) if scheme_before(url, 0, at) == Some(0) => url.get(at + 3..)?,
        _ => url,
    };
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = memchr::memrchr(b'@', authority).and_then(|at| authority.get(at + 1..)).unwrap_or(authority);
    let host = match host.strip_prefix(b"[") {
        Some(literal) => literal.get(..memchr::memchr(b']', literal)?)?,
        None => host.get(..memchr::memchr(b':', host).unwrap_or(host.len()))?,
    };
    (!host.is_empty()).then_some(host)
}

/// Without the marks of the sentence around it, and without brackets that were not opened in it.
fn trimmed(mut url: &[u8], before: Option<u8>) -> usize {
    // What closes the quote or bracket that it stands in ends it.
    let closing = match before {
        Some(b'\'') => Some(b'\''),
        Some(b'|') => Some(b'|'),
        _ => None,
    };
    if let Some(closing) = closing
        && let Some(at) = memchr::memchr(closing, url)
    {
        url = url.get(..at).unwrap_or(url);
    }
    let (mut round, mut square, mut curly) =
        (balance(url, b'(', b')'), balance(url, b'[', b']'), balance(url, b'{', b'}'));
    while let Some((last, rest)) = url.split_last() {
        let open = match last {
            b')' => &mut round,
            b']' => &mut square,
            b'}' => &mut curly,
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'|' | b'\\' => {
                url = rest;
                continue;
            }
            _ => break,
        };
        if *open >= 0 {
            break;
        }
        *open += 1;
        url = rest;
    }
    url.len()
}

fn balance(url: &[u8], open: u8, close: u8) -> isize {
    let mut balance = 0;
    for &byte in url {
        balance += isize::from(byte == open) - isize::from(byte == close);
    }
    balance
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}
