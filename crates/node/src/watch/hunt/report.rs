//! What a hunt has found, in all.

use super::{Error, state::Journal};
use crate::watch::line::Line;
use serde::Serialize;
use std::collections::BTreeMap;

/// The end of a hunt.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Report {
    /// Files that were searched to their end.
    pub files: u64,
    /// Files that could not be read.
    pub unread: u64,
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Events that could be read.
    pub events: u64,
    /// Lines and records that could not.
    pub faults: u64,
    /// Hits.
    pub hits: u64,
    /// By indicator, those with most hits first.
    pub indicators: Vec<Row>,
}

/// One indicator that was met.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Row {
    /// Its STIX id.
    pub indicator: String,
    /// A value that was met.
    pub value: String,
    /// Who brought it in.
    pub source: String,
    /// How often.
    pub hits: u64,
    /// The earliest event, where events say when they happened.
    pub first: Option<String>,
    /// The latest event.
    pub last: Option<String>,
}

impl Report {
    pub(super) fn of(journal: &mut Journal) -> Result<Self, Error> {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut hits = 0;
        journal.each_hit(&mut |line| {
            let Ok(line) = serde_json::from_str::<Line>(line) else { return };
            hits += 1;
            let row = rows.entry(line.indicator.clone()).or_insert_with(|| Row {
                indicator: line.indicator,
                value: line.value,
                source: line.source,
                ..Row::default()
            });
            row.hits += 1;
            if let Some(time) = line.time {
                if row.first.as_ref().is_none_or(|first| time < *first) {
                    row.first = Some(time.clone());
                }
                if row.last.as_ref().is_none_or(|last| time > *last) {
                    row.last = Some(time);
                }
            }
        })?;
        let mut indicators: Vec<Row> = rows.into_values().collect();
        indicators.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.indicator.cmp(&b.indicator)));
        let [bytes, events, faults] = journal.counted();
        let (files, unread) = (journal.progress.done.len() as u64, journal.progress.unread);
        Ok(Self { files, unread, bytes, events, faults: faults + journal.progress.faults, hits, indicators })
    }
}
