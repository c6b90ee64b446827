//! The filter in front of the table.

use super::hasher::Key;

/// Bits of the filter for each key.
const BITS: usize = 12;

/// One line of cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block([u64; 8]);

/// A Bloom filter in blocks of a cache line: the high bits of a key choose the block, the low ones two of its words and
/// three bits in each. Whether a key may be there is asked with one access to memory and without a branch, so that the
/// accesses for many keys overlap. Of other keys about one in a hundred is let through.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<Block>,
}

impl Default for Filter {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Filter {
    /// An empty filter for so many keys.
    pub(super) fn new(keys: usize) -> Self {
        Self { blocks: vec![Block([0; 8]); (keys * BITS).div_ceil(512).max(1)] }
    }

    #[inline]
    pub(super) fn insert(&mut self, key: Key) {
        let place = Place::of(key, self.blocks.len());
        if let Some(Block(words)) = self.blocks.get_mut(place.block) {
            for (word, mask) in [place.first, place.second] {
                if let Some(word) = words.get_mut(word) {
                    *word |= mask;
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn may_hold(&self, key: Key) -> bool {
        let place = Place::of(key, self.blocks.len());
        let Some(Block(words)) = self.blocks.get(place.block) else { return false };
        missing(words, place.first) | missing(words, place.second) == 0
    }

    /// Reads a word of each key's block and does next to nothing with it: so many accesses are under way at once that the
    /// answers which follow find their blocks in the cache.
    #[inline(always)]
    pub(super) fn touch(&self, keys: &[Key]) -> u64 {
        let blocks = self.blocks.len();
        keys.iter().fold(0, |all, key| {
            let word = self.blocks.get(block(*key, blocks)).and_then(|Block(words)| words.first());
            all ^ word.copied().unwrap_or(0)
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
    }
}

/// The high bits of a key choose its block, by a product.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "below the number of blocks")]
fn block(Key(key): Key, blocks: usize) -> usize {
    ((u128::from(key) * blocks as u128) >> 64) as usize
}

/// The bits of a mask that a word of a block does not have.
#[inline(always)]
fn missing(words: &[u64; 8], (word, mask): (usize, u64)) -> u64 {
    mask & !words.get(word).copied().unwrap_or(0)
}

struct Place {
    block: usize,
    first: (usize, u64),
    second: (usize, u64),
}

impl Place {
    /// Bits 4 to 41 choose within the block, some of them twice; those below are flags, and of a URL its scheme.
    #[inline(always)]
    fn of(Key(key): Key, blocks: usize) -> Self {
        let part = |bits: u64| {
            let word = (bits & 7) as usize;
            (word, (1 << ((bits >> 3) & 63)) | (1 << ((bits >> 9) & 63)) | (1 << ((bits >> 15) & 63)))
        };
        Self { block: block(Key(key), blocks), first: part(key >> 4), second: part(key >> 21) }
    }
}
