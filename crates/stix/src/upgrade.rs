//! STIX 2.0 to 2.1: objects and bundles, in the author's bytes wherever nothing has to change.
//!
//! | STIX 2.0 | becomes |
//! |---|---|
//! | no `spec_version` on objects, one on the bundle | `spec_version` `2.1` on objects, none on the bundle (§3.2, §8) |
//! | `labels` that say of what type an indicator, a malware, a report, a threat actor or a tool is | `indicator_types`, `malware_types`, … (§4); other labels stay |
//! | malware without `is_family` | a family (§4.11): an object of 2.0 names a malware and has no sample to point at |
//! | indicator | `pattern_type` `stix`, `pattern_version` `2.0` (§4.7): the text stays as it was written |
//! | `created`, `modified` to the second | to the millisecond (§3.2): zeros are added |
//! | observed-data with a container of observables | observables of their own, with deterministic ids and the markings of the container, and `object_refs` (§4.14, §6) |
//! | the TLP marking definitions | those of 2.1, which have a name (§7.2.1.4) |
//!
//! What 2.1 has no place for is never lost in silence: each such thing is a [`Note`]. Nothing here is random: ids that
//! have to look random are derived from the source, so that the same text always gives the same result.

mod bundle;
mod labels;
mod marks;
mod object;
mod observable;
mod observed;

pub use bundle::bundle;

use crate::json::{self, Limits, Tape};

/// What an object of STIX 2.0 became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The object in STIX 2.1, and after it the observables that it contained.
    pub objects: Vec<Vec<u8>>,
    /// What was lost, assumed or changed beyond the rules of the module's table.
    pub notes: Vec<Note>,
}

/// What a bundle of STIX 2.0 became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradedBundle {
    /// The bundle in STIX 2.1.
    pub text: Vec<u8>,
    /// How many objects it has.
    pub objects: usize,
    /// What was lost, assumed or changed beyond the rules of the module's table.
    pub notes: Vec<Note>,
}

/// Something that a reader of the result should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The id of the object of STIX 2.0.
    pub object: String,
    /// The property of that object, such as `objects.0.is_encrypted`.
    pub property: String,
    /// What was done with it.
    pub fate: Fate,
    /// Why, and what is lost if something is.
    pub detail: String,
}

/// What was done with a property that does not simply carry over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// STIX 2.1 has no place for it: it is gone.
    Dropped,
    /// It is said in another way.
    Changed,
    /// STIX 2.1 demands it and the source does not say it.
    Assumed,
    /// It stays as it is although STIX 2.1 would have it otherwise.
    Kept,
}

/// Why a text could not be read as an object or a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("the text is not JSON")]
    Json(#[source] json::Error),
    /// The text is JSON, but no object with a `type`.
    #[error("a STIX Object is a JSON object with a `type`")]
    NotAnObject,
    /// The text is JSON, but no bundle.
    #[error("a bundle is a JSON object of type `bundle`, and its `objects` a list of objects")]
    NotABundle,
}

/// Upgrades one object. An object of STIX 2.1 comes back as it is.
///
/// The result is as valid as the source: what broke the rules of 2.0 is carried over for the validator to find.
///
/// # Errors
/// If the text is no JSON object with a `type`.
pub fn object(text: &[u8]) -> Result<Upgraded, Error> {
    let mut tape = Tape::new();
    let value = tape.parse(text, &Limits::default()).map_err(Error::Json)?;
    let mut sink = Sink::default();
    object::upgrade(&value, &mut sink)?;
    let mut start = 0;
    let objects = sink
        .ends
        .iter()
        .map(|end| sink.out.get(std::mem::replace(&mut start, *end)..*end).unwrap_or_default().to_vec());
    Ok(Upgraded { objects: objects.collect(), notes: sink.notes })
}

/// Where upgraded objects go, one behind the other.
#[derive(Debug, Default)]
struct Sink {
    out: Vec<u8>,
    /// The end of each object in `out`.
    ends: Vec<usize>,
    /// What to write between two objects.
    separator: Vec<u8>,
    notes: Vec<Note>,
    /// Observables written so far, by id: observed data of one bundle share them.
    seen: std::collections::HashMap<String, std::ops::Range<usize>>,
}

impl Sink {
    /// Where the next object is to be written.
    fn begin(&mut self) -> &mut Vec<u8> {
        if !self.ends.is_empty() {
            self.out.extend_from_slice(&self.separator);
        }
        &mut self.out
    }

    /// The object begun last is complete.
    fn end(&mut self) {
        self.ends.push(self.out.len());
    }

    fn note(&mut self, object: &str, property: impl Into<String>, fate: Fate, detail: impl Into<String>) {
        self.notes.push(Note { object: object.to_owned(), property: property.into(), fate, detail: detail.into() });
    }
}

#[cfg(test)]
mod tests;
