//! Normal forms: the published verdicts, and that a normal form matches what its pattern matches.

#[path = "support/texts.rs"]
mod texts;

use std::io::Read;
use std::path::Path;

use pattern::{Data, MAX_TERMS, Matcher, Moment, Object, Observed, Version, equivalent, normal, parse, parse_version};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use texts::pattern_text;

#[test]
fn each_published_equivalence_is_as_recorded() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix-cases/pattern_equivalence.jsonl.gz");
    let packed = match std::fs::read(&path) {
        Ok(packed) => packed,
        Err(error) => {
            println!("skipped: no equivalences beside the project ({error})");
            return;
        }
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let version = if case["kwargs"]["stix_version"] == "2.0" { Version::V20 } else { Version::V21 };
        let read = |name: &str| parse_version(case[name].as_str().unwrap(), version).unwrap();
        let (a, b) = (read("a"), read("b"));
        cases += 1;
        if equivalent(&a, &b) != case["equivalent"].as_bool().unwrap() {
            wrong.push(format!("{a}  and  {b}\n  recorded {}\n  {}\n  {}", case["equivalent"], normal(&a), normal(&b)));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 172);
}

#[test]
fn further_equivalences() {
    let rows = [
        ("[a:b NOT = 1]", "[a:b != 1]", true),
        ("[a:b NOT != 1]", "[a:b == 1]", true),
        ("[a:b NOT IN (1, 2)]", "[a:b NOT IN (2, 1, 1)]", true),
        ("[a:b[*] NOT IN (1, 2)]", "[a:b[*] != 1 AND a:b[*] != 2]", false),
        ("[a:b NOT < 1]", "[a:b >= 1]", false),
        ("[a:b = 1.0]", "[a:b = 1]", true),
        ("[a:b = b'T6I=']", "[a:b = h'4FA2']", true),
        ("[a:b IN ()]", "[a:b = 1]", false),
        ("[a:b = 1] WITHIN 5.0 SECONDS", "[a:b = 1] WITHIN 5 SECONDS", true),
        ("[a:b = 1] REPEATS 2 TIMES WITHIN 5 SECONDS", "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES", false),
        ("[a:b = 1] OR [a:b = 2]", "[a:b = 1 OR a:b = 2]", false),
        ("[ipv4-addr:value = '10.1.2.3/8']", "[ipv4-addr:value = '10.0.0.0/8']", true),
        ("[ipv4-addr:value LIKE '10.1.2.3/8']", "[ipv4-addr:value LIKE '10.0.0.0/8']", false),
        ("[ipv6-addr:value = '2001:DB8::1']", "[ipv6-addr:value = '2001:db8:0::1/128']", true),
    ];
    for (a, b, expected) in rows {
        assert_eq!(equivalent(&parse(a).unwrap(), &parse(b).unwrap()), expected, "{a}  and  {b}");
    }
}

#[test]
fn distribution_has_a_limit() {
    let inside = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|n| format!("(a:b{n} = 1 OR a:c{n} = 1)")).collect();
        format!("[{}]", pairs.join(" AND "))
    };
    let around = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|n| format!("([a:b{n} = 1] OR [a:c{n} = 1])")).collect();
        pairs.join(" FOLLOWEDBY ")
    };
    for text in [inside(20), around(20)] {
        let pattern = parse(&text).unwrap();
        assert!(normal(&pattern).to_string().len() < 1_000 * MAX_TERMS);
        assert!(equivalent(&pattern, &pattern));
    }
    let many: Vec<String> = (0..5_000).map(|n| format!("'{n}'")).collect();
    let set = parse(&format!("[a:b IN ({})]", many.join(", "))).unwrap();
    let or: Vec<String> = many.iter().rev().map(|text| format!("a:b = {text}")).collect();
    assert!(equivalent(&set, &parse(&format!("[{}]", or.join(" OR "))).unwrap()));
}

fn observed() -> impl Strategy<Value = Observed<'static>> {
    let value = || 1..4_i64;
    let object = ("[ab]", proptest::option::of(value()), proptest::option::of(value()), vec(value(), 0..3));
    vec((0..4_i64, vec(object, 1..3)), 0..5).prop_map(|observations| {
        let mut observed = Observed::new();
        for (second, objects) in observations {
            let mut places = Vec::new();
            for (object_type, c, d, e) in objects {
                let mut properties = vec![("e".into(), Data::List(e.into_iter().map(Data::Integer).collect()))];
                properties.extend(c.map(|c| ("c".into(), Data::Integer(c))));
                properties.extend(d.map(|d| ("d".into(), Data::Integer(d))));
                let id = places.len().to_string().into();
                let properties = Data::Object(properties);
                places.push(observed.add_object(Object { id, object_type: object_type.into(), properties }));
            }
            observed.add_observation("", Moment::at(second * 1_000_000), places);
        }
        observed
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_normal_form_matches_what_its_pattern_matches(text in pattern_text(), observed in observed()) {
        let pattern = parse(&text).unwrap();
        let form = normal(&pattern);
        let printed = form.to_string();
        prop_assert_eq!(&parse(&printed).unwrap(), &form, "{}", printed);
        prop_assert_eq!(&normal(&form), &form, "{}", printed);
        let matched = |pattern| Matcher::new(pattern).unwrap().find(&observed).unwrap().matched();
        prop_assert_eq!(matched(&pattern), matched(&form), "{} and {}", text, printed);
    }
}
