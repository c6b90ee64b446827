//! The blind meeting through the binary: two nodes exchange cards, one serves, the other comes to meet it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const PASSWORD: &str = "a long passphrase";

struct Node {
    folder: tempfile::TempDir,
    serving: Option<Child>,
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.serving {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Node {
    fn new(organisation: &str) -> Self {
        let node = Self { folder: tempfile::tempdir().unwrap(), serving: None };
        node.good(&["init", "--organisation", organisation], "");
        node
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut command = assert_cmd::Command::cargo_bin("marsad").unwrap();
        let home = self.folder.path().join("home");
        let output = command.args(args).env("MARSAD_HOME", home).write_stdin(input).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn good(&self, args: &[&str], input: &str) -> String {
        let (code, out, err) = self.run(args, input);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    fn json(&self, args: &[&str], input: &str) -> Value {
        serde_json::from_str(&self.good(&[args, &["--json"]].concat(), input)).unwrap()
    }

    /// Takes in indicators of domains, each with a marking.
    fn import(&self, domains: &[(&str, &str)]) {
        let objects: Vec<Value> = domains
            .iter()
            .zip(0_u32..)
            .map(|((name, marking), n)| {
                json!({
                    "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{n:012}"),
                    "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "name": "n",
                    "indicator_types": ["malicious-activity"], "pattern": format!("[domain-name:value = '{name}']"),
                    "pattern_type": "stix", "valid_from": "2020-01-01T00:00:00Z", "object_marking_refs": [marking],
                })
            })
            .collect();
        let bundle = json!({
            "type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects
        });
        let file = self.folder.path().join("bundle.json");
        std::fs::write(&file, bundle.to_string()).unwrap();
        self.good(&["import", file.to_str().unwrap()], "");
    }

    /// Takes the card of another node for that of its organisation, and lets it count.
    fn trust(&self, other: &Self, name: &str) {
        let card = self.folder.path().join("card.json");
        let said = other.json(&["card", "show", "-o", card.to_str().unwrap()], "");
        let digits = said["digits"].as_str().unwrap();
        self.good(&["partner", "add", card.to_str().unwrap(), "--name", name, "--digits", digits], "");
    }

    fn serve(&mut self) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_marsad"))
            .args(["serve", "--listen", "127.0.0.1:0", "--set", "plain-http=true"])
            .env("MARSAD_HOME", self.folder.path().join("home"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.serving = Some(child);
        let url = line.trim().strip_prefix("listening on ").unwrap();
        url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    fn log(&self) -> Vec<(String, bool)> {
        let log = self.good(&["audit", "list", "--kind", "partner", "--json"], "");
        let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let entry = |entry: Value| {
            let body = &entry["matter"]["body"];
            (body["act"].as_str().unwrap_or_default().to_owned(), body["done"].as_bool().unwrap())
        };
        entries.map(entry).filter(|(act, _)| act.starts_with("meeting")).collect()
    }
}

#[test]
fn two_organisations_meet() {
    let (mut there, here) = (Node::new("Port CSIRT"), Node::new("CERT North"));
    there.import(&[("both.example", AMBER), ("only-there.example", AMBER), ("red.example", RED)]);
    here.import(&[("BOTH.example.", AMBER), ("only-here.example", AMBER), ("red.example", RED)]);
    there.trust(&here, "CERT North");
    here.trust(&there, "Port CSIRT");
    let account = ["account", "add", "north", "--organisation", "CERT North", "--role", "analyst", "--password-stdin"];
    there.good(&account, PASSWORD);
    let url = there.serve();
    let way = ["partner", "meet", "Port CSIRT", "--url", &url, "--user", "north", "--password-stdin"];
    let meet = || here.run(&[&way[..], &["--json"]].concat(), PASSWORD);

    // First each must say that it meets.
    let (code, _, err) = meet();
    assert!(code == 3 && err.contains("terms"), "{err}");
    here.good(&["partner", "grade", "Port CSIRT", "--meets", "true"], "");
    let (code, _, err) = meet();
    assert!(code == 3 && err.contains("403"), "{err}");
    there.good(&["partner", "grade", "CERT North", "--meets", "true"], "");

    let (code, out, err) = meet();
    assert_eq!(code, 0, "{err}");
    let met: Value = serde_json::from_str(&out).unwrap();
    let both = json!([{"type": "domain", "value": "both.example"}]);
    assert_eq!(
        (&met["both"], &met["ours"], &met["theirs"], &met["began"]),
        (&both, &2.into(), &1024.into(), &true.into())
    );
    // Both have it, and in words.
    let last = there.json(&["partner", "meet", "cert north", "--last"], "");
    assert_eq!((&last["both"], &last["ours"], &last["began"]), (&both, &2.into(), &false.into()));
    let shown = here.good(&["partner", "meet", "Port CSIRT", "--last"], "");
    assert!(shown.contains("both.example") && !shown.contains("only-here"), "{shown}");

    let wrong = here.run(&[&way[..], &["--types", "domain,mutex"]].concat(), PASSWORD);
    assert!(wrong.0 == 2 && wrong.2.contains("mutex"), "{}", wrong.2);
    let (code, _, err) = here.run(&["partner", "meet", "Port CSIRT"], "");
    assert!(code == 3 && err.contains("--url"), "{err}");
    let (code, _, err) = here.run(&["partner", "meet", "Nobody"], "");
    assert!(code == 3 && err.contains("no partner"), "{err}");

    // Two a day.
    assert_eq!(meet().0, 0);
    let (code, _, err) = meet();
    assert!(code == 3 && err.contains("meetings"), "{err}");
    let act = |name: &str, done| (name.to_owned(), done);
    assert_eq!(
        here.log(),
        [
            act("meeting-ended", false),
            act("meeting-ended", true),
            act("meeting-ended", true),
            act("meeting-ended", false)
        ]
    );
    let there = there.log();
    assert!(there.contains(&act("meeting-began", false)) && there.contains(&act("meeting-ended", true)), "{there:?}");
}
