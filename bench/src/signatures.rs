//! Seals: what one costs to make, to verify and to carry, and what a page costs that goes from one node to the next, beside the
//! same page without seals. Both nodes are in this process; nothing is sent.

use crate::corpus::{self, Size};
use crate::{clock, row, table};
use bytes::Bytes;
use ledger::sqlite::Book;
use ledger::{CardState, Filter, Ledger as _, Partner, PartnerKind, Partners as _, Register as _, Sharing as _, Versions};
use node::import::{Error, Listener, Options, Pages, Refusal};
use node::intake::Context;
use node::packed::Budget;
use node::partners::provenance::{Incoming, Noting, Outgoing, Strictness};
use partner::card::{Card, Draft};
use partner::key::Keys;
use partner::seal::Content;
use partner::signed::{self, Unverified};
use partner::trust::{Keyring, Standing};
use std::hint::black_box;
use stix::json::Limits;

const NOW: i64 = 1_800_000_000_000_000;
/// Objects of a page.
const PAGE: usize = 1_000;

pub fn run(size: Size) {
    let times = if size == Size::Quick { 3 } else { 9 };
    checks(times);
    pages(times, if size == Size::Quick { 5 } else { 30 });
}

fn keys(number: u8) -> Keys {
    Keys::of(&[number; 32])
}

fn name(number: u8) -> String {
    format!("Organisation {number}")
}

fn identity(number: u8) -> String {
    format!("identity--00000000-0000-4000-8000-0000000000{number:02x}")
}

fn card(number: u8) -> Card {
    let draft = Draft {
        serial: 1,
        organisation: name(number),
        identities: vec![identity(number)],
        addresses: Vec::new(),
        certificates: Vec::new(),
        from: 1_700_000_000_000_000,
        until: None,
        revoked: false,
    };
    partner::card::read(&partner::card::issue(&draft, &keys(number), None)).expect("a card")
}

/// The ring of the one, in which the other is pinned.
fn ring(own: u8, other: u8) -> Keyring {
    Keyring::new(Some(card(own)), vec![(name(other), card(other), Standing::Pinned)])
}

/// Indicators of about 600 bytes by the first organisation.
fn objects(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let by = format!(r#","created_by_ref":"{}""#, identity(1));
    corpus::indicators(count, seed).into_iter().map(|object| {
        let mut text = String::from_utf8(object).expect("text");
        if !text.contains("created_by_ref") {
            text.insert_str(text.len() - 1, &by);
        }
        text.into_bytes()
    }).collect()
}

fn sealed(object: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(object).expect("JSON");
    let (id, version) = (value["id"].as_str().expect("an id"), value["modified"].as_str());
    partner::seal::seal(object, id, version, None, &keys(1), &Limits::default()).expect("a seal")
}

fn content(object: &[u8]) -> Content {
    Content::of(stix::json::Tape::new().parse(object, &Limits::default()).expect("JSON"))
}

/// A page takes less than the processor's time is counted in: so many pages are measured at once.
const ROUNDS: usize = 20;

fn rounds(times: usize, mut work: impl FnMut()) -> clock::Cost {
    clock::median(times, || (0..ROUNDS).for_each(|_| work()))
}

fn checks(times: usize) {
    let objects = objects(PAGE, 7);
    let seals: Vec<Vec<u8>> = objects.iter().map(|object| sealed(object)).collect();
    let read: Vec<Unverified> = seals.iter().map(|seal| signed::read(seal).expect("a seal")).collect();
    let pairs: Vec<(&[u8], &Unverified)> = objects.iter().map(Vec::as_slice).zip(&read).collect();
    let (ring, limits) = (ring(2, 1), Limits::default());
    let signer = keys(1);
    let mut rows = vec![row!["what", "µs an object", "limit"]];
    let mut add = |what: &str, cost: clock::Cost, limit: &str| {
        rows.push(row![what, format!("{:.1}", cost.cpu.as_secs_f64() * 1e6 / (PAGE * ROUNDS) as f64), limit]);
    };
    add("Ed25519 alone: sign 32 bytes", rounds(times, || {
        for _ in 0..PAGE {
            black_box(signer.sign(black_box(&[7; 32])));
        }
    }), "-");
    add("seal an object", rounds(times, || {
        objects.iter().for_each(|object| drop(black_box(sealed(object))));
    }), "-");
    let contents: Vec<Content> = objects.iter().map(|object| content(object)).collect();
    add("**seal a page at once**", rounds(times, || {
        let contents: Vec<Content> = objects.iter().map(|object| content(object)).collect();
        black_box(partner::seal::seal_all(&contents, None, "two", &signer));
    }), "-");
    add("read a seal", rounds(times, || {
        seals.iter().for_each(|seal| drop(black_box(signed::read(seal))));
    }), "-");
    add("**verify, one by one**", rounds(times, || {
        for (object, seal) in &pairs {
            black_box(partner::seal::verify(object, seal, &ring, NOW, &limits).expect("sound"));
        }
    }), "under 60");
    let alone: Vec<(&Content, &Unverified)> = contents.iter().zip(&read).collect();
    add("**verify, a page at once**, each sealed alone", rounds(times, || {
        let verdicts = partner::seal::verify_all(&alone, &ring, NOW);
        assert!(verdicts.iter().all(Result::is_ok));
    }), "under 30");
    let together = partner::seal::seal_all(&contents, None, "two", &signer);
    add("read a seal that was made with others", rounds(times, || {
        together.iter().for_each(|seal| drop(black_box(signed::read(seal))));
    }), "-");
    let read: Vec<Unverified> = together.iter().map(|seal| signed::read(seal).expect("a seal")).collect();
    let together: Vec<(&Content, &Unverified)> = contents.iter().zip(&read).collect();
    add("**verify, a page at once**, sealed together", rounds(times, || {
        let verdicts = partner::seal::verify_all(&together, &ring, NOW);
        assert!(verdicts.iter().all(Result::is_ok));
    }), "under 2");
    table::print("Signature check: objects of 600 bytes, one signer", &rows);
}

/// A node in this process.
struct Node {
    book: Book,
    ring: Keyring,
    number: u8,
    collection: ledger::CollectionNo,
    folder: std::path::PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Silent;

impl Listener for Silent {
    fn refused(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }

    fn unreadable(&mut self, error: Error) {
        panic!("{error}");
    }
}

impl Node {
    fn new(number: u8, other: u8, purpose: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("marsad-bench-seals-{}-{purpose}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let book = Book::create(&folder.join("book.db")).expect("create");
        for (number, relation) in [(number, ledger::Relation::Own), (other, ledger::Relation::Community)] {
            book.add_organisation(&ledger::Organisation { name: name(number), relation }).expect("an organisation");
            let identities = vec![identity(number)];
            let standing = ledger::Standing { organisation: name(number), identities, ..Default::default() };
            book.set_standing(&standing).expect("a standing");
        }
        book.set_note(node::administration::OWN_ORGANISATION, Some(name(number).as_bytes())).expect("a note");
        book.add_partner(&Partner { organisation: name(other), kind: PartnerKind::Node, terms: b"{}".to_vec(), added: NOW })
            .expect("a partner");
        let text = card(other).text().to_vec();
        book.set_card(&ledger::Card { organisation: name(other), serial: 1, state: CardState::Pinned, body: text, at: NOW })
            .expect("a card");
        let collection = ledger::Collection {
            no: ledger::CollectionNo(0),
            id: "91a7b528-80eb-42ed-a74d-c6fbd5a26116".into(),
            alias: "main".into(),
            title: "main".into(),
            description: None,
            read: ledger::Who::Members,
            write: ledger::Who::Members,
        };
        let collection = book.add_collection(&collection).expect("a collection").no;
        Self { book, ring: ring(number, other), number, collection, folder }
    }

    fn options(&self, owner: u8) -> Options {
        let context = Context::new(self.collection, name(owner), &self.book).expect("a context");
        let budget = Budget { max_bytes: 1 << 30, max_ratio: 1_000 };
        Options { context, keep_20: false, all_or_nothing: false, budget, limits: Limits::default() }
    }

    /// A page from a place on: bodies and classes, or as they are written to anybody.
    fn page(&self, after: Option<ledger::Seq>, dressed: bool) -> (Vec<Bytes>, Option<ledger::Seq>) {
        let everything = |_| true;
        let noting = Noting::new(&everything);
        let filter = Filter {
            collection: self.collection,
            after,
            keys: None,
            kinds: None,
            versions: Versions::All,
            dialects: None,
            limit: PAGE,
            max_bytes: 64 << 20,
        };
        let mut content = Vec::with_capacity(1 << 20);
        if !dressed {
            content.push(b'[');
            let page = self.book.objects(&filter, &everything, &mut content).expect("a page");
            content.push(b']');
            let content = Bytes::from(content);
            let bodies: Vec<&serde_json::value::RawValue> = serde_json::from_slice(&content).expect("a list");
            let bodies = bodies.iter().map(|body| content.slice_ref(body.get().as_bytes())).collect();
            return (bodies, page.last.filter(|_| page.more));
        }
        let page = self.book.objects(&filter, &noting, &mut content).expect("a page");
        let bodies = noting.apart(&content, page.count).expect("a page");
        let keys = keys(self.number);
        let outgoing = Outgoing {
            book: &self.book,
            partners: &self.book,
            keys: &keys,
            ring: &self.ring,
            own: &name(self.number),
            to: &name(3 - self.number),
            limits: Limits::default(),
            now: NOW,
        };
        (outgoing.dress(&bodies).expect("a page").objects, page.last.filter(|_| page.more))
    }

    fn all(&self, dressed: bool) -> Vec<Vec<Bytes>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let (page, more) = self.page(after, dressed);
            pages.push(page);
            match more {
                Some(more) => after = Some(more),
                None => return pages,
            }
        }
    }
}

/// Pages from one node to the other.
fn pages(times: usize, count: usize) {
    let from = Node::new(1, 2, "from");
    let objects = objects(count * PAGE, 11);
    let options = from.options(1);
    for page in objects.chunks(PAGE) {
        Pages::new(&from.book, &options).take("here", page, &mut Silent).expect("taken");
    }
    let all = (count * PAGE) as f64;
    let mut rows = vec![row!["what", "CPU µs an object", "wall µs an object", "objects a second", "limit"]];
    let mut add = |what: &str, cost: clock::Cost, limit: &str| {
        let each = |time: std::time::Duration| format!("{:.1}", time.as_secs_f64() * 1e6 / all);
        rows.push(row![what, each(cost.cpu), each(cost.wall), format!("{:.0}", all / cost.wall.as_secs_f64()), limit]);
    };
    add("a page out, bare", clock::median(times, || drop(black_box(from.all(false)))), "-");
    add("**a page out, sealed**", clock::median(times, || drop(black_box(from.all(true)))), "under 6 more");
    let (bare, dressed) = (from.all(false), from.all(true));
    let mut taken = |what: &str, sorts: bool, limit: &str| {
        let mut costs: Vec<clock::Cost> = Vec::new();
        for time in 0..times.min(5) {
            let to = Node::new(2, 1, &format!("to-{sorts}-{time}"));
            let options = to.options(1);
            costs.push(clock::once(&mut || {
                let mut pages = Pages::new(&to.book, &options);
                for (bare, dressed) in bare.iter().zip(&dressed) {
                    if !sorts {
                        pages.take("link", bare, &mut Silent).expect("taken");
                        continue;
                    }
                    let incoming = Incoming {
                        book: &to.book,
                        partners: &to.book,
                        ring: &to.ring,
                        from: &name(1),
                        own: &name(2),
                        strictness: Strictness::Partner,
                        limits: Limits::default(),
                        now: NOW,
                    };
                    let sorted = incoming.sort_all(dressed).expect("sorted");
                    pages.take_sound("link", &sorted.sound, &incoming, &mut Silent).expect("taken");
                }
                assert_eq!(pages.counts().added as usize, count * PAGE);
            }));
        }
        costs.sort_by_key(|cost| cost.wall);
        let cost = costs[costs.len() / 2];
        add(what, cost, limit);
        cost.wall
    };
    let plain = taken("a page in, bare", false, "-");
    let checked = taken("**a page in, verified**", true, "at most 1.3x the time");
    table::print("A link: pages of 1,000 objects of 600 bytes, durable page by page", &rows);
    println!("\nTaking in what is verified takes {:.2}x the time of taking in what is not.", checked.as_secs_f64() / plain.as_secs_f64());
}
