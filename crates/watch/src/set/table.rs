//! The exact table: fingerprints in their order, and the names beside them.

use std::collections::HashSet;

use super::Found;
use super::filter::Filter;
use super::hasher::{BESIDE, FLAGS, Key};

/// Set in a fingerprint's lowest bits: the value itself is claimed.
pub(super) const ITSELF: u64 = 1;
/// Set in a fingerprint's lowest bits: names below the value are claimed.
pub(super) const SUBDOMAINS: u64 = 2;

/// The most entries: places in the table are 32 bits wide.
pub(super) const MOST: usize = u32::MAX as usize;

/// The number of an indicator in 40 bits, the lowest byte first.
pub(super) type Name = [u8; 5];

/// Entries for each bucket, on average.
const BUCKET: usize = 4;

/// From this length on a bucket is searched by halves: a value that a million indicators name must not slow its
/// neighbours down.
const LONG: usize = 32;

/// What a table is made of, in order: fingerprints with their flags, and names. 13 bytes an entry.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) prints: Vec<u64>,
    pub(super) names: Vec<Name>,
}

impl Entries {
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self { prints: Vec::with_capacity(entries), names: Vec::with_capacity(entries) }
    }

    pub(super) fn push(&mut self, print: u64, name: Name) {
        self.prints.push(print);
        self.names.push(name);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.prints.iter().zip(&self.names).map(|(print, name)| (*print, number(*name)))
    }
}

pub(super) fn number([a, b, c, d, e]: Name) -> u64 {
    u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
}

/// None if the number has more than 40 bits.
pub(super) fn name(number: u64) -> Option<Name> {
    let [a, b, c, d, e, 0, 0, 0] = number.to_le_bytes() else { return None };
    Some([a, b, c, d, e])
}

#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Entries,
    /// Where each bucket begins; one more for the end of the last. The buckets divide the fingerprints evenly.
    starts: Vec<u32>,
    filter: Filter,
    /// For those alone that claim names below theirs: of the names above each that is seen, next to none is one.
    above: Filter,
}

impl Table {
    /// INVARIANT: the entries are in ascending order of their fingerprints without flags.
    pub(super) fn new(mut entries: Entries) -> Self {
        entries.prints.shrink_to_fit();
        entries.names.shrink_to_fit();
        let count = entries.prints.len();
        let buckets = count.div_ceil(BUCKET).max(1);
        let mut filter = Filter::new(count);
        let mut above = Filter::new(entries.prints.iter().filter(|print| **print & SUBDOMAINS != 0).count());
        let mut starts = Vec::with_capacity(buckets + 1);
        let mut last = None;
        for (at, &print) in entries.prints.iter().enumerate() {
            let bucket = bucket(print, buckets);
            while starts.len() <= bucket {
                starts.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            if last != Some(print & !FLAGS) {
                last = Some(print & !FLAGS);
                filter.insert(Key(print & !FLAGS));
            }
            if print & SUBDOMAINS != 0 {
                above.insert(Key(print & !FLAGS));
            }
        }
        starts.resize(buckets + 1, u32::try_from(count).unwrap_or(u32::MAX));
        Self { entries, starts, filter, above }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.prints.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.prints.capacity() * size_of::<u64>()
            + self.entries.names.capacity() * size_of::<Name>()
            + self.starts.capacity() * size_of::<u32>()
            + self.filter.bytes()
            + self.above.bytes()
    }

    /// Whether a key may be there.
    #[inline(always)]
    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether names below the one with a key may be claimed.
    #[inline(always)]
    pub(super) fn above(&self) -> &Filter {
        &self.above
    }

    /// All claims under this key.
    pub(super) fn find(&self, key: Key, found: &mut Vec<Found>) {
        self.find_but(FLAGS, key, found);
    }

    /// All claims under this key, and those of a URL under its key with other schemes.
    pub(super) fn find_beside(&self, key: Key, found: &mut Vec<Found>) {
        self.find_but(BESIDE, key, found);
    }

    /// All claims whose fingerprints are a key, whatever these bits are, the lowest there are.
    #[inline(always)]
    fn find_but(&self, bits: u64, Key(key): Key, found: &mut Vec<Found>) {
        let key = key & !bits;
        let at = bucket(key, self.starts.len().saturating_sub(1));
        let (Some(&start), Some(&end)) = (self.starts.get(at), self.starts.get(at + 1)) else { return };
        let (start, end) = (start as usize, end as usize);
        let Some(prints) = self.entries.prints.get(start..end) else { return };
        let skip = if prints.len() > LONG { prints.partition_point(|print| *print < key) } else { 0 };
        for (offset, &print) in prints.iter().enumerate().skip(skip) {
            if print & !bits == key {
                if let Some(name) = self.entries.names.get(start + offset) {
                    let (itself, subdomains) = (print & ITSELF != 0, print & SUBDOMAINS != 0);
                    found.push(Found { name: number(*name), itself, subdomains });
                }
            } else if print > key {
                return;
            }
        }
    }

    /// The entries of these names alone.
    pub(super) fn only(&self, names: &HashSet<u64>) -> Self {
        let mut some = Entries::default();
        for (print, number) in self.entries.iter().filter(|(_, number)| names.contains(number)) {
            if let Some(name) = name(number) {
                some.push(print, name);
            }
        }
        Self::new(some)
    }

    /// Both tables in one, without those entries of this one whose names are gone.
    pub(super) fn joined(&self, gone: &HashSet<u64>, other: &Self) -> Self {
        let mut both = Entries::with_capacity(self.len() + other.len());
        let mut left = self.entries.iter().filter(|(_, name)| !gone.contains(name)).peekable();
        let mut right = other.entries.iter().peekable();
        let order = |(print, name): &(u64, u64)| (print & !FLAGS, *name);
        loop {
            let take_left = match (left.peek(), right.peek()) {
                (Some(one), Some(two)) => order(one) <= order(two),
                (one, _) => one.is_some(),
            };
            let Some((print, number)) = (if take_left { left.next() } else { right.next() }) else { break };
            let Some(name) = name(number) else { continue };
            both.push(print, name);
        }
        Self::new(both)
    }
}

#[inline]
fn bucket(print: u64, buckets: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "below the number of buckets")]
    let bucket = ((u128::from(print & !BESIDE) * buckets as u128) >> 64) as usize;
    bucket
}
