use super::*;
use crate::sample::{NOW, keys, ring};
use crate::signed::read as read_statement;

const ID: &str = "indicator--00000000-0000-4000-8000-000000000001";
const AT: &str = "2026-01-02T03:04:05.678Z";
const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";

fn recall(act: Act) -> Recall {
    let narrows = act == Act::Narrow;
    Recall {
        object: ID.into(),
        versions: None,
        act,
        tlp: narrows.then(|| RED.into()),
        handling: narrows.then(|| json!({"audience": ["organisation"]})),
        at: AT.into(),
    }
}

#[test]
fn what_is_said_is_read_and_signed() {
    for act in Act::ALL {
        let some = Some(vec![AT.to_owned(), "2026-01-02T03:04:05.6789Z".to_owned()]);
        for versions in [None, some] {
            let recall = Recall { versions, ..recall(act) };
            let statement = read_statement(&recall.sign(&keys(2))).unwrap();
            assert_eq!(Recall::read(&statement).unwrap(), recall);
            assert_eq!(statement.verify(&ring(), NOW).unwrap().organisation, "two");
        }
        assert_eq!(Act::of(act.name()), Some(act));
    }
    for one in [Recall { tlp: None, ..recall(Act::Narrow) }, Recall { handling: None, ..recall(Act::Narrow) }] {
        assert_eq!(Recall::read(&read_statement(&one.sign(&keys(2))).unwrap()), Ok(one));
    }
}

#[test]
fn what_has_another_form_is_refused() {
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut body = Map::new();
        body.insert("object_ref".into(), ID.into());
        body.insert("act".into(), "delete".into());
        change(&mut body);
        Recall::read(&read_statement(&sign_statement(Kind::Recall, Some(AT), body, &keys(2))).unwrap())
    };
    assert!(with(&|_| {}).is_ok());
    let versions = vec![json!(AT); MOST_VERSIONS + 1];
    for (name, value) in [
        ("object_ref", json!("nothing")),
        ("object_ref", json!(5)),
        ("act", json!("erase")),
        ("act", json!("Delete")),
        ("act", json!("narrow")),
        ("tlp", json!(RED)),
        ("handling", json!({})),
        ("versions", json!([])),
        ("versions", json!(AT)),
        ("versions", json!(["yesterday"])),
        ("versions", Value::Array(versions)),
        ("downstream", json!({})),
    ] {
        let refused = with(&|body| drop(body.insert(name.into(), value.clone())));
        assert!(matches!(refused, Err(Error::Form { kind: "marsad-recall", .. })), "{name} {value}");
    }
    assert!(with(&|body| drop(body.remove("act"))).is_err());
    assert!(with(&|body| drop(body.remove("object_ref"))).is_err());
    for (name, value) in [("tlp", json!("TLP:RED")), ("tlp", json!(ID)), ("handling", json!("all"))] {
        let narrowed = with(&|body| {
            body.insert("act".into(), "narrow".into());
            body.insert(name.into(), value.clone());
        });
        assert!(matches!(narrowed, Err(Error::Form { .. })), "{name} {value}");
    }
}
