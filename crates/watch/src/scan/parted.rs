//! Lines of columns, by the bits of their separators.
//!
//! Few columns of a log are of interest, and the header says which: only the bits at their ends are made offsets, and of
//! the others it is known how many they are.

use std::hint::black_box;

use fearless_simd::prelude::*;
use fearless_simd::{Level, u8x32, u8x64};

use super::mask::{BLOCK, Block, blocks, note};
use crate::vectors::{self, Work};

/// Offsets that are noted of a line: more than any line has columns, and one before them.
const ROOM: usize = 1 + 4096 + 2 * BLOCK;

/// What stands where in a window of lines with columns: separators and line feeds.
#[derive(Debug)]
pub(super) struct Parted {
    /// Separators and line feeds, a word a block; one line feed more stands behind the window.
    marks: Vec<u64>,
    /// Line feeds alone.
    feeds: Vec<u64>,
    ascii: bool,
    /// Offsets of the line that is being read.
    noted: Box<[u32; ROOM]>,
}

impl Default for Parted {
    fn default() -> Self {
        Self { marks: Vec::new(), feeds: Vec::new(), ascii: true, noted: Box::new([0; ROOM]) }
    }
}

/// How far a window is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// The block, and what is left of its words.
    block: usize,
    marks: u64,
    feeds: u64,
    /// Before the line that is next: its line feed, or all ones.
    before: u32,
}

/// A line that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'p> {
    /// Where it ends.
    pub(super) end: usize,
    /// How many columns it has.
    pub(super) width: usize,
    /// The offset before it, and then those that were asked for.
    pub(super) marks: &'p [u32],
}

/// Which separators of a line are asked for, its end among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    All,
    /// A bit each.
    Some(u64),
}

impl Parted {
    /// Goes over a window of less than 4 GiB.
    pub(super) fn of(&mut self, level: Level, window: &[u8], separator: u8) {
        let (blocks, behind) = (window.len() / BLOCK, 1 << (window.len() % BLOCK));
        for words in [&mut self.marks, &mut self.feeds] {
            words.resize(blocks + 1, 0);
            // Nothing writes it if the window ends with a block.
            words.last_mut().into_iter().for_each(|word| *word = 0);
        }
        vectors::run(level, Parting { parted: self, window, separator });
        for words in [&mut self.marks, &mut self.feeds] {
            words.last_mut().into_iter().for_each(|word| *word |= behind);
        }
    }

    /// Whether the window is ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Before the first line.
    pub(super) fn begin(&self) -> Cursor {
        let first = |words: &[u64]| words.first().copied().unwrap_or(1);
        Cursor { block: 0, marks: first(&self.marks), feeds: first(&self.feeds), before: u32::MAX }
    }

    /// Reads the next line, of which there is one.
    #[inline(always)]
    pub(super) fn line<S: Simd>(&mut self, simd: S, cursor: &mut Cursor, wanted: Wanted) -> Line<'_> {
        let Self { marks: all_marks, feeds: all_feeds, noted, .. } = self;
        let (mut filled, mut width) = (1, 0);
        let (all, mut wanted) = match wanted {
            Wanted::All => (true, 0),
            Wanted::Some(wanted) => (false, wanted),
        };
        if let Some(before) = noted.first_mut() {
            *before = cursor.before;
        }
        let Cursor { mut block, mut marks, mut feeds, .. } = *cursor;
        let end = loop {
            // The bits up to the line feed, or all.
            let within = feeds ^ feeds.wrapping_sub(1);
            let bits = marks & within;
            let count = bits.count_ones();
            let base = (BLOCK * block) as u32;
            // The columns of interest are often the first.
            if all | (wanted != 0) {
                let asked = if all { bits } else { deposit(simd, wanted, bits) };
                filled = note::<4>(&mut noted[..], filled, base, asked);
                wanted = wanted.checked_shr(count).unwrap_or(0);
            }
            width += count;
            if feeds != 0 {
                (marks, feeds) = (marks & !within, feeds & !within);
                break base + (within.count_ones() - 1);
            }
            block += 1;
            match (all_marks.get(block), all_feeds.get(block)) {
                (Some(next_marks), Some(next_feeds)) => (marks, feeds) = (*next_marks, *next_feeds),
                _ => break base + BLOCK as u32,
            }
        };
        *cursor = Cursor { block, marks, feeds, before: end };
        Line { end: end as usize, width: width as usize, marks: noted.get(..filled).unwrap_or_default() }
    }
}

/// Columns that are being looked for.
struct Parting<'c> {
    parted: &'c mut Parted,
    window: &'c [u8],
    separator: u8,
}

impl Work for Parting<'_> {
    type Output = ();

    #[inline(always)]
    fn with<S: Simd>(self, simd: S) {
        let Self { parted, window, separator } = self;
        let mut seen = u8x32::splat(simd, 0);
        // A mask that is written as it is, the compiler puts together bit by bit instead.
        let opaque = black_box(u64::MAX);
        blocks(
            window,
            #[inline(always)]
            |Block { bytes, base, valid }| {
                let all = u8x64::load_array_ref(simd, bytes);
                let (low, high) = all.split();
                seen |= low | high;
                let feeds = all.simd_eq(b'\n');
                let marks = (feeds | all.simd_eq(separator)).to_bitmask() & valid;
                let block = base as usize / BLOCK;
                if let (Some(to_marks), Some(to_feeds)) = (parted.marks.get_mut(block), parted.feeds.get_mut(block)) {
                    *to_marks = marks & opaque;
                    *to_feeds = feeds.to_bitmask() & valid & opaque;
                }
            },
        );
        parted.ascii = !seen.simd_ge(0x80).any_true();
    }
}

/// Of the bits that are set in `mask`, those of whose places among them the bit is set in `wanted`.
#[inline(always)]
fn deposit<S: Simd>(simd: S, wanted: u64, mask: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let Level::Avx2(avx2) = simd.level() {
        fearless_simd::kernel!(
            #[inline(always)]
            fn deposited(avx2: Avx2, wanted: u64, mask: u64) -> u64 {
                std::arch::x86_64::_pdep_u64(wanted, mask)
            }
        );
        return deposited(avx2, wanted, mask);
    }
    let _ = simd;
    let (mut bits, mut rest, mut wanted) = (0, mask, wanted);
    while rest != 0 && wanted != 0 {
        let lowest = rest & rest.wrapping_neg();
        bits |= lowest & (wanted & 1).wrapping_neg();
        rest ^= lowest;
        wanted >>= 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, Simd};
    use proptest::prelude::*;

    use super::{Parted, Wanted};
    use crate::vectors::{self, Work};

    struct Read<'r>(&'r mut Parted, &'r [u8], Wanted);

    /// Where a line ends, how many columns it has, and the offsets that were asked for.
    type Told = (usize, usize, Vec<u32>);

    impl Work for Read<'_> {
        type Output = Vec<Told>;

        fn with<S: Simd>(self, simd: S) -> Vec<Told> {
            let (mut cursor, mut start, mut lines) = (self.0.begin(), 0, Vec::new());
            while start < self.1.len() {
                let line = self.0.line(simd, &mut cursor, self.2);
                lines.push((line.end, line.width, line.marks.to_vec()));
                start = line.end + 1;
            }
            lines
        }
    }

    /// The same, byte by byte.
    fn slowly(text: &[u8], separator: u8, wanted: Wanted) -> Vec<Told> {
        let (mut lines, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| start + at);
            let separators = (start..end).filter(|at| text[*at] == separator).chain([end]);
            let all: Vec<u32> = separators.map(|at| at as u32).collect();
            let asked = |place: usize| match wanted {
                Wanted::All => true,
                Wanted::Some(bits) => place < 64 && bits >> place & 1 == 1,
            };
            let before = (start as u32).wrapping_sub(1);
            let marks = all.iter().enumerate().filter(|(place, _)| asked(*place)).map(|(_, at)| *at);
            lines.push((end, all.len(), [before].into_iter().chain(marks).collect()));
            start = end + 1;
        }
        lines
    }

    fn windows() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![6 => Just(b'a'), 2 => Just(b'\t'), 1 => Just(b'\n'), 1 => any::<u8>()];
        let many = (0_usize..100, 0_usize..200).prop_map(|(tabs, letters)| {
            [b"\t".repeat(tabs), b"y".repeat(letters), b"\n".to_vec(), b"a\tb".repeat(tabs)].concat()
        });
        let lines = proptest::collection::vec("([a-z0-9.]{0,20}\t){0,30}[a-z]{0,9}\r?\n", 0..8)
            .prop_map(|lines| lines.concat().into_bytes());
        prop_oneof![2 => proptest::collection::vec(byte, 0..400), 1 => many, 2 => lines]
    }

    proptest! {
        #[test]
        fn lines_are_parted_where_it_is_written(
            text in windows(),
            separator in prop_oneof![4 => Just(b'\t'), 1 => Just(b'a'), 1 => any::<u8>()],
            wanted in prop_oneof![Just(Wanted::All), any::<u64>().prop_map(Wanted::Some), (0_u32..64).prop_map(|bit| Wanted::Some(1 << bit))],
        ) {
            let mut parted = Parted::default();
            for level in [Level::new(), Level::baseline()] {
                // What was there before makes no difference.
                parted.of(level, b"\t\n\xFF", b'\t');
                parted.of(level, &text, separator);
                prop_assert_eq!(parted.is_ascii(), text.is_ascii());
                prop_assert_eq!(vectors::run(level, Read(&mut parted, &text, wanted)), slowly(&text, separator, wanted));
            }
        }
    }

    #[test]
    fn more_columns_than_any_line_has_take_no_memory() {
        let text = b"\t".repeat(100_000);
        let mut parted = Parted::default();
        for level in [Level::new(), Level::baseline()] {
            parted.of(level, &text, b'\t');
            let [(end, width, marks)] = &vectors::run(level, Read(&mut parted, &text, Wanted::All))[..] else {
                panic!("one line")
            };
            assert_eq!((*end, *width), (100_000, 100_001));
            assert!(marks.len() < 5000 && marks[1..4097].iter().copied().eq(0..4096), "{}", marks.len());
        }
    }
}
