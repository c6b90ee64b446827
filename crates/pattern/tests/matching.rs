//! What matches what, by the clauses of STIX 2.1 §9, and what the matcher does with hostile patterns and data.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use pattern::{Data, Matcher, Moment, Object, Observed, View, parse};
use serde_json::{Value, json};

fn compile(text: &str) -> Matcher {
    Matcher::new(&parse(text).unwrap()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, documents: &[Value]) -> bool {
    let observed = Observed::read(documents, support::view).unwrap();
    compile(text).find(&observed).unwrap().matched()
}

/// One observation of objects in the manner of STIX 2.0.
fn observation(first: &str, last: &str, count: u64, objects: Value) -> Value {
    let (first, last) = (format!("2026-01-01T{first}Z"), format!("2026-01-01T{last}Z"));
    json!({"type": "observed-data", "id": format!("observed-data--{first}"), "first_observed": first,
        "last_observed": last, "number_observed": count, "objects": objects})
}

fn sample() -> Vec<Value> {
    vec![observation(
        "00:00:00",
        "00:00:00",
        1,
        json!({
            "0": {"type": "file", "name": "foo.dll", "size": 25536, "gone": null, "path": "C:\\a\nb", "ratio": 1.5,
                "mtime": "2026-01-01T00:00:00.5Z", "is_bad": true,
                "hashes": {"MD5": "5D41402ABC4B2A76B9719D911017C592"},
                "extensions": {"windows-pebinary-ext": {"sections": [
                    {"name": ".text", "entropy": 6.1}, {"name": "UPX0", "entropy": 7.9}]}}},
            "1": {"type": "ipv4-addr", "value": "198.51.100.7"},
            "2": {"type": "ipv4-addr", "value": "10.0.0.0/8"},
            "3": {"type": "ipv6-addr", "value": "2001:db8::1"},
            "4": {"type": "network-traffic", "src_ref": "1", "dst_ref": "3", "lost_ref": "99",
                "protocols": ["ipv6", "tcp", "http"], "both_refs": ["1", "99", "3"]},
            "5": {"type": "artifact", "payload_bin": "dGhpcyBpcyBhIHRlc3Q=", "key_hex": "00ff", "bad_hex": "0x"},
            "6": {"type": "x-note", "text": "e\u{301}te\u{301}", "a.b": {"c": [[1, 2], [3]]}}
        }),
    )]
}

const ONE: &[(&str, &[(&str, bool)])] = &[
    (
        "§9.6.4 types of constants",
        &[
            ("[file:size = '25536']", false),
            ("[file:size != '25536']", true),
            ("[file:size NOT > '1']", false),
            ("[file:size = 25536.0]", true),
            ("[file:ratio > 1]", true),
            ("[file:ratio = 1]", false),
            ("[file:is_bad = true]", true),
            ("[file:is_bad = 1]", false),
            ("[file:is_bad != 1]", true),
            ("[file:mtime > t'2026-01-01T00:00:00Z']", true),
            ("[file:mtime = '2026-01-01T00:00:00.5Z']", true),
            ("[file:mtime = t'2026-01-01T00:00:00.500Z']", true),
            ("[file:name > 'foo']", true),
            ("[file:name < 'fop']", true),
            ("[artifact:payload_bin = 'this is a test']", true),
            ("[artifact:payload_bin = 'dGhpcyBpcyBhIHRlc3Q=']", false),
            ("[artifact:key_hex = h'00FF']", true),
            ("[artifact:key_hex = b'AP8=']", true),
            ("[artifact:key_hex = '\u{0}ÿ']", true),
            ("[artifact:key_hex > h'00']", true),
            ("[artifact:bad_hex != h'00']", true),
            ("[artifact:bad_hex = '0x']", false),
            ("[file:gone = 'x']", false),
            ("[file:gone != 'x']", true),
            ("[file:gone > 'x']", false),
        ],
    ),
    (
        "§9.6 absent properties",
        &[
            ("[file:mode != 'x']", false),
            ("[file:nosuch NOT = 'x']", false),
            ("[file:nosuch NOT IN ('x')]", false),
            ("[EXISTS file:size]", true),
            ("[EXISTS file:nosuch]", false),
            ("[NOT EXISTS file:nosuch]", false),
            ("[NOT EXISTS file:size]", false),
            ("[nosuch:a = 1 OR EXISTS file:hashes.MD5]", true),
        ],
    ),
    (
        "§9.6.1 operators",
        &[
            ("[file:name LIKE 'foo_dll']", true),
            ("[file:name LIKE 'foo']", false),
            ("[file:name LIKE 'FOO%']", false),
            ("[file:name LIKE '%o%l_']", true),
            ("[file:name LIKE '%%.d%']", true),
            ("[file:name LIKE 'foo.dll%_']", false),
            ("[file:path LIKE 'C:%b']", true),
            ("[file:size LIKE '%']", false),
            ("[file:size NOT LIKE '%']", true),
            ("[file:name MATCHES 'oo']", true),
            ("[file:name MATCHES '^oo']", false),
            ("[file:name MATCHES '\\\\.dll$']", true),
            ("[file:path MATCHES 'a.b']", true),
            ("[artifact:payload_bin MATCHES '^this\\\\x20']", true),
            ("[artifact:key_hex MATCHES 'ÿ$']", true),
            ("[artifact:key_hex MATCHES 'ā']", false),
            ("[x-note:text LIKE '_t_']", true),
            ("[x-note:text MATCHES '^é.é$']", true),
            ("[x-note:text = 'été']", false),
            ("[file:size IN (1, 25536)]", true),
            ("[file:size NOT IN ('a')]", true),
            ("[file:size IN ()]", false),
            ("[file:size NOT IN ()]", true),
            ("[artifact:payload_bin IN ('x', 'this is a test')]", true),
            ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", true),
            ("[ipv4-addr:value ISSUBSET '198.51.100.99/24']", true),
            ("[ipv4-addr:value ISSUBSET '198.51.100.7']", true),
            ("[ipv4-addr:value ISSUBSET '0.0.0.0/0']", true),
            ("[ipv4-addr:value ISSUBSET '::/0']", false),
            ("[ipv4-addr:value ISSUPERSET '10.1.2.3']", true),
            ("[ipv4-addr:value ISSUPERSET '10.0.0.0/8']", true),
            ("[ipv4-addr:value ISSUPERSET '10.0.0.0/7']", false),
            ("[ipv6-addr:value ISSUBSET '2001:db8::/32']", true),
            ("[ipv6-addr:value NOT ISSUBSET '2001:db9::/32']", true),
            ("[file:size NOT ISSUBSET '10.0.0.0/8']", true),
        ],
    ),
    (
        "§9.7 paths",
        &[
            ("[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]", true),
            ("[file:extensions.'windows-pebinary-ext'.sections[*].entropy NOT > 7.0]", true),
            ("[file:extensions.'windows-pebinary-ext'.sections[1].name = 'UPX0']", true),
            ("[file:extensions.'windows-pebinary-ext'.sections[5].entropy != 1.0]", false),
            (
                "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0 AND \
               file:extensions.'windows-pebinary-ext'.sections[*].name = '.text']",
                true,
            ),
            ("[file:hashes[*] = 'x']", false),
            ("[file:hashes[*] != 'x']", false),
            ("[x-note:'a.b'.c[*][*] = 3]", true),
            ("[x-note:'a.b'.c[0][1] = 2]", true),
            ("[x-note:'a.b'.c[1][1] != 2]", false),
            ("[network-traffic:protocols[*] = 'http']", true),
            ("[network-traffic:protocols = 'http']", false),
            (
                "[network-traffic:src_ref.value = '198.51.100.7' AND network-traffic:dst_ref.value = '2001:db8::1']",
                true,
            ),
            ("[network-traffic:src_ref.type = 'ipv4-addr']", true),
            ("[network-traffic:src_ref = '1']", false),
            ("[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']", true),
            ("[network-traffic:lost_ref.value != 'x']", false),
            ("[EXISTS network-traffic:lost_ref]", false),
            ("[network-traffic:both_refs[*].value = '2001:db8::1']", true),
            ("[network-traffic:both_refs[2].value = '2001:db8::1']", true),
            ("[network-traffic:both_refs[1].value != 'x']", false),
        ],
    ),
    (
        "§9.5 one object",
        &[
            ("[ipv4-addr:value = '198.51.100.7' AND ipv4-addr:value = '10.0.0.0/8']", false),
            ("[ipv4-addr:value = '198.51.100.7' AND file:name = 'foo.dll']", false),
            ("[ipv4-addr:value = '198.51.100.7'] AND [file:name = 'foo.dll']", false),
            ("[(file:name = 'bar' OR file:name = 'foo.dll') AND file:size > 1]", true),
        ],
    ),
];

#[test]
fn one_observation() {
    let documents = sample();
    let mut cases = 0;
    for (clause, rows) in ONE {
        for (text, expected) in *rows {
            cases += 1;
            assert_eq!(matches(text, &documents), *expected, "{clause}: {text}");
        }
    }
    assert!(cases > 80, "{cases}");
}

fn named(name: &str) -> Value {
    json!({"0": {"type": "domain-name", "value": name}})
}

/// `D=` stands for `domain-name:value =`.
fn moments() -> Vec<Value> {
    vec![
        observation("00:00:00", "00:00:00", 1, named("a")),
        observation("00:00:10", "00:00:10", 1, named("b")),
        observation("00:00:20", "00:00:20", 3, named("a")),
    ]
}

const SEVERAL: &[(&str, &[(&str, bool)])] = &[
    (
        "§9.5.2 operators",
        &[
            ("[D='a'] AND [D='b']", true),
            ("[D='a'] FOLLOWEDBY [D='b']", true),
            ("[D='b'] FOLLOWEDBY [D='a']", true),
            ("[D='b'] AND [D='b']", false),
            ("[D='a'] AND [D='a'] AND [D='a'] AND [D='a']", true),
            ("[D='a'] AND [D='a'] AND [D='a'] AND [D='a'] AND [D='a']", false),
            ("[D='b'] FOLLOWEDBY [D='b']", false),
            ("[D='zz'] OR [D='a'] AND [D='b']", true),
            ("[D='a'] AND [D='b'] OR [D='zz'] FOLLOWEDBY [D='zz']", false),
            ("[D='a'] FOLLOWEDBY [D='b'] FOLLOWEDBY [D='a']", true),
            ("[D='b'] FOLLOWEDBY [D='a'] FOLLOWEDBY [D='a'] FOLLOWEDBY [D='a']", true),
            ("[D='b'] FOLLOWEDBY [D='a'] FOLLOWEDBY [D='a'] FOLLOWEDBY [D='a'] FOLLOWEDBY [D='a']", false),
            ("[D='a'] FOLLOWEDBY ([D='b'] FOLLOWEDBY [D='b'] OR [D='a'])", true),
        ],
    ),
    (
        "§9.5.1 qualifiers",
        &[
            ("[D='a'] REPEATS 4 TIMES", true),
            ("[D='a'] REPEATS 5 TIMES", false),
            ("[D='b'] REPEATS 2 TIMES", false),
            ("[D LIKE '_'] REPEATS 5 TIMES", true),
            ("([D='a'] OR [D='b']) REPEATS 5 TIMES", true),
            ("([D='a'] OR [D='b']) REPEATS 6 TIMES", false),
            ("([D='a'] AND [D='b']) REPEATS 1 TIMES", true),
            ("([D='a'] AND [D='b']) REPEATS 2 TIMES", false),
            ("[D='a'] REPEATS 9007199254740991 TIMES", false),
            ("([D='a'] REPEATS 9007199254740991 TIMES) REPEATS 9007199254740991 TIMES", false),
            ("[D='a'] REPEATS 3 TIMES WITHIN 1 SECONDS", true),
            ("[D='a'] REPEATS 4 TIMES WITHIN 19 SECONDS", false),
            ("[D='a'] REPEATS 4 TIMES WITHIN 20 SECONDS", true),
            // At the end of the window: as the reference matcher, not as the text.
            ("([D='a'] FOLLOWEDBY [D='b']) WITHIN 10 SECONDS", true),
            ("([D='a'] FOLLOWEDBY [D='b']) WITHIN 9.999999 SECONDS", false),
            ("[D='a'] FOLLOWEDBY [D='b'] WITHIN 1 SECONDS", true),
            ("([D='b'] FOLLOWEDBY [D='a'] REPEATS 3 TIMES) WITHIN 10 SECONDS", true),
            ("([D='b'] FOLLOWEDBY [D='a'] REPEATS 4 TIMES) WITHIN 100 SECONDS", false),
            ("[D='b'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:10Z'", false),
            ("[D='b'] START t'2026-01-01T00:00:10Z' STOP t'2026-01-01T00:00:11Z'", true),
            ("[D='b'] START t'2026-01-01T00:00:11Z' STOP t'2026-01-01T00:00:09Z'", false),
            ("([D='a'] AND [D='b']) START t'2026-01-01T00:00:05Z' STOP t'2026-01-01T00:00:30Z'", true),
            ("[D='a'] REPEATS 4 TIMES START t'2026-01-01T00:00:05Z' STOP t'2026-01-01T00:00:30Z'", false),
            ("[D='a'] OR [D='b'] START t'2026-01-01T00:01:00Z' STOP t'2026-01-01T00:02:00Z'", true),
        ],
    ),
];

#[test]
fn several_observations() {
    let documents = moments();
    for (clause, rows) in SEVERAL {
        for (text, expected) in *rows {
            let text = text.replace("D", "domain-name:value").replace("FOLLOWEdomain-name:valueBY", "FOLLOWEDBY");
            let text = text.replace("ANdomain-name:value", "AND").replace("SECONdomain-name:valueS", "SECONDS");
            assert_eq!(matches(&text, &documents), *expected, "{clause}: {text}");
        }
    }
}

#[test]
fn observations_that_last_choose_their_instant() {
    let documents =
        [observation("00:00:00", "00:01:00", 1, named("a")), observation("00:00:30", "00:00:30", 1, named("b"))];
    let rows = [
        ("[D:v = 'b'] FOLLOWEDBY [D:v = 'a']", true),
        ("[D:v = 'a'] FOLLOWEDBY [D:v = 'b']", true),
        ("([D:v = 'a'] AND [D:v = 'b']) WITHIN 1 SECONDS", true),
        ("[D:v = 'a'] START t'2026-01-01T00:00:59Z' STOP t'2026-01-01T00:02:00Z'", true),
        ("[D:v = 'a'] START t'2026-01-01T00:01:00Z' STOP t'2026-01-01T00:02:00Z'", true),
        ("[D:v = 'a'] START t'2026-01-01T00:01:01Z' STOP t'2026-01-01T00:02:00Z'", false),
    ];
    for (text, expected) in rows {
        let text = text.replace("D:v", "domain-name:value");
        assert_eq!(matches(&text, &documents), expected, "{text}");
    }
}

#[test]
fn a_binding_names_what_was_used() {
    let documents = moments();
    let observed = Observed::read(&documents, support::view).unwrap();
    let matcher = compile("[domain-name:value = 'b'] FOLLOWEDBY [domain-name:value = 'a']");
    let outcome = matcher.find(&observed).unwrap();
    assert_eq!(outcome.observations(), [1, 2]);
    let bound: Vec<_> = outcome.binding.unwrap().iter().map(|bound| (bound.leaf, bound.observation)).collect();
    assert_eq!(bound, [(0, 1), (1, 2)]);
}

#[test]
fn only_what_is_referred_to_is_seen() {
    let bundle = |refs: Value| {
        [json!({"type": "bundle", "objects": [
            {"type": "observed-data", "id": "observed-data--1", "first_observed": "2026-01-01T00:00:00Z",
                "last_observed": "2026-01-01T00:00:00Z", "number_observed": 1, "object_refs": refs},
            {"type": "file", "id": "file--1", "name": "x", "parent_directory_ref": "directory--1"},
            {"type": "directory", "id": "directory--1", "path": "/"},
            {"type": "identity", "id": "identity--1", "name": "x"}]})]
    };
    let of = "[file:parent_directory_ref.path = '/']";
    assert!(matches(of, &bundle(json!(["file--1", "directory--1"]))));
    assert!(!matches(of, &bundle(json!(["file--1"]))));
    assert!(!matches("[directory:path = '/']", &bundle(json!(["file--1"]))));
    assert!(!matches("[identity:name = 'x']", &bundle(json!(["file--1", "identity--1"]))));
}

#[test]
fn observed_data_without_what_it_needs_is_refused() {
    let whole = observation("00:00:00", "00:00:01", 1, named("a"));
    let broken = |name: &str, value: Value| {
        let mut document = whole.clone();
        document[name] = value;
        Observed::read(std::slice::from_ref(&document), support::view).map(|_| ()).map_err(|error| error.message)
    };
    let rows = [
        ("type", json!("observed-data"), None),
        ("first_observed", json!("yesterday"), Some("is no timestamp")),
        ("last_observed", json!("2025-01-01T00:00:00Z"), Some("is before")),
        ("number_observed", json!(0), Some("greater than zero")),
        ("number_observed", json!("1"), Some("greater than zero")),
        ("objects", json!([]), Some("neither")),
    ];
    for (name, value, message) in rows {
        let result = broken(name, value.clone());
        match (message, result) {
            (None, Ok(())) => {}
            (Some(message), Err(error)) => assert!(error.contains(message), "{name} {value}: {error}"),
            (_, result) => panic!("{name} {value}: {result:?}"),
        }
    }
    assert!(Observed::read(&[json!(1)], support::view).is_err());
}

#[test]
fn constants_that_can_never_match_are_refused() {
    let rows = [
        ("[a:b = t'2024-02-30T00:00:00Z']", "no such day"),
        ("[a:b IN ('x', 1)]", "one type"),
        ("[a:b = 1] START t'2024-02-30T00:00:00Z' STOP t'2024-03-30T00:00:00Z'", "no such day"),
        ("[a:b ISSUBSET 'not-an-ip']", "not an address"),
        ("[a:b ISSUBSET '10.0.0.0/33']", "not an address"),
        ("[a:b MATCHES '(']", "regular expression cannot be used"),
        ("[a:b MATCHES '(?=x)']", "linear time"),
        ("[a:b MATCHES '(x)\\\\1']", "linear time"),
        ("[a:b MATCHES '((((x{99}){99}){99}){99}){99}']", "too large"),
        ("[a:b_hex MATCHES '[']", "regular expression cannot be used"),
    ];
    for (text, message) in rows {
        let error = Matcher::new(&parse(text).unwrap()).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(!text[error.span].is_empty(), "{text}");
    }
    // Many regular expressions share what one pattern may take.
    let many: Vec<String> = (0..2_000).map(|number| format!("a:b MATCHES '{number}(x{{99}}){{99}}'")).collect();
    let error = Matcher::new(&parse(&format!("[{}]", many.join(" OR "))).unwrap()).unwrap_err();
    assert!(error.message.contains("too large"), "{error}");
    let stars = format!("[a:b{} = 1]", "[*]".repeat(33));
    assert!(Matcher::new(&parse(&stars).unwrap()).is_err());
}

#[test]
fn a_value_that_is_no_timestamp_is_told() {
    let documents = [observation("00:00:00", "00:00:00", 1, json!({"0": {"type": "e", "t": "noon"}}))];
    let observed = Observed::read(&documents, support::view).unwrap();
    for (text, matched) in [
        ("[e:t = t'2026-01-01T00:00:00Z']", false),
        ("[e:t != t'2026-01-01T00:00:00Z']", true),
        ("[e:t NOT > t'2026-01-01T00:00:00Z']", false),
        ("[e:t NOT IN (t'2026-01-01T00:00:00Z')]", true),
    ] {
        let outcome = compile(text).find(&observed).unwrap();
        assert_eq!(outcome.matched(), matched, "{text}");
        assert_eq!(outcome.unreadable.unwrap().to_string(), "the value of e:t is no timestamp: `noon`");
    }
}

fn series(count: usize, of: impl Fn(usize) -> (&'static str, i64)) -> Observed<'static> {
    let mut observed = Observed::new();
    for number in 0..count {
        let (name, seconds) = of(number);
        let properties = Data::Object(vec![("v".into(), Data::Text(name.into()))]);
        let place = observed.add_object(Object { id: "0".into(), object_type: "d".into(), properties });
        observed.add_observation("", Moment::at(seconds * 1_000_000), vec![place]);
    }
    observed
}

/// A budget that no quadratic search over as many observations would keep.
const LINEAR: u64 = 1_600_000;

#[test]
fn twenty_thousand_observations_are_no_burden() {
    let observed = series(20_000, |number| (if number < 10_000 { "b" } else { "a" }, number as i64));
    let rows = [
        ("[d:v = 'zz']", false),
        ("[d:v = 'a'] FOLLOWEDBY [d:v = 'b']", false),
        ("[d:v = 'b'] FOLLOWEDBY [d:v = 'a']", true),
        ("([d:v = 'b'] FOLLOWEDBY [d:v = 'a']) WITHIN .5 SECONDS", false),
        ("([d:v = 'b'] FOLLOWEDBY [d:v = 'a']) WITHIN 1 SECONDS", true),
        ("[d:v = 'a'] REPEATS 10000 TIMES", true),
        ("[d:v = 'a'] REPEATS 10001 TIMES", false),
        ("[d:v = 'a'] REPEATS 1000 TIMES WITHIN 999 SECONDS", true),
        ("[d:v = 'a'] REPEATS 1000 TIMES WITHIN 998 SECONDS", false),
        ("([d:v = 'a'] AND [d:v = 'b']) WITHIN .5 SECONDS", false),
        ("([d:v = 'a'] REPEATS 20 TIMES AND [d:v = 'b'] REPEATS 20 TIMES) WITHIN 38 SECONDS", false),
        ("([d:v = 'a'] REPEATS 20 TIMES AND [d:v = 'b'] REPEATS 20 TIMES) WITHIN 39 SECONDS", true),
        ("([d:v = 'a'] AND [d:v LIKE '_']) WITHIN .5 SECONDS", false),
        ("[d:v = 'a'] FOLLOWEDBY [d:v = 'a'] FOLLOWEDBY [d:v = 'b']", false),
        ("([d:v = 'a'] FOLLOWEDBY [d:v = 'a'] FOLLOWEDBY [d:v = 'a']) WITHIN 1 SECONDS", false),
    ];
    for (text, expected) in rows {
        let outcome = compile(text).find_within(&observed, LINEAR).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(outcome.matched(), expected, "{text}");
    }
}

#[test]
fn patterns_built_to_explode_are_answered_or_given_up() {
    let observed = series(40, |number| (if number % 3 == 0 { "b" } else { "a" }, number as i64));
    let either = vec!["([d:v = 'a'] FOLLOWEDBY [d:v = 'b'] OR [d:v = 'b'] FOLLOWEDBY [d:v = 'a'])"; 20].join(" AND ");
    let many = vec!["[d:v = 'a']"; 30].join(" AND ");
    let texts = [
        either,
        format!("({many}) WITHIN 5 SECONDS"),
        "(([d:v = 'a'] FOLLOWEDBY [d:v = 'b']) WITHIN 3 SECONDS) REPEATS 13 TIMES".to_owned(),
        "(([d:v = 'a'] FOLLOWEDBY [d:v = 'b']) WITHIN 1 SECONDS) REPEATS 14 TIMES".to_owned(),
        "((([d:v = 'a'] OR [d:v = 'b'] AND [d:v = 'a']) REPEATS 5 TIMES) REPEATS 5 TIMES) REPEATS 5 TIMES".to_owned(),
    ];
    for text in texts {
        let started = compile(&text).find_within(&observed, 1_000_000);
        if let Ok(outcome) = started {
            // What is answered is answered with observations.
            assert_eq!(outcome.matched(), !outcome.observations().is_empty(), "{text}");
        }
    }
}

#[test]
fn references_in_circles_end() {
    let count = 20;
    let ids: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let objects: serde_json::Map<String, Value> =
        ids.iter().map(|id| (id.clone(), json!({"type": "p", "of_refs": ids, "next_ref": id}))).collect();
    let documents = [observation("00:00:00", "00:00:00", 1, Value::Object(objects))];
    let text = format!("[p:{}name = 'x']", "of_refs[*].".repeat(12));
    assert!(!matches(&text, &documents));
    let text = format!("[p:{}name = 'x']", "next_ref.".repeat(5_000));
    assert!(!matches(&text, &documents));
}

#[test]
fn deep_values_are_cut() {
    fn nested(value: &usize) -> View<'_, usize> {
        // An endless list.
        let _ = value;
        static SELF: [usize; 1] = [0];
        View::List(&SELF)
    }
    let mut depth = 0;
    let mut value = &Data::read(&0, nested);
    while let Data::List(list) = value {
        value = &list[0];
        depth += 1;
    }
    assert_eq!(depth, 64);
}

/// The values that took part: path and value of every comparison that holds, of objects that meet the leaf.
#[test]
fn the_values_by_which_a_leaf_is_met() {
    let documents = sample();
    let observed = Observed::read(&documents, support::view).unwrap();
    let file = ("file:name", "foo.dll");
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("[file:name = 'foo.dll']", &[file]),
        ("[file:name = 'other.dll']", &[]),
        ("[file:name = 'foo.dll' AND file:size > 5]", &[file, ("file:size", "25536")]),
        ("[file:name = 'foo.dll' AND file:size > 50000]", &[]),
        ("[file:name = 'foo.dll' OR file:size = 1]", &[file]),
        ("[file:size = 1 OR (file:name LIKE 'foo%' AND file:size = 2)]", &[]),
        ("[file:name NOT = 'x']", &[file]),
        ("[file:name = 'foo.dll' AND EXISTS file:size]", &[file]),
        ("[file:name MATCHES '^f' AND file:name != 'x']", &[file, file]),
        (
            "[ipv4-addr:value IN ('198.51.100.7', '10.0.0.0/8')]",
            &[("ipv4-addr:value", "198.51.100.7"), ("ipv4-addr:value", "10.0.0.0/8")],
        ),
        (
            "[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']",
            &[("network-traffic:src_ref.value", "198.51.100.7")],
        ),
        (
            "[network-traffic:both_refs[*].value LIKE '%1%']",
            &[
                ("network-traffic:both_refs[*].value", "198.51.100.7"),
                ("network-traffic:both_refs[*].value", "2001:db8::1"),
            ],
        ),
        ("[artifact:key_hex = h'00ff']", &[]),
    ];
    for (text, expected) in rows {
        let (matcher, observation) = (compile(text), &observed.observations()[0]);
        let mut found = Vec::new();
        let each = &mut |path: &str, value: &Data<'_>| {
            let value = match value {
                Data::Integer(number) => number.to_string(),
                value => value.text().unwrap_or_default().to_owned(),
            };
            found.push((path.to_owned(), value));
        };
        matcher.witnesses(0, &observed, observation, each).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(found, *expected, "{text}");
        matcher.witnesses(1, &observed, observation, &mut |_, _| panic!("there is no such leaf")).unwrap();
    }
}
