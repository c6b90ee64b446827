//! One event while it is put together.

use super::Sink;
use super::map::Use;
use super::names;
use crate::text::Extractor;
use crate::{Event, Field, Meaning};
use std::ops::Range;

/// The most fields of an event; what is beyond is not looked at and counted.
const MOST_FIELDS: usize = 100_000;

/// Names and values of an event, in one piece of memory that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Gather {
    bytes: Vec<u8>,
    names: String,
    name: Range<usize>,
    fields: Vec<Spot>,
    time: Option<Range<usize>>,
    extractor: Extractor,
    /// Whether a field too many was left out of this event.
    pub(super) overflowed: bool,
}

#[derive(Debug)]
struct Spot {
    name: Range<usize>,
    meaning: Meaning,
    value: Range<usize>,
}

impl Gather {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.names.clear();
        self.name = 0..0;
        self.fields.clear();
        self.time = None;
        self.overflowed = false;
    }

    /// Adds a value under a name, as the map or the name itself says.
    pub(super) fn add(&mut self, name: &str, as_told: Option<Use>, value: &[u8]) {
        if !matches!(as_told, Some(Use::Ignore | Use::Is(Meaning::Detail(_))))
            && let Some(detail) = names::detail(name)
        {
            self.push(name, Meaning::Detail(detail), value);
        }
        match as_told {
            Some(Use::Ignore) => {}
            Some(Use::Time) => self.time(value),
            Some(Use::Is(Meaning::Text)) => self.text(name, value),
            Some(Use::Is(Meaning::Url)) => self.url(name, value),
            Some(Use::Is(meaning)) => self.push(name, meaning, value),
            None => self.guess(name, value),
        }
    }

    /// When it happened; the first that says so counts.
    pub(super) fn time(&mut self, value: &[u8]) {
        if self.time.is_none() && !value.is_empty() {
            self.time = Some(self.keep(value));
        }
    }

    /// Adds a value that means this.
    pub(super) fn push(&mut self, name: &str, meaning: Meaning, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        if self.fields.len() >= MOST_FIELDS {
            self.overflowed = true;
            return;
        }
        let value = self.keep(value);
        if self.names.get(self.name.clone()) != Some(name) || self.name.is_empty() {
            let start = self.names.len();
            self.names.push_str(name);
            self.name = start..self.names.len();
        }
        self.fields.push(Spot { name: self.name.clone(), meaning, value });
    }

    /// Adds what is found in text.
    pub(super) fn text(&mut self, name: &str, text: &[u8]) {
        let mut extractor = std::mem::take(&mut self.extractor);
        extractor.each(text, &mut |meaning, value| self.push(name, meaning, value));
        self.extractor = extractor;
    }

    /// Adds a URL, and its host.
    pub(super) fn url(&mut self, name: &str, url: &[u8]) {
        self.push(name, Meaning::Url, url);
        if let Some(host) = crate::text::host(url) {
            self.push(name, Meaning::Host, host);
        }
    }

    /// What the name lets expect; and, since names mislead, what the value looks like.
    fn guess(&mut self, name: &str, value: &[u8]) {
        let meaning = match names::guess(name) {
            Some(Use::Time) => return self.time(value),
            Some(Use::Ignore) => return,
            Some(Use::Is(Meaning::Url)) => return self.url(name, value),
            Some(Use::Is(meaning)) if meaning != Meaning::Text => meaning,
            _ => return self.text(name, value),
        };
        self.push(name, meaning, value);
        let mut extractor = std::mem::take(&mut self.extractor);
        extractor.each(value, &mut |found, piece| {
            // The whole value has been given; a piece of it counts where the name promised something else.
            let given = if piece == value { names::same(meaning, found) } else { names::covers(meaning, found) };
            if !given {
                self.push(name, found, piece);
            }
        });
        self.extractor = extractor;
    }

    fn keep(&mut self, value: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        start..self.bytes.len()
    }

    /// Gives the event away, unless nothing is in it.
    pub(super) fn emit(&self, line: u64, raw: &[u8], sink: &mut Sink<'_>) {
        // Details alone concern nobody.
        if self.fields.iter().all(|spot| matches!(spot.meaning, Meaning::Detail(_))) {
            return;
        }
        let fields: Vec<Field<'_>> = self.fields.iter().filter_map(|spot| self.field(spot)).collect();
        let time = self.time.as_ref().and_then(|time| self.bytes.get(time.clone()));
        sink(&Event { line, raw, time, fields: &fields });
    }

    fn field(&self, spot: &Spot) -> Option<Field<'_>> {
        let name = self.names.get(spot.name.clone())?;
        Some(Field { name, meaning: spot.meaning, value: self.bytes.get(spot.value.clone())? })
    }
}
