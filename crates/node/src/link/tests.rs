//! Against a server in memory that breaks off when it is told to.

use super::*;
use crate::config::Config;
use crate::import::{Options, Refusal as Refused};
use crate::intake::Context;
use crate::packed::Budget;
use http::{Method, Request, Response};
use ledger::sqlite::Book;
use policy::Relation;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use taxii::client::{Cause, Failure, Limits};

const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// A server with one collection of readable and writable objects, two on a page.
#[derive(Default)]
struct Server {
    shelf: Vec<String>,
    /// Objects that it does not take.
    refuses: Vec<String>,
    /// So many requests are answered, then no more.
    answers: Option<usize>,
    /// What it says to a POST.
    pending: bool,
    rights: (bool, bool),
    asked: Vec<String>,
}

#[derive(Clone)]
struct Wire(Arc<Mutex<Server>>);

impl Wire {
    fn with(shelf: Vec<String>) -> Self {
        Self(Arc::new(Mutex::new(Server { shelf, rights: (true, true), ..Server::default() })))
    }

    fn set(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.0.lock().unwrap());
    }

    fn client(&self) -> Client<Self> {
        Client::new(self.clone(), Limits { status_patience: Duration::from_secs(1), ..Limits::default() })
    }
}

impl Transport for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let server = &mut *self.0.lock().unwrap();
        if let Some(left) = &mut server.answers {
            *left = left.checked_sub(1).ok_or_else(|| Failure::new(Cause::Forbidden, "the line is cut"))?;
        }
        server.asked.push(format!("{} {}", request.method(), request.uri()));
        let (status, body) = server.answer(&request);
        let answer = Response::builder().status(status).header("content-type", taxii::media::TAXII);
        Ok(answer.body(Bytes::from(body)).unwrap())
    }

    async fn pause(&self, _: Duration) {}

    fn now(&self) -> i64 {
        crate::clock::now()
    }

    fn chance(&self) -> u64 {
        0
    }
}

impl Server {
    fn answer(&mut self, request: &Request<Bytes>) -> (u16, String) {
        let status = |id: &str, total, failed: &[String], pending| {
            let rows: Vec<_> = failed.iter().map(|id| serde_json::json!({"id": id, "version": "v"})).collect();
            serde_json::json!({"id": id, "status": if pending > 0 { "pending" } else { "complete" },
                "total_count": total, "success_count": total - rows.len() - pending, "failure_count": rows.len(),
                "failures": rows, "pending_count": pending})
            .to_string()
        };
        match (request.method().clone(), request.uri().path()) {
            (_, "/api/") => (200, r#"{"title":"a","versions":["application/taxii+json;version=2.1"]}"#.into()),
            (_, "/api/collections/") => {
                let (read, write) = self.rights;
                (200, format!(r#"{{"collections":[{{"id":"c","title":"C","can_read":{read},"can_write":{write}}}]}}"#))
            }
            (Method::POST, _) => {
                let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
                let (mut failed, objects) = (Vec::new(), body["objects"].as_array().unwrap());
                for object in objects {
                    let id = object["id"].as_str().unwrap().to_owned();
                    if self.refuses.contains(&id) { failed.push(id) } else { self.shelf.push(id) }
                }
                (202, status("s", objects.len(), &failed, if self.pending { 1 } else { 0 }))
            }
            (_, "/api/status/s/") => (200, status("s", 1, &[], 1)),
            _ => {
                let query = taxii::query::parse(request.uri().query().unwrap(), taxii::query::Endpoint::Objects);
                let skip: usize = query.unwrap().next.map_or(0, |next| next.parse().unwrap());
                let page: Vec<&str> = self.shelf.iter().skip(skip).take(2).map(String::as_str).collect();
                let end = skip + page.len();
                let more = end < self.shelf.len();
                (200, format!(r#"{{"more":{more},"next":"{end}","objects":[{}]}}"#, page.join(",")))
            }
        }
    }
}

fn tool(n: u32, marking: &str) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","name":"n","object_marking_refs":["{marking}"]}}"#,
        id(n)
    )
}

fn id(n: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{n:012}")
}

struct Home {
    _directory: tempfile::TempDir,
    book: Arc<Book>,
    collection: Collection,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let book = Arc::new(Book::create(&directory.path().join("marsad.db")).unwrap());
        let collection = Collection {
            no: ledger::CollectionNo(0),
            id: "91a7b528-80eb-42ed-a74d-c6fbd5a26116".into(),
            alias: "main".into(),
            title: "Main".into(),
            description: None,
            read: ledger::Who::Members,
            write: ledger::Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap();
        Self { _directory: directory, book, collection }
    }

    fn options(&self) -> Options {
        let context = Context::new(self.collection.no, "Us".into(), &*self.book).unwrap();
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        Options { context, keep_20: false, all_or_nothing: false, budget, limits: stix::json::Limits::default() }
    }

    /// Pulls everything that is new.
    async fn pull(&self, wire: &Wire, again: bool) -> (Result<Pulled, Error>, Told) {
        let (options, address, mut told) = (self.options(), address(), Told::default());
        let from = Remote { address: &address, collection: "C" };
        let job = Pull { from, selection: Selection::default(), into: &self.collection, options: &options, again };
        let outcome = pull(&wire.client(), &*self.book, &job, &mut told, &mut |_| {}).await;
        (outcome, told)
    }

    /// Pushes what the viewer may have; the ids of what was refused.
    async fn push(&self, wire: &Wire, viewer: Viewer, again: bool) -> (Result<Pushed, Error>, Vec<String>) {
        let (address, mut refused) = (address(), Vec::new());
        let job = Push { from: &self.collection, viewer, to: Remote { address: &address, collection: "C" }, again };
        let door = Door::over(&self.book, &Config::default());
        let mut tell = |refusal: &Refusal| refused.extend(refusal.id.clone());
        let outcome = push(&wire.client(), &*self.book, &door, &job, &mut tell, &mut |_| {}).await;
        (outcome, refused)
    }

    fn holds(&self) -> u64 {
        self.book.statistics().unwrap().records
    }
}

#[derive(Default)]
struct Told(Vec<Refused>);

impl Listener for Told {
    fn refused(&mut self, refusal: Refused) {
        self.0.push(refusal);
    }

    fn unreadable(&mut self, error: import::Error) {
        panic!("{error}");
    }
}

fn address() -> Address {
    "https://a.example/api/".parse().unwrap()
}

fn partner() -> Viewer {
    Viewer { name: Some("north".into()), organisation: Some("CERT North".into()), relation: Relation::Community }
}

#[tokio::test]
async fn a_pull_that_breaks_off_goes_on_behind_the_last_page() {
    let home = Home::new();
    let wire = Wire::with((0..7).map(|n| tool(n, CLEAR)).collect());
    for (answers, holds) in [(4, 4), (3, 6)] {
        wire.set(|server| server.answers = Some(answers));
        let (outcome, _) = home.pull(&wire, false).await;
        assert!(outcome.is_err());
        assert_eq!(home.holds(), holds);
    }
    wire.set(|server| (server.answers, server.asked) = (None, Vec::new()));
    let (outcome, _) = home.pull(&wire, false).await;
    let pulled = outcome.unwrap();
    assert_eq!((pulled.pages, pulled.received, pulled.counts.added), (1, 1, 1));
    assert!(wire.0.lock().unwrap().asked.last().unwrap().ends_with("next=6"));
    assert_eq!(home.holds(), 7);
    // Everything again: it is known.
    let (outcome, _) = home.pull(&wire, true).await;
    let counts = outcome.unwrap().counts;
    assert_eq!((counts.added, counts.unchanged, home.holds()), (0, 7, 7));
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_the_rest_is_kept() {
    let home = Home::new();
    let doubled = tool(1, CLEAR).replace(r#""name":"n""#, r#""name":"n","name":"m""#);
    let shelf = vec![tool(0, CLEAR), doubled, r#"{"type":"tool"}"#.into(), "7".into(), tool(2, CLEAR)];
    let (outcome, told) = home.pull(&Wire::with(shelf), false).await;
    let counts = outcome.unwrap().counts;
    assert_eq!((counts.added, counts.refused, home.holds()), (2, 3, 2));
    assert!(told.0.iter().all(|refusal| refusal.file == "C" && refusal.path.starts_with("$.objects[")), "{:?}", told.0);
}

#[tokio::test]
async fn only_what_the_viewer_may_have_is_pushed_and_only_once() {
    let home = Home::new();
    let shelf = [(0, CLEAR), (1, RED), (2, CLEAR), (3, CLEAR)];
    let source = Wire::with(shelf.iter().map(|(n, marking)| tool(*n, marking)).collect());
    home.pull(&source, false).await.0.unwrap();

    let partners = Wire::with(Vec::new());
    partners.set(|server| server.refuses = vec![id(2)]);
    let (outcome, refused) = home.push(&partners, partner(), false).await;
    let pushed = outcome.unwrap();
    assert_eq!((pushed.sent, pushed.accepted, pushed.refused), (3, 2, 1));
    assert_eq!(refused, [id(2)]);
    assert_eq!(partners.0.lock().unwrap().shelf, [id(0), id(3)]);

    // Nothing is new; then one object is; then everything again.
    assert_eq!(home.push(&partners, partner(), false).await.0.unwrap().sent, 0);
    source.set(|server| server.shelf.push(tool(4, CLEAR)));
    home.pull(&source, true).await.0.unwrap();
    assert_eq!(home.push(&partners, partner(), false).await.0.unwrap().sent, 1);
    assert_eq!(home.push(&partners, partner(), true).await.0.unwrap().sent, 4);
}

#[tokio::test]
async fn what_is_pending_is_sent_again() {
    let home = Home::new();
    home.pull(&Wire::with(vec![tool(0, CLEAR)]), false).await.0.unwrap();
    let partners = Wire::with(Vec::new());
    partners.set(|server| server.pending = true);
    assert_eq!(home.push(&partners, partner(), false).await.0.unwrap().pending, 1);
    partners.set(|server| server.pending = false);
    let pushed = home.push(&partners, partner(), false).await.0.unwrap();
    assert_eq!((pushed.sent, pushed.accepted, pushed.pending), (1, 1, 0));
}

#[tokio::test]
async fn who_may_not_does_not() {
    let mut home = Home::new();
    let wire = Wire::with(vec![tool(0, CLEAR)]);
    wire.set(|server| server.rights = (false, false));
    assert!(matches!(home.pull(&wire, false).await.0, Err(Error::Rights { doing: "read", .. })));
    assert!(matches!(home.push(&wire, partner(), false).await.0, Err(Error::Rights { doing: "write to", .. })));
    home.collection.read = ledger::Who::Named(vec!["amina".into()]);
    wire.set(|server| server.asked.clear());
    assert!(matches!(home.push(&wire, partner(), false).await.0, Err(Error::Viewer { .. })));
    assert!(wire.0.lock().unwrap().asked.is_empty());
}
