//! Finding data about persons in running text, in time linear in its length.
//!
//! Most text has none: blocks of it that have neither digits nor any sign of an e-mail address are gone past many bytes
//! at a time. Every other byte costs at most a look at a bounded stretch around it.

use std::ops::Range;

use super::{Kind, email, number};

/// Where in a text which kind of data stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Find {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// Adds what is found in the text, in order and without overlaps.
pub(crate) fn scan(text: &str, found: &mut Vec<Find>) {
    let (mut at, mut done) = (0, 0);
    while let Some(trigger) = next(text.as_bytes(), at) {
        let (find, end) = match text.as_bytes().get(trigger) {
            Some(b'@' | b'[' | b'(' | b'{' | b'%') => email::at(text, trigger, done),
            _ => number::at(text, trigger, done),
        };
        if let Some(find) = find {
            done = find.range.end;
            found.push(find);
        }
        at = end.max(trigger + 1);
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The next place, from `at` on, that could belong to an e-mail address or to a number.
fn next(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<{ BLOCK + 1 }>()) {
        if may_have(block) {
            if let Some(found) = first(bytes, at..at + BLOCK) {
                return Some(found);
            }
        }
        at += BLOCK;
    }
    first(bytes, at..bytes.len())
}

/// Whether a block has a trigger. No branch depends on a byte, so that the compiler may look at many at once.
fn may_have(block: &[u8; BLOCK + 1]) -> bool {
    let mut any = 0;
    for (byte, after) in block.iter().zip(block.iter().skip(1)) {
        let ascii = (byte.wrapping_sub(b'0') < 10) | (*byte == b'@') | (*byte == b'%');
        let open = (*byte == b'(') | (*byte | 0x20 == b'{');
        let arabic =
            (*byte == 0xD9) & (after.wrapping_sub(0xA0) < 10) | (*byte == 0xDB) & (after.wrapping_sub(0xB0) < 10);
        any |= u8::from(ascii | open | arabic);
    }
    any != 0
}

fn first(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    range.into_iter().find(|at| match bytes.get(*at) {
        Some(b'0'..=b'9' | b'@' | b'%' | b'[' | b'(' | b'{') => true,
        Some(0xD9) => matches!(bytes.get(at + 1), Some(0xA0..=0xA9)),
        Some(0xDB) => matches!(bytes.get(at + 1), Some(0xB0..=0xB9)),
        _ => false,
    })
}
