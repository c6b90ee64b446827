//! What an event says beside the values that are met: ports, protocols, methods. It is read from the line as it stood
//! there, and only for events that may concern a pattern.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::Event;

/// The names of the columns in which a line is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'c> {
    pub(crate) names: &'c Arc<Vec<Vec<u8>>>,
    pub(crate) separator: u8,
}

/// A line, taken apart.
#[derive(Debug)]
pub(super) enum Details<'e> {
    None,
    Json(Value),
    Row(Vec<(&'e [u8], &'e [u8])>),
}

impl<'e> Details<'e> {
    pub(super) fn of(event: &Event<'e>, columns: Option<Columns<'e>>) -> Self {
        if let Some(Columns { names, separator }) = columns {
            let cells = || event.raw.split(|byte| *byte == separator);
            // A line of another width was not read either.
            if cells().count() != names.len() {
                return Self::None;
            }
            let set = |(_, cell): &(&[u8], &[u8])| !matches!(*cell, b"-" | b"(empty)" | b"");
            return Self::Row(names.iter().map(Vec::as_slice).zip(cells()).filter(set).collect());
        }
        if event.raw.trim_ascii_start().first() == Some(&b'{') {
            return serde_json::from_slice(event.raw).map_or(Self::None, Self::Json);
        }
        Self::None
    }

    /// The value of the first of these fields that is there, if it is text or a number.
    pub(super) fn text(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.one(name))
    }

    fn one(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::None => None,
            Self::Row(cells) => {
                let (_, cell) = cells.iter().find(|(own, _)| *own == name.as_bytes())?;
                Some(String::from_utf8_lossy(cell))
            }
            Self::Json(value) => match found(value, name)? {
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Number(number) => Some(Cow::Owned(number.to_string())),
                _ => None,
            },
        }
    }
}

/// A member of this name, or of members within members.
fn found<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        found(object.get(first)?, rest)
    })
}
