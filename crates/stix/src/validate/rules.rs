//! What must hold between the properties of one object, and what each class of objects asks for besides.

use super::walk::{Slots, Walk};
use super::{Code, names};
use crate::id::Id;
use crate::json::Value;
use crate::marking::tlp_of;
use crate::object_type::{is_smo, is_sro};
use crate::relationship::{Standing, standing};
use crate::schema::{Category, Role, Rule, Shape, Version};
use crate::timestamp::Timestamp;

impl<'t> Walk<'_, 't> {
    /// Checks the rules of a shape against the members that are there.
    pub(super) fn rules(&mut self, value: Value<'t>, shape: &'static Shape, seen: u64, slots: Option<&Slots<'t>>) {
        let has = |name: &str| seen & shape.bit(name) != 0;
        for rule in shape.rules {
            let broken = match rule {
                Rule::Order(first, last, strictly) => {
                    if has(first) && has(last) {
                        self.order(value, (first, last), *strictly, shape, slots);
                    }
                    None
                }
                Rule::AnyOf(names) => (!names.iter().any(|name| has(name)))
                    .then(|| (Code::AnyOf, names.first().copied().unwrap_or_default())),
                Rule::AnyOwn => {
                    let extended = seen & shape.bit("extensions") != 0;
                    (seen & shape.own_bits() == 0 && !extended).then_some((Code::AnyOf, ""))
                }
                Rule::AnyBesides(name) => {
                    (seen & shape.own_bits() & !shape.bit(name) == 0).then_some((Code::AnyOf, ""))
                }
                Rule::OneOf(one, two) => (has(one) == has(two)).then_some((Code::OneOf, *one)),
                Rule::Needs(one, two) => (has(one) && !has(two)).then_some((Code::Needs, *two)),
                Rule::Forbids(flag, name) => {
                    (is_true(value, flag) == Some(true) && has(name)).then_some((Code::Forbids, *name))
                }
                Rule::ForbidsUnless(flag, name) => {
                    (is_true(value, flag) != Some(true) && has(name)).then_some((Code::Forbids, *name))
                }
                Rule::NeedsIf(flag, name) => {
                    (is_true(value, flag) == Some(true) && !has(name)).then_some((Code::Needs, *name))
                }
            };
            if let Some((code, what)) = broken {
                self.pen.note_in(code, value, what, shape.clause);
            }
        }
    }

    /// One time must not be before another.
    fn order(
        &mut self,
        value: Value<'t>,
        (first, last): (&'static str, &'static str),
        strictly: bool,
        shape: &'static Shape,
        slots: Option<&Slots<'t>>,
    ) {
        let (early, late) = match slots {
            Some(slots) if last == "modified" => (slots.get(Role::Created), slots.get(Role::Modified)),
            _ => (value.get(first), value.get(last)),
        };
        let (Some(early), Some(late)) = (early, late) else { return };
        if early.text() == late.text() && !strictly {
            return;
        }
        let (Some(early), Some(text)) = (early.as_str(), late.as_str()) else { return };
        let (Ok(early), Ok(end)) = (Timestamp::parse(&early), Timestamp::parse(&text)) else { return };
        if end < early || (strictly && end == early) {
            self.pen.note_in(Code::TimestampOrder, late, first, shape.clause);
        }
    }

    /// What the class or the type of a whole object asks for besides its table.
    pub(super) fn besides(&mut self, value: Value<'t>, seen: u64, slots: &Slots<'t>) {
        let shape = self.shape;
        match shape.category {
            Category::Sdo if shape.name == "indicator" => self.indicator(value, seen, slots),
            Category::Sdo if self.version == Version::V21 && seen & shape.bit("objects") != 0 => {
                let objects = value.get("objects").unwrap_or(value);
                self.pen.note(Code::DeprecatedProperties, objects, "");
            }
            Category::Sro if shape.name == "relationship" => self.relationship(slots),
            Category::Sco => self.observable(value, seen, slots),
            Category::Marking => self.marking_definition(value, slots),
            Category::Extension => self.extension_definition(value, seen, slots),
            Category::Custom | Category::CustomSco => self.custom_object(),
            _ => {}
        }
    }

    /// STIX 2.1 §4.7, §9.
    fn indicator(&mut self, value: Value<'t>, seen: u64, slots: &Slots<'t>) {
        let shape = self.shape;
        if self.version == Version::V21 && (seen & shape.bit("name") == 0 || seen & shape.bit("description") == 0) {
            self.pen.note(Code::IndicatorProperties, value, "");
        }
        let Some(pattern) = slots.get(Role::Main) else { return };
        let stix = self.version == Version::V20
            || slots.get(Role::Second).and_then(|found| found.as_str()).is_some_and(|kind| kind == "stix");
        if let (true, Some(text)) = (stix, pattern.as_str()) {
            self.pattern(pattern, &text);
        }
    }

    /// STIX 2.1 §5.1, Appendix B.
    fn relationship(&mut self, slots: &Slots<'t>) {
        let (Some(kind), Some(source), Some(target)) =
            (slots.get(Role::Main), slots.get(Role::Second), slots.get(Role::Third))
        else {
            return;
        };
        let (Some(name), Some(from), Some(to)) = (kind.as_str(), source.as_str(), target.as_str()) else { return };
        let (Ok(from), Ok(to)) = (Id::parse(&from), Id::parse(&to)) else { return };
        let common = matches!(name.as_ref(), "related-to" | "derived-from" | "duplicate-of");
        let (from, to) = (from.object_type(), to.object_type());
        let defined = match self.version {
            Version::V21 => standing(from, &name, to) != Standing::Undefined,
            Version::V20 => super::older::is_defined(from, &name, to),
        };
        let ends = |name: &str| !is_sro(name) && !is_smo(name) && name != "bundle";
        if !common && !defined && ends(from) && ends(to) {
            self.pen.note(Code::RelationshipTypes, kind, "");
        }
    }

    /// STIX 2.1 §2.9, §6.
    pub(super) fn observable(&mut self, value: Value<'t>, seen: u64, slots: &Slots<'t>) {
        let shape = self.shape;
        if self.nested {
            self.lower_keys(value);
        }
        if shape.name == "network-traffic" && (seen & shape.bit("src_port") == 0 || seen & shape.bit("dst_port") == 0) {
            self.pen.note(Code::NetworkTrafficPorts, value, "");
        }
        let Some(id) = slots.get(Role::Id).filter(|_| self.version == Version::V21) else { return };
        let identified = shape.identifying.iter().any(|name| seen & shape.bit(name) != 0);
        let Some(text) = id.as_str() else { return };
        if shape.category == Category::Sco && !identified && Id::parse(&text).is_ok_and(|id| id.uuid_version() != 4) {
            self.pen.note_in(Code::UuidVersion, id, "", shape.clause);
        }
    }

    /// STIX 2.1 §7.3.
    fn extension_definition(&mut self, value: Value<'t>, seen: u64, slots: &Slots<'t>) {
        let shape = self.shape;
        let toplevel = slots.get(Role::Main).is_some_and(|types| {
            types.items().any(|item| item.as_str().is_some_and(|text| text == "toplevel-property-extension"))
        });
        let properties = slots.get(Role::Second);
        match properties {
            Some(properties) if !toplevel => self.pen.note(Code::ExtensionProperties, properties, ""),
            None if toplevel => self.pen.note(Code::ExtensionPropertiesMissing, value, ""),
            _ => {}
        }
        if let Some(properties) = properties {
            for name in properties.items() {
                if name.as_str().is_some_and(|text| !names::is_property(&text, Version::V21)) {
                    self.pen.note_in(Code::PropertyName, name, "", shape.clause);
                }
            }
        }
        if seen & shape.bit("description") == 0 {
            self.pen.note(Code::ExtensionDescription, value, "");
        }
    }

    /// What interoperability asks of one object: a producer, and at most one TLP marking. STIX 2.1 Interoperability §2.
    pub(super) fn interop(&mut self, value: Value<'t>, slots: &Slots<'t>) {
        let class = self.shape.category;
        let made = matches!(class, Category::Sdo | Category::Sro) && self.shape.name != "identity";
        if made && slots.get(Role::Creator).is_none() {
            self.pen.note(Code::InteropCreator, value, "`created_by_ref` is missing");
        }
        let markings = slots.get(Role::Markings).into_iter().flat_map(|list| list.items());
        let tlp = markings.filter(|id| id.as_str().is_some_and(|id| tlp_of(&id).is_some())).count();
        if tlp > 1 {
            let markings = slots.get(Role::Markings).unwrap_or(value);
            self.pen.note(Code::InteropCreator, markings, "only one TLP marking may stand on an object");
        }
    }

    /// The name of a type that the standard does not define.
    pub(super) fn custom_type(&mut self, name: &str, place: Value<'t>) {
        self.pen.note(Code::TypesStrict, place, "");
        if !names::has_source_prefix(name, b'-') {
            self.pen.note(Code::CustomPrefix, place, "");
        }
        if !name.starts_with("x-") {
            self.pen.note(Code::CustomPrefixLax, place, "");
        }
    }

    /// A type that the standard does not define. STIX 2.1 §7.3, §11.2.
    fn custom_object(&mut self) {
        let Some(object_type) = self.outline.object_type else { return };
        let Some(name) = object_type.as_str() else { return };
        if matches!(name.as_ref(), "action" | "incident" | "infrastructure") {
            // A reserved name is an error already.
            return;
        }
        self.custom_type(&name, object_type);
        if self.version == Version::V21
            && self.pen.checks.wants(Code::ExtensionsUse)
            && !self.outline.uses_extension(&["new-sdo", "new-sco", "new-sro"])
        {
            self.pen.note(Code::ExtensionsUse, object_type, "");
        }
    }
}

fn is_true(value: Value<'_>, name: &str) -> Option<bool> {
    value.get(name).and_then(|found| found.as_bool())
}
