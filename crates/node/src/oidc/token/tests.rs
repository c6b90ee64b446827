use super::*;
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider's keys.
struct Signer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Signer {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn keys(&self) -> Value {
        let public = self.rsa.public_key();
        let (n, e) =
            (public.modulus().big_endian_without_leading_zero(), public.exponent().big_endian_without_leading_zero());
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": "r", "use": "sig", "n": encoded(n), "e": encoded(e)},
            {"kty": "EC", "kid": "e", "crv": "P-256", "alg": "ES256", "x": encoded(&point[1..33]), "y": encoded(&point[33..])},
            {"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": encoded(self.ed.public_key().as_ref())},
            {"kty": "RSA", "kid": "for-encryption", "use": "enc", "n": encoded(n), "e": encoded(e)},
            {"kty": "something new", "kid": "x"},
        ]})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str() {
            Some("RS256") => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            Some("ES256") => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Some("EdDSA") => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            Some("HS256") => {
                // The old trick: the public key as the secret of an HMAC.
                let public: PublicKeyX509Der<'_> = aws_lc_rs::encoding::AsDer::as_der(self.rsa.public_key()).unwrap();
                let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_ref());
                aws_lc_rs::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", encoded(signature))
    }
}

fn keys(value: &Value) -> Keys {
    Keys::read(value.to_string().as_bytes()).unwrap()
}

#[test]
fn signatures() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let (set, others) = (keys(&signer.keys()), keys(&stranger.keys()));
    let claims = json!({"sub": "7"});
    for (header, expected) in [
        (json!({"alg": "RS256", "kid": "r"}), None),
        (json!({"alg": "ES256", "kid": "e"}), None),
        (json!({"alg": "EdDSA", "kid": "o"}), None),
        (json!({"alg": "RS256"}), None),
        (json!({"alg": "RS256", "kid": "rotated"}), Some(Wrong::NoKey)),
        (json!({"alg": "RS256", "kid": "e"}), Some(Wrong::NoKey)),
        (json!({"alg": "RS256", "kid": "for-encryption"}), Some(Wrong::NoKey)),
        (json!({"alg": "none"}), Some(Wrong::Algorithm)),
        (json!({"alg": "None", "kid": "r"}), Some(Wrong::Algorithm)),
        (json!({"alg": "HS256", "kid": "r"}), Some(Wrong::Algorithm)),
        (json!({"alg": "RS384", "kid": "r"}), Some(Wrong::Algorithm)),
        (json!({"alg": "PS256", "kid": "r"}), Some(Wrong::Algorithm)),
        (json!({"alg": "RS256", "kid": "r", "crit": ["exp"]}), Some(Wrong::Form)),
        (json!({"kid": "r"}), Some(Wrong::Form)),
    ] {
        let token = signer.sign(&header, &claims);
        assert_eq!(set.verify(&token).err(), expected, "{header}");
        if expected.is_none() {
            assert_eq!(others.verify(&token).err(), Some(Wrong::Signature), "{header}, of another provider");
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let head = signed.split_once('.').unwrap().0;
            let changed = format!("{head}.{}.{signature}", encoded(r#"{"sub":"8"}"#));
            assert_eq!(set.verify(&changed).err(), Some(Wrong::Signature), "{header}, changed");
            assert_eq!(set.verify(&format!("{signed}.")).err(), Some(Wrong::Signature), "{header}, unsigned");
        }
    }
    for text in ["", ".", "..", "a.b.c", "a.b.c.d", &"x".repeat(LONGEST + 1)] {
        assert_eq!(set.verify(text).err(), Some(Wrong::Form));
    }
    assert!(Keys::read(b"{}").is_none() && Keys::read(b"").is_none());
}

#[test]
fn claims_by_the_rules_of_3_1_3_7() {
    let good =
        json!({"iss": "https://id.example", "sub": "7", "aud": "marsad", "exp": NOW + 300, "iat": NOW, "nonce": "n"});
    let expected = Expected { issuer: "https://id.example", client: "marsad", nonce: "n" };
    for (change, wrong) in [
        (json!({}), None),
        (json!({"aud": ["marsad"]}), None),
        (json!({"aud": ["marsad", "other"], "azp": "marsad"}), None),
        (json!({"azp": "marsad"}), None),
        (json!({"exp": NOW - 59}), None),
        (json!({"iat": NOW + 60}), None),
        (json!({"iat": NOW as f64 - 0.5}), None),
        (json!({"email": "amina@example.org", "email_verified": true}), None),
        (json!({"iss": "https://id.example/"}), Some("iss")),
        (json!({"iss": null}), Some("iss")),
        (json!({"aud": "other"}), Some("aud")),
        (json!({"aud": []}), Some("aud")),
        (json!({"aud": null}), Some("aud")),
        (json!({"aud": ["marsad", "other"]}), Some("azp")),
        (json!({"aud": ["marsad", "other"], "azp": "other"}), Some("azp")),
        (json!({"azp": "other"}), Some("azp")),
        (json!({"exp": NOW - 60}), Some("exp")),
        (json!({"exp": null}), Some("exp")),
        (json!({"iat": NOW + 61}), Some("iat")),
        (json!({"iat": NOW - 661}), Some("iat")),
        (json!({"iat": null}), Some("iat")),
        (json!({"nbf": NOW + 61}), Some("nbf")),
        (json!({"nonce": "m"}), Some("nonce")),
        (json!({"nonce": ""}), Some("nonce")),
        (json!({"nonce": null}), Some("nonce")),
        (json!({"sub": ""}), Some("sub")),
        (json!({"sub": null}), Some("sub")),
        (json!({"sub": "s".repeat(256)}), Some("sub")),
    ] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let checked = claims.checked(&expected, NOW);
        assert_eq!(checked, wrong.map_or(Ok("7".to_owned()), |claim| Err(Wrong::Claim(claim))), "{change}");
    }
    let empty = Expected { nonce: "", ..expected };
    let mut claims = good;
    claims["nonce"] = json!("");
    let claims: Claims = serde_json::from_value(claims).unwrap();
    assert_eq!(claims.checked(&empty, NOW), Err(Wrong::Claim("nonce")), "nothing is not equal to nothing");
}
