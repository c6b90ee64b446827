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

/// Bytes that are compared at once.
pub(super) const HEAD: usize = 32;
/// Steps that may come after one.
pub(super) const NEXT: usize = 8;

/// What stands behind a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// A string, whose opening quote ends the step.
    Text,
    /// A number or literal.
    Scalar,
    /// The next line: the step ends with the line feed.
    Line,
}

/// The bytes between two values. What is asked of most steps lies in one line of cache.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Step {
    pub(super) head: [u8; HEAD],
    /// Which bytes of the head count, a bit a byte.
    pub(super) mask: u32,
    pub(super) length: u32,
    /// What is done with the value.
    pub(super) act: Option<Act>,
    pub(super) value: Value,
    /// Its own number. That of the first, behind which lines begin, stands for none.
    pub(super) number: u16,
    /// The steps that were seen behind it, the usual one first.
    pub(super) next: [u16; NEXT],
    /// What does not fit into the head.
    pub(super) rest: Box<[u8]>,
}

/// The steps that lines of a log took so far.
#[derive(Debug)]
pub(super) struct Trails {
    /// The first has no bytes: lines begin behind it.
    pub(super) steps: Vec<Step>,
    /// The steps by their text and what is open before it.
    pub(super) known: HashMap<(u16, Box<[u8]>), u16>,
    /// What can be open, by the place outside of it.
    pub(super) places: Vec<Place>,
    /// Lines that are not learned from, since those before did not help.
    pub(super) wait: u32,
    pub(super) pause: u32,
    /// How often a step was seen behind another for the first time.
    pub(super) links: u32,
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

impl Default for Trails {
    fn default() -> Self {
        let mut trails = Self {
            steps: Vec::new(),
            known: HashMap::new(),
            places: Vec::new(),
            wait: 0,
            pause: 0,
            links: 0,
            turns: 0,
        };
        trails.clear();
        trails
    }
}

impl Trails {
    /// Reads the line that begins at `start` if all of its steps are known. Else something may have been seen of it.
    #[inline]
    pub(super) fn follow(&mut self, text: &[u8], start: usize, lines: &mut Lines) -> Option<Followed> {
        let mut turn = None;
        let followed = self.steps_of(text, start, lines, &mut turn);
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
        loop {
            step = self.next(step, text, at, turn)?;
            let begin = at + step.length as usize;
            match step.value {
                Value::Text => {
                    at = string(text, begin, &mut seen);
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
                    at = scalar(text, begin);
                    let first = *text.get(begin)?;
                    if at == begin || first == b':' {
                        return None;
                    }
                    if let Some(act) = step.act
                        && first != b'n'
                    {
                        lines.see(act, Span { start: begin as u32, end: OPEN, made: false });
                    }
                }
                Value::Line => return Some(Followed { end: begin - 1, ascii: seen.to_bitmask() == 0 }),
            }
        }
    }

    /// The step at `at`, if it is one of those that were seen behind another.
    #[inline(always)]
    fn next(&self, before: &Step, text: &[u8], at: usize, turn: &mut Option<Turn>) -> Option<&Step> {
        let [usual, ..] = before.next;
        let usual = self.step(usual)?;
        if usual.is(text, at) { Some(usual) } else { self.other(before, text, at, turn) }
    }

    /// The same, of those that come less often.
    #[inline(never)]
    fn other(&self, before: &Step, text: &[u8], at: usize, turn: &mut Option<Turn>) -> Option<&Step> {
        for (rank, other) in before.next.iter().enumerate().skip(1) {
            let step = self.step(*other)?;
            if step.is(text, at) {
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
        {
            step.next.swap(rank - 1, rank);
        }
    }

    #[inline(always)]
    fn step(&self, number: u16) -> Option<&Step> {
        if number == 0 { None } else { self.steps.get(usize::from(number)) }
    }
}

impl Step {
    /// Whether it is what stands at `at`.
    #[inline(always)]
    fn is(&self, text: &[u8], at: usize) -> bool {
        let [low, high] = load(text, at);
        let [first, second] = halves(&self.head);
        let same = low.simd_eq(first).to_bitmask() | high.simd_eq(second).to_bitmask() << 16;
        if !same & self.mask != 0 {
            return false;
        }
        self.length <= HEAD as u32 || text.get(at + HEAD..at + self.length as usize) == Some(&*self.rest)
    }
}

/// Where the string ends that begins at `at`: its closing quote, a backslash, or what no string has. `seen` is given the bits
/// that any of its bytes has, and perhaps of some behind it.
#[inline(always)]
fn string(text: &[u8], mut at: usize, seen: &mut u8x16) -> usize {
    loop {
        let [low, high] = load(text, at);
        *seen |= low | high;
        let ends = text_ends(low) | text_ends(high) << 16;
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += HEAD;
    }
}

/// Quotes, backslashes and control characters, a bit a byte.
#[inline(always)]
fn text_ends(bytes: u8x16) -> u32 {
    // A quote changes places with the space, above which no control character is.
    let swapped = bytes ^ u8x16::splat(2);
    (swapped.min(u8x16::splat(b' ')).simd_eq(swapped) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
}

/// The same from the backslash at `at` on, which begins an escape. None if the escape is of a byte that no string has.
#[cold]
fn escaped(text: &[u8], mut at: usize, seen: &mut u8x16) -> Option<usize> {
    while text.get(at) == Some(&b'\\') {
        if *text.get(at + 1)? < b' ' {
            return None;
        }
        at = string(text, at + 2, seen);
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

/// Where the number or literal ends that begins at `at`: before a byte that is none of `-./:`, digits, `;<=>?@`, letters and
/// `` ` ``. None of those is ever more than itself.
#[inline(always)]
pub(super) fn scalar(text: &[u8], mut at: usize) -> usize {
    loop {
        let [bytes, _] = load(text, at);
        let capital = bytes & u8x16::splat(0xDF);
        let ends = bytes.min(u8x16::splat(b',')).simd_eq(bytes) | capital.max(u8x16::splat(b'[')).simd_eq(capital);
        let ends = ends.to_bitmask();
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += HEAD / 2;
    }
}

/// The bytes from `at` on; zeros past the end.
#[inline(always)]
fn load(text: &[u8], at: usize) -> [u8x16; 2] {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => halves(bytes),
        None => halves(&last(text, at)),
    }
}

#[cold]
fn last(text: &[u8], at: usize) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    for (to, from) in bytes.iter_mut().zip(text.get(at..).unwrap_or_default()) {
        *to = *from;
    }
    bytes
}

#[inline(always)]
fn halves(bytes: &[u8; HEAD]) -> [u8x16; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    match halves {
        [low, high] => [u8x16::new(*low), u8x16::new(*high)],
        _ => [u8x16::splat(0); 2],
    }
}
