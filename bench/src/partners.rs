//! Links between nodes, in this process: one link beside a pull of the same objects, and a recall that reaches a hundred
//! partners. Requests go straight from the one node's client to the other node's router: what is measured is the nodes.

use crate::corpus::Size;
use crate::server::collection;
use crate::{clock, row, table};
use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use ledger::sqlite::{Book, JournalFile};
use ledger::{Account, Card, CardState, Key, Ledger as _, Organisation, Partner, PartnerKind, Partners as _, Register as _};
use ledger::{Relation, Role, Scope, Sharing as _, Standing, Submission};
use node::config::Config;
use node::door::Door;
use node::home::{Home, Secret};
use node::http::State;
use node::import::{self, Options, Refusal};
use node::intake::{Classes, Context, Intake};
use node::packed::Budget;
use node::partners::identity::{self, Own};
use node::partners::link::{Definition, Direction};
use node::partners::provenance::Backing;
use node::partners::recalls::Desk;
use node::partners::runner::{self, Bounds, Here, Job};
use partner::trust::Keyring;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use taxii::client::{Client, Failure, Limits, Selection, Transport};

const ALIAS: &str = "shared";
/// How many partners a recall has to reach.
const PARTNERS: usize = 100;
/// Rounds of different partners that run side by side.
const SIDE_BY_SIDE: usize = 8;

pub fn run(size: Size) {
    let objects = if size == Size::Quick { 5_000 } else { 50_000 };
    one_link(objects);
    recall();
}

fn identity_of(no: usize) -> String {
    format!("identity--00000000-0000-4000-8000-{no:012x}")
}

fn organisation(no: usize) -> String {
    format!("Organisation {no}")
}

fn key(at: usize, of: usize) -> String {
    format!("marsad_{of}_at_{at}")
}

/// A node that knows some others.
struct Site {
    no: usize,
    path: PathBuf,
    secret: Secret,
    book: Arc<Book>,
    state: Arc<State>,
    door: Door,
    journal: JournalFile,
    config: Config,
    own: Own,
    ring: Arc<Keyring>,
    ours: ledger::Collection,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Site {
    /// Makes a node of an organisation, which knows the others by name.
    fn new(folder: &Path, no: usize, others: &[usize]) -> Self {
        let path = folder.join(format!("node{no}"));
        let home = Home::prepare(&path, "").expect("a home");
        let secret = Secret::new([u8::try_from(no % 100).expect("small") + 131; 32]);
        home.seal(&secret).expect("sealed");
        let book = Arc::new(Book::create(&home.database()).expect("a book"));
        for of in others.iter().chain([&no]) {
            let relation = if *of == no { Relation::Own } else { Relation::Community };
            let owner = Organisation { name: organisation(*of), relation };
            book.add_organisation(&owner).expect("an organisation");
            let identities = vec![identity_of(*of)];
            book.set_standing(&Standing { organisation: owner.name.clone(), identities, ..Standing::default() }).expect("said");
            let name = format!("member{of}");
            let account = Account { name: name.clone(), organisation: owner, role: Role::Analyst, password: None, created: 0 };
            book.add_account(&account).expect("a member");
            let digest = node::credentials::key_digest(&secret, &key(no, *of));
            let key = Key {
                name: format!("key{of}"), account: name, digest, scope: Vec::new(), expires: None, networks: Vec::new(),
                last_used: None, created: 0,
            };
            book.add_key(&key).expect("a key");
        }
        book.set_note(node::administration::OWN_ORGANISATION, Some(organisation(no).as_bytes())).expect("a note");
        let ours = book.add_collection(&collection(ALIAS)).expect("a collection");
        let own = identity::own(&*book, &secret).expect("keys");
        let ring = identity::keyring(&*book, &secret).expect("a ring");
        let config = Config::default();
        let state = State::new(&home, config.clone(), Arc::clone(&book)).expect("a node");
        let (door, journal) = (Door::over(&book, &config), node::audit::open(&home).expect("a log"));
        Self { no, path, secret, book, state, door, journal, config, own, ring, ours }
    }

    /// Pins the other's card.
    fn knows(&mut self, other: &Self) {
        let terms = b"{}".to_vec();
        let name = organisation(other.no);
        let partner = Partner { organisation: name.clone(), kind: PartnerKind::Node, terms, added: 0 };
        self.book.add_partner(&partner).expect("a partner");
        let (serial, body) = (other.own.card.serial, other.own.card.text().to_vec());
        let card = Card { organisation: name, serial, state: CardState::Pinned, body, at: node::clock::now() };
        self.book.set_card(&card).expect("a card");
    }

    fn settled(mut self) -> Self {
        self.ring = identity::keyring(&*self.book, &self.secret).expect("a ring");
        self
    }

    /// Makes objects of its own.
    fn makes(&self, count: usize) -> Vec<String> {
        let context = Context::new(self.ours.no, organisation(self.no), &*self.book).expect("a context");
        let (classes, mut intake) = (Classes::default(), Intake::new());
        let bodies: Vec<Vec<u8>> = (0..count).map(|no| indicator(self.no, no)).collect();
        let taken: Vec<_> = bodies
            .iter()
            .map(|body| Intake::new().take(body).map(drop).map(|()| body.as_slice()).expect("an indicator"))
            .collect();
        let mut ids = Vec::new();
        for page in taken.chunks(5_000) {
            let mut entries = Vec::new();
            let mut heads = Vec::new();
            for body in page {
                heads.push(intake.take(body).expect("an indicator"));
            }
            for head in &heads {
                let class = classes.number(&*self.book, &context.class(head, Backing::none())).expect("a class");
                ids.push(head.head.id.to_string());
                entries.push(head.entry(self.ours.no, class, &[]));
            }
            let submission = Submission { entries: &entries, receipt: None };
            self.book.append(&[submission], node::clock::now(), &stix::equivalent).expect("kept");
        }
        ids
    }

    /// One round of a link that pulls from another.
    fn round(&self, from: &Self, runtime: &tokio::runtime::Runtime) -> runner::Round {
        let client = Client::new(Direct::new(from, self.no, true), Limits::default());
        let definition = Definition::new(Direction::Pull, "http://node.example/exchange/", ALIAS, &self.ours.id);
        let partner = self.book.partner(&organisation(from.no)).expect("read").expect("a partner");
        let job = Job { name: format!("from {}", from.no), partner, definition };
        let own = organisation(self.no);
        let here = Here {
            book: &*self.book, door: &self.door, config: &self.config, keys: &self.own.keys, ring: &self.ring, own: &own,
            journal: &self.journal,
        };
        let done = runtime.block_on(runner::round(&client, &here, &job, &Bounds::default(), &mut |_| Ok(true)));
        done.unwrap_or_else(|broken| panic!("{}", broken.error.story()))
    }

    /// The same objects by `marsad pull`.
    fn pull(&self, from: &Self, runtime: &tokio::runtime::Runtime) -> u64 {
        let client = Client::new(Direct::new(from, self.no, false), Limits::default());
        let address = "http://node.example/exchange/".parse().expect("an address");
        let options = Options {
            context: Context::new(self.ours.no, organisation(self.no), &*self.book).expect("a context"),
            keep_20: false,
            all_or_nothing: false,
            budget: Budget { max_bytes: 1 << 30, max_ratio: 100 },
            limits: node::intake::limits(&self.config.limits),
        };
        let pull = node::link::Pull {
            from: node::link::Remote { address: &address, collection: ALIAS },
            selection: Selection { versions: Some("all".into()), ..Selection::default() },
            into: &self.ours,
            options: &options,
            again: false,
        };
        let done = runtime.block_on(node::link::pull(&client, &*self.book, &pull, &mut Silent, &mut |_| {}));
        done.expect("pulled").counts.added
    }

    fn desk<'a>(&'a self, classes: &'a Classes, own: &'a str) -> Desk<'a> {
        Desk {
            book: &*self.book, journal: &self.journal, door: &self.door, classes, keys: &self.own.keys, ring: &self.ring, own,
            now: node::clock::now(),
        }
    }
}

fn indicator(of: usize, no: usize) -> Vec<u8> {
    let by = identity_of(of);
    let green = crate::corpus::GREEN;
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{no:012x}","created_by_ref":"{by}","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Beacon of host {no}","description":"A name that answers only to one port, and only to hosts that have asked for the loader before.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'h{no}.example']","pattern_type":"stix","valid_from":"2026-03-01T09:00:00Z","labels":["spring","port"],"confidence":70,"object_marking_refs":["{green}"]}}"#
    )
    .into_bytes()
}

struct Silent;

impl import::Listener for Silent {
    fn refused(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }

    fn unreadable(&mut self, error: import::Error) {
        panic!("{error}");
    }
}

/// Straight to the other's router.
struct Direct {
    state: Arc<State>,
    authorization: String,
    link: bool,
}

impl Direct {
    fn new(to: &Site, of: usize, link: bool) -> Self {
        Self { state: Arc::clone(&to.state), authorization: format!("Bearer {}", key(to.no, of)), link }
    }
}

impl Transport for Direct {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let headers = request.headers_mut();
        headers.insert("host", "node.example".parse().expect("a host"));
        headers.insert("authorization", self.authorization.parse().expect("a key"));
        if self.link {
            headers.insert(node::partners::mailbox::LINK, "1".parse().expect("a word"));
        }
        let (parts, body) = request.into_parts();
        let from = std::net::SocketAddr::from(([192, 0, 2, 1], 4_000));
        let answer = self.state.answer(Request::from_parts(parts, Body::from(body)), from).await;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Ok(Response::from_parts(parts, body))
    }

    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }

    fn now(&self) -> i64 {
        node::clock::now()
    }

    fn chance(&self) -> u64 {
        0
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("marsad-bench-partners-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// How often a pull and a link are measured, one after the other.
const PAIRS: usize = 5;

/// The middle one; the values are in order afterwards.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn one_link(count: usize) {
    let folder = folder();
    let others: Vec<usize> = (1..=2 * PAIRS).collect();
    let mut giver = Site::new(&folder, 0, &others);
    let mut takers: Vec<Site> = others.iter().map(|no| Site::new(&folder, *no, &[0])).collect();
    for taker in &mut takers {
        giver.knows(taker);
        taker.knows(&giver);
    }
    let giver = giver.settled();
    let takers: Vec<Site> = takers.into_iter().map(Site::settled).collect();
    giver.makes(count);
    let runtime = runtime();
    let measure = |work: &mut dyn FnMut() -> u64| {
        let (before, begin) = (clock::processor("self"), Instant::now());
        let added = work();
        let (wall, cpu) = (begin.elapsed(), clock::processor("self") - before);
        assert_eq!(added, count as u64, "not everything came");
        (wall.as_secs_f64() / count as f64, cpu.as_secs_f64() / count as f64)
    };
    // In turn, so that what slows the machine for a while slows both.
    let (mut pulls, mut links, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in takers.chunks_exact(2) {
        let [puller, linked] = pair else { continue };
        let pull = measure(&mut || puller.pull(&giver, &runtime));
        let link = measure(&mut || linked.round(&giver, &runtime).added);
        ratios.push(link.0 / pull.0);
        pulls.push(pull);
        links.push(link);
    }
    let middle = median(&mut ratios);
    let range = format!("{middle:.2}x the time ({:.2} to {:.2})", ratios[0], ratios[ratios.len() - 1]);
    let mut rows = vec![row![
        "what, medians of pairs taken in turn", "objects", "objects a second", "CPU µs an object, both nodes", "beside", "limit"
    ]];
    let mut tell = |name: &str, measured: &[(f64, f64)], beside: &str, limit: &str| {
        let wall = median(&mut measured.iter().map(|(wall, _)| *wall).collect::<Vec<_>>());
        let cpu = median(&mut measured.iter().map(|(_, cpu)| *cpu).collect::<Vec<_>>());
        rows.push(row![name, count, format!("{:.0}", 1.0 / wall), format!("{:.1}", cpu * 1e6), beside, limit]);
    };
    tell("`marsad pull` of the same objects", &pulls, "1", "-");
    tell("**one link**, seals made, verified and kept", &links, &range, "at most 1.3x the time");
    rows.push(row!["MISP, full pull of 300 events of 10 attributes, as measured", 3_000, "49 attributes, 4.9 events", "-", "-", "-"]);
    rows.push(row!["MISP, full push of 100 events of 10 attributes, as measured", 1_000, "38 attributes, 3.8 events", "-", "-", "-"]);
    table::print("One link between two nodes", &rows);
    drop((giver, takers));
    let _ = std::fs::remove_dir_all(folder);
}

fn recall() {
    let folder = folder();
    let others: Vec<usize> = (1..=PARTNERS).collect();
    let mut hub = Site::new(&folder, 0, &others);
    let mut partners: Vec<Site> = others.iter().map(|no| Site::new(&folder, *no, &[0])).collect();
    for partner in &mut partners {
        hub.knows(partner);
        partner.knows(&hub);
    }
    let hub = hub.settled();
    let partners: Vec<Site> = partners.into_iter().map(Site::settled).collect();
    let object = hub.makes(1).remove(0);
    let rounds = || {
        let next = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    let runtime = runtime();
                    while let Some(partner) = partners.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                        partner.round(&hub, &runtime);
                    }
                });
            }
        });
    };
    rounds();
    let (before, begin) = (clock::processor("self"), Instant::now());
    let (classes, own) = (Classes::default(), organisation(0));
    let mut places = Vec::new();
    hub.book
        .follow(ledger::Seq(i64::MIN), 10, &mut |record| places.push((record.collection, record.seq)))
        .expect("read");
    hub.desk(&classes, &own).erasing(&object, &places, &node::audit::operator()).expect("recalled");
    let scope = Scope { key: Some(&object), ..Scope::default() };
    hub.book.erase(&scope, &mut |_| true, node::clock::now()).expect("erased");
    rounds();
    let confirmed = || {
        let status = hub.desk(&classes, &own).status(&object).expect("status");
        status.iter().map(|status| status.reached().confirmed).sum::<u64>()
    };
    let (wall, cpu) = (begin.elapsed(), clock::processor("self") - before);
    assert_eq!(confirmed(), PARTNERS as u64, "not everybody has confirmed");
    let rows = vec![
        row!["what", "partners", "confirmed", "seconds", "CPU ms a partner", "limit"],
        row![
            "**from the recall to the last acknowledgement**, every node in this process",
            PARTNERS, confirmed(), format!("{:.2}", wall.as_secs_f64()),
            format!("{:.1}", cpu.as_secs_f64() * 1e3 / PARTNERS as f64), "under 2 s"
        ],
    ];
    table::print("A recall to a hundred partners", &rows);
    drop((hub, partners));
    let _ = std::fs::remove_dir_all(folder);
}
