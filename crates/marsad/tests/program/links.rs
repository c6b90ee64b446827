//! Links through the binary: two nodes, one of which serves.

use super::node::Node;
use super::objects::{GREEN, tool};
use super::process::Serving;
use serde_json::{Value, json};

const PASSWORD: &str = "a long enough passphrase";

/// Two nodes that trust each other; the first serves.
fn friends() -> (Node, Node, Serving) {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    north.trusts(&own);
    own.trusts(&north);
    let account =
        ["account", "add", "example", "--role", "analyst", "--organisation", "Example CERT", "--password-stdin"];
    north.good_with(&account, PASSWORD);
    let serving = north.serve(&["--plain-http"]);
    (north, own, serving)
}

fn bring(node: &Node, numbers: std::ops::Range<u32>) {
    node.import(&numbers.map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
}

/// How a link stands: a failure of it is told by the exit code, too.
fn status(node: &Node, link: &str) -> Value {
    serde_json::from_str(&node.run(&["link", "status", link, "--json"], "").out).unwrap()
}

#[test]
fn a_link_is_added_run_watched_rested_and_removed() {
    let (north, own, serving) = friends();
    bring(&north, 0..3);
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
    bring(&north, 3..5);
    let ran = own.good(&["link", "run", "north"]);
    assert!(ran.contains("added 2"), "{ran}");
    let status = status(&own, "north");
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
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn what_goes_wrong_is_told_and_kept() {
    let (_north, own, serving) = friends();
    let url = format!("{}taxii2/", serving.url);
    let add =
        ["link", "add", "wrong", "--partner", "CERT North", "--pull", &url, "--collection", "main", "--key-stdin"];
    own.good_with(&add, "marsad_nobody");
    own.refused(&["link", "run", "wrong"], 3, "401");
    let status = status(&own, "wrong");
    assert!(status["last_error"].as_str().unwrap().contains("401"), "{status}");
    assert_eq!(status["failures"], 1);
    let shown = own.run(&["link", "status"], "");
    assert!(shown.code == 1 && shown.out.contains("401"), "{}", shown.out);
    assert_eq!(serving.end(), Some(0));
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
    let running = own.serve(&["--plain-http"]);
    bring(&north, 0..2);
    // The runner of the tests ends what takes for ever.
    while status(&own, "north")["objects"] != 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!((running.end(), serving.end()), (Some(0), Some(0)));
}
