//! Networks to which a key is bound.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network by its first address and the length of its prefix. An IPv4 network in IPv6 clothes
/// (`::ffff:192.0.2.0/120`, RFC 4291 §2.5.5.2) is the IPv4 network.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("`{0}` is neither an address nor a network such as 192.0.2.0/24 or 2001:db8::/32")]
    Unreadable(String),
    /// It has bits behind its prefix: what was meant is not clear.
    #[error("`{0}` is an address in {1}: write that, or the address alone")]
    Inside(String, Network),
}

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (u32::from(first) ^ u32::from(address)) & v4_mask(self.length) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (u128::from(first) ^ u128::from(address)) & v6_mask(self.length) == 0
            }
            _ => false,
        }
    }
}

fn v4_mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)
}

fn v6_mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Unreadable(text.chars().take(64).collect());
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(length.parse::<u8>().map_err(|_| unreadable())?))
            }
            Some(_) => return Err(unreadable()),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        if length > most {
            return Err(unreadable());
        }
        let (address, length) = match (address.to_canonical(), address) {
            // A shorter prefix than that of the mapped addresses holds more than IPv4.
            (IpAddr::V4(v4), IpAddr::V6(_)) if length >= 96 => (IpAddr::V4(v4), length - 96),
            (_, address) => (address, length),
        };
        let first = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from(u32::from(v4) & v4_mask(length))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & v6_mask(length))),
        };
        let network = Self { first, length };
        if first == address { Ok(network) } else { Err(Error::Inside(text.trim().to_owned(), network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        for (text, expected) in [
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            (" 0.0.0.0/0 ", Some("0.0.0.0/0")),
            ("2001:DB8::/32", Some("2001:db8::/32")),
            ("::/0", Some("::/0")),
            ("::1", Some("::1/128")),
            ("::ffff:192.0.2.0/120", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("192.0.2.7/24", None),
            ("2001:db8::1/32", None),
            ("192.0.2.0/33", None),
            ("2001:db8::/129", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/+8", None),
            ("192.0.2/24", None),
            ("0xc0.0.2.1", None),
            ("localhost", None),
            ("", None),
        ] {
            let read = text.parse::<Network>().map(|network| network.to_string());
            assert_eq!(read.as_deref().ok(), expected, "{text}: {read:?}");
        }
        let error = "192.0.2.7/24".parse::<Network>().unwrap_err().to_string();
        assert_eq!(error, "`192.0.2.7/24` is an address in 192.0.2.0/24: write that, or the address alone");
    }

    #[test]
    fn what_lies_inside() {
        for (network, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.0/120", "192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
    }
}
