//! What it costs to write down who was given what, as a part of what a page costs.

use crate::corpus::{self, Random, Size};
use crate::server::{self, Node};
use crate::{clock, pages, row, table, wire};
use ledger::{CollectionNo, Run, Seq};
use node::audit::{By, Event, Given, HandOver, Scribe, Way};
use std::sync::Arc;
use std::time::Duration;

/// How the columns come about.
const NOTE: &str = "Server CPU is that of the whole process, the log with it. The log's is that of its writer's thread, measured in \
the server while it gives pages, and what it takes to tell it of a page, measured here. Alone: telling and writing as fast as it \
goes, in groups as large as can be.";

/// Objects on a page.
const PAGE: usize = 1_000;

pub fn run(size: Size) {
    let (count, single, seconds) = if size == Size::Quick { (20_000, 3_000, 2.0) } else { (100_000, 20_000, 5.0) };
    let mut node = Node::new("handover");
    server::command(&node.home, &["collection", "add", "single"], b"");
    let mut random = Random(23);
    node.import("bench", (0..count).map(|_| corpus::indicator(&mut random)));
    node.start(None);
    eprintln!("   posting {single} objects one by one");
    post(&node, &mut random, single);
    let mut rows = vec![row![
        "records were added", "clients", "server CPU µs a page", "log: writing", "log: telling", "**the log's part**",
        "beside a page without it", "limit", "alone"
    ]];
    let once = [Run { first: Seq(NOW), count: PAGE as u32 }];
    let singly = singly();
    for (what, collection, count, runs) in
        [("in bulk: one run", "bench", count, &once[..]), ("singly: 1,000 runs", "single", single, &singly)]
    {
        let (telling, alone) = alone(runs, if size == Size::Quick { 5_000 } else { 40_000 });
        let requests = pages::cursors(&node.address, collection, &node.authorization, count);
        for clients in [1, 8] {
            settled();
            let before = (node.processor(), node.thread(WRITER));
            let load = pages::load(&node.address, &requests, clients, seconds);
            settled();
            let each = |time: Duration| time.as_secs_f64() * 1e6 / load.times.len() as f64;
            let (page, writing) = (each(node.processor() - before.0), each(node.thread(WRITER) - before.1));
            let log = writing + telling;
            rows.push(row![
                what, clients, format!("{page:.0}"), format!("{writing:.1}"), format!("{telling:.1}"),
                format!("{:.1} %", 100.0 * log / page), format!("{:.1} %", 100.0 * log / (page - log)), "at most 10 %",
                format!("{alone:.1} µs")
            ]);
        }
    }
    table::print("The log of hand-overs, beside the pages of 1,000 that are handed over", &rows);
    println!("\n{NOTE}");
}

/// The name of the thread that writes the log.
const WRITER: &str = "audit";
const NOW: i64 = 1_764_000_000_000_000;

/// Waits until everything is written, and the anchor with it.
fn settled() {
    std::thread::sleep(Duration::from_millis(1_500));
}

fn post(node: &Node, random: &mut Random, count: usize) {
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    for _ in 0..count {
        let body = [br#"{"objects":["#, &corpus::indicator(random)[..], b"]}"].concat();
        wire.send(&wire::post("/exchange/collections/single/objects/", &node.authorization, &body)).expect("answers");
        assert_eq!(wire.status, 202, "{}", String::from_utf8_lossy(&wire.body));
    }
}

/// A page of records that were added one by one, a few hundred microseconds to a few milliseconds apart.
fn singly() -> Vec<Run> {
    let (mut random, mut at) = (Random(5), NOW);
    let mut next = || {
        at += 400 + (random.next() % 4_000) as i64;
        Run { first: Seq(at), count: 1 }
    };
    (0..PAGE).map(|_| next()).collect()
}

/// Telling and writing without a server: what telling costs, and both, in microseconds of processor time an event.
fn alone(runs: &[Run], count: usize) -> (f64, f64) {
    let folder = std::env::temp_dir().join(format!("marsad-bench-scribe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let anchor = ledger::journal::Anchor::new(&folder.join("audit.anchor"), [1; 32]);
    let journal = ledger::sqlite::JournalFile::open(&folder.join("audit.db"), anchor).expect("opens");
    let scribe = Scribe::start(Arc::new(journal)).expect("a thread");
    let by = By {
        way: Way::Taxii, who: Some("amina".into()), organisation: Some("CERT North".into()),
        address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
    };
    let before = clock::processor("self");
    let telling = clock::once(&mut || {
        for _ in 0..count {
            let event = Event::HandedOver(HandOver {
                by: by.clone(), collection: CollectionNo(1), what: "objects", request: "8e2e2d2b17d44cbf".into(), given: Given::of(runs),
            });
            scribe.note(event).expect("told");
        }
    });
    scribe.end();
    let both = clock::processor("self") - before;
    drop(scribe);
    let _ = std::fs::remove_dir_all(folder);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    (each(telling.cpu), each(both))
}
