//! A change acts at once on what is stored, as TAXII's readers see it.

use super::node::{GREEN, Node, OBJECTS, id, tool};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn restricted(node: &Node, who: &str, number: u32, body: &str) {
    let answer = node.ask(who, "POST", &format!("/api/objects/{}/restrict", id("tool", number)), body);
    assert_eq!(answer.status, 204, "{}", answer.body);
}

/// The register is remembered for a moment; what acts at once acts within it.
fn soon(node: &Node, who: &str, expected: &[&str]) {
    let end = Instant::now() + Duration::from_secs(20);
    while node.names(who) != expected {
        assert!(Instant::now() < end, "{who} is given {:?}, not {expected:?}", node.names(who));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn narrowing_and_groups() {
    let node = Node::start();
    node.import(&[tool(1, 1, GREEN), tool(2, 1, GREEN), tool(3, 1, GREEN)]);
    soon(&node, "reader@north", &["t1/1", "t2/1", "t3/1"]);
    restricted(&node, "publisher@own", 1, r#"{"tlp":"amber+strict"}"#);
    soon(&node, "reader@north", &["t2/1", "t3/1"]);
    soon(&node, "reader@own", &["t1/1", "t2/1", "t3/1"]);
    let made =
        node.ask("partner-manager@own", "POST", "/api/groups", r#"{"name":"g","members":["CERT North"]}"#).json();
    let group = format!("/api/groups/{}", made["id"].as_str().unwrap());
    restricted(&node, "publisher@own", 2, r#"{"group":"g"}"#);
    soon(&node, "reader@north", &["t2/1", "t3/1"]);
    soon(&node, "reader@south", &["t3/1"]);
    let change = |body: &str| assert_eq!(node.ask("partner-manager@own", "PATCH", &group, body).status, 200, "{body}");
    change(r#"{"remove":["CERT North"],"add":["CERT South"]}"#);
    soon(&node, "reader@north", &["t3/1"]);
    // Who comes is not given what was there before, unless the group says so.
    soon(&node, "reader@south", &["t3/1"]);
    change(r#"{"remove":["CERT South"],"backfill":true}"#);
    change(r#"{"add":["CERT South"]}"#);
    soon(&node, "reader@south", &["t2/1", "t3/1"]);
    change(r#"{"backfill":false}"#);
    change(r#"{"until":"2020-01-01T00:00:00Z"}"#);
    soon(&node, "reader@south", &["t3/1"]);
    change(r#"{"until":null}"#);
    let given = |node: &Node| {
        let group = node.ask("partner-manager@own", "GET", &group, "").json();
        let told: serde_json::Value = serde_json::from_str(&node.command(&["group", "list", "--json"], "")).unwrap();
        assert_eq!((&told[0]["backfill"], &told[0]["on_leave"]), (&group["backfill"], &group["on_leave"]));
        (group["backfill"].as_bool().unwrap(), group["on_leave"].as_str().unwrap().to_owned())
    };
    assert_eq!(given(&node), (false, "keep".to_owned()), "unless the group says so");
    change(r#"{"backfill":true,"on_leave":"recall"}"#);
    change(r#"{"hidden":false}"#);
    assert_eq!(given(&node), (true, "recall".to_owned()));
    assert_eq!(node.ask("partner-manager@own", "PATCH", &group, r#"{"on_leave":"forget"}"#).status, 400);
    node.command(&["group", "change", "g", "--backfill", "false"], "");
    assert_eq!(given(&node), (false, "recall".to_owned()));
    soon(&node, "reader@south", &["t2/1", "t3/1"]);
    assert_eq!(node.ask("partner-manager@own", "DELETE", &group, "").status, 204);
    soon(&node, "reader@south", &["t3/1"]);
    soon(&node, "reader@own", &["t1/1", "t2/1", "t3/1"]);
    // What an organisation is, and what it is ever given.
    let path = "/api/organisations/CERT South";
    let set = |body: &str| assert_eq!(node.ask("partner-manager@own", "PATCH", path, body).status, 200, "{body}");
    set(r#"{"ceiling":"clear"}"#);
    soon(&node, "reader@south", &[]);
    set(r#"{"ceiling":null}"#);
    soon(&node, "reader@south", &["t3/1"]);
    set(r#"{"relation":"public"}"#);
    soon(&node, "reader@south", &[]);
}

/// Whoever brought one version in narrows that one, and not what others brought.
#[test]
fn an_organisation_narrows_its_own_alone() {
    let node = Node::start();
    node.command(&["collection", "add", "inner", "--read", "reader@own,reader@south", "--write", "admin"], "");
    node.command(&["import", "-", "--collection", "inner"], &tool(5, 1, GREEN));
    node.bring_north(&[tool(5, 1, GREEN)]);
    restricted(&node, "publisher@north", 5, r#"{"audience":"organisation"}"#);
    soon(&node, "reader@north", &["t5/1"]);
    soon(&node, "reader@south", &[]);
    let inner = node.get("reader@south", &OBJECTS.replace("shared", "inner")).json();
    assert_eq!(inner["objects"].as_array().map(Vec::len), Some(1), "{inner}");
}

#[test]
fn what_an_embargo_held_back_reaches_who_follows_the_order() {
    let node = Node::start();
    node.import(&[tool(1, 1, GREEN), tool(2, 1, GREEN)]);
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(12);
    let until = stix::timestamp::format_micros(i64::try_from(soon.as_micros()).unwrap());
    restricted(&node, "publisher@own", 1, &format!(r#"{{"embargo":"{until}"}}"#));
    let page = |after: &str| {
        let answer = node.get("reader@north", &format!("{OBJECTS}?added_after={after}"));
        let names: Vec<_> = answer.json()["objects"].as_array().cloned().unwrap_or_default();
        let last = answer.head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("x-taxii-date-added-last").then(|| value.to_owned())
        });
        (names.iter().map(|object| object["name"].clone()).collect::<Vec<_>>(), last)
    };
    // Whoever follows has what lies behind the one that is held back, and asks on from there.
    let (names, last) = page("2000-01-01T00:00:00Z");
    assert_eq!(names, ["t2/1"]);
    let mut last = last.unwrap();
    let mut got = Vec::new();
    let end = Instant::now() + Duration::from_secs(120);
    while got.is_empty() {
        assert!(Instant::now() < end, "what was held back never came");
        let (names, after) = page(&last);
        got.extend(names);
        last = after.unwrap_or(last);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(got, ["t1/1"]);
    assert_eq!(page(&last).0, Vec::<serde_json::Value>::new(), "and comes once");
    let metrics = node.get("administrator@own", "/metrics").body;
    assert!(metrics.contains("marsad_embargoes_lifted_total 1"), "{metrics}");
}
