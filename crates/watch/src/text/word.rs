//! What one word is: an address, a mailbox, a digest, a host name, or nothing.

use super::{Found, digest};
use crate::Meaning;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest host name: RFC 1035 §2.3.4.
const LONGEST_HOST: usize = 253;
/// The longest mailbox: RFC 5321 §4.5.3.1.
const LONGEST_MAILBOX: usize = 254 + 64;

/// Whether a word is made of it. Bytes above 127 are letters of internationalised names.
pub(super) fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'@' | b'+') || byte >= 0x80
}

/// Reads a word; `path` is what follows it.
pub(super) fn read(word: &[u8], path: &[u8], lower: &mut Vec<u8>, found: &mut Found<'_>) {
    let word = trim(word);
    if word.len() < 3 {
        return;
    }
    if memchr::memchr(b'@', word).is_some() {
        mailboxes(word, lower, found);
    } else if memchr::memchr(b':', word).is_some() {
        with_colons(word, path, lower, found);
    } else {
        plain(word, path, lower, found);
    }
}

fn trim(mut word: &[u8]) -> &[u8] {
    while let Some((b'.' | b'-' | b'+' | b'@', rest)) = word.split_last() {
        word = rest;
    }
    while let Some((b'.' | b'-' | b'+' | b'@', rest)) = word.split_first() {
        word = rest;
    }
    word
}

/// `mailto:a@b.example`, `a@b.example`, `user@host:path`.
fn mailboxes(word: &[u8], lower: &mut Vec<u8>, found: &mut Found<'_>) {
    for part in word.split(|&byte| byte == b':') {
        let mut at_signs = memchr::memchr_iter(b'@', part);
        match (at_signs.next(), at_signs.next()) {
            (None, _) => plain(trim(part), b"", lower, found),
            (Some(at), None) => {
                let (local, host) = (part.get(..at).unwrap_or_default(), part.get(at + 1..).unwrap_or_default());
                let part = trim(part);
                if !local.is_empty() && part.len() <= LONGEST_MAILBOX && is_host(trim(host), lower) {
                    found(Meaning::Mailbox, part);
                }
            }
            // `a@b@c` is no mailbox, and what of it might be one is a guess.
            (Some(_), Some(_)) => {}
        }
    }
}

/// An IPv6 address, a digest or hardware address in pairs, a host with its port, a label before a value.
fn with_colons(word: &[u8], path: &[u8], lower: &mut Vec<u8>, found: &mut Found<'_>) {
    if let Some(address) = ipv6(word) {
        return found(Meaning::Address, address);
    }
    match digest::pairs(word) {
        Some(16 | 20 | 28 | 32 | 48 | 64) => return found(Meaning::Digest, word),
        Some(6) => return found(Meaning::Mac, word),
        _ => {}
    }
    let mut parts = word.split(|&byte| byte == b':').peekable();
    while let Some(part) = parts.next() {
        let path = if parts.peek().is_none() { path } else { b"" };
        plain(trim(part), path, lower, found);
    }
}

/// The IPv6 address that a word is, perhaps with a colon behind it that belongs to the sentence. RFC 4291 §2.2.
fn ipv6(word: &[u8]) -> Option<&[u8]> {
    let is = |word: &[u8]| {
        word.len() >= 3
            && word.len() <= 45
            && std::str::from_utf8(word).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
    };
    if is(word) {
        return Some(word);
    }
    word.strip_suffix(b":").filter(|word| is(word))
}

/// A word without colon and at sign.
fn plain(word: &[u8], path: &[u8], lower: &mut Vec<u8>, found: &mut Found<'_>) {
    if word.len() < 4 {
        return;
    }
    if memchr::memchr(b'.', word).is_none() {
        if digest::is_digest(word) {
            found(Meaning::Digest, word);
        } else if digest::is_ja4(word) {
            found(Meaning::Ja4, word);
        } else if digest::pairs(word) == Some(6) {
            found(Meaning::Mac, word);
        }
        return;
    }
    if is_ipv4(word) {
        if !network(path) {
            found(Meaning::Address, word);
        }
    } else if memchr::memchr(b'-', word).is_some() && word.split(|&byte| byte == b'-').all(is_ipv4) {
        word.split(|&byte| byte == b'-').for_each(|address| found(Meaning::Address, address));
    } else if is_host(word, lower) {
        found(Meaning::Host, word);
    }
}

/// Whether what follows makes a network of the address: `/24`.
fn network(path: &[u8]) -> bool {
    let digits = path.strip_prefix(b"/").unwrap_or_default();
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=2).contains(&count) && digits.get(count).is_none_or(|&next| !is_part(next) && next != b'/')
}

fn is_ipv4(word: &[u8]) -> bool {
    word.len() >= 7 && word.len() <= 15 && std::str::from_utf8(word).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok())
}

/// Whether this is a host name below a known public suffix. Bare suffixes are no hosts.
fn is_host(word: &[u8], lower: &mut Vec<u8>) -> bool {
    if word.len() > LONGEST_HOST * 2 {
        return false;
    }
    let labels_hold = word.split(|&byte| byte == b'.').all(|label| {
        let inner =
            label.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte >= 0x80);
        !label.is_empty() && label.len() <= 63 * 2 && inner && !label.starts_with(b"-") && !label.ends_with(b"-")
    });
    if !labels_hold || std::str::from_utf8(word).is_err() {
        return false;
    }
    lower.clear();
    lower.extend(word.iter().map(u8::to_ascii_lowercase));
    psl::suffix(lower).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() < lower.len())
}
