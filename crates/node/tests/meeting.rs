//! The blind meeting between two nodes: one serves on loopback, the other comes to it through the real way out. And what a
//! partner that does not keep to it is answered.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use axum::body::Body;
use http::{Method, Request, StatusCode};
use ledger::journal::Wanted;
use ledger::sqlite::Book;
use ledger::{
    Account, Card, CardState, Collection, CollectionNo, Organisation, Partner, PartnerKind, Partners as _,
    Register as _, Role, Who,
};
use node::config::{Config, MeetingValues};
use node::door::Door;
use node::egress::{Credentials, Egress, Session};
use node::home::{Home, Secret};
use node::http::State;
use node::import::{Error as ImportError, Listener, Options, Pages, Refusal};
use node::intake::Context;
use node::packed::Budget;
use node::partners::meeting::guest::{self, Meet, Met};
use node::partners::meeting::{Common, TAGS, budget, last, standing, values};
use node::sources::Sources;
use partner::card::{self, Draft};
use partner::key::Keys;
use partner::meet::hello::{self, Hello, Welcome};
use partner::meet::{Asker, Kind, PAGE, Value, bucket, pages};
use partner::trust::{Keyring, Standing as Trust};
use policy::{Comparing, Handling, Relation, Viewer};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use zeroize::Zeroizing;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();
const NOW: i64 = 1_767_225_600_000_000;
const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const PASSWORD: &str = "a long passphrase";

/// A node of "Us", whose partners are "North" (meets), "East" (does not), "West" (no card); "South" is no partner.
struct Node {
    directory: tempfile::TempDir,
    book: Arc<Book>,
    collection: Collection,
    count: std::cell::Cell<u64>,
}

struct Strictly;

impl Listener for Strictly {
    fn refused(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }

    fn unreadable(&mut self, error: ImportError) {
        panic!("{error}");
    }
}

impl Node {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::prepare(&directory.path().join("home"), "").unwrap();
        let book = Arc::new(Book::create(&home.database()).unwrap());
        home.seal(&Secret::new([7; 32])).unwrap();
        let hash = node::credentials::hash_password(PASSWORD).unwrap();
        let community = ledger::Relation::Community;
        for (name, relation) in [("Us", ledger::Relation::Own), ("North", community), ("East", community)]
            .into_iter()
            .chain([("West", community), ("South", community)])
        {
            let organisation = Organisation { name: name.into(), relation };
            book.add_organisation(&organisation).unwrap();
            let account = Account {
                name: name.to_lowercase(),
                organisation,
                role: Role::Analyst,
                password: Some(hash.clone()),
                created: 0,
            };
            book.add_account(&account).unwrap();
        }
        book.set_note(node::administration::OWN_ORGANISATION, Some(b"Us")).unwrap();
        for (name, meets, card) in [("North", true, true), ("East", false, true), ("West", true, false)] {
            let terms = format!(r#"{{"meets":{meets}}}"#).into_bytes();
            let partner = Partner { organisation: name.into(), kind: PartnerKind::Node, terms, added: 0 };
            book.add_partner(&partner).unwrap();
            let state = if card { CardState::Pinned } else { CardState::Offered };
            book.set_card(&Card {
                organisation: name.into(),
                serial: 1,
                state,
                body: card_of(name).text().to_vec(),
                at: 0,
            })
            .unwrap();
        }
        let collection = Collection {
            no: CollectionNo(0),
            id: "91a7b528-80eb-42ed-a74d-c6fbd5a26116".into(),
            alias: "main".into(),
            title: "main".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap();
        Self { directory, book, collection, count: std::cell::Cell::new(0) }
    }

    fn home(&self) -> Home {
        Home::open(&self.directory.path().join("home")).unwrap()
    }

    /// The node's own card.
    fn card(&self) -> partner::card::Card {
        node::partners::identity::own(&*self.book, &Secret::new([7; 32])).unwrap().card
    }

    /// The ring of a partner of this node, to which the node is "There".
    fn ring_of(&self, name: &str) -> Keyring {
        Keyring::new(Some(card_of(name)), vec![("There".into(), self.card(), Trust::Pinned)])
    }

    /// Takes in objects of an organisation, with a limit beside their markings.
    fn take(&self, owner: &str, handling: &Handling, objects: &[String]) {
        let mut context = Context::new(self.collection.no, owner.into(), &*self.book).unwrap();
        context.handling = handling.clone();
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        let limits = stix::json::Limits::default();
        let options = Options { context, keep_20: false, all_or_nothing: false, budget, limits };
        Pages::new(&*self.book, &options).take("here", objects, &mut Strictly).unwrap();
    }

    /// An indicator with a pattern and a marking.
    fn indicator(&self, pattern: &str, marking: &str) -> String {
        let number = self.count.get();
        self.count.set(number + 1);
        serde_json::json!({
            "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
            "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "name": "n",
            "indicator_types": ["malicious-activity"], "pattern": pattern, "pattern_type": "stix",
            "valid_from": "2020-01-01T00:00:00Z", "object_marking_refs": [marking],
        })
        .to_string()
    }

    fn domains(&self, marking: &str, names: impl IntoIterator<Item = String>) {
        let object = |name| self.indicator(&format!("[domain-name:value = '{name}']"), marking);
        let objects: Vec<String> = names.into_iter().map(object).collect();
        self.take("Us", &Handling::default(), &objects);
    }

    fn values(&self, kinds: &[Kind], comparing: Comparing) -> Vec<Value> {
        let door = Door::over(&self.book, &Config::default());
        let viewer = north();
        let wanted = values::Wanted { viewer: &viewer, kinds, comparing, at: NOW, most: 1 << 20 };
        let mut values = values::gather(&*self.book, &door, &wanted).unwrap();
        values.sort();
        values
    }

    /// Serves on loopback; gives the address.
    async fn serve(&self, more: &str) -> String {
        let (home, book) = (self.home(), self.book.clone());
        let config = Config::from_toml(&format!("listen = \"127.0.0.1:0\"\nplain-http = true\n{more}")).unwrap();
        let (send, receive) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let ready = |url: &str| drop(send.send(url.to_owned()));
            node::http::serve(&home, config, book, ready, std::future::pending()).await.unwrap();
        });
        let url: String = receive.await.unwrap();
        url.split('/').take(3).collect::<Vec<_>>().join("/")
    }

    /// What the audit log says of partners once it has so many lines, which are written a moment later: act, whether it was
    /// done, why not.
    fn told(&self, lines: usize) -> Vec<(String, bool, String)> {
        for _ in 0..500 {
            let told = self.log();
            if told.len() >= lines {
                return told;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the audit log has no {lines} lines: {:?}", self.log());
    }

    fn log(&self) -> Vec<(String, bool, String)> {
        let mut told = Vec::new();
        let wanted = Wanted { kind: Some("partner"), ..Wanted::default() };
        let each = &mut |line: ledger::journal::Line| {
            let body: serde_json::Value = serde_json::from_slice(&line.matter.kept().unwrap().body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            told.push((text("act"), body["done"].as_bool().unwrap(), text("reason")));
        };
        ledger::Journal::read(&node::audit::open(&self.home()).unwrap(), &wanted, each).unwrap();
        told
    }
}

fn north() -> Viewer {
    Viewer { name: Some("North".into()), organisation: Some("North".into()), relation: Relation::Community }
}

fn session(url: &str, name: &str) -> Session {
    let egress = Egress::new(&Config::default(), std::path::Path::new("/nonexistent")).unwrap();
    egress.to(url, Some(Credentials::basic(name, Zeroizing::new(PASSWORD.to_owned())).unwrap())).unwrap()
}

/// The keys of an organisation: those of its name.
fn keys_of(name: &str) -> Keys {
    let mut seed = [0; 32];
    name.to_lowercase().bytes().zip(&mut seed).for_each(|(byte, place)| *place = byte);
    Keys::of(&seed)
}

fn card_of(name: &str) -> partner::card::Card {
    let draft = Draft {
        serial: 1,
        organisation: name.into(),
        identities: vec![format!("identity--00000000-0000-4000-8000-{:012x}", name.to_lowercase().as_bytes()[0])],
        addresses: Vec::new(),
        certificates: Vec::new(),
        from: 0,
        until: None,
        revoked: false,
    };
    card::read(&card::issue(&draft, &keys_of(name), None)).unwrap()
}

/// A nonce that no other meeting has.
fn nonce() -> [u8; 16] {
    node::chance::bytes().unwrap()
}

/// What a partner asks for.
fn job<'a>(url: &'a str, keys: &'a Keys, ring: &'a Keyring, values: Vec<Value>, kinds: &'a [Kind]) -> Meet<'a> {
    let (nonce, seed) = (nonce(), &[9; 32]);
    Meet { origin: url, partner: "There", keys, ring, nonce, kinds, values, seed, threads: TWO, most: 1 << 20 }
}

async fn meet(there: &Node, url: &str, name: &str, values: Vec<Value>, kinds: &[Kind]) -> Result<Met, guest::Error> {
    let (keys, ring) = (keys_of(name), there.ring_of(name));
    let job = job(url, &keys, &ring, values, kinds);
    guest::meet(&session(url, name), job, &mut |_| Ok(()), &mut |_| {}).await
}

fn named(values: &[Value]) -> Vec<Common> {
    values.iter().map(Common::from).collect()
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(Value::text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_learn_what_both_hold() {
    let (there, here) = (Node::new(), Node::new());
    // More than a page on one side; the same values in other spellings and other objects; some twice.
    here.domains(AMBER, (0..PAGE + 10).map(|n| format!("host-{n}.example")));
    there.domains(AMBER, (0..600).map(|n| format!("Host-{}.EXAMPLE", n * 20)));
    there.domains(GREEN, ["host-0.example".to_owned(), "only-there.example".to_owned()]);
    let sha = "0f".repeat(32);
    let mixed = [
        here.indicator(&format!("[file:hashes.'SHA-256' = '{sha}' OR ipv4-addr:value = '192.0.2.7']"), AMBER),
        r#"{"type":"ipv6-addr","spec_version":"2.1","id":"ipv6-addr--1e61d36c-a16c-53b7-a80f-2a00161c96b1","value":"2001:db8::1"}"#.to_owned(),
    ];
    here.take("Us", &Handling::default(), &mixed);
    let file = format!(
        r#"{{"type":"file","spec_version":"2.1","id":"file--e277603e-1060-5ad4-9937-c26c97f1ca68","hashes":{{"SHA-256":"{}"}}}}"#,
        sha.to_uppercase()
    );
    there.take("Us", &Handling::default(), &[file, there.indicator("[ipv6-addr:value = '2001:DB8:0::1']", GREEN)]);

    let ours = here.values(&Kind::ALL, Comparing::Ours);
    let theirs = there.values(&Kind::ALL, Comparing::Ours);
    let wanted: Vec<Value> = ours.iter().filter(|value| theirs.contains(value)).cloned().collect();
    assert_eq!(wanted.len(), PAGE.div_ceil(20) + 1 + 2, "domains, a hash and an address");

    let url = there.serve("").await;
    let mut steps = Vec::new();
    let (keys, ring) = (keys_of("North"), there.ring_of("North"));
    let job = job(&url, &keys, &ring, ours.clone(), &Kind::ALL);
    let mut step = |step: guest::Progress| steps.push((step.done, step.of));
    let met = guest::meet(&session(&url, "north"), job, &mut |_| Ok(()), &mut step).await.unwrap();
    assert_eq!(met.both, wanted);
    assert_eq!((met.ours, met.theirs), (ours.len(), bucket(theirs.len())));
    assert_eq!(steps, [(1, 3), (2, 3), (3, 3)]);

    // The one who was asked knows the same, and has it written down that there was a meeting.
    let outcome = last(&*there.book, "north").unwrap().unwrap();
    assert_eq!(outcome.both, named(&wanted));
    assert_eq!((outcome.ours, outcome.theirs), (theirs.len() as u64, bucket(ours.len()) as u64));
    let told: Vec<_> = there.told(2).into_iter().map(|(act, done, _)| (act, done)).collect();
    assert_eq!(told, [("meeting-began".to_owned(), true), ("meeting-ended".to_owned(), true)]);

    // Of one type alone.
    let kinds = [Kind::Sha256];
    let met = meet(&there, &url, "north", here.values(&kinds, Comparing::Ours), &kinds).await.unwrap();
    assert_eq!(texts(&met.both), [sha.as_str()]);
    assert_eq!((met.ours, met.theirs), (1, bucket(1)));

    // The third of a day is one too many, and costs nobody anything but the question.
    let refused = meet(&there, &url, "north", ours, &Kind::ALL).await.unwrap_err().to_string();
    assert!(refused.contains("429") && refused.contains("meetings-per-day"), "{refused}");
    let (act, done, reason) = there.told(5).pop().unwrap();
    assert_eq!((act.as_str(), done), ("meeting-began", false));
    assert!(reason.contains("meetings within 24 hours"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_policy_lets_takes_part() {
    let there = Node::new();
    let names = ["clear", "green", "amber", "strict", "red", "embargo", "others", "mail"];
    for (name, marking) in names.into_iter().zip([CLEAR, GREEN, AMBER, STRICT, RED]) {
        there.domains(marking, [format!("{name}.example")]);
    }
    let embargo = Handling { embargo: Some(i64::MAX), ..Handling::default() };
    there.take("Us", &embargo, &[there.indicator("[domain-name:value = 'embargo.example']", GREEN)]);
    there.take("East", &Handling::default(), &[there.indicator("[domain-name:value = 'others.example']", AMBER)]);
    let granular = there.indicator("[domain-name:value = 'mail.example']", CLEAR).replace(
        r#""object_marking_refs""#,
        &format!(r#""granular_markings":[{{"marking_ref":"{AMBER}","selectors":["name"]}}],"object_marking_refs""#),
    );
    there.take("Us", &Handling::default(), &[granular]);
    let revoked = there
        .indicator("[domain-name:value = 'revoked.example']", CLEAR)
        .replace(r#""spec_version""#, r#""revoked":true,"spec_version""#);
    there.take("Us", &Handling::default(), &[revoked]);

    let everything: Vec<Value> = names
        .iter()
        .chain(&["revoked", "absent"])
        .map(|name| Value::of(Kind::Domain, &format!("{name}.example")).unwrap())
        .collect();
    let table = [
        (MeetingValues::Releasable, "releasable", vec!["clear.example", "green.example"]),
        (MeetingValues::Ours, "ours", vec!["amber.example", "clear.example", "green.example", "strict.example"]),
        (
            MeetingValues::AllButRed,
            "all-but-red",
            vec!["amber.example", "clear.example", "green.example", "others.example", "strict.example"],
        ),
    ];
    for (setting, word, wanted) in table {
        assert_eq!(texts(&there.values(&Kind::ALL, setting.into())), wanted, "{word}");
        let url = there.serve(&format!("meeting.values = \"{word}\"\nmeeting.meetings-per-day = 9\n")).await;
        let met = meet(&there, &url, "north", everything.clone(), &[Kind::Domain]).await.unwrap();
        assert_eq!(texts(&met.both), wanted, "{word}");
    }
    assert_eq!(Config::default().meeting.values, MeetingValues::Ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_with_partners_that_meet() {
    let there = Node::new();
    there.domains(CLEAR, ["a.example".to_owned()]);
    let url = there.serve("").await;
    let values = there.values(&Kind::ALL, Comparing::Ours);
    for (name, status) in [("east", "403"), ("west", "404"), ("south", "404"), ("us", "404"), ("nobody", "401")] {
        let refused = meet(&there, &url, name, values.clone(), &Kind::ALL).await.unwrap_err().to_string();
        assert!(refused.contains(status), "{name}: {refused}");
    }
    assert_eq!(there.log(), []);
    for (name, wanted) in [("North", true), ("north", true), ("East", false), ("West", false), ("South", false)] {
        let standing = standing(&*there.book, name).unwrap();
        assert_eq!(matches!(standing, node::partners::meeting::Standing::Meets(_)), wanted, "{name}");
    }
    // Our own budget, spent when the partner shows its size, ends a meeting before anything is compared.
    let (keys, ring) = (keys_of("North"), there.ring_of("North"));
    let job = job(&url, &keys, &ring, values, &Kind::ALL);
    let mut asked = Vec::new();
    let mut spend = |size: usize| {
        asked.push(size);
        Err(budget::Error::Meetings { had: 2, most: 2 })
    };
    let refused = guest::meet(&session(&url, "north"), job, &mut spend, &mut |_| panic!("no step")).await;
    assert!(matches!(refused, Err(guest::Error::Budget(_))), "{refused:?}");
    assert_eq!(asked, [1_024]);
}

/// A node that is asked without sockets, at a time of ours.
struct Bench {
    node: Node,
    state: Arc<State>,
    clock: Arc<AtomicI64>,
}

impl Bench {
    fn new(more: &str) -> Self {
        let node = Node::new();
        node.domains(CLEAR, (0..40).map(|n| format!("host-{n}.example")));
        let clock = Arc::new(AtomicI64::new(NOW));
        let time = Arc::clone(&clock);
        let sources = Sources::given(move || time.load(Ordering::Relaxed), node::chance::fill);
        let config = Config::from_toml(&format!("meeting.meetings-per-day = 50\n{more}")).unwrap();
        let state = State::with(&node.home(), config, Arc::clone(&node.book), sources).unwrap();
        Self { node, state, clock }
    }

    async fn ask(&self, name: &str, method: Method, path: impl AsRef<str>, content: Vec<u8>) -> (StatusCode, Vec<u8>) {
        use base64::Engine as _;
        use http_body_util::BodyExt as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{PASSWORD}"));
        let kind = if method == Method::POST { "application/json" } else { "application/octet-stream" };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/meetings{}", path.as_ref()))
            .header("host", "cti.example.org")
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", kind)
            .body(Body::from(content))
            .unwrap();
        let answer = self.state.answer(request, std::net::SocketAddr::from(([192, 0, 2, 1], 4_000))).await;
        let (parts, body) = answer.into_parts();
        (parts.status, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// What North says to begin.
    fn hello(&self, size: usize) -> Hello {
        Hello {
            to: self.node.card().node().to_owned(),
            nonce: nonce().iter().map(|byte| format!("{byte:02x}")).collect(),
            at: Hello::instant(self.clock.load(Ordering::Relaxed)),
            size,
            types: Vec::new(),
        }
    }

    async fn say(&self, hello: &Hello, keys: &Keys) -> (u16, Vec<u8>) {
        let (status, answer) = self.ask("north", Method::POST, "", hello::sign(hello, keys)).await;
        (status.as_u16(), answer)
    }

    async fn begin(&self, size: usize) -> String {
        let (status, answer) = self.say(&self.hello(size), &keys_of("North")).await;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }
}

fn asker() -> Asker {
    let values = (20..60).map(|n| Value::of(Kind::Domain, &format!("host-{n}.example")).unwrap()).collect();
    Asker::new(values, &[5; 32], TWO)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_refused_and_the_rest_goes_on() {
    let bench = Bench::new("");
    let north = keys_of("North");
    for text in ["", "[]", r#"{"size":1024}"#, "{", "null"] {
        let (status, _) = bench.ask("north", Method::POST, "", text.as_bytes().to_vec()).await;
        assert!([400, 403].contains(&status.as_u16()), "{text}: {status}");
    }
    for size in [0, 1_000, 3 << 19, 1 << 52] {
        assert_eq!(bench.say(&bench.hello(size), &north).await.0, 422, "{size}");
    }
    let unknown = Hello { types: vec!["domain".into(), "mutex".into()], ..bench.hello(1_024) };
    assert_eq!(bench.say(&unknown, &north).await.0, 422);
    // By whom, to whom, when, and once.
    let good = bench.hello(1_024);
    assert_eq!(bench.say(&good, &keys_of("East")).await.0, 403, "another partner's key");
    assert_eq!(bench.say(&good, &keys_of("South")).await.0, 403, "nobody's key");
    assert_eq!(bench.say(&Hello { to: card_of("East").node().into(), ..good.clone() }, &north).await.0, 403);
    for hours in [-3_i64, 3] {
        let at = Hello::instant(NOW + hours * 3_600_000_000);
        let (status, words) = bench.say(&Hello { at, ..good.clone() }, &north).await;
        assert!(status == 403 && String::from_utf8_lossy(&words).contains("clocks"), "{hours}");
    }
    assert_eq!(bench.say(&good, &north).await.0, 201);
    assert_eq!(bench.say(&good, &north).await.0, 403, "said before");
    let bent = String::from_utf8(hello::sign(&bench.hello(1_024), &north)).unwrap().replace("1024", "2048");
    assert_eq!(bench.ask("north", Method::POST, "", bent.into_bytes()).await.0, 403);
    let log = bench.node.told(11);
    assert!(log.iter().all(|(act, done, reason)| act == "meeting-began" && *done == reason.is_empty()), "{log:?}");

    let id = bench.begin(1_024).await;
    let blinded = asker().page(0).unwrap();
    let good = blinded.as_flattened().to_vec();
    let put = |page: &str, content: Vec<u8>| bench.ask("north", Method::PUT, format!("/{id}/elements/{page}"), content);
    let with = |place: usize, element: [u8; 32]| {
        let mut elements = blinded.clone();
        elements[place] = element;
        elements.as_flattened().to_vec()
    };
    let echo = |content: Vec<u8>| bench.ask("north", Method::PUT, format!("/{id}/echoes"), content);

    // Too short, too long, no whole elements, another page, no page at all.
    for (page, content, status) in [
        ("0", good[32..].to_vec(), 422),
        ("0", [&good[..], &good[..32]].concat(), 422),
        ("0", good[1..].to_vec(), 422),
        ("0", Vec::new(), 422),
        ("0", vec![0; PAGE * 32 + 1], 413),
        ("1", good.clone(), 422),
        ("+0", good.clone(), 404),
        ("99999999999999999999", good.clone(), 404),
    ] {
        assert_eq!(put(page, content).await.0, status, "page {page}");
    }
    // Tags and echoes before the elements: not yet.
    assert_eq!(bench.ask("north", Method::GET, format!("/{id}/tags/0"), Vec::new()).await.0, 409);
    assert_eq!(echo(Vec::new()).await.0, 409);

    // Others' and nobody's meetings are none.
    let other = format!("/{id}/tags/0");
    for (name, status) in [("east", 403), ("south", 404)] {
        assert_eq!(bench.ask(name, Method::GET, &other, Vec::new()).await.0, status, "{name}");
    }
    let invented = format!("/{}/tags/0", "0".repeat(32));
    assert_eq!(bench.ask("north", Method::GET, &invented, Vec::new()).await.0, 404);

    // The neutral element, and an encoding that is not canonical: the page is spent, with no answer to it.
    let mut wide = [0xff; 32];
    (wide[0], wide[31]) = (0xed, 0x7f);
    assert_eq!(put("0", with(3, [0; 32])).await.0, 422);
    assert_eq!(put("0", with(3, wide)).await.0, 409);
    assert_eq!(put("0", good.clone()).await.0, 409);
    let reasons: Vec<String> =
        bench.node.told(22).into_iter().filter(|(_, done, _)| !done).map(|told| told.2).collect();
    assert!(reasons.iter().any(|reason| reason.contains("element 3 is not one of the group")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("evaluated already")), "{reasons:?}");

    // A new one goes through all the same; the one before is over.
    let old = id.clone();
    let id = bench.begin(1_024).await;
    assert_eq!(bench.ask("north", Method::PUT, format!("/{old}/elements/0"), good.clone()).await.0, 404);
    let path = format!("/{id}/elements/0");
    let (status, answer) = bench.ask("north", Method::PUT, &path, good.clone()).await;
    assert_eq!((status.as_u16(), answer.len()), (200, good.len() + 64));
    // The same page again is the same answer: a broken connection costs nothing. Another is refused.
    assert_eq!(bench.ask("north", Method::PUT, &path, good.clone()).await.1, answer);
    assert_eq!(bench.ask("north", Method::PUT, &path, with(3, blinded[4])).await.0, 409);
    let (status, tags) = bench.ask("north", Method::GET, format!("/{id}/tags/0"), Vec::new()).await;
    assert_eq!((status.as_u16(), tags.len()), (200, 1_024 * 16));
    assert_eq!(bench.ask("north", Method::GET, format!("/{id}/tags/1"), Vec::new()).await.0, 404);

    // Claims without values: what was heard, what was made up, more than there is.
    for (content, status) in
        [(tags[..16].to_vec(), 422), (vec![7; 16], 422), (vec![7; 17], 422), (vec![7; 41 * 16], 422)]
    {
        let (got, _) = bench.ask("north", Method::PUT, format!("/{id}/echoes"), content).await;
        assert_eq!(got, status);
    }
    assert_eq!(last(&*bench.node.book, "North").unwrap(), None);
    let (status, answer) = bench.ask("north", Method::PUT, format!("/{id}/echoes"), Vec::new()).await;
    assert_eq!((status.as_u16(), answer.as_slice()), (200, &br#"{"both":0}"#[..]));
    // What ended does not come again.
    assert_eq!(bench.ask("north", Method::PUT, format!("/{id}/echoes"), Vec::new()).await.0, 404);
    assert_eq!(bench.ask("north", Method::PUT, &path, good).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_answers_is_forgotten() {
    let bench = Bench::new("meeting.minutes = 10\n");
    let id = bench.begin(1_024).await;
    let good = asker().page(0).unwrap().as_flattened().to_vec();
    let path = format!("/{id}/elements/0");
    bench.clock.store(NOW + 9 * 60_000_000, Ordering::Relaxed);
    assert_eq!(bench.ask("north", Method::PUT, &path, good.clone()).await.0, 200);
    bench.clock.store(NOW + 10 * 60_000_000, Ordering::Relaxed);
    assert_eq!(bench.ask("north", Method::PUT, &path, good).await.0, 404);
    assert_eq!(bench.ask("north", Method::GET, format!("/{id}/tags/0"), Vec::new()).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted_over_a_day() {
    let bench = Bench::new("meeting.values-per-day = 3000\n");
    let north = keys_of("North");
    assert_eq!(bench.say(&bench.hello(1_536), &north).await.0, 201);
    assert_eq!(bench.say(&bench.hello(1_536), &north).await.0, 429);
    assert_eq!(bench.say(&bench.hello(1_024), &north).await.0, 201);
    assert_eq!(bench.say(&bench.hello(1_024), &north).await.0, 429);
    let refused: Vec<String> = bench.node.told(4).into_iter().filter(|(_, done, _)| !done).map(|told| told.2).collect();
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|reason| reason.contains("meeting.values-per-day")), "{refused:?}");
    bench.clock.store(NOW + 24 * 3_600_000_000, Ordering::Relaxed);
    assert_eq!(bench.say(&bench.hello(1_536), &north).await.0, 201);
}

/// A partner's node that does not keep to the meeting: what it answers, step by step.
struct Liar(std::sync::Mutex<Vec<(u16, Vec<u8>)>>);

impl taxii::client::Transport for Liar {
    async fn send(&self, _: Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, taxii::client::Failure> {
        let (status, body) = self.0.lock().unwrap().remove(0);
        Ok(http::Response::builder().status(status).body(bytes::Bytes::from(body)).unwrap())
    }

    async fn pause(&self, _: std::time::Duration) {}

    fn now(&self) -> i64 {
        NOW
    }

    fn chance(&self) -> u64 {
        1
    }
}

#[tokio::test]
async fn a_host_that_does_not_keep_to_it_is_found() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use partner::meet::Answerer;
    let host = Answerer::new(vec![Value::of(Kind::Domain, "a.example").unwrap()], 1_024, &[1; 32], b"m").unwrap();
    // "There" is East, to North.
    let ring = Keyring::new(Some(card_of("North")), vec![("There".into(), card_of("East"), Trust::Pinned)]);
    let (keys, theirs) = (keys_of("North"), keys_of("East"));
    let welcome = |id: &str, key: &str, size: usize, page: usize| Welcome {
        to: card_of("North").node().to_owned(),
        nonce: "03".repeat(16),
        id: id.into(),
        element: key.into(),
        size,
        page,
        tags_page: TAGS,
        until: Hello::instant(NOW),
    };
    let begun =
        |id: &str, key: &str, size: usize, page: usize| (201, hello::sign(&welcome(id, key, size, page), &theirs));
    let (id, key) = ("0".repeat(32), URL_SAFE_NO_PAD.encode(host.public()));
    let good = || begun(&id, &key, 1_024, PAGE);
    let ours = || vec![Value::of(Kind::Domain, "a.example").unwrap()];
    let blinded = Asker::new(ours(), &[9; 32], TWO).page(0).unwrap();
    host.accept(0, &blinded).unwrap();
    let answer = host.evaluate(0, &blinded, TWO).unwrap();
    let evaluated = [answer.elements.as_flattened(), &answer.proof].concat();
    let tags = host.offer(TWO).unwrap().tags().as_flattened().to_vec();
    let bent = |place: usize| {
        let mut bent = evaluated.clone();
        bent[place] ^= 2;
        bent
    };
    /// Answers of a host, as status and body.
    type Answers = Vec<(u16, Vec<u8>)>;
    let table: Vec<(&str, Answers, &str)> = vec![
        ("an id that is a path", vec![begun("../../accounts/x", &key, 1_024, PAGE)], "no id"),
        ("no key", vec![begun(&id, "AA", 1_024, PAGE)], "no key"),
        ("no bucket", vec![begun(&id, &key, 1_000, PAGE)], "size 1000"),
        ("too large", vec![begun(&id, &key, 1 << 40, PAGE)], "more than"),
        ("other pages", vec![begun(&id, &key, 1_024, 9)], "another version"),
        ("no JSON", vec![(201, b"<html>".to_vec())], "beginning"),
        (
            "another's key",
            vec![(201, hello::sign(&welcome(&id, &key, 1_024, PAGE), &keys_of("West")))],
            "not on a card",
        ),
        ("our own key", vec![(201, hello::sign(&welcome(&id, &key, 1_024, PAGE), &keys))], "another partner"),
        (
            "to another",
            vec![(201, hello::sign(&Welcome { to: "x".into(), ..welcome(&id, &key, 1_024, PAGE) }, &theirs))],
            "something else",
        ),
        (
            "of yesterday",
            vec![(201, hello::sign(&Welcome { nonce: "04".repeat(16), ..welcome(&id, &key, 1_024, PAGE) }, &theirs))],
            "something else",
        ),
        (
            "a neutral key",
            vec![begun(&id, &URL_SAFE_NO_PAD.encode([0; 32]), 1_024, PAGE), (200, evaluated.clone())],
            "group",
        ),
        ("too short", vec![good(), (200, evaluated[32..].to_vec())], "another length"),
        ("too long", vec![good(), (200, [&evaluated[..], &[0]].concat())], "another length"),
        ("another proof", vec![good(), (200, bent(1_024 * 32 + 40))], "proof is wrong"),
        ("too few tags", vec![good(), (200, evaluated.clone()), (200, tags[16..].to_vec())], "another length"),
        ("no whole tags", vec![good(), (200, evaluated.clone()), (200, tags[1..].to_vec())], "bytes"),
        (
            "another count",
            vec![good(), (200, evaluated.clone()), (200, tags.clone()), (200, br#"{"both":2}"#.to_vec())],
            "counts",
        ),
        ("always busy", vec![(503, Vec::new()); 9], "503"),
        ("hostile words", vec![(422, "{\"title\":\"a\u{7}\\u001b[31mred\"}".as_bytes().to_vec())], "422"),
        (
            "all is well",
            vec![good(), (200, evaluated.clone()), (200, tags.clone()), (200, br#"{"both":1}"#.to_vec())],
            "",
        ),
    ];
    assert_eq!(pages(1_024), 1);
    for (name, answers, words) in table {
        let liar = Liar(std::sync::Mutex::new(answers));
        let kinds = [Kind::Domain];
        let job = Meet { nonce: [3; 16], ..job("https://x", &keys, &ring, ours(), &kinds) };
        let outcome = guest::meet(&liar, job, &mut |_| Ok(()), &mut |_| {}).await;
        match outcome {
            Ok(met) => assert_eq!((name, met.both), ("all is well", ours())),
            Err(error) => {
                let text = error.to_string();
                assert!(!words.is_empty() && text.contains(words), "{name}: {text}");
                assert!(!text.chars().any(char::is_control), "{name}: {text:?}");
            }
        }
    }
}
