//! Indicators written for other sensors: a million claims in each format, beside a plain `write!` of as many bytes.

use crate::corpus::{Random, Size};
use crate::{clock, row, table};
use observable::Kind;
use rules::{About, Format, Item, Options, Sink, Writer};
use std::io::{self, Write as _};

/// Counts what it is given.
#[derive(Default)]
struct Counted {
    bytes: u64,
}

impl Sink for Counted {
    fn put(&mut self, _: &'static str, bytes: &[u8]) -> io::Result<()> {
        self.bytes += std::hint::black_box(bytes).len() as u64;
        Ok(())
    }
}

/// A claim and the id of its indicator.
struct Claim {
    id: String,
    kind: Kind,
    value: String,
    subdomains: bool,
}

/// Domains, addresses, URLs and digests in turn; the same for the same seed.
fn claims(count: usize) -> Vec<Claim> {
    let mut random = Random(7);
    let claim = |number: usize| {
        let (a, b) = (random.next(), random.next());
        let (kind, value) = match number % 5 {
            0 | 1 => (Kind::Domain, format!("h{:x}.example{}.com", a >> 16, b % 1_000)),
            2 => (Kind::Ipv4, std::net::Ipv4Addr::from((a as u32) | 1 << 30).to_string()),
            3 => (Kind::Url, format!("http://h{:x}.example.com/{b:x}?q={a:x}", a >> 32)),
            _ => (Kind::Sha256, format!("{a:016x}{b:016x}{a:016x}{b:016x}")),
        };
        let id = format!("indicator--{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b & 0xfff, b >> 16);
        Claim { id, kind, value, subdomains: number % 5 == 1 }
    };
    (0..count).map(claim).collect()
}

pub fn run(size: Size) {
    let count = if size == Size::Quick { 50_000 } else { 1_000_000 };
    let times = if size == Size::Quick { 1 } else { 3 };
    let claims = claims(count);
    let options = Options { numbers: 1_000_000..=u32::MAX, ..Options::default() };
    let mut rows = vec![row!["format", "entries", "MB", "entries/s", "MB/s", "MB/s of a plain `write!`"]];
    for format in Format::ALL.into_iter().filter(|format| !format.holds_objects()) {
        let (mut entries, mut bytes) = (0, 0);
        let cost = clock::median(times, || {
            let mut sink = Counted::default();
            entries = write(format, &claims, &options, &mut sink);
            bytes = sink.bytes;
        });
        // The same count of bytes in as many lines, with nothing looked at.
        let line = "x".repeat((bytes / entries.max(1)) as usize);
        let plain = clock::median(times, || {
            let mut out = io::BufWriter::with_capacity(1 << 16, io::sink());
            for claim in claims.iter().take(entries as usize) {
                writeln!(out, "{} {}", std::hint::black_box(&claim.id), std::hint::black_box(&line)).expect("a sink");
            }
        });
        let plain_bytes = entries as f64 * (line.len() + 49) as f64;
        rows.push(row![
            format.name(),
            entries,
            format!("{:.1}", bytes as f64 / 1e6),
            format!("{:.0}", count as f64 / cost.cpu.as_secs_f64()),
            format!("{:.0}", bytes as f64 / 1e6 / cost.cpu.as_secs_f64()),
            format!("{:.0}", plain_bytes / 1e6 / plain.cpu.as_secs_f64().max(1e-9)),
        ]);
    }
    table::print(&format!("Rules: {count} claims to each format, one thread"), &rows);
}

/// Writes all claims; how many became entries.
fn write(format: Format, claims: &[Claim], options: &Options, sink: &mut Counted) -> u64 {
    let mut writer = Writer::new(format, options, sink).expect("a sink");
    for claim in claims {
        let about = About {
            id: &claim.id,
            name: "Beacon of a family",
            source: "CERT North",
            tlp: "TLP:GREEN",
            confidence: Some(80),
            created: 1_772_355_600_000_000,
            modified: 1_772_355_600_000_000,
            valid_from: 1_772_355_600_000_000,
            ..About::default()
        };
        let (kind, value, subdomains) = (claim.kind, claim.value.as_str(), claim.subdomains);
        writer.item(&Item { about: &about, kind, value, itself: true, subdomains }).expect("a sink");
    }
    writer.finish().expect("a sink").written()
}
