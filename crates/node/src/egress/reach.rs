//! Which addresses a connection may be made to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Somewhere on the Internet.
    Public,
    /// A network of one's own: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// This machine.
    Loopback,
    /// The cable; among them the metadata service of most clouds, 169.254.169.254.
    LinkLocal,
    /// Documentation, benchmarks, translation, reserved: nothing answers there that we should talk to.
    Special,
    /// Multicast, broadcast and "no address", which many systems take for themselves. Never, whoever asks.
    Never,
}

impl Kind {
    /// Of an address. An IPv6 address that stands for an IPv4 one is of its kind.
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Special => "reserved",
            Self::Never => "multicast or unspecified",
        }
    }
}

/// The IANA registry of special-purpose IPv4 addresses (RFC 6890).
fn v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [0, ..] | [224..=239, ..] | [255, 255, 255, 255] => Kind::Never,
        [127, ..] => Kind::Loopback,
        [169, 254, ..] => Kind::LinkLocal,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Kind::Private,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Kind::Special
        }
        [240..=255, ..] => Kind::Special,
        _ => Kind::Public,
    }
}

/// Only 2000::/3 is given out; what stands for an IPv4 address is judged as that.
fn v6(address: Ipv6Addr) -> Kind {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Kind::Never,
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        // IPv4-mapped, IPv4-compatible, translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => inner(high, low),
        [0xff00..=0xffff, ..] => Kind::Never,
        [0xfe80..=0xfebf, ..] => Kind::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Kind::Private,
        // Protocol assignments (Teredo among them) and documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Special,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Special,
    }
}

/// An entry of `egress.allow`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Allowed {
    /// A host by its name, wherever it leads.
    Host(String),
    /// A network, by its first address and the length of its prefix.
    Network(IpAddr, u8),
}

impl FromStr for Allowed {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| ())?)),
            None => (text.as_str(), None),
        };
        let bare = address.trim_start_matches('[').trim_end_matches(']');
        match (bare.parse::<IpAddr>(), length) {
            (Ok(address), length) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                let length = length.unwrap_or(most);
                if length > most { Err(()) } else { Ok(Self::Network(address, length)) }
            }
            (Err(_), Some(_)) => Err(()),
            (Err(_), None) => {
                let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                // Numbers alone are an address that nobody can read.
                let named = text.bytes().all(letters) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
                if named && !text.starts_with("0x") { Ok(Self::Host(text)) } else { Err(()) }
            }
        }
    }
}

impl Allowed {
    fn covers(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Host(name) => name == host,
            Self::Network(network, length) => match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let shift = 32_u32.saturating_sub(u32::from(*length));
                    u32::from(*network).checked_shr(shift) == u32::from(address).checked_shr(shift)
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let shift = 128_u32.saturating_sub(u32::from(*length));
                    u128::from(*network).checked_shr(shift) == u128::from(address).checked_shr(shift)
                }
                _ => false,
            },
        }
    }
}

/// How somebody came to a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Named {
    /// The operator wrote this address itself, or `localhost`.
    Literally,
    /// The operator wrote this name. Its owner decides where it leads, so that it opens private networks, where the
    /// certificate tells who answers, but neither this machine nor the metadata service.
    ByName,
    /// Somebody else did: a redirect, or a server's list of its API roots.
    ByOthers,
}

/// Whether a connection may be made. All addresses of a host must be such: a host that is half inside is a trap.
///
/// # Errors
/// What to tell the operator.
pub(super) fn judge(host: &str, addresses: &[IpAddr], named: Named, allow: &[Allowed]) -> Result<(), String> {
    if addresses.is_empty() {
        return Err(format!("`{host}` has no address"));
    }
    for address in addresses {
        let kind = Kind::of(*address);
        let open = match (kind, named) {
            (Kind::Never, _) => false,
            (Kind::Public, _) | (_, Named::Literally) | (Kind::Private, Named::ByName) => true,
            _ => allow.iter().any(|allowed| allowed.covers(host, *address)),
        };
        if !open {
            let leads = if host == address.to_string() { String::new() } else { format!(" leads to {address}, which") };
            let advice = match kind {
                Kind::Never => "no connection is ever made there",
                _ => "if that is meant, add it to `egress.allow` in the configuration",
            };
            return Err(format!("`{host}`{leads} is a {} address: {advice}", kind.name()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (addresses, kind) in [
            (
                "1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 192.167.1.1 100.63.0.1 100.128.0.1 198.20.0.1 223.255.255.255",
                Kind::Public,
            ),
            ("2606:4700::1111 2a00:1450::1 2002:0808:0808::1 ::ffff:8.8.8.8 64:ff9b::808:808", Kind::Public),
            ("10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 100.127.255.255", Kind::Private),
            ("fc00::1 fd00:ec2::254 fec0::1 ::ffff:10.0.0.1 ::10.0.0.1 64:ff9b::a00:1 2002:0a00:0001::", Kind::Private),
            (
                "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1",
                Kind::Loopback,
            ),
            ("2002:7f00:1::1 ::ffff:0:127.0.0.1", Kind::Loopback),
            ("169.254.169.254 169.254.0.1 fe80::1 febf::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe", Kind::LinkLocal),
            ("2002:a9fe:a9fe::", Kind::LinkLocal),
            (
                "192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.1",
                Kind::Special,
            ),
            ("255.255.255.254 2001::1 2001:db8::1 100::1 64:ff9b:1::1 3fff::1 4000::1 5f00::1", Kind::Special),
            (
                "0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 255.255.255.255 :: ff02::1 ::ffff:0.0.0.0 ::ffff:224.0.0.1",
                Kind::Never,
            ),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(Kind::of(address.parse().unwrap()), kind, "{address}");
            }
        }
    }

    #[test]
    fn entries() {
        let network = |text: &str, length| Ok(Allowed::Network(text.parse().unwrap(), length));
        for (text, wanted) in [
            ("taxii.intranet.example", Ok(Allowed::Host("taxii.intranet.example".into()))),
            ("Taxii.Intranet.Example.", Ok(Allowed::Host("taxii.intranet.example".into()))),
            ("10.20.0.0/16", network("10.20.0.0", 16)),
            ("10.20.0.1", network("10.20.0.1", 32)),
            ("fd00::/8", network("fd00::", 8)),
            ("[::1]", network("::1", 128)),
            ("0.0.0.0/0", network("0.0.0.0", 0)),
            ("10.0.0.0/33", Err(())),
            ("10.0.0.0/x", Err(())),
            ("host/8", Err(())),
            ("2130706433", Err(())),
            ("0x7f000001", Err(())),
            ("127.1", Err(())),
            ("https://host/", Err(())),
            ("*.example", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(text.parse::<Allowed>(), wanted, "{text}");
        }
    }

    #[test]
    fn judgements() {
        use Named::{ByName, ByOthers, Literally};
        let rules = |text: &str| text.split_whitespace().map(|one| one.parse().unwrap()).collect::<Vec<Allowed>>();
        for (host, addresses, named, allow, open) in [
            ("a.example", "8.8.8.8 2606:4700::1", ByOthers, "", true),
            ("a.example", "", ByName, "", false),
            ("10.0.0.1", "10.0.0.1", ByOthers, "", false),
            ("10.0.0.1", "10.0.0.1", Literally, "", true),
            ("127.0.0.1", "127.0.0.1", Literally, "", true),
            ("localhost", "127.0.0.1 ::1", Literally, "", true),
            ("169.254.169.254", "169.254.169.254", Literally, "", true),
            ("0.0.0.0", "0.0.0.0", Literally, "0.0.0.0/0", false),
            ("224.0.0.1", "224.0.0.1", Literally, "224.0.0.0/4", false),
            // A name may lead into a private network when the operator wrote it, and no deeper.
            ("taxii.intranet", "10.0.0.1", ByName, "", true),
            ("taxii.intranet", "10.0.0.1", ByOthers, "", false),
            ("a.example", "127.0.0.1", ByName, "", false),
            ("a.example", "169.254.169.254", ByName, "", false),
            ("a.example", "::ffff:169.254.169.254", ByName, "", false),
            // Half inside.
            ("a.example", "8.8.8.8 127.0.0.1", ByName, "", false),
            ("a.example", "8.8.8.8 10.0.0.1", ByOthers, "", false),
            // Allowed by name, by address, by network.
            ("a.example", "127.0.0.1", ByOthers, "a.example", true),
            ("b.example", "127.0.0.1", ByOthers, "a.example", false),
            ("a.example", "10.20.9.9", ByOthers, "10.20.0.0/16", true),
            ("a.example", "10.21.0.1", ByOthers, "10.20.0.0/16", false),
            ("a.example", "10.21.0.1", ByOthers, "0.0.0.0/0", true),
            ("a.example", "fd12::1", ByOthers, "fd00::/8", true),
            ("a.example", "::1", ByOthers, "fd00::/8 127.0.0.1", false),
        ] {
            let addresses: Vec<IpAddr> = addresses.split_whitespace().map(|one| one.parse().unwrap()).collect();
            let judged = judge(host, &addresses, named, &rules(allow));
            assert_eq!(judged.is_ok(), open, "{host} {addresses:?} {named:?} {allow}: {judged:?}");
        }
    }
}
