//! `marsad pattern match` and `explain`, as the binary does them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

fn run(args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("marsad").unwrap();
    command.env_remove("MARSAD_HOME").env("NO_COLOR", "1");
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn observed(id: u8, name: &str) -> Value {
    json!({"type": "observed-data", "id": format!("observed-data--{id}"), "number_observed": 1,
        "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z",
        "objects": {"0": {"type": "domain-name", "value": name}}})
}

#[test]
fn cases_are_answered_in_order_and_bad_lines_by_number() {
    let case =
        |id: u8, pattern: &str| json!({"id": id, "pattern": pattern, "observed": [observed(1, "a")]}).to_string();
    let input = [
        case(1, "[domain-name:value = 'a']"),
        case(2, "[domain-name:value = 'b']"),
        "{cut".to_owned(),
        String::new(),
        "[]".to_owned(),
        json!({"id": 3, "pattern": "[a:b = 1]"}).to_string(),
        case(4, "[domain-name:value = ]"),
        case(5, "[domain-name:value = t'2026-01-01T00:00:00Z']"),
        case(6, "[domain-name:value = 'a'] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'"),
        json!({"id": "7", "pattern": "[a:b = 1]", "observed": [{"type": "observed-data", "id": "x"}]}).to_string(),
    ];
    let (code, out, _) = run(&["pattern", "match", "--cases", "-"], &input.join("\n"));
    assert_eq!(code, 1, "some lines are no cases");
    let answers = lines(&out);
    let verdicts: Vec<(Value, Value)> =
        answers.iter().map(|answer| (answer["id"].clone(), answer["match"].clone())).collect();
    let expected = [
        (json!(1), json!(true)),
        (json!(2), json!(false)),
        (json!(null), json!(null)),
        (json!(null), json!(null)),
        (json!(null), json!(null)),
        (json!(4), json!(null)),
        (json!(5), json!(null)),
        (json!(6), json!(true)),
        (json!("7"), json!(null)),
    ];
    assert_eq!(verdicts, expected);
    let message = |place: usize| answers[place]["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(answers[0]["error"], Value::Null);
    assert!(message(2).starts_with("line 3: not JSON"), "{}", message(2));
    assert!(message(3).starts_with("line 5: not a JSON object"), "{}", message(3));
    assert!(message(4).starts_with("line 6: no list `observed`"), "{}", message(4));
    assert!(message(5).contains("at byte"), "{}", message(5));
    assert!(message(6).contains("no timestamp"), "{}", message(6));
    assert!(message(8).starts_with("x: observed data has no `first_observed`"), "{}", message(8));
    assert_eq!(run(&["pattern", "match", "--cases", "-"], &input[0]).0, 0);
    assert_eq!(run(&["pattern", "match", "--cases", "/nonexistent"], "").0, 3);
}

#[test]
fn one_pattern_and_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("observed.jsonl");
    let name = path.to_str().unwrap();
    std::fs::write(&path, format!("{}\n{}\n", observed(1, "a"), observed(2, "b"))).unwrap();
    let matched = |pattern: &str| {
        let (code, out, _) = run(&["pattern", "match", "--pattern", pattern, "--observed", name, "--json"], "");
        (code, lines(&out).remove(0))
    };
    let both = "[domain-name:value = 'b'] AND [domain-name:value = 'a']";
    assert_eq!(matched(both), (0, json!({"matched": true, "observed": ["observed-data--1", "observed-data--2"]})));
    assert_eq!(matched("[domain-name:value = 'c']"), (1, json!({"matched": false, "observed": []})));

    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "domain-name", "id": "domain-name--1", "value": "a"},
        {"type": "observed-data", "id": "observed-data--7", "number_observed": 1,
            "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z",
            "object_refs": ["domain-name--1"]}]});
    let args = ["pattern", "match", "--pattern", "[domain-name:value = 'a']", "--observed", "-"];
    let (code, out, _) = run(&args, &bundle.to_string());
    assert_eq!((code, out.as_str()), (0, "matched\n  observed-data--7\n"));
    assert_eq!(run(&args, &json!([observed(1, "b")]).to_string()).0, 1);

    for (input, message) in [("{\"a\":\n\n x", "line 3"), ("", "no observed data"), ("7", "not a JSON object")] {
        let (code, _, error) = run(&args, input);
        assert_eq!(code, 3, "{input}");
        assert!(error.contains(message), "{input}: {error}");
    }
    let (code, _, error) = run(&["pattern", "match", "--pattern", "[a:b = ]", "--observed", "-"], "");
    assert_eq!((code, error.contains("at byte")), (2, true), "{error}");
    assert_eq!(run(&["pattern", "match"], "").0, 2);
    assert_eq!(run(&["pattern", "match", "--pattern", "[a:b = 1]"], "").0, 2);
}

#[test]
fn explanations() {
    let text = "[file:name = 'x.exe' AND file:sise > 1] REPEATS 5 TIMES";
    let (code, out, _) = run(&["pattern", "explain", text], "");
    assert_eq!(code, 0);
    for part in ["5 times", "file:name is 'x.exe'", "no exact look-up", "warning at 30", "no property `sise`"] {
        assert!(out.contains(part), "{part} is missing in:\n{out}");
    }
    let (code, out, _) = run(&["pattern", "explain", "--json", "[url:value = 'a' OR url:value = 'b']"], "");
    let answer = lines(&out).remove(0);
    assert_eq!((code, &answer["look_up"], &answer["warnings"]), (0, &json!(true), &json!([])));
    assert_eq!(answer["atoms"], json!([["url:value is one of 'a', 'b'"]]));
    let (code, out, _) = run(&["pattern", "explain", "[url:value = ]"], "");
    assert_eq!((code, out.starts_with("invalid at 13")), (1, true), "{out}");
}

#[test]
fn warnings_of_check() {
    let text = "[malware:name = 'x']";
    let (code, out, _) = run(&["pattern", "check", text], "");
    assert_eq!((code, out.contains("warning at 1: `malware` is no observable")), (0, true), "{out}");
    let (_, out, _) = run(&["pattern", "check", "--json", text], "");
    assert_eq!(lines(&out), [json!({"pattern": text, "valid": true, "errors": []})]);
    let (_, out, _) = run(&["pattern", "check", "--json", "--warnings", text], "");
    assert_eq!(lines(&out).remove(0)["warnings"][0]["span"], json!([1, 13]));
}

#[test]
fn published_cases_are_answered_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix-cases/matcher_cases.jsonl.gz");
    let Ok(packed) = std::fs::read(&path) else {
        println!("skipped: no matcher cases beside the project");
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let cases = lines(&text);
    // As the command line documents them: nothing but these three.
    let bare =
        |case: &Value| json!({"id": case["id"], "pattern": case["pattern"], "observed": case["observed"]}).to_string();
    let input: Vec<String> = cases.iter().map(bare).collect();
    let (code, out, _) = run(&["pattern", "match", "--cases", "-"], &input.join("\n"));
    let answers = lines(&out);
    assert_eq!((code, answers.len()), (0, cases.len()));
    for (case, answer) in cases.iter().zip(answers) {
        let expected = match case["expect"].as_str().unwrap() {
            "match" => json!(true),
            "no-match" => json!(false),
            _ => json!(null),
        };
        assert_eq!((&answer["id"], &answer["match"]), (&case["id"], &expected), "{}", case["pattern"]);
    }
}
