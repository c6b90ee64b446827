//! The set of a big book: how long it takes to be put together at the start, and how soon it has what comes, also while it is
//! put together anew. The book is filled through the ledger itself, and followed in this process.

use crate::corpus::Size;
use crate::{clock, row, table};
use ledger::sqlite::Book;
use ledger::{ClassNo, Collection, CollectionNo, Dialect, Entry, Ledger as _, Organisation, Register as _, Relation, Submission, Version, Who};
use node::config::Config;
use node::door::Door;
use node::watch::Followed;
use node::watch::book::Settings;
use observable::Kind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use watch::scan::{Format, Scan};

/// Indicators in one commit.
const BATCH: u32 = 10_000;
/// How often it is looked whether the set has what came.
const LOOK: Duration = Duration::from_millis(1);
/// From one indicator that comes to the next.
const EVERY: Duration = Duration::from_millis(20);
/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(size: Size) {
    let count = if size == Size::Quick { 100_000 } else { 2_000_000 };
    let folder = std::env::temp_dir().join(format!("marsad-bench-follow-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let mut site = Site::new(&folder);
    for first in (0..count).step_by(BATCH as usize) {
        site.append(first..count.min(first + BATCH));
    }
    let before = resident();
    let begin = Instant::now();
    let door = Door::over(&site.book, &Config::default());
    let followed = Followed::start(Arc::clone(&site.book), door, Settings::default(), &mut |_| {}).expect("follows");
    let started = begin.elapsed();
    let (after, bytes) = (resident(), followed.status().expect("status").figures.bytes);
    assert_eq!(followed.now().set.len(), count as usize);

    let ending = AtomicBool::new(false);
    let (quiet, merging, pauses, merged) = std::thread::scope(|scope| {
        let matcher = scope.spawn(|| matches(&followed, &ending));
        let mut next = count;
        let quiet: Vec<Duration> = (0..50).map(|_| site.comes(&followed, &mut next)).collect();
        // So many changes that the set is put together anew; what comes meanwhile has to be met all the same.
        let burst = 6_000 + count / 30;
        for first in (0..burst).step_by(BATCH as usize) {
            site.append(next + first..next + burst.min(first + BATCH));
        }
        next += burst;
        let (begin, mut merging) = (Instant::now(), Vec::new());
        let is_over = || (followed.now().set.changes() as u32) < burst / 2 && followed.now().set.len() as u32 >= count + burst;
        while !is_over() && begin.elapsed() < PATIENCE {
            merging.push(site.comes(&followed, &mut next));
        }
        let merged = begin.elapsed();
        assert!(is_over(), "it was not put together anew");
        ending.store(true, Ordering::Release);
        (quiet, merging, matcher.join().expect("matches"), merged)
    });
    drop(followed);
    let _ = std::fs::remove_dir_all(&folder);
    print(count, (started, before, after, bytes), &mut [(quiet, "under 1 s"), (merging, "under 1 s"), (pauses, "under 50 ms")], merged);
}

fn print(count: u32, (started, before, after, bytes): (Duration, u64, u64, u64), times: &mut [(Vec<Duration>, &str); 3], merged: Duration) {
    let ms = |times: &[Duration], fraction| format!("{:.1}", clock::quantile(times, fraction).as_secs_f64() * 1e3);
    times.iter_mut().for_each(|(times, _)| times.sort());
    let mut rows = vec![row!["what", "times", "p50 ms", "p99 ms", "worst ms", "limit"]];
    let whats = [
        "an indicator is accepted … the set has it",
        "the same while the set is put together anew",
        "a matcher reads a block of 256 KiB, over all of it",
    ];
    for (what, (times, limit)) in whats.into_iter().zip(&*times) {
        rows.push(row![what, times.len(), ms(times, 0.5), ms(times, 0.99), ms(times, 1.0), limit]);
    }
    table::print(&format!("The set of a book of {count} indicators, followed"), &rows);
    let seconds = started.as_secs_f64();
    println!(
        "\nAt the start the whole book is read in {seconds:.1} s ({:.0} indicators a second). The set and its names take {:.0} MB, the process {:.0} MB more than before. After {} changes the set was put together anew within {:.1} s.",
        f64::from(count) / seconds, bytes as f64 / 1e6, after.saturating_sub(before) as f64 / 1e6, 6_000 + count / 30, merged.as_secs_f64(),
    );
}

struct Site {
    book: Arc<Book>,
    collection: CollectionNo,
    class: ClassNo,
}

impl Site {
    fn new(folder: &std::path::Path) -> Self {
        let book = Arc::new(Book::create(&folder.join("marsad.db")).expect("a book"));
        book.add_organisation(&Organisation { name: "Us".into(), relation: Relation::Own }).expect("an organisation");
        let collection = Collection {
            no: CollectionNo(0), id: "00000000-0000-4000-8000-000000000001".into(), alias: "feed".into(), title: "Feed".into(),
            description: None, read: Who::Members, write: Who::Members,
        };
        let collection = book.add_collection(&collection).expect("a collection").no;
        let class = policy::Class { owner: "Us".into(), markings: vec![stix::marking::Tlp::Green.id().to_owned()], ..policy::Class::default() };
        let class = node::intake::Classes::default().number(&*book, &class).expect("a class");
        Self { book, collection, class }
    }

    /// Adds indicators in one commit.
    fn append(&mut self, numbers: std::ops::Range<u32>) {
        let objects: Vec<(String, String)> = numbers.map(|number| {
            let id = format!("indicator--{number:08x}-0000-4000-8000-000000000000");
            let body = format!(
                r#"{{"type":"indicator","spec_version":"2.1","id":"{id}","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","pattern_type":"stix","pattern":"[domain-name:value = 'h{number}.big.example']","valid_from":"2026-03-01T09:00:00Z"}}"#
            );
            (id, body)
        }).collect();
        let entry = |(id, body)| Entry {
            collection: self.collection, key: id, kind: "indicator",
            version: Some(Version { micros: 1_772_355_600_000_000, picos: 0, text: "2026-03-01T09:00:00.000Z" }),
            dialect: Dialect::Stix21, author: None, revoked: false, class: self.class, references: &[], body,
        };
        let entries: Vec<Entry<'_>> = objects.iter().map(|(id, body)| entry((id.as_str(), body.as_bytes()))).collect();
        let submission = Submission { entries: &entries, receipt: None };
        self.book.append(&[submission], node::clock::now(), &|a, b| a == b).expect("appended");
    }

    /// One more indicator: how long after it was accepted the set that a matcher would take has it.
    fn comes(&mut self, followed: &Followed, next: &mut u32) -> Duration {
        let value = format!("h{next}.big.example");
        self.append(*next..*next + 1);
        *next += 1;
        let (begin, mut scratch, mut found) = (Instant::now(), Vec::new(), Vec::new());
        while begin.elapsed() < PATIENCE {
            followed.now().set.value(Kind::Domain, value.as_bytes(), &mut scratch, &mut found);
            if !found.is_empty() {
                let took = begin.elapsed();
                std::thread::sleep(EVERY.saturating_sub(took));
                return took;
            }
            std::thread::sleep(LOOK);
        }
        panic!("an indicator was not taken in");
    }
}

/// Reads blocks of a log as a watcher of the node does, until it is told to end: how long each took, with the look for a newer
/// set before it.
fn matches(followed: &Followed, ending: &AtomicBool) -> Vec<Duration> {
    let mut log = String::new();
    while log.len() < 256 << 10 {
        let number = log.len();
        log.push_str(&format!(
            "{{\"ts\":1700000000.5,\"uid\":\"C{number}\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"198.51.100.9\",\"query\":\"n{number}.live.example\"}}\n"
        ));
    }
    let (mut generation, mut watcher) = (followed.generation(), watch::Watcher::new(Arc::clone(&followed.now().set)));
    let (mut scan, mut took) = (Scan::new(Format::ZeekJson), Vec::new());
    while !ending.load(Ordering::Acquire) {
        let begin = Instant::now();
        if followed.generation() != generation {
            generation = followed.generation();
            watcher.swap(Arc::clone(&followed.now().set));
        }
        watcher.block(&mut scan, log.as_bytes(), &mut |_| {});
        took.push(begin.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    took
}

/// What the process has in memory of its own, in bytes; pages of the book that the system keeps are not.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) << 10
}
