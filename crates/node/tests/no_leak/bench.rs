//! The bench on which nodes are put up: a home and an empty book to copy, made once a thread, in memory where the machine
//! has a file system for that.

use crate::cast;
use crate::record::Record;
use axum::body::Body;
use http::{Request, Response};
use ledger::sqlite::Book;
use ledger::{Appended, Collection, Filter, Ledger as _, Seq, Submission, Versions};
use node::chance::NoChance;
use node::config::Config;
use node::home::{Home, Secret};
use node::http::State;
use node::intake::{Classes, Context, Intake};
use node::sources::Sources;
use policy::Class;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// When the first record is added, in microseconds; the others follow a millisecond apart.
pub(crate) const FIRST: i64 = 1_767_225_600_000_000;
/// When records are erased.
const ERASED: i64 = FIRST + 3_600_000_000;
/// When the first request is made; the others follow a second apart.
pub(crate) const ASKED: i64 = FIRST + 86_400_000_000;
/// When everything has been asked.
pub(crate) const LATER: i64 = ASKED + 86_400_000_000;

/// What nodes are made of.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
    home: Home,
    template: PathBuf,
    pub(crate) collections: Vec<Collection>,
    pub(crate) config: Config,
    runtime: tokio::runtime::Runtime,
    count: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let builder = tempfile::Builder::new();
        let directory = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.unwrap();
        let home = Home::prepare(&directory.path().join("home"), "").unwrap();
        let secret = Secret::new([7; 32]);
        home.seal(&secret).unwrap();
        let template = directory.path().join("template.db");
        let collections = cast::register(&Book::create(&template).unwrap(), &secret);
        let mut config = Config::default();
        config.accounts.attempts_per_minute = 1_000_000;
        config.taxii.page_size = 6;
        config.taxii.max_page_bytes = 2_500;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { directory, home, template, collections, config, runtime, count: 0 }
    }

    /// A node whose book holds these records: each with its place in the case, which gives the time at which it is added,
    /// and its bytes.
    pub(crate) fn node<'r>(
        &mut self,
        records: impl Iterator<Item = (usize, &'r Record, Vec<u8>)>,
    ) -> (Node, Vec<Placed>) {
        self.count += 1;
        let path = self.directory.path().join(format!("{}.db", self.count));
        std::fs::copy(&self.template, &path).unwrap();
        let book = Arc::new(Book::open(&path, 0).unwrap());
        let (mut intake, classes) = (Intake::new(), Classes::default());
        let mut placed = Vec::new();
        for (no, record, body) in records {
            placed.push(add(&book, &self.collections, &mut intake, &classes, no, record, &body));
        }
        for gone in placed.iter().filter(|placed| placed.erased) {
            erase(&book, gone, ERASED + i64::try_from(gone.no).unwrap());
        }
        let (clock, draws) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicU64::new(0)));
        let (time, chance) = (Arc::clone(&clock), Arc::clone(&draws));
        let sources = Sources::given(move || time.load(Ordering::Relaxed), move |bytes| draw(&chance, bytes));
        let state = State::with(&self.home, self.config.clone(), Arc::clone(&book), sources).unwrap();
        (Node { path, book, state, clock, draws, asked: 0 }, placed)
    }

    /// Asks a node; the answer with its body. The n-th question is asked at the n-th second, and finds the n-th random
    /// numbers, on every node.
    pub(crate) fn ask(&self, node: &mut Node, request: Request<Body>) -> Response<Vec<u8>> {
        node.asked += 1;
        node.clock.store(ASKED + node.asked * 1_000_000, Ordering::Relaxed);
        node.draws.store(u64::try_from(node.asked).unwrap() << 16, Ordering::Relaxed);
        let from = std::net::SocketAddr::from(([192, 0, 2, 1], 4_000));
        self.runtime.block_on(async {
            use http_body_util::BodyExt as _;
            let (parts, body) = node.state.answer(request, from).await.into_parts();
            Response::from_parts(parts, body.collect().await.unwrap().to_bytes().to_vec())
        })
    }
}

/// Random bytes that depend on nothing but how many were drawn before.
fn draw(draws: &AtomicU64, bytes: &mut [u8]) -> Result<(), NoChance> {
    let mut stream = blake3::Hasher::new();
    stream.update(&draws.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    stream.finalize_xof().fill(bytes);
    Ok(())
}

/// A node that answers.
pub(crate) struct Node {
    path: PathBuf,
    pub(crate) book: Arc<Book>,
    state: Arc<State>,
    clock: Arc<AtomicI64>,
    draws: Arc<AtomicU64>,
    asked: i64,
}

impl Drop for Node {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
        }
    }
}

/// What became of a record.
pub(crate) struct Placed {
    /// Its place in the case.
    pub(crate) no: usize,
    pub(crate) seq: Seq,
    /// Served to whoever may see its class.
    pub(crate) live: bool,
    pub(crate) class: Class,
    erased: bool,
    collection: ledger::CollectionNo,
    class_no: ledger::ClassNo,
    key: String,
    at: (i64, u32),
    dialect: ledger::Dialect,
}

/// The instant at which the n-th record of a case is added.
pub(crate) fn added_at(no: usize) -> i64 {
    FIRST + i64::try_from(no).unwrap() * 1_000
}

fn add(
    book: &Book,
    collections: &[Collection],
    intake: &mut Intake,
    classes: &Classes,
    no: usize,
    record: &Record,
    body: &[u8],
) -> Placed {
    let taken = intake.take(body).unwrap_or_else(|findings| {
        panic!("the generator made what is no STIX: {} {findings:?}", String::from_utf8_lossy(body))
    });
    let (member, owner) = cast::bringer(record.bringer);
    let collection = collections[usize::from(record.collection)].no;
    let context = Context {
        member: Some(member.to_owned()),
        recipients: cast::recipients(record.recipients),
        handling: cast::handling(record.handling),
        ..Context::new(collection, owner.to_owned(), book).unwrap()
    };
    let class = context.class(&taken, node::partners::provenance::Backing::none());
    let references: Vec<&str> = taken.head.references.iter().map(AsRef::as_ref).collect();
    let class_no = classes.number(book, &class).unwrap();
    let entry = taken.entry(context.collection, class_no, &references);
    let submission = Submission { entries: &[entry], receipt: None };
    let answer = book.append(&[submission], added_at(no), &stix::equivalent).unwrap()[0][0];
    let (live, seq) = match answer {
        Appended::Added(seq) => (true, seq),
        Appended::Unchanged(seq) | Appended::Conflict(seq) | Appended::Quarantined(seq) => (false, seq),
    };
    Placed {
        no,
        seq,
        live: live && !record.erased,
        class,
        erased: live && record.erased,
        collection: context.collection,
        class_no,
        key: entry.key.to_owned(),
        at: entry.version.map_or((seq.0, 0), |version| (version.micros, version.picos)),
        dialect: entry.dialect,
    }
}

fn erase(book: &Book, placed: &Placed, now: i64) {
    let filter = Filter {
        collection: placed.collection,
        after: None,
        keys: Some(vec![&placed.key]),
        kinds: None,
        versions: Versions::Some { first: false, last: false, at: vec![placed.at] },
        dialects: Some(vec![placed.dialect]),
        limit: 1,
        max_bytes: 0,
    };
    let open = placed.class.opened().to_definition();
    let own = |class: ledger::ClassNo| {
        class == placed.class_no || book.class_definition(class).unwrap().is_some_and(|found| *found == *open)
    };
    let erased = book.delete(&filter, &own, now).unwrap();
    assert_eq!(erased, 1, "one record is erased");
}

impl Node {
    /// From here on requests are counted anew, so that they come at the same times whatever was asked before.
    pub(crate) fn begin(&mut self) {
        self.asked = 1_000;
    }
}
