//! The verdicts of public test suites, where their data lies beside the project; otherwise these tests say so and pass.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test data that does not read fails the test")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use pattern::{Matcher, Version, atoms, check_version, explain, normal, parse, parse_version, warnings};

/// Patterns on which public suites disagree, and what the standard says.
const DISPUTED: [(&str, bool, &str); 6] = [
    // §9.5.1: an expression takes one qualifier of a kind.
    ("[person:age < 20] REPEATS 2 TIMES REPEATS 2 TIMES", false, "STIX 2.1 §9.5.1"),
    ("[person:age < 20] REPEATS 2 TIMES REPEATS 3 TIMES", false, "STIX 2.1 §9.5.1"),
    // §9.6 and the grammar let AND join any types; §9.5 makes them unable to match one object. Valid, and never true.
    ("[a:b=1 AND b:c=1]", true, "STIX 2.1 §9.6"),
    ("[a:b=1 AND (b:c=1 OR c:d=1)]", true, "STIX 2.1 §9.6"),
    ("[(a:b=1 OR b:c=1) AND (c:d=1 OR d:e=1)]", true, "STIX 2.1 §9.6"),
    ("[(a:b=1 AND b:c=1) OR (b:c=1 AND c:d=1)]", true, "STIX 2.1 §9.6"),
];

fn published(relative: &str) -> Option<Vec<u8>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(relative);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            println!("skipped: no {relative} beside the project ({error})");
            None
        }
    }
}

fn cases(name: &str) -> Vec<(String, Version)> {
    let Some(packed) = published(&format!("stix-cases/{name}.jsonl.gz")) else { return Vec::new() };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let case = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let version = if value["stix_version"] == "2.0" { Version::V20 } else { Version::V21 };
        (value["pattern"].as_str().unwrap().to_owned(), version)
    };
    text.lines().map(case).collect()
}

fn disputed() -> BTreeMap<&'static str, bool> {
    DISPUTED.iter().map(|(text, valid, _)| (*text, *valid)).collect()
}

fn holds(cases: &[(String, Version)], valid: bool) {
    let disputed = disputed();
    let mut wrong = Vec::new();
    for (text, version) in cases {
        let expected = match version {
            Version::V21 => disputed.get(text.as_str()).copied().unwrap_or(valid),
            Version::V20 => valid,
        };
        let errors = check_version(text, *version);
        if errors.is_empty() != expected {
            wrong.push(format!("{version:?} {text}\n  expected valid = {expected}; {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn valid_patterns_pass() {
    holds(&cases("patterns_valid"), true);
}

#[test]
fn invalid_patterns_fail() {
    holds(&cases("patterns_invalid"), false);
}

#[test]
fn each_disputed_pattern_is_decided() {
    for (text, valid, clause) in DISPUTED {
        assert_eq!(check_version(text, Version::V21).is_empty(), valid, "{text} ({clause})");
    }
    for (text, _) in cases("patterns_disputed") {
        assert!(disputed().contains_key(text.as_str()), "not decided: {text}");
    }
}

#[test]
fn examples_of_the_standard_pass_and_print_to_themselves() {
    let Some(bytes) = published("stix21-pattern-examples/spec_examples.txt") else { return };
    let text = String::from_utf8(bytes).unwrap();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        assert_eq!(check_version(line, Version::V21), [], "{line}");
        // One of them has no blank behind MATCHES.
        assert_eq!(parse(line).unwrap().to_string(), line.replace("MATCHES'", "MATCHES '"));
    }
}

#[test]
fn every_valid_pattern_survives_printing() {
    for (text, version) in cases("patterns_valid") {
        let pattern = parse_version(&text, version).unwrap();
        let printed = pattern.to_string();
        assert_eq!(parse(&printed).unwrap(), pattern, "{text}\n{printed}");
        assert_eq!(parse(&printed).unwrap().to_string(), printed);
    }
}

#[test]
fn every_valid_pattern_can_be_judged_and_brought_to_a_normal_form() {
    for (text, version) in cases("patterns_valid") {
        let pattern = parse_version(&text, version).unwrap();
        let form = normal(&pattern);
        let printed = form.to_string();
        assert_eq!(parse(&printed).unwrap(), form, "{text}\n{printed}");
        assert_eq!(normal(&form), form, "{text}\n{printed}");
        assert!(!explain(&pattern).is_empty(), "{text}");
        for warning in warnings(&pattern) {
            assert!(text.get(warning.span.clone()).is_some_and(|part| !part.is_empty()), "{text}: {warning:?}");
        }
        match Matcher::new(&pattern) {
            Ok(matcher) => assert_eq!(matcher.leaves(), atoms(&pattern).len(), "{text}"),
            Err(error) => assert!(warnings(&pattern).contains(&error), "{text}: {error}"),
        }
    }
}
