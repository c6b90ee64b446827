//! Patterns: checked, matched one by one beside the peers that match, and ten thousand of them over a stream.

use crate::corpus::Size;
use crate::{clock, row, table};
use pattern::{Data, Matcher, Moment, Object, Observed, Pattern};
use rstix::model::sco::ScoObject;
use std::hint::black_box;
use std::time::Duration;
use watch::general::{General, Limits};

pub fn run(size: Size) {
    check(size);
    match_one_by_one(size);
    watch_many(size);
}

/// Numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        // The high half of a multiplicative step.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0')).collect()
    }

    fn address(&mut self) -> String {
        format!("{}.{}.{}.{}", 1 + self.below(223), self.below(256), self.below(256), self.below(256))
    }

    fn domain(&mut self) -> String {
        format!("{}.example{}.test", self.hex(9), self.below(500))
    }
}

/// A pattern as feeds have them: most name one value, some several, some say how they follow each other.
fn realistic(draw: &mut Draw) -> String {
    match draw.below(20) {
        0..=4 => format!("[domain-name:value = '{}']", draw.domain()),
        5..=7 => format!("[ipv4-addr:value = '{}']", draw.address()),
        8..=10 => format!("[file:hashes.'SHA-256' = '{}']", draw.hex(64)),
        11 => format!("[file:hashes.MD5 = '{}' AND file:name = '{}.exe']", draw.hex(32), draw.hex(8)),
        12..=14 => format!("[url:value = 'http://{}/{}/{}.php?id={}']", draw.domain(), draw.hex(5), draw.hex(7), draw.below(999)),
        15 => format!("[email-message:from_ref.value = '{}@{}' AND email-message:subject LIKE '%invoice {}%']", draw.hex(6), draw.domain(), draw.below(999)),
        _ => general(draw),
    }
}

/// A pattern that is no mere look-up.
fn general(draw: &mut Draw) -> String {
    match draw.below(6) {
        0 => format!("[ipv4-addr:value ISSUBSET '{}/{}']", draw.address(), 20 + draw.below(10)),
        1 => format!("[network-traffic:dst_ref.value = '{}' AND network-traffic:dst_port = {}]", draw.address(), 1 + draw.below(65_000)),
        2 => format!("[file:name = '{}.dll' AND file:size > {}]", draw.hex(8), draw.below(900_000)),
        3 => format!("[domain-name:value = '{}'] REPEATS {} TIMES WITHIN 600 SECONDS", draw.domain(), 2 + draw.below(4)),
        4 => format!("([domain-name:value = '{}'] FOLLOWEDBY [ipv4-addr:value = '{}']) WITHIN 300 SECONDS", draw.domain(), draw.address()),
        _ => format!("[url:value = 'http://{}/' OR domain-name:value IN ('{}', '{}')]", draw.domain(), draw.domain(), draw.domain()),
    }
}

/// An object as sensors show them: its type, and the name and value of one property.
fn object(draw: &mut Draw) -> (&'static str, &'static str, String) {
    match draw.below(4) {
        0 => ("ipv4-addr", "value", draw.address()),
        1 => ("url", "value", format!("http://{}/{}", draw.domain(), draw.hex(12))),
        2 => ("file", "name", format!("{}.dll", draw.hex(8))),
        _ => ("domain-name", "value", draw.domain()),
    }
}

fn add<'o>(observed: &mut Observed<'o>, second: i64, (object_type, name, value): &'o (&'static str, &'static str, String)) {
    let properties = Data::Object(vec![((*name).into(), Data::Text(value.as_str().into()))]);
    let place = observed.add_object(Object { id: "0".into(), object_type: (*object_type).into(), properties });
    observed.add_observation("", Moment::at(second * 1_000_000), vec![place]);
}

fn rate(count: usize, time: Duration) -> String {
    match count as f64 / time.as_secs_f64() {
        few @ ..1e5 => format!("{:.1} thousand", few / 1e3),
        many => format!("{:.2} M", many / 1e6),
    }
}

/// How often what is over in a few milliseconds is done for one figure: the system counts processor time in such pieces.
const ROUNDS: u32 = 20;

fn check(size: Size) {
    let mut draw = Draw(1);
    let count = 31_000;
    let texts: Vec<String> = (0..count).map(|_| realistic(&mut draw)).collect();
    let times = if size == Size::Quick { 5 } else { 21 };
    let mut rows = vec![row!["what", "CPU ms", "patterns a CPU second"]];
    let mut add = |what: &str, cost: Duration| rows.push(row![what, format!("{:.1}", cost.as_secs_f64() * 1e3), rate(count, cost)]);
    let ours = clock::median(times, || {
        (0..ROUNDS).for_each(|_| texts.iter().for_each(|text| assert!(black_box(pattern::check(black_box(text))).is_empty())));
    });
    add("**Marsad, check** (limit: at least 2 M)", ours.cpu / ROUNDS);
    let compiled = clock::median(times.min(3), || {
        texts.iter().for_each(|text| drop(black_box(Matcher::new(&pattern::parse(text).expect("valid")))));
    });
    add("Marsad, parse and compile for matching", compiled.cpu);
    let peer = clock::median(times.min(5), || texts.iter().for_each(|text| drop(black_box(rstix::Pattern::parse(text)))));
    add("rstix 0.23, parse and check types", peer.cpu);
    table::print(&format!("Check {count} patterns (allocator: mimalloc, as in the program)"), &rows);
}

fn match_one_by_one(size: Size) {
    let mut rows = vec![row!["what", "evaluations", "CPU ms", "evaluations a CPU second"]];
    let shapes = if size == Size::Quick { [(1, 100_000), (100, 10_000)] } else { [(1, 100_000), (1_000, 10_000)] };
    for (patterns, observations) in shapes {
        let mut draw = Draw(2);
        let simple = |draw: &mut Draw| format!("[domain-name:value = '{}' AND domain-name:value != 'x']", draw.domain());
        let texts: Vec<String> = (0..patterns).map(|_| simple(&mut draw)).collect();
        let objects: Vec<_> = (0..observations).map(|_| ("domain-name", "value", draw.domain())).collect();
        let mut observed = Observed::new();
        (0_i64..).zip(&objects).for_each(|(second, object)| add(&mut observed, second, object));
        let count = patterns * observations;
        let mut add = |what: &str, count: usize, cost: Duration| {
            rows.push(row![format!("{what}, {patterns} x {observations}"), count, format!("{:.1}", cost.as_secs_f64() * 1e3), rate(count, cost)]);
        };
        let matchers: Vec<Matcher> =
            texts.iter().map(|text| Matcher::new(&pattern::parse(text).expect("valid")).expect("compiles")).collect();
        let ours = clock::median(3, || {
            for _ in 0..ROUNDS {
                matchers.iter().for_each(|matcher| assert!(!matcher.find(&observed).expect("within budget").matched()));
            }
        });
        add("**Marsad**", count, ours.cpu / ROUNDS);
        let peers: Vec<rstix::Pattern> = texts.iter().map(|text| rstix::Pattern::parse(text).expect("valid")).collect();
        let scos: Vec<ScoObject> = objects.iter().map(|(_, _, value)| sco(value)).collect();
        let peer = clock::median(1, || {
            for pattern in &peers {
                scos.iter().for_each(|sco| assert!(!pattern.matches_single(sco).expect("matches")));
            }
        });
        add("rstix 0.23 (peer: 7.7 M)", count, peer.cpu);
        if patterns == 1 {
            let some = objects.get(..2_000.min(objects.len())).unwrap_or_default();
            match reference(&texts, some) {
                Some(cost) => add("stix2-matcher 3.0 (peer: 18 thousand)", some.len(), cost),
                None => eprintln!("stix2-matcher is not installed (STIX2_PYTHON names a Python that has it): its row is left out"),
            }
        }
    }
    table::print("Match patterns one by one", &rows);
}

fn sco(name: &str) -> ScoObject {
    let text = format!(
        r#"{{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-5000-8000-000000000001","value":"{name}"}}"#
    );
    ScoObject::DomainName(serde_json::from_str(&text).expect("a domain name"))
}

/// The reference matcher, which parses the pattern anew for each call: one call over all observations.
fn reference(texts: &[String], objects: &[(&'static str, &'static str, String)]) -> Option<Duration> {
    const SCRIPT: &str = "import json,sys,time\nfrom stix2matcher.matcher import match\no=json.load(sys.stdin)\n\
        b=time.process_time()\nmatch(sys.argv[1],o,stix_version='2.0')\nprint(time.process_time()-b)";
    let python = std::env::var("STIX2_PYTHON").unwrap_or_else(|_| "python3".into());
    let documents: Vec<serde_json::Value> = objects
        .iter()
        .map(|(object_type, name, value)| {
            serde_json::json!({"type": "observed-data", "number_observed": 1, "first_observed": "2026-01-01T00:00:00Z",
                "last_observed": "2026-01-01T00:00:00Z", "objects": {"0": {"type": object_type, (*name): value}}})
        })
        .collect();
    let mut child = std::process::Command::new(python)
        .args(["-c", SCRIPT, texts.first()?])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .ok()?;
    serde_json::to_writer(child.stdin.take()?, &documents).ok()?;
    let out = child.wait_with_output().ok()?;
    let seconds: f64 = String::from_utf8_lossy(&out.stdout).trim().parse().ok()?;
    Some(Duration::from_secs_f64(seconds))
}

fn watch_many(size: Size) {
    let events = if size == Size::Quick { 100_000 } else { 1_000_000 };
    let mut draw = Draw(3);
    let objects: Vec<_> = (0..events).map(|_| object(&mut draw)).collect();
    let mut rows = vec![row![
        "general patterns", "build CPU ms", "tested for every value", "observations", "CPU ms", "observations a CPU second",
        "evaluations' worth a CPU second"
    ]];
    for count in [100, 1_000, 10_000] {
        let mut draw = Draw(4);
        let mut patterns: Vec<Pattern> =
            (0..count - 1).map(|_| pattern::parse(&general(&mut draw)).expect("valid")).collect();
        // One that is met, so that a run in which nothing works is seen.
        let planted = &objects.iter().find(|(object_type, ..)| *object_type == "url").expect("some are URLs").2;
        patterns.push(pattern::parse(&format!("[url:value = '{planted}' AND url:value LIKE 'http%']")).expect("valid"));
        let watch = clock::Watch::start();
        let (mut general, refused) = General::new((0_u64..).zip(&patterns), Limits::default());
        let build = watch.cost();
        assert!(refused.is_empty());
        let mut planted = false;
        let watch = clock::Watch::start();
        let mut observed = Observed::new();
        for (token, object) in (0_u64..).zip(&objects) {
            observed.clear();
            add(&mut observed, token as i64, object);
            general.observe(token % 1_000, token, &observed, &mut |found| planted |= found.name == count as u64 - 1);
        }
        let cost = watch.cost();
        assert!(planted, "the planted pattern is found");
        let report = general.report();
        assert_eq!(report.exhausted, 0);
        let worth = events as f64 * count as f64 / cost.cpu.as_secs_f64() / 1e6;
        rows.push(row![
            count,
            format!("{:.1}", build.cpu.as_secs_f64() * 1e3),
            report.unindexed,
            events,
            format!("{:.1}", cost.cpu.as_secs_f64() * 1e3),
            rate(events, cost.cpu),
            format!("{worth:.0} M{}", if count == 10_000 { " (limit: at least 100 M)" } else { "" })
        ]);
    }
    table::print("General patterns over a stream", &rows);
}
