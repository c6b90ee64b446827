//! A hit as alerts want it, and what it has in common with others.

use ::watch::general::{MAX_WITNESSES, Witness};
use ledger::Micros;
use observable::Kind;
use serde_json::Value;

/// Bytes of an event that are kept as evidence.
pub const MOST_RAW: usize = 4 << 10;
/// Bytes of a value, a field's name or an input's name that are kept.
const MOST_WORD: usize = 1 << 10;
/// Bytes of an event in which it is looked for whom it is about.
const MOST_READ: usize = 64 << 10;
/// An event that is dated later than our clock by more than this has a clock that is wrong.
const AHEAD: Micros = 600 * 1_000_000;
/// The fields in which sensors name the machine that an event is about, in the order in which they are looked for: Zeek,
/// Suricata EVE, ECS, and what others often write.
pub const ENTITY_FIELDS: [&str; 10] = [
    "id.orig_h",
    "src_ip",
    "source.ip",
    "client.ip",
    "host.name",
    "client_ip",
    "client",
    "computer_name",
    "hostname",
    "host",
];

/// A value of telemetry that an indicator claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hit {
    /// The id of the indicator.
    pub indicator: String,
    /// What kind of value it is.
    pub kind: Kind,
    /// The value as it stood in the event.
    pub value: String,
    /// The field that it stood in.
    pub field: String,
    /// Of a pattern that says more than a list of values, the values that took part; empty for a claim on one.
    pub met: Vec<Witness>,
    /// Where the event came from.
    pub input: String,
    /// The number of its line.
    pub line: u64,
    /// Where in the input it stands.
    pub place: u64,
    /// When the event happened, as far as it says so and its clock can be believed.
    pub time: Option<Micros>,
    /// The event, cut.
    pub raw: String,
    /// Whether our own organisation says in the book that the claim is wrong; `None`: the book was not asked.
    pub is_wrong: Option<bool>,
    /// When the node met it.
    pub received: Micros,
}

impl Hit {
    /// What the watch met in the book's claims.
    #[must_use]
    pub fn of(met: &crate::watch::Hit) -> Self {
        let time = met.time.as_deref().and_then(instant);
        Self {
            indicator: met.indicator.id.clone(),
            kind: met.kind,
            value: met.value.clone(),
            field: met.field.clone(),
            met: met.met.clone(),
            input: met.input.to_string(),
            line: met.line,
            place: met.place,
            time,
            raw: String::from_utf8_lossy(&met.raw).into_owned(),
            is_wrong: Some(met.indicator.is_wrong),
            received: met.received,
        }
    }

    /// The same within its bounds: words cut, and a time that lies ahead of our clock left out.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.met.truncate(MAX_WITNESSES);
        self.met.retain(|met| met.value.len() <= MOST_WORD);
        Self {
            value: cut(self.value, MOST_WORD),
            field: cut(self.field, MOST_WORD),
            input: cut(self.input, MOST_WORD),
            raw: cut(self.raw, MOST_READ),
            time: self.time.filter(|at| *at <= self.received.saturating_add(AHEAD)),
            ..self
        }
    }

    /// When it happened, as far as is known.
    #[must_use]
    pub fn seen(&self) -> Micros {
        self.time.unwrap_or(self.received)
    }

    /// What tells this event from all others of its input, whoever reads it again.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for word in [self.input.as_bytes(), self.field.as_bytes(), self.value.as_bytes()] {
            hasher.update(&(word.len() as u64).to_le_bytes());
            hasher.update(word);
        }
        hasher.update(&self.place.to_le_bytes());
        hasher.update(&self.line.to_le_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// An instant as sensors write it: RFC 3339, also with an offset as EVE has it (`+0000`), or seconds since 1970 as Zeek does.
#[must_use]
pub fn instant(text: &str) -> Option<Micros> {
    let text = text.trim();
    if let Ok(at) = stix::timestamp::Timestamp::parse(text) {
        return Some(at.micros);
    }
    if let Some((seconds, fraction)) = text.split_once('.').or(Some((text, "")))
        && !seconds.is_empty()
        && seconds.len() <= 11
        && seconds.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        return seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?);
    }
    let sign = text.rfind(['+', '-']).filter(|at| *at > 10)?;
    let (local, offset) = text.split_at_checked(sign)?;
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = digits.split_at_checked(2).filter(|(_, minutes)| minutes.len() == 2)?;
    let minutes = hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?;
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    let utc = stix::timestamp::Timestamp::parse(&format!("{local}Z")).map(|at| at.micros).ok()?;
    utc.checked_sub(minutes.checked_mul(60_000_000)?)
}

/// By what hits of one indicator are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// By nothing: one alert an indicator.
    Indicator,
    /// By the machine that the event is about, where it names one, else by the input.
    Entity,
    /// By the input.
    Input,
}

/// Whom the hits of one alert are about, beside the indicator.
#[must_use]
pub fn entity(hit: &Hit, by: By, fields: &[String]) -> String {
    match by {
        By::Indicator => String::new(),
        By::Input => hit.input.clone(),
        By::Entity => named_in(&hit.raw, fields).unwrap_or_else(|| hit.input.clone()),
    }
}

/// The first of the fields that an event names, if it is written as a JSON object.
fn named_in(raw: &str, fields: &[String]) -> Option<String> {
    if !raw.trim_start().starts_with('{') {
        return None;
    }
    let event: Value = serde_json::from_str(raw).ok()?;
    let named = |field: &str| text(at(&event, field)?);
    match fields {
        [] => ENTITY_FIELDS.iter().find_map(|field| named(field)),
        fields => fields.iter().find_map(|field| named(field)),
    }
}

/// The value of a field: by its name as it stands, or by a path of names.
pub(super) fn at<'v>(event: &'v Value, field: &str) -> Option<&'v Value> {
    event.get(field).or_else(|| field.split('.').try_fold(event, |value, name| value.get(name)))
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then(|| cut(text, 255))
}

/// The beginning of a text, cut between characters.
pub(super) fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn hit(indicator: &str, raw: &str, line: u64, received: Micros) -> Hit {
        Hit {
            indicator: indicator.into(),
            kind: Kind::Domain,
            value: "bad.example".into(),
            field: "query".into(),
            met: Vec::new(),
            input: "dns.log".into(),
            line,
            place: line * 100,
            time: None,
            raw: raw.into(),
            is_wrong: None,
            received,
        }
    }

    #[test]
    fn whom_an_event_is_about() {
        let own = vec!["agent.id".to_owned()];
        for (raw, by, fields, expected) in [
            (r#"{"id.orig_h":"10.0.0.7","host":"x"}"#, By::Entity, &[][..], "10.0.0.7"),
            (r#"{"id":{"orig_h":"10.0.0.8"}}"#, By::Entity, &[], "10.0.0.8"),
            (r#"{"src_ip":"2001:DB8::1"}"#, By::Entity, &[], "2001:db8::1"),
            (r#"{"src_ip":"","host":{"name":"PC-7"}}"#, By::Entity, &[], "pc-7"),
            (r#"{"agent":{"id":7},"src_ip":"10.0.0.9"}"#, By::Entity, &own, "7"),
            (r#"{"src_ip":"10.0.0.9"}"#, By::Entity, &own, "dns.log"),
            (r#"{"src_ip":["10.0.0.9"]}"#, By::Entity, &[], "dns.log"),
            (r#"{"src_ip":"10.0.0.9""#, By::Entity, &[], "dns.log"),
            ("10.0.0.9 asked for bad.example", By::Entity, &[], "dns.log"),
            (r#"{"src_ip":"10.0.0.9"}"#, By::Input, &[], "dns.log"),
            (r#"{"src_ip":"10.0.0.9"}"#, By::Indicator, &[], ""),
        ] {
            assert_eq!(entity(&hit("indicator--1", raw, 1, 0), by, fields), expected, "{raw} {by:?}");
        }
        // As deep as a hostile sensor likes.
        let deep = format!("{}{}", r#"{"a":"#.repeat(20_000), "}".repeat(20_000));
        assert_eq!(entity(&hit("indicator--1", &deep, 1, 0), By::Entity, &[]), "dns.log");
    }

    #[test]
    fn times_of_sensors() {
        let at = Some(1_764_000_000_500_000);
        for (text, expected) in [
            ("2025-11-24T16:00:00.5Z", at),
            ("1764000000.500000", at),
            ("1764000000.5", at),
            ("2025-11-24T16:00:00.500000+0000", at),
            ("2025-11-24T18:30:00.5+02:30", at),
            ("2025-11-24T11:00:00.5-0500", at),
            ("1764000000", Some(1_764_000_000_000_000)),
            ("99999999999999999999", None),
            ("2025-11-24", None),
            ("+0000", None),
            ("yesterday", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(instant(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bounds() {
        let long = "ض".repeat(100_000);
        let hit = Hit {
            value: long.clone(),
            field: long.clone(),
            input: long.clone(),
            time: Some(AHEAD + 8),
            ..hit("indicator--1", &long, 1, 7)
        };
        let bounded = hit.bounded();
        assert!(bounded.value.len() <= 1_024 && bounded.field.len() <= 1_024 && bounded.input.len() <= 1_024);
        assert!(bounded.raw.len() <= MOST_READ);
        assert_eq!((bounded.time, bounded.seen()), (None, 7), "a clock that is wrong is not believed");
    }
}
