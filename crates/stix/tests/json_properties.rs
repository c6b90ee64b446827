//! The tape agrees with serde_json on what JSON says, and refuses what I-JSON forbids besides.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use stix::json::{Kind, Limits, Tape, Value};

/// What a document says, by serde_json, with members in order and duplicate names refused.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Said>),
    Members(Vec<(String, Said)>),
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Said;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Said, E> {
        Ok(Said::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Said, E> {
        Ok(Said::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Said, E> {
        Ok(Said::Number(value as f64))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Said, E> {
        Ok(Said::Number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Said, E> {
        Ok(Said::Number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Said, E> {
        Ok(Said::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Said, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = from.next_element()? {
            list.push(item);
        }
        Ok(Said::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Said, A::Error> {
        let mut members: Vec<(String, Said)> = Vec::new();
        while let Some((name, value)) = from.next_entry::<String, Said>()? {
            if members.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom("duplicate name"));
            }
            members.push((name, value));
        }
        Ok(Said::Members(members))
    }
}

/// The same by the tape.
fn said(value: Value<'_>) -> Said {
    match value.kind() {
        Kind::Null => Said::Null,
        Kind::Bool => Said::Bool(value.as_bool().unwrap()),
        Kind::Integer | Kind::Float => Said::Number(value.as_f64().unwrap()),
        Kind::String => Said::Text(value.as_str().unwrap().into_owned()),
        Kind::Array => Said::List(value.items().map(said).collect()),
        Kind::Object => {
            Said::Members(value.entries().map(|(name, value)| (name.as_str().into_owned(), said(value))).collect())
        }
    }
}

/// Equal but for the last bits of numbers, which serde_json does not promise.
fn alike(one: &Said, two: &Said) -> bool {
    match (one, two) {
        (Said::Number(one), Said::Number(two)) => one == two || (one - two).abs() <= one.abs() * 1e-15,
        (Said::List(one), Said::List(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| alike(one, two))
        }
        (Said::Members(one), Said::Members(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.0 == two.0 && alike(&one.1, &two.1))
        }
        _ => one == two,
    }
}

fn check(text: &[u8]) -> Result<(), TestCaseError> {
    let expected = serde_json::from_slice::<Said>(text);
    let mut tape = Tape::new();
    match (tape.parse(text, &Limits::default()), expected) {
        (Ok(value), Ok(expected)) => prop_assert!(alike(&said(value), &expected), "{value:?} is not {expected:?}"),
        (Err(error), Err(_)) => prop_assert!(error.offset <= text.len()),
        (Ok(_), Err(other)) => prop_assert!(false, "accepted, but: {other} in {:?}", String::from_utf8_lossy(text)),
        (Err(error), Ok(_)) => prop_assert!(false, "refused: {error} in {:?}", String::from_utf8_lossy(text)),
    }
    Ok(())
}

fn white() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 2 => " {1,3}", 1 => "\n {0,80}", 1 => "[ \t\r\n]{0,5}"]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-c]{0,3}",
        2 => "[a-zA-Z0-9 {}\\[\\]:,./-]{0,90}",
        1 => "\\PC{0,4}".prop_map(|text| text.replace(['"', '\\'], "")),
        2 => prop::sample::select(vec![r#"\""#, r"\\", r"\/", r"\n", r"\u0061", r"\uD83D\uDE00", r"\u0000", r"\ud800"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,20})",
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,20}",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,3}",
    ]
}

fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        4 => string(),
        2 => number(),
        1 => prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    let spaced = (white(), scalar, white()).prop_map(|(before, text, after)| before + &text + &after);
    spaced.prop_recursive(5, 60, 8, |inner| {
        let member = (white(), string(), white(), inner.clone())
            .prop_map(|(before, name, after, value)| format!("{before}{name}{after}:{value}"));
        prop_oneof![
            (white(), prop::collection::vec(inner, 0..8)).prop_map(|(white, items)| {
                if items.is_empty() { format!("[{white}]") } else { format!("{white}[{}]{white}", items.join(",")) }
            }),
            (white(), prop::collection::vec(member, 0..8)).prop_map(|(white, members)| {
                if members.is_empty() {
                    format!("{{{white}}}")
                } else {
                    format!("{white}{{{}}}{white}", members.join(","))
                }
            }),
        ]
    })
}

/// One small change to a text.
#[derive(Clone, Debug)]
enum Change {
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Replace(usize, u8),
    Double(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let odd = prop::sample::select(b"\"\\{}[],: \n\t\r\x00\x1f0123456789.-+eEntfu/'\x7f\x80\xc3\xef\xff".to_vec());
    prop_oneof![
        (any::<usize>(), 1..4_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<usize>(), prop::collection::vec(odd.clone(), 1..3)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<usize>(), odd).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, count)| Change::Double(at, count)),
        any::<usize>().prop_map(Change::Cut),
    ]
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let place = |at: usize| at % (bytes.len() + 1);
        match change {
            Change::Remove(at, count) => {
                let start = place(*at);
                bytes.drain(start..bytes.len().min(start + count));
            }
            Change::Insert(at, more) => {
                let start = place(*at);
                bytes.splice(start..start, more.iter().copied());
            }
            Change::Replace(at, byte) => {
                let start = place(*at);
                bytes.splice(start..bytes.len().min(start + 1), [*byte]);
            }
            Change::Double(at, count) => {
                let start = place(*at);
                let piece = bytes[start..bytes.len().min(start + count)].to_vec();
                bytes.splice(start..start, piece);
            }
            Change::Cut(at) => bytes.truncate(place(*at)),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_on_documents(text in document()) {
        check(text.as_bytes())?;
    }

    #[test]
    fn agrees_on_changed_documents(text in document(), changes in prop::collection::vec(change(), 1..4)) {
        check(&changed(&text, &changes))?;
    }

    #[test]
    fn agrees_on_token_soup(soup in "(\\{|\\}|\\[|\\]|:|,|\"a\"|\"b\"|\"|\\\\|1|-|true| |\n|e|\\.){0,12}") {
        check(soup.as_bytes())?;
    }

    #[test]
    fn agrees_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_across_windows(items in prop::collection::vec(document(), 20..60), changes in prop::collection::vec(change(), 0..2)) {
        check(&changed(&format!("[{}]", items.join(",")), &changes))?;
    }
}
