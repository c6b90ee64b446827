//! Rows of columns, read under the header that is in force.

use std::sync::Arc;

use fearless_simd::Simd;

use super::fault::Fault;
use super::keys::Keys;
use super::line::Past;
use super::{Scan, json, settle};
use crate::vectors::Work;

/// Reads the rows of a window that was parted, up to a change of the separator.
pub(super) struct Rows<'r> {
    pub(super) scan: &'r mut Scan,
    pub(super) keys: &'static Keys,
    pub(super) window: &'r [u8],
    /// Whether all of it is UTF-8.
    pub(super) utf8: bool,
}

impl Work for Rows<'_> {
    /// How far it came.
    type Output = usize;

    #[inline(always)]
    fn with<S: Simd>(self, simd: S) -> usize {
        let Self { scan, keys, window, utf8 } = self;
        let separator = scan.header.separator;
        scan.header.escapes = memchr::memchr(b'\\', window).is_some();
        let mut cursor = scan.columns.begin();
        let mut start = 0;
        while start < window.len() {
            let line = scan.columns.line(simd, &mut cursor, scan.header.wanted());
            let (begin, end, width) = (start, line.end, line.width);
            start = end + 1;
            scan.report.lines += 1;
            scan.lines.begin();
            let text = window.get(begin..end).unwrap_or_default();
            let is_valid = utf8 || std::str::from_utf8(text).is_ok();
            if is_valid && width == scan.header.width && text.first() != Some(&b'#') {
                scan.header.read(window, line.marks, &mut scan.lines);
                if scan.lines.late {
                    settle(scan.format, &mut scan.lines, window, keys, scan.header.path());
                }
                scan.lines.end(scan.report.lines, begin, end);
                continue;
            }
            let read = if is_valid { scan.other(keys, text, width) } else { Err(Fault::Encoding) };
            if let Err(fault) = read {
                scan.report.broken(scan.report.lines, fault);
            }
            if scan.header.separator != separator {
                break;
            }
        }
        start.min(window.len())
    }
}

impl Scan {
    /// Reads what is no row: what belongs to a header, or nothing that can be read.
    #[cold]
    #[inline(never)]
    fn other(&mut self, keys: &Keys, text: &[u8], width: usize) -> Result<(), Fault> {
        if text.first() == Some(&b'#') {
            if text.starts_with(b"#fields") || text.starts_with(b"#separator") {
                let (until, names) = (self.lines.count(), Arc::clone(&self.header.names));
                self.past.push(Past { until, names, separator: self.header.separator });
            }
            self.header.line(text, keys)
        } else if json::blank(text) {
            Ok(())
        } else if self.header.width != 0 {
            Err(Fault::Columns { found: width, named: self.header.width })
        } else if self.header.names_columns(text, keys) {
            self.header.fields(text, keys)
        } else {
            Err(Fault::Header)
        }
    }
}
