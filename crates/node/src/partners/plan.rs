//! When the next round of a link is due: pure, so that it can be read off without waiting.

use ledger::Micros;
use std::time::Duration;
use taxii::client::Backoff;

/// A partner that cannot be reached is tried again after so long, then after twice as long, …
const FIRST: Duration = Duration::from_secs(5);
/// … and at last once in so long.
const MOST: Duration = Duration::from_secs(3_600);
/// A link that is woken anew and anew begins a round at most so often.
pub const LEAST_APART: Duration = Duration::from_millis(500);
/// A round that was stopped before the end, by the clock or a budget, goes on after so long at the earliest.
const GOES_ON: Duration = Duration::from_secs(1);

/// How a round ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Everything was taken or given.
    Complete,
    /// There is more, and it may go on at once.
    More,
    /// There is more, and the budget allows it again from then on.
    Budget(Micros),
    /// Something went wrong, `failures` times in a row now; the partner may have asked to wait so long.
    Failed {
        /// How often in a row.
        failures: u32,
        /// What it asked for.
        wait: Option<Duration>,
    },
}

/// When the next round begins; `None`: when somebody asks for it.
///
/// `every` is the schedule. What the partner asks for is never undercut, and never believed beyond a day. `chance` spreads
/// the rounds of many links: up to a half less after an error, up to a tenth more on schedule.
#[must_use]
pub fn next(end: End, every: Option<u64>, at_once: bool, now: Micros, chance: u64) -> Option<Micros> {
    let after = |wait: Duration| now.saturating_add(micros(wait));
    let spread = |wait: Duration| wait.saturating_add(fraction(wait / 10, chance));
    match end {
        End::Complete => every.map(|every| after(spread(Duration::from_secs(every)))),
        End::More => Some(after(GOES_ON)),
        End::Budget(at) => Some(at.max(after(GOES_ON))),
        End::Failed { failures, wait } => {
            // A link that nobody scheduled is not tried again by itself.
            every.or(at_once.then_some(0))?;
            let backoff = Backoff { attempts: u32::MAX, first: FIRST, most: MOST };
            let planned = backoff.wait(failures.saturating_sub(1), None, now, chance).unwrap_or(MOST);
            let asked = wait.map(|wait| spread(wait.min(Duration::from_secs(86_400))));
            Some(after(planned.max(asked.unwrap_or_default())))
        }
    }
}

/// A part of a span, as large as chance says.
fn fraction(most: Duration, chance: u64) -> Duration {
    most.mul_f64(chance as f64 / (u64::MAX as f64 + 1.0))
}

fn micros(wait: Duration) -> Micros {
    Micros::try_from(wait.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    #[test]
    fn a_partner_that_is_down_costs_one_attempt_an_hour() {
        let failed = |failures| End::Failed { failures, wait: None };
        let waits: Vec<Micros> =
            (1..=14).filter_map(|n| next(failed(n), Some(60), false, 0, 0)).map(|at| at / SECOND).collect();
        assert_eq!(waits[..5], [5, 10, 20, 40, 80]);
        assert!(waits[10..].iter().all(|wait| *wait == 3_600), "{waits:?}");
        for chance in [1, 1 << 40, 1 << 63, u64::MAX] {
            let wait = next(failed(u32::MAX), None, true, 0, chance).unwrap() / SECOND;
            assert!((1_799..=3_600).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn the_table() {
        let wait = |seconds| End::Failed { failures: 1, wait: Some(Duration::from_secs(seconds)) };
        for (end, every, at_once, chance, wanted) in [
            (End::Complete, Some(300), false, 0, Some(300)),
            (End::Complete, Some(300), true, u64::MAX, Some(330)),
            (End::Complete, None, true, 0, None),
            (End::More, None, false, 0, Some(1)),
            (End::Budget(90 * SECOND), Some(5), false, 0, Some(90)),
            (End::Budget(0), Some(5), false, 0, Some(1)),
            (wait(120), Some(5), false, 0, Some(120)),
            (wait(120), Some(5), false, 1 << 63, Some(126)),
            (wait(1), Some(5), false, 0, Some(5)),
            // Nobody is kept waiting for ever.
            (wait(u64::from(u32::MAX)), Some(5), false, 0, Some(86_400)),
            (End::Failed { failures: 3, wait: None }, None, false, 0, None),
            (End::Failed { failures: 1, wait: None }, None, true, 0, Some(5)),
        ] {
            let at = next(end, every, at_once, 0, chance).map(|at| at / SECOND);
            assert_eq!(at, wanted, "{end:?} {every:?} {at_once} {chance}");
        }
    }
}
