//! What is said of an object, through the binary.

use super::node::Node;
use super::process::Ended;
use serde_json::{Value, json};

const TOOL: &str = "tool--00000000-0000-4000-8000-000000000001";

fn sources(node: &Node) -> Value {
    node.json(&["sources", TOOL])
}

fn tool(version: u8, confidence: u8) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{TOOL}","confidence":{confidence},"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-0{version}T00:00:00.000Z","name":"t"}}"#
    )
}

#[test]
fn sources_are_shown_and_graded() {
    let node = Node::new("Example CERT");
    node.refused(&["sources", TOOL], 3, "there is no object");
    node.refused(&["sources", "grade", TOOL, "--credibility", "2"], 3, "");
    node.import(&[tool(1, 80), tool(2, 40)], &[]);
    let shown = sources(&node);
    let one = json!({
        "organisation": "Example CERT", "ours": true, "reliability": null, "credibility": null,
        "claimed": 80, "confidence": 80, "path": [],
        "first": shown[0]["sources"][0]["first"], "last": shown[0]["sources"][0]["last"],
    });
    assert_eq!(shown[0]["version"], "2026-01-01T00:00:00.000Z");
    assert_eq!((&shown[0]["sources"], &shown[0]["confidence"]), (&json!([one]), &json!(80)));
    assert!(one["first"].as_str().unwrap().starts_with("20"), "{one}");
    assert_eq!((shown.as_array().unwrap().len(), &shown[1]["confidence"]), (2, &json!(40)));
    let Ended { code, err, .. } = node.run(&["sources", "grade", TOOL, "--credibility", "4"], "");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("2 versions") && err.contains("doubtful"), "{err}");
    let shown = sources(&node);
    for version in shown.as_array().unwrap() {
        assert_eq!((&version["confidence"], &version["sources"][0]["credibility"]), (&json!(30), &json!(4)));
    }
    let table = node.good(&["sources", TOOL]);
    assert!(table.contains("Example CERT (us)") && table.contains("-4") && table.contains("confidence 30"), "{table}");
    // It is an act of administration, and written down as one.
    let log = node.good(&["audit", "list", "--json"]);
    assert!(log.contains("grade-object") && log.contains("4, doubtful; 2 versions"), "{log}");
}

#[test]
fn what_cannot_be_graded_is_refused() {
    let node = Node::new("Example CERT");
    node.import(&[tool(1, 80)], &[]);
    for (args, code, says) in [
        (&["sources"][..], 2, "OBJECT"),
        (&["sources", "grade", TOOL], 2, "--credibility"),
        (&["sources", "grade", TOOL, "--credibility", "0"], 2, "1..=6"),
        (&["sources", "grade", TOOL, "--credibility", "7"], 2, "1..=6"),
        (&["sources", "grade", TOOL, "--credibility", "3", "--source", "Nobody"], 2, "no organisation"),
        (&["sources", TOOL, "grade", TOOL, "--credibility", "3"], 2, ""),
    ] {
        node.refused(args, code, says);
    }
    node.good(&["organisation", "add", "CERT North", "--relation", "community"]);
    node.refused(&["sources", "grade", TOOL, "--credibility", "3", "--source", "cert north"], 3, "CERT North");
    assert_eq!(sources(&node)[0]["confidence"], 80, "nothing was changed");
}
