//! ID tokens: whose signature holds, and what they must say (OpenID Connect Core §2, §3.1.3.7).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use subtle::ConstantTimeEq as _;

/// Seconds by which the two clocks may differ.
const LEEWAY: i64 = 60;
/// Seconds that may lie between the making of a token and its arrival here.
const OLDEST: i64 = 600;
/// The longest token that is looked at.
const LONGEST: usize = 64 * 1024;
/// Keys of a provider that are looked at.
const MOST_KEYS: usize = 32;

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// It is not a signed token.
    #[error("it is not a signed token")]
    Form,
    /// It is signed in a way that is not taken: only RS256, ES256 and EdDSA are.
    #[error("it is not signed with RS256, ES256 or EdDSA")]
    Algorithm,
    /// There is no key for it.
    #[error("the provider has no key that fits")]
    NoKey,
    /// The signature is not that of the provider.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is missing or wrong.
    #[error("its `{0}` is wrong")]
    Claim(&'static str),
}

/// The keys of a provider (RFC 7517 §5).
pub(super) struct Keys(Vec<Jwk>);

#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

impl Keys {
    /// Reads a set; keys of kinds that nobody here knows are left out.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(text).ok()?;
        let known = set.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(known.collect()))
    }

    /// The claims of a token whose signature is the provider's.
    pub(super) fn verify(&self, token: &str) -> Result<Claims, Wrong> {
        if token.len() > LONGEST {
            return Err(Wrong::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Wrong::Form)?;
        let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(Wrong::Form)?;
        let header: Header = part(header)?;
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(Wrong::Algorithm),
        };
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: whoever does not understand it must refuse.
            return Err(Wrong::Form);
        }
        let mut result = Err(Wrong::NoKey);
        for key in self.0.iter().filter(|key| fits(key, algorithm, header.kid.as_deref())) {
            let Ok(key) = DecodingKey::from_jwk(key) else { continue };
            match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, algorithm) {
                Ok(true) => return part(claims),
                _ => result = Err(Wrong::Signature),
            }
        }
        result
    }
}

/// Whether a key is for signatures of this kind: the kind is the key's, not the token's to choose.
fn fits(key: &Jwk, algorithm: Algorithm, kid: Option<&str>) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let said = key.common.key_algorithm.is_none_or(|said| said.to_string() == format!("{algorithm:?}"));
    let signs = key.common.public_key_use.as_ref().is_none_or(|what| *what == PublicKeyUse::Signature);
    kind && said && signs && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid))
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Wrong::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Wrong::Form)
}

/// What a token says.
#[derive(Clone, Debug, serde::Deserialize)]
pub(super) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    azp: Option<String>,
    exp: Option<f64>,
    iat: Option<f64>,
    nbf: Option<f64>,
    nonce: Option<String>,
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What it has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
}

impl Claims {
    /// The subject, if everything is as it must be at this second (§3.1.3.7).
    pub(super) fn checked(&self, expected: &Expected<'_>, now: i64) -> Result<String, Wrong> {
        let wrong = |claim| Err(Wrong::Claim(claim));
        let now = now as f64;
        let leeway = LEEWAY as f64;
        if self.iss.as_deref() != Some(expected.issuer) {
            return wrong("iss");
        }
        let (ours, others) = match &self.aud {
            Some(Audience::One(one)) => (one == expected.client, false),
            Some(Audience::Many(many)) => (many.iter().any(|one| one == expected.client), many.len() > 1),
            None => (false, false),
        };
        if !ours {
            return wrong("aud");
        }
        if self.azp.as_ref().map_or(others, |azp| azp != expected.client) {
            return wrong("azp");
        }
        if !self.exp.is_some_and(|exp| now < exp + leeway) {
            return wrong("exp");
        }
        if !self.iat.is_some_and(|iat| iat <= now + leeway && now - iat <= OLDEST as f64 + leeway) {
            return wrong("iat");
        }
        if !self.nbf.is_none_or(|nbf| nbf <= now + leeway) {
            return wrong("nbf");
        }
        let nonce = self.nonce.as_deref().unwrap_or_default();
        if nonce.is_empty() || !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return wrong("nonce");
        }
        match self.sub.as_deref() {
            Some(sub) if !sub.is_empty() && sub.len() <= 255 => Ok(sub.to_owned()),
            _ => wrong("sub"),
        }
    }
}

#[cfg(test)]
mod tests;
