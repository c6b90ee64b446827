//! Lines that are made as lines before them were.
//!
//! A sensor writes the same keys in the same order, line after line. What stands between two values is then the same each
//! time: the quote that ends one, a comma, perhaps braces, a key, a colon and the quote that begins the next. The walk makes
//! of these bytes what it made of them before if the same objects and arrays are open. So they are kept, as a step from
//! value to value, with what the walk does with the value behind them; and a line that takes such steps from its first brace
//! to its line feed is read by comparing, and no other byte of it is looked at but to find where its values end.
//!
//! What the steps do not take is walked as if there were none. Steps come only from lines that were walked to their end
//! without a fault ([`learn`](super::learn)).

use std::collections::HashMap;

use wide::u8x16;

use super::keys::Act;
use super::learn::Place;
use super::line::{Lines, OPEN, Span};
use super::unescape;

/// Bytes of a step: what is longer takes several.
pub(super) const HEAD: usize = 32;
/// Bytes that are looked at around a step: itself, and as many behind it.
const NEAR: usize = 128;
/// Lines in a row that are not followed before only one of some is tried.
const PATIENCE: u32 = 64;
const RETRY: u32 = 16;
/// Steps that may come after one, besides the usual one.
pub(super) const OTHERS: usize = 15;

/// What stands behind a step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Value {
    /// A string, whose opening quote ends the step.
    Text,
    /// A number or literal.
    Scalar,
    /// The next line: the step ends with the line feed.
    Line,
    /// The next step of what did not fit into one.
    More,
}

/// The bytes between two values, in one line of cache.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Step {
    pub(super) head: [u8; HEAD],
    /// Which bytes of the head count, a bit a byte.
    pub(super) mask: u32,
    pub(super) length: u8,
    pub(super) value: Value,
    /// Its own number. That of the first, behind which lines begin, stands for none.
    pub(super) number: u16,
    /// The step that usually comes behind it.
    pub(super) usual: u16,
    /// What is done with the value.
    pub(super) act: Option<Act>,
}

/// The steps that lines of a log took so far.
#[derive(Debug, Default)]
pub(super) struct Trails {
    /// The first has no bytes: lines begin behind it.
    pub(super) steps: Vec<Step>,
    /// What else was seen behind each of them.
    pub(super) others: Vec<[u16; OTHERS]>,
    /// The steps by what is open before them, their text up to their end, and what stands behind.
    pub(super) known: HashMap<(u16, Box<[u8]>, Value), u16>,
    /// What can be open.
    pub(super) places: Vec<Place>,
    pub(super) inner: HashMap<Place, u16>,
    /// What was spent on learning, less what came of it.
    pub(super) debt: u32,
    /// Lines that are not learned from.
    pub(super) wait: u32,
    /// Lines that were not followed since one was.
    pub(super) vain: u32,
    /// How many steps were not those that usually come.
    turns: u32,
}

/// A step that was not the one that usually comes behind another.
#[derive(Clone, Copy)]
struct Turn {
    before: u16,
    rank: usize,
}

/// A line that was read.
pub(super) struct Followed {
    /// Where its line feed stands.
    pub(super) end: usize,
    /// Whether it is ASCII for sure.
    pub(super) ascii: bool,
}

impl Trails {
    /// Reads the line that begins at `start` if all of its steps are known. Else something may have been seen of it.
    #[inline]
    pub(super) fn follow(&mut self, text: &[u8], start: usize, lines: &mut Lines) -> Option<Followed> {
        // A line that shows only at its end that it is made otherwise is read twice; where all are, few are tried.
        self.vain = self.vain.wrapping_add(1);
        if self.vain > PATIENCE && !self.vain.is_multiple_of(RETRY) {
            return None;
        }
        let mut turn = None;
        let followed = self.steps_of(text, start, lines, &mut turn);
        if followed.is_some() {
            self.vain = 0;
            self.debt = self.debt.saturating_sub(1);
        }
        if let Some(turn) = turn {
            self.turned(turn);
        }
        followed
    }

    #[inline(always)]
    fn steps_of(&self, text: &[u8], start: usize, lines: &mut Lines, turn: &mut Option<Turn>) -> Option<Followed> {
        let mut at = start;
        let mut seen = u8x16::splat(0);
        let mut step = self.steps.first()?;
        let mut last = [0; NEAR];
        loop {
            let near = match text.get(at..).and_then(<[u8]>::first_chunk) {
                Some(near) => near,
                None => {
                    copy(text.get(at..).unwrap_or_default(), &mut last);
                    &last
                }
            };
            step = self.next(step, near, turn)?;
            let length = usize::from(step.length) & (2 * HEAD - 1);
            let begin = at + length;
            match step.value {
                Value::Text => {
                    let length = string(text, begin, near.get(length..)?.first_chunk()?, &mut seen);
                    at = begin + length;
                    if text.get(at) == Some(&b'\\') {
                        at = escaped(text, at, &mut seen)?;
                        if let Some(act) = step.act {
                            let span = unescaped(text, begin, at, lines)?;
                            lines.see(act, span);
                        }
                    } else if let Some(act) = step.act {
                        lines.see(act, Span { start: begin as u32, end: at as u32, made: false });
                    }
                }
                Value::Scalar => {
                    let near = near.get(length..)?.first_chunk()?;
                    let length = scalar(text, begin, near);
                    let [first, ..] = *near;
                    if length == 0 || first == b':' {
                        return None;
                    }
                    at = begin + length;
                    if let Some(act) = step.act
                        && first != b'n'
                    {
                        lines.see(act, Span { start: begin as u32, end: OPEN, made: false });
                    }
                }
                Value::More => at = begin,
                // The first step of all, which stands for none, ends nowhere.
                Value::Line if length == 0 => return None,
                Value::Line => return Some(Followed { end: begin - 1, ascii: seen.to_bitmask() == 0 }),
            }
        }
    }

    /// The step that stands here, if it is one of those that were seen behind another.
    #[inline(always)]
    fn next(&self, before: &Step, near: &[u8; NEAR], turn: &mut Option<Turn>) -> Option<&Step> {
        let usual = self.steps.get(usize::from(before.usual))?;
        if usual.is(near) { Some(usual) } else { self.other(before, near, turn) }
    }

    /// The same, of those that come less often.
    #[inline(never)]
    fn other(&self, before: &Step, near: &[u8; NEAR], turn: &mut Option<Turn>) -> Option<&Step> {
        let others = self.others.get(usize::from(before.number))?;
        for (rank, other) in others.iter().enumerate().take_while(|(_, other)| **other != 0) {
            let step = self.steps.get(usize::from(*other))?;
            if step.is(near) {
                *turn = Some(Turn { before: before.number, rank });
                return Some(step);
            }
        }
        None
    }

    /// Now and then, what came is asked for earlier from now on. Most often all is left as it is, so that the processor can
    /// foresee it.
    fn turned(&mut self, Turn { before, rank }: Turn) {
        self.turns = self.turns.wrapping_add(1);
        if self.turns.is_multiple_of(64)
            && let Some(step) = self.steps.get_mut(usize::from(before))
            && let Some(others) = self.others.get_mut(usize::from(before))
        {
            match others.get_mut(rank) {
                Some(other) if rank == 0 => std::mem::swap(&mut step.usual, other),
                _ => others.swap(rank.saturating_sub(1), rank),
            }
        }
    }
}

impl Step {
    /// Whether it is what stands here.
    #[inline(always)]
    fn is(&self, near: &[u8; NEAR]) -> bool {
        let ([low, high, ..], _) = near.as_chunks::<16>() else { return false };
        let ([first, second], _) = self.head.as_chunks::<16>() else { return false };
        let same = |one: &[u8; 16], other: &[u8; 16]| u8x16::new(*one).simd_eq(u8x16::new(*other)).to_bitmask();
        !(same(low, first) | same(high, second) << 16) & self.mask == 0
    }
}

/// The length of the string that begins at `at`, with those bytes: up to its closing quote, a backslash, or what no string
/// has. `seen` is given the bits that any of its bytes has, and perhaps of some behind it.
#[inline(always)]
fn string(text: &[u8], at: usize, first: &[u8; 2 * 16], seen: &mut u8x16) -> usize {
    let mut bytes = *first;
    let mut length = 0;
    loop {
        let (halves, _) = bytes.as_chunks::<16>();
        let mut ends = 0;
        for (place, half) in halves.iter().enumerate() {
            let half = u8x16::new(*half);
            *seen |= half;
            ends |= text_ends(half) << (16 * place);
        }
        if ends != 0 {
            return length + ends.trailing_zeros() as usize;
        }
        length += 32;
        bytes = load(text, at + length);
    }
}

/// Quotes, backslashes and control characters, a bit a byte.
#[inline(always)]
fn text_ends(bytes: u8x16) -> u32 {
    // A quote changes places with the space, above which no control character is.
    let swapped = bytes ^ u8x16::splat(2);
    (swapped.min(u8x16::splat(b' ')).simd_eq(swapped) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
}

/// Where a string ends that has the backslash at `at`, which begins an escape. None if the escape is of a byte that no string
/// has.
#[cold]
fn escaped(text: &[u8], mut at: usize, seen: &mut u8x16) -> Option<usize> {
    while text.get(at) == Some(&b'\\') {
        // It is stepped over, so that it does not count among the bytes that were seen.
        if !matches!(text.get(at + 1)?, b' '..=0x7F) {
            return None;
        }
        at += 2;
        at += string(text, at, &load(text, at), seen);
    }
    Some(at)
}

#[cold]
fn unescaped(text: &[u8], start: usize, end: usize, lines: &mut Lines) -> Option<Span> {
    let raw = text.get(start..end)?;
    let mut fine = true;
    let span = lines.make(|out| fine = unescape::json(raw, out));
    fine.then_some(span)
}

/// The length of the number or literal that begins at `at`, with those bytes: up to a byte that is none of `-./:`, digits,
/// `;<=>?@`, letters and `` ` ``. None of those is ever more than itself.
#[inline(always)]
fn scalar(text: &[u8], at: usize, first: &[u8; 16]) -> usize {
    let mut bytes = *first;
    let mut length = 0;
    loop {
        let both = u8x16::new(bytes);
        let capital = both & u8x16::splat(0xDF);
        let ends = both.min(u8x16::splat(b',')).simd_eq(both) | capital.max(u8x16::splat(b'[')).simd_eq(capital);
        let ends = ends.to_bitmask();
        if ends != 0 {
            return length + ends.trailing_zeros() as usize;
        }
        length += 16;
        bytes = load(text, at + length);
    }
}

/// Where a number or literal ends.
pub(super) fn scalar_end(text: &[u8], at: usize) -> usize {
    at + scalar(text, at, &load(text, at))
}

/// The bytes from `at` on; zeros past the end.
#[inline(always)]
fn load<const SIZE: usize>(text: &[u8], at: usize) -> [u8; SIZE] {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => *bytes,
        None => {
            let mut bytes = [0; SIZE];
            copy(text.get(at..).unwrap_or_default(), &mut bytes);
            bytes
        }
    }
}

/// As many bytes as fit, and zeros.
#[cold]
fn copy(from: &[u8], into: &mut [u8]) {
    into.fill(0);
    for (to, from) in into.iter_mut().zip(from) {
        *to = *from;
    }
}
