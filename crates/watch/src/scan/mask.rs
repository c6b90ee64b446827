//! Blocks of 64 bytes as bit masks: the first half of reading a line.
//!
//! Text is classified 64 bytes at a time, and what a reader has to look at becomes a list of offsets. The other half
//! goes from one offset to the next and never sees the inside of a value.

use wide::u8x16;

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
    /// The bits that any byte had so far.
    seen: u8x16,
}

impl Outline {
    /// Goes over a window of less than 4 GiB. The last offset is the window's length, as of a line feed there.
    pub(super) fn of(&mut self, window: &[u8]) {
        let room = window.len() + 2 * BLOCK;
        if self.positions.len() < room {
            self.positions.resize(room, 0);
        }
        self.filled = 0;
        self.escapes = false;
        self.backslashes.clear();
        let (blocks, tail) = window.as_chunks::<BLOCK>();
        let mut state = State::default();
        let mut base = 0_u32;
        for block in blocks {
            self.block(&mut state, block, base, u64::MAX);
            base += BLOCK as u32;
        }
        if !tail.is_empty() {
            self.block(&mut state, &padded(tail), base, u64::MAX >> (BLOCK - tail.len()));
        }
        self.ascii = state.seen.to_bitmask() == 0;
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
    fn block(&mut self, state: &mut State, block: &[u8; BLOCK], base: u32, valid: u64) {
        let (lanes, _) = block.as_chunks::<16>();
        let (mut quotes, mut brackets) = (0, 0);
        let (mut lowest, mut slashes, mut all) = (u8x16::splat(b' '), u8x16::splat(0), state.seen);
        for (index, lane) in lanes.iter().enumerate() {
            let bytes = u8x16::new(*lane);
            quotes |= u64::from(is(bytes, b'"').to_bitmask()) << (16 * index);
            brackets |= u64::from(bracket(bytes).to_bitmask()) << (16 * index);
            lowest = lowest.min(bytes);
            slashes |= is(bytes, b'\\');
            all |= bytes;
        }
        state.seen = all;
        let bits = if (slashes | below_space(lowest)).to_bitmask() == 0 {
            quotes &= !std::mem::take(&mut state.escaped);
            quotes | (brackets & !state.inside(quotes))
        } else {
            let (bits, backslashes) = state.rare(block, quotes, brackets);
            if backslashes & valid != 0 {
                self.escapes = true;
                self.backslashes.resize(base as usize / BLOCK, 0);
                self.backslashes.push(backslashes);
            }
            bits
        };
        self.filled = note(&mut self.positions, self.filled, base, bits & valid);
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
    fn rare(&mut self, block: &[u8; BLOCK], quotes: u64, brackets: u64) -> (u64, u64) {
        let backslashes = mask(block, |bytes| is(bytes, b'\\'));
        let controls = mask(block, below_space);
        let feeds = mask(block, |bytes| is(bytes, b'\n'));
        let white = mask(block, |bytes| is(bytes, b'\t') | is(bytes, b'\r'));
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

/// What stands where in a window of lines with columns: separators and line feeds.
#[derive(Debug, Default)]
pub(super) struct Columns {
    positions: Vec<u32>,
    filled: usize,
    /// Of each line feed, its place among the positions.
    feeds: Vec<u32>,
    ascii: bool,
}

impl Columns {
    /// Goes over a window of less than 4 GiB. The last offset is the window's length, as of a line feed there.
    pub(super) fn of(&mut self, window: &[u8], separator: u8) {
        let room = window.len() + 2 * BLOCK;
        if self.positions.len() < room {
            self.positions.resize(room, 0);
        }
        self.filled = 0;
        self.feeds.clear();
        let (blocks, tail) = window.as_chunks::<BLOCK>();
        let mut base = 0_u32;
        let mut seen = u8x16::splat(0);
        for block in blocks {
            self.block(block, separator, base, u64::MAX, &mut seen);
            base += BLOCK as u32;
        }
        if !tail.is_empty() {
            self.block(&padded(tail), separator, base, u64::MAX >> (BLOCK - tail.len()), &mut seen);
        }
        self.ascii = seen.to_bitmask() == 0;
        if let Some(end) = self.positions.get_mut(self.filled) {
            *end = window.len() as u32;
        }
        self.feeds.push(self.filled as u32);
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

    /// Which of the offsets are line feeds.
    #[inline]
    pub(super) fn feeds(&self) -> &[u32] {
        &self.feeds
    }

    #[inline(always)]
    fn block(&mut self, block: &[u8; BLOCK], separator: u8, base: u32, valid: u64, seen: &mut u8x16) {
        let (lanes, _) = block.as_chunks::<16>();
        let (mut bits, mut ends) = (0, 0);
        for (index, lane) in lanes.iter().enumerate() {
            let bytes = u8x16::new(*lane);
            let feeds = is(bytes, b'\n');
            *seen |= bytes;
            ends |= u64::from(feeds.to_bitmask()) << (16 * index);
            bits |= u64::from((feeds | is(bytes, separator)).to_bitmask()) << (16 * index);
        }
        bits &= valid;
        ends &= valid;
        while ends != 0 {
            let before = bits & ((ends & ends.wrapping_neg()) - 1);
            self.feeds.push(self.filled as u32 + before.count_ones());
            ends &= ends - 1;
        }
        self.filled = note(&mut self.positions, self.filled, base, bits);
    }
}

/// Writes the offsets of the bits that are set, and gives how many are filled then. Works in steps of eight, since few
/// blocks have more.
#[inline(always)]
fn note(positions: &mut [u32], filled: usize, base: u32, mut bits: u64) -> usize {
    let count = bits.count_ones() as usize;
    let Some(room) = positions.get_mut(filled..).and_then(<[u32]>::first_chunk_mut::<BLOCK>) else { return filled };
    let (steps, _) = room.as_chunks_mut::<8>();
    for step in steps {
        for slot in step {
            // The highest bit is set so that no bits at all need no case of their own; what is noted then is not read.
            *slot = base + (bits | 1 << 63).trailing_zeros();
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

#[inline(always)]
fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// Brackets and braces: what is left of them less the first is at most in these two bits.
#[inline(always)]
fn bracket(bytes: u8x16) -> u8x16 {
    ((bytes - u8x16::splat(b'[')) & u8x16::splat(!0x22)).simd_eq(u8x16::splat(0))
}

#[inline(always)]
fn below_space(bytes: u8x16) -> u8x16 {
    bytes.min(u8x16::splat(0x1F)).simd_eq(bytes)
}

/// The bytes of a block for which `test` sets the lane, a bit a byte.
#[inline(always)]
fn mask(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let (lanes, _) = block.as_chunks::<16>();
    let mut bits = 0;
    for (index, lane) in lanes.iter().enumerate() {
        bits |= u64::from(test(u8x16::new(*lane)).to_bitmask()) << (16 * index);
    }
    bits
}
