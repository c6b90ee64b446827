//! Marking definitions: statements, the fixed objects of TLP, and extensions. STIX 2.1 §7.2.1.

use super::Code;
use super::walk::{Slots, Walk};
use crate::json::{Kind as Json, Value};
use crate::marking::{TLP1_CREATED, predefined};
use crate::schema::{Role, Version};

impl<'t> Walk<'_, 't> {
    pub(super) fn marking_definition(&mut self, value: Value<'t>, slots: &Slots<'t>) {
        self.marks_itself(slots);
        let (kind, definition) = (slots.get(Role::Second), slots.get(Role::Main));
        let extended = slots.get(Role::Extensions).is_some() && self.version == Version::V21;
        if !extended && (kind.is_none() || definition.is_none()) {
            self.pen.note(Code::MarkingDefinition, value, "missing");
            if kind.is_none() && self.version == Version::V21 {
                self.pen.note(Code::ExtensionsUse, value, "");
            }
            return;
        }
        let Some(kind) = kind.and_then(|found| found.as_str()) else { return };
        match kind.as_ref() {
            "tlp" => self.tlp(value, slots),
            "statement" => {
                let stated =
                    definition.and_then(|found| found.get("statement")).is_some_and(|text| text.kind() == Json::String);
                if !stated {
                    self.pen.note(Code::MarkingDefinition, definition.unwrap_or(value), "statement");
                }
            }
            _ => {
                if let Some(definition) = definition.filter(|found| found.kind() != Json::Object) {
                    self.pen.note(Code::MarkingDefinition, definition, "object");
                }
                let kind = slots.get(Role::Second).unwrap_or(value);
                self.pen.note(Code::MarkingDefinitionType, kind, "");
                if !extended && self.version == Version::V21 {
                    self.pen.note(Code::ExtensionsUse, kind, "");
                }
            }
        }
    }

    /// A marking definition must not mark itself. STIX 2.1 §3.2.
    fn marks_itself(&mut self, slots: &Slots<'t>) {
        let itself = slots.get(Role::Id).and_then(|id| id.as_str());
        let refs = slots.get(Role::Markings);
        for reference in refs.into_iter().flat_map(|list| list.items()) {
            if reference.as_str() == itself {
                self.pen.note(Code::MarkingItself, reference, "");
            }
        }
    }

    /// The objects of TLP 1 are fixed; no others may be made. STIX 2.1 §7.2.1.4.
    fn tlp(&mut self, value: Value<'t>, slots: &Slots<'t>) {
        let text = |value: Option<Value<'t>>| value.and_then(|found| found.as_str()).unwrap_or_default();
        let id = text(slots.get(Role::Id));
        let level = text(slots.get(Role::Main).and_then(|definition| definition.get("tlp")));
        let created = text(slots.get(Role::Created));
        let name = text(slots.get(Role::Third));
        let fixed = predefined(&id).filter(|fixed| fixed.generation == 1);
        let named = self.version == Version::V20 || fixed.is_some_and(|fixed| fixed.name == name);
        let same = fixed.is_some_and(|fixed| fixed.value == level) && created == TLP1_CREATED && named;
        let members = match self.version {
            Version::V21 => &["type", "spec_version", "id", "name", "created", "definition_type", "definition"][..],
            Version::V20 => &["type", "spec_version", "id", "created", "definition_type", "definition"][..],
        };
        let bare = value.entries().all(|(key, _)| members.iter().any(|name| key == *name));
        if !same || !bare {
            self.pen.note(Code::TlpDefinition, value, "");
        }
    }
}
