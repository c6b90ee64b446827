//! What a package says of itself in the clear.

use super::block::{self, Block, Kind};
use super::wrap::Wrapped;
use super::{CHUNK_LEAST, CHUNK_MOST, Error, RECIPIENTS};
use crate::key::{KeyId, Keys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the ids of packages are made under (UUIDv5).
const NAMESPACE: uuid::Uuid = uuid::Uuid::from_u128(0x6d1c_40b7_90fa_4c52_8f9e_2d0c_5b7f_13a6);

/// The fields, in the order of their names: so written, they are in canonical form (RFC 8785).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) answer: bool,
    pub(super) chunk: u32,
    pub(super) created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<i64>,
    pub(super) from: String,
    pub(super) key: KeyId,
    pub(super) number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
    pub(super) recipients: Vec<Wrapped>,
    pub(super) salt: String,
    pub(super) series: String,
}

/// What a package says of itself, to everybody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The id of the package, which follows from its header: `marsad-package--` and a UUID.
    pub id: String,
    /// The sender's node id.
    pub from: String,
    /// The key that signed it.
    pub key: KeyId,
    /// The series in which it is numbered.
    pub series: String,
    /// Its number there, from 1.
    pub number: u64,
    /// The digest of the package before.
    pub previous: Option<[u8; 32]>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Until when it may be taken.
    pub expires: Option<i64>,
    /// For how many recipients.
    pub recipients: usize,
    /// Whether the sender waits for an answer.
    pub answer: bool,
}

/// Reads and judges the form; the block is not verified.
pub(super) fn read(block: &Block) -> Result<(Header, Fields), Error> {
    let fields: Fields = block.value()?;
    let wrong = |message: &str| Error::form("header", message);
    if !(CHUNK_LEAST..=CHUNK_MOST).contains(&(fields.chunk as usize)) {
        return Err(wrong("its chunks are too small or too large"));
    }
    if fields.recipients.is_empty() || fields.recipients.len() > RECIPIENTS {
        return Err(wrong("it has no recipients, or too many"));
    }
    if fields.number == 0 || fields.number > (1 << 53) {
        return Err(wrong("it has no number"));
    }
    // Names of our own making, which end up in messages.
    let plain = |text: &str| text.len() <= 128 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if KeyId::read(fields.key.as_str()).is_none() || !plain(&fields.from) || !plain(&fields.series) {
        return Err(wrong("a name in it is none"));
    }
    let previous = fields.previous.as_deref().map(|text| digest(text).ok_or_else(|| wrong("a digest in it is none")));
    let header = Header {
        id: id(&block.text),
        from: fields.from.clone(),
        key: fields.key.clone(),
        series: fields.series.clone(),
        number: fields.number,
        previous: previous.transpose()?,
        created: fields.created,
        expires: fields.expires,
        recipients: fields.recipients.len(),
        answer: fields.answer,
    };
    Ok((header, fields))
}

pub(super) fn sign(fields: &Fields, keys: &Keys) -> Block {
    block::sign(Kind::Header, fields, keys)
}

fn id(text: &[u8]) -> String {
    format!("marsad-package--{}", uuid::Uuid::new_v5(&NAMESPACE, &Sha256::digest(text)))
}

/// A digest as it is written.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
