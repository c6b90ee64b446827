//! The author's signature for one version of one object, with the limits under which it was given out. It is over a digest of
//! the object's canonical form, so that whoever hands the object on may space it otherwise, and may change nothing in it.
//!
//! One signature may hold for many seals ([`seal_all`]): it is then over the root of a tree of hashes, and each seal carries the
//! hashes that lead there. Either way a seal stands alone.

pub(crate) mod tree;
pub(crate) mod wire;

use crate::key::{Keys, SIGNATURE};
use crate::signature::{Check, verify_all as check_all};
use crate::signed::{Error, Kind, NO_TIME, Unverified, sign};
use crate::trust::Keyring;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use stix::json::{self, Limits, Tape};
use tree::{Drawn, Tree};
pub use wire::Sealing;
use wire::Words;

/// Bytes of a hash.
const HASH: usize = 32;

/// Seals an object alone. `version`: its version (`modified`, or `created` where it has no other), `None` for one without
/// versions. `handling`: the limits beside its markings.
///
/// # Errors
/// [`Error::Form`]: it is no object within `limits`; [`Error::Other`]: it has another id or version.
pub fn seal(
    object: &[u8],
    id: &str,
    version: Option<&str>,
    handling: Option<Value>,
    keys: &Keys,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let found = Content::read(object, limits)?;
    if found.id != id {
        return Err(Error::Other("it has another id"));
    }
    if found.version.as_deref() != version {
        return Err(Error::Other("it is another version"));
    }
    let mut body = Map::new();
    body.insert("object_ref".into(), id.into());
    body.insert("digest".into(), URL_SAFE_NO_PAD.encode(found.digest).into());
    if let Some(handling) = handling {
        body.insert("handling".into(), handling);
    }
    Ok(sign(Kind::Seal, version, body, keys))
}

/// The most objects that [`seal_all`] seals with one signature.
pub const TOGETHER: usize = tree::SEALS;

/// Seals objects with one signature for each [`TOGETHER`] of them, all with the same limits beside their markings. Each seal
/// stands alone, and tells nothing of the others. `reader`: for whom they are; what is sealed again for the same reader, with
/// the same others, is sealed alike.
#[must_use]
pub fn seal_all(objects: &[Content], handling: Option<&Value>, reader: &str, keys: &Keys) -> Vec<Vec<u8>> {
    let limits = handling.map(crate::signed::canonical_value).unwrap_or_default();
    let key = keys.public().id();
    let mut seals = Vec::with_capacity(objects.len());
    for objects in objects.chunks(TOGETHER) {
        let mut about: Vec<&[u8]> = vec![reader.as_bytes(), key.as_str().as_bytes(), &limits];
        about.extend(objects.iter().flat_map(|object| [object.id.as_bytes(), &object.digest]));
        let drawn = Drawn::new(keys, &about);
        let digests: Vec<String> = objects.iter().map(|object| URL_SAFE_NO_PAD.encode(object.digest)).collect();
        let words: Vec<Words<'_>> = objects
            .iter()
            .zip(&digests)
            .map(|(object, digest)| Words {
                at: object.version.as_deref().unwrap_or(NO_TIME),
                digest,
                handling: &limits,
                key: key.as_str(),
                object_ref: &object.id,
            })
            .collect();
        let mut said = Vec::with_capacity(512);
        let leaf = |(number, words): (usize, &Words<'_>)| {
            let salt = drawn.salt(number);
            said.clear();
            words.said(&mut said);
            (salt, tree::leaf(&salt, &said))
        };
        let (salts, leaves): (Vec<_>, Vec<_>) = words.iter().enumerate().map(leaf).unzip();
        let Tree { ways, root } = Tree::new(&leaves, &drawn);
        let signature = URL_SAFE_NO_PAD.encode(keys.sign(&tree::message(&root, TOGETHER as u64)));
        let parts = words.iter().zip(&leaves).zip(&salts).zip(&ways);
        seals.extend(
            parts.map(|(((words, leaf), salt), (place, way))| {
                words.batched(leaf, salt, (*place, way), &root, &signature)
            }),
        );
    }
    seals
}

/// Proof that an organisation sealed an object. Only the checks of this module make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    organisation: String,
    object_ref: String,
    version: Option<String>,
    digest: [u8; 32],
    handling: Option<Value>,
}

impl Verified {
    /// Who sealed it, by the organisation's name here.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// The object's id.
    #[must_use]
    pub fn object_ref(&self) -> &str {
        &self.object_ref
    }

    /// The object's version; `None`: it has none.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The SHA-256 of the object's canonical form.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The limits beside its markings.
    #[must_use]
    pub fn handling(&self) -> Option<&Value> {
        self.handling.as_ref()
    }
}

/// Which object something is, in the words of its seals: read out of the object itself, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    id: String,
    version: Option<String>,
    digest: [u8; HASH],
}

impl Content {
    /// Of an object.
    #[must_use]
    pub fn of(object: json::Value<'_>) -> Self {
        Self::of_on(&mut Vec::with_capacity(object.text().len()), object)
    }

    /// The same, with the memory of a text that is used again.
    #[must_use]
    pub fn of_on(canonical: &mut Vec<u8>, object: json::Value<'_>) -> Self {
        let text = |name: &str| object.get(name).and_then(|value| value.as_str()).map(std::borrow::Cow::into_owned);
        canonical.clear();
        stix::canonical::write(object, canonical);
        Self {
            id: text("id").unwrap_or_default(),
            version: text("modified").or_else(|| text("created")),
            digest: Sha256::digest(&*canonical).into(),
        }
    }

    /// The SHA-256 of its canonical form.
    #[must_use]
    pub fn digest(&self) -> &[u8; HASH] {
        &self.digest
    }

    fn read(object: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut tape = Tape::new();
        let value = tape.parse(object, limits);
        let value = value.map_err(|error| Error::Form { kind: "object", message: error.to_string() })?;
        Ok(Self::of(value))
    }
}

/// Checks that a seal is one of this object, by a key that counts.
///
/// Whose identity the object names as its author is not asked: who sealed it is in the answer.
///
/// # Errors
/// [`Error`].
pub fn verify(object: &[u8], seal: &Unverified, ring: &Keyring, now: i64, limits: &Limits) -> Result<Verified, Error> {
    verify_content(&Content::read(object, limits)?, seal, ring, now)
}

/// The same of an object that was read before.
///
/// # Errors
/// [`Error`].
pub fn verify_content(object: &Content, seal: &Unverified, ring: &Keyring, now: i64) -> Result<Verified, Error> {
    let verified = match_up(object, seal)?;
    let signer = seal.verify(ring, now)?;
    Ok(Verified { organisation: signer.organisation.to_owned(), ..verified })
}

/// The verdicts of [`verify_content`] on each, found together. Seals under one root are one signature.
pub fn verify_all(pairs: &[(&Content, &Unverified)], ring: &Keyring, now: i64) -> Vec<Result<Verified, Error>> {
    let mut checks: Vec<Check<'_>> = Vec::with_capacity(pairs.len());
    let mut met: HashMap<&[u8; SIGNATURE], usize> = HashMap::new();
    let verdicts: Vec<_> = pairs
        .iter()
        .map(|(object, seal)| {
            let verified = match_up(object, seal)?;
            let (signer, key) = ring.find(&seal.key, now)?;
            let check = Check { key, message: &seal.message, signature: &seal.signature };
            let same = |at: &usize| checks.get(*at).is_some_and(|other| check.is(other));
            let at = met.get(check.signature).copied().filter(same).unwrap_or_else(|| {
                checks.push(check);
                met.insert(check.signature, checks.len() - 1);
                checks.len() - 1
            });
            Ok((Verified { organisation: signer.organisation.to_owned(), ..verified }, at))
        })
        .collect();
    let holds = check_all(&checks);
    let verdict = |(verified, at): (Verified, usize)| match holds.get(at) {
        Some(true) => Ok(verified),
        _ => Err(Error::Signature),
    };
    verdicts.into_iter().map(|found| found.and_then(verdict)).collect()
}

/// What a seal says, if it says it of this object. Whose it is is not known yet.
fn match_up(object: &Content, seal: &Unverified) -> Result<Verified, Error> {
    let Some(says) = &seal.seal else { return Err(amiss(seal)) };
    if object.id != says.object_ref {
        return Err(Error::Other("it is of another object"));
    }
    if object.version.as_deref().unwrap_or(NO_TIME) != says.at {
        return Err(Error::Other("it is of another version"));
    }
    if object.digest != says.digest {
        return Err(Error::Other("the content was altered"));
    }
    Ok(Verified {
        organisation: String::new(),
        object_ref: object.id.clone(),
        version: object.version.clone(),
        digest: object.digest,
        handling: says.handling.clone(),
    })
}

/// Why a statement is no seal that says what seals say.
fn amiss(seal: &Unverified) -> Error {
    let why = || {
        let says = seal.expect(Kind::Seal, &["object_ref", "digest", "handling"])?;
        says.id("object_ref", None)?;
        if says.get("handling").is_some_and(|handling| !handling.is_object()) {
            return Err(says.wrong("`handling` is no object"));
        }
        says.digest(says.get("digest"))?;
        Ok(says.wrong("it does not say what a seal says"))
    };
    why().unwrap_or_else(|error| error)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod together;
