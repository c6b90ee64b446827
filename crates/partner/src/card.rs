//! The card of an organisation: who it is, by which keys it signs, where it is reached. Cards are handed over by any road and
//! then compared by voice ([`crate::words`]): a card proves only that whoever made it holds its keys.
//!
//! A card is a JSON document, closed (what is not understood is refused), signed over its canonical form. Whoever changes keys
//! signs the new key with the old one; a card carries that *succession* from its first key on, so that a partner who missed a
//! card follows all the same, and statements signed with an earlier key go on to count.

use crate::key::{KeyId, Keys, PublicKeys, SIGNATURE};
use crate::signature::VerifyKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::MontgomeryPoint;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use stix::json::{Limits, Tape};
use stix::timestamp::format_micros;

/// The budget of a card.
pub const LIMITS: Limits = Limits { max_depth: 4, max_bytes: 64 << 10, max_values: 1000 };
/// Identities, addresses, certificates, and keys that went before.
const MOST: usize = 32;
/// Bytes of a name.
const LONGEST_NAME: usize = 200;
/// Bytes of an address.
const LONGEST_ADDRESS: usize = 2000;

/// Why something is no card.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not have the form.
    #[error("not a card: {0}")]
    Form(String),
    /// Its own signature is wrong.
    #[error("the card's signature does not fit: it was altered")]
    Signature,
    /// A key of its succession was not signed by the one before.
    #[error("the card names the key {0} as an earlier one, and that key did not sign the next")]
    Succession(KeyId),
}

/// Why a card does not take the place of another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfollowed {
    /// It is the same one.
    #[error("it is the card that is known already")]
    Same,
    /// It is an older one, or another one of the same number.
    #[error("its serial is {found}, and the known card has {known}")]
    Serial {
        /// That of the card.
        found: u64,
        /// That of the known one.
        known: u64,
    },
    /// It is another node's.
    #[error("it is the card of another node")]
    Node,
    /// The key of the known card did not sign it.
    #[error("it is not signed by the key of the known card")]
    Key,
    /// The known card was revoked: nothing follows from its key.
    #[error("the known card was revoked: a new one must be compared by voice")]
    Revoked,
}

/// A card whose form and signatures were checked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Card {
    /// Which of its cards this is; a higher one takes the place of a lower one.
    pub serial: u64,
    /// What the organisation calls itself.
    pub organisation: String,
    /// Its STIX identities. The first is the node's id on the wire.
    pub identities: Vec<String>,
    /// Its keys.
    pub keys: PublicKeys,
    /// Where its TAXII server is reached.
    pub addresses: Vec<String>,
    /// The SHA-256 of certificates that its server shows, in hex.
    pub certificates: Vec<String>,
    /// When it begins to count, in microseconds since 1970.
    pub from: i64,
    /// When it counts no more.
    pub until: Option<i64>,
    /// It says that its key is not to be believed any more.
    pub revoked: bool,
    /// The keys that went before, oldest first, each proven to have named the next.
    pub former: Vec<[u8; 32]>,
    text: Vec<u8>,
    fingerprint: [u8; 16],
}

impl Card {
    /// The node's id on the wire.
    #[must_use]
    pub fn node(&self) -> &str {
        self.identities.first().map_or("", String::as_str)
    }

    /// 128 bits over all that the card says.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// The card in its canonical form, signature included.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether this card takes the place of a known one without a call: it is of the same node, newer, and its key is the
    /// known one's or descends from it.
    ///
    /// # Errors
    /// [`Unfollowed`].
    pub fn follows(&self, known: &Self) -> Result<(), Unfollowed> {
        if self.fingerprint == known.fingerprint {
            return Err(Unfollowed::Same);
        }
        if known.revoked {
            return Err(Unfollowed::Revoked);
        }
        if self.node() != known.node() {
            return Err(Unfollowed::Node);
        }
        if self.keys.sign != known.keys.sign && !self.former.contains(&known.keys.sign) {
            return Err(Unfollowed::Key);
        }
        if self.serial <= known.serial {
            return Err(Unfollowed::Serial { found: self.serial, known: known.serial });
        }
        Ok(())
    }
}

/// What a card is going to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Draft {
    /// As in [`Card`].
    pub serial: u64,
    /// As in [`Card`].
    pub organisation: String,
    /// As in [`Card`].
    pub identities: Vec<String>,
    /// As in [`Card`].
    pub addresses: Vec<String>,
    /// As in [`Card`].
    pub certificates: Vec<String>,
    /// As in [`Card`].
    pub from: i64,
    /// As in [`Card`].
    pub until: Option<i64>,
    /// As in [`Card`].
    pub revoked: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "marsad-card")]
    form: u8,
    serial: u64,
    organisation: String,
    identities: Vec<String>,
    keys: KeyTexts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<String>,
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    revoked: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Former>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyTexts {
    sign: String,
    seal_to: String,
}

/// A key that went before, and its signature of the next.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Former {
    sign: String,
    signature: String,
}

/// Writes and signs a card. `before`: the card whose place it takes, and its keys, which sign the new one; its succession goes on.
/// Nothing follows a card that was revoked.
#[must_use]
pub fn issue(draft: &Draft, keys: &Keys, before: Option<(&Card, &Keys)>) -> Vec<u8> {
    let public = keys.public();
    let mut former = Vec::new();
    if let Some((card, old)) = before.filter(|(card, _)| !card.revoked) {
        former = serde_json::from_slice::<Document>(&card.text).map(|document| document.former).unwrap_or_default();
        if card.keys.sign != public.sign {
            let node = draft.identities.first().map_or("", String::as_str);
            let signature = old.sign(&succession(node, &public.sign));
            former.push(Former { sign: encode(&card.keys.sign), signature: encode(&signature) });
        }
    }
    let mut document = Document {
        form: 1,
        serial: draft.serial,
        organisation: draft.organisation.clone(),
        identities: draft.identities.clone(),
        keys: KeyTexts { sign: encode(&public.sign), seal_to: encode(&public.seal_to) },
        addresses: draft.addresses.clone(),
        certificates: draft.certificates.clone(),
        from: format_micros(draft.from),
        until: draft.until.map(format_micros),
        revoked: draft.revoked,
        former,
        signature: None,
    };
    document.signature = Some(encode(&keys.sign(&message(&canonical(&document)))));
    canonical(&document)
}

/// Reads a card and checks its form, its signature and its succession.
///
/// # Errors
/// [`Error`].
pub fn read(text: &[u8]) -> Result<Card, Error> {
    if text.len() > LIMITS.max_bytes {
        return Err(Error::Form("it is longer than 64 KiB".to_owned()));
    }
    // Our own reader first: it refuses two properties of one name, and what is too deep or too long.
    let mut tape = Tape::new();
    let value = tape.parse(text, &LIMITS).map_err(|error| Error::Form(error.to_string()))?;
    let document: Document = serde_json::from_slice(text).map_err(|error| Error::Form(error.to_string()))?;
    let signature = document.signature.as_ref().ok_or_else(|| Error::Form("it is not signed".to_owned()))?;
    let mut whole = Vec::with_capacity(text.len());
    stix::canonical::write(value, &mut whole);
    let mut members: Vec<_> = value.entries().map(|(name, value)| (name.as_str(), value)).collect();
    members.retain(|(name, _)| name != "signature");
    let mut said = Vec::with_capacity(text.len());
    stix::canonical::write_object(&mut members, &mut said);
    let card = understand(&document, whole, fingerprint(&said))?;
    let key = VerifyKey::of(&card.keys.sign).ok_or_else(|| Error::Form("its signing key is none".to_owned()))?;
    if !key.verify(&message(&said), &decode::<SIGNATURE>("signature", signature)?) {
        return Err(Error::Signature);
    }
    succeeds(&card, &document.former)?;
    Ok(card)
}

/// Each earlier key signed the next.
fn succeeds(card: &Card, former: &[Former]) -> Result<(), Error> {
    let next = card.former.iter().skip(1).chain([&card.keys.sign]);
    for ((key, next), link) in card.former.iter().zip(next).zip(former) {
        let signature = decode::<SIGNATURE>("signature", &link.signature)?;
        if !VerifyKey::of(key).is_some_and(|key| key.verify(&succession(card.node(), next), &signature)) {
            return Err(Error::Succession(KeyId::of(key)));
        }
    }
    Ok(())
}

fn understand(document: &Document, text: Vec<u8>, fingerprint: [u8; 16]) -> Result<Card, Error> {
    let wrong = |message: &str| Err(Error::Form(message.to_owned()));
    if document.form != 1 {
        return wrong("its form is another one than 1: it may be of a newer Marsad");
    }
    if document.serial == 0 || document.serial > 1 << 53 {
        return wrong("its serial is not between 1 and 2^53");
    }
    if !is_name(&document.organisation) {
        return wrong("the organisation's name is empty, longer than 200 bytes, or has characters that cannot be seen");
    }
    let lists = [&document.identities, &document.addresses, &document.certificates];
    if lists.iter().any(|list| list.len() > MOST) || document.former.len() > MOST {
        return wrong("a list has more than 32 entries");
    }
    if lists.iter().any(|list| has_twice(list)) {
        return wrong("a list names something twice");
    }
    let identity = |id: &String| stix::id::Id::parse(id).is_ok_and(|id| id.object_type() == "identity");
    if document.identities.is_empty() || !document.identities.iter().all(identity) {
        return wrong("`identities` must be ids of identities, and one at least");
    }
    if !document.addresses.iter().all(|address| is_address(address)) {
        return wrong("an address is no URL that begins with https:// or http://");
    }
    if !document.certificates.iter().all(|hex| is_hex(hex)) {
        return wrong("a certificate is the SHA-256 of one, in 64 small hex digits");
    }
    let from = time("from", &document.from)?;
    let until = document.until.as_deref().map(|text| time("until", text)).transpose()?;
    if until.is_some_and(|until| until <= from) {
        return wrong("it ends before it begins");
    }
    let keys = PublicKeys {
        sign: decode("keys.sign", &document.keys.sign)?,
        seal_to: decode("keys.seal_to", &document.keys.seal_to)?,
    };
    // A point of small order: what is sealed to it could be opened by everybody. RFC 7748 §6.1.
    if MontgomeryPoint(keys.seal_to).mul_clamped([0; 32]).0 == [0; 32] {
        return wrong("its sealing key is none");
    }
    let former = document.former.iter().map(|link| decode("former.sign", &link.sign)).collect::<Result<Vec<_>, _>>()?;
    if former.contains(&keys.sign) || has_twice(&former) {
        return wrong("a key comes twice in its succession");
    }
    Ok(Card {
        serial: document.serial,
        organisation: document.organisation.clone(),
        identities: document.identities.clone(),
        keys,
        addresses: document.addresses.clone(),
        certificates: document.certificates.clone(),
        from,
        until,
        revoked: document.revoked,
        former,
        text,
        fingerprint,
    })
}

fn canonical(document: &Document) -> Vec<u8> {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let mut out = Vec::with_capacity(text.len());
    // Strings and small numbers are JSON; were it not so, what is signed would be empty and verify nowhere.
    if let Ok(value) = Tape::new().parse(&text, &Limits::default()) {
        stix::canonical::write(value, &mut out);
    }
    out
}

fn message(said: &[u8]) -> Vec<u8> {
    [b"marsad-card 1\n", said].concat()
}

/// What an earlier key signs of the next.
fn succession(node: &str, next: &[u8; 32]) -> Vec<u8> {
    format!("marsad-succession 1\n{node}\n{}\n", encode(next)).into_bytes()
}

fn fingerprint(said: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(message(said));
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode<const N: usize>(name: &str, text: &str) -> Result<[u8; N], Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Error::Form(format!("`{name}` is not {N} bytes in base64url")))
}

fn time(name: &str, text: &str) -> Result<i64, Error> {
    let time = stix::timestamp::Timestamp::parse(text).map_err(|error| Error::Form(format!("`{name}`: {error}")))?;
    // One spelling for each instant: what is compared by voice is what is meant.
    if format_micros(time.micros) != text {
        return Err(Error::Form(format!("`{name}` has not six digits of fraction")));
    }
    Ok(time.micros)
}

fn is_name(name: &str) -> bool {
    // Marks of direction could make a name look like another one.
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    !name.trim().is_empty() && name.trim() == name && name.len() <= LONGEST_NAME && !name.contains(unseen)
}

fn is_address(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\'));
    plain
        && address.len() <= LONGEST_ADDRESS
        && !host.is_empty()
        && !host.contains('@')
        && !address.contains(['?', '#'])
}

fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_twice<T: Ord>(list: &[T]) -> bool {
    let mut sorted: Vec<&T> = list.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| matches!(pair, [one, two] if one == two))
}

#[cfg(test)]
mod tests;
