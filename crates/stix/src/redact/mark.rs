//! How a receiver can tell that an object is not whole.

use crate::json::Value;
use crate::schema::{Category, Shape, Version};

use super::removal::Bound;

/// The id of the extension by which an object says that parts of it were taken out or masked.
pub const EXTENSION: &str = "extension-definition--3f1c5b0e-8d0a-4c62-9a5e-6e2f4b7d91c3";

/// The property that says it where the extension has no place: in STIX 2.0, whose domain objects have no extensions; on
/// an extension-definition, which has none either; and on cyber-observables whose id is made from their `extensions`,
/// which would get another id.
pub const PROPERTY: &str = "x_marsad_partial";

/// The extension's definition, which a node hands out with marked objects.
pub const DEFINITION: &str = r#"{
  "type": "extension-definition",
  "spec_version": "2.1",
  "id": "extension-definition--3f1c5b0e-8d0a-4c62-9a5e-6e2f4b7d91c3",
  "created_by_ref": "identity--b7a7d1d4-2f0b-4c3d-8a43-0c5f5e1d9a62",
  "created": "2026-01-01T00:00:00.000Z",
  "modified": "2026-01-01T00:00:00.000Z",
  "name": "Partial object",
  "description": "Where `partial` is true, whoever passed the object on has taken out or masked parts that its receiver may not see. It is the version that its creator made in everything that is left, and must not be taken for the whole version or passed on as such.",
  "schema": "{\"type\":\"object\",\"properties\":{\"extension_type\":{\"const\":\"property-extension\"},\"partial\":{\"const\":true}},\"required\":[\"extension_type\",\"partial\"]}",
  "version": "1.0.0",
  "extension_types": ["property-extension"]
}"#;

/// Who made the definition: an identity for its `created_by_ref`.
pub const DEFINER: &str = r#"{
  "type": "identity",
  "spec_version": "2.1",
  "id": "identity--b7a7d1d4-2f0b-4c3d-8a43-0c5f5e1d9a62",
  "created": "2026-01-01T00:00:00.000Z",
  "modified": "2026-01-01T00:00:00.000Z",
  "name": "Marsad",
  "identity_class": "system"
}"#;

/// A member that is to be added to an object.
pub(super) struct Addition {
    /// Where the object starts.
    pub(super) place: usize,
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// What marks the object as partial; `None` if it is marked already. An `extensions` that starts at a place of `gone` is
/// not there any more.
pub(super) fn addition(
    object: Value<'_>,
    shape: &Shape,
    version: Version,
    gone: impl Fn(Value<'_>) -> bool,
) -> Result<Option<Addition>, Bound> {
    let place = object.span().start;
    let is_set = |mark: Option<Value<'_>>| match mark {
        Some(mark) if mark.as_bool() == Some(true) => Ok(true),
        // Somebody says with our words that the object is whole: what is right cannot be said besides.
        Some(_) => Err(Bound),
        None => Ok(false),
    };
    let by_property =
        version == Version::V20 || shape.category == Category::Extension || shape.identifying.contains(&"extensions");
    if by_property {
        let marked = is_set(object.get(PROPERTY))?;
        return Ok((!marked).then(|| Addition { place, name: PROPERTY, value: "true".to_owned() }));
    }
    let entry = r#"{"extension_type":"property-extension","partial":true}"#;
    let Some(extensions) = object.get("extensions").filter(|found| !gone(*found)) else {
        return Ok(Some(Addition { place, name: "extensions", value: format!(r#"{{"{EXTENSION}":{entry}}}"#) }));
    };
    if extensions.is_empty() {
        return Err(Bound);
    }
    if let Some(own) = extensions.get(EXTENSION) {
        return if is_set(own.get("partial"))? { Ok(None) } else { Err(Bound) };
    }
    Ok(Some(Addition { place: extensions.span().start, name: EXTENSION, value: entry.to_owned() }))
}

/// Whether the object says that it is partial, and so must not be taken for the version that its creator made.
#[must_use]
pub fn is_partial(object: Value<'_>) -> bool {
    let by_extension = object.get("extensions").and_then(|all| all.get(EXTENSION)).and_then(|own| own.get("partial"));
    by_extension.or_else(|| object.get(PROPERTY)).and_then(|mark| mark.as_bool()) == Some(true)
}
