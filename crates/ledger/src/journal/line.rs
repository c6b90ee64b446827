//! A journal's entry as a line of JSON, from which its digests and its chain value can be computed again.

use super::{Digest, Line, Matter, Part, Person, digest, hex};
use crate::Micros;
use serde_json::value::RawValue;

/// Why a line is no entry.
#[derive(Debug, thiserror::Error)]
#[error("not an entry of a journal: {0}")]
pub struct BadLine(String);

/// The names of the fields are fixed: programs read them.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    number: u64,
    /// For people.
    time: String,
    /// The same to the microsecond, since 1970.
    micros: Micros,
    kind: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    matter: Option<MatterShape<'a>>,
    matter_digest: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    person: Option<PersonShape<'a>>,
    person_digest: String,
    chain: String,
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct MatterShape<'a> {
    about: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<(i64, i64)>,
    #[serde(borrow)]
    body: &'a RawValue,
    /// In hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    packed: String,
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct PersonShape<'a> {
    salt: String,
    who: String,
    whom: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    details: Option<&'a RawValue>,
}

impl Line {
    /// As a line of JSON, without its end. `time` is how the caller writes the instant for people.
    ///
    /// # Errors
    /// [`BadLine`] if a body is not JSON.
    pub fn to_json(&self, time: String) -> Result<String, BadLine> {
        let bad = |error: serde_json::Error| BadLine(format!("entry {}: {error}", self.number));
        let raw = |bytes| serde_json::from_slice::<&RawValue>(bytes).map_err(bad);
        let shape = Shape {
            number: self.number,
            time,
            micros: self.time,
            kind: self.kind.clone(),
            matter: match &self.matter {
                Part::Kept(Matter { about, span, body, packed }) => {
                    Some(MatterShape { about: about.clone(), span: *span, body: raw(body)?, packed: digits(packed) })
                }
                Part::Erased(_) => None,
            },
            matter_digest: hex(&self.matter.digest()),
            person: match &self.person {
                Part::Kept(Person { salt, who, whom, details }) => Some(PersonShape {
                    salt: format!("{:032x}", u128::from_be_bytes(*salt)),
                    who: who.clone(),
                    whom: whom.clone(),
                    details: if details.is_empty() { None } else { Some(raw(details)?) },
                }),
                Part::Erased(_) => None,
            },
            person_digest: hex(&self.person.digest()),
            chain: hex(&self.chain),
        };
        serde_json::to_string(&shape).map_err(bad)
    }

    /// Reads such a line.
    ///
    /// # Errors
    /// [`BadLine`].
    pub fn from_json(text: &str) -> Result<Self, BadLine> {
        let shape: Shape<'_> = serde_json::from_str(text).map_err(|error| BadLine(error.to_string()))?;
        let said = |text: &str| digest(text).ok_or_else(|| BadLine("a digest is 64 hexadecimal digits".to_owned()));
        let (matter_digest, person_digest) = (said(&shape.matter_digest)?, said(&shape.person_digest)?);
        let matter = match shape.matter {
            None => None,
            Some(matter) => Some(Matter {
                about: matter.about,
                span: matter.span,
                body: matter.body.get().as_bytes().to_vec(),
                packed: bytes(&matter.packed)
                    .ok_or_else(|| BadLine("what is packed is written in hexadecimal digits".to_owned()))?,
            }),
        };
        let person = match shape.person {
            None => None,
            Some(person) => Some(Person {
                salt: u128::from_str_radix(&person.salt, 16)
                    .map_err(|_| BadLine("a salt is 32 hexadecimal digits".to_owned()))?
                    .to_be_bytes(),
                who: person.who,
                whom: person.whom,
                details: person.details.map(|details| details.get().as_bytes().to_vec()).unwrap_or_default(),
            }),
        };
        Ok(Self {
            number: shape.number,
            time: shape.micros,
            kind: shape.kind,
            matter: part(matter, matter_digest),
            person: part(person, person_digest),
            chain: said(&shape.chain)?,
        })
    }
}

fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that these digits say, as [`digits`] writes them and not otherwise.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

fn part<T>(kept: Option<T>, digest: Digest) -> Part<T> {
    kept.map_or(Part::Erased(digest), Part::Kept)
}
