//! Forms in which two values of one kind are equal, byte for byte, exactly if they mean the same.
//!
//! Every function takes a value as somebody wrote it and gives its canonical form, or none if it is no value of that
//! kind. A value that is canonical already is given back as it is; otherwise the form is written into `scratch`, whose
//! content before does not matter. All of them take time linear in the length, and what is canonical stays as it is.
//!
//! ```
//! use observable::{Kind, canonical};
//!
//! let mut scratch = Vec::new();
//! assert_eq!(canonical::domain("WWW.Bücher.example.".as_bytes(), &mut scratch), Some(&b"www.xn--bcher-kva.example"[..]));
//! assert_eq!(canonical::url(b"HTTP://Example.org:80/a/../%7Eb#c", &mut scratch), Some(&b"http://example.org/~b"[..]));
//! assert_eq!(canonical::of(Kind::Ipv4, b"::ffff:192.0.2.1", &mut scratch), Some(&[192, 0, 2, 1][..]));
//! ```

mod address;
mod digest;
mod domain;
mod mail;
mod text;
mod url;

use std::net::IpAddr;

pub use address::{address, network, network_bytes};
pub use digest::{MAX_SERIAL, hex, mac, serial};
pub use domain::{MAX_DOMAIN, domain};
pub use mail::{MAX_EMAIL, email};
pub use text::{autonomous_system, file_name, ja4, plain, registry_key, user_agent};
pub use url::{MAX_URL, Parts, parts, url};

use crate::Kind;

/// The canonical form of a value of this kind.
///
/// Addresses are their octets, networks those with the length of the prefix behind them, digests, serial numbers and
/// hardware addresses are binary, a number of an autonomous system is four bytes, the highest first; all others are text.
#[must_use]
pub fn of<'a>(kind: Kind, raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    match kind {
        Kind::Domain => domain(raw, scratch),
        Kind::Ipv4 => match address(raw)? {
            IpAddr::V4(address) => Some(write(scratch, &address.octets())),
            IpAddr::V6(_) => None,
        },
        Kind::Ipv6 => match address(raw)? {
            IpAddr::V6(address) => Some(write(scratch, &address.octets())),
            IpAddr::V4(_) => None,
        },
        Kind::Cidr => {
            let (address, length) = network(raw)?;
            network_bytes(address, length, scratch);
            Some(scratch)
        }
        Kind::Url => url(raw, scratch),
        Kind::Md5 | Kind::Ja3 | Kind::Ja3s => hex(raw, scratch).filter(|digest| digest.len() == 16),
        Kind::Sha1 => hex(raw, scratch).filter(|digest| digest.len() == 20),
        Kind::Sha256 => hex(raw, scratch).filter(|digest| digest.len() == 32),
        Kind::Sha512 => hex(raw, scratch).filter(|digest| digest.len() == 64),
        Kind::Certificate => hex(raw, scratch).filter(|digest| matches!(digest.len(), 16 | 20 | 32)),
        Kind::CertificateSerial => serial(raw, scratch),
        Kind::Email => email(raw, scratch),
        Kind::FileName => file_name(raw),
        Kind::Ja4 => ja4(raw, scratch),
        Kind::UserAgent => user_agent(raw),
        Kind::RegistryKey => registry_key(raw, scratch),
        Kind::Mutex | Kind::Account | Kind::Subject => plain(raw),
        Kind::Mac => mac(raw, scratch),
        Kind::Pattern => None,
        Kind::AutonomousSystem => Some(write(scratch, &autonomous_system(raw)?.to_be_bytes())),
    }
}

fn write<'a>(scratch: &'a mut Vec<u8>, bytes: &[u8]) -> &'a [u8] {
    scratch.clear();
    scratch.extend_from_slice(bytes);
    scratch
}

#[cfg(test)]
mod tests;
