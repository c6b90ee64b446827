//! STIX 2.1 §2.16 and §3.2, TAXII 2.1 §2, as tables; and properties against a calendar that counts days.

use proptest::prelude::*;

use super::*;

#[test]
fn the_form_of_the_standard() {
    use InvalidTimestamp::{Date, Form, Time};
    type Expected = Result<(i64, u32), InvalidTimestamp>;
    let cases: &[(&str, Expected)] = &[
        ("1970-01-01T00:00:00Z", Ok((0, 0))),
        ("1970-01-01T00:00:00.1Z", Ok((100_000, 0))),
        ("1970-01-01T00:00:00.123456789Z", Ok((123_456, 789_000))),
        ("1970-01-01T00:00:00.1234567890123Z", Ok((123_456, 789_012))),
        ("1969-12-31T23:59:59.999999Z", Ok((-1, 0))),
        ("2016-04-06T20:03:48.123Z", Ok((1_459_973_028_123_000, 0))),
        ("0000-01-01T00:00:00Z", Ok((MIN_MICROS, 0))),
        ("0000-02-29T00:00:00Z", Ok((MIN_MICROS + 59 * 86_400 * 1_000_000, 0))),
        ("9999-12-31T23:59:59.999999Z", Ok((MAX_MICROS, 0))),
        ("2000-02-29T00:00:00Z", Ok((951_782_400_000_000, 0))),
        ("2016-12-31T23:59:60Z", Ok((1_483_228_800_000_000, 0))),
        ("2016-12-31T12:30:60.5Z", Ok((1_483_187_460_500_000, 0))),
        ("2023-02-29T00:00:00Z", Err(Date)),
        ("1900-02-29T00:00:00Z", Err(Date)),
        ("2023-04-31T00:00:00Z", Err(Date)),
        ("2023-00-10T00:00:00Z", Err(Date)),
        ("2023-13-10T00:00:00Z", Err(Date)),
        ("2023-01-00T00:00:00Z", Err(Date)),
        ("2023-01-32T00:00:00Z", Err(Date)),
        ("2023-01-01T24:00:00Z", Err(Time)),
        ("2023-01-01T23:60:00Z", Err(Time)),
        ("2023-01-01T23:59:61Z", Err(Time)),
        ("", Err(Form(0))),
        ("2023-01-01", Err(Form(10))),
        ("2023-01-01T00:00:00", Err(Form(19))),
        ("2023-01-01T00:00:00z", Err(Form(19))),
        ("2023-01-01t00:00:00Z", Err(Form(10))),
        ("2023-01-01 00:00:00Z", Err(Form(10))),
        ("2023-01-01T00:00:00.Z", Err(Form(20))),
        ("2023-01-01T00:00:00.12", Err(Form(22))),
        ("2023-01-01T00:00:00.1a2Z", Err(Form(21))),
        ("2023-01-01T00:00:00ZZ", Err(Form(20))),
        ("2023-01-01T00:00:00.5ZZ", Err(Form(22))),
        ("2023-01-01T00:00:00+00:00", Err(Form(19))),
        ("2023-01-01T00:00Z", Err(Form(16))),
        ("+023-01-01T00:00:00Z", Err(Form(0))),
        ("-2023-01-01T00:00:00Z", Err(Form(0))),
        ("2023-1-01T00:00:00Z", Err(Form(6))),
        ("٢٠٢٣-01-01T00:00:00Z", Err(Form(0))),
        (" 2023-01-01T00:00:00Z", Err(Form(0))),
    ];
    for (text, expected) in cases {
        let found = Timestamp::parse(text).map(|timestamp| (timestamp.micros, timestamp.picos));
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn order_is_that_of_instants() {
    let at = |text: &'static str| Timestamp::parse(text).unwrap();
    let equal = [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"),
        ("2020-01-01T00:00:00.1Z", "2020-01-01T00:00:00.100Z"),
        ("2020-01-01T00:00:00.1234567890123Z", "2020-01-01T00:00:00.12345678901230Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ];
    for (a, b) in equal {
        assert_eq!(at(a), at(b), "{a} {b}");
    }
    let ascending = [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.9999999Z",
        "2020-01-01T00:00:00.09Z",
        "2020-01-01T00:00:00.1Z",
        "2020-01-01T00:00:00.100001Z",
        "2020-01-01T00:00:00.10000100001Z",
        "2020-01-01T00:00:00.1000010000100001Z",
        "2020-01-01T00:00:00.100001000010001Z",
    ];
    for pair in ascending.windows(2) {
        assert!(at(pair[0]) < at(pair[1]), "{pair:?}");
    }
}

#[test]
fn fraction_digits_are_counted_as_written() {
    for (text, digits) in [
        ("2020-01-01T00:00:00Z", 0),
        ("2020-01-01T00:00:00.5Z", 1),
        ("2020-01-01T00:00:00.000Z", 3),
        ("2020-01-01T00:00:00.000000000Z", 9),
    ] {
        assert_eq!(Timestamp::parse(text).unwrap().fraction_digits(), digits, "{text}");
    }
}

#[test]
fn written_forms() {
    for (micros, six, three) in [
        (0, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999Z"),
        (951_782_400_000_123, "2000-02-29T00:00:00.000123Z", "2000-02-29T00:00:00.000Z"),
        (i64::MIN, "0000-01-01T00:00:00.000000Z", "0000-01-01T00:00:00.000Z"),
        (i64::MAX, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(format_micros(micros), six);
        assert_eq!(format_millis(micros), three);
    }
}

#[test]
fn what_clients_send() {
    for (text, micros) in [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:01.000000Z", 1_000_000),
        ("1970-01-01T00:00:01.0000019Z", 1_000_001),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01 00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000),
        ("1970-01-01T01:00:01 01:00", 1_000_000),
        ("1970-01-01T00:00:01.25-00:30", 1_801_250_000),
    ] {
        assert_eq!(parse_taxii(text), Ok(micros), "{text}");
    }
    for (text, expected) in [
        ("", InvalidTimestamp::Form(0)),
        ("2020-01-01", InvalidTimestamp::Form(10)),
        ("2020-01-01T00:00:00", InvalidTimestamp::Form(19)),
        ("2020-01-01T00:00:00.Z", InvalidTimestamp::Form(20)),
        ("2020-01-01T00:00:00.5", InvalidTimestamp::Form(21)),
        ("2020-02-30T00:00:00Z", InvalidTimestamp::Date),
        ("2020-02-01T25:00:00Z", InvalidTimestamp::Time),
        ("2020-02-01T00:00:00+24:00", InvalidTimestamp::Zone),
        ("2020-02-01T00:00:00+0100", InvalidTimestamp::Form(19)),
        ("2020-02-01X00:00:00Z", InvalidTimestamp::Form(10)),
        ("1580515200", InvalidTimestamp::Form(10)),
    ] {
        assert_eq!(parse_taxii(text), Err(expected), "{text}");
    }
}

/// Walks the calendar year by year, month by month.
fn days_walked(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = |year: i64, month: i64| {
        [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1]
    };
    let year_length = |year: i64| (1..=12).map(|month| length(year, month)).sum::<i64>();
    let years: i64 =
        if year >= 1970 { (1970..year).map(year_length).sum() } else { -(year..1970).map(year_length).sum::<i64>() };
    years + (1..month).map(|month| length(year, month)).sum::<i64>() + day - 1
}

proptest! {
    #[test]
    fn agrees_with_a_walked_calendar(
        year in 0_i64..=9999, month in 1_i64..=12, day in 1_i64..=31, time in 0_i64..86_400, digits in "[0-9]{0,15}",
    ) {
        let dot = if digits.is_empty() { "" } else { "." };
        let text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{dot}{digits}Z", time / 3600, time / 60 % 60, time % 60);
        let exists = day <= days_in(year, month);
        prop_assert_eq!(Timestamp::parse(&text).is_ok(), exists);
        if let Ok(found) = Timestamp::parse(&text) {
            let padded = format!("{digits:0<15}");
            prop_assert_eq!(found.micros, (days_walked(year, month, day) * 86_400 + time) * 1_000_000 + padded[..6].parse::<i64>().unwrap());
            prop_assert_eq!(found.picos, padded[6..12].parse::<u32>().unwrap());
            prop_assert_eq!(found.fraction_digits(), digits.len());
            prop_assert_eq!(parse_taxii(&text), Ok(found.micros));
        }
    }

    #[test]
    fn writing_then_reading_is_the_identity(micros in MIN_MICROS..=MAX_MICROS) {
        prop_assert_eq!(Timestamp::parse(&format_micros(micros)).map(|found| found.micros), Ok(micros));
        prop_assert_eq!(Timestamp::parse(&format_millis(micros)).map(|found| found.micros), Ok(micros - micros.rem_euclid(1000)));
    }

    #[test]
    fn any_text_is_refused_at_a_byte_of_it_or_read(text in prop_oneof![".{0,30}", "[0-9TZ:. -]{17,28}", "2020-0[0-9]-[0-3][0-9]T[0-2][0-9]:00:[0-9]{2}[.Z0-9]{0,5}"]) {
        if let Err(InvalidTimestamp::Form(at)) = Timestamp::parse(&text) {
            prop_assert!(at <= text.len());
        }
        let _ = parse_taxii(&text);
    }
}
