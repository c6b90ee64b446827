//! Addresses and networks as ISSUBSET and ISSUPERSET compare them (STIX 2.1 §9.6.1).

use std::net::IpAddr;

/// A network; a bare address is one of full length. Bits behind the prefix are ignored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Network {
    /// The address, in the high bits.
    bits: u128,
    prefix: u32,
    is_v6: bool,
}

impl Network {
    /// Reads `address` or `address/prefix`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, length, is_v6) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32, false),
            IpAddr::V6(address) => (address.to_bits(), 128, true),
        };
        let prefix = match prefix {
            Some(digits) if (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= length)?
            }
            Some(_) => return None,
            None => length,
        };
        Some(Self { bits, prefix, is_v6 })
    }

    /// The length of its prefix in bits.
    #[must_use]
    pub fn prefix(self) -> u32 {
        self.prefix
    }

    /// The network of a shorter prefix that it lies in, in one form for all that do; none if the prefix is longer.
    #[must_use]
    pub fn within(self, prefix: u32) -> Option<Self> {
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        (prefix <= self.prefix).then_some(Self { bits: self.bits & mask, prefix, ..self })
    }

    /// Whether every address of the other is one of this.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        let differing = self.bits ^ other.bits;
        self.is_v6 == other.is_v6
            && self.prefix <= other.prefix
            && differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}
