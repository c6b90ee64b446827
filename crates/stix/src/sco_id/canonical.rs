//! Canonical JSON: one text for equal contents. RFC 8785.

use std::cmp::Ordering;

use crate::json::{Kind, Value};

/// Writes the canonical form of a value.
pub(super) fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null | Kind::Bool => out.extend_from_slice(value.text()),
        Kind::Integer | Kind::Float => write_number(value.as_f64().unwrap_or_default(), out),
        Kind::String => write_string(&value.as_str().unwrap_or_default(), out),
        Kind::Array => {
            out.push(b'[');
            for (at, item) in value.items().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(&item, out);
            }
            out.push(b']');
        }
        Kind::Object => {
            let mut members: Vec<_> = value.entries().map(|(key, value)| (key.as_str(), value)).collect();
            members.sort_unstable_by(|(a, _), (b, _)| order(a, b));
            out.push(b'{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

/// The order of names: by UTF-16 code units. RFC 8785 §3.2.3.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// A string with the escapes that must be and no others. RFC 8785 §3.2.2.2.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A number as ECMAScript prints it: the shortest digits that name the double. RFC 8785 §3.2.2.3.
fn write_number(number: f64, out: &mut Vec<u8>) {
    if number == 0.0 {
        return out.push(b'0');
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // Digits before the decimal point.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let (head, tail) = digits.split_at(usize::try_from(point.clamp(0, count)).unwrap_or_default());
    let (lead, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    let plain = match point {
        _ if point > count && point <= 21 => {
            format!("{digits}{}", "0".repeat(usize::try_from(point - count).unwrap_or_default()))
        }
        _ if point == count && point <= 21 => digits.clone(),
        1..=21 => format!("{head}.{tail}"),
        -5..=0 => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or_default())),
        _ if point > 0 => format!("{lead}{dot}{rest}e+{}", point - 1),
        _ => format!("{lead}{dot}{rest}e{}", point - 1),
    };
    out.extend_from_slice(sign.as_bytes());
    out.extend_from_slice(plain.as_bytes());
}
