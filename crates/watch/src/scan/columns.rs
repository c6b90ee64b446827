//! Zeek's lines of columns: a header names them, and may change in the middle of a file.

use std::sync::Arc;

use super::fault::Fault;
use super::keys::Keys;
use super::line::{Lines, Seen, Span};
use super::unescape;
use crate::Meaning;

/// What the header says so far. Before one has come, what Zeek writes unless told otherwise.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) separator: u8,
    set_separator: u8,
    empty: Vec<u8>,
    unset: Vec<u8>,
    path: Vec<u8>,
    /// Names of columns, and whether the types say that they are lists.
    pub(super) names: Arc<Vec<Vec<u8>>>,
    lists: Vec<Option<bool>>,
    /// How many columns a line has.
    pub(super) width: usize,
    /// Where the time stands; of several, the last that a line has counts.
    times: Vec<Column>,
    /// Columns whose values are noted, in their order.
    columns: Vec<Column>,
    signs: u32,
    /// Whether there are backslashes in the window that is being read.
    pub(super) escapes: bool,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    place: usize,
    field: u16,
    meaning: Option<Meaning>,
    /// Whether it is understood at the end of the line only.
    late: bool,
    list: bool,
    /// Whether a carriage return may stand behind it.
    last: bool,
}

impl Column {
    /// Its value in a line, and where that begins.
    #[inline(always)]
    fn value<'t>(&self, text: &'t [u8], marks: &[u32]) -> (usize, &'t [u8]) {
        let [before, end] = match marks.get(self.place..) {
            Some([before, end, ..]) => [*before, *end],
            _ => [u32::MAX, 0],
        };
        let from = before.wrapping_add(1) as usize;
        let value = text.get(from..end as usize).unwrap_or_default();
        (from, if self.last { value.strip_suffix(b"\r").unwrap_or(value) } else { value })
    }
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: b'\t',
            set_separator: b',',
            empty: b"(empty)".to_vec(),
            unset: b"-".to_vec(),
            path: Vec::new(),
            names: Arc::default(),
            lists: Vec::new(),
            width: 0,
            times: Vec::new(),
            columns: Vec::new(),
            signs: 0,
            escapes: true,
        }
    }
}

/// More columns than any log has.
const MAX_COLUMNS: usize = 4096;

impl Header {
    /// Takes in a line that starts with `#`; comments and what else it may say are left alone.
    pub(super) fn line(&mut self, line: &[u8], keys: &Keys) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(value) = line.strip_prefix(b"#separator ") {
            *self = Self::default();
            // What follows in the window may have them.
            let [separator] = unescaped(value)[..] else { return Err(Fault::BadHeader) };
            self.separator = separator;
            return if separator == b'\n' { Err(Fault::BadHeader) } else { Ok(()) };
        }
        let (word, rest) = match line.iter().position(|byte| *byte == self.separator) {
            Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        match word {
            b"#set_separator" => {
                let [separator] = unescaped(rest)[..] else { return Err(Fault::BadHeader) };
                self.set_separator = separator;
            }
            b"#empty_field" => self.empty = unescaped(rest),
            b"#unset_field" => self.unset = unescaped(rest),
            b"#path" => self.path = unescaped(rest),
            b"#fields" => return self.fields(rest, keys),
            b"#types" => {
                let types = rest.split(|byte| *byte == self.separator);
                let is_list = |kind: &[u8]| kind.starts_with(b"set[") || kind.starts_with(b"vector[");
                self.lists = types.take(MAX_COLUMNS).map(|kind| Some(is_list(kind))).collect();
                self.settle(keys);
            }
            _ => {}
        }
        Ok(())
    }

    /// Names of columns: behind `#fields`, or the only header line of a file that has but one.
    pub(super) fn fields(&mut self, names: &[u8], keys: &Keys) -> Result<(), Fault> {
        let names = names.strip_suffix(b"\r").unwrap_or(names);
        let names: Vec<Vec<u8>> =
            names.split(|byte| *byte == self.separator).take(MAX_COLUMNS + 1).map(<[u8]>::to_vec).collect();
        self.width = 0;
        if names.len() > MAX_COLUMNS || names.iter().any(Vec::is_empty) {
            return Err(Fault::BadHeader);
        }
        self.width = names.len();
        self.names = Arc::new(names);
        self.lists.clear();
        self.settle(keys);
        Ok(())
    }

    /// Whether a line without `#` names columns, as the writer's `tsv` option has it.
    pub(super) fn names_columns(&self, line: &[u8], keys: &Keys) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut names = line.split(|byte| *byte == self.separator);
        names.clone().nth(1).is_some()
            && line
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || *byte == self.separator)
            && names.any(|name| keys.column(name) != 0)
    }

    fn settle(&mut self, keys: &Keys) {
        self.times.clear();
        self.columns.clear();
        self.signs = 0;
        for (place, name) in self.names.iter().enumerate() {
            let field = keys.column(name);
            let Some(act) = keys.act(field) else { continue };
            self.signs |= act.sign;
            // Without types any column may be a list: no name, address or digest has a comma in it, but text may.
            let list = self.lists.get(place).copied().flatten().unwrap_or(keys.is_list(field));
            let last = place + 1 == self.width;
            let column = Column { place, field, meaning: act.meaning, late: act.late, list, last };
            if act.value {
                self.columns.push(column);
            } else if act.time {
                self.times.push(column);
            }
        }
        // What means nothing by itself is a part of what is understood at the end of the line.
        if !self.columns.iter().any(|column| column.late) {
            self.columns.retain(|column| column.meaning.is_some());
        }
    }

    /// Notes what is known of a line; `marks` are the end of the line before, its separators and its end.
    #[inline(always)]
    pub(super) fn read(&self, text: &[u8], marks: &[u32], lines: &mut Lines) {
        lines.signs = self.signs;
        let blank = self.unset.len().max(self.empty.len());
        for time in &self.times {
            let (from, value) = time.value(text, marks);
            if !self.is_blank(value) {
                self.see_time(value, from, time.list, lines);
            }
        }
        for column in &self.columns {
            let (from, value) = column.value(text, marks);
            if value.len() <= blank && self.is_blank(value) {
                continue;
            }
            if column.list {
                self.list(value, from, *column, lines);
            } else {
                self.see(value, from, *column, lines);
            }
        }
    }

    /// Whether a value stands for none.
    #[inline]
    fn is_blank(&self, value: &[u8]) -> bool {
        value == self.unset.as_slice() || value == self.empty.as_slice()
    }

    /// The elements of a set or vector.
    fn list(&self, value: &[u8], from: usize, column: Column, lines: &mut Lines) {
        self.elements(value, from, |element, at| self.see(element, at, column, lines));
    }

    #[inline]
    fn elements<'t>(&self, value: &'t [u8], from: usize, mut each: impl FnMut(&'t [u8], usize)) {
        let mut at = from;
        for element in value.split(|byte| *byte == self.set_separator) {
            if !self.is_blank(element) {
                each(element, at);
            }
            at += element.len() + 1;
        }
    }

    /// Notes when it happened.
    #[inline]
    fn see_time(&self, value: &[u8], from: usize, list: bool, lines: &mut Lines) {
        let mut see = |value, from| {
            let span = self.span(value, from, lines);
            lines.at(span);
        };
        if list { self.elements(value, from, see) } else { see(value, from) }
    }

    /// Notes one value.
    #[inline(always)]
    fn see(&self, value: &[u8], from: usize, column: Column, lines: &mut Lines) {
        let span = self.span(value, from, lines);
        lines.late |= column.late;
        lines.add(Seen { field: column.field, meaning: column.meaning, span });
    }

    /// Where a value stands, its escapes undone.
    #[inline(always)]
    fn span(&self, value: &[u8], from: usize, lines: &mut Lines) -> Span {
        if self.escapes && memchr::memchr(b'\\', value).is_some() {
            return lines.make(|out| unescape::column(value, out));
        }
        Span { start: from as u32, end: (from + value.len()) as u32, made: false }
    }

    /// The log's name, if the header has it.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    unescape::column(value, &mut out);
    out
}
