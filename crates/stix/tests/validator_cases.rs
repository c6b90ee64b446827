//! The verdicts of the OASIS validator's own suite, case by case, at four levels: the hard verdict, the strict verdict, the numbers of the
//! checks, and the verdict under the options that the suite used. Where we differ the table beside this file says by which clause.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;
use stix::schema::Version;
use stix::validate::{Code, Options, Validator};

/// Where we differ: case, level, clause, reason. One line each, by tabs.
const DIFFERENCES: &str = include_str!("validator/differences.tsv");

fn cases() -> Option<Vec<Value>> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix-cases/validator_cases.jsonl.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: the recorded cases are not beside the project");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("one JSON value a line")).collect())
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

fn numbers(value: &Value) -> BTreeSet<u16> {
    ["warning_codes", "error_codes"]
        .iter()
        .flat_map(|name| words(&value[name]))
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn version(name: &Value) -> Version {
    if name == "2.0" { Version::V20 } else { Version::V21 }
}

/// The options of the suite's own run; `None` where it brought schemas of its own.
fn suite_options(case: &Value) -> Option<Options> {
    let suite = &case["suite_options"];
    if !suite["schema_dir"].is_null() {
        return None;
    }
    let mut options = Options::default();
    options.version = Some(version(if suite["version"].is_null() { &case["version"] } else { &suite["version"] }));
    options.strict = suite["strict"] == true;
    options.strict_types = suite["strict_types"] == true;
    options.strict_properties = suite["strict_properties"] == true;
    options.enforce_refs = suite["enforce_refs"] == true;
    options.interop = suite["interop"] == true;
    options.disabled = words(&suite["disabled"]);
    options.enabled = words(&suite["enabled"]);
    Some(options)
}

/// The levels at which a case comes out otherwise.
fn differs(case: &Value) -> Vec<(&'static str, String)> {
    let text = match &case["input"] {
        Value::String(text) if case["input_is_text"] == true => text.clone(),
        input => input.to_string(),
    };
    let mut options = Options::default();
    options.version = Some(version(&case["version"]));
    let mut validator = Validator::new(options.clone());
    let report = validator.document(text.as_bytes());
    let mut levels = Vec::new();
    if report.valid() != case["default"]["valid"] {
        levels.push(("hard", format!("{:?}", report.findings().map(|found| found.message).collect::<Vec<_>>())));
    }
    let ours: BTreeSet<u16> = report.codes().filter_map(Code::number).collect();
    let theirs = numbers(&case["default"]);
    if ours != theirs {
        levels.push(("numbers", format!("ours {ours:?}, theirs {theirs:?}")));
    }
    options.strict = true;
    if Validator::new(options).document(text.as_bytes()).valid() != case["strict"]["valid"] {
        levels.push(("strict", case["strict"]["errors"].to_string()));
    }
    if let Some(options) = suite_options(case) {
        let mut validator = Validator::new(options);
        let report = validator.document(text.as_bytes());
        if report.valid() != case["suite_valid"] {
            levels.push(("suite", format!("{:?}, {}", report.codes().collect::<Vec<_>>(), case["suite_options"])));
        }
    }
    levels
}

#[test]
fn the_suite_of_the_reference_validator_but_for_the_listed_differences() {
    let Some(cases) = cases() else { return };
    let mut listed = BTreeSet::new();
    for line in DIFFERENCES.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, level, clause, why] = fields[..] else { panic!("four fields: {line}") };
        assert!(clause.starts_with("STIX 2.") && clause.contains('§') && why.len() > 10, "{line}");
        assert!(listed.insert((id.to_owned(), level.to_owned())), "twice: {line}");
    }
    let (mut unlisted, mut tally) = (Vec::new(), [0_usize; 2]);
    for case in &cases {
        let id = case["id"].as_str().expect("an id");
        for (level, detail) in differs(case) {
            tally[usize::from(case["version"] == "2.0")] += usize::from(level == "hard");
            if !listed.remove(&(id.to_owned(), level.to_owned())) {
                unlisted.push(format!("{id}\t{level}\t{}: {detail}", case["test"]));
            }
        }
    }
    println!("{} cases; hard verdicts that differ: {} of 2.1, {} of 2.0", cases.len(), tally[0], tally[1]);
    assert!(unlisted.is_empty(), "not listed:\n{}", unlisted.join("\n"));
    assert!(listed.is_empty(), "listed, and not there any more: {listed:?}");
}
