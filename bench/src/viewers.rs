//! Pages for viewers who may not see everything, beside the same pages for one who may.

use crate::corpus::{self, AMBER, AMBER_STRICT, GREEN, Random, Size};
use crate::server::{self, Node};
use crate::{clock, pages, row, table};
use std::time::Duration;

/// Objects on a page.
const PAGE: usize = 1_000;

pub fn run(size: Size) {
    let (count, seconds) = if size == Size::Quick { (12_000, 2.0) } else { (90_000, 5.0) };
    let mut node = Node::new("viewers");
    let partner = node.partner("partner", "community");
    for collection in ["thirds", "parts", "covered", "open"] {
        server::command(&node.home, &["collection", "add", collection], b"");
    }
    eprintln!("   loading four times {count} objects");
    let mut random = Random(11);
    let levels = [GREEN, AMBER, AMBER_STRICT];
    node.import("thirds", (0..count).map(|n| corpus::indicator_with(&mut random, levels[n % 3])));
    node.import("parts", (0..count).map(|_| corpus::indicator_in_part(&mut random, AMBER_STRICT)));
    // Tools, and relationships between any two of them: beside them, and in another collection.
    let tools: Vec<(String, Vec<u8>)> = (0..PAGE * 4).map(|_| corpus::tool(&mut random)).collect();
    let mut between = || {
        let (source, target) = (random.next() as usize % tools.len(), random.next() as usize % tools.len());
        corpus::relationship(&mut random, &tools[source].0, &tools[target].0)
    };
    node.import("covered", tools.iter().map(|(_, tool)| tool.clone()).chain((0..count).map(|_| between())));
    node.import("open", (0..count).map(|_| between()));
    node.start(None);

    let own = node.authorization.clone();
    let mut rows = vec![row!["page of 1,000", "viewer", "server CPU ms a page", "p50 ms", "beside", "limit"]];
    let all = measure(&node, "thirds", &own, count, 0, seconds);
    let third = measure(&node, "thirds", &partner, count / 3, 0, seconds);
    rows.push(line("every record may be seen", "our own", &all, "1".into(), "-"));
    rows.push(line("**a third may be seen**, the rest lies between", "partner", &third, times(&third, &all), "at most 1.5x"));
    let stored = measure(&node, "parts", &own, count, 0, seconds);
    let cut = measure(&node, "parts", &partner, count, 0, seconds);
    rows.push(line("granular markings, all may be seen", "our own", &stored, "1".into(), "-"));
    rows.push(line("**each description is taken out**", "partner", &cut, each(&cut, &stored), "under 20 µs an object"));
    let covered = measure(&node, "covered", &partner, count + tools.len(), tools.len(), seconds);
    let open = measure(&node, "open", &partner, count, 0, seconds);
    rows.push(line("relationships, covered", "partner", &covered, "1".into(), "-"));
    rows.push(line("**relationships, open**: both ends looked up", "partner", &open, each(&open, &covered), "under 20 µs an object"));
    table::print(&format!("Pages by viewer, {count} objects in each collection, one client"), &rows);
}

struct Page {
    cpu: Duration,
    p50: Duration,
}

/// The pages of a collection as one viewer sees them, without the first `skipped` objects.
fn measure(node: &Node, collection: &str, viewer: &str, count: usize, skipped: usize, seconds: f64) -> Page {
    let mut requests = pages::cursors(&node.address, collection, viewer, count);
    requests.drain(..skipped / PAGE);
    let before = node.processor();
    let load = pages::load(&node.address, &requests, 1, seconds);
    // What is written down of it in the background belongs to it.
    std::thread::sleep(Duration::from_millis(200));
    let cpu = (node.processor() - before).div_f64(load.times.len() as f64);
    Page { cpu, p50: clock::quantile(&load.times, 0.5) }
}

fn times(page: &Page, beside: &Page) -> String {
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    format!("{:.2}x the CPU, {:.2}x the p50", ratio(page.cpu, beside.cpu), ratio(page.p50, beside.p50))
}

fn each(page: &Page, beside: &Page) -> String {
    let more = page.cpu.as_secs_f64() - beside.cpu.as_secs_f64();
    format!("{:.2} µs more an object", more * 1e6 / PAGE as f64)
}

fn line(what: &str, viewer: &str, page: &Page, beside: String, limit: &str) -> Vec<String> {
    let ms = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
    row![what, viewer, ms(page.cpu), ms(page.p50), beside, limit]
}
