//! Two nodes: one serves on loopback, the other pulls from it and pushes to it through the real way out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use ledger::sqlite::Book;
use ledger::{Account, Collection, CollectionNo, Ledger as _, Organisation, Register as _, Role, Who};
use node::config::Config;
use node::door::Door;
use node::egress::{Credentials, Egress, Session};
use node::home::{Home, Secret};
use node::import::{Error as ImportError, Listener, Options, Pages, Refusal};
use node::intake::Context;
use node::link::{self, Pull, Push, Pushed, Remote};
use node::packed::Budget;
use policy::{Relation, Viewer};
use std::sync::Arc;
use taxii::client::{Address, Client, Limits, Selection};
use zeroize::Zeroizing;

const COUNT: u64 = 2_500;
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";

struct Node {
    directory: tempfile::TempDir,
    book: Arc<Book>,
}

struct Strict;

impl Listener for Strict {
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
        let path = directory.path().join("home");
        let home = Home::prepare(&path, "").unwrap();
        let book = Arc::new(Book::create(&home.database()).unwrap());
        home.seal(&Secret::new([7; 32])).unwrap();
        for (name, relation) in [("Us", ledger::Relation::Own), ("North", ledger::Relation::Community)] {
            book.add_organisation(&Organisation { name: name.into(), relation }).unwrap();
        }
        book.add_account(&Account {
            name: "north".into(),
            organisation: Organisation { name: "North".into(), relation: ledger::Relation::Community },
            role: Role::Analyst,
            password: Some(node::credentials::hash_password("a long passphrase").unwrap()),
            created: 0,
        })
        .unwrap();
        Self { directory, book }
    }

    fn home(&self) -> Home {
        Home::open(&self.directory.path().join("home")).unwrap()
    }

    fn collection(&self, id: &str, alias: &str) -> Collection {
        let collection = Collection {
            no: CollectionNo(0),
            id: id.into(),
            alias: alias.into(),
            title: alias.into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        self.book.add_collection(&collection).unwrap()
    }

    /// Serves on loopback; gives the address.
    async fn serve(&self) -> String {
        let (home, book) = (self.home(), self.book.clone());
        let config = Config::from_toml("listen = \"127.0.0.1:0\"\nplain-http = true\n").unwrap();
        let (send, receive) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let ready = |url: &str| drop(send.send(url.to_owned()));
            node::http::serve(&home, config, book, ready, std::future::pending()).await.unwrap();
        });
        receive.await.unwrap()
    }

    fn fill(&self, collection: &Collection) {
        let objects: Vec<String> = (0..COUNT).map(tool).collect();
        let options = options(&self.book, collection);
        Pages::new(&*self.book, &options).take("here", &objects, &mut Strict).unwrap();
    }

    fn records(&self) -> u64 {
        self.book.statistics().unwrap().records
    }
}

/// Every fifth is not for the community.
fn tool(n: u64) -> String {
    let marking = if n.is_multiple_of(5) { STRICT } else { GREEN };
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"tool--00000000-0000-4000-8000-{n:012}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","name":"n","object_marking_refs":["{marking}"]}}"#
    )
}

fn options(book: &Book, collection: &Collection) -> Options {
    let context = Context::new(collection.no, "Us".into(), book).unwrap();
    let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
    Options { context, keep_20: false, all_or_nothing: false, budget, limits: stix::json::Limits::default() }
}

fn client(url: &str, password: &str) -> Client<Session> {
    let egress = Egress::new(&Config::default(), std::path::Path::new("/nonexistent")).unwrap();
    let credentials = Credentials::basic("north", Zeroizing::new(password.to_owned())).unwrap();
    let limits = Limits { max_answer_bytes: egress.max_answer_bytes(), max_envelope_objects: 300, ..Limits::default() };
    Client::new(egress.to(url, Some(credentials)).unwrap(), limits)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_pulls_what_it_may_have() {
    let (there, here) = (Node::new(), Node::new());
    let theirs = there.collection("91a7b528-80eb-42ed-a74d-c6fbd5a26116", "theirs");
    let ours = here.collection("52892447-4d7e-4f70-b94d-d7f22742ff63", "ours");
    there.fill(&theirs);
    let url = there.serve().await;
    let address: Address = url.parse().unwrap();
    let options = options(&here.book, &ours);
    let from = Remote { address: &address, collection: "theirs" };
    let job = Pull { from, selection: Selection::default(), into: &ours, options: &options, again: false };
    let pull =
        async |password: &str| link::pull(&client(&url, password), &*here.book, &job, &mut Strict, &mut |_| {}).await;

    let refused = pull("a wrong passphrase").await.unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
    assert_eq!(here.records(), 0);

    let pulled = pull("a long passphrase").await.unwrap();
    assert_eq!((pulled.received, pulled.counts.added, pulled.pages), (COUNT * 4 / 5, COUNT * 4 / 5, 2));
    assert_eq!(pulled.warnings, [""; 0]);
    assert_eq!(here.records(), COUNT * 4 / 5);

    // Nothing is new.
    let pulled = pull("a long passphrase").await.unwrap();
    assert_eq!((pulled.received, pulled.pages), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_pushes_what_its_partner_may_have() {
    let (there, here) = (Node::new(), Node::new());
    there.collection("91a7b528-80eb-42ed-a74d-c6fbd5a26116", "theirs");
    let ours = here.collection("52892447-4d7e-4f70-b94d-d7f22742ff63", "ours");
    here.fill(&ours);
    let url = there.serve().await;
    let address: Address = url.parse().unwrap();
    let door = Door::over(&here.book, &Config::default());
    let viewer =
        Viewer { name: Some("north".into()), organisation: Some("North".into()), relation: Relation::Community };
    for (again, sent) in [(false, COUNT * 4 / 5), (false, 0), (true, COUNT * 4 / 5)] {
        let to = Remote { address: &address, collection: "theirs" };
        let job = Push { from: &ours, viewer: viewer.clone(), to, again };
        let client = client(&url, "a long passphrase");
        let mut refused = |refusal: &taxii::client::Refusal| panic!("{refusal:?}");
        let pushed = link::push(&client, &*here.book, &door, &job, &mut refused, &mut |_| {}).await.unwrap();
        assert_eq!(pushed, Pushed { sent, accepted: sent, ..Pushed::default() });
        assert_eq!(there.records(), COUNT * 4 / 5);
    }
}
