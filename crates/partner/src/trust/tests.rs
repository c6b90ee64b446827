use super::*;
use crate::card::{Draft, issue, read as read_card};
use crate::key::Keys;
use crate::sample::{HOUR, NOW, card, draft, identity, keys, ring};
use crate::signed::{Kind, read, sign};
use serde_json::{Map, Value, json};

fn statement(keys: &Keys) -> Vec<u8> {
    let body = json!({"object_ref": "indicator--00000000-0000-4000-8000-000000000001", "act": "delete"});
    let Value::Object(body) = body else { unreachable!() };
    sign(Kind::Recall, Some("2026-01-01T00:00:00.000Z"), body, keys)
}

fn signed_by(number: u8) -> Unverified {
    read(&statement(&keys(number))).unwrap()
}

fn card_with(number: u8, change: impl FnOnce(&mut Draft)) -> Card {
    let mut draft = draft(number);
    change(&mut draft);
    read_card(&issue(&draft, &keys(number), None)).unwrap()
}

fn ring_of(cards: &[(&str, Card, Standing)]) -> Keyring {
    let cards = cards.iter().map(|(name, card, standing)| ((*name).to_owned(), card.clone(), *standing));
    Keyring::new(None, cards.collect())
}

#[test]
fn only_keys_of_confirmed_cards_count() {
    let ring = ring();
    for (number, organisation) in [(1, "Organisation 1"), (2, "two"), (3, "three")] {
        let statement = signed_by(number);
        let signer = statement.verify(&ring, NOW).unwrap();
        assert_eq!((signer.organisation, signer.card), (organisation, &card(number)));
        assert_eq!(ring.organisation_of(&identity(number)), Some(organisation));
        assert_eq!(ring.organisation_of_node(&identity(number)), Some(organisation));
        assert_eq!(ring.card(&organisation.to_uppercase()), Some(&card(number)));
    }
    assert_eq!(signed_by(4).verify(&ring, NOW).unwrap_err(), Error::Key(keys(4).public().id()));
    assert_eq!((ring.organisation_of(&identity(4)), ring.card("four")), (None, None));
    assert_eq!(ring.own(), Some(&card(1)));
    assert_eq!(ring.organisations().collect::<Vec<_>>(), ["Organisation 1", "three", "two"]);
    assert_eq!(Keyring::default().own(), None);
}

#[test]
fn a_card_counts_in_its_time_and_five_minutes_around_it() {
    const MINUTE: i64 = 60_000_000;
    let ring = ring_of(&[(
        "two",
        card_with(2, |draft| (draft.from, draft.until) = (NOW, Some(NOW + HOUR))),
        Standing::Pinned,
    )]);
    for (now, why) in [
        (NOW - 5 * MINUTE - 1, Some("does not count yet")),
        (NOW - 5 * MINUTE, None),
        (NOW, None),
        (NOW + HOUR + 5 * MINUTE - 1, None),
        (NOW + HOUR + 5 * MINUTE, Some("has expired")),
        (NOW + 5 * HOUR, Some("has expired")),
        (i64::MIN, Some("does not count yet")),
        (i64::MAX, Some("has expired")),
    ] {
        let statement = signed_by(2);
        let verdict = statement.verify(&ring, now).map(|signer| signer.organisation).map_err(|error| error.to_string());
        match why {
            None => assert_eq!(verdict, Ok("two"), "{now}"),
            Some(why) => assert!(verdict.as_ref().is_err_and(|error| error.contains(why)), "{now}: {verdict:?}"),
        }
    }
}

#[test]
fn a_replaced_card_goes_on_to_verify_and_a_revoked_one_never_does() {
    let one = card(2);
    let two = read_card(&issue(&Draft { serial: 2, ..draft(2) }, &keys(12), Some((&one, &keys(2))))).unwrap();
    let old_and_new = |ring: &Keyring| {
        [2, 12].map(|number| {
            signed_by(number).verify(ring, NOW).map(|signer| signer.card.serial).map_err(|e| e.to_string())
        })
    };
    // Whoever pinned the new card alone believes the old key as well: the new card carries the proof.
    let ring = ring_of(&[("two", two.clone(), Standing::Pinned)]);
    assert_eq!(old_and_new(&ring), [Ok(2), Ok(2)]);
    let ring = ring_of(&[("two", one.clone(), Standing::Replaced), ("two", two.clone(), Standing::Pinned)]);
    assert_eq!(old_and_new(&ring), [Ok(2), Ok(2)]);
    // A new card that does not carry it: the old one is there.
    let apart = card_with(12, |draft| (draft.serial, draft.identities) = (2, vec![identity(2)]));
    let ring = ring_of(&[("two", one.clone(), Standing::Replaced), ("two", apart, Standing::Pinned)]);
    assert_eq!(old_and_new(&ring), [Ok(1), Ok(2)]);
    // The old one was revoked: whatever the new one says.
    let ring = ring_of(&[("two", one.clone(), Standing::Revoked), ("two", two, Standing::Pinned)]);
    let [old, new] = old_and_new(&ring);
    assert!(old.is_err_and(|error| error.ends_with("which was revoked")));
    assert_eq!(new, Ok(2));
    assert_eq!(ring.card("two").map(|card| card.serial), Some(2));
    // A card that says itself that it is revoked never counts.
    let revoked = card_with(2, |draft| draft.revoked = true);
    let ring = ring_of(&[("two", one, Standing::Replaced), ("two", revoked, Standing::Pinned)]);
    assert!(old_and_new(&ring)[0].is_err());
    assert_eq!((ring.card("two"), ring.organisation_of(&identity(2))), (None, Some("two")));
}

#[test]
fn what_two_claim_is_nobodys() {
    let claims = card_with(3, |draft| draft.identities.push(identity(2)));
    let ring = ring_of(&[("two", card(2), Standing::Pinned), ("three", claims, Standing::Pinned)]);
    assert_eq!(ring.organisation_of(&identity(2)), None);
    assert!(ring.knows(&identity(2)));
    assert_eq!(ring.organisation_of(&identity(3)), Some("three"));
    // The same key on the cards of two organisations.
    let same_key = read_card(&issue(&draft(3), &keys(2), None)).unwrap();
    let ring = ring_of(&[("two", card(2), Standing::Pinned), ("three", same_key, Standing::Pinned)]);
    assert!(signed_by(2).verify(&ring, NOW).unwrap_err().to_string().contains("two organisations"));
}

#[test]
fn what_was_altered_after_signing_does_not_verify() {
    let ring = ring();
    let said: Map<String, Value> = serde_json::from_slice(&statement(&keys(2))).unwrap();
    let alter = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut said = said.clone();
        change(&mut said);
        // The id follows from what is said: whoever alters the rest can follow with the id.
        loop {
            let text = serde_json::to_vec(&said).unwrap();
            match read(&text) {
                Ok(statement) => return statement.verify(&ring, NOW).map(|signer| signer.organisation.to_owned()),
                Err(error)
                    if [" id does not follow", "no id of its type"]
                        .iter()
                        .any(|end| error.to_string().contains(end)) =>
                {
                    let mut rest = said.clone();
                    rest.remove("signature");
                    rest.remove("id");
                    let mut canonical = Vec::new();
                    let text = serde_json::to_vec(&rest).unwrap();
                    stix::canonical::write(
                        stix::json::Tape::new().parse(&text, &crate::signed::LIMITS).unwrap(),
                        &mut canonical,
                    );
                    let object_type = said["type"].as_str().unwrap();
                    let kind = Kind::of(object_type).unwrap();
                    said.insert("id".into(), crate::signed::id_of(kind, &canonical).into());
                }
                Err(error) => return Err(error),
            }
        }
    };
    assert_eq!(alter(&|_| {}), Ok("two".into()));
    let put = |name: &'static str, value: Value| {
        move |said: &mut Map<String, Value>| drop(said.insert(name.into(), value.clone()))
    };
    for change in [
        put("object_ref", json!("indicator--00000000-0000-4000-8000-000000000002")),
        put("act", json!("revoke")),
        put("versions", json!(["2026-01-01T00:00:00.000Z"])),
        put("colour", json!("red")),
        // Another kind of statement with the same words.
        put("type", json!("marsad-receipt")),
    ] {
        assert_eq!(alter(&change), Err(Error::Signature));
    }
    assert_eq!(alter(&|said| drop(said.remove("act"))), Err(Error::Signature));
    let later = |said: &mut Map<String, Value>| {
        said.insert("created".into(), json!("2027-01-01T00:00:00.000Z"));
        said.insert("modified".into(), json!("2027-01-01T00:00:00.000Z"));
    };
    assert_eq!(alter(&later), Err(Error::Signature));
    // Another's key under one's own signature, and one's own key under another's.
    assert_eq!(alter(&put("key", json!(keys(3).public().id().as_str()))), Err(Error::Signature));
    assert_eq!(alter(&put("key", json!(keys(4).public().id().as_str()))), Err(Error::Key(keys(4).public().id())));
    for (name, value) in [
        ("key", json!("ed25519:")),
        ("signature", json!("")),
        ("spec_version", json!("2.0")),
        ("created", json!("2027-01-01T00:00:00.000Z")),
        ("modified", json!("yesterday")),
        ("type", json!("indicator")),
        ("extensions", json!({})),
    ] {
        assert!(matches!(alter(&put(name, value)), Err(Error::Form { .. })), "{name}");
    }
}

#[test]
fn a_statement_has_no_property_twice_and_the_id_that_follows_from_it() {
    let text = String::from_utf8(statement(&keys(2))).unwrap();
    let twice = text.replacen("\"act\":\"delete\"", "\"act\":\"delete\",\"act\":\"revoke\"", 1);
    assert!(matches!(read(twice.as_bytes()), Err(Error::Form { kind: "statement", .. })));
    let id = read(text.as_bytes()).unwrap().id.clone();
    let other = text.replacen(&id, "marsad-recall--00000000-0000-5000-8000-000000000001", 1);
    assert!(read(other.as_bytes()).unwrap_err().to_string().contains("id does not follow"));
    // The same words of the same key are the same statement; of another key they are another.
    assert_eq!(read(&statement(&keys(2))).unwrap().id, id);
    assert_ne!(read(&statement(&keys(3))).unwrap().id, id);
}
