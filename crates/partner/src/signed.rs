//! Signed statements in the form of STIX objects of types of our own (STIX 2.1 §7.3), which any TAXII server keeps and hands
//! on. The signature is over the canonical form of the object without it, so that white space and the order of properties
//! may change on the way.

use crate::key::{KeyId, Keys, SIGNATURE};
use crate::seal::Sealing;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use stix::json::{Limits, Tape};

/// The extension definition that the types of these statements name.
pub const EXTENSION: &str = "extension-definition--5f1c0a52-7a0e-4f7c-9d43-2f6f0e1c8b11";
/// The version of statements without a time of their own.
pub const NO_TIME: &str = "1970-01-01T00:00:00.000Z";
/// The budget of one statement: an envelope speaks of a whole page.
pub const LIMITS: Limits = Limits { max_depth: 16, max_bytes: 8 << 20, max_values: 400_000 };
/// What the ids of statements are made under (UUIDv5).
const NAMESPACE: uuid::Uuid = uuid::Uuid::from_u128(0x0b1f_9a5e_6c5d_4e0e_9d0c_1c64_3a75_8e2d);

/// What a statement is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// An author's signature for one version of one object.
    Seal,
    /// An author's seals of many objects, for whoever gets all of them at once.
    Seals,
    /// What the one who hands a page on says of it.
    Envelope,
    /// An object, or what it was marked with, is taken back.
    Recall,
    /// What became of a recall.
    Receipt,
    /// What a sharing group is.
    Group,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Seal, Self::Seals, Self::Envelope, Self::Recall, Self::Receipt, Self::Group];

    /// Its STIX type.
    #[must_use]
    pub fn object_type(self) -> &'static str {
        match self {
            Self::Seal => "marsad-seal",
            Self::Seals => "marsad-seals",
            Self::Envelope => "marsad-envelope",
            Self::Recall => "marsad-recall",
            Self::Receipt => "marsad-receipt",
            Self::Group => "marsad-group",
        }
    }

    /// The statement of this STIX type; `None`: an ordinary object.
    #[must_use]
    pub fn of(object_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.object_type() == object_type)
    }
}

/// Whether objects of this STIX type are statements, which are never kept among the records.
#[must_use]
pub fn is_control(object_type: &str) -> bool {
    Kind::of(object_type).is_some()
}

/// Why something is not a statement, or not from whom it says.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not have the form.
    #[error("not a {kind}: {message}")]
    Form {
        /// What it should have been: a STIX type.
        kind: &'static str,
        /// What is wrong.
        message: String,
    },
    /// It is signed with a key that is not known, or not confirmed.
    #[error("signed with the key {0}, which is not on a card that was confirmed")]
    Key(KeyId),
    /// It is signed with a key that counts no more, or not yet.
    #[error("signed with the key {key}, {why}")]
    Lapsed {
        /// The key.
        key: KeyId,
        /// Why it does not count.
        why: &'static str,
    },
    /// The signature is wrong: it was altered, or is not from whom it says.
    #[error("the signature does not fit: it was altered, or is not from whom it says")]
    Signature,
    /// It speaks of another object, or of another content.
    #[error("it does not speak of this content: {0}")]
    Other(&'static str),
}

/// Makes and signs a statement. `at` becomes `created` and `modified` (`None`: [`NO_TIME`]); `body` are its own properties.
///
/// The id follows from what it says and by whom, so that the same statement is the same object.
#[must_use]
pub fn sign(kind: Kind, at: Option<&str>, body: Map<String, Value>, keys: &Keys) -> Vec<u8> {
    let mut object = body;
    let at = at.unwrap_or(NO_TIME);
    object.insert("type".into(), kind.object_type().into());
    object.insert("spec_version".into(), "2.1".into());
    object.insert("created".into(), at.into());
    object.insert("modified".into(), at.into());
    object.insert("extensions".into(), json!({EXTENSION: {"extension_type": "new-sdo"}}));
    object.insert("key".into(), keys.public().id().as_str().into());
    object.insert("id".into(), id_of(kind, &canonical(&object)).into());
    let signature = keys.sign(&message(kind, &object));
    object.insert("signature".into(), URL_SAFE_NO_PAD.encode(signature).into());
    canonical(&object)
}

/// A statement as it was read: nothing of it is known to be true. What it says can be read, and not changed: what was
/// signed and what is read of it are the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified(Read);

/// What a statement that was read says.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The key that it says it was signed with.
    pub key: KeyId,
    /// The signature.
    pub signature: [u8; SIGNATURE],
    /// What was signed.
    pub message: Vec<u8>,
    /// All its properties but the signature; of a seal that says what seals say they are in `seal`.
    pub object: Map<String, Value>,
    /// What a seal says.
    pub seal: Option<Box<Sealing>>,
}

impl std::ops::Deref for Unverified {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.0
    }
}

impl Unverified {
    /// The version that it has: when it was said, or [`NO_TIME`].
    #[must_use]
    pub fn at(&self) -> &str {
        let said = || self.object.get("modified").and_then(Value::as_str);
        self.seal.as_ref().map(|seal| &*seal.at).or_else(said).unwrap_or(NO_TIME)
    }

    /// The id of the object of which it speaks, as it says.
    #[must_use]
    pub fn object_ref(&self) -> Option<&str> {
        let said = || self.object.get("object_ref").and_then(Value::as_str);
        self.seal.as_ref().map(|seal| &*seal.object_ref).or_else(said)
    }

    /// Checks that this is a statement of `kind` and says nothing that such a statement does not say.
    pub(crate) fn expect(&self, kind: Kind, says: &[&str]) -> Result<Says<'_>, Error> {
        let is = kind.object_type();
        if self.kind != kind {
            return Err(Error::Form { kind: is, message: format!("it is a {}", self.kind.object_type()) });
        }
        let own = |name: &String| !FRAME.contains(&name.as_str()) && !says.contains(&name.as_str());
        if let Some(name) = self.object.keys().find(|name| own(name)) {
            return Err(Error::Form {
                kind: is,
                message: format!("it has the unknown property `{}`", name.escape_debug()),
            });
        }
        Ok(Says { kind: is, object: &self.object })
    }
}

/// What every statement has.
const FRAME: [&str; 7] = ["type", "spec_version", "id", "created", "modified", "extensions", "key"];

/// The properties of a statement of a kind, each taken out with what it must be.
pub(crate) struct Says<'a> {
    kind: &'static str,
    object: &'a Map<String, Value>,
}

impl<'a> Says<'a> {
    pub(crate) fn wrong(&self, message: impl Into<String>) -> Error {
        Error::Form { kind: self.kind, message: message.into() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| self.wrong(format!("`{name}` is no text")))).transpose()
    }

    pub(crate) fn needed(&self, name: &str) -> Result<&'a str, Error> {
        self.text(name)?.ok_or_else(|| self.wrong(format!("it has no `{name}`")))
    }

    /// An identifier, of any type or of this one.
    pub(crate) fn id(&self, name: &str, object_type: Option<&str>) -> Result<&'a str, Error> {
        let text = self.needed(name)?;
        let id = stix::id::Id::parse(text).map_err(|error| self.wrong(format!("`{name}`: {error}")))?;
        match object_type {
            Some(wanted) if id.object_type() != wanted => {
                Err(self.wrong(format!("`{name}` is not the id of a {wanted}")))
            }
            _ => Ok(text),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        self.get(name)
            .map_or(Ok(false), |value| value.as_bool().ok_or_else(|| self.wrong(format!("`{name}` is no truth"))))
    }

    pub(crate) fn list(&self, name: &str, most: usize) -> Result<Option<&'a [Value]>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| self.wrong(format!("`{name}` is no list")))?;
        if list.len() > most {
            return Err(self.wrong(format!("`{name}` has more than {most} entries")));
        }
        Ok(Some(list))
    }

    /// A SHA-256 in base64url.
    pub(crate) fn digest(&self, value: Option<&Value>) -> Result<[u8; 32], Error> {
        let bytes = value.and_then(Value::as_str).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| self.wrong("a digest is 32 bytes in base64url"))
    }
}

/// Reads a statement.
///
/// # Errors
/// [`Error::Form`].
pub fn read(text: &[u8]) -> Result<Unverified, Error> {
    read_on(&mut Tape::new(), text)
}

/// The seal that an object is which has been parsed. `None`: it is no seal that says what seals say; [`read`] knows why, or that
/// it is something else.
#[must_use]
pub fn seal_of(value: stix::json::Value<'_>) -> Option<Result<Unverified, Error>> {
    let object_type = value.get("type")?.as_str()?;
    if object_type != Kind::Seal.object_type() || value.text().len() > LIMITS.max_bytes {
        return None;
    }
    let unverified = |found: crate::seal::wire::Found| {
        let crate::seal::wire::Found { id, key, signature, message, says } = found;
        let (kind, object) = (Kind::Seal, Map::new());
        Unverified(Read { kind, id, key, signature, message, object, seal: Some(Box::new(says)) })
    };
    crate::seal::wire::read(value).transpose().map(|found| found.map(unverified))
}

/// What [`read`] does, with the memory of a tape that is used again.
///
/// # Errors
/// [`Error::Form`].
pub fn read_on(tape: &mut Tape, text: &[u8]) -> Result<Unverified, Error> {
    let none = |message: String| Error::Form { kind: "statement", message };
    if text.len() > LIMITS.max_bytes {
        return Err(none("it is too long".to_owned()));
    }
    // Our own reader: it refuses two properties of one name, and what is too deep or too long.
    let value = tape.parse(text, &LIMITS).map_err(|error| none(error.to_string()))?;
    let kind = value.get("type").and_then(|kind| kind.as_str()).and_then(|kind| Kind::of(&kind));
    let kind = kind.ok_or_else(|| none("its type is another one".to_owned()))?;
    if let Some(seal) = seal_of(value) {
        return seal;
    }
    let is = kind.object_type();
    let wrong = |message: &str| Error::Form { kind: is, message: message.to_owned() };
    if kind == Kind::Seals {
        return Err(wrong("it is read beside the objects on it, and nowhere else"));
    }
    let text_of = |name: &str| value.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let id = text_of("id").into_owned();
    if !stix::id::Id::parse(&id).is_ok_and(|id| id.object_type() == is) {
        return Err(wrong("it has no id of its type"));
    }
    if text_of("spec_version") != "2.1" {
        return Err(wrong("its `spec_version` is not 2.1"));
    }
    let time = text_of("modified");
    if text_of("created") != time || stix::timestamp::Timestamp::parse(&time).is_err() {
        return Err(wrong("its `created` and `modified` are not one and the same time"));
    }
    let key = KeyId::read(&text_of("key")).ok_or_else(|| wrong("it names no key"))?;
    let signature = URL_SAFE_NO_PAD.decode(&*text_of("signature")).ok();
    let signature = signature.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| wrong("it has no signature"))?;
    let mut members: Vec<_> = value.entries().map(|(name, value)| (name.as_str(), value)).collect();
    members.retain(|(name, _)| name != "signature");
    let mut message = prefix(kind);
    message.reserve(text.len());
    stix::canonical::write_object(&mut members, &mut message);
    // What is read of it is read out of what was signed.
    let signed = message.get(prefix(kind).len()..).unwrap_or_default();
    let object: Map<String, Value> = serde_json::from_slice(signed).map_err(|error| none(error.to_string()))?;
    members.retain(|(name, _)| name != "id");
    let mut said = Vec::with_capacity(message.len());
    stix::canonical::write_object(&mut members, &mut said);
    if id != id_of(kind, &said) {
        // Else somebody could take the place of what somebody else is going to say.
        return Err(wrong("its id does not follow from what it says"));
    }
    let extension = object.get("extensions").and_then(Value::as_object);
    if !extension.is_some_and(|map| map.len() == 1 && map.get(EXTENSION) == Some(&json!({"extension_type": "new-sdo"})))
    {
        return Err(wrong("its `extensions` do not name the one that it is of"));
    }
    Ok(Unverified(Read { kind, id, key, signature, message, object, seal: None }))
}

/// The SHA-256 of an object's canonical form: what a seal speaks of.
///
/// # Errors
/// [`Error::Form`]: not one JSON object within `limits`.
pub fn digest(object: &[u8], limits: &Limits) -> Result<[u8; 32], Error> {
    let mut tape = Tape::new();
    let value =
        tape.parse(object, limits).map_err(|error| Error::Form { kind: "object", message: error.to_string() })?;
    let mut text = Vec::with_capacity(object.len());
    stix::canonical::write(value, &mut text);
    Ok(Sha256::digest(&text).into())
}

/// The id of a statement that says this (its canonical form without id and signature): the same for the same words of the
/// same key.
pub(crate) fn id_of(kind: Kind, said: &[u8]) -> String {
    format!("{}--{}", kind.object_type(), uuid::Uuid::new_v5(&NAMESPACE, said))
}

/// What is signed: the statement in its canonical form, behind a line that no other use of the key begins with.
fn message(kind: Kind, object: &Map<String, Value>) -> Vec<u8> {
    let mut message = prefix(kind);
    message.extend_from_slice(&canonical(object));
    message
}

fn prefix(kind: Kind) -> Vec<u8> {
    format!("{} 1\n", kind.object_type()).into_bytes()
}

/// The canonical form (RFC 8785) of an object that has been read.
fn canonical(object: &Map<String, Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    write_members(object, &mut out);
    out
}

/// The canonical form of a value.
pub(crate) fn canonical_value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(value, &mut out);
    out
}

fn write_members(object: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by(|(one, _), (two, _)| stix::canonical::order(one, two));
    out.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        stix::canonical::string(name, out);
        out.push(b':');
        write_value(value, out);
    }
    out.push(b'}');
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Number(number) => stix::canonical::number(number.as_f64().unwrap_or_default(), out),
        Value::String(text) => stix::canonical::string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => write_members(object, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written from values is what the canonical form of their text is.
    #[test]
    fn what_is_written_is_canonical() {
        for object in [
            json!({}),
            json!({"b": 1, "a": [true, false, null, {}], "": ""}),
            json!({"number": [0, -0.0, 1e21, 1.5e-7, 18_446_744_073_709_551_615_u64, -9_007_199_254_740_993_i64]}),
            json!({"\u{1f600}": 1, "\u{ffee}": 2, "\u{e000}": 3, "é": 4, "\"\\\n\u{1}": "\"\\\n\u{1}\u{7f}\u{2028}"}),
            json!({"deep": {"z": {"y": {"x": [[["last"]]]}}, "a": 0.1}}),
        ] {
            let Value::Object(object) = object else { panic!("no object") };
            let text = serde_json::to_vec(&object).unwrap();
            let (mut tape, mut expected) = (Tape::new(), Vec::new());
            stix::canonical::write(tape.parse(&text, &LIMITS).unwrap(), &mut expected);
            assert_eq!(canonical(&object), expected, "{}", String::from_utf8_lossy(&text));
        }
    }
}
