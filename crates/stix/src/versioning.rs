//! New versions and revocation. STIX 2.1 §3.6.

use crate::{
    id::Id,
    json::{self, Limits, Tape, Value},
    object_type, rewrite,
    rewrite::Rewriter,
    sco_id,
    timestamp::{self, InvalidTimestamp, Timestamp},
};

/// Properties that every version of an object shares with the first. STIX 2.1 §3.2, §3.6.
pub const IMMUTABLE: [&str; 4] = ["type", "id", "created", "created_by_ref"];

/// A property to be set to a JSON value, or to be removed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Name of the top-level property.
    pub name: &'a str,
    /// Its new value as JSON; `None` removes it.
    pub value: Option<&'a [u8]>,
}

/// Why there can be no such version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("the object is not JSON")]
    Json(#[source] json::Error),
    /// The text is JSON, but no object with a `type`.
    #[error("a version needs a JSON object with a `type`")]
    NotAnObject,
    /// Bundles and marking definitions have no versions, cyber-observables only if they carry `created`,
    /// `modified` and `revoked`. STIX 2.1 §3.6, §7.2.1.
    #[error("objects of type `{0}` have no versions")]
    TypeNotVersionable(String),
    /// An object without `created` has no first version to follow.
    #[error("the object has no `created`, so it has no versions")]
    NotVersionable,
    /// Later versions of a revoked object must not exist. STIX 2.1 §3.6.
    #[error("the object is revoked: it can have no later version")]
    Revoked,
    /// A property that all versions share, or one that a deterministic id is made of.
    #[error("`{0}` is the same in every version of an object")]
    Immutable(String),
    /// `modified` must be later than that of the version before. STIX 2.1 §3.6.
    #[error("`modified` must be later than {0}, that of the version before")]
    NotLater(String),
    /// `created` or `modified` is no timestamp.
    #[error("`{0}` is no timestamp")]
    Timestamp(&'static str, #[source] InvalidTimestamp),
    /// The new value of a property is not JSON, the property is changed twice, or its name cannot be one.
    #[error("`{0}` must be a property name, changed once, and its new value one JSON value")]
    Change(String),
}

/// The next version of an object: the changes applied, a later `modified`, all else as it is byte for byte.
///
/// `now` is in microseconds since 1970. `modified` becomes the millisecond of `now` if that is later than the version
/// before, else the next representable instant after it: a microsecond later, for STIX 2.0 a millisecond (§3.2).
/// A change of `modified` itself is taken if it is later. Who may make a version is the caller's to judge (§3.6.1).
///
/// # Errors
/// If the object cannot have a later version, or not that one.
pub fn new_version(object: &[u8], changes: &[Change<'_>], now: i64) -> Result<Vec<u8>, Error> {
    let mut tape = Tape::new();
    let object = tape.parse(object, &Limits::default()).map_err(Error::Json)?;
    let before = latest(&object)?;
    check_changes(&object, changes)?;
    let modified = match changes.iter().find(|change| change.name == "modified") {
        Some(Change { value: Some(value), .. }) => chosen(value, &before)?,
        _ => next_instant(&object, &before, now)?,
    };
    Ok(write(&object, changes, &modified))
}

/// The last version of an object: `revoked` is true, all else as it is. STIX 2.1 §3.6.
///
/// # Errors
/// As [`new_version`]; an object that is revoked already cannot be revoked again.
pub fn revoke(object: &[u8], now: i64) -> Result<Vec<u8>, Error> {
    new_version(object, &[Change { name: "revoked", value: Some(b"true") }], now)
}

/// The timestamp that the next version has to exceed, after all that could forbid a next version.
fn latest<'t>(object: &Value<'t>) -> Result<Timestamp<'static>, Error> {
    let object_type = object.get("type").and_then(|found| found.as_str()).ok_or(Error::NotAnObject)?;
    let sco = object_type::is_sco(&object_type);
    let versioned = ["created", "modified", "revoked"].iter().all(|name| object.get(name).is_some());
    if (sco && !versioned) || matches!(object_type.as_ref(), "bundle" | "marking-definition") {
        return Err(Error::TypeNotVersionable(object_type.into_owned()));
    }
    let Some(created) = object.get("created") else { return Err(Error::NotVersionable) };
    if object.get("revoked").and_then(|found| found.as_bool()) == Some(true) {
        return Err(Error::Revoked);
    }
    match object.get("modified") {
        Some(modified) => timestamp_of("modified", &modified),
        None => timestamp_of("created", &created),
    }
}

fn timestamp_of(name: &'static str, value: &Value<'_>) -> Result<Timestamp<'static>, Error> {
    let text = value.as_str().unwrap_or_default().into_owned();
    Timestamp::try_from(text).map_err(|source| Error::Timestamp(name, source))
}

fn check_changes(object: &Value<'_>, changes: &[Change<'_>]) -> Result<(), Error> {
    let fixed = fixed_by_id(object);
    for (at, change) in changes.iter().enumerate() {
        if IMMUTABLE.contains(&change.name) || fixed.contains(&change.name) {
            return Err(Error::Immutable(change.name.to_owned()));
        }
        let twice = changes.iter().skip(at + 1).any(|other| other.name == change.name);
        let json = change.value.is_none_or(|value| Tape::new().parse(value, &Limits::default()).is_ok());
        let name = change.name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'));
        if twice || !json || !name {
            return Err(Error::Change(change.name.to_owned()));
        }
    }
    Ok(())
}

/// The properties that a deterministic id is made of, if the object has such an id. STIX 2.1 §2.9.
fn fixed_by_id(object: &Value<'_>) -> &'static [&'static str] {
    let id = object.get("id").and_then(|found| found.as_str());
    match id.as_deref().map(Id::parse) {
        Some(Ok(id)) if id.uuid_version() == 5 => sco_id::contributing(id.object_type()).unwrap_or_default(),
        _ => &[],
    }
}

fn chosen(value: &[u8], before: &Timestamp<'_>) -> Result<String, Error> {
    let mut tape = Tape::new();
    let value = tape.parse(value, &Limits::default()).map_err(|_| Error::Change("modified".to_owned()))?;
    let chosen = timestamp_of("modified", &value)?;
    if chosen > *before { Ok(chosen.text.into_owned()) } else { Err(Error::NotLater(before.text.clone().into_owned())) }
}

/// The text of a `modified` that is later than `before`, and `now` where that is possible.
fn next_instant(object: &Value<'_>, before: &Timestamp<'_>, now: i64) -> Result<String, Error> {
    let not_later = || Error::NotLater(before.text.clone().into_owned());
    let millisecond = now - now.rem_euclid(1000);
    if (before.micros + 1..=timestamp::MAX_MICROS).contains(&millisecond) {
        return Ok(timestamp::format_millis(millisecond));
    }
    // STIX 2.0 §3.4 knows milliseconds only: round up to the next one.
    let old = object.get("spec_version").is_none() && object.get("id").is_some();
    let later = if old { before.micros + 1000 } else { now.max(before.micros + 1) };
    match later {
        ..=timestamp::MAX_MICROS if old => Ok(timestamp::format_millis(later)),
        ..=timestamp::MAX_MICROS => Ok(timestamp::format_micros(later)),
        _ => Err(not_later()),
    }
}

fn write(object: &Value<'_>, changes: &[Change<'_>], modified: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(object.text().len() + 64);
    let mut rewriter = Rewriter::new(object, &mut out);
    let change_of = |name: &str| changes.iter().find(|change| change.name == name);
    let mut dated = false;
    for (key, value) in object.entries() {
        let name = key.as_str();
        match change_of(&name) {
            _ if name == "modified" => {
                dated = true;
                rewriter.replace(&key, &value, |out| rewrite::write_plain(out, modified));
            }
            Some(Change { value: Some(new), .. }) => rewriter.replace(&key, &value, |out| out.extend_from_slice(new)),
            Some(Change { value: None, .. }) => rewriter.drop(&value),
            None => rewriter.keep(&key, &value),
        }
    }
    if !dated {
        rewriter.add("modified", |out| rewrite::write_plain(out, modified));
    }
    for change in changes {
        if let Change { name, value: Some(new) } = *change
            && name != "modified"
            && object.get(name).is_none()
        {
            rewriter.add(name, |out| out.extend_from_slice(new));
        }
    }
    rewriter.finish();
    out
}

#[cfg(test)]
mod tests;
