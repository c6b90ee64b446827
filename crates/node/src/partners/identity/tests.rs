use super::*;
use ledger::{Organisation, Partner, PartnerKind, Register as _, Relation, Sharing as _};
use partner::signed::{self, Kind};

const NOW: Micros = 1_790_000_000_000_000;

fn book() -> (tempfile::TempDir, ledger::sqlite::Book) {
    let folder = tempfile::tempdir().unwrap();
    let book = ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap();
    book.add_organisation(&Organisation { name: "Own CERT".into(), relation: Relation::Own }).unwrap();
    book.set_note(crate::administration::OWN_ORGANISATION, Some(b"Own CERT")).unwrap();
    (folder, book)
}

fn here() -> Surroundings {
    Surroundings { addresses: vec!["https://node.example/taxii2/".into()], certificates: vec!["0f".repeat(32)] }
}

#[test]
fn keys_and_card_are_made_at_the_first_use_and_stay() {
    let (_folder, book) = book();
    let secret = Secret::new([1; 32]);
    let first = own(&book, &secret).unwrap();
    let again = own(&book, &secret).unwrap();
    assert_eq!((&again.card, again.keys.public()), (&first.card, first.keys.public()));
    assert_eq!(first.card.keys, first.keys.public());
    assert_eq!((first.card.organisation.as_str(), first.card.addresses.len()), ("Own CERT", 0));
    // The identity that was made is the one by which our organisation signs.
    let standings = book.standings().unwrap();
    assert_eq!(standings.len(), 1);
    assert_eq!(standings[0].identities, [first.card.node()]);
    // Nobody reads the seed out of the database.
    assert!(matches!(own(&book, &Secret::new([2; 32])), Err(Error::Locked)));
}

#[test]
fn an_identity_that_is_declared_is_used() {
    let (_folder, book) = book();
    let ids: Vec<String> = (1..3).map(|n| format!("identity--00000000-0000-4000-8000-00000000000{n}")).collect();
    let standing = Standing { organisation: "Own CERT".into(), identities: ids.clone(), ..Standing::default() };
    book.set_standing(&standing).unwrap();
    assert_eq!(own(&book, &Secret::new([1; 32])).unwrap().card.identities, ids);
}

#[test]
fn the_card_follows_where_we_are_reached() {
    let (_folder, book) = book();
    let secret = Secret::new([1; 32]);
    let (first, made) = own_at(&book, &secret, Some(&here()), NOW).unwrap();
    assert!(made);
    assert_eq!((&first.card.addresses, &first.card.certificates), (&here().addresses, &here().certificates));
    let (same, changed) = own_at(&book, &secret, Some(&here()), NOW + 1).unwrap();
    assert_eq!((same.card, changed), (first.card.clone(), false));
    let moved = Surroundings { addresses: vec![], ..here() };
    let (moved, changed) = own_at(&book, &secret, Some(&moved), NOW).unwrap();
    assert!(changed);
    assert_eq!(moved.keys.public(), first.keys.public());
    assert_eq!(moved.card.follows(&first.card), Ok(()));
    // What is asked without looking around changes nothing.
    assert_eq!(own(&book, &secret).unwrap().card, moved.card);
}

#[test]
fn new_keys_follow_from_old_ones_unless_those_were_revoked() {
    let (_folder, book) = book();
    let secret = Secret::new([1; 32]);
    let first = own_at(&book, &secret, Some(&here()), NOW).unwrap().0;
    let second = rotate(&book, &secret, &here(), NOW).unwrap();
    assert_ne!(second.keys.public(), first.keys.public());
    assert_eq!(second.card.follows(&first.card), Ok(()));
    assert_eq!(second.card.node(), first.card.node());
    let third = revoke(&book, &secret, &here(), NOW).unwrap();
    let [last] = &third.revoked[..] else { panic!("{:?}", third.revoked) };
    assert!(last.revoked && !third.card.revoked);
    assert_eq!((last.follows(&second.card), last.follows(&first.card)), (Ok(()), Ok(())));
    assert!(third.card.follows(&second.card).is_err());
    assert!(third.card.serial > last.serial && third.card.node() == first.card.node());
    // What the revoked key signed does not count here either; what its successor signs does.
    let ring = keyring(&book, &secret).unwrap();
    let statement =
        |own: &Own| signed::read(&signed::sign(Kind::Seal, None, serde_json::Map::new(), &own.keys)).unwrap();
    assert!(statement(&second).verify(&ring, NOW).is_err());
    assert_eq!(statement(&third).verify(&ring, NOW).unwrap().organisation, "Own CERT");
    assert_eq!(ring.own(), Some(&third.card));
}

#[test]
fn the_ring_is_of_confirmed_cards_and_read_again_when_they_change() {
    let (_folder, book) = book();
    let book = Arc::new(book);
    let secret = Secret::new([1; 32]);
    let rings = Rings::new(Arc::clone(&book) as _, secret.clone());
    let keys = Keys::of(&[9; 32]);
    let draft = Draft {
        serial: 5,
        organisation: "CERT North".into(),
        identities: vec!["identity--00000000-0000-4000-8000-000000000009".into()],
        addresses: vec![],
        certificates: vec![],
        from: NOW,
        until: None,
        revoked: false,
    };
    let card = card::read(&card::issue(&draft, &keys, None)).unwrap();
    book.add_organisation(&Organisation { name: "North".into(), relation: Relation::Community }).unwrap();
    let (organisation, terms) = ("North".to_owned(), b"{}".to_vec());
    book.add_partner(&Partner { organisation, kind: PartnerKind::Node, terms, added: NOW }).unwrap();
    for (state, counts) in [
        (CardState::Offered, false),
        (CardState::Pinned, true),
        (CardState::Replaced, true),
        (CardState::Revoked, false),
    ] {
        let body = card.text().to_vec();
        book.set_card(&ledger::Card { organisation: "north".into(), serial: 5, state, body, at: NOW }).unwrap();
        let ring = rings.now().unwrap();
        let signer = ring.signer(&keys.public().id(), NOW).map(|signer| signer.organisation.to_owned());
        assert_eq!(signer.ok(), counts.then(|| "North".to_owned()), "{state:?}");
        assert!(Arc::ptr_eq(&ring, &rings.now().unwrap()), "not read again without need");
    }
    let before = rings.now().unwrap();
    let own = rotate(&*book, &secret, &here(), NOW).unwrap();
    assert_eq!(rings.now().unwrap().own(), Some(&own.card));
    assert_ne!(before.own(), Some(&own.card));
}
