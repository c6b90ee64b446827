//! `marsad import` and `marsad export`: counts, refusals, exit codes, and that bytes come back as they went in.

use super::node::Node;
use super::objects::{CLEAR, GREEN, RED};
use super::process::Ended;
use serde_json::{Value, json};
use std::path::Path;

fn fresh() -> Node {
    Node::new("Example CERT")
}

/// Imports from standard input and gives exit code and counts.
fn import(node: &Node, input: &str, flags: &[&str]) -> (i32, Value) {
    let Ended { code, out, err } = node.run(&[&["import", "--json", "-"], flags].concat(), input);
    assert!(!out.is_empty(), "{err}");
    (code, serde_json::from_str(&out).unwrap())
}

/// The exported objects, each as its text.
fn exported(node: &Node, flags: &[&str]) -> Vec<String> {
    let out = node.good(&[&["export"], flags].concat());
    let bundle: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(&out).unwrap();
    let Some(objects) = bundle.get("objects") else { return Vec::new() };
    let objects: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(objects.get()).unwrap();
    objects.iter().map(|object| object.get().to_owned()).collect()
}

fn tool(number: u32, rest: &str) -> String {
    format!(
        r#"{{"type": "tool", "spec_version":"2.1","id":"tool--{number:08x}-17d4-4cbf-938f-98ee46b3cd3f","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"VNC"{rest}}}"#
    )
}

fn marked(number: u32, marking: &str) -> String {
    tool(number, &format!(r#","object_marking_refs":["{marking}"]"#))
}

fn bundle(objects: &[String]) -> String {
    super::objects::bundle(&objects.join(" ,\n"))
}

fn counts(value: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| value.get(name).unwrap().as_u64().unwrap();
    (count("added"), count("unchanged"), count("refused"), count("conflicts"))
}

#[test]
fn what_goes_in_comes_out_byte_for_byte() {
    let node = fresh();
    let objects = [tool(1, r#", "x_note" : "مرصد \u0041 \/ 1.50" "#), tool(2, ""), marked(3, CLEAR)];
    let (code, value) = import(&node, &bundle(&objects), &[]);
    assert_eq!((code, counts(&value)), (0, (3, 0, 0, 0)), "{value}");
    assert_eq!(exported(&node, &[]), objects);

    let (code, value) = import(&node, &bundle(&objects), &[]);
    assert_eq!((code, counts(&value)), (0, (0, 3, 0, 0)), "{value}");
    assert_eq!(exported(&node, &[]).len(), 3);

    let Ended { code, out, .. } = node.run(&["import", "-"], bundle(&objects));
    assert_eq!((code, out.as_str()), (0, "added 0, unchanged 3, refused 0\n"));

    let path = node.word("out.json");
    assert_eq!(node.run(&["export", "-o", &path], "").code, 0);
    let (code, value) = import(&fresh(), &std::fs::read_to_string(&path).unwrap(), &[]);
    assert_eq!((code, counts(&value)), (0, (3, 0, 0, 0)));
    assert!(!node.files().iter().any(|path| path.to_str().unwrap().ends_with(".partial")));
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
        let node = fresh();
        let path = node.file(name, bytes);
        let Ended { code, out, err } = node.run(&["import", "--json", &path], "");
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, counts(&value)), (0, (added, 0, 0, 0)), "{name}: {err}");
    }
}

#[test]
fn stix_20_is_upgraded_or_kept() {
    let old = r#"{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444","spec_version":"2.0","objects":[{"type":"identity","id":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","created":"2020-01-14T17:18:32.126Z","modified":"2020-01-14T17:18:32.126Z","name":"x","identity_class":"organization"}]}"#;
    let node = fresh();
    let (code, value) = import(&node, old, &[]);
    assert_eq!((code, counts(&value), value["upgraded"].as_u64()), (0, (1, 0, 0, 0), Some(1)), "{value}");
    let object: Value = serde_json::from_str(&exported(&node, &[])[0]).unwrap();
    assert_eq!(object["spec_version"], "2.1");
    let node = fresh();
    let (code, value) = import(&node, old, &["--keep-2.0"]);
    assert_eq!((code, counts(&value), value["upgraded"].as_u64()), (0, (1, 0, 0, 0), Some(0)), "{value}");
    let object: Value = serde_json::from_str(&exported(&node, &[])[0]).unwrap();
    assert_eq!(object.get("spec_version"), None);
}

#[test]
fn good_objects_are_kept_and_bad_ones_named() {
    let node = fresh();
    let wrong = tool(2, "").replace(r#","name":"VNC""#, "");
    let file = node.file("mixed.json", bundle(&[tool(1, ""), wrong, tool(3, "")]));
    let file = file.as_str();
    let Ended { code, out, err } = node.run(&["import", "--json", file], "");
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
        let node = fresh();
        let (code, value) = import(&node, &text, &[]);
        assert_eq!((code, counts(&value)), (1, (added, 0, 1, 0)), "{name}: {value}");
        assert_eq!(exported(&node, &[]).len() as u64, added, "{name}");
        assert_eq!(node.run(&["check"], "").code, 0, "{name}");
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
        let node = fresh();
        let bad = tool(2, "").replacen(from, to, if name.starts_with("year") { 2 } else { 1 });
        let mut bytes = bundle(&[tool(1, ""), bad, tool(3, "")]).into_bytes();
        if name == "invalid UTF-8" {
            bytes.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xff);
        }
        let file = node.file("bad.json", bytes);
        let file = file.as_str();
        let Ended { code, out, err } = node.run(&["import", "--json", file], "");
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
        assert_eq!(exported(&node, &[]), [tool(1, ""), tool(3, "")], "{name}");
    }
    // Years at the edges exist.
    for year in ["0000", "0001", "9999"] {
        let node = fresh();
        let far = tool(1, "").replace("2016", year);
        assert_eq!(import(&node, &far, &[]).0, 0, "{year}");
        assert_eq!(exported(&node, &[]), [far], "{year}");
    }
}

/// A file of nothing but bad objects is counted to its end, and told of to a bound.
#[test]
fn a_million_refusals_are_bounded() {
    let node = fresh();
    let list = format!("[{}{}]", "1,".repeat(100_000), tool(1, ""));
    let Ended { code, out, err } = node.run(&["import", "--json", "-"], &list);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, counts(&value)), (1, (1, 0, 100_000, 0)));
    assert_eq!((value["refusals"].as_array().unwrap().len(), &value["refusals_left_out"]), (1_000, &json!(99_000)));
    assert_eq!(err.lines().count(), 10_001);
    assert!(err.ends_with("… and 90000 more refusals: `marsad validate` lists what is wrong\n"));
}

#[test]
fn a_wall_of_brackets_is_refused_at_once() {
    let node = fresh();
    let path = node.file("wall.json", vec![b'['; 64 << 20]);
    let Ended { code, out, .. } = node.run(&["import", "--json", &path], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (1, (0, 0, 1, 0)));
}

#[test]
fn all_or_nothing_leaves_no_trace() {
    let node = fresh();
    let objects: Vec<String> = (0..5_000).map(|number| tool(number, "")).collect();
    let mut spoilt = objects.clone();
    spoilt[4_000] = spoilt[4_000].replace("2016-04-06", "yesterday");
    let (code, value) = import(&node, &bundle(&spoilt), &["--all-or-nothing"]);
    assert_eq!(code, 1, "{value}");
    assert_eq!(counts(&value), (0, 0, 1, 0));
    assert_eq!(exported(&node, &[]).len(), 0);
    let (code, value) = import(&node, &bundle(&objects), &["--all-or-nothing"]);
    assert_eq!((code, counts(&value)), (0, (5_000, 0, 0, 0)));
    let (code, value) = import(&node, &bundle(&spoilt), &[]);
    assert_eq!((code, counts(&value)), (1, (0, 4_999, 1, 0)));
}

#[test]
fn what_contradicts_is_kept_aside() {
    let node = fresh();
    import(&node, &tool(1, ""), &[]);
    let (code, value) = import(&node, &tool(1, r#","x_other":1"#), &[]);
    assert_eq!((code, counts(&value)), (1, (0, 0, 0, 1)), "{value}");
    assert_eq!(exported(&node, &[]), [tool(1, "")]);
    let Ended { code, out, .. } = node.run(&["doctor"], "");
    assert_eq!(code, 0);
    assert!(out.contains("tool--00000001-17d4-4cbf-938f-98ee46b3cd3f"), "{out}");
}

#[test]
fn a_viewer_gets_what_its_marking_allows() {
    let node = fresh();
    node.run(&["organisation", "add", "CERT North", "--relation", "community"], "");
    node.run(&["organisation", "add", "Port Authority", "--relation", "client"], "");
    node.run(&["account", "add", "noor", "--role", "reader", "--organisation", "CERT North"], "");
    import(&node, &bundle(&[tool(1, ""), marked(2, CLEAR), marked(3, GREEN), marked(4, RED)]), &[]);
    import(&node, &marked(5, RED), &["--to", "NOOR"]);
    let seen = |viewer: &[&str]| {
        let number = |object: &String| object.split("tool--0000000").nth(1).unwrap().chars().next().unwrap();
        exported(&node, viewer).iter().map(number).collect::<String>()
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
    import(&node, &marked(6, CLEAR), &["--collection", "closed"]);
    assert_eq!(seen(&["--collection", "closed"]), "");
    assert_eq!(seen(&["--collection", "closed", "--as-viewer", "noor"]), "6");
    assert_eq!(node.run(&["export", "--as-viewer", "nobody"], "").code, 3);
    assert_eq!(node.run(&["import", "--to", "nobody", "-"], tool(7, "")).code, 3);
}

#[test]
fn wrong_use_and_what_cannot_be_done() {
    let node = fresh();
    let good = node.file("good.json", tool(1, ""));
    let good = good.as_str();
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
        assert_eq!(node.run(args, "").code, expected, "{args:?}");
    }
    let Ended { code, out, err } = node.run(&["import", "--json", "/nonexistent/a.json", good], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (3, (1, 0, 0, 0)), "the others are taken");
    assert!(err.contains("/nonexistent/a.json"), "{err}");
    let Ended { code, out, .. } = node.run(&["import", "--json", "--all-or-nothing", "/nonexistent/a.json", good], "");
    assert_eq!((code, counts(&serde_json::from_str(&out).unwrap())), (3, (0, 0, 0, 0)));
}

#[test]
fn a_backup_restores_everything() {
    let node = fresh();
    import(&node, &bundle(&[tool(1, ""), marked(2, CLEAR)]), &[]);
    node.run(&["account", "add", "noor", "--role", "reader", "--password-stdin"], "correct horse battery staple");
    let file = node.word("backup.zip");
    let file = file.as_str();
    assert_eq!(node.run(&["backup", file], "").code, 0);
    assert_eq!(node.run(&["backup", file], "").code, 3, "a file that exists is not replaced");
    let accounts = || node.good(&["account", "list", "--json"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&Path::new(file).metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = (exported(&node, &[]), accounts());

    let home = node.home();
    assert_eq!(node.run(&["restore", file], "").code, 3, "a node in use is not replaced");
    let secret = std::fs::read(home.join("secret")).unwrap();
    std::fs::remove_dir_all(&home).unwrap();
    assert_eq!(node.run(&["restore", file], "").code, 0);
    assert_eq!(node.run(&["check"], "").code, 0);
    assert_eq!(std::fs::read(home.join("secret")).unwrap(), secret);
    assert_eq!((exported(&node, &[]), accounts()), before);

    // A damaged backup leaves nothing, unless the damage is where it says nothing (a date of the archive's own).
    let whole = std::fs::read(file).unwrap();
    let other = node.path("other");
    let mut refused = 0;
    for ninth in 1..9 {
        let mut bytes = whole.clone();
        bytes[whole.len() * ninth / 9] ^= 1;
        let damaged = node.file("damaged.zip", bytes);
        let to = ["--home", other.to_str().unwrap()];
        let Ended { code, err, .. } = node.run(&[&["restore", &damaged], &to[..]].concat(), "");
        if code == 0 {
            assert_eq!(exported(&node, &to), before.0);
            std::fs::remove_dir_all(&other).unwrap();
            continue;
        }
        assert_eq!(code, 3, "{err}");
        assert!(!other.exists());
        refused += 1;
    }
    assert!(refused > 5, "{refused} of 8");
    for text in ["", "PK\u{3}\u{4}", "not a zip"] {
        let path = node.file("foreign.zip", text);
        assert_eq!(node.run(&["restore", &path, "--home", other.to_str().unwrap()], "").code, 3, "{text}");
        assert!(!other.exists());
    }
    assert_eq!(json!(exported(&node, &[]).len()), json!(2));
}
