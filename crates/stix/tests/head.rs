//! What the head of an object says of its references and of the markings of its parts. STIX 2.1 §2.13, §7.2.3.
#![expect(clippy::expect_used, reason = "a test fails by panicking, helpers included")]

use stix::validate::{Options, Validator};

const SECRET: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
const ONE: &str = "malware--11111111-1111-4111-8111-111111111111";
const TWO: &str = "tool--22222222-2222-4222-8222-222222222222";
const CREATOR: &str = "identity--33333333-3333-4333-8333-333333333333";

fn references(object: &str) -> Vec<String> {
    let mut validator = Validator::new(Options::default());
    let head = validator.object(object.as_bytes()).head.expect("a head");
    head.references.iter().map(|id| id.clone().into_owned()).collect()
}

/// An object of STIX 2.1 with these further members.
fn sdo(kind: &str, members: &str) -> String {
    format!(
        r#"{{"type":"{kind}","spec_version":"2.1","id":"{kind}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z",{members}}}"#
    )
}

fn sco(kind: &str, members: &str) -> String {
    format!(r#"{{"type":"{kind}","id":"{kind}--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f",{members}}}"#)
}

#[test]
fn references_wherever_they_stand() {
    let file = "file--44444444-4444-5444-8444-444444444444";
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        (
            "ends",
            sdo("relationship", &format!(r#""relationship_type":"uses","source_ref":"{ONE}","target_ref":"{TWO}""#)),
            vec![ONE, TWO],
        ),
        (
            "a list, twice",
            sdo(
                "report",
                &format!(r#""name":"n","published":"2020-01-01T00:00:00Z","object_refs":["{ONE}","{TWO}","{ONE}"]"#),
            ),
            vec![ONE, TWO],
        ),
        (
            "both ends the same",
            sdo("relationship", &format!(r#""relationship_type":"uses","source_ref":"{ONE}","target_ref":"{ONE}""#)),
            vec![ONE],
        ),
        (
            "who made it and what marks it",
            sdo(
                "tool",
                &format!(
                    r#""name":"n","created_by_ref":"{CREATOR}","object_marking_refs":["{SECRET}"],"granular_markings":[{{"marking_ref":"{SECRET}","selectors":["name"]}}]"#
                ),
            ),
            vec![],
        ),
        (
            "custom properties",
            sdo("tool", &format!(r#""name":"n","x_a_ref":"{ONE}","x_b_refs":["{TWO}"],"x_c":"{ONE}""#)),
            vec![ONE, TWO],
        ),
        (
            "deep in custom content",
            sdo(
                "tool",
                &format!(
                    r#""name":"n","x_a":{{"b":[{{"c_ref":"{ONE}","created_by_ref":"{CREATOR}"}},{{"d_refs":[["{TWO}"]]}}]}}"#
                ),
            ),
            vec![ONE, TWO],
        ),
        (
            "a custom object",
            sdo("x-acme-case", &format!(r#""lead_ref":"{CREATOR}","members":[{{"member_ref":"{ONE}"}}]"#)),
            vec![CREATOR, ONE],
        ),
        ("what is no id", sdo("tool", r#""name":"n","x_a_ref":"the second page","x_b_refs":["0",1,null]"#), vec![]),
        (
            "escapes",
            sdo("tool", r#""name":"n","x_a_r\u0065f":"malware\u002d-11111111-1111-4111-8111-111111111111""#),
            vec![ONE],
        ),
        (
            "an embedded object's own property",
            sdo(
                "tool",
                &format!(
                    r#""name":"n","external_references":[{{"source_name":"s","description":"d","x_of_ref":"{ONE}"}}],"kill_chain_phases":[{{"kill_chain_name":"k","phase_name":"p","x_by_ref":"{TWO}"}}]"#
                ),
            ),
            vec![ONE, TWO],
        ),
        (
            "a predefined extension",
            sco("file", &format!(r#""name":"n","extensions":{{"archive-ext":{{"contains_refs":["{file}"]}}}}"#)),
            vec![file],
        ),
        (
            "an extension by its definition",
            sco(
                "file",
                &format!(
                    r#""name":"n","extensions":{{"extension-definition--55555555-5555-4555-8555-555555555555":{{"extension_type":"property-extension","from":{{"of_ref":"{ONE}"}}}}}}"#
                ),
            ),
            vec![ONE],
        ),
        (
            "nested in an observable",
            sco("email-message", &format!(r#""is_multipart":true,"body_multipart":[{{"body_raw_ref":"{file}"}}]"#)),
            vec![file],
        ),
        ("a dictionary", sco("process", &format!(r#""pid":1,"environment_variables":{{"x_ref":"{ONE}"}}"#)), vec![ONE]),
        (
            "a translation",
            format!(
                r#"{{"type":"language-content","spec_version":"2.1","id":"language-content--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","object_ref":"{ONE}","contents":{{"fr":{{"x_of_ref":"{TWO}"}}}}}}"#
            ),
            vec![ONE, TWO],
        ),
        (
            "keys in a container are none",
            format!(
                r#"{{"type":"observed-data","id":"observed-data--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z",
            "first_observed":"2020-01-01T00:00:00Z","last_observed":"2020-01-01T00:00:00Z","number_observed":1,
            "objects":{{"0":{{"type":"email-addr","value":"a@example.org"}},"1":{{"type":"email-message","is_multipart":false,"from_ref":"0","x_seen_ref":"{ONE}"}}}}}}"#
            ),
            vec![ONE],
        ),
    ];
    for (name, object, expected) in cases {
        assert_eq!(references(&object), expected, "{name}");
    }
}

#[test]
fn a_marking_binds_where_what_it_selects_cannot_go() {
    let external = r#""name":"n","external_references":[{"source_name":"cve","external_id":"CVE-2020-1234","url":"https://example.org/"},{"source_name":"s","description":"d"},{"source_name":"t","description":"d","url":"https://example.org/"}]"#;
    let location = r#""latitude":1.5,"longitude":2.5,"precision":10,"region":"northern-africa""#;
    let note = format!(r#""content":"c","abstract":"a","object_refs":["{ONE}","{TWO}"]"#);
    let network = r#""protocols":["tcp","http"],"src_ref":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","src_port":1,"src_packets":2,"extensions":{"http-request-ext":{"request_method":"get","request_value":"/"}}"#;
    let pe =
        r#""name":"n","extensions":{"windows-pebinary-ext":{"pe_type":"exe","imphash":"f","number_of_sections":2}}"#;
    let custom = r#""name":"n","x_text":"abc","x_text_enc":"utf-8","x_list":["a"],"x.dotted":{"a.b":1,"c":2},"x_deep":{"Ünusual key!":[[1,2]]}"#;
    let artifact =
        r#""url":"https://example.org/","hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e"},"mime_type":"text/plain""#;
    let process = r#""pid":1,"environment_variables":{"A":"b"}"#;
    let message = r#""is_multipart":true,"body_multipart":[{"body":"b","content_type":"text/plain"}],"subject":"s","date":"2020-01-01T00:00:00Z""#;
    const FREE: bool = false;
    const BOUND: bool = true;
    let cases: Vec<(String, &[(&[&str], bool)])> = vec![
        (
            sdo("tool", external),
            &[
                (&["name"], BOUND),
                (&["type"], BOUND),
                (&["id"], BOUND),
                (&["created"], BOUND),
                (&["modified"], BOUND),
                (&["spec_version"], BOUND),
                (&["granular_markings"], BOUND),
                (&["granular_markings.[0].selectors"], BOUND),
                (&["external_references"], FREE),
                (&["external_references.[0]"], FREE),
                (&["external_references.[0].external_id"], BOUND),
                (&["external_references.[0].url"], FREE),
                (&["external_references.[1].description"], BOUND),
                (&["external_references.[1].source_name"], BOUND),
                (&["external_references.[1].source_name", "external_references.[1].description"], BOUND),
                (&["external_references.[2].description"], FREE),
                (&["external_references.[2].url"], FREE),
                (&["external_references.[2].url", "external_references.[2].description"], BOUND),
                (&["external_references.[3]"], BOUND),
                (&["description"], BOUND),
                (&["name.[0]"], BOUND),
                (&["external_references.[x]"], BOUND),
                (&[""], BOUND),
            ],
        ),
        (
            sdo("location", location),
            &[
                (&["precision"], FREE),
                (&["region"], FREE),
                (&["latitude"], BOUND),
                (&["longitude"], BOUND),
                (&["latitude", "longitude"], BOUND),
                (&["latitude", "longitude", "precision"], FREE),
                (&["latitude", "longitude", "precision", "region"], BOUND),
            ],
        ),
        (
            sdo("note", &note),
            &[
                (&["abstract"], FREE),
                (&["content"], BOUND),
                (&["object_refs"], BOUND),
                (&["object_refs.[0]"], FREE),
                (&["object_refs.[01]"], FREE),
                (&["object_refs.[0]", "object_refs.[1]"], BOUND),
            ],
        ),
        (
            sdo(
                "indicator",
                r#""pattern":"[a:b = 1]","pattern_type":"stix","pattern_version":"2.1","valid_from":"2020-01-01T00:00:00Z","valid_until":"2021-01-01T00:00:00Z""#,
            ),
            &[
                (&["pattern"], BOUND),
                (&["pattern_type"], BOUND),
                (&["valid_from"], BOUND),
                (&["pattern_version"], FREE),
                (&["valid_until"], FREE),
            ],
        ),
        (
            sdo("malware", r#""is_family":true,"name":"n","aliases":["a"]"#),
            &[(&["name"], BOUND), (&["is_family"], BOUND), (&["aliases"], FREE), (&["aliases.[0]"], FREE)],
        ),
        (sdo("malware", r#""is_family":false,"name":"n","revoked":true"#), &[(&["name"], FREE), (&["revoked"], BOUND)]),
        (
            sdo(
                "observed-data",
                &format!(
                    r#""first_observed":"2020-01-01T00:00:00Z","last_observed":"2020-01-01T00:00:00Z","number_observed":1,"object_refs":["{SECRET}"]"#
                ),
            ),
            &[(&["object_refs"], BOUND), (&["object_refs.[0]"], BOUND), (&["number_observed"], BOUND)],
        ),
        (
            sdo("malware-analysis", r#""product":"p","result":"malicious","version":"1""#),
            &[(&["result"], BOUND), (&["version"], FREE)],
        ),
        (
            sdo("tool", custom),
            &[
                (&["x_text"], BOUND),
                (&["x_text_enc"], FREE),
                (&["x_text", "x_text_enc"], FREE),
                (&["x_list.[0]"], FREE),
                (&["x.dotted.a.b"], FREE),
                (&["x.dotted"], FREE),
                (&["x_deep.Ünusual key!.[0].[1]"], FREE),
                (&["x_deep.Ünusual key!.[0].[2]"], BOUND),
            ],
        ),
        (
            sdo(
                "identity",
                &format!(r#""name":"n","object_marking_refs":["{SECRET}"],"created_by_ref":"{CREATOR}","lang":"fr""#),
            ),
            &[(&["object_marking_refs"], BOUND), (&["created_by_ref"], FREE), (&["lang"], FREE)],
        ),
        (
            sco("network-traffic", network),
            &[
                (&["protocols"], BOUND),
                (&["protocols.[1]"], BOUND),
                (&["src_ref"], BOUND),
                (&["src_port"], BOUND),
                (&["src_packets"], FREE),
                (&["extensions"], BOUND),
                (&["extensions.http-request-ext.request_value"], BOUND),
            ],
        ),
        (sco("file", pe), &[(&["name"], BOUND), (&["extensions.windows-pebinary-ext.imphash"], BOUND)]),
        (
            sco("artifact", artifact),
            &[(&["url"], BOUND), (&["hashes"], BOUND), (&["hashes.MD5"], BOUND), (&["mime_type"], FREE)],
        ),
        (
            sco("process", process),
            &[(&["pid"], FREE), (&["environment_variables.A"], FREE), (&["pid", "environment_variables"], BOUND)],
        ),
        (
            sco("x509-certificate", r#""issuer":"i","subject":"s","serial_number":"1""#),
            &[(&["subject"], FREE), (&["serial_number"], BOUND)],
        ),
        (sco("x509-certificate", r#""issuer":"i""#), &[(&["issuer"], BOUND)]),
        (
            sco("email-message", message),
            &[
                (&["subject"], BOUND),
                (&["is_multipart"], BOUND),
                (&["body_multipart"], FREE),
                (&["body_multipart.[0].body"], BOUND),
                (&["body_multipart.[0].content_type"], FREE),
            ],
        ),
        (
            sco("user-account", r#""user_id":"u","display_name":"d""#),
            &[(&["user_id"], BOUND), (&["display_name"], FREE)],
        ),
    ];
    let mut validator = Validator::new(Options::default());
    for (object, selections) in cases {
        for (selectors, expected) in selections {
            let list = serde_json::json!([{"marking_ref": SECRET, "selectors": selectors}, {"lang": "ar", "selectors": ["type"]}]);
            let marked = format!(r#"{},"granular_markings":{list}}}"#, object.strip_suffix('}').expect("a brace"));
            let head = validator.object(marked.as_bytes()).head.expect("a head");
            let found: Vec<_> =
                head.granular.iter().map(|granular| (granular.marking.as_ref(), granular.binding)).collect();
            assert_eq!(found, [(SECRET, *expected)], "{selectors:?} of {object}");
        }
    }
}

#[test]
fn one_marking_may_stand_in_several_entries() {
    let members = format!(
        r#""name":"n","description":"d","granular_markings":[{{"marking_ref":"{SECRET}","selectors":["description"]}},
        {{"marking_ref":"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da","selectors":["description"]}},{{"marking_ref":"{SECRET}","selectors":["name"]}}]"#
    );
    let mut validator = Validator::new(Options::default());
    let object = sdo("tool", &members);
    let head = validator.object(object.as_bytes()).head.expect("a head");
    let found: Vec<_> = head.granular.iter().map(|granular| (granular.marking.as_ref(), granular.binding)).collect();
    assert_eq!(found, [(SECRET, true), ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", false)]);
}
