//! The order of the packages of one sender: what was taken before is not taken again, and what is missing is noticed.

use super::{Header, Whole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stix::timestamp::format_micros;

/// Numbers below the highest of which is remembered whether they came.
const WINDOW: u64 = 64;
/// Series that are remembered of one sender.
const SERIES: usize = 64;

/// A package that is not taken because of the others.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It came before.
    #[error("package {0} of this series was taken before")]
    Again(u64),
    /// Another one of this number came before.
    #[error(
        "another package with the number {0} of this series was taken before: its sender was set back, or somebody repeats"
    )]
    Other(u64),
    /// It is so old that nobody remembers whether it came.
    #[error("package {number} is too old to say whether it was taken before: {highest} was taken already")]
    TooOld {
        /// Its number.
        number: u64,
        /// The highest.
        highest: u64,
    },
    /// It is of a series that ended.
    #[error("the package is of a series that its sender gave up before {0}")]
    Ended(String),
}

/// How a package stands to those before it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It is the next.
    Next,
    /// It begins a series.
    First,
    /// Packages before it have not come: from, to.
    Gap(u64, u64),
    /// It fills a gap: a later one has come.
    Late,
    /// It is the next, but names another package than the one that was taken as the one before it.
    Broken,
}

/// What is remembered of a series.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Seen {
    highest: u64,
    /// Bit n: the number `highest` - 1 - n came.
    window: u64,
    /// The digest of the highest.
    digest: [u8; 32],
    /// When its latest package was made.
    created: i64,
}

/// What is remembered of a sender.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Memory {
    series: BTreeMap<String, Seen>,
    /// What is of an unknown series and older than this is not taken: the series may be one that was forgotten.
    floor: Option<i64>,
}

impl Memory {
    /// How a package stands to those that came before.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn judge(&self, header: &Header, digest: Option<&[u8; 32]>) -> Result<Place, Refused> {
        let number = header.number;
        let Some(seen) = self.series.get(&header.series) else {
            if let Some(floor) = self.floor.filter(|floor| header.created <= *floor) {
                return Err(Refused::Ended(format_micros(floor)));
            }
            return Ok(if number == 1 { Place::First } else { Place::Gap(1, number - 1) });
        };
        if number == seen.highest {
            let same = digest.is_none_or(|digest| *digest == seen.digest);
            return Err(if same { Refused::Again(number) } else { Refused::Other(number) });
        }
        if let Some(ahead) = number.checked_sub(seen.highest) {
            return Ok(match ahead {
                1 if header.previous == Some(seen.digest) => Place::Next,
                1 => Place::Broken,
                _ => Place::Gap(seen.highest + 1, number - 1),
            });
        }
        match seen.highest - 1 - number {
            behind if behind >= WINDOW => Err(Refused::TooOld { number, highest: seen.highest }),
            behind if seen.window >> behind & 1 == 1 => Err(Refused::Again(number)),
            _ => Ok(Place::Late),
        }
    }

    /// Remembers a package that was taken.
    pub fn took(&mut self, whole: &Whole) {
        let (header, digest) = (&whole.header, whole.digest);
        let (number, created) = (header.number, header.created);
        match self.series.get_mut(&header.series) {
            Some(seen) if number > seen.highest => {
                let ahead = number - seen.highest;
                let shifted = |bits: u64, by: u64| if by >= WINDOW { 0 } else { bits << by };
                // The one that was the highest is `ahead` - 1 behind the new one's neighbour.
                seen.window = shifted(seen.window, ahead) | shifted(1, ahead - 1);
                (seen.highest, seen.digest) = (number, digest);
                seen.created = seen.created.max(created);
            }
            Some(seen) if number < seen.highest => {
                let behind = seen.highest - 1 - number;
                seen.window |= if behind < WINDOW { 1 << behind } else { 0 };
                seen.created = seen.created.max(created);
            }
            Some(_) => {}
            None => {
                self.series.insert(header.series.clone(), Seen { highest: number, window: 0, digest, created });
                self.forget(&header.series);
            }
        }
    }

    /// Keeps the number of series within its limit; `kept` stays.
    fn forget(&mut self, kept: &str) {
        while self.series.len() > SERIES {
            let others = self.series.iter().filter(|(name, _)| *name != kept);
            let Some(oldest) = others.min_by_key(|(_, seen)| seen.created).map(|(name, _)| name.clone()) else {
                return;
            };
            if let Some(gone) = self.series.remove(&oldest) {
                self.floor = self.floor.max(Some(gone.created));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Keys;
    use crate::package::Sender;

    fn whole(series: &str, number: u64, previous: u8, digest: u8, created: i64) -> Whole {
        let key = Keys::of(&[1; 32]).public();
        let header = Header {
            id: String::new(),
            from: String::new(),
            key: key.id(),
            series: series.to_owned(),
            number,
            previous: (previous > 0).then_some([previous; 32]),
            created,
            expires: None,
            recipients: 1,
            answer: true,
        };
        let sender = Sender { organisation: String::new(), node: String::new(), sign: key.sign };
        Whole { header, sender, digest: [digest; 32], bytes: 0, objects: 0, mail: 0 }
    }

    #[test]
    fn gaps_repetitions_and_late_ones_are_told_apart() {
        let mut memory = Memory::default();
        for (number, previous, digest, expected) in [
            (1, 0, 1, Ok(Place::First)),
            (2, 1, 2, Ok(Place::Next)),
            (2, 1, 2, Err(Refused::Again(2))),
            (2, 1, 9, Err(Refused::Other(2))),
            (1, 0, 1, Err(Refused::Again(1))),
            (5, 4, 5, Ok(Place::Gap(3, 4))),
            (4, 3, 4, Ok(Place::Late)),
            (4, 3, 4, Err(Refused::Again(4))),
            (6, 9, 6, Ok(Place::Broken)),
            (7, 6, 7, Ok(Place::Next)),
            (3, 2, 3, Ok(Place::Late)),
            (200, 0, 8, Ok(Place::Gap(8, 199))),
            (136, 0, 8, Ok(Place::Late)),
            (136, 0, 8, Err(Refused::Again(136))),
            (135, 0, 8, Err(Refused::TooOld { number: 135, highest: 200 })),
            (7, 6, 7, Err(Refused::TooOld { number: 7, highest: 200 })),
        ] {
            let package = whole("a", number, previous, digest, 10);
            let judged = memory.judge(&package.header, Some(&package.digest));
            assert_eq!(judged, expected, "{number}");
            if judged.is_ok() {
                memory.took(&package);
            }
            let kept = serde_json::to_vec(&memory).unwrap();
            assert_eq!(serde_json::from_slice::<Memory>(&kept).unwrap(), memory);
        }
        // A series of its own.
        assert_eq!(memory.judge(&whole("b", 1, 0, 1, 10).header, None), Ok(Place::First));
        assert_eq!(memory.judge(&whole("b", 3, 0, 1, 10).header, None), Ok(Place::Gap(1, 2)));
    }

    /// Against a memory that holds everything: nothing is ever taken twice, and what is within reach is taken once.
    #[test]
    fn nothing_is_taken_twice_in_any_order() {
        let mut state = 7_u64;
        for _ in 0..20 {
            let (mut memory, mut taken) = (Memory::default(), std::collections::BTreeSet::new());
            for _ in 0..300 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let highest = taken.last().copied().unwrap_or(0_u64);
                let number = (highest + 5).saturating_sub((state >> 33) % 90).max(1);
                let package = whole("a", number, 0, 1, 1);
                let judged = memory.judge(&package.header, None);
                let reachable = number > highest || highest - number <= WINDOW;
                assert_eq!(judged.is_ok(), reachable && !taken.contains(&number), "{number} after {taken:?}");
                if judged.is_ok() {
                    memory.took(&package);
                    taken.insert(number);
                }
            }
        }
    }

    #[test]
    fn a_series_that_was_forgotten_is_not_taken_again() {
        let mut memory = Memory::default();
        for number in 0..(SERIES as i64 + 10) {
            let package = whole(&format!("s{number}"), 1, 0, 1, number);
            assert_eq!(memory.judge(&package.header, None), Ok(Place::First));
            memory.took(&package);
        }
        assert_eq!(memory.series.len(), SERIES);
        let old = whole("s3", 1, 0, 1, 3);
        assert!(matches!(memory.judge(&old.header, None), Err(Refused::Ended(_))));
        assert_eq!(memory.judge(&whole("new", 1, 0, 1, 1_000).header, None), Ok(Place::First));
    }
}
