//! What a hostile relay, or a hostile partner, can do to a page, and what comes of it.

use crate::world::{CLEAR, NOW, Node, address, bytes, draft, id, identity, name, of_type, read, tool, two};
use base64::Engine as _;
use bytes::Bytes;
use ledger::Ledger as _;
use node::partners::provenance::Waiting;
use partner::envelope::Said;
use partner::key::Keys;
use partner::trust::Standing;
use policy::{Audience, Author, Handling};
use serde_json::{Value, json};
use stix::json::Limits;

/// Alters one object of a page of an object and its seal.
fn bend(page: &[Bytes], which: usize, how: impl FnOnce(&mut Value)) -> Vec<Bytes> {
    let mut page = page.to_vec();
    let mut object = read(&page[which]);
    how(&mut object);
    page[which] = bytes(&object);
    page
}

fn seal(object: &Value, handling: Option<Value>, by: &Keys) -> Bytes {
    let (text, id) = (object.to_string(), object["id"].as_str().unwrap());
    let sealed =
        partner::seal::seal(text.as_bytes(), id, object["modified"].as_str(), handling, by, &Limits::default());
    Bytes::from(sealed.unwrap())
}

/// Each alters a page that the author sealed, hands it on as the author's, and nothing is kept.
#[test]
fn nothing_that_was_altered_is_the_authors() {
    type Alters = fn(&Node, Vec<Bytes>) -> Vec<Bytes>;
    let table: [(&str, Alters, &str); 16] = [
        ("content", |_, page| bend(&page, 0, |object| object["name"] = "another".into()), "altered"),
        ("a marking", |_, page| bend(&page, 0, |object| object["object_marking_refs"] = json!([CLEAR])), "altered"),
        (
            "no marking",
            |_, page| bend(&page, 0, |object| drop(object.as_object_mut().unwrap().remove("object_marking_refs"))),
            "altered",
        ),
        ("one more property", |_, page| bend(&page, 0, |object| object["revoked"] = true.into()), "altered"),
        ("the order of a list", |_, page| bend(&page, 0, |object| object["aliases"] = json!(["a", "b"])), "altered"),
        (
            "another version",
            |_, page| bend(&page, 0, |object| object["modified"] = "2026-11-02T00:00:00.000Z".into()),
            "no seal",
        ),
        ("another id", |_, page| bend(&page, 0, |object| object["id"] = id(9).into()), "no seal"),
        ("the seal stripped", |_, page| page[..1].to_vec(), "no seal"),
        (
            "the seal of another version",
            |one, page| {
                one.write(&[tool(1, 1, 2)]);
                let later = one.page_for(2);
                vec![page[0].clone(), later[3].clone()]
            },
            "no seal",
        ),
        (
            "the digest of another version",
            |_, page| {
                let digest = partner::signed::digest(tool(1, 1, 2).to_string().as_bytes(), &Limits::default()).unwrap();
                let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
                bend(&page, 1, |seal| seal["digest"] = digest.into())
            },
            "does not follow",
        ),
        (
            "sealed by a stranger's key",
            |_, page| vec![page[0].clone(), seal(&read(&page[0]), None, &Keys::of(&[77; 32]))],
            "not on a card",
        ),
        (
            "sealed by another partner",
            |_, page| vec![page[0].clone(), seal(&read(&page[0]), None, &Keys::of(&[3; 32]))],
            "another organisation",
        ),
        (
            "a limit taken away",
            |_, page| bend(&page, 1, |seal| drop(seal.as_object_mut().unwrap().remove("handling"))),
            "no",
        ),
        ("a limit widened", |_, page| bend(&page, 1, |seal| seal["handling"] = json!({"audience": ["all"]})), "no"),
        (
            "the key of another named",
            |_, page| bend(&page, 1, |seal| seal["key"] = Keys::of(&[3; 32]).public().id().as_str().into()),
            "no",
        ),
        ("a signature of zeros", |_, page| bend(&page, 1, |seal| seal["signature"] = "A".repeat(86).into()), "not fit"),
    ];
    for (what, alter, reason) in table {
        let (mut one, mut two) = two();
        let three = Node::new(3);
        one.meet(&three);
        two.meet(&three);
        let limits = Handling { audience: vec![Audience::Community], ..Handling::default() };
        one.write_within(&[tool(1, 1, 1)], limits);
        let page = alter(&one, one.page_for(2)[..2].to_vec());
        // The same, whoever hands it over.
        for from in [1, 3] {
            let (sorted, counts, _) = two.take(from, &page);
            assert_eq!((counts.added, sorted.sound.len()), (0, 0), "{what}: {sorted:?}");
            assert!(sorted.refused.iter().any(|refused| refused.reason.contains(reason)), "{what}: {sorted:?}");
        }
        assert_eq!(two.book.statistics().unwrap().records, 0, "{what}");
    }
}

#[test]
fn nobody_speaks_in_the_name_of_another() {
    let (mut one, mut two) = two();
    let three = Node::new(3);
    one.meet(&three);
    two.meet(&three);
    two.hear_of(4);
    for (what, from, author, sealed_by, added) in [
        ("a partner in another's name", 3, 1, Some(3), 0),
        ("a partner in another's name, without a seal", 3, 1, None, 0),
        ("a partner in its own, without a seal", 3, 3, None, 0),
        ("a partner in our own name", 3, 2, Some(3), 0),
        ("a partner in our own name, without a seal", 3, 2, None, 0),
        ("a partner in the name of one who has no card", 3, 4, None, 1),
        ("one who has no card in the name of one who has", 4, 1, None, 0),
        ("one who has no card in its own name", 4, 4, None, 1),
    ] {
        let object = tool(100 + u32::from(from) * 10 + u32::from(author), author, 1);
        let sealed = sealed_by.map(|by| seal(&object, None, &Keys::of(&[by; 32])));
        let page: Vec<Bytes> = [bytes(&object)].into_iter().chain(sealed).collect();
        let (sorted, counts, _) = two.take(from, &page);
        assert_eq!(counts.added + counts.unchanged, added, "{what}: {sorted:?}");
        assert_eq!(sorted.refused.len() as u64, 1 - added, "{what}: {sorted:?}");
        for (_, class) in two.held(object["id"].as_str().unwrap()) {
            let own = author == from;
            assert!(!own || class.author == Author::Owner, "{what}");
            assert!(own || class.author == Author::Organisation(name(author)), "{what}: {class:?}");
        }
    }
}

#[test]
fn an_identity_on_two_cards_is_nobodys() {
    let (mut one, mut two) = two();
    let thief = {
        let draft = partner::card::Draft { identities: vec![identity(3), identity(1)], ..draft(3) };
        let keys = Keys::of(&[3; 32]);
        let mut thief = Node::new(3);
        thief.card = partner::card::read(&partner::card::issue(&draft, &keys, None)).unwrap();
        thief
    };
    one.meet(&thief);
    two.meet(&thief);
    one.write(&[tool(1, 1, 1)]);
    let (sorted, counts, _) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, sorted.refused.len()), (0, 1), "{sorted:?}");
    assert!(sorted.refused[0].reason.contains("two organisations"), "{sorted:?}");
}

#[test]
fn what_a_revoked_key_sealed_counts_for_nothing() {
    let (one, mut two) = two();
    one.write(&[tool(1, 1, 1), tool(2, 1, 1)]);
    let page = one.page_for(2);
    assert_eq!(two.take(1, &page[..2]).1.added, 1);
    two.stand(&one.card, name(1), Standing::Revoked);
    // Whoever brings it: nothing is the author's, and what came before stays what it is.
    let (sorted, ..) = two.take(1, &page[2..]);
    assert!(sorted.sound.iter().all(|sound| sound.seal.is_none()), "{sorted:?}");
    assert!(two.held(&id(2)).iter().all(|(_, class)| class.author == Author::Foreign));
    assert_eq!(two.held(&id(1))[0].1.author, Author::Owner);
}

#[test]
fn what_was_sealed_before_a_rotation_goes_on_to_count() {
    let (mut one, mut two) = two();
    one.write(&[tool(1, 1, 1)]);
    let before = one.page_for(2);
    let (old, keys) = (one.card.clone(), Keys::of(&[91; 32]));
    let next = partner::card::Draft { serial: 2, ..draft(1) };
    one.card = partner::card::read(&partner::card::issue(&next, &keys, Some((&old, &one.keys)))).unwrap();
    one.keys = keys;
    let after = one.page_for(2);
    assert_ne!(before[1], after[1]);
    // Who has not heard of the new key refuses what it sealed.
    let (sorted, ..) = two.take(1, &after);
    assert_eq!(sorted.refused.len(), 1, "{sorted:?}");
    two.known.clear();
    two.stand(&one.card, name(1), Standing::Pinned);
    assert_eq!(two.take(1, &before).1.added, 1);
    assert_eq!(two.take(1, &after).1.unchanged, 1);
}

#[test]
fn one_bad_object_costs_the_others_nothing() {
    let (one, two) = two();
    let objects: Vec<Value> = (0..300).map(|n| tool(n, 1, 1)).collect();
    one.write(&objects);
    let mut page = one.page_for(2);
    // Altered, unsealed, doubled, of 2099, not JSON, seals that are none, a flood of seals for one object.
    page[2 * 17] = bytes(&tool(17, 1, 2));
    page.remove(2 * 40 + 1);
    page.extend(page[..2].to_vec());
    let mut late = tool(1000, 1, 1);
    late["modified"] = "2099-01-01T00:00:00.000Z".into();
    page.extend([seal(&late, None, &one.keys), bytes(&late)]);
    page.push(Bytes::from_static(b"{\"type\":\"tool\""));
    page.push(Bytes::from_static(b"{\"type\":\"marsad-seal\",\"id\":\"marsad-seal--\\u0007\"}"));
    page.push(Bytes::from_static(b"[]"));
    for n in 0..50 {
        page.insert(0, seal(&tool(60, 1, 1), Some(json!({"expires": n})), &Keys::of(&[66; 32])));
    }
    let (sorted, counts, told) = two.take(1, &page);
    let because = |word: &str| sorted.refused.iter().filter(|refused| refused.reason.contains(word)).count();
    // The one that was flooded is lost; 17, 40 and 60 are missing, and nothing else.
    assert_eq!((counts.added, counts.unchanged), (297, 1), "{:?}", sorted.refused);
    assert_eq!(
        (because("no seal"), because("10 minutes"), because("not on a card")),
        (2, 1, 1),
        "{:?}",
        sorted.refused
    );
    assert_eq!(told.refused.len(), 2, "{told:?}");
    let clean = |text: &str| !text.contains(|c: char| c.is_control());
    assert!(sorted.refused.iter().all(|refused| clean(&refused.id) && clean(&refused.reason)));
}

#[test]
fn clocks_may_differ_by_minutes_and_not_by_more() {
    let (one, two) = two();
    for (n, ahead, taken) in [(1, 0, true), (2, 9 * 60, true), (3, 11 * 60, false), (4, -3600 * 24 * 365, true)] {
        let mut object = tool(n, 1, 1);
        let at = stix::timestamp::format_millis(NOW + ahead * 1_000_000);
        object["modified"] = at.clone().into();
        object["created"] = if ahead < 0 { at.into() } else { object["created"].clone() };
        let page = [bytes(&object), seal(&object, None, &one.keys)];
        let (sorted, counts, _) = two.take(1, &page);
        assert_eq!((counts.added == 1, sorted.refused.len() == 1), (taken, !taken), "{ahead}: {sorted:?}");
    }
}

#[test]
fn an_envelope_speaks_of_what_is_there_and_for_its_signer() {
    let (mut one, mut two) = two();
    let three = Node::new(3);
    one.meet(&three);
    two.meet(&three);
    let digest = |object: &Value| partner::signed::digest(object.to_string().as_bytes(), &Limits::default()).unwrap();
    let said =
        |digest, path: Vec<String>| Said { digest, path, reliability: Some('B'), credibility: Some(2), handling: None };
    let object = tool(1, 9, 1);
    for (what, said, by, path, refused) in [
        ("as it should be", said(digest(&object), vec![identity(9)]), 3, vec![identity(9), identity(3)], 0),
        ("of what is not there", said([7; 32], vec![identity(9)]), 3, vec![identity(3)], 0),
        ("by another partner", said(digest(&object), vec![identity(9)]), 1, vec![identity(3)], 1),
        ("by nobody we know", said(digest(&object), vec![identity(9)]), 88, vec![identity(3)], 1),
    ] {
        let envelope = partner::envelope::sign(&[said], "2026-11-20T00:00:00Z", &Keys::of(&[by; 32]));
        let (sorted, ..) = two.take(3, &[Bytes::from(envelope), bytes(&object)]);
        assert_eq!((sorted.sound.len(), sorted.refused.len()), (1, refused), "{what}: {sorted:?}");
        assert_eq!(*sorted.sound[0].path, path, "{what}");
        assert_eq!(sorted.sound[0].reliability, (path.len() == 2).then_some('B'), "{what}");
    }
    // Altered on the way: nothing of it is believed.
    let envelope = partner::envelope::sign(&[said(digest(&object), vec![])], "2026-11-20T00:00:00Z", &three.keys);
    let mut altered = read(&envelope);
    altered["objects"][0]["credibility"] = 1.into();
    let (sorted, ..) = two.take(3, &[bytes(&altered), bytes(&object)]);
    assert_eq!((sorted.refused.len(), sorted.sound[0].credibility), (1, None), "{sorted:?}");
    // What says that it was here before is not taken again.
    let here = partner::envelope::sign(
        &[said(digest(&object), vec![identity(2), identity(9)])],
        "2026-11-20T00:00:00Z",
        &three.keys,
    );
    let (sorted, ..) = two.take(3, &[Bytes::from(here), bytes(&object)]);
    assert_eq!((sorted.sound.len(), sorted.dropped), (0, 1), "{sorted:?}");
    // A way that is too long to be handed on.
    let long =
        partner::envelope::sign(&[said(digest(&object), vec![identity(9); 64])], "2026-11-20T00:00:00Z", &three.keys);
    let (sorted, ..) = two.take(3, &[Bytes::from(long), bytes(&object)]);
    assert_eq!((sorted.sound.len(), sorted.refused.len()), (0, 1), "{sorted:?}");
}

#[test]
fn our_own_objects_come_back_to_nothing() {
    let (mut one, mut two) = two();
    let three = Node::new(3);
    one.meet(&three);
    two.meet(&three);
    one.write(&[tool(1, 1, 1)]);
    let page = one.page_for(2);
    // As it went out, as another version, and as what was lost here.
    let (sorted, counts, _) = one.take(3, &page);
    assert_eq!((sorted.sound.len(), sorted.dropped, counts.added), (0, 1, 0), "{sorted:?}");
    let forged = tool(1, 1, 9);
    let (sorted, ..) = one.take(3, &[bytes(&forged), seal(&forged, None, &three.keys)]);
    assert_eq!((sorted.sound.len(), sorted.refused.len()), (0, 1), "{sorted:?}");
    let lost = tool(2, 1, 1);
    let (_, counts, _) = one.take(3, &[bytes(&lost), seal(&lost, None, &one.keys)]);
    assert_eq!(counts.added, 1);
    let (_, class) = &one.held(&id(2))[0];
    assert_eq!((&class.owner, &class.author), (&name(3), &Author::Organisation(name(1))));
}

#[test]
fn a_part_of_anothers_sealed_object_goes_nowhere() {
    let (one, mut two) = two();
    let three = Node::new(3);
    two.meet(&three);
    one.write(&[tool(1, 1, 1)]);
    two.take(1, &one.page_for(2));
    let (held, class) = &two.held(&id(1))[0];
    let class = two.book.class(&class.to_definition(), &class.opened().to_definition()).unwrap();
    let mut part = held.clone();
    part.as_object_mut().unwrap().remove("description");
    part["extensions"] = json!({stix::redact::EXTENSION: {"extension_type": "property-extension", "partial": true}});
    let (whole, part) = (bytes(held), bytes(&part));
    let spelled = Bytes::from(
        part.iter().map(|byte| char::from(*byte)).collect::<String>().replace("partial\":true", "p\\u0061rtial\":true"),
    );
    let dressed = two.dress(3, &[(&whole[..], class), (&part[..], class), (&spelled[..], class)]);
    assert_eq!(dressed.left_out, [1, 2]);
    assert_eq!(of_type(&dressed.objects, "tool"), [&whole]);
}

#[test]
fn what_waits_is_bounded() {
    let (one, two) = two();
    let mut waiting = Waiting::default();
    let mut refused = 0;
    for page in 0..10 {
        let page: Vec<Bytes> = (0..1_000).map(|n| bytes(&tool(page * 1_000 + n, 1, 1))).collect();
        let (sorted, ..) = two.take_on(1, &page, &mut waiting);
        refused += sorted.refused.len();
    }
    assert_eq!(waiting.objects() + refused, 10_000);
    assert!(waiting.objects() < 5_000);
    let _ = (one, address(1));
}
