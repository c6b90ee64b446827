//! Records: what a case says of one, and the object that it stands for.

use crate::cast;
use proptest::prelude::*;
use serde_json::{Value, json};
use stix::marking::Tlp;

/// What kind of object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Identity,
    Indicator,
    Malware,
    Note,
    Report,
    Relationship,
    Sighting,
    Observed,
    Address,
    Domain,
    File,
    /// A marking definition: the one states something, the other confines.
    Definition,
}

pub(crate) const KINDS: [Kind; 12] = [
    Kind::Identity,
    Kind::Indicator,
    Kind::Malware,
    Kind::Note,
    Kind::Report,
    Kind::Relationship,
    Kind::Sighting,
    Kind::Observed,
    Kind::Address,
    Kind::Domain,
    Kind::File,
    Kind::Definition,
];

/// Objects of one kind that share a book; versions of the same one meet often.
pub(crate) const SLOTS: u8 = 2;

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Indicator => "indicator",
            Self::Malware => "malware",
            Self::Note => "note",
            Self::Report => "report",
            Self::Relationship => "relationship",
            Self::Sighting => "sighting",
            Self::Observed => "observed-data",
            Self::Address => "ipv4-addr",
            Self::Domain => "domain-name",
            Self::File => "file",
            Self::Definition => "marking-definition",
        }
    }

    /// Whether versions have an instant of their own.
    fn is_versioned(self) -> bool {
        !matches!(self, Self::Address | Self::Domain | Self::File)
    }

    /// The parts that a granular marking may select: some can be taken out, some hold the object together.
    fn selectors(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["description", "name", "external_references"],
            Self::Indicator => &["description", "pattern", "labels.[0]", "external_references.[0]", "labels"],
            Self::Malware => &["description", "labels.[1]", "malware_types", "external_references.[0].description"],
            Self::Note => &["abstract", "content", "labels"],
            Self::Report => &["description", "name", "labels.[0]"],
            Self::Relationship => &["description", "relationship_type", "external_references"],
            Self::Sighting => &["description", "count", "labels.[1]"],
            Self::Observed => &["number_observed", "labels"],
            Self::Address => &["value"],
            Self::Domain => &["value"],
            Self::File => &["mime_type", "name", "size"],
            Self::Definition => &[],
        }
    }
}

/// The id of the object in a slot.
pub(crate) fn id(kind: Kind, slot: u8) -> String {
    let contributing = match kind {
        Kind::Address => format!(r#"{{"value":"198.51.100.{slot}"}}"#),
        Kind::Domain => format!(r#"{{"value":"host-{slot}.example"}}"#),
        Kind::File => format!(r#"{{"name":"file-{slot}.bin"}}"#),
        _ => return format!("{}--00000000-0000-4000-8000-{:012x}", kind.name(), slot),
    };
    format!("{}--{}", kind.name(), uuid::Uuid::new_v5(&stix::id::SCO_NAMESPACE, contributing.as_bytes()))
}

/// A marking of one record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// Of TLP 2.0.
    Tlp(Tlp),
    /// Of TLP 1.
    Old(Tlp),
    /// One whose definition may be in the book.
    Defined(u8),
    /// Nobody knows what it means.
    Unknown,
}

impl Mark {
    pub(crate) fn id(self) -> String {
        let old = |uuid: &str| format!("marking-definition--{uuid}");
        match self {
            Self::Tlp(tlp) => tlp.id().to_owned(),
            Self::Old(Tlp::Clear) => old("613f2e26-407d-48c7-9eca-b8e91df99dc9"),
            Self::Old(Tlp::Green) => old("34098fce-860f-48ae-8e50-ebd3cc5e41da"),
            Self::Old(Tlp::Amber | Tlp::AmberStrict) => old("f88d31f6-486f-44da-b317-01333bde0b82"),
            Self::Old(Tlp::Red) => old("5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
            Self::Defined(slot) => id(Kind::Definition, slot),
            Self::Unknown => old("99999999-9999-4999-8999-999999999999"),
        }
    }
}

/// Who an object says made it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Author {
    /// The one that goes with its slot.
    Usual,
    /// Nobody.
    None,
    /// Another: an addition to the versions of an object by somebody else is put aside.
    Other,
}

/// One record of a case.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) collection: u8,
    pub(crate) kind: Kind,
    pub(crate) slot: u8,
    pub(crate) version: u8,
    /// Two variants of one version contradict each other.
    pub(crate) variant: u8,
    pub(crate) marks: Vec<Mark>,
    pub(crate) granular: Vec<(u8, Mark)>,
    pub(crate) author: Author,
    pub(crate) revoked: bool,
    /// Written in STIX 2.0, where the kind has such a form here.
    pub(crate) older: bool,
    pub(crate) bringer: u8,
    pub(crate) recipients: u8,
    /// Limits beside the markings.
    pub(crate) handling: u8,
    /// What it refers to: kind and slot; there may be none such.
    pub(crate) references: Vec<(u8, u8)>,
    /// Erased after everything was added.
    pub(crate) erased: bool,
    /// Much longer than others.
    pub(crate) long: bool,
}

fn mark() -> impl Strategy<Value = Mark> {
    let tlp = prop::sample::select(&Tlp::ALL[..]);
    prop_oneof![
        6 => tlp.clone().prop_map(Mark::Tlp),
        2 => tlp.prop_map(Mark::Old),
        1 => (0..SLOTS).prop_map(Mark::Defined),
        1 => Just(Mark::Unknown),
    ]
}

/// Any record. The simplest, to which a failing case shrinks, is an unmarked identity in the open collection.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let kind = prop_oneof![10 => prop::sample::select(&KINDS[..11]), 1 => Just(Kind::Definition)];
    let marks = prop_oneof![
        2 => Just(Vec::new()),
        8 => mark().prop_map(|mark| vec![mark]),
        2 => prop::collection::vec(mark(), 2..3),
    ];
    let granular = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec((0_u8..5, mark()), 1..3)];
    let author = prop_oneof![8 => Just(Author::Usual), 1 => Just(Author::None), 1 => Just(Author::Other)];
    let collection = prop::sample::select(&[0_u8, 0, 0, 1, 1, 2, 2, 3, 4][..]);
    let handling = prop_oneof![3 => Just(0_u8), 1 => 7..cast::HANDLINGS];
    let references = prop::collection::vec((0_u8..11, 0..SLOTS + 1), 1..4);
    (
        (collection, kind, 0..SLOTS, 0_u8..3, prop::bool::weighted(0.15)),
        (marks, granular, author, prop::bool::weighted(0.08), prop::bool::weighted(0.2)),
        (0_u8..7, 0_u8..5, handling, references, prop::bool::weighted(0.08), prop::bool::weighted(0.15)),
    )
        .prop_map(
            |(
                (collection, kind, slot, version, variant),
                (marks, granular, author, revoked, older),
                (bringer, recipients, handling, references, erased, long),
            )| Record {
                collection,
                kind,
                slot,
                version,
                variant: u8::from(variant),
                marks,
                granular,
                author,
                revoked,
                older,
                bringer,
                recipients,
                handling,
                references,
                erased: erased && kind != Kind::Definition,
                long,
            },
        )
}

impl Record {
    pub(crate) fn id(&self) -> String {
        id(self.kind, self.slot)
    }

    fn is_older(&self) -> bool {
        self.older && matches!(self.kind, Kind::Indicator | Kind::Malware | Kind::Identity)
    }

    /// `modified` as it is written; `None`: it has none.
    pub(crate) fn modified(&self) -> Option<String> {
        let versioned = self.kind.is_versioned() && self.kind != Kind::Definition;
        versioned.then(|| format!("2025-01-0{}T00:00:00.000Z", 1 + self.version))
    }

    /// The object, as its author wrote it.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.content();
        let fields = body.as_object_mut().unwrap();
        fields.insert("type".into(), self.kind.name().into());
        fields.insert("id".into(), self.id().into());
        if !self.is_older() {
            fields.insert("spec_version".into(), "2.1".into());
        }
        if self.kind.is_versioned() {
            fields.insert("created".into(), "2025-01-01T00:00:00.000Z".into());
            if let Some(modified) = self.modified() {
                fields.insert("modified".into(), modified.into());
                fields.insert("labels".into(), json!(["kept", format!("label of {}", self.text())]));
                fields.insert(
                    "external_references".into(),
                    json!([{"source_name": "journal", "description": format!("page {}", self.text())}]),
                );
            }
            match self.author {
                Author::Usual => Some(id(Kind::Identity, self.slot % SLOTS)),
                Author::None => None,
                Author::Other => Some(id(Kind::Identity, (self.slot + 1) % SLOTS)),
            }
            .and_then(|author| fields.insert("created_by_ref".into(), author.into()));
            if self.revoked && self.kind != Kind::Definition {
                fields.insert("revoked".into(), true.into());
            }
        }
        let marks: Vec<String> = self.marks.iter().map(|mark| mark.id()).filter(|mark| *mark != self.id()).collect();
        if !marks.is_empty() {
            fields.insert("object_marking_refs".into(), marks.into());
        }
        let granular: Vec<Value> =
            self.selected().map(|(path, mark)| json!({"selectors": [path], "marking_ref": mark.id()})).collect();
        if !granular.is_empty() {
            fields.insert("granular_markings".into(), granular.into());
        }
        body
    }

    /// Everything that it refers to.
    pub(crate) fn refers_to(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in self.content().as_object().unwrap() {
            match value {
                Value::String(id) if name.ends_with("_ref") => found.push(id.clone()),
                Value::Array(ids) if name.ends_with("_refs") => {
                    found.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                }
                _ => {}
            }
        }
        found
    }

    /// Which parts are marked, and how.
    pub(crate) fn selected(&self) -> impl Iterator<Item = (&'static str, Mark)> {
        let paths: Vec<&str> = if self.is_older() { vec!["name"] } else { self.kind.selectors().to_vec() };
        let count = paths.len();
        let chosen = self.granular.iter().filter(move |_| count > 0);
        chosen.map(move |(no, mark)| (paths[usize::from(*no) % count], *mark))
    }

    fn text(&self) -> String {
        let length = if self.long { 900 } else { 4 };
        format!("{}{}{}", self.version, self.variant, "x".repeat(length))
    }

    /// An id that it refers to, of one of the kinds that the place takes.
    fn target(&self, no: usize, kinds: &[Kind]) -> String {
        let (kind, slot) = self.references[no % self.references.len()];
        id(kinds[usize::from(kind) % kinds.len()], slot)
    }

    fn targets(&self, kinds: &[Kind]) -> Vec<String> {
        let mut targets: Vec<String> = (0..self.references.len()).map(|no| self.target(no, kinds)).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    fn content(&self) -> Value {
        const ANY: &[Kind] = &KINDS;
        const DOMAIN: &[Kind] =
            &[Kind::Indicator, Kind::Malware, Kind::Identity, Kind::Note, Kind::Report, Kind::Observed];
        const SEEN: &[Kind] = &[Kind::Address, Kind::Domain, Kind::File];
        let text = self.text();
        match self.kind {
            Kind::Identity if self.is_older() => json!({"name": text, "identity_class": "group"}),
            Kind::Identity => json!({"name": text, "identity_class": "group", "description": format!("is {text}")}),
            Kind::Indicator if self.is_older() => json!({
                "name": text, "pattern": format!("[file:name = '{text}']"), "valid_from": "2025-01-01T00:00:00Z"
            }),
            Kind::Indicator => json!({
                "name": "indicator", "description": text, "pattern": format!("[file:name = '{text}']"),
                "pattern_type": "stix", "valid_from": "2025-01-01T00:00:00Z", "indicator_types": ["unknown"],
            }),
            Kind::Malware if self.is_older() => json!({"name": text}),
            Kind::Malware => json!({
                "name": "malware", "description": text, "is_family": false, "malware_types": ["unknown"],
            }),
            Kind::Note => json!({"abstract": text, "content": text, "object_refs": self.targets(ANY)}),
            Kind::Report => json!({
                "name": text, "description": text, "published": "2025-01-01T00:00:00Z",
                "report_types": ["indicator"], "object_refs": self.targets(ANY),
            }),
            Kind::Relationship => json!({
                "relationship_type": "related-to", "description": text, "source_ref": self.target(0, DOMAIN),
                "target_ref": self.target(1, DOMAIN),
            }),
            Kind::Sighting => json!({
                "description": text, "count": 1 + self.version, "sighting_of_ref": self.target(0, DOMAIN),
                "where_sighted_refs": self.targets(&[Kind::Identity]),
                "observed_data_refs": self.targets(&[Kind::Observed]),
            }),
            Kind::Observed => json!({
                "first_observed": "2025-01-01T00:00:00Z", "last_observed": "2025-01-01T00:00:00Z",
                "number_observed": 1 + self.version, "object_refs": self.targets(SEEN),
            }),
            Kind::Address => json!({"value": format!("198.51.100.{}", self.slot), "defanged": self.variant == 1}),
            Kind::Domain => json!({
                "value": format!("host-{}.example", self.slot), "resolves_to_refs": self.targets(&[Kind::Address]),
            }),
            Kind::File => json!({
                "name": format!("file-{}.bin", self.slot), "mime_type": format!("text/{text}"), "size": self.version,
            }),
            Kind::Definition if self.slot == 1 => {
                let limits = [
                    json!({"group": cast::GROUPS[0]}),
                    json!({"audience": "community", "not_before": "2025-01-01T00:00:00Z"}),
                    json!({"audience": "organisation"}),
                ];
                let mut limit = limits[usize::from(self.version) % limits.len()].clone();
                limit["extension_type"] = "property-extension".into();
                json!({"name": text, "extensions": {node::meaning::HANDLING_EXTENSION: limit}})
            }
            Kind::Definition => json!({
                "definition_type": "statement", "definition": {"statement": format!("mind {text}")},
            }),
        }
    }
}

/// The same object with other words and figures in it, longer or shorter: what a viewer who may not see it cannot tell
/// from it. Id, version, markings and references stay.
pub(crate) fn altered(mut body: Value) -> Value {
    let paths = [
        "/name",
        "/description",
        "/abstract",
        "/content",
        "/labels",
        "/definition/statement",
        "/external_references",
        "/pattern",
        "/mime_type",
        "/size",
        "/count",
        "/number_observed",
        "/defanged",
    ];
    // The name of a file makes its id.
    let skipped = if body["type"] == "file" { "/name" } else { "" };
    for path in paths.iter().filter(|path| **path != skipped) {
        alter(&mut body, path);
    }
    body
}

/// The same object with something else in the selected parts.
pub(crate) fn altered_in(mut body: Value, selectors: &[&str]) -> Value {
    for selector in selectors {
        alter(&mut body, &format!("/{}", selector.replace('.', "/").replace(['[', ']'], "")));
    }
    body
}

fn alter(body: &mut Value, path: &str) {
    let Some(value) = body.pointer_mut(path) else { return };
    match value {
        Value::String(_) if path == "/pattern" => {
            *value = "[url:value = 'https://other.example/' OR file:name = 'b']".into()
        }
        Value::String(_) if path == "/mime_type" => *value = "application/other".into(),
        Value::String(text) => text.push_str(&format!(" and other words {}", "y".repeat(300))),
        Value::Number(_) => *value = 123.into(),
        Value::Bool(given) => *given = !*given,
        Value::Array(_) if path == "/external_references" => {
            *value = json!([{"source_name": "x", "description": "y"}, {"source_name": "z", "description": "y"}]);
        }
        Value::Array(list) => list.push("something more".into()),
        Value::Object(fields) => {
            fields.insert("description".into(), "another page".into());
        }
        Value::Null => {}
    }
}
