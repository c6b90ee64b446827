//! What is taken out of objects, byte by byte, and what holds of every redaction.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod corpus;

use std::collections::BTreeSet;

use corpus::{files, members, shared};
use serde_json::{Value, json};
use stix::json::{Limits, Tape};
use stix::personal::{Kind, Kinds, Treatment, kinds_of};
use stix::redact::{DEFINER, DEFINITION, EXTENSION, Fate, PROPERTY, Redacted, Rules, is_partial, redact};
use stix::validate::{Options, Validator};

const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const HIDDEN: &str = "malware--11111111-1111-4111-8111-111111111111";
const SEEN: &str = "tool--22222222-2222-4222-8222-222222222222";
const MARK: &str = r#"{"extension-definition--3f1c5b0e-8d0a-4c62-9a5e-6e2f4b7d91c3":{"extension_type":"property-extension","partial":true}}"#;

/// RED is withheld, and what is of a hidden UUID; all kinds of personal data are treated alike.
#[derive(Clone, Copy)]
struct Viewer {
    personal: Treatment,
    /// References whose UUID ends in one of these characters are hidden.
    hides: &'static str,
}

impl Rules for Viewer {
    fn marking_withheld(&self, marking: &str) -> bool {
        marking == RED
    }

    fn reference(&self, id: &str) -> Fate {
        if self.hides(id) { Fate::Goes } else { Fate::Stays }
    }

    fn personal(&self, _: Kind) -> Treatment {
        self.personal
    }
}

impl Viewer {
    fn hides(&self, id: &str) -> bool {
        id == HIDDEN || id.ends_with(|last| self.hides.contains(last))
    }
}

const VIEWER: Viewer = Viewer { personal: Treatment::Give, hides: "" };
const MASKS: Viewer = Viewer { personal: Treatment::Mask, hides: "" };

fn run(object: &str, viewer: Viewer) -> (Redacted, String) {
    let mut out = b"before".to_vec();
    let redacted = redact(object.as_bytes(), &viewer, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    (redacted, text.strip_prefix("before").expect("what was there stays").to_owned())
}

const HEAD: &str = r#""type":"tool","spec_version":"2.1","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z""#;

fn tool(members: &str) -> String {
    format!("{{{HEAD},{members}}}")
}

/// A list of granular markings.
fn granular(entries: &[(&str, &[&str])]) -> String {
    let list: Vec<Value> = entries
        .iter()
        .map(|(said, selectors)| {
            let name = if said.starts_with("marking") { "marking_ref" } else { "lang" };
            json!({name: said, "selectors": selectors})
        })
        .collect();
    Value::from(list).to_string()
}

#[test]
fn exactly_the_selected_parts_go() {
    let red = |selectors: &[&str]| granular(&[(RED, selectors)]);
    let cases = [
        (
            "a property",
            format!(r#""name":"n","description":"d","granular_markings":{}"#, red(&["description"])),
            r#""name":"n""#.to_owned(),
        ),
        (
            "the markings first",
            format!(r#""granular_markings":{},"description":"d","name":"n""#, red(&["description"])),
            r#""name":"n""#.to_owned(),
        ),
        (
            "elements",
            format!(r#""name":"n","labels":["a", "b" ,"c"],"granular_markings":{}"#, red(&["labels.[1]"])),
            r#""name":"n","labels":["a" ,"c"]"#.to_owned(),
        ),
        (
            "the first and the last",
            format!(
                r#""name":"n","labels":[ "a", "b" , "c" ],"granular_markings":{}"#,
                red(&["labels.[0]", "labels.[2]"])
            ),
            r#""name":"n","labels":[ "b" ]"#.to_owned(),
        ),
        (
            "all elements",
            format!(r#""name":"n","labels":["a","b"],"granular_markings":{}"#, red(&["labels.[0]", "labels.[1]"])),
            r#""name":"n""#.to_owned(),
        ),
        (
            "nested",
            format!(
                r#""name":"n","external_references":[{{"source_name":"s","url":"https://x.example/","description":"d"}}],"granular_markings":{}"#,
                red(&["external_references.[0].url"])
            ),
            r#""name":"n","external_references":[{"source_name":"s","description":"d"}]"#.to_owned(),
        ),
        (
            "keys of any characters",
            format!(
                r#""name":"n","x_d":{{"a.b":1,"Ü \"k\"!":2,"[0]":3,"c":4}},"granular_markings":{}"#,
                red(&["x_d.a.b", "x_d.Ü \"k\"!", "x_d.[0]"])
            ),
            r#""name":"n","x_d":{"c":4}"#.to_owned(),
        ),
        (
            "a key with escapes",
            format!(r#""name":"n","x_\u0064":1,"granular_markings":{}"#, red(&["x_d"])),
            r#""name":"n""#.to_owned(),
        ),
        (
            "a selector read in two ways",
            format!(r#""name":"n","x_d":{{"a":{{"b":1,"c":2}},"a.b":3}},"granular_markings":{}"#, red(&["x_d.a.b"])),
            r#""name":"n","x_d":{"a":{"c":2}}"#.to_owned(),
        ),
        (
            "a whole and its part",
            format!(r#""name":"n","x_d":{{"a":1}},"granular_markings":{}"#, red(&["x_d.a.nothing", "x_d"])),
            r#""name":"n""#.to_owned(),
        ),
        (
            "renumbered",
            format!(
                r#""name":"n","labels":["a","b","c"],"granular_markings":{}"#,
                granular(&[
                    (RED, &["labels.[1]"]),
                    (GREEN, &["labels.[0]", "labels.[1]", "labels.[2]"]),
                    ("fr", &["labels.[1]"])
                ])
            ),
            format!(
                r#""name":"n","labels":["a","c"],"granular_markings":{}"#,
                granular(&[(GREEN, &["labels.[0]", "labels.[1]"])])
            ),
        ),
        (
            "renumbered deep down",
            format!(
                r#""name":"n","external_references":[{{"source_name":"s","description":"d"}},{{"source_name":"t","description":"e"}}],"granular_markings":{}"#,
                granular(&[
                    (GREEN, &["external_references.[1].description", "name"]),
                    (RED, &["external_references.[0]"])
                ])
            ),
            format!(
                r#""name":"n","external_references":[{{"source_name":"t","description":"e"}}],"granular_markings":{}"#,
                granular(&[(GREEN, &["external_references.[0].description", "name"])])
            ),
        ),
        (
            "markings of what becomes empty",
            format!(
                r#""name":"n","x_a":{{"b":[1]}},"granular_markings":{}"#,
                granular(&[(GREEN, &["x_a.b"]), (RED, &["x_a.b.[0]"]), (GREEN, &["name"])])
            ),
            format!(r#""name":"n","granular_markings":{}"#, granular(&[(GREEN, &["name"])])),
        ),
        (
            "a hidden reference",
            format!(
                r#""name":"n","x_a_ref":"{HIDDEN}","x_b_refs":["{SEEN}", "{HIDDEN}"],"x_c_refs":["{HIDDEN}"],"granular_markings":{}"#,
                granular(&[(GREEN, &["x_b_refs.[0]"])])
            ),
            format!(
                r#""name":"n","x_b_refs":["{SEEN}"],"granular_markings":{}"#,
                granular(&[(GREEN, &["x_b_refs.[0]"])])
            ),
        ),
        (
            "a hidden reference in text is text",
            format!(r#""name":"{HIDDEN}","x_a_ref":"{HIDDEN}""#),
            format!(r#""name":"{HIDDEN}""#),
        ),
    ];
    for (name, members, expected) in cases {
        let (redacted, out) = run(&tool(&members), VIEWER);
        assert_eq!((redacted, out), (Redacted::Part, tool(&format!("{expected},\"extensions\":{MARK}"))), "{name}");
    }
}

#[test]
fn the_author_s_layout_stays() {
    let object = format!(
        "\n{{ {HEAD} ,\n  \"name\" : \"n\\u00e9\",\n  \"description\": \"d\",\n  \"x_n\": 1.0e1,\n  \"granular_markings\": {}\n}}\n",
        granular(&[(RED, &["description"])])
    );
    let object = object.replace(r#","spec"#, r#", "spec"#);
    let expected = format!("\n{{ {HEAD} ,\n  \"name\" : \"n\\u00e9\",\n  \"x_n\": 1.0e1, \"extensions\": {MARK}\n}}\n");
    assert_eq!(run(&object, VIEWER), (Redacted::Part, expected.replace(r#","spec"#, r#", "spec"#)));
}

#[test]
fn nothing_to_take_out_leaves_the_bytes() {
    for object in [
        tool(r#""name":"n""#),
        format!(" {} ", tool(r#""name":"a@b.org""#)),
        tool(&format!(r#""name":"n","granular_markings":{}"#, granular(&[(GREEN, &["name"]), ("fr", &["name"])]))),
    ] {
        assert_eq!(run(&object, VIEWER), (Redacted::Whole, object.clone()));
    }
}

#[test]
fn withheld_where_it_cannot_be_taken_out() {
    let withheld = |name: &str, object: &str, viewer: Viewer| {
        assert_eq!(run(object, viewer), (Redacted::Withheld, String::new()), "{name}: {object}");
    };
    let selected = [
        "name",
        "type",
        "id",
        "created",
        "nothing",
        "labels.[9]",
        "labels.x",
        "granular_markings",
        "granular_markings.[0].marking_ref",
        "object_marking_refs",
        "revoked",
    ];
    for selector in selected {
        let members = format!(
            r#""name":"n","labels":["a"],"revoked":true,"object_marking_refs":["{GREEN}"],"granular_markings":{}"#,
            granular(&[(RED, &[selector])])
        );
        withheld(selector, &tool(&members), VIEWER);
    }
    for list in [
        "null",
        "{}",
        "[1]",
        "[{}]",
        r#"[{"selectors":["name"]}]"#,
        r#"[{"marking_ref":1,"selectors":["description"]}]"#,
    ] {
        withheld(
            "markings that cannot be read",
            &tool(&format!(r#""name":"n","description":"d","granular_markings":{list}"#)),
            VIEWER,
        );
    }
    for selectors in ["null", "[]", "[1]", r#""description""#] {
        let list = format!(r#"[{{"marking_ref":"{RED}","selectors":{selectors}}}]"#);
        withheld(
            "selectors that cannot be read",
            &tool(&format!(r#""name":"n","description":"d","granular_markings":{list}"#)),
            VIEWER,
        );
    }
    let both = tool("\"name\":\"n\"").replace("\"tool\"", "\"relationship\"");
    withheld(
        "a hidden end",
        &both.replace(
            r#""name":"n""#,
            &format!(r#""relationship_type":"uses","source_ref":"{HIDDEN}","target_ref":"{SEEN}""#),
        ),
        VIEWER,
    );
    withheld(
        "all of a list that must be",
        &both
            .replace(r#""name":"n""#, &format!(r#""object_refs":["{HIDDEN}"]"#))
            .replace("relationship", "grouping")
            .replace(r#""object_refs"#, r#""context":"x","object_refs"#),
        VIEWER,
    );
    withheld("no object", "[1]", VIEWER);
    withheld("no JSON", "{", VIEWER);
    withheld("no type", "{}", VIEWER);
    withheld(
        "a bundle",
        r#"{"type":"bundle","id":"bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","objects":[]}"#,
        VIEWER,
    );
    withheld(
        "somebody says it is whole",
        &tool(&format!(r#""name":"n","x_a_ref":"{HIDDEN}","extensions":{}"#, MARK.replace("true", "false"))),
        VIEWER,
    );
    let strict = Viewer { personal: Treatment::Withhold, hides: "" };
    withheld("personal data", &tool(r#""name":"a@b.org""#), strict);
    withheld(
        "fixed personal data",
        r#"{"type":"email-addr","id":"email-addr--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f","value":"a@b.org"}"#,
        MASKS,
    );
    withheld("a key", &tool(r#""name":"n","x_d":{"a@b.org":1}"#), MASKS);
}

#[test]
fn where_the_mark_stands() {
    let file =
        |members: &str| format!(r#"{{"type":"file","id":"file--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f",{members}}}"#);
    let mutex = file(r#""name":"n""#).replace("file", "mutex");
    let older = format!("{{{},\"name\":\"n\",\"labels\":[\"a\"]}}", HEAD.replace(r#""spec_version":"2.1","#, ""));
    let add = |object: &str, member: &str| format!("{}{member}}}", object.strip_suffix('}').expect("a brace"));
    let hidden = format!(r#","x_a_ref":"{HIDDEN}""#);
    let own = r#","extensions":{"extension-definition--99999999-9999-4999-8999-999999999999":{"extension_type":"property-extension","a":1}}"#;
    let cases = [
        (mutex.clone(), format!(",\"extensions\":{MARK}")),
        (file(r#""name":"n""#), ",\"x_marsad_partial\":true".to_owned()),
        (older, ",\"x_marsad_partial\":true".to_owned()),
    ];
    for (object, mark) in cases {
        assert_eq!(run(&add(&object, &hidden), VIEWER), (Redacted::Part, add(&object, &mark)));
        // An object that is partial already is not marked again.
        let marked = add(&object, &mark);
        assert_eq!(run(&add(&marked, &hidden), VIEWER), (Redacted::Part, marked));
    }
    let expected = format!("{},{}", own.strip_suffix('}').expect("a brace"), &MARK[1..]);
    assert_eq!(run(&add(&mutex, &format!("{own}{hidden}")), VIEWER), (Redacted::Part, add(&mutex, &expected)));
    // Extensions that are taken out as a whole make room for the mark.
    let list = format!(r#","granular_markings":{}"#, granular(&[(RED, &["extensions"])]));
    assert_eq!(
        run(&add(&mutex, &format!("{own}{list}")), VIEWER),
        (Redacted::Part, add(&mutex, &format!(",\"extensions\":{MARK}")))
    );
}

#[test]
fn masks() {
    let cases = [
        (
            r#""name":"n","description":"of a@b.org, +33 6 12 34 56 78 and FR7630006000011234567890189.""#,
            r#""name":"n","description":"of [e-mail], [phone] and [account].""#,
        ),
        (
            r#""name":"n","description":"\"\u0061\u0040b.org\" \ud83d\ude00\n é a@b.org\u0021""#,
            r#""name":"n","description":"\"[e-mail]\" \ud83d\ude00\n é [e-mail]\u0021""#,
        ),
        (
            r#""name":"n","labels":["x","a@b.org"],"x_d":{"k":["a@b.org"]}"#,
            r#""name":"n","labels":["x","[e-mail]"],"x_d":{"k":["[e-mail]"]}"#,
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(run(&tool(members), MASKS), (Redacted::Part, tool(&format!("{expected},\"extensions\":{MARK}"))));
    }
    let person =
        tool(r#""name":"Jo Doe","identity_class":"individual","contact_information":"jo@b.org or tel. 0612345678""#)
            .replace("tool", "identity");
    let masked = tool(&format!(r#""name":"[name]","identity_class":"individual","contact_information":"[e-mail] or tel. [phone]","extensions":{MARK}"#)).replace("tool", "identity");
    assert_eq!(run(&person, MASKS), (Redacted::Part, masked.clone()));
    assert_eq!(run(&masked, MASKS), (Redacted::Whole, masked));
    struct PhonesOnly;
    impl Rules for PhonesOnly {
        fn marking_withheld(&self, _: &str) -> bool {
            false
        }
        fn reference(&self, _: &str) -> Fate {
            Fate::Stays
        }
        fn personal(&self, kind: Kind) -> Treatment {
            if kind == Kind::Phone { Treatment::Mask } else { Treatment::Give }
        }
    }
    let mut out = Vec::new();
    assert_eq!(redact(person.as_bytes(), &PhonesOnly, &mut out), Redacted::Part);
    assert!(
        String::from_utf8(out).expect("UTF-8").contains(
            r#""name":"Jo Doe","identity_class":"individual","contact_information":"jo@b.org or tel. [phone]""#
        )
    );
}

#[test]
fn the_definition_of_the_mark_is_valid_and_what_the_mark_says() {
    let mut validator = Validator::new(Options::default());
    for object in [DEFINITION, DEFINER] {
        let checked = validator.object(object.as_bytes());
        assert!(checked.valid() && checked.warnings() == 0, "{:?}", checked.findings());
    }
    let definition: Value = serde_json::from_str(DEFINITION).expect("JSON");
    let definer: Value = serde_json::from_str(DEFINER).expect("JSON");
    assert_eq!((&definition["id"], &definition["created_by_ref"]), (&json!(EXTENSION), &definer["id"]));
    let schema: Value = serde_json::from_str(definition["schema"].as_str().expect("a string")).expect("JSON");
    let mark: Value = serde_json::from_str(MARK).expect("JSON");
    for (name, value) in mark[EXTENSION].as_object().expect("an object") {
        assert_eq!(&schema["properties"][name]["const"], value);
    }
}

/// Objects with much to take out, and what there is of other people's.
fn objects() -> Vec<Value> {
    let time = "2020-01-01T00:00:00.000Z";
    let sdo = |kind: &str, rest: Value| {
        let mut object = json!({"type": kind, "spec_version": "2.1", "id": format!("{kind}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"), "created": time, "modified": time});
        object.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        object
    };
    let sco = |kind: &str, rest: Value| {
        let mut object = json!({"type": kind, "id": format!("{kind}--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f")});
        object.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        object
    };
    let file = "file--44444444-4444-5444-8444-44444444444a";
    let mut all = vec![
        sdo(
            "report",
            json!({"name": "n", "published": time, "object_refs": [HIDDEN, SEEN, file], "labels": ["a", "b a@b.org"], "lang": "fr", "external_references":
            [{"source_name": "cve", "external_id": "CVE-2020-1234", "url": "https://x.example/", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}}, {"source_name": "s", "description": "tel +33612345678"}]}),
        ),
        sdo(
            "location",
            json!({"latitude": 1.5, "longitude": 2.5, "precision": 3, "region": "northern-africa", "city": "x"}),
        ),
        sdo(
            "malware",
            json!({"is_family": true, "name": "n", "sample_refs": [file], "kill_chain_phases": [{"kill_chain_name": "k", "phase_name": "p"}], "x_a": "b", "x_a_enc": "utf-8", "x_ref": SEEN}),
        ),
        sdo(
            "sighting",
            json!({"sighting_of_ref": SEEN, "where_sighted_refs": ["identity--33333333-3333-4333-8333-33333333333b"], "count": 2}),
        ),
        sdo(
            "identity",
            json!({"name": "Jo", "identity_class": "individual", "roles": ["r"], "contact_information": "jo@b.org"}),
        ),
        sdo(
            "note",
            json!({"content": "c a@b.org", "authors": ["Jo"], "object_refs": [SEEN, HIDDEN], "x_deep": {"a": [{"b_ref": HIDDEN, "c": [1, [2, 3]]}, {}], "d.e": {"f": null}}}),
        ),
        sdo(
            "x-acme-case",
            json!({"extensions": {"extension-definition--99999999-9999-4999-8999-999999999999": {"extension_type": "new-sdo"}}, "lead_ref": SEEN, "steps": [{"a_refs": [HIDDEN, SEEN]}]}),
        ),
        sdo(
            "language-content",
            json!({"object_ref": SEEN, "contents": {"fr": {"name": "n", "labels": ["a", "b"]}, "ar": {"name": "ن"}}}),
        ),
        sdo(
            "observed-data",
            json!({"first_observed": time, "last_observed": time, "number_observed": 1, "object_refs": [file, "mutex--44444444-4444-5444-8444-44444444444a"]}),
        ),
        json!({"type": "observed-data", "id": "observed-data--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "created": time, "modified": time, "first_observed": time, "last_observed": time, "number_observed": 1, "objects": {
            "0": {"type": "email-addr", "value": "a@b.org", "display_name": "A"}, "1": {"type": "email-message", "is_multipart": false, "from_ref": "0", "subject": "s"},
            "2": {"type": "user-account", "user_id": "1001", "display_name": "d"}, "3": {"type": "file", "name": "n", "size": 1, "x_a": [1]}}}),
        sco(
            "file",
            json!({"name": "n", "size": 1, "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e", "SHA-1": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}, "contains_refs": [file], "parent_directory_ref": "directory--44444444-4444-5444-8444-44444444444a"}),
        ),
        sco(
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": "ipv4-addr--44444444-4444-5444-8444-44444444444a", "src_byte_count": 1, "ipfix": {"minimumIpTotalLength": 1}, "start": time, "end": time, "is_active": false}),
        ),
        sco(
            "email-message",
            json!({"is_multipart": true, "body_multipart": [{"body": "b", "content_type": "text/plain"}], "to_refs": ["email-addr--44444444-4444-5444-8444-44444444444a"], "additional_header_fields": {"Reply-To": ["Jo <a@b.org>", "x"], "X": "y"}}),
        ),
        sco(
            "process",
            json!({"pid": 1, "environment_variables": {"A": "a@b.org", "B": "c"}, "extensions": {"windows-process-ext": {"priority": "HIGH_PRIORITY_CLASS", "window_title": "t"}, "windows-service-ext": {"service_name": "s", "service_dll_refs": [file]}}}),
        ),
        sco(
            "artifact",
            json!({"url": "https://x.example/", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}, "mime_type": "text/plain", "encryption_algorithm": "mime-type-indicated", "decryption_key": "k"}),
        ),
        sco(
            "x509-certificate",
            json!({"issuer": "i", "subject": "E=a@b.org", "x509_v3_extensions": {"key_usage": "k", "subject_alternative_name": "a@b.org"}}),
        ),
        sco(
            "windows-registry-key",
            json!({"key": "HKEY_LOCAL_MACHINE\\a", "values": [{"name": "n", "data": "d"}], "number_of_subkeys": 1}),
        ),
    ];
    all.extend(
        include_str!("validator/bases.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")),
    );
    let mut documents = Vec::new();
    if let Some(archive) = shared("stix21-example-objects/stix21-examples.tar.zst") {
        let bytes = zstd::decode_all(std::fs::File::open(archive).expect("a file")).expect("zstd");
        let texts = members(&bytes).into_iter().filter(|(name, _)| name.ends_with(".json"));
        documents.extend(texts.filter_map(|(_, text)| serde_json::from_slice::<Value>(text).ok()));
    }
    for folder in
        ["stix21-schemas/examples", "stix21-schemas/examples/threat-reports", "stix21-validator-samples/test_examples"]
    {
        let found = shared(folder).map(|folder| files(&folder)).unwrap_or_default();
        documents.extend(
            found.iter().filter_map(|path| serde_json::from_slice::<Value>(&std::fs::read(path).expect("a file")).ok()),
        );
    }
    for document in documents {
        match document.get("objects").and_then(Value::as_array) {
            Some(objects) => all.extend(objects.iter().cloned()),
            None => all.push(document),
        }
    }
    // A bundle is no STIX object and always withheld.
    all.retain(|object| object["type"] != "bundle" && object.as_object().is_some_and(|members| !members.is_empty()));
    all
}

/// Every selector of an object, of containers too.
fn selectors(value: &Value, path: &str, all: &mut Vec<String>) {
    let mut one = |name: String, value: &Value| {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        selectors(value, &path, all);
        all.push(path);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| one(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| one(format!("[{at}]"), value)),
        _ => {}
    }
}

/// Numbers that look random: the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most.max(1)
    }
}

/// The oracle: takes out by a copy, path by path. `None` for what is taken out itself.
fn without(
    value: &Value,
    path: &str,
    gone: &BTreeSet<String>,
    hides: &dyn Fn(&str) -> bool,
    name: &str,
) -> Option<Value> {
    if gone.contains(path) {
        return None;
    }
    let join = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::String(text) if is_reference(name) && stix::id::Id::parse(text).is_ok() && hides(text) => None,
        Value::Array(items) => {
            let left: Vec<Value> = items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| without(item, &join(&format!("[{at}]")), gone, hides, name))
                .collect();
            (!left.is_empty() || items.is_empty()).then_some(Value::Array(left))
        }
        Value::Object(members) => {
            let left: serde_json::Map<String, Value> = members
                .iter()
                .filter_map(|(key, item)| Some((key.clone(), without(item, &join(key), gone, hides, key)?)))
                .collect();
            (!left.is_empty() || members.is_empty()).then_some(Value::Object(left))
        }
        other => Some(other.clone()),
    }
}

/// The oracle: the ids that an object names.
fn references<'v>(value: &'v Value, name: &str, all: &mut BTreeSet<&'v str>) {
    match value {
        Value::String(text) if is_reference(name) && stix::id::Id::parse(text).is_ok() => drop(all.insert(text)),
        Value::Array(items) => items.iter().for_each(|item| references(item, name, all)),
        Value::Object(members) => members.iter().for_each(|(key, item)| references(item, key, all)),
        _ => {}
    }
}

fn is_reference(name: &str) -> bool {
    let excepted = ["created_by_ref", "object_marking_refs", "marking_ref"];
    (name.ends_with("_ref") || name.ends_with("_refs")) && !excepted.contains(&name)
}

/// Puts something else where the selector points.
fn replace(object: &mut Value, selector: &str) {
    let mut at = object;
    for step in selector.split('.') {
        let next = match step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
            Some(index) if at.is_array() => at.get_mut(index.parse::<usize>().expect("an index")),
            _ => at.get_mut(step),
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    *at = json!([{"another@example.org": "+33699999999"}, "x"]);
}

/// Without what says that it is partial, and without granular markings.
fn bare(mut object: Value) -> Value {
    let members = object.as_object_mut().expect("an object");
    members.remove("granular_markings");
    members.remove(PROPERTY);
    if let Some(extensions) = members.get_mut("extensions").and_then(Value::as_object_mut) {
        extensions.remove(EXTENSION);
        if extensions.is_empty() {
            members.remove("extensions");
        }
    }
    object
}

#[test]
fn every_redaction_is_valid_settled_exact_and_independent_of_what_it_hides() {
    let mut dice = Dice(7);
    let mut validator = Validator::new(Options::default());
    let (mut parts, mut withheld, mut masked) = (0, 0, 0);
    for (number, object) in objects().into_iter().enumerate() {
        let mut paths = Vec::new();
        selectors(&object, "", &mut paths);
        // Most of other people's objects are much alike.
        for round in 0..if number < 60 { 60 } else { 10 } {
            let viewer = Viewer {
                personal: if round % 3 == 0 { Treatment::Mask } else { Treatment::Give },
                hides: ["", "a", "0", "", "1f"][round % 5],
            };
            let pick = |dice: &mut Dice, most: usize| -> Vec<String> {
                (0..dice.below(most)).map(|_| paths[dice.below(paths.len())].clone()).collect()
            };
            let (red, green) = (pick(&mut dice, 4), pick(&mut dice, 4));
            let mark = |object: &Value| {
                let mut marked = object.clone();
                let mut list = vec![json!({"lang": "ar", "selectors": ["type"]})];
                list.extend((!green.is_empty()).then(|| json!({"marking_ref": GREEN, "selectors": green})));
                list.extend((!red.is_empty()).then(|| json!({"marking_ref": RED, "selectors": red})));
                marked["granular_markings"] = Value::from(list);
                marked
            };
            let marked = mark(&object);
            let text = marked.to_string();
            let checked = validator.object(text.as_bytes());
            let (valid, head) = (checked.valid(), checked.head.clone());
            if let Some(head) = head.as_ref().filter(|_| valid) {
                let mut names = BTreeSet::new();
                references(&marked, "", &mut names);
                let found: BTreeSet<&str> = head.references.iter().map(|id| id.as_ref()).collect();
                assert_eq!((found.len(), &found), (head.references.len(), &names), "{text}");
            }
            let (redacted, out) = run(&text, viewer);
            if valid && viewer.personal == Treatment::Give && viewer.hides.is_empty() && !text.contains(HIDDEN) {
                let binding = head.expect("a head").granular.iter().any(|found| found.marking == RED && found.binding);
                assert_eq!(redacted == Redacted::Withheld, binding, "{text}");
            }
            // Other values in the places that go change nothing.
            let mut others = object.clone();
            red.iter().for_each(|selector| replace(&mut others, selector));
            let others = mark(&others).to_string();
            if !red.iter().any(|selector| selector == "type") {
                assert_eq!(run(&others, viewer), (redacted, out.clone()), "{others}\n{text}");
            }
            match redacted {
                Redacted::Whole => assert_eq!(out, text),
                Redacted::Withheld => {
                    assert!(out.is_empty());
                    withheld += 1;
                    continue;
                }
                Redacted::Part => parts += 1,
            }
            assert_eq!(run(&out, viewer), (Redacted::Whole, out.clone()), "again: {text}");
            let after = validator.object(out.as_bytes());
            assert!(!valid || after.valid(), "{text}\n{out}\n{:?}", after.findings());
            let personal = kinds_of(out.as_bytes());
            if viewer.personal == Treatment::Mask {
                assert_eq!((personal.maskable, personal.fixed), (Kinds::NONE, Kinds::NONE), "{out}");
                masked += 1;
                continue;
            }
            let gone = red.iter().cloned().collect();
            let hides = |id: &str| viewer.hides(id);
            let expected = without(&object, "", &gone, &hides, "").expect("an object");
            let found: Value = serde_json::from_str(&out).expect("JSON");
            assert_eq!(bare(found), bare(expected), "{text}");
            let mut tape = Tape::new();
            let value = tape.parse(out.as_bytes(), &Limits::default()).expect("JSON");
            assert!(redacted == Redacted::Whole || is_partial(value), "{out}");
        }
    }
    assert!(parts > 500 && withheld > 500 && masked > 100, "{parts} {withheld} {masked}");
}

#[test]
fn whatever_the_bytes_a_redaction_is_settled_and_keeps_who_the_object_is() {
    let mut dice = Dice(11);
    let pieces = [
        r#""a@b.org""#,
        "null",
        "[]",
        "{}",
        r#""x_a_ref":"#,
        HIDDEN,
        RED,
        "selectors",
        "extensions",
        EXTENSION,
        "\\u0040",
        "[0]",
        ".",
        "+33612345678",
        "\"",
        ",",
    ];
    let mut parts = 0;
    for object in objects().into_iter().take(60) {
        let mut paths = Vec::new();
        selectors(&object, "", &mut paths);
        let red: Vec<&String> = (0..2).map(|_| &paths[dice.below(paths.len())]).collect();
        let mut marked = object.clone();
        marked["granular_markings"] = json!([{"marking_ref": RED, "selectors": red}]);
        for text in [object.to_string(), marked.to_string()] {
            for round in 0..60 {
                let mut bytes = text.clone().into_bytes();
                for _ in 0..dice.below(3) {
                    let at = dice.below(bytes.len());
                    let piece = pieces[dice.below(pieces.len())].as_bytes();
                    let end = (at + dice.below(8)).min(bytes.len());
                    match dice.below(3) {
                        0 => drop(bytes.remove(at)),
                        1 => bytes[at] = bytes[at].wrapping_add(1),
                        _ => drop(bytes.splice(at..end, piece.iter().copied())),
                    }
                }
                let viewer =
                    Viewer { personal: if round % 2 == 0 { Treatment::Mask } else { Treatment::Give }, hides: "a0" };
                let (mut out, mut again) = (Vec::new(), Vec::new());
                match redact(&bytes, &viewer, &mut out) {
                    Redacted::Withheld => assert!(out.is_empty()),
                    Redacted::Whole => assert_eq!(out, bytes),
                    Redacted::Part => {
                        parts += 1;
                        let (mut before, mut after) = (Tape::new(), Tape::new());
                        let before = before.parse(&bytes, &Limits::default()).expect("JSON");
                        let after = after.parse(&out, &Limits::default()).expect("JSON");
                        assert!(is_partial(after));
                        for name in ["type", "id", "created", "modified"] {
                            assert_eq!(
                                before.get(name).map(|found| found.text()),
                                after.get(name).map(|found| found.text())
                            );
                        }
                        assert_eq!(
                            redact(&out, &viewer, &mut again),
                            Redacted::Whole,
                            "{}",
                            String::from_utf8_lossy(&out)
                        );
                    }
                }
            }
        }
    }
    assert!(parts > 200, "{parts}");
}

/// What goes if it can: where the object stands without it, alone, and never so that nothing would be left to stand.
#[test]
fn absent_references_go_where_they_can() {
    struct Seen(fn(&str) -> Fate);
    impl Rules for Seen {
        fn marking_withheld(&self, _: &str) -> bool {
            false
        }
        fn reference(&self, id: &str) -> Fate {
            self.0(id)
        }
        fn personal(&self, _: Kind) -> Treatment {
            Treatment::Give
        }
    }
    fn id(n: char) -> String {
        format!("tool--00000000-0000-4000-8000-00000000000{n}")
    }
    // 1 is seen, 2 is hidden, 3 and 4 are absent.
    fn fate(id: &str) -> Fate {
        match id.chars().last() {
            Some('1') => Fate::Stays,
            Some('2') => Fate::Goes,
            _ => Fate::GoesIfItCan,
        }
    }
    let note = |ids: &str| {
        let refs: Vec<String> = ids.chars().map(|n| format!("\"{}\"", id(n))).collect();
        format!(
            r#"{{"type":"note","spec_version":"2.1","id":"note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","content":"c","object_refs":[{}]}}"#,
            refs.join(",")
        )
    };
    let relation = |source: char, target: char| {
        format!(
            r#"{{"type":"relationship","spec_version":"2.1","id":"relationship--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","relationship_type":"related-to","source_ref":"{}","target_ref":"{}"}}"#,
            id(source),
            id(target)
        )
    };
    for (object, wanted) in [
        (note("1"), Redacted::Whole),
        (note("13"), Redacted::Part),
        (note("12"), Redacted::Part),
        (note("3"), Redacted::Whole),
        (note("34"), Redacted::Whole),
        (note("2"), Redacted::Withheld),
        (note("23"), Redacted::Withheld),
        (relation('1', '3'), Redacted::Whole),
        (relation('3', '4'), Redacted::Whole),
        (relation('1', '2'), Redacted::Withheld),
        (relation('3', '2'), Redacted::Withheld),
    ] {
        let mut out = Vec::new();
        assert_eq!(redact(object.as_bytes(), &Seen(fate), &mut out), wanted, "{object}");
    }
    // Hidden and absent look alike.
    let (mut hidden, mut absent) = (Vec::new(), Vec::new());
    redact(note("12").as_bytes(), &Seen(fate), &mut hidden);
    redact(note("13").as_bytes(), &Seen(fate), &mut absent);
    assert_eq!(hidden, absent);
}
