//! The ways out by which people and machines are told of alerts.
//!
//! A notice is written from the alert as it stands when it goes out, for one [`policy::Viewer`]: nothing of an alert is told
//! whose indicator that viewer may not see. It waits in the register until the other end has taken it, and goes out at least
//! once; its id says of which alert it is, and which notice of it, so that what comes twice can be folded.

pub mod cef;
pub mod deliver;
pub mod mail;
pub mod syslog;
pub mod webhook;

use super::alert::Alert;
use super::sighting;
use ledger::Micros;
use serde_json::{Value, json};
use stix::timestamp::format_millis;

/// The name and port of a server in an address behind its scheme; `usual` is the port where none is written.
fn server(rest: &str, usual: u16) -> Option<(String, u16)> {
    let authority: http::uri::Authority = rest.trim_end_matches('/').parse().ok()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let behind = authority.as_str().rsplit(']').next().unwrap_or_default();
    let port = match behind.split_once(':') {
        None => usual,
        Some((_, port)) => port.parse().ok().filter(|port| *port > 0)?,
    };
    (!host.is_empty() && !rest.contains('@')).then(|| (host.to_ascii_lowercase(), port))
}

/// What is told of an alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The alert.
    pub alert: String,
    /// Which of its notices.
    pub number: u64,
    /// What people think of it.
    pub state: &'static str,
    /// The indicator that was met.
    pub indicator: String,
    /// What the indicator calls itself.
    pub name: Option<String>,
    /// Its strictest TLP level.
    pub tlp: Option<String>,
    /// What was met: kind and value.
    pub values: Vec<(String, String)>,
    /// Whom it is about.
    pub entity: String,
    /// Whether it stands for all others.
    pub others: bool,
    /// How many hits there were.
    pub count: u64,
    /// When the first happened.
    pub first_seen: Micros,
    /// When the last happened.
    pub last_seen: Micros,
    /// Where the first value stood.
    pub field: String,
    /// Where the first event came from.
    pub input: String,
    /// The number of its line.
    pub line: u64,
    /// The sighting that is made of it, where sightings are.
    pub sighting: Option<String>,
    /// Where more of it is to be read.
    pub url: Option<String>,
}

/// What a viewer sees of an indicator.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Indicator {
    /// What it calls itself.
    pub name: Option<String>,
    /// Its strictest TLP level.
    pub tlp: Option<String>,
}

impl Notice {
    /// Of an alert, with what may be seen of its indicator.
    #[must_use]
    pub fn of(row: &ledger::Alert, alert: &Alert, number: u64, indicator: Indicator, around: &Around<'_>) -> Self {
        let first = alert.samples.first().cloned().unwrap_or_default();
        let base = around.public_url.trim_end_matches('/');
        Self {
            alert: row.id.clone(),
            number,
            state: alert.state.name(),
            indicator: alert.indicator.clone(),
            name: indicator.name,
            tlp: indicator.tlp,
            values: alert.values.iter().map(|met| (met.kind.clone(), met.value.clone())).collect(),
            entity: alert.entity.clone(),
            others: alert.others,
            count: alert.count,
            first_seen: alert.first_seen,
            last_seen: alert.last_seen,
            field: first.field,
            input: first.input,
            line: first.line,
            sighting: around.sights.map(|key| sighting::id(&row.id, key)),
            url: (!base.is_empty()).then(|| format!("{base}/api/alerts/{}", row.id)),
        }
    }

    /// By which it is folded: the same each time that it is sent.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.alert, self.number)
    }

    /// The first of the values that were met: kind and value.
    #[must_use]
    pub fn value(&self) -> (&str, &str) {
        self.values.first().map_or(("", ""), |(kind, value)| (kind, value))
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let values: Vec<Value> =
            self.values.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect();
        json!({
            "id": self.id(),
            "alert": self.alert,
            "notice": self.number,
            "state": self.state,
            "indicator": self.indicator,
            "name": self.name,
            "tlp": self.tlp,
            "values": values,
            "entity": self.entity,
            "others": self.others,
            "count": self.count,
            "first_seen": format_millis(self.first_seen),
            "last_seen": format_millis(self.last_seen),
            "field": self.field,
            "input": self.input,
            "line": self.line,
            "sighting": self.sighting,
            "url": self.url,
        })
    }
}

/// What every notice of a node says.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Under which address the node is reached; empty: none is said.
    pub public_url: &'a str,
    /// From which ids of sightings are made, if there are any.
    pub sights: Option<&'a [u8; 32]>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn notice() -> Notice {
        Notice {
            alert: "5e57c739-391a-4eb3-b6be-7d15ca92d5ed".into(),
            number: 1,
            state: "new",
            indicator: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".into(),
            name: Some("Beacon".into()),
            tlp: Some("TLP:GREEN".into()),
            values: vec![("domain".into(), "bad.example".into())],
            entity: "10.0.0.7".into(),
            others: false,
            count: 1,
            first_seen: 1_764_000_000_000_000,
            last_seen: 1_764_000_001_000_000,
            field: "query".into(),
            input: "dns.log".into(),
            line: 7,
            sighting: None,
            url: Some("https://node.example/api/alerts/5e57c739-391a-4eb3-b6be-7d15ca92d5ed".into()),
        }
    }
}
