//! `marsad validate`: exit codes, both streams, the shape of the JSON, and a table of bad input.

use super::objects::{TOOL, bundle};
use super::process::{Ended, marsad, run};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn file(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn validate(words: &[&str]) -> Ended {
    run(marsad(&[&["validate"], words].concat()), "")
}

/// Runs `validate --json` on one file and gives exit code and value.
fn judged(path: &Path, flags: &[&str]) -> (i32, Value) {
    let Ended { code, out, .. } = validate(&[flags, &["--json", path.to_str().unwrap()]].concat());
    assert_eq!(out.lines().count(), 1, "one JSON value a file: {out}");
    (code, serde_json::from_str(&out).unwrap())
}

#[test]
fn the_json_of_good_and_bad_files() {
    let directory = tempfile::tempdir().unwrap();
    let good = file(directory.path(), "good.json", bundle(TOOL).as_bytes());
    let (code, value) = judged(&good, &[]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["file"], good.to_str().unwrap());
    assert_eq!((&value["valid"], &value["objects"]), (&Value::from(true), &Value::from(1)));
    assert_eq!(value["errors"], Value::Array(Vec::new()));

    let wrong = TOOL.replace(r#""name":"VNC""#, r#""title":"VNC""#);
    let bad = file(directory.path(), "bad.json", bundle(&format!("{TOOL},{wrong}")).as_bytes());
    let (code, value) = judged(&bad, &[]);
    assert_eq!((code, &value["valid"]), (1, &Value::from(false)));
    let finding = &value["errors"][0];
    assert_eq!(finding["object"], "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
    assert_eq!(finding["path"], "$.objects[1]");
    assert!(finding["clause"].as_str().unwrap().starts_with("STIX 2.1 §"), "{finding}");
    assert!(finding["message"].as_str().unwrap().contains("`name`"), "{finding}");
    let keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["clause", "message", "object", "path"], "the contract with scripts");
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["errors", "file", "objects", "valid", "warnings"]);
    let (_, value) = judged(&bad, &["--codes"]);
    assert_eq!(value["errors"][0]["code"], "required");

    let several = validate(&["--json", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(several.code, 1);
    assert_eq!(several.out.lines().count(), 2);
}

#[test]
fn strict_makes_warnings_count() {
    let directory = tempfile::tempdir().unwrap();
    let odd = TOOL.replace(r#""name":"VNC""#, r#""name":"VNC","tool_types":["no-such-thing"]"#);
    let path = file(directory.path(), "odd.json", odd.as_bytes());
    let (code, value) = judged(&path, &[]);
    assert_eq!((code, &value["valid"]), (0, &Value::from(true)), "{value}");
    assert_eq!(value["warnings"].as_array().unwrap().len(), 1);
    let (code, value) = judged(&path, &["--strict"]);
    assert_eq!((code, &value["valid"]), (1, &Value::from(false)));
}

#[test]
fn bad_input_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let many = [TOOL; 3].join(",");
    for (name, bytes, place) in [
        ("empty", b"".to_vec(), ""),
        ("words", b"no JSON at all".to_vec(), "line 1"),
        ("truncated", bundle(TOOL).as_bytes()[..100].to_vec(), "line 1, column 101"),
        ("second line", b"{\n  \"type\": tru\n}".to_vec(), "line 2"),
        ("duplicate keys", TOOL.replace(r#""name":"VNC""#, r#""name":"a","name":"b""#).into_bytes(), "line 1"),
        ("not a number", TOOL.replace(r#""VNC""#, "NaN").into_bytes(), "line 1"),
        ("lone surrogate", TOOL.replace("VNC", r"\ud800").into_bytes(), "line 1"),
        ("invalid UTF-8", [&TOOL.as_bytes()[..172], b"\xff\xfe", b"\"}"].concat(), "line 1"),
        ("trailing comma", bundle(&format!("{many},")).into_bytes(), "line 1"),
        ("control character", TOOL.replace("VNC", "V\u{1}C").into_bytes(), "line 1"),
    ] {
        let path = file(directory.path(), "bad.json", &bytes);
        let (code, value) = judged(&path, &[]);
        assert_eq!((code, &value["valid"]), (1, &Value::from(false)), "{name}: {value}");
        let message = value["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(place), "{name}: {message}");
        let ended = validate(&[path.to_str().unwrap()]);
        assert_eq!(ended.code, 1, "{name}");
        assert!(!ended.out.contains('\u{1b}'), "{name}: no colours in a pipe");
    }
}

#[test]
fn ids_and_times_that_lie() {
    let directory = tempfile::tempdir().unwrap();
    for (name, from, to, path) in [
        ("the type of another", "tool--8e", "malware--8e", "$.id"),
        ("no UUID", "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "1", "$.id"),
        ("month 13", "2016-04-06", "2016-13-06", "$.created"),
        ("no zone", "48.000Z\",\"name", "48.000\",\"name", "$.modified"),
    ] {
        let path_of_file = file(directory.path(), "lie.json", TOOL.replacen(from, to, 1).as_bytes());
        let (code, value) = judged(&path_of_file, &[]);
        assert_eq!(code, 1, "{name}: {value}");
        assert!(value["errors"].as_array().unwrap().iter().any(|found| found["path"] == path), "{name}: {value}");
    }
    for (name, year) in [("year 0", "0000"), ("year 9999", "9999")] {
        let path = file(directory.path(), "far.json", TOOL.replace("2016", year).as_bytes());
        let (code, value) = judged(&path, &[]);
        assert_eq!(code, 0, "{name}: {value}");
    }
}

#[test]
fn one_wrong_object_of_ten_thousand_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let object = |number: usize| {
        let tool = TOOL.replace("8e2e2d2b", &format!("{number:08x}"));
        if number == 7_777 { tool.replace("2016-04-06", "yesterday") } else { tool }
    };
    let objects: Vec<String> = (0..10_000).map(object).collect();
    let path = file(directory.path(), "many.json", bundle(&objects.join(",")).as_bytes());
    let (code, value) = judged(&path, &[]);
    assert_eq!((code, &value["objects"]), (1, &Value::from(10_000)));
    for finding in value["errors"].as_array().unwrap() {
        assert_eq!(finding["object"], "tool--00001e61-17d4-4cbf-938f-98ee46b3cd3f");
        assert!(finding["path"].as_str().unwrap().starts_with("$.objects[7777]."), "{finding}");
    }
}

#[test]
fn deep_nesting_and_long_lists_stay_in_budget() {
    let directory = tempfile::tempdir().unwrap();
    let deep = file(directory.path(), "deep.json", &vec![b'['; 64 << 20]);
    let (code, value) = judged(&deep, &[]);
    assert_eq!((code, &value["valid"]), (1, &Value::from(false)));
    let hidden = TOOL.replace(r#""VNC""#, &"[".repeat(10_000));
    let (code, _) = judged(&file(directory.path(), "hidden.json", hidden.as_bytes()), &[]);
    assert_eq!(code, 1);
    let labels = vec![r#""a""#; 1_000_000].join(",");
    let long = TOOL.replace(r#""name""#, &format!(r#""labels":[{labels}],"name""#));
    let (code, value) = judged(&file(directory.path(), "long.json", long.as_bytes()), &[]);
    assert_eq!(code, 1, "a million values are beyond the budget of an object: {value}");
}

/// One that is no JSON is named like one that breaks a rule, and does not hide what follows.
#[test]
fn one_broken_object_of_ten_thousand_is_found() {
    let directory = tempfile::tempdir().unwrap();
    for (name, broken) in [
        ("not a number", "NaN"),
        ("duplicate keys", r#""a","name":"b""#),
        ("lone surrogate", r#""\udead""#),
        ("invalid UTF-8", "\"\u{1}\""),
        ("a million values", &format!("[{}0]", "0,".repeat(1_000_000))),
        ("deep", &format!("{}{}", "[".repeat(63), "]".repeat(63))),
    ] {
        let object = |number: usize| {
            let tool = TOOL.replace("8e2e2d2b", &format!("{number:08x}"));
            if number == 7_777 { tool.replace(r#""VNC""#, broken) } else { tool }
        };
        let objects: Vec<String> = (0..10_000).map(object).collect();
        let bytes = bundle(&objects.join(",\n")).into_bytes();
        let bytes = if name == "invalid UTF-8" {
            bytes.iter().map(|byte| if *byte == 1 { 0xff } else { *byte }).collect()
        } else {
            bytes
        };
        let (code, value) = judged(&file(directory.path(), "many.json", &bytes), &[]);
        assert_eq!((code, &value["objects"]), (1, &Value::from(10_000)), "{name}");
        let errors = value["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        assert!(errors[0]["path"].as_str().unwrap().starts_with("$.objects[7777]"), "{name}: {}", errors[0]);
        assert!(errors[0]["clause"].as_str().unwrap().starts_with("STIX 2.1 §"), "{name}");
        if name != "deep" {
            assert!(errors[0]["message"].as_str().unwrap().contains("(line 7778, column "), "{name}: {}", errors[0]);
        }
    }
}

#[test]
fn packed_files_are_opened() {
    let directory = tempfile::tempdir().unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bundle(TOOL).as_bytes()).unwrap();
    let mut packed = gz.finish().unwrap();
    let (code, value) = judged(&file(directory.path(), "good.json.gz", &packed), &[]);
    assert_eq!((code, &value["objects"]), (0, &Value::from(1)), "{value}");
    packed.truncate(packed.len() / 2);
    let (code, value) = judged(&file(directory.path(), "cut.json.gz", &packed), &[]);
    assert_eq!(code, 1);
    assert!(value["errors"][0]["message"].as_str().unwrap().contains("broken gzip packing"), "{value}");
}

#[test]
fn standard_input_and_what_cannot_be_read() {
    let ended = run(marsad(&["validate", "--json", "-"]), TOOL);
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with(r#"{"file":"-","valid":true,"objects":1,"#));

    let directory = tempfile::tempdir().unwrap();
    let good = file(directory.path(), "good.json", TOOL.as_bytes());
    let ended = validate(&["/nonexistent/file.json", good.to_str().unwrap()]);
    assert_eq!(ended.code, 3);
    assert!(ended.err.contains("/nonexistent/file.json"));
    assert!(ended.out.contains("good.json: valid"), "the others are judged");
    assert_eq!(validate(&[directory.path().to_str().unwrap()]).code, 3);
    assert_eq!(validate(&[]).code, 2);
}
