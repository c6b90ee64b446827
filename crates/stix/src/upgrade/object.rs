//! One object: the members that change, all others copied.

use std::borrow::Cow;

use super::{Error, Fate, Sink, labels::Labels, marks, observed};
use crate::{
    json::{Key, Value},
    marking, object_type,
    rewrite::{self, Rewriter},
    timestamp::Timestamp,
};

/// The members of an object on which the way of its upgrade depends.
#[derive(Default)]
pub(super) struct Members<'t> {
    pub(super) object_type: Cow<'t, str>,
    pub(super) id: Cow<'t, str>,
    pub(super) container: Option<Value<'t>>,
    pub(super) object_refs: bool,
    pub(super) marking_refs: Option<Value<'t>>,
    pub(super) granular: Option<Value<'t>>,
    spec_version: Option<Cow<'t, str>>,
    labels: Option<Value<'t>>,
    types: bool,
    is_family: bool,
    pattern_type: bool,
    pattern_version: bool,
}

impl<'t> Members<'t> {
    fn of(object: &Value<'t>) -> Result<Self, Error> {
        let mut members = Self::default();
        let text = |value: &Value<'t>| value.as_str().unwrap_or_default();
        for (key, value) in object.entries() {
            match key.as_str().as_ref() {
                "type" => members.object_type = text(&value),
                "id" => members.id = text(&value),
                "spec_version" => members.spec_version = Some(text(&value)),
                "labels" => members.labels = Some(value),
                "objects" => members.container = Some(value),
                "object_refs" => members.object_refs = true,
                "object_marking_refs" => members.marking_refs = Some(value),
                "granular_markings" => members.granular = Some(value),
                "indicator_types" | "malware_types" | "report_types" | "threat_actor_types" | "tool_types" => {
                    members.types = true;
                }
                "is_family" => members.is_family = true,
                "pattern_type" => members.pattern_type = true,
                "pattern_version" => members.pattern_version = true,
                _ => {}
            }
        }
        if members.object_type.is_empty() { Err(Error::NotAnObject) } else { Ok(members) }
    }

    /// Whether the object is of STIX 2.1 already: it says so, or it is an observable, which 2.0 had in containers only.
    fn is_current(&self) -> bool {
        match self.spec_version.as_deref() {
            Some("2.0") | None => object_type::is_sco(&self.object_type),
            Some(_) => true,
        }
    }
}

/// Writes the object in STIX 2.1 to the sink, and after it the observables that it contained.
pub(super) fn upgrade<'t>(object: &Value<'t>, sink: &mut Sink) -> Result<(), Error> {
    let members = Members::of(object)?;
    if members.is_current() {
        sink.begin().extend_from_slice(object.text());
        sink.end();
        return Ok(());
    }
    if members.object_type == "marking-definition"
        && let Some(definition) = marking::predefined(&members.id)
    {
        return predefined(object, definition, sink);
    }
    let labels = members.labels.filter(|_| !members.types);
    let labels = labels.and_then(|labels| Labels::of(&members.object_type, &labels));
    let observables = match members.container.filter(|_| members.object_type == "observed-data") {
        Some(container) => observed::split(&container, &members, sink),
        None => None,
    };
    let granular =
        members.granular.and_then(|granular| marks::repoint(&granular, labels.as_ref(), observables.is_some()));
    write(object, &members, labels.as_ref(), observables.as_ref(), granular.as_deref(), sink);
    if let Some(observables) = &observables {
        observed::write(observables, &members, sink);
    }
    Ok(())
}

/// A TLP definition is what the standard prints and nothing else. STIX 2.1 §7.2.1.4.
fn predefined(object: &Value<'_>, definition: &marking::Predefined, sink: &mut Sink) -> Result<(), Error> {
    sink.begin().extend_from_slice(definition.json.as_bytes());
    sink.end();
    for (key, value) in object.entries() {
        let name = key.as_str();
        if !matches!(
            name.as_ref(),
            "type" | "id" | "spec_version" | "created" | "name" | "definition" | "definition_type"
        ) {
            let lost = String::from_utf8_lossy(value.text());
            sink.note(
                definition.id,
                name.as_ref(),
                Fate::Dropped,
                format!("a predefined marking definition cannot carry it: {lost}"),
            );
        }
    }
    Ok(())
}

fn write(
    object: &Value<'_>,
    members: &Members<'_>,
    labels: Option<&Labels<'_>>,
    observables: Option<&observed::Split<'_>>,
    granular: Option<&[u8]>,
    sink: &mut Sink,
) {
    let malware = members.object_type == "malware";
    let indicator = members.object_type == "indicator";
    let out = sink.begin();
    let mut rewriter = Rewriter::new(object, out);
    for (key, value) in object.entries() {
        match key.as_str().as_ref() {
            "type" => {
                rewriter.keep(&key, &value);
                rewriter.add("spec_version", |out| rewrite::write_plain(out, "2.1"));
            }
            "spec_version" => rewriter.drop(&value),
            "created" | "modified" => timestamp(&mut rewriter, &key, &value),
            "labels" if labels.is_some() => labels.iter().for_each(|labels| labels.write(&mut rewriter, &key, &value)),
            "pattern" if indicator => {
                rewriter.keep(&key, &value);
                if !members.pattern_type {
                    rewriter.add("pattern_type", |out| rewrite::write_plain(out, "stix"));
                    if !members.pattern_version {
                        rewriter.add("pattern_version", |out| rewrite::write_plain(out, "2.0"));
                    }
                }
            }
            "objects" if observables.is_some() => {
                rewriter.rename_with(&key, &value, "object_refs", |out| {
                    observables.iter().for_each(|split| split.write_refs(out));
                });
            }
            "granular_markings" => match granular {
                None => rewriter.keep(&key, &value),
                Some([]) => rewriter.drop(&value),
                Some(list) => rewriter.replace(&key, &value, |out| out.extend_from_slice(list)),
            },
            _ => rewriter.keep(&key, &value),
        }
    }
    if malware && !members.is_family {
        rewriter.add("is_family", |out| out.extend_from_slice(b"true"));
    }
    rewriter.finish();
    sink.end();
    if malware && !members.is_family {
        sink.note(&members.id, "is_family", Fate::Assumed, "true: STIX 2.0 does not say whether a malware is a family");
    }
    if let Some(labels) = labels {
        labels.note(&members.id, sink);
    }
    if indicator {
        note_pattern(object, &members.id, sink);
    }
}

/// `created` and `modified` need three digits of fraction at least; zeros do not change the instant. STIX 2.1 §3.2.
fn timestamp(rewriter: &mut Rewriter<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
    const ENOUGH: usize = "2020-01-01T00:00:00.000Z".len();
    let short = value.raw_str().filter(|text| text.len() < ENOUGH && Timestamp::parse(text).is_ok());
    match short.and_then(|text| text.strip_suffix('Z')) {
        Some(text) => {
            let dot = if text.contains('.') { "" } else { "." };
            let padded = format!("{text}{dot}{}Z", "0".repeat(ENOUGH - 1 - text.len() - dot.len()));
            rewriter.replace(key, value, |out| rewrite::write_plain(out, &padded));
        }
        None => rewriter.keep(key, value),
    }
}

/// Paths of patterns that observables of STIX 2.1 no longer have.
const RENAMED: [&str; 20] = [
    "process:name",
    "process:arguments",
    "process:created",
    "process:binary_ref",
    "file:created",
    "file:modified",
    "file:accessed",
    "file:is_encrypted",
    "file:encryption_algorithm",
    "file:decryption_key",
    "file:hashes.ssdeep",
    "file:hashes.'ssdeep'",
    "directory:created",
    "directory:modified",
    "directory:accessed",
    "user-account:password_last_changed",
    "windows-registry-key:modified",
    "image_compression_algorithm",
    "protocol_family",
    "archive-ext'.version",
];

fn note_pattern(object: &Value<'_>, id: &str, sink: &mut Sink) {
    let Some(pattern) = object.get("pattern").and_then(|pattern| pattern.as_str()) else { return };
    if let Some(path) = RENAMED.iter().find(|path| pattern.contains(*path)) {
        let detail = format!("names `{path}`, which observables of STIX 2.1 do not have: it matches none of them");
        sink.note(id, "pattern", Fate::Kept, detail);
    }
}
