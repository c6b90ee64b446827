//! Making and comparing what people and machines sign in with. Nothing that is kept gives a credential back.
//!
//! A password is kept as Argon2id in PHC form. Keys and one-time tokens are random and kept as keyed hashes: whoever
//! copies the database alone cannot even test a guess.

use crate::home::Secret;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ledger::Register;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What every key begins with, so that people and secret scanners know one when they see it.
const KEY_PREFIX: &str = "marsad_";
const TOKEN_PREFIX: &str = "marsad_once_";
const KEY_PURPOSE: &str = "marsad 2026-11 api key digest";
const TOKEN_PURPOSE: &str = "marsad 2026-11 one-time token digest";

/// Why a credential could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The password cannot be hashed.
    #[error("the password cannot be used: {0}")]
    Password(String),
    /// There is no randomness.
    #[error(transparent)]
    Chance(#[from] crate::chance::NoChance),
    /// The register refused.
    #[error(transparent)]
    Register(#[from] ledger::Error),
}

/// A password as it is kept: Argon2id with 19 MiB, two passes and a random salt, in PHC form. Takes tens of
/// milliseconds.
///
/// # Errors
/// [`Error::Password`].
pub fn hash_password(password: &str) -> Result<String, Error> {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(|error| Error::Password(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was kept. What cannot be read is nobody's password.
#[must_use]
pub fn is_password(password: &str, kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A key that was just made: shown once, kept as its digest.
pub struct IssuedKey {
    /// For its owner.
    pub key: Zeroizing<String>,
    /// For the register.
    pub digest: [u8; 32],
}

/// Makes a key of 256 random bits.
///
/// # Errors
/// [`Error::Chance`].
pub fn issue_key(secret: &Secret) -> Result<IssuedKey, Error> {
    let key = random(KEY_PREFIX)?;
    Ok(IssuedKey { digest: key_digest(secret, &key), key })
}

/// What the register knows a key by.
#[must_use]
pub fn key_digest(secret: &Secret, key: &str) -> [u8; 32] {
    digest(secret, KEY_PURPOSE, key)
}

/// Makes a one-time token for a member; an earlier one is void.
///
/// # Errors
/// [`Error::Chance`], [`Error::Register`].
pub fn issue_token(book: &dyn Register, secret: &Secret, account: &str) -> Result<Zeroizing<String>, Error> {
    let token = random(TOKEN_PREFIX)?;
    book.set_note(&note_of(account), Some(&digest(secret, TOKEN_PURPOSE, &token)))?;
    Ok(token)
}

/// Whether this is the member's one-time token. If so, it is void from now on.
///
/// # Errors
/// [`Error::Register`].
pub fn redeem_token(book: &dyn Register, secret: &Secret, account: &str, token: &str) -> Result<bool, Error> {
    let Some(kept) = book.note(&note_of(account))? else { return Ok(false) };
    if !bool::from(digest(secret, TOKEN_PURPOSE, token).as_slice().ct_eq(&kept)) {
        return Ok(false);
    }
    book.set_note(&note_of(account), None)?;
    Ok(true)
}

/// Voids a member's one-time token, if there is one.
///
/// # Errors
/// [`Error::Register`].
pub fn void_token(book: &dyn Register, account: &str) -> Result<(), Error> {
    if book.note(&note_of(account))?.is_some() {
        book.set_note(&note_of(account), None)?;
    }
    Ok(())
}

fn note_of(account: &str) -> String {
    format!("one-time token of {}", account.to_lowercase())
}

fn digest(secret: &Secret, purpose: &'static str, credential: &str) -> [u8; 32] {
    *blake3::keyed_hash(&secret.key_for(purpose), credential.as_bytes()).as_bytes()
}

fn random(prefix: &str) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(crate::chance::bytes::<32>()?);
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(prefix);
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords() {
        let kept = hash_password("correct horse battery staple").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, hash_password("correct horse battery staple").unwrap(), "every hash has its own salt");
        for (password, kept, expected) in [
            ("correct horse battery staple", kept.as_str(), true),
            ("correct horse battery stapl", &kept, false),
            ("", &kept, false),
            ("", "", false),
            ("correct horse battery staple", "correct horse battery staple", false),
        ] {
            assert_eq!(is_password(password, kept), expected, "{password}");
        }
    }

    #[test]
    fn keys() {
        let (secret, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let (a, b) = (issue_key(&secret).unwrap(), issue_key(&secret).unwrap());
        assert!(a.key.starts_with("marsad_") && a.key.len() == 7 + 43);
        assert_ne!(*a.key, *b.key);
        assert_eq!(a.digest, key_digest(&secret, &a.key));
        assert_ne!(a.digest, key_digest(&other, &a.key));
    }

    #[test]
    fn a_token_opens_once_and_only_for_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let book = ledger::sqlite::Book::create(&directory.path().join("marsad.db")).unwrap();
        let secret = Secret::new([1; 32]);
        let first = issue_token(&book, &secret, "admin").unwrap();
        let token = issue_token(&book, &secret, "Admin").unwrap();
        for (account, token, expected) in [
            ("admin", first.as_str(), false),
            ("amina", &token, false),
            ("admin", "", false),
            ("ADMIN", &token, true),
            ("admin", &token, false),
        ] {
            assert_eq!(redeem_token(&book, &secret, account, token).unwrap(), expected, "{account}");
        }
    }
}
