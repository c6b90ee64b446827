//! What is claimed too widely to be met, or is no value at all.

use std::net::IpAddr;

use thiserror::Error;

use crate::{Claim, Kind, canonical};

/// Why a claim is refused.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
pub enum Refused {
    /// The value is not what its kind says.
    #[error("not a value of kind `{0}`")]
    NotAValue(Kind),
    /// A name of one label: no host of anybody's.
    #[error("a name of one label says too much: claim a host or a registered domain")]
    SingleLabel,
    /// A name under which strangers register theirs (publicsuffix.org).
    #[error("a public suffix says too much: strangers register names below it")]
    PublicSuffix,
    /// A network with a shorter prefix than is taken.
    #[error("a prefix of {length} bits says too much: at least {least} are expected")]
    TooWide {
        /// The length of its prefix.
        length: u8,
        /// The shortest that is taken.
        least: u8,
    },
    /// An address that is used again in every network: private, loopback, link-local, multicast, unspecified.
    #[error("an address that every network uses for its own hosts says nothing")]
    Private,
    /// The digest of no bytes at all.
    #[error("the digest of empty content is found everywhere")]
    EmptyContent,
    /// The number of an indicator is beyond what a set keeps (40 bits).
    #[error("the number of the indicator is beyond 40 bits")]
    Number,
    /// A set holds as many claims as it can.
    #[error("the set holds as many claims as it can")]
    Full,
}

/// How wide a claim may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The shortest prefix of an IPv4 network, in bits.
    pub shortest_v4: u8,
    /// The shortest prefix of an IPv6 network, in bits.
    pub shortest_v6: u8,
    /// Whether addresses for private use are taken: an organisation may well claim its own.
    pub private: bool,
    /// Whether everything is taken that is a value, however wide.
    pub everything: bool,
}

impl Limits {
    /// Nothing is refused but what is no value of its kind.
    pub const NONE: Self = Self { shortest_v4: 0, shortest_v6: 0, private: true, everything: true };
}

impl Default for Limits {
    /// Networks from /8 and /16 on, addresses for private use taken.
    fn default() -> Self {
        Self { shortest_v4: 8, shortest_v6: 16, private: true, everything: false }
    }
}

/// Whether a claim may be met, under the limits that hold where nothing else is said.
///
/// # Errors
///
/// Why it is refused.
pub fn admit(claim: &Claim) -> Result<(), Refused> {
    let mut scratch = Vec::new();
    admitted(claim.kind, claim.value.as_bytes(), claim.subdomains, &Limits::default(), &mut scratch).map(|_| ())
}

/// The canonical form of a claim's value ([`canonical::of`]), if the claim may be met.
///
/// # Errors
///
/// Why it is refused.
pub fn admitted<'a>(
    kind: Kind,
    value: &'a [u8],
    subdomains: bool,
    limits: &Limits,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], Refused> {
    let value = canonical::of(kind, value, scratch).ok_or(Refused::NotAValue(kind))?;
    match kind {
        _ if limits.everything => {}
        Kind::Domain => name(value, subdomains)?,
        Kind::Ipv4 | Kind::Ipv6 if !limits.private && octets(value).is_some_and(is_private) => {
            return Err(Refused::Private);
        }
        Kind::Cidr => network(value, limits)?,
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 if is_empty_digest(value) => {
            return Err(Refused::EmptyContent);
        }
        _ => {}
    }
    Ok(value)
}

/// A suffix of the registries is nobody's own. One that a company keeps (`github.io`) is a host as well, so only all
/// that is below it says too much.
fn name(name: &[u8], subdomains: bool) -> Result<(), Refused> {
    if !name.contains(&b'.') {
        return Err(Refused::SingleLabel);
    }
    match psl::suffix(name) {
        Some(suffix) if suffix.as_bytes().len() == name.len() => match suffix.typ() {
            Some(psl::Type::Private) if !subdomains => Ok(()),
            _ => Err(Refused::PublicSuffix),
        },
        _ => Ok(()),
    }
}

fn network(value: &[u8], limits: &Limits) -> Result<(), Refused> {
    let Some((&length, address)) = value.split_last() else { return Err(Refused::NotAValue(Kind::Cidr)) };
    let least = if address.len() == 4 { limits.shortest_v4 } else { limits.shortest_v6 };
    if length < least {
        return Err(Refused::TooWide { length, least });
    }
    if !limits.private && octets(address).is_some_and(is_private) {
        return Err(Refused::Private);
    }
    Ok(())
}

fn octets(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Addresses that mean other hosts in every network (RFC 6890); those for documentation count as public, so that examples
/// work.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.to_bits() >> 22 == 0x6440_0000 >> 22;
            let this = v4.octets().first() == Some(&0);
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || shared
                || this
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || v6.is_unique_local()
        }
    }
}

/// MD5, SHA-1, SHA-256 and SHA-512 of nothing.
fn is_empty_digest(digest: &[u8]) -> bool {
    const MD5: u128 = 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e;
    const SHA1: u128 = 0xda39_a3ee_5e6b_4b0d_3255_bfef_9560_1890;
    const SHA256: u128 = 0xe3b0_c442_98fc_1c14_9afb_f4c8_996f_b924;
    const SHA512: u128 = 0xcf83_e135_7eef_b8bd_f154_2850_d66d_8007;
    let Some(first) = digest.first_chunk::<16>() else { return false };
    let first = u128::from_be_bytes(*first);
    match digest.len() {
        16 => first == MD5,
        20 => first == SHA1,
        32 => first == SHA256,
        64 => first == SHA512,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
