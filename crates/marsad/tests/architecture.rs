//! The layering of ARCHITECTURE.md, kept by a test: who may depend on whom, and that the map names every crate.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each of our crates may use of our other crates. A crate or an arrow that is not here fails the build.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pattern", &[]),
    ("stix", &["pattern"]),
    ("observable", &["pattern"]),
    ("watch", &["observable", "pattern", "stix"]),
    ("rules", &["observable"]),
    ("policy", &["stix"]),
    ("taxii", &["stix"]),
    ("ledger", &[]),
    ("partner", &["stix"]),
    ("node", &["stix", "pattern", "observable", "watch", "rules", "policy", "taxii", "ledger", "partner"]),
    ("marsad", &["stix", "pattern", "observable", "watch", "rules", "policy", "taxii", "ledger", "partner", "node"]),
];

/// Foreign crates that only the named ones of ours may use: the network, the store, the command line.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("rusqlite", &["ledger"]),
    ("axum", &["node"]),
    ("hyper", &["node"]),
    ("hyper-util", &["node"]),
    ("lettre", &["node"]),
    ("reqwest", &["node"]),
    ("tokio", &["node", "marsad"]),
    ("tokio-rustls", &["node"]),
    ("clap", &["marsad"]),
    ("indicatif", &["marsad"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Crate name to the names in its `[dependencies]` and `[build-dependencies]`, not those of its tests.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for folder in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = folder.unwrap().path();
        let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let mut names = Vec::new();
        for section in ["dependencies", "build-dependencies"] {
            if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
                names.extend(table.keys().cloned());
            }
        }
        found.insert(folder.file_name().unwrap().to_str().unwrap().to_owned(), names);
    }
    found
}

#[test]
fn crates_use_only_what_the_map_allows() {
    let found = dependencies();
    let known: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (name, uses) in &found {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("crate `{name}` is not in the map: add it here and to ARCHITECTURE.md"));
        for other in uses.iter().filter(|other| known.contains(&other.as_str())) {
            assert!(allowed.contains(&other.as_str()), "`{name}` must know nothing of `{other}`");
        }
    }
    assert_eq!(found.len(), MAY_USE.len(), "the map names a crate that is gone");
}

#[test]
fn network_store_and_command_line_stay_in_their_rooms() {
    for (name, uses) in dependencies() {
        for (foreign, rooms) in KEPT_TO {
            let used = uses.iter().any(|other| other == foreign);
            assert!(!used || rooms.contains(&name.as_str()), "`{name}` must not use `{foreign}`: only {rooms:?} may");
        }
    }
}

#[test]
fn the_map_on_paper_names_every_crate() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in MAY_USE {
        assert!(page.contains(&format!("| `{name}` |")), "ARCHITECTURE.md has no row for `{name}`");
    }
    assert!(page.lines().count() < 300, "ARCHITECTURE.md is over 300 lines: a page that nobody reads");
}
