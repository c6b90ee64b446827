//! What is said of an object, through the binary.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it, and says where")]

use serde_json::{Value, json};

const TOOL: &str = "tool--00000000-0000-4000-8000-000000000001";

struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        node.run(&["init", "--organisation", "Example CERT"], "", 0);
        node
    }

    /// Exit code 0, or what is expected; answers what was said for machines and for people.
    fn run(&self, args: &[&str], input: &str, code: i32) -> (String, String) {
        let mut command = assert_cmd::Command::cargo_bin("marsad").unwrap();
        let command = command.args(args).env("MARSAD_HOME", self.0.path().join("home"));
        let output = command.env("USER", "operator").env_remove("SUDO_USER").write_stdin(input).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{err}");
        (out, err)
    }

    fn sources(&self) -> Value {
        serde_json::from_str(&self.run(&["sources", TOOL, "--json"], "", 0).0).unwrap()
    }
}

fn tool(version: u8, confidence: u8) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{TOOL}","confidence":{confidence},"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-0{version}T00:00:00.000Z","name":"t"}}"#
    )
}

#[test]
fn sources_are_shown_and_graded() {
    let node = Node::new();
    let (_, err) = node.run(&["sources", TOOL], "", 3);
    assert!(err.contains("there is no object"), "{err}");
    node.run(&["sources", "grade", TOOL, "--credibility", "2"], "", 3);
    node.run(&["import", "-"], &format!("[{},{}]", tool(1, 80), tool(2, 40)), 0);
    let shown = node.sources();
    let one = json!({
        "organisation": "Example CERT", "ours": true, "reliability": null, "credibility": null,
        "claimed": 80, "confidence": 80, "path": [],
        "first": shown[0]["sources"][0]["first"], "last": shown[0]["sources"][0]["last"],
    });
    assert_eq!(shown[0]["version"], "2026-01-01T00:00:00.000Z");
    assert_eq!((&shown[0]["sources"], &shown[0]["confidence"]), (&json!([one]), &json!(80)));
    assert!(one["first"].as_str().unwrap().starts_with("20"), "{one}");
    assert_eq!((shown.as_array().unwrap().len(), &shown[1]["confidence"]), (2, &json!(40)));
    let (_, err) = node.run(&["sources", "grade", TOOL, "--credibility", "4"], "", 0);
    assert!(err.contains("2 versions") && err.contains("doubtful"), "{err}");
    let shown = node.sources();
    for version in shown.as_array().unwrap() {
        assert_eq!((&version["confidence"], &version["sources"][0]["credibility"]), (&json!(30), &json!(4)));
    }
    let (table, _) = node.run(&["sources", TOOL], "", 0);
    assert!(table.contains("Example CERT (us)") && table.contains("-4") && table.contains("confidence 30"), "{table}");
    // It is an act of administration, and written down as one.
    let (log, _) = node.run(&["audit", "list", "--json"], "", 0);
    assert!(log.contains("grade-object") && log.contains("4, doubtful; 2 versions"), "{log}");
}

#[test]
fn what_cannot_be_graded_is_refused() {
    let node = Node::new();
    node.run(&["import", "-"], &tool(1, 80), 0);
    for (args, code, says) in [
        (&["sources"][..], 2, "OBJECT"),
        (&["sources", "grade", TOOL], 2, "--credibility"),
        (&["sources", "grade", TOOL, "--credibility", "0"], 2, "1..=6"),
        (&["sources", "grade", TOOL, "--credibility", "7"], 2, "1..=6"),
        (&["sources", "grade", TOOL, "--credibility", "3", "--source", "Nobody"], 2, "no organisation"),
        (&["sources", TOOL, "grade", TOOL, "--credibility", "3"], 2, ""),
    ] {
        let (_, err) = node.run(args, "", code);
        assert!(err.contains(says), "{args:?}: {err}");
    }
    node.run(&["organisation", "add", "CERT North", "--relation", "community"], "", 0);
    let (_, err) = node.run(&["sources", "grade", TOOL, "--credibility", "3", "--source", "cert north"], "", 3);
    assert!(err.contains("CERT North"), "{err}");
    assert_eq!(node.sources()[0]["confidence"], 80, "nothing was changed");
}
