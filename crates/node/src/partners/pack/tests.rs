//! Two nodes with an air gap between them.

use super::*;
use crate::config::Config;
use crate::door::Door;
use crate::import::{Listener, Options, Pages, Refusal};
use crate::intake::Context;
use crate::packed::Budget;
use ledger::sqlite::Book;
use ledger::{
    CardState, Collection, Ledger as _, Organisation, Partners as _, Register as _, Relation, Run, Versions, Who,
};
use partner::card::{self, Card};
use partner::key::Keys;
use partner::package::order::{Place, Refused};
use partner::trust::{Keyring, Standing};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const NOW: i64 = 1_800_000_000_000_000;

struct Node {
    folder: tempfile::TempDir,
    book: Arc<Book>,
    collection: Collection,
    keys: Keys,
    card: Card,
    name: &'static str,
    ring: Keyring,
}

fn id(number: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{number:012}")
}

fn tool(number: u32, marking: &str) -> String {
    let id = id(number);
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{id}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","object_marking_refs":["{marking}"],"name":"n{number}"}}"#
    )
}

impl Node {
    fn new(name: &'static str, seed: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Arc::new(Book::create(&folder.path().join("marsad.db")).unwrap());
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Own }).unwrap();
        book.set_note(crate::administration::OWN_ORGANISATION, Some(name.as_bytes())).unwrap();
        let collection = Collection {
            no: ledger::CollectionNo(0),
            id: format!("91a7b528-80eb-42ed-a74d-c6fbd5a261{seed:02}"),
            alias: "main".into(),
            title: "main".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap();
        let keys = Keys::of(&[seed; 32]);
        let draft = card::Draft {
            serial: 1,
            organisation: name.into(),
            identities: vec![format!("identity--00000000-0000-4000-8000-0000000000{seed:02}")],
            addresses: vec![],
            certificates: vec![],
            from: 0,
            until: None,
            revoked: false,
        };
        let card = card::read(&card::issue(&draft, &keys, None)).unwrap();
        let ring = Keyring::new(Some(card.clone()), Vec::new());
        Self { folder, book, collection, keys, card, name, ring }
    }

    fn knows(&mut self, other: &Self) {
        self.book.add_organisation(&Organisation { name: other.name.into(), relation: Relation::Community }).unwrap();
        let partner = ledger::Partner {
            organisation: other.name.into(),
            kind: ledger::PartnerKind::Node,
            terms: b"{}".to_vec(),
            added: 0,
        };
        self.book.add_partner(&partner).unwrap();
        let card = ledger::Card {
            organisation: other.name.into(),
            serial: 1,
            state: CardState::Pinned,
            body: other.card.text().to_vec(),
            at: 0,
        };
        self.book.set_card(&card).unwrap();
        self.pin(vec![(other.name.into(), other.card.clone(), Standing::Pinned)]);
    }

    fn pin(&mut self, cards: Vec<(String, Card, Standing)>) {
        self.ring = Keyring::new(Some(self.card.clone()), cards);
    }

    fn options(&self, owner: &str, recipients: &[&str]) -> Options {
        let context = Context {
            recipients: recipients.iter().map(|name| (*name).to_owned()).collect(),
            ..Context::new(self.collection.no, owner.to_owned(), &*self.book).unwrap()
        };
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 100 };
        Options { context, keep_20: false, all_or_nothing: false, budget, limits: stix::json::Limits::default() }
    }

    fn import(&self, objects: &[String], recipients: &[&str]) {
        let options = self.options(self.name, recipients);
        let mut pages = Pages::new(&*self.book, &options);
        pages.take("here", objects, &mut Nobody).unwrap();
        pages.end().unwrap();
    }

    fn door(&self) -> Door {
        Door::over(&self.book, &Config::default())
    }

    fn packer<'a>(&'a self, door: &'a Door) -> Packer<'a, Book> {
        Packer {
            book: &self.book,
            door,
            keys: &self.keys,
            ring: &self.ring,
            own: self.name,
            limits: stix::json::Limits::default(),
            home: self.folder.path(),
        }
    }

    fn make(&self, request: &Request<'_>) -> Result<(Option<Made>, Vec<Run>), Error> {
        let door = self.door();
        let mut given = Vec::new();
        let mut witness = |_: &str, _: &Collection, runs: &[Run]| {
            given.extend_from_slice(runs);
            Ok(())
        };
        let made = self.packer(&door).make(request, &mut witness, &mut |_| {})?;
        Ok((made, given))
    }

    /// Packs what is new, to a file, and says that it is there.
    fn pack(&self, request: &Request<'_>) -> Option<(Made, PathBuf)> {
        let made = self.make(request).unwrap().0?;
        let to = self.folder.path().join(format!("{}.marsad", made.number));
        let _ = std::fs::remove_file(&to);
        write_out(&made.file, &made.id, &self.keys, &to, None, &mut |_| {}).unwrap();
        self.packer(&self.door()).handed_over(request.to, request.now).unwrap();
        Some((made, to))
    }

    fn taker(&self, now: i64) -> Taker<'_, Book> {
        Taker {
            book: &self.book,
            keys: &self.keys,
            ring: &self.ring,
            own: self.name,
            limits: partner::package::Limits::default(),
            object: stix::json::Limits::default(),
            hold: HELD,
            now,
        }
    }

    fn gather(&self, files: &[PathBuf], now: i64) -> Gathered {
        let inbox = Inbox::open(self.folder.path()).unwrap();
        gather(&inbox, files, &taking::trust(&self.ring, now), true).unwrap()
    }

    fn unpack(&self, file: &Path, from: &str) -> Result<(Place, Taken), Error> {
        self.unpack_by(&self.taker(NOW), file, from, &mut |_, _| Ok(0))
    }

    fn unpack_by(
        &self,
        taker: &Taker<'_, Book>,
        file: &Path,
        from: &str,
        control: &mut Control<'_>,
    ) -> Result<(Place, Taken), Error> {
        let mut gathered = self.gather(&[file.to_owned()], NOW);
        assert_eq!(gathered.odd, []);
        let package = gathered.packages.remove(0);
        let checked = taker.check(&package, &mut |_| {})?;
        let place = checked.place.clone();
        let options = self.options(from, &[self.name]);
        Ok((place, taker.take(&package, checked, &options, control, &mut |_| {})?))
    }

    fn names(&self) -> Vec<String> {
        struct All;
        impl ledger::Sees for All {
            fn class(&self, _: ledger::ClassNo) -> ledger::Sight {
                ledger::Sight::Whole
            }
            fn record(&self, _: &ledger::Met<'_>, _: &dyn ledger::Lookup, _: Option<&mut Vec<u8>>) -> bool {
                true
            }
        }
        let filter = ledger::Filter {
            collection: self.collection.no,
            after: None,
            keys: None,
            kinds: None,
            versions: Versions::All,
            dialects: None,
            limit: 10_000,
            max_bytes: usize::MAX,
        };
        let mut content = vec![b'['];
        self.book.objects(&filter, &All, &mut content).unwrap();
        content.push(b']');
        let objects: Vec<serde_json::Value> = serde_json::from_slice(&content).unwrap();
        let mut names: Vec<String> =
            objects.iter().map(|object| object["name"].as_str().unwrap_or_default().to_owned()).collect();
        names.sort();
        names
    }

    fn request(&self, to: &'static str) -> Request<'_> {
        Request {
            to,
            relation: policy::Relation::Community,
            collections: std::slice::from_ref(&self.collection),
            again: false,
            expires: None,
            answer: true,
            now: NOW,
        }
    }
}

struct Nobody;

impl Listener for Nobody {
    fn refused(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }

    fn unreadable(&mut self, error: crate::import::Error) {
        panic!("{error}");
    }
}

/// North and South, who know each other.
fn pair() -> (Node, Node) {
    let (mut north, mut south) = (Node::new("North", 1), Node::new("South", 2));
    north.knows(&south);
    south.knows(&north);
    (north, south)
}

fn refused(error: &Error) -> &Refused {
    match error {
        Error::Package(partner::package::Error::Order(refused)) => refused,
        error => panic!("{error}"),
    }
}

#[test]
fn exactly_what_the_policy_releases_is_packed_and_written_down() {
    let (north, south) = pair();
    north.import(&[tool(1, CLEAR), tool(2, GREEN), tool(3, AMBER), tool(4, RED)], &["North"]);
    north.import(&[tool(5, RED)], &["South"]);
    let (made, given) = north.make(&north.request("South")).unwrap();
    let made = made.unwrap();
    assert_eq!((made.number, made.objects, made.resumed), (1, 3, false));
    assert_eq!(given.iter().map(|run| run.count).sum::<u32>(), 3, "{given:?}");
    let (_, file) = north.pack(&north.request("South")).unwrap();
    let (place, taken) = south.unpack(&file, "North").unwrap();
    assert_eq!((place, taken.counts.added, taken.counts.refused), (Place::First, 3, 0));
    assert_eq!(south.names(), ["n1", "n2", "n5"]);
    // Nothing is new; then one object is.
    assert!(north.pack(&north.request("South")).is_none());
    north.import(&[tool(6, GREEN), tool(7, AMBER)], &["North"]);
    let (made, file) = north.pack(&north.request("South")).unwrap();
    assert_eq!((made.number, made.objects), (2, 1));
    assert_eq!(south.unpack(&file, "North").unwrap().0, Place::Next);
    assert_eq!(south.names(), ["n1", "n2", "n5", "n6"]);
    // From the beginning: a series of its own, and everything is known.
    let (made, file) = north.pack(&Request { again: true, ..north.request("South") }).unwrap();
    assert_eq!((made.number, made.objects), (1, 4));
    let (place, taken) = south.unpack(&file, "North").unwrap();
    assert_eq!((place, taken.counts.added, taken.counts.unchanged), (Place::First, 0, 4));
}

/// Somebody who comes to a group gets what lies behind the place up to which it was handed everything.
#[test]
fn what_became_visible_is_packed_when_it_is_asked_for_again() {
    let (north, south) = pair();
    north.import(&[tool(2, AMBER), tool(1, GREEN)], &[]);
    let (_, file) = north.pack(&north.request("South")).unwrap();
    assert_eq!(south.unpack(&file, "North").unwrap().1.counts.added, 1);
    let client = Request { relation: policy::Relation::Client, ..north.request("South") };
    assert!(north.pack(&client).is_none());
    // A package that was not written out does not stand in the way.
    north.import(&[tool(3, GREEN)], &[]);
    let pending = north.make(&client).unwrap().0.unwrap();
    pack_again(&*north.book, "South").unwrap();
    let (made, file) = north.pack(&client).unwrap();
    assert_eq!((made.number, made.objects), (3, 3));
    assert!(!pending.file.exists());
    let (place, taken) = south.unpack(&file, "North").unwrap();
    assert_eq!((place, taken.counts.added, taken.counts.unchanged), (Place::Gap(2, 2), 2, 1));
    assert!(north.pack(&client).is_none());
}

#[test]
fn a_collection_that_the_partner_may_not_read_gives_nothing() {
    let (mut north, south) = pair();
    north.import(&[tool(1, CLEAR)], &["North"]);
    north.collection.read = Who::Named(vec!["amina".into()]);
    assert!(matches!(north.make(&north.request("South")), Err(Error::Viewer { .. })));
    // Nor does one without a card that counts.
    north.collection.read = Who::Members;
    for (cards, wanted) in
        [(vec![], "NoCard"), (vec![("South".into(), south.card.clone(), Standing::Revoked)], "NoCard")]
    {
        north.pin(cards);
        let error = format!("{:?}", north.make(&north.request("South")).unwrap_err());
        assert!(error.starts_with(wanted), "{error}");
    }
    assert_eq!(std::fs::read_dir(north.folder.path().join("outbox")).map_or(0, Iterator::count), 0);
}

#[test]
fn gaps_are_noticed_and_nothing_is_taken_twice() {
    let (north, south) = pair();
    let mut files = Vec::new();
    for number in 1..=4 {
        north.import(&[tool(number, GREEN)], &[]);
        files.push(north.pack(&north.request("South")).unwrap().1);
    }
    assert_eq!(south.unpack(&files[0], "North").unwrap().0, Place::First);
    assert_eq!(*refused(&south.unpack(&files[0], "North").unwrap_err()), Refused::Again(1));
    assert_eq!(south.unpack(&files[3], "North").unwrap().0, Place::Gap(2, 3));
    assert_eq!(south.names(), ["n1", "n4"]);
    assert_eq!(south.unpack(&files[2], "North").unwrap().0, Place::Late);
    assert_eq!(*refused(&south.unpack(&files[3], "North").unwrap_err()), Refused::Again(4));
    assert_eq!(south.unpack(&files[1], "North").unwrap().0, Place::Late);
    assert_eq!(south.names(), ["n1", "n2", "n3", "n4"]);
}

#[test]
fn what_is_bent_is_refused_before_anything_is_taken() {
    let (north, mut south) = pair();
    let many: Vec<String> = (0..500).map(|number| tool(number, GREEN)).collect();
    north.import(&many, &[]);
    let (_, file) = north.pack(&north.request("South")).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for (at, cut) in
        [(None, bytes.len() - 1), (Some(bytes.len() - 100), bytes.len()), (Some(bytes.len() / 2), bytes.len())]
    {
        let mut bent = bytes[..cut].to_vec();
        if let Some(at) = at {
            bent[at] ^= 1;
        }
        let bent_file = north.folder.path().join("bent");
        std::fs::write(&bent_file, &bent).unwrap();
        assert!(south.unpack(&bent_file, "North").is_err());
        assert!(south.names().is_empty());
    }
    // Clocks, and a sender that is nobody's partner any more.
    let taker = south.taker(NOW - 3_600_000_000);
    let error = south.unpack_by(&taker, &file, "North", &mut |_, _| Ok(0)).unwrap_err();
    assert!(error.to_string().contains("one of the two clocks is wrong"), "{error}");
    south.pin(vec![("North".into(), north.card.clone(), Standing::Revoked)]);
    let error = chain(&south.unpack(&file, "North").unwrap_err());
    assert!(error.contains("which was revoked"), "{error}");
    // A third node.
    let mut third = Node::new("Third", 3);
    third.knows(&north);
    let error = third.unpack(&file, "North").unwrap_err();
    assert!(matches!(error, Error::Package(partner::package::Error::NotForUs)), "{error}");
    assert!(south.names().is_empty() && third.names().is_empty());
    south.pin(vec![("North".into(), north.card.clone(), Standing::Pinned)]);
    assert_eq!(south.unpack(&file, "North").unwrap().1.counts.added, 500);
}

/// What is not held in memory is read twice, with the same outcome.
#[test]
fn large_packages_are_read_twice() {
    for hold in [0, HELD] {
        let (north, south) = pair();
        let mut objects: Vec<String> = (0..600).map(|number| tool(number, GREEN)).collect();
        objects.push(tool(1, GREEN));
        north.import(&objects, &[]);
        let (_, file) = north.pack(&north.request("South")).unwrap();
        let taker = Taker { hold, ..south.taker(NOW) };
        let (_, taken) = south.unpack_by(&taker, &file, "North", &mut |_, _| Ok(0)).unwrap();
        assert_eq!((taken.counts.added, taken.counts.refused), (600, 0));
        assert_eq!(south.names().len(), 600);
    }
}

#[test]
fn a_package_that_was_not_written_out_is_gone_on_with_while_it_holds() {
    let (north, south) = pair();
    north.import(&(1..40).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let request = north.request("South");
    let (first, given) = north.make(&request).unwrap();
    let first = first.unwrap();
    assert_eq!(given.iter().map(|run| run.count).sum::<u32>(), 39);
    let bytes = std::fs::read(&first.file).unwrap();
    // What came meanwhile is not in it; what was written down is not written down again.
    north.import(&[tool(100, GREEN)], &[]);
    let (again, given) = north.make(&request).unwrap();
    let again = again.unwrap();
    assert_eq!(again, Made { resumed: true, ..first.clone() });
    assert_eq!((std::fs::read(&again.file).unwrap(), given), (bytes.clone(), vec![]));
    // Parts: the second attempt writes only what is missing.
    let to = north.folder.path().join("out");
    let written = write_out(&again.file, &again.id, &north.keys, &to, Some(4 << 10), &mut |_| {}).unwrap();
    assert!(written.len() > 1, "{}", bytes.len());
    let stamps = |paths: &[PathBuf]| -> Vec<_> {
        paths.iter().map(|path| path.metadata().unwrap().modified().unwrap()).collect()
    };
    let before = stamps(&written[..1]);
    std::fs::remove_file(&written[1]).unwrap();
    let rewritten = write_out(&again.file, &again.id, &north.keys, &to, Some(4 << 10), &mut |_| {}).unwrap();
    assert_eq!((rewritten, stamps(&written[..1])), (written.clone(), before));
    // Something else of that name is not overwritten.
    std::fs::write(&written[0], "a letter").unwrap();
    let error = write_out(&again.file, &again.id, &north.keys, &to, Some(4 << 10), &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Taken(_)), "{error}");
    assert_eq!(std::fs::read(&written[0]).unwrap(), b"a letter");
    // One of its objects is not released any more: it may not go out, and its number is used up.
    let scope = ledger::Scope { key: Some(&id(7)), ..ledger::Scope::default() };
    north.book.erase(&scope, &mut |_| true, NOW).unwrap();
    let (other, given) = north.make(&request).unwrap();
    let other = other.unwrap();
    assert_eq!((other.number, other.objects, other.resumed), (2, 39, false));
    assert_eq!(given.iter().map(|run| run.count).sum::<u32>(), 39);
    assert!(!first.file.exists() && other.file.exists());
    let (_, file) = north.pack(&request).unwrap();
    let (place, taken) = south.unpack(&file, "North").unwrap();
    assert_eq!((place, taken.counts.added), (Place::Gap(1, 1), 39));
    assert!(!south.names().contains(&"n7".to_owned()));
    assert_eq!(std::fs::read_dir(north.folder.path().join("outbox")).unwrap().count(), 0);
}

#[test]
fn parts_wait_for_each_other() {
    let (north, south) = pair();
    north.import(&(1..200).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let made = north.make(&north.request("South")).unwrap().0.unwrap();
    let to = north.folder.path().join("out");
    let parts = write_out(&made.file, &made.id, &north.keys, &to, Some(4 << 10), &mut |_| {}).unwrap();
    assert!(parts.len() > 3);
    let of = parts.len() as u32;
    // Some of them, in any order; one is bent, one is twice.
    let mut bent = std::fs::read(&parts[1]).unwrap();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    let bent_file = north.folder.path().join("bent");
    std::fs::write(&bent_file, bent).unwrap();
    let gathered = south.gather(&[parts[2].clone(), bent_file, parts[0].clone(), parts[0].clone()], NOW);
    let odd: Vec<&str> = gathered.odd.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(odd.len(), 2, "{odd:?}");
    assert!(odd[0].contains(&format!("part 1 of {of} is there twice")), "{odd:?}");
    assert!(odd[1].contains(&format!("part 2 of {of}")) && odd[1].contains("was altered"), "{odd:?}");
    let missing: Vec<u32> = (4..=of).collect();
    assert_eq!(gathered.incomplete, [Incomplete { id: made.id.clone(), missing, of }]);
    std::fs::remove_file(&parts[0]).unwrap();
    // The rest, later. The one that waited and was named again is the same.
    let rest: Vec<PathBuf> = parts[1..].to_vec();
    let gathered = south.gather(&rest, NOW);
    assert_eq!(
        (gathered.odd.len(), gathered.incomplete.len(), gathered.packages.len()),
        (0, 0, 1),
        "{:?}",
        gathered.odd
    );
    let taker = south.taker(NOW);
    let package = &gathered.packages[0];
    let checked = taker.check(package, &mut |_| {}).unwrap();
    let options = south.options("North", &[]);
    let taken = taker.take(package, checked, &options, &mut |_, _| Ok(0), &mut |_| {}).unwrap();
    assert_eq!(taken.counts.added, 199);
    Inbox::open(south.folder.path()).unwrap().forget(&made.id).unwrap();
    assert_eq!(std::fs::read_dir(south.folder.path().join("inbox")).unwrap().count(), 0);
}

/// The power goes between the objects and the note: the package comes again, and its objects are known.
#[test]
fn a_package_taken_by_half_is_taken_again() {
    let (north, south) = pair();
    north.import(&[tool(1, GREEN), tool(2, GREEN)], &[]);
    let statement = partner::notice::GroupNotice {
        id: "5f1c0a52-7a0e-4f7c-9d43-2f6f0e1c8b11".into(),
        name: "g".into(),
        from: None,
        until: None,
        backfill: false,
        on_leave: partner::notice::OnLeave::Keep,
        hidden: false,
        members: vec![],
        gone: false,
        at: "2026-11-25T00:00:00.000Z".into(),
    };
    let letter = statement.sign(&north.keys);
    let read = partner::signed::read(&letter).unwrap();
    north.book.post("South", &[(&read.id, &letter)], NOW).unwrap();
    let (made, file) = north.pack(&north.request("South")).unwrap();
    assert_eq!(made.mail, 1);
    let taker = south.taker(NOW);
    let mut fails = |_: &str, _: &[_]| Err(Error::Busy);
    assert!(matches!(south.unpack_by(&taker, &file, "North", &mut fails), Err(Error::Busy)));
    assert_eq!(south.names(), ["n1", "n2"]);
    let mut told = Vec::new();
    let mut control = |from: &str, statements: &[(partner::signed::Unverified, bytes::Bytes)]| {
        told.extend(statements.iter().map(|(statement, text)| (from.to_owned(), statement.id.clone(), text.to_vec())));
        Ok(0)
    };
    let (place, taken) = south.unpack_by(&taker, &file, "North", &mut control).unwrap();
    assert_eq!((place, taken.counts.added, taken.counts.unchanged, taken.statements), (Place::First, 0, 2, 1));
    assert_eq!(told, [("North".to_owned(), read.id.clone(), letter)]);
    assert_eq!(*refused(&south.unpack(&file, "North").unwrap_err()), Refused::Again(1));
}

#[test]
fn answers_travel_the_other_way_and_mail_waits_for_them() {
    let (north, south) = pair();
    north.import(&[tool(1, GREEN)], &[]);
    let letter = |number: u32| {
        let seal = partner::seal::seal(
            tool(number, GREEN).as_bytes(),
            &id(number),
            Some("2024-01-01T00:00:00.000Z"),
            None,
            &north.keys,
            &stix::json::Limits::default(),
        );
        seal.unwrap()
    };
    let post = |number: u32| {
        let text = letter(number);
        let id = partner::signed::read(&text).unwrap().id.clone();
        assert_eq!(north.book.post("South", &[(&id, &text)], NOW).unwrap(), 1);
    };
    let waiting = || north.book.mail("South", i64::MIN, 100).unwrap().len();
    post(1);
    let (first, file) = north.pack(&north.request("South")).unwrap();
    assert_eq!((first.mail, waiting()), (1, 1), "it waits until South has answered");
    post(2);
    let (second, _) = north.pack(&north.request("South")).unwrap();
    assert_eq!((second.mail, sending(&*north.book, "south").unwrap().unanswered.len()), (2, 2));
    south.unpack(&file, "North").unwrap();
    let (back, file_back) = south.pack(&Request { collections: &[], ..south.request("North") }).unwrap();
    assert_eq!((back.objects, back.mail), (0, 0));
    let (_, taken) = north.unpack(&file_back, "South").unwrap();
    let answer = &taken.answered[0];
    assert_eq!((answer.number, answer.taken, answer.refused, &answer.package), (1, 1, 0, &first.id));
    assert_eq!((waiting(), sending(&*north.book, "South").unwrap().unanswered.len()), (1, 1));
    // The answer alone is told once.
    assert!(south.pack(&Request { collections: &[], ..south.request("North") }).is_none());
    // Behind a diode nobody answers, and nothing waits.
    let (diode, file) = north.pack(&Request { answer: false, ..north.request("South") }).unwrap();
    assert_eq!((diode.mail, waiting()), (1, 0));
    assert_eq!(sending(&*north.book, "South").unwrap().unanswered.len(), 1);
    let answers = receiving(&*south.book, "North").unwrap().answers.len();
    south.unpack(&file, "North").unwrap();
    assert_eq!(receiving(&*south.book, "North").unwrap().answers.len(), answers);
}

#[test]
fn objects_that_are_wrong_are_refused_and_the_rest_is_taken() {
    let (north, south) = pair();
    // North relays under the name of South's own identity, and without a seal.
    let stolen =
        tool(1, GREEN).replacen(r#""created""#, &format!(r#""created_by_ref":"{}","created""#, south.card.node()), 1);
    let late = tool(2, GREEN).replace("2024-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z");
    north.import(&[stolen, late, tool(3, GREEN)], &[]);
    let (_, file) = north.pack(&north.request("South")).unwrap();
    let mut gathered = south.gather(std::slice::from_ref(&file), NOW);
    let checked = south.taker(NOW).check(&gathered.packages.remove(0), &mut |_| {}).unwrap();
    assert_eq!((checked.sound, checked.refusals), (1, 2), "{:?}", checked.refused);
    assert!(south.names().is_empty());
    let (_, taken) = south.unpack(&file, "North").unwrap();
    assert_eq!((taken.counts.added, taken.counts.refused), (1, 2));
    let reasons: Vec<&str> = taken.refused.iter().map(|refused| refused.reason.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("after our clock")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("no seal")), "{reasons:?}");
    assert_eq!(south.names(), ["n3"]);
}

#[test]
fn one_at_a_time() {
    let (north, south) = pair();
    north.import(&[tool(1, GREEN)], &[]);
    let held = spool::Outbox::open(north.folder.path()).unwrap();
    assert!(matches!(north.make(&north.request("South")), Err(Error::Busy)));
    drop(held);
    assert!(north.pack(&north.request("South")).is_some());
    let held = Inbox::open(south.folder.path()).unwrap();
    assert!(matches!(Inbox::open(south.folder.path()), Err(Error::Busy)));
    let mut pipe = &b"0123456789"[..];
    assert!(matches!(held.keep(&mut pipe, 9), Err(Error::Package(partner::package::Error::Limit(_)))));
    let path = held.keep(&mut &b"0123456789"[..], 10).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"0123456789");
    held.drop_kept().unwrap();
    assert!(!path.exists());
}

/// A recall goes where the object went, in a package, and so does its receipt, the other way.
#[test]
fn recalls_and_receipts_travel_in_packages() {
    use crate::audit::{By, Event, Given, HandOver, Way};
    use crate::intake::Classes;
    use crate::partners::recalls::{self, Desk, Took};
    let (north, south) = pair();
    let journal = |node: &Node| {
        let anchor = ledger::journal::Anchor::new(&node.folder.path().join("audit.anchor"), [7; 32]);
        ledger::sqlite::JournalFile::open(&node.folder.path().join("audit.db"), anchor).unwrap()
    };
    let (journal_north, journal_south) = (journal(&north), journal(&south));
    let (door_north, door_south) = (north.door(), south.door());
    let classes = (Classes::default(), Classes::default());
    let desk_north = Desk {
        book: &*north.book,
        journal: &journal_north,
        door: &door_north,
        classes: &classes.0,
        keys: &north.keys,
        ring: &north.ring,
        own: "North",
        now: NOW,
    };
    let desk_south = Desk {
        book: &*south.book,
        journal: &journal_south,
        door: &door_south,
        classes: &classes.1,
        keys: &south.keys,
        ring: &south.ring,
        own: "South",
        now: NOW,
    };
    let across = |from: &Node, to: &Node, desk: &Desk<'_>, log: &ledger::sqlite::JournalFile, request: &Request<'_>| {
        let door = from.door();
        let by = By { way: Way::Package, who: None, organisation: Some(to.name.into()), address: None };
        let mut witness = |package: &str, collection: &Collection, runs: &[Run]| {
            let (request, given) = (package.to_owned(), Given::of(runs));
            let given = HandOver { by: by.clone(), collection: collection.no, what: "package", request, given };
            crate::audit::write_now(log, &Event::HandedOver(given)).map(drop)
        };
        let made = from.packer(&door).make(request, &mut witness, &mut |_| {}).unwrap().unwrap();
        let file = from.folder.path().join("carried");
        let _ = std::fs::remove_file(&file);
        write_out(&made.file, &made.id, &from.keys, &file, None, &mut |_| {}).unwrap();
        from.packer(&door).handed_over(request.to, NOW).unwrap();
        let mut control = |organisation: &str, statements: &[(partner::signed::Unverified, bytes::Bytes)]| {
            for (statement, text) in statements {
                assert_eq!(desk.take_in(statement, text, organisation)?, Took::Done);
            }
            Ok(0)
        };
        to.unpack_by(&to.taker(NOW), &file, from.name, &mut control).unwrap().1
    };
    north.import(&[tool(1, GREEN), tool(2, GREEN)], &[]);
    across(&north, &south, &desk_south, &journal_north, &north.request("South"));
    assert_eq!(south.names(), ["n1", "n2"]);
    // North takes the first one back.
    let places = crate::why::places(&*north.book, &id(1), &mut |_| {}).unwrap();
    let by = By { way: Way::Cli, who: None, organisation: None, address: None };
    desk_north.erasing(&id(1), &places, &by).unwrap();
    let state = || {
        let status = recalls::status_of(&*north.book, &id(1)).unwrap();
        status[0].receivers.iter().map(|to| (to.organisation.clone(), to.state)).collect::<Vec<_>>()
    };
    assert_eq!(state(), [("South".to_owned(), "waiting")]);
    let taken = across(&north, &south, &desk_south, &journal_north, &north.request("South"));
    assert_eq!((taken.statements, state()), (1, vec![("South".to_owned(), "sent")]));
    assert_eq!(south.names(), ["n2"]);
    across(&south, &north, &desk_north, &journal_south, &south.request("North"));
    assert_eq!(state(), [("South".to_owned(), "confirmed")]);
}
