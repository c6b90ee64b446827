//! Stops an exchange of which too much is refused, for a time that doubles while it gets no better.

use super::{DAY, MINUTE};
use ledger::Micros;
use serde::{Deserialize, Serialize};

/// Objects that must have come before a share of them says something.
const LEAST: u32 = 50;
/// The same for a partner that comes out of a pause.
const PROBE: u32 = 10;
/// From so many on the older ones count half.
const MANY: u32 = 400;
/// The first pause.
const FIRST: Micros = 5 * MINUTE;
/// The longest.
const LONGEST: Micros = DAY;

/// Counts what was refused of what came last.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    good: u32,
    refused: u32,
    /// Pauses since it was good for long enough.
    pauses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Micros>,
}

impl Breaker {
    /// Until when nothing is taken. A pause that is longer than any can be, because the clock was set back, has ended.
    #[must_use]
    pub fn paused(&self, now: Micros) -> Option<Micros> {
        self.until.filter(|until| now < *until && until.saturating_sub(now) <= LONGEST)
    }

    /// Pauses since what came was good for long enough.
    #[must_use]
    pub fn pauses(&self) -> u32 {
        self.pauses
    }

    /// Counts an object, unless a pause has begun: what is left of a page says nothing new. `Some`: it begins, until then.
    pub(super) fn judged(&mut self, refused: bool, percent: u8, now: Micros) -> Option<Micros> {
        if self.paused(now).is_some() {
            return None;
        }
        let count = if refused { &mut self.refused } else { &mut self.good };
        *count = count.saturating_add(1);
        let total = self.good.saturating_add(self.refused);
        let bad = u64::from(self.refused) * 100 > u64::from(total) * u64::from(percent);
        if bad && total >= if self.pauses > 0 { PROBE } else { LEAST } {
            let pause = FIRST.saturating_mul(1 << self.pauses.min(16)).min(LONGEST);
            let until = now.saturating_add(pause);
            *self = Self { pauses: self.pauses.saturating_add(1), until: Some(until), ..Self::default() };
            return Some(until);
        }
        if !bad && total >= LEAST {
            (self.pauses, self.until) = (0, None);
        }
        if total >= MANY {
            (self.good, self.refused) = (self.good / 2, self.refused / 2);
        }
        None
    }
}
