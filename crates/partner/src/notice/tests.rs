use super::*;
use crate::sample::{HOUR, NOW, identity, keys, ring};
use crate::signed::read as read_statement;

const ID: &str = "6f0a4d0b-8a5e-4d2f-9b1a-9c407b0c6c3e";
const AT: &str = "2026-01-02T03:04:05.678Z";

fn notice() -> GroupNotice {
    GroupNotice {
        id: ID.into(),
        name: "Finance sector".into(),
        from: Some(NOW),
        until: Some(NOW + HOUR),
        backfill: true,
        on_leave: OnLeave::Recall,
        hidden: false,
        members: vec![vec![identity(1), identity(2)], vec![identity(3)]],
        gone: false,
        at: AT.into(),
    }
}

#[test]
fn what_is_said_is_read_and_signed() {
    let plain = GroupNotice { from: None, until: None, backfill: false, on_leave: OnLeave::Keep, ..notice() };
    let gone = GroupNotice { hidden: true, gone: true, members: vec![], ..notice() };
    for notice in [notice(), plain, gone] {
        let statement = read_statement(&notice.sign(&keys(2))).unwrap();
        assert_eq!(GroupNotice::read(&statement).unwrap(), notice);
        assert_eq!(statement.verify(&ring(), NOW).unwrap().organisation, "two");
    }
}

#[test]
fn what_has_another_form_is_refused() {
    let good: Value = serde_json::from_slice(&notice().sign(&keys(2))).unwrap();
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut body = Map::from_iter(["group", "members"].map(|name| (name.to_owned(), good[name].clone())));
        change(&mut body);
        GroupNotice::read(&read_statement(&sign_statement(Kind::Group, Some(AT), body, &keys(2))).unwrap())
    };
    assert!(with(&|_| {}).is_ok());
    for (name, value) in [
        ("id", json!("6F0A4D0B-8A5E-4D2F-9B1A-9C407B0C6C3E")),
        ("id", json!("group")),
        ("name", json!("")),
        ("name", json!("a".repeat(201))),
        ("from", json!("yesterday")),
        ("until", json!(5)),
        ("backfill", json!("yes")),
        ("on_leave", json!("burn")),
        ("hidden", json!(null)),
        ("owner", json!("x")),
    ] {
        let refused = with(&|body| drop(body["group"].as_object_mut().unwrap().insert(name.into(), value.clone())));
        assert!(matches!(refused, Err(Error::Form { kind: "marsad-group", .. })), "{name} {value}");
    }
    for name in ["id", "name", "backfill", "on_leave", "hidden"] {
        assert!(with(&|body| drop(body["group"].as_object_mut().unwrap().remove(name))).is_err(), "{name}");
    }
    let many = Value::Array(vec![json!([identity(1)]); MOST_MEMBERS + 1]);
    for members in [
        json!(null),
        json!([[]]),
        json!(["x"]),
        json!([["x"]]),
        json!([["indicator--00000000-0000-4000-8000-000000000001"]]),
        json!([vec![identity(1); 33]]),
        many,
    ] {
        assert!(with(&|body| drop(body.insert("members".into(), members.clone()))).is_err());
    }
    assert!(with(&|body| drop(body.insert("gone".into(), json!("no")))).is_err());
    assert!(with(&|body| drop(body.insert("group".into(), json!([])))).is_err());
}
