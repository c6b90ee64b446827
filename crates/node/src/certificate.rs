//! Client certificates: what of them is looked at. Nobody's signature on them counts: a certificate is pinned as it is.

use ledger::Micros;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;

/// A certificate that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// SHA-256 of its DER.
    pub fingerprint: [u8; 32],
    /// Seconds since 1970 from which on it holds.
    not_before: i64,
    /// Seconds since 1970 up to which it holds.
    not_after: i64,
}

impl ClientCertificate {
    /// Reads DER. `None`: it is not a certificate (RFC 5280 §4.1).
    #[must_use]
    pub fn read(der: &CertificateDer<'_>) -> Option<Self> {
        ParsedCertificate::try_from(der).ok()?;
        let (not_before, not_after) = validity(der)?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        Some(Self { fingerprint: digest.as_ref().try_into().ok()?, not_before, not_after })
    }

    /// Reads a file's first certificate in PEM, or its DER.
    #[must_use]
    pub fn read_file(bytes: &[u8]) -> Option<Self> {
        match CertificateDer::from_pem_slice(bytes) {
            Ok(der) => Self::read(&der),
            Err(_) => Self::read(&CertificateDer::from(bytes)),
        }
    }

    /// Whether it holds at an instant.
    #[must_use]
    pub fn holds(&self, now: Micros) -> bool {
        let now = now.div_euclid(1_000_000);
        self.not_before <= now && now <= self.not_after
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self) -> Micros {
        self.not_after.saturating_mul(1_000_000)
    }
}

/// A fingerprint as people compare it.
#[must_use]
pub fn spelled(fingerprint: &[u8; 32]) -> String {
    fingerprint.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fingerprint as people write it: with or without colons, in any case.
#[must_use]
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit) as u8).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok())?
}

/// One element of DER (X.690 §8.1): tag, content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if length.is_empty() || length.len() > 4 {
            return None;
        }
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `Certificate.tbsCertificate.validity` (RFC 5280 §4.1.2.5): the fifth field, the first of which may be left out.
fn validity(der: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in ["serialNumber", "signature", "issuer"] {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (kind, from, validity) = element(validity)?;
    let not_before = instant(kind, from)?;
    let (kind, to, _) = element(validity)?;
    Some((not_before, instant(kind, to)?))
}

/// `UTCTime` (two digits of the year, 1950 to 2049) or `GeneralizedTime`, both ending in `Z`.
fn instant(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (kind, text.len()) {
        (0x17, 12) => {
            let (year, rest) = text.split_at(2);
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (0x18, 14) => {
            let (year, rest) = text.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let text = format!("{year:04}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    Some(stix::timestamp::Timestamp::parse(&text).ok()?.micros.div_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_and_its_time() {
        let key = rcgen::KeyPair::generate().unwrap();
        for (from, to) in [((1999, 12, 31), (2031, 1, 2)), ((2020, 2, 29), (2051, 6, 1))] {
            let mut wanted = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
            wanted.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
            wanted.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
            let made = wanted.self_signed(&key).unwrap();
            let read = ClientCertificate::read(made.der()).unwrap();
            assert_eq!(ClientCertificate::read_file(made.pem().as_bytes()), Some(read));
            assert_eq!(ClientCertificate::read_file(made.der()), Some(read));
            assert_eq!(
                (read.not_before, read.not_after),
                (wanted.not_before.unix_timestamp(), wanted.not_after.unix_timestamp())
            );
            for (now, expected) in [
                (read.not_before * 1_000_000 - 1, false),
                (read.not_before * 1_000_000, true),
                (read.not_after * 1_000_000, true),
                (read.ends() + 1_000_000, false),
            ] {
                assert_eq!(read.holds(now), expected, "{now}");
            }
            let mut der = made.der().to_vec();
            for length in 0..der.len() {
                assert_eq!(ClientCertificate::read(&CertificateDer::from(&der[..length])), None, "{length}");
            }
            der.push(0);
            assert_eq!(ClientCertificate::read(&CertificateDer::from(der)), None, "something follows");
        }
    }

    #[test]
    fn fingerprints() {
        let bytes: [u8; 32] = std::array::from_fn(|n| n as u8 * 7);
        let text = spelled(&bytes);
        let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        for (text, expected) in [
            (text.as_str(), Some(bytes)),
            (&colons.join(":"), Some(bytes)),
            (&text[..62], None),
            (&format!("{text}0"), None),
            (&text.replace('0', "g"), None),
            ("", None),
        ] {
            assert_eq!(fingerprint(text), expected, "{text}");
        }
    }
}
