//! The nodes of a schedule: each with a home, a book and an audit log of its own, in memory where the machine has a file
//! system for that. Homes are made once and copied. A node that is killed is opened anew from its files as they stand.

use ledger::sqlite::{Book, JournalFile};
use ledger::{
    Account, Collection, CollectionNo, Key, Ledger as _, Organisation, Record, Relation, Role, Scope, Seq, Standing,
};
use ledger::{Card, CardState, Partner, PartnerKind, Partners as _};
use ledger::{Register as _, Sharing as _, Who};
use node::chance::NoChance;
use node::config::Config;
use node::door::Door;
use node::home::{Home, Secret};
use node::http::State;
use node::intake::Classes;
use node::partners::identity::{self, Own};
use node::partners::recalls::{Desk, Status};
use node::sources::Sources;
use partner::trust::Keyring;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The organisations, each with a node.
pub(crate) const ORGANISATIONS: [&str; 5] = ["North CERT", "South CERT", "East CERT", "West CERT", "Port CSIRT"];
/// When a schedule begins, in microseconds.
pub(crate) const BEGIN: i64 = 1_767_225_600_000_000;
const YEAR: i64 = 365 * 86_400_000_000;
/// The collection that is exchanged.
pub(crate) const ALIAS: &str = "shared";

/// The STIX identity by which an organisation signs.
pub(crate) fn identity(no: usize) -> String {
    format!("identity--00000000-0000-4000-8000-0000000000{no:02x}")
}

/// The address of a node's API root.
pub(crate) fn address(no: usize) -> String {
    format!("https://node{no}.example/exchange/")
}

/// The secret of the key by which one organisation asks at another's node.
fn key_text(at: usize, of: usize) -> String {
    format!("marsad_{of}_at_{at}")
}

/// The `Authorization` by which an organisation asks at a node.
pub(crate) fn authorization(at: usize, of: usize) -> String {
    format!("Bearer {}", key_text(at, of))
}

/// The secret of a node.
pub(crate) fn secret(no: usize) -> Secret {
    Secret::new([u8::try_from(no).unwrap() + 201; 32])
}

fn organisation(no: usize, at: usize) -> Organisation {
    let relation = if no == at { Relation::Own } else { Relation::Community };
    Organisation { name: ORGANISATIONS[no].into(), relation }
}

/// What nodes are made of.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) runtime: tokio::runtime::Runtime,
    made: AtomicU64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let builder = tempfile::Builder::new();
        let directory = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.unwrap();
        let mut config = Config::default();
        config.accounts.attempts_per_minute = 1_000_000;
        config.taxii.page_size = 4;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bench = Self { directory, config, runtime, made: AtomicU64::default() };
        let cards: Vec<Vec<u8>> = (0..ORGANISATIONS.len()).map(|no| bench.template(no)).collect();
        for at in 0..ORGANISATIONS.len() {
            bench.pin(at, &cards);
        }
        bench
    }

    fn template_path(&self, no: usize) -> PathBuf {
        self.directory.path().join(format!("template{no}"))
    }

    /// Makes the home of an organisation's node; gives its card.
    fn template(&self, at: usize) -> Vec<u8> {
        let home = Home::prepare(&self.template_path(at), "").unwrap();
        home.seal(&secret(at)).unwrap();
        let book = Book::create(&home.database()).unwrap();
        for no in 0..ORGANISATIONS.len() {
            let own = organisation(no, at);
            book.add_organisation(&own).unwrap();
            let standing =
                Standing { organisation: own.name.clone(), identities: vec![identity(no)], ..Standing::default() };
            book.set_standing(&standing).unwrap();
            let name = format!("member{no}");
            let role = if no == at { Role::Administrator } else { Role::Analyst };
            book.add_account(&Account { name: name.clone(), organisation: own, role, password: None, created: 0 })
                .unwrap();
            book.add_key(&Key {
                name: format!("key{no}"),
                account: name,
                digest: node::credentials::key_digest(&secret(at), &key_text(at, no)),
                scope: Vec::new(),
                expires: None,
                networks: Vec::new(),
                last_used: None,
                created: 0,
            })
            .unwrap();
        }
        book.set_note(node::administration::OWN_ORGANISATION, Some(ORGANISATIONS[at].as_bytes())).unwrap();
        book.add_collection(&Collection {
            no: CollectionNo(0),
            id: format!("c011ec70-0000-4000-8000-0000000000{at:02x}"),
            alias: ALIAS.into(),
            title: ALIAS.into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        })
        .unwrap();
        let (own, _) = identity::own_at(&book, &secret(at), None, BEGIN - YEAR).unwrap();
        drop(node::audit::open(&home).unwrap());
        own.card.text().to_vec()
    }

    /// Pins the cards of all others.
    fn pin(&self, at: usize, cards: &[Vec<u8>]) {
        let book = Book::open(&Home::open(&self.template_path(at)).unwrap().database(), 0).unwrap();
        for (of, card) in cards.iter().enumerate().filter(|(of, _)| *of != at) {
            let organisation = ORGANISATIONS[of].to_owned();
            let terms = b"{}".to_vec();
            let partner = Partner { organisation: organisation.clone(), kind: PartnerKind::Node, terms, added: 0 };
            book.add_partner(&partner).unwrap();
            let serial = partner::card::read(card).unwrap().serial;
            let body = card.clone();
            book.set_card(&Card { organisation, serial, state: CardState::Pinned, body, at: BEGIN - YEAR }).unwrap();
        }
    }

    /// A node of an organisation, new; its clock is off by `skew`, and it has the cards of those whom it `knows`.
    pub(crate) fn node(&self, no: usize, clock: &Arc<AtomicI64>, skew: i64, knows: &[bool]) -> Node {
        let path = self.fresh(no);
        copy(&self.template_path(no), &path);
        if knows.contains(&false) {
            let book = Book::open(&Home::open(&path).unwrap().database(), 0).unwrap();
            let unknown = ORGANISATIONS.iter().zip(knows).filter(|(_, knows)| !**knows);
            unknown.for_each(|(organisation, _)| book.remove_partner(organisation).unwrap());
        }
        Node::open(no, path, self, clock, skew)
    }

    /// The node, after a kill: opened from a copy of its files as they are at this moment. What was only in memory is gone.
    pub(crate) fn revive(&self, node: &Node) -> Node {
        let path = self.fresh(node.no);
        copy(&node.path, &path);
        Node::open(node.no, path, self, &node.clock, node.skew)
    }

    fn fresh(&self, no: usize) -> PathBuf {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        self.directory.path().join(format!("node{no}-{count}"))
    }
}

/// The audit log's anchor is copied before the log, which only ever grows beyond it; shared memory is none that a crash
/// leaves.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::create_dir(to.join("tls")).unwrap();
    for name in ["config.toml", "secret", "audit.anchor", "audit.db", "audit.db-wal", "marsad.db", "marsad.db-wal"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// What the rounds of a node use of it; they end with the node.
pub(crate) struct Kept {
    pub(crate) no: usize,
    pub(crate) book: Arc<Book>,
    pub(crate) config: Config,
    pub(crate) door: Door,
    pub(crate) journal: JournalFile,
    pub(crate) own: Own,
    pub(crate) ring: Arc<Keyring>,
    pub(crate) collection: Collection,
}

/// A node that runs.
pub(crate) struct Node {
    pub(crate) no: usize,
    path: PathBuf,
    pub(crate) kept: Arc<Kept>,
    pub(crate) state: Arc<State>,
    clock: Arc<AtomicI64>,
    pub(crate) skew: i64,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Node {
    fn open(no: usize, path: PathBuf, bench: &Bench, clock: &Arc<AtomicI64>, skew: i64) -> Self {
        let home = Home::open(&path).unwrap();
        let book = Arc::new(Book::open(&home.database(), 0).unwrap());
        // What was drawn before a kill does not come again.
        let begun = bench.made.load(Ordering::Relaxed) << 32;
        let (time, draws) = (Arc::clone(clock), AtomicU64::new(begun));
        let sources = Sources::given(move || time.load(Ordering::SeqCst) + skew, move |bytes| draw(no, &draws, bytes));
        let state = State::with(&home, bench.config.clone(), Arc::clone(&book), sources).unwrap();
        let kept = Kept {
            no,
            config: bench.config.clone(),
            door: Door::over(&book, &bench.config),
            journal: node::audit::open(&home).unwrap(),
            own: identity::own(&*book, &secret(no)).unwrap(),
            ring: identity::keyring(&*book, &secret(no)).unwrap(),
            collection: book.collection(ALIAS).unwrap().unwrap(),
            book,
        };
        Self { no, path, kept: Arc::new(kept), state, clock: Arc::clone(clock), skew }
    }

    /// Its book.
    pub(crate) fn book(&self) -> &Book {
        &self.kept.book
    }

    /// What its clock says.
    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst) + self.skew
    }

    /// Everything that the node holds and serves: id and version, and the bodies that it has of it.
    pub(crate) fn holds(&self) -> BTreeMap<(String, String), Vec<Vec<u8>>> {
        let mut holds: BTreeMap<(String, String), Vec<Vec<u8>>> = BTreeMap::new();
        self.follow(&mut |record| {
            if record.state == ledger::State::Live {
                let version = record.version.map_or_else(String::new, |version| version.text.to_owned());
                holds.entry((record.key.to_owned(), version)).or_default().push(record.body.to_vec());
            }
        });
        holds
    }

    /// Takes back an object that its own organisation made: everybody who was handed it is told, then it is erased here.
    pub(crate) fn recall(&self, id: &str) -> Vec<String> {
        let mut places = Vec::new();
        self.follow(&mut |record| {
            if record.state == ledger::State::Live && record.key == id {
                places.push((record.collection, record.seq));
            }
        });
        let classes = Classes::default();
        let made = self.desk(&classes).erasing(id, &places, &node::audit::operator()).unwrap();
        let scope = Scope { key: Some(id), ..Scope::default() };
        let erased = self.book().erase(&scope, &mut |_| true, self.now()).unwrap();
        assert_eq!(erased, places.len() as u64, "{id}");
        made.recalls
    }

    /// How far the recalls of an object have come.
    pub(crate) fn status(&self, id: &str) -> Vec<Status> {
        self.desk(&Classes::default()).status(id).unwrap()
    }

    fn desk<'a>(&'a self, classes: &'a Classes) -> Desk<'a> {
        Desk {
            book: self.book(),
            journal: &self.kept.journal,
            door: &self.kept.door,
            classes,
            keys: &self.kept.own.keys,
            ring: &self.kept.ring,
            own: ORGANISATIONS[self.no],
            now: self.now(),
        }
    }

    /// What it keeps aside and serves to nobody.
    pub(crate) fn aside(&self) -> Vec<String> {
        let mut aside = Vec::new();
        self.follow(&mut |record| {
            if matches!(record.state, ledger::State::Conflict | ledger::State::Quarantined) {
                aside.push(format!("{:?} {} {}", record.state, record.key, String::from_utf8_lossy(record.body)));
            }
        });
        aside
    }

    fn follow(&self, each: &mut dyn FnMut(&Record<'_>)) {
        let mut after = Seq(i64::MIN);
        while let Some(last) = self.kept.book.follow(after, 1_000, each).unwrap() {
            after = last;
        }
    }
}

/// Random bytes that depend on nothing but how many were drawn before.
fn draw(no: usize, draws: &AtomicU64, bytes: &mut [u8]) -> Result<(), NoChance> {
    let mut stream = blake3::Hasher::new();
    stream.update(&[u8::try_from(no).unwrap()]);
    stream.update(&draws.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    stream.finalize_xof().fill(bytes);
    Ok(())
}
