//! Numbers as ECMAScript prints them, RFC 8785 §3.2.2.3.

use std::io::Write as _;

/// Writes a finite number as ECMAScript's `Number::toString` does; `null` for those that JSON does not have.
pub fn number(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return out.extend_from_slice(b"null");
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    if value < 0.0 {
        out.push(b'-');
    }
    // Rust's shortest digits that read back as the same double: `d.ddde-nn`.
    let shortest = format!("{:e}", value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    write(&even(digits, value.abs()), point, out);
}

/// Where two decimals of the same length are equally near to the double, ECMAScript takes the even one (ECMA-262
/// §6.1.6.1.20, note 2); Rust may have taken either.
fn even(mut digits: Vec<u8>, value: f64) -> Vec<u8> {
    let Some(last) = digits.last().copied().filter(|last| last % 2 == 1) else { return digits };
    // A tie is a decimal with one digit more, a 5. The expansion of no double is longer than this.
    let one_more = format!("{value:.*e}", digits.len());
    if one_more.split_once('e').is_none_or(|(mantissa, _)| !mantissa.ends_with('5')) {
        return digits;
    }
    let all = format!("{value:.1100e}");
    let exact: Vec<u8> = all.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).collect();
    let (truncated, rest) = exact.split_at_checked(digits.len()).unwrap_or_default();
    let tie = rest.first() == Some(&b'5') && rest.iter().skip(1).all(|digit| *digit == b'0');
    if let (true, Some(digit)) = (tie, digits.last_mut()) {
        // Rust rounded up to an odd digit, or down.
        *digit = if truncated.last() == Some(&last) { last + 1 } else { last - 1 };
    }
    digits
}

/// Writes `0.digits` times ten to the `point`. ECMA-262 §6.1.6.1.20, steps 6 to 12.
fn write(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0));
    let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or(0)).unwrap_or((digits, b""));
    match point {
        _ if count <= point && point <= 21 => {
            out.extend_from_slice(digits);
            out.extend(zeros(point - count));
        }
        1..=21 => {
            let (whole, fraction) = split(point);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        -5..=0 => {
            out.extend_from_slice(b"0.");
            out.extend(zeros(-point));
            out.extend_from_slice(digits);
        }
        _ => {
            let (first, rest) = split(1);
            out.extend_from_slice(first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
            // Writing to a vector does not fail.
            let _ = write!(out, "e{:+}", point - 1);
        }
    }
}
