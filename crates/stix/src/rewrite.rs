//! Changing some members of an object while every other byte stays as its author wrote it.

use std::ops::Range;

use crate::json::{Key, Value};

/// Writes an object anew, member by member in the author's order.
///
/// White space between members is kept; a member that is added takes over the separator of the first two.
pub(crate) struct Rewriter<'t, 'o> {
    source: &'t [u8],
    /// Where `source` starts in the text that was parsed: spans count from there.
    base: usize,
    out: &'o mut Vec<u8>,
    /// End of the last member of the source that was gone past, from the start of `source`.
    passed: usize,
    written: usize,
    /// What the author put between members; a comma where there was one member or none.
    separator: &'t [u8],
}

impl<'t, 'o> Rewriter<'t, 'o> {
    /// Begins to rewrite `object`, which is written to the end of `out`.
    pub(crate) fn new(object: &Value<'t>, out: &'o mut Vec<u8>) -> Self {
        let (source, base) = (object.text(), object.span().start);
        let mut members = object.entries();
        let (first, second) = (members.next(), members.next());
        let start = first.map_or(1, |(key, _)| key.span().start - base);
        out.extend_from_slice(source.get(..start).unwrap_or_default());
        let separator = match (first, second) {
            (Some((_, value)), Some((key, _))) => source.get(value.span().end - base..key.span().start - base),
            _ => None,
        };
        Self { source, base, out, passed: start, written: 0, separator: separator.unwrap_or(b",") }
    }

    /// Writes the member as it is.
    pub(crate) fn keep(&mut self, key: &Key<'_>, value: &Value<'_>) {
        self.part(key.span(), value.span());
        self.copy(key.span().start..value.span().end);
    }

    /// Writes the member under its name with another value.
    pub(crate) fn replace(&mut self, key: &Key<'_>, value: &Value<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        self.part(key.span(), value.span());
        self.copy(key.span().start..value.span().start);
        write(self.out);
    }

    /// Writes another member, whose name needs no escapes, in the place of this one.
    pub(crate) fn rename_with(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.part(key.span(), value.span());
        write_plain(self.out, name);
        self.copy(key.span().end..value.span().start);
        write(self.out);
    }

    /// Writes the member's value under another name, which needs no escapes.
    pub(crate) fn rename(&mut self, key: &Key<'_>, value: &Value<'_>, name: &str) {
        self.part(key.span(), value.span());
        write_plain(self.out, name);
        self.copy(key.span().end..value.span().end);
    }

    /// Leaves the member out.
    pub(crate) fn drop(&mut self, value: &Value<'_>) {
        self.passed = value.span().end - self.base;
    }

    /// Writes a member that the source does not have; the name needs no escapes.
    pub(crate) fn add(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.written > 0 {
            self.out.extend_from_slice(self.separator);
        }
        self.written += 1;
        write_plain(self.out, name);
        self.out.push(b':');
        if self.separator.len() > 1 {
            self.out.push(b' ');
        }
        write(self.out);
    }

    /// Writes what follows the last member.
    pub(crate) fn finish(self) {
        // With no member passed, `passed` stands behind the opening brace; else behind the last value.
        self.out.extend_from_slice(self.source.get(self.passed..).unwrap_or_default());
    }

    /// What stands before a member: the author's own separator if the member before it was his too.
    fn part(&mut self, key: Range<usize>, value: Range<usize>) {
        if self.written > 0 {
            let own = self.source.get(self.passed..key.start - self.base).filter(|own| own.contains(&b','));
            self.out.extend_from_slice(own.unwrap_or(self.separator));
        }
        self.written += 1;
        self.passed = value.end - self.base;
    }

    fn copy(&mut self, span: Range<usize>) {
        self.out.extend_from_slice(self.source.get(span.start - self.base..span.end - self.base).unwrap_or_default());
    }
}

/// Writes an array, element by element.
pub(crate) fn write_all<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// A string that needs no escapes, in quotes.
pub(crate) fn write_plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Any string, in quotes, with the escapes that JSON demands.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if u32::from(control) < 0x20 => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes())
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::{Limits, Tape};

    /// Rewrites by one letter a member: `k`eep, `d`rop, `s`et to 0, `n`ame `new`, `a`dd one before and keep; `+` at the end adds.
    fn rewrite(text: &str, how: &str) -> String {
        let mut tape = Tape::new();
        let object = tape.parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut out = Vec::new();
        let mut rewriter = Rewriter::new(&object, &mut out);
        for ((key, value), how) in object.entries().zip(how.chars()) {
            match how {
                'd' => rewriter.drop(&value),
                's' => rewriter.replace(&key, &value, |out| out.push(b'0')),
                'n' => rewriter.rename(&key, &value, "new"),
                'a' => {
                    rewriter.add("added", |out| out.push(b'1'));
                    rewriter.keep(&key, &value);
                }
                _ => rewriter.keep(&key, &value),
            }
        }
        if how.ends_with('+') {
            rewriter.add("more", |out| out.push(b'2'));
        }
        rewriter.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_that_are_not_changed_stay() {
        let cases = [
            (r#"{"a":1,"b":2}"#, "kk", r#"{"a":1,"b":2}"#),
            (r#"{ "a" :1 , "b": 2 }"#, "kk", r#"{ "a" :1 , "b": 2 }"#),
            (r#"{ "a" :1 , "b": 2 }"#, "dk", r#"{ "b": 2 }"#),
            (r#"{ "a" :1 , "b": 2 }"#, "kd", r#"{ "a" :1 }"#),
            (r#"{ "a" :1 , "b": 2 }"#, "dd", r#"{  }"#),
            (r#"{"a":1,"b":2,"c":3}"#, "kdk", r#"{"a":1,"c":3}"#),
            (r#"{"a":1,"b":2}"#, "sk", r#"{"a":0,"b":2}"#),
            (r#"{"a": 1,"b":2}"#, "nk", r#"{"new": 1,"b":2}"#),
            (r#"{"a":1,"b":2}"#, "ka", r#"{"a":1,"added":1,"b":2}"#),
            (r#"{"a":1,"b":2}"#, "ak", r#"{"added":1,"a":1,"b":2}"#),
            (r#"{"a":1,"b":2}"#, "dd+", r#"{"more":2}"#),
            (r#"{}"#, "+", r#"{"more":2}"#),
            (r#"{"a":1}"#, "k+", r#"{"a":1,"more":2}"#),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", "kk+", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"more\": 2\n}"),
            ("{\n  \"a\": 1,\n  \"b\": 2\n}", "da+", "{\n  \"added\": 1,\n  \"b\": 2,\n  \"more\": 2\n}"),
        ];
        for (text, how, expected) in cases {
            assert_eq!(rewrite(text, how), expected, "{text} {how}");
        }
    }

    proptest! {
        #[test]
        fn the_outcome_is_what_a_rebuilt_object_would_be(count in 0_usize..6, how in "[kdsna]{6}[+ ]", white in "[ \n]{0,2}") {
            let members: Vec<String> = (0..count).map(|at| format!("{white}\"m{at}\"{white}:{white}{at}{white}")).collect();
            let text = format!("{{{white}{}}}", members.join(","));
            // Two members may not end up with one name, which JSON forbids: only the first is renamed or added before.
            let mut once = std::collections::BTreeSet::new();
            let how: String = how.chars().map(|c| if "na".contains(c) && !once.insert(c) { 'k' } else { c }).collect();
            let mut expected = serde_json::Map::new();
            for (at, how) in (0..count).zip(how.chars()) {
                match how {
                    'd' => {}
                    's' => drop(expected.insert(format!("m{at}"), 0.into())),
                    'n' => drop(expected.insert("new".into(), at.into())),
                    'a' => {
                        expected.insert("added".into(), 1.into());
                        expected.insert(format!("m{at}"), at.into());
                    }
                    _ => drop(expected.insert(format!("m{at}"), at.into())),
                }
            }
            if how.ends_with('+') {
                expected.insert("more".into(), 2.into());
            }
            let found: serde_json::Value = serde_json::from_str(&rewrite(&text, &how)).unwrap();
            prop_assert_eq!(found, serde_json::Value::Object(expected));
        }

        #[test]
        fn strings_are_read_back(text in ".{0,20}|[\\x00-\\x7f]{0,20}") {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
