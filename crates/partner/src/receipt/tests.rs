use super::*;
use crate::sample::{NOW, keys, ring};
use crate::signed::read as read_statement;

const RECALL: &str = "marsad-recall--00000000-0000-5000-8000-000000000001";
const AT: &str = "2026-01-02T03:04:05.678Z";

fn receipt(outcome: Outcome) -> Receipt {
    let downstream = Downstream { confirmed: 3, waiting: 1, cannot: 2 };
    Receipt { recall: RECALL.into(), outcome, at: AT.into(), reason: None, downstream }
}

#[test]
fn what_is_said_is_read_and_signed() {
    for outcome in Outcome::ALL {
        for reason in [None, Some("not ours to say".to_owned())] {
            let receipt = Receipt { reason, ..receipt(outcome) };
            let statement = read_statement(&receipt.sign(&keys(3))).unwrap();
            assert_eq!(Receipt::read(&statement).unwrap(), receipt);
            assert_eq!(statement.verify(&ring(), NOW).unwrap().organisation, "three");
        }
        assert_eq!(Outcome::of(outcome.name()), Some(outcome));
    }
}

#[test]
fn a_renewed_receipt_is_another_statement() {
    let one = receipt(Outcome::Done);
    let two = Receipt { downstream: Downstream { confirmed: 4, waiting: 0, cannot: 2 }, ..one.clone() };
    let id = |receipt: &Receipt| read_statement(&receipt.sign(&keys(3))).unwrap().id.clone();
    assert_ne!(id(&one), id(&two));
    assert_eq!(id(&one), id(&one.clone()));
}

#[test]
fn a_long_reason_is_cut_between_letters() {
    let long = Receipt { reason: Some("مرصد ".repeat(100)), ..receipt(Outcome::Refused) };
    let read = Receipt::read(&read_statement(&long.sign(&keys(3))).unwrap()).unwrap();
    let cut = read.reason.unwrap();
    assert!((496..=500).contains(&cut.len()) && "مرصد ".repeat(100).starts_with(&cut));
}

#[test]
fn what_has_another_form_is_refused() {
    let counts = json!({"confirmed": 0, "waiting": 0, "cannot": 0});
    let with = |name: &str, value: Value| {
        let mut body = Map::new();
        body.insert("recall_ref".into(), RECALL.into());
        body.insert("outcome".into(), "done".into());
        body.insert("downstream".into(), counts.clone());
        body.insert(name.into(), value);
        Receipt::read(&read_statement(&sign_statement(Kind::Receipt, Some(AT), body, &keys(2))).unwrap())
    };
    assert!(with("outcome", json!("unknown")).is_ok());
    for (name, value) in [
        ("recall_ref", json!("marsad-seal--00000000-0000-5000-8000-000000000001")),
        ("recall_ref", json!("")),
        ("outcome", json!("perhaps")),
        ("downstream", json!({"confirmed": 0, "waiting": 0})),
        ("downstream", json!({"confirmed": 0, "waiting": 0, "cannot": 0, "more": 0})),
        ("downstream", json!({"confirmed": -1, "waiting": 0, "cannot": 0})),
        ("downstream", json!(null)),
        ("reason", json!(5)),
        ("reason", json!("a".repeat(501))),
        ("colour", json!("red")),
    ] {
        assert!(matches!(with(name, value.clone()), Err(Error::Form { kind: "marsad-receipt", .. })), "{name} {value}");
    }
}
