//! A hit as a line of JSON.

use super::hits::Hit;
use serde::{Deserialize, Serialize};

/// What a line says of a hit; the order of its members is that of the line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// When the event happened, in UTC where that could be read.
    pub time: Option<String>,
    /// Where it came from.
    pub input: String,
    /// The number of its line there.
    pub line: u64,
    /// The number of its message, where the input is a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
    /// The STIX id of the indicator.
    pub indicator: String,
    /// The kind of the value.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as it stood in the event.
    pub value: String,
    /// The field that it stood in.
    pub field: String,
    /// The indicator's version.
    pub modified: String,
    /// Who brought it in.
    pub source: String,
    /// How sure its author is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Its marking.
    pub tlp: String,
}

impl Line {
    /// Of a hit.
    #[must_use]
    pub fn of(hit: &Hit) -> Self {
        let is_stream = hit.input.starts_with("nats://");
        Self {
            time: hit.time.clone(),
            input: hit.input.to_string(),
            line: hit.line,
            message: is_stream.then_some(hit.place),
            indicator: hit.indicator.id.clone(),
            kind: hit.kind.name().to_owned(),
            value: hit.value.clone(),
            field: hit.field.clone(),
            modified: hit.indicator.modified.clone(),
            source: hit.indicator.source.clone(),
            confidence: hit.indicator.confidence,
            tlp: hit.indicator.tlp.label().to_owned(),
        }
    }
}
