//! Claims that are taken and claims that are not.

use super::*;

fn verdict(kind: Kind, value: &str) -> Result<(), Refused> {
    match value.strip_prefix('.') {
        Some(domain) => admit(&Claim::with_subdomains(domain)),
        None => admit(&Claim::new(kind, value)),
    }
}

#[test]
fn names_that_say_too_much() {
    for (name, expected) in [
        ("evil.example", Ok(())),
        (".evil.example", Ok(())),
        ("evil.co.uk", Ok(())),
        (".evil.github.io", Ok(())),
        ("github.io", Ok(())),
        (".github.io", Err(Refused::PublicSuffix)),
        ("co.uk", Err(Refused::PublicSuffix)),
        ("CO.UK.", Err(Refused::PublicSuffix)),
        (".co.uk", Err(Refused::PublicSuffix)),
        ("xn--55qx5d.cn", Err(Refused::PublicSuffix)),
        ("公司.cn", Err(Refused::PublicSuffix)),
        ("com", Err(Refused::SingleLabel)),
        (".com", Err(Refused::SingleLabel)),
        ("localhost", Err(Refused::SingleLabel)),
        ("", Err(Refused::NotAValue(Kind::Domain))),
        ("*", Err(Refused::NotAValue(Kind::Domain))),
        ("192.0.2.1", Err(Refused::NotAValue(Kind::Domain))),
    ] {
        assert_eq!(verdict(Kind::Domain, name), expected, "{name}");
    }
}

#[test]
fn networks_that_say_too_much() {
    let wide = |length, least| Err(Refused::TooWide { length, least });
    for (network, expected) in [
        ("203.0.113.0/24", Ok(())),
        ("203.0.0.0/8", Ok(())),
        ("10.0.0.0/8", Ok(())),
        ("203.0.113.7", Ok(())),
        ("0.0.0.0/0", wide(0, 8)),
        ("128.0.0.0/7", wide(7, 8)),
        ("::ffff:0:0/96", wide(0, 8)),
        ("2001::/16", Ok(())),
        ("2000::/15", wide(15, 16)),
        ("::/0", wide(0, 16)),
        ("x/24", Err(Refused::NotAValue(Kind::Cidr))),
    ] {
        assert_eq!(verdict(Kind::Cidr, network), expected, "{network}");
    }
}

#[test]
fn addresses_for_private_use_are_refused_where_that_is_asked_for() {
    let limits = Limits { private: false, ..Limits::default() };
    let judge = |kind, value: &str| admitted(kind, value.as_bytes(), false, &limits, &mut Vec::new()).map(|_| ());
    for address in [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
    ] {
        assert_eq!(judge(Kind::Ipv4, address), Err(Refused::Private), "{address}");
        assert_eq!(admit(&Claim::new(Kind::Ipv4, address)), Ok(()), "{address}");
    }
    for address in ["::", "::1", "fe80::1", "fd00::1", "ff02::1"] {
        assert_eq!(judge(Kind::Ipv6, address), Err(Refused::Private), "{address}");
    }
    assert_eq!(judge(Kind::Cidr, "192.168.0.0/16"), Err(Refused::Private));
    for address in ["203.0.113.7", "8.8.8.8", "172.32.0.1", "100.128.0.1"] {
        assert_eq!(judge(Kind::Ipv4, address), Ok(()), "{address}");
    }
    assert_eq!(judge(Kind::Ipv6, "2001:db8::1"), Ok(()));
}

#[test]
fn digests_of_nothing() {
    for (kind, digest) in [
        (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
        (Kind::Sha1, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
        (Kind::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            Kind::Sha512,
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        ),
    ] {
        assert_eq!(verdict(kind, digest), Err(Refused::EmptyContent), "{kind}");
        let other = format!("{}0", &digest[1..]);
        assert_eq!(verdict(kind, &other), Ok(()), "{kind}");
    }
    assert_eq!(verdict(Kind::Certificate, "d41d8cd98f00b204e9800998ecf8427e"), Ok(()), "no file's");
}

#[test]
fn a_url_of_a_host_is_a_url() {
    assert_eq!(verdict(Kind::Url, "http://com/"), Ok(()), "it is met by that URL alone");
    assert_eq!(verdict(Kind::Url, "http://"), Err(Refused::NotAValue(Kind::Url)));
}
