//! One line of a list.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use observable::Kind;

use crate::set::Reach;

/// The longest line of a list, in bytes.
pub const MAX_LINE: usize = 1 << 20;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Which column is which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Columns {
    kind: usize,
    value: usize,
    id: Option<usize>,
    /// How many there are.
    count: usize,
}

/// An indicator as a line has it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    /// The value, without what says how far it goes.
    pub(super) value: Cow<'a, [u8]>,
    /// How far it goes.
    pub(super) reach: Reach,
    /// How many bytes of the value as it was written come before it: `.`, `*.` or nothing.
    pub(super) mark: &'static str,
    pub(super) id: Option<Cow<'a, [u8]>>,
}

/// Why a line is no indicator.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("{found} fields where the first line has {expected}: put values with commas into quotes")]
    Fields { found: usize, expected: usize },
    #[error("a quote is not closed on its line")]
    Quote,
    #[error("no value")]
    Empty,
    #[error("no kind of value is named `{0}`")]
    Kind(String),
    #[error("longer than {MAX_LINE} bytes")]
    Long,
}

impl Columns {
    /// The columns that a first line names; none if it names no `type` and `value`.
    pub(super) fn named(line: &[u8]) -> Option<Self> {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        let fields: Vec<Cow<'_, [u8]>> = Fields { rest: Some(end_off(line)) }.collect::<Option<_>>()?;
        let find =
            |name: &str| fields.iter().position(|field| field.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
        Some(Self { kind: find("type")?, value: find("value")?, id: find("id"), count: fields.len() })
    }

    /// The indicator on a line; `Ok(None)` for an empty one and a comment (`#`).
    pub(super) fn record<'a>(&self, line: &'a [u8]) -> Result<Option<Record<'a>>, Wrong> {
        let line = end_off(line);
        if line.trim_ascii().is_empty() || line.first() == Some(&b'#') {
            return Ok(None);
        }
        if line.len() > MAX_LINE {
            return Err(Wrong::Long);
        }
        let (mut kind, mut value, mut id) = (None, None, None);
        let mut count = 0;
        for field in (Fields { rest: Some(line) }) {
            let field = field.ok_or(Wrong::Quote)?;
            if count == self.kind {
                kind = Some(field);
            } else if count == self.value {
                value = Some(field);
            } else if Some(count) == self.id {
                id = Some(field);
            }
            count += 1;
        }
        // A missing id at the end is no fault.
        let short = self.id.is_some_and(|id| id + 1 == self.count && count == id);
        if count != self.count && !short {
            return Err(Wrong::Fields { found: count, expected: self.count });
        }
        let (Some(kind), Some(value)) = (kind, value) else {
            return Err(Wrong::Fields { found: count, expected: self.count });
        };
        let kind = kind_of(kind.trim_ascii())?;
        let (reach, mark, value) = reach_of(kind, trimmed(value));
        if value.is_empty() {
            return Err(Wrong::Empty);
        }
        Ok(Some(Record { kind, value, reach, mark, id: id.map(trimmed).filter(|id| !id.is_empty()) }))
    }
}

fn kind_of(name: &[u8]) -> Result<Kind, Wrong> {
    // The common ones first.
    Ok(match name {
        b"domain" => Kind::Domain,
        b"ipv4" => Kind::Ipv4,
        b"sha256" => Kind::Sha256,
        b"md5" => Kind::Md5,
        b"url" => Kind::Url,
        _ => {
            let lower = String::from_utf8_lossy(name.get(..name.len().min(40)).unwrap_or_default()).to_lowercase();
            return Kind::named(&lower).ok_or(Wrong::Kind(lower));
        }
    })
}

/// A domain with a point before it means the names below it too, with `*.` only those.
fn reach_of(kind: Kind, value: Cow<'_, [u8]>) -> (Reach, &'static str, Cow<'_, [u8]>) {
    if kind != Kind::Domain {
        return (Reach::VALUE, "", value);
    }
    let (reach, mark) = if value.starts_with(b".") {
        (Reach::SUBDOMAINS, ".")
    } else if value.starts_with(b"*.") {
        (Reach::BELOW, "*.")
    } else {
        return (Reach::VALUE, "", value);
    };
    let value = match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.get(mark.len()..).unwrap_or_default()),
        Cow::Owned(value) => Cow::Owned(value.get(mark.len()..).unwrap_or_default().to_vec()),
    };
    (reach, mark, value)
}

fn trimmed(field: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match field {
        Cow::Borrowed(field) => Cow::Borrowed(field.trim_ascii()),
        Cow::Owned(field) => Cow::Owned(field.trim_ascii().to_vec()),
    }
}

fn end_off(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The fields of a line; none for one whose quote is not closed, which is the last.
struct Fields<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Cow<'a, [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            let comma = memchr(b',', rest);
            self.rest = comma.and_then(|comma| rest.get(comma + 1..));
            return Some(rest.get(..comma.unwrap_or(rest.len())).map(Cow::Borrowed));
        };
        let mut text = Cow::Borrowed(&b""[..]);
        let mut behind = quoted;
        loop {
            let Some(quote) = memchr(b'"', behind) else { return Some(None) };
            let (part, next) = (behind.get(..quote)?, behind.get(quote + 1..)?);
            join(&mut text, part);
            match next.strip_prefix(b"\"") {
                Some(more) => {
                    text.to_mut().push(b'"');
                    behind = more;
                }
                None => {
                    behind = next;
                    break;
                }
            }
        }
        // Whatever follows the closing quote up to the comma belongs to no value.
        match memchr2(b',', b'"', behind) {
            Some(at) if behind.get(at) == Some(&b',') => self.rest = behind.get(at + 1..),
            Some(_) => return Some(None),
            None => self.rest = None,
        }
        Some(Some(text))
    }
}

fn join<'a>(text: &mut Cow<'a, [u8]>, part: &'a [u8]) {
    if text.is_empty() {
        *text = Cow::Borrowed(part);
    } else {
        text.to_mut().extend_from_slice(part);
    }
}
