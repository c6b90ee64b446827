//! Sequence numbers in few bytes: runs of neighbours, each as the distance from the end of the one before, as a varint
//! (LEB128) whose lowest bit says whether it is one number alone (0) or a length follows (1). What was taken in at once has
//! neighbouring numbers, so that most pages are a run or two.

use ledger::{Run, Seq};

/// The numbers that were handed out at once, packed while they are at hand: what waits for the disk is small.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Given {
    count: u64,
    span: Option<(i64, i64)>,
    packed: Vec<u8>,
}

impl Given {
    /// Of runs that are in order.
    #[must_use]
    pub fn of(runs: &[Run]) -> Self {
        let last = runs.last().map(|run| run.first.0.saturating_add(i64::from(run.count) - 1));
        Self {
            count: runs.iter().map(|run| u64::from(run.count)).sum(),
            span: runs.first().map(|run| run.first.0).zip(last),
            packed: encode(runs),
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first and the last.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// Exactly which, as [`encode`] packs them.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }
}

/// Packs runs of numbers from 0 that are in order.
#[must_use]
pub fn encode(runs: &[Run]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + runs.len() * 4);
    let mut end = 0_i64;
    for run in runs {
        let distance = run.first.0.wrapping_sub(end).cast_unsigned() << 1;
        if run.count == 1 {
            push(&mut out, distance);
        } else {
            push(&mut out, distance | 1);
            push(&mut out, u64::from(run.count));
        }
        end = run.first.0.wrapping_add(i64::from(run.count));
    }
    out
}

/// Unpacks them; `None` if this is no packed list.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    each(bytes, |run| {
        runs.push(run);
        true
    })?;
    Some(runs)
}

/// Whether the packed runs hold this number.
#[must_use]
pub fn covers(bytes: &[u8], seq: Seq) -> bool {
    let mut found = false;
    let read = each(bytes, |run| {
        found |= run.first <= seq && seq.0 - run.first.0 < i64::from(run.count);
        !found
    });
    read.is_some() && found
}

/// The runs of numbers that are in order.
#[must_use]
pub fn runs_of(seqs: impl IntoIterator<Item = Seq>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some(run) if run.first.0 + i64::from(run.count) == seq.0 => run.count += 1,
            _ => runs.push(Run { first: seq, count: 1 }),
        }
    }
    runs
}

fn each(mut bytes: &[u8], mut take: impl FnMut(Run) -> bool) -> Option<()> {
    let mut end = 0_i64;
    while !bytes.is_empty() {
        let distance = pull(&mut bytes)?;
        let first = end.wrapping_add((distance >> 1).cast_signed());
        let count = if distance & 1 == 0 { 1 } else { u32::try_from(pull(&mut bytes)?).ok()? };
        end = first.wrapping_add(i64::from(count));
        if !take(Run { first: Seq(first), count }) {
            break;
        }
    }
    Some(())
}

fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_page_of_neighbours_is_a_few_bytes() {
        let first = 1_764_000_000_000_000;
        let runs = runs_of((first..first + 1_000).map(Seq));
        assert_eq!(runs, [Run { first: Seq(first), count: 1_000 }]);
        assert_eq!(encode(&runs).len(), 10);
        assert_eq!(encode(&[]), Vec::<u8>::new());
        for bad in [&[0x80][..], &[1], &[1, 0x80], &[0xff; 11], &[1, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            assert_eq!(decode(bad), None, "{bad:x?}");
            assert!(!covers(bad, Seq(0)), "{bad:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(
            seqs in proptest::collection::btree_set(0_i64..3_000, 0..400),
            offset in prop_oneof![Just(0_i64), Just(1_764_000_000_000_000)],
            asked in 0_i64..3_000,
        ) {
            let seqs: BTreeSet<i64> = seqs.into_iter().map(|seq| seq + offset).collect();
            let runs = runs_of(seqs.iter().copied().map(Seq));
            let bytes = encode(&runs);
            let out = decode(&bytes).unwrap();
            prop_assert_eq!(&out, &runs);
            let listed: BTreeSet<i64> =
                out.iter().flat_map(|run| run.first.0..run.first.0 + i64::from(run.count)).collect();
            prop_assert_eq!(&listed, &seqs);
            prop_assert_eq!(covers(&bytes, Seq(asked + offset)), seqs.contains(&(asked + offset)));
        }
    }
}
