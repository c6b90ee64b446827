//! Recorded exchanges of two other TAXII 2.1 servers, replayed against the real binary: statuses, media types, headers,
//! ids and order must be equal. What differs is listed with the clause that decides; an unlisted difference fails the
//! test, and so does a listed one that has gone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a recording that does not read fails the test"
)]

mod exchange;
mod medallion;
mod opentaxii;
mod server;

/// The program as a process, as the tests of its commands run it.
#[expect(dead_code, reason = "those tests use more of it")]
#[path = "../program/process.rs"]
mod process;

use exchange::{Answer, Case};
use std::collections::BTreeMap;

/// The recorded material beside the checkout; `None` (and a word why) where it is absent.
fn shared(file: &str) -> Option<std::path::PathBuf> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix-cases").join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {file} is not beside this checkout");
    None
}

/// Compares found differences with the listed ones.
fn settle(found: &BTreeMap<String, Vec<String>>, listed: &[(&str, &str)], total: usize) {
    let mut faults = Vec::new();
    for (case, differences) in found {
        if !listed.iter().any(|(id, _)| id == case) {
            faults.push(format!("{case}: {}", differences.join("; ")));
        }
    }
    for (case, why) in listed {
        if !found.contains_key(*case) {
            faults.push(format!("{case} is listed ({why}) but no longer differs: take it off the list"));
        }
    }
    println!("{} of {total} exchanges equal, {} differ as listed", total - found.len(), listed.len());
    assert!(faults.is_empty(), "{} unlisted:\n{}", faults.len(), faults.join("\n"));
}

/// What of an answer is not as it was recorded. Wording and `Date` are free; times of addition are compared where the
/// recorded server was given them, not where it made them up.
fn differences(case: &Case, answer: &Answer, own_times: bool) -> Vec<String> {
    let mut found = Vec::new();
    if answer.status != case.status {
        found.push(format!("{} {} gave {} instead of {}", case.method, case.url, answer.status, case.status));
        return found;
    }
    if case.status == 200
        && case.method == "GET"
        && answer.header("content-type") != Some("application/taxii+json;version=2.1")
    {
        found.push(format!("content type {:?}", answer.header("content-type")));
    }
    for name in ["x-taxii-date-added-first", "x-taxii-date-added-last"] {
        let (ours, theirs) = (answer.header(name), case.header(name));
        let same = if own_times {
            ours.map(exchange::to_milliseconds) == theirs.map(exchange::to_milliseconds)
        } else {
            ours.is_some() == theirs.is_some()
        };
        if !same {
            found.push(format!("{name} {ours:?} instead of {theirs:?}"));
        }
    }
    if case.status < 300 {
        found.extend(exchange::bodies_differ(case, answer, own_times));
    }
    found
}
