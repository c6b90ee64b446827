use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::json::{Limits, Tape};
use crate::published;

fn canonical(text: &[u8]) -> String {
    let mut tape = Tape::new();
    let mut out = Vec::new();
    write(tape.parse(text, &Limits::default()).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

/// RFC 8785 §3.2.2.2.
#[test]
fn strings_have_the_escapes_that_they_must_have() {
    for (text, expected) in [
        (r#""plain /""#, r#""plain /""#),
        (r#""\/\u002f""#, r#""//""#),
        (r#""\u20ac\ud83d\ude00""#, "\"€😀\""),
        (r#""\u0000\u0007\u0008\u0009\u000A\u000b\u000C\u000d\u001F""#, r#""\u0000\u0007\b\t\n\u000b\f\r\u001f""#),
        (r#""\u0022\u005c\u007f""#, "\"\\\"\\\\\u{7f}\""),
        (r#""الراصد\u2028""#, "\"الراصد\u{2028}\""),
    ] {
        assert_eq!(canonical(text.as_bytes()), expected, "{text}");
    }
}

/// RFC 8785 §3.2.2.3: the boundaries of each form of ECMAScript's number to string.
#[test]
fn numbers_are_ecmascript() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("-1e0", "-1"),
        ("15e-1", "1.5"),
        ("100", "100"),
        ("123e18", "123000000000000000000"),
        ("999999999999999900000", "999999999999999900000"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("-1.5e21", "-1.5e+21"),
        ("0.1", "0.1"),
        // Two shortest decimals are equally near: the even one.
        ("143229899482770.625", "143229899482770.62"),
        ("-96415179484660.125", "-96415179484660.12"),
        ("143229899482770.375", "143229899482770.38"),
        ("0.000001", "0.000001"),
        ("0.00000123", "0.00000123"),
        ("0.0000001", "1e-7"),
        ("12.5e-8", "1.25e-7"),
        ("9007199254740993", "9007199254740992"),
        ("333333333.33333329", "333333333.3333333"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"),
        ("1e-400", "0"),
        ("4.35", "4.35"),
        ("1e23", "1e+23"),
    ] {
        assert_eq!(canonical(text.as_bytes()), expected, "{text}");
    }
    let mut out = Vec::new();
    number(f64::NAN, &mut out);
    assert_eq!(out, b"null");
}

/// RFC 8785 §3.2.3: names by UTF-16 code units, so that a surrogate pair comes before U+FB33.
#[test]
fn members_are_in_order() {
    let text = "{\"\u{fb33}\":1,\"1\":2,\"😀\":3,\"\\r\":4,\"é\":5,\"€\":6,\"\":7,\"aa\":8,\"a\":[{\"y\":0,\"x\":0}]}";
    let expected =
        "{\"\":7,\"\\r\":4,\"1\":2,\"a\":[{\"x\":0,\"y\":0}],\"aa\":8,\"é\":5,\"€\":6,\"😀\":3,\"\u{fb33}\":1}";
    assert_eq!(canonical(text.as_bytes()), expected);
}

#[test]
fn published_cases() {
    for case in published::cases("stix-cases/canonicalize_cases.jsonl.gz").unwrap_or_default() {
        let text = case["args"][0].to_string();
        assert_eq!(Some(canonical(text.as_bytes()).as_str()), case["result"].as_str(), "{}", case["id"]);
    }
}

#[test]
fn equivalence_table() {
    for (one, two, expected) in [
        (r#"{"a":1,"b":[2]}"#, r#" { "b" : [ 2.0 ], "a" : 1e0 } "#, true),
        (r#"{"a":"\u00e9","b":null}"#, r#"{"a":"é","b":null}"#, true),
        (r#"{"\u0061":1}"#, r#"{"a":1}"#, true),
        (r#"{"a":0}"#, r#"{"a":-0.0}"#, true),
        (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#, true),
        (r#"{"a":1,"c":3,"b":2}"#, r#"{"a":1,"b":2,"c":3}"#, true),
        (r#"{"a":1,"c":3,"b":2}"#, r#"{"a":1,"b":3,"c":2}"#, false),
        (r#"{"a":1}"#, r#"{"a":2}"#, false),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, false),
        (r#"{"a":1}"#, r#"{"b":1}"#, false),
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#, false),
        (r#"{"a":{}}"#, r#"{"a":[]}"#, false),
        (r#"[1,2]"#, r#"[2,1]"#, false),
        (r#"[true]"#, r#"[false]"#, false),
        (r#"["a"]"#, r#"["A"]"#, false),
        ("{", "{", true),
        ("{", "[", false),
        ("{}", "{", false),
    ] {
        assert_eq!(equivalent(one.as_bytes(), two.as_bytes()), expected, "{one} and {two}");
        assert_eq!(equivalent(two.as_bytes(), one.as_bytes()), expected, "{two} and {one}");
    }
}

fn json() -> impl Strategy<Value = Json> {
    let text = prop_oneof!["[a-c]{0,2}", "\\PC{0,5}", "[\u{0}-\u{ff}\u{d000}-\u{ffff}\u{10000}-\u{10010}]{0,3}"];
    let scalar = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text.clone().prop_map(Json::from),
    ];
    scalar.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// The same document, spelled with its members backwards and every character escaped.
fn respelled(value: &Json) -> String {
    let text = |text: &str| {
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        format!("\"{units}\"")
    };
    match value {
        Json::String(plain) => text(plain),
        Json::Array(items) => format!("[ {} ]", items.iter().map(respelled).collect::<Vec<_>>().join(" , ")),
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().rev().map(|(name, value)| format!("{}:\n{}", text(name), respelled(value))).collect();
            format!("{{{}}}", members.join("\t,"))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_reference(value in json()) {
        let text = value.to_string();
        let expected = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(&canonical(text.as_bytes()), &expected);
        prop_assert_eq!(&canonical(respelled(&value).as_bytes()), &expected);
        prop_assert_eq!(&canonical(expected.as_bytes()), &expected);
        prop_assert!(equivalent(text.as_bytes(), respelled(&value).as_bytes()));
    }

    #[test]
    fn numbers_agree_with_the_reference(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        if value.is_finite() {
            let mut out = Vec::new();
            number(value, &mut out);
            let expected = serde_json_canonicalizer::to_string(&json!(value)).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn equivalent_is_the_same_canonical_form(one in json(), two in json()) {
        let same = canonical(one.to_string().as_bytes()) == canonical(two.to_string().as_bytes());
        prop_assert_eq!(equivalent(one.to_string().as_bytes(), two.to_string().as_bytes()), same);
    }

    #[test]
    fn names_are_ordered_by_code_units(one in "[a\u{e9}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
                                       two in "[a\u{e9}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}") {
        prop_assert_eq!(order(&one, &two), one.encode_utf16().cmp(two.encode_utf16()));
    }
}
