//! Times as logs write them, read to RFC 3339 in UTC.

/// When it happened, as RFC 3339 in UTC with as many digits of the second as were written (at most nine), or `None` if
/// this is no time.
///
/// Zeek writes seconds since 1970 with a fraction, milliseconds since 1970 without one, or ISO 8601; Suricata ISO 8601
/// whose offset has no colon. A number without a fraction counts milliseconds from the year 1973 on if it has twelve
/// digits or more: as seconds it would lie past the year 5000.
#[must_use]
pub fn utc(raw: &[u8]) -> Option<String> {
    let raw = raw.trim_ascii();
    let text = std::str::from_utf8(raw).ok()?;
    if text.len() > 64 {
        return None;
    }
    match text.find(['-', ':']) {
        Some(at) if at > 0 => iso(text),
        _ => epoch(text),
    }
}

/// Seconds or milliseconds since 1970, also in scientific notation, as JSON may have it.
fn epoch(text: &str) -> Option<String> {
    let plain = if text.contains(['e', 'E']) { format!("{:.6}", text.parse::<f64>().ok()?) } else { text.to_owned() };
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 15
        || !digits(whole)
        || !digits(fraction)
        || (plain.contains('.') && fraction.is_empty())
    {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    if !plain.contains('.') && whole.len() >= 12 {
        return write(number / 1000, &format!("{:03}", number % 1000));
    }
    write(number, fraction)
}

/// `2023-09-18T06:13:41.532140+0000` and its kin: a blank or `T` between day and time, an offset or none, which is UTC.
fn iso(text: &str) -> Option<String> {
    let (day, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let number = |text: &str, range: std::ops::Range<usize>| -> Option<i64> {
        text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    };
    let shape = day.bytes().filter(|byte| *byte == b'-').count() == 2
        && clock.bytes().filter(|byte| *byte == b':').count() == 2;
    let (year, month, of_month) = (number(day, 0..4)?, number(day, 5..7)?, number(day, 8..10)?);
    let (hour, minute, second) = (number(clock, 0..2)?, number(clock, 3..5)?, number(clock, 6..8)?);
    let last = days_in(year, month)?;
    if !shape || of_month < 1 || of_month > last || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            rest.split_at_checked(end)?
        }
        None => ("", rest),
    };
    // A leap second is told as the one before it.
    let seconds = days_before(year, month, of_month) * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    write(seconds - offset(zone)?, fraction)
}

/// Seconds by which a zone's clocks are ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits: String = rest.chars().filter(|digit| *digit != ':').collect();
    if !matches!((rest.len(), digits.len()), (4 | 5, 4) | (2, 2)) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 =
        digits.get(2..).filter(|minutes| !minutes.is_empty()).map_or(Some(0), |minutes| minutes.parse().ok())?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    })
}

/// Days from 1 January 1970 to a day of the Gregorian calendar. Years begin in March here, so that a leap day is the last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 1
        - 719_468
}

/// Seconds since 1970 and digits behind them.
fn write(seconds: i64, fraction: &str) -> Option<String> {
    let (day, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let digits = fraction.get(..fraction.len().min(9))?;
    let point = if digits.is_empty() { "" } else { "." };
    Some(format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}{point}{digits}Z"))
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_of_zeek_and_suricata() {
        for (raw, time) in [
            ("1591367999.305988", Some("2020-06-05T14:39:59.305988Z")),
            ("1591367999", Some("2020-06-05T14:39:59Z")),
            ("1591367999305", Some("2020-06-05T14:39:59.305Z")),
            ("1.591367999305988e9", Some("2020-06-05T14:39:59.305988Z")),
            ("2020-06-05T14:39:59.305988Z", Some("2020-06-05T14:39:59.305988Z")),
            ("2023-09-18T06:13:41.532140+0000", Some("2023-09-18T06:13:41.532140Z")),
            ("2023-09-18T01:13:41.532140+0200", Some("2023-09-17T23:13:41.532140Z")),
            ("2023-09-18 23:13:41-01:30", Some("2023-09-19T00:43:41Z")),
            ("2024-02-29T12:00:00", Some("2024-02-29T12:00:00Z")),
            ("2000-02-29T12:00:00+00", Some("2000-02-29T12:00:00Z")),
            ("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59Z")),
            ("0", Some("1970-01-01T00:00:00Z")),
            ("0.1234567891234", Some("1970-01-01T00:00:00.123456789Z")),
            ("999999999999999", None),
            ("2023-02-29T12:00:00Z", None),
            ("2023-13-01T12:00:00Z", None),
            ("2023-09-18T24:00:00Z", None),
            ("2023-09-18T06:13:41+0900x", None),
            ("2023-09-18T06:13:41.Z", None),
            ("1.", None),
            ("-1", None),
            ("", None),
            ("null", None),
        ] {
            assert_eq!(utc(raw.as_bytes()).as_deref(), time, "{raw}");
        }
    }
}
