//! STIX 2.1 §2.9 by vectors, and the cases recorded from the reference library.

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    json::{Limits, Tape},
    published,
};

fn id(object: &Json) -> Option<String> {
    let text = object.to_string();
    let mut tape = Tape::new();
    let value = tape.parse(text.as_bytes(), &Limits::default()).unwrap();
    let object_type = value.get("type").unwrap().as_str().unwrap().into_owned();
    deterministic(&value).map(|uuid| format!("{object_type}--{uuid}"))
}

const IPV4: &str = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4";

#[test]
fn vectors() {
    let domain = "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7";
    let cases = [
        (json!({"type": "ipv4-addr", "value": "198.51.100.3"}), IPV4),
        (json!({"type": "ipv6-addr", "value": "2001:db8::1"}), "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26"),
        (json!({"type": "domain-name", "value": "example.com", "resolves_to_refs": [IPV4]}), domain),
        (json!({"type": "url", "value": "http://example.com/a?b=1&c=é"}), "url--a9baf40c-10cb-5529-9bd7-68a487820b69"),
        (
            json!({"type": "email-addr", "value": "a@example.org", "display_name": "A"}),
            "email-addr--1551d521-551b-540f-872a-5de3f1659463",
        ),
        (
            json!({"type": "autonomous-system", "number": 64496}),
            "autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca",
        ),
        (json!({"type": "mac-addr", "value": "d2:fb:49:24:37:18"}), "mac-addr--757b1725-9903-54f5-a855-1240691d7659"),
        (json!({"type": "mutex", "name": "x"}), "mutex--e1bd4405-6ecd-5374-b3e1-ec82ba3cd528"),
        (json!({"type": "directory", "path": "C:\\Windows"}), "directory--30b6c25d-82f4-51af-a3c8-51cb692dfd0a"),
        (
            json!({"type": "file", "name": "x.exe", "hashes": {"SHA-256": "a".repeat(64), "MD5": "b".repeat(32)}}),
            "file--4915fc0e-b154-5cb1-b338-70da92bbc85c",
        ),
        (
            json!({"type": "file", "hashes": {"SHA-256": "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f"}}),
            "file--02c74237-f6bc-5e2e-bcbe-e9bf3d69ac64",
        ),
        (
            json!({"type": "network-traffic", "src_ref": IPV4, "dst_ref": domain, "dst_port": 443, "protocols": ["ipv4", "tcp"]}),
            "network-traffic--a9b60b3e-a15e-5ec1-a96d-2769410d6f71",
        ),
        (
            json!({"type": "network-traffic", "start": "2020-01-01T00:00:00Z", "src_ref": IPV4, "dst_port": 80, "protocols": ["tcp"]}),
            "network-traffic--3bc642d8-813a-5c2c-9c58-c3ff6836b15c",
        ),
        (
            json!({"type": "user-account", "user_id": "1001", "account_login": "jdoe", "account_type": "unix", "display_name": "J"}),
            "user-account--f94d689e-707d-58c3-b803-c720bb6ed096",
        ),
        (
            json!({"type": "x509-certificate", "serial_number": "36:f7:d4"}),
            "x509-certificate--8c21b4b7-94fe-55e6-8a39-7ad008e784b2",
        ),
        (
            json!({"type": "windows-registry-key", "key": "hkey_local_machine\\system"}),
            "windows-registry-key--cdc5afa8-aee0-5688-aab9-d421623089a8",
        ),
        (
            json!({"type": "email-message", "subject": "Hi", "body": "x", "is_multipart": false}),
            "email-message--3ca4b5a7-3092-5856-87cc-880701053fcd",
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(id(&object).as_deref(), Some(expected), "{object}");
    }
}

#[test]
fn where_there_is_no_deterministic_id() {
    for object in [
        json!({"type": "process", "pid": 1}),
        json!({"type": "artifact", "url": "http://example.com"}),
        json!({"type": "email-message", "is_multipart": true}),
        json!({"type": "user-account", "display_name": "J"}),
        json!({"type": "indicator", "name": "x"}),
        json!({"type": "x-acme-thing", "value": "x"}),
    ] {
        assert_eq!(id(&object), None, "{object}");
    }
}

#[test]
fn the_hash_that_counts() {
    let with = |hashes: Json| id(&json!({"type": "file", "hashes": hashes})).unwrap();
    assert_eq!(with(json!({"SHA-1": "a", "MD5": "b", "SHA-256": "c"})), with(json!({"MD5": "b"})));
    assert_eq!(with(json!({"SHA-512": "a", "SHA-256": "c"})), with(json!({"SHA-256": "c"})));
    assert_eq!(with(json!({"TLSH": "a", "SHA-512": "c"})), with(json!({"SHA-512": "c"})));
    assert_eq!(with(json!({"TLSH": "a", "SSDEEP": "c"})), with(json!({"SSDEEP": "c"})), "the first by name");
    assert_ne!(with(json!({"MD5": "B"})), with(json!({"MD5": "b"})), "letters keep their case");
}

/// Types that the recorder's tests registered, with the properties they named as contributing.
fn registered(case: &Json) -> Option<Vec<&str>> {
    let object = case["sco"].as_object().unwrap();
    match case["sco"]["type"].as_str().unwrap() {
        "x-det-id-observable-1" => Some(vec!["property1"]),
        "x-det-id-observable-2" => Some(vec!["property1", "property2"]),
        "some-sco" => Some(object.keys().map(String::as_str).filter(|name| *name != "type").collect()),
        _ => None,
    }
}

#[test]
fn the_recorded_cases() {
    let Some(cases) = published::cases("stix-cases/sco_id_cases.jsonl.gz") else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        let found = match registered(case) {
            None => id(&case["sco"]),
            Some(properties) => {
                let text = case["sco"].to_string();
                let mut tape = Tape::new();
                let value = tape.parse(text.as_bytes(), &Limits::default()).unwrap();
                let uuid = deterministic_by(&value, &properties).unwrap();
                Some(format!("{}--{uuid}", case["sco"]["type"].as_str().unwrap()))
            }
        };
        if found.as_deref() != case["expect"].as_str() {
            wrong.push(format!("{} {}: {found:?}", case["id"], case["sco"]));
        }
    }
    println!("{} cases", cases.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
