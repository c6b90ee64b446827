//! One pass over an object: every member is looked up in the shape and its value checked.

use std::borrow::Cow;

use super::note::Pen;
use super::outline::Outline;
use super::{Code, names};
use crate::head::References;
use crate::json::{Kind as Json, Value};
use crate::schema::{Category, Kind, Role, Shape, Version};

/// The members that rules and heads need again, by role.
#[derive(Clone, Copy)]
pub(crate) struct Slots<'t>([Option<Value<'t>>; Role::COUNT]);

impl<'t> Slots<'t> {
    pub(super) const EMPTY: Self = Self([None; Role::COUNT]);

    #[inline]
    pub(crate) fn get(&self, role: Role) -> Option<Value<'t>> {
        self.0.get(role as usize).copied().flatten()
    }

    #[inline]
    fn set(&mut self, role: Role, value: Value<'t>) {
        if let Some(slot) = self.0.get_mut(role as usize) {
            *slot = Some(value);
        }
    }
}

/// The walk over one object and what it knows of it.
pub(super) struct Walk<'v, 't> {
    pub(super) pen: Pen<'v>,
    /// The object that selectors and extensions refer to.
    pub(super) root: Value<'t>,
    /// Its shape.
    pub(super) shape: &'static Shape,
    pub(super) version: Version,
    /// In a deprecated container: the container, whose keys local references name.
    pub(super) container: Option<Value<'t>>,
    /// What was seen of the object before the walk.
    pub(super) outline: Outline<'t>,
    /// Whether an extension adds properties at the top level; found out at the first unknown property.
    pub(super) toplevel: Option<bool>,
    /// Whether a value of the object is an object itself.
    pub(super) nested: bool,
    /// Members and elements that may still be looked at again: names, selectors and local references are looked up by a
    /// walk, and a hostile object could ask for very many.
    pub(super) budget: usize,
    /// The ids that the object names.
    pub(super) references: &'v mut References,
}

/// Steps of looking again that one object may cost.
pub(super) const BUDGET: usize = 4_000_000;

impl<'t> Walk<'_, 't> {
    /// Checks the members of `value` by `shape`; the set of those present.
    pub(super) fn members(
        &mut self,
        value: Value<'t>,
        shape: &'static Shape,
        mut slots: Option<&mut Slots<'t>>,
    ) -> u64 {
        let mut seen = 0;
        for (key, item) in value.entries() {
            let name = match key.raw_str() {
                Some(plain) => Cow::Borrowed(plain),
                None => key.as_str(),
            };
            self.nested |= item.kind() == Json::Object;
            let Some(found) = shape.property(&name) else {
                self.unknown(&name, item, shape, value);
                continue;
            };
            seen |= 1 << found.number;
            if found.property.role != Role::None
                && let Some(slots) = slots.as_deref_mut()
            {
                slots.set(found.property.role, item);
            }
            self.value(item, &found.property.kind, found.property.name, shape.clause);
        }
        let missing = shape.required() & !seen;
        if missing != 0 {
            for (number, property) in shape.properties().enumerate() {
                if missing >> number & 1 == 1 {
                    self.pen.note_in(Code::Required, value, property.name, shape.clause);
                }
            }
        }
        seen
    }

    /// Checks an object inside the object: members, then rules.
    pub(super) fn embedded(
        &mut self,
        value: Value<'t>,
        shape: &'static Shape,
        name: &'static str,
        clause: &'static str,
    ) {
        if value.kind() != Json::Object {
            return self.pen.note_in(Code::WrongKind, value, "an object", clause);
        }
        if value.is_empty() && shape.required() == 0 {
            return self.pen.note_in(Code::DictionaryEmpty, value, name, shape.clause);
        }
        let seen = self.members(value, shape, None);
        self.rules(value, shape, seen, None);
    }

    /// A member that the shape does not know: custom content.
    fn unknown(&mut self, name: &str, item: Value<'t>, shape: &'static Shape, owner: Value<'t>) {
        self.references.member(name, item, self.pen.base);
        if shape.category == Category::Embedded {
            return;
        }
        self.custom_member(name, item, owner);
        if matches!(shape.category, Category::Custom | Category::CustomSco) {
            return;
        }
        self.pen.note(Code::PropertiesStrict, item, shape.name);
        let wanted = self.pen.checks.wants(Code::ExtensionsUse);
        if wanted && (shape.category == Category::Part || !self.has_toplevel_extension()) {
            self.pen.note(Code::ExtensionsUse, item, "");
        }
        if !names::has_source_prefix(name, b'_') {
            self.pen.note(Code::CustomPrefix, item, "");
        }
        if !name.starts_with("x_") {
            self.pen.note(Code::CustomPrefixLax, item, "");
        }
    }

    /// What holds for the name and the value of any custom member. STIX 2.1 §3.1, §11.1.
    pub(super) fn custom_member(&mut self, name: &str, item: Value<'t>, owner: Value<'t>) {
        if !names::is_property(name, self.version) {
            self.pen.note(Code::PropertyName, item, "");
        }
        match item.kind() {
            Json::Null => return self.pen.note(Code::Null, item, ""),
            Json::Array if item.is_empty() => return self.pen.note(Code::EmptyList, item, ""),
            _ => {}
        }
        if self.version == Version::V20 && !name.ends_with("_bin") {
            return;
        }
        match name.as_bytes() {
            [.., b'_', b'h', b'e', b'x'] => self.value(item, &Kind::Hex, "", Code::Hex.clause()),
            [.., b'_', b'b', b'i', b'n'] => self.value(item, &Kind::Binary, "", Code::Binary.clause()),
            [sibling @ .., b'_', b'e', b'n', b'c'] => {
                let there =
                    self.spend(owner.len()) && owner.entries().any(|(key, _)| key.as_str().as_bytes() == sibling);
                if !there {
                    self.pen.note(Code::EncodingSibling, item, "");
                }
            }
            _ => {}
        }
    }

    /// Takes steps from the budget; false when it is used up.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let left = self.budget.checked_sub(steps);
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether an extension of the object declares properties at the top level. STIX 2.1 §7.3.2.
    fn has_toplevel_extension(&mut self) -> bool {
        if self.toplevel.is_none() {
            self.toplevel = Some(self.outline.uses_extension(&["toplevel-property-extension"]));
        }
        self.toplevel == Some(true)
    }
}
