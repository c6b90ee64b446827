use super::{Code, Options, Severity, Validator};

fn codes(text: &str) -> Vec<Code> {
    Validator::new(Options::default()).object(text.as_bytes()).codes().collect()
}

const TOOL: &str = r#"{"type":"tool","spec_version":"2.1","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"VNC"}"#;

#[test]
fn a_valid_object_has_a_head_and_no_findings() {
    let mut validator = Validator::new(Options::default());
    let checked = validator.object(TOOL.as_bytes());
    assert!(checked.valid() && checked.findings().is_empty(), "{:?}", checked.findings());
    let head = checked.head.expect("a head");
    assert_eq!((head.object_type.as_ref(), head.revoked), ("tool", false));
    assert_eq!(head.version.expect("a version").text, "2016-04-06T20:03:48.000Z");
}

#[test]
fn names_and_ids_may_be_written_with_escapes() {
    let escaped = TOOL.replace("\"id\":\"tool--", r#""\u0069d":"\u0074ool--"#).replace("\"name\"", r#""n\u0061me""#);
    let mut validator = Validator::new(Options::default());
    let checked = validator.object(escaped.as_bytes());
    assert!(checked.valid() && checked.warnings() == 0, "{:?}", checked.findings());
    assert_eq!(checked.head.expect("a head").id, "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
}

#[test]
fn findings_say_where_and_by_which_clause() {
    let text =
        TOOL.replace("\"name\":\"VNC\"", r#""external_references":[{"source_name":"a","url":"no url"}],"aliases":[]"#);
    let findings = Validator::new(Options::default()).object(text.as_bytes()).findings();
    let seen: Vec<_> = findings.iter().map(|found| (found.severity, found.path.as_str(), found.clause)).collect();
    assert!(seen.contains(&(Severity::Error, "$.external_references[0].url", "STIX 2.1 §2.5")), "{seen:?}");
    assert!(seen.contains(&(Severity::Error, "$.aliases", "STIX 2.1 §2.12")), "{seen:?}");
    assert!(seen.contains(&(Severity::Error, "$", "STIX 2.1 §4.18")), "{seen:?}");
}

#[test]
fn what_is_no_object_is_refused_without_a_head() {
    for text in ["", "[]", "null", "{", "{}", r#"{"type":1}"#, "{\"type\":\"tool\",\"type\":\"tool\"}"] {
        let mut validator = Validator::new(Options::default());
        let checked = validator.object(text.as_bytes());
        assert!(!checked.valid() && checked.head.is_none() && !checked.findings().is_empty(), "{text}");
    }
    assert_eq!(codes("nonsense"), [Code::Json]);
}
