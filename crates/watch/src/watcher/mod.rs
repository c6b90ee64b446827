//! Telemetry met by the set: probes of every value, and hits.
//!
//! A line that hits is rare, so lines are first asked as a whole whether they could: the keys of all values of a window
//! of lines go through the set's filter together, and the misses of the cache overlap. Only lines with a key that is claimed
//! are looked at one by one, the way [`Watcher::event`] looks at every event.

mod batch;
mod meet;
mod quads;
mod quick;

use std::borrow::Cow;
use std::sync::Arc;

use batch::Batch;
use meet::{Look, Meet};
pub(crate) use meet::{mailboxes, without_port};
use observable::Kind;

use crate::general::{CANDIDATES, Circumstances, Columns, Patterns, Witness};
use crate::scan::Scan;
use crate::scan::line::Window;
use crate::set::{Found, Set};
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
    /// Of a pattern that says more than a list of values, the values that took part, as far as they are of a kind;
    /// empty for a claim on one, and where observations were put off.
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
    /// Beside the set, if there are any.
    patterns: Option<Arc<Patterns>>,
    circumstances: Circumstances,
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
            batch: Batch::new(),
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
        self.batch.forget();
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
        let lines = self.batch.lines(&self.set, &mut self.meet, &mut self.found, window);
        if self.patterns.as_ref().is_some_and(|patterns| patterns.everywhere() > 0) {
            lines.extend(window.rows().map(|(place, _)| place as u32));
        }
        if lines.is_empty() {
            return;
        }
        let mut lines = std::mem::take(lines);
        lines.sort_unstable();
        lines.dedup();
        for place in &lines {
            let place = *place as usize;
            let Some(row) = window.row(place) else { continue };
            let fields: Vec<Field<'_>> = window.fields(place).collect();
            let event = Event { line: row.number, raw: window.raw(row), time: window.time(row), fields: &fields };
            self.event_of(&event, window.columns(place), sink);
        }
        self.batch.give_back(lines);
    }
}
