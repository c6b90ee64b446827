//! What must be known of an object before its members are checked: taken in one quick pass over their names.

use std::borrow::Cow;

use crate::json::Value;

/// The members that decide how an object is judged.
#[derive(Clone, Copy, Default)]
pub(super) struct Outline<'t> {
    /// `type`
    pub(super) object_type: Option<Value<'t>>,
    /// `id`
    pub(super) id: Option<Value<'t>>,
    /// `spec_version`
    pub(super) spec_version: Option<Value<'t>>,
    /// `extensions`
    pub(super) extensions: Option<Value<'t>>,
    /// Whether `created` is there.
    pub(super) created: bool,
    /// Whether `modified` is there.
    pub(super) modified: bool,
    /// Whether `defanged` is true.
    pub(super) defanged: bool,
}

impl<'t> Outline<'t> {
    pub(super) fn of(object: Value<'t>) -> Self {
        let mut outline = Self::default();
        for (key, value) in object.entries() {
            match key.raw_str() {
                Some(name) => outline.take(name, value),
                None => outline.take(&key.as_str(), value),
            }
        }
        outline
    }

    #[inline]
    fn take(&mut self, name: &str, value: Value<'t>) {
        // The length tells most names apart from these.
        match name.len() {
            2 if name == "id" => self.id = Some(value),
            4 if name == "type" => self.object_type = Some(value),
            7 if name == "created" => self.created = true,
            8 if name == "modified" => self.modified = true,
            8 if name == "defanged" => self.defanged = value.as_bool() == Some(true),
            10 if name == "extensions" => self.extensions = Some(value),
            12 if name == "spec_version" => self.spec_version = Some(value),
            _ => {}
        }
    }

    /// The text of `type`.
    pub(super) fn type_name(&self) -> Option<Cow<'t, str>> {
        self.object_type.and_then(|found| match found.raw_str() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => found.as_str(),
        })
    }

    /// Whether an extension of one of these types is used on the object. STIX 2.1 §7.3.
    pub(super) fn uses_extension(&self, types: &[&str]) -> bool {
        let Some(extensions) = self.extensions else { return false };
        extensions.entries().any(|(_, extension)| {
            let declared = extension.get("extension_type").and_then(|found| found.as_str());
            declared.is_some_and(|declared| types.contains(&declared.as_ref()))
        })
    }
}
