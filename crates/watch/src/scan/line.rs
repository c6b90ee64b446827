//! What a reader has found in the lines of a window.

use std::sync::Arc;

use super::keys::{Act, Keys};
use crate::general::Columns;
use crate::{Field, Meaning};

/// Values of lines, by where they stand in the window.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rows: Vec<Row>,
    seen: Vec<Seen>,
    /// Text that does not stand in the window as it is met: escapes undone, URLs put together.
    made: Vec<u8>,
    /// Where the values of the line begin that is being read.
    from: usize,
    time: Option<Span>,
    /// Of which kinds of log the line that is being read has fields.
    pub(crate) signs: u32,
    /// Whether it has values that are understood only at its end.
    pub(super) late: bool,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Its number, counted from 1.
    pub(crate) number: u64,
    /// Where it begins and ends.
    start: u32,
    end: u32,
    time: Option<Span>,
    /// Its values begin where those of the row before end.
    values: u32,
}

/// A value in a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) field: u16,
    /// What it is met as, if at all.
    pub(crate) meaning: Option<Meaning>,
    pub(crate) span: Span,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// In what was made, not in the window.
    pub(crate) made: bool,
}

/// The end of a number in the window that ends where the number does.
pub(crate) const OPEN: u32 = u32::MAX;

/// The longest number that is read: longer ones are neither ports nor times.
const MAX_NUMBER: usize = 32;

impl Lines {
    /// Forgets all lines.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.seen.clear();
        self.made.clear();
        self.begin();
    }

    /// Begins a line, and forgets what was seen of one that was not ended.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.seen.truncate(self.from);
        self.from = self.seen.len();
        self.time = None;
        self.signs = 0;
        self.late = false;
    }

    /// Keeps the line that was read.
    #[inline]
    pub(super) fn end(&mut self, number: u64, start: usize, end: usize) {
        self.from = self.seen.len();
        let values = self.from as u32;
        self.rows.push(Row { number, start: start as u32, end: end as u32, time: self.time, values });
    }

    /// Notes a value of a known field.
    #[inline(always)]
    pub(super) fn see(&mut self, act: Act, span: Span) {
        if act.value {
            self.late |= act.late;
            self.seen.push(Seen { field: act.field, meaning: act.meaning, span });
        } else if act.time {
            self.time = Some(span);
        } else {
            self.signs |= act.sign;
        }
    }

    /// Notes when the event happened.
    #[inline(always)]
    pub(super) fn at(&mut self, time: Span) {
        self.time = Some(time);
    }

    /// How many lines were kept.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The values of the line that is being read.
    pub(crate) fn current(&self) -> &[Seen] {
        self.seen.get(self.from..).unwrap_or_default()
    }

    /// The same, to give them meaning.
    pub(crate) fn current_mut(&mut self) -> &mut [Seen] {
        self.seen.get_mut(self.from..).unwrap_or_default()
    }

    /// Adds a value to the line that is being read.
    #[inline]
    pub(crate) fn add(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    /// Keeps a text that is not in the window; what is made is written by `write`.
    pub(crate) fn make(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.made.len() as u32;
        write(&mut self.made);
        Span { start, end: self.made.len() as u32, made: true }
    }

    /// The text of a span.
    #[inline]
    pub(crate) fn text<'t>(&'t self, window: &'t [u8], span: Span) -> &'t [u8] {
        let from = if span.made { &self.made } else { window };
        if span.end == OPEN {
            return number(from.get(span.start as usize..).unwrap_or_default());
        }
        from.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// The number or literal that a text begins with.
#[cold]
fn number(text: &[u8]) -> &[u8] {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    let end = text.iter().take(MAX_NUMBER).position(ends).unwrap_or(text.len().min(MAX_NUMBER));
    text.get(..end).unwrap_or_default()
}

/// Lines that were read, and the text that they stand in.
#[derive(Clone, Copy)]
pub(crate) struct Window<'w> {
    pub(super) text: &'w [u8],
    pub(super) lines: &'w Lines,
    pub(super) keys: &'w Keys,
    /// The columns, where lines are made of such.
    pub(super) header: Option<Names<'w>>,
}

/// The names of columns: of all lines, but for those up to some place.
#[derive(Clone, Copy)]
pub(super) struct Names<'w> {
    pub(super) now: Columns<'w>,
    pub(super) past: &'w [Past],
}

/// Columns that lines had up to some place in the window.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) until: usize,
    pub(super) names: Arc<Vec<Vec<u8>>>,
    pub(super) separator: u8,
}

impl<'w> Window<'w> {
    /// The lines, each with its place among them.
    #[inline]
    pub(crate) fn rows(self) -> impl Iterator<Item = (usize, &'w Row)> {
        self.lines.rows.iter().enumerate()
    }

    /// A line by its place.
    pub(crate) fn row(self, place: usize) -> Option<&'w Row> {
        self.lines.rows.get(place)
    }

    /// How many values the lines have, those that are not met among them.
    pub(crate) fn count(self) -> usize {
        self.lines.seen.len()
    }

    /// What is met of a line.
    #[inline]
    pub(crate) fn met(self, place: usize) -> impl Iterator<Item = (Meaning, Seen)> {
        self.seen(place).iter().filter_map(|seen| Some((seen.meaning?, *seen)))
    }

    /// The sixteen bytes that a value begins with, some of which may stand behind it, and how long it is; `None` if there
    /// are not so many.
    #[inline(always)]
    pub(crate) fn head(self, seen: Seen) -> Option<(&'w [u8; 16], usize)> {
        let Span { start, end, made } = seen.span;
        let from = if made { &self.lines.made } else { self.text };
        Some((from.get(start as usize..)?.first_chunk()?, end.wrapping_sub(start) as usize))
    }

    /// A value.
    #[inline]
    pub(crate) fn text(self, seen: Seen) -> &'w [u8] {
        self.lines.text(self.text, seen.span)
    }

    /// The fields of a line.
    pub(crate) fn fields(self, place: usize) -> impl Iterator<Item = Field<'w>> {
        self.seen(place).iter().filter_map(move |seen| {
            let name = self.keys.field(seen.field).map_or("", |known| known.name);
            Some(Field { name, meaning: seen.meaning?, value: self.lines.text(self.text, seen.span) })
        })
    }

    /// The columns of a line.
    pub(crate) fn columns(self, place: usize) -> Option<Columns<'w>> {
        let Names { now, past } = self.header?;
        let at = past.partition_point(|past| past.until <= place);
        Some(past.get(at).map_or(now, |past| Columns { names: &past.names, separator: past.separator }))
    }

    /// What stands in a line, without its end.
    pub(crate) fn raw(self, row: &Row) -> &'w [u8] {
        let line = self.text.get(row.start as usize..row.end as usize).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// What is written as the time of a line.
    pub(crate) fn time(self, row: &Row) -> Option<&'w [u8]> {
        row.time.map(|span| self.lines.text(self.text, span))
    }

    /// All values of a line.
    #[inline]
    pub(super) fn seen(self, place: usize) -> &'w [Seen] {
        let rows = &self.lines.rows;
        let start = place.checked_sub(1).and_then(|before| rows.get(before)).map_or(0, |row| row.values);
        let end = rows.get(place).map_or(start, |row| row.values);
        self.lines.seen.get(start as usize..end as usize).unwrap_or_default()
    }
}
