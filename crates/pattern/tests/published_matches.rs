//! The verdicts of the published matcher's own tests, where they lie beside the project.

#![expect(clippy::unwrap_used, reason = "test data that does not read fails the test")]

mod support;

use std::io::Read;
use std::path::Path;

use pattern::{Matcher, Observed, Version, parse_version};
use serde_json::Value;

/// Cases that we decide otherwise, and why.
const DECIDED: [(&str, &str, &str); 0] = [];

fn verdict(pattern: &str, version: Version, observed: &Value) -> Result<bool, String> {
    let pattern = parse_version(pattern, version).map_err(|error| error.to_string())?;
    let matcher = Matcher::new(&pattern).map_err(|error| error.to_string())?;
    let observed = Observed::read(observed.as_array().unwrap(), support::view).map_err(|error| error.to_string())?;
    let outcome = matcher.find(&observed).map_err(|error| error.to_string())?;
    match outcome.unreadable {
        Some(unreadable) => Err(unreadable.to_string()),
        None => Ok(outcome.binding.is_some()),
    }
}

#[test]
fn each_published_match_is_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix-cases/matcher_cases.jsonl.gz");
    let packed = match std::fs::read(&path) {
        Ok(packed) => packed,
        Err(error) => {
            println!("skipped: no matcher cases beside the project ({error})");
            return;
        }
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let pattern = case["pattern"].as_str().unwrap();
        let version = if case["stix_version"] == "2.0" { Version::V20 } else { Version::V21 };
        let decided = DECIDED.iter().find(|(known, ..)| *known == pattern).map(|(_, verdict, _)| *verdict);
        let expected = decided.unwrap_or(case["expect"].as_str().unwrap());
        let got = verdict(pattern, version, &case["observed"]);
        let word = match got {
            Ok(true) => "match",
            Ok(false) => "no-match",
            Err(_) => "error",
        };
        cases += 1;
        if word != expected {
            wrong.push(format!("{} {pattern}\n  expected {expected}, got {word} {got:?}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 613);
}
