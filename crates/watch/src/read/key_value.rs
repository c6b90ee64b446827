//! Pairs of `key=value` in the extension of CEF, where a value may hold blanks.

/// Gives each pair. A value ends before the last blank before the next `key=`. Keys are letters, digits and `_.-[]`.
pub(super) fn cef_pairs(text: &[u8], pair: &mut dyn FnMut(&[u8], &[u8])) {
    let mut key: Option<(&[u8], usize)> = None;
    for at in memchr::memchr_iter(b'=', text) {
        let begin = key.map_or(0, |(_, value)| value);
        let before = text.get(begin..at).unwrap_or_default();
        // `\=` is part of a value, and so is `=` behind what is no key.
        let escaped = before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1;
        let length = before.iter().rev().take_while(|&&byte| is_key(byte)).count();
        let starts = before.len() == length || before.get(before.len() - length - 1) == Some(&b' ');
        let fresh = key.is_some() && before.len() == length;
        if escaped || length == 0 || !starts || fresh {
            continue;
        }
        if let Some((key, value)) = key {
            let end = at - length;
            pair(key, text.get(value..end).unwrap_or_default().trim_ascii());
        }
        key = Some((text.get(at - length..at).unwrap_or_default(), at + 1));
    }
    if let Some((key, value)) = key {
        pair(key, text.get(value..).unwrap_or_default().trim_ascii());
    }
}

/// The longest key that is looked at.
const LONGEST_KEY: usize = 32;

/// Gives the pairs in a line of text, as firewalls write them: a key of a few letters, `=`, and a value in quotes or up to the
/// next blank, comma or semicolon.
pub(super) fn text_pairs(text: &[u8], pair: &mut dyn FnMut(&[u8], &[u8])) {
    let mut from = 0;
    for at in memchr::memchr_iter(b'=', text) {
        // Within a value in quotes.
        if at < from {
            continue;
        }
        let before = text.get(from.max(at.saturating_sub(LONGEST_KEY))..at).unwrap_or_default();
        let length = before.iter().rev().take_while(|&&byte| is_key(byte)).count();
        let key = before.get(before.len() - length..).unwrap_or_default();
        let rest = text.get(at + 1..).unwrap_or_default();
        let value = match rest.strip_prefix(b"\"") {
            Some(quoted) => match memchr::memchr(b'"', quoted) {
                Some(end) => {
                    from = at + 2 + end;
                    quoted.get(..end).unwrap_or_default()
                }
                None => continue,
            },
            None => {
                let value = rest.split(|&byte| matches!(byte, b' ' | b'\t' | b',' | b';')).next().unwrap_or_default();
                // What has `=` within it is one value, and no byte is looked at again for each of them.
                from = at + 1 + value.len();
                value
            }
        };
        if !key.is_empty() && !value.is_empty() {
            pair(key, value);
        }
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'[' | b']')
}

/// Undoes the escapes of CEF: `\=`, `\\`, `\|`, `\n`, `\r`. Others stay as they are.
pub(super) fn unescape(value: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(&escaped @ (b'=' | b'\\' | b'|')) => out.push(escaped),
            Some(&other) => out.extend_from_slice(&[b'\\', other]),
            None => out.push(b'\\'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text_pairs(text.as_bytes(), &mut |key, value| pairs.push((text_of(key), text_of(value))));
        pairs
    }

    #[test]
    fn pairs_in_text() {
        let rows: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("proto=tcp spt=7, dpt=443;x", &[("proto", "tcp"), ("spt", "7"), ("dpt", "443")]),
            (r#"msg="a proto=udp b" proto=tcp"#, &[("msg", "a proto=udp b"), ("proto", "tcp")]),
            // A value is not looked into.
            ("url=http://x.example/?proto=tcp dpt=80", &[("url", "http://x.example/?proto=tcp"), ("dpt", "80")]),
            ("a==b =c d=", &[("a", "=b")]),
            (r#"a="never closed b=1"#, &[("b", "1")]),
        ];
        for (text, expected) in rows {
            let expected: Vec<_> =
                expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(pairs(text), expected, "{text}");
        }
    }

    /// However often a key stands in it, all values together are no longer than the line.
    #[test]
    fn what_is_told_is_bounded_by_the_line() {
        let line = "proto=".repeat(10_000);
        let told: usize = pairs(&line).iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(told <= line.len(), "{told} bytes of {}", line.len());
    }
}
