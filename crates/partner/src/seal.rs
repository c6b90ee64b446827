//! The author's signature for one version of one object, with the limits under which it was given out. It is over a digest of
//! the object's canonical form, so that whoever hands the object on may space it otherwise, and may change nothing in it.

use crate::key::Keys;
use crate::signature::{Check, verify_all as check_all};
use crate::signed::{Error, Kind, Unverified, sign};
use crate::trust::Keyring;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use stix::json::{Limits, Tape};

/// Seals an object. `version`: its version (`modified`, or `created` where it has no other), `None` for one without versions.
/// `handling`: the limits beside its markings.
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
    let found = Found::of(object, limits)?;
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

/// Checks that a seal is one of this object, by a key that counts.
///
/// Whose identity the object names as its author is not asked: who sealed it is in the answer.
///
/// # Errors
/// [`Error`].
pub fn verify(object: &[u8], seal: &Unverified, ring: &Keyring, now: i64, limits: &Limits) -> Result<Verified, Error> {
    let verified = match_up(object, seal, limits)?;
    let signer = seal.verify(ring, now)?;
    Ok(Verified { organisation: signer.organisation.to_owned(), ..verified })
}

/// The verdicts of [`verify`] on each, found together.
pub fn verify_all(
    pairs: &[(&[u8], &Unverified)],
    ring: &Keyring,
    now: i64,
    limits: &Limits,
) -> Vec<Result<Verified, Error>> {
    let mut checks = Vec::with_capacity(pairs.len());
    let mut verdicts: Vec<_> = pairs
        .iter()
        .map(|(object, seal)| {
            let verified = match_up(object, seal, limits)?;
            let (signer, key) = ring.find(&seal.key, now)?;
            checks.push(Check { key, message: &seal.message, signature: &seal.signature });
            Ok(Verified { organisation: signer.organisation.to_owned(), ..verified })
        })
        .collect();
    let mut holds = check_all(&checks).into_iter();
    for verdict in &mut verdicts {
        if verdict.is_ok() && !holds.next().unwrap_or_default() {
            *verdict = Err(Error::Signature);
        }
    }
    verdicts
}

/// What a seal says, if it says it of this object. Whose it is is not known yet.
fn match_up(object: &[u8], seal: &Unverified, limits: &Limits) -> Result<Verified, Error> {
    let says = seal.expect(Kind::Seal, &["object_ref", "digest", "handling"])?;
    let object_ref = says.id("object_ref", None)?;
    let handling = says.get("handling");
    if handling.is_some_and(|handling| !handling.is_object()) {
        return Err(says.wrong("`handling` is no object"));
    }
    let digest = says.digest(says.get("digest"))?;
    let found = Found::of(object, limits)?;
    if found.id != object_ref {
        return Err(Error::Other("it is of another object"));
    }
    if found.version.as_deref().unwrap_or(crate::signed::NO_TIME) != seal.at() {
        return Err(Error::Other("it is of another version"));
    }
    if found.digest != digest {
        return Err(Error::Other("the content was altered"));
    }
    let organisation = String::new();
    Ok(Verified { organisation, object_ref: found.id, version: found.version, digest, handling: handling.cloned() })
}

/// What a seal speaks of.
struct Found {
    id: String,
    version: Option<String>,
    digest: [u8; 32],
}

impl Found {
    fn of(object: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut tape = Tape::new();
        let value =
            tape.parse(object, limits).map_err(|error| Error::Form { kind: "object", message: error.to_string() })?;
        let text = |name: &str| value.get(name).and_then(|value| value.as_str()).map(std::borrow::Cow::into_owned);
        let mut canonical = Vec::with_capacity(object.len());
        stix::canonical::write(value, &mut canonical);
        Ok(Self {
            id: text("id").unwrap_or_default(),
            version: text("modified").or_else(|| text("created")),
            digest: Sha256::digest(&canonical).into(),
        })
    }
}

#[cfg(test)]
mod tests;
