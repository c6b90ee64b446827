//! Some nodes that have each other's cards, and what passes between them: objects and mail, each carried by hand.

use bytes::Bytes;
use ledger::sqlite::{Book, JournalFile};
use ledger::{
    Card as KeptCard, CardState, Collection, CollectionNo, Filter, Group, Ledger as _, OnLeave, Organisation, Partner,
    PartnerKind, Partners as _, Register as _, Relation, Run, Seq, Sharing as _, Standing, Versions, Who,
};
use node::audit::{self, By, Event, Given, HandOver, Way};
use node::config::Config;
use node::door::{Door, Selected};
use node::eyes::Eyes;
use node::home::{Home, Secret};
use node::import::{Error as ImportError, Listener, Options, Pages, Refusal};
use node::intake::{Classes, Context};
use node::narrow::{Narrowing, narrow};
use node::packed::Budget;
use node::partners::notices;
use node::partners::provenance::{Incoming, Noting, Outgoing, Strictness};
use node::partners::recalls::{self, Desk, Made, Status, Took};
use partner::card::{Card, Draft, issue, read};
use partner::key::Keys;
use partner::signed;
use partner::trust::{Keyring, Standing as Stands};
use policy::Handling;
use std::cell::Cell;
use std::sync::Arc;
use stix::timestamp::format_micros;

pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const HOUR: i64 = 3_600_000_000;

/// Everybody: the nodes, and an organisation that has none.
pub(crate) const NAMES: [&str; 5] = ["Alpha", "Beta", "Gamma", "Delta", "Quiet"];

pub(crate) fn identity(name: &str) -> String {
    let number = NAMES.iter().position(|known| *known == name).unwrap();
    format!("identity--00000000-0000-4000-8000-0000000000{number:02}")
}

pub(crate) fn id(number: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{number:012}")
}

/// A tool in its version of a minute; `more` are further members, each with a comma behind it.
pub(crate) fn tool(author: &str, number: u32, minute: u32, marking: &str, more: &str) -> String {
    let author = if author.is_empty() { String::new() } else { format!(r#""created_by_ref":"{}","#, identity(author)) };
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{}",{author}{more}"created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:{minute:02}:00.000Z","object_marking_refs":["{marking}"],"name":"n{minute}"}}"#,
        id(number)
    )
}

/// A node.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) book: Arc<Book>,
    pub(crate) journal: JournalFile,
    pub(crate) keys: Keys,
    pub(crate) ring: Keyring,
    pub(crate) door: Door,
    pub(crate) classes: Classes,
    pub(crate) collection: CollectionNo,
    /// How far its clock is ahead.
    pub(crate) ahead: Cell<i64>,
    _directory: tempfile::TempDir,
}

/// Keeps what was refused.
#[derive(Default)]
struct Told(Vec<String>);

/// Bodies with their classes.
type Bodies = Vec<(Vec<u8>, ledger::ClassNo)>;

impl Listener for Told {
    fn refused(&mut self, refusal: Refusal) {
        self.0.push(refusal.message);
    }

    fn unreadable(&mut self, error: ImportError) {
        panic!("{error}");
    }
}

fn keys(name: &str) -> Keys {
    let number = u8::try_from(NAMES.iter().position(|known| *known == name).unwrap()).unwrap();
    Keys::of(&[number + 1; 32])
}

fn card(name: &str) -> Card {
    let draft = Draft {
        serial: 1,
        organisation: name.to_owned(),
        identities: vec![identity(name)],
        addresses: Vec::new(),
        certificates: Vec::new(),
        from: 0,
        until: None,
        revoked: false,
    };
    read(&issue(&draft, &keys(name), None)).unwrap()
}

/// The four nodes, each with everybody's card and nobody's objects.
pub(crate) fn nodes() -> [Node; 4] {
    ["Alpha", "Beta", "Gamma", "Delta"].map(Node::new)
}

impl Node {
    fn new(name: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::prepare(&directory.path().join("home"), "").unwrap();
        let book = Arc::new(Book::create(&home.database()).unwrap());
        let secret = Secret::new([7; 32]);
        home.seal(&secret).unwrap();
        let journal = audit::open(&home).unwrap();
        for organisation in NAMES {
            let relation = if organisation == name { Relation::Own } else { Relation::Community };
            book.add_organisation(&Organisation { name: organisation.into(), relation }).unwrap();
            let identities = vec![identity(organisation)];
            let standing = Standing { organisation: organisation.into(), identities, ..Standing::default() };
            book.set_standing(&standing).unwrap();
        }
        book.set_note(node::administration::OWN_ORGANISATION, Some(name.as_bytes())).unwrap();
        let mut others = Vec::new();
        for other in NAMES.iter().filter(|other| **other != name && **other != "Quiet") {
            let organisation = (*other).to_owned();
            let partner = Partner { organisation, kind: PartnerKind::Node, terms: b"{}".to_vec(), added: 0 };
            book.add_partner(&partner).unwrap();
            let card = card(other);
            let (organisation, body) = ((*other).to_owned(), card.text().to_vec());
            book.set_card(&KeptCard { organisation, serial: 1, state: CardState::Pinned, body, at: 0 }).unwrap();
            others.push(((*other).to_owned(), card, Stands::Pinned));
        }
        let collection = Collection {
            no: CollectionNo(0),
            id: "91a7b528-80eb-42ed-a74d-c6fbd5a26116".into(),
            alias: "shared".into(),
            title: "shared".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        Self {
            name,
            collection: book.add_collection(&collection).unwrap().no,
            door: Door::over(&book, &Config::default()),
            keys: keys(name),
            ring: Keyring::new(Some(card(name)), others),
            classes: Classes::default(),
            ahead: Cell::new(0),
            _directory: directory,
            book,
            journal,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        node::clock::now() + self.ahead.get()
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk {
            book: &*self.book,
            journal: &self.journal,
            door: &self.door,
            classes: &self.classes,
            keys: &self.keys,
            ring: &self.ring,
            own: self.name,
            now: self.now(),
        }
    }

    pub(crate) fn by(&self) -> By {
        By { way: Way::Cli, who: Some("operator".into()), organisation: Some(self.name.into()), address: None }
    }

    fn options(&self, owner: &str, handling: Handling) -> Options {
        let context = Context { handling, ..Context::new(self.collection, owner.to_owned(), &*self.book).unwrap() };
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        Options { context, keep_20: false, all_or_nothing: false, budget, limits: stix::json::Limits::default() }
    }

    /// Takes objects in as the node's own operator.
    pub(crate) fn import(&self, objects: &[String]) {
        self.import_within(Handling::default(), objects);
    }

    pub(crate) fn import_within(&self, handling: Handling, objects: &[String]) {
        let mut told = Told::default();
        let options = self.options(self.name, handling);
        Pages::new(&*self.book, &options).take("here", objects, &mut told).unwrap();
        assert_eq!(told.0, [""; 0]);
    }

    /// What a member of an organisation is given of the collection after a place: bodies and where they lie.
    fn page(&self, to: &str, after: Option<Seq>) -> (Vec<u8>, Bodies, Vec<Run>) {
        let organisations = self.book.organisations().unwrap();
        let viewer = node::why::member_of(organisations.iter().find(|known| known.name == to).unwrap());
        let gate = self.door.gate(viewer, self.now());
        let eyes = Eyes::new(&gate, self.door.references(), &|_| true);
        let noting = Noting::new(&eyes);
        let filter = Filter {
            collection: self.collection,
            after,
            keys: None,
            kinds: None,
            versions: Versions::All,
            dialects: None,
            limit: 1_000,
            max_bytes: usize::MAX,
        };
        let mut content = Vec::new();
        let page = self.book.objects(&filter, &noting, &mut content).unwrap();
        let Selected { page, content } = gate.admit(Selected { page, content }).unwrap().into_inner();
        let bodies = noting.apart(&content, page.count).unwrap();
        let bodies = bodies.into_iter().map(|(body, class)| (body.to_vec(), class)).collect();
        (content, bodies, page.given)
    }

    /// The names of the versions that an organisation sees here, in order.
    pub(crate) fn seen_by(&self, organisation: &str) -> Vec<String> {
        self.seen_after(organisation, None)
    }

    pub(crate) fn seen_after(&self, organisation: &str, after: Option<Seq>) -> Vec<String> {
        let name = |(body, _): &(Vec<u8>, _)| {
            let object: serde_json::Value = serde_json::from_slice(body).unwrap();
            let number = object["id"].as_str().unwrap().trim_start_matches(|c: char| !c.is_ascii_digit());
            let number: u32 = number.rsplit('-').next().unwrap().parse().unwrap();
            format!("{number}/{}", object["name"].as_str().unwrap())
        };
        self.page(organisation, after).1.iter().map(name).collect()
    }

    /// What the node's own organisation sees.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen_by(self.name)
    }

    /// What is given is written down.
    fn hand_over(&self, to: &str, given: &[Run]) {
        let by =
            By { way: Way::Taxii, who: Some(format!("{to}'s machine")), organisation: Some(to.into()), address: None };
        let (collection, request) = (self.collection, String::new());
        let given = HandOver { by, collection, what: "objects", request, given: Given::of(given) };
        audit::write_now(&self.journal, &Event::HandedOver(given)).unwrap();
    }

    /// Whoever has no node fetches what it may have.
    pub(crate) fn fetched_by(&self, organisation: &str) {
        let (_, _, given) = self.page(organisation, None);
        self.hand_over(organisation, &given);
    }

    /// What a node is handed of everything that it may have, dressed.
    pub(crate) fn dressed_for(&self, to: &str) -> Vec<Bytes> {
        let (_, bodies, given) = self.page(to, None);
        let outgoing = Outgoing {
            book: &*self.book,
            partners: &*self.book,
            keys: &self.keys,
            ring: &self.ring,
            own: self.name,
            to,
            limits: stix::json::Limits::default(),
            now: self.now(),
        };
        let borrowed: Vec<(&[u8], ledger::ClassNo)> =
            bodies.iter().map(|(body, class)| (body.as_slice(), *class)).collect();
        let dressed = outgoing.dress(&borrowed).unwrap();
        let seqs = given.iter().flat_map(|run| (0..i64::from(run.count)).map(move |n| Seq(run.first.0 + n)));
        let goes = seqs.enumerate().filter(|(place, _)| !dressed.left_out.contains(place)).map(|(_, seq)| seq);
        let runs = audit::runs_of(goes);
        if !runs.is_empty() {
            self.hand_over(to, &runs);
        }
        dressed.objects
    }

    /// Takes in what somebody brings; what was refused, and why.
    pub(crate) fn take(&self, from: &str, objects: &[Bytes]) -> Vec<String> {
        let incoming = Incoming {
            book: &*self.book,
            partners: &*self.book,
            ring: &self.ring,
            from,
            own: self.name,
            strictness: Strictness::Partner,
            limits: stix::json::Limits::default(),
            now: self.now(),
        };
        let sorted = incoming.sort_all(objects).unwrap();
        let mut told = Told::default();
        let options = self.options(from, Handling::default());
        Pages::new(&*self.book, &options).take_sound("link", &sorted.sound, &incoming, &mut told).unwrap();
        told.0.extend(sorted.refused.into_iter().map(|refused| refused.reason));
        told.0
    }

    /// Hands everything that it may have to another node; what was refused there, and why.
    pub(crate) fn give(&self, to: &Self) -> Vec<String> {
        to.take(self.name, &self.dressed_for(to.name))
    }

    /// Carries what waits for another node over; what became of it there.
    pub(crate) fn mail(&self, to: &Self) -> Vec<Took> {
        let mail = self.book.mail(to.name, i64::MIN, 1_000).unwrap();
        let took = mail.iter().map(|mail| to.read(self.name, &mail.body)).collect();
        recalls::handed(&*self.book, to.name, &mail, self.now()).unwrap();
        if let Some(last) = mail.last() {
            self.book.drop_mail(to.name, last.no).unwrap();
        }
        took
    }

    /// Takes a statement in.
    pub(crate) fn read(&self, from: &str, body: &[u8]) -> Took {
        self.desk().take_in(&signed::read(body).unwrap(), body, from).unwrap()
    }

    /// Deletes an object here: every version.
    pub(crate) fn erase(&self, object: &str) -> Made {
        let mut places = Vec::new();
        self.book
            .look(&mut |shelf| {
                shelf
                    .versions(object, &mut |met| {
                        places.push((met.collection, met.seq));
                        true
                    })
                    .unwrap();
            })
            .unwrap();
        let made = self.desk().erasing(object, &places, &self.by()).unwrap();
        let scope = ledger::Scope { key: Some(object), ..ledger::Scope::default() };
        self.book.erase(&scope, &mut |_| true, self.now()).unwrap();
        made
    }

    /// Narrows an object here.
    pub(crate) fn restrict(&self, object: &str, narrowing: &Narrowing) -> Made {
        let made = self.desk().narrowing(object, narrowing, &|_| true, &self.by()).unwrap();
        narrow(&*self.book, &self.classes, object, narrowing, &|_| true, self.now()).unwrap();
        made
    }

    /// Sets a group, and sees to what follows.
    pub(crate) fn group(&self, id: &str, owner: &str, members: &[&str], backfill: bool, on_leave: OnLeave) {
        let group = Group {
            id: id.to_owned(),
            name: format!("group {id}"),
            owner: owner.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            hidden: false,
            from: None,
            until: None,
            backfill,
            on_leave,
            since: Vec::new(),
        };
        match self.book.groups().unwrap().iter().any(|held| held.id == id) {
            true => self.book.change_group(&group).unwrap(),
            false => self.book.add_group(&group).unwrap(),
        }
        notices::catch_up(&self.desk(), &self.by()).unwrap();
    }

    pub(crate) fn status(&self, object: &str) -> Vec<Status> {
        self.desk().status(object).unwrap()
    }

    /// Each receiver of the recalls of an object, in a word.
    pub(crate) fn receivers(&self, object: &str) -> Vec<String> {
        let told = |status: Status| {
            let act = status.act;
            status.receivers.into_iter().map(move |receiver| {
                let recalls::Reached { confirmed, waiting, cannot } = receiver.downstream;
                format!("{act} {} {} +{confirmed}/{waiting}/{cannot}", receiver.organisation, receiver.state)
            })
        };
        self.status(object).into_iter().flat_map(told).collect()
    }

    /// What the audit log says of partners: act, partner, whether it was done, and why not.
    pub(crate) fn audited(&self, act: &str) -> Vec<String> {
        use ledger::journal::{Journal as _, Wanted};
        let mut found = Vec::new();
        let wanted = Wanted { kind: Some("partner"), ..Wanted::default() };
        self.journal
            .read(&wanted, &mut |line| {
                let matter = line.matter.kept().unwrap();
                let body: serde_json::Value = serde_json::from_slice(&matter.body).unwrap();
                if body["act"] == act {
                    found.push(format!(
                        "{} {}",
                        body["partner"].as_str().unwrap(),
                        body["reason"].as_str().unwrap_or("")
                    ));
                }
            })
            .unwrap();
        found
    }
}

/// An instant that many microseconds from now, as it is written.
pub(crate) fn at(micros: i64) -> String {
    format_micros(node::clock::now() + micros)
}
