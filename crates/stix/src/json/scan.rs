//! Finding the bytes that matter: the first of the two halves of a parse.
//!
//! Text is classified 64 bytes at a time into bit masks, and what a grammar has to look at (quotes, brackets, commas,
//! colons, first bytes of numbers and literals, backslashes that start an escape, control characters) becomes a list
//! of offsets. A comma or colon right after a closing quote is left out: whoever has read the string looks at that byte
//! himself, and there is a third less to note. The other half, `parse`, goes from one offset to the next and never sees white space or the inside of a
//! string. The list is filled a window at a time, when it has been used up: it stays in the first level cache, and a
//! hostile text is never scanned far past the byte that condemns it.

use wide::u8x16;

const BLOCK: usize = 64;
/// Bytes of text scanned at once.
const WINDOW: usize = 2048;
/// Room for a window in which every byte matters, and a power of two.
const ROOM: usize = 4096;

/// Offsets into the text, filled a window at a time and ended by [`END`].
#[derive(Debug)]
pub(crate) struct Positions(Box<[u32; ROOM]>);

/// No offset: texts are shorter.
const END: u32 = u32::MAX;

impl Default for Positions {
    fn default() -> Self {
        Self(Box::new([END; ROOM]))
    }
}

/// Goes over a text of less than 4 GiB and hands out the offsets that matter, in order.
pub(crate) struct Scanner<'t, 'p> {
    text: &'t [u8],
    positions: &'p mut [u32; ROOM],
    filled: usize,
    /// Where the text has not been scanned yet.
    ahead: usize,
    state: State,
}

/// The next of a scanner's positions to hand out. Kept by the caller, who can hold it in a register.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor(usize);

/// What one block tells the next.
#[derive(Clone, Copy, Default)]
struct State {
    /// All ones inside a string.
    in_string: u64,
    /// One if the block ended with an escape's backslash.
    escaped: u64,
    /// One if the block ended within a number, literal or other plain text.
    plain: u64,
    /// One if the block ended with a quote.
    quote: u64,
}

impl<'t, 'p> Scanner<'t, 'p> {
    pub(crate) fn new(text: &'t [u8], positions: &'p mut Positions) -> Self {
        let text = text.get(..END as usize / 2).unwrap_or(text);
        let positions = &mut *positions.0;
        let [first, ..] = positions;
        *first = END;
        Self { text, positions, filled: 0, ahead: 0, state: State::default() }
    }

    /// The text, cut at 2 GiB.
    #[inline]
    pub(crate) fn text(&self) -> &'t [u8] {
        self.text
    }

    /// The next offset that matters and the byte there; the text's length and 0 when there are no more.
    #[inline(always)]
    pub(crate) fn next(&mut self, cursor: &mut Cursor) -> (usize, u8) {
        loop {
            let at = self.positions.get(cursor.0 % ROOM).map_or(0, |at| *at as usize);
            if let Some(byte) = self.text.get(at) {
                cursor.0 += 1;
                return (at, *byte);
            }
            if !self.refill() {
                return (self.text.len(), 0);
            }
            cursor.0 = 0;
        }
    }

    /// Scans windows until something matters; false at the end of the text.
    #[inline(never)]
    fn refill(&mut self) -> bool {
        self.filled = 0;
        while self.filled == 0 {
            let rest = self.text.get(self.ahead..).unwrap_or_default();
            let window = rest.get(..WINDOW).unwrap_or(rest);
            if window.is_empty() {
                break;
            }
            self.scan(window);
            self.ahead += window.len();
        }
        if let Some(end) = self.positions.get_mut(self.filled) {
            *end = END;
        }
        self.filled > 0
    }

    fn scan(&mut self, window: &[u8]) {
        let (blocks, tail) = window.as_chunks::<BLOCK>();
        let mut at = self.ahead as u32;
        let mut state = self.state;
        for block in blocks {
            let bits = state.block(block);
            self.note(at, bits);
            at += BLOCK as u32;
        }
        if !tail.is_empty() {
            let mut block = [b' '; BLOCK];
            for (to, from) in block.iter_mut().zip(tail) {
                *to = *from;
            }
            // A backslash that the text ends with must not read as an escape of the padding: it is noted all the same.
            let bits = state.block(&block) & (u64::MAX >> (BLOCK - tail.len()));
            self.note(at, bits);
        }
        self.state = state;
    }

    /// Appends the offsets of the bits that are set. Works in steps of eight, since few blocks have more.
    #[inline]
    fn note(&mut self, base: u32, mut bits: u64) {
        let count = bits.count_ones() as usize;
        let start = self.filled % (ROOM - BLOCK);
        let Some(room) = self.positions.get_mut(start..).and_then(<[u32]>::first_chunk_mut::<BLOCK>) else { return };
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
        self.filled += count;
    }
}

impl State {
    /// The bytes of a block that matter, as bits.
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK]) -> u64 {
        let class = Class::of(block);
        let (escapes, escaped) = self.escapes(class.backslash);
        let quotes = class.quote & !escaped;
        let inside = self.inside(quotes);
        let plain = !(class.punctuation | class.white | class.quote);
        let starts = plain & !(plain << 1 | self.plain);
        self.plain = plain >> 63;
        let controls = class.control & (inside | !class.white);
        let implied = class.separator & (quotes << 1 | self.quote);
        self.quote = quotes >> 63;
        quotes | (((class.punctuation & !implied) | starts) & !inside) | (escapes & inside) | controls
    }

    /// Backslashes that start an escape, and the bytes right after them.
    #[inline]
    fn escapes(&mut self, backslash: u64) -> (u64, u64) {
        let mut escaped = std::mem::take(&mut self.escaped);
        if backslash == 0 {
            return (0, escaped);
        }
        let mut escapes = 0;
        let mut rest = backslash & !escaped;
        while rest != 0 {
            let first = rest & rest.wrapping_neg();
            escapes |= first;
            escaped |= first << 1;
            self.escaped = first >> 63;
            rest &= !(first | first << 1);
        }
        (escapes, escaped)
    }

    /// The bytes from an opening quote up to before its closing one: each bit the sum, without carry, of those up to it.
    #[inline]
    fn inside(&mut self, quotes: u64) -> u64 {
        let mut inside = quotes;
        inside ^= inside << 1;
        inside ^= inside << 2;
        inside ^= inside << 4;
        inside ^= inside << 8;
        inside ^= inside << 16;
        inside ^= inside << 32;
        inside ^= self.in_string;
        self.in_string = if inside >> 63 == 1 { u64::MAX } else { 0 };
        inside
    }
}

/// Which bytes of a block belong to which class, a bit a byte, the first lowest.
struct Class {
    quote: u64,
    backslash: u64,
    /// U+0000 to U+001F.
    control: u64,
    /// Space, line feed, carriage return, tab.
    white: u64,
    /// Braces, brackets, comma, colon.
    punctuation: u64,
    /// Comma and colon.
    separator: u64,
}

impl Class {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut class = Self { quote: 0, backslash: 0, control: 0, white: 0, punctuation: 0, separator: 0 };
        let (lanes, _) = block.as_chunks::<16>();
        for (index, lane) in lanes.iter().enumerate() {
            let bytes = u8x16::new(*lane);
            let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
            let white = is(b' ') | is(b'\n') | is(b'\r') | is(b'\t');
            // With bit 5 set, `[` reads as `{` and `]` as `}`.
            let folded = bytes | u8x16::splat(0x20);
            let reads = |byte: u8| folded.simd_eq(u8x16::splat(byte));
            let separator = is(b',') | is(b':');
            let punctuation = reads(b'{') | reads(b'}') | separator;
            let control = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
            class.quote |= bits(is(b'"'), index);
            class.backslash |= bits(is(b'\\'), index);
            class.control |= bits(control, index);
            class.white |= bits(white, index);
            class.separator |= bits(separator, index);
            class.punctuation |= bits(punctuation, index);
        }
        class
    }
}

/// The lanes that are set, as bits at the place of the index-th sixteen.
#[inline]
fn bits(lanes: u8x16, index: usize) -> u64 {
    u64::from(lanes.to_bitmask()) << (16 * index)
}
