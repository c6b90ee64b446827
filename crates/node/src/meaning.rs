//! What marking definitions mean to the policy: read from their objects, or said by the operator.

use policy::{Audience, Handling, Meaning, Pap, Tlp};
use stix::timestamp::Timestamp;

/// The extension by which a marking definition of Marsad's confines what it marks: `audience` (organisation, community,
/// connected, all), `group` (a sharing group's UUID), `not_before`, `not_after` (timestamps). Each of them narrows.
pub const HANDLING_EXTENSION: &str = "extension-definition--b6f5b1fc-7a3e-4b5e-9c0e-2f3c7d1a9e44";
/// IEP 2.0 (FIRST), as the draft extension of the OASIS common-objects repository.
const IEP_EXTENSION: &str = "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a";

/// What a marking definition's object says (STIX 2.1 §7.2.1). Only the predefined ids are TLP: nobody else may make one.
/// An extension or a property of one that is not understood makes the whole definition unknown.
#[must_use]
pub fn of_object(body: &[u8]) -> Meaning {
    #[derive(serde::Deserialize)]
    struct Definition {
        definition_type: Option<String>,
        definition: Option<serde_json::Map<String, serde_json::Value>>,
        extensions: Option<serde_json::Map<String, serde_json::Value>>,
    }
    let Ok(Definition { definition_type, definition, extensions }) = serde_json::from_slice(body) else {
        return Meaning::Unknown;
    };
    match (definition_type.as_deref(), definition, extensions) {
        (Some("statement"), Some(content), None) => match content.get("statement").and_then(|text| text.as_str()) {
            Some(text) => pap(text).map_or(Meaning::Statement, Meaning::Pap),
            None => Meaning::Unknown,
        },
        (None, None, Some(extensions)) if extensions.len() == 1 => {
            let read = |id: &str| extensions.get(id).cloned();
            let meaning = match (read(HANDLING_EXTENSION), read(IEP_EXTENSION)) {
                (Some(ours), _) => serde_json::from_value::<Confined>(ours).ok().and_then(Confined::meaning),
                (_, Some(iep)) => serde_json::from_value::<Iep>(iep).ok().and_then(Iep::meaning),
                _ => None,
            };
            meaning.unwrap_or(Meaning::Unknown)
        }
        _ => Meaning::Unknown,
    }
}

/// What the operator says that a marking means: `tlp:LEVEL`, `pap:LEVEL`, `statement`, `group:UUID`, `audience:CIRCLE` or
/// `withhold`. `None`: not a meaning.
#[must_use]
pub fn of_word(word: &str) -> Option<Meaning> {
    let limit = |circle| Meaning::Handling(None, Handling { audience: vec![circle], ..Handling::default() });
    match word.split_once(':') {
        None if word == "statement" => Some(Meaning::Statement),
        None if word == "withhold" => Some(Meaning::Unknown),
        Some(("tlp", level)) => tlp(level).map(Meaning::Tlp),
        Some(("pap", _)) => pap(word).map(Meaning::Pap),
        Some(("group", id)) => uuid::Uuid::try_parse(id).ok().map(|_| limit(Audience::Group(id.to_lowercase()))),
        Some(("audience", name)) => circle(name).map(limit),
        _ => None,
    }
}

/// A TLP level by its name, of either generation.
#[must_use]
pub fn tlp(name: &str) -> Option<Tlp> {
    match name.to_ascii_lowercase().as_str() {
        "clear" | "white" => Some(Tlp::Clear),
        "green" => Some(Tlp::Green),
        "amber" => Some(Tlp::Amber),
        "amber+strict" => Some(Tlp::AmberStrict),
        "red" => Some(Tlp::Red),
        _ => None,
    }
}

/// A circle of viewers by its name.
#[must_use]
pub fn circle(name: &str) -> Option<Audience> {
    match name {
        "organisation" => Some(Audience::Organisation),
        "community" => Some(Audience::Community),
        "connected" => Some(Audience::Connected),
        "all" => Some(Audience::All),
        _ => None,
    }
}

/// `PAP:LEVEL` and nothing else.
fn pap(text: &str) -> Option<Pap> {
    let (name, level) = text.trim().split_once(':')?;
    let level = level.trim().to_ascii_lowercase();
    name.eq_ignore_ascii_case("pap").then_some(())?;
    match level.as_str() {
        "clear" | "white" => Some(Pap::Clear),
        "green" => Some(Pap::Green),
        "amber" => Some(Pap::Amber),
        "red" => Some(Pap::Red),
        _ => None,
    }
}

fn micros(text: Option<&String>) -> Option<Option<i64>> {
    match text {
        None => Some(None),
        Some(text) => Timestamp::parse(text).ok().map(|at| Some(at.micros)),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Confined {
    extension_type: String,
    audience: Option<String>,
    group: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl Confined {
    fn meaning(self) -> Option<Meaning> {
        (self.extension_type == "property-extension").then_some(())?;
        let mut audience = Vec::new();
        if let Some(name) = &self.audience {
            audience.push(circle(name)?);
        }
        if let Some(id) = &self.group {
            audience.push(Audience::Group(uuid::Uuid::try_parse(id).ok()?.to_string()));
        }
        let (embargo, expires) = (micros(self.not_before.as_ref())?, micros(self.not_after.as_ref())?);
        Some(Meaning::Handling(None, Handling { audience, embargo, expires }))
    }
}

/// IEP 2.0 §3: a level and a window; what else it says limits what may be done.
#[derive(serde::Deserialize)]
struct Iep {
    tlp: String,
    start_date: String,
    end_date: Option<String>,
}

impl Iep {
    fn meaning(self) -> Option<Meaning> {
        let (embargo, expires) = (micros(Some(&self.start_date))?, micros(self.end_date.as_ref())?);
        Some(Meaning::Handling(Some(tlp(&self.tlp)?), Handling { audience: Vec::new(), embargo, expires }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(tlp: Option<Tlp>, audience: Vec<Audience>, embargo: Option<i64>, expires: Option<i64>) -> Meaning {
        Meaning::Handling(tlp, Handling { audience, embargo, expires })
    }

    #[test]
    fn objects() {
        let group = "66666666-6666-4666-8666-666666666666";
        let ours = |inner: &str| {
            format!(r#"{{"extensions":{{"{HANDLING_EXTENSION}":{{"extension_type":"property-extension"{inner}}}}}}}"#)
        };
        let iep = |inner: &str| format!(r#"{{"extensions":{{"{IEP_EXTENSION}":{{{inner}}}}}}}"#);
        let s = str::to_owned;
        let table = [
            (s(r#"{"definition_type":"statement","definition":{"statement":"(c)"}}"#), Meaning::Statement),
            (s(r#"{"definition_type":"statement","definition":{"statement":"PAP:AMBER"}}"#), Meaning::Pap(Pap::Amber)),
            (s(r#"{"definition_type":"statement","definition":{"statement":"see PAP:AMBER"}}"#), Meaning::Statement),
            (s(r#"{"definition_type":"statement","definition":{}}"#), Meaning::Unknown),
            (s(r#"{"definition_type":"statement"}"#), Meaning::Unknown),
            (s(r#"{"definition_type":"tlp","definition":{"tlp":"white"}}"#), Meaning::Unknown),
            (
                s(r#"{"definition_type":"statement","definition":{"statement":"x"},"extensions":{"e":{}}}"#),
                Meaning::Unknown,
            ),
            (s(r#"{"name":"x","extensions":{"extension-definition--1":{}}}"#), Meaning::Unknown),
            (s("nonsense"), Meaning::Unknown),
            (ours(""), limit(None, vec![], None, None)),
            (ours(r#","audience":"community""#), limit(None, vec![Audience::Community], None, None)),
            (ours(&format!(r#","group":"{group}""#)), limit(None, vec![Audience::Group(s(group))], None, None)),
            (
                ours(r#","not_before":"1970-01-01T00:00:01Z","not_after":"1970-01-01T00:00:02Z""#),
                limit(None, vec![], Some(1_000_000), Some(2_000_000)),
            ),
            (ours(r#","audience":"friends""#), Meaning::Unknown),
            (ours(r#","group":"g""#), Meaning::Unknown),
            (ours(r#","mood":"good""#), Meaning::Unknown),
            (ours(r#","not_after":"tomorrow""#), Meaning::Unknown),
            (
                iep(r#""tlp":"amber","start_date":"1970-01-01T00:00:01Z","end_date":null,"encrypt_in_transit":"must""#),
                limit(Some(Tlp::Amber), vec![], Some(1_000_000), None),
            ),
            (iep(r#""tlp":"amber""#), Meaning::Unknown),
            (iep(r#""tlp":"yellow","start_date":"1970-01-01T00:00:01Z""#), Meaning::Unknown),
        ];
        for (body, wanted) in table {
            assert_eq!(of_object(body.as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn words() {
        for (word, wanted) in [
            ("tlp:amber+strict", Some(Meaning::Tlp(Tlp::AmberStrict))),
            ("tlp:white", Some(Meaning::Tlp(Tlp::Clear))),
            ("tlp:yellow", None),
            ("pap:red", Some(Meaning::Pap(Pap::Red))),
            ("statement", Some(Meaning::Statement)),
            ("withhold", Some(Meaning::Unknown)),
            ("audience:all", Some(limit(None, vec![Audience::All], None, None))),
            ("group:x", None),
            ("everyone", None),
            ("", None),
        ] {
            assert_eq!(of_word(word), wanted, "{word}");
        }
    }
}
