//! Clients that post one object each and wait for the answer, beside what one synchronisation of the disk costs.

use crate::corpus::{self, Random, Size};
use crate::server::Node;
use crate::{clock, disk, row, table, wire};
use ledger::{Ledger as _, Register as _};
use node::writer::{OwnedEntry, Work, Writer};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the figures mean.
const NOTE: &str = "64 clients that wait for their answers can reach 64 times at most, on a disk so slow that nothing else counts. \
What is missing is the time in which two cores, which the clients share, read, judge and answer 64 requests between two \
synchronisations: about 110 µs of the server's processor time an object. On a disk that synchronises in a fraction of a \
millisecond that time is the whole limit.";

/// Milliseconds by which the slow disks answer later: one such as the design reckons with, and one that turns.
const SLOW: &[u32] = &[4, 20];

pub fn run(size: Size) {
    let seconds = if size == Size::Quick { 2.0 } else { 6.0 };
    let mut posted = vec![row![
        "disk", "clients", "objects a second", "p50 ms", "p99 ms", "objects a commit", "server CPU µs an object",
        "one fsync a second", "times that"
    ]];
    let mut handed = vec![row!["disk", "threads", "objects a second", "one fsync a second", "times that"]];
    let mut disks = vec![("this machine's".to_owned(), None, Duration::ZERO)];
    for ms in SLOW {
        match slow_disk(*ms) {
            Some(library) => disks.push((format!("{ms} ms slower"), Some(library), Duration::from_millis(u64::from(*ms)))),
            None => eprintln!("no C compiler: the disk that is {ms} ms slower is left out"),
        }
    }
    for (what, library, slower) in &disks {
        measure(what, library.as_deref(), *slower, seconds, &mut posted);
        hand_in(what, library.as_deref(), seconds, &mut handed);
        library.iter().for_each(|library| drop(std::fs::remove_file(library)));
    }
    table::print("Single objects, posted over HTTP and waited for (limit: at 64 clients 50 times one fsync's rate)", &posted);
    println!("\n{NOTE}");
    table::print("The group commit alone: threads that each hand one object to the writer and wait for it", &handed);
}

/// Runs the writer in a process of its own, so that its disk can be slowed.
fn hand_in(what: &str, preload: Option<&str>, seconds: f64, rows: &mut Vec<Vec<String>>) {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program.args([GROUP_COMMIT, &seconds.to_string()]);
    if let Some(library) = preload {
        program.env("LD_PRELOAD", library);
    }
    let out = program.output().expect("starts").stdout;
    let out = String::from_utf8_lossy(&out).into_owned();
    let mut figures = out.split_whitespace().map(|word| word.parse::<f64>().expect("a figure"));
    let alone = figures.next().expect("one fsync");
    for (threads, rate) in CROWDS.iter().zip(figures) {
        rows.push(row![what, threads, format!("{rate:.0}"), format!("{:.0}", 1.0 / alone), format!("{:.1}", rate * alone)]);
    }
}

/// The word by which this program runs [`group_commit`].
pub const GROUP_COMMIT: &str = "group-commit";
const CROWDS: [usize; 3] = [1, 8, 64];

/// Prints the seconds of one fsync and, for each crowd, objects a second.
pub fn group_commit(seconds: f64) -> ExitCode {
    let folder = std::env::temp_dir().join(format!("marsad-bench-group-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    println!("{}", disk::synchronise(&folder).as_secs_f64());
    let book = Arc::new(ledger::sqlite::Book::create(&folder.join("book.db")).expect("create"));
    let collection = book.add_collection(&crate::server::collection("bench")).expect("collection").no;
    let class = book.class(b"{}", b"[]").expect("class");
    let writer = Writer::start(book, node::sources::Sources::system()).expect("a thread");
    for crowd in CROWDS {
        let begin = Instant::now();
        let done: usize = std::thread::scope(|scope| {
            let writer = &writer;
            let one = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
                let mut random = seeded();
                let mut done = 0;
                while begin.elapsed().as_secs_f64() < seconds {
                    let work = work(collection, class, corpus::indicator(&mut random));
                    assert_eq!(runtime.block_on(writer.write(work)).expect("kept").len(), 1);
                    done += 1;
                }
                done
            };
            let crowd: Vec<_> = (0..crowd).map(|_| scope.spawn(one)).collect();
            crowd.into_iter().map(|one| one.join().expect("client")).sum()
        });
        println!("{}", done as f64 / begin.elapsed().as_secs_f64());
    }
    drop(writer);
    let _ = std::fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}

fn work(collection: ledger::CollectionNo, class: ledger::ClassNo, body: Vec<u8>) -> Work {
    let key = String::from_utf8_lossy(body.split(|byte| *byte == b'"').nth(11).unwrap_or_default()).into_owned();
    let entry = OwnedEntry {
        collection, key, kind: "indicator".into(), version: Some((1_772_355_600_000_000, 0, "2026-03-01T09:00:00.000Z".into())),
        dialect: ledger::Dialect::Stix21, author: None, revoked: false, class, references: Vec::new(), body: 0..body.len(),
    };
    Work { text: body.into(), entries: vec![entry], receipt: None }
}

fn seeded() -> Random {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    Random(now ^ TURN.fetch_add(1, Ordering::Relaxed) << 40)
}

fn measure(what: &str, preload: Option<&str>, slower: Duration, seconds: f64, rows: &mut Vec<Vec<String>>) {
    let mut node = Node::new("post");
    let alone = slower + disk::synchronise(&node.home);
    node.start(preload);
    for clients in CROWDS {
        let before = (commits(&node), node.processor());
        let begin = Instant::now();
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let node = &node;
            let crowd: Vec<_> = (0..clients).map(|_| scope.spawn(move || post(node, seconds))).collect();
            crowd.into_iter().flat_map(|client| client.join().expect("client")).collect()
        });
        let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
        let share = times.len() as f64 / (commits(&node) - before.0);
        let cost = (node.processor() - before.1).as_secs_f64() * 1e6 / times.len() as f64;
        times.sort();
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        rows.push(row![
            what, clients, format!("{rate:.0}"), ms(clock::quantile(&times, 0.5)), ms(clock::quantile(&times, 0.99)),
            format!("{share:.1}"), format!("{cost:.0}"), format!("{:.0}", 1.0 / alone.as_secs_f64()), format!("{:.1}", rate * alone.as_secs_f64())
        ]);
    }
}

/// How many commits the server has made.
fn commits(node: &Node) -> f64 {
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    wire.send(&wire::get("/metrics", &node.authorization)).expect("answers");
    let text = String::from_utf8_lossy(&wire.body).into_owned();
    let line = text.lines().find(|line| line.starts_with("marsad_commits_total")).unwrap_or_default();
    line.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// One client in a closed loop; how long each answer took.
fn post(node: &Node, seconds: f64) -> Vec<Duration> {
    let mut random = seeded();
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed().as_secs_f64() < seconds {
        let mut body = br#"{"objects":["#.to_vec();
        body.extend(corpus::indicator(&mut random));
        body.extend(b"]}");
        let request = wire::post("/exchange/collections/bench/objects/", &node.authorization, &body);
        let sent = Instant::now();
        wire.send(&request).expect("answers");
        assert_eq!(wire.status, 202, "{}", String::from_utf8_lossy(&wire.body));
        times.push(sent.elapsed());
    }
    times
}

/// A library that makes every synchronisation take so many milliseconds longer.
fn slow_disk(ms: u32) -> Option<String> {
    let folder = std::env::temp_dir();
    let source = folder.join(format!("marsad-bench-slow-{ms}-{}.c", std::process::id()));
    let library = source.with_extension("so");
    let text = format!("#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <unistd.h>\n\
        int fdatasync(int fd){{static int(*real)(int);if(!real)real=dlsym(RTLD_NEXT,\"fdatasync\");usleep({ms}000);return real(fd);}}\n\
        int fsync(int fd){{static int(*real)(int);if(!real)real=dlsym(RTLD_NEXT,\"fsync\");usleep({ms}000);return real(fd);}}\n");
    std::fs::write(&source, text).ok()?;
    let done = std::process::Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    let _ = std::fs::remove_file(source);
    done.ok()?.success().then(|| library.to_string_lossy().into_owned())
}
