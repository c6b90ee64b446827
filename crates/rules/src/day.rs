//! Days and instants as text, without a calendar's library.

const SECONDS_A_DAY: i64 = 86_400;

/// The day of an instant: `2026-03-01`. Years beyond 0000 to 9999 are written as the nearest of them.
pub(crate) fn day(micros: i64) -> String {
    let (year, month, day) = date(micros);
    format!("{year:04}-{month:02}-{day:02}")
}

/// An instant to the second: `2026-03-01T09:00:00Z`.
pub(crate) fn instant(micros: i64) -> String {
    let seconds = bounded(micros).rem_euclid(SECONDS_A_DAY);
    format!("{}T{:02}:{:02}:{:02}Z", day(micros), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Seconds since 1970 within the years that four digits can write.
fn bounded(micros: i64) -> i64 {
    micros.div_euclid(1_000_000).clamp(-62_167_219_200, 253_402_300_799)
}

/// Year, month and day, counted in eras of 400 years that begin in March: the leap day is then the last of its year.
fn date(micros: i64) -> (i64, i64, i64) {
    let days = bounded(micros).div_euclid(SECONDS_A_DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_772_355_600, "2026-03-01T09:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX / 1_000_000, "9999-12-31T23:59:59Z"),
            (i64::MIN / 1_000_000, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(instant(seconds * 1_000_000), expected);
            assert_eq!(day(seconds * 1_000_000), expected[..10]);
        }
    }
}
