//! Blocks of 64 bytes as bit masks: the first half of reading a line.
//!
//! Text is classified 64 bytes at a time, and what a reader has to look at becomes a list of offsets. The other half
//! goes from one offset to the next and never sees the inside of a value.

use fearless_simd::prelude::*;
use fearless_simd::{Level, mask8x64, u8x32, u8x64};

use crate::vectors::{self, Work};

/// Bytes of a block, a bit of a mask each.
pub(super) const BLOCK: usize = 64;

/// What stands where in a window of JSON lines: quotes that are no escaped characters, brackets and braces outside of
/// strings, line feeds, and control characters where JSON has none.
///
/// A line feed ends whatever string it stands in (RFC 8259 §7 has none there): a line that was cut says nothing of
/// the next.
#[derive(Debug, Default)]
pub(super) struct Outline {
    positions: Vec<u32>,
    filled: usize,
    /// Backslashes, a word a block; empty if there are none.
    backslashes: Vec<u64>,
    escapes: bool,
    ascii: bool,
}

/// What one block tells the next.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// All ones inside a string.
    in_string: u64,
    /// One if the block ended with an escape's backslash.
    escaped: u64,
}

impl Outline {
    /// Goes over a window of less than 4 GiB. The last offset is the window's length, as of a line feed there.
    pub(super) fn of(&mut self, level: Level, window: &[u8]) {
        let room = window.len() + 2 * BLOCK;
        if self.positions.len() < room {
            self.positions.resize(room, 0);
        }
        self.filled = 0;
        self.escapes = false;
        self.backslashes.clear();
        vectors::run(level, Outlined { outline: self, window });
        if let Some(end) = self.positions.get_mut(self.filled) {
            *end = window.len() as u32;
        }
        self.filled += 1;
    }

    /// The offsets, in order.
    #[inline]
    pub(super) fn positions(&self) -> &[u32] {
        self.positions.get(..self.filled).unwrap_or_default()
    }

    /// Whether the window is ASCII.
    #[inline]
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Whether a backslash stands in the window.
    #[inline]
    pub(super) fn has_escapes(&self) -> bool {
        self.escapes
    }

    /// Whether a backslash stands from `start` up to before `end`.
    pub(super) fn escaped(&self, start: usize, end: usize) -> bool {
        if !self.escapes || start >= end {
            return false;
        }
        let (first, last) = (start / BLOCK, (end - 1) / BLOCK);
        (first..=last).any(|block| {
            let mut word = self.backslashes.get(block).copied().unwrap_or(0);
            if block == first {
                word &= u64::MAX << (start % BLOCK);
            }
            if block == last {
                word &= u64::MAX >> (BLOCK - 1 - (end - 1) % BLOCK);
            }
            word != 0
        })
    }

    #[inline(always)]
    fn block<S: Simd>(&mut self, state: &mut State, seen: &mut u8x32<S>, simd: S, block: Block<'_>) {
        let Block { bytes, base, valid } = block;
        let all = u8x64::load_array_ref(simd, bytes);
        let (low, high) = all.split();
        *seen |= low | high;
        let mut quotes = all.simd_eq(b'"').to_bitmask();
        let brackets = bracket(all).to_bitmask();
        let special = low.simd_eq(b'\\') | high.simd_eq(b'\\') | low.min(high).simd_le(0x1F);
        let bits = if special.any_true() {
            let (bits, backslashes) = state.rare(all, quotes, brackets);
            if backslashes & valid != 0 {
                self.escapes = true;
                self.backslashes.resize(base as usize / BLOCK, 0);
                self.backslashes.push(backslashes);
            }
            bits
        } else {
            quotes &= !std::mem::take(&mut state.escaped);
            quotes | (brackets & !state.inside(quotes))
        };
        self.filled = note::<8>(&mut self.positions, self.filled, base, bits & valid);
    }
}

/// An outline that is being made.
struct Outlined<'o> {
    outline: &'o mut Outline,
    window: &'o [u8],
}

impl Work for Outlined<'_> {
    type Output = ();

    #[inline(always)]
    fn with<S: Simd>(self, simd: S) {
        let Self { outline, window } = self;
        let mut state = State::default();
        let mut seen = u8x32::splat(simd, 0);
        blocks(
            window,
            #[inline(always)]
            |block| outline.block(&mut state, &mut seen, simd, block),
        );
        outline.ascii = !seen.simd_ge(0x80).any_true();
    }
}

/// A part of a window.
#[derive(Clone, Copy)]
pub(super) struct Block<'b> {
    pub(super) bytes: &'b [u8; BLOCK],
    /// Where it begins.
    pub(super) base: u32,
    /// The bytes that are the window's, not put behind it.
    pub(super) valid: u64,
}

/// Goes over the blocks of a window; the last is filled up.
#[inline(always)]
pub(super) fn blocks(window: &[u8], mut each: impl FnMut(Block<'_>)) {
    let (blocks, tail) = window.as_chunks::<BLOCK>();
    let mut base = 0_u32;
    for bytes in blocks {
        each(Block { bytes, base, valid: u64::MAX });
        base += BLOCK as u32;
    }
    if !tail.is_empty() {
        each(Block { bytes: &padded(tail), base, valid: u64::MAX >> (BLOCK - tail.len()) });
    }
}

impl State {
    /// The bytes from an opening quote up to before its closing one: each bit the sum, without carry, of those up to it.
    #[inline(always)]
    fn inside(&mut self, quotes: u64) -> u64 {
        let mut inside = quotes;
        inside ^= inside << 1;
        inside ^= inside << 2;
        inside ^= inside << 4;
        inside ^= inside << 8;
        inside ^= inside << 16;
        inside ^= inside << 32;
        inside ^= self.in_string;
        self.in_string = 0_u64.wrapping_sub(inside >> 63);
        inside
    }

    /// What matters in a block with backslashes or control characters, line feeds among them; and its backslashes.
    #[inline(always)]
    fn rare<S: Simd>(&mut self, all: u8x64<S>, quotes: u64, brackets: u64) -> (u64, u64) {
        let backslashes = all.simd_eq(b'\\').to_bitmask();
        let controls = all.simd_le(0x1F).to_bitmask();
        let feeds = all.simd_eq(b'\n').to_bitmask();
        let white = (all.simd_eq(b'\t') | all.simd_eq(b'\r')).to_bitmask();
        let quotes = quotes & !self.escapes(backslashes);
        let mut inside = self.inside(quotes);
        let mut cut = feeds & inside;
        while cut != 0 {
            let from = u64::MAX << cut.trailing_zeros();
            inside ^= from;
            self.in_string = !self.in_string;
            cut = feeds & inside & (from << 1);
        }
        (quotes | (brackets & !inside) | (controls & !(white & !inside)), backslashes)
    }

    /// The bytes right after a backslash that starts an escape.
    #[inline(always)]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        let mut escaped = std::mem::take(&mut self.escaped);
        let mut rest = backslashes & !escaped;
        while rest != 0 {
            let first = rest & rest.wrapping_neg();
            escaped |= first << 1;
            self.escaped = first >> 63;
            rest &= !(first | first << 1);
        }
        escaped
    }
}

/// Writes the offsets of the bits that are set, and gives how many are filled then; no more are where there is no room.
/// Works in steps, as many as few blocks have more of.
#[inline(always)]
pub(super) fn note<const STEP: usize>(positions: &mut [u32], filled: usize, base: u32, mut bits: u64) -> usize {
    let count = bits.count_ones() as usize;
    let Some(room) = positions.get_mut(filled..).and_then(<[u32]>::first_chunk_mut::<BLOCK>) else { return filled };
    let (steps, _) = room.as_chunks_mut::<STEP>();
    for step in steps {
        for slot in step {
            // What is noted where no bit is left is not read.
            *slot = base + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
    filled + count
}

/// A block of what is left of a text, filled up with spaces.
fn padded(tail: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    for (to, from) in block.iter_mut().zip(tail) {
        *to = *from;
    }
    block
}

/// Brackets and braces: what is left of them less the first is at most in these two bits.
#[inline(always)]
fn bracket<S: Simd>(bytes: u8x64<S>) -> mask8x64<S> {
    ((bytes - b'[') & !0x22).simd_eq(0)
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;
    use proptest::prelude::*;

    use super::Outline;

    /// What this machine has, and what every one has.
    fn levels() -> [Level; 2] {
        [Level::new(), Level::baseline()]
    }

    /// The outline of a text, byte by byte.
    fn outlined(text: &[u8]) -> Vec<u32> {
        let (mut marks, mut inside, mut escaped) = (Vec::new(), false, false);
        for (at, byte) in (0..).zip(text) {
            let was_escaped = std::mem::take(&mut escaped);
            let marked = match byte {
                b'\\' => {
                    escaped = !was_escaped;
                    false
                }
                b'"' => {
                    inside ^= !was_escaped;
                    !was_escaped
                }
                b'[' | b']' | b'{' | b'}' => !inside,
                b'\n' => {
                    inside = false;
                    true
                }
                b'\t' | b'\r' => inside,
                other => *other < b' ',
            };
            if marked {
                marks.push(at);
            }
        }
        marks.push(text.len() as u32);
        marks
    }

    fn windows() -> impl Strategy<Value = Vec<u8>> {
        let common =
            prop_oneof![6 => Just(b'a'), 2 => Just(b'"'), 1 => Just(b'\\'), 1 => Just(b'\n'), 2 => Just(b'\t')];
        let other = prop_oneof![Just(b'{'), Just(b']'), Just(b'\r'), Just(0_u8), Just(b'y'), Just(0xC3), any::<u8>()];
        let plain = "([a-z0-9.]{0,12}[\t\"\\[}]){0,40}\n?".prop_map(String::into_bytes);
        prop_oneof![
            3 => proptest::collection::vec(prop_oneof![8 => common, 2 => other], 0..400),
            1 => plain.clone(),
            1 => proptest::collection::vec(plain, 0..4).prop_map(|lines| lines.concat()),
        ]
    }

    proptest! {
        #[test]
        fn an_outline_is_what_stands_there(text in windows(), start in 0_usize..400, length in 0_usize..200) {
            let mut outline = Outline::default();
            for level in levels() {
                // What was there before makes no difference.
                outline.of(level, b"{\"\\\n\"\xFF");
                outline.of(level, &text);
                prop_assert_eq!(outline.positions(), &outlined(&text)[..]);
                prop_assert_eq!(outline.is_ascii(), text.is_ascii());
                prop_assert_eq!(outline.has_escapes(), text.contains(&b'\\'));
                let start = start.min(text.len());
                let end = (start + length).min(text.len());
                prop_assert_eq!(outline.escaped(start, end), text[start..end].contains(&b'\\'));
            }
        }
    }
}
