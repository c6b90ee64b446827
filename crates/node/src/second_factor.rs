//! Second factors as they are kept: the secret sealed, recovery codes hashed.

use crate::chance;
use crate::home::Secret;
use crate::sealed;
use crate::totp::{Algorithm, Totp};
use ledger::SecondFactor;
use zeroize::Zeroizing;

const SEAL: &str = "marsad 2026-11 second factor";
const RECOVERY: &str = "marsad 2026-11 recovery code";
/// How many recovery codes a member has.
pub const RECOVERY_CODES: usize = 10;

/// Recovery codes, shown this once.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

/// A new second factor, which is not in use before its first code was shown.
///
/// # Errors
/// No randomness, or a number of digits that no authenticator knows.
pub fn make(secret: &Secret, account: &str, algorithm: Algorithm, digits: u8) -> Result<(Totp, SecondFactor), Error> {
    let random = Zeroizing::new(chance::bytes::<64>()?);
    let totp = Totp::out_of(algorithm, digits, &random).ok_or(Error::Digits)?;
    let sealed = sealed::seal(secret, SEAL, &account.to_lowercase(), totp.secret())?;
    let kept = SecondFactor { algorithm: algorithm.name().to_owned(), digits, sealed, confirmed: false };
    Ok((totp, kept))
}

/// A kept second factor. `None`: it is not this node's, and so nobody's.
#[must_use]
pub fn open(secret: &Secret, account: &str, kept: &SecondFactor) -> Option<Totp> {
    let plain = sealed::open(secret, SEAL, &account.to_lowercase(), &kept.sealed)?;
    Totp::new(Algorithm::named(&kept.algorithm)?, kept.digits, plain)
}

/// Ten codes of 50 bits, each for one sign-in, and what is kept of them.
///
/// # Errors
/// [`Error::Chance`].
pub fn recovery_codes(secret: &Secret, account: &str) -> Result<(RecoveryCodes, Vec<[u8; 32]>), Error> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let bytes = Zeroizing::new(chance::bytes::<10>()?);
        let mut code = Zeroizing::new(String::with_capacity(11));
        for (place, byte) in bytes.iter().enumerate() {
            if place == 5 {
                code.push('-');
            }
            code.extend(LETTERS.get(usize::from(byte & 31)).map(|letter| char::from(*letter)));
        }
        codes.push(code);
    }
    let digests = codes.iter().map(|code| recovery_digest(secret, account, code)).collect();
    Ok((codes, digests))
}

/// What is kept of a recovery code, however its owner types it.
#[must_use]
pub fn recovery_digest(secret: &Secret, account: &str, code: &str) -> [u8; 32] {
    let typed: Zeroizing<String> =
        Zeroizing::new(code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect());
    let mut hasher = blake3::Hasher::new_keyed(&secret.key_for(RECOVERY));
    hasher.update(account.to_lowercase().as_bytes()).update(&[0]).update(typed.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Why there is no second factor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no randomness.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
    /// Nothing can be sealed.
    #[error(transparent)]
    Sealed(#[from] sealed::NotSealed),
    /// No authenticator knows it.
    #[error("a code has 6 or 8 digits")]
    Digits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_opens_for_its_member_alone() {
        let secret = Secret::new([1; 32]);
        let (totp, kept) = make(&secret, "Noor", Algorithm::Sha256, 8).unwrap();
        assert_eq!(open(&secret, "NOOR", &kept).unwrap().code(7), totp.code(7));
        assert!(open(&secret, "sami", &kept).is_none());
        assert!(open(&Secret::new([2; 32]), "noor", &kept).is_none());
        assert!(open(&secret, "noor", &SecondFactor { algorithm: "MD5".into(), ..kept.clone() }).is_none());
        assert!(!kept.sealed.windows(8).any(|window| window == &totp.secret()[..8]));
        assert!(matches!(make(&secret, "noor", Algorithm::Sha1, 7), Err(Error::Digits)));
    }

    #[test]
    fn recovery_codes_differ_and_are_typed_as_people_type() {
        let secret = Secret::new([1; 32]);
        let (codes, digests) = recovery_codes(&secret, "noor").unwrap();
        let different: std::collections::HashSet<_> = codes.iter().map(|code| code.to_string()).collect();
        assert_eq!((different.len(), digests.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let code = codes[0].as_str();
        assert!(code.len() == 11 && code.chars().nth(5) == Some('-'), "{code}");
        for (account, typed, same) in [
            ("Noor", code.to_uppercase(), true),
            ("noor", code.replace('-', " "), true),
            ("sami", code.to_owned(), false),
            ("noor", code[..10].to_owned(), false),
        ] {
            assert_eq!(recovery_digest(&secret, account, &typed) == digests[0], same, "{account} {typed}");
        }
    }
}
