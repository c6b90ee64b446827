use super::*;
use crate::sample::{HOUR, NOW, card, draft, identity, keys};
use proptest::prelude::*;
use serde_json::{Value, json};

fn value(card: &Card) -> Value {
    serde_json::from_slice(card.text()).unwrap()
}

/// A card that says something else, signed by whoever holds the key of `number`.
fn resigned(number: u8, change: impl FnOnce(&mut Value)) -> Result<Card, Error> {
    let mut document = value(&card(number));
    change(&mut document);
    document.as_object_mut().unwrap().remove("signature");
    let mut said = Vec::new();
    let text = serde_json::to_vec(&document).unwrap();
    stix::canonical::write(Tape::new().parse(&text, &LIMITS).unwrap(), &mut said);
    document["signature"] = encode(&keys(number).sign(&message(&said))).into();
    read(&serde_json::to_vec(&document).unwrap())
}

/// The next card of an organisation: another serial, other keys.
fn next(serial: u64, signs: u8, before: (&Card, u8)) -> Card {
    let draft = Draft { serial, ..draft(2) };
    read(&issue(&draft, &keys(signs), Some((before.0, &keys(before.1))))).unwrap()
}

#[test]
fn what_is_issued_is_read() {
    let draft = Draft { until: Some(NOW + HOUR), identities: vec![identity(1), identity(9)], ..draft(1) };
    let card = read(&issue(&draft, &keys(1), None)).unwrap();
    assert_eq!((card.serial, card.organisation.as_str(), card.node()), (1, "Organisation 1", &*identity(1)));
    assert_eq!((card.identities.len(), card.keys, card.former.len()), (2, keys(1).public(), 0));
    assert_eq!((card.from, card.until, card.revoked), (NOW - HOUR, Some(NOW + HOUR), false));
    assert_eq!((&card.addresses, &card.certificates), (&draft.addresses, &draft.certificates));
    assert_eq!(read(card.text()).unwrap(), card);
}

#[test]
fn spacing_and_order_do_not_matter() {
    let card = card(1);
    let pretty = serde_json::to_string_pretty(&value(&card)).unwrap();
    assert_eq!(read(pretty.as_bytes()).unwrap(), card);
    let backwards: Vec<String> =
        value(&card).as_object().unwrap().iter().rev().map(|(name, value)| format!("\"{name}\" :\t{value}")).collect();
    assert_eq!(read(format!("{{{}}}", backwards.join(" ,\n")).as_bytes()).unwrap(), card);
}

#[test]
fn every_altered_property_is_noticed() {
    let draft = Draft { until: Some(NOW + HOUR), ..draft(2) };
    let first = read(&issue(&draft, &keys(2), None)).unwrap();
    let card = next(2, 3, (&first, 2));
    let other = card_of_all(5);
    for (name, other) in other.as_object().unwrap() {
        let mut altered = value(&card);
        if altered.get(name) == Some(other) {
            continue;
        }
        altered[name] = other.clone();
        let error = read(altered.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Signature | Error::Succession(_)), "{name}: {error}");
        if value(&card).get(name).is_some() {
            altered.as_object_mut().unwrap().remove(name);
            assert!(read(altered.to_string().as_bytes()).is_err(), "{name} left out");
        }
    }
}

/// A card that has every property, each another one than that of `draft(2)`.
fn card_of_all(number: u8) -> Value {
    let draft = Draft { serial: 7, until: Some(NOW + 2 * HOUR), from: NOW, revoked: true, ..draft(number) };
    let first = read(&issue(&self::draft_not_revoked(&draft), &keys(8), None)).unwrap();
    let card = read(&issue(&draft, &keys(number), Some((&first, &keys(8))))).unwrap();
    let mut card = value(&card);
    card["certificates"] = json!(["1e".repeat(32)]);
    card
}

fn draft_not_revoked(draft: &Draft) -> Draft {
    Draft { revoked: false, ..draft.clone() }
}

#[test]
fn what_is_not_a_card_says_why() {
    let twice =
        String::from_utf8(card(1).text().to_vec()).unwrap().replacen("\"serial\":1", "\"serial\":1,\"serial\":2", 1);
    assert!(read(twice.as_bytes()).unwrap_err().to_string().contains("already has a member of this name"));
    let long = format!("{}{}", " ".repeat(64 << 10), String::from_utf8(card(1).text().to_vec()).unwrap());
    assert!(matches!(read(long.as_bytes()), Err(Error::Form(_))));
    assert!(matches!(read(b""), Err(Error::Form(_))));
    assert!(matches!(read(b"[]"), Err(Error::Form(_))));
    let mut unsigned = value(&card(1));
    unsigned.as_object_mut().unwrap().remove("signature");
    assert_eq!(read(unsigned.to_string().as_bytes()), Err(Error::Form("it is not signed".into())));
    // Everything else is signed as it should be: it is the form that is wrong.
    let cases: Vec<(&str, Value, &str)> = vec![
        ("marsad-card", json!(2), "newer Marsad"),
        ("serial", json!(0), "serial"),
        ("serial", json!((1_u64 << 53) + 2), "serial"),
        ("serial", json!(-1), "invalid value"),
        ("serial", json!("1"), "invalid type"),
        ("organisation", json!(""), "name"),
        ("organisation", json!(" Ministry"), "name"),
        ("organisation", json!("a".repeat(201)), "name"),
        ("organisation", json!("yrtsiniM\u{202e}"), "name"),
        ("organisation", json!("a\nb"), "name"),
        ("identities", json!([]), "identities"),
        ("identities", json!(["indicator--00000000-0000-4000-8000-000000000001"]), "identities"),
        ("identities", json!([identity(1), identity(1)]), "twice"),
        ("identities", json!((0..33).map(identity).collect::<Vec<_>>()), "32"),
        ("addresses", json!(["ftp://node.example/"]), "address"),
        ("addresses", json!(["https:///taxii2/"]), "address"),
        ("addresses", json!(["https://user:secret@node.example/"]), "address"),
        ("addresses", json!(["https://node.example/?q"]), "address"),
        ("addresses", json!(["https://node.example/\u{202e}"]), "address"),
        ("certificates", json!(["0F".repeat(32)]), "certificate"),
        ("certificates", json!(["0f"]), "certificate"),
        ("from", json!("2026-01-01"), "from"),
        ("from", json!("2026-01-01T00:00:00.000Z"), "six digits"),
        ("until", json!(format_micros(NOW - HOUR)), "ends before"),
        ("keys", json!({"sign": "", "seal_to": ""}), "keys.sign"),
        ("keys", json!({"sign": encode(&keys(1).public().sign), "seal_to": encode(&[0; 32])}), "sealing key"),
        ("keys", json!({"sign": encode(&keys(1).public().sign)}), "seal_to"),
        ("keys", json!({"sign": encode(&[0; 32]), "seal_to": encode(&keys(1).public().seal_to)}), "signing key"),
        ("former", json!([{"sign": encode(&keys(1).public().sign), "signature": encode(&[0; 64])}]), "twice"),
        ("former", json!([{"sign": encode(&keys(2).public().sign), "signature": encode(&[0; 64])}]), "did not sign"),
        ("colour", json!("red"), "colour"),
        ("signatures", json!([]), "signatures"),
    ];
    for (name, wrong, message) in cases {
        let refused = resigned(1, |document| document[name] = wrong.clone());
        // A card with no key that could be used is refused whatever its signature.
        let told = match &refused {
            Err(error) => error.to_string(),
            Ok(card) => panic!("{name} {wrong}: read as {card:?}"),
        };
        assert!(told.contains(message), "{name} {wrong}: {told}");
    }
    assert!(resigned(1, |document| document["serial"] = json!(5)).is_ok(), "the way of signing is right");
}

#[test]
fn the_fingerprint_is_of_all_that_is_said_and_of_nothing_else() {
    let card = card(2);
    assert_eq!(card.fingerprint(), read(card.text()).unwrap().fingerprint());
    let mut seen = vec![card.fingerprint()];
    for (name, other) in [
        ("serial", json!(9)),
        ("organisation", json!("Another")),
        ("identities", json!([identity(9)])),
        ("addresses", json!([])),
        ("revoked", json!(false)),
        ("certificates", json!(["1e".repeat(32)])),
        ("from", json!(format_micros(NOW))),
        ("until", json!(format_micros(NOW + HOUR))),
        ("revoked", json!(true)),
        ("keys", json!({"sign": encode(&keys(2).public().sign), "seal_to": encode(&keys(3).public().seal_to)})),
    ] {
        let changed = resigned(2, |document| document[name] = other).unwrap();
        assert!(!seen.contains(&changed.fingerprint()), "{name}");
        seen.push(changed.fingerprint());
    }
}

#[test]
fn a_card_follows_only_one_whose_key_led_to_it() {
    let one = card(2);
    let two = next(2, 12, (&one, 2));
    let three = next(3, 13, (&two, 12));
    let renewed = next(4, 13, (&three, 13));
    assert_eq!((two.former.len(), three.former.len(), renewed.former.len()), (1, 2, 2));
    for (newer, older) in [(&two, &one), (&three, &one), (&three, &two), (&renewed, &one), (&renewed, &three)] {
        assert_eq!(newer.follows(older), Ok(()));
        assert!(older.follows(newer).is_err());
    }
    assert_eq!(one.follows(&one), Err(Unfollowed::Same));
    let again = next(2, 12, (&one, 2));
    assert_eq!(again.follows(&two), Err(Unfollowed::Same));
    let other = read(&issue(&Draft { addresses: vec![], serial: 2, ..draft(2) }, &keys(12), Some((&one, &keys(2)))));
    assert_eq!(other.unwrap().follows(&two), Err(Unfollowed::Serial { found: 2, known: 2 }));
    // Another key, which the known one did not sign: the same words under a higher serial count for nothing.
    let stranger = read(&issue(&Draft { serial: 9, ..draft(2) }, &keys(5), None)).unwrap();
    assert_eq!(stranger.follows(&one), Err(Unfollowed::Key));
    // The previous key is another one than that of the known card.
    let stolen = read(&issue(&Draft { serial: 9, ..draft(2) }, &keys(5), Some((&card(3), &keys(3))))).unwrap();
    assert_eq!(stolen.follows(&one), Err(Unfollowed::Key));
    let elsewhere = Draft { identities: vec![identity(7)], serial: 9, ..draft(2) };
    let elsewhere = read(&issue(&elsewhere, &keys(12), Some((&one, &keys(2))))).unwrap();
    assert_eq!(elsewhere.follows(&one), Err(Unfollowed::Node));
    let revoked = read(&issue(&Draft { serial: 5, revoked: true, ..draft(2) }, &keys(13), Some((&renewed, &keys(13)))));
    let revoked = revoked.unwrap();
    assert_eq!(revoked.follows(&renewed), Ok(()));
    let after = next(6, 14, (&revoked, 13));
    assert_eq!((after.former.len(), after.follows(&revoked)), (0, Err(Unfollowed::Revoked)));
}

#[test]
fn a_succession_cannot_be_bent() {
    let one = card(2);
    let two = next(2, 12, (&one, 2));
    let three = next(3, 13, (&two, 12));
    let links = value(&three)["former"].clone();
    let bend = |change: &dyn Fn(&mut Vec<Value>)| {
        // As the holder of the last key would: everything else is signed as it should be.
        let mut document = value(&three);
        change(document["former"].as_array_mut().unwrap());
        document.as_object_mut().unwrap().remove("signature");
        let text = serde_json::to_vec(&document).unwrap();
        let mut said = Vec::new();
        stix::canonical::write(Tape::new().parse(&text, &LIMITS).unwrap(), &mut said);
        document["signature"] = encode(&keys(13).sign(&message(&said))).into();
        read(&serde_json::to_vec(&document).unwrap())
    };
    assert!(bend(&|_| {}).is_ok());
    // Another organisation's key, or one that never signed, cannot be claimed.
    let claimed = json!({"sign": encode(&keys(3).public().sign), "signature": links[0]["signature"]});
    assert_eq!(bend(&|former| former.insert(0, claimed.clone())), Err(Error::Succession(keys(3).public().id())));
    assert_eq!(bend(&|former| former[1] = claimed.clone()), Err(Error::Succession(keys(2).public().id())));
    assert_eq!(bend(&|former| former.swap(0, 1)), Err(Error::Succession(keys(12).public().id())));
    assert_eq!(bend(&|former| drop(former.pop())), Err(Error::Succession(keys(2).public().id())));
    // Forgetting the oldest is no lie.
    assert_eq!(bend(&|former| drop(former.remove(0))).unwrap().former.len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&text).is_err());
    }

    #[test]
    fn no_byte_of_a_card_can_be_another(at: prop::sample::Index, byte: u8) {
        let card = card(1);
        let mut text = card.text().to_vec();
        *at.get_mut(&mut text) = byte;
        if let Ok(read) = read(&text) {
            prop_assert_eq!(read, card);
        }
    }
}
