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

/// A tool with `count` aliases.
fn with_aliases(count: usize, alias: &str) -> String {
    let list = vec![alias; count].join(",");
    TOOL.replace("\"name\"", &format!("\"aliases\":[{list}],\"name\""))
}

#[test]
fn long_lists_are_bounded() {
    let mut validator = Validator::new(Options::default());
    let sound = with_aliases(900_000, "\"a\"");
    assert!(validator.object(sound.as_bytes()).valid());
    let wrong = with_aliases(900_000, "1");
    let checked = validator.object(wrong.as_bytes());
    assert_eq!((checked.errors(), checked.codes().count(), checked.left_out()), (900_000, 100, 899_900));
    assert_eq!(checked.findings().len(), 100);
    let too_many = with_aliases(1_100_000, "1");
    let checked = validator.object(too_many.as_bytes());
    assert_eq!(checked.codes().collect::<Vec<_>>(), [Code::Json], "more values than an object may have");
}

#[test]
fn warnings_do_not_hide_errors() {
    let custom: String = (0..500).map(|number| format!("\"x_atlas_{number}\":1,")).collect();
    let text = TOOL.replace("\"name\":\"VNC\"", &format!("{custom}\"name\":1"));
    let mut validator = Validator::new(Options::default());
    let checked = validator.object(text.as_bytes());
    assert_eq!((checked.errors(), checked.warnings(), checked.left_out()), (1, 500, 400));
    assert!(checked.codes().any(|code| code == Code::WrongKind));
}

#[test]
fn deep_texts_and_many_members_end() {
    let mut validator = Validator::new(Options::default());
    let deep = TOOL.replace("\"VNC\"", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(!validator.object(deep.as_bytes()).valid() && !validator.document(deep.as_bytes()).valid());
    let selectors = vec!["\"aliases.[0]\""; 2_000].join(",");
    let marked = with_aliases(2_000, "\"a\"").replace(
        "\"name\"",
        &format!(
            "\"granular_markings\":[{{\"selectors\":[{selectors}],\"marking_ref\":\
             \"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\"}}],\"name\""
        ),
    );
    assert!(validator.object(marked.as_bytes()).valid());
}

#[test]
fn ids_that_lie_and_numbers_at_the_edge() {
    let lies = TOOL.replace("\"id\":\"tool--", "\"id\":\"identity--");
    assert_eq!(codes(&lies), [Code::IdPrefix]);
    let mut validator = Validator::new(Options::default());
    assert_eq!(
        validator.object(lies.as_bytes()).head.expect("a head").id,
        "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
    );
    for (number, expected) in
        [("0", None), ("100", None), ("101", Some(Code::Range)), ("1e2", None), ("1e400", Some(Code::Json))]
    {
        let text = TOOL.replace("\"name\"", &format!("\"confidence\":{number},\"name\""));
        assert_eq!(codes(&text).first().copied(), expected, "{number}");
    }
    for number in ["9007199254740993", "-9007199254740993", "123456789012345678901234567890"] {
        let text = TOOL.replace("\"name\"", &format!("\"confidence\":{number},\"name\""));
        assert_eq!(codes(&text), [Code::IntegerRange], "{number}");
    }
}

#[test]
fn a_document_goes_on_after_a_bad_object_and_says_which() {
    let good = TOOL.replace('\n', " ");
    let bad = good.replace("\"VNC\"", "7");
    let id = "bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    let objects: Vec<&str> = (0..10_000).map(|at| if at == 4_321 { bad.as_str() } else { good.as_str() }).collect();
    let bundle = format!("{{\"objects\":[{}],\"id\":\"{id}\",\"type\":\"bundle\"}}", objects.join(","));
    let mut validator = Validator::new(Options::default());
    let report = validator.document(bundle.as_bytes());
    assert_eq!((report.objects(), report.errors()), (10_000, 1));
    let error = report.findings().find(|finding| finding.severity == Severity::Error).expect("an error");
    assert_eq!((error.path.as_str(), error.clause), ("$.objects[4321].name", "STIX 2.1 §4.18"));
    let lines = format!("{good}\n{bad}\n{good}\n");
    let report = validator.document(lines.as_bytes());
    assert_eq!((report.objects(), report.errors()), (3, 1));
    let broken = format!("{{\"type\":\"bundle\",\"id\":\"{id}\",\"objects\":[{good},{{\"type\":");
    let report = validator.document(broken.as_bytes());
    assert!(!report.valid() && report.findings().any(|finding| finding.message.contains("line 1, column")));
}

#[test]
fn objects_of_two_editions_in_one_list() {
    let older = TOOL.replace("\"spec_version\":\"2.1\",", "\"labels\":[\"remote-access\"],");
    let mut validator = Validator::new(Options::default());
    let checked = validator.object(older.as_bytes());
    assert!(checked.valid() && checked.warnings() == 0, "{:?}", checked.findings());
    assert_eq!(checked.head.expect("a head").spec, crate::schema::Version::V20);
    let unlabelled = older.replace("\"labels\":[\"remote-access\"],", "");
    assert_eq!(codes(&unlabelled), [Code::Required]);
    let list = format!("[{older},{TOOL}]");
    assert!(validator.document(list.as_bytes()).valid());
}

#[test]
fn what_asks_for_many_look_ups_ends() {
    let mut validator = Validator::new(Options::default());
    let encodings: String = (0..50_000).map(|number| format!("\"x_{number}_enc\":1,")).collect();
    let text = TOOL.replace("\"name\"", &format!("{encodings}\"name\""));
    assert_eq!(validator.object(text.as_bytes()).errors(), 50_000);
    let selectors = vec!["\"aliases.[299999]\""; 300_000].join(",");
    let marking = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
    let marked = with_aliases(300_000, "\"a\"").replace(
        "\"name\"",
        &format!("\"granular_markings\":[{{\"selectors\":[{selectors}],\"marking_ref\":\"{marking}\"}}],\"name\""),
    );
    assert!(validator.object(marked.as_bytes()).errors() > 299_000, "beyond the budget nothing is found");
    let extensions: String = (0..100_000).map(|number| format!("\"x-{number}-ext\":{{\"abc\":1}},")).collect();
    let file = format!(
        "{{\"type\":\"file\",\"id\":\"file--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f\",\"name\":\"a\",\"extensions\":{{{}}}}}",
        extensions.trim_end_matches(',')
    );
    assert_eq!(validator.object(file.as_bytes()).warnings(), 100_000);
}

/// What an object lacks as JSON is its own fault: those after it are judged, and the place is the document's.
#[test]
fn an_object_that_is_no_json_does_not_hide_the_others() {
    let good = TOOL.replace('\n', " ");
    let spoilt = |value: &str| good.replace("\"VNC\"", value);
    let wrong = spoilt("7");
    for bad in ["NaN", "1e999", "01", r#""\ud800""#, r#""\x""#, r#""a","name":"b""#, "[1 2]", "tru", "\"a\tb\""] {
        let bad = spoilt(bad);
        for (text, path) in [
            (format!("{{\"objects\":[{good},\n{bad},{wrong}]}}"), "$.objects[1]"),
            (format!("{{\"type\":\"bundle\",\"id\":\"x\",\"objects\":[{good},\n{bad},{wrong}]}}"), "$.objects[1]"),
            (format!("[{good},\n{bad},{wrong}]"), "$[1]"),
            (format!("{good}\n{bad}\n{wrong}\n"), "$[1]"),
        ] {
            let mut validator = Validator::new(Options::default());
            let report = validator.document(text.as_bytes());
            assert_eq!(report.objects(), 3, "{text}");
            let found: Vec<_> = report.findings().filter(|found| found.severity == Severity::Error).collect();
            let broken: Vec<_> = found.iter().filter(|found| found.code == Code::Json).collect();
            let [broken] = broken[..] else { panic!("{text}: {found:?}") };
            assert_eq!(broken.path, path, "{text}");
            let place = broken.message.split_once("(line 2, column ").expect("a line").1;
            let column: usize = place.trim_end_matches(')').parse().expect("a column");
            let offset = broken.fault.expect("a fault").offset;
            assert_eq!(offset + 1 - column, text.find('\n').expect("two lines") + 1, "{}", broken.message);
            assert!(found.iter().any(|found| found.path.ends_with("[2].name")), "{text}: {found:?}");
        }
    }
    // Where brackets do not match, nobody knows where the next one starts.
    let report_of = |text: &str| Validator::new(Options::default()).document(text.as_bytes()).objects();
    assert_eq!(report_of(&format!("[{good},{{\"a\":[}},{good}]")), 1);
    assert_eq!(report_of(&format!("[{good},{},{good}]", "[".repeat(100))), 1);
}

/// The memory of a document does not grow with what is wrong in it.
#[test]
fn findings_of_a_document_are_bounded() {
    let mut validator = Validator::new(Options::default());
    for (element, codes) in [("1", 1_000), ("{}", 1_000), ("[@]", 1_000)] {
        let text = format!("[{}{element}]", format!("{element},").repeat(2_999));
        let report = validator.document(text.as_bytes());
        assert_eq!((report.objects(), report.errors(), report.codes().count()), (3_000, 3_000, codes), "{element}");
        assert!(report.places.len() <= codes, "{element}");
        let last = report.findings().last().expect("a finding");
        assert!(last.path == "$[999]", "{element}: {}", last.path);
    }
    let mark = format!("\u{feff}{}", TOOL);
    assert!(validator.document(mark.as_bytes()).valid(), "a byte order mark means nothing");
}
