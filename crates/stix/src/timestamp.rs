//! Timestamps: `YYYY-MM-DDTHH:mm:ss[.s+]Z`. STIX 2.1 §2.16, §3.2; TAXII 2.1 §2.

use std::{borrow::Cow, cmp::Ordering, hash};

/// A valid timestamp: its text as the producer wrote it, and the instant it names. STIX 2.1 §2.16.
///
/// Equality and order are those of the instant, so `…:00.1Z` equals `…:00.100Z` (§3.2). Every digit of the
/// fraction counts, also those beyond the picosecond.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timestamp<'t> {
    /// The text as written, to be stored and served unchanged.
    pub text: Cow<'t, str>,
    /// Microseconds since 1970-01-01T00:00:00Z, rounded down; negative before.
    pub micros: i64,
    /// What the text says beyond `micros`, in picoseconds: 0 to 999 999.
    pub picos: u32,
}

impl<'t> Timestamp<'t> {
    /// Reads a timestamp; the text is borrowed.
    ///
    /// Years go from 0000 to 9999 and the date must exist in the Gregorian calendar. A second of 60 is
    /// accepted in any minute, as the published grammar does, and names the same instant as the second
    /// that follows it.
    ///
    /// # Errors
    /// Which part is wrong and where.
    pub fn parse(text: &'t str) -> Result<Self, InvalidTimestamp> {
        let (micros, picos) = instant(text.as_bytes())?;
        Ok(Self { text: Cow::Borrowed(text), micros, picos })
    }

    /// The same timestamp, owning its text.
    pub fn into_owned(self) -> Timestamp<'static> {
        Timestamp { text: Cow::Owned(self.text.into_owned()), micros: self.micros, picos: self.picos }
    }

    /// Number of digits of the fraction: `created` and `modified` need at least three (§3.2).
    pub fn fraction_digits(&self) -> usize {
        self.fraction().len()
    }

    fn fraction(&self) -> &str {
        self.text.get(20..self.text.len().saturating_sub(1)).unwrap_or_default()
    }

    /// The digits beyond the picosecond, without those that add nothing.
    fn beyond_picos(&self) -> &str {
        self.fraction().get(12..).unwrap_or_default().trim_end_matches('0')
    }
}

impl TryFrom<String> for Timestamp<'static> {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (micros, picos) = instant(text.as_bytes())?;
        Ok(Self { text: Cow::Owned(text), micros, picos })
    }
}

impl Ord for Timestamp<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.micros, self.picos)
            .cmp(&(other.micros, other.picos))
            .then_with(|| self.beyond_picos().cmp(other.beyond_picos()))
    }
}

impl PartialOrd for Timestamp<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timestamp<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timestamp<'_> {}

impl hash::Hash for Timestamp<'_> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.micros, self.picos, self.beyond_picos()).hash(state);
    }
}

/// Why a text is no timestamp, and at which byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTimestamp {
    /// The text does not have the form of the standard.
    #[error("a timestamp has the form `YYYY-MM-DDTHH:mm:ss[.s+]Z`; the text differs from it at byte {0}")]
    Form(usize),
    /// The day does not exist in that month of that year, or the month does not exist.
    #[error("the date does not exist in the calendar")]
    Date,
    /// Hour above 23, minute above 59 or second above 60.
    #[error("the time of day does not exist")]
    Time,
    /// A time zone whose offset is beyond 23:59 (only where offsets are read at all).
    #[error("the time zone does not exist")]
    Zone,
}

const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;

/// The instant of a strict timestamp: microseconds since 1970, and picoseconds beyond them.
fn instant(bytes: &[u8]) -> Result<(i64, u32), InvalidTimestamp> {
    let Some(head) = bytes.first_chunk::<19>() else { return Err(InvalidTimestamp::Form(misfit(bytes))) };
    let Some((seconds, sound)) = date_and_time(head, b'T') else {
        return Err(InvalidTimestamp::Form(misfit(bytes)));
    };
    let rest = bytes.get(19..).unwrap_or_default();
    let (micros, picos) = match rest {
        [b'Z'] => (0, 0),
        [b'.', digits @ .., b'Z'] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => fraction(digits),
        _ => return Err(InvalidTimestamp::Form(misfit(bytes))),
    };
    sound?;
    Ok((seconds * MICROS_A_SECOND + micros, picos))
}

/// Seconds since 1970 of `YYYY-MM-DD?HH:mm:ss`, where `?` is `separator`. None if the form is wrong; the
/// inner result says whether date and time exist. No branch depends on a single digit.
fn date_and_time(b: &[u8; 19], separator: u8) -> Option<(i64, Result<(), InvalidTimestamp>)> {
    let mut wrong = (b[4] ^ b'-') | (b[7] ^ b'-') | (b[10] ^ separator) | (b[13] ^ b':') | (b[16] ^ b':');
    let mut two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        wrong |= u8::from(tens > 9) | u8::from(ones > 9);
        i64::from(tens) * 10 + i64::from(ones)
    };
    let (year, month, day) = (two(b[0], b[1]) * 100 + two(b[2], b[3]), two(b[5], b[6]), two(b[8], b[9]));
    let (hour, minute, second) = (two(b[11], b[12]), two(b[14], b[15]), two(b[17], b[18]));
    if wrong != 0 {
        return None;
    }
    let sound = if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        Err(InvalidTimestamp::Date)
    } else if hour > 23 || minute > 59 || second > 60 {
        Err(InvalidTimestamp::Time)
    } else {
        Ok(())
    };
    Some((days_before(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second, sound))
}

/// Splits fraction digits into microseconds and picoseconds beyond; later digits are left to the text.
fn fraction(digits: &[u8]) -> (i64, u32) {
    let number = |from: usize| {
        (from..from + 6).fold(0_u32, |sum, at| sum * 10 + u32::from(digits.get(at).map_or(0, |digit| digit & 0x0f)))
    };
    (i64::from(number(0)), number(6))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. The year is taken to begin in March,
/// so that the leap day is its last and the months before a date always have the same lengths.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_before`]: year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Index of the first byte that does not fit the form: the slow path, for messages only.
fn misfit(bytes: &[u8]) -> usize {
    let form = b"0000-00-00T00:00:00";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if let Some(at) = bytes.iter().zip(form).position(|pair| !fits(pair)) {
        return at;
    }
    match bytes.get(19..) {
        Some([b'.', digits @ ..]) => {
            let run = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let ended = run > 0 && digits.get(run) == Some(&b'Z');
            20 + run + usize::from(ended)
        }
        Some([b'Z', ..]) => 20,
        Some(_) => 19,
        None => bytes.len(),
    }
}

/// Earliest instant that four digits of a year can write: 0000-01-01T00:00:00Z.
pub const MIN_MICROS: i64 = -62_167_219_200_000_000;
/// Latest instant that four digits of a year can write: 9999-12-31T23:59:59.999999Z.
pub const MAX_MICROS: i64 = 253_402_300_799_999_999;

/// The TAXII form with exactly six digits of fraction: `2026-01-02T03:04:05.000006Z`. TAXII 2.1 §2.
///
/// `micros` counts from 1970; instants beyond the years 0000 to 9999 are written as the nearest end of that span.
pub fn format_micros(micros: i64) -> String {
    let micros = micros.clamp(MIN_MICROS, MAX_MICROS);
    format!("{}.{:06}Z", seconds_text(micros), micros.rem_euclid(MICROS_A_SECOND))
}

/// The form that STIX producers write: three digits of fraction, rounded down. STIX 2.1 §3.2.
///
/// Same span as [`format_micros`].
pub fn format_millis(micros: i64) -> String {
    let micros = micros.clamp(MIN_MICROS, MAX_MICROS);
    format!("{}.{:03}Z", seconds_text(micros), micros.rem_euclid(MICROS_A_SECOND) / 1000)
}

fn seconds_text(micros: i64) -> String {
    let seconds = micros.div_euclid(MICROS_A_SECOND);
    let (year, month, day) = date_of(seconds.div_euclid(SECONDS_A_DAY));
    let time = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Reads a timestamp that a TAXII client sent (`added_after`, `match[version]`): microseconds since 1970, rounded down.
///
/// TAXII 2.1 §2 wants exactly six digits, and the standard's own examples break that rule; so this accepts
/// what RFC 3339 allows: any number of digits or none, `t` and `z` in either case, a blank between date and
/// time, and an offset such as `+01:00` (whose `+` a careless client may have turned into a blank).
///
/// # Errors
/// Which part is wrong and where.
pub fn parse_taxii(text: &str) -> Result<i64, InvalidTimestamp> {
    let bytes = text.as_bytes();
    let head = bytes.first_chunk::<19>().ok_or(InvalidTimestamp::Form(bytes.len()))?;
    let separator = match head[10] {
        separator @ (b'T' | b't' | b' ') => separator,
        _ => return Err(InvalidTimestamp::Form(10)),
    };
    let (seconds, sound) = date_and_time(head, separator).ok_or_else(|| InvalidTimestamp::Form(misfit(bytes)))?;
    sound?;
    let rest = bytes.get(19..).unwrap_or_default();
    let (micros, zone) = match rest {
        [b'.', rest @ ..] => {
            let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, zone) = rest.split_at_checked(run).filter(|_| run > 0).ok_or(InvalidTimestamp::Form(20))?;
            (fraction(digits).0, zone)
        }
        zone => (0, zone),
    };
    let offset = match zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-' | b' '), h1 @ b'0'..=b'9', h2 @ b'0'..=b'9', b':', m1 @ b'0'..=b'9', m2 @ b'0'..=b'9'] => {
            let two = |tens: u8, ones: u8| i64::from(tens & 0x0f) * 10 + i64::from(ones & 0x0f);
            let (hours, minutes) = (two(*h1, *h2), two(*m1, *m2));
            if hours > 23 || minutes > 59 {
                return Err(InvalidTimestamp::Zone);
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return Err(InvalidTimestamp::Form(bytes.len() - zone.len())),
    };
    Ok((seconds - offset) * MICROS_A_SECOND + micros)
}

#[cfg(test)]
mod tests;
