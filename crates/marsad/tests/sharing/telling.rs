//! What is told of an object: no more than whoever asks sees, whatever else there is in the book.

use super::node::{GREEN, Node, OBJECTS, RED, id, object, tool};
use serde_json::{Value, json};

fn rules(answer: &Value) -> Vec<(&str, Option<&str>)> {
    let reasons = answer["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| (reason["rule"].as_str().unwrap(), reason["rests_on"].as_str())).collect()
}

#[test]
fn why_does_not_change_with_what_the_asker_does_not_see() {
    let node = Node::start();
    let refers = format!(r#","content":"c","object_refs":["{}","{}"]"#, id("tool", 1), id("tool", 9));
    node.import(&[tool(1, 1, GREEN)]);
    node.from_north(&[object("note", 3, 1, GREEN, &refers)]);
    let all = || {
        let mut told = Vec::new();
        for actor in ["publisher@own", "administrator@own", "reader@own", "administrator@north", "reader@south"] {
            for viewer in ["", "&viewer=CERT North", "&viewer=reader@south", "&viewer=reader@own", "&viewer=anyone"] {
                for object in [id("tool", 1), id("note", 3), id("tool", 9)] {
                    told.push(node.get(actor, &format!("/api/why?object={object}{viewer}")).told());
                }
            }
        }
        told
    };
    let own = |told: &[(u16, Value)]| told.iter().filter(|(status, _)| *status == 200).count();
    let before = all();
    assert!(own(&before) >= 20, "{before:?}");
    let who = |name: &str| node.get("publisher@own", &format!("/api/who?object={name}")).json()["could"].clone();
    let could = [who(&id("tool", 1)), who(&id("note", 3))];
    // A newer version that nobody sees.
    node.import(&[tool(1, 2, RED)]);
    assert_eq!(all(), before);
    assert_eq!([who(&id("tool", 1)), who(&id("note", 3))], could);
    // What the note refers to comes, for nobody to see: to everybody but those who wrote the note all is as it was.
    node.import(&[tool(9, 1, RED)]);
    let told = |who: &str| {
        let why = |viewer: &str| node.get(who, &format!("/api/why?object={}{viewer}", id("note", 3))).told();
        ["", "&viewer=CERT North", "&viewer=reader@south", "&viewer=anyone"].map(why)
    };
    let after = all();
    for (at, (was, is)) in before.iter().zip(&after).enumerate() {
        let wrote_it = at / 15 == 3;
        assert!(wrote_it || was == is, "{at}: {was:?} is {is:?}");
    }
    for answer in told("publisher@own") {
        assert_eq!(answer.0, 200);
        assert!(!answer.1.to_string().contains(&id("tool", 9)), "{answer:?}");
    }
}

#[test]
fn a_hidden_group_is_not_named() {
    let node = Node::start();
    let quiet = node.command(&["group", "add", "quiet", "--members", "CERT North", "--hidden"], "");
    node.import(&[tool(1, 1, GREEN)]);
    let path = format!("/api/objects/{}/restrict", id("tool", 1));
    assert_eq!(node.ask("publisher@own", "POST", &path, r#"{"group":"quiet"}"#).status, 204);
    let why = format!("/api/why?object={}", id("tool", 1));
    let north = node.get("reader@north", &why);
    assert_eq!(north.json()["outcome"], "release");
    assert!(rules(&north.json()).contains(&("group-member", None)), "{}", north.body);
    assert!(!north.body.contains(&quiet) && !north.body.contains("quiet"), "{}", north.body);
    let own = node.get("partner-manager@own", &format!("{why}&viewer=CERT North")).json();
    assert!(rules(&own).contains(&("group-member", Some(quiet.as_str()))), "{own}");
    let own = node.get("partner-manager@own", &format!("{why}&viewer=CERT South")).json();
    assert_eq!(own["outcome"], "withhold");
    assert!(rules(&own).contains(&("not-group-member", Some(quiet.as_str()))), "{own}");
    assert_eq!(node.get("reader@south", &why).status, 404);
}

#[test]
fn who_could_see_it_and_who_was_given_it() {
    let node = Node::start();
    node.import(&[tool(1, 1, GREEN), tool(2, 1, GREEN)]);
    for reader in ["reader@north", "reader@own"] {
        assert_eq!(node.get(reader, &format!("{OBJECTS}{}/", id("tool", 1))).status, 200);
    }
    let answer = node.get("publisher@own", &format!("/api/who?object={}", id("tool", 1))).json();
    let could: Vec<_> = answer["could"].as_array().unwrap().iter().map(|seer| &seer["organisation"]).collect();
    assert_eq!(could, [&json!("CERT North"), &json!("CERT South"), &json!("Example CERT")]);
    let handed = |answer: &Value| {
        let rows = answer["handed"].as_array().unwrap().iter();
        rows.map(|row| format!("{} {} {}", row["account"], row["way"], row["as"])).collect::<Vec<_>>()
    };
    let taxii = |who: &str| format!(r#""{who}" "taxii" "objects""#);
    assert_eq!(handed(&answer), [taxii("reader@north"), taxii("reader@own")]);
    assert_eq!(answer["more"], false);
    let other = node.get("publisher@own", &format!("/api/who?object={}", id("tool", 2))).json();
    assert!(handed(&other).is_empty(), "{other}");
}
