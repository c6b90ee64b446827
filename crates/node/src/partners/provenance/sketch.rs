//! What must be known of an object before it is validated.

use stix::json::{Limits, Tape, Value};
use stix::timestamp::Timestamp;

/// Says which object it is, whose, and of when. Nothing of it was validated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Sketch {
    pub(super) object_type: String,
    pub(super) id: String,
    pub(super) created_by_ref: Option<String>,
    /// `modified`, else `created`, as it is written.
    pub(super) version: Option<String>,
    /// When it says that it was made.
    pub(super) created: Option<i64>,
    /// When it says that it was changed.
    pub(super) modified: Option<i64>,
    pub(super) confidence: Option<u8>,
    /// Whether this version ends the object.
    pub(super) revoked: bool,
}

impl Sketch {
    /// Of one object. What cannot be read has no type: the validator says what is wrong with it.
    pub(super) fn of(tape: &mut Tape, object: &[u8], limits: &Limits) -> Self {
        tape.parse(object, limits).map(Self::read).unwrap_or_default()
    }

    /// Of one that was parsed.
    pub(super) fn read(value: Value<'_>) -> Self {
        let mut sketch = Self::default();
        let (mut created, mut modified) = (None, None);
        for (name, value) in value.entries() {
            let name = name.as_str();
            let text = || value.as_str().map(std::borrow::Cow::into_owned);
            match name.as_ref() {
                "type" => sketch.object_type = text().unwrap_or_default(),
                "id" => sketch.id = text().unwrap_or_default(),
                "created_by_ref" => sketch.created_by_ref = text(),
                "created" => created = text(),
                "modified" => modified = text(),
                "revoked" => sketch.revoked = value.as_bool() == Some(true),
                "confidence" => sketch.confidence = value.as_i64().and_then(|value| u8::try_from(value).ok()),
                _ => {}
            }
        }
        let instant = |text: &Option<String>| {
            let text = text.as_deref()?;
            Timestamp::parse(text).ok().map(|time| time.micros)
        };
        (sketch.created, sketch.modified) = (instant(&created), instant(&modified));
        sketch.version = modified.or(created);
        sketch
    }
}
