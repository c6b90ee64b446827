//! What looks at the bytes of one input: a reader of its format, and the watcher.

use super::hits::Hits;
use super::indicators::micros_now;
use super::summary::Summary;
use std::cell::RefCell;
use std::rc::Rc;
use watch::Watcher;
use watch::input::{Eye, Format};
use watch::read::{Capture, Csv, Faults, FieldMap, JsonLines, Lines, Octets, Plain, Reader, Syslog};
use watch::scan::{self, Scan};

/// What all inputs share.
pub(super) struct Sight {
    pub(super) watcher: Watcher,
    pub(super) hits: Hits,
    pub(super) summary: Summary,
    pub(super) map: FieldMap,
}

/// Looks at one input.
pub(super) struct LogEye {
    input: String,
    sight: Rc<RefCell<Sight>>,
    way: Way,
}

enum Way {
    /// Zeek and EVE, at full speed. `header` is what a table has said of its columns, `before` how many lines it does not
    /// know of because the reading began behind them, `told` how many were such a header.
    Fast {
        scan: Box<Scan>,
        tsv: bool,
        header: Vec<u8>,
        before: u64,
        told: u64,
    },
    Slow(Box<dyn Reader>),
}

impl LogEye {
    /// For an input of this name and format, which is not Parquet.
    pub(super) fn new(input: String, format: Format, sight: Rc<RefCell<Sight>>) -> Self {
        let map = sight.borrow().map.clone();
        let fast = |format| Way::Fast {
            scan: Box::new(Scan::new(format)),
            tsv: format == scan::Format::ZeekTsv,
            header: Vec::new(),
            before: 0,
            told: 0,
        };
        let way = match format {
            Format::ZeekTsv => fast(scan::Format::ZeekTsv),
            Format::ZeekJson => fast(scan::Format::ZeekJson),
            Format::Eve => fast(scan::Format::Eve),
            Format::JsonLines => Way::Slow(Box::new(Lines::new(JsonLines::new(map)))),
            Format::Csv => Way::Slow(Box::new(Csv::new(map))),
            Format::Syslog => Way::Slow(Box::new(Lines::new(Syslog::new(map)))),
            Format::SyslogOctets => Way::Slow(Box::new(Octets::new(map))),
            Format::Pcap => Way::Slow(Box::new(Capture::new())),
            Format::Text | Format::Parquet => Way::Slow(Box::new(Lines::new(Plain::new()))),
        };
        sight.borrow_mut().summary.format(format);
        Self { input, sight, way }
    }
}

impl Eye for LogEye {
    fn block(&mut self, bytes: &[u8], first: u64) {
        let Self { input, sight, way } = self;
        let mut sight = sight.borrow_mut();
        let Sight { watcher, hits, summary, .. } = &mut *sight;
        let before = hits.all;
        if let Some(set) = hits.changed() {
            watcher.swap(set);
        }
        watcher.next(input, micros_now());
        match way {
            Way::Fast { scan, tsv, header, before, told } => {
                *before = first.saturating_sub(scan.report().lines + 1);
                if *tsv {
                    *told += keep_header(bytes, header);
                }
                watcher.block(scan, bytes, &mut |hit| {
                    let mut hit = hit.clone();
                    hit.line += *before;
                    hits.hit(input, &hit);
                });
            }
            Way::Slow(reader) => reader.block(bytes, first, &mut |event| {
                summary.events += 1;
                watcher.event(event, &mut |hit| hits.hit(input, hit));
            }),
        }
        if hits.all > before {
            hits.flush();
        }
    }

    fn end(&mut self) {
        let Self { input, sight, way } = self;
        let mut sight = sight.borrow_mut();
        let Sight { watcher, hits, summary, .. } = &mut *sight;
        match way {
            Way::Fast { scan, before, .. } => watcher.finish(scan, &mut |hit| {
                let mut hit = hit.clone();
                hit.line += *before;
                hits.hit(input, &hit);
            }),
            Way::Slow(reader) => reader.end(&mut |event| {
                summary.events += 1;
                watcher.event(event, &mut |hit| hits.hit(input, hit));
            }),
        }
        hits.flush();
    }

    fn by_lines(&self) -> bool {
        match &self.way {
            Way::Fast { .. } => true,
            Way::Slow(reader) => reader.by_lines(),
        }
    }

    fn pending(&self) -> usize {
        match &self.way {
            Way::Fast { .. } => 0,
            Way::Slow(reader) => reader.pending(),
        }
    }

    fn header(&self) -> &[u8] {
        match &self.way {
            Way::Fast { header, .. } => header,
            Way::Slow(reader) => reader.header(),
        }
    }

    fn count(&mut self, faults: &Faults) {
        self.sight.borrow_mut().summary.cut_lines(&self.input, faults);
    }
}

impl Drop for LogEye {
    /// What it could not read is told once it is done.
    fn drop(&mut self) {
        let mut sight = self.sight.borrow_mut();
        match &self.way {
            Way::Fast { scan, told, .. } => {
                let report = scan.report();
                sight.summary.events += report.lines.saturating_sub(report.broken + told);
                sight.summary.scanned(&self.input, report);
            }
            Way::Slow(reader) => sight.summary.cut_lines(&self.input, reader.faults()),
        }
    }
}

/// Keeps the lines of a header that begin with `#`; a new one takes the place of the old. How many they are.
fn keep_header(bytes: &[u8], header: &mut Vec<u8>) -> u64 {
    const LONGEST: usize = 1 << 16;
    let (mut at, mut count) = (0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.first() != Some(&b'#') {
            let Some(next) = memchr::memmem::find(rest, b"\n#") else { break };
            at += next + 1;
            continue;
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end).unwrap_or_default();
        if line.starts_with(b"#separator") {
            header.clear();
        }
        if !line.starts_with(b"#close") && header.len() + line.len() <= LONGEST {
            header.extend_from_slice(line);
        }
        at += end;
        count += 1;
    }
    count
}
