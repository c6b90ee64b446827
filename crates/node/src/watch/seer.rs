//! Looks at the bytes of one input: reads events, meets them with the set of the book as it is now, and asks the book again
//! before anything counts as a hit.

use super::book::Followed;
use super::hits::Hit;
use ::watch::input::{Eye, Format};
use ::watch::read::{Capture, Csv, Faults, FieldMap, JsonLines, Lines, Octets, Plain, Reader, Syslog};
use ::watch::scan::{self, Scan};
use ::watch::{Watcher, time};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of a header that are kept for who resumes.
const MOST_HEADER: usize = 64 << 10;
/// How often the book is asked again that could not be read, and how long is waited before.
const AGAIN: (u32, Duration) = (20, Duration::from_millis(250));

/// What was seen, over all inputs.
#[derive(Debug, Default)]
pub struct Tally {
    /// Bytes, unpacked.
    pub bytes: AtomicU64,
    /// Events that could be read.
    pub events: AtomicU64,
    /// Lines and records that could not.
    pub faults: AtomicU64,
    /// Hits that the book confirmed.
    pub hits: AtomicU64,
    /// What the set named and the book did not confirm: ended, withheld, out of its window.
    pub unconfirmed: AtomicU64,
    /// What could not be asked, as the book could not be read.
    pub unknown: AtomicU64,
}

/// Hits that wait to be handed on.
#[derive(Clone, Debug, Default)]
pub struct Found(Arc<Mutex<Vec<Hit>>>);

impl Found {
    /// Takes what there is.
    #[must_use]
    pub fn take(&self) -> Vec<Hit> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

enum How {
    /// A format that is read at full speed; whether it has a header.
    Scan(Box<Scan>, bool),
    Reader(Box<dyn Reader>),
}

/// Sees one input.
pub struct Seer {
    watcher: Watcher,
    generation: u64,
    how: How,
    header: Vec<u8>,
    telling: Telling,
}

impl std::fmt::Debug for Seer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seer").field("input", &self.telling.input).finish_non_exhaustive()
    }
}

/// What is said of a hit, and to whom.
struct Telling {
    followed: Arc<Followed>,
    input: Arc<str>,
    /// The number of the message, where an input has such.
    place: Option<u64>,
    found: Found,
    tally: Arc<Tally>,
}

impl Seer {
    /// Sees an input of this name in this format; `None`: no reader knows it.
    #[must_use]
    pub fn new(
        followed: &Arc<Followed>,
        input: &str,
        format: Format,
        found: &Found,
        tally: &Arc<Tally>,
    ) -> Option<Self> {
        let how = how(format)?;
        let now = followed.now();
        let telling = Telling {
            followed: Arc::clone(followed),
            input: input.into(),
            place: None,
            found: found.clone(),
            tally: Arc::clone(tally),
        };
        let watcher = Watcher::new(Arc::clone(&now.set)).with_patterns(Arc::clone(followed.patterns()));
        Some(Self { watcher, generation: now.generation, how, header: Vec::new(), telling })
    }

    /// The message that what comes next is out of.
    pub fn at(&mut self, place: u64) {
        self.telling.place = Some(place);
    }

    /// Takes the set as it is now.
    fn renew(&mut self) {
        if self.telling.followed.generation() != self.generation {
            let now = self.telling.followed.now();
            self.watcher.swap(Arc::clone(&now.set));
            self.generation = now.generation;
        }
    }
}

fn how(format: Format) -> Option<How> {
    let map = FieldMap::default;
    let reader: Box<dyn Reader> = match format {
        Format::ZeekTsv => return Some(How::Scan(Box::new(Scan::new(scan::Format::ZeekTsv)), true)),
        Format::ZeekJson => return Some(How::Scan(Box::new(Scan::new(scan::Format::ZeekJson)), false)),
        Format::Eve => return Some(How::Scan(Box::new(Scan::new(scan::Format::Eve)), false)),
        Format::JsonLines => Box::new(Lines::new(JsonLines::new(map()))),
        Format::Csv => Box::new(Csv::new(map())),
        Format::Syslog => Box::new(Lines::new(Syslog::new(map()))),
        Format::SyslogOctets => Box::new(Octets::new(map())),
        Format::Text => Box::new(Lines::new(Plain::new())),
        Format::Pcap => Box::new(Capture::new()),
        Format::Parquet => return None,
    };
    Some(How::Reader(reader))
}

impl Eye for Seer {
    fn block(&mut self, bytes: &[u8], first: u64) {
        self.renew();
        let Self { watcher, how, header, telling, .. } = self;
        watcher.next(&telling.input, crate::clock::now());
        telling.tally.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        match how {
            How::Scan(scan, has_header) => {
                if *has_header {
                    keep_header(header, bytes);
                }
                let (lines, broken) = (scan.report().lines, scan.report().broken);
                // The scan counts the lines that it was given, which need not have begun with the first.
                let shift = first.wrapping_sub(1).wrapping_sub(lines);
                let sink = &mut |hit: &::watch::Hit<'_>| telling.tell(hit, hit.line.wrapping_add(shift));
                watcher.block(scan, bytes, sink);
                if bytes.last() != Some(&b'\n') {
                    watcher.finish(scan, sink);
                }
                let (lines, broken) = (scan.report().lines - lines, scan.report().broken - broken);
                telling.tally.events.fetch_add(lines.saturating_sub(broken), Ordering::Relaxed);
                telling.tally.faults.fetch_add(broken, Ordering::Relaxed);
            }
            How::Reader(reader) => {
                let mut events = 0;
                reader.block(bytes, first, &mut |event| {
                    events += 1;
                    watcher.event(event, &mut |hit| telling.tell(hit, hit.line));
                });
                telling.tally.events.fetch_add(events, Ordering::Relaxed);
            }
        }
    }

    fn end(&mut self) {
        let Self { watcher, how, telling, .. } = self;
        if let How::Reader(reader) = how {
            let mut events = 0;
            reader.end(&mut |event| {
                events += 1;
                watcher.event(event, &mut |hit| telling.tell(hit, hit.line));
            });
            telling.tally.events.fetch_add(events, Ordering::Relaxed);
            let faults: u64 = ::watch::read::Fault::ALL.iter().map(|fault| reader.faults().of(*fault)).sum();
            telling.tally.faults.fetch_add(faults, Ordering::Relaxed);
        }
    }

    fn by_lines(&self) -> bool {
        match &self.how {
            How::Scan(..) => true,
            How::Reader(reader) => reader.by_lines(),
        }
    }

    fn pending(&self) -> usize {
        match &self.how {
            How::Scan(..) => 0,
            How::Reader(reader) => reader.pending(),
        }
    }

    fn header(&self) -> &[u8] {
        match &self.how {
            How::Scan(..) => &self.header,
            How::Reader(reader) => reader.header(),
        }
    }

    fn count(&mut self, faults: &Faults) {
        let count: u64 = ::watch::read::Fault::ALL.iter().map(|fault| faults.of(*fault)).sum();
        self.telling.tally.faults.fetch_add(count, Ordering::Relaxed);
    }
}

/// Keeps the lines of the header that are in force behind a block.
fn keep_header(header: &mut Vec<u8>, block: &[u8]) {
    let mut at = 0;
    while let Some(rest) = block.get(at..) {
        let begins =
            if rest.first() == Some(&b'#') { Some(0) } else { memchr::memmem::find(rest, b"\n#").map(|at| at + 1) };
        let Some(line) = begins.and_then(|begins| rest.get(begins..)) else { return };
        let end = memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
        let line = line.get(..end).unwrap_or_default();
        if line.starts_with(b"#separator") {
            header.clear();
        }
        if header.len() + line.len() <= MOST_HEADER && !line.starts_with(b"#close") {
            header.extend_from_slice(line);
        }
        at += begins.unwrap_or_default() + end;
    }
}

impl Telling {
    /// A hit of the set is a hit if the book says so.
    fn tell(&self, hit: &::watch::Hit<'_>, line: u64) {
        let received = crate::clock::now();
        let indicator = match self.confirmed(hit, received) {
            Some(Some(indicator)) => indicator,
            Some(None) => {
                self.tally.unconfirmed.fetch_add(1, Ordering::Relaxed);
                return;
            }
            None => {
                self.tally.unknown.fetch_add(1, Ordering::Relaxed);
                return;
            }
        };
        self.tally.hits.fetch_add(1, Ordering::Relaxed);
        let time = |raw: &[u8]| time::utc(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
        let hit = Hit {
            indicator,
            kind: hit.kind,
            value: hit.value.clone().into_owned(),
            field: hit.field.to_owned(),
            met: hit.met.to_vec(),
            input: Arc::clone(&self.input),
            line,
            place: self.place.unwrap_or(line),
            time: hit.time.map(time),
            raw: hit.raw.get(..Hit::MOST_RAW).unwrap_or(hit.raw).to_vec(),
            received,
        };
        self.found.0.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
    }

    /// `None`: the book cannot be asked.
    fn confirmed(&self, hit: &::watch::Hit<'_>, at: ledger::Micros) -> Option<Option<Arc<super::Indicator>>> {
        let (times, pause) = AGAIN;
        for again in 0..times {
            match self.followed.confirm(hit.name, hit.kind, hit.value.as_bytes(), at) {
                Ok(indicator) => return Some(indicator),
                Err(error) if again + 1 == times => {
                    tracing::error!(%error, input = %self.input, "a hit cannot be confirmed: the book cannot be read");
                }
                Err(_) => std::thread::sleep(pause),
            }
        }
        None
    }
}

/// A format by the word that people use for it.
#[must_use]
pub fn format(word: &str) -> Option<::watch::input::Wanted> {
    use ::watch::input::Wanted;
    Some(match word {
        "auto" => Wanted::Auto,
        "zeek" => Wanted::Zeek,
        "eve" => Wanted::Only(Format::Eve),
        "jsonl" => Wanted::Only(Format::JsonLines),
        "csv" => Wanted::Only(Format::Csv),
        "syslog" => Wanted::Only(Format::Syslog),
        "text" => Wanted::Only(Format::Text),
        "pcap" => Wanted::Only(Format::Pcap),
        _ => return None,
    })
}
