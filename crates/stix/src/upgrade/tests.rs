//! What changed between STIX 2.0 and 2.1, clause by clause; properties; and real bundles.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    id::Id,
    published,
    schema::Version,
    validate::{Options, Severity, Validator},
};

fn up(object: &Json) -> (Vec<Json>, Vec<Note>) {
    let upgraded = super::object(object.to_string().as_bytes()).unwrap();
    (upgraded.objects.iter().map(|text| serde_json::from_slice(text).unwrap()).collect(), upgraded.notes)
}

fn fates(notes: &[Note]) -> Vec<(&str, Fate)> {
    notes.iter().map(|note| (note.property.as_str(), note.fate)).collect()
}

#[test]
fn members_that_change_by_type() {
    use Fate::{Assumed, Dropped, Kept};
    type Fates = &'static [(&'static str, Fate)];
    let cases: &[(&str, Json, Json, Fates)] = &[
        (
            "§3.2 spec_version",
            json!({"type": "tool", "name": "x"}),
            json!({"type": "tool", "spec_version": "2.1", "name": "x"}),
            &[],
        ),
        (
            "a wrong spec_version goes",
            json!({"type": "tool", "spec_version": "2.0"}),
            json!({"type": "tool", "spec_version": "2.1"}),
            &[],
        ),
        (
            "2.1 stays",
            json!({"type": "tool", "spec_version": "2.1", "labels": ["x"]}),
            json!({"type": "tool", "spec_version": "2.1", "labels": ["x"]}),
            &[],
        ),
        (
            "observables are of 2.1",
            json!({"type": "url", "id": "url--1", "value": "x"}),
            json!({"type": "url", "id": "url--1", "value": "x"}),
            &[],
        ),
        (
            "§3.2 milliseconds",
            json!({"type": "identity", "created": "2020-01-01T00:00:00Z", "modified": "2020-01-01T00:00:00.5Z", "x_at": "2020-01-01T00:00:00Z"}),
            json!({"type": "identity", "spec_version": "2.1", "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.500Z", "x_at": "2020-01-01T00:00:00Z"}),
            &[],
        ),
        (
            "what is no timestamp is left to the validator",
            json!({"type": "identity", "created": "yesterday", "modified": 3}),
            json!({"type": "identity", "spec_version": "2.1", "created": "yesterday", "modified": 3}),
            &[],
        ),
        (
            "§4.11 malware",
            json!({"type": "malware", "labels": ["ransomware", "worm"]}),
            json!({"type": "malware", "spec_version": "2.1", "malware_types": ["ransomware", "worm"], "is_family": true}),
            &[("is_family", Assumed)],
        ),
        (
            "told otherwise",
            json!({"type": "malware", "labels": ["worm"], "is_family": false}),
            json!({"type": "malware", "spec_version": "2.1", "malware_types": ["worm"], "is_family": false}),
            &[],
        ),
        (
            "a label that repeats the type says nothing",
            json!({"type": "tool", "labels": ["tool"]}),
            json!({"type": "tool", "spec_version": "2.1"}),
            &[("labels", Dropped)],
        ),
        (
            "§3.2 what cannot be a term stays a label",
            json!({"type": "threat-actor", "labels": ["hacker", "Our Favourite", "own-term", "threat-actor"]}),
            json!({"type": "threat-actor", "spec_version": "2.1", "threat_actor_types": ["hacker", "own-term"], "labels": ["Our Favourite"]}),
            &[("labels", Dropped), ("labels", Kept)],
        ),
        (
            "types that are there already stay alone",
            json!({"type": "report", "labels": ["a"], "report_types": ["campaign"]}),
            json!({"type": "report", "spec_version": "2.1", "labels": ["a"], "report_types": ["campaign"]}),
            &[],
        ),
        (
            "other types keep labels",
            json!({"type": "campaign", "labels": ["a"]}),
            json!({"type": "campaign", "spec_version": "2.1", "labels": ["a"]}),
            &[],
        ),
        (
            "malformed labels are left to the validator",
            json!({"type": "tool", "labels": "remote-access"}),
            json!({"type": "tool", "spec_version": "2.1", "labels": "remote-access"}),
            &[],
        ),
        (
            "§4.7 indicator",
            json!({"type": "indicator", "labels": ["benign"], "pattern": "[url:value = 'x']"}),
            json!({"type": "indicator", "spec_version": "2.1", "indicator_types": ["benign"], "pattern": "[url:value = 'x']", "pattern_type": "stix", "pattern_version": "2.0"}),
            &[],
        ),
        (
            "a pattern of 2.0 that matches nothing of 2.1",
            json!({"type": "indicator", "pattern": "[process:name = 'x']"}),
            json!({"type": "indicator", "spec_version": "2.1", "pattern": "[process:name = 'x']", "pattern_type": "stix", "pattern_version": "2.0"}),
            &[("pattern", Kept)],
        ),
        (
            "custom properties and objects stay",
            json!({"type": "x-acme", "x_a": {"labels": [1]}, "objects": {"a": 1}}),
            json!({"type": "x-acme", "spec_version": "2.1", "x_a": {"labels": [1]}, "objects": {"a": 1}}),
            &[],
        ),
        (
            "§7.2.1 a statement",
            json!({"type": "marking-definition", "definition_type": "statement", "definition": {"statement": "x"}}),
            json!({"type": "marking-definition", "spec_version": "2.1", "definition_type": "statement", "definition": {"statement": "x"}}),
            &[],
        ),
        (
            "§7.2.3 selectors follow the labels",
            json!({"type": "malware", "is_family": true, "labels": ["malware", "worm", "Odd One"], "name": "x", "granular_markings": [
                {"marking_ref": "m", "selectors": ["labels.[1]", "name"]}, {"marking_ref": "n", "selectors": ["labels"]},
                {"marking_ref": "o", "selectors": ["labels.[0]"]}, {"marking_ref": "p", "selectors": ["labels.[2]"]}]}),
            json!({"type": "malware", "spec_version": "2.1", "is_family": true, "malware_types": ["worm"], "labels": ["Odd One"], "name": "x", "granular_markings": [
                {"marking_ref": "m", "selectors": ["malware_types.[0]", "name"]}, {"marking_ref": "n", "selectors": ["malware_types", "labels"]},
                {"marking_ref": "p", "selectors": ["labels.[0]"]}]}),
            &[("labels", Dropped), ("labels", Kept)],
        ),
    ];
    for (name, object, expected, notes) in cases {
        let (found, noted) = up(object);
        assert_eq!(found, std::slice::from_ref(expected), "{name}");
        assert_eq!(fates(&noted), *notes, "{name}");
    }
}

#[test]
fn the_predefined_markings_are_those_of_the_standard() {
    for definition in crate::marking::PREDEFINED.iter().filter(|definition| definition.generation == 1) {
        let old = json!({"type": "marking-definition", "id": definition.id, "created": "2017-01-20T00:00:00.000Z",
            "definition_type": "tlp", "definition": {"tlp": definition.value}, "created_by_ref": "identity--1"});
        let (found, notes) = up(&old);
        assert_eq!(found, [serde_json::from_str::<Json>(definition.json).unwrap()]);
        assert_eq!(fates(&notes), [("created_by_ref", Fate::Dropped)]);
    }
}

#[test]
fn bytes_that_need_not_change_stay() {
    let old = "{ \"type\": \"campaign\",\n\t\"id\" : \"c\", \"name\": \"\\u00e9\\/\", \"x\": 1.0e0 }";
    let new = "{ \"type\": \"campaign\",\n\t\"spec_version\": \"2.1\",\n\t\"id\" : \"c\", \"name\": \"\\u00e9\\/\", \"x\": 1.0e0 }";
    assert_eq!(super::object(old.as_bytes()).unwrap().objects, [new.as_bytes()]);
}

fn observed(objects: Json) -> Json {
    json!({"type": "observed-data", "id": "observed-data--b67d30ff-02ac-498a-92f9-32f845f448cf", "objects": objects})
}

/// The observables that a container becomes, without `type` and `spec_version`, by their ids.
fn observables(objects: Json) -> (Vec<String>, Vec<Json>, Vec<Note>) {
    let (mut found, notes) = up(&observed(objects));
    let refs: Vec<String> = serde_json::from_value(found.remove(0)["object_refs"].take()).unwrap();
    for observable in &mut found {
        let members = observable.as_object_mut().unwrap();
        assert_eq!(members.remove("spec_version"), Some("2.1".into()));
        let object_type = members.remove("type").unwrap();
        assert!(Id::parse(observable["id"].as_str().unwrap()).unwrap().object_type() == object_type);
    }
    (refs, found, notes)
}

const IPV4: &str = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4";

#[test]
fn a_container_becomes_observables_with_the_ids_of_the_standard() {
    let domain = "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7";
    let traffic = "network-traffic--a9b60b3e-a15e-5ec1-a96d-2769410d6f71";
    let (refs, found, notes) = observables(json!({
        "0": {"type": "network-traffic", "src_ref": "1", "dst_ref": "2", "dst_port": 443, "protocols": ["ipv4", "tcp"]},
        "1": {"type": "ipv4-addr", "value": "198.51.100.3"},
        "2": {"type": "domain-name", "value": "example.com", "resolves_to_refs": ["1"]},
    }));
    assert_eq!(refs, [traffic, IPV4, domain]);
    assert_eq!(
        found[0],
        json!({"id": traffic, "src_ref": IPV4, "dst_ref": domain, "dst_port": 443, "protocols": ["ipv4", "tcp"]})
    );
    assert_eq!(found[1], json!({"id": IPV4, "value": "198.51.100.3"}));
    assert_eq!(found[2], json!({"id": domain, "value": "example.com", "resolves_to_refs": [IPV4]}));
    assert!(notes.is_empty());
}

#[test]
fn what_observables_are_called_now() {
    use Fate::{Changed, Dropped};
    type Fates = &'static [(&'static str, Fate)];
    let x = "x.exe";
    let file_x = "file--94b393a8-be9b-5a4c-9b2e-902c8605a1f6";
    let cases: &[(&str, Json, Json, Fates)] = &[
        (
            "§6.7 file",
            json!({"type": "file", "name": x, "created": "a", "modified": "b", "accessed": "c", "size": 3}),
            json!({"name": x, "ctime": "a", "mtime": "b", "atime": "c", "size": 3}),
            &[],
        ),
        (
            "§6.7 encryption is of artifacts",
            json!({"type": "file", "name": x, "is_encrypted": true, "encryption_algorithm": "AES128-CBC", "decryption_key": "k"}),
            json!({"name": x}),
            &[
                ("objects.0.decryption_key", Dropped),
                ("objects.0.encryption_algorithm", Dropped),
                ("objects.0.is_encrypted", Dropped),
            ],
        ),
        (
            "§10.7 hashes",
            json!({"type": "file", "hashes": {"ssdeep": "3:a:b", "MD5": "c"}}),
            json!({"hashes": {"SSDEEP": "3:a:b", "MD5": "c"}}),
            &[],
        ),
        (
            "§6.7.2, §6.7.5 extensions",
            json!({"type": "file", "name": x, "extensions": {"archive-ext": {"version": "5", "comment": "c"},
                "raster-image-ext": {"image_compression_algorithm": "J", "image_height": 1}, "foo": {"created": 1}}}),
            json!({"name": x, "extensions": {"archive-ext": {"comment": "c"}, "raster-image-ext": {"image_height": 1}, "foo-ext": {"created": 1}}}),
            &[
                ("objects.0.extensions.archive-ext.version", Dropped),
                ("objects.0.extensions.foo", Changed),
                ("objects.0.extensions.raster-image-ext.image_compression_algorithm", Dropped),
            ],
        ),
        (
            "§6.7.6 a portable executable that says nothing more",
            json!({"type": "file", "name": x, "extensions": {"windows-pebinary-ext": {"pe_type": "exe"}}}),
            json!({"name": x}),
            &[("objects.0.extensions.windows-pebinary-ext", Dropped)],
        ),
        (
            "§6.3 directory",
            json!({"type": "directory", "path": "/", "created": "a", "accessed": "c"}),
            json!({"path": "/", "ctime": "a", "atime": "c"}),
            &[],
        ),
        (
            "§6.6 header fields are lists",
            json!({"type": "email-message", "is_multipart": false, "additional_header_fields": {"A": "b", "C": ["d"]}}),
            json!({"is_multipart": false, "additional_header_fields": {"A": ["b"], "C": ["d"]}}),
            &[],
        ),
        (
            "§6.12 extensions of traffic",
            json!({"type": "network-traffic", "protocols": ["tcp"], "extensions": {"http-request-ext": {"request_method": "get", "request_header": {"Host": "h"}},
                "socket-ext": {"address_family": "AF_INET", "protocol_family": "PF_INET"}}}),
            json!({"protocols": ["tcp"], "extensions": {"http-request-ext": {"request_method": "get", "request_header": {"Host": ["h"]}}, "socket-ext": {"address_family": "AF_INET"}}}),
            &[("objects.0.extensions.socket-ext.protocol_family", Dropped)],
        ),
        (
            "§6.16 user account",
            json!({"type": "user-account", "user_id": "1", "account_type": "windows local", "password_last_changed": "p"}),
            json!({"user_id": "1", "account_type": "windows-local", "credential_last_changed": "p"}),
            &[],
        ),
        (
            "what has its name of 2.1 already",
            json!({"type": "file", "name": x, "created": "a", "ctime": "b", "hashes": {"ssdeep": "3:a:b", "SSDEEP": "3:c:d"}}),
            json!({"name": x, "ctime": "b", "hashes": {"SSDEEP": "3:c:d"}}),
            &[("objects.0.created", Dropped), ("objects.0.ssdeep", Dropped)],
        ),
        (
            "§6.17 registry key",
            json!({"type": "windows-registry-key", "key": "k", "modified": "m"}),
            json!({"key": "k", "modified_time": "m"}),
            &[],
        ),
        (
            "§6.13 a process by its name",
            json!({"type": "process", "pid": 1, "name": x, "arguments": ["-a", "b c"], "created": "t"}),
            json!({"pid": 1, "created_time": "t", "image_ref": file_x, "command_line": "x.exe -a b c"}),
            &[("objects.0.name", Changed), ("objects.0.arguments", Changed)],
        ),
        (
            "§6.13 a process that says more already",
            json!({"type": "process", "name": x, "arguments": ["-a"], "command_line": "x -a", "image_ref": file_x}),
            json!({"command_line": "x -a", "image_ref": file_x}),
            &[("objects.0.name", Dropped), ("objects.0.arguments", Dropped)],
        ),
    ];
    for (name, entry, expected, notes) in cases {
        let (refs, mut found, noted) = observables(json!({"0": entry}));
        let id = found[0].as_object_mut().unwrap().remove("id").unwrap();
        assert_eq!(refs[0], id, "{name}");
        assert_eq!(found[0], *expected, "{name}");
        assert_eq!(fates(&noted), *notes, "{name}");
    }
    let (refs, found, _) = observables(json!({"0": {"type": "process", "name": x}}));
    assert_eq!(found[1], json!({"id": refs[1], "name": x}), "the file is there, and listed");
}

#[test]
fn ids_where_the_standard_has_no_recipe() {
    let container = json!({
        "0": {"type": "process", "pid": 1, "parent_ref": "1"}, "1": {"type": "process", "pid": 2, "child_refs": ["0"]},
        "2": {"type": "x-acme-thing", "a": 1}, "3": {"type": "process", "pid": 1, "parent_ref": "1"},
        "a": {"type": "file", "name": "a", "extensions": {"archive-ext": {"contains_refs": ["b"]}}},
        "b": {"type": "file", "name": "b", "extensions": {"archive-ext": {"contains_refs": ["a"]}}},
    });
    let (refs, found, notes) = observables(container.clone());
    assert!(notes.is_empty());
    assert_eq!(refs.len(), 6, "all have ids of their own");
    let versions: Vec<u8> = refs.iter().map(|id| Id::parse(id).unwrap().uuid_version()).collect();
    assert_eq!(versions[..4], [4, 4, 4, 4], "§2.9: not of the standard's namespace");
    assert!(versions[4..].contains(&4), "a circle has to be broken somewhere");
    assert_eq!(found[0]["parent_ref"], found[1]["id"]);
    assert_eq!(observables(container.clone()).0, refs, "the same source gives the same ids");
    let mut other = container;
    other["2"]["a"] = 2.into();
    assert_ne!(observables(other).0[0], refs[0], "another source gives others");
}

#[test]
fn one_observable_for_equals_and_two_for_others() {
    let (refs, found, _) = observables(json!({
        "0": {"type": "ipv4-addr", "value": "198.51.100.3"}, "1": {"type": "ipv4-addr", "value": "198.51.100.3"},
        "2": {"type": "email-addr", "value": "a@example.org"}, "3": {"type": "email-addr", "value": "a@example.org", "display_name": "A"},
    }));
    assert_eq!((refs.len(), found.len()), (3, 3));
    assert_eq!(refs[1], "email-addr--1551d521-551b-540f-872a-5de3f1659463");
    assert_eq!(Id::parse(&refs[2]).unwrap().uuid_version(), 4, "what is said besides must not be lost");
}

#[test]
fn observables_keep_the_markings_of_their_container() {
    let mut data = observed(json!({
        "0": {"type": "file", "name": "n", "created": "c", "is_encrypted": true}, "1": {"type": "process", "name": "p"},
    }));
    data["object_marking_refs"] = json!(["marking-definition--a"]);
    data["granular_markings"] = json!([
        {"marking_ref": "marking-definition--b", "selectors": ["objects.0.created", "id"]},
        {"marking_ref": "marking-definition--c", "selectors": ["objects.0.is_encrypted"]},
        {"marking_ref": "marking-definition--d", "selectors": ["objects.1"]},
        {"marking_ref": "marking-definition--e", "selectors": ["objects"]},
        {"marking_ref": "marking-definition--f", "selectors": ["objects.1.name"]},
    ]);
    let (found, _) = up(&data);
    let of = |at: usize| {
        (found[at]["type"].clone(), found[at]["object_marking_refs"].clone(), found[at]["granular_markings"].clone())
    };
    let (a, c, d, e, f) = (
        "marking-definition--a",
        "marking-definition--c",
        "marking-definition--d",
        "marking-definition--e",
        "marking-definition--f",
    );
    let kept = json!([{"marking_ref": "marking-definition--b", "selectors": ["id"]}]);
    assert_eq!(of(0), ("observed-data".into(), json!([a]), kept));
    let part = json!([{"marking_ref": "marking-definition--b", "selectors": ["ctime"]}]);
    assert_eq!(of(1), ("file".into(), json!([a, c, e]), part), "what cannot be selected any more marks the whole");
    assert_eq!(of(2), ("process".into(), json!([a, d, e, f]), Json::Null));
    assert_eq!(
        of(3),
        ("file".into(), json!([a, d, e, f]), Json::Null),
        "the file made of a name is marked as the process"
    );
}

#[test]
fn containers_that_have_to_stay() {
    for (name, objects) in [
        ("empty", json!({})),
        ("a list", json!([{"type": "url"}])),
        ("no observable", json!({"0": 1})),
        ("no type", json!({"0": {"value": "x"}})),
        ("a type that no id can begin with", json!({"0": {"type": "X!"}})),
        ("a reference to nothing", json!({"0": {"type": "file", "name": "x", "parent_directory_ref": "7"}})),
        ("an id of its own", json!({"0": {"type": "url", "value": "x", "id": "url--1"}})),
        ("markings of its own", json!({"0": {"type": "url", "value": "x", "object_marking_refs": ["m"]}})),
    ] {
        let (found, notes) = up(&observed(objects.clone()));
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0]["objects"], objects, "{name}");
        assert_eq!(fates(&notes), [("objects", Fate::Kept)], "{name}");
    }
}

#[test]
fn names_with_escapes_are_names() {
    let text = br#"{"\u0074ype":"observed-data","id":"observed-data--1","object_marking_r\u0065fs":["m"],"objects":{"0":{"type":"mutex","name":"x"}}}"#;
    let found = super::object(text).unwrap().objects;
    let mutex: Json = serde_json::from_slice(&found[1]).unwrap();
    assert_eq!(mutex["object_marking_refs"], json!(["m"]));
}

#[test]
fn what_is_no_object() {
    for text in ["", "[", "{", "{} {}", "{\"type\":\"tool\",\"type\":\"tool\"}"] {
        assert!(matches!(super::object(text.as_bytes()), Err(Error::Json(_))), "{text}");
    }
    for text in ["[]", "3", "{}", "{\"type\":3}", "{\"type\":\"\"}"] {
        assert_eq!(super::object(text.as_bytes()), Err(Error::NotAnObject), "{text}");
    }
}

#[test]
fn bundles() {
    let limits = Limits::default();
    let of = |text: &str| {
        bundle(text.as_bytes(), &limits).map(|found| (String::from_utf8(found.text).unwrap(), found.objects))
    };
    let tool = r#"{"type":"tool","spec_version":"2.1"}"#;
    let cases = [
        (
            r#"{"type":"bundle","id":"b","spec_version":"2.0","objects":[{"type":"tool"}]}"#,
            format!(r#"{{"type":"bundle","id":"b","objects":[{tool}]}}"#),
            1,
        ),
        (
            r#"{"spec_version":"2.0","objects":[{"type":"tool"},{"type":"tool"}],"type":"bundle"}"#,
            format!(r#"{{"objects":[{tool},{tool}],"type":"bundle"}}"#),
            2,
        ),
        (
            "{ \"type\": \"bundle\",\n \"objects\": [\n {\"type\":\"tool\"},\n {\"type\":\"tool\"}\n ],\n \"spec_version\": \"2.0\"\n}\n",
            format!("{{ \"type\": \"bundle\",\n \"objects\": [\n {tool},\n {tool}\n ]\n}}"),
            2,
        ),
        (r#"{"type":"bundle","objects":[]}"#, r#"{"type":"bundle","objects":[]}"#.into(), 0),
        (r#"{"type":"bundle"}"#, r#"{"type":"bundle"}"#.into(), 0),
    ];
    for (text, expected, count) in cases {
        assert_eq!(of(text), Ok((expected, count)), "{text}");
    }
    for text in [
        "[]",
        "3",
        "{}",
        r#"{"type":"tool"}"#,
        r#"{"type":"bundle","objects":{}}"#,
        r#"{"type":"bundle","objects":[3]}"#,
    ] {
        assert_eq!(of(text), Err(Error::NotABundle), "{text}");
    }
    for text in [
        r#"{"type":"bundle""#,
        r#"{"type":"bundle",}"#,
        r#"{"type":"bundle" "id":3}"#,
        r#"{"type":"bundle","type":"bundle"}"#,
        r#"{"type":"bundle"} x"#,
        r#"{"type":"bundle","objects":[{"type":"tool"} {"type":"tool"}]}"#,
        r#"{"type":"bundle","objects":[{"type":"tool"},]}"#,
        r#"{"type":"bundle","objects":[{"type":"tool"}"#,
        r#"{3:4}"#,
    ] {
        assert!(matches!(of(text), Err(Error::Json(_))), "{text}");
    }
}

#[test]
fn observed_data_of_one_bundle_share_observables() {
    let container = json!({"0": {"type": "ipv4-addr", "value": "198.51.100.3"}});
    let mut marked = observed(container.clone());
    marked["object_marking_refs"] = json!(["marking-definition--a"]);
    let all = json!({"type": "bundle", "objects": [observed(container.clone()), observed(container), marked]});
    let found = bundle(all.to_string().as_bytes(), &Limits::default()).unwrap();
    assert_eq!(found.objects, 5, "three of observed data, the observable, and the observable as marked otherwise");
    assert_eq!(fates(&found.notes), [("objects", Fate::Kept)]);
    assert_eq!(serde_json::from_slice::<Json>(&found.text).unwrap()["objects"].as_array().unwrap().len(), 5);
}

fn containers() -> impl Strategy<Value = Json> {
    let key = 0_usize..4;
    let entry = prop_oneof![
        "[a-b]".prop_map(|value| json!({"type": "ipv4-addr", "value": value})),
        key.clone().prop_map(|key| json!({"type": "directory", "path": "p", "contains_refs": [key.to_string()]})),
        key.clone().prop_map(|key| json!({"type": "file", "name": "f", "parent_directory_ref": key.to_string()})),
        (key.clone(), key.clone()).prop_map(|(a, b)| json!({"type": "network-traffic", "src_ref": a.to_string(), "dst_ref": b.to_string(), "protocols": ["x"]})),
        key.clone().prop_map(|key| json!({"type": "file", "name": "z", "extensions": {"archive-ext": {"contains_refs": [key.to_string()]}}})),
        key.prop_map(|key| json!({"type": "process", "name": "p", "parent_ref": key.to_string()})),
    ];
    prop::collection::vec(entry, 4)
        .prop_map(|entries| entries.into_iter().enumerate().map(|(at, entry)| (at.to_string(), entry)).collect())
}

/// All strings under `…_ref` and `…_refs`.
fn references(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(id) if name.ends_with("_ref") => found.push(id.clone()),
                    Json::Array(ids) if name.ends_with("_refs") => {
                        found.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()))
                    }
                    _ => references(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn references_resolve_and_the_result_is_of_2_1(container in containers()) {
        let data = observed(container);
        let (found, _) = up(&data);
        let ids: Vec<&str> = found.iter().map(|object| object["id"].as_str().unwrap()).collect();
        let mut wanted = Vec::new();
        found.iter().for_each(|object| references(object, &mut wanted));
        for id in &wanted {
            prop_assert!(ids.contains(&id.as_str()), "{} of {:?}", id, ids);
        }
        let listed: Vec<&str> = found[0]["object_refs"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let mut sorted = listed.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), listed.len(), "each once");
        prop_assert_eq!(sorted.len(), ids.len() - 1, "all are listed");
        prop_assert_eq!(up(&data).0, found.clone(), "the same source, the same result");
        for object in &found {
            prop_assert_eq!(up(object).0, std::slice::from_ref(object), "what is of 2.1 stays");
        }
    }

    #[test]
    fn no_name_comes_twice(
        object_type in "malware|indicator|observed-data|tool",
        names in prop::collection::vec("labels|malware_types|tool_types|indicator_types|is_family|pattern|pattern_type|pattern_version|spec_version|object_refs|objects", 0..6),
        entry_type in "file|process|user-account|directory|windows-registry-key|artifact",
        inner in prop::collection::vec("created|ctime|created_time|modified|mtime|modified_time|accessed|atime|binary_ref|image_ref|name|arguments|command_line|password_last_changed|credential_last_changed|is_encrypted", 0..6),
    ) {
        let member = |name: &String| (name.clone(), match name.as_str() {
            "labels" => json!(["worm", "Other", "tool"]),
            "arguments" => json!(["a"]),
            "binary_ref" | "image_ref" => "0".into(),
            _ => "x".into(),
        });
        let mut entry: serde_json::Map<String, Json> = inner.iter().map(member).collect();
        entry.insert("type".into(), entry_type.into());
        entry.insert("hashes".into(), json!({"ssdeep": "a", "SSDEEP": "b"}));
        entry.insert("extensions".into(), json!({"a": {}, "foo": {}, "foo-ext": {}}));
        let mut object: serde_json::Map<String, Json> = names.iter().map(member).collect();
        object.remove("spec_version");
        object.insert("type".into(), object_type.into());
        object.insert("objects".into(), json!({"0": entry}));
        let text = Json::from(object).to_string();
        for found in super::object(text.as_bytes()).unwrap().objects {
            let parsed = Tape::new().parse(&found, &Limits::default()).map(|_| ());
            prop_assert!(parsed.is_ok(), "{:?} {}", parsed, String::from_utf8_lossy(&found));
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in r#"[{}\[\],:"a-z0-9 ]{0,40}"#) {
        let _ = super::object(text.as_bytes());
        let _ = bundle(text.as_bytes(), &Limits::default());
        let _ = bundle(format!("{{\"type\":\"bundle\",\"objects\":[{text}]}}").as_bytes(), &Limits::default());
    }
}

#[test]
fn the_whole_of_enterprise_attack() {
    let Some(packed) = published::bytes("attack-stix/enterprise-attack-18.1-stix20.json.zst") else { return };
    let text = zstd::decode_all(packed.as_slice()).unwrap();
    let found = bundle(&text, &Limits::default()).unwrap();
    assert_eq!(found.objects, 24_771);
    let (old, new) = (pieces(&text), pieces(&found.text));
    assert_eq!(old.len(), new.len());
    // To compare each of so many takes long in a build for tests: all that change by type, and every eighth other.
    let chosen = |at: usize, old: &str| at.is_multiple_of(8) || old.contains(r#""labels""#);
    for (_, (old, new)) in old.iter().zip(new).enumerate().filter(|(at, (old, _))| chosen(*at, old.get())) {
        let (mut expected, new): (Json, Json) =
            (serde_json::from_str(old.get()).unwrap(), serde_json::from_str(new.get()).unwrap());
        let members = expected.as_object_mut().unwrap();
        members.insert("spec_version".into(), "2.1".into());
        match new["type"].as_str().unwrap() {
            "malware" => drop((members.insert("is_family".into(), true.into()), members.remove("labels"))),
            "tool" => drop(members.remove("labels")),
            _ => {}
        }
        assert_eq!(new, expected);
    }
    assert_eq!(errors(&found.text), [""; 0]);
    let fates = |fate: Fate| found.notes.iter().filter(|note| note.fate == fate).count();
    assert_eq!((fates(Fate::Assumed), fates(Fate::Dropped), found.notes.len()), (696, 787, 1483));
}

/// The objects of a bundle, unread.
fn pieces(bundle: &[u8]) -> Vec<&serde_json::value::RawValue> {
    #[derive(serde::Deserialize)]
    struct Bundle<'t> {
        #[serde(borrow)]
        objects: Vec<&'t serde_json::value::RawValue>,
    }
    serde_json::from_slice::<Bundle<'_>>(bundle).unwrap().objects
}

/// The validator's errors about an upgraded bundle or object, by the recorded case or the object they are of.
fn errors(text: &[u8]) -> Vec<String> {
    let mut validator = Validator::new(Options { version: Some(Version::V21), ..Options::default() });
    let report = validator.document(text);
    let errors = report.findings().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| format!("{:?} {} {}", finding.code, finding.path, finding.message)).collect()
}

/// Cases that were valid by STIX 2.0, or at least taken, and cannot become valid by 2.1.
const INVALID: &[(&str, &str)] = &[
    ("validator-00662", "§2.9: the id begins with another type, which the reference lets pass in 2.0"),
    ("validator-00769", "§6.12.4: socket options are named by their prefixes now, and are integers"),
    ("validator-00770", "§6.12.4: socket options are named by their prefixes now, and are integers"),
    ("parse_cases-00012", "§3.2: no id"),
    ("parse_cases-00014", "§3.2: no id"),
    ("parse_cases-00016", "§3.2: no id"),
    ("parse_cases-00018", "§3.2: no id"),
    ("parse_cases-00020", "§3.2: no id"),
    ("parse_cases-00039", "§2.11: a phase name that is a number, which the reference takes for one in 2.0 too"),
];

#[test]
fn what_was_valid_by_2_0_is_valid_by_2_1() {
    let Some(mut cases) = published::cases("stix-cases/validator_cases.jsonl.gz") else { return };
    cases.extend(published::cases("stix-cases/parse_cases.jsonl.gz").unwrap());
    let valid = |case: &Json| case["default"]["valid"] == true || case["ok"] == true;
    let mut found = Vec::new();
    let mut count = 0;
    for case in cases.iter().filter(|case| case["version"] == "2.0" && valid(case) && case["input"].is_object()) {
        count += 1;
        let text = case["input"].to_string();
        let texts = match case["input"]["type"].as_str() {
            Some("bundle") => vec![bundle(text.as_bytes(), &Limits::default()).unwrap().text],
            _ => super::object(text.as_bytes()).unwrap().objects,
        };
        for error in texts.iter().flat_map(|text| errors(text)) {
            println!("{} {error}", case["id"]);
            let id = case["id"].as_str().unwrap().to_owned();
            if found.last() != Some(&id) {
                found.push(id);
            }
        }
    }
    println!("{count} cases");
    assert_eq!(found, INVALID.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}
