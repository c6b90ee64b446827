//! Numbers of rules: stable, each one once.

use crate::seen::short;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// A number is sought so often before the next free one is taken.
const TRIES: u8 = 32;

/// Gives out numbers from a range. The number of a rule follows from what it says, so it is the same in every export,
/// unless a rule before it took that number.
pub(crate) struct Numbers {
    range: RangeInclusive<u32>,
    taken: HashSet<u32>,
    next: u32,
}

impl Numbers {
    pub(crate) fn new(range: RangeInclusive<u32>) -> Self {
        // Zero is no number of a rule.
        let range = (*range.start()).max(1)..=*range.end();
        Self { next: *range.start(), range, taken: HashSet::new() }
    }

    /// The number of the rule that is told from others by these words.
    pub(crate) fn of(&mut self, words: &[&str]) -> Option<u32> {
        let count = u64::from(self.range.end().checked_sub(*self.range.start())?) + 1;
        if self.taken.len() as u64 >= count {
            return None;
        }
        for attempt in 0..TRIES {
            let mut digest = blake3::Hasher::new();
            for word in words {
                digest.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
            }
            digest.update(&[attempt]);
            // Of 128 bits the remainder is as good as even.
            let offset = u32::try_from(short(&digest) % u128::from(count)).ok()?;
            let number = self.range.start() + offset;
            if self.taken.insert(number) {
                return Some(number);
            }
        }
        // The range is nearly full: the next free number, each looked at once.
        loop {
            let number = self.next;
            if self.taken.insert(number) {
                return Some(number);
            }
            self.next = number.checked_add(1).filter(|next| self.range.contains(next))?;
        }
    }
}

/// What grows with every version of an indicator: seconds since 1970, from 1 on.
pub(crate) fn revision(modified: i64) -> u32 {
    u32::try_from(modified.div_euclid(1_000_000).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_range_gives_each_number_once_and_then_none() {
        let mut numbers = Numbers::new(7..=106);
        let given: HashSet<u32> = (0..100).map(|n| numbers.of(&[&format!("{n}")]).unwrap()).collect();
        assert_eq!(given, (7..=106).collect());
        assert_eq!(numbers.of(&["one more"]), None);
        assert_eq!(Numbers::new(RangeInclusive::new(5, 4)).of(&["none"]), None);
    }

    #[test]
    fn numbers_follow_from_what_is_said() {
        let (mut a, mut b) = (Numbers::new(1_000_000..=1_999_999), Numbers::new(1_000_000..=1_999_999));
        let first = a.of(&["x", "y"]);
        b.of(&["something else"]);
        assert_eq!(b.of(&["x", "y"]), first);
        assert_ne!(a.of(&["xy", ""]), first);
    }

    #[test]
    fn revisions_grow() {
        assert!(revision(1_772_355_600_000_000) < revision(1_772_355_601_000_000));
        assert_eq!((revision(-5), revision(i64::MAX)), (1, u32::MAX));
    }
}
