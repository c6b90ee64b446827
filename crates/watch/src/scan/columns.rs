//! Zeek's lines of columns: a header names them, and may change in the middle of a file.

use std::sync::Arc;

use super::fault::Fault;
use super::keys::Keys;
use super::line::{Lines, Seen, Span};
use super::parted::Wanted;
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
    /// The separators at which these columns begin and end.
    wanted: Wanted,
    signs: u32,
    /// Whether there are backslashes in the window that is being read.
    pub(super) escapes: bool,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    /// Which of the offsets that are asked for is before it, and which at its end.
    before: usize,
    end: usize,
    field: u16,
    meaning: Option<Meaning>,
    /// Whether it is understood at the end of the line only.
    late: bool,
    list: bool,
    /// Whether a carriage return may stand behind it.
    last: bool,
    /// Neither of these.
    plain: bool,
}

impl Column {
    /// Where its value begins and ends in a line.
    #[inline(always)]
    fn ends(&self, marks: &[u32]) -> (u32, u32) {
        match (marks.get(self.before), marks.get(self.end)) {
            (Some(before), Some(end)) => (before.wrapping_add(1), *end),
            _ => (0, 0),
        }
    }

    /// Its value.
    fn value<'t>(&self, text: &'t [u8], from: u32, to: u32) -> &'t [u8] {
        let value = text.get(from as usize..to as usize).unwrap_or_default();
        if self.last { value.strip_suffix(b"\r").unwrap_or(value) } else { value }
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
            wanted: Wanted::Some(0),
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
        // Of columns that are not known nothing that a header says later is taken.
        (self.width, self.names) = (0, Arc::default());
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
            let column = Column {
                before: place,
                end: place + 1,
                field,
                meaning: act.meaning,
                late: act.late,
                list,
                last,
                plain: !list && !last,
            };
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
        self.choose();
    }

    /// Chooses which separators are asked for.
    fn choose(&mut self) {
        // Where a column begins and ends, counted from the one before the line.
        let ends = |column: &Column| [column.before, column.end];
        let bits = self.times.iter().chain(&self.columns).flat_map(ends);
        let bits = bits.map(|place| 1_u128.checked_shl(place as u32).unwrap_or(0)).fold(0, |all, bit| all | bit) | 1;
        self.wanted = Wanted::All;
        if self.width <= 64 {
            self.wanted = Wanted::Some((bits >> 1) as u64);
            for column in self.times.iter_mut().chain(&mut self.columns) {
                let rank = |place: usize| (bits & ((1 << place) - 1)).count_ones() as usize;
                (column.before, column.end) = (rank(column.before), rank(column.end));
            }
        }
    }

    /// The separators to be asked for.
    #[inline]
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Notes what is known of a line; `marks` are the end of the line before, and the separators that were asked for.
    #[inline(always)]
    pub(super) fn read(&self, text: &[u8], marks: &[u32], lines: &mut Lines) {
        lines.signs = self.signs;
        let blank = self.unset.len().max(self.empty.len()) as u32;
        // A value that is too long to stand for none need not even be looked at.
        let is_simple = |column: &Column, length: u32| column.plain & !self.escapes & (length > blank);
        for time in &self.times {
            let (start, end) = time.ends(marks);
            if is_simple(time, end.wrapping_sub(start)) {
                lines.at(Span { start, end, made: false });
            } else {
                self.see_time(time.value(text, start, end), start, time.list, lines);
            }
        }
        let mut late = false;
        for column in &self.columns {
            let (start, end) = column.ends(marks);
            if is_simple(column, end.wrapping_sub(start)) {
                late |= column.late;
                let span = Span { start, end, made: false };
                lines.add(Seen { field: column.field, meaning: column.meaning, span });
            } else {
                self.see(column.value(text, start, end), start, column, lines);
            }
        }
        lines.late |= late;
    }

    /// Whether a value stands for none.
    #[inline]
    fn is_blank(&self, value: &[u8]) -> bool {
        value == self.unset.as_slice() || value == self.empty.as_slice()
    }

    /// Notes when it happened, if the value says so.
    #[inline(never)]
    fn see_time(&self, value: &[u8], start: u32, list: bool, lines: &mut Lines) {
        self.elements(value, start, list, |value, start| {
            let span = self.span(value, start, lines);
            lines.at(span);
        });
    }

    /// Notes a value, or those of a list, but for what stands for none.
    #[inline(never)]
    fn see(&self, value: &[u8], start: u32, column: &Column, lines: &mut Lines) {
        self.elements(value, start, column.list, |value, start| {
            let span = self.span(value, start, lines);
            lines.late |= column.late;
            lines.add(Seen { field: column.field, meaning: column.meaning, span });
        });
    }

    /// Gives a value, or the elements of a set or vector, but for what stands for none.
    #[inline]
    fn elements<'t>(&self, value: &'t [u8], start: u32, list: bool, mut each: impl FnMut(&'t [u8], u32)) {
        if self.is_blank(value) {
            return;
        }
        let (mut rest, mut start) = (value, start);
        loop {
            let end = if list { memchr::memchr(self.set_separator, rest) } else { None };
            let element = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if !self.is_blank(element) {
                each(element, start);
            }
            let Some(end) = end else { return };
            rest = rest.get(end + 1..).unwrap_or_default();
            start += end as u32 + 1;
        }
    }

    /// Where a value stands, its escapes undone.
    #[inline(always)]
    fn span(&self, value: &[u8], start: u32, lines: &mut Lines) -> Span {
        if self.escapes && memchr::memchr(b'\\', value).is_some() {
            return lines.make(|out| unescape::column(value, out));
        }
        Span { start, end: start + value.len() as u32, made: false }
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
