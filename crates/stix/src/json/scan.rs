//! Finding the bytes that matter: the first of the two halves of a parse.
//!
//! Text is classified 64 bytes at a time into bit masks, and what a grammar has to look at (quotes, brackets, commas,
//! colons, first bytes of numbers and literals, backslashes that start an escape, control characters) becomes a list
//! of offsets. A comma or colon right after a closing quote is left out: whoever has read the string looks at that byte
//! himself, and there is a third less to note. The other half, `parse`, goes from one offset to the next and never sees white space or the inside of a
//! string. The list is filled a window at a time, when it has been used up: it stays in the first level cache, and a
//! hostile text is never scanned far past the byte that condemns it.

use wide::u8x16;

pub(super) const BLOCK: usize = 64;
/// Bytes of text scanned at once.
const WINDOW: usize = 2048;
/// Room for a window in which every byte matters, and a power of two.
const ROOM: usize = 4096;

/// Offsets into the text, filled a window at a time and ended by [`END`]. Takes its memory when it is first used.
#[derive(Debug, Default)]
pub(crate) struct Positions(Option<Box<[u32; ROOM]>>);

impl Positions {
    fn room(&mut self) -> &mut [u32; ROOM] {
        self.0.get_or_insert_with(|| Box::new([END; ROOM]))
    }
}

/// No offset: texts are shorter.
const END: u32 = u32::MAX;

/// Goes over a text of less than 4 GiB and hands out the offsets that matter, in order.
pub(crate) struct Scanner<'t, 'p> {
    text: &'t [u8],
    positions: &'p mut [u32; ROOM],
    progress: Progress,
}

/// How far a scanner has come; with the same text and positions it can go on from there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Progress {
    filled: usize,
    /// Where the text has not been scanned yet.
    ahead: usize,
    state: State,
}

/// The next of a scanner's positions to hand out. Kept by the caller, who can hold it in a register.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor(usize);

/// What one block tells the next.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
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
    /// The longest text that a scanner goes over; the rest of a longer one is not seen.
    pub(crate) const LONGEST: usize = END as usize / 2;

    /// Begins at the start of a text.
    pub(crate) fn new(text: &'t [u8], positions: &'p mut Positions) -> Self {
        let [first, ..] = positions.room();
        *first = END;
        Self::resume(text, positions, Progress::default())
    }

    /// Goes on where another scanner of this text with these positions stopped.
    pub(crate) fn resume(text: &'t [u8], positions: &'p mut Positions, progress: Progress) -> Self {
        Self { text: text.get(..Self::LONGEST).unwrap_or(text), positions: positions.room(), progress }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// Leaves out what comes before `at`.
    pub(crate) fn seek(&mut self, cursor: &mut Cursor, at: usize) {
        loop {
            let (next, _) = self.next(cursor);
            if next >= at {
                if next < self.text.len() {
                    *cursor = Cursor(cursor.0.saturating_sub(1));
                }
                return;
            }
        }
    }

    /// The text, cut at [`Scanner::LONGEST`].
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
        self.progress.filled = 0;
        while self.progress.filled == 0 {
            let rest = self.text.get(self.progress.ahead..).unwrap_or_default();
            let window = rest.get(..WINDOW).unwrap_or(rest);
            if window.is_empty() {
                break;
            }
            self.scan(window);
            self.progress.ahead += window.len();
        }
        if let Some(end) = self.positions.get_mut(self.progress.filled) {
            *end = END;
        }
        self.progress.filled > 0
    }

    fn scan(&mut self, window: &[u8]) {
        let (blocks, tail) = window.as_chunks::<BLOCK>();
        let mut at = self.progress.ahead as u32;
        let mut state = self.progress.state;
        for block in blocks {
            let bits = state.block(block);
            self.note(at, bits);
            at += BLOCK as u32;
        }
        if !tail.is_empty() {
            // A backslash that the text ends with must not read as an escape of the padding: it is noted all the same.
            let bits = state.block(&padded(tail)) & (u64::MAX >> (BLOCK - tail.len()));
            self.note(at, bits);
        }
        self.progress.state = state;
    }

    /// Appends the offsets of the bits that are set. Works in steps of eight, since few blocks have more.
    #[inline]
    fn note(&mut self, base: u32, mut bits: u64) {
        let count = bits.count_ones() as usize;
        // Less than a window is filled, or this block would not be in it.
        let start = self.progress.filled % WINDOW;
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
        self.progress.filled += count;
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

    /// The quotes of a block that are no escaped characters, and the bytes inside strings, opening quotes included.
    #[inline]
    pub(super) fn strings(&mut self, block: &[u8; BLOCK]) -> (u64, u64) {
        let (_, escaped) = self.escapes(mask(block, |bytes| is(bytes, b'\\')));
        let quotes = mask(block, |bytes| is(bytes, b'"')) & !escaped;
        (quotes, self.inside(quotes))
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
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> Self {
        let separator = mask(block, |bytes| is(bytes, b',') | is(bytes, b':'));
        Self {
            quote: mask(block, |bytes| is(bytes, b'"')),
            backslash: mask(block, |bytes| is(bytes, b'\\')),
            control: mask(block, |bytes| bytes.min(u8x16::splat(0x1F)).simd_eq(bytes)),
            white: mask(block, |bytes| is(bytes, b' ') | is(bytes, b'\n') | is(bytes, b'\r') | is(bytes, b'\t')),
            punctuation: separator | mask(block, |bytes| is(folded(bytes), b'{') | is(folded(bytes), b'}')),
            separator,
        }
    }
}

/// Opening and closing braces and brackets of a block.
#[inline]
pub(super) fn brackets(block: &[u8; BLOCK]) -> (u64, u64) {
    (mask(block, |bytes| is(folded(bytes), b'{')), mask(block, |bytes| is(folded(bytes), b'}')))
}

/// A block of what is left of a text, filled up with spaces.
pub(super) fn padded(tail: &[u8]) -> [u8; BLOCK] {
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

/// With bit 5 set, `[` reads as `{` and `]` as `}`, and nothing else does.
#[inline(always)]
fn folded(bytes: u8x16) -> u8x16 {
    bytes | u8x16::splat(0x20)
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
