//! Constants as the matcher needs them, and how values compare with them (STIX 2.1 §9.6.4).

use std::cmp::Ordering;

use crate::constant::{Constant, Value};
use crate::error::Error;
use crate::observed::{Data, instant};

/// A value that a path led to.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Data(&'a Data<'a>),
    /// What a `_hex` or `_bin` property says.
    Bytes(Vec<u8>),
    /// A `_hex` or `_bin` property that says nothing: unequal to everything.
    Garbled,
}

impl Seen<'_> {
    pub(super) fn bytes(decoded: Option<Vec<u8>>) -> Self {
        decoded.map_or(Self::Garbled, Self::Bytes)
    }
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// Microseconds since 1970.
    Instant(i64),
}

/// How a value relates to a constant.
pub(super) enum Relation {
    Ordered(Ordering),
    /// Equal or not, of types without an order; or of types that do not compare, and then unequal.
    Equal(bool),
    /// It should be a timestamp and is not.
    Unreadable,
}

impl Relation {
    pub(super) fn is_equal(&self) -> bool {
        matches!(self, Self::Ordered(Ordering::Equal) | Self::Equal(true))
    }
}

impl Known {
    pub(super) fn new(constant: &Constant) -> Result<Self, Error> {
        Ok(match &constant.value {
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Integer(value) => Self::Integer(*value),
            Value::Float(value) => Self::Float(*value),
            Value::String(text) => Self::Text(text.clone()),
            Value::Binary(bytes) | Value::Hex(bytes) => Self::Bytes(bytes.clone()),
            Value::Timestamp(timestamp) => Self::Instant(timestamp.micros.ok_or_else(|| no_such_day(constant))?),
        })
    }

    /// Compares a value with this constant.
    pub(super) fn relate(&self, seen: &Seen<'_>) -> Relation {
        let incompatible = Relation::Equal(false);
        match (self, seen) {
            (Self::Text(text), Seen::Data(Data::Text(value))) => Relation::Ordered((**value).cmp(text)),
            (Self::Text(text), Seen::Bytes(bytes)) => match latin_1(text, bytes) {
                Some(order) => Relation::Ordered(order.reverse()),
                None => incompatible,
            },
            (Self::Bytes(bytes), Seen::Bytes(value)) => Relation::Ordered((**value).cmp(bytes)),
            (Self::Bytes(bytes), Seen::Data(Data::Text(value))) => match latin_1(value, bytes) {
                Some(order) => Relation::Ordered(order),
                None => incompatible,
            },
            (Self::Boolean(known), Seen::Data(Data::Boolean(value))) => Relation::Equal(known == value),
            (Self::Integer(known), Seen::Data(Data::Integer(value))) => Relation::Ordered(value.cmp(known)),
            (Self::Integer(known), Seen::Data(Data::Float(value))) => ordered(float_to_integer(*value, *known)),
            (Self::Float(known), Seen::Data(Data::Integer(value))) => {
                ordered(float_to_integer(*known, *value).map(Ordering::reverse))
            }
            (Self::Float(known), Seen::Data(Data::Float(value))) => ordered(value.partial_cmp(known)),
            (Self::Instant(known), Seen::Data(Data::Text(value))) => match instant(value) {
                Some(micros) => Relation::Ordered(micros.cmp(known)),
                None => Relation::Unreadable,
            },
            _ => incompatible,
        }
    }
}

/// The error for a timestamp whose day does not exist.
pub(super) fn no_such_day(constant: &Constant) -> Error {
    Error::new(constant.span, "the calendar has no such day")
}

fn ordered(order: Option<Ordering>) -> Relation {
    order.map_or(Relation::Equal(false), Relation::Ordered)
}

/// Compares exactly, also beyond 2^53 where not every integer is a float.
fn float_to_integer(float: f64, integer: i64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= LIMIT {
        return Some(Ordering::Greater);
    }
    if float < -LIMIT {
        return Some(Ordering::Less);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked, the fraction is compared after")]
    let whole = float.trunc() as i64;
    Some(whole.cmp(&integer).then_with(|| float.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}

/// Compares text with bytes, a character a byte; none if a character is no byte.
fn latin_1(text: &str, bytes: &[u8]) -> Option<Ordering> {
    if text.chars().any(|character| u32::from(character) > 0xFF) {
        return None;
    }
    Some(text.chars().map(u32::from).cmp(bytes.iter().map(|byte| u32::from(*byte))))
}
