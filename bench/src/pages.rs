//! Pages of 1,000 objects from a ledger of 1 million, beside the same bytes sent from memory by the same stack.

use crate::corpus::{self, Random, Size};
use crate::server::Node;
use crate::{clock, row, table, wire};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Pages a second of 1,000 objects that the peers reached on such a machine, as they were measured.
const PEERS: &[(&str, f64)] = &[("OpenTAXII (SQLite), as measured", 12.0), ("darwis-taxii (PostgreSQL), as measured", 13.0)];

pub fn run(size: Size) {
    let (small, large) = if size == Size::Quick { (20_000, 100_000) } else { (50_000, 1_000_000) };
    let mut rows = vec![row!["what", "clients", "pages a second", "objects a second", "MB a second", "p50 ms", "p99 ms", "beside memory"]];
    let mut costs = Vec::new();
    for count in [small, large] {
        let mut node = Node::new("pages");
        let mut random = Random(42);
        eprintln!("   loading {count} objects");
        node.import("bench", (0..count).map(|_| corpus::indicator(&mut random)));
        let (listening, first) = node.start(None);
        std::thread::sleep(Duration::from_secs(2));
        let rest = node.memory();
        let cursors = cursors(&node.address, "bench", &node.authorization, count);
        let page = page(&node);
        let memory = (count == large).then(|| Memory::start(&page));
        for clients in [1, 8, 32] {
            let seconds = if size == Size::Quick { 2.0 } else { 5.0 };
            let before = node.processor();
            let ours = load(&node.address, &cursors, clients, seconds);
            let cpu = (node.processor() - before).as_secs_f64() * 1e3 / ours.times.len() as f64;
            let Some(memory) = &memory else {
                costs.push((count, clients, cpu));
                continue;
            };
            costs.push((count, clients, cpu));
            let limit = load(&memory.address, &[wire::get("/", "Bearer none")], clients, seconds);
            rows.push(line(&format!("**Marsad**, {count} objects"), clients, &ours, &limit));
            rows.push(line("the same bytes from memory (limit: at most 3x)", clients, &limit, &limit));
        }
        if count == large {
            let (peak, after) = (node.memory().1, node.memory().0);
            let at_start = vec![
                row!["what", "figure", "limit"],
                row!["start to listening, ms", format!("{:.0}", listening.as_secs_f64() * 1e3), "200"],
                row!["start to the first page of 1,000, ms", format!("{:.0}", first.as_secs_f64() * 1e3), "200"],
                row!["memory at rest after the first page, MB", format!("{:.0}", rest.0), "100"],
                row!["memory after the load, MB (peak)", format!("{after:.0} ({peak:.0})"), "-"],
            ];
            table::print(&format!("Start with {count} objects"), &at_start);
        }
    }
    for (peer, rate) in PEERS {
        rows.push(row![peer, 8, rate, rate * 1000.0, "-", "-", "-", "-"]);
    }
    table::print("TAXII pages of 1,000 objects of 570 bytes", &rows);
    let mut by_size = vec![row!["objects in the collection", "clients", "server CPU ms a page"]];
    by_size.extend(costs.iter().map(|(count, clients, cpu)| row![count, clients, format!("{cpu:.3}")]));
    table::print("The cost of a page does not grow with the collection", &by_size);
}

fn line(what: &str, clients: usize, ours: &Load, limit: &Load) -> Vec<String> {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    row![
        what, clients, format!("{:.0}", ours.rate()), format!("{:.0}", ours.rate() * 1000.0),
        format!("{:.0}", ours.bytes as f64 / ours.wall.as_secs_f64() / 1e6), ms(clock::quantile(&ours.times, 0.5)),
        ms(clock::quantile(&ours.times, 0.99)), format!("{:.2}x", limit.rate() / ours.rate())
    ]
}

/// The requests for every page of a collection as one viewer sees it, which holds `count` objects for them, in order; a
/// load takes them round and round.
pub fn cursors(address: &str, collection: &str, authorization: &str, count: usize) -> Vec<Vec<u8>> {
    let mut wire = wire::Wire::connect(address).expect("connects");
    let mut requests = Vec::new();
    let first = format!("/exchange/collections/{collection}/objects/?limit=1000");
    let mut path = first.clone();
    let mut objects = 0;
    loop {
        requests.push(wire::get(&path, authorization));
        wire.send(requests.last().expect("one")).expect("answers");
        assert_eq!(wire.status, 200);
        let text = std::str::from_utf8(&wire.body).expect("UTF-8");
        objects += text.matches("\"spec_version\":").count();
        let Some(next) = text.rsplit_once("\"next\":\"").and_then(|(_, after)| after.split('"').next()) else { break };
        path = format!("{first}&next={next}");
    }
    assert_eq!(objects, count, "the pages do not hold every object");
    requests
}

fn page(node: &Node) -> Vec<u8> {
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    wire.send(&wire::get("/exchange/collections/bench/objects/?limit=1000", &node.authorization)).expect("answers");
    wire.body
}

/// What a load gave.
pub struct Load {
    /// How long each answer took, sorted.
    pub times: Vec<Duration>,
    bytes: u64,
    wall: Duration,
}

impl Load {
    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.wall.as_secs_f64()
    }
}

/// Clients in closed loops, each walking the pages from a place of its own.
pub fn load(address: &str, requests: &[Vec<u8>], clients: usize, seconds: f64) -> Load {
    let begin = Instant::now();
    let results: Vec<(Vec<Duration>, u64)> = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || {
                    let mut wire = wire::Wire::connect(address).expect("connects");
                    let (mut times, mut bytes, mut place) = (Vec::new(), 0, client * requests.len() / clients);
                    while begin.elapsed().as_secs_f64() < seconds {
                        let sent = Instant::now();
                        wire.send(&requests[place % requests.len()]).expect("answers");
                        assert_eq!(wire.status, 200);
                        times.push(sent.elapsed());
                        bytes += wire.body.len() as u64;
                        place += 1;
                    }
                    (times, bytes)
                })
            })
            .collect();
        crowd.into_iter().map(|client| client.join().expect("client")).collect()
    });
    let wall = begin.elapsed();
    let bytes = results.iter().map(|(_, bytes)| bytes).sum();
    let mut times: Vec<Duration> = results.into_iter().flat_map(|(times, _)| times).collect();
    times.sort();
    Load { times, bytes, wall }
}

/// A process of this program that sends one page from memory through the same HTTP stack.
struct Memory {
    child: std::process::Child,
    address: String,
}

impl Memory {
    fn start(page: &[u8]) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("self"))
            .arg("serve-memory")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("stdin").write_all(page).expect("page");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("address");
        Self { child, address: line.trim().to_owned() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other side of [`Memory`].
pub fn serve_memory() -> ExitCode {
    let mut page = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut page).expect("page");
    let page = bytes::Bytes::from(page);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        println!("{}", listener.local_addr().expect("address"));
        let routes = axum::Router::new().fallback(move || {
            let page = page.clone();
            async move { ([("content-type", "application/taxii+json;version=2.1")], page) }
        });
        axum::serve(listener, routes).await.expect("serves");
    });
    ExitCode::SUCCESS
}
