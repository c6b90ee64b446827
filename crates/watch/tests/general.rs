//! General patterns over a stream: what the index and the states answer is what matching one pattern after the other
//! over everything so far answers.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use pattern::{Data, Matcher, Moment, Object, Observed, Pattern, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use watch::general::{Bound, General, Limits, Match, Witness, show};
use watch::{Field, Meaning};

type Event = (u64, i64, Vec<(String, Vec<(String, Data<'static>)>)>);

fn observed<'e>(events: impl Iterator<Item = &'e Event>) -> Observed<'static> {
    let mut observed = Observed::new();
    for (_, second, objects) in events {
        let mut places = Vec::new();
        for (number, (object_type, properties)) in objects.iter().enumerate() {
            places.push(observed.add_object(Object {
                id: number.to_string().into(),
                object_type: object_type.clone().into(),
                properties: Data::Object(properties.iter().map(|(n, v)| (n.clone().into(), v.clone())).collect()),
            }));
        }
        observed.add_observation("", Moment::at(second * 1_000_000), places);
    }
    observed
}

fn compile(texts: &[String], limits: Limits) -> (Vec<Pattern>, General) {
    let patterns: Vec<Pattern> = texts.iter().map(|text| parse(text).unwrap()).collect();
    let (general, refused) = General::new((0_u64..).zip(&patterns), limits);
    assert_eq!(refused, []);
    (patterns, general)
}

/// For each event the patterns that became true by it.
fn by_general(general: &mut General, events: &[Event]) -> Vec<Vec<Match>> {
    let one = |(token, event): (usize, &Event)| {
        let mut matches = Vec::new();
        general.observe(event.0, token as u64, &observed(std::iter::once(event)), &mut |found| matches.push(found));
        matches.sort_by_key(|found| found.name);
        matches
    };
    events.iter().enumerate().map(one).collect()
}

/// The same, by matching every pattern with all events of the entity since it last matched.
fn one_by_one(patterns: &[Pattern], events: &[Event]) -> Vec<Vec<u64>> {
    let matchers: Vec<Matcher> = patterns.iter().map(|pattern| Matcher::new(pattern).unwrap()).collect();
    let mut since: BTreeMap<(u64, usize), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for (place, (entity, ..)) in events.iter().enumerate() {
        let mut names = Vec::new();
        for (number, matcher) in matchers.iter().enumerate() {
            let since = since.entry((*entity, number)).or_default();
            let own = events[*since..=place].iter().filter(|event| event.0 == *entity);
            if matcher.find(&observed(own)).unwrap().matched() {
                names.push(number as u64);
                *since = place + 1;
            }
        }
        all.push(names);
    }
    all
}

fn test() -> impl Strategy<Value = String> {
    let text = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop_oneof![
        4 => (text.clone(), prop_oneof![Just("d:v"), Just("d:w[*]"), Just("f:v"), Just("f:of_ref.v"), Just("f:to_refs[*].v")])
            .prop_map(|(text, path)| format!("{path} = '{text}'")),
        1 => (text, prop_oneof![Just("!="), Just("LIKE"), Just("NOT ="), Just(">")])
            .prop_map(|(text, operator)| format!("d:v {operator} '{text}'")),
        1 => (0..3_i64).prop_map(|number| format!("d:n = {number}.0")),
        1 => (0..3_i64).prop_map(|number| format!("f:n IN (7, {number})")),
        1 => Just("d:k_hex = 'a'".to_owned()),
        1 => Just("d:k_hex = b'YQ=='".to_owned()),
        1 => Just("d:v = h'61'".to_owned()),
        1 => Just("d:w[1] = 'b'".to_owned()),
        1 => Just("EXISTS f:of_ref".to_owned()),
        1 => (0..=32_u8).prop_map(|prefix| format!("d:ip ISSUBSET '10.1.2.3/{prefix}'")),
        1 => Just("d:ip ISSUPERSET '10.1.2.3'".to_owned()),
        1 => Just("d:t = t'2026-01-01T00:00:00Z'".to_owned()),
    ]
}

fn pattern_text() -> impl Strategy<Value = String> {
    let comparison = vec(test(), 1..3).prop_flat_map(|tests| {
        prop_oneof![Just(tests.join(" AND ")), Just(tests.join(" OR "))].prop_map(|text| format!("[{text}]"))
    });
    comparison.prop_recursive(2, 4, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" AND "))),
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" OR "))),
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" FOLLOWEDBY "))),
            (inner.clone(), 1..3).prop_map(|(text, times)| format!("({text}) REPEATS {times} TIMES")),
            (inner, 1..3).prop_map(|(text, seconds)| format!("({text}) WITHIN {seconds} SECONDS")),
        ]
    })
}

fn text() -> impl Strategy<Value = Data<'static>> {
    prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(|text| Data::Text(text.into()))
}

fn event() -> impl Strategy<Value = Event> {
    let address = prop_oneof![Just("10.1.2.3"), Just("10.1.9.9"), Just("10.0.0.0/8"), Just("here")];
    let property = prop_oneof![
        3 => text().prop_map(|value| ("v".to_owned(), value)),
        1 => vec(text(), 0..3).prop_map(|list| ("w".to_owned(), Data::List(list))),
        1 => (0..3_i64).prop_map(|number| ("n".to_owned(), Data::Integer(number))),
        1 => Just(("k_hex".to_owned(), Data::Text("61".into()))),
        1 => prop_oneof![Just("0"), Just("1")].prop_map(|id| ("of_ref".to_owned(), Data::Text(id.into()))),
        1 => vec(prop_oneof![Just("0"), Just("1"), Just("9")], 0..3).prop_map(|ids| {
            ("to_refs".to_owned(), Data::List(ids.into_iter().map(|id| Data::Text(id.into())).collect()))
        }),
        1 => address.prop_map(|text| ("ip".to_owned(), Data::Text(text.into()))),
        1 => Just(("t".to_owned(), Data::Text("2026-01-01T00:00:00.000Z".into()))),
    ];
    let properties = vec(property, 0..5).prop_map(|mut properties| {
        properties.sort_by(|a, b| a.0.cmp(&b.0));
        properties.dedup_by(|a, b| a.0 == b.0);
        properties
    });
    let object = (prop_oneof![Just("d"), Just("f")].prop_map(str::to_owned), properties);
    (0..2_u64, 0..3_i64, vec(object, 1..3))
}

fn stream() -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 0..12).prop_map(|mut events| {
        // Time goes on, by what was drawn.
        let mut now = 0;
        for event in &mut events {
            now += event.1;
            event.1 = now;
        }
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn general_patterns_are_those_that_match_one_by_one(texts in vec(pattern_text(), 1..12), events in stream()) {
        let (patterns, mut general) = compile(&texts, Limits::default());
        let names: Vec<Vec<u64>> = by_general(&mut general, &events)
            .into_iter()
            .map(|matches| matches.into_iter().map(|found| found.name).collect())
            .collect();
        prop_assert_eq!(names, one_by_one(&patterns, &events), "{:?}", texts);
        let report = general.report();
        prop_assert_eq!((report.forgotten, report.dropped, report.exhausted), (0, 0, 0));
    }
}

fn domain(entity: u64, second: i64, name: &str) -> Event {
    (entity, second, vec![("domain-name".to_owned(), vec![("value".to_owned(), Data::Text(name.to_owned().into()))])])
}

#[test]
fn a_match_names_its_observations_and_starts_afresh() {
    let text = "([domain-name:value = 'a'] FOLLOWEDBY [domain-name:value = 'b']) WITHIN 10 SECONDS".to_owned();
    let (_, mut general) = compile(&[text], Limits::default());
    let events = [
        domain(1, 0, "a"),
        domain(2, 1, "b"),
        domain(1, 5, "x"),
        domain(1, 9, "b"),
        domain(1, 10, "b"),
        domain(1, 20, "a"),
        domain(1, 31, "b"),
    ];
    let found: Vec<Match> = by_general(&mut general, &events).concat();
    let value = |value: &str| Bound { field: "".into(), value: value.into() };
    let witness = |value: &str| Witness { kind: observable::Kind::Domain, value: value.into(), is_named: true };
    let (bound, witnesses) = (vec![value("a"), value("b")], vec![witness("a"), witness("b")]);
    assert_eq!(found, [Match { name: 0, observations: vec![0, 3], bound, witnesses }]);
}

#[test]
fn broken_patterns_are_refused_and_the_others_stay() {
    let texts = ["[a:b MATCHES '(?=x)']", "[a:b = 'x']", "[a:b ISSUBSET 'x']"];
    let patterns: Vec<Pattern> = texts.iter().map(|text| parse(text).unwrap()).collect();
    let (general, refused) = General::new((10_u64..).zip(&patterns), Limits::default());
    assert_eq!(refused.iter().map(|refused| refused.name).collect::<Vec<_>>(), [10, 12]);
    assert_eq!((general.report().patterns, general.report().leaves), (1, 1));
}

#[test]
fn the_same_event_for_ever_is_bounded() {
    let texts = [
        "[domain-name:value = 'a'] FOLLOWEDBY [domain-name:value = 'b']".to_owned(),
        "[domain-name:value = 'a'] REPEATS 100 TIMES".to_owned(),
        "[domain-name:value = 'a'] REPEATS 9007199254740991 TIMES".to_owned(),
    ];
    let limits = Limits { states: 100, kept: 10, ..Limits::default() };
    let (_, mut general) = compile(&texts, limits);
    let mut found = Vec::new();
    for number in 0..1_000_u32 {
        let event = domain(u64::from(number % 2), i64::from(number), "a");
        found.extend(by_general(&mut general, &[event]).concat().into_iter().map(|found| found.name));
    }
    assert_eq!(found, vec![1; 10], "each entity repeats it 500 times");
    assert!(general.report().dropped > 900);
    for entity in 0..10_000 {
        by_general(&mut general, &[domain(entity, 2_000, "a")]);
    }
    let report = general.report();
    assert!(report.states <= 100 && report.forgotten > 20_000, "{report:?}");
}

#[test]
fn what_cannot_be_indexed_is_told() {
    let texts = [
        "[url:value = 'x' AND url:value LIKE 'x%']".to_owned(),
        "[url:value LIKE 'x%']".to_owned(),
        "[url:value != 'x']".to_owned(),
        "[ipv4-addr:value ISSUBSET '10.0.0.0/8']".to_owned(),
        format!("[a:{}b = 1]", "c.".repeat(60)),
    ];
    let (_, general) = compile(&texts, Limits::default());
    assert_eq!((general.report().leaves, general.report().unindexed), (5, 3));
}

#[test]
fn references_in_circles_end() {
    let text = format!("[p:{}name = 'x']", "of_refs[*].".repeat(12));
    let (_, mut general) = compile(&[text], Limits::default());
    let ids: Vec<Data> = (0..40).map(|id: u8| Data::Text(id.to_string().into())).collect();
    let object = ("p".to_owned(), vec![("of_refs".to_owned(), Data::List(ids))]);
    by_general(&mut general, &[(0, 0, vec![object; 40])]);
    assert_eq!(general.report().exhausted, 1);
}

#[test]
fn an_event_shows_the_objects_that_patterns_speak_of() {
    let field = |name, meaning, value: &'static str| Field { name, meaning, value: value.as_bytes() };
    let fields = [
        field("id.orig_h", Meaning::Address, "::ffff:10.1.2.3"),
        field("id.resp_h", Meaning::Address, "2001:DB8::1"),
        field("host", Meaning::Host, "Portal.Example.:8080"),
        field("answers", Meaning::Answer, "198.51.100.7"),
        field("answers", Meaning::Answer, "no address, and no name either"),
        field("uri", Meaning::Url, "http://portal.example/a"),
        field("user_agent", Meaning::UserAgent, "curl/8"),
        field("filename", Meaning::FileName, "a.exe"),
        field("md5", Meaning::Digest, "D41D8CD98F00B204E9800998ECF8427E"),
        field("filename", Meaning::FileName, "b.exe"),
        field("sha1", Meaning::Digest, "not a digest"),
        field("fingerprint", Meaning::Certificate, "da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09"),
        field("certificate.subject", Meaning::DistinguishedName, "CN=portal.example"),
        field("orig_l2_addr", Meaning::Mac, "00-0A-95-9D-68-16"),
        field("asn", Meaning::AutonomousSystem, "AS64500"),
        field("subject", Meaning::Subject, "Invoice"),
        field("msg", Meaning::Text, "portal.example"),
    ];
    let event = watch::Event { line: 7, raw: b"", time: None, fields: &fields };
    let mut observed = Observed::new();
    show(&event, 5_000_000, &mut observed);
    let rows = [
        ("[network-traffic:src_ref.value = '10.1.2.3' AND network-traffic:dst_ref.value = '2001:db8::1']", true),
        ("[network-traffic:src_ref.type = 'ipv4-addr' OR network-traffic:src_ref.value ISSUBSET '10.0.0.0/8']", true),
        ("[domain-name:value = 'portal.example']", true),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", true),
        ("[url:value LIKE 'http://portal%']", true),
        ("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'curl/8']", true),
        ("[file:name = 'a.exe' AND file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", true),
        ("[file:name = 'b.exe' AND EXISTS file:hashes]", false),
        ("[file:name = 'b.exe']", true),
        ("[x509-certificate:hashes.'SHA-1' LIKE 'da39%' AND x509-certificate:subject = 'CN=portal.example']", true),
        ("[mac-addr:value = '00:0a:95:9d:68:16']", true),
        ("[autonomous-system:number = 64500]", true),
        ("[email-message:subject = 'Invoice']", true),
        ("[ipv4-addr:value = '198.51.100.7'] START t'1970-01-01T00:00:05Z' STOP t'1970-01-01T00:00:06Z'", true),
        ("[user-account:account_login != '']", false),
    ];
    for (text, expected) in rows {
        let matcher = Matcher::new(&parse(text).unwrap()).unwrap();
        assert_eq!(matcher.find(&observed).unwrap().matched(), expected, "{text}");
    }
    assert_eq!(observed.observations()[0].id, "7");
}
