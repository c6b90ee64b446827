//! Whether a claim means a value: equality of canonical forms, domains below domains, addresses in networks. The set tells by
//! fingerprints which claims may mean it; this tells by the values themselves.

use observable::{Claim, Kind, canonical};
use std::net::IpAddr;

/// Whether a claim means a value, both as they were written. A host may have a port behind it, as logs write it.
pub(super) fn holds(claim: &Claim, kind: Kind, value: &[u8]) -> bool {
    let host = matches!(kind, Kind::Domain | Kind::Ipv4 | Kind::Ipv6 | Kind::Cidr);
    means(claim, kind, value) || (host && means(claim, kind, without_port(value)))
}

/// `host:port` and `[address]:port` without what is not the host.
fn without_port(value: &[u8]) -> &[u8] {
    if let Some(literal) = value.strip_prefix(b"[") {
        return literal.split(|byte| *byte == b']').next().unwrap_or(literal);
    }
    let mut parts = value.split(|byte| *byte == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(_), None) => host,
        _ => value,
    }
}

fn means(claim: &Claim, kind: Kind, value: &[u8]) -> bool {
    let (mut of_claim, mut of_value) = (Vec::new(), Vec::new());
    let claimed = claim.value.as_bytes();
    match (claim.kind, kind) {
        (Kind::Domain, Kind::Domain) => {
            let claimed = canonical::domain(claimed, &mut of_claim);
            let value = canonical::domain(value, &mut of_value);
            claimed.zip(value).is_some_and(|(claimed, value)| match value.strip_suffix(claimed) {
                Some([]) => claim.itself,
                Some(above) => claim.subdomains && above.ends_with(b"."),
                None => false,
            })
        }
        (Kind::Cidr, Kind::Ipv4 | Kind::Ipv6 | Kind::Cidr) => {
            let network = canonical::network(claimed);
            network.zip(canonical::address(value)).is_some_and(|(network, address)| covers(network, address))
        }
        (Kind::Url, Kind::Url) => {
            let claimed = canonical::url(claimed, &mut of_claim);
            let value = canonical::url(value, &mut of_value);
            claimed.zip(value).is_some_and(|(claimed, value)| same_url(claimed, value))
        }
        (claim_kind, kind) if claim_kind == kind => {
            let claimed = canonical::of(kind, claimed, &mut of_claim);
            claimed.is_some() && claimed == canonical::of(kind, value, &mut of_value)
        }
        _ => false,
    }
}

fn covers((network, length): (IpAddr, u8), address: IpAddr) -> bool {
    let beyond = |bits: u32| bits.saturating_sub(u32::from(length));
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).checked_shr(beyond(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).checked_shr(beyond(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// A scheme that one of them leaves out may be any of the web's, and a claim without a query means every query.
fn same_url(claimed: &[u8], value: &[u8]) -> bool {
    let (claimed, value) = (canonical::parts(claimed), canonical::parts(value));
    let schemes = match (claimed.scheme, value.scheme) {
        (Some(claimed), Some(value)) => claimed == value,
        (Some(only), None) => matches!(only, b"http" | b"https"),
        (None, _) => true,
    };
    schemes && (claimed.rest == value.rest || claimed.rest == value.without_query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::watch::set::{Builder, Set};
    use proptest::prelude::*;

    fn claim(kind: Kind, value: &str, itself: bool, subdomains: bool) -> Claim {
        Claim { kind, value: value.into(), itself, subdomains }
    }

    #[test]
    fn a_port_behind_a_host_is_none_of_its_name() {
        let name = claim(Kind::Domain, "a.example", true, false);
        let address = claim(Kind::Ipv6, "2001:db8::1", true, false);
        for (claim, kind, value, wanted) in [
            (&name, Kind::Domain, "a.example:443", true),
            (&name, Kind::Domain, "b.example:443", false),
            (&address, Kind::Ipv6, "[2001:db8::1]:443", true),
            (&address, Kind::Ipv6, "2001:db8::1", true),
            (&address, Kind::Ipv6, "[2001:db8::2]:443", false),
        ] {
            assert_eq!(holds(claim, kind, value.as_bytes()), wanted, "{claim:?} {value}");
        }
    }

    fn finds(set: &Set, kind: Kind, value: &str) -> bool {
        let mut found = Vec::new();
        set.value(kind, value.as_bytes(), &mut Vec::new(), &mut found);
        !found.is_empty()
    }

    #[test]
    fn claims_and_values() {
        for (claim, kind, value, wanted) in [
            (claim(Kind::Domain, "Bad.Example.", true, false), Kind::Domain, "bad.example", true),
            (claim(Kind::Domain, "bad.example", true, false), Kind::Domain, "www.bad.example", false),
            (claim(Kind::Domain, "bad.example", true, true), Kind::Domain, "www.bad.example", true),
            (claim(Kind::Domain, "bad.example", false, true), Kind::Domain, "bad.example", false),
            (claim(Kind::Domain, "bad.example", true, true), Kind::Domain, "notbad.example", false),
            (claim(Kind::Cidr, "192.0.2.0/24", true, false), Kind::Ipv4, "192.0.2.200", true),
            (claim(Kind::Cidr, "192.0.2.0/24", true, false), Kind::Ipv4, "192.0.3.1", false),
            (claim(Kind::Cidr, "2001:db8::/32", true, false), Kind::Ipv6, "2001:db8:5::1", true),
            (claim(Kind::Cidr, "192.0.2.0/24", true, false), Kind::Ipv6, "2001:db8:5::1", false),
            (claim(Kind::Ipv4, "192.0.2.7", true, false), Kind::Ipv4, "::ffff:192.0.2.7", true),
            (claim(Kind::Url, "http://a.example/x", true, false), Kind::Url, "HTTP://A.example/x?q=1", true),
            (claim(Kind::Url, "http://a.example/x", true, false), Kind::Url, "a.example/x", true),
            (claim(Kind::Url, "http://a.example/x?q=2", true, false), Kind::Url, "http://a.example/x?q=1", false),
            (claim(Kind::Url, "https://a.example/x", true, false), Kind::Url, "http://a.example/x", false),
            (claim(Kind::Md5, "00", true, false), Kind::Md5, "00", false),
            (claim(Kind::Domain, "a.example", true, false), Kind::Url, "a.example", false),
        ] {
            assert_eq!(holds(&claim, kind, value.as_bytes()), wanted, "{claim:?} {value}");
            let mut builder = Builder::new([3; 32]);
            if builder.add(&claim, 1).is_ok() {
                assert_eq!(finds(&builder.build(), kind, value), wanted, "the set: {claim:?} {value}");
            }
        }
    }

    fn text() -> impl Strategy<Value = (Kind, String)> {
        prop_oneof![
            "(a|b|ab)\\.(a|b)?\\.?example".prop_map(|text| (Kind::Domain, text)),
            "192\\.0\\.2\\.[0-9]".prop_map(|text| (Kind::Ipv4, text)),
            "192\\.0\\.2\\.[0-9]/(2[4-9]|3[0-2])".prop_map(|text| (Kind::Cidr, text)),
            "2001:db8::[0-9a-f]/(12[0-8])".prop_map(|text| (Kind::Cidr, text)),
            "2001:db8::[0-9a-f]".prop_map(|text| (Kind::Ipv6, text)),
            "(http://|https://|ftp://)?a\\.example/[ab]?(\\?a)?".prop_map(|text| (Kind::Url, text)),
        ]
    }

    proptest! {
        #[test]
        fn the_set_and_the_values_agree(
            claimed in text(), seen in text(), itself in any::<bool>(), subdomains in any::<bool>(),
        ) {
            let domain = claimed.0 == Kind::Domain;
            let claim = claim(claimed.0, &claimed.1, itself || !domain || !subdomains, subdomains && domain);
            let mut builder = Builder::new([3; 32]);
            if seen.0 != Kind::Cidr && builder.add(&claim, 1).is_ok() {
                let set = builder.build();
                prop_assert_eq!(holds(&claim, seen.0, seen.1.as_bytes()), finds(&set, seen.0, &seen.1), "{:?} {:?}", claim, seen);
            }
        }
    }
}
