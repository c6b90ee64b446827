//! The standard clause by clause: for each rule what keeps it and what breaks it, side by side.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, helpers included"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use stix::validate::{Options, Severity, Validator};

const BASES: &str = include_str!("validator/bases.jsonl");
const CLAUSES: &str = include_str!("validator/clauses.tsv");

fn bases() -> BTreeMap<String, Value> {
    let objects = BASES.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    objects.map(|object| (object["type"].as_str().expect("a type").to_owned(), object)).collect()
}

/// The names of the rules that a document breaks, sorted, without repeats.
fn broken(document: &str) -> Vec<&'static str> {
    let mut validator = Validator::new(Options::default());
    let report = validator.document(document.as_bytes());
    let mut names: Vec<&str> = report.codes().map(|code| code.name()).collect();
    for finding in report.findings() {
        assert!(finding.path.starts_with('$') && finding.clause.starts_with("STIX 2.1 "), "{finding:?}");
        assert!(finding.message.len() > 15 && !finding.message.contains('\n'), "{finding:?}");
    }
    assert_eq!(report.valid(), report.codes().all(|code| code.severity() == Severity::Warning));
    names.sort_unstable();
    names.dedup();
    names
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { panic!("an object") };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[test]
fn every_type_has_a_base_without_findings() {
    let bases = bases();
    assert_eq!(bases.len(), 19 + 2 + 18 + 3 + 2, "every type, a custom one, a bundle");
    for (name, object) in &bases {
        assert!(broken(&object.to_string()).is_empty(), "{name}: {:?}", broken(&object.to_string()));
    }
}

#[test]
fn every_clause_by_what_keeps_and_what_breaks_it() {
    let bases = bases();
    let (mut wrong, mut kept, mut rows) = (Vec::new(), 0, 0);
    for line in CLAUSES.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [clause, base, patch, expected] = fields[..] else { panic!("four fields: {line}") };
        let mut object = bases.get(base).unwrap_or_else(|| panic!("no base: {line}")).clone();
        merge(&mut object, &serde_json::from_str(patch).expect(line));
        let found = broken(&object.to_string()).join(" ");
        rows += 1;
        kept += usize::from(expected.is_empty());
        if found != expected {
            wrong.push(format!("{clause}\t{base}\t{patch}\t{found}"));
        }
    }
    assert!(wrong.is_empty(), "found instead:\n{}", wrong.join("\n"));
    assert!(rows >= 120 && kept >= 50, "{rows} rows, {kept} of them valid");
}

#[test]
fn explicit_nulls_are_refused_everywhere() {
    for (name, object) in bases() {
        let text = object.to_string();
        for member in object.as_object().expect("an object").keys().filter(|member| *member != "objects") {
            let mut object = object.clone();
            object[member] = Value::Null;
            assert!(!broken(&object.to_string()).is_empty(), "{name}.{member} of {text}");
        }
    }
}
