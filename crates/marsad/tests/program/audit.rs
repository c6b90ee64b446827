//! The audit log through the binary: what a node writes down, that it can be verified, and what an eraser leaves.

use super::node::Node;
use super::objects::{GREEN, RED, tool};
use super::process::Serving;
use serde_json::Value;

/// `reader:reader-password` and `reader:wrong`.
const READER: &str = "Basic cmVhZGVyOnJlYWRlci1wYXNzd29yZA==";
const WRONG: &str = "Basic cmVhZGVyOndyb25n";
/// `nobody:wrong`, and a password typed where the name belongs: `s3cret:`.
const STRANGER: &str = "Basic bm9ib2R5Ondyb25n";

/// A node with a reader, a collection that it does not see, and objects of which it sees all but one.
fn node() -> Node {
    let node = Node::new("Example CERT");
    node.good_with(&["account", "add", "reader", "--role", "reader", "--password-stdin"], "reader-password");
    node.good(&["collection", "add", "hidden", "--read", "admin", "--write", "nobody"]);
    let objects: Vec<String> = (0..40).map(|number| tool(number, GREEN)).chain([tool(99, RED)]).collect();
    node.import(&objects, &[]);
    node
}

/// The status of the answer.
fn asked(serving: &Serving, path: &str, authorization: &str) -> u16 {
    let answer = serving.get(path, &format!("Authorization: {authorization}\r\n"));
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_is_done_is_written_down_and_can_be_verified() {
    let node = node();
    let serving = node.serve(&["--plain-http"]);
    let main = "/exchange/collections/main";
    let red = "tool--00000000-0000-4000-8000-000000000099";
    for (path, authorization, status) in [
        (format!("{main}/objects/?limit=30"), READER, 200),
        (format!("{main}/objects/?match[id]=nothing--here"), READER, 200),
        (format!("{main}/manifest/"), READER, 200),
        (format!("{main}/objects/tool--00000000-0000-4000-8000-000000000007/"), READER, 200),
        (format!("{main}/objects/tool--00000000-0000-4000-8000-000000000007/versions/"), READER, 200),
        (format!("{main}/objects/{red}/"), READER, 404),
        (format!("{main}/objects/tool--00000000-0000-4000-8000-000000000098/"), READER, 404),
        ("/exchange/collections/hidden/objects/".to_owned(), READER, 404),
        ("/exchange/collections/nothing/objects/".to_owned(), READER, 404),
        ("/taxii2/".to_owned(), WRONG, 401),
        ("/taxii2/".to_owned(), WRONG, 401),
        ("/taxii2/".to_owned(), STRANGER, 401),
    ] {
        assert_eq!(asked(&serving, &path, authorization), status, "{path}");
    }
    assert_eq!(serving.end(), Some(0));
    let kinds = |kind: &str| node.entries(&["--kind", kind]);
    assert_eq!(kinds("signed-in").len(), 1, "a credential that is remembered is not signed in with again");
    let given: Vec<(String, u64)> = kinds("handed-over")
        .iter()
        .map(|entry| {
            let body = &entry["matter"]["body"];
            assert_eq!((&entry["person"]["who"], &body["organisation"]), (&"reader".into(), &"Example CERT".into()));
            assert_eq!(entry["person"]["details"]["address"], "127.0.0.1");
            assert_eq!(body["way"], "taxii");
            assert_eq!(body["request"].as_str().unwrap().len(), 16);
            (body["what"].as_str().unwrap().to_owned(), body["count"].as_u64().unwrap())
        })
        .collect();
    let expected = [("objects", 30), ("manifest", 40), ("objects", 1), ("versions", 1)];
    assert_eq!(given, expected.map(|(what, count)| (what.to_owned(), count)), "an empty page hands nothing over");
    let refused: Vec<String> =
        kinds("refused").iter().map(|entry| entry["matter"]["about"].as_str().unwrap().to_owned()).collect();
    assert_eq!(refused.len(), 2, "what does not exist is not refused: {refused:?}");
    assert!(
        refused.contains(&format!("{red} in collection main")) && refused.contains(&"collection hidden".to_owned())
    );
    let mut wrong: Vec<(String, u64)> = kinds("sign-in-refused")
        .iter()
        .map(|entry| {
            let count = entry["matter"]["body"]["count"].as_u64().unwrap();
            (entry["person"]["who"].as_str().unwrap().to_owned(), count)
        })
        .collect();
    wrong.sort();
    assert!(wrong.iter().all(|(who, _)| who.is_empty() || who == "reader"), "no stranger's text: {wrong:?}");
    assert_eq!(wrong.iter().map(|(_, count)| count).sum::<u64>(), 3);
    let acts: Vec<Value> = kinds("administered").iter().map(|entry| entry["matter"]["body"]["act"].clone()).collect();
    assert_eq!(acts, ["node-made", "add-account", "add-collection"]);
    assert_eq!(node.entries(&["--who", "operator", "--kind", "taken-in"])[0]["matter"]["body"]["objects"], 41);
    assert_eq!(node.entries(&["--since", "2100-01-01T00:00:00Z"]), Vec::<Value>::new());
    assert_eq!(node.run(&["audit", "list", "--kind", "nonsense"], "").code, 2);

    // An export is a hand-over, too.
    node.good(&["export", "--as-viewer", "reader", "-o", &node.word("out.json")]);
    let all = node.entries(&[]);
    let [given, exported] = &all[all.len() - 2..] else { unreachable!() };
    assert_eq!((&given["matter"]["body"]["way"], &given["matter"]["body"]["count"]), (&"export".into(), &40.into()));
    assert_eq!((&exported["kind"], &exported["person"]["whom"]), (&"exported".into(), &"reader".into()));

    // Sound, also from the outside, and against a head that was noted.
    let report = node.json(&["audit", "verify"]);
    assert_eq!(report["entries"], all.len());
    let head = report["head"].as_str().unwrap();
    node.good(&["audit", "verify", "--head", head]);
    let file = node.word("audit.jsonl");
    node.good(&["audit", "export", "-o", &file]);
    node.good(&["audit", "verify", "--file", &file, "--head", head]);
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(node.run(&["audit", "verify", "--file", "-"], text.replace("\"count\":30", "\"count\":29")).code, 1);
    assert_eq!(node.run(&["audit", "verify", "--file", "-"], "nonsense\n").code, 3);
    let other = format!("{}0", &head[..head.len() - 1]);
    let other = if other == head { format!("{}1", &head[..head.len() - 1]) } else { other };
    assert_eq!(node.run(&["audit", "verify", "--head", &other], "").code, 1);
    assert_eq!(node.run(&["audit", "verify", "--head", "x"], "").code, 2);
    node.good(&["doctor"]);
    let told = node.good(&["doctor", "--json", "--set", "audit.syslog=siem.example.org"]);
    assert!(told.contains(&format!("the server has 0 of {} entries", all.len())), "{told}");
    assert_eq!(node.run(&["audit", "list", "--set", "audit.syslog=no host"], "").code, 0, "only who needs it reads it");
    assert_eq!(node.run(&["audit", "retain", "--set", "audit.syslog=no host"], "").code, 2);

    // Erased on request: gone from the log, and the log still sound.
    assert_eq!(node.run(&["audit", "erase", "--who", "reader", "--reason", "the Reader asked", "--yes"], "").code, 2);
    node.good(&["audit", "erase", "--who", "reader", "--reason", "request 17", "--yes"]);
    assert_eq!(node.entries(&["--who", "reader"]), Vec::<Value>::new());
    assert_eq!(node.entries(&["--kind", "audit-erased"])[0]["matter"]["body"]["reason"], "request 17");
    node.good(&["audit", "verify", "--head", head]);
    node.good(&["check"]);

    // A backup carries log and anchor, and the restored node goes on in the same chain.
    let backup = node.word("backup.zip");
    node.good(&["backup", &backup]);
    let restored = Node::bare();
    restored.good(&["restore", &backup]);
    restored.good(&["audit", "verify", "--head", head]);
    assert_eq!(restored.entries(&["--kind", "administered"]).last().unwrap()["matter"]["body"]["act"], "restored");

    // Retention leaves the chain alone.
    restored.good(&["audit", "retain", "--set", "audit.retention-days=1"]);
    restored.good(&["audit", "verify"]);

    // An older copy in its place is found by everyone who looks.
    let log = node.home().join("audit.db");
    let old = std::fs::read(&log).unwrap();
    node.good(&["organisation", "add", "X", "--relation", "public"]);
    assert_ne!(old, std::fs::read(&log).unwrap());
    std::fs::write(&log, old).unwrap();
    for command in [&["audit", "verify"][..], &["check"], &["doctor"]] {
        assert_eq!(node.run(command, "").code, 1, "{command:?}");
    }
}

#[test]
fn a_node_that_is_killed_leaves_a_sound_log() {
    let node = node();
    let serving = node.serve(&["--plain-http"]);
    for _ in 0..20 {
        assert_eq!(asked(&serving, "/exchange/collections/main/objects/?limit=3", READER), 200);
    }
    // What was answered some moments ago has been written.
    let written = |count: usize| node.entries(&["--kind", "handed-over"]).len() >= count;
    while !written(20) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The value kills it on the spot.
    drop(serving);
    node.good(&["audit", "verify"]);
    assert_eq!(node.entries(&["--kind", "handed-over"]).len(), 20);
}
