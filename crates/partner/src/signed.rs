//! Signed statements in the form of STIX objects of types of our own (STIX 2.1 §7.3), which any TAXII server keeps and hands
//! on. The signature is over the canonical form of the object without it, so that white space and the order of properties
//! may change on the way.

use crate::key::{KeyId, Keys, SIGNATURE};
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
    pub const ALL: [Self; 5] = [Self::Seal, Self::Envelope, Self::Recall, Self::Receipt, Self::Group];

    /// Its STIX type.
    #[must_use]
    pub fn object_type(self) -> &'static str {
        match self {
            Self::Seal => "marsad-seal",
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
    /// It is signed with a key that is not known, not confirmed, out of its time or revoked.
    #[error("signed with the key {0}, which is not one that counts")]
    Key(KeyId),
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
    let id = uuid::Uuid::new_v5(&NAMESPACE, &canonical(&object));
    object.insert("id".into(), format!("{}--{id}", kind.object_type()).into());
    let signature = keys.sign(&message(kind, &object));
    object.insert("signature".into(), URL_SAFE_NO_PAD.encode(signature).into());
    canonical(&object)
}

/// A statement as it was read: nothing of it is known to be true.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified {
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
    /// All its properties but the signature.
    pub object: Map<String, Value>,
}

/// Reads a statement.
///
/// # Errors
/// [`Error::Form`].
pub fn read(text: &[u8]) -> Result<Unverified, Error> {
    let wrong = |kind, message: &str| Error::Form { kind, message: message.to_owned() };
    // Our own reader first: it refuses two properties of one name, and what is too deep or too long.
    let checked = Tape::new().parse(text, &LIMITS).map(|_| ());
    checked.map_err(|error| Error::Form { kind: "statement", message: error.to_string() })?;
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| Error::Form { kind: "statement", message: error.to_string() })?;
    let text_of = |name: &str| object.get(name).and_then(Value::as_str);
    let kind = text_of("type").and_then(Kind::of).ok_or_else(|| wrong("statement", "its type is another one"))?;
    let is = kind.object_type();
    let id = text_of("id").filter(|id| id.starts_with(is)).ok_or_else(|| wrong(is, "it has no id"))?.to_owned();
    let key = KeyId::read(text_of("key").unwrap_or_default()).ok_or_else(|| wrong(is, "it names no key"))?;
    let signature = text_of("signature").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let signature =
        signature.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| wrong(is, "it has no signature"))?;
    let mut object = object;
    object.remove("signature");
    Ok(Unverified { kind, id, key, signature, message: message(kind, &object), object })
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

/// What is signed: the statement in its canonical form, behind a line that no other use of the key begins with.
fn message(kind: Kind, object: &Map<String, Value>) -> Vec<u8> {
    let mut message = format!("{} 1\n", kind.object_type()).into_bytes();
    message.extend_from_slice(&canonical(object));
    message
}

/// The canonical form (RFC 8785) of an object that has been read.
fn canonical(object: &Map<String, Value>) -> Vec<u8> {
    let text = serde_json::to_vec(object).unwrap_or_default();
    let mut tape = Tape::new();
    let mut out = Vec::with_capacity(text.len());
    // A map of JSON values is JSON; were it not so, what is signed would be empty and verify nowhere.
    if let Ok(value) = tape.parse(&text, &LIMITS) {
        stix::canonical::write(value, &mut out);
    }
    out
}
