//! What a ledger and a policy need to know of an object, taken in the same pass that validates it.

use std::borrow::Cow;

use crate::json::Value;
use crate::schema::Role;
use crate::timestamp::Timestamp;
use crate::validate::Slots;

pub use crate::schema::{Category, Version as SpecVersion};

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
    /// The `marking_ref` of every granular marking in their order.
    pub granular_marking_refs: Vec<Cow<'t, str>>,
    /// Whether `revoked` is true.
    pub revoked: bool,
}

impl<'t> Head<'t> {
    /// The head of an object whose text is `source`; `None` without a `type` and an `id` that are strings.
    pub(crate) fn of(
        source: &'t str,
        value: Value<'_>,
        category: Category,
        spec: SpecVersion,
        slots: &Slots<'_>,
    ) -> Option<Self> {
        let string = |value: Value<'_>| borrowed(source, value);
        let object_type = string(value.get("type")?)?;
        let id = string(slots.get(Role::Id)?)?;
        let time = slots.get(Role::Modified).or_else(|| slots.get(Role::Created)).and_then(string);
        let strings = |role| slots.get(role).map(|list| list.items().filter_map(string).collect()).unwrap_or_default();
        let granular = slots
            .get(Role::Granular)
            .map(|list| list.items().filter_map(|marking| marking.get("marking_ref")).filter_map(string).collect());
        Some(Self {
            object_type,
            id,
            category,
            spec,
            version: time.and_then(timestamp),
            created_by_ref: slots.get(Role::Creator).and_then(string),
            marking_refs: strings(Role::Markings),
            granular_marking_refs: granular.unwrap_or_default(),
            revoked: slots.get(Role::Revoked).and_then(|found| found.as_bool()).unwrap_or(false),
        })
    }
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
