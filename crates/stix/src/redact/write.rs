//! Writing an object with some parts left out, some put in the place of others, and one member more. Every other byte
//! is copied.

use std::collections::BTreeMap;

use super::mark::Addition;
use super::select::Places;
use crate::json::{Kind, Value};
use crate::rewrite::write_plain;

/// What is to be changed.
#[derive(Default)]
pub(super) struct Changes {
    /// Values that are left out, with their names.
    pub(super) gone: Places,
    /// What is written in the place of values, by where they start.
    pub(super) swapped: BTreeMap<usize, Vec<u8>>,
    /// What is added.
    pub(super) added: Option<Addition>,
}

impl Changes {
    /// Writes the value to the end of `out`.
    pub(super) fn write(&self, value: Value<'_>, out: &mut Vec<u8>) {
        if let Some(swapped) = self.swapped.get(&value.span().start) {
            return out.extend_from_slice(swapped);
        }
        match value.kind() {
            _ if !self.touch(value) => out.extend_from_slice(value.text()),
            Kind::Object => self.children(value, value.entries().map(|(key, item)| (key.span().start, item)), out),
            _ => self.children(value, value.items().map(|item| (item.span().start, item)), out),
        }
    }

    /// Whether anything changes within the value.
    fn touch(&self, value: Value<'_>) -> bool {
        let span = value.span();
        self.gone.range(span.clone()).next().is_some()
            || self.swapped.range(span.clone()).next().is_some()
            || self.added.as_ref().is_some_and(|added| span.contains(&added.place))
    }

    /// Writes a container: each child with where it starts, its name included.
    fn children<'t>(&self, value: Value<'t>, children: impl Iterator<Item = (usize, Value<'t>)>, out: &mut Vec<u8>) {
        let (text, base) = (value.text(), value.span().start);
        let copy = |out: &mut Vec<u8>, from: usize, to: usize| {
            out.extend_from_slice(text.get(from - base..to - base).unwrap_or_default());
        };
        let mut end = base + 1;
        let mut kept = 0_usize;
        // What the author put between the first two, to be put before what is added.
        let mut separator = (0, None);
        for (at, (start, child)) in children.enumerate() {
            if at == 0 {
                copy(out, base, start);
            }
            if at == 1 {
                separator = (end, Some(start));
            }
            if !self.gone.contains(&child.span().start) {
                if kept > 0 {
                    copy(out, end, start);
                }
                kept += 1;
                copy(out, start, child.span().start);
                self.write(child, out);
            }
            end = child.span().end;
        }
        if let Some(added) = self.added.as_ref().filter(|added| added.place == base) {
            let own = separator.1.and_then(|to| text.get(separator.0 - base..to - base)).unwrap_or(b",");
            if kept > 0 {
                out.extend_from_slice(own);
            }
            write_plain(out, added.name);
            out.extend_from_slice(if own.len() > 1 { b": " } else { b":" });
            out.extend_from_slice(added.value.as_bytes());
        }
        copy(out, end, value.span().end);
    }
}

/// The text of a string with masks in the place of ranges of what it says, which are in order and do not overlap.
pub(super) fn masked(value: Value<'_>, masks: &[(std::ops::Range<usize>, &str)]) -> Vec<u8> {
    let text = value.text();
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut out = Vec::with_capacity(text.len());
    out.push(b'"');
    let mut masks = masks.iter().peekable();
    // Where we are as written, and in what that says.
    let (mut at, mut said) = (0, 0);
    while let Some((written, means)) = inner.get(at..).and_then(unit) {
        while masks.peek().is_some_and(|(range, _)| range.end <= said) {
            masks.next();
        }
        match masks.peek() {
            Some((range, mask)) if range.contains(&said) => {
                if range.start == said {
                    out.extend_from_slice(mask.as_bytes());
                }
            }
            _ => out.extend_from_slice(inner.get(at..at + written).unwrap_or_default()),
        }
        at += written;
        said += means;
    }
    out.push(b'"');
    out
}

/// How many bytes the first character is as written, and how many it means. RFC 8259 §7.
fn unit(text: &[u8]) -> Option<(usize, usize)> {
    let hex = |at: usize| {
        let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    match text {
        [b'\\', b'u', ..] => match hex(2)? {
            0xD800..=0xDBFF => Some((12, 4)),
            code => Some((6, char::from_u32(code)?.len_utf8())),
        },
        [b'\\', _, ..] => Some((2, 1)),
        [0..=0x7F, ..] => Some((1, 1)),
        [0xC0..=0xDF, ..] => Some((2, 2)),
        [0xE0..=0xEF, ..] => Some((3, 3)),
        [_, ..] => Some((4, 4)),
        [] => None,
    }
}
