//! How a meeting begins, signed by both: who holds the account of a partner, or stands between the nodes, holds no meeting in the
//! partner's name.

use crate::key::{KeyId, Keys, SIGNATURE};
use crate::signed::Error;
use crate::trust::{CLOCKS_APART, Keyring, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stix::json::{Limits, Tape};
use stix::timestamp::{Timestamp, format_micros};

/// The budget of either text.
const LIMITS: Limits = Limits { max_depth: 4, max_bytes: 16 << 10, max_values: 100 };

/// What the asker says first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The node that is asked, by its id on the wire.
    pub to: String,
    /// 16 random bytes in hex: this meeting and no other.
    pub nonce: String,
    /// When it was said.
    pub at: String,
    /// How many elements will come: a bucket.
    pub size: usize,
    /// The types of the values; none: all.
    #[serde(default)]
    pub types: Vec<String>,
}

/// What the answerer says to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The node that asked, by its id on the wire.
    pub to: String,
    /// That of the hello.
    pub nonce: String,
    /// The meeting's id.
    pub id: String,
    /// The key under which everything is evaluated, in base64url.
    pub element: String,
    /// How many tags will come: a bucket.
    pub size: usize,
    /// Elements of a page.
    pub page: usize,
    /// Tags of a page.
    pub tags_page: usize,
    /// When the meeting ends.
    pub until: String,
}

/// A text of a meeting: what it is called where it is signed.
pub trait Said: Serialize + DeserializeOwned {
    /// The line before what is signed.
    const LINE: &'static str;
}

impl Said for Hello {
    const LINE: &'static str = "marsad-meeting-hello 1\n";
}

impl Said for Welcome {
    const LINE: &'static str = "marsad-meeting-welcome 1\n";
}

impl Hello {
    /// Whether it was said about now, and to the node with this id.
    ///
    /// # Errors
    /// [`Error::Other`].
    pub fn check(&self, node: &str, now: i64) -> Result<(), Error> {
        if self.to != node {
            return Err(Error::Other("it is said to another node"));
        }
        if self.nonce.len() != 32 || !self.nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Other("its nonce is not 16 bytes in hex"));
        }
        let at = Timestamp::parse(&self.at).map_err(|_| Error::Other("it has no time"))?.micros;
        if now.abs_diff(at) > CLOCKS_APART.unsigned_abs() {
            return Err(Error::Other("it was said at another time: see that both clocks are right"));
        }
        Ok(())
    }

    /// When it was said, as it is written.
    #[must_use]
    pub fn instant(at: i64) -> String {
        format_micros(at)
    }
}

/// Signs a text.
#[must_use]
pub fn sign<T: Said>(said: &T, keys: &Keys) -> Vec<u8> {
    let Ok(Value::Object(mut object)) = serde_json::to_value(said) else { return Vec::new() };
    object.insert("key".into(), keys.public().id().as_str().into());
    let signature = keys.sign(&message::<T>(&object));
    object.insert("signature".into(), URL_SAFE_NO_PAD.encode(signature).into());
    canonical(&object)
}

/// Reads a text, and by whom it was signed.
///
/// # Errors
/// [`Error`].
pub fn read<'k, T: Said>(text: &[u8], ring: &'k Keyring, now: i64) -> Result<(T, Signer<'k>), Error> {
    let wrong = |message: &str| Error::Form { kind: "beginning of a meeting", message: message.to_owned() };
    Tape::new().parse(text, &LIMITS).map(|_| ()).map_err(|error| wrong(&error.to_string()))?;
    let mut object: Map<String, Value> = serde_json::from_slice(text).map_err(|error| wrong(&error.to_string()))?;
    let signature = object.remove("signature").ok_or_else(|| wrong("it is not signed"))?;
    let signature = signature.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let signature: Option<[u8; SIGNATURE]> = signature.and_then(|bytes| bytes.try_into().ok());
    let signature = signature.ok_or_else(|| wrong("its signature is none"))?;
    let key = object.get("key").and_then(Value::as_str).and_then(KeyId::read);
    let (signer, key) = ring.find(&key.ok_or_else(|| wrong("it names no key"))?, now)?;
    if !key.verify(&message::<T>(&object), &signature) {
        return Err(Error::Signature);
    }
    object.remove("key");
    let said = serde_json::from_value(Value::Object(object)).map_err(|error| wrong(&error.to_string()))?;
    Ok((said, signer))
}

fn message<T: Said>(object: &Map<String, Value>) -> Vec<u8> {
    [T::LINE.as_bytes(), &canonical(object)].concat()
}

/// The canonical form (RFC 8785).
fn canonical(object: &Map<String, Value>) -> Vec<u8> {
    let text = serde_json::to_vec(object).unwrap_or_default();
    let mut tape = Tape::new();
    let mut out = Vec::with_capacity(text.len());
    // Strings and small numbers are JSON; were it not so, what is signed would be empty and verify nowhere.
    if let Ok(value) = tape.parse(&text, &LIMITS) {
        stix::canonical::write(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{self, Draft};
    use crate::trust::Standing;

    const NOW: i64 = 1_767_225_600_000_000;
    const US: &str = "identity--00000000-0000-4000-8000-000000000001";
    const NORTH: &str = "identity--00000000-0000-4000-8000-000000000002";

    fn keys(seed: u8) -> Keys {
        Keys::of(&[seed; 32])
    }

    fn ring(standing: Standing) -> Keyring {
        let draft = Draft {
            serial: 1,
            organisation: "North".into(),
            identities: vec![NORTH.into()],
            addresses: Vec::new(),
            certificates: Vec::new(),
            from: NOW - 1,
            until: None,
            revoked: false,
        };
        let card = card::read(&card::issue(&draft, &keys(1), None)).unwrap();
        Keyring::new(None, vec![("CERT North".into(), card, standing)])
    }

    fn hello() -> Hello {
        Hello {
            to: US.into(),
            nonce: "0123456789abcdef".repeat(2),
            at: Hello::instant(NOW),
            size: 1_024,
            types: vec!["domain".into()],
        }
    }

    #[test]
    fn what_is_signed_is_read_and_nothing_else() {
        let (ring, text) = (ring(Standing::Pinned), sign(&hello(), &keys(1)));
        let (said, signer) = read::<Hello>(&text, &ring, NOW).unwrap();
        assert_eq!((said, signer.organisation), (hello(), "CERT North"));

        let text = String::from_utf8(text).unwrap();
        let again = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            read::<Hello>(text.replacen(from, to, 1).as_bytes(), &ring, NOW).map(|(said, _)| said)
        };
        assert_eq!(again("1024", "2048"), Err(Error::Signature));
        assert_eq!(again(US, NORTH), Err(Error::Signature));
        assert_eq!(again("{", r#"{"more":1,"#), Err(Error::Signature));
        assert!(matches!(again(r#""signature""#, r#""signed""#), Err(Error::Form { .. })));
        assert!(matches!(again("{", r#"{"size":1024,"#), Err(Error::Form { .. })), "a name twice");
        // What is said in one place is not taken in another, signed or not.
        let welcome = Welcome {
            to: US.into(),
            nonce: hello().nonce,
            id: "a".into(),
            element: "b".into(),
            size: 1_024,
            page: 1,
            tags_page: 1,
            until: Hello::instant(NOW),
        };
        let welcome = sign(&welcome, &keys(1));
        assert!(read::<Welcome>(&welcome, &ring, NOW).is_ok());
        assert_eq!(read::<Hello>(&welcome, &ring, NOW).err(), Some(Error::Signature));
        // What the form does not know is refused even if it is signed.
        let mut more = serde_json::to_value(hello()).unwrap();
        more["seed"] = 1.into();
        let Value::Object(mut more) = more else { unreachable!() };
        more.insert("key".into(), keys(1).public().id().as_str().into());
        let signature = keys(1).sign(&message::<Hello>(&more));
        more.insert("signature".into(), URL_SAFE_NO_PAD.encode(signature).into());
        assert!(matches!(read::<Hello>(&canonical(&more), &ring, NOW), Err(Error::Form { .. })));
    }

    #[test]
    fn keys_that_do_not_count() {
        let other = sign(&hello(), &keys(2));
        assert!(matches!(read::<Hello>(&other, &ring(Standing::Pinned), NOW), Err(Error::Key(_))));
        let text = sign(&hello(), &keys(1));
        assert!(matches!(read::<Hello>(&text, &ring(Standing::Revoked), NOW), Err(Error::Lapsed { .. })));
    }

    #[test]
    fn to_whom_and_when() {
        assert_eq!(hello().check(US, NOW), Ok(()));
        assert_eq!(hello().check(US, NOW + CLOCKS_APART), Ok(()));
        assert_eq!(hello().check(US, NOW - CLOCKS_APART), Ok(()));
        for (hello, node, now) in [
            (hello(), NORTH, NOW),
            (hello(), US, NOW + CLOCKS_APART + 1),
            (hello(), US, NOW - CLOCKS_APART - 1),
            (hello(), US, i64::MIN),
            (Hello { nonce: "0".into(), ..hello() }, US, NOW),
            (Hello { at: "now".into(), ..hello() }, US, NOW),
        ] {
            assert!(matches!(hello.check(node, now), Err(Error::Other(_))), "{hello:?}");
        }
    }
}
