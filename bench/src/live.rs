//! How soon a serving node tells what it has seen: from the line of a log to the alert on the API's stream, and from a new
//! indicator to the first hit on it.

use crate::corpus::Size;
use crate::server::Node;
use crate::{clock, disk, row, table, wire};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Indicators in the book.
const BOOK: u32 = 100_000;
/// From one line that hits to the next.
const EVERY: Duration = Duration::from_millis(50);
/// From one line to the next while it is waited for an indicator to come or go.
const FINE: Duration = Duration::from_millis(5);
/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an indicator that was revoked is tried on.
const AFTER: Duration = Duration::from_secs(2);

pub fn run(size: Size) {
    let (lines, turns) = if size == Size::Quick { (100, 3) } else { (600, 10) };
    let mut node = Node::new("live");
    let log = node.home.join("live.log");
    std::fs::write(node.home.join("config.toml"), "watch.inputs = [\"live.log\"]\nwatch.format = \"zeek\"\n").expect("config");
    let lag = disk::synchronise(&node.home);
    node.import("bench", (0..BOOK).map(|number| indicator(number, "2026-03-01T09:00:00.000Z", "")));
    let mut site = Site { log: File::options().create(true).append(true).open(&log).expect("log"), lines: 0, alerts: channel().1 };
    node.start(None);
    site.alerts = listen(&node);
    until_watched(&node);
    // The first line also lets the file be found.
    let first = site.write(BOOK - 1).0;
    site.alert_of(&first);

    let mut waits = Vec::new();
    let processor = node.processor();
    for number in 0..lines {
        let (entity, written) = site.write(number);
        waits.push(site.alert_of(&entity) - written);
        std::thread::sleep(EVERY.saturating_sub(written.elapsed()));
    }
    let processor = (node.processor() - processor).as_secs_f64() * 1e3 / f64::from(lines);
    let (mut comes, mut goes) = (Vec::new(), Vec::new());
    for turn in 0..turns {
        comes.push(site.comes(&node, BOOK + turn));
        goes.push(site.goes(&node, BOOK + turn));
    }
    for times in [&mut waits, &mut comes, &mut goes] {
        times.sort();
    }
    let mut rows = vec![row!["from … to", "times", "p50 ms", "p99 ms", "worst ms", "limit"]];
    for (what, times, limit) in [
        ("the line of the log to the alert on the stream", &waits, "p99 under 50 ms"),
        ("the POST of an indicator to the alert of the first line it meets", &comes, "under 1 s"),
        ("the POST of its revocation to the last line that it met", &goes, "under 1 s"),
    ] {
        let ms = |fraction| format!("{:.1}", clock::quantile(times, fraction).as_secs_f64() * 1e3);
        rows.push(row![what, times.len(), ms(0.5), ms(0.99), ms(1.0), limit]);
    }
    table::print("The watch of a serving node, 100,000 indicators in its book", &rows);
    let (lag, every) = (lag.as_secs_f64() * 1e3, EVERY.as_millis());
    println!("\nA line every {every} ms; one synchronisation of the disk takes {lag:.2} ms, and each alert waits for one. The server spends {processor:.1} ms of processor time a line.");
    node.stop();
    crate::follow::run(size);
}

/// A log that is watched, and what the stream says of it.
struct Site {
    log: File,
    /// Lines so far: each comes from a machine of its own.
    lines: u32,
    alerts: Receiver<(String, Instant)>,
}

impl Site {
    /// Writes a line that an indicator meets; the machine that it names, and when it was there.
    fn write(&mut self, number: u32) -> (String, Instant) {
        self.lines += 1;
        let [_, a, b, c] = self.lines.to_be_bytes();
        let entity = format!("10.{a}.{b}.{c}");
        let line = format!(
            "{{\"ts\":1700000000.5,\"uid\":\"C{number}\",\"id.orig_h\":\"{entity}\",\"id.resp_h\":\"198.51.100.9\",\"query\":\"h{number}.live.example\"}}\n"
        );
        self.log.write_all(line.as_bytes()).expect("write");
        (entity, Instant::now())
    }

    /// When the alert about a machine came.
    fn alert_of(&self, entity: &str) -> Instant {
        loop {
            let (told, at) = self.alerts.recv_timeout(PATIENCE).expect("an alert");
            if told == entity {
                return at;
            }
        }
    }

    /// Posts an indicator and writes lines until one is met: how long it took from before the request to the alert.
    fn comes(&mut self, node: &Node, number: u32) -> Duration {
        let begin = Instant::now();
        post(node, &indicator(number, "2026-03-01T09:00:00.000Z", ""));
        while begin.elapsed() < PATIENCE {
            self.write(number);
            match self.alerts.recv_timeout(FINE) {
                Ok((_, at)) => return at - begin,
                Err(RecvTimeoutError::Timeout) => {}
                Err(error) => panic!("the stream has ended: {error}"),
            }
        }
        panic!("an indicator was not taken in");
    }

    /// Revokes an indicator and writes lines all the while: how long after the request the last was written that was met.
    fn goes(&mut self, node: &Node, number: u32) -> Duration {
        let begin = Instant::now();
        post(node, &indicator(number, "2026-03-01T10:00:00.000Z", r#","revoked":true"#));
        let mut written = HashMap::new();
        while begin.elapsed() < AFTER {
            let (entity, at) = self.write(number);
            written.insert(entity, at);
            std::thread::sleep(FINE);
        }
        let mut last = Duration::ZERO;
        while let Ok((entity, _)) = self.alerts.recv_timeout(AFTER) {
            last = last.max(written.get(&entity).map_or(Duration::ZERO, |at| *at - begin));
        }
        last
    }
}

/// An indicator of a domain of its own.
fn indicator(number: u32, modified: &str, more: &str) -> Vec<u8> {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{number:08x}-0000-4000-8000-000000000000","created":"2026-03-01T09:00:00.000Z","modified":"{modified}","name":"Beacon {number}","indicator_types":["malicious-activity"],"pattern_type":"stix","pattern":"[domain-name:value = 'h{number}.live.example']","valid_from":"2026-03-01T09:00:00Z"{more}}}"#
    )
    .into_bytes()
}

fn post(node: &Node, object: &[u8]) {
    let body = [br#"{"objects":["#, object, b"]}"].concat();
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    wire.send(&wire::post("/exchange/collections/bench/objects/", &node.authorization, &body)).expect("answers");
    assert_eq!(wire.status, 202, "{}", String::from_utf8_lossy(&wire.body));
}

/// Waits until the whole book is watched for.
fn until_watched(node: &Node) {
    let begin = Instant::now();
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    while begin.elapsed() < PATIENCE {
        wire.send(&wire::get("/metrics", &node.authorization)).expect("answers");
        let claims = format!("marsad_watch_claims {BOOK}");
        if String::from_utf8_lossy(&wire.body).lines().any(|line| line == claims) {
            return;
        }
        std::thread::sleep(EVERY);
    }
    panic!("the book was not read in time");
}

/// Reads the stream of alerts on a thread of its own: the machine that each is about, and when it came.
fn listen(node: &Node) -> Receiver<(String, Instant)> {
    let mut stream = TcpStream::connect(&node.address).expect("connects");
    stream.write_all(&wire::get("/api/alerts/stream", &node.authorization)).expect("asks");
    let mut lines = BufReader::new(stream).lines();
    let head = lines.next().and_then(Result::ok).unwrap_or_default();
    assert!(head.contains(" 200 "), "{head}");
    // The first event says that the stream is open.
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.starts_with(": marsad")), "no stream");
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let at = Instant::now();
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let alert: serde_json::Value = serde_json::from_str(data).expect("an alert");
            let entity = alert["entity"].as_str().unwrap_or_default().to_owned();
            if send.send((entity, at)).is_err() {
                return;
            }
        }
    });
    receive
}
