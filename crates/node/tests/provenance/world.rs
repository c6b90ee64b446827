//! Nodes, their objects, and pages between them.

use bytes::Bytes;
use ledger::sqlite::Book;
use ledger::{
    CardState, Collection, CollectionNo, Filter, Ledger as _, Organisation, Partner, PartnerKind, Partners as _,
    Register as _, Sharing as _, Versions, Who,
};
use node::import::{Counts, Error, Listener, Options, Pages, Refusal};
use node::intake::Context;
use node::packed::Budget;
use node::partners::provenance::{Dressed, Incoming, Noting, Outgoing, Sorted, Strictness, Waiting};
use partner::card::{Card, Draft};
use partner::key::Keys;
use partner::trust::{Keyring, Standing};
use policy::{Class, Handling};
use serde_json::{Value, json};
use stix::json::Limits;

/// 2026-11-25.
pub(crate) const NOW: i64 = 1_795_000_000_000_000;
pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

/// A node, with the organisation that owns it.
pub(crate) struct Node {
    pub(crate) number: u8,
    pub(crate) book: Book,
    pub(crate) keys: Keys,
    pub(crate) card: Card,
    pub(crate) known: Vec<(String, Card, Standing)>,
    pub(crate) collection: CollectionNo,
    _directory: tempfile::TempDir,
}

pub(crate) fn name(number: u8) -> String {
    format!("Organisation {number}")
}

pub(crate) fn identity(number: u8) -> String {
    format!("identity--00000000-0000-4000-8000-0000000000{number:02x}")
}

pub(crate) fn draft(number: u8) -> Draft {
    Draft {
        serial: 1,
        organisation: name(number),
        identities: vec![identity(number)],
        addresses: vec![format!("https://node{number}.example/taxii2/")],
        certificates: Vec::new(),
        from: 1_790_000_000_000_000,
        until: None,
        revoked: false,
    }
}

/// What listeners were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) refused: Vec<Refusal>,
    pub(crate) gave_way: Vec<(String, u64)>,
}

impl Listener for Told {
    fn refused(&mut self, refusal: Refusal) {
        self.refused.push(refusal);
    }

    fn unreadable(&mut self, error: Error) {
        panic!("{error}");
    }

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.gave_way.push((object.to_owned(), versions));
    }
}

impl Node {
    pub(crate) fn new(number: u8) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::create(&directory.path().join("book.db")).unwrap();
        let own = name(number);
        book.add_organisation(&Organisation { name: own.clone(), relation: ledger::Relation::Own }).unwrap();
        book.set_note(node::administration::OWN_ORGANISATION, Some(own.as_bytes())).unwrap();
        let identities = vec![identity(number)];
        book.set_standing(&ledger::Standing { organisation: own, identities, ..Default::default() }).unwrap();
        let collection = Collection {
            no: CollectionNo(0),
            id: "91a7b528-80eb-42ed-a74d-c6fbd5a26116".into(),
            alias: "main".into(),
            title: "main".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap().no;
        let keys = Keys::of(&[number; 32]);
        let card = partner::card::read(&partner::card::issue(&draft(number), &keys, None)).unwrap();
        Self { number, book, keys, card, known: Vec::new(), collection, _directory: directory }
    }

    /// Knows another organisation by name alone.
    pub(crate) fn hear_of(&self, other: u8) {
        let organisation = Organisation { name: name(other), relation: ledger::Relation::Community };
        self.book.add_organisation(&organisation).unwrap();
        let identities = vec![identity(other)];
        self.book
            .set_standing(&ledger::Standing { organisation: name(other), identities, ..Default::default() })
            .unwrap();
    }

    /// Pins the card of an organisation that it has heard of.
    pub(crate) fn pin(&mut self, other: &Node) {
        let organisation = name(other.number);
        self.book
            .add_partner(&Partner { organisation, kind: PartnerKind::Node, terms: b"{}".to_vec(), added: NOW })
            .unwrap();
        self.stand(&other.card, name(other.number), Standing::Pinned);
    }

    /// Has a card stand so.
    pub(crate) fn stand(&mut self, card: &Card, organisation: String, standing: Standing) {
        let state = match standing {
            Standing::Pinned => CardState::Pinned,
            Standing::Replaced => CardState::Replaced,
            Standing::Revoked => CardState::Revoked,
        };
        let kept = ledger::Card {
            organisation: organisation.clone(),
            serial: card.serial,
            state,
            body: card.text().to_vec(),
            at: NOW,
        };
        self.book.set_card(&kept).unwrap();
        self.known.retain(|(_, known, _)| known.fingerprint() != card.fingerprint());
        self.known.push((organisation, card.clone(), standing));
    }

    pub(crate) fn meet(&mut self, other: &Node) {
        self.hear_of(other.number);
        self.pin(other);
    }

    pub(crate) fn ring(&self) -> Keyring {
        Keyring::new(Some(self.card.clone()), self.known.clone())
    }

    fn options(&self, owner: &str, handling: Handling) -> Options {
        let context = Context::new(self.collection, owner.to_owned(), &self.book).unwrap();
        let context = Context { member: Some(name(self.number)), handling, ..context };
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        Options { context, keep_20: false, all_or_nothing: false, budget, limits: Limits::default() }
    }

    /// Its own members bring objects in, in files without seals.
    pub(crate) fn write(&self, objects: &[Value]) {
        self.write_within(objects, Handling::default());
    }

    pub(crate) fn write_within(&self, objects: &[Value], handling: Handling) {
        self.bring(&name(self.number), objects, handling);
    }

    /// Objects come in as they did before there were cards: nobody asks for seals.
    pub(crate) fn bring(&self, owner: &str, objects: &[Value], handling: Handling) {
        let options = self.options(owner, handling);
        let objects: Vec<String> = objects.iter().map(Value::to_string).collect();
        let mut told = Told::default();
        Pages::new(&self.book, &options).take("file", &objects, &mut told).unwrap();
        assert!(told.refused.is_empty(), "{told:?}");
    }

    /// Everything that it holds, dressed for another.
    pub(crate) fn page_for(&self, to: u8) -> Vec<Bytes> {
        self.dressed_for(to).objects
    }

    pub(crate) fn dressed_for(&self, to: u8) -> Dressed {
        self.with_everything(|_, bodies| self.dress(to, bodies))
    }

    /// The same, dressed for a link that pulls.
    pub(crate) fn link_page_for(&self, to: u8) -> Vec<Bytes> {
        let dressed = |page: &Bytes, bodies: &[(&[u8], ledger::ClassNo)]| {
            self.outgoing(to, |outgoing| outgoing.dress_for_link(page, bodies).unwrap())
        };
        self.with_everything(dressed).objects
    }

    fn with_everything(&self, dress: impl FnOnce(&Bytes, &[(&[u8], ledger::ClassNo)]) -> Dressed) -> Dressed {
        let everything = |_| true;
        let noting = Noting::new(&everything);
        let filter = Filter {
            collection: self.collection,
            after: None,
            keys: None,
            kinds: None,
            versions: Versions::All,
            dialects: None,
            limit: 10_000,
            max_bytes: 64 << 20,
        };
        let mut content = Vec::new();
        let page = self.book.objects(&filter, &noting, &mut content).unwrap();
        let content = Bytes::from(content);
        let bodies = noting.apart(&content, page.count).unwrap();
        dress(&content, &bodies)
    }

    pub(crate) fn dress(&self, to: u8, bodies: &[(&[u8], ledger::ClassNo)]) -> Dressed {
        self.outgoing(to, |outgoing| outgoing.dress(bodies).unwrap())
    }

    fn outgoing<O>(&self, to: u8, work: impl FnOnce(&Outgoing<'_>) -> O) -> O {
        let ring = self.ring();
        work(&Outgoing {
            book: &self.book,
            partners: &self.book,
            keys: &self.keys,
            ring: &ring,
            own: &name(self.number),
            to: &name(to),
            limits: Limits::default(),
            now: NOW,
        })
    }

    /// Sorts a page and takes in what is sound.
    pub(crate) fn take(&self, from: u8, page: &[Bytes]) -> (Sorted, Counts, Told) {
        let mut waiting = Waiting::default();
        let (mut sorted, counts, told) = self.take_on(from, page, &mut waiting);
        self.incoming(from, |incoming| sorted.refused.extend(incoming.give_up(&mut waiting)));
        (sorted, counts, told)
    }

    pub(crate) fn take_on(&self, from: u8, page: &[Bytes], waiting: &mut Waiting) -> (Sorted, Counts, Told) {
        let mut told = Told::default();
        let owner = name(from);
        let options = self.options(&owner, Handling::default());
        let mut pages = Pages::new(&self.book, &options);
        let mut sorted = None;
        self.incoming(from, |incoming| {
            let found = incoming.sort(page, waiting).unwrap();
            pages.take_sound("link", &found.sound, incoming, &mut told).unwrap();
            sorted = Some(found);
        });
        (sorted.unwrap(), pages.counts(), told)
    }

    pub(crate) fn incoming(&self, from: u8, work: impl FnOnce(&Incoming<'_>)) {
        let ring = self.ring();
        work(&Incoming {
            book: &self.book,
            partners: &self.book,
            ring: &ring,
            from: &name(from),
            own: &name(self.number),
            strictness: if from == self.number { Strictness::Member } else { Strictness::Partner },
            limits: Limits::default(),
            now: NOW,
        });
    }

    /// The live versions of an object, each with its class.
    pub(crate) fn held(&self, id: &str) -> Vec<(Value, Class)> {
        let mut held = Vec::new();
        self.book
            .look(&mut |shelf| {
                shelf
                    .versions(id, &mut |met| {
                        held.push((serde_json::from_slice(met.body).unwrap(), met.class));
                        true
                    })
                    .unwrap();
            })
            .unwrap();
        let class = |no| Class::from_definition(&self.book.class_definition(no).unwrap().unwrap()).unwrap();
        held.into_iter().map(|(body, no)| (body, class(no))).collect()
    }
}

/// Two nodes that know each other.
pub(crate) fn two() -> (Node, Node) {
    let (mut one, mut two) = (Node::new(1), Node::new(2));
    one.meet(&two);
    two.meet(&one);
    (one, two)
}

pub(crate) fn id(n: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{n:012}")
}

/// A tool by an author, in a version of a day of November 2026.
pub(crate) fn tool(n: u32, author: u8, day: u32) -> Value {
    json!({
        "type": "tool", "spec_version": "2.1", "id": id(n), "created_by_ref": identity(author),
        "created": "2026-11-01T00:00:00.000Z", "modified": format!("2026-11-{day:02}T00:00:00.000Z"),
        "name": format!("tool {n}"), "description": "\u{20ac} \"quoted\" \u{1f600}", "aliases": ["b", "a"],
        "confidence": 70, "object_marking_refs": [GREEN],
    })
}

/// An address, which names no author.
pub(crate) fn address(last: u8) -> Value {
    let value = format!("198.51.100.{last}");
    let id = uuid::Uuid::new_v5(
        &uuid::Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7),
        json!({ "value": value }).to_string().as_bytes(),
    );
    json!({"type": "ipv4-addr", "spec_version": "2.1", "id": format!("ipv4-addr--{id}"), "value": value, "object_marking_refs": [GREEN]})
}

pub(crate) fn type_of(object: &[u8]) -> String {
    read(object)["type"].as_str().unwrap().to_owned()
}

pub(crate) fn read(object: &[u8]) -> Value {
    serde_json::from_slice(object).unwrap()
}

pub(crate) fn bytes(object: &Value) -> Bytes {
    Bytes::from(object.to_string())
}

/// The objects of a page that are of a type.
pub(crate) fn of_type<'p>(page: &'p [Bytes], kind: &str) -> Vec<&'p Bytes> {
    page.iter().filter(|object| type_of(object) == kind).collect()
}
