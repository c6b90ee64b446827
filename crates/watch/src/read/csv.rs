//! Tables with a header: commas, semicolons, tabs or bars between the cells. RFC 4180.

use super::gather::Gather;
use super::{Fault, Faults, FieldMap, Reader, Sink, lines};
use std::ops::Range;

/// The longest record over several lines, in bytes; a quote that opens more than this is no quote.
const LONGEST_RECORD: usize = 1 << 20;
/// The most columns.
const MOST_COLUMNS: usize = 4096;

/// A table whose first line names its columns.
#[derive(Debug, Default)]
pub struct Csv {
    map: FieldMap,
    separator: Option<u8>,
    columns: Vec<String>,
    header: Vec<u8>,
    /// A record that goes on in the next line, and the number of its first.
    open: Vec<u8>,
    open_at: u64,
    /// How long that record is in the input, with the ends of its lines.
    open_bytes: usize,
    cells: Cells,
    gather: Gather,
    faults: Faults,
}

/// The cells of a record, without their quotes.
#[derive(Debug, Default)]
struct Cells {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

/// What a record was.
enum Record {
    Whole,
    /// A quote is open at its end.
    Open,
    Broken,
}

impl Csv {
    /// A reader with this map.
    #[must_use]
    pub fn new(map: FieldMap) -> Self {
        Self { map, ..Self::default() }
    }

    fn line(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) {
        if self.open.is_empty() {
            return self.begin(line, number, sink);
        }
        let mut record = std::mem::take(&mut self.open);
        record.push(b'\n');
        record.extend_from_slice(line);
        // Only a quote in this line can end it.
        if memchr::memchr(b'"', line).is_none() && record.len() <= LONGEST_RECORD {
            self.open = record;
            return;
        }
        match self.cells.read(&record, self.separator.unwrap_or(b',')) {
            Record::Whole => {
                self.row(&record, self.open_at, sink);
                record.clear();
            }
            Record::Open if record.len() <= LONGEST_RECORD => self.open = record,
            // The line that opened the quote is at fault; those behind it are read for themselves.
            Record::Open | Record::Broken => self.give_up(&record, sink),
        }
    }

    fn begin(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) {
        if line.is_empty() {
            return;
        }
        if self.columns.is_empty() {
            return self.take_header(line);
        }
        match self.cells.read(line, self.separator.unwrap_or(b',')) {
            Record::Whole => self.row(line, number, sink),
            Record::Open => {
                self.open.extend_from_slice(line);
                self.open_at = number;
            }
            Record::Broken => self.broken(line, number, sink),
        }
    }

    /// Counts the first line of a record as broken, and reads the others anew.
    fn give_up(&mut self, record: &[u8], sink: &mut Sink<'_>) {
        let at = self.open_at;
        let mut rest = record.split(|&byte| byte == b'\n');
        self.broken(rest.next().unwrap_or_default(), at, sink);
        self.open_bytes = 0;
        for (index, line) in rest.enumerate() {
            // The other lines may open a quote again; what is kept is bounded, and so is this.
            self.line(line, at + 1 + index as u64, sink);
        }
    }

    fn broken(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) {
        self.faults.add(Fault::Broken, number);
        self.gather.clear();
        self.gather.text("text", line);
        self.gather.emit(number, line, sink);
    }

    fn take_header(&mut self, line: &[u8]) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let separator = *self.separator.get_or_insert_with(|| separator(line));
        self.cells.read(line, separator);
        self.columns = self.cells.each().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        self.header.clear();
        self.header.extend_from_slice(line);
        self.header.push(b'\n');
    }

    fn row(&mut self, raw: &[u8], number: u64, sink: &mut Sink<'_>) {
        if self.is_header() {
            if self.cells.each().ne(self.columns.iter().map(String::as_bytes)) {
                self.faults.add(Fault::Header, number);
                self.take_header(raw);
            }
            return;
        }
        self.gather.clear();
        if self.cells.ranges.len() == self.columns.len() {
            for (name, cell) in self.columns.iter().zip(self.cells.each()) {
                self.gather.add(name, self.map.get(name), cell);
            }
        } else {
            // Which cell is missing cannot be known: what they look like must do.
            self.faults.add(Fault::Columns, number);
            self.cells.each().for_each(|cell| self.gather.text("text", cell));
        }
        self.gather.emit(number, raw, sink);
    }

    /// Whether a row is a header again, as where files were joined: half of its cells are names of columns, and all are
    /// names of some kind.
    fn is_header(&self) -> bool {
        let mut known = 0;
        for cell in self.cells.each() {
            let Ok(cell) = std::str::from_utf8(cell) else { return false };
            let cell = cell.trim();
            let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '@' | '(' | ')');
            if !cell.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@' || c == '_') || !cell.chars().all(name) {
                return false;
            }
            known += usize::from(self.columns.iter().any(|column| column == cell));
        }
        known >= 2 && known * 2 >= self.cells.ranges.len() || (known == 1 && self.cells.ranges.len() == 1)
    }
}

impl Reader for Csv {
    fn block(&mut self, bytes: &[u8], first: u64, sink: &mut Sink<'_>) {
        let mut number = first;
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            self.line(line.strip_suffix(b"\r").unwrap_or(line), number, sink);
            let after = rest.get(end + 1..).unwrap_or_default();
            self.open_bytes = if self.open.is_empty() { 0 } else { self.open_bytes + rest.len() - after.len() };
            rest = after;
            number += 1;
        }
    }

    fn end(&mut self, sink: &mut Sink<'_>) {
        if !self.open.is_empty() {
            let record = std::mem::take(&mut self.open);
            self.faults.add(Fault::Cut, self.open_at);
            lines::each(&record, self.open_at, &mut |line, number| {
                self.gather.clear();
                self.gather.text("text", line);
                self.gather.emit(number, line, sink);
            });
        }
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn pending(&self) -> usize {
        self.open_bytes
    }

    fn header(&self) -> &[u8] {
        &self.header
    }
}

impl Cells {
    fn each(&self) -> impl Iterator<Item = &[u8]> {
        self.ranges.iter().filter_map(|range| self.bytes.get(range.clone()))
    }

    /// Parts a record into its cells.
    fn read(&mut self, record: &[u8], separator: u8) -> Record {
        self.bytes.clear();
        self.ranges.clear();
        let mut rest = record;
        loop {
            let start = self.bytes.len();
            let after = match rest.split_first() {
                Some((b'"', quoted)) => match self.quoted(quoted) {
                    Some(after) => after,
                    None => return Record::Open,
                },
                _ => {
                    let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
                    self.bytes.extend_from_slice(rest.get(..end).unwrap_or_default());
                    rest.get(end..).unwrap_or_default()
                }
            };
            if self.ranges.len() >= MOST_COLUMNS {
                return Record::Broken;
            }
            self.ranges.push(start..self.bytes.len());
            match after.split_first() {
                None => return Record::Whole,
                Some((&byte, next)) if byte == separator => rest = next,
                Some(_) => return Record::Broken,
            }
        }
    }

    /// Keeps a quoted cell; what is behind its closing quote, or nothing if it does not close.
    fn quoted<'r>(&mut self, mut rest: &'r [u8]) -> Option<&'r [u8]> {
        loop {
            let quote = memchr::memchr(b'"', rest)?;
            self.bytes.extend_from_slice(rest.get(..quote)?);
            match rest.get(quote + 1..)?.split_first() {
                Some((b'"', after)) => {
                    self.bytes.push(b'"');
                    rest = after;
                }
                _ => return rest.get(quote + 1..),
            }
        }
    }
}

/// What parts the cells of a header: whichever of the four is in it most.
pub(crate) fn separator(header: &[u8]) -> u8 {
    let count = |&separator: &u8| memchr::memchr_iter(separator, header).count();
    // The last of equals wins, so the comma stands last.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
