//! Certificates: their digests, and the few fields of theirs that are observables. RFC 5280 §4.1.

use super::fingerprint::hex;
use crate::Meaning;
use crate::read::gather::Gather;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most names of one certificate.
const MOST_NAMES: usize = 4096;

/// `commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// `subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];

/// Adds the digests of a certificate in DER.
pub(super) fn digests(der: &[u8], gather: &mut Gather) {
    gather.push("tls.certificate.sha1", Meaning::Certificate, hex(&Sha1::digest(der), 20).as_bytes());
    gather.push("tls.certificate.sha256", Meaning::Certificate, hex(&Sha256::digest(der), 32).as_bytes());
    gather.push("tls.certificate.md5", Meaning::Certificate, hex(&Md5::digest(der), 16).as_bytes());
}

/// Adds its serial number, its common name and its alternative names; those before a fault, if there is one.
pub(super) fn names(der: &[u8], gather: &mut Gather) -> Option<()> {
    let mut certificate = Der(der).enter(0x30)?;
    let mut fields = certificate.enter(0x30)?;
    if fields.0.first() == Some(&0xa0) {
        fields.next()?;
    }
    let serial = fields.take(2)?;
    gather.push("tls.certificate.serial", Meaning::CertificateSerial, hex(serial, serial.len()).as_bytes());
    // Algorithm, issuer, validity.
    for _ in 0..3 {
        fields.take(0x30)?;
    }
    subject(fields.enter(0x30)?, gather)?;
    fields.take(0x30)?;
    while let Some((tag, body)) = fields.next() {
        if tag == 0xa3 {
            extensions(Der(body).enter(0x30)?, gather)?;
        }
    }
    Some(())
}

/// RFC 5280 §4.1.2.6.
fn subject(mut names: Der<'_>, gather: &mut Gather) -> Option<()> {
    for _ in 0..MOST_NAMES {
        let Some((_, set)) = names.next() else { break };
        let mut pair = Der(set).enter(0x30)?;
        if pair.take(6)? == COMMON_NAME {
            let (_, name) = pair.next()?;
            let mut written = b"CN=".to_vec();
            for &byte in name {
                // RFC 4514 §2.4.
                if matches!(byte, b',' | b'+' | b'\\' | b'"' | b';' | b'<' | b'>') {
                    written.push(b'\\');
                }
                written.push(byte);
            }
            gather.push("tls.certificate.subject", Meaning::DistinguishedName, &written);
        }
    }
    Some(())
}

/// RFC 5280 §4.2.1.6.
fn extensions(mut extensions: Der<'_>, gather: &mut Gather) -> Option<()> {
    for _ in 0..MOST_NAMES {
        let Some((_, body)) = extensions.next() else { break };
        let mut extension = Der(body);
        if extension.take(6)? != ALTERNATIVE_NAMES {
            continue;
        }
        let (mut tag, mut value) = extension.next()?;
        if tag == 1 {
            (tag, value) = extension.next()?;
        }
        if tag != 4 {
            return None;
        }
        let mut names = Der(value).enter(0x30)?;
        for _ in 0..MOST_NAMES {
            let Some((tag, name)) = names.next() else { break };
            alternative(tag, name, gather);
        }
    }
    Some(())
}

fn alternative(tag: u8, name: &[u8], gather: &mut Gather) {
    match tag {
        0x81 => gather.push("tls.certificate.san", Meaning::Mailbox, name),
        // `*.example.org` stands for names below it.
        0x82 => gather.push("tls.certificate.san", Meaning::Host, name.strip_prefix(b"*.").unwrap_or(name)),
        0x86 => gather.url("tls.certificate.san", name),
        0x87 => {
            let address = match (<[u8; 4]>::try_from(name), <[u8; 16]>::try_from(name)) {
                (Ok(four), _) => Ipv4Addr::from(four).to_string(),
                (_, Ok(sixteen)) => Ipv6Addr::from(sixteen).to_string(),
                _ => return,
            };
            gather.push("tls.certificate.san", Meaning::Address, address.as_bytes());
        }
        _ => {}
    }
}

/// Elements of DER, one behind the other: X.690 §8.1, §10.1.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    /// Tag and content of the next.
    fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let bytes = usize::from(first & 0x7f);
                let length = rest.get(..bytes)?.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
                (length, rest.get(bytes..)?)
            }
            _ => return None,
        };
        self.0 = rest.get(length..)?;
        Some((tag, rest.get(..length)?))
    }

    /// The content of the next, which must have this tag.
    fn take(&mut self, wanted: u8) -> Option<&'d [u8]> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, body)| body)
    }

    fn enter(&mut self, wanted: u8) -> Option<Self> {
        self.take(wanted).map(Self)
    }
}
