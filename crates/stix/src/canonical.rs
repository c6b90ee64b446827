//! One spelling for each JSON value: the JSON Canonicalization Scheme, RFC 8785.
//!
//! Deterministic ids are made from it (STIX 2.1 §2.9), and two spellings of an object say the same exactly when their
//! canonical forms are the same bytes.

mod compare;
mod number;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::json::{Kind, Value};

pub use compare::equivalent;
pub use number::number;

/// Writes the canonical form of a value to the end of `out`.
///
/// ```
/// use stix::{canonical, json::{Limits, Tape}};
/// let mut tape = Tape::new();
/// let value = tape.parse(br#"{ "b": 1.50e1, "a": "\u20ac" }"#, &Limits::default())?;
/// let mut out = Vec::new();
/// canonical::write(value, &mut out);
/// assert_eq!(out, "{\"a\":\"€\",\"b\":15}".as_bytes());
/// # Ok::<(), stix::json::Error>(())
/// ```
pub fn write(value: Value<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null | Kind::Bool => out.extend_from_slice(value.text()),
        Kind::Integer | Kind::Float => number(value.as_f64().unwrap_or_default(), out),
        Kind::String => match value.raw_str() {
            // Without escapes there is nothing that needs one.
            Some(_) => out.extend_from_slice(value.text()),
            None => string(&value.as_str().unwrap_or_default(), out),
        },
        Kind::Array => {
            out.push(b'[');
            for (index, item) in value.items().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Kind::Object => {
            let mut members: Vec<_> = value.entries().map(|(key, value)| (key.as_str(), value)).collect();
            write_object(&mut members, out);
        }
    }
}

/// Writes an object of these members, which it puts in order; no two may have the same name. RFC 8785 §3.2.3.
pub fn write_object(members: &mut [(Cow<'_, str>, Value<'_>)], out: &mut Vec<u8>) {
    members.sort_unstable_by(|one, two| order(&one.0, &two.0));
    out.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        write(*value, out);
    }
    out.push(b'}');
}

/// The order of names: by UTF-16 code units. RFC 8785 §3.2.3.
///
/// That is the order of their UTF-8 bytes, but that surrogate pairs (first bytes F0 and above) come before U+E000 to
/// U+FFFF (first bytes EE and EF).
#[must_use]
pub fn order(one: &str, two: &str) -> Ordering {
    let rank = |byte: u8| if matches!(byte, 0xEE | 0xEF) { byte + 0x10 } else { byte };
    let differing = one.bytes().zip(two.bytes()).find(|(one, two)| one != two);
    differing.map_or(one.len().cmp(&two.len()), |(one, two)| rank(one).cmp(&rank(two)))
}

/// Writes a string with the escapes that it must have. RFC 8785 §3.2.2.2.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        escape(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        b'"' | b'\\' => byte,
        _ => {
            let hex = |digit: u8| char::from_digit(digit.into(), 16).map_or(b'0', |digit| digit as u8);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}
