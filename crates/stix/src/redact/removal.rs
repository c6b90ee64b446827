//! Whether parts of an object can go such that a valid object of the same identity stays. STIX 2.1 §2.9, §3.2, §4–§7.
//!
//! The answer follows from what stays and from which properties go, never from the values that go.

use std::borrow::Cow;
use std::collections::HashSet;

use super::mark;
use super::select::Places;
use crate::json::{Kind as Json, Value};
use crate::schema::{
    Category, Kind, Rule, Shape, Version, external_reference, predefined, predefined20, shape_of_contained,
};

/// What goes cannot go: the object would be invalid or another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Bound;

/// Properties that every object must keep. Besides what the tables require these are the ones that say how to read it,
/// whether it is still in force, and how its receiver must treat it.
const KEPT: [&str; 9] = [
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "revoked",
    "defanged",
    "object_marking_refs",
    "granular_markings",
];

/// Adds to `places` what becomes empty without them, and so goes too.
pub(crate) fn complete(
    object: Value<'_>,
    shape: &'static Shape,
    version: Version,
    places: &mut Places,
) -> Result<(), Bound> {
    if shape.category == Category::Bundle {
        return Err(Bound);
    }
    let mut removal = Removal { places, emptied: Vec::new(), category: shape.category, shape, version };
    let empty = removal.members(object, shape, true)?;
    let emptied = removal.emptied;
    places.extend(emptied);
    if empty { Err(Bound) } else { Ok(()) }
}

/// Whether something inside the value goes, itself not counted.
pub(super) fn touches(places: &Places, value: Value<'_>) -> bool {
    let span = value.span();
    places.range(span.start + 1..span.end.max(span.start + 1)).next().is_some()
}

struct Removal<'p> {
    places: &'p Places,
    emptied: Vec<usize>,
    /// Of the whole object.
    category: Category,
    /// Of the object at hand: the whole, or one in a container.
    shape: &'static Shape,
    version: Version,
}

impl Removal<'_> {
    /// Whether the value goes, because it is to go or because nothing of it stays. `kind` is none for what the tables
    /// do not describe.
    fn value(&mut self, value: Value<'_>, kind: Option<&'static Kind>) -> Result<bool, Bound> {
        if self.places.contains(&value.span().start) {
            return Ok(true);
        }
        if !touches(self.places, value) {
            return Ok(false);
        }
        let empty = match (value.kind(), kind) {
            (Json::Array, Some(Kind::List(inner))) => self.elements(value, Some(inner))?,
            (Json::Array, _) => self.elements(value, None)?,
            (_, Some(Kind::Object(shape))) => self.members(value, shape, false)?,
            (_, Some(Kind::External)) => self.external_reference(value)?,
            (_, Some(Kind::Extensions)) => self.extensions(value)?,
            (_, Some(Kind::Container)) => self.container(value)?,
            _ => self.free(value)?,
        };
        if empty {
            self.emptied.push(value.span().start);
        }
        Ok(empty)
    }

    fn elements(&mut self, list: Value<'_>, kind: Option<&'static Kind>) -> Result<bool, Bound> {
        let mut empty = true;
        for item in list.items() {
            empty &= self.value(item, kind)?;
        }
        Ok(empty)
    }

    /// The members of an object that a table describes; whether none of them stays.
    fn members(&mut self, object: Value<'_>, shape: &'static Shape, whole: bool) -> Result<bool, Bound> {
        let (mut stays, mut empty) = (0, true);
        let mut names = Names::default();
        for (key, item) in object.entries() {
            let name = key.as_str();
            let found = shape.property(&name);
            let goes = self.value(item, found.map(|found| &found.property.kind))?;
            let changes = goes || touches(self.places, item);
            if changes && (whole && self.keeps(&name) || shape.identifying.contains(&name.as_ref())) {
                return Err(Bound);
            }
            match found {
                Some(found) if goes && found.property.required => return Err(Bound),
                Some(found) if !goes => stays |= 1 << found.number,
                _ => {}
            }
            empty &= goes;
            names.note(name, goes, found.is_none());
        }
        names.check()?;
        if !empty && shape.rules.iter().any(|rule| self.breaks(rule, object, shape, stays)) {
            return Err(Bound);
        }
        Ok(empty)
    }

    /// Whether the object would be invalid or another one without its property of this name.
    fn keeps(&self, name: &str) -> bool {
        KEPT.contains(&name)
            || name == mark::PROPERTY
            || match self.category {
                Category::Marking => matches!(name, "name" | "definition" | "definition_type" | "extensions"),
                Category::Extension => name == "extension_properties",
                _ => false,
            }
    }

    /// The members of an object that no table describes.
    fn free(&mut self, object: Value<'_>) -> Result<bool, Bound> {
        let mut empty = true;
        let mut names = Names::default();
        for (key, item) in object.entries() {
            let goes = self.value(item, None)?;
            empty &= goes;
            names.note(key.as_str(), goes, true);
        }
        names.check()?;
        Ok(empty)
    }

    /// STIX 2.1 §2.5.
    fn external_reference(&mut self, value: Value<'_>) -> Result<bool, Bound> {
        let empty = self.members(value, external_reference(), false)?;
        let without = value.get("external_id").is_some_and(|id| self.places.contains(&id.span().start));
        let source = value.get("source_name").and_then(|source| source.as_str());
        let numbered = source.is_some_and(|source| matches!(source.as_ref(), "cve" | "capec"));
        if !empty && without && numbered { Err(Bound) } else { Ok(empty) }
    }

    /// STIX 2.1 §7.3.
    fn extensions(&mut self, value: Value<'_>) -> Result<bool, Bound> {
        let mut empty = true;
        for (key, extension) in value.entries() {
            let key = key.as_str();
            let known = match self.version {
                Version::V21 => predefined(self.shape.name, &key),
                Version::V20 => predefined20(self.shape.name, &key),
            };
            if self.places.contains(&extension.span().start) {
                // Without the extension that defines it the type of a custom object would say nothing.
                let defines = key.starts_with("extension-definition--")
                    && matches!(self.category, Category::Custom | Category::CustomSco);
                if defines || key == mark::EXTENSION {
                    return Err(Bound);
                }
                continue;
            }
            let touched = touches(self.places, extension);
            let goes = match known {
                Some(shape) if touched => self.members(extension, shape, false)?,
                _ => self.value(extension, None)?,
            };
            if touched && known.is_none() {
                let kind = extension.get("extension_type");
                if key == mark::EXTENSION || goes || kind.is_some_and(|kind| self.places.contains(&kind.span().start)) {
                    return Err(Bound);
                }
            }
            if goes {
                self.emptied.push(extension.span().start);
            }
            empty &= goes;
        }
        Ok(empty)
    }

    /// Objects that refer to one another by key. STIX 2.1 §2.13.
    fn container(&mut self, container: Value<'_>) -> Result<bool, Bound> {
        let outer = self.shape;
        let mut gone = HashSet::new();
        let mut empty = true;
        for (key, object) in container.entries() {
            let goes = if self.places.contains(&object.span().start) {
                true
            } else if touches(self.places, object) {
                let name = object.get("type").and_then(|name| name.as_str()).unwrap_or_default();
                self.shape = shape_of_contained(self.version, &name);
                self.members(object, self.shape, false)?
            } else {
                false
            };
            if goes {
                self.emptied.push(object.span().start);
                gone.insert(key.as_str());
            }
            empty &= goes;
        }
        self.shape = outer;
        if !gone.is_empty() && !empty && self.names_any(container, false, &gone) {
            return Err(Bound);
        }
        Ok(empty)
    }

    /// Whether a reference that stays is one of the keys.
    fn names_any(&self, value: Value<'_>, reference: bool, keys: &HashSet<Cow<'_, str>>) -> bool {
        if self.places.contains(&value.span().start) {
            return false;
        }
        match value.kind() {
            Json::String if reference => value.as_str().is_some_and(|text| keys.contains(&text)),
            Json::Array => value.items().any(|item| self.names_any(item, reference, keys)),
            Json::Object => value.entries().any(|(key, item)| {
                let name = key.as_str();
                self.names_any(item, name.ends_with("_ref") || name.ends_with("_refs"), keys)
            }),
            _ => false,
        }
    }

    /// Whether a rule does not hold for the properties that stay.
    fn breaks(&self, rule: &Rule, object: Value<'_>, shape: &Shape, stays: u64) -> bool {
        let has = |name: &str| stays & shape.bit(name) != 0;
        let is_true = |name: &str| has(name) && object.get(name).and_then(|flag| flag.as_bool()) == Some(true);
        match rule {
            Rule::Order(..) => false,
            Rule::AnyOf(names) => !names.iter().any(|name| has(name)),
            Rule::AnyOwn => stays & (shape.own_bits() | shape.bit("extensions")) == 0,
            Rule::AnyBesides(name) => stays & shape.own_bits() & !shape.bit(name) == 0,
            Rule::OneOf(one, two) => has(one) == has(two),
            Rule::Needs(one, two) => has(one) && !has(two),
            Rule::Forbids(flag, name) => is_true(flag) && has(name),
            Rule::ForbidsUnless(flag, name) => !is_true(flag) && has(name),
            Rule::NeedsIf(flag, name) => is_true(flag) && !has(name),
        }
    }
}

/// A custom property `…_enc` names the encoding of another, which must be there. STIX 2.1 §3.1.
#[derive(Default)]
struct Names<'t> {
    gone: HashSet<Cow<'t, str>>,
    encodings: Vec<Cow<'t, str>>,
}

impl<'t> Names<'t> {
    fn note(&mut self, name: Cow<'t, str>, goes: bool, custom: bool) {
        if goes {
            self.gone.insert(name);
        } else if custom && name.ends_with("_enc") {
            self.encodings.push(name);
        }
    }

    fn check(&self) -> Result<(), Bound> {
        let orphaned = |name: &Cow<'t, str>| name.strip_suffix("_enc").is_some_and(|stem| self.gone.contains(stem));
        if !self.gone.is_empty() && self.encodings.iter().any(orphaned) { Err(Bound) } else { Ok(()) }
    }
}
