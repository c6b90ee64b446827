//! Escapes of values: JSON's (RFC 8259 §7) and those of Zeek's columns.

/// Appends what a JSON string stands for; `raw` is what stands between its quotes. False if an escape is none.
///
/// Half of a surrogate pair, which JSON lets through and text cannot hold, becomes U+FFFD.
pub(super) fn json(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some(length) = json_escape(escape, out) else { return false };
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    true
}

/// Appends what one escape stands for, and gives its length.
fn json_escape(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let byte = match escape.get(1)? {
        same @ (b'"' | b'\\' | b'/') => *same,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let (scalar, length) = unicode(escape)?;
            out.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(length);
        }
        _ => return None,
    };
    out.push(byte);
    Some(2)
}

fn unicode(escape: &[u8]) -> Option<(char, usize)> {
    let first = four_digits(escape.get(2..6)?)?;
    if (0xD800..0xDC00).contains(&first)
        && escape.get(6..8) == Some(br"\u")
        && let Some(second @ 0xDC00..=0xDFFF) = escape.get(8..12).and_then(four_digits)
    {
        let scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((char::from_u32(scalar)?, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

fn four_digits(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

/// Appends what a value in a column stands for: `\xHH` is a byte, `\\` a backslash, and another backslash itself.
pub(super) fn column(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let (byte, length) = match escape {
            [_, b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            [_, b'\\', ..] => (b'\\', 2),
            _ => (b'\\', 1),
        };
        out.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::{column, json};

    #[test]
    fn escapes_of_json_are_those_that_serde_knows() {
        for raw in
            [r"a", r"\u0072", r"\n\t\b\f\r\/\\\x22", r"\ud83d\ude00", r"x\u00e9\u4e2d", r"\q", r"\u12", r"\", r"\u00g0"]
        {
            let raw = raw.replace(r"\x22", "\\\"");
            let mut out = Vec::new();
            let fine = json(raw.as_bytes(), &mut out);
            match serde_json::from_str::<String>(&format!("\"{raw}\"")) {
                Ok(text) => assert_eq!((fine, out.as_slice()), (true, text.as_bytes()), "{raw}"),
                Err(_) => assert!(!fine, "{raw}"),
            }
        }
        let mut out = Vec::new();
        assert!(json(br"\ud800x", &mut out));
        assert_eq!(out, "\u{FFFD}x".as_bytes());
    }

    #[test]
    fn escapes_of_columns() {
        for (raw, text) in [
            (&br"a\x09b"[..], &b"a\tb"[..]),
            (br"\x2d", b"-"),
            (br"a\\b", br"a\b"),
            (br"\xg1\", br"\xg1\"),
            (br"\x5cx41", br"\x41"),
        ] {
            let mut out = Vec::new();
            column(raw, &mut out);
            assert_eq!(out, text);
        }
    }
}
