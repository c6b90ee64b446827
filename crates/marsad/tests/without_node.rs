//! Commands that need no node: patterns, configuration, completions, manual pages.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::{Value, json};

fn marsad() -> Command {
    let mut command = Command::cargo_bin("marsad").unwrap();
    command.env_remove("MARSAD_HOME");
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    let output = marsad().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn patterns() {
    let (code, out, _) = run(&["pattern", "check", "--json", "[domain-name:value = 'evil.example']"]);
    let expected = json!({"pattern": "[domain-name:value = 'evil.example']", "valid": true, "errors": []});
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (0, expected));

    let (code, out, _) = run(&["pattern", "check", "--json", "[domain-name:value = ]"]);
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &verdict["valid"]), (1, &json!(false)));
    assert_eq!(verdict["errors"][0]["span"], json!([21, 22]));
    assert!(verdict["errors"][0]["message"].is_string());

    let lines = "[a:b = 'c']\n[a:b = ]\r\n\n[a:b = 1]\n";
    let output = marsad().args(["pattern", "check", "--json", "--file", "-"]).write_stdin(lines).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let valid: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["valid"].take())
        .collect();
    assert_eq!(valid, [json!(true), json!(false), json!(true)]);

    assert_eq!(run(&["pattern", "check"]).0, 2);
    assert_eq!(run(&["pattern", "check", "--file", "/nonexistent"]).0, 3);
}

#[test]
fn configuration() {
    let directory = tempfile::tempdir().unwrap();
    let (code, sample, _) = run(&["config", "sample"]);
    assert_eq!(code, 0);
    let file = directory.path().join("config.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &sample).unwrap();
    assert_eq!(run(&["config", "check", path]).0, 0);

    std::fs::write(&file, "\ntaxii.pagesize = 3\n").unwrap();
    let (code, out, _) = run(&["config", "check", path]);
    assert_eq!(code, 1);
    assert_eq!(out, format!("{path}:2:7: unknown key `taxii.pagesize`: did you mean `taxii.page-size`?\n"));
    let (code, out, _) = run(&["config", "check", "--json", path]);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &value["valid"]), (1, &json!(false)));
    assert_eq!(value["problems"][0]["place"], format!("{path}:2:7"));

    std::fs::write(&file, "").unwrap();
    assert_eq!(run(&["config", "check", path, "--set", "listen=nowhere"]).0, 1);
    let output = marsad().args(["config", "check", path]).env("MARSAD_LISTEN", "nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(run(&["config", "check", "/nonexistent"]).0, 3);
    assert_eq!(run(&["config", "show", "--home", "/nonexistent"]).0, 3);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(out.contains("validate"), "{shell}");
    }
    let (code, out, _) = run(&["man"]);
    assert_eq!(code, 0);
    assert!(out.contains(".TH marsad 1"), "{out}");
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", "--output", directory.path().to_str().unwrap()]).0, 0);
    assert!(directory.path().join("marsad-validate.1").is_file());
}

#[test]
fn wrong_use_is_two() {
    for args in [&["frobnicate"][..], &[], &["validate", "--frobnicate"], &["pattern", "check", "a", "--file", "b"]] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
    assert_eq!(run(&["--help"]).0, 0);
    assert_eq!(run(&["--version"]).0, 0);
}
