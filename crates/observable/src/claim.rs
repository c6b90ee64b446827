//! What an indicator says of one value.

use std::net::IpAddr;

use crate::{Kind, canonical};

/// An indicator's statement that one value is of note.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Claim {
    /// The kind of the value.
    pub kind: Kind,
    /// The value as it was written.
    pub value: Box<str>,
    /// Whether the value itself is meant. Only a claim on the names below a domain leaves it out
    /// (`domain-name:value LIKE '%.example.org'`).
    pub itself: bool,
    /// Whether every name below the domain is meant. False for every other kind.
    pub subdomains: bool,
}

impl Claim {
    /// A claim on this value alone.
    #[must_use]
    pub fn new(kind: Kind, value: impl Into<Box<str>>) -> Self {
        Self { kind, value: value.into(), itself: true, subdomains: false }
    }

    /// A claim on a domain and every name below it.
    #[must_use]
    pub fn with_subdomains(domain: impl Into<Box<str>>) -> Self {
        Self { kind: Kind::Domain, value: domain.into(), itself: true, subdomains: true }
    }

    /// A claim on every name below a domain, but not on the domain.
    #[must_use]
    pub fn below(domain: impl Into<Box<str>>) -> Self {
        Self { kind: Kind::Domain, value: domain.into(), itself: false, subdomains: true }
    }
}

impl Claim {
    /// Whether the claim names a value, as it stood somewhere: of the same kind and equal in canonical form, a name below
    /// a domain, an address in a network, a URL without scheme or query where the claim or the value has none.
    ///
    /// Plain rather than fast: it confirms what a look-up found.
    #[must_use]
    pub fn meets(&self, kind: Kind, value: &[u8]) -> bool {
        let (mut ours, mut seen) = (Vec::new(), Vec::new());
        if self.kind == Kind::Cidr {
            return is_within(self.value.as_bytes(), value, kind);
        }
        let (Some(ours), Some(seen)) =
            (canonical::of(self.kind, self.value.as_bytes(), &mut ours), canonical::of(kind, value, &mut seen))
        else {
            return false;
        };
        match (self.kind, kind) {
            (Kind::Domain, Kind::Domain) if ours == seen => self.itself,
            (Kind::Domain, Kind::Domain) => {
                self.subdomains && seen.strip_suffix(ours).is_some_and(|above| above.ends_with(b"."))
            }
            (Kind::Url, Kind::Url) => is_url(canonical::parts(ours), canonical::parts(seen)),
            (ours_is, seen_is) => ours_is == seen_is && ours == seen,
        }
    }
}

/// Whether an address is in a network.
fn is_within(network: &[u8], value: &[u8], kind: Kind) -> bool {
    let Some((network, length)) = canonical::network(network) else { return false };
    if !matches!(kind, Kind::Ipv4 | Kind::Ipv6) {
        return false;
    }
    let Some(address) = canonical::address(value) else { return false };
    let shares = |network: u128, address: u128, width: u32| {
        let hosts = width - u32::from(length);
        network.checked_shr(hosts) == address.checked_shr(hosts)
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => shares(network.to_bits().into(), address.to_bits().into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => shares(network.to_bits(), address.to_bits(), 128),
        _ => false,
    }
}

/// A log that leaves the scheme out means one of the web; a claim that does means any. A claim without a query does not
/// look at that of the value.
fn is_url(ours: canonical::Parts<'_>, seen: canonical::Parts<'_>) -> bool {
    let scheme = match (ours.scheme, seen.scheme) {
        (None, _) | (Some(b"http" | b"https"), None) => true,
        (ours, seen) => ours == seen,
    };
    scheme && (ours.rest == seen.rest || ours.rest == seen.without_query)
}
