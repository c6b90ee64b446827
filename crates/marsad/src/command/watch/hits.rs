//! Hits, on stdout.

use super::indicators::Source;
use crate::outcome::Failure;
use std::collections::HashMap;
use std::io::{self, Write as _};
use watch::Hit;

/// Writes hits, and counts them.
pub(super) struct Hits {
    source: Source,
    counts: HashMap<u64, u64>,
    most: Option<u64>,
    out: io::BufWriter<io::Stdout>,
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
    pub(super) fn new(source: Source, most: Option<u64>) -> Self {
        let out = io::BufWriter::new(io::stdout());
        Self { source, counts: HashMap::new(), most, out, failed: None, all: 0, held_back: 0 }
    }

    /// Another set to look with, if indicators came or went.
    pub(super) fn changed(&mut self) -> Option<std::sync::Arc<watch::Set>> {
        self.source.changed()
    }

    /// The patterns beside the set.
    pub(super) fn patterns(&self) -> &std::sync::Arc<watch::general::Patterns> {
        self.source.patterns()
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
        let Some(indicator) = self.source.confirm(hit.name, hit.kind, hit.value.as_bytes())? else { return Ok(()) };
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
            indicator: &indicator,
            r#type: hit.kind.name(),
            value: &hit.value,
            field: hit.field,
        };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// Hands on what has been written.
    pub(super) fn flush(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.flush()
        {
            self.failed = Some(error);
        }
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
