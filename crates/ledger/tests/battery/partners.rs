//! What every engine must do about partners.

use ledger::partners::{Link, Said};
use ledger::{
    Appended, Card, CardState, Delivery, DeliveryState, Dialect, Entry, Error, Ledger, Mail, Mark, Organisation,
    Partner, PartnerKind, Partners, Recall, Relation, Stated, Statement, Submission,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A book with three organisations, of which North and South are partners.
fn filled<B: Partners>(book: B) -> B {
    for name in ["North", "South", "West"] {
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
    }
    book.add_partner(&partner("North")).unwrap();
    book.add_partner(&Partner { kind: PartnerKind::Foreign, ..partner("South") }).unwrap();
    book
}

fn partner(name: &str) -> Partner {
    Partner { organisation: name.into(), kind: PartnerKind::Node, terms: b"{}".to_vec(), added: 5 }
}

fn card(serial: u64, state: CardState, at: i64) -> Card {
    Card { organisation: "North".into(), serial, state, body: format!("card {serial}").into_bytes(), at }
}

fn link(name: &str, organisation: &str) -> Link {
    Link {
        name: name.into(),
        organisation: organisation.into(),
        definition: b"{\"every\":300}".to_vec(),
        secret: None,
        paused: false,
    }
}

pub(crate) fn recall(id: &str, object: &str, at: i64) -> Recall {
    Recall { id: id.into(), object: object.into(), at, body: format!("signed {id}").into_bytes(), from: None }
}

fn delivery(recall: &str, organisation: &str, state: DeliveryState) -> Delivery {
    Delivery {
        recall: recall.into(),
        organisation: organisation.into(),
        state,
        attempts: 0,
        last: None,
        answer: String::new(),
    }
}

fn statement(mark: Mark, source: &str, at: i64, body: &str) -> Statement {
    Statement { mark, source: source.into(), first: at, last: at, body: body.as_bytes().to_vec() }
}

/// A partner is an organisation, has one pinned card, and takes its cards, links and mail along when it goes.
pub(crate) fn partners<B: Ledger + Partners>(make: impl Fn() -> B) {
    let book = filled(make());
    let generation = book.generation().unwrap();
    assert!(matches!(book.add_partner(&partner("NORTH")), Err(Error::Exists { what: "partner", .. })));
    assert!(matches!(book.add_partner(&partner("Nobody")), Err(Error::Missing { what: "organisation", .. })));
    assert_eq!(book.generation().unwrap(), generation, "what was refused changed nothing");
    assert!(matches!(book.change_partner(&partner("West")), Err(Error::Missing { what: "partner", .. })));
    let changed =
        Partner { organisation: "north".into(), kind: PartnerKind::Foreign, terms: b"{\"a\":1}".to_vec(), added: 9 };
    book.change_partner(&changed).unwrap();
    assert!(book.generation().unwrap() > generation);
    let north = Partner { organisation: "North".into(), added: 5, ..changed };
    assert_eq!(book.partner("nORTH").unwrap(), Some(north.clone()));
    assert_eq!(book.partner("West").unwrap(), None);
    assert_eq!(book.partners().unwrap(), [north, Partner { kind: PartnerKind::Foreign, ..partner("South") }]);

    assert!(matches!(
        book.set_card(&Card { organisation: "West".into(), ..card(1, CardState::Pinned, 1) }),
        Err(Error::Missing { what: "partner", .. })
    ));
    assert!(matches!(book.set_card(&card(u64::MAX, CardState::Offered, 1)), Err(Error::Storage { .. })));
    book.set_card(&card(1, CardState::Offered, 1)).unwrap();
    book.set_card(&card(1, CardState::Pinned, 2)).unwrap();
    book.set_card(&card(2, CardState::Offered, 3)).unwrap();
    book.set_card(&Card { organisation: "South".into(), ..card(1, CardState::Pinned, 4) }).unwrap();
    assert_eq!(book.cards("NORTH").unwrap(), [card(2, CardState::Offered, 3), card(1, CardState::Pinned, 2)]);
    let generation = book.generation().unwrap();
    book.set_card(&card(2, CardState::Pinned, 5)).unwrap();
    assert!(book.generation().unwrap() > generation);
    assert_eq!(book.cards("North").unwrap(), [card(2, CardState::Pinned, 5), card(1, CardState::Replaced, 5)]);
    book.set_card(&card(2, CardState::Revoked, 6)).unwrap();
    assert_eq!(book.cards("North").unwrap(), [card(2, CardState::Revoked, 6), card(1, CardState::Replaced, 5)]);
    let all: Vec<(String, u64)> =
        book.all_cards().unwrap().into_iter().map(|card| (card.organisation, card.serial)).collect();
    assert_eq!(all, [("North".into(), 2), ("North".into(), 1), ("South".into(), 1)]);

    book.add_link(&link("b", "North")).unwrap();
    book.add_link(&Link { secret: Some(vec![1, 2]), paused: true, ..link("A", "South") }).unwrap();
    assert!(matches!(book.add_link(&link("B", "South")), Err(Error::Exists { what: "link", .. })));
    assert!(matches!(book.add_link(&link("c", "West")), Err(Error::Missing { what: "partner", .. })));
    assert!(matches!(book.change_link(&link("c", "North")), Err(Error::Missing { what: "link", .. })));
    assert!(matches!(book.change_link(&link("b", "West")), Err(Error::Missing { what: "partner", .. })));
    book.change_link(&Link { paused: true, definition: vec![], ..link("B", "North") }).unwrap();
    assert_eq!(book.link("b").unwrap(), Some(Link { paused: true, definition: vec![], ..link("b", "North") }));
    assert_eq!(book.links().unwrap().iter().map(|link| &*link.name).collect::<Vec<_>>(), ["A", "b"]);
    book.remove_link("a").unwrap();
    assert!(matches!(book.remove_link("a"), Err(Error::Missing { .. })));

    let mark = [7; 16];
    book.put_provenance(&[(mark, b"seal")], &[statement(mark, "North", 1, "{}")]).unwrap();
    let brought = Recall { from: Some("North".into()), ..recall("r", "o", 1) };
    book.add_recall(&brought, &[delivery("r", "North", DeliveryState::Waiting)]).unwrap();
    for name in ["North", "South"] {
        book.post(name, &[("r", b"signed r")], 1).unwrap();
    }
    book.remove_partner("north").unwrap();
    assert!(matches!(book.remove_partner("North"), Err(Error::Missing { .. })));
    assert_eq!((book.partner("North").unwrap(), book.cards("North").unwrap()), (None, vec![]));
    assert_eq!((book.links().unwrap(), book.mail("North", 0, 9).unwrap()), (vec![], vec![]));
    assert_eq!(book.all_cards().unwrap().len(), 1);
    assert_eq!(book.mail("South", 0, 9).unwrap().len(), 1);
    assert_eq!(book.seals(&[mark]).unwrap(), [Some(b"seal".to_vec())]);
    assert_eq!(book.statements(&mark).unwrap(), [statement(mark, "North", 1, "{}")]);
    assert_eq!((book.recall("r").unwrap(), book.deliveries("r").unwrap().len()), (Some(brought), 1));
    assert_eq!(book.organisations().unwrap().len(), 3, "it stays an organisation");
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

/// One of everything; and whether it is all there.
pub(crate) fn keep_one_of_everything<B: Partners>(book: B) -> B {
    let book = filled(book);
    book.set_card(&card(1, CardState::Pinned, 1)).unwrap();
    book.add_link(&Link { secret: Some(vec![0, 255]), ..link("up", "South") }).unwrap();
    book.put_provenance(&[([1; 16], b"seal")], &[statement([1; 16], "West", 3, "said")]).unwrap();
    book.add_recall(&recall("r", "o", 4), &[delivery("r", "North", DeliveryState::Sent)]).unwrap();
    book.post("North", &[("r", b"signed r")], 5).unwrap();
    book
}

/// See [`keep_one_of_everything`].
pub(crate) fn one_of_everything_is_there<B: Ledger + Partners>(book: &B) {
    let south = Partner { kind: PartnerKind::Foreign, ..partner("South") };
    assert_eq!(book.partners().unwrap(), [partner("North"), south]);
    assert_eq!(book.all_cards().unwrap(), [card(1, CardState::Pinned, 1)]);
    assert_eq!(book.links().unwrap(), [Link { secret: Some(vec![0, 255]), ..link("up", "South") }]);
    assert_eq!(book.seals(&[[1; 16]]).unwrap(), [Some(b"seal".to_vec())]);
    assert_eq!(book.statements(&[1; 16]).unwrap(), [statement([1; 16], "West", 3, "said")]);
    assert_eq!(book.recalls_after(0, 9).unwrap(), [recall("r", "o", 4)]);
    assert_eq!(book.deliveries("r").unwrap(), [delivery("r", "North", DeliveryState::Sent)]);
    let mail = Mail { no: 5, organisation: "North".into(), id: "r".into(), body: b"signed r".to_vec() };
    assert_eq!(book.mail("North", 0, 9).unwrap(), [mail]);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

/// What is put into a book and into the oracle: seals (mark, body), statements (mark, source, first, last, body), and then
/// seals in place of others.
#[derive(Clone, Debug)]
struct Put {
    seals: Vec<(u8, u8)>,
    renewed: Vec<(u8, u8)>,
    statements: Vec<(u8, usize, i64, i64, u8)>,
}

fn puts() -> impl Strategy<Value = Vec<Put>> {
    let seals = prop::collection::vec((0..6_u8, 0..4_u8), 0..6);
    let statements = prop::collection::vec((0..6_u8, 0..4_usize, 0..3_i64, 0..3_i64, 0..4_u8), 0..9);
    let renewed = prop::collection::vec((0..6_u8, 0..4_u8), 0..3);
    let put = (seals, statements, renewed).prop_map(|(seals, statements, renewed)| Put { seals, renewed, statements });
    prop::collection::vec(put, 0..6)
}

/// Marks that differ where their order does not begin.
fn mark(no: u8) -> Mark {
    std::array::from_fn(|at| if at == usize::from(no % 3) { 5 - no } else { 0x20 })
}

/// Against a map: the first seal stays, the earliest first and the newest last, and what was said last.
pub(crate) fn provenance<B: Ledger + Partners>(make: impl Fn() -> B) {
    const SOURCES: [&str; 4] = ["North", "South", "West", "NORTH"];
    let marks: Vec<Mark> = (0..6).map(mark).collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    let outcome = runner.run(&puts(), |puts| {
        static POOL: [u8; 4] = [0, 1, 2, 3];
        let book = filled(make());
        let mut seals: BTreeMap<Mark, Vec<u8>> = BTreeMap::new();
        let mut statements: BTreeMap<(Mark, String), Statement> = BTreeMap::new();
        for put in &puts {
            // What is equal lies in one place, and is kept once.
            let body = |body: u8| POOL.get(usize::from(body)..=usize::from(body)).unwrap();
            let given: Vec<(Mark, &[u8])> = put.seals.iter().map(|(no, seal)| (mark(*no), body(*seal))).collect();
            let said: Vec<Statement> = put
                .statements
                .iter()
                .map(|(no, source, first, last, body)| Statement {
                    mark: mark(*no),
                    source: SOURCES[*source].into(),
                    first: *first,
                    last: *last,
                    body: vec![*body],
                })
                .collect();
            let stated: Vec<Stated<'_>> = said
                .iter()
                .zip(&put.statements)
                .map(|(one, (.., of))| Stated { body: body(*of), ..one.as_stated() })
                .collect();
            let said_of = Said { seals: &given, statements: &stated };
            book.append_said(&[], &said_of, 7, &|a, b| a == b).unwrap();
            for (mark, body) in given {
                seals.entry(mark).or_insert_with(|| body.to_vec());
            }
            let renewed: Vec<(Mark, &[u8])> = put.renewed.iter().map(|(no, seal)| (mark(*no), body(*seal))).collect();
            book.renew_seals(&renewed).unwrap();
            seals.extend(renewed.into_iter().map(|(mark, body)| (mark, body.to_vec())));
            for one in said {
                let held = statements
                    .entry((one.mark, one.source.to_lowercase()))
                    .or_insert_with(|| Statement { last: i64::MIN, ..one.clone() });
                held.first = held.first.min(one.first);
                if one.last >= held.last {
                    (held.last, held.body) = (one.last, one.body);
                }
            }
        }
        let asked: Vec<Mark> = marks.iter().rev().chain(&marks).copied().collect();
        let expected: Vec<Option<Vec<u8>>> = asked.iter().map(|mark| seals.get(mark).cloned()).collect();
        prop_assert_eq!(book.seals(&asked).unwrap(), expected);
        let lower = |mut one: Statement| {
            one.source = one.source.to_lowercase();
            one
        };
        let expected: Vec<Vec<Statement>> = asked
            .iter()
            .map(|mark| statements.values().filter(|one| one.mark == *mark).cloned().map(lower).collect())
            .collect();
        let found: Vec<Vec<Statement>> =
            book.statements_of(&asked).unwrap().into_iter().map(|all| all.into_iter().map(lower).collect()).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(book.statistics().unwrap().seals, seals.len() as u64);
        prop_assert_eq!(book.check(&mut |_, _| {}).unwrap(), vec![]);
        Ok(())
    });
    outcome.unwrap();

    let book = filled(make());
    let generation = book.generation().unwrap();
    let stranger = book.put_provenance(&[(mark(1), b"s")], &[statement(mark(1), "Nobody", 1, "{}")]);
    assert!(
        matches!(stranger, Err(Error::Missing { what: "organisation", ref name }) if name == "Nobody"),
        "{stranger:?}"
    );
    assert_eq!(book.seals(&[mark(1)]).unwrap(), [None], "nothing is left of what was refused");
    book.put_seals(&[(mark(1), b"s")]).unwrap();
    book.put_statements(&[statement(mark(2), "West", 1, "{}")]).unwrap();
    book.put_provenance(&[], &[]).unwrap();
    assert_eq!(book.seals(&[mark(2), mark(1)]).unwrap(), [None, Some(b"s".to_vec())]);
    assert_eq!((book.seals(&[]).unwrap(), book.statements_of(&[]).unwrap()), (vec![], vec![]));
    assert_eq!(book.generation().unwrap(), generation, "who says what disturbs nobody");

    // With records, all of it or nothing.
    let collection = super::collection(&book, "said").no;
    let class = book.class(b"class", b"open").unwrap();
    let entry = |body: &'static [u8]| Entry {
        collection,
        key: "tool--00000000-0000-4000-8000-000000000001",
        kind: "tool",
        version: None,
        dialect: Dialect::Stix21,
        author: None,
        revoked: false,
        class,
        references: &[],
        body,
    };
    let append = |body: &'static [u8], source: &str| {
        let entries = [entry(body)];
        let (seals, statement) = ([(mark(3), body)], statement(mark(3), source, 1, "{}"));
        let said = Said { seals: &seals, statements: &[statement.as_stated()] };
        book.append_said(&[Submission { entries: &entries, receipt: None }], &said, 7, &|a, b| a == b)
    };
    let records = || book.statistics().unwrap().records;
    let stranger = append(b"{}", "Nobody");
    assert!(
        matches!(stranger, Err(Error::Missing { what: "organisation", ref name }) if name == "Nobody"),
        "{stranger:?}"
    );
    assert_eq!((records(), book.seals(&[mark(3)]).unwrap()), (0, vec![None]));
    assert!(matches!(append(b"{}", "West").unwrap()[..], [ref of] if matches!(of[..], [Appended::Added(_)])));
    assert!(matches!(append(b"{}", "West").unwrap()[..], [ref of] if matches!(of[..], [Appended::Unchanged(_)])));
    assert_eq!((records(), book.seals(&[mark(3)]).unwrap()), (1, vec![Some(b"{}".to_vec())]));
    assert_eq!(book.statements(&mark(3)).unwrap().len(), 1);
}

/// A recall and its receivers come in one commit, are known once, and are kept whatever becomes of them.
pub(crate) fn recalls<B: Ledger + Partners>(make: impl Fn() -> B) {
    use DeliveryState::{Cannot, Confirmed, Refused, Sent, Waiting};
    let book = filled(make());
    assert_eq!(book.any_recalled(&["o", "p"]).unwrap(), [false, false]);
    let first = Recall { from: Some("South".into()), ..recall("r1", "o", 20) };
    book.add_recall(&first, &[delivery("other", "North", Waiting), delivery("", "West", Cannot)]).unwrap();
    let again = book.add_recall(&recall("r1", "p", 30), &[delivery("r1", "South", Waiting)]);
    assert!(matches!(again, Err(Error::Exists { what: "recall", .. })), "{again:?}");
    let strange =
        book.add_recall(&recall("r2", "p", 30), &[delivery("r2", "North", Waiting), delivery("r2", "Nobody", Waiting)]);
    assert!(matches!(strange, Err(Error::Missing { what: "organisation", .. })), "{strange:?}");
    let bringer = book.add_recall(&Recall { from: Some("Nobody".into()), ..recall("r2", "p", 30) }, &[]);
    assert!(matches!(bringer, Err(Error::Missing { .. })), "{bringer:?}");
    assert_eq!((book.recall("r2").unwrap(), book.any_recalled(&["p"]).unwrap()), (None, vec![false]));
    assert_eq!(book.deliveries("r1").unwrap(), [delivery("r1", "North", Waiting), delivery("r1", "West", Cannot)]);
    assert_eq!(book.recall("r1").unwrap(), Some(first.clone()));

    for (id, object, at) in [("r3", "o", 10), ("r2", "p", 30), ("r5", "q", 30), ("r4", "o", 30), ("r6", "o", 40)] {
        book.add_recall(&recall(id, object, at), &[delivery(id, "North", Waiting)]).unwrap();
    }
    let ids = |recalls: Vec<Recall>| recalls.into_iter().map(|recall| recall.id).collect::<Vec<_>>();
    assert_eq!(ids(book.recalls_of("o").unwrap()), ["r3", "r1", "r4", "r6"]);
    assert_eq!(ids(book.recalls_of("O").unwrap()), [""; 0], "ids are compared letter by letter");
    let found: Vec<Vec<String>> = book.recalled(&["p", "x", "o"]).unwrap().into_iter().map(ids).collect();
    assert_eq!(found, [vec!["r2"], vec![], vec!["r3", "r1", "r4", "r6"]]);
    assert_eq!(book.any_recalled(&["p", "x", "o", "p"]).unwrap(), [true, false, true, true]);
    for (at, limit, expected) in [
        (i64::MIN, 1, vec!["r3"]),
        (0, 2, vec!["r3", "r1"]),
        (10, 1, vec!["r1"]),
        (10, 2, vec!["r1", "r2", "r4", "r5"]),
        (20, 1, vec!["r2", "r4", "r5"]),
        (20, 9, vec!["r2", "r4", "r5", "r6"]),
        (40, 9, vec![]),
    ] {
        assert_eq!(ids(book.recalls_after(at, limit).unwrap()), expected, "after {at}, {limit} of them");
    }

    let sent =
        Delivery { state: Sent, attempts: 1, last: Some(50), answer: "posted".into(), ..delivery("r2", "north", Sent) };
    book.set_delivery(&sent).unwrap();
    book.set_delivery(&delivery("r4", "North", Confirmed)).unwrap();
    book.set_delivery(&delivery("r4", "South", Refused)).unwrap();
    assert!(matches!(book.set_delivery(&delivery("r9", "North", Sent)), Err(Error::Missing { what: "recall", .. })));
    let nobody = book.set_delivery(&delivery("r4", "Nobody", Sent));
    assert!(matches!(nobody, Err(Error::Missing { what: "organisation", .. })), "{nobody:?}");
    assert_eq!(book.deliveries("r2").unwrap(), [Delivery { organisation: "North".into(), ..sent }]);
    assert_eq!(book.deliveries("r4").unwrap(), [delivery("r4", "North", Confirmed), delivery("r4", "South", Refused)]);
    let to = |states: &[DeliveryState]| {
        book.deliveries_to("NORTH", states).unwrap().into_iter().map(|delivery| delivery.recall).collect::<Vec<_>>()
    };
    let waiting: Vec<String> =
        book.waiting_deliveries("North").unwrap().into_iter().map(|delivery| delivery.recall).collect();
    assert_eq!(waiting, ["r3", "r1", "r5", "r6"], "oldest recall first");
    assert_eq!(to(&[Sent, Waiting, Sent]), ["r3", "r1", "r2", "r5", "r6"]);
    assert_eq!((to(&[Confirmed, Refused, Cannot]), to(&[])), (vec!["r4".to_owned()], vec![]));
    assert_eq!(book.statistics().unwrap().recalls, 6);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

/// Numbers of mail rise over the whole book, whatever the clock does and whatever was dropped; one copy of an id waits.
pub(crate) fn mail<B: Ledger + Partners>(make: impl Fn() -> B) {
    let book = filled(make());
    assert!(matches!(book.post("West", &[("a", b"1")], 9), Err(Error::Missing { what: "partner", .. })));
    assert_eq!(book.post("North", &[("a", b"1"), ("b", b"2"), ("a", b"3")], 100).unwrap(), 2);
    assert_eq!(book.post("South", &[("a", b"4")], 50).unwrap(), 1, "the clock went back");
    assert_eq!(book.post("NORTH", &[("b", b"5"), ("c", b"6")], 200).unwrap(), 1);
    let waits = |name: &str, after, limit| {
        let mail = book.mail(name, after, limit).unwrap();
        mail.into_iter().map(|mail| (mail.no, mail.id, mail.body[0])).collect::<Vec<_>>()
    };
    let one = |no, id: &str, body| (no, id.to_owned(), body);
    assert_eq!(waits("north", 0, 9), [one(100, "a", b'1'), one(101, "b", b'2'), one(200, "c", b'6')]);
    assert_eq!(waits("North", 100, 1), [one(101, "b", b'2')]);
    assert_eq!(waits("South", 0, 9), [one(102, "a", b'4')]);
    assert_eq!((waits("West", 0, 9), waits("North", 200, 9), waits("North", 0, 0)), (vec![], vec![], vec![]));
    assert_eq!(book.statistics().unwrap().mail, 4);
    assert_eq!(book.drop_mail("North", 101).unwrap(), 2);
    assert_eq!(waits("North", 0, 9), [one(200, "c", b'6')]);
    assert_eq!(book.drop_mail("north", i64::MAX).unwrap(), 1);
    assert_eq!(book.post("North", &[("a", b"7")], 0).unwrap(), 1, "what was fetched may wait again");
    assert_eq!(waits("North", 0, 9), [one(201, "a", b'7')], "no number is given twice");
    assert_eq!(waits("South", 0, 9), [one(102, "a", b'4')]);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}
