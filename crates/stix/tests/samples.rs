//! Other people's samples: what the `stix2` library parses or refuses, and published examples, good and bad on purpose.
//! Tables beside this file list what we refuse and by which rule; whatever they do not list must be valid.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod corpus;

use std::collections::BTreeMap;
use std::io::Read;

use corpus::{files, members, shared};
use serde_json::Value;
use stix::schema::Version;
use stix::validate::{Options, Severity, Validator};

/// Name and rule of each line of a table.
fn table(text: &'static str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once('\t').expect("two fields"))
        .map(|(name, rule)| (name.to_owned(), rule.to_owned()))
        .collect()
}

/// The names of the rules that make a document invalid, in order, without repeats.
fn broken(text: &[u8], version: Option<Version>) -> Vec<&'static str> {
    let mut options = Options::default();
    options.version = version;
    let mut validator = Validator::new(options);
    let report = validator.document(text);
    let errors = report.findings().filter(|finding| finding.severity == Severity::Error);
    let mut rules: Vec<&str> = errors.map(|finding| finding.code.name()).collect();
    assert_eq!(rules.is_empty(), report.valid());
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn compare(found: &BTreeMap<String, String>, listed: &BTreeMap<String, String>) {
    let differing: Vec<String> = found
        .iter()
        .filter(|(name, rules)| listed.get(*name) != Some(rules))
        .map(|(name, rules)| format!("{name}\t{rules}"))
        .chain(listed.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("{name}: listed, and valid")))
        .collect();
    assert!(differing.is_empty(), "not as listed:\n{}", differing.join("\n"));
}

#[test]
fn what_the_library_parses() {
    let Some(path) = shared("stix-cases/parse_cases.jsonl.gz") else { return };
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("a file");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let mut found = BTreeMap::new();
    let mut accepted = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let id = case["id"].as_str().expect("an id").to_owned();
        let version = if case["version"] == "2.0" { Version::V20 } else { Version::V21 };
        let input = match &case["input"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let rules = broken(input.as_bytes(), Some(version));
        match (rules.is_empty(), case["ok"] == true) {
            (false, true) => drop(found.insert(id, rules.join(" "))),
            (true, false) => accepted.push(id),
            _ => {}
        }
    }
    compare(&found, &table(include_str!("validator/parsed_and_invalid.tsv")));
    // Custom content, which the library refuses unless it is told otherwise, and a precision below zero, which no clause forbids.
    let lenient = include_str!("validator/refused_and_valid.tsv");
    let lenient: Vec<&str> = lenient
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').next().expect("a name"))
        .collect();
    assert_eq!(accepted, lenient);
}

#[test]
fn published_examples() {
    let Some(archive) = shared("stix21-example-objects/stix21-examples.tar.zst") else { return };
    let mut found = BTreeMap::new();
    let bytes = zstd::decode_all(std::fs::File::open(archive).expect("a file")).expect("zstd");
    let mut count = 0;
    for (name, text) in members(&bytes) {
        if name.ends_with(".json") {
            count += 1;
            let rules = broken(text, None);
            if !rules.is_empty() {
                found.insert(name, rules.join(" "));
            }
        }
    }
    for folder in
        ["stix21-schemas/examples", "stix21-schemas/examples/threat-reports", "stix21-validator-samples/test_examples"]
    {
        let Some(folder) = shared(folder) else { return };
        for path in files(&folder) {
            count += 1;
            let rules = broken(&std::fs::read(&path).expect("a file"), None);
            if !rules.is_empty() {
                found.insert(path.file_name().expect("a name").to_string_lossy().into_owned(), rules.join(" "));
            }
        }
    }
    assert!(count > 300, "{count} samples");
    compare(&found, &table(include_str!("validator/invalid_samples.tsv")));
}
