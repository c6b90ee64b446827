//! Secrets that have to be given back, sealed for the database and for cookies (AES-256-GCM).

use crate::home::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// Bytes of a nonce.
const NONCE: usize = 12;

/// A text cannot be sealed: the system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("a secret cannot be sealed")]
pub struct NotSealed;

/// Seals for one purpose (a constant of the program) and one owner: it opens for both alone.
///
/// # Errors
/// [`NotSealed`].
pub fn seal(secret: &Secret, purpose: &'static str, owner: &str, plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, &secret.key_for(purpose)).map_err(|_| NotSealed)?;
    let mut text = plain.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut text).map_err(|_| NotSealed)?;
    Ok([nonce.as_ref().as_slice(), &text].concat())
}

/// Opens. `None`: it was not sealed here, not for this purpose, or not for this owner.
#[must_use]
pub fn open(secret: &Secret, purpose: &'static str, owner: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, text) = sealed.split_at_checked(NONCE)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, &secret.key_for(purpose)).ok()?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_its_purpose_and_owner_alone() {
        let (one, two) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let sealed = seal(&one, "a", "noor", b"text").unwrap();
        assert_ne!(sealed, seal(&one, "a", "noor", b"text").unwrap(), "every seal has its own nonce");
        assert!(!sealed.windows(4).any(|window| window == b"text"));
        let mut bent = sealed.clone();
        bent[13] ^= 1;
        for (secret, purpose, owner, sealed, expected) in [
            (&one, "a", "noor", sealed.as_slice(), true),
            (&two, "a", "noor", &sealed, false),
            (&one, "b", "noor", &sealed, false),
            (&one, "a", "sami", &sealed, false),
            (&one, "a", "noor", &bent, false),
            (&one, "a", "noor", &sealed[..sealed.len() - 1], false),
            (&one, "a", "noor", &sealed[..5], false),
            (&one, "a", "noor", &[], false),
        ] {
            let opened = open(secret, purpose, owner, sealed);
            assert_eq!(opened.as_deref().map(Vec::as_slice), expected.then_some(&b"text"[..]), "{purpose} {owner}");
        }
    }
}
