//! What a ledger and a policy need to know of an object, taken in the same pass that validates it.

mod brief;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::id::Id;
use crate::json::{Kind as Json, Limits, Tape, Value};
use crate::redact::{self, Places};
use crate::schema::{Role, Shape};
use crate::timestamp::Timestamp;
use crate::validate::Slots;

pub use crate::schema::{Category, Version as SpecVersion};
pub use brief::Brief;

/// The head of an object: who it is, which version, whose, and under which markings. STIX 2.1 §3.2.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Head<'t> {
    /// `type`, escapes resolved.
    pub object_type: Cow<'t, str>,
    /// `id`, escapes resolved.
    pub id: Cow<'t, str>,
    /// What kind of object it is.
    pub category: Category,
    /// Which edition it follows.
    pub spec: SpecVersion,
    /// `modified`, else `created`; `None` where neither is there and readable.
    pub version: Option<Timestamp<'t>>,
    /// `created_by_ref`.
    pub created_by_ref: Option<Cow<'t, str>>,
    /// `object_marking_refs` in their order.
    pub marking_refs: Vec<Cow<'t, str>>,
    /// The granular markings in their order, each marking definition once; languages are none.
    pub granular: Vec<Granular<'t>>,
    /// The ids in every `*_ref` and `*_refs` at any depth, each once, except `created_by_ref`, `object_marking_refs` and
    /// `marking_ref`. The keys by which objects in a container refer to one another are no ids.
    pub references: Vec<Cow<'t, str>>,
    /// Whether `revoked` is true.
    pub revoked: bool,
}

/// A marking of parts of an object. STIX 2.1 §7.2.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granular<'t> {
    /// The marking definition's id.
    pub marking: Cow<'t, str>,
    /// Whether it marks something that cannot be taken out such that a valid object of the same identity stays: see
    /// [`crate::redact`].
    pub binding: bool,
}

impl<'t> Head<'t> {
    /// The head of an object whose text is `source`; `None` without a `type` and an `id` that are strings.
    pub(crate) fn of(
        source: &'t str,
        value: Value<'_>,
        shape: &'static Shape,
        spec: SpecVersion,
        slots: &Slots<'_>,
        references: &References,
    ) -> Option<Self> {
        let string = |value: Value<'_>| borrowed(source, value);
        let object_type = string(value.get("type")?)?;
        let id = string(slots.get(Role::Id)?)?;
        let time = slots.get(Role::Modified).or_else(|| slots.get(Role::Created)).and_then(string);
        let strings = |role| slots.get(role).map(|list| list.items().filter_map(string).collect()).unwrap_or_default();
        let granular = slots.get(Role::Granular).map(|list| granular(source, value, list, shape, spec));
        Some(Self {
            object_type,
            id,
            category: shape.category,
            spec,
            version: time.and_then(timestamp),
            created_by_ref: slots.get(Role::Creator).and_then(string),
            marking_refs: strings(Role::Markings),
            granular: granular.unwrap_or_default(),
            references: references.of(source),
            revoked: slots.get(Role::Revoked).and_then(|found| found.as_bool()).unwrap_or(false),
        })
    }
}

/// Each marking that the list names, and whether what it selects can go.
fn granular<'t>(
    source: &'t str,
    object: Value<'_>,
    list: Value<'_>,
    shape: &'static Shape,
    spec: SpecVersion,
) -> Vec<Granular<'t>> {
    let mut all: Vec<(Cow<'t, str>, Vec<Value<'_>>)> = Vec::new();
    let mut index: HashMap<Cow<'t, str>, usize> = HashMap::new();
    for entry in list.items() {
        let Some(marking) = entry.get("marking_ref").and_then(|found| borrowed(source, found)) else { continue };
        let at = *index.entry(marking.clone()).or_insert(all.len());
        if at == all.len() {
            all.push((marking, Vec::new()));
        }
        if let Some((_, entries)) = all.get_mut(at) {
            entries.push(entry);
        }
    }
    let mut budget = redact::BUDGET;
    all.into_iter()
        .map(|(marking, entries)| {
            let binding = redact::is_binding(object, &entries, shape, spec, &mut budget);
            Granular { marking, binding }
        })
        .collect()
}

/// The references of an object, as [`Head::references`] has them, without judging it. Of what cannot be read there are none.
#[must_use]
pub fn references_of(object: &[u8]) -> Vec<String> {
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    let mut tape = Tape::new();
    let Ok(value) = tape.parse(object, &limits) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    each_reference("", value, None, &Places::new(), &mut |_, text, _| {
        if Id::parse(text).is_ok() && !found.iter().any(|held| held == text) {
            found.push(text.to_owned());
        }
    });
    found
}

/// Who an object says made it, without judging it.
#[must_use]
pub fn created_by_of(object: &[u8]) -> Option<String> {
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    let mut tape = Tape::new();
    let value = tape.parse(object, &limits).ok()?;
    Some(value.get("created_by_ref")?.as_str()?.into_owned())
}

/// The ids that an object names, by where they stand: they are met while it is judged.
#[derive(Debug, Default)]
pub(crate) struct References {
    plain: Vec<(u32, u32)>,
    /// Those that are written with escapes.
    escaped: Vec<String>,
}

impl References {
    pub(crate) fn clear(&mut self) {
        self.plain.clear();
        self.escaped.clear();
    }

    /// Adds a string that is an id.
    #[inline]
    pub(crate) fn push(&mut self, value: Value<'_>, base: usize) {
        if value.raw_str().is_none() {
            return self.escaped.extend(value.as_str().map(Cow::into_owned));
        }
        let span = value.span();
        let place = |at: usize| u32::try_from(at - base).unwrap_or(u32::MAX);
        self.plain.push((place(span.start + 1), place(span.end - 1)));
    }

    /// Adds a string if it is an id.
    pub(crate) fn note(&mut self, value: Value<'_>, text: &str, base: usize) {
        if Id::parse(text).is_ok() {
            self.push(value, base);
        }
    }

    /// Adds the ids that a member and what is inside it name.
    pub(crate) fn member(&mut self, name: &str, value: Value<'_>, base: usize) {
        let inside = matches!(value.kind(), Json::Array | Json::Object);
        if !inside && !stands_for_ids(name) {
            return;
        }
        each_reference(name, value, None, &Places::new(), &mut |value, text, _| self.note(value, text, base));
    }

    /// Adds the ids that are named inside a value.
    pub(crate) fn gather(&mut self, value: Value<'_>, base: usize) {
        self.member("", value, base);
    }

    /// The ids, each once, by the text of the object.
    fn of<'t>(&self, source: &'t str) -> Vec<Cow<'t, str>> {
        let plain = self.plain.iter().filter_map(|(start, end)| source.get(*start as usize..*end as usize));
        let mut all: Vec<Cow<'t, str>> = Vec::with_capacity(self.plain.len() + self.escaped.len());
        all.extend(plain.map(Cow::Borrowed));
        all.extend(self.escaped.iter().cloned().map(Cow::Owned));
        // Few are compared with one another; many are hashed.
        if all.len() <= 8 {
            let mut at = 1;
            while let Some((before, [id, ..])) = all.split_at_checked(at) {
                if before.contains(id) { drop(all.remove(at)) } else { at += 1 }
            }
        } else {
            let mut seen = HashSet::with_capacity(all.len());
            all.retain(|id| seen.insert(id.clone()));
        }
        all
    }
}

/// Calls `note` with every string of a member, and of what is inside it, that stands where references stand, and with the
/// place of the list that holds it; what is at one of the places is gone past.
pub(crate) fn each_reference<'t>(
    name: &str,
    value: Value<'t>,
    list: Option<usize>,
    past: &Places,
    note: &mut dyn FnMut(Value<'t>, &str, Option<usize>),
) {
    if past.contains(&value.span().start) {
        return;
    }
    match value.kind() {
        Json::String if stands_for_ids(name) => {
            if let Some(text) = value.as_str() {
                note(value, &text, list);
            }
        }
        Json::Array => value.items().for_each(|item| each_reference(name, item, Some(value.span().start), past, note)),
        Json::Object => value.entries().for_each(|(key, item)| each_reference(&key.as_str(), item, None, past, note)),
        _ => {}
    }
}

/// Whether a property of this name holds references that count.
#[inline]
fn stands_for_ids(name: &str) -> bool {
    (name.ends_with("_ref") || name.ends_with("_refs"))
        && !matches!(name, "created_by_ref" | "object_marking_refs" | "marking_ref")
}

/// The text of a string, borrowed from the author's bytes unless it has escapes.
fn borrowed<'t>(source: &'t str, value: Value<'_>) -> Option<Cow<'t, str>> {
    match value.raw_str_in(source) {
        Some(plain) => Some(Cow::Borrowed(plain)),
        None => value.as_str().map(|text| Cow::Owned(text.into_owned())),
    }
}

fn timestamp(text: Cow<'_, str>) -> Option<Timestamp<'_>> {
    match text {
        Cow::Borrowed(text) => Timestamp::parse(text).ok(),
        Cow::Owned(text) => Timestamp::try_from(text).ok(),
    }
}
