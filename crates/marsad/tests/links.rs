//! Links through the binary: two nodes, one of which serves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

struct Node(tempfile::TempDir);

struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Node {
    fn new(organisation: &str) -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        node.good(&["init", "--organisation", organisation]);
        node
    }

    fn run_with(&self, args: &[&str], input: &str) -> Ended {
        let mut command = assert_cmd::Command::cargo_bin("marsad").unwrap();
        let command = command.args(args).env("MARSAD_HOME", self.0.path().join("home"));
        let output = command.write_stdin(input).output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn good_with(&self, args: &[&str], input: &str) -> String {
        let ended = self.run_with(args, input);
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    fn good(&self, args: &[&str]) -> String {
        self.good_with(args, "")
    }

    /// It is refused with this exit code, and says why.
    fn refused(&self, args: &[&str], code: i32, why: &str) {
        let ended = self.run_with(args, "wrong");
        assert_eq!(ended.code, code, "{args:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(why), "{args:?}: {}", ended.err);
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run_with(&[args, &["--json"]].concat(), "");
        serde_json::from_str(&ended.out).unwrap()
    }

    /// Believes the card of another one.
    fn trusts(&self, other: &Self) {
        let path = other.0.path().join("card.json");
        let path = path.to_str().unwrap();
        let said = other.json(&["card", "show", "-o", path]);
        self.good(&["partner", "add", path, "--digits", said["digits"].as_str().unwrap()]);
    }

    fn import(&self, numbers: std::ops::Range<u32>) {
        let objects: Vec<String> = numbers
            .map(|n| {
                format!(
                    r#"{{"type":"tool","spec_version":"2.1","id":"tool--00000000-0000-4000-8000-{n:012}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","name":"n","object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}}"#
                )
            })
            .collect();
        self.good_with(&["import", "-"], &format!("[{}]", objects.join(",")));
    }

    fn serve(&self) -> Serving {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("marsad"))
            .args(["serve", "--listen", "127.0.0.1:0", "--plain-http"])
            .env("MARSAD_HOME", self.0.path().join("home"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Serving { child, url }
    }
}

struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    /// Ends it as an operator does; whether it ended cleanly.
    fn end(mut self) -> bool {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PASSWORD: &str = "a long enough passphrase";

/// Two nodes that trust each other; the first serves.
fn friends() -> (Node, Node, Serving) {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    north.trusts(&own);
    own.trusts(&north);
    let account =
        ["account", "add", "example", "--role", "analyst", "--organisation", "Example CERT", "--password-stdin"];
    north.good_with(&account, PASSWORD);
    let serving = north.serve();
    (north, own, serving)
}

#[test]
fn a_link_is_added_run_watched_rested_and_removed() {
    let (north, own, serving) = friends();
    north.import(0..3);
    let url = format!("{}taxii2/", serving.url);
    let add = ["link", "add", "north", "--partner", "cert north", "--pull", &url, "--collection", "main"];
    let add = [&add[..], &["--every", "1h", "--ceiling", "green", "--user", "example", "--password-stdin"]].concat();
    own.good_with(&add, PASSWORD);
    let listed = own.json(&["link", "list"]);
    assert_eq!(listed[0]["definition"]["every"], 3_600);
    assert_eq!((&listed[0]["partner"], &listed[0]["signs_in"]), (&json!("CERT North"), &json!(true)));
    assert!(!listed.to_string().contains(PASSWORD) && !own.good(&["link", "list"]).contains(PASSWORD));
    let ran = own.json(&["link", "run", "NORTH"]);
    assert_eq!((&ran["added"], &ran["refused"], &ran["complete"]), (&json!(3), &json!(0), &json!(true)), "{ran}");
    north.import(3..5);
    let ran = own.good(&["link", "run", "north"]);
    assert!(ran.contains("added 2"), "{ran}");
    let status = own.json(&["link", "status", "north"]);
    assert_eq!((&status["objects"], &status["rounds"], &status["failures"]), (&json!(5), &json!(2), &json!(0)));
    assert!(status["next"].is_string() && status["lag_seconds"].is_u64() && status["last_error"].is_null(), "{status}");
    own.good(&["link", "pause", "north"]);
    assert_eq!(own.json(&["link", "status"])[0]["paused"], true);
    own.good(&["link", "resume", "north"]);
    assert_eq!(own.json(&["link", "status"])[0]["paused"], false);
    // What is done to links stands in the audit log, and what they sign in with does not.
    let log = own.good(&["audit", "list", "--json"]);
    assert!(["add-link", "pause-link", "resume-link"].iter().all(|act| log.contains(act)) && !log.contains(PASSWORD));
    own.good(&["link", "remove", "north"]);
    assert_eq!(own.json(&["link", "list"]), json!([]));
    own.refused(&["link", "run", "north"], 3, "there is no link");
    assert!(serving.end());
}

#[test]
fn what_goes_wrong_is_told_and_kept() {
    let (_north, own, serving) = friends();
    let url = format!("{}taxii2/", serving.url);
    let add =
        ["link", "add", "wrong", "--partner", "CERT North", "--pull", &url, "--collection", "main", "--key-stdin"];
    own.good_with(&add, "marsad_nobody");
    own.refused(&["link", "run", "wrong"], 3, "401");
    let status = own.json(&["link", "status", "wrong"]);
    assert!(status["last_error"].as_str().unwrap().contains("401"), "{status}");
    assert_eq!(status["failures"], 1);
    let shown = own.run_with(&["link", "status"], "");
    assert!(shown.code == 1 && shown.out.contains("401"), "{}", shown.out);
    assert!(serving.end());
}

#[test]
fn definitions_that_cannot_be_are_refused() {
    let (_north, own, _serving) = friends();
    own.good(&["partner", "add", "--foreign", "Old Server"]);
    let add = |partner: &str, more: &[&str]| {
        let first = ["link", "add", "x", "--partner", partner, "--collection", "main"];
        [&first[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (pull, url) = ("--pull", "https://cti.example.org/taxii2/");
    for (args, code, why) in [
        (add("CERT North", &[]), 2, "--pull"),
        (add("CERT North", &[pull, url, "--push", url]), 2, "cannot be used"),
        (add("Nobody", &[pull, url]), 3, "no partner"),
        (add("CERT North", &[pull, "http://cti.example.org/"]), 3, "plain http"),
        (add("CERT North", &[pull, "https://a:b@cti.example.org/"]), 3, "credentials"),
        (add("CERT North", &[pull, url, "--into", "nothing"]), 3, "no collection"),
        (add("CERT North", &[pull, url, "--every", "1s"]), 2, "between"),
        (add("CERT North", &[pull, url, "--every", "soon"]), 2, "--every"),
        (add("CERT North", &[pull, url, "--ceiling", "purple"]), 2, "TLP"),
        (add("CERT North", &[pull, url, "--types", "Tool"]), 2, "no type"),
        (add("CERT North", &[pull, url, "--to", "nobody"]), 2, "neither"),
        (add("CERT North", &[pull, url, "--max-objects-per-hour", "0"]), 2, "nothing"),
        (add("Old Server", &[pull, url, "--at-once"]), 2, "schedule"),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        own.refused(&args, code, why);
    }
    assert_eq!(own.json(&["link", "list"]), json!([]));
    own.good(&["link", "add", "x", "--partner", "CERT North", "--collection", "main", pull, url]);
    own.refused(
        &["link", "add", "X", "--partner", "CERT North", "--collection", "main", pull, url],
        3,
        "exists already",
    );
}

#[test]
fn serving_runs_links_at_once_and_ends_cleanly() {
    let (north, own, serving) = friends();
    let url = format!("{}taxii2/", serving.url);
    let add = ["link", "add", "north", "--partner", "CERT North", "--pull", &url, "--collection", "main", "--at-once"];
    own.good_with(&[&add[..], &["--user", "example", "--password-stdin"]].concat(), PASSWORD);
    let running = own.serve();
    north.import(0..2);
    // The runner of the tests ends what takes for ever.
    while own.json(&["link", "status", "north"])["objects"] != 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(running.end() && serving.end());
}
