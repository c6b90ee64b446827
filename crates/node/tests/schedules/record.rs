//! What organisations say in a schedule: objects of a few kinds, in versions, under markings and limits.

use crate::dice::Dice;
use crate::world::{ORGANISATIONS, identity};
use policy::{Audience, Handling, Tlp};
use serde_json::{Value, json};

/// The sharing group of a schedule, known on every node.
pub(crate) const GROUP: &str = "6e0fb001-0000-4000-8000-000000000001";

/// One version of one object, as its author brought it in.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The organisation, and its node.
    pub(crate) author: usize,
    pub(crate) id: String,
    /// `modified`; empty: it has no versions.
    pub(crate) version: String,
    pub(crate) at: i64,
    pub(crate) revoked: bool,
    pub(crate) tlp: Option<Tlp>,
    pub(crate) handling: Handling,
    pub(crate) recipients: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Made {
    /// Its markings by id.
    pub(crate) fn markings(&self) -> Vec<String> {
        self.tlp.iter().map(|tlp| tlp.id().to_owned()).collect()
    }

    /// Whether it says who made it.
    pub(crate) fn is_signed(&self) -> bool {
        !self.version.is_empty()
    }

    /// The first version of a new object.
    pub(crate) fn first(author: usize, no: usize, at: i64, dice: &mut Dice) -> Self {
        let kind = *dice.pick(&["indicator", "indicator", "malware", "ipv4-addr"]);
        let tlp = dice.pick(&[Tlp::Clear, Tlp::Green, Tlp::Green, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red]);
        let tlp = (!dice.percent(8)).then_some(*tlp);
        let red = matches!(tlp, Some(Tlp::Red));
        let recipients =
            if red && dice.percent(80) { vec![(*dice.pick(&ORGANISATIONS)).to_owned()] } else { Vec::new() };
        let circle = |audience| Handling { audience: vec![audience], ..Handling::default() };
        let handling = match dice.below(14) {
            0 => circle(Audience::Group(GROUP.into())),
            1 => circle(Audience::Community),
            2 => circle(Audience::Organisation),
            3 => Handling { embargo: Some(at + 365 * 86_400_000_000), ..Handling::default() },
            4 => Handling { expires: Some(at - 365 * 86_400_000_000), ..Handling::default() },
            5 => Handling { expires: Some(at + 365 * 86_400_000_000), ..Handling::default() },
            _ => Handling::default(),
        };
        let id = match kind {
            "ipv4-addr" => {
                let value = json!({"value": value(author, no)}).to_string();
                format!("{kind}--{}", uuid::Uuid::new_v5(&stix::id::SCO_NAMESPACE, value.as_bytes()))
            }
            _ => format!("{kind}--00000000-0000-4000-8000-{:012x}", author * 0x1_0000 + no),
        };
        let made = Self {
            author,
            id,
            version: if kind == "ipv4-addr" { String::new() } else { stix::timestamp::format_micros(at) },
            at,
            revoked: false,
            tlp,
            handling,
            recipients,
            body: Vec::new(),
        };
        let words = format!("{} {no}", made.id);
        made.written(&words, no, at)
    }

    /// An object that everybody may have.
    pub(crate) fn plain(author: usize, no: usize, at: i64) -> Self {
        let made = Self {
            author,
            id: format!("indicator--00000000-0000-4000-8000-{:012x}", author * 0x1_0000 + no),
            version: stix::timestamp::format_micros(at),
            at,
            revoked: false,
            tlp: Some(Tlp::Clear),
            handling: Handling::default(),
            recipients: Vec::new(),
            body: Vec::new(),
        };
        made.written("plain", no, at)
    }

    /// A later version of the same object.
    pub(crate) fn again(&self, at: i64, no: usize, revoked: bool, dice: &mut Dice) -> Self {
        let at = at.max(self.at + 1_000);
        let tlp = if dice.percent(70) { self.tlp } else { Some(*dice.pick(&[Tlp::Clear, Tlp::Green, Tlp::Amber])) };
        let created = serde_json::from_slice::<Value>(&self.body).unwrap()["created"].as_str().unwrap().to_owned();
        let next = Self { version: stix::timestamp::format_micros(at), at, revoked, tlp, ..self.clone() };
        let mut next = next.written(&format!("version {no}"), no, at);
        let mut body: Value = serde_json::from_slice(&next.body).unwrap();
        body["created"] = created.into();
        next.body = body.to_string().into_bytes();
        next
    }

    fn written(mut self, words: &str, no: usize, at: i64) -> Self {
        let kind = self.id.split("--").next().unwrap().to_owned();
        let mut body = json!({"type": kind, "spec_version": "2.1", "id": self.id});
        match kind.as_str() {
            "ipv4-addr" => body["value"] = value(self.author, no).into(),
            "indicator" => {
                body["name"] = words.into();
                body["pattern"] = format!("[domain-name:value = 'h{no}.example']").into();
                body["pattern_type"] = "stix".into();
                body["valid_from"] = "2026-01-01T00:00:00Z".into();
            }
            _ => {
                body["name"] = words.into();
                body["is_family"] = true.into();
            }
        }
        if self.is_signed() {
            body["created"] = stix::timestamp::format_micros(at).into();
            body["modified"] = self.version.clone().into();
            body["created_by_ref"] = identity(self.author).into();
            if self.revoked {
                body["revoked"] = true.into();
            }
        }
        if let Some(tlp) = self.tlp {
            body["object_marking_refs"] = json!([tlp.id()]);
        }
        self.body = body.to_string().into_bytes();
        self
    }
}

fn value(author: usize, no: usize) -> String {
    format!("198.51.{author}.{}", no % 256)
}
