//! Duplicate names of an object's members, RFC 7493 §2.3.

use std::borrow::Cow;

use super::error::{Error, ErrorKind};
use super::string::unescape;
use super::value::Node;

/// Objects of more members than this are checked by sorting their names.
const FEW: usize = 32;

/// A number that equal names without escapes share, from their length, first and last eight bytes.
#[inline]
pub(super) fn mark(text: &[u8], start: usize, end: usize) -> u32 {
    let length = end - start;
    let (first, last) = match (eight(text, start), eight(text, end.wrapping_sub(8))) {
        (Some(first), Some(last)) if length >= 8 => (first, last),
        (Some(first), _) if length < 8 => (first & !(u64::MAX << (8 * length)), 0),
        _ => (short(text.get(start..end).unwrap_or_default()), 0),
    };
    let mixed = (first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ last).wrapping_add(length as u64);
    (mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
}

/// The eight bytes at `at`.
#[inline]
fn eight(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u64::from_le_bytes(*bytes))
}

/// The bytes of a name that stands within eight bytes of the end of the text.
fn short(name: &[u8]) -> u64 {
    name.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Whether two names of an object may be the same, by their marks. Never wrong when it says no.
#[inline]
pub(super) fn may_repeat(marks: &[u32]) -> bool {
    if marks.len() > FEW {
        return true;
    }
    let mut found = false;
    let mut rest = marks;
    while let Some((one, others)) = rest.split_first() {
        // Without leaving early: the compiler compares several at once.
        found |= others.iter().fold(false, |found, other| found | (one == other));
        rest = others;
    }
    found
}

/// Refuses the object whose nodes these are if two of its names are the same once escapes are resolved.
///
/// Names are sorted rather than hashed: n log n comparisons whatever an attacker writes.
#[cold]
pub(super) fn refuse_duplicates(text: &[u8], nodes: &[Node]) -> Result<(), Error> {
    let mut names = Vec::new();
    let mut rest = nodes.get(1..).unwrap_or_default();
    while let [key, values @ ..] = rest {
        names.push((name(text, key), key.start));
        let skip = values.first().map_or(0, |value| value.skip as usize);
        rest = values.get(skip..).unwrap_or_default();
    }
    names.sort_unstable();
    let again = names.iter().zip(names.iter().skip(1)).filter(|(one, two)| one.0 == two.0).map(|(_, two)| two.1).min();
    match again {
        Some(offset) => Err(Error::new(offset as usize, ErrorKind::DuplicateKey)),
        None => Ok(()),
    }
}

/// The bytes of a member's name, escapes resolved. Text that is not UTF-8 is refused elsewhere.
fn name<'t>(text: &'t [u8], key: &Node) -> Cow<'t, [u8]> {
    let raw = text.get(key.start as usize + 1..(key.end as usize).saturating_sub(1)).unwrap_or_default();
    if key.detail() == 0 {
        return Cow::Borrowed(raw);
    }
    match std::str::from_utf8(raw) {
        Ok(raw) => Cow::Owned(unescape(raw).into_owned().into_bytes()),
        Err(_) => Cow::Borrowed(raw),
    }
}
