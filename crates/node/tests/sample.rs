//! The sample is what its README says: valid, complete in itself, in four languages and every colour.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use node::sample::PARTS;
use serde_json::Value;
use stix::marking::Tlp;
use stix::validate::{Options, Validator};

fn objects() -> Vec<Value> {
    let objects = |bundle: &[u8]| match serde_json::from_slice(bundle).unwrap() {
        Value::Object(mut bundle) => bundle.remove("objects").unwrap().as_array().unwrap().clone(),
        _ => Vec::new(),
    };
    PARTS.iter().flat_map(|part| objects(part.bundle)).collect()
}

fn text<'v>(object: &'v Value, property: &str) -> &'v str {
    object[property].as_str().unwrap_or_default()
}

/// Every string of a value with the name of the property it stands in.
fn strings<'v>(name: &'v str, value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(name, item, found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| strings(name, member, found)),
        _ => {}
    }
}

fn count(objects: &[Value], of: impl Fn(&Value) -> Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for key in objects.iter().flat_map(of) {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

#[test]
fn nothing_in_it_is_wrong_or_doubtful() {
    for part in PARTS {
        let mut options = Options::default();
        options.strict = true;
        let mut validator = Validator::new(options);
        let report = validator.document(part.bundle);
        let findings: Vec<String> = report.findings().take(10).map(|finding| format!("{finding:?}")).collect();
        assert!(findings.is_empty(), "{}: {findings:#?}", part.alias);
    }
}

#[test]
fn it_has_what_a_demonstration_needs() {
    let objects = objects();
    let types = count(&objects, |object| vec![text(object, "type").to_owned()]);
    for (kind, least) in [
        ("attack-pattern", 10),
        ("campaign", 2),
        ("course-of-action", 10),
        ("extension-definition", 1),
        ("grouping", 5),
        ("identity", 12),
        ("incident", 6),
        ("indicator", 90),
        ("infrastructure", 6),
        ("intrusion-set", 1),
        ("language-content", 12),
        ("location", 8),
        ("malware", 5),
        ("malware-analysis", 4),
        ("marking-definition", 12),
        ("note", 10),
        ("observed-data", 25),
        ("opinion", 8),
        ("relationship", 150),
        ("report", 16),
        ("sighting", 20),
        ("threat-actor", 3),
        ("tool", 4),
        ("vulnerability", 5),
        ("artifact", 1),
        ("autonomous-system", 4),
        ("directory", 2),
        ("domain-name", 15),
        ("email-addr", 8),
        ("email-message", 5),
        ("file", 15),
        ("ipv4-addr", 15),
        ("ipv6-addr", 4),
        ("mac-addr", 2),
        ("mutex", 2),
        ("network-traffic", 8),
        ("process", 4),
        ("software", 3),
        ("url", 8),
        ("user-account", 4),
        ("windows-registry-key", 3),
        ("x509-certificate", 2),
    ] {
        assert!(types.get(kind) >= Some(&least), "{kind}: {:?} of {least}", types.get(kind));
    }
    let kinds = count(&objects, |object| vec![text(object, "pattern_type").to_owned()]);
    for kind in ["stix", "yara", "sigma", "suricata", "snort", "pcre"] {
        assert!(kinds.contains_key(kind), "no indicator in {kind}");
    }
}

#[test]
fn it_speaks_four_languages() {
    let objects = objects();
    let tongues = ["ar", "en", "es", "fr"];
    let all = count(&objects, |object| vec![text(object, "lang").to_owned()]);
    let reports: Vec<Value> = objects.iter().filter(|object| object["type"] == "report").cloned().collect();
    let in_reports = count(&reports, |object| vec![text(object, "lang").to_owned()]);
    for tongue in tongues {
        assert!(all.get(tongue) >= Some(&50), "{tongue}: {:?}", all.get(tongue));
        assert!(in_reports.get(tongue) >= Some(&4), "{tongue}: {:?}", in_reports.get(tongue));
    }
    assert_eq!(all.keys().map(String::as_str).filter(|tongue| !tongue.is_empty()).collect::<Vec<_>>(), tongues);
    let arabic = |text: &str| text.chars().any(|character| ('\u{600}'..='\u{6ff}').contains(&character));
    for object in &objects {
        let name = text(object, "name");
        if object["lang"] == "ar" && !name.is_empty() {
            assert!(arabic(text(object, "description")) || arabic(name), "{name}");
        }
        // Whatever is meant for people has its language.
        let for_people = ["report", "incident", "note", "opinion", "campaign", "indicator", "malware", "tool"];
        if for_people.contains(&text(object, "type")) {
            assert!(!text(object, "lang").is_empty(), "{}", object["id"]);
        }
    }
}

#[test]
fn it_shows_every_colour_and_kind_of_marking() {
    let objects = objects();
    let used = count(&objects, |object| {
        let markings = object["object_marking_refs"].as_array();
        markings.into_iter().flatten().map(|marking| marking.as_str().unwrap().to_owned()).collect()
    });
    for tlp in Tlp::ALL {
        assert!(used.get(tlp.id()) >= Some(&10), "{tlp}: {:?}", used.get(tlp.id()));
    }
    let of_tlp_1 = objects.iter().filter(|object| object["definition_type"] == "tlp").count();
    let statements = objects.iter().filter(|object| object["definition_type"] == "statement").count();
    let granular = objects.iter().filter(|object| object["granular_markings"].is_array()).count();
    assert!(of_tlp_1 >= 4 && statements >= 3 && granular >= 3, "{of_tlp_1} {statements} {granular}");
    for object in &objects {
        let bare = object["object_marking_refs"].as_array().is_none_or(Vec::is_empty);
        assert!(!bare || object["type"] == "marking-definition", "{} has no marking", object["id"]);
    }
}

#[test]
fn every_reference_is_to_something_in_it() {
    let objects = objects();
    let ids: BTreeSet<&str> = objects.iter().map(|object| text(object, "id")).collect();
    let mut found = Vec::new();
    objects.iter().for_each(|object| strings("", object, &mut found));
    let references = found.iter().filter(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs"));
    let mut number = 0;
    for (name, reference) in references {
        number += 1;
        assert!(ids.contains(reference), "{name}: {reference}");
    }
    assert!(number > 1000, "{number}");
    for translation in objects.iter().filter(|object| object["type"] == "language-content") {
        let target = |object: &&Value| {
            object["id"] == translation["object_ref"] && object["modified"] == translation["object_modified"]
        };
        assert!(objects.iter().any(|object| target(&object)), "{}", translation["id"]);
    }
}

#[test]
fn some_objects_have_a_history() {
    let objects = objects();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for object in objects.iter().filter(|object| object["modified"].is_string()) {
        let new = versions.entry(text(object, "id")).or_default().insert(text(object, "modified"));
        assert!(new, "{} comes twice", object["id"]);
    }
    let of = |number: usize| versions.values().filter(|versions| versions.len() == number).count();
    assert!(of(2) >= 4 && of(3) == 1, "{} {}", of(2), of(3));
    let revoked: Vec<&Value> = objects.iter().filter(|object| object["revoked"] == true).collect();
    assert_eq!(revoked.len(), 1);
    assert_eq!(versions[text(revoked[0], "id")].last(), revoked[0]["modified"].as_str().as_ref());
}

#[test]
fn it_names_nobody() {
    let documentation = |address: IpAddr| match address {
        IpAddr::V4(address) => address.is_documentation(),
        IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
    };
    for object in &objects() {
        let value = text(object, "value");
        match text(object, "type") {
            "ipv4-addr" | "ipv6-addr" => assert!(documentation(value.parse().unwrap()), "{value}"),
            "domain-name" => assert!(reserved(value), "{value}"),
            "email-addr" => assert!(reserved(value.split('@').nth(1).unwrap()), "{value}"),
            "url" => assert!(reserved(value.split('/').nth(2).unwrap()), "{value}"),
            "autonomous-system" => assert!((64_496..=64_511).contains(&object["number"].as_u64().unwrap())),
            "vulnerability" => assert!(text(object, "name").starts_with("CVE-2099-")),
            _ => {}
        }
    }
}

/// Under a name that is reserved for documentation and tests (RFC 2606).
fn reserved(domain: &str) -> bool {
    [".example", ".test", ".invalid"].iter().any(|top| domain.ends_with(top))
        || ["example.com", "example.net", "example.org"].contains(&domain)
}
