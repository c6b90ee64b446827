//! Constants that are written in one way of several.

use std::net::Ipv6Addr;

use crate::ast::{Comparison, ObjectPath, Operand, Operator, StepKind};
use crate::constant::{Constant, Value};

/// The constant as the property it is compared with makes it: addresses without what the prefix cuts off, names of the
/// Windows registry in lower case, numbers and bytes in one form.
pub(super) fn canonical(path: &ObjectPath, value: &Value) -> Value {
    let property = |place: usize| match path.steps.get(place).map(|step| &step.kind) {
        Some(StepKind::Property(name)) => Some(&**name),
        _ => None,
    };
    let is_value = path.steps.len() == 1 && property(0) == Some("value");
    match (value, &*path.object_type) {
        (Value::String(text), "ipv4-addr") if is_value => Value::String(ipv4(text).unwrap_or_else(|| text.clone())),
        (Value::String(text), "ipv6-addr") if is_value => Value::String(ipv6(text).unwrap_or_else(|| text.clone())),
        (Value::String(text), "windows-registry-key") => {
            let is_key = path.steps.len() == 1 && property(0) == Some("key");
            let is_name = path.steps.len() == 3 && property(0) == Some("values") && property(2) == Some("name");
            Value::String(if is_key || is_name { text.to_lowercase().into() } else { text.clone() })
        }
        (Value::Float(number), _) => whole(*number).map_or_else(|| value.clone(), Value::Integer),
        (Value::Binary(bytes), _) => Value::Hex(bytes.clone()),
        _ => value.clone(),
    }
}

/// LIKE and MATCHES take no constants but forms, in which nothing may be changed.
pub(super) fn comparison(comparison: &Comparison) -> Comparison {
    let Comparison { path, operator, .. } = comparison;
    let forms = matches!(operator, Operator::Like | Operator::Matches);
    let canonical = |constant: &Constant| Constant {
        value: if forms { constant.value.clone() } else { canonical(path, &constant.value) },
        span: crate::ast::Span::default(),
    };
    let operand = match &comparison.operand {
        Operand::Constant(constant) => Operand::Constant(canonical(constant)),
        Operand::Set(constants) => Operand::Set(constants.iter().map(canonical).collect()),
    };
    Comparison { operand, ..comparison.clone() }
}

/// The integer that a float is, within ±2^53.
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number within the range")]
    (number.fract() == 0.0 && number.abs() < LIMIT).then_some(number as i64)
}

/// Splits off a prefix no longer than an address; of a text without one the whole address is meant.
fn split(text: &str, longest: u32) -> Option<(&str, u32)> {
    let Some((address, prefix)) = text.split_once('/') else { return Some((text, longest)) };
    let digits = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= longest)?;
    Some((address, prefix))
}

fn ipv4(text: &str) -> Option<Box<str>> {
    let (address, prefix) = split(text, 32)?;
    let mut bits = 0_u32;
    let mut parts = 0;
    for part in address.split('.') {
        // A leading zero makes a part octal, as everything that reads addresses has it.
        let octal = part.len() > 1 && part.starts_with('0');
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = u32::from_str_radix(part, if octal { 8 } else { 10 }).ok().filter(|n| digits && *n <= 255)?;
        bits = bits << 8 | number;
        parts += 1;
    }
    if parts != 4 {
        return None;
    }
    let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
    let address = std::net::Ipv4Addr::from_bits(bits & mask);
    Some(if prefix == 32 { address.to_string().into() } else { format!("{address}/{prefix}").into() })
}

fn ipv6(text: &str) -> Option<Box<str>> {
    let (address, prefix) = split(text, 128)?;
    let bits = address.parse::<Ipv6Addr>().ok()?.to_bits();
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    let address = Ipv6Addr::from_bits(bits & mask);
    Some(if prefix == 128 { address.to_string().into() } else { format!("{address}/{prefix}").into() })
}
