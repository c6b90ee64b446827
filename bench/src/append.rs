//! Appending to the ledger, beside raw inserts of the same bytes into the same engine.

use crate::corpus::{self, Size};
use crate::{clock, row, table};
use ledger::{ClassNo, Dialect, Entry, Ledger, Register, Submission, Version};

const BATCH: usize = 10_000;

pub fn run(size: Size) {
    let (name, text) = corpus::enterprise();
    let attack: Vec<Vec<u8>> = stix::split::objects(&text).map(|o| o.expect("object").text.to_vec()).collect();
    let many = corpus::indicators(if size == Size::Quick { 50_000 } else { 300_000 }, 7);
    let mut rows = vec![row!["what", "objects", "objects a CPU second", "objects a second", "MB on disk", "beside raw"]];
    for (name, bodies) in [(name.as_str(), &attack), ("indicators of 570 bytes", &many)] {
        let raw = measure(|folder| raw(folder, bodies));
        let ours = measure(|folder| ours(folder, bodies));
        let ratio = ours.0.cpu.as_secs_f64() / raw.0.cpu.as_secs_f64();
        rows.push(line(&format!("raw SQLite inserts, {name}"), bodies.len(), &raw, "1 (limit: at most 1.5x)".into()));
        rows.push(line(&format!("**ledger append**, {name}"), bodies.len(), &ours, format!("{ratio:.2}x the time")));
    }
    table::print("Ledger append, durable commits of 10,000", &rows);
}

fn line(what: &str, count: usize, (cost, bytes): &(clock::Cost, u64), ratio: String) -> Vec<String> {
    row![
        what, count, format!("{:.0}", count as f64 / cost.cpu.as_secs_f64()),
        format!("{:.0}", count as f64 / cost.wall.as_secs_f64()), format!("{:.0}", *bytes as f64 / 1e6), ratio
    ]
}

/// The median of three runs, each in a folder of its own.
fn measure(work: impl Fn(&std::path::Path)) -> (clock::Cost, u64) {
    let mut runs: Vec<(clock::Cost, u64)> = (0..3)
        .map(|turn| {
            let folder = std::env::temp_dir().join(format!("marsad-bench-append-{}-{turn}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("folder");
            let cost = clock::once(&mut || work(&folder));
            let bytes = std::fs::read_dir(&folder).expect("folder").flatten().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
            let _ = std::fs::remove_dir_all(folder);
            (cost, bytes)
        })
        .collect();
    runs.sort_by_key(|(cost, _)| cost.cpu);
    runs[1]
}

/// A table with the body as a blob and three indexes, prepared statements, the same batches, the same durability.
fn raw(folder: &std::path::Path, bodies: &[Vec<u8>]) {
    let mut base = rusqlite::Connection::open(folder.join("raw.db")).expect("open");
    base.execute_batch(
        "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;
         CREATE TABLE object(seq INTEGER PRIMARY KEY, id TEXT, version INTEGER, type TEXT, body BLOB);
         CREATE UNIQUE INDEX by_id ON object(id, version); CREATE INDEX by_type ON object(type, seq);",
    )
    .expect("schema");
    let heads = heads(bodies);
    let mut seq = 0;
    for (bodies, heads) in bodies.chunks(BATCH).zip(heads.chunks(BATCH)) {
        let change = base.transaction().expect("begin");
        let mut insert = change.prepare("INSERT INTO object VALUES(?1,?2,?3,?4,?5)").expect("prepare");
        for (body, head) in bodies.iter().zip(heads) {
            seq += 1;
            insert.execute(rusqlite::params![seq, head.0, head.1, head.2, body]).expect("insert");
        }
        drop(insert);
        change.commit().expect("commit");
    }
}

fn ours(folder: &std::path::Path, bodies: &[Vec<u8>]) {
    let book = ledger::sqlite::Book::create(&folder.join("book.db")).expect("create");
    let collection = book.add_collection(&crate::server::collection("bench")).expect("collection").no;
    let class: ClassNo = book.class(b"{}", b"[]").expect("class");
    let heads = heads(bodies);
    for (bodies, heads) in bodies.chunks(BATCH).zip(heads.chunks(BATCH)) {
        let entries: Vec<Entry<'_>> = bodies
            .iter()
            .zip(heads)
            .map(|(body, (id, micros, kind))| Entry {
                collection, key: id, kind,
                version: Some(Version { micros: *micros, picos: 0, text: "2026-03-01T09:00:00.000Z" }),
                dialect: Dialect::Stix21, author: None, revoked: false, class, references: &[], body,
            })
            .collect();
        book.append(&[Submission { entries: &entries, receipt: None }], 1_790_000_000_000_000, &|a, b| a == b).expect("append");
    }
}

/// Id, version and type of each body, read by a plain search: the same cost in both runs.
fn heads(bodies: &[Vec<u8>]) -> Vec<(&str, i64, &str)> {
    bodies
        .iter()
        .map(|body| {
            let text = std::str::from_utf8(body).expect("UTF-8");
            (member(text, "\"id\""), 1_772_355_600_000_000, member(text, "\"type\""))
        })
        .collect()
}

fn member<'t>(text: &'t str, key: &str) -> &'t str {
    let after = text.split_once(key).map_or("", |(_, after)| after);
    after.split('"').nth(1).unwrap_or_default()
}
