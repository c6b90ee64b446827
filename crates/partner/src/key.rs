//! The keys of an organisation: one signs (Ed25519, RFC 8032), one opens what was sealed to it (X25519, RFC 7748).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use curve25519_dalek::MontgomeryPoint;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// The secret keys of an organisation. Do not print, are wiped when dropped.
pub struct Keys {
    sign: SigningKey,
    open: Zeroizing<[u8; 32]>,
    blind: Zeroizing<[u8; 32]>,
    public: PublicKeys,
}

impl Keys {
    /// Keys out of 32 random bytes: the same bytes, the same keys.
    #[must_use]
    pub fn of(seed: &[u8; 32]) -> Self {
        let derive = |purpose: &[u8]| {
            Zeroizing::new(<[u8; 32]>::from(Sha256::new().chain_update(purpose).chain_update(seed).finalize()))
        };
        let (sign, open) = (SigningKey::from_bytes(&derive(b"marsad ed25519 1\n")), derive(b"marsad x25519 1\n"));
        let public = PublicKeys {
            sign: sign.verifying_key().to_bytes(),
            seal_to: MontgomeryPoint::mul_base_clamped(*open).to_bytes(),
        };
        Self { sign, open, blind: derive(b"marsad blind 1\n"), public }
    }

    /// What others may know of them.
    #[must_use]
    pub fn public(&self) -> PublicKeys {
        self.public
    }

    /// Signs. Deterministic: the same message, the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.sign.sign(message).to_bytes()
    }

    /// A key of no other use: what is drawn under it nobody else can know.
    pub(crate) fn blind(&self) -> &[u8; 32] {
        &self.blind
    }

    /// The X25519 key itself: for opening what was sealed to it.
    #[must_use]
    pub fn expose_open(&self) -> &[u8; 32] {
        &self.open
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// The public keys of an organisation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PublicKeys {
    /// Ed25519.
    pub sign: [u8; 32],
    /// X25519.
    pub seal_to: [u8; 32],
}

impl PublicKeys {
    /// By what the signing key is called.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.sign)
    }
}

/// By what a signing key is called: `ed25519:` and the base64url of the first 16 bytes of its SHA-256.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The id of a public key.
    #[must_use]
    pub fn of(public: &[u8; 32]) -> Self {
        let digest = Sha256::digest(public);
        Self(format!("ed25519:{}", URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())))
    }

    /// The id that is written so; `None`: it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("ed25519:")?).ok()?;
        (bytes.len() == 16).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
