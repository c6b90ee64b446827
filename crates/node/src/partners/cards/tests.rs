use super::*;
use crate::home::Secret;
use ledger::{Organisation, Register as _, Relation, Sharing as _};
use partner::card::{Draft, issue, read as read_card};
use partner::key::Keys;

const NOW: Micros = 1_790_000_000_000_000;
const HOUR: Micros = 3_600_000_000;

struct World {
    book: ledger::sqlite::Book,
    secret: Secret,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let book = ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap();
    for name in ["Own CERT", "North", "South"] {
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
    }
    book.set_note(crate::administration::OWN_ORGANISATION, Some(b"Own CERT")).unwrap();
    for name in ["North", "South"] {
        make_partner(&book, name, PartnerKind::Node, NOW).unwrap();
    }
    World { book, secret: Secret::new([1; 32]), _folder: folder }
}

fn keys(number: u8) -> Keys {
    Keys::of(&[number; 32])
}

fn draft(number: u8, serial: u64) -> Draft {
    Draft {
        serial,
        organisation: "CERT North".into(),
        identities: vec![format!("identity--00000000-0000-4000-8000-0000000000{number:02x}")],
        addresses: vec![],
        certificates: vec![],
        from: NOW - HOUR,
        until: None,
        revoked: false,
    }
}

fn card(number: u8, serial: u64) -> Card {
    read_card(&issue(&draft(number, serial), &keys(number), None)).unwrap()
}

/// The card of `before`'s organisation after it took the keys of `number`.
fn after(before: &Card, old: u8, number: u8, change: impl FnOnce(&mut Draft)) -> Card {
    let mut draft = Draft { identities: before.identities.clone(), ..draft(old, before.serial + 1) };
    change(&mut draft);
    read_card(&issue(&draft, &keys(number), Some((before, &keys(old))))).unwrap()
}

impl World {
    fn take(&self, name: &str, card: &Card, compared: bool) -> Result<Taken, String> {
        let compared = compared.then(|| card.fingerprint());
        take(&self.book, &self.secret, name, card, compared, NOW).map_err(|refused| refused.to_string())
    }

    fn states(&self, name: &str) -> Vec<(u64, CardState)> {
        self.book.cards(name).unwrap().iter().map(|kept| (kept.serial, kept.state)).collect()
    }

    fn counts(&self, number: u8) -> bool {
        let ring = identity::keyring(&self.book, &self.secret).unwrap();
        ring.signer(&keys(number).public().id(), NOW).is_ok()
    }
}

#[test]
fn an_offered_card_counts_for_nothing_until_it_was_compared() {
    let world = world();
    let card = card(2, 5);
    assert_eq!(world.take("North", &card, false), Ok(Taken::Offered));
    assert!(!world.counts(2));
    assert!(
        world.book.standings().unwrap().is_empty()
            || !world.book.standings().unwrap().iter().any(|s| s.organisation == "North")
    );
    assert_eq!(offered(&world.book, "north").unwrap().as_ref(), Some(&card));
    // Other words than the card's: nothing changes.
    let wrong = take(&world.book, &world.secret, "North", &card, Some([7; 16]), NOW).unwrap_err();
    assert!(wrong.to_string().contains("those of another card"));
    assert_eq!(world.states("North"), [(5, CardState::Offered)]);
    assert_eq!(world.take("North", &card, true), Ok(Taken::Pinned));
    assert!(world.counts(2));
    assert_eq!(offered(&world.book, "North").unwrap(), None);
    let standings = world.book.standings().unwrap();
    assert_eq!(standings.iter().find(|s| s.organisation == "North").unwrap().identities, card.identities);
    assert_eq!(world.take("North", &card, false), Ok(Taken::Known));
}

#[test]
fn a_later_offer_takes_the_place_of_an_earlier_one() {
    let world = world();
    world.take("North", &card(8, 5), false).unwrap();
    world.take("North", &card(2, 5), false).unwrap();
    assert_eq!(world.states("North"), [(5, CardState::Offered)]);
    assert_eq!(offered(&world.book, "North").unwrap(), Some(card(2, 5)));
}

#[test]
fn a_card_that_follows_counts_without_a_call_and_no_other_does() {
    let world = world();
    let one = card(2, 5);
    world.take("North", &one, true).unwrap();
    let two = after(&one, 2, 12, |_| {});
    for (other, why) in [
        (card(3, 9), "it is the card of another node"),
        (after(&card(3, 5), 3, 13, |draft| draft.identities.clone_from(&one.identities)), "not signed by the key"),
        (
            read_card(&issue(
                &Draft { serial: 5, addresses: vec!["https://a.example/".into()], ..draft(2, 5) },
                &keys(2),
                None,
            ))
            .unwrap(),
            "its serial is 5",
        ),
        (card(2, 4), "its serial is 4"),
    ] {
        let refused = world.take("North", &other, false).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(world.states("North"), [(5, CardState::Pinned)]);
    }
    assert_eq!(world.take("North", &two, false), Ok(Taken::Followed));
    assert_eq!(world.states("North"), [(6, CardState::Pinned), (5, CardState::Replaced)]);
    // What was signed before goes on to count, and the old card does not come back.
    assert!(world.counts(2) && world.counts(12));
    assert!(world.take("North", &one, false).unwrap_err().contains("not signed by"));
    assert!(world.take("North", &one, true).is_err());
}

#[test]
fn a_revocation_stops_everything_until_the_next_voice() {
    let world = world();
    let one = card(2, 5);
    world.take("North", &one, true).unwrap();
    let two = after(&one, 2, 12, |_| {});
    world.take("North", &two, false).unwrap();
    let last = after(&two, 12, 12, |draft| draft.revoked = true);
    assert_eq!(world.take("North", &last, false), Ok(Taken::Revoked));
    assert!(world.states("North").iter().all(|(_, state)| *state == CardState::Revoked));
    assert!(!world.counts(2) && !world.counts(12));
    for old in [&one, &two, &last] {
        assert!(world.take("North", old, true).is_err());
    }
    // A card that comes after is an offer, even one that claims to follow from the key that was revoked.
    let thief = after(&two, 12, 14, |draft| draft.serial = 20);
    assert_eq!(world.take("North", &thief, false), Ok(Taken::Offered));
    assert!(!world.counts(14));
    let new =
        read_card(&issue(&Draft { identities: one.identities.clone(), ..draft(2, 21) }, &keys(15), None)).unwrap();
    assert_eq!(world.take("North", &new, true), Ok(Taken::Pinned));
    assert!(world.counts(15) && !world.counts(2) && !world.counts(12));
}

#[test]
fn after_a_lost_key_a_voice_is_enough_and_the_old_key_counts_no_more() {
    let world = world();
    world.take("North", &card(2, 5), true).unwrap();
    let new = read_card(&issue(&Draft { serial: 9, ..draft(2, 9) }, &keys(16), None)).unwrap();
    assert!(world.take("North", &new, false).is_err());
    assert_eq!(world.take("North", &new, true), Ok(Taken::Pinned));
    assert_eq!(world.states("North"), [(9, CardState::Pinned), (5, CardState::Revoked)]);
    assert!(world.counts(16) && !world.counts(2));
}

#[test]
fn our_side_can_revoke_a_partner() {
    let world = world();
    world.take("North", &card(2, 5), true).unwrap();
    revoke(&world.book, "north", NOW).unwrap();
    assert!(!world.counts(2));
    assert!(world.take("North", &after(&card(2, 5), 2, 12, |_| {}), true).is_ok(), "a new card, compared by voice");
}

#[test]
fn a_card_out_of_its_time_or_of_somebody_else_is_refused() {
    let world = world();
    let own = identity::own(&world.book, &world.secret).unwrap().card;
    world.take("South", &card(3, 5), true).unwrap();
    let with = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft(2, 5);
        change(&mut draft);
        read_card(&issue(&draft, &keys(2), None)).unwrap()
    };
    let declared = Standing {
        organisation: "Own CERT".into(),
        identities: vec![own.node().to_owned(), "identity--00000000-0000-4000-8000-0000000000aa".into()],
        ..Standing::default()
    };
    world.book.set_standing(&declared).unwrap();
    for (card, why) in [
        (with(&|draft| draft.until = Some(NOW - HOUR / 2)), "it has expired"),
        (with(&|draft| draft.from = NOW + HOUR), "does not count yet"),
        (with(&|draft| draft.revoked = true), "not to be believed"),
        (with(&|draft| draft.identities.push(card(3, 5).identities[0].clone())), "another organisation signs"),
        (with(&|draft| draft.identities.push(own.node().to_owned())), "another organisation signs"),
        (with(&|draft| draft.identities.push(declared.identities[1].clone())), "another organisation signs"),
        (read_card(&issue(&draft(2, 5), &keys(3), None)).unwrap(), "on the card of another organisation"),
        (own.clone(), "our own card"),
    ] {
        for compared in [false, true] {
            let refused = world.take("North", &card, compared).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(world.states("North").is_empty());
    }
    // Clocks some minutes apart are no reason.
    assert!(world.take("North", &with(&|draft| draft.from = NOW + HOUR / 20), false).is_ok());
    // What follows is looked at as well.
    world.take("North", &card(2, 5), true).unwrap();
    let greedy = after(&card(2, 5), 2, 12, |draft| draft.identities.push(card(3, 5).identities[0].clone()));
    assert!(world.take("North", &greedy, false).unwrap_err().contains("another organisation signs"));
    assert_eq!(world.states("North"), [(5, CardState::Pinned)]);
}
