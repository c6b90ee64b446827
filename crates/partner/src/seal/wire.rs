//! How a seal is written: alone, or as one of many under one signature.

use super::HASH;
use super::tree::{self, LEVELS, LONGEST, SALT, SEALS};
use crate::key::{KeyId, SIGNATURE};
use crate::signed::{EXTENSION, Error, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use stix::json;

/// What a seal says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealing {
    /// The version of the object, or [`crate::signed::NO_TIME`].
    pub at: String,
    /// The object's id.
    pub object_ref: String,
    /// The SHA-256 of its canonical form.
    pub digest: [u8; HASH],
    /// The limits beside its markings, an object.
    pub handling: Option<Arc<Value>>,
}

/// A seal as it was read.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) key: KeyId,
    pub(crate) signature: [u8; SIGNATURE],
    pub(crate) message: Vec<u8>,
    pub(crate) says: Sealing,
}

/// The words of a seal, each in the canonical form of its value.
pub(super) struct Words<'w> {
    pub(super) at: &'w str,
    pub(super) digest: &'w str,
    /// Empty: none.
    pub(super) handling: &'w [u8],
    pub(super) key: &'w str,
    pub(super) object_ref: &'w str,
}

impl Words<'_> {
    /// The seal in its canonical form (RFC 8785), with these of the properties that it has in one place alone.
    fn write(&self, batch: Option<&[u8]>, id: Option<&str>, signature: Option<&str>, out: &mut Vec<u8>) {
        let text = |name: &str, value: &str, out: &mut Vec<u8>| {
            out.extend_from_slice(name.as_bytes());
            stix::canonical::string(value, out);
        };
        out.push(b'{');
        if let Some(batch) = batch {
            out.extend_from_slice(b"\"batch\":");
            out.extend_from_slice(batch);
            out.push(b',');
        }
        text("\"created\":", self.at, out);
        text(",\"digest\":", self.digest, out);
        out.extend_from_slice(b",\"extensions\":{\"");
        out.extend_from_slice(EXTENSION.as_bytes());
        out.extend_from_slice(b"\":{\"extension_type\":\"new-sdo\"}}");
        if !self.handling.is_empty() {
            out.extend_from_slice(b",\"handling\":");
            out.extend_from_slice(self.handling);
        }
        if let Some(id) = id {
            text(",\"id\":", id, out);
        }
        text(",\"key\":", self.key, out);
        text(",\"modified\":", self.at, out);
        text(",\"object_ref\":", self.object_ref, out);
        if let Some(signature) = signature {
            text(",\"signature\":", signature, out);
        }
        out.extend_from_slice(b",\"spec_version\":\"2.1\",\"type\":\"marsad-seal\"}");
    }

    /// What is hashed as a leaf: all that the seal says, whichever tree it is in.
    pub(super) fn said(&self, out: &mut Vec<u8>) {
        self.write(None, None, None, out);
    }

    /// The seal as one of a tree of [`SEALS`].
    pub(super) fn batched(
        &self,
        leaf: &[u8; HASH],
        salt: &[u8; SALT],
        (place, way): (usize, &[[u8; HASH]; LEVELS]),
        root: &[u8; HASH],
        signature: &str,
    ) -> Vec<u8> {
        let mut path = [0; LEVELS * HASH * 4 / 3];
        let mut hidden = [0; (SALT * 4).div_ceil(3)];
        let mut id = [0; ID];
        let (path, hidden) = (text_of(way.as_flattened(), &mut path), text_of(salt, &mut hidden));
        let batch = format!(r#"{{"count":{SEALS},"path":"{path}","place":{place},"salt":"{hidden}"}}"#);
        let mut out = Vec::with_capacity(1_024);
        self.write(Some(batch.as_bytes()), Some(id_of(leaf, root, &mut id)), Some(signature), &mut out);
        out
    }
}

/// Bytes of the id of a seal.
const ID: usize = "marsad-seal--".len() + uuid::fmt::Hyphenated::LENGTH;

/// Bytes in base64url, written where there is room for exactly that.
pub(super) fn text_of<'b>(bytes: &[u8], room: &'b mut [u8]) -> &'b str {
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, room).unwrap_or_default();
    room.get(..written).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

/// The id of a seal in a tree: it follows from what it says and from the root, as that of a statement alone from what it says.
pub(super) fn id_of<'b>(leaf: &[u8; HASH], root: &[u8; HASH], room: &'b mut [u8; ID]) -> &'b str {
    let hash = Sha256::new().chain_update(b"marsad seal id 1\n").chain_update(leaf).chain_update(root).finalize();
    let half = hash.first_chunk::<16>().copied().unwrap_or_default();
    let (name, digits) = room.split_at_mut(ID - uuid::fmt::Hyphenated::LENGTH);
    name.copy_from_slice(b"marsad-seal--");
    uuid::Builder::from_sha1_bytes(half).into_uuid().hyphenated().encode_lower(digits);
    std::str::from_utf8(room).unwrap_or_default()
}

/// What a seal in a tree has beside the others.
struct Batch {
    count: u64,
    place: u64,
    salt: [u8; SALT],
    way: [[u8; HASH]; LONGEST],
    length: usize,
}

impl Batch {
    fn way(&self) -> &[[u8; HASH]] {
        self.way.get(..self.length).unwrap_or_default()
    }
}

/// Its members as they stand there.
#[derive(Default)]
struct Members<'t> {
    batch: Option<json::Value<'t>>,
    created: Option<Cow<'t, str>>,
    digest: Option<Cow<'t, str>>,
    extensions: Option<json::Value<'t>>,
    handling: Option<json::Value<'t>>,
    id: Option<Cow<'t, str>>,
    key: Option<Cow<'t, str>>,
    modified: Option<Cow<'t, str>>,
    object_ref: Option<Cow<'t, str>>,
    signature: Option<Cow<'t, str>>,
    spec_version: Option<Cow<'t, str>>,
}

/// Reads a seal. `Ok(None)`: it is none that stands alone and says what seals say, and whoever reads every kind of statement
/// knows why.
pub(crate) fn read(value: json::Value<'_>) -> Result<Option<Found>, Error> {
    let mut members = Members::default();
    let mut other = None;
    for (name, value) in value.entries() {
        let slot = match name.as_str().as_ref() {
            "batch" => {
                members.batch = Some(value);
                continue;
            }
            "extensions" => {
                members.extensions = Some(value);
                continue;
            }
            "handling" => {
                members.handling = Some(value);
                continue;
            }
            "type" => continue,
            "created" => &mut members.created,
            "digest" => &mut members.digest,
            "id" => &mut members.id,
            "key" => &mut members.key,
            "modified" => &mut members.modified,
            "object_ref" => &mut members.object_ref,
            "signature" => &mut members.signature,
            "spec_version" => &mut members.spec_version,
            name => {
                other.get_or_insert_with(|| name.escape_debug().to_string());
                continue;
            }
        };
        *slot = value.as_str();
    }
    let batched = members.batch.is_some();
    let found = match other {
        Some(name) => Err(form(format!("it has the unknown property `{name}`"))),
        None => members.found(),
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if batched => Err(error),
        Err(_) => Ok(None),
    }
}

fn form(message: impl Into<String>) -> Error {
    Error::Form { kind: Kind::Seal.object_type(), message: message.into() }
}

pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (written == N).then_some(bytes)
}

/// Limits beside the markings in their canonical form, and as they are read out of it: out of what was signed.
///
/// # Errors
/// What is wrong with them.
pub(super) fn limits_of(handling: Option<json::Value<'_>>) -> Result<(Vec<u8>, Option<Arc<Value>>), String> {
    let mut limits = Vec::new();
    let Some(value) = handling else { return Ok((limits, None)) };
    if value.kind() != json::Kind::Object {
        return Err("`handling` is no object".to_owned());
    }
    stix::canonical::write(value, &mut limits);
    let read: Value = serde_json::from_slice(&limits).map_err(|error| error.to_string())?;
    Ok((limits, Some(Arc::new(read))))
}

impl Members<'_> {
    fn found(self) -> Result<Found, Error> {
        let wrong = |what: &'static str| move || form(what);
        if self.spec_version.as_deref() != Some("2.1") {
            return Err(form("its `spec_version` is not 2.1"));
        }
        let at = self.modified.filter(|at| self.created.as_ref() == Some(at));
        let at = at.filter(|at| stix::timestamp::Timestamp::parse(at).is_ok());
        let at = at.ok_or_else(wrong("its `created` and `modified` are not one and the same time"))?;
        let key = self.key.as_deref().and_then(KeyId::read).ok_or_else(wrong("it names no key"))?;
        let signature = self.signature.as_deref().and_then(bytes::<SIGNATURE>);
        let signature = signature.ok_or_else(wrong("it has no signature"))?;
        let object_ref = self.object_ref.filter(|id| stix::id::Id::parse(id).is_ok());
        let object_ref = object_ref.ok_or_else(wrong("`object_ref` is not the id of an object"))?;
        let digest_text = self.digest.ok_or_else(wrong("it has no `digest`"))?;
        let digest = bytes::<HASH>(&digest_text).ok_or_else(wrong("a digest is 32 bytes in base64url"))?;
        if !self.extensions.is_some_and(is_ours) {
            return Err(form("its `extensions` do not name the one that it is of"));
        }
        let (limits, handling) = limits_of(self.handling).map_err(form)?;
        let words =
            Words { at: &at, digest: &digest_text, handling: &limits, key: key.as_str(), object_ref: &object_ref };
        let id = self.id.ok_or_else(wrong("it has no id of its type"))?;
        let mut said = Vec::with_capacity(512 + limits.len());
        words.said(&mut said);
        let (follows, message) = match self.batch.map(Batch::read).transpose()? {
            None => {
                let mut message = b"marsad-seal 1\n".to_vec();
                words.write(None, Some(&id), None, &mut message);
                (id == crate::signed::id_of(Kind::Seal, &said), message)
            }
            Some(batch) => {
                let leaf = tree::leaf(&batch.salt, &said);
                let root = tree::root(&leaf, batch.place, batch.count, batch.way())
                    .ok_or_else(wrong("its path is not one of a tree of so many"))?;
                (id == id_of(&leaf, &root, &mut [0; ID]), tree::message(&root, batch.count))
            }
        };
        if !follows {
            // Else somebody could take the place of what somebody else is going to say.
            return Err(form("its id does not follow from what it says"));
        }
        let says = Sealing { at: at.into_owned(), object_ref: object_ref.into_owned(), digest, handling };
        Ok(Found { id: id.into_owned(), key, signature, message, says })
    }
}

/// Whether this names our extension and nothing else.
pub(super) fn is_ours(value: json::Value<'_>) -> bool {
    let mut entries = value.entries();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else { return false };
    let mut inner = value.entries();
    let (Some((word, says)), None) = (inner.next(), inner.next()) else { return false };
    name.as_str() == EXTENSION && word.as_str() == "extension_type" && says.as_str().as_deref() == Some("new-sdo")
}

impl Batch {
    fn read(value: json::Value<'_>) -> Result<Self, Error> {
        let wrong = |what: &'static str| move || form(what);
        let (mut count, mut place, mut salt, mut way) = (None, None, None, None);
        for (name, value) in value.entries() {
            // However it is spelled on the way.
            let number = || {
                let mut text = Vec::new();
                stix::canonical::number(value.as_f64()?, &mut text);
                std::str::from_utf8(&text).ok()?.parse::<u64>().ok()
            };
            match name.as_str().as_ref() {
                "count" => count = number(),
                "place" => place = number(),
                "salt" => salt = value.as_str().and_then(|text| bytes::<SALT>(&text)),
                "path" => {
                    let mut hashes = [[0; HASH]; LONGEST];
                    let text = value.as_str();
                    let written = text
                        .and_then(|text| URL_SAFE_NO_PAD.decode_slice(text.as_ref(), hashes.as_flattened_mut()).ok());
                    way = written.filter(|bytes| bytes % HASH == 0).map(|bytes| (hashes, bytes / HASH));
                }
                _ => return Err(form("its `batch` has an unknown property")),
            }
        }
        let count = count.filter(|count| (1..=1 << LONGEST).contains(count));
        let (way, length) = way.ok_or_else(wrong("`path` is at most 32 hashes in base64url"))?;
        Ok(Self {
            count: count.ok_or_else(wrong("`count` is a number from 1 to 4294967296"))?,
            place: place.ok_or_else(wrong("`place` is a number"))?,
            salt: salt.ok_or_else(wrong("`salt` is 16 bytes in base64url"))?,
            way,
            length,
        })
    }
}
