//! What the one who hands a page on says of its objects: which way each came, and what they think of it.

use crate::key::Keys;
use crate::signed::{Error, Kind, Unverified, sign as sign_statement};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// The most objects of one envelope.
pub const MOST_OBJECTS: usize = 20_000;
/// The longest way that an object can have come.
pub const LONGEST_PATH: usize = 64;

/// What is said of one object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// The SHA-256 of its canonical form.
    pub digest: [u8; 32],
    /// The nodes that it passed, oldest first, without the one who says this.
    pub path: Vec<String>,
    /// How reliable its source is: A to F (Admiralty).
    pub reliability: Option<char>,
    /// How credible it is: 1 to 6 (Admiralty).
    pub credibility: Option<u8>,
    /// The limits that were set beside its markings on the way, as `policy::Handling` writes them: who passes on what it did
    /// not make cannot change the author's seal, and says here under what it was given out.
    pub handling: Option<Value>,
}

/// Signs an envelope. `at`: when the page is handed on.
#[must_use]
pub fn sign(said: &[Said], at: &str, keys: &Keys) -> Vec<u8> {
    let objects = said.iter().map(|said| {
        let mut object = Map::new();
        object.insert("digest".into(), URL_SAFE_NO_PAD.encode(said.digest).into());
        object.insert("path".into(), json!(said.path));
        object.extend(said.reliability.map(|letter| ("reliability".into(), letter.to_string().into())));
        object.extend(said.credibility.map(|number| ("credibility".into(), number.into())));
        object.extend(said.handling.as_ref().map(|handling| ("handling".into(), handling.clone())));
        Value::Object(object)
    });
    let body = Map::from_iter([("objects".to_owned(), Value::Array(objects.collect()))]);
    sign_statement(Kind::Envelope, Some(at), body, keys)
}

/// What an envelope says. Whether it is from whom it says is another question ([`Unverified::verify`]).
///
/// # Errors
/// [`Error::Form`].
pub fn read(statement: &Unverified) -> Result<Vec<Said>, Error> {
    let says = statement.expect(Kind::Envelope, &["objects"])?;
    let objects = says.list("objects", MOST_OBJECTS)?.ok_or_else(|| says.wrong("it has no `objects`"))?;
    let read = |object: &Value| {
        let names = ["digest", "path", "reliability", "credibility", "handling"];
        let known = |name: &String| names.contains(&name.as_str());
        let fields = object.as_object().filter(|fields| fields.keys().all(known));
        let fields = fields.ok_or_else(|| says.wrong("an entry of `objects` has another form"))?;
        let path = fields.get("path").and_then(Value::as_array).filter(|path| path.len() <= LONGEST_PATH);
        let path = path.ok_or_else(|| says.wrong("a path is a list of at most 64 nodes"))?;
        let node = |node: &Value| {
            let id = node.as_str().filter(|id| stix::id::Id::parse(id).is_ok_and(|id| id.object_type() == "identity"));
            id.map(str::to_owned).ok_or_else(|| says.wrong("a node on a path is the id of an identity"))
        };
        let path = path.iter().map(node).collect::<Result<Vec<_>, _>>()?;
        let reliability = fields.get("reliability").map(|value| {
            let letter = value.as_str().and_then(|text| <[u8; 1]>::try_from(text.as_bytes()).ok());
            letter
                .and_then(|[letter]| matches!(letter, b'A'..=b'F').then_some(char::from(letter)))
                .ok_or_else(|| says.wrong("a reliability is a letter from A to F"))
        });
        let credibility = fields.get("credibility").map(|value| {
            let number = value.as_u64().filter(|number| matches!(number, 1..=6));
            number
                .and_then(|number| u8::try_from(number).ok())
                .ok_or_else(|| says.wrong("a credibility is a number from 1 to 6"))
        });
        let handling = fields.get("handling").cloned();
        if handling.as_ref().is_some_and(|handling| !handling.is_object()) {
            return Err(says.wrong("`handling` is no object"));
        }
        Ok(Said {
            handling,
            digest: says.digest(fields.get("digest"))?,
            path,
            reliability: reliability.transpose()?,
            credibility: credibility.transpose()?,
        })
    };
    objects.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
