//! How much one partner may do here: so many objects an hour, so many bytes a day, none larger than so much, none dated
//! after our clock, and no going on while most of what it brings is refused.
//!
//! The time is an argument, and the state is a value; [`Held`] keeps it as a note of the register. What is refused here is refused with words that name the limit; the rest of the exchange goes on.

mod breaker;
mod bucket;
mod held;

pub use breaker::Breaker;
pub use bucket::Bucket;
pub use held::Held;

use ledger::Micros;
use serde::{Deserialize, Serialize};
use stix::timestamp::format_micros;

/// A minute, in microseconds.
const MINUTE: Micros = 60 * 1_000_000;
const HOUR: Micros = 60 * MINUTE;
/// What is dated further ahead is not waited for.
pub(super) const DAY: Micros = 24 * HOUR;

/// What a partner may do. `None`: without limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Objects in an hour, counted evenly: whoever brought nothing for an hour may bring them all at once.
    pub objects_per_hour: Option<u64>,
    /// Bytes in a day, counted likewise.
    pub bytes_per_day: Option<u64>,
    /// Bytes of one object.
    pub largest_object: Option<u64>,
    /// Of a hundred objects that it brings, how many may be refused before it has to pause; 100: any number.
    pub refused_percent: u8,
    /// How far `created` and `modified` may be ahead of our clock, in microseconds.
    pub ahead: Micros,
}

impl Limits {
    /// What was agreed with a partner.
    #[must_use]
    pub fn of(terms: &super::Terms) -> Self {
        Self { objects_per_hour: terms.max_objects_per_hour, bytes_per_day: terms.max_bytes_per_day, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects_per_hour: None,
            bytes_per_day: None,
            largest_object: None,
            refused_percent: 50,
            ahead: 10 * MINUTE,
        }
    }
}

/// Why an object, or anything at all, is not taken from a partner now.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The hour's objects are used up.
    #[error("it has brought its {most} objects of this hour: more from {} on", format_micros(*.until))]
    Objects {
        /// How many it may bring in an hour.
        most: u64,
        /// When the next one fits.
        until: Micros,
    },
    /// The day's bytes are used up.
    #[error("it has brought its {most} bytes of this day: an object of this size from {} on", format_micros(*.until))]
    Bytes {
        /// How many it may bring in a day.
        most: u64,
        /// When an object of this size fits.
        until: Micros,
    },
    /// The object is too large; it will not fit at another time either.
    #[error("it has {bytes} bytes, more than the {most} that are taken from this partner")]
    Large {
        /// The object's size.
        bytes: u64,
        /// The largest that is taken.
        most: u64,
    },
    /// It says that it was made after now.
    #[error(
        "its `{property}` is {}, more than {} minutes after our clock, which says {}",
        format_micros(*.says), .ahead / MINUTE, format_micros(*.now)
    )]
    Ahead {
        /// Which of its properties.
        property: &'static str,
        /// What that says.
        says: Micros,
        /// How far ahead of our clock it may be, in microseconds.
        ahead: Micros,
        /// What our clock says.
        now: Micros,
    },
    /// Too much of what it brought was refused: it pauses.
    #[error("too much of what it brought was refused: nothing is taken from it until {}", format_micros(*.until))]
    Pause {
        /// When it may go on.
        until: Micros,
    },
}

impl Refusal {
    /// When it is worth coming again; `None`: never, with this object.
    #[must_use]
    pub fn until(&self) -> Option<Micros> {
        match self {
            Self::Objects { until, .. } | Self::Bytes { until, .. } | Self::Pause { until } => Some(*until),
            Self::Ahead { says, ahead, .. } => Some(says.saturating_sub(*ahead)),
            Self::Large { .. } => None,
        }
    }
}

/// What is remembered of a partner between two exchanges.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct State {
    /// Of the objects of an hour.
    pub objects: Bucket,
    /// Of the bytes of a day.
    pub bytes: Bucket,
    /// Of what was refused.
    pub refused: Breaker,
}

impl State {
    /// As it was kept; nothing was kept of whoever is new. What cannot be read counts as used up, not as unused.
    #[must_use]
    pub fn read(kept: Option<&[u8]>, now: Micros) -> Self {
        let used_up = || Self {
            objects: Bucket::used_up(HOUR, now),
            bytes: Bucket::used_up(DAY, now),
            refused: Breaker::default(),
        };
        kept.map_or_else(Self::default, |kept| serde_json::from_slice(kept).unwrap_or_else(|_| used_up()))
    }

    /// As it is kept.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        // Numbers are JSON; were it not so, what is read back is used up.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The name of the note in which an organisation's state is kept.
pub fn note(organisation: &str) -> String {
    format!("quota of {}", organisation.to_lowercase())
}

/// A partner's limits, and how much of them it has used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    limits: Limits,
    state: State,
}

impl Quota {
    /// With the state that was kept.
    #[must_use]
    pub fn new(limits: Limits, state: State) -> Self {
        Self { limits, state }
    }

    /// What is to be kept.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether anything is taken at all: asked before a page is fetched or a body is read.
    ///
    /// # Errors
    /// [`Refusal::Pause`], [`Refusal::Objects`], [`Refusal::Bytes`].
    pub fn open(&self, now: Micros) -> Result<(), Refusal> {
        if let Some(until) = self.state.refused.paused(now) {
            return Err(Refusal::Pause { until });
        }
        self.objects(now)?;
        self.bytes(1, now)
    }

    /// How many objects may come now.
    #[must_use]
    pub fn left(&self, now: Micros) -> u64 {
        self.limits.objects_per_hour.map_or(u64::MAX, |most| self.state.objects.left(most, HOUR, now))
    }

    /// Takes one object of so many bytes out of the quota, before it is judged: work was done for it, whatever comes of it.
    /// What is refused here used nothing up.
    ///
    /// # Errors
    /// [`Refusal`], but not [`Refusal::Ahead`].
    pub fn take(&mut self, bytes: u64, now: Micros) -> Result<(), Refusal> {
        if let Some(until) = self.state.refused.paused(now) {
            return Err(Refusal::Pause { until });
        }
        let most = [self.limits.largest_object, self.limits.bytes_per_day].into_iter().flatten().min();
        if let Some(most) = most.filter(|most| bytes > *most) {
            return Err(Refusal::Large { bytes, most });
        }
        self.objects(now)?;
        self.bytes(bytes, now)?;
        if let Some(most) = self.limits.objects_per_hour {
            self.state.objects.take(1, most, HOUR, now);
        }
        if let Some(most) = self.limits.bytes_per_day {
            self.state.bytes.take(bytes, most, DAY, now);
        }
        Ok(())
    }

    /// Whether a page of so many objects and bytes can be taken as a whole. One that is larger than what ever fits can be when
    /// nothing was used for long enough: nobody who sends in pages is turned away for good.
    ///
    /// # Errors
    /// [`Refusal::Pause`], [`Refusal::Objects`], [`Refusal::Bytes`], each with the time at which it can be.
    pub fn room(&self, objects: u64, bytes: u64, now: Micros) -> Result<(), Refusal> {
        if let Some(until) = self.state.refused.paused(now) {
            return Err(Refusal::Pause { until });
        }
        if let Some(most) = self.limits.objects_per_hour
            && let Err(until) = self.state.objects.fits(objects.min(most).max(1), most, HOUR, now)
        {
            return Err(Refusal::Objects { most, until });
        }
        let Some(most) = self.limits.bytes_per_day else { return Ok(()) };
        self.bytes(bytes.min(most).max(1), now)
    }

    /// Takes a page out of the quota that was taken as a whole.
    pub fn took(&mut self, objects: u64, bytes: u64, now: Micros) {
        if let Some(most) = self.limits.objects_per_hour {
            self.state.objects.take(objects, most, HOUR, now);
        }
        if let Some(most) = self.limits.bytes_per_day {
            self.state.bytes.take(bytes, most, DAY, now);
        }
    }

    /// Says what became of one object that was taken. `Some`: that was one refusal too many, and the partner pauses until then.
    pub fn judged(&mut self, refused: bool, now: Micros) -> Option<Micros> {
        self.state.refused.judged(refused, self.limits.refused_percent, now)
    }

    /// Refuses what says that it was made after now: such an object would stay the newest version for years.
    ///
    /// # Errors
    /// [`Refusal::Ahead`], for `modified` if both are.
    pub fn in_time(&self, created: Option<Micros>, modified: Option<Micros>, now: Micros) -> Result<(), Refusal> {
        in_time(created, modified, self.limits.ahead, now)
    }

    fn objects(&self, now: Micros) -> Result<(), Refusal> {
        let Some(most) = self.limits.objects_per_hour else { return Ok(()) };
        match self.state.objects.fits(1, most, HOUR, now) {
            Ok(()) => Ok(()),
            Err(until) => Err(Refusal::Objects { most, until }),
        }
    }

    fn bytes(&self, bytes: u64, now: Micros) -> Result<(), Refusal> {
        let Some(most) = self.limits.bytes_per_day else { return Ok(()) };
        match self.state.bytes.fits(bytes, most, DAY, now) {
            Ok(()) => Ok(()),
            Err(until) => Err(Refusal::Bytes { most, until }),
        }
    }
}

/// Refuses what says that it was made more than `ahead` microseconds after our clock.
///
/// # Errors
/// [`Refusal::Ahead`], for `modified` if both are.
pub fn in_time(created: Option<Micros>, modified: Option<Micros>, ahead: Micros, now: Micros) -> Result<(), Refusal> {
    let latest = now.saturating_add(ahead);
    for (property, says) in [("modified", modified), ("created", created)] {
        if let Some(says) = says.filter(|says| *says > latest) {
            return Err(Refusal::Ahead { property, says, ahead, now });
        }
    }
    Ok(())
}

/// How sure of an object we are: what its author claims (STIX 2.1 §3.2, `confidence`), and never more than what was agreed
/// for the partner that brought it. What claims nothing stays without a number: an unknown is not a low one.
#[must_use]
pub fn confidence(claimed: Option<u8>, ceiling: Option<u8>) -> Option<u8> {
    claimed.map(|claimed| claimed.min(ceiling.unwrap_or(100)).min(100))
}

#[cfg(test)]
mod tests;
