//! The set beside a scan over the claims.

use std::net::IpAddr;

use observable::{Claim, Kind, Refused, canonical};
use proptest::prelude::*;

use super::*;

const SEED: [u8; 32] = [1; 32];

fn built(claims: &[Claim]) -> Set {
    let mut builder = Builder::new(SEED);
    for (name, claim) in claims.iter().enumerate() {
        builder.add(claim, name as u64).unwrap();
    }
    builder.build()
}

fn names(set: &Set, kind: Kind, value: &str) -> Vec<u64> {
    let mut found = Vec::new();
    set.value(kind, value.as_bytes(), &mut Vec::new(), &mut found);
    let mut names: Vec<u64> = found.iter().map(|found| found.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn a_domain_is_met_as_far_as_the_claim_goes() {
    let set = built(&[
        Claim::new(Kind::Domain, "evil.example"),
        Claim::with_subdomains("evil.example"),
        Claim::below("evil.example"),
        Claim::with_subdomains("a.b.evil.example"),
    ]);
    assert_eq!(names(&set, Kind::Domain, "EVIL.example."), [0, 1]);
    assert_eq!(names(&set, Kind::Domain, "b.evil.example"), [1, 2]);
    assert_eq!(names(&set, Kind::Domain, "x.a.b.evil.example"), [1, 2, 3]);
    assert!(names(&set, Kind::Domain, "notevil.example").is_empty(), "never a part of a label");
    assert!(names(&set, Kind::Domain, "evil.example.org").is_empty());
    assert!(names(&set, Kind::Url, "evil.example").is_empty(), "another kind");
}

#[test]
fn an_address_is_met_by_itself_and_by_every_network_around_it() {
    let set = built(&[
        Claim::new(Kind::Cidr, "203.0.112.0/23"),
        Claim::new(Kind::Cidr, "203.0.113.0/24"),
        Claim::new(Kind::Ipv4, "203.0.113.7"),
        Claim::new(Kind::Cidr, "203.0.113.7/32"),
        Claim::new(Kind::Cidr, "2001:db8::/32"),
        Claim::new(Kind::Cidr, "2001:db8::1/128"),
        Claim::new(Kind::Cidr, "::ffff:198.51.100.0/120"),
    ]);
    assert_eq!(names(&set, Kind::Ipv4, "203.0.113.7"), [0, 1, 2, 3]);
    assert_eq!(names(&set, Kind::Ipv4, "::ffff:203.0.113.8"), [0, 1]);
    assert_eq!(names(&set, Kind::Ipv4, "203.0.112.255"), [0]);
    assert_eq!(names(&set, Kind::Ipv4, "203.0.114.0"), [0; 0]);
    assert_eq!(names(&set, Kind::Ipv6, "2001:db8::1%eth0"), [4, 5]);
    assert_eq!(names(&set, Kind::Ipv6, "2001:db9::"), [0; 0]);
    assert_eq!(names(&set, Kind::Ipv4, "198.51.100.200"), [6]);
    assert!(set.has_networks() && set.has(Kind::Ipv4) && !set.has(Kind::Ipv6) && !set.has_subdomains());
}

#[test]
fn a_url_is_met_with_and_without_scheme_and_query() {
    let set = built(&[
        Claim::new(Kind::Url, "http://evil.example/a"),
        Claim::new(Kind::Url, "https://evil.example/a?x=1"),
        Claim::new(Kind::Url, "evil.example/a"),
        Claim::new(Kind::Url, "ftp://evil.example/a"),
        Claim::new(Kind::Url, "http://evil.example"),
    ]);
    assert_eq!(names(&set, Kind::Url, "HTTP://evil.example:80/a#x"), [0, 2]);
    assert_eq!(names(&set, Kind::Url, "http://evil.example/a?x=2"), [0, 2]);
    assert_eq!(names(&set, Kind::Url, "https://evil.example/a?x=1"), [1, 2]);
    assert_eq!(names(&set, Kind::Url, "evil.example/a?x=1"), [0, 1, 2]);
    assert_eq!(names(&set, Kind::Url, "ftp://evil.example/a"), [2, 3]);
    assert_eq!(names(&set, Kind::Url, "evil.example"), [4]);
    assert_eq!(names(&set, Kind::Url, "http://evil.example/b"), [0; 0]);
}

#[test]
fn names_are_as_many_as_claim_a_value_and_each_once() {
    let mut builder = Builder::new(SEED);
    let claim = Claim::new(Kind::Ipv4, "203.0.113.7");
    for name in (0..1000).chain(0..1000) {
        builder.add(&claim, name).unwrap();
    }
    builder.add(&claim, (1 << 40) - 1).unwrap();
    assert_eq!(builder.add(&claim, 1 << 40), Err(Refused::Number));
    builder.add(&Claim::new(Kind::Domain, "evil.example"), 3).unwrap();
    builder.add(&Claim::with_subdomains("evil.example"), 3).unwrap();
    let set = builder.build();
    let found = names(&set, Kind::Ipv4, "203.0.113.7");
    assert_eq!(found, (0..1000).chain([(1 << 40) - 1]).collect::<Vec<_>>());
    let mut found = Vec::new();
    set.find(set.key(Kind::Domain, b"evil.example"), &mut found);
    assert_eq!(found, [Found { name: 3, itself: true, subdomains: true }]);
    assert_eq!(set.len(), 1002);
}

#[test]
fn what_is_refused_leaves_the_builder_as_it_was() {
    let mut builder = Builder::new(SEED);
    for (kind, value) in
        [(Kind::Domain, "com"), (Kind::Cidr, "0.0.0.0/0"), (Kind::Ipv4, "x"), (Kind::Md5, "00"), (Kind::Url, "")]
    {
        assert!(builder.add(&Claim::new(kind, value), 0).is_err());
    }
    assert!(builder.add(&Claim::new(Kind::Domain, "\0".repeat(1 << 20)), 0).is_err());
    assert!(builder.is_empty());
    let set = builder.build();
    assert!(set.is_empty() && Kind::ALL.iter().all(|kind| !set.has(*kind)));
    assert!(names(&set, Kind::Domain, "www.evil.example").is_empty());
    assert!(names(&set, Kind::Ipv4, "0.0.0.0").is_empty());
}

#[test]
fn keys_depend_on_the_seed_and_say_nothing_of_it() {
    let (one, other) = (Builder::new([1; 32]).build(), Builder::new([2; 32]).build());
    assert_ne!(one.key(Kind::Domain, b"evil.example"), other.key(Kind::Domain, b"evil.example"));
    assert_ne!(one.key(Kind::Domain, b"evil.example"), one.key(Kind::FileName, b"evil.example"));
    assert!(!format!("{one:?}").contains("secrets"));
    let mut keys: Vec<Key> = (0..300).map(|length| one.key(Kind::Mutex, &vec![0; length])).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 300, "values of zeros differ by their length");
}

/// A hundred thousand claims, and as many values that nobody claims.
#[test]
fn many_claims_take_few_bytes_and_meet_nothing_else() {
    const MANY: u64 = 100_000;
    let value = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let digest =
        |number: u64| value(number).iter().chain(&value(!number)).map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut builder = Builder::new(SEED);
    for name in 0..MANY {
        builder.add_value(Kind::Md5, digest(name).as_bytes(), Reach::VALUE, name).unwrap();
    }
    let set = builder.build();
    assert_eq!(set.len() as u64, MANY);
    let each = set.bytes() as f64 / MANY as f64;
    assert!(each <= 16.0, "{each} bytes a claim");
    let (mut passed, mut found, mut scratch) = (0, Vec::new(), Vec::new());
    for number in 0..MANY {
        let mut key = |number| set.key(Kind::Md5, canonical::hex(digest(number).as_bytes(), &mut scratch).unwrap());
        found.clear();
        let held = key(number);
        assert!(set.may_hold(held), "the filter never denies what is there");
        set.find(held, &mut found);
        assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), [number]);
        let absent = key(number + MANY);
        found.clear();
        set.find(absent, &mut found);
        assert_eq!(found, []);
        passed += u64::from(set.may_hold(absent));
    }
    assert!(passed < MANY / 40, "the filter lets {passed} of {MANY} through");
}

#[test]
fn a_name_above_is_let_through_if_names_below_it_are_claimed() {
    let claims: Vec<Claim> = (0..500)
        .map(|n| match n % 3 {
            0 => Claim::new(Kind::Domain, format!("n{n}.example")),
            1 => Claim::with_subdomains(format!("n{n}.example")),
            _ => Claim::below(format!("n{n}.example")),
        })
        .collect();
    let mut set = built(&claims);
    let mut added = set.additions();
    added.add(&Claim::new(Kind::Domain, "n0.example"), 1000).unwrap();
    added.add(&Claim::below("n3.example"), 1001).unwrap();
    let key = |set: &Set, n: usize| set.key(Kind::Domain, format!("n{n}.example").as_bytes());
    let above =
        |set: &Set, of: &dyn Fn(usize) -> bool| (0..500).filter(|n| of(*n) && set.may_be_above(key(set, *n))).count();
    assert_eq!(above(&set, &|n| n % 3 > 0), 333, "none is denied that is one");
    assert!(above(&set, &|n| n % 3 == 0) < 20, "next to none is let through that is none");
    set = set.amended(&[4], added);
    assert!(set.may_be_above(key(&set, 3)), "what came since counts");
    set = set.merged();
    assert!(set.may_be_above(key(&set, 3)) && above(&set, &|n| n % 3 > 0) >= 332);
}

#[test]
fn keys_of_a_url_differ_by_scheme_in_what_no_filter_looks_at() {
    let set = built(&[Claim::new(Kind::Url, "https://evil.example/a")]);
    let mut keys = Vec::new();
    set.url_keys(b"evil.example/a", &mut keys);
    assert_eq!(
        keys,
        ["evil.example/a", "http://evil.example/a", "https://evil.example/a"]
            .map(|url| set.key(Kind::Url, url.as_bytes()))
    );
    assert!(keys.iter().all(|key| set.may_hold(*key)), "one answer for all");
    let mut found = Vec::new();
    let counts = keys.iter().map(|key| {
        found.clear();
        set.find(*key, &mut found);
        found.len()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [0, 0, 1]);
    keys.extend(
        ["ftp", "ws", "gopher"].map(|scheme| set.key(Kind::Url, format!("{scheme}://evil.example/a").as_bytes())),
    );
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[test]
fn a_url_is_asked_for_once_for_all_its_schemes() {
    let claims = ["https://evil.example/a", "evil.example/b?c", "ftp://evil.example/d", "http://evil.example/e?f=1"];
    let set = built(&claims.map(|url| Claim::new(Kind::Url, url)));
    let asked = |url: &str, count: usize| {
        let (mut probes, mut found) = (Vec::new(), Vec::new());
        set.url_probes(canonical::parts(url.as_bytes()), &mut probes);
        assert_eq!(probes.len(), count, "{url}");
        let may = probes.iter().any(|key| set.may_hold(*key));
        let claimed = probes.iter().any(|key| set.claims_beside(*key, &mut found));
        assert!(may || !claimed, "the filter never denies what is there: {url}");
        claimed
    };
    for (url, count) in [
        ("https://evil.example/a", 1),
        ("evil.example/a", 1),
        ("evil.example/a?x", 2),
        ("http://evil.example/b?c", 2),
        ("ftp://evil.example/d", 2),
        ("https://evil.example/e?f=1", 2),
    ] {
        assert!(asked(url, count), "{url}");
    }
    for (url, count) in [
        ("https://evil.example/x", 1),
        ("evil.example/b", 1),
        ("http://evil.example/b?d", 2),
        ("ftp://evil.example/b?d", 4),
        ("https://evil.example/d", 1),
    ] {
        assert!(!asked(url, count), "{url}");
    }
}

#[test]
fn keys_are_sifted_as_they_are_asked_for() {
    let set = built(&(0..500).map(|n| Claim::new(Kind::Domain, format!("n{n}.example"))).collect::<Vec<_>>());
    let mut added = set.additions();
    added.add(&Claim::new(Kind::Domain, "fresh.example"), 1).unwrap();
    let set = set.amended(&[], added);
    let keys: Vec<Key> =
        (0..2000).map(|n| set.key(Kind::Domain, format!("n{}.example", n * 7 % 1999).as_bytes())).collect();
    let mut through = vec![77];
    for keys in [&keys[..], &keys[..1], &[], &[set.key(Kind::Domain, b"fresh.example")]] {
        set.sift(keys, &mut through);
        let expected: Vec<u32> =
            (0..).zip(keys).filter(|(_, key)| set.may_hold(**key)).map(|(place, _)| place).collect();
        assert_eq!(through, expected);
    }
    assert_eq!(through, [0], "what came last is held");
}

#[test]
fn very_many_networks_are_found_through_the_index() {
    let mut builder = Builder::new(SEED);
    let network = |name: u32| format!("{}.{}.{}.0/25", 16 + name % 8, (name >> 3) & 255, name >> 11);
    for name in 0..5000 {
        builder.add_value(Kind::Cidr, network(name).as_bytes(), Reach::VALUE, name.into()).unwrap();
    }
    builder.add_value(Kind::Cidr, b"17.255.0.0/15", Reach::VALUE, 9999).unwrap();
    let set = builder.build();
    for name in 0..5000_u32 {
        let inside = network(name).replace(".0/25", ".127");
        let wide = inside.starts_with("17.254.") || inside.starts_with("17.255.");
        let expected: Vec<u64> = [name.into()].into_iter().chain(wide.then_some(9999)).collect();
        assert_eq!(names(&set, Kind::Ipv4, &inside), expected, "{inside}");
        let outside = network(name).replace(".0/25", ".128");
        assert_eq!(names(&set, Kind::Ipv4, &outside), if wide { vec![9999] } else { vec![] }, "{outside}");
    }
}

/// The ten lines that everything above must agree with.
fn naive(claim: &Claim, kind: Kind, value: &str) -> bool {
    let form = |kind: Kind, text: &str| canonical::of(kind, text.as_bytes(), &mut Vec::new()).map(<[u8]>::to_vec);
    let address = |text: &str| canonical::address(text.as_bytes());
    match (claim.kind, kind) {
        (Kind::Domain, Kind::Domain) => match (form(kind, &claim.value), form(kind, value)) {
            (Some(claimed), Some(seen)) if claimed == seen => claim.itself,
            (Some(claimed), Some(seen)) => claim.subdomains && seen.ends_with(&[b".", claimed.as_slice()].concat()),
            _ => false,
        },
        (Kind::Cidr, Kind::Ipv4 | Kind::Ipv6) => address(value).is_some_and(|seen| {
            let full = if seen.is_ipv4() { 32 } else { 128 };
            (0..=full).any(|length| form(Kind::Cidr, &format!("{seen}/{length}")) == form(Kind::Cidr, &claim.value))
        }),
        (Kind::Ipv4 | Kind::Ipv6, Kind::Ipv4 | Kind::Ipv6) => address(value) == address(&claim.value),
        (Kind::Url, Kind::Url) => form(kind, value).zip(form(kind, &claim.value)).is_some_and(|(seen, claimed)| {
            let (seen, claimed) = (canonical::parts(&seen), canonical::parts(&claimed));
            let web = |scheme| scheme == Some(&b"http"[..]) || scheme == Some(&b"https"[..]);
            let scheme = claimed.scheme.is_none()
                || claimed.scheme == seen.scheme
                || (seen.scheme.is_none() && web(claimed.scheme));
            scheme && (claimed.rest == seen.rest || claimed.rest == seen.without_query)
        }),
        (claimed, seen) => claimed == seen && form(kind, value) == form(kind, &claim.value),
    }
}

/// Values from so few letters that claims and values meet often.
fn values() -> impl Strategy<Value = (Kind, String)> {
    prop_oneof![
        "([abA]\\.){0,3}[ab]\\.(example|EXAMPLE|test)\\.?".prop_map(|text| (Kind::Domain, text)),
        "203\\.0\\.11[23]\\.[0-3]".prop_map(|text| (Kind::Ipv4, text)),
        "(::ffff:203\\.0\\.112\\.[01]|2001:db8::[0-3])".prop_map(|text| {
            let kind = if text.starts_with("::ffff") { Kind::Ipv4 } else { Kind::Ipv6 };
            (kind, text)
        }),
        "((http|https|ftp|HTTP)://)?[ab]\\.test(:80|:443)?(/[ab]?)?(\\?[ab]?)?(#x)?".prop_map(|text| (Kind::Url, text)),
        "0{30}[0-3a-bA-B]{2}".prop_map(|text| (Kind::Md5, text)),
        "([A-B] <)?[ab]@[ab]\\.test>?".prop_filter_map("brackets in pairs", |text| {
            (text.contains('<') == text.contains('>')).then_some((Kind::Email, text))
        }),
        "(HKLM|hkey_local_machine)\\\\[ab]".prop_map(|text| (Kind::RegistryKey, text)),
    ]
}

fn claimed() -> impl Strategy<Value = Claim> {
    prop_oneof![
        4 => values().prop_map(|(kind, value)| Claim::new(kind, value)),
        1 => "([ab]\\.){0,2}[ab]\\.(example|test)".prop_map(Claim::with_subdomains),
        1 => "([ab]\\.){0,2}[ab]\\.(example|test)".prop_map(Claim::below),
        1 => "203\\.0\\.11[23]\\.[0-3]/(8|16|23|24|3[0-2])".prop_map(|text| Claim::new(Kind::Cidr, text)),
        1 => "(2001:db8::[0-3]/(16|12[4-8])|::ffff:203\\.0\\.113\\.0/(104|126))".prop_map(|text| Claim::new(Kind::Cidr, text)),
    ]
}

fn expected(claims: &[(u64, Claim)], kind: Kind, value: &str) -> Vec<u64> {
    let mut names: Vec<u64> =
        claims.iter().filter(|(_, claim)| naive(claim, kind, value)).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_set_finds_what_a_scan_finds(
        claims in proptest::collection::vec((0_u64..20, claimed()), 0..40),
        seen in proptest::collection::vec(values(), 1..40),
    ) {
        let mut builder = Builder::new(SEED);
        for (name, claim) in &claims {
            builder.add(claim, *name).unwrap();
        }
        let set = builder.build();
        for (kind, value) in &seen {
            prop_assert_eq!(names(&set, *kind, value), expected(&claims, *kind, value), "{} {}", kind, value);
        }
    }

    /// Changes lie over the bulk, one after the other, and are merged now and then; names are never used again.
    #[test]
    fn a_set_that_follows_finds_what_a_scan_finds(
        start in proptest::collection::vec(claimed(), 0..20),
        changes in proptest::collection::vec(
            (proptest::collection::vec(claimed(), 0..6), proptest::collection::vec(0_u64..40, 0..6), any::<bool>()), 1..6),
        seen in proptest::collection::vec(values(), 1..20),
    ) {
        let mut next = start.len() as u64;
        let mut claims: Vec<(u64, Claim)> = (0..).zip(start.clone()).collect();
        let mut set = built(&start);
        for (come, gone, merge) in changes {
            let mut added = set.additions();
            claims.retain(|(name, _)| !gone.contains(name));
            for claim in come {
                added.add(&claim, next).unwrap();
                claims.push((next, claim));
                next += 1;
            }
            set = set.amended(&gone, added);
            if merge {
                set = set.merged();
                prop_assert_eq!(set.changes(), 0);
            }
            for (kind, value) in &seen {
                prop_assert_eq!(names(&set, *kind, value), expected(&claims, *kind, value), "{} {}", kind, value);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// The bulk is put together anew on the side, from the state at one change, and taken at another; names come again.
    #[test]
    fn a_set_on_a_bulk_that_was_merged_on_the_side_finds_what_a_scan_finds(
        start in proptest::collection::vec(claimed(), 0..20),
        changes in proptest::collection::vec(
            (proptest::collection::vec((0_u64..30, claimed()), 0..6), proptest::collection::vec(0_u64..30, 0..6)), 1..8),
        begin in 0_usize..8,
        length in 0_usize..8,
        seen in proptest::collection::vec(values(), 1..20),
    ) {
        let mut claims: Vec<(u64, Claim)> = (0..).zip(start.clone()).collect();
        let mut set = built(&start);
        let (mut merged, mut since) = (None, HashSet::new());
        for (place, (come, mut gone)) in changes.into_iter().enumerate() {
            if place == begin {
                merged = Some(set.merged());
            }
            // What comes takes the place of what its name had.
            gone.extend(come.iter().map(|(name, _)| *name));
            let mut added = set.additions();
            claims.retain(|(name, _)| !gone.contains(name));
            for (name, claim) in come {
                added.add(&claim, name).unwrap();
                claims.push((name, claim));
            }
            set = set.amended(&gone, added);
            if merged.is_some() {
                since.extend(gone);
            }
            if place == begin + length && let Some(merged) = merged.take() {
                set = set.rebased(&merged, &since);
                prop_assert!(set.changes() <= 2 * claims.len() + since.len());
            }
            for (kind, value) in &seen {
                prop_assert_eq!(names(&set, *kind, value), expected(&claims, *kind, value), "{} {}", kind, value);
            }
        }
    }
}

#[test]
fn a_name_that_goes_may_come_again() {
    let set = built(&[Claim::new(Kind::Ipv4, "203.0.113.7"), Claim::new(Kind::Cidr, "203.0.113.0/24")]);
    let mut added = set.additions();
    added.add(&Claim::new(Kind::Ipv4, "203.0.113.8"), 0).unwrap();
    let changed = set.amended(&[0], added);
    assert_eq!(names(&changed, Kind::Ipv4, "203.0.113.7"), [1]);
    assert_eq!(names(&changed, Kind::Ipv4, "203.0.113.8"), [0, 1]);
    let gone = changed.amended(&[0, 1], changed.additions());
    assert!(names(&gone, Kind::Ipv4, "203.0.113.8").is_empty());
    assert_eq!(names(&set, Kind::Ipv4, "203.0.113.7"), [0, 1], "whoever holds the old set sees no change");
    let merged = changed.merged();
    assert_eq!(names(&merged, Kind::Ipv4, "203.0.113.8"), [0, 1]);
    assert_eq!(merged.len(), 2);
    let address: IpAddr = "203.0.113.9".parse().unwrap();
    let mut found = Vec::new();
    merged.address(address, &mut found);
    assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), [1]);
}
