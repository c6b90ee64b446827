//! Hits, on stdout.

use super::indicators::{Names, confirmed};
use crate::outcome::Failure;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};
use watch::Hit;
use watch::list::Indicator;

/// How many indicators are kept ready; with more, all are looked up anew.
const MOST_READY: usize = 1 << 16;

/// Writes hits, and counts them.
pub(super) struct Hits {
    names: Names,
    ready: HashMap<u64, Option<Rc<Indicator>>>,
    counts: HashMap<u64, u64>,
    most: Option<u64>,
    out: io::BufWriter<io::Stdout>,
    /// Microseconds since 1970 when the watch began: what is valid is judged by it.
    now: i64,
    failed: Option<io::Error>,
    /// How many hits there were.
    pub(super) all: u64,
    /// How many of them were only counted.
    pub(super) held_back: u64,
}

/// One hit, as it is written.
#[derive(serde::Serialize)]
struct Line<'h> {
    time: Option<String>,
    input: &'h str,
    line: u64,
    indicator: &'h str,
    r#type: &'static str,
    value: &'h str,
    field: &'h str,
}

impl Hits {
    pub(super) fn new(names: Names, most: Option<u64>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            names,
            ready: HashMap::new(),
            counts: HashMap::new(),
            most,
            out: io::BufWriter::new(io::stdout()),
            now: i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            failed: None,
            all: 0,
            held_back: 0,
        }
    }

    /// Writes a hit, if the indicator still counts and means the value.
    pub(super) fn hit(&mut self, input: &str, hit: &Hit<'_>) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = self.written(input, hit) {
            self.failed = Some(error);
        }
    }

    fn written(&mut self, input: &str, hit: &Hit<'_>) -> io::Result<()> {
        let Some(indicator) = self.indicator(hit.name)? else { return Ok(()) };
        if !confirmed(&indicator, hit.kind, hit.value.as_bytes()) {
            return Ok(());
        }
        self.all += 1;
        let count = self.counts.entry(hit.name).or_default();
        *count += 1;
        if self.most.is_some_and(|most| *count > most) {
            self.held_back += 1;
            return Ok(());
        }
        let time =
            hit.time.map(|raw| watch::time::utc(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()));
        let line = Line {
            time,
            input,
            line: hit.line,
            indicator: indicator.label(),
            r#type: hit.kind.name(),
            value: &hit.value,
            field: hit.field,
        };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// The indicator of a number, if it holds now.
    fn indicator(&mut self, name: u64) -> io::Result<Option<Rc<Indicator>>> {
        if let Some(ready) = self.ready.get(&name) {
            return Ok(ready.clone());
        }
        let now = self.now;
        let holds = |indicator: &Indicator| {
            indicator.valid_from.is_none_or(|from| from <= now) && indicator.valid_until.is_none_or(|until| now < until)
        };
        let found = (self.names)(name)?.filter(holds).map(Rc::new);
        if self.ready.len() >= MOST_READY {
            self.ready.clear();
        }
        self.ready.insert(name, found.clone());
        Ok(found)
    }

    /// Hands on what has been written.
    pub(super) fn flush(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.flush()
        {
            self.failed = Some(error);
        }
    }

    pub(super) fn finish(&mut self) {
        self.flush();
    }

    /// Whether hits cannot be written any more.
    pub(super) fn failed(&self) -> bool {
        self.failed.is_some()
    }

    pub(super) fn failure(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Of how many indicators there were hits.
    pub(super) fn indicators(&self) -> usize {
        self.counts.len()
    }
}
