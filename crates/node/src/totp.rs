//! One-time codes by counter and by time (RFC 4226, RFC 6238), for second factors.

use aws_lc_rs::hmac;
use ledger::Micros;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Seconds that a code is valid for (RFC 6238 §4.1, X).
pub const PERIOD: i64 = 30;
/// Steps by which the two clocks may differ (RFC 6238 §5.2).
const DRIFT: i64 = 1;

/// The hash that codes are made with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// What every authenticator knows.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// As `otpauth` addresses write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The hash of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    /// Bytes of a new secret: as many as the hash has (RFC 4226 §4, R6).
    fn secret_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// How a member's codes are made. Does not print.
pub struct Totp {
    algorithm: Algorithm,
    digits: u8,
    secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Totp({}, {} digits)", self.algorithm.name(), self.digits)
    }
}

impl Totp {
    /// With a secret that exists. `None`: codes have six or eight digits, and a secret has at least 128 bits.
    #[must_use]
    pub fn new(algorithm: Algorithm, digits: u8, secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        (matches!(digits, 6 | 8) && secret.len() >= 16).then_some(Self { algorithm, digits, secret })
    }

    /// With a secret out of 64 random bytes.
    #[must_use]
    pub fn out_of(algorithm: Algorithm, digits: u8, chance: &Zeroizing<[u8; 64]>) -> Option<Self> {
        let secret = chance.get(..algorithm.secret_length())?.to_vec();
        Self::new(algorithm, digits, Zeroizing::new(secret))
    }

    /// The hash.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Digits of a code.
    #[must_use]
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// The secret, to be sealed.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The code of a counter (RFC 4226 §5.3), which for codes by time is the step.
    #[must_use]
    pub fn code(&self, counter: i64) -> String {
        let key = hmac::Key::new(self.algorithm.hmac(), &self.secret);
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes.last().copied().unwrap_or_default() & 15);
        let word = bytes.get(offset..offset + 4).and_then(|word| <[u8; 4]>::try_from(word).ok()).unwrap_or_default();
        let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 10_u32.pow(u32::from(self.digits));
        format!("{number:0width$}", width = usize::from(self.digits))
    }

    /// The step whose code this is: the present one, or one that the drift of clocks allows.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Micros) -> Option<i64> {
        let present = step(now);
        let mut found = None;
        for step in present - DRIFT..=present + DRIFT {
            if bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes())) {
                found = Some(step);
            }
        }
        found
    }

    /// The secret as authenticators take it typed in.
    #[must_use]
    pub fn typed(&self) -> Zeroizing<String> {
        base32(&self.secret)
    }

    /// The address that authenticators read from a picture.
    #[must_use]
    pub fn address(&self, member: &str) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "otpauth://totp/Marsad:{}?secret={}&issuer=Marsad&algorithm={}&digits={}&period={PERIOD}",
            escaped(member),
            &*self.typed(),
            self.algorithm.name(),
            self.digits
        ))
    }
}

/// The step at an instant (RFC 6238 §4.2).
#[must_use]
pub fn step(now: Micros) -> i64 {
    now.div_euclid(PERIOD * 1_000_000)
}

/// RFC 4648 §6, without padding.
fn base32(bytes: &[u8]) -> Zeroizing<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5 + 1));
    for chunk in bytes.chunks(5) {
        let whole = chunk.iter().chain([&0; 4]).take(5).fold(0_u64, |whole, byte| whole << 8 | u64::from(*byte));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let index = (whole >> (35 - 5 * place)) & 31;
            out.extend(LETTERS.get(usize::try_from(index).unwrap_or_default()).map(|letter| char::from(*letter)));
        }
    }
    out
}

/// RFC 3986 §2.1.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totp(algorithm: Algorithm, digits: u8, length: usize) -> Totp {
        let secret = b"1234567890".iter().copied().cycle().take(length).collect::<Vec<u8>>();
        Totp::new(algorithm, digits, Zeroizing::new(secret)).unwrap()
    }

    /// RFC 4226 Appendix D.
    #[test]
    fn codes_by_counter() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        let totp = totp(Algorithm::Sha1, 6, 20);
        for (counter, code) in codes.into_iter().enumerate() {
            assert_eq!(totp.code(counter as i64), code, "{counter}");
        }
    }

    /// RFC 6238 Appendix B.
    #[test]
    fn codes_by_time() {
        let table = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ];
        for (seconds, sha1, sha256, sha512) in table {
            let now = seconds * 1_000_000;
            for (algorithm, length, code) in
                [(Algorithm::Sha1, 20, sha1), (Algorithm::Sha256, 32, sha256), (Algorithm::Sha512, 64, sha512)]
            {
                let totp = totp(algorithm, 8, length);
                assert_eq!(totp.code(step(now)), code, "{seconds} {algorithm:?}");
                assert_eq!(totp.step_of(code, now), Some(step(now)));
            }
        }
    }

    #[test]
    fn one_step_of_drift_and_whole_codes_only() {
        let totp = totp(Algorithm::Sha1, 6, 20);
        let at = |step: i64| step * PERIOD * 1_000_000;
        for (now, code, expected) in [
            (at(5), "254676", Some(5)),
            (at(4), "254676", Some(5)),
            (at(6), "254676", Some(5)),
            (at(7) - 1, "254676", Some(5)),
            (at(3), "254676", None),
            (at(7), "254676", None),
            (at(5), "25467", None),
            (at(5), "2546760", None),
            (at(5), " 254676", None),
            (at(5), "", None),
        ] {
            assert_eq!(totp.step_of(code, now), expected, "{now} {code:?}");
        }
    }

    #[test]
    fn what_is_no_second_factor() {
        for (digits, length, expected) in [(6, 20, true), (8, 16, true), (7, 20, false), (6, 15, false), (0, 20, false)]
        {
            let made = Totp::new(Algorithm::Sha1, digits, Zeroizing::new(vec![1; length]));
            assert_eq!(made.is_some(), expected, "{digits} {length}");
        }
    }

    /// RFC 4648 §10.
    #[test]
    fn secrets_as_they_are_typed() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*base32(bytes.as_bytes()), text, "{bytes}");
        }
        assert_eq!(
            *totp(Algorithm::Sha256, 8, 20).address("Ami na"),
            "otpauth://totp/Marsad:Ami%20na?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Marsad&algorithm=SHA256&digits=8&period=30"
        );
    }
}
