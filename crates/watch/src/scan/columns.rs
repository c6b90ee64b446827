//! Zeek's lines of columns: a header names them, and may change in the middle of a file.

use std::sync::Arc;

use super::fault::Fault;
use super::keys::{Act, Keys};
use super::line::{Lines, Span};
use super::unescape;

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
    /// Columns of which something is known, in their order.
    columns: Vec<Column>,
    signs: u32,
    /// Whether there are backslashes in the window that is being read.
    pub(super) escapes: bool,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    place: usize,
    act: Act,
    list: bool,
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
        self.columns.clear();
        self.signs = 0;
        for (place, name) in self.names.iter().enumerate() {
            let field = keys.column(name);
            let Some(act) = keys.act(field) else { continue };
            if act.sign != 0 {
                self.signs |= act.sign;
                continue;
            }
            // Without types any column may be a list: no name, address or digest has a comma in it, but text may.
            let list = self.lists.get(place).copied().flatten().unwrap_or(keys.is_list(field));
            self.columns.push(Column { place, act, list });
        }
    }

    /// Notes what is known of a line; `marks` are its separators and its end.
    #[inline(always)]
    pub(super) fn read(&self, text: &[u8], start: usize, marks: &[u32], lines: &mut Lines) {
        lines.signs = self.signs;
        for column in &self.columns {
            let from = match column.place {
                0 => start,
                place => marks.get(place - 1).map_or(text.len(), |at| *at as usize + 1),
            };
            let mut to = marks.get(column.place).map_or(text.len(), |at| *at as usize);
            if column.place + 1 == self.width && to > from && text.get(to - 1) == Some(&b'\r') {
                to -= 1;
            }
            let value = text.get(from..to).unwrap_or_default();
            if value == self.unset.as_slice() || value == self.empty.as_slice() {
                continue;
            }
            if column.list {
                self.list(value, from, *column, lines);
            } else {
                self.see(value, from, *column, lines);
            }
        }
    }

    /// The elements of a set or vector.
    fn list(&self, value: &[u8], from: usize, column: Column, lines: &mut Lines) {
        let mut at = from;
        for element in value.split(|byte| *byte == self.set_separator) {
            if element != self.unset.as_slice() && element != self.empty.as_slice() {
                self.see(element, at, column, lines);
            }
            at += element.len() + 1;
        }
    }

    /// Notes one value.
    #[inline(always)]
    fn see(&self, value: &[u8], from: usize, column: Column, lines: &mut Lines) {
        let span = if self.escapes && memchr::memchr(b'\\', value).is_some() {
            lines.make(|out| unescape::column(value, out))
        } else {
            Span { start: from as u32, end: (from + value.len()) as u32, made: false }
        };
        lines.see(column.act, span);
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
