//! What we sign in with at a NATS server, out of a file of its own.
//!
//! A file holds a name and a password (`name:password`), a token, or, as NATS's own tools write it, a user's JWT and the seed of
//! its key, with which the server's nonce is signed.

use super::Error;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a file that are read at most.
const MOST: u64 = 64 << 10;

/// Credentials. They do not print, and are wiped when dropped.
pub struct Credentials(Secrets);

enum Secrets {
    Password(Zeroizing<String>, Zeroizing<String>),
    Token(Zeroizing<String>),
    Signed { jwt: Zeroizing<String>, key: Ed25519KeyPair },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Credentials`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Credentials { path: path.to_owned(), why };
        let mut text = Zeroizing::new(String::new());
        let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        file.take(MOST).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(|why| wrong(why.to_owned()))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("-----BEGIN") {
            let jwt = Zeroizing::new(between(text, "NATS USER JWT").ok_or("it holds no NATS USER JWT")?.to_owned());
            let seed = between(text, "USER NKEY SEED").ok_or("it holds no USER NKEY SEED")?;
            let seed = seed_of(seed).ok_or("its USER NKEY SEED is not the seed of a user's key")?;
            let key = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| "its USER NKEY SEED cannot be used")?;
            return Ok(Self(Secrets::Signed { jwt, key }));
        }
        let line = text.trim();
        if line.is_empty() || line.chars().any(char::is_control) {
            return Err("it must hold one line, `name:password` or a token, or be a file of NATS credentials");
        }
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        Ok(Self(match line.split_once(':') {
            Some((name, password)) => Secrets::Password(owned(name), owned(password)),
            None => Secrets::Token(owned(line)),
        }))
    }

    /// Says them in the words of CONNECT.
    pub(super) fn say(&self, nonce: Option<&str>, words: &mut Map<String, Value>) -> Result<(), Error> {
        let mut put = |name: &str, value: &str| drop(words.insert(name.to_owned(), value.into()));
        match &self.0 {
            Secrets::Password(name, password) => {
                put("user", name);
                put("pass", password);
            }
            Secrets::Token(token) => put("auth_token", token),
            Secrets::Signed { jwt, key } => {
                let nonce = nonce.ok_or(Error::Protocol("it gives no nonce, so that nobody can sign in with a key"))?;
                put("jwt", jwt);
                put("sig", &URL_SAFE_NO_PAD.encode(key.sign(nonce.as_bytes())));
            }
        }
        Ok(())
    }
}

/// The line between `-----BEGIN name-----` and `------END name------`.
fn between<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("-----BEGIN") && line.contains(name))?;
    lines.find(|line| !line.is_empty()).filter(|line| !line.starts_with('-'))
}

/// The 32 bytes of a user's seed: base32 of a prefix of two bytes, the seed and a check sum (CRC-16/XMODEM, little endian).
fn seed_of(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = base32(text)?;
    let (rest, sum) = bytes.split_last_chunk::<2>()?;
    let (prefix, seed) = rest.split_first_chunk::<2>()?;
    let right = crc16(rest) == u16::from_le_bytes(*sum);
    // `S` for a seed and `U` for a user, five bits each.
    let is_user = prefix[0] & 0xf8 == 18 << 3 && ((prefix[0] & 7) << 5) | (prefix[1] >> 3) == 20 << 3;
    let seed = <[u8; 32]>::try_from(seed).ok()?;
    (right && is_user).then(|| Zeroizing::new(seed))
}

fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(
            sum ^ (u16::from(*byte) << 8),
            |sum, _| if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, KeyPair as _, UnparsedPublicKey};

    fn encode(bytes: &[u8]) -> String {
        let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
        for byte in bytes {
            held = (held << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held >> bits & 31) as usize]));
            }
            held &= (1 << bits) - 1;
        }
        if bits > 0 {
            text.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held << (5 - bits) & 31) as usize]));
        }
        text
    }

    fn seed(kind: u8, sum: u16) -> String {
        let mut bytes = vec![(18 << 3) | (kind >> 5), (kind & 31) << 3];
        bytes.extend([7; 32]);
        let right = crc16(&bytes) ^ sum;
        bytes.extend(right.to_le_bytes());
        encode(&bytes)
    }

    #[test]
    fn files_of_credentials() {
        // The check value of CRC-16/XMODEM.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        let said = |text: &str, nonce: Option<&str>| {
            let mut words = Map::new();
            Credentials::parse(text).unwrap().say(nonce, &mut words).unwrap();
            Value::Object(words)
        };
        assert_eq!(said("lina:a:b\n", None), serde_json::json!({"user": "lina", "pass": "a:b"}));
        assert_eq!(said("word\n", None), serde_json::json!({"auth_token": "word"}));
        let user = seed(20 << 3, 0);
        assert!(user.starts_with("SU"), "{user}");
        let file = |seed: &str| {
            format!(
                "-----BEGIN NATS USER JWT-----\neyJ0.x.y\n------END NATS USER JWT------\n\n*** a note ***\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            )
        };
        let said = said(&file(&user), Some("nonce"));
        assert_eq!(said["jwt"], "eyJ0.x.y");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(said["sig"].as_str().unwrap()).unwrap();
        UnparsedPublicKey::new(&ED25519, key.public_key().as_ref()).verify(b"nonce", &signature).unwrap();
        for wrong in [file(&seed(20 << 3, 1)), file(&seed(0, 0)), file("SU"), file("su!"), String::new(), "a\nb".into()]
        {
            assert!(Credentials::parse(&wrong).is_err(), "{wrong}");
        }
        assert!(Credentials::parse(&file(&user)).unwrap().say(None, &mut Map::new()).is_err());
        assert!(Credentials::read(Path::new("/nowhere/at/all")).is_err());
    }
}
