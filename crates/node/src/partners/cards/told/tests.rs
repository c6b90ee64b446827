use super::*;
use crate::partners::cards::{make_partner, take};
use crate::partners::identity::Surroundings;
use http::{Response, StatusCode};
use ledger::{Organisation, PartnerKind, Register as _, Relation};
use std::sync::Mutex;
use std::time::Duration;
use taxii::client::Failure;

const NOW: Micros = 1_790_000_000_000_000;
const ADDRESS: &str = "https://node.example/api/links/cards";

struct Node {
    book: ledger::sqlite::Book,
    secret: Secret,
    _folder: tempfile::TempDir,
}

impl Node {
    fn new(name: &str, secret: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap();
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Own }).unwrap();
        book.set_note(crate::administration::OWN_ORGANISATION, Some(name.as_bytes())).unwrap();
        let node = Self { book, secret: Secret::new([secret; 32]), _folder: folder };
        identity::own_at(&node.book, &node.secret, None, NOW).unwrap();
        node
    }

    fn own(&self) -> Own {
        identity::own(&self.book, &self.secret).unwrap()
    }

    /// Confirms the card of another.
    fn trusts(&self, name: &str, other: &Self) {
        self.book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
        make_partner(&self.book, name, PartnerKind::Node, NOW).unwrap();
        let card = other.own().card;
        take(&self.book, &self.secret, name, &card, Some(card.fingerprint()), NOW).unwrap();
    }

    fn states(&self, name: &str) -> Vec<CardState> {
        self.book.cards(name).unwrap().iter().map(|kept| kept.state).collect()
    }

    fn believes(&self, other: &Own) -> bool {
        let ring = identity::keyring(&self.book, &self.secret).unwrap();
        ring.signer(&other.keys.public().id(), NOW).is_ok()
    }
}

/// The way to a node, which knows whoever asks by this name.
struct Wire<'a> {
    there: &'a Node,
    asker: &'a str,
    now: Micros,
    asked: Mutex<u32>,
}

impl Transport for Wire<'_> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        assert_eq!((request.method(), request.uri().to_string()), (&Method::POST, ADDRESS.to_owned()));
        *self.asked.lock().unwrap() += 1;
        let heard = hear(&self.there.book, &self.there.secret, self.asker, request.body(), self.now).unwrap();
        assert!(heard.iter().all(|heard| heard.taken.is_ok()), "{heard:?}");
        Ok(Response::new(Bytes::from(ours(&self.there.own()))))
    }

    async fn pause(&self, _: Duration) {}

    fn now(&self) -> i64 {
        self.now
    }

    fn chance(&self) -> u64 {
        0
    }
}

fn pair() -> (Node, Node) {
    let (one, two) = (Node::new("One", 1), Node::new("Two", 2));
    one.trusts("Two", &two);
    two.trusts("One", &one);
    (one, two)
}

/// One tells two at `now`. Returns what was heard, and how often was asked.
fn tell(one: &Node, two: &Node, now: Micros) -> (Vec<Taken>, u32) {
    let wire = Wire { there: two, asker: "One", now, asked: Mutex::new(0) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let heard = runtime.block_on(exchange(&one.book, &one.secret, "Two", &wire, ADDRESS)).unwrap();
    let taken = heard.into_iter().map(|heard| heard.taken.unwrap()).collect();
    (taken, *wire.asked.lock().unwrap())
}

#[test]
fn new_keys_of_both_sides_arrive_over_a_link() {
    let (one, two) = pair();
    assert_eq!(tell(&one, &two, NOW), (vec![], 1));
    assert_eq!(tell(&one, &two, NOW + 1), (vec![], 0), "nothing is new");
    let rotated = identity::rotate(&one.book, &one.secret, &Surroundings::default(), NOW).unwrap();
    assert!(!two.believes(&rotated));
    assert_eq!(tell(&one, &two, NOW + 2), (vec![], 1), "our own new card is told at once");
    assert!(two.believes(&rotated));
    assert_eq!(two.states("One"), [CardState::Pinned, CardState::Replaced]);
    let theirs = identity::rotate(&two.book, &two.secret, &Surroundings::default(), NOW).unwrap();
    assert_eq!(tell(&one, &two, NOW + 3), (vec![], 0));
    assert_eq!(tell(&one, &two, NOW + 2 + APART), (vec![Taken::Followed], 1), "theirs when it is time");
    assert!(one.believes(&theirs));
}

#[test]
fn a_revocation_arrives_over_a_link_and_what_comes_after_does_not_count() {
    let (one, two) = pair();
    let before = two.own();
    let after = identity::revoke(&two.book, &two.secret, &Surroundings::default(), NOW).unwrap();
    assert_eq!(tell(&one, &two, NOW), (vec![Taken::Revoked], 1));
    assert!(!one.believes(&before) && !one.believes(&after));
    assert!(one.states("Two").iter().all(|state| *state == CardState::Revoked));
    // Of whoever has no confirmed card nothing is told or heard.
    assert_eq!(tell(&one, &two, NOW + APART), (vec![], 0));
    assert!(hear(&one.book, &one.secret, "Two", &ours(&two.own()), NOW).unwrap().is_empty());
    // After the next voice the link goes on, and the old revocation is no news.
    take(&one.book, &one.secret, "Two", &after.card, Some(after.card.fingerprint()), NOW).unwrap();
    assert_eq!(tell(&one, &two, NOW + 2 * APART), (vec![], 1));
    assert!(one.believes(&after));
}

#[test]
fn what_is_told_by_somebody_else_or_bent_is_refused_with_a_reason() {
    let (one, two) = pair();
    let stranger = Node::new("Two", 9);
    let bent = String::from_utf8(ours(&two.own())).unwrap().replacen("\"Two\"", "\"Too\"", 1);
    for (told, why) in [(ours(&stranger.own()), "another node"), (bent.into_bytes(), "was altered")] {
        let heard = hear(&one.book, &one.secret, "Two", &told, NOW).unwrap();
        let [heard] = &heard[..] else { panic!("{heard:?}") };
        let (_, done, reason) = heard.told().unwrap();
        assert!(!done && reason.contains(why), "{reason}");
        assert_eq!(one.states("Two"), [CardState::Pinned]);
    }
    let card = String::from_utf8(two.own().card.text().to_vec()).unwrap();
    let many = format!("{{\"cards\":[{}]}}", vec![card; MOST + 1].join(","));
    for told in ["", "[]", "{}", "{\"cards\":[],\"more\":1}", &many] {
        assert!(
            matches!(hear(&one.book, &one.secret, "Two", told.as_bytes(), NOW), Err(Refused::Because(_))),
            "{told}"
        );
    }
}

#[test]
fn a_server_that_does_not_know_of_cards_is_left_alone() {
    struct Older;
    impl Transport for Older {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            Ok(answer)
        }
        async fn pause(&self, _: Duration) {}
        fn now(&self) -> i64 {
            NOW
        }
        fn chance(&self) -> u64 {
            0
        }
    }
    let (one, _two) = pair();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ask = || runtime.block_on(exchange(&one.book, &one.secret, "Two", &Older, ADDRESS));
    assert!(ask().unwrap_err().contains("404"));
    assert!(ask().unwrap().is_empty(), "and not asked again in every round");
}
