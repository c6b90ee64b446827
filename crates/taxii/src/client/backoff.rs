//! When to try again.

use http::StatusCode;
use std::time::Duration;

/// A plan of waits: pure, so that it can be read off without waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// How often to try again.
    pub attempts: u32,
    /// The wait before the first of them; it doubles with each.
    pub first: Duration,
    /// No wait is longer. A server that asks for more is given up, so that a person can decide.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: 6, first: Duration::from_secs(1), most: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// How long to wait before attempt number `attempt` (0 is the first repetition); `None`: give up.
    ///
    /// What the server asks for (`Retry-After`, RFC 9110 §10.2.3) is never undercut. `chance` spreads the waits of many
    /// clients: up to a half less than planned without a hint, up to a tenth more with one.
    #[must_use]
    pub fn wait(&self, attempt: u32, hint: Option<&str>, now: i64, chance: u64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let part = |whole: Duration, of: u32| whole.mul_f64((chance >> 11) as f64 / (1_u64 << 53) as f64) / of;
        let planned = self.first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(self.most);
        match hint.and_then(|hint| retry_after(hint, now)) {
            Some(asked) if asked > self.most => None,
            Some(asked) => Some(asked + part(asked, 10)),
            None => Some(planned - part(planned, 2)),
        }
    }
}

/// Whether a status says: later (RFC 6585 §4, RFC 9110 §15.6). Gateways in front of a server that restarts count too.
pub(super) fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// What `Retry-After` asks for, in seconds or as a date in one of the three forms of RFC 9110 §5.6.7. A date that has
/// passed is no wait; `None`: it cannot be read.
#[must_use]
pub fn retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is longer than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let wait = date(text, now)?.saturating_sub(now);
    Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
}

/// Microseconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
/// `Sun Nov  6 08:49:37 1994`.
fn date(text: &str, now: i64) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', '-', ',']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match *words.as_slice() {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = MONTHS.find(month).filter(|at| at % 3 == 0 && month.len() == 3)? / 3 + 1;
    let (day, mut year): (u32, i64) = (day.parse().ok()?, year.parse().ok()?);
    if year < 100 {
        // Two digits are of this century, unless that is more than 50 years ahead.
        let this = 1970 + now / 31_556_952_000_000;
        year += this - this.rem_euclid(100);
        if year > this + 50 {
            year -= 100;
        }
    }
    let iso = format!("{year:04}-{month:02}-{day:02}T{time}Z");
    stix::timestamp::Timestamp::parse(&iso).ok().map(|at| at.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:07Z, half a minute before the date in the RFC's examples.
    const NOW: i64 = 784_111_747_000_000;

    #[test]
    fn hints() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sun, 31 Feb 1994 08:00:00 GMT", None),
            ("Sun, 06 anF 1994 08:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, NOW), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn plan() {
        let plan = Backoff { attempts: 4, first: Duration::from_secs(1), most: Duration::from_secs(5) };
        let seconds = |attempt, hint, chance| plan.wait(attempt, hint, NOW, chance).map(|wait| wait.as_secs_f64());
        for (attempt, hint, chance, wanted) in [
            (0, None, 0, Some(1.0)),
            (1, None, 0, Some(2.0)),
            (2, None, 0, Some(4.0)),
            (3, None, 0, Some(5.0)),
            (3, None, 1 << 63, Some(3.75)),
            (4, None, 0, None),
            (0, Some("3"), 0, Some(3.0)),
            (0, Some("5"), 1 << 63, Some(5.25)),
            (0, Some("6"), 0, None),
            (0, Some("nonsense"), 0, Some(1.0)),
            (4, Some("1"), 0, None),
        ] {
            assert_eq!(seconds(attempt, hint, chance), wanted, "{attempt} {hint:?} {chance}");
        }
        let endless = Backoff { attempts: u32::MAX, ..plan };
        assert_eq!(endless.wait(1_000_000, None, NOW, 0), Some(plan.most));
    }
}
