use super::*;
use crate::sample::{NOW, card, keys, ring};
use crate::signed::read;
use crate::trust::Standing;
use proptest::prelude::*;
use serde_json::json;

const ID: &str = "indicator--00000000-0000-4000-8000-000000000001";
const VERSION: &str = "2026-01-02T03:04:05.678Z";

fn object(name: &str) -> Vec<u8> {
    let object = json!({
        "type": "indicator", "spec_version": "2.1", "id": ID, "created": VERSION, "modified": VERSION, "name": name,
        "pattern": "[file:name = 'a']", "pattern_type": "stix", "valid_from": VERSION, "confidence": 50,
        "object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
    });
    object.to_string().into_bytes()
}

fn sealed(object: &[u8], handling: Option<Value>, number: u8) -> Unverified {
    let seal = seal(object, ID, Some(VERSION), handling, &keys(number), &Limits::default()).unwrap();
    read(&seal).unwrap()
}

fn check(object: &[u8], seal: &Unverified) -> Result<Verified, Error> {
    verify(object, seal, &ring(), NOW, &Limits::default())
}

#[test]
fn what_was_sealed_verifies_with_its_limits() {
    let handling = json!({"audience": ["community"], "expires": NOW});
    let verified = check(&object("a"), &sealed(&object("a"), Some(handling.clone()), 2)).unwrap();
    assert_eq!((verified.organisation(), verified.object_ref(), verified.version()), ("two", ID, Some(VERSION)));
    assert_eq!(verified.handling(), Some(&handling));
    assert_eq!(*verified.digest(), crate::signed::digest(&object("a"), &Limits::default()).unwrap());
    assert_eq!(check(&object("a"), &sealed(&object("a"), None, 3)).unwrap().handling(), None);
}

#[test]
fn a_seal_is_one_and_the_same_each_time() {
    let again = || seal(&object("a"), ID, Some(VERSION), None, &keys(2), &Limits::default()).unwrap();
    assert_eq!(again(), again());
}

#[test]
fn one_without_versions_is_sealed_as_well() {
    let id = "ipv4-addr--00000000-0000-5000-8000-000000000001";
    let object = json!({"type": "ipv4-addr", "spec_version": "2.1", "id": id, "value": "192.0.2.1"}).to_string();
    let limits = Limits::default();
    let sealed = read(&seal(object.as_bytes(), id, None, None, &keys(2), &limits).unwrap()).unwrap();
    assert_eq!(sealed.at(), crate::signed::NO_TIME);
    assert_eq!(check(object.as_bytes(), &sealed).unwrap().version(), None);
    // `created` alone is the version of a marking definition.
    let id = "marking-definition--00000000-0000-4000-8000-000000000001";
    let marking =
        json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": VERSION}).to_string();
    let sealed = read(&seal(marking.as_bytes(), id, Some(VERSION), None, &keys(2), &limits).unwrap()).unwrap();
    assert_eq!(check(marking.as_bytes(), &sealed).unwrap().version(), Some(VERSION));
}

#[test]
fn what_is_not_the_object_is_not_sealed() {
    let seal = |object: &[u8], id, version| seal(object, id, version, None, &keys(2), &Limits::default());
    assert_eq!(seal(&object("a"), "indicator--x", Some(VERSION)), Err(Error::Other("it has another id")));
    assert_eq!(seal(&object("a"), ID, None), Err(Error::Other("it is another version")));
    assert!(matches!(seal(b"{", ID, Some(VERSION)), Err(Error::Form { kind: "object", .. })));
}

#[test]
fn spacing_order_and_spelling_of_the_object_do_not_matter() {
    let seal = sealed(&object("é"), None, 2);
    let value: Value = serde_json::from_slice(&object("é")).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let escaped = pretty.replace('é', "\\u00e9").replace("50", "5.0e1");
    let backwards: Vec<String> =
        value.as_object().unwrap().iter().rev().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    for text in [pretty, escaped, format!("{{ {} }}", backwards.join(" , "))] {
        assert!(check(text.as_bytes(), &seal).is_ok(), "{text}");
    }
}

#[test]
fn a_seal_of_something_else_is_none() {
    let seal = sealed(&object("a"), None, 2);
    let altered = |from: &str, to: &str| String::from_utf8(object("a")).unwrap().replacen(from, to, 1).into_bytes();
    for (object, why) in [
        (altered(ID, "indicator--00000000-0000-4000-8000-000000000002"), "it is of another object"),
        (
            altered(&format!("\"modified\":\"{VERSION}"), "\"modified\":\"2027-01-02T03:04:05.678Z"),
            "it is of another version",
        ),
        (object("b"), "the content was altered"),
        // A marking taken off, a property added.
        (
            altered(",\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"]", ""),
            "the content was altered",
        ),
        (altered("\"name\"", "\"x_more\":1,\"name\""), "the content was altered"),
    ] {
        assert_ne!(object, self::object("a"), "{why}");
        assert_eq!(check(&object, &seal), Err(Error::Other(why)));
    }
    assert!(matches!(check(b"{}{}", &seal), Err(Error::Form { kind: "object", .. })));
    assert_eq!(check(&object("a"), &sealed(&object("a"), None, 4)), Err(Error::Key(keys(4).public().id())));
}

#[test]
fn a_bent_seal_is_none() {
    let text =
        seal(&object("a"), ID, Some(VERSION), Some(json!({"expires": 5})), &keys(2), &Limits::default()).unwrap();
    let said: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    let bend = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut said = said.clone();
        change(&mut said);
        said.remove("signature");
        // Signed again by another key under the name of the first, with the id that follows.
        let kind = Kind::of(said["type"].as_str().unwrap()).unwrap();
        let body = said
            .into_iter()
            .filter(|(name, _)| ["object_ref", "digest", "handling", "colour"].contains(&name.as_str()));
        let forged = sign(kind, Some(VERSION), body.collect(), &keys(9));
        let mut forged: Map<String, Value> = serde_json::from_slice(&forged).unwrap();
        forged.insert("key".into(), keys(2).public().id().as_str().into());
        forged.remove("signature");
        let id = forged.remove("id");
        let mut canonical = Vec::new();
        let rest = serde_json::to_vec(&forged).unwrap();
        stix::canonical::write(Tape::new().parse(&rest, &Limits::default()).unwrap(), &mut canonical);
        forged.insert("id".into(), crate::signed::id_of(kind, &canonical).into());
        forged.insert("signature".into(), self::said_signature(&text));
        drop(id);
        check(&object("a"), &read(&serde_json::to_vec(&forged).unwrap()).unwrap())
    };
    assert_eq!(bend(&|_| {}).unwrap().handling(), Some(&json!({"expires": 5})));
    let put = |name: &'static str, value: Value| {
        move |said: &mut Map<String, Value>| drop(said.insert(name.into(), value.clone()))
    };
    assert_eq!(bend(&put("handling", json!({"expires": 6}))), Err(Error::Signature));
    assert_eq!(bend(&|said| drop(said.remove("handling"))), Err(Error::Signature));
    for (name, value) in [
        ("handling", json!("all")),
        ("digest", json!("AAAA")),
        ("object_ref", json!("nothing")),
        ("colour", json!("red")),
        ("type", json!("marsad-recall")),
    ] {
        assert!(matches!(bend(&put(name, value)), Err(Error::Form { .. })), "{name}");
    }
    let other = put("object_ref", json!("indicator--00000000-0000-4000-8000-000000000002"));
    assert_eq!(bend(&other), Err(Error::Other("it is of another object")));
}

fn said_signature(text: &[u8]) -> Value {
    serde_json::from_slice::<Value>(text).unwrap()["signature"].clone()
}

#[test]
fn a_seal_by_a_revoked_key_is_none() {
    let ring = Keyring::new(None, vec![("two".into(), card(2), Standing::Revoked)]);
    let verdict = verify(&object("a"), &sealed(&object("a"), None, 2), &ring, NOW, &Limits::default());
    assert!(verdict.unwrap_err().to_string().contains("revoked"));
}

fn nothing() -> Content {
    Content(Arc::new(Inside { id: String::new(), version: None, digest: [0; 32] }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Together as alone, whatever was done to the objects and the seals.
    #[test]
    fn together_as_alone(
        made in prop::collection::vec((1..5_u8, 0..6_u8, any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let ring = ring();
        let limits = Limits::default();
        let pairs: Vec<(Vec<u8>, Option<Unverified>)> = made
            .iter()
            .enumerate()
            .map(|(number, (who, harm, at, byte))| {
                let mut object = object(&format!("object {number}"));
                let mut text = seal(&object, ID, Some(VERSION), None, &keys(*who), &limits).unwrap();
                match harm {
                    0 => *at.get_mut(&mut object) = *byte,
                    1 => *at.get_mut(&mut text) = *byte,
                    2 => {
                        // Another's signature: well-formed, and wrong.
                        let other = seal(&object, ID, Some(VERSION), None, &keys(7), &limits).unwrap();
                        let mut said: Value = serde_json::from_slice(&text).unwrap();
                        said["signature"] = said_signature(&other);
                        text = said.to_string().into_bytes();
                    }
                    _ => {}
                }
                (object, read(&text).ok())
            })
            .collect();
        let pairs: Vec<(&[u8], &Unverified)> =
            pairs.iter().filter_map(|(object, seal)| Some((object.as_slice(), seal.as_ref()?))).collect();
        let alone: Vec<_> = pairs.iter().map(|(object, seal)| verify(object, seal, &ring, NOW, &limits)).collect();
        let contents: Vec<Content> =
            pairs.iter().map(|(object, _)| Content::read(object, &limits).unwrap_or_else(|_| nothing())).collect();
        let pairs: Vec<(&Content, &Unverified)> =
            contents.iter().zip(&pairs).map(|(content, (_, seal))| (content, *seal)).collect();
        for (together, alone) in verify_all(&pairs, &ring, NOW).into_iter().zip(alone) {
            match alone {
                // What is no object has no content that could be compared.
                Err(Error::Form { kind: "object", .. }) => prop_assert!(together.is_err()),
                alone => prop_assert_eq!(together, alone),
            }
        }
    }
}
