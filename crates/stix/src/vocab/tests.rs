//! The vocabularies against the published schemas and against their own shape.

use std::collections::BTreeSet;

use super::*;
use crate::published;

#[test]
fn values_are_distinct_and_open_ones_follow_the_naming_rule() {
    for vocabulary in ALL {
        let distinct: BTreeSet<_> = vocabulary.values.iter().collect();
        assert_eq!(distinct.len(), vocabulary.values.len(), "{}", vocabulary.name);
        assert_eq!(vocabulary.closed, vocabulary.name.ends_with("-enum"), "{}", vocabulary.name);
        assert_eq!(by_name(vocabulary.name), Some(vocabulary));
        // §2.12: lower case and hyphens; names of hash algorithms are the exception that §10.7 makes.
        if !vocabulary.closed && vocabulary.name != "hash-algorithm-ov" {
            assert!(
                vocabulary
                    .values
                    .iter()
                    .all(|value| !value.contains(|c: char| c.is_uppercase() || c == '_' || c == ' '))
            );
        }
    }
    assert_eq!(by_name("no-such-ov"), None);
}

#[test]
fn lookup_is_exact() {
    assert!(REGION.contains("northern-africa"));
    assert!(!REGION.contains("Northern-Africa") && !REGION.contains("northern") && !REGION.contains(""));
    assert!(HASH_ALGORITHM.contains("SHA-256") && !HASH_ALGORITHM.contains("sha-256"));
    assert_eq!(by_name("opinion-enum").map(|found| found.closed), Some(true));
    assert_eq!(by_name("identity-class-ov").map(|found| found.closed), Some(false));
}

/// Where the schemas and the standard differ (the errata's additions, misprints of the schemas, a value that
/// only they have): file and vocabulary, values only in the schema, values only in the standard.
const DIFFERENCES: &[(&str, &[&str], &[&str])] = &[
    ("sdos/identity industry-sector-ov", &["engineering"], &["legal"]),
    (
        "sdos/infrastructure infrastructure-type-ov",
        &[],
        &["control-system", "firewall", "routers-switches", "workstation"],
    ),
    (
        "sdos/location region-ov",
        &["central-america northern-america", "europe eastern-europe"],
        &["central-america", "eastern-europe", "europe", "northern-america", "south-eastern-asia"],
    ),
    ("sdos/malware implementation-language-ov", &[], &["rust"]),
    ("sdos/report report-type-ov", &[], &["incident", "intrusion-set"]),
    ("sdos/threat-actor threat-actor-type-ov", &[], &["private-sector"]),
    (
        "observables/user-account account-type-ov",
        &["kavi", "windows domain", "windows local"],
        &["windows-domain", "windows-local"],
    ),
];

#[test]
fn equal_to_the_published_schemas_but_for_the_listed_differences() {
    const FILES: &[&str] = &[
        "sdos/campaign",
        "sdos/grouping",
        "sdos/identity",
        "sdos/indicator",
        "sdos/infrastructure",
        "sdos/intrusion-set",
        "sdos/location",
        "sdos/malware",
        "sdos/malware-analysis",
        "sdos/opinion",
        "sdos/report",
        "sdos/threat-actor",
        "sdos/tool",
        "observables/artifact",
        "observables/file",
        "observables/network-traffic",
        "observables/process",
        "observables/user-account",
        "observables/windows-registry-key",
        "common/hashes-type",
        "common/extension-definition",
    ];
    let mut compared = BTreeSet::new();
    let mut found = Vec::new();
    for file in FILES {
        let Some(schema) = published::json(&format!("stix21-schemas/schemas/{file}.json")) else { return };
        let Some(definitions) = schema["definitions"].as_object() else { continue };
        for (name, definition) in definitions {
            let Some(values) = definition["enum"].as_array() else { continue };
            let Some(vocabulary) = by_name(name) else {
                println!("{file} has {name}, which the standard does not name so");
                continue;
            };
            let theirs: BTreeSet<&str> = values.iter().filter_map(|value| value.as_str()).collect();
            let ours: BTreeSet<&str> = vocabulary.values.iter().copied().collect();
            compared.insert(vocabulary.name);
            if theirs != ours {
                let extra: Vec<_> = theirs.difference(&ours).copied().collect();
                let missing: Vec<_> = ours.difference(&theirs).copied().collect();
                found.push(format!("{file} {name}: schema only {extra:?}, standard only {missing:?}"));
            }
        }
    }
    println!("{} vocabularies compared: {compared:?}", compared.len());
    let listed: Vec<String> = DIFFERENCES
        .iter()
        .map(|(name, extra, missing)| format!("{name}: schema only {extra:?}, standard only {missing:?}"))
        .collect();
    assert_eq!(found, listed);
}
