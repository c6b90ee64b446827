//! The constants that a pattern compares with (STIX 2.1 §9.2).

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::ast::Span;

/// Padding is required (STIX 2.1 §9.2, RFC 4648 §4); stray low bits in the last letter are let pass, as they are by
/// the published grammar.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A constant and where it stood. Two constants are equal when their values are.
#[derive(Clone, Debug)]
pub struct Constant {
    /// What it says.
    pub value: Value,
    /// Where it stood, with its quotes and prefix letter.
    pub span: Span,
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The value of a constant (STIX 2.1 §9.2).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number within ±(2^53 − 1).
    Integer(i64),
    /// A number with a fraction, always finite.
    Float(f64),
    /// Text, its escapes undone.
    String(Box<str>),
    /// Bytes written as `b'…'` (base64).
    Binary(Box<[u8]>),
    /// Bytes written as `h'…'`.
    Hex(Box<[u8]>),
    /// An instant written as `t'…'`.
    Timestamp(Timestamp),
}

impl Value {
    /// The name of its type in messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_of().name()
    }

    pub(crate) fn type_of(&self) -> Type {
        match self {
            Self::Boolean(_) => Type::Boolean,
            Self::Integer(_) => Type::Integer,
            Self::Float(_) => Type::Float,
            Self::String(_) => Type::String,
            Self::Binary(_) => Type::Binary,
            Self::Hex(_) => Type::Hex,
            Self::Timestamp(_) => Type::Timestamp,
        }
    }
}

/// The types of constants (STIX 2.1 §9.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    Boolean,
    Integer,
    Float,
    String,
    Binary,
    Hex,
    Timestamp,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Hex => "hex",
            Self::Timestamp => "timestamp",
        }
    }

    /// Whether both may stand in one set: the same type, or both numbers (STIX 2.1 §9.2).
    pub(crate) fn same_kind(self, other: Self) -> bool {
        let is_number = |of: Self| matches!(of, Self::Integer | Self::Float);
        self == other || (is_number(self) && is_number(other))
    }
}

/// A timestamp constant: its digits are in range, but the day may not exist (`2024-02-30`), and then it matches nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Timestamp {
    /// As written between the quotes, `YYYY-MM-DDTHH:MM:SS[.f+]Z`.
    pub text: Box<str>,
    /// Microseconds since 1970, digits beyond the sixth left out; none when the calendar has no such day.
    pub micros: Option<i64>,
}

impl Timestamp {
    /// Reads `YYYY-MM-DDTHH:MM:SS[.f+]Z`; none when it is not of that form or a field is out of range.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, len: usize| -> Option<i64> {
            bytes
                .get(from..from + len)?
                .iter()
                .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
        };
        let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
        let punctuated = is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':');
        let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        let rest = text.get(19..)?.strip_suffix('Z')?;
        let fraction = match rest.strip_prefix('.') {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
            None if rest.is_empty() => "",
            _ => return None,
        };
        let in_range =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour <= 23 && minute <= 59 && second <= 60;
        if !(punctuated && in_range) {
            return None;
        }
        let micros = (day <= days_in_month(year, month)).then(|| {
            let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
            let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
            seconds * 1_000_000 + digits.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'))
        });
        Some(Self { text: text.into(), micros })
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March so that a leap day ends one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}
