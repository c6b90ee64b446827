//! The compiled set of indicators: what it costs to build and to ask, beside hash maps of the same values as text.

use crate::clock::{Cost, Watch, processor};
use crate::corpus::Size;
use crate::{row, table};
use observable::{Kind, canonical};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};
use watch::{Builder, Key, Set};

/// Look-ups that are measured together.
const PROBES: usize = 1 << 20;
/// Keys that are asked for at once.
const BATCH: usize = 256;

const NOTE: &str = "Half of the indicators are domains, the rest SHA-256, IPv4, URLs and, one in a thousand, networks. The list is a \
CSV file in the cache of the system. Processor time is that of all threads. A look-up begins with a name in its canonical form and \
ends with the number of the indicator; those that hit go through the values in random order.";

pub fn run(size: Size) {
    let count: u64 = if size == Size::Quick { 500_000 } else { 10_000_000 };
    let path = std::env::temp_dir().join(format!("marsad-indicators-{}.csv", std::process::id()));
    let bytes = write_list(&path, count);
    let set = build(&path, count, bytes);
    probes(&set, count);
    forms();
    std::fs::remove_file(&path).unwrap();
    drop(set);
    maps(count);
    println!("\n{NOTE}");
}

/// A number that looks random.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (number ^ (number >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (number >> 7)
}

fn domain(number: u64) -> String {
    let mixed = mixed(number);
    format!("{:x}-{number}.{}.com", mixed & 0xf_ffff, ["portal", "update-service", "cdn", "mail"][(mixed >> 60) as usize & 3])
}

fn write_list(path: &std::path::Path, count: u64) -> u64 {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"type,value,id\n").unwrap();
    for number in 0..count {
        let mixed = mixed(number);
        match number % 20 {
            0..10 => writeln!(file, "domain,{},i{number}", domain(number)),
            10..14 => writeln!(file, "sha256,{mixed:016x}{number:016x}{:016x}{:016x},i{number}", !mixed, mixed ^ number),
            14..17 if number % 1000 == 14 => writeln!(file, "cidr,{}.{}.{}.0/24,i{number}", 11 + mixed % 200, mixed >> 8 & 255, mixed >> 16 & 255),
            14..17 => writeln!(file, "ipv4,{}.{}.{}.{},i{number}", 11 + mixed % 200, mixed >> 8 & 255, mixed >> 16 & 255, mixed >> 24 & 255),
            _ => writeln!(file, "url,http://{}/gate/{number}.php?id={},i{number}", domain(number), mixed & 0xffff),
        }
        .unwrap();
    }
    file.flush().unwrap();
    std::fs::metadata(path).unwrap().len()
}

/// The most memory that was held since `reset_peak`, in bytes; from the system.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) << 10
}

fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

fn build(path: &std::path::Path, count: u64, bytes: u64) -> Set {
    reset_peak();
    let before = peak();
    let (start, cpu) = (Instant::now(), processor("self"));
    let mut builder = Builder::new([9; 32]);
    let loaded = watch::list::read(File::open(path).unwrap(), &mut builder).unwrap();
    let (read, read_cpu) = (start.elapsed(), processor("self") - cpu);
    let set = builder.build();
    let (all, all_cpu) = (start.elapsed(), processor("self") - cpu);
    assert_eq!((loaded.report.taken, loaded.report.refused), (count, 0), "{:?}", loaded.report.first);
    let held = peak().saturating_sub(before);
    table::print(
        "Indicators: from a list to a set",
        &[
            row!["indicators", "list MB", "read s", "read CPU s", "with the build s (limit at 10 million: 5)", "all CPU s", "bytes each (limit: 20)", "at the peak, bytes each"],
            row![
                count, bytes >> 20, seconds(read), seconds(read_cpu), seconds(all), seconds(all_cpu),
                format!("{:.1}", set.bytes() as f64 / set.len() as f64), format!("{:.1}", held as f64 / count as f64)
            ],
        ],
    );
    set
}

/// Names in random order: those that are in the list, or others like them.
fn names(count: u64, others: bool) -> Vec<String> {
    let place = |probe: u64| mixed(probe ^ 0x5bd1) % (count / 20) * 20 + probe % 10;
    (0..PROBES as u64).map(|probe| domain(place(probe) + if others { count } else { 0 })).collect()
}

fn nanos(cost: Cost) -> String {
    format!("{:.1}", cost.cpu.as_secs_f64() * 1e9 / PROBES as f64)
}

/// The quickest of three: neighbours only ever add.
fn best(mut work: impl FnMut()) -> String {
    let costs = (0..3).map(|_| {
        let watch = Watch::start();
        work();
        watch.cost()
    });
    nanos(costs.min_by_key(|cost| cost.cpu).unwrap())
}

fn probes(set: &Set, count: u64) {
    let mut rows = vec![row!["look-ups", "canonical form ns", "key ns", "key and filter, one by one ns", "in batches ns", "to the number, in batches ns", "let through %"]];
    for (title, others) in [("hits", false), ("misses", true)] {
        let names = names(count, others);
        let mut scratch = Vec::new();
        let form = best(|| {
            for name in &names {
                black_box(canonical::domain(black_box(name.as_bytes()), &mut scratch));
            }
        });
        let key = best(|| {
            for name in &names {
                black_box(set.key(Kind::Domain, black_box(name.as_bytes())));
            }
        });
        let single = best(|| {
            for name in &names {
                // What comes next waits for the answer.
                if set.may_hold(set.key(Kind::Domain, name.as_bytes())) {
                    black_box(name);
                }
            }
        });
        let mut keys: Vec<Key> = Vec::with_capacity(BATCH);
        let (mut places, mut through) = (Vec::new(), 0_usize);
        let batch = best(|| {
            through = 0;
            for names in names.chunks(BATCH) {
                keys.clear();
                keys.extend(names.iter().map(|name| set.key(Kind::Domain, name.as_bytes())));
                set.sift(&keys, &mut places);
                through += places.len();
            }
        });
        let (mut found, mut hits) = (Vec::new(), 0);
        let whole = best(|| {
            hits = 0;
            for names in names.chunks(BATCH) {
                keys.clear();
                keys.extend(names.iter().map(|name| set.key(Kind::Domain, name.as_bytes())));
                set.sift(&keys, &mut places);
                for place in &places {
                    found.clear();
                    set.find(keys[*place as usize], &mut found);
                    hits += found.len();
                }
            }
        });
        assert_eq!(hits, if others { 0 } else { PROBES });
        rows.push(row![title, form, key, single, batch, whole, format!("{:.2}", through as f64 * 100.0 / PROBES as f64)]);
    }
    let mut found = Vec::new();
    let addresses: Vec<std::net::IpAddr> =
        (0..PROBES as u64).map(|probe| std::net::Ipv4Addr::from_bits(mixed(probe) as u32).into()).collect();
    let networks = best(|| {
        found.clear();
        addresses.iter().for_each(|address| set.address(*address, &mut found));
    });
    table::print("Indicators: a name in the set", &rows);
    println!("\nThe networks around an address: {networks} ns.");
}

/// Canonical forms of values as logs have them.
fn forms() {
    let mut rows = vec![row!["kind", "value", "ns"]];
    let mut scratch = Vec::new();
    for (kind, value) in [
        (Kind::Domain, "www.update-service.example.com"),
        (Kind::Domain, "WWW.Update-Service.Example.com."),
        (Kind::Domain, "www.bücher.example.com"),
        (Kind::Ipv4, "203.0.113.77"),
        (Kind::Ipv6, "2001:db8::5054:ff:fe12:3456"),
        (Kind::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Kind::Url, "http://cdn.example.com/gate/1234.php?id=77"),
        (Kind::Url, "HTTP://cdn.example.com:80/gate/../x.php?id=%7e"),
        (Kind::Email, "eve@mail.example.com"),
    ] {
        let cost = best(|| {
            for _ in 0..PROBES {
                black_box(canonical::of(kind, black_box(value.as_bytes()), &mut scratch));
            }
        });
        rows.push(row![kind, format!("`{value}`"), cost]);
    }
    table::print("Indicators: canonical forms", &rows);
}

/// The domains as text in hash maps, as a plain program has them.
fn maps(count: u64) {
    let mut rows = vec![row!["map of text", "values", "build s", "bytes each", "hit ns", "miss ns"]];
    let (hits, misses) = (names(count, false), names(count, true));
    let mut measure = |title: &str, build: &mut dyn FnMut() -> Box<dyn Fn(&str) -> bool>| {
        reset_peak();
        let (before, watch) = (peak(), Watch::start());
        let holds = build();
        let (cost, held) = (watch.cost(), peak().saturating_sub(before));
        let ask = |names: &[String]| best(|| {
            for name in names {
                black_box(holds(name));
            }
        });
        assert!(hits.iter().all(|name| holds(name)) && !misses.iter().any(|name| holds(name)));
        rows.push(row![title, count / 2, seconds(cost.cpu), held * 2 / count, ask(&hits), ask(&misses)]);
    };
    let domains = move || (0..count).filter(|number| number % 20 < 10).map(|number| (domain(number).into_boxed_str(), number));
    measure("std (SipHash)", &mut || {
        let map: std::collections::HashMap<Box<str>, u64> = domains().collect();
        Box::new(move |name| map.contains_key(name))
    });
    measure("hashbrown (foldhash)", &mut || {
        let map: hashbrown::HashMap<Box<str>, u64> = domains().collect();
        Box::new(move |name| map.contains_key(name))
    });
    table::print("Indicators: the same names in hash maps", &rows);
}
