use super::*;
use crate::sample::{NOW, identity, keys, ring};
use crate::signed::read as read_statement;

const AT: &str = "2026-01-02T03:04:05.678Z";

fn said(number: u8) -> Said {
    Said {
        digest: [number; 32],
        path: (0..number).map(identity).collect(),
        reliability: Some('B').filter(|_| number.is_multiple_of(2)),
        credibility: Some(3).filter(|_| number.is_multiple_of(3)),
        handling: Some(json!({"expires": 1})).filter(|_| number.is_multiple_of(4)),
    }
}

#[test]
fn what_is_said_is_read_and_signed() {
    let all: Vec<Said> = (0..9).map(said).collect();
    let statement = read_statement(&sign(&all, AT, &keys(2))).unwrap();
    assert_eq!(read(&statement).unwrap(), all);
    assert_eq!((statement.at(), statement.verify(&ring(), NOW).unwrap().organisation), (AT, "two"));
    assert_eq!(read(&read_statement(&sign(&[], AT, &keys(2))).unwrap()), Ok(Vec::new()));
}

#[test]
fn what_has_another_form_is_refused() {
    let digest = URL_SAFE_NO_PAD.encode([1; 32]);
    let good = json!({"digest": digest, "path": [identity(1)], "reliability": "A", "credibility": 1});
    let with = |objects: Value| {
        let body = Map::from_iter([("objects".to_owned(), objects)]);
        read(&read_statement(&sign_statement(Kind::Envelope, Some(AT), body, &keys(2))).unwrap())
    };
    let put = |name: &str, value: Value| {
        let mut entry = good.clone();
        entry[name] = value;
        with(json!([entry]))
    };
    assert!(with(json!([good])).is_ok());
    let long: Vec<String> = (0..=64).map(identity).collect();
    for (name, value) in [
        ("digest", json!("AAAA")),
        ("digest", json!(null)),
        ("path", json!("x")),
        ("path", json!(["x"])),
        ("path", json!(["indicator--00000000-0000-4000-8000-000000000001"])),
        ("path", json!(long)),
        ("reliability", json!("G")),
        ("reliability", json!("a")),
        ("reliability", json!("")),
        ("reliability", json!("AB")),
        ("reliability", json!(1)),
        ("credibility", json!(0)),
        ("credibility", json!(7)),
        ("credibility", json!(1.5)),
        ("credibility", json!("1")),
        ("colour", json!("red")),
    ] {
        assert!(matches!(put(name, value.clone()), Err(Error::Form { kind: "marsad-envelope", .. })), "{name} {value}");
    }
    for objects in [json!(null), json!({}), json!(["x"]), Value::Array(vec![good.clone(); MOST_OBJECTS + 1])] {
        assert!(matches!(with(objects), Err(Error::Form { .. })));
    }
    let other = read_statement(&sign_statement(Kind::Recall, Some(AT), Map::new(), &keys(2))).unwrap();
    assert_eq!(read(&other).unwrap_err().to_string(), "not a marsad-envelope: it is a marsad-recall");
}
