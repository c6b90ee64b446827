//! Telemetry met by the set: probes of every value, and hits.
//!
//! A line that hits is rare, so lines are first asked as a whole whether they could: the keys of all values of a window
//! of lines go through the set's filter together, and the misses of the cache overlap. Only lines of which a key passed
//! are looked at one by one, the way [`Watcher::event`] looks at every event.

mod meet;
mod quick;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use meet::{Look, Meet};
pub(crate) use meet::{mailboxes, without_port};
use observable::Kind;
use quick::Recent;

use crate::general::{CANDIDATES, Circumstances, Columns, Patterns, Witness};
use crate::scan::Scan;
use crate::scan::line::{Seen, Window};
use crate::set::{Found, Key, Set};
use crate::{Event, Field, Meaning};

/// A value in telemetry that is claimed by the set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hit<'h> {
    /// The set's number of the indicator.
    pub name: u64,
    /// As what the value was met.
    pub kind: Kind,
    /// The value as it stands in the log, escapes undone.
    pub value: Cow<'h, str>,
    /// The name of its field.
    pub field: &'h str,
    /// Of a pattern that says more than a list of values, the values that took part; empty for a claim on one.
    pub met: &'h [Witness],
    /// The number of the line, counted from 1.
    pub line: u64,
    /// When it happened, as the log has it; [`time::utc`](crate::time::utc) reads it.
    pub time: Option<&'h [u8]>,
    /// The line.
    pub raw: &'h [u8],
}

/// Meets telemetry with a set. One thread has one.
pub struct Watcher {
    set: Arc<Set>,
    meet: Meet,
    found: Vec<Found>,
    /// Indicators and fields of the event that were told already.
    told: Vec<(u64, Kind, String)>,
    batch: Batch,
    recent: Recent,
    /// Beside the set, if there are any.
    patterns: Option<Arc<Patterns>>,
    circumstances: Circumstances,
}

/// Keys of the values of a window of lines.
#[derive(Debug, Default)]
struct Batch {
    keys: Vec<Key>,
    /// For each key the place of its line.
    places: Vec<u32>,
    /// Lines that must be looked at.
    lines: Vec<u32>,
    /// Values that were not asked for lately, at the front, and others behind them.
    waiting: Vec<Waiting>,
    /// Addresses among the values, each with the place of its key: networks may cover them.
    addresses: Vec<(u32, IpAddr)>,
    asked: Vec<Asked>,
    /// Keys that the filter let through.
    passed: Vec<u32>,
}

/// A value that may come again.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    tag: Key,
    place: u32,
    seen: Seen,
}

/// The same, and its keys in the batch.
#[derive(Clone, Copy, Debug)]
struct Asked {
    tag: Key,
    first: u32,
    end: u32,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("indicators", &self.set.len()).finish_non_exhaustive()
    }
}

impl Watcher {
    /// Meets with this set.
    #[must_use]
    pub fn new(set: Arc<Set>) -> Self {
        Self {
            set,
            meet: Meet::default(),
            found: Vec::new(),
            told: Vec::new(),
            batch: Batch::default(),
            recent: Recent::new(),
            patterns: None,
            circumstances: Circumstances::default(),
        }
    }

    /// The same, and with patterns whose values are in the set under names from [`CANDIDATES`] on.
    #[must_use]
    pub fn with_patterns(mut self, patterns: Arc<Patterns>) -> Self {
        self.patterns = Some(patterns);
        self
    }

    /// Says what comes next: from which input, and when it is received, in microseconds since 1970. Patterns over several
    /// events take this for who was seen and when, where an event itself does not say.
    pub fn next(&mut self, input: &str, received: i64) {
        if let Some(patterns) = &self.patterns {
            self.circumstances = Circumstances { input: patterns.entity(input.as_bytes()), received };
        }
    }

    /// Meets with another set from the next event on.
    pub fn swap(&mut self, set: Arc<Set>) {
        self.set = set;
        self.recent.clear();
    }

    /// The set that is met.
    #[must_use]
    pub fn set(&self) -> &Arc<Set> {
        &self.set
    }

    /// Tells `sink` every indicator that a field of the event hits, once for each field name.
    pub fn event(&mut self, event: &Event<'_>, sink: &mut dyn FnMut(&Hit<'_>)) {
        self.event_of(event, None, sink);
    }

    fn event_of(&mut self, event: &Event<'_>, columns: Option<Columns<'_>>, sink: &mut dyn FnMut(&Hit<'_>)) {
        self.told.clear();
        let mut is_candidate = false;
        for field in event.fields {
            is_candidate |= self.field(event, field, sink);
        }
        if let Some(patterns) = &self.patterns
            && (is_candidate || patterns.everywhere() > 0)
        {
            patterns.meet(event, columns, self.circumstances, sink);
        }
    }

    /// Returns whether a pattern may be met.
    fn field(&mut self, event: &Event<'_>, field: &Field<'_>, sink: &mut dyn FnMut(&Hit<'_>)) -> bool {
        let Self { set, meet, found, told, .. } = self;
        let mut is_candidate = false;
        let was_told = matches!(field.meaning, Meaning::Detail(_));
        let mut tell = |found: &mut Vec<Found>, kind: Kind, parent: bool, value: &[u8]| {
            for found in found.drain(..) {
                let name = found.name;
                if name & CANDIDATES != 0 {
                    is_candidate = true;
                    continue;
                }
                let claimed = (if parent { found.subdomains } else { found.itself }) && !was_told;
                if !claimed || told.iter().any(|(n, k, f)| (*n, *k, f.as_str()) == (name, kind, field.name)) {
                    continue;
                }
                told.push((name, kind, field.name.to_owned()));
                let value = String::from_utf8_lossy(value);
                let (line, time, raw) = (event.line, event.time, event.raw);
                sink(&Hit { name, kind, value, field: field.name, met: &[], line, time, raw });
            }
        };
        meet.value(set, field.meaning, field.value, &mut |look, value| match look {
            Look::Key { key, kind, parent } => {
                if set.may_hold(key) {
                    found.clear();
                    set.find(key, found);
                    tell(found, kind, parent, value);
                }
            }
            Look::Address(address) => {
                let (kind, key) = meet::address_key(set, address);
                found.clear();
                if set.may_hold(key) {
                    set.find(key, found);
                    tell(found, kind, false, value);
                }
                if set.has_networks() {
                    set.address(address, found);
                    tell(found, Kind::Cidr, false, value);
                }
            }
        });
        is_candidate
    }

    /// Takes the next piece of a log, however it is cut, and tells `sink` the hits of all lines that end in it.
    pub fn block(&mut self, scan: &mut Scan, piece: &[u8], sink: &mut dyn FnMut(&Hit<'_>)) {
        scan.feed(piece, &mut |lines, scan| scan.lines(lines, &mut |window| self.window(window, sink)));
    }

    /// Takes what the log ends with, if that is no line feed.
    pub fn finish(&mut self, scan: &mut Scan, sink: &mut dyn FnMut(&Hit<'_>)) {
        scan.finish(&mut |lines, scan| scan.lines(lines, &mut |window| self.window(window, sink)));
    }

    fn window(&mut self, window: Window<'_>, sink: &mut dyn FnMut(&Hit<'_>)) {
        self.gather(window);
        self.filter();
        if self.patterns.as_ref().is_some_and(|patterns| patterns.everywhere() > 0) {
            self.batch.lines.extend(window.rows().map(|(place, _)| place as u32));
        }
        if self.batch.lines.is_empty() {
            return;
        }
        let mut lines = std::mem::take(&mut self.batch.lines);
        lines.sort_unstable();
        lines.dedup();
        for place in &lines {
            let place = *place as usize;
            let Some(row) = window.row(place) else { continue };
            let fields: Vec<Field<'_>> = window.fields(place).collect();
            let event = Event { line: row.number, raw: window.raw(row), time: window.time(row), fields: &fields };
            self.event_of(&event, window.columns(place), sink);
        }
        self.batch.lines = lines;
    }

    /// Fills the batch.
    fn gather(&mut self, window: Window<'_>) {
        let Self { set, meet, batch, recent, .. } = self;
        let Batch { keys, places, waiting, addresses, asked, .. } = batch;
        keys.clear();
        places.clear();
        addresses.clear();
        asked.clear();
        let mut new = 0;
        for (place, _) in window.rows() {
            for (meaning, seen, value) in window.values(place) {
                // What was asked for not long ago, and in vain, is not asked for again. Which values those are cannot be
                // guessed, so there is no branch on it: the next one takes the place of one that is known.
                let tag = match meaning {
                    Meaning::Address => set.key(Kind::Cidr, value),
                    Meaning::Host | Meaning::Answer => set.key(Kind::Domain, value),
                    _ => {
                        meet.value(set, meaning, value, &mut |look, _| push(set, look, keys, addresses));
                        places.resize(keys.len(), place as u32);
                        continue;
                    }
                };
                let value = Waiting { tag, place: place as u32, seen };
                match waiting.get_mut(new) {
                    Some(free) => *free = value,
                    None => waiting.push(value),
                }
                new += usize::from(!recent.holds(tag));
            }
        }
        for Waiting { tag, place, seen } in waiting.iter().take(new) {
            let value = window.text(*seen);
            let first = keys.len() as u32;
            let is_name = seen.meaning != Some(Meaning::Address);
            if let Some(points) = is_name.then(|| quick::points(value)).flatten() {
                keys.push(*tag);
                if set.has_subdomains() {
                    quick::parents(set, value, points, |key| keys.push(key));
                }
            } else if let Some(meaning) = seen.meaning {
                meet.value(set, meaning, value, &mut |look, _| push(set, look, keys, addresses));
            }
            places.resize(keys.len(), *place);
            asked.push(Asked { tag: *tag, first, end: keys.len() as u32 });
        }
    }

    /// Asks for all keys of the batch: lines that must be looked at are noted, and values that are not claimed.
    fn filter(&mut self) {
        let Self { set, batch, found, recent, .. } = self;
        let Batch { keys, places, lines, addresses, asked, passed, .. } = batch;
        set.sift(keys, passed);
        if !addresses.is_empty() {
            let sifted = passed.len();
            passed.extend(addresses.iter().filter(|(_, address)| covered(set, *address, found)).map(|(key, _)| *key));
            if passed.len() > sifted {
                passed.sort_unstable();
            }
        }
        lines.clear();
        lines.extend(passed.iter().filter_map(|at| places.get(*at as usize)));
        let mut passed = passed.iter().copied().peekable();
        for asked in asked {
            while passed.next_if(|at| *at < asked.first).is_some() {}
            if passed.peek().is_none_or(|at| *at >= asked.end) {
                recent.keep(asked.tag);
            }
        }
    }
}

/// Adds what is to be looked up to a batch.
fn push(set: &Set, look: Look, keys: &mut Vec<Key>, addresses: &mut Vec<(u32, IpAddr)>) {
    match look {
        Look::Key { key, .. } => keys.push(key),
        Look::Address(address) => {
            if set.may_cover(address) {
                addresses.push((keys.len() as u32, address));
            }
            keys.push(meet::address_key(set, address).1);
        }
    }
}

fn covered(set: &Set, address: IpAddr, found: &mut Vec<Found>) -> bool {
    found.clear();
    set.address(address, found);
    !found.is_empty()
}
