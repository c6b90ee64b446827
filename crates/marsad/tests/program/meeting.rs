//! The blind meeting through the binary: two nodes exchange cards, one serves, the other comes to meet it.

use super::node::Node;
use super::objects::{AMBER, RED};
use super::process::Ended;
use serde_json::{Value, json};

const PASSWORD: &str = "a long passphrase";

/// Takes in indicators of domains, each with a marking.
fn import(node: &Node, domains: &[(&str, &str)]) {
    let objects: Vec<String> = domains
        .iter()
        .zip(0_u32..)
        .map(|((name, marking), n)| {
            json!({
                "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{n:012}"),
                "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "name": "n",
                "indicator_types": ["malicious-activity"], "pattern": format!("[domain-name:value = '{name}']"),
                "pattern_type": "stix", "valid_from": "2020-01-01T00:00:00Z", "object_marking_refs": [marking],
            })
            .to_string()
        })
        .collect();
    node.import(&objects, &[]);
}

/// What of meetings is written down: the act, and whether it was done.
fn log(node: &Node) -> Vec<(String, bool)> {
    let entry = |entry: Value| {
        let body = &entry["matter"]["body"];
        (body["act"].as_str().unwrap_or_default().to_owned(), body["done"].as_bool().unwrap())
    };
    let entries = node.entries(&["--kind", "partner"]).into_iter();
    entries.map(entry).filter(|(act, _)| act.starts_with("meeting")).collect()
}

#[test]
fn two_organisations_meet() {
    let (there, here) = (Node::new("Port CSIRT"), Node::new("CERT North"));
    import(&there, &[("both.example", AMBER), ("only-there.example", AMBER), ("red.example", RED)]);
    import(&here, &[("BOTH.example.", AMBER), ("only-here.example", AMBER), ("red.example", RED)]);
    there.trusts(&here);
    here.trusts(&there);
    let account = ["account", "add", "north", "--organisation", "CERT North", "--role", "analyst", "--password-stdin"];
    there.good_with(&account, PASSWORD);
    let serving = there.serve(&["--set", "plain-http=true"]);
    let url = serving.url.trim_end_matches('/');
    let way = ["partner", "meet", "Port CSIRT", "--url", url, "--user", "north", "--password-stdin"];
    let meet = || here.run(&[&way[..], &["--json"]].concat(), PASSWORD);

    // First each must say that it meets.
    let Ended { code, err, .. } = meet();
    assert!(code == 3 && err.contains("terms"), "{err}");
    here.good(&["partner", "grade", "Port CSIRT", "--meets", "true"]);
    let Ended { code, err, .. } = meet();
    assert!(code == 3 && err.contains("403"), "{err}");
    there.good(&["partner", "grade", "CERT North", "--meets", "true"]);

    let Ended { code, out, err } = meet();
    assert_eq!(code, 0, "{err}");
    let met: Value = serde_json::from_str(&out).unwrap();
    let both = json!([{"type": "domain", "value": "both.example"}]);
    assert_eq!(
        (&met["both"], &met["ours"], &met["theirs"], &met["began"]),
        (&both, &2.into(), &1024.into(), &true.into())
    );
    // Both have it, and in words.
    let last = there.json(&["partner", "meet", "cert north", "--last"]);
    assert_eq!((&last["both"], &last["ours"], &last["began"]), (&both, &2.into(), &false.into()));
    let shown = here.good(&["partner", "meet", "Port CSIRT", "--last"]);
    assert!(shown.contains("both.example") && !shown.contains("only-here"), "{shown}");

    let wrong = here.run(&[&way[..], &["--types", "domain,mutex"]].concat(), PASSWORD);
    assert!(wrong.code == 2 && wrong.err.contains("mutex"), "{}", wrong.err);
    let Ended { code, err, .. } = here.run(&["partner", "meet", "Port CSIRT"], "");
    assert!(code == 3 && err.contains("--url"), "{err}");
    let Ended { code, err, .. } = here.run(&["partner", "meet", "Nobody"], "");
    assert!(code == 3 && err.contains("no partner"), "{err}");

    // Two a day.
    assert_eq!(meet().code, 0);
    let Ended { code, err, .. } = meet();
    assert!(code == 3 && err.contains("meetings within 24 hours"), "{err}");
    // A running node writes its log some moments later; one that ended has written it.
    assert_eq!(serving.end(), Some(0));
    let act = |name: &str, done| (name.to_owned(), done);
    assert_eq!(
        log(&here),
        [
            act("meeting-ended", false),
            act("meeting-ended", true),
            act("meeting-ended", true),
            act("meeting-ended", false)
        ]
    );
    let there = log(&there);
    assert!(there.contains(&act("meeting-began", false)) && there.contains(&act("meeting-ended", true)), "{there:?}");
}
