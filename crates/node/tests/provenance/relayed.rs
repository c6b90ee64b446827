//! Objects that go on: from their author over one node to the next.

use crate::world::{Node, address, bytes, id, identity, name, of_type, read, tool, type_of};
use bytes::Bytes;
use ledger::{Ledger as _, Partners as _};
use node::partners::provenance::Proof;
use partner::trust::Standing;
use policy::{Audience, Author, Handling};
use serde_json::json;

/// One and two know each other, two and three do; three has the card of one or has only heard of it.
fn three(knows: bool) -> (Node, Node, Node) {
    let (mut one, mut two, mut three) = (Node::new(1), Node::new(2), Node::new(3));
    one.meet(&two);
    two.meet(&one);
    two.meet(&three);
    three.meet(&two);
    if knows {
        three.meet(&one);
    } else {
        three.hear_of(1);
    }
    (one, two, three)
}

#[test]
fn the_authors_seal_comes_through_unharmed() {
    let (one, two, three) = three(true);
    one.write(&[tool(1, 1, 1), address(7)]);
    let first = one.page_for(2);
    two.take(1, &first);
    let second = two.page_for(3);
    assert_eq!(
        second.iter().map(|one| type_of(one)).collect::<Vec<_>>(),
        ["tool", "marsad-seal", "ipv4-addr", "marsad-seal", "marsad-envelope"]
    );
    // Byte by byte what the author gave out; the relay adds its envelope.
    assert_eq!(second[..4], first[..]);
    assert_eq!(read(&second[4])["objects"][0]["path"], json!([identity(1)]));
    let (sorted, counts, _) = three.take(2, &second);
    assert_eq!((counts.added, sorted.refused.len()), (2, 0), "{sorted:?}");
    for object in [id(1), address(7)["id"].as_str().unwrap().to_owned()] {
        let (_, class) = &three.held(&object)[0];
        assert_eq!((&class.owner, &class.author), (&name(2), &Author::Organisation(name(1))));
    }
    assert!(sorted.sound.iter().all(|sound| *sound.path == [identity(1), identity(2)]));
}

#[test]
fn what_came_on_a_sheet_goes_on_with_seals_that_stand_alone() {
    let (one, two, three) = three(true);
    let tools: Vec<_> = (0..130).map(|n| tool(n, 1, 1)).collect();
    one.write(&tools);
    one.write(&[address(7)]);
    let (first, alone) = (one.link_page_for(2), one.page_for(2));
    let types: Vec<String> = first.iter().map(|one| type_of(one)).collect();
    assert_eq!(types.iter().filter(|kind| *kind == "marsad-seals").count(), 3, "{types:?}");
    assert!(!types.contains(&"marsad-seal".to_owned()) && first.len() == 131 + 3);
    assert_eq!(one.link_page_for(2), first, "the same for the same reader");
    let (sorted, counts, told) = two.take(1, &first);
    assert_eq!((counts.added, sorted.refused.len(), told.refused.len()), (131, 0, 0), "{sorted:?} {told:?}");
    assert!(sorted.sound.iter().all(|sound| matches!(sound.backing.proof, Proof::Verified(_))));
    assert_eq!(two.book.statistics().unwrap().seals, 131);
    assert_eq!(two.book.check(&mut |_, _| {}).unwrap(), []);
    // What the author told its reader alone is told to nobody else, over a link or otherwise.
    for second in [two.page_for(3), two.link_page_for(3)] {
        assert_eq!(second[..262], alone[..]);
        assert_eq!(type_of(&second[262]), "marsad-envelope");
        let (sorted, counts, _) = three.take(2, &second);
        assert_eq!((counts.added + counts.unchanged, sorted.refused.len()), (131, 0), "{sorted:?}");
        let (_, class) = &three.held(&id(100))[0];
        assert_eq!((&class.owner, &class.author), (&name(2), &Author::Organisation(name(1))));
    }
    // It comes again, without a seal: the sheet is still there.
    let bare: Vec<Bytes> = first.iter().filter(|one| type_of(one) == "tool").cloned().collect();
    let (sorted, counts, _) = two.take(1, &bare);
    assert_eq!((counts.unchanged, sorted.refused.len()), (130, 0), "{sorted:?}");
}

#[test]
fn a_sheet_proves_nothing_of_what_is_not_on_it() {
    let (one, two, _) = three(true);
    one.write(&[tool(1, 1, 1), tool(2, 1, 1), tool(3, 1, 1)]);
    let page = one.link_page_for(2);
    let mut bent = read(&page[1]);
    bent["name"] = "harmless".into();
    // One is altered, one is not there, and one comes beside them.
    let page = [page[0].clone(), bytes(&bent), bytes(&tool(4, 1, 1)), page[3].clone()];
    let (sorted, counts, _) = two.take(1, &page);
    assert_eq!((counts.added, sorted.refused.len()), (1, 2), "{sorted:?}");
    assert_eq!((two.held(&id(1)).len(), two.held(&id(2)).len(), two.held(&id(4)).len()), (1, 0, 0));
    // A broken one proves nothing at all.
    let mut broken = read(&page[3]);
    broken["signature"] = "A".repeat(86).into();
    let page = one.link_page_for(2);
    let (sorted, counts, _) = two.take(1, &[page[1].clone(), page[2].clone(), bytes(&broken)]);
    assert_eq!((counts.added, sorted.refused.len()), (0, 2), "{sorted:?}");
    assert!(sorted.refused.iter().all(|one| one.reason.contains("does not hold")), "{sorted:?}");
    let (sorted, ..) = two.take(1, &[Bytes::from_static(b"{\"type\":\"marsad-seals\",\"id\":\"marsad-seals--1\"}")]);
    assert_eq!((sorted.refused.len(), sorted.sound.len()), (1, 0), "{sorted:?}");
}

#[test]
fn a_sheet_of_a_stranger_is_kept_for_others() {
    let (one, _, mut three) = three(false);
    one.write(&[tool(1, 1, 1), tool(2, 1, 1)]);
    let (sorted, counts, _) = three.take(1, &one.link_page_for(3));
    assert_eq!((counts.added, sorted.refused.len()), (2, 0), "{sorted:?}");
    assert!(sorted.sound.iter().all(|sound| matches!(sound.backing.proof, Proof::Foreign)));
    let mut four = Node::new(4);
    four.meet(&one);
    four.meet(&three);
    three.meet(&four);
    let (sorted, counts, _) = four.take(3, &three.page_for(4));
    assert_eq!((counts.added, sorted.refused.len()), (2, 0), "{sorted:?}");
    assert!(sorted.sound.iter().all(|sound| matches!(sound.backing.proof, Proof::Verified(_))));
}

#[test]
fn who_does_not_know_the_author_takes_it_for_a_stranger_and_keeps_the_seal_for_others() {
    let (one, two, mut three) = three(false);
    one.write(&[tool(1, 1, 1)]);
    two.take(1, &one.page_for(2));
    let (sorted, counts, _) = three.take(2, &two.page_for(3));
    assert_eq!((counts.added, sorted.refused.len()), (1, 0), "{sorted:?}");
    assert!(matches!(sorted.sound[0].backing.proof, Proof::Foreign));
    // A fourth, who knows the author, is given the seal by one who could not verify it.
    let mut four = Node::new(4);
    four.meet(&one);
    four.meet(&three);
    three.meet(&four);
    let (sorted, counts, _) = four.take(3, &three.page_for(4));
    assert_eq!((counts.added, sorted.refused.len()), (1, 0), "{sorted:?}");
    assert_eq!(four.held(&id(1))[0].1.author, Author::Organisation(name(1)));
    assert_eq!(*sorted.sound[0].path, [1, 2, 3].map(identity));
}

/// One's key was stolen, and One seals with another. What was kept under the first is proven again, for others as well.
#[test]
fn what_was_sealed_with_a_revoked_key_is_proven_by_the_new_one() {
    let (mut one, mut two, mut three) = three(true);
    one.write(&[tool(1, 1, 1), address(7)]);
    two.take(1, &one.page_for(2));
    let keys = partner::key::Keys::of(&[77; 32]);
    let draft = partner::card::Draft { serial: 2, ..crate::world::draft(1) };
    let card = partner::card::read(&partner::card::issue(&draft, &keys, None)).unwrap();
    for node in [&mut two, &mut three] {
        node.stand(&one.card, name(1), Standing::Revoked);
        node.stand(&card, name(1), Standing::Pinned);
    }
    let stale = two.page_for(3);
    let (sorted, counts, _) = three.take(2, &stale);
    assert_eq!(counts.added, 1, "the address, as Two's: {sorted:?}");
    assert!(sorted.refused.len() == 1 && sorted.refused[0].reason.contains("revoked"), "{sorted:?}");
    (one.keys, one.card) = (keys, card);
    let (sorted, counts, _) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, sorted.refused.len()), (0, 0), "{sorted:?}");
    let fresh = two.page_for(3);
    assert_eq!(fresh[..4], one.page_for(2)[..4], "with the seals of today");
    let (sorted, _, _) = three.take(2, &fresh);
    assert_eq!(sorted.refused.len(), 0, "{sorted:?}");
    assert_eq!(three.held(&id(1))[0].1.author, Author::Organisation(name(1)));
    // An old seal that comes again does not take its place.
    two.take(3, &stale);
    assert_eq!(two.page_for(3), fresh);
}

#[test]
fn a_seal_that_could_not_be_verified_blocks_no_better_one() {
    let (one, two, mut three) = three(false);
    one.write(&[tool(1, 1, 1)]);
    two.take(1, &one.page_for(2));
    let page = two.page_for(3);
    // Somebody else's signature under the author's object, which nobody here can tell from the author's.
    let forged = {
        let body = read(&page[0]);
        let stranger = partner::key::Keys::of(&[55; 32]);
        let sealed = partner::seal::seal(
            &page[0],
            &id(1),
            body["modified"].as_str(),
            None,
            &stranger,
            &stix::json::Limits::default(),
        );
        Bytes::from(sealed.unwrap())
    };
    three.take(2, &[page[0].clone(), forged]);
    three.pin(&one);
    let (sorted, counts, _) = three.take(2, &page);
    assert_eq!((counts.unchanged, sorted.refused.len()), (1, 0), "{sorted:?}");
    let mut four = Node::new(4);
    four.meet(&one);
    four.meet(&three);
    three.meet(&four);
    let (sorted, counts, _) = four.take(3, &three.page_for(4));
    assert_eq!((counts.added, sorted.refused.len()), (1, 0), "{sorted:?}");
}

#[test]
fn nothing_goes_back_to_where_it_was() {
    let (one, two, three) = three(true);
    one.write(&[tool(1, 1, 1)]);
    two.write(&[tool(2, 2, 1)]);
    two.take(1, &one.page_for(2));
    three.take(2, &two.page_for(3));
    // To the one it came from, and to the one over whom it came.
    assert_eq!(of_type(&two.page_for(1), "tool"), [&bytes(&tool(2, 2, 1))]);
    assert_eq!(two.dressed_for(1).left_out.len(), 1);
    assert_eq!(
        three
            .page_for(1)
            .iter()
            .filter(|one| type_of(one) == "tool")
            .map(|one| read(one)["id"].clone())
            .collect::<Vec<_>>(),
        [id(2)]
    );
    assert!(three.page_for(2).is_empty());
}

/// Whoever is not told of a source cannot read it off what another source brought.
#[test]
fn an_envelope_tells_of_the_source_of_its_record_alone() {
    let (mut one, mut two) = (Node::new(1), Node::new(2));
    let (mut three, four) = (Node::new(3), Node::new(4));
    for node in [&mut two, &mut three] {
        one.meet(node);
        node.meet(&one);
    }
    one.meet(&four);
    two.write(&[address(7)]);
    three.write(&[address(7)]);
    one.take(2, &two.page_for(1));
    let alone = one.page_for(4);
    // The same bytes from another source, in a class of their own.
    one.take(3, &three.page_for(1));
    assert_eq!(one.book.statistics().unwrap().records, 2);
    let both = one.page_for(4);
    assert_eq!(both[..2], alone[..2]);
    let said = |page: &[Bytes]| read(of_type(page, "marsad-envelope")[0])["objects"][0].clone();
    assert_eq!(said(&both), said(&alone));
    let statements = one.book.statements(&node::partners::provenance::mark::of(&alone[0])).unwrap();
    assert_eq!(statements.iter().map(|said| said.source.clone()).collect::<Vec<_>>(), [name(2), name(3)]);
}

#[test]
fn limits_that_a_relay_set_go_on_in_its_envelope() {
    let (_, two, three) = three(true);
    // A stranger's object, brought in under a limit.
    let limits = Handling { audience: vec![], embargo: None, expires: Some(1_900_000_000_000_000) };
    two.bring(&name(2), &[tool(5, 9, 1)], limits.clone());
    let page = two.page_for(3);
    assert_eq!(page.iter().map(|one| type_of(one)).collect::<Vec<_>>(), ["tool", "marsad-envelope"]);
    three.take(2, &page);
    assert_eq!(three.held(&id(5))[0].1.handling, limits);
}

#[test]
fn a_circle_is_not_carried_into_the_next() {
    let (one, two, _) = three(true);
    for (n, audience, goes_on) in [
        (1, vec![Audience::Community], false),
        (2, vec![Audience::Connected], false),
        (3, vec![Audience::All], true),
        (4, vec![Audience::Group("5f2b6c1b-0d2b-4e5f-9c0b-5d9c7a3e6a0e".into())], true),
    ] {
        one.write_within(&[tool(n, 1, 1)], Handling { audience, ..Handling::default() });
        two.take(1, &one.page_for(2));
        let ids: Vec<String> =
            of_type(&two.page_for(3), "tool").iter().map(|one| read(one)["id"].to_string()).collect();
        assert_eq!(ids.contains(&format!("\"{}\"", id(n))), goes_on, "{n}");
    }
}

/// A server of another make may end a page between an object and its seal.
#[test]
fn a_seal_that_comes_late_goes_on_all_the_same() {
    let (one, two, mut three) = three(false);
    one.write(&[tool(1, 1, 1), address(7)]);
    two.take(1, &one.page_for(2));
    let page = two.page_for(3);
    let (seals, objects): (Vec<Bytes>, Vec<Bytes>) =
        page.iter().cloned().partition(|one| type_of(one) == "marsad-seal");
    let mut waiting = node::partners::provenance::Waiting::default();
    assert_eq!(three.take_on(2, &objects, &mut waiting).1.added, 2);
    three.take_on(2, &seals, &mut waiting);
    // One that is of nothing here, and one of another content.
    let other = |body: &serde_json::Value| {
        let stranger = partner::key::Keys::of(&[55; 32]);
        let (text, id) = (body.to_string(), body["id"].as_str().unwrap());
        let limits = stix::json::Limits::default();
        Bytes::from(
            partner::seal::seal(text.as_bytes(), id, body["modified"].as_str(), None, &stranger, &limits).unwrap(),
        )
    };
    let mut changed = tool(1, 1, 1);
    changed["name"] = "changed".into();
    three.take_on(2, &[other(&tool(9, 1, 1)), other(&changed)], &mut waiting);
    three.incoming(2, |incoming| assert_eq!(incoming.keep_late_seals(&mut waiting).unwrap(), 2));
    let mut four = Node::new(4);
    four.meet(&one);
    four.meet(&three);
    three.meet(&four);
    let (sorted, counts, _) = four.take(3, &three.page_for(4));
    assert_eq!((counts.added, sorted.refused.len()), (2, 0), "{sorted:?}");
    for object in [id(1), address(7)["id"].as_str().unwrap().to_owned()] {
        assert_eq!(four.held(&object)[0].1.author, Author::Organisation(name(1)), "{object}");
    }
}
