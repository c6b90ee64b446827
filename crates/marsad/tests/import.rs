//! `marsad import` and `marsad export`: counts, refusals, exit codes, and that bytes come back as they went in.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const MARK: &str = "marking-definition--";
const CLEAR: &str = "94868c89-83c2-464b-929b-a1a8aa3c8487";
const GREEN: &str = "bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const RED: &str = "e828b379-4e03-4974-9ac4-e53a884c97c1";

/// A home in a directory of its own.
struct Node {
    directory: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let node = Self { directory: tempfile::tempdir().unwrap() };
        let (code, _, err) = node.run(&["init", "--organisation", "Example CERT"], "");
        assert_eq!(code, 0, "{err}");
        node
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut command = Command::cargo_bin("marsad").unwrap();
        command.args(args).env("MARSAD_HOME", self.directory.path().join("home")).write_stdin(input);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Imports from standard input and gives exit code and counts.
    fn import(&self, input: &str, flags: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.run(&[&["import", "--json", "-"], flags].concat(), input);
        assert!(!out.is_empty(), "{err}");
        (code, serde_json::from_str(&out).unwrap())
    }

    /// The exported objects, each as its text.
    fn exported(&self, flags: &[&str]) -> Vec<String> {
        let (code, out, err) = self.run(&[&["export"], flags].concat(), "");
        assert_eq!(code, 0, "{err}");
        let bundle: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(&out).unwrap();
        let Some(objects) = bundle.get("objects") else { return Vec::new() };
        let objects: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(objects.get()).unwrap();
        objects.iter().map(|object| object.get().to_owned()).collect()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn tool(number: u32, rest: &str) -> String {
    format!(
        r#"{{"type": "tool", "spec_version":"2.1","id":"tool--{number:08x}-17d4-4cbf-938f-98ee46b3cd3f","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"VNC"{rest}}}"#
    )
}

fn marked(number: u32, marking: &str) -> String {
    tool(number, &format!(r#","object_marking_refs":["{MARK}{marking}"]"#))
}

fn bundle(objects: &[String]) -> String {
    let objects = objects.join(" ,\n");
    format!(r#"{{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444","objects":[{objects}]}}"#)
}

fn counts(value: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| value.get(name).unwrap().as_u64().unwrap();
    (count("added"), count("unchanged"), count("refused"), count("conflicts"))
}

#[test]
fn what_goes_in_comes_out_byte_for_byte() {
    let node = Node::new();
    let objects = [tool(1, r#", "x_note" : "مرصد \u0041 \/ 1.50" "#), tool(2, ""), marked(3, CLEAR)];
    let (code, value) = node.import(&bundle(&objects), &[]);
    assert_eq!((code, counts(&value)), (0, (3, 0, 0, 0)), "{value}");
    assert_eq!(node.exported(&[]), objects);

    let (code, value) = node.import(&bundle(&objects), &[]);
    assert_eq!((code, counts(&value)), (0, (0, 3, 0, 0)), "{value}");
    assert_eq!(node.exported(&[]).len(), 3);

    let (code, out, _) = node.run(&["import", "-"], &bundle(&objects));
    assert_eq!((code, out.as_str()), (0, "added 0, unchanged 3, refused 0\n"));

    let path = node.directory.path().join("out.json");
    assert_eq!(node.run(&["export", "-o", path.to_str().unwrap()], "").0, 0);
    let (code, value) = Node::new().import(&std::fs::read_to_string(&path).unwrap(), &[]);
    assert_eq!((code, counts(&value)), (0, (3, 0, 0, 0)));
    assert!(
        !node
            .directory
            .path()
            .read_dir()
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_str().unwrap().ends_with(".partial") })
    );
}

#[test]
fn every_form_and_packing_of_stix_is_taken() {
    let (one, two) = (tool(1, ""), tool(2, ""));
    let gzip = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    for (name, bytes, added) in [
        ("bundle.json", bundle(&[one.clone(), two.clone()]).into_bytes(), 2),
        ("envelope.json", format!(r#"{{"more":false,"objects":[{one}]}}"#).into_bytes(), 1),
        ("list.json", format!("[{one},{two}]").into_bytes(), 2),
        ("object.json", one.clone().into_bytes(), 1),
        ("lines.jsonl", format!("{one}\n{two}\n").into_bytes(), 2),
        ("bundle.json.gz", gzip(&bundle(std::slice::from_ref(&one))), 1),
        ("empty.json", br#"{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444"}"#.to_vec(), 0),
    ] {
        let node = Node::new();
        let path = node.file(name, &bytes);
        let (code, out, err) = node.run(&["import", "--json", path.to_str().unwrap()], "");
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, counts(&value)), (0, (added, 0, 0, 0)), "{name}: {err}");
    }
}

#[test]
fn stix_20_is_upgraded_or_kept() {
    let old = r#"{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444","spec_version":"2.0","objects":[{"type":"identity","id":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","created":"2020-01-14T17:18:32.126Z","modified":"2020-01-14T17:18:32.126Z","name":"x","identity_class":"organization"}]}"#;
    let node = Node::new();
    let (code, value) = node.import(old, &[]);
    assert_eq!((code, counts(&value), value["upgraded"].as_u64()), (0, (1, 0, 0, 0), Some(1)), "{value}");
    let object: Value = serde_json::from_str(&node.exported(&[])[0]).unwrap();
    assert_eq!(object["spec_version"], "2.1");
    let node = Node::new();
    let (code, value) = node.import(old, &["--keep-2.0"]);
    assert_eq!((code, counts(&value), value["upgraded"].as_u64()), (0, (1, 0, 0, 0), Some(0)), "{value}");
    let object: Value = serde_json::from_str(&node.exported(&[])[0]).unwrap();
    assert_eq!(object.get("spec_version"), None);
}

#[test]
fn good_objects_are_kept_and_bad_ones_named() {
    let node = Node::new();
    let wrong = tool(2, "").replace(r#","name":"VNC""#, "");
    let path = node.file("mixed.json", bundle(&[tool(1, ""), wrong, tool(3, "")]).as_bytes());
    let file = path.to_str().unwrap();
    let (code, out, err) = node.run(&["import", "--json", file], "");
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, counts(&value)), (1, (2, 0, 1, 0)), "{value}");
    let refusal = &value["refusals"][0];
    assert_eq!(refusal["file"], file);
    assert_eq!(refusal["object"], "tool--00000002-17d4-4cbf-938f-98ee46b3cd3f");
    assert_eq!(refusal["path"], "$.objects[1]");
    assert!(refusal["clause"].as_str().unwrap().starts_with("STIX 2.1 §"), "{refusal}");
    for part in [file, "tool--00000002", "$.objects[1]", "`name`", "STIX 2.1 §"] {
        assert!(err.contains(part), "`{part}` is missing: {err}");
    }
}

#[test]
fn bad_input_leaves_what_came_before_it() {
    let (one, two) = (tool(1, ""), tool(2, ""));
    let cut = bundle(&[one.clone(), two.clone()]);
    for (name, text, added) in [
        ("not JSON", "no JSON at all".to_owned(), 0),
        ("nothing", String::new(), 0),
        ("truncated", cut[..cut.len() - 40].to_owned(), 1),
        ("a second document that is broken", format!("{one}\n{{\"type\":"), 1),
        ("duplicate keys", bundle(&[one.clone(), tool(2, r#","name":"b""#)]), 1),
        ("NaN", bundle(&[one.clone(), tool(2, r#","x_n":NaN"#)]), 1),
        ("lone surrogate", bundle(&[one.clone(), tool(2, r#","x_n":"\ud800""#)]), 1),
        ("deep", bundle(&[one.clone(), tool(2, &format!(r#","x_n":{}"#, "[".repeat(100_000)))]), 1),
        ("a string of the document", "\"text\"".to_owned(), 0),
    ] {
        let node = Node::new();
        let (code, value) = node.import(&text, &[]);
        assert_eq!((code, counts(&value)), (1, (added, 0, 1, 0)), "{name}: {value}");
        assert_eq!(node.exported(&[]).len() as u64, added, "{name}");
        assert_eq!(node.run(&["check"], "").0, 0, "{name}");
    }
}

/// Every bad object is named with its place in the file, and the good ones around it are kept.
#[test]
fn bad_objects_are_placed_in_the_file() {
    for (name, from, to, path, message) in [
        ("duplicate keys", r#""VNC""#, r#""a","name":"b""#, "", "(line 2, column "),
        ("NaN", r#""VNC""#, "NaN", "", "(line 2, column "),
        ("lone surrogate", "VNC", r"\ud800", "", "(line 2, column "),
        ("invalid UTF-8", "VNC", "\u{1}", "", "(line 2, column "),
        ("a million-element list", r#""VNC""#, &format!("[{}0]", "0,".repeat(1_000_000)), "", "(line 2, column "),
        ("year 10000", "2016", "10000", ".created", "no timestamp"),
        ("year -1", "2016", "-001", ".created", "no timestamp"),
        ("the id of another type", "tool--", "malware--", ".id", "does not begin with the object's type"),
        ("an id that leads elsewhere", "tool--0", "tool--../", ".id", "no identifier"),
        ("an id that is none", r#""tool--"#, r#"7,"x_a":""#, ".id", "a string"),
    ] {
        let node = Node::new();
        let bad = tool(2, "").replacen(from, to, if name.starts_with("year") { 2 } else { 1 });
        let mut bytes = bundle(&[tool(1, ""), bad, tool(3, "")]).into_bytes();
        if name == "invalid UTF-8" {
            bytes.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xff);
        }
        let file = node.file("bad.json", &bytes);
        let file = file.to_str().unwrap();
        let (code, out, err) = node.run(&["import", "--json", file], "");
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, counts(&value)), (1, (2, 0, 1, 0)), "{name}: {value}");
        let refusal = &value["refusals"][0];
        assert_eq!(
            (&refusal["file"], &refusal["path"]),
            (&json!(file), &json!(format!("$.objects[1]{path}"))),
            "{name}"
        );
        assert!(refusal["clause"].as_str().unwrap().starts_with("STIX 2.1 §"), "{name}: {refusal}");
        assert!(refusal["message"].as_str().unwrap().contains(message), "{name}: {refusal}");
        assert!(err.contains(&format!("refused {file}: ")), "{name}: {err}");
        assert_eq!(node.exported(&[]), [tool(1, ""), tool(3, "")], "{name}");
    }
    // Years at the edges exist.
    for year in ["0000", "0001", "9999"] {
        let node = Node::new();
        let far = tool(1, "").replace("2016", year);
        assert_eq!(node.import(&far, &[]).0, 0, "{year}");
        assert_eq!(node.exported(&[]), [far], "{year}");
    }
}

/// A file of nothing but bad objects is counted to its end, and told of to a bound.
#[test]
fn a_million_refusals_are_bounded() {
    let node = Node::new();
    let list = format!("[{}{}]", "1,".repeat(100_000), tool(1, ""));
    let (code, out, err) = node.run(&["import", "--json", "-"], &list);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, counts(&value)), (1, (1, 0, 100_000, 0)));
    assert_eq!((value["refusals"].as_array().unwrap().len(), &value["refusals_left_out"]), (1_000, &json!(99_000)));
    assert_eq!(err.lines().count(), 10_001);
    assert!(err.ends_with("… and 90000 more refusals: `marsad validate` lists what is wrong\n"));
}

#[test]
fn a_wall_of_brackets_is_refused_at_once() {
    let node = Node::new();
    let path = node.file("wall.json", &vec![b'['; 64 << 20]);
    let (code, out, _) = node.run(&["import", "--json", path.to_str().unwrap()], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (1, (0, 0, 1, 0)));
}

#[test]
fn all_or_nothing_leaves_no_trace() {
    let node = Node::new();
    let objects: Vec<String> = (0..5_000).map(|number| tool(number, "")).collect();
    let mut spoilt = objects.clone();
    spoilt[4_000] = spoilt[4_000].replace("2016-04-06", "yesterday");
    let (code, value) = node.import(&bundle(&spoilt), &["--all-or-nothing"]);
    assert_eq!(code, 1, "{value}");
    assert_eq!(counts(&value), (0, 0, 1, 0));
    assert_eq!(node.exported(&[]).len(), 0);
    let (code, value) = node.import(&bundle(&objects), &["--all-or-nothing"]);
    assert_eq!((code, counts(&value)), (0, (5_000, 0, 0, 0)));
    let (code, value) = node.import(&bundle(&spoilt), &[]);
    assert_eq!((code, counts(&value)), (1, (0, 4_999, 1, 0)));
}

#[test]
fn what_contradicts_is_kept_aside() {
    let node = Node::new();
    node.import(&tool(1, ""), &[]);
    let (code, value) = node.import(&tool(1, r#","x_other":1"#), &[]);
    assert_eq!((code, counts(&value)), (1, (0, 0, 0, 1)), "{value}");
    assert_eq!(node.exported(&[]), [tool(1, "")]);
    let (code, out, _) = node.run(&["doctor"], "");
    assert_eq!(code, 0);
    assert!(out.contains("tool--00000001-17d4-4cbf-938f-98ee46b3cd3f"), "{out}");
}

#[test]
fn a_viewer_gets_what_its_marking_allows() {
    let node = Node::new();
    node.run(&["organisation", "add", "CERT North", "--relation", "community"], "");
    node.run(&["organisation", "add", "Port Authority", "--relation", "client"], "");
    node.run(&["account", "add", "noor", "--role", "reader", "--organisation", "CERT North"], "");
    node.import(&bundle(&[tool(1, ""), marked(2, CLEAR), marked(3, GREEN), marked(4, RED)]), &[]);
    node.import(&marked(5, RED), &["--to", "NOOR"]);
    let seen = |viewer: &[&str]| {
        let number = |object: &String| object.split("tool--0000000").nth(1).unwrap().chars().next().unwrap();
        node.exported(viewer).iter().map(number).collect::<String>()
    };
    for (viewer, expected) in [
        (&[][..], "123"),
        (&["--as-viewer", "admin"], "1234"),
        (&["--as-viewer", "noor"], "235"),
        (&["--as-viewer", "cert north"], "23"),
        (&["--as-viewer", "Port Authority"], "123"),
    ] {
        assert_eq!(seen(viewer), expected, "{viewer:?}");
    }
    node.run(&["collection", "add", "closed", "--read", "noor"], "");
    node.import(&marked(6, CLEAR), &["--collection", "closed"]);
    assert_eq!(seen(&["--collection", "closed"]), "");
    assert_eq!(seen(&["--collection", "closed", "--as-viewer", "noor"]), "6");
    assert_eq!(node.run(&["export", "--as-viewer", "nobody"], "").0, 3);
    assert_eq!(node.run(&["import", "--to", "nobody", "-"], &tool(7, "")).0, 3);
}

#[test]
fn wrong_use_and_what_cannot_be_done() {
    let node = Node::new();
    let good = node.file("good.json", tool(1, "").as_bytes());
    let good = good.to_str().unwrap();
    for (args, expected) in [
        (&["import"][..], 2),
        (&["import", "--as", "misp", good], 2),
        (&["import", "--as", "frobnicate", good], 2),
        (&["import", "-", "-"], 2),
        (&["export", "--as", "csv"], 2),
        (&["import", "--collection", "nowhere", good], 3),
        (&["export", "--collection", "nowhere"], 3),
        (&["import", "--home", "/nonexistent", good], 3),
    ] {
        assert_eq!(node.run(args, "").0, expected, "{args:?}");
    }
    let (code, out, err) = node.run(&["import", "--json", "/nonexistent/a.json", good], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (3, (1, 0, 0, 0)), "the others are taken");
    assert!(err.contains("/nonexistent/a.json"), "{err}");
    let (code, out, _) = node.run(&["import", "--json", "--all-or-nothing", "/nonexistent/a.json", good], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (3, (0, 0, 0, 0)));
}

#[test]
fn a_backup_restores_everything() {
    let node = Node::new();
    node.import(&bundle(&[tool(1, ""), marked(2, CLEAR)]), &[]);
    node.run(&["account", "add", "noor", "--role", "reader", "--password-stdin"], "correct horse battery staple");
    let file = node.directory.path().join("backup.zip");
    let file = file.to_str().unwrap();
    assert_eq!(node.run(&["backup", file], "").0, 0);
    assert_eq!(node.run(&["backup", file], "").0, 3, "a file that exists is not replaced");
    let mode = std::os::unix::fs::PermissionsExt::mode(&Path::new(file).metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = (node.exported(&[]), node.run(&["account", "list", "--json"], ""));

    let home = node.directory.path().join("home");
    assert_eq!(node.run(&["restore", file], "").0, 3, "a node in use is not replaced");
    let secret = std::fs::read(home.join("secret")).unwrap();
    std::fs::remove_dir_all(&home).unwrap();
    assert_eq!(node.run(&["restore", file], "").0, 0);
    assert_eq!(node.run(&["check"], "").0, 0);
    assert_eq!(std::fs::read(home.join("secret")).unwrap(), secret);
    assert_eq!((node.exported(&[]), node.run(&["account", "list", "--json"], "")), before);

    // A damaged backup leaves nothing, unless the damage is where it says nothing (a date of the archive's own).
    let whole = std::fs::read(file).unwrap();
    let other = node.directory.path().join("other");
    let mut refused = 0;
    for ninth in 1..9 {
        let mut bytes = whole.clone();
        bytes[whole.len() * ninth / 9] ^= 1;
        let damaged = node.file("damaged.zip", &bytes);
        let to = ["--home", other.to_str().unwrap()];
        let (code, _, err) = node.run(&[&["restore", damaged.to_str().unwrap()], &to[..]].concat(), "");
        if code == 0 {
            assert_eq!(node.exported(&to), before.0);
            std::fs::remove_dir_all(&other).unwrap();
            continue;
        }
        assert_eq!(code, 3, "{err}");
        assert!(!other.exists());
        refused += 1;
    }
    assert!(refused > 5, "{refused} of 8");
    for text in ["", "PK\u{3}\u{4}", "not a zip"] {
        let path = node.file("foreign.zip", text.as_bytes());
        assert_eq!(
            node.run(&["restore", path.to_str().unwrap(), "--home", other.to_str().unwrap()], "").0,
            3,
            "{text}"
        );
        assert!(!other.exists());
    }
    assert_eq!(json!(node.exported(&[]).len()), json!(2));
}
