use super::*;
use crate::config::Config;
use crate::intake::Classes;
use ledger::{
    Appended, ClassNo, Collection, CollectionNo, Dialect, Entry, Ledger as _, Place, Register as _, Relation, Scope,
    Submission, Version, Who,
};
use observable::Kind;
use policy::{Class, Tlp};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// A book with two collections and an organisation of ours.
struct Node {
    book: Arc<Book>,
    collections: Vec<CollectionNo>,
    open: ClassNo,
    hidden: ClassNo,
    clock: Micros,
    _directory: TempDir,
}

impl Node {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let book = Arc::new(Book::create(&directory.path().join("marsad.db")).unwrap());
        for (name, relation) in [("Us", Relation::Own), ("Them", Relation::Community)] {
            book.add_organisation(&ledger::Organisation { name: name.into(), relation }).unwrap();
        }
        let collections = ["a", "b"].map(|alias| {
            let collection = Collection {
                no: CollectionNo(0),
                id: uuid::Uuid::new_v4().to_string(),
                alias: alias.into(),
                title: alias.into(),
                description: None,
                read: Who::Members,
                write: Who::Members,
            };
            book.add_collection(&collection).unwrap().no
        });
        let classes = Classes::default();
        let owner = "Them".to_owned();
        let open = Class { owner: owner.clone(), markings: vec![Tlp::Green.id().to_owned()], ..Class::default() };
        let red = vec![Tlp::Red.id().to_owned()];
        let hidden = Class { owner, markings: red, recipients: vec!["Somebody".into()], ..Class::default() };
        let (open, hidden) = (classes.number(&*book, &open).unwrap(), classes.number(&*book, &hidden).unwrap());
        Self { book, collections: collections.into(), open, hidden, clock: 1_000_000, _directory: directory }
    }

    fn door(&self) -> Door {
        Door::over(&self.book, &Config::default())
    }

    fn followed(&self) -> Arc<Followed> {
        Followed::still(Arc::clone(&self.book), self.door(), Settings::default(), &mut |_| {}).unwrap()
    }

    fn put(&mut self, collection: usize, object: &str, class: ClassNo, more: &serde_json::Value) -> Appended {
        self.clock += 1_000_000;
        let modified = stix::timestamp::format_micros(self.clock);
        let mut body = serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "id": object, "created": "1970-01-01T00:00:01.000Z",
            "modified": modified, "pattern_type": "stix", "valid_from": "1970-01-01T00:00:01Z",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = body.to_string();
        let entry = Entry {
            collection: self.collections[collection],
            key: object,
            kind: "indicator",
            version: Some(Version { micros: self.clock, picos: 0, text: &modified }),
            dialect: Dialect::Stix21,
            author: None,
            revoked: more["revoked"] == true,
            class,
            references: &[],
            body: body.as_bytes(),
        };
        let submission = Submission { entries: &[entry], receipt: None };
        self.book.append(&[submission], self.clock, &|a, b| a == b).unwrap()[0][0]
    }

    fn erase(&mut self, object: &str) {
        self.clock += 1;
        let scope = Scope { key: Some(object), ..Scope::default() };
        self.book.erase(&scope, &mut |_| true, self.clock).unwrap();
    }

    fn narrow(&mut self, object: &str) {
        self.clock += 1;
        let hidden = self.hidden;
        self.book.reclass(object, &mut |_| Some(hidden), Place::Kept, self.clock).unwrap();
    }
}

fn id(number: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

fn domain(value: &str) -> serde_json::Value {
    serde_json::json!({"pattern": format!("[domain-name:value = '{value}']")})
}

/// The names that the set has for a value.
fn found(followed: &Followed, value: &str) -> BTreeSet<u64> {
    let mut found = Vec::new();
    followed.now().set.value(Kind::Domain, value.as_bytes(), &mut Vec::new(), &mut found);
    found.into_iter().map(|found| found.name).collect()
}

/// Who claims a value, as the set says and the book confirms: id and version.
fn met(followed: &Followed, value: &str) -> BTreeSet<(String, String)> {
    let now = crate::clock::now();
    let confirm = |name| followed.confirm(name, Kind::Domain, value.as_bytes(), now).unwrap();
    let stands = found(followed, value).into_iter().filter_map(confirm);
    stands.map(|indicator| (indicator.id.clone(), indicator.modified.clone())).collect()
}

fn ids(followed: &Followed, value: &str) -> Vec<String> {
    met(followed, value).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn what_is_accepted_is_met_and_what_ends_is_not() {
    let mut node = Node::new();
    node.put(0, &id(1), node.open, &domain("one.example"));
    let followed = node.followed();
    assert_eq!(ids(&followed, "one.example"), [id(1)]);

    node.put(0, &id(2), node.open, &domain("two.example"));
    assert_eq!(ids(&followed, "two.example"), [""; 0], "nobody has looked yet");
    let before = followed.generation();
    followed.catch_up().unwrap();
    assert!(followed.generation() > before);
    assert_eq!(ids(&followed, "two.example"), [id(2)]);

    // A new version claims something else.
    node.put(0, &id(1), node.open, &domain("other.example"));
    followed.catch_up().unwrap();
    assert_eq!((ids(&followed, "one.example"), ids(&followed, "other.example")), (vec![], vec![id(1)]));
    assert!(found(&followed, "one.example").is_empty());

    node.put(
        0,
        &id(1),
        node.open,
        &serde_json::json!({"pattern": "[domain-name:value = 'other.example']", "revoked": true}),
    );
    node.erase(&id(2));
    followed.catch_up().unwrap();
    for value in ["one.example", "two.example", "other.example"] {
        assert!(found(&followed, value).is_empty(), "{value}");
    }
    assert_eq!(followed.status().unwrap().figures.lag, 0);
}

#[test]
fn what_is_withheld_from_us_or_over_is_not_met() {
    let mut node = Node::new();
    node.put(0, &id(1), node.hidden, &domain("hidden.example"));
    node.put(0, &id(2), node.open, &domain("narrowed.example"));
    let window = |until: &str| {
        let pattern = "[domain-name:value = 'window.example']";
        serde_json::json!({"pattern": pattern, "valid_from": "2020-01-01T00:00:00Z", "valid_until": until})
    };
    node.put(0, &id(3), node.open, &window("2021-01-01T00:00:00Z"));
    node.put(0, &id(4), node.open, &window("2999-01-01T00:00:00Z"));
    let followed = node.followed();
    assert!(found(&followed, "hidden.example").is_empty());
    assert_eq!(ids(&followed, "window.example"), [id(4)]);
    let name = *found(&followed, "window.example").first().unwrap();
    let at = |time: &str| {
        let at = stix::timestamp::Timestamp::parse(time).unwrap().micros;
        followed.confirm(name, Kind::Domain, b"window.example", at).unwrap().is_some()
    };
    assert_eq!(
        ["2019-12-31T23:59:59Z", "2020-01-01T00:00:00Z", "2998-12-31T23:59:59Z", "2999-01-01T00:00:00Z"].map(at),
        [false, true, true, false],
        "from inclusive, until exclusive (STIX 2.1 §4.7)"
    );
    assert_eq!(ids(&followed, "narrowed.example"), [id(2)]);
    node.narrow(&id(2));
    // Nothing in the order of the book tells of it; what was said is believed for a moment.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !ids(&followed, "narrowed.example").is_empty() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_an_indicator_says_of_itself_comes_with_the_hit() {
    let mut node = Node::new();
    let more = serde_json::json!({
        "pattern": "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']",
        "confidence": 70, "name": "Two names", "created_by_ref": "identity--00000000-0000-4000-8000-000000000001",
        "object_marking_refs": [Tlp::Green.id()],
    });
    let Appended::Added(seq) = node.put(1, &id(1), node.open, &more) else { panic!() };
    let followed = node.followed();
    let name = *found(&followed, "B.example").first().unwrap();
    let indicator = followed.confirm(name, Kind::Domain, b"B.example", crate::clock::now()).unwrap().unwrap();
    assert_eq!((indicator.id.as_str(), indicator.seq, indicator.source.as_str()), (id(1).as_str(), seq, "Them"));
    assert_eq!((indicator.tlp, indicator.confidence), (Tlp::Green, Some(70)));
    assert_eq!(indicator.name.as_deref(), Some("Two names"));
    assert_eq!(followed.confirm(name, Kind::Domain, b"c.example", crate::clock::now()).unwrap(), None, "by its value");
    assert_eq!(followed.confirm(name + 7, Kind::Domain, b"a.example", crate::clock::now()).unwrap(), None);
}

#[test]
fn what_cannot_be_watched_for_is_counted_with_its_reason() {
    let mut node = Node::new();
    for (number, more) in [
        (1, domain("com")),
        (2, domain("no domain")),
        (3, serde_json::json!({"pattern": "[domain-name:value = "})),
        (4, serde_json::json!({"pattern": "rule x { condition: true }", "pattern_type": "yara"})),
        (5, serde_json::json!({"pattern": "[ipv4-addr:value ISSUBSET '0.0.0.0/0']"})),
        (
            6,
            serde_json::json!({"pattern": "[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'http://b.example/']"}),
        ),
        (7, domain("good.example")),
    ] {
        node.put(0, &id(number), node.open, &more);
    }
    let followed = node.followed();
    let status = followed.status().unwrap();
    let wanted = [(Why::Broken, 1), (Why::Language, 1), (Why::TooBroad, 2), (Why::NoValue, 1)];
    assert_eq!(status.refused, wanted);
    assert_eq!((status.figures.indicators, status.figures.claims, status.figures.patterns), (2, 1, 1));
    assert!(status.examples.contains(&(Why::Broken, id(3))), "{status:?}");
    let (name, _) =
        followed.now().general.first_key_value().map(|(name, pattern)| (*name, Arc::clone(pattern))).unwrap();
    assert_eq!(followed.standing(name, crate::clock::now()).unwrap().unwrap().id, id(6));
    // some hundred more of them take no more memory than their number.
    for number in 100..400 {
        node.put(0, &id(number), node.open, &serde_json::json!({"pattern": "[broken"}));
    }
    followed.catch_up().unwrap();
    let status = followed.status().unwrap();
    assert_eq!(status.refused[0], (Why::Broken, 301));
    assert!(status.examples.len() <= 100);
}

#[test]
fn patterns_that_say_more_are_met_and_follow_the_book() {
    use crate::watch::seer::{Found, Seer, Tally};
    use ::watch::input::{Eye as _, Format};
    let pattern = |text: &str| serde_json::json!({ "pattern": text });
    let followed_by = "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']";
    let traffic = "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]";
    let mut node = Node::new();
    node.put(0, &id(1), node.open, &pattern(followed_by));
    node.put(0, &id(2), node.hidden, &pattern(traffic));
    let followed = node.followed();
    let (found, tally) = (Found::default(), Arc::<Tally>::default());
    let mut seer = Seer::new(&followed, "log", Format::ZeekJson, &found, &tally).unwrap();
    let mut line = 0;
    let mut see = |more: &str| {
        line += 1;
        let text = format!("{{\"ts\":{line}.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.5\",{more}}}\n");
        seer.block(text.as_bytes(), line);
        let hits = found.take().into_iter();
        hits.map(|hit| (hit.indicator.id.clone(), hit.kind, hit.value, hit.line)).collect::<Vec<_>>()
    };
    let (name, address) = ("\"query\":\"a.example\"", "\"id.resp_h\":\"203.0.113.7\",\"id.resp_p\":4444");
    let both = || "a.example 203.0.113.7".to_owned();
    let one = || "203.0.113.7".to_owned();
    assert_eq!(see(name), []);
    assert_eq!(see(address), [(id(1), Kind::Pattern, both(), 2)], "what is withheld from us is not met");

    // One comes while another has seen the half of what it needs.
    assert_eq!(see(name), []);
    node.put(0, &id(3), node.open, &pattern(traffic));
    followed.catch_up().unwrap();
    assert_eq!(see(address), [(id(1), Kind::Pattern, both(), 4), (id(3), Kind::Pattern, one(), 4)]);

    // A new version says something else, the other is revoked.
    node.put(0, &id(1), node.open, &pattern("[domain-name:value = 'a.example' AND domain-name:value != 'b.example']"));
    let revoked = serde_json::json!({"pattern": traffic, "revoked": true});
    node.put(0, &id(3), node.open, &revoked);
    followed.catch_up().unwrap();
    assert_eq!(see(address), []);
    assert_eq!(see(name), [(id(1), Kind::Pattern, "a.example".to_owned(), 6)]);

    // It becomes a plain claim.
    node.put(0, &id(1), node.open, &domain("a.example"));
    followed.catch_up().unwrap();
    assert_eq!(see(name), [(id(1), Kind::Domain, "a.example".to_owned(), 7)]);
    let report = followed.patterns().report();
    assert_eq!((report.patterns, followed.patterns().claims(), followed.patterns().everywhere()), (0, 0, 0));

    // What no set can tell is tested on every event, until it goes.
    node.put(1, &id(4), node.open, &pattern("[network-traffic:dst_port = 4444]"));
    node.put(1, &id(5), node.open, &pattern("[domain-name:value MATCHES '(?=x)']"));
    followed.catch_up().unwrap();
    assert_eq!(followed.patterns().everywhere(), 1);
    assert_eq!(see(address), [(id(4), Kind::Pattern, "4444".to_owned(), 8)]);
    assert!(followed.status().unwrap().examples.contains(&(Why::Broken, id(5))));
    node.erase(&id(4));
    followed.catch_up().unwrap();
    assert_eq!(see(address), []);
    assert_eq!(followed.patterns().everywhere(), 0);
    assert_eq!(tally.unconfirmed.load(Ordering::Relaxed), 0);
}

#[test]
fn a_follower_sees_what_comes_and_goes() {
    let mut node = Node::new();
    let followed = Followed::start(Arc::clone(&node.book), node.door(), Settings::default(), &mut |_| {}).unwrap();
    let until = |wanted: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !wanted() {
            assert!(std::time::Instant::now() < deadline, "the follower does not follow");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    node.put(0, &id(1), node.open, &domain("one.example"));
    until(&|| ids(&followed, "one.example") == [id(1)]);
    node.erase(&id(1));
    until(&|| found(&followed, "one.example").is_empty());
    drop(followed);
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, usize, usize, bool),
    Revoke(usize, usize),
    Erase(usize),
    Narrow(usize),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_usize, 0..5_usize, 0..6_usize, any::<bool>()).prop_map(|(c, o, v, h)| Step::Put(c, o, v, h)),
        1 => (0..2_usize, 0..5_usize).prop_map(|(c, o)| Step::Revoke(c, o)),
        1 => (0..5_usize).prop_map(Step::Erase),
        1 => (0..5_usize).prop_map(Step::Narrow),
        3 => Just(Step::Look),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens to the book, and whenever it is looked at: the set that followed is the set that is built anew.
    #[test]
    fn the_followed_set_is_the_fresh_one(steps in steps()) {
        let mut node = Node::new();
        let followed = node.followed();
        let values: Vec<String> = (0..6).map(|value| format!("v{value}.example")).collect();
        let mut narrowed = false;
        for step in steps {
            match step {
                Step::Put(collection, object, value, hidden) => {
                    let class = if hidden && value == 5 { node.hidden } else { node.open };
                    let pattern = match value {
                        0 => "[domain-name:value = 'v0.example' OR domain-name:value = 'v1.example']".to_owned(),
                        4 => "[domain-name:value = 'v4.example'".to_owned(),
                        value => format!("[domain-name:value = 'v{value}.example']"),
                    };
                    node.put(collection, &id(object), class, &serde_json::json!({ "pattern": pattern }));
                }
                Step::Revoke(collection, object) => {
                    let more = serde_json::json!({"pattern": "[domain-name:value = 'v3.example']", "revoked": true});
                    node.put(collection, &id(object), node.open, &more);
                }
                Step::Erase(object) => node.erase(&id(object)),
                Step::Narrow(object) => {
                    node.narrow(&id(object));
                    narrowed = true;
                }
                Step::Look => followed.catch_up().unwrap(),
            }
        }
        followed.catch_up().unwrap();
        let fresh = node.followed();
        followed.shared.confirmed.lock().unwrap().clear();
        for value in &values {
            prop_assert_eq!(met(&followed, value), met(&fresh, value), "{}", value);
            let of = |from: &Followed| {
                let names = from.shared.names.read().unwrap();
                found(from, value).into_iter().map(|name| names.id(name).unwrap()).collect::<BTreeSet<_>>()
            };
            let (followed, fresh) = (of(&followed), of(&fresh));
            prop_assert!(if narrowed { followed.is_superset(&fresh) } else { followed == fresh }, "{:?} {:?}", followed, fresh);
        }
    }
}

#[test]
fn what_is_well_known_is_not_watched_for() {
    let mut node = Node::new();
    let mut collector = ::watch::warning::Collector::new([5; 32]);
    collector.add(br#"{"name":"Hosts","type":"hostname","list":["good.example"]}"#).unwrap();
    collector.add(br#"{"name":"Names","type":"string","list":["plain.example"]}"#).unwrap();
    let settings = Settings { warnings: Some(Arc::new(collector.build())), ..Settings::default() };
    let both = "[domain-name:value = 'www.good.example' OR domain-name:value = 'evil.example']";
    node.put(0, &id(1), node.open, &serde_json::json!({ "pattern": both }));
    node.put(0, &id(2), node.open, &domain("good.example"));
    let followed = Followed::still(Arc::clone(&node.book), node.door(), settings, &mut |_| {}).unwrap();
    node.put(0, &id(3), node.open, &domain("plain.example"));
    node.put(0, &id(4), node.open, &domain("below.plain.example"));
    followed.catch_up().unwrap();
    assert_eq!(ids(&followed, "evil.example"), [id(1)], "what else an indicator says counts");
    assert_eq!(ids(&followed, "below.plain.example"), [id(4)]);
    for benign in ["www.good.example", "good.example", "plain.example"] {
        assert_eq!(ids(&followed, benign), [""; 0], "{benign}");
    }
    let status = followed.status().unwrap();
    assert_eq!(status.benign, [("Hosts".into(), 2), ("Names".into(), 1)]);
    assert_eq!(status.refused, [(Why::Benign, 3)]);
    assert_eq!(status.figures.claims, 2);
    // Without the lists all of them are watched for.
    assert_eq!(ids(&node.followed(), "good.example"), [id(2)]);
}
