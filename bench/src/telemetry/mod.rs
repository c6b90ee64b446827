//! Telemetry met by a million and by ten million indicators: all that were planted and nothing else, beside the fastest
//! JSON parser alone on the same bytes, a plain program with a hash map, and searches for the list's strings.

mod generate;
mod indicators;
mod peers;
mod searches;
mod write;

use crate::corpus::Size;
use crate::{clock, row, table};
use generate::{Generator, Style};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use watch::scan::{Format, Scan};
use watch::{Builder, Hit, Set, Watcher};

const MILLION: u64 = 1_000_000;
/// A log is made and read in pieces of this size.
const PIECE: usize = 8 << 20;
const SEED: u64 = 2026;

const FORMATS: [(Style, Format, &str); 3] = [
    (Style::ZeekJson, Format::ZeekJson, "Zeek, JSON"),
    (Style::Eve, Format::Eve, "Suricata, EVE"),
    (Style::ZeekTsv, Format::ZeekTsv, "Zeek, columns"),
];

pub fn run(size: Size) {
    let bytes = if size == Size::Quick { 100 << 20 } else { 1 << 30 };
    let mut rows = vec![row!["log", "what", "CPU s", "MB/s a core", "lines a CPU second", "hits planted", "told"]];
    for millions in [1, 10] {
        let watch = clock::Watch::start();
        let set = set(millions * MILLION);
        eprintln!(
            "{millions} million indicators: {:.2} s to make and add, {:.1} bytes each",
            watch.cost().cpu.as_secs_f64(),
            set.bytes() as f64 / set.len() as f64
        );
        for (style, format, name) in FORMATS {
            let met = meet(&set, millions * MILLION, style, format, bytes);
            let limit = if style == Style::ZeekTsv { "1,000" } else { "800" };
            let what = format!("**Marsad, {millions} million indicators** (limit: at least {limit} MB/s)");
            rows.push(row![name, what, seconds(met.cost), rate(met.bytes, met.cost), lines(met.lines, met.cost), met.planted, met.told]);
        }
    }
    for (style, _, name) in FORMATS.into_iter().filter(|(style, ..)| *style != Style::ZeekTsv) {
        let mut add = |what: &str, (cost, read, count): (Duration, usize, u64)| {
            rows.push(row![name, what, seconds(cost), rate(read, cost), lines(count, cost), "-", "-"]);
        };
        add("simd-json 0.19, tape of every line (limit: at most 2.5x)", peers::tape(style, MILLION, bytes.min(256 << 20)));
        add("sonic-rs 0.5, value of every line (limit: at most 2.5x)", peers::value(style, MILLION, bytes.min(256 << 20)));
    }
    let (cost, read, count, told) = peers::typed(MILLION, bytes.min(256 << 20));
    rows.push(row!["Zeek, JSON", "serde, typed, and a hash map of 1 million", seconds(cost), rate(read, cost), lines(count, cost), "-", told]);
    let title = format!("Telemetry met by indicators: {} MB a log, made in pieces with seed {SEED}", bytes / 1_000_000);
    table::print(&title, &rows);
    searches::run(size);
}

/// The set of the first so many indicators.
fn set(count: u64) -> Arc<Set> {
    let mut builder = Builder::new([7; 32]);
    for number in 0..count {
        builder.add(&indicators::indicator(number), number).expect("an indicator that may be claimed");
    }
    Arc::new(builder.build())
}

struct Met {
    cost: Duration,
    bytes: usize,
    lines: u64,
    planted: usize,
    told: usize,
}

/// Reads a log while it is made; only the reading is measured. What is told must be what was planted.
fn meet(set: &Arc<Set>, indicators: u64, style: Style, format: Format, bytes: usize) -> Met {
    let mut log = Generator::new(style, indicators, SEED);
    let (mut watcher, mut scan) = (Watcher::new(Arc::clone(set)), Scan::new(format));
    let mut told: HashSet<(u64, u64, String)> = HashSet::new();
    let (mut cost, mut read, mut piece) = (Duration::ZERO, 0, Vec::with_capacity(PIECE + 4096));
    while read < bytes {
        piece.clear();
        log.fill(&mut piece, PIECE);
        read += piece.len();
        let mut sink = |hit: &Hit<'_>| {
            assert!(told.insert((hit.line, hit.name, hit.field.to_owned())), "told twice: {hit:?}");
        };
        let watch = clock::Watch::start();
        // Blocks of the size in which files are read, whatever line they end in.
        for block in piece.chunks(256 << 10) {
            watcher.block(&mut scan, block, &mut sink);
        }
        cost += watch.cost().cpu;
    }
    assert_eq!(scan.report().broken, 0, "{:?}", scan.report());
    for (line, name, field) in &log.truth {
        let hit = (*line, *name, (*field).to_owned());
        assert!(told.contains(&hit), "missed in {style:?}: {hit:?} {:?}", indicators::indicator(*name));
    }
    let planted: HashSet<(u64, u64, &str)> = log.truth.iter().copied().collect();
    for (line, name, field) in &told {
        assert!(planted.contains(&(*line, *name, field.as_str())), "false in {style:?}: line {line}, {field}");
    }
    Met { cost, bytes: read, lines: scan.report().lines, planted: log.truth.len(), told: told.len() }
}

fn seconds(cost: Duration) -> String {
    format!("{:.2}", cost.as_secs_f64())
}

fn rate(bytes: usize, cost: Duration) -> String {
    format!("{:.0}", bytes as f64 / 1e6 / cost.as_secs_f64())
}

fn lines(count: u64, cost: Duration) -> String {
    format!("{:.0}", count as f64 / cost.as_secs_f64())
}
