//! The content key, wrapped for a recipient: HPKE (RFC 9180) in base mode, one shot.
//!
//! By the provider that TLS uses as well, so that no further crate does cryptography. It draws the ephemeral key itself: the
//! one piece of chance in this crate that is no argument, as nobody may be able to give the same twice.

use super::Error;
use crate::key::{KeyId, Keys, PublicKeys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_CHACHA20_POLY1305 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of a content key.
pub(super) const KEY: usize = 32;
const INFO: &[u8] = b"marsad package key 1\n";

/// The content key for one recipient.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    /// The ephemeral key.
    enc: String,
    /// The content key, sealed.
    key: String,
    /// For whom: a salted digest of the id of its key.
    pub(super) to: String,
}

/// For whom something is wrapped, told to nobody who does not know the key's id.
fn hint(salt: &[u8], key: &KeyId) -> String {
    let digest = Sha256::new()
        .chain_update(b"marsad package recipient 1\n")
        .chain_update(salt)
        .chain_update(key.as_str())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

pub(super) fn wrap(content: &[u8; KEY], salt: &[u8], to: &PublicKeys) -> Result<Wrapped, Error> {
    let hint = hint(salt, &to.id());
    let aad = [salt, hint.as_bytes()].concat();
    let (enc, key) = SUITE.seal(INFO, &aad, content, &HpkePublicKey(to.seal_to.to_vec())).map_err(|_| Error::Wrap)?;
    Ok(Wrapped { enc: URL_SAFE_NO_PAD.encode(enc.0), key: URL_SAFE_NO_PAD.encode(key), to: hint })
}

/// The content key, if one of them is for these keys.
pub(super) fn open(all: &[Wrapped], salt: &[u8], keys: &Keys) -> Result<Zeroizing<[u8; KEY]>, Error> {
    let hint = hint(salt, &keys.public().id());
    let aad = [salt, hint.as_bytes()].concat();
    let wrapped = all.iter().find(|wrapped| wrapped.to == hint).ok_or(Error::NotForUs)?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::form("header", "a key in it is no key"));
    let (enc, sealed) = (EncapsulatedSecret(bytes(&wrapped.enc)?), bytes(&wrapped.key)?);
    let own = HpkePrivateKey::from(keys.expose_open().to_vec());
    let opened = SUITE.open(&enc, INFO, &aad, &sealed, &own).map(Zeroizing::new);
    let opened = opened.map_err(|_| Error::form("header", "the key that is meant for this node does not open"))?;
    let key: [u8; KEY] = opened.as_slice().try_into().map_err(|_| Error::form("header", "a key in it is no key"))?;
    Ok(Zeroizing::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 9180 A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
    #[test]
    fn the_suite_opens_what_the_rfc_sealed() {
        let own = HpkePrivateKey::from(hex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
        let enc = EncapsulatedSecret(hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"));
        let (info, aad) = (hex("4f6465206f6e2061204772656369616e2055726e"), hex("436f756e742d30"));
        let sealed = hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
        let opened = SUITE.open(&enc, &info, &aad, &sealed, &own).unwrap();
        assert_eq!(opened, b"Beauty is truth, truth beauty");
    }

    #[test]
    fn opens_for_its_recipient_alone() {
        let (north, south) = (Keys::of(&[1; 32]), Keys::of(&[2; 32]));
        let content = [7; KEY];
        let wrapped = wrap(&content, b"salt", &north.public()).unwrap();
        let all = [wrapped.clone()];
        assert_eq!(*open(&all, b"salt", &north).unwrap(), content);
        assert!(matches!(open(&all, b"salt", &south), Err(Error::NotForUs)));
        assert!(matches!(open(&all, b"other", &north), Err(Error::NotForUs)), "the salt is part of the hint");
        // Somebody who puts a wrap under another's hint.
        let moved = Wrapped { to: hint(b"salt", &south.public().id()), ..wrapped.clone() };
        assert!(matches!(open(&[moved], b"salt", &south), Err(Error::Form { what: "header", .. })));
        let bent = Wrapped { key: URL_SAFE_NO_PAD.encode([0; 48]), ..wrapped };
        assert!(matches!(open(&[bent], b"salt", &north), Err(Error::Form { what: "header", .. })));
        assert_ne!(hint(b"a", &north.public().id()), hint(b"b", &north.public().id()));
    }
}
