//! The functions that every object or request goes through, one by one.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use policy::{Class, ClassNo, Classes, Gate, Meaning, Relation, Rules, Viewer};
use std::sync::Arc;

fn main() {
    divan::main();
}

const INDICATOR: &str = r#"{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Beacon of a.example","description":"Name to which the second stage of a loader reports every few minutes, seen in proxy logs of three organisations.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'a.example']","pattern_type":"stix","pattern_version":"2.1","valid_from":"2026-03-01T09:00:00Z","labels":["campaign-17"],"confidence":70}"#;
const INDICATOR_20: &str = r#"{"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","labels":["malicious-activity"],"name":"Beacon of a.example","pattern":"[domain-name:value = 'a.example']","valid_from":"2026-03-01T09:00:00Z"}"#;
const PATTERN: &str = "([file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f' AND file:size >= 4096] FOLLOWEDBY [network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24' OR domain-name:value LIKE '%.example']) WITHIN 300 SECONDS";

#[divan::bench]
fn parse_to_tape(bencher: Bencher) {
    let mut tape = stix::json::Tape::new();
    let limits = stix::json::Limits::default();
    bencher.counter(BytesCount::of_str(INDICATOR)).bench_local(|| tape.parse(black_box(INDICATOR.as_bytes()), &limits).is_ok());
}

#[divan::bench]
fn parse_to_serde_value(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(INDICATOR))
        .bench_local(|| serde_json::from_str::<serde_json::Value>(black_box(INDICATOR)).is_ok());
}

#[divan::bench]
fn validate_indicator(bencher: Bencher) {
    let mut validator = stix::validate::Validator::new(stix::validate::Options::default());
    bencher.counter(BytesCount::of_str(INDICATOR)).bench_local(|| validator.object(black_box(INDICATOR.as_bytes())).errors());
}

#[divan::bench]
fn upgrade_indicator(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(INDICATOR_20))
        .bench_local(|| stix::upgrade::object(black_box(INDICATOR_20.as_bytes())).is_ok());
}

#[divan::bench]
fn canonical_json(bencher: Bencher) {
    let mut tape = stix::json::Tape::new();
    let limits = stix::json::Limits::default();
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_str(INDICATOR)).bench_local(|| {
        out.clear();
        let value = tape.parse(black_box(INDICATOR.as_bytes()), &limits).expect("JSON");
        stix::canonical::write(value, &mut out);
        out.len()
    });
}

#[divan::bench]
fn check_pattern(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(PATTERN)).bench_local(|| pattern::check(black_box(PATTERN)).len());
}

#[divan::bench]
fn parse_query() -> bool {
    let query = "added_after=2026-03-01T09:00:00.000001Z&limit=1000&match[type]=indicator,malware&match[version]=last";
    taxii::query::parse(black_box(query), taxii::query::Endpoint::Objects).is_ok()
}

#[divan::bench]
fn cursor_there_and_back(bencher: Bencher) {
    let signer = taxii::cursor::Signer::new([7; 32]);
    bencher.bench_local(|| {
        let cursor = signer.sign(black_box(1_772_355_600_000_000), "objects 1", "type=indicator");
        signer.open(&cursor, "objects 1", "type=indicator").is_ok()
    });
}

fn partner() -> Viewer {
    Viewer { name: Some("south".into()), organisation: Some("South".into()), relation: Relation::Community }
}

fn green() -> Class {
    let green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb".to_owned();
    Class { markings: vec![green], owner: "North".into(), ..Class::default() }
}

#[divan::bench]
fn decide(bencher: Bencher) {
    let (viewer, class, rules) = (partner(), green(), Rules::default());
    bencher.bench_local(|| policy::decide(black_box(&viewer), black_box(&class), 0, &rules, &|_: &str| Meaning::Unknown));
}

/// One class, whatever the number.
struct One(Arc<[u8]>);

impl Classes for One {
    fn definition(&self, _: ClassNo) -> Option<Arc<[u8]>> {
        Some(Arc::clone(&self.0))
    }
}

#[divan::bench]
fn view_by_class_1000(bencher: Bencher) {
    let (classes, facts) = (One(green().to_definition().into()), |_: &str| Meaning::Unknown);
    let gate = Gate::new(partner(), 0, Rules::default(), &classes, &facts);
    bencher.counter(ItemsCount::new(1_000_u32)).bench_local(|| {
        (0..1_000).filter(|class| gate.view(black_box(class % 7)) == policy::View::Whole).count()
    });
}

const MARKED: &str = r#"{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Beacon of a.example","description":"Name to which the second stage of a loader reports every few minutes, seen in proxy logs of three organisations.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'a.example']","pattern_type":"stix","pattern_version":"2.1","valid_from":"2026-03-01T09:00:00Z","labels":["campaign-17"],"confidence":70,"granular_markings":[{"marking_ref":"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421","selectors":["description","labels.[0]"]}]}"#;

struct TakesMarked;

impl stix::redact::Rules for TakesMarked {
    fn marking_withheld(&self, _: &str) -> bool {
        true
    }

    fn reference(&self, _: &str) -> stix::redact::Fate {
        stix::redact::Fate::Stays
    }

    fn personal(&self, _: stix::personal::Kind) -> stix::personal::Treatment {
        stix::personal::Treatment::Give
    }
}

#[divan::bench]
fn redact_indicator(bencher: Bencher) {
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_str(MARKED)).bench_local(|| {
        out.clear();
        stix::redact::redact(black_box(MARKED.as_bytes()), &TakesMarked, &mut out)
    });
}

#[divan::bench]
fn personal_kinds(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(INDICATOR)).bench_local(|| stix::personal::kinds_of(black_box(INDICATOR.as_bytes())));
}
