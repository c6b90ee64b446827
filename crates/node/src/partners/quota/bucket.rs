//! What fills up evenly over a span of time and is emptied by what is taken.

use ledger::Micros;
use serde::{Deserialize, Serialize};

/// What is overdrawn is remembered up to so many spans.
const DEEPEST: u128 = 30;

/// A bucket, as the time that it needs to be full again. So a limit can change without what was used being lost.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Nanoseconds until it is full, counted from `at`.
    empty: u64,
    at: Micros,
}

impl Bucket {
    /// Of which nothing is left.
    pub(super) fn used_up(span: Micros, now: Micros) -> Self {
        Self { empty: u64::try_from(nanos(span)).unwrap_or(u64::MAX), at: now }
    }

    /// Whether so much fits now, of `most` in `span` microseconds; or when it will. More than `most` never fits, and is
    /// answered with when the bucket is full.
    ///
    /// # Errors
    /// When it fits.
    pub fn fits(self, amount: u64, most: u64, span: Micros, now: Micros) -> Result<(), Micros> {
        let span = nanos(span);
        let empty = self.empty(span, now);
        let wanted = cost(amount, most, span).min(span);
        let over = empty.saturating_add(wanted).saturating_sub(span);
        if amount > most || over > 0 {
            let wait = if amount > most { empty.max(1) } else { over };
            return Err(now.saturating_add(Micros::try_from(wait.div_ceil(1_000)).unwrap_or(Micros::MAX)));
        }
        Ok(())
    }

    /// Takes so much out. What does not fit is overdrawn, and has to fill up again before anything else.
    pub fn take(&mut self, amount: u64, most: u64, span: Micros, now: Micros) {
        let span = nanos(span);
        let empty = self.empty(span, now).saturating_add(cost(amount, most, span)).min(span.saturating_mul(DEEPEST));
        *self = Self { empty: u64::try_from(empty).unwrap_or(u64::MAX), at: now };
    }

    /// What is left, of `most` in `span` microseconds.
    #[must_use]
    pub fn left(self, most: u64, span: Micros, now: Micros) -> u64 {
        let span = nanos(span);
        let full = span.saturating_sub(self.empty(span, now));
        u64::try_from(full.saturating_mul(u128::from(most)) / span).unwrap_or(u64::MAX)
    }

    /// Nanoseconds until it is full. A clock that was set back fills nothing, and does not stop it from filling on.
    fn empty(self, span: u128, now: Micros) -> u128 {
        let since = i128::from(now) - i128::from(self.at);
        let since = u128::try_from(since).unwrap_or_default().saturating_mul(1_000);
        u128::from(self.empty).min(span.saturating_mul(DEEPEST)).saturating_sub(since)
    }
}

/// A span of at least a microsecond in nanoseconds.
fn nanos(span: Micros) -> u128 {
    u128::try_from(span.max(1)).unwrap_or(1) * 1_000
}

/// How long so much takes to fill up: rounded up, so that never more than `most` fits.
fn cost(amount: u64, most: u64, span: u128) -> u128 {
    span.saturating_mul(u128::from(amount)).div_ceil(u128::from(most.max(1)))
}
