//! `marsad serve` and `marsad demo`: ready line, commands beside a running node, a clean end.

use super::node::Node;
use super::objects::TOOL;
use super::process::Serving;
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn commands_work_beside_a_running_node() {
    let node = Node::new("Example CERT");
    let serving = node.serve(&["--plain-http"]);
    assert!(serving.get("/taxii2/", "").starts_with("HTTP/1.1 "));

    // What a command changes, the running node knows.
    assert_eq!(node.run(&["collection", "add", "open", "--read", "anyone"], "").code, 0);
    let marked = TOOL.replace(
        r#","name""#,
        r#","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],"name""#,
    );
    let added = node.good_with(&["import", "--collection", "open", "-"], &marked);
    assert_eq!(added, "added 1, unchanged 0, refused 0\n");
    let answer = serving.get("/exchange/collections/open/objects/", "");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(&marked), "{answer}");

    // Unmarked objects are AMBER, and members must sign in.
    assert_eq!(node.run(&["import", "-"], TOOL).code, 0);
    assert!(serving.get("/exchange/collections/main/objects/", "").starts_with("HTTP/1.1 40"));
    let key = node.good(&["key", "add", "machine"]);
    let answer =
        serving.get("/exchange/collections/main/objects/", &format!("Authorization: Bearer {}\r\n", key.trim()));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(TOOL), "{answer}");

    assert_eq!(node.run(&["backup", &node.word("backup.zip")], "").code, 0);
    assert_eq!(node.run(&["check"], "").code, 0);
    assert_eq!(serving.end(), Some(0));
    assert_eq!(node.run(&["check"], "").code, 0);
}

#[test]
fn plain_http_stays_on_loopback() {
    let node = Node::bare();
    assert_eq!(node.run(&["serve"], "").code, 3, "there is no node");
    let node = node.made("Example CERT");
    assert_eq!(node.run(&["serve", "--listen", "0.0.0.0:0", "--plain-http"], "").code, 2);
    assert_eq!(node.run(&["serve", "--listen", "nowhere"], "").code, 2);
    std::fs::write(node.home().join("config.toml"), "taxii.frobnicate = 1\n").unwrap();
    assert_eq!(node.run(&["serve"], "").code, 2, "unknown keys are refused");
}

#[test]
fn the_demonstration_leaves_nothing_behind() {
    let node = Node::bare();
    let (serving, mut out) = Serving::start_heard(node.command(&["demo"]).stderr(Stdio::null()));
    assert!(serving.get("/taxii2/", "").starts_with("HTTP/1.1 "));
    let left = || node.files().len();
    assert_eq!(left(), 1);
    assert_eq!(serving.end(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().filter(|line| line.starts_with("  curl ")).count(), 3, "{rest}");
    assert_eq!(left(), 0);
}
