//! The author's signature for one version of one object, with the limits under which it was given out. It is over a digest of
//! the object's canonical form, so that whoever hands the object on may space it otherwise, and may change nothing in it.
//!
//! One signature may hold for many seals ([`seal_all`]): it is then over the root of a tree of hashes, and each seal carries the
//! hashes that lead there. Either way a seal stands alone. Whoever gets all objects of a tree gets its seals on one [`Sheet`],
//! and can make each of them out of it.

pub(crate) mod sheet;
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
pub use sheet::{MOST_LIMITS, On, Sheet, Sheets, Ways};
use std::collections::HashMap;
use std::sync::Arc;
use stix::json::{self, Limits, Tape};
pub use wire::Sealing;

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
    if found.id() != id {
        return Err(Error::Other("it has another id"));
    }
    if found.version() != version {
        return Err(Error::Other("it is another version"));
    }
    let mut body = Map::new();
    body.insert("object_ref".into(), id.into());
    body.insert("digest".into(), URL_SAFE_NO_PAD.encode(found.digest()).into());
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
    let mut seals = Vec::with_capacity(objects.len());
    for objects in objects.chunks(TOGETHER) {
        let ways = Sheet::of(objects, handling, reader, keys).ways();
        seals.extend(objects.iter().enumerate().map(|(number, object)| ways.seal(number, object)));
    }
    seals
}

/// Proof that an organisation sealed an object. Only the checks of this module make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    organisation: Arc<str>,
    content: Content,
    handling: Option<Arc<Value>>,
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
        self.content.id()
    }

    /// The object's version; `None`: it has none.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.content.version()
    }

    /// The SHA-256 of the object's canonical form.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        self.content.digest()
    }

    /// The limits beside its markings.
    #[must_use]
    pub fn handling(&self) -> Option<&Value> {
        self.handling.as_deref()
    }
}

/// Which object something is, in the words of its seals: read out of the object itself, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content(Arc<Inside>);

#[derive(Debug, Eq, PartialEq)]
struct Inside {
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
        Self(Arc::new(Inside {
            id: text("id").unwrap_or_default(),
            version: text("modified").or_else(|| text("created")),
            digest: Sha256::digest(&*canonical).into(),
        }))
    }

    /// Its id, as it says; empty: it says none.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its version, as it says: `modified`, or `created` where it has no other.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// The SHA-256 of its canonical form.
    #[must_use]
    pub fn digest(&self) -> &[u8; HASH] {
        &self.0.digest
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
    Ok(Verified { organisation: signer.organisation.into(), ..verified })
}

/// The verdicts of [`verify_content`] on each, found together. Seals under one root are one signature.
pub fn verify_all(pairs: &[(&Content, &Unverified)], ring: &Keyring, now: i64) -> Vec<Result<Verified, Error>> {
    let mut checks: Vec<Check<'_>> = Vec::with_capacity(pairs.len());
    let mut met: HashMap<&[u8; SIGNATURE], (usize, Arc<str>)> = HashMap::new();
    let verdicts: Vec<_> = pairs
        .iter()
        .map(|(object, seal)| {
            let verified = match_up(object, seal)?;
            let (signer, key) = ring.find(&seal.key, now)?;
            let check = Check { key, message: &seal.message, signature: &seal.signature };
            let same = |at: usize| checks.get(at).is_some_and(|other| check.is(other));
            let (at, organisation) = match met.get(check.signature) {
                Some((at, organisation)) if same(*at) => (*at, Arc::clone(organisation)),
                _ => {
                    let organisation: Arc<str> = signer.organisation.into();
                    checks.push(check);
                    met.insert(check.signature, (checks.len() - 1, Arc::clone(&organisation)));
                    (checks.len() - 1, organisation)
                }
            };
            Ok((Verified { organisation, ..verified }, at))
        })
        .collect();
    signed_by(verdicts, &checks)
}

/// What a seal says, if it says it of this object. Whose it is is not known yet.
fn match_up(object: &Content, seal: &Unverified) -> Result<Verified, Error> {
    let Some(says) = &seal.seal else { return Err(amiss(seal)) };
    if object.id() != says.object_ref {
        return Err(Error::Other("it is of another object"));
    }
    if object.version().unwrap_or(NO_TIME) != says.at {
        return Err(Error::Other("it is of another version"));
    }
    if *object.digest() != says.digest {
        return Err(Error::Other("the content was altered"));
    }
    Ok(Verified { organisation: "".into(), content: object.clone(), handling: says.handling.clone() })
}

/// The verdicts on objects that were found on sheets, each with where: whether the signature of its sheet is by a key that
/// counts.
///
/// # Errors
/// [`Error`].
pub fn verify_on(found: &[(&Content, &On)], ring: &Keyring, now: i64) -> Vec<Result<Verified, Error>> {
    let mut checks: Vec<Check<'_>> = Vec::new();
    // Of each sheet, by where it lies in memory.
    let mut met: HashMap<*const Sheet, Result<(usize, Arc<str>), Error>> = HashMap::new();
    let verdicts: Vec<_> = found
        .iter()
        .map(|(object, on)| {
            let sheet = on.sheet();
            let signed = met.entry(Arc::as_ptr(sheet)).or_insert_with(|| {
                let (signer, key) = ring.find(sheet.key(), now)?;
                checks.push(Check { key, message: sheet.message(), signature: sheet.signature() });
                Ok((checks.len() - 1, signer.organisation.into()))
            });
            let (at, organisation) = signed.clone()?;
            if object.digest() != on.digest() {
                return Err(Error::Other("the content was altered"));
            }
            Ok((Verified { organisation, content: (*object).clone(), handling: sheet.handling().cloned() }, at))
        })
        .collect();
    signed_by(verdicts, &checks)
}

/// What was matched, each with the number of the signature that it hangs on: it counts if that holds.
fn signed_by(matched: Vec<Result<(Verified, usize), Error>>, checks: &[Check<'_>]) -> Vec<Result<Verified, Error>> {
    let holds = check_all(checks);
    let verdict = |(verified, at): (Verified, usize)| match holds.get(at) {
        Some(true) => Ok(verified),
        _ => Err(Error::Signature),
    };
    matched.into_iter().map(|found| found.and_then(verdict)).collect()
}

/// Whether a text that was kept as the seal of an object, a seal alone or the sheet on which it is, is signed by a key that
/// counts.
///
/// # Errors
/// [`Error`].
pub fn holds(kept: &[u8], ring: &Keyring, now: i64) -> Result<(), Error> {
    match Sheet::parse(kept) {
        Some(sheet) => {
            let sheet = sheet?;
            let (_, key) = ring.find(sheet.key(), now)?;
            key.verify(sheet.message(), sheet.signature()).then_some(()).ok_or(Error::Signature)
        }
        None => crate::signed::read(kept)?.verify(ring, now).map(drop),
    }
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
mod sheets;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod together;
