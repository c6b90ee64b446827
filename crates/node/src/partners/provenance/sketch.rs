//! What must be known of an object before it is judged, beside which object it is.

use stix::json::Value;
use stix::timestamp::Timestamp;

/// Says whose an object is, and of when. Nothing of it was validated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Sketch {
    pub(super) created_by_ref: Option<String>,
    /// When it says that it was made.
    pub(super) created: Option<i64>,
    /// When it says that it was changed.
    pub(super) modified: Option<i64>,
    pub(super) confidence: Option<u8>,
    /// Whether this version ends the object.
    pub(super) revoked: bool,
}

impl Sketch {
    /// Of one that was parsed.
    pub(super) fn read(value: Value<'_>) -> Self {
        let mut sketch = Self::default();
        for (name, value) in value.entries() {
            let name = name.as_str();
            let instant = || Some(Timestamp::parse(&value.as_str()?).ok()?.micros);
            match name.as_ref() {
                "created_by_ref" => sketch.created_by_ref = value.as_str().map(std::borrow::Cow::into_owned),
                "created" => sketch.created = instant(),
                "modified" => sketch.modified = instant(),
                "revoked" => sketch.revoked = value.as_bool() == Some(true),
                "confidence" => sketch.confidence = value.as_i64().and_then(|value| u8::try_from(value).ok()),
                _ => {}
            }
        }
        sketch
    }
}
