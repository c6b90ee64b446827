//! Readers of sensors' logs at the speed at which they are written: JSON lines and Zeek's columns.
//!
//! A [`Scan`] is given a log in pieces, as they come, and shows each line that it can read once: which known fields
//! it has, where their values stand. Nothing is copied that is not escaped in the log or cut between two pieces.
//! What cannot be read is counted and left out, and says nothing of the line after it.

mod columns;
mod fault;
mod json;
pub(crate) mod keys;
mod learn;
pub(crate) mod line;
mod mask;
mod parted;
pub(crate) mod parts;
mod rows;
mod trail;
mod unescape;

use std::sync::LazyLock;

use columns::Header;
pub use fault::{Fault, Report};
use fearless_simd::Level;
use json::Walk;
use keys::Keys;
use line::{Lines, Names, Past, Window};
use mask::Outline;
use parted::Parted;
use rows::Rows;
use trail::{Followed, Trails};

use crate::general::Columns as ColumnNames;
use crate::{eve, vectors, zeek};

/// Longer lines are counted and left out: 1 MiB.
pub const MAX_LINE: usize = 1 << 20;
/// Objects and arrays stand in one another at most this deep.
pub const MAX_DEPTH: usize = 32;
/// Bytes that are gone over at once: few enough to be in the first level cache while they are walked.
const WINDOW: usize = 16 << 10;

/// A format that is read at full speed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Zeek's logs as JSON, one object a line.
    ZeekJson,
    /// Zeek's logs as columns, with a header.
    ZeekTsv,
    /// Suricata's EVE log, one JSON object a line.
    Eve,
}

impl Format {
    /// The format of a log that begins like this; `None` if it is none of these.
    #[must_use]
    pub fn recognise(begin: &[u8]) -> Option<Self> {
        let begin = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begin).trim_ascii_start();
        let line = begin.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if [&b"#separator "[..], b"#fields\t", b"#path\t"].iter().any(|head| line.starts_with(head)) {
            return Some(Self::ZeekTsv);
        }
        if !line.starts_with(b"{") {
            let names = Header::default().names_columns(line, &ZEEK);
            return (names && line.starts_with(b"ts\t")).then_some(Self::ZeekTsv);
        }
        let has = |key: &[u8]| memchr::memmem::find(line, key).is_some();
        if has(b"\"event_type\"") {
            return Some(Self::Eve);
        }
        let zeek = has(b"\"_path\"")
            || (has(b"\"ts\"") && [&b"\"uid\""[..], b"\"fuid\"", b"\"id.orig_h\""].into_iter().any(has));
        let certificate = has(b"\"ts\"") && (has(b"\"certificate.") || has(b"\"fingerprint\""));
        (zeek || certificate).then_some(Self::ZeekJson)
    }
}

static ZEEK: LazyLock<Keys> = LazyLock::new(|| Keys::new(zeek::FIELDS, true));
static EVE: LazyLock<Keys> = LazyLock::new(|| Keys::new(eve::FIELDS, false));

/// Reads one log from its beginning.
#[derive(Debug)]
pub struct Scan {
    format: Format,
    /// Which vectors the processor has.
    level: Level,
    outline: Outline,
    trails: Trails,
    columns: Parted,
    header: Header,
    lines: Lines,
    /// Headers that were in force earlier in the window.
    past: Vec<Past>,
    report: Report,
    /// The beginning of a line whose end has not come.
    carried: Vec<u8>,
    /// Whether the line that is being read is too long, and left out.
    too_long: bool,
}

impl Scan {
    /// Begins with the first line.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            level: Level::new(),
            outline: Outline::default(),
            trails: Trails::default(),
            columns: Parted::default(),
            header: Header::default(),
            lines: Lines::default(),
            past: Vec::new(),
            report: Report::default(),
            carried: Vec::new(),
            too_long: false,
        }
    }

    /// The same with these vectors.
    #[cfg(test)]
    pub(crate) fn with_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// What was read so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes the next piece of the log and shows the lines that end in it.
    pub(crate) fn feed(&mut self, piece: &[u8], each: &mut dyn FnMut(&[u8], &mut Self)) {
        let mut rest = piece;
        if !self.carried.is_empty() || self.too_long {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (head, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.carry(head);
            rest = tail;
            if head.last() != Some(&b'\n') {
                return;
            }
            self.finish(each);
        }
        let whole = memchr::memrchr(b'\n', rest).map_or(0, |at| at + 1);
        let (lines, begin) = rest.split_at_checked(whole).unwrap_or((rest, &[]));
        if !lines.is_empty() {
            each(lines, self);
        }
        self.carry(begin);
    }

    /// Shows the last line, if it was not ended by a line feed.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&[u8], &mut Self)) {
        let mut carried = std::mem::take(&mut self.carried);
        if std::mem::take(&mut self.too_long) {
            self.report.lines += 1;
            self.report.broken(self.report.lines, Fault::Length);
        } else if !carried.is_empty() {
            each(&carried, self);
        }
        carried.clear();
        self.carried = carried;
    }

    /// Keeps the beginning of a line, as long as it is not too long.
    fn carry(&mut self, begin: &[u8]) {
        if self.too_long || self.carried.len() + begin.len() > MAX_LINE + 1 {
            self.carried.clear();
            self.too_long = true;
        } else {
            self.carried.extend_from_slice(begin);
        }
    }

    /// Reads whole lines, and shows those that can be read, a window at a time.
    pub(crate) fn lines(&mut self, text: &[u8], show: &mut impl FnMut(Window<'_>)) {
        let mut rest = text;
        while !rest.is_empty() {
            let window = rest.get(..WINDOW).unwrap_or(rest);
            let end = match memchr::memrchr(b'\n', window) {
                Some(at) => at + 1,
                None => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
            };
            let (window, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let ahead = std::mem::replace(&mut rest, tail);
            if window.len() > MAX_LINE + 1 {
                self.report.lines += 1;
                self.report.broken(self.report.lines, Fault::Length);
                continue;
            }
            match self.format {
                Format::ZeekJson => self.json(&ZEEK, ahead, end, show),
                Format::Eve => self.json(&EVE, ahead, end, show),
                Format::ZeekTsv => self.tsv(&ZEEK, window, show),
            }
        }
    }

    /// Reads the lines of a window, which is the beginning of a text.
    fn json(&mut self, keys: &'static Keys, text: &[u8], length: usize, show: &mut impl FnMut(Window<'_>)) {
        self.lines.clear();
        let window = text.get(..length).unwrap_or(text);
        let mut start = 0;
        while start < window.len() {
            self.report.lines += 1;
            self.lines.begin();
            let (end, read) = match self.trails.follow(text, start, &mut self.lines) {
                Some(Followed { end, ascii: true }) => (end, Ok(true)),
                Some(Followed { end, ascii: false }) => {
                    let utf8 = window.get(start..end).is_some_and(|line| simdutf8::basic::from_utf8(line).is_ok());
                    (end, if utf8 { Ok(true) } else { Err(Fault::Encoding) })
                }
                None => self.walk(keys, window, start),
            };
            match read {
                Ok(true) => {
                    if self.lines.late {
                        settle(self.format, &mut self.lines, window, keys, &[]);
                    }
                    self.lines.end(self.report.lines, start, end);
                }
                Ok(false) => {}
                Err(fault) => self.report.broken(self.report.lines, fault),
            }
            start = end + 1;
        }
        self.lines.begin();
        show(Window { text: window, lines: &self.lines, keys, header: None });
    }

    /// Reads one line from mark to mark; where it ends, and whether it is one.
    fn walk(&mut self, keys: &'static Keys, window: &[u8], start: usize) -> (usize, Result<bool, Fault>) {
        let rest = window.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..=length).unwrap_or(rest);
        let end = start + length;
        self.lines.begin();
        self.outline.of(self.level, line);
        let marks = self.outline.positions();
        let mut walk = Walk { text: line, outline: &self.outline, marks, keys, lines: &mut self.lines, base: start };
        let mut read = walk.line();
        if !self.outline.is_ascii() && simdutf8::basic::from_utf8(line).is_err() {
            read = Err(Fault::Encoding);
        }
        if read == Ok(true) {
            self.trails.learn(line, keys);
        }
        (end, read)
    }

    fn tsv(&mut self, keys: &'static Keys, window: &[u8], show: &mut impl FnMut(Window<'_>)) {
        let mut rest = window;
        // A header may change the separator, and then what comes after it is outlined anew.
        while !rest.is_empty() {
            self.columns.of(self.level, rest, self.header.separator);
            let utf8 = self.columns.is_ascii() || simdutf8::basic::from_utf8(rest).is_ok();
            self.lines.clear();
            self.past.clear();
            let end = vectors::run(self.level, Rows { scan: self, keys, window: rest, utf8 });
            self.lines.begin();
            let now = ColumnNames { names: &self.header.names, separator: self.header.separator };
            let header = Some(Names { now, past: &self.past });
            show(Window { text: rest, lines: &self.lines, keys, header });
            rest = rest.get(end..).unwrap_or_default();
        }
    }
}

fn settle(format: Format, lines: &mut Lines, window: &[u8], keys: &Keys, path: &[u8]) {
    match format {
        Format::ZeekJson | Format::ZeekTsv => zeek::settle(lines, window, keys, path),
        Format::Eve => eve::settle(lines, window, keys),
    }
}

#[cfg(test)]
mod tests;
