//! Commands that need no node: patterns, configuration, completions, manual pages.

use super::process::{Ended, marsad};
use serde_json::{Value, json};

fn run(args: &[&str]) -> Ended {
    super::process::run(marsad(args), "")
}

#[test]
fn patterns() {
    let Ended { code, out, .. } = run(&["pattern", "check", "--json", "[domain-name:value = 'evil.example']"]);
    let expected = json!({"pattern": "[domain-name:value = 'evil.example']", "valid": true, "errors": []});
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (0, expected));

    let Ended { code, out, .. } = run(&["pattern", "check", "--json", "[domain-name:value = ]"]);
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &verdict["valid"]), (1, &json!(false)));
    assert_eq!(verdict["errors"][0]["span"], json!([21, 22]));
    assert!(verdict["errors"][0]["message"].is_string());

    let lines = "[a:b = 'c']\n[a:b = ]\r\n\n[a:b = 1]\n";
    let ended = super::process::run(marsad(&["pattern", "check", "--json", "--file", "-"]), lines);
    assert_eq!(ended.code, 1);
    let valid: Vec<Value> = ended.lines().into_iter().map(|mut line| line["valid"].take()).collect();
    assert_eq!(valid, [json!(true), json!(false), json!(true)]);

    assert_eq!(run(&["pattern", "check"]).code, 2);
    assert_eq!(run(&["pattern", "check", "--file", "/nonexistent"]).code, 3);
}

#[test]
fn configuration() {
    let directory = tempfile::tempdir().unwrap();
    let Ended { code, out: sample, .. } = run(&["config", "sample"]);
    assert_eq!(code, 0);
    let file = directory.path().join("config.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &sample).unwrap();
    assert_eq!(run(&["config", "check", path]).code, 0);

    std::fs::write(&file, "\ntaxii.pagesize = 3\n").unwrap();
    let Ended { code, out, .. } = run(&["config", "check", path]);
    assert_eq!(code, 1);
    assert_eq!(out, format!("{path}:2:7: unknown key `taxii.pagesize`: did you mean `taxii.page-size`?\n"));
    let Ended { code, out, .. } = run(&["config", "check", "--json", path]);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &value["valid"]), (1, &json!(false)));
    assert_eq!(value["problems"][0]["place"], format!("{path}:2:7"));

    std::fs::write(&file, "").unwrap();
    assert_eq!(run(&["config", "check", path, "--set", "listen=nowhere"]).code, 1);
    let mut command = marsad(&["config", "check", path]);
    command.env("MARSAD_LISTEN", "nowhere");
    assert_eq!(super::process::run(command, "").code, 1);
    assert_eq!(run(&["config", "check", "/nonexistent"]).code, 3);
    assert_eq!(run(&["config", "show", "--home", "/nonexistent"]).code, 3);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let Ended { code, out, .. } = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(out.contains("validate"), "{shell}");
    }
    let Ended { code, out, .. } = run(&["man"]);
    assert_eq!(code, 0);
    assert!(out.contains(".TH marsad 1"), "{out}");
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", "--output", directory.path().to_str().unwrap()]).code, 0);
    assert!(directory.path().join("marsad-validate.1").is_file());
}

#[test]
fn wrong_use_is_two() {
    for args in [&["frobnicate"][..], &[], &["validate", "--frobnicate"], &["pattern", "check", "a", "--file", "b"]] {
        let Ended { code, out, err } = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
    assert_eq!(run(&["--help"]).code, 0);
    assert_eq!(run(&["--version"]).code, 0);
}
