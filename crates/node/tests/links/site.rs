//! Nodes in one process, each with a book, keys and a card of its own, and the wires between them.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use ledger::journal::Journal;
use ledger::sqlite::{Book, JournalFile};
use ledger::{
    Account, Collection, CollectionNo, Key, Ledger as _, Organisation, Partners as _, Register as _, Role, Who,
};
use node::config::Config;
use node::door::Door;
use node::home::{Home, Secret};
use node::http::State;
use node::import::{Error, Listener, Options, Pages, Refusal};
use node::intake::Context;
use node::packed::Budget;
use node::partners::link::{Definition, Direction};
use node::partners::provenance::{Incoming, Strictness};
use node::partners::runner::{self, Bounds, Broken, Here, Job, Round};
use node::partners::{cards, identity};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use taxii::client::{Backoff, Cause, Client, Failure, Limits, Transport};

pub(crate) const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

/// A node.
pub(crate) struct Site {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) name: String,
    pub(crate) book: Arc<Book>,
    pub(crate) secret: Secret,
    pub(crate) state: Arc<State>,
    pub(crate) config: Config,
    pub(crate) collection: Collection,
    pub(crate) journal: Arc<JournalFile>,
}

impl Site {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, Config::default())
    }

    pub(crate) fn with(name: &str, config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::prepare(&directory.path().join("home"), "").unwrap();
        let book = Arc::new(Book::create(&home.database()).unwrap());
        let secret = Secret::new(*blake3::hash(name.as_bytes()).as_bytes());
        home.seal(&secret).unwrap();
        book.add_organisation(&Organisation { name: name.into(), relation: ledger::Relation::Own }).unwrap();
        book.set_note(node::administration::OWN_ORGANISATION, Some(name.as_bytes())).unwrap();
        let collection = Collection {
            no: CollectionNo(0),
            id: COLLECTION.into(),
            alias: "shared".into(),
            title: "Shared".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap();
        identity::own(&*book, &secret).unwrap();
        let state = State::new(&home, config.clone(), Arc::clone(&book)).unwrap();
        let journal = Arc::new(node::audit::open_with(&home, &secret).unwrap());
        Self { directory, name: name.into(), book, secret, state, config, collection, journal }
    }

    pub(crate) fn home(&self) -> Home {
        Home::open(&self.directory.path().join("home")).unwrap()
    }

    pub(crate) fn card(&self) -> partner::card::Card {
        identity::own(&*self.book, &self.secret).unwrap().card
    }

    /// The identity by which the site signs what it makes.
    pub(crate) fn identity(&self) -> String {
        self.card().node().to_owned()
    }

    /// Confirms the card of another site, and gives it an account whose key is returned.
    pub(crate) fn trusts(&self, other: &Self) -> String {
        let now = node::clock::now();
        let relation = ledger::Relation::Community;
        self.book.add_organisation(&Organisation { name: other.name.clone(), relation }).unwrap();
        cards::make_partner(&*self.book, &other.name, ledger::PartnerKind::Node, now).unwrap();
        let card = other.card();
        cards::take(&*self.book, &self.secret, &other.name, &card, Some(card.fingerprint()), now).unwrap();
        self.account(&other.name)
    }

    /// An account of an organisation; its key.
    pub(crate) fn account(&self, organisation: &str) -> String {
        let name = format!("link of {organisation}");
        let organisation = Organisation { name: organisation.into(), relation: ledger::Relation::Community };
        let account = Account { name: name.clone(), organisation, role: Role::Analyst, password: None, created: 0 };
        self.book.add_account(&account).unwrap();
        let text = format!("marsad_{}", blake3::hash(name.as_bytes()).to_hex());
        let key = Key {
            name: name.clone(),
            account: name,
            digest: node::credentials::key_digest(&self.secret, &text),
            scope: Vec::new(),
            networks: Vec::new(),
            expires: None,
            created: 0,
            last_used: None,
        };
        self.book.add_key(&key).unwrap();
        text
    }

    /// Adds objects that the site itself makes.
    pub(crate) fn makes(&self, objects: &[String]) {
        let ring = identity::keyring(&*self.book, &self.secret).unwrap();
        let limits = stix::json::Limits::default();
        let incoming = Incoming {
            book: &*self.book,
            partners: &*self.book,
            ring: &ring,
            from: &self.name,
            own: &self.name,
            strictness: Strictness::Member,
            limits,
            now: node::clock::now(),
        };
        let objects: Vec<Bytes> = objects.iter().map(|object| Bytes::from(object.clone())).collect();
        let sorted = incoming.sort_all(&objects).unwrap();
        assert_eq!(sorted.refused, []);
        let context = Context::new(self.collection.no, self.name.clone(), &*self.book).unwrap();
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        let options = Options { context, keep_20: false, all_or_nothing: false, budget, limits };
        let mut pages = Pages::new(&*self.book, &options);
        pages.take_sound("here", &sorted.sound, &incoming, &mut Strict).unwrap();
        pages.end().unwrap();
    }

    pub(crate) fn records(&self) -> u64 {
        self.book.statistics().unwrap().records
    }

    /// Whether the collection holds the object, whoever may see it.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.book.contains(self.collection.no, id, &|_: ledger::ClassNo| true).unwrap()
    }

    /// What the audit log says of partners.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        let wanted = ledger::journal::Wanted { kind: Some("partner"), ..ledger::journal::Wanted::default() };
        let each = &mut |line: ledger::journal::Line| {
            told.push(String::from_utf8_lossy(&line.matter.kept().unwrap().body).into_owned());
        };
        self.journal.read(&wanted, each).unwrap();
        told
    }

    /// A link of this site to another one, which is served over the wire.
    pub(crate) fn job(&self, other: &Self, direction: Direction) -> Job {
        let definition = Definition::new(direction, "https://other.example/taxii2/", "shared", COLLECTION);
        let partner = self.book.partner(&other.name).unwrap().unwrap();
        Job { name: format!("{} {}", direction.name(), other.name), partner, definition }
    }

    /// Runs a round.
    pub(crate) async fn round(&self, wire: &Wire, job: &Job) -> Result<Round, Box<Broken>> {
        self.round_within(wire, job, &small()).await
    }

    pub(crate) async fn round_within(&self, wire: &Wire, job: &Job, bounds: &Bounds) -> Result<Round, Box<Broken>> {
        self.round_while(wire, job, bounds, |_| true).await
    }

    /// Runs a round that ends behind the page of which this says so.
    pub(crate) async fn round_while(
        &self,
        wire: &Wire,
        job: &Job,
        bounds: &Bounds,
        goes_on: impl Fn(&Round) -> bool + Send + Sync,
    ) -> Result<Round, Box<Broken>> {
        let own = identity::own(&*self.book, &self.secret).unwrap();
        let ring = identity::keyring(&*self.book, &self.secret).unwrap();
        let door = Door::over(&self.book, &self.config);
        let here = Here {
            book: &*self.book,
            door: &door,
            config: &self.config,
            keys: &own.keys,
            ring: &ring,
            own: &self.name,
            journal: &*self.journal,
        };
        let limits = Limits {
            page_size: bounds.objects as u64,
            max_envelope_objects: usize::MAX,
            max_envelope_bytes: usize::MAX,
            backoff: Backoff { attempts: 0, ..Backoff::default() },
            ..Limits::default()
        };
        let client = Client::new(wire.clone(), limits);
        runner::round(&client, &here, job, bounds, &mut |done| Ok(goes_on(done))).await
    }
}

/// Small pages, so that there are several.
pub(crate) fn small() -> Bounds {
    Bounds { objects: 3, grown: 3, ..Bounds::default() }
}

struct Strict;

impl Listener for Strict {
    fn refused(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }

    fn unreadable(&mut self, error: Error) {
        panic!("{error}");
    }
}

/// An object of an author.
pub(crate) fn tool(n: u32, author: &str, marking: &str) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{}","created_by_ref":"{author}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","name":"tool {n}","object_marking_refs":["{marking}"]}}"#,
        id(n)
    )
}

pub(crate) fn id(n: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{n:012}")
}

/// What a wire does instead of asking.
type Plays = Box<dyn FnMut(&Request<Bytes>) -> Option<Response<Bytes>> + Send>;

/// A wire to a node, which breaks when it is told to.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    key: String,
    link: bool,
    /// This request is not answered.
    breaks_at: AtomicU64,
    /// The answer to this request is lost.
    loses: AtomicU64,
    asked: AtomicU64,
    ahead: AtomicI64,
    plays: Mutex<Option<Plays>>,
}

impl Wire {
    pub(crate) fn to(site: &Site, key: &str) -> Self {
        Self::of(site, key, true)
    }

    /// Without what a link says of itself.
    pub(crate) fn plain(site: &Site, key: &str) -> Self {
        Self::of(site, key, false)
    }

    fn of(site: &Site, key: &str, link: bool) -> Self {
        Self(Arc::new(Inner {
            state: Arc::clone(&site.state),
            key: key.into(),
            link,
            breaks_at: AtomicU64::new(u64::MAX),
            loses: AtomicU64::new(u64::MAX),
            asked: AtomicU64::new(0),
            ahead: AtomicI64::new(0),
            plays: Mutex::default(),
        }))
    }

    /// The n-th request from now on is not answered: it does not arrive, or its answer does not.
    pub(crate) fn breaks_at(&self, n: u64, arrives: bool) {
        self.0.asked.store(0, Ordering::Relaxed);
        self.0.breaks_at.store(if arrives { u64::MAX } else { n }, Ordering::Relaxed);
        self.0.loses.store(if arrives { n } else { u64::MAX }, Ordering::Relaxed);
    }

    /// How many requests were made since.
    pub(crate) fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Moves the clock of whoever asks.
    pub(crate) fn later(&self, wait: Duration) {
        self.0.ahead.fetch_add(i64::try_from(wait.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Answers in the place of the node where it likes.
    pub(crate) fn plays(&self, plays: impl FnMut(&Request<Bytes>) -> Option<Response<Bytes>> + Send + 'static) {
        *self.0.plays.lock().unwrap() = Some(Box::new(plays));
    }
}

impl Transport for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let n = self.0.asked.fetch_add(1, Ordering::Relaxed);
        let cut = || Failure::new(Cause::Interrupted, "the line is cut");
        if n == self.0.breaks_at.load(Ordering::Relaxed) {
            return Err(cut());
        }
        let played = self.0.plays.lock().unwrap().as_mut().and_then(|plays| plays(&request));
        if let Some(answer) = played {
            return Ok(answer);
        }
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("authorization", format!("Bearer {}", self.0.key).parse().unwrap());
        parts.headers.insert("host", "other.example".parse().unwrap());
        if self.0.link {
            parts.headers.insert("marsad-link", "1".parse().unwrap());
        }
        let from = SocketAddr::from(([192, 0, 2, 7], 4_000));
        let answer = self.0.state.answer(Request::from_parts(parts, Body::from(body)), from).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if n == self.0.loses.load(Ordering::Relaxed) {
            return Err(cut());
        }
        Ok(Response::from_parts(parts, body))
    }

    async fn pause(&self, _: Duration) {}

    fn now(&self) -> i64 {
        node::clock::now() + self.0.ahead.load(Ordering::Relaxed)
    }

    fn chance(&self) -> u64 {
        0
    }
}
