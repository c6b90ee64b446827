//! Instants on the command line.

use crate::outcome::Failure;
use crate::terminal::visible;
use ledger::Micros;

/// The instant that a flag means: after so long (`90d`, `12h`, `30m`, `10s`), or an instant (`2027-01-31T00:00:00Z`).
pub(crate) fn instant(flag: &str, text: &str, now: Micros) -> Result<Micros, Failure> {
    let wrong = || {
        let text = visible(text);
        Failure::Usage(format!(
            "{flag} `{text}` is neither a time from now (`90d`) nor an instant (`2027-01-31T00:00:00Z`)"
        ))
    };
    let units: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    match units.iter().find(|(unit, _)| text.ends_with(*unit)) {
        Some((unit, seconds)) => {
            let count: u32 = text.trim_end_matches(*unit).parse().map_err(|_| wrong())?;
            Ok(now.saturating_add(i64::from(count).saturating_mul(seconds * 1_000_000)))
        }
        None => Ok(stix::timestamp::Timestamp::parse(text).map_err(|_| wrong())?.micros),
    }
}

/// An instant in the past: so long ago (`90d`), the beginning of a day (`2027-01-31`, UTC), or an instant.
pub(crate) fn ago(flag: &str, text: &str, now: Micros) -> Result<Micros, Failure> {
    let day = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    if day {
        return instant(flag, &format!("{text}T00:00:00Z"), now);
    }
    let at = instant(flag, text, now)?;
    // What counts from now on counts backwards here.
    Ok(if text.ends_with(['d', 'h', 'm', 's']) { now.saturating_sub(at.saturating_sub(now)) } else { at })
}

/// The same, in the future.
pub(crate) fn later(flag: &str, text: &str, now: Micros) -> Result<Micros, Failure> {
    let at = instant(flag, text, now)?;
    if at <= now {
        return Err(Failure::Usage(format!("{flag} `{}` is in the past", visible(text))));
    }
    Ok(at)
}

/// As people and machines read it: RFC 3339, UTC.
pub(crate) fn spelled(at: Micros) -> String {
    stix::timestamp::format_micros(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        let now = 1_000_000;
        for (text, wanted) in [
            ("2s", Some(3_000_000)),
            ("1d", Some(86_401_000_000)),
            ("12h", Some(43_201_000_000)),
            ("30m", Some(1_801_000_000)),
            ("1970-01-02T00:00:00Z", Some(86_400_000_000)),
            ("1970-01-01T00:00:05Z", Some(5_000_000)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("d", None),
            ("-1d", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(instant("--until", text, now).ok(), wanted, "{text}");
        }
        let days = 86_400_000_000;
        for (text, wanted) in [
            ("2d", Some(8 * days)),
            ("1970-01-03", Some(2 * days)),
            ("1970-01-03T00:00:00Z", Some(2 * days)),
            ("1970-13-03", None),
            ("yesterday", None),
        ] {
            assert_eq!(ago("--since", text, 10 * days).ok(), wanted, "{text}");
        }
        for text in ["1970-01-01T00:00:00Z", "1960-01-01T00:00:00Z", "0d"] {
            assert!(later("--until", text, now).is_err(), "{text}");
        }
        assert_eq!(later("--until", "1s", now).ok(), Some(2_000_000));
    }
}
