//! Who may do what: every endpoint and method, for everybody.

use super::node::{ACTORS, GREEN, Node, RED, id, tool};

const MARKING: &str = "marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b";

/// `run` by CERT North with CERT South in it; `quiet`, hidden, run by the node's own with CERT North in it; `far`, run by the
/// node's own with CERT South in it.
fn groups(node: &Node) -> [String; 3] {
    let add = |words: &[&str]| node.command(&[&["group", "add"], words].concat(), "");
    [
        add(&["run", "--owner", "CERT North", "--members", "CERT South"]),
        add(&["quiet", "--members", "CERT North", "--hidden"]),
        add(&["far", "--members", "CERT South"]),
    ]
}

#[test]
fn everybody_at_every_endpoint() {
    let node = Node::start();
    let [run, quiet, far] = groups(&node);
    node.import(&[tool(1, 1, GREEN), tool(9, 1, RED)]);
    node.bring_north(&[tool(2, 1, GREEN)]);
    let own = [401, 403, 403, 200, 200, 403, 403, 403, 403];
    let made = [401, 403, 403, 201, 201, 403, 403, 403, 403];
    let publishers = [401, 404, 200, 200, 200, 404, 404, 404, 404];
    let nobody = [401, 404, 404, 404, 404, 404, 404, 404, 404];
    let everybody = [401, 200, 200, 200, 200, 200, 200, 200, 200];
    let (tool1, tool2, red) = (id("tool", 1), id("tool", 2), id("tool", 9));
    let nowhere = id("tool", 77);
    let of_run = format!("/api/groups/{run}");
    let of_far = format!("/api/groups/{far}");
    let of_quiet = format!("/api/groups/{quiet}");
    let no_group = "/api/groups/00000000-0000-4000-8000-000000000000".to_owned();
    let marking = format!("/api/markings/{MARKING}");
    let why = |object: &str, viewer: &str| match viewer {
        "" => format!("/api/why?object={object}"),
        viewer => format!("/api/why?object={object}&viewer={viewer}"),
    };
    let who = |object: &str| format!("/api/who?object={object}");
    let restrict = |object: &str| format!("/api/objects/{object}/restrict");
    let s = str::to_owned;
    let table = [
        ("GET", s("/api/groups"), "", everybody),
        ("POST", s("/api/groups"), r#"{"name":"by ACTOR"}"#, made),
        ("GET", of_run.clone(), "", [401, 404, 404, 200, 200, 200, 200, 200, 200]),
        ("GET", of_quiet.clone(), "", everybody),
        ("GET", of_far.clone(), "", [401, 200, 200, 200, 200, 404, 404, 404, 404]),
        ("GET", no_group.clone(), "", nobody),
        ("PATCH", of_run.clone(), r#"{"add":["CERT South"]}"#, [401, 404, 404, 200, 200, 403, 403, 200, 200]),
        ("PATCH", of_run.clone(), r#"{"owner":"CERT North"}"#, [401, 404, 404, 200, 200, 403, 403, 403, 403]),
        ("PATCH", of_run.clone(), r#"{"name":"run"}"#, [401, 404, 404, 200, 200, 403, 403, 403, 403]),
        ("PATCH", of_quiet.clone(), r#"{"hidden":true}"#, own),
        ("PATCH", of_far.clone(), r#"{"until":null}"#, [401, 403, 403, 200, 200, 404, 404, 404, 404]),
        ("PATCH", no_group.clone(), r#"{"hidden":true}"#, nobody),
        ("DELETE", no_group, "", nobody),
        ("GET", s("/api/organisations"), "", own),
        ("POST", s("/api/organisations"), r#"{"name":"org of ACTOR","relation":"client"}"#, made),
        ("PATCH", s("/api/organisations/CERT South"), r#"{"ceiling":null}"#, own),
        ("PATCH", s("/api/organisations/CERT North"), r#"{"relation":"community"}"#, own),
        (
            "PATCH",
            s("/api/organisations/nowhere"),
            r#"{"relation":"self"}"#,
            [401, 403, 403, 404, 404, 403, 403, 403, 403],
        ),
        ("GET", s("/api/markings"), "", own),
        ("PUT", marking.clone(), r#"{"meaning":"tlp:amber"}"#, own),
        ("GET", marking.clone(), "", own),
        // Who comes first takes it back; then there is nothing to take back.
        ("DELETE", marking.clone(), "", [401, 403, 403, 204, 404, 403, 403, 403, 403]),
        ("GET", marking, "", [401, 403, 403, 404, 404, 403, 403, 403, 403]),
        ("GET", why(&tool1, ""), "", everybody),
        ("GET", why(&tool1, "CERT South"), "", publishers),
        ("GET", why(&tool1, "reader@south"), "", publishers),
        ("GET", why(&tool1, "anyone"), "", publishers),
        ("GET", why(&tool1, "reader@north"), "", [401, 404, 200, 200, 200, 200, 404, 200, 200]),
        ("GET", why(&tool1, "CERT North"), "", [401, 404, 200, 200, 200, 404, 404, 200, 200]),
        ("GET", why(&tool1, "reader@own"), "", [401, 200, 200, 200, 200, 404, 404, 404, 404]),
        ("GET", why(&tool1, "no such"), "", nobody),
        ("GET", why(&red, ""), "", nobody),
        ("GET", why(&nowhere, ""), "", nobody),
        ("GET", who(&tool1), "", publishers),
        ("GET", who(&red), "", nobody),
        ("GET", who(&nowhere), "", nobody),
        ("POST", restrict(&tool1), r#"{"tlp":"green"}"#, [401, 404, 204, 204, 204, 404, 404, 404, 404]),
        ("POST", restrict(&tool2), r#"{"tlp":"green"}"#, [401, 404, 204, 204, 204, 404, 204, 204, 204]),
        ("POST", restrict(&red), r#"{"tlp":"green"}"#, nobody),
        ("POST", restrict(&nowhere), r#"{"tlp":"green"}"#, nobody),
        ("DELETE", of_far, "", [401, 403, 403, 204, 404, 404, 404, 404, 404]),
        ("DELETE", of_run, "", [401, 404, 404, 204, 404, 404, 404, 404, 404]),
    ];
    for (method, path, body, expected) in &table {
        for (actor, status) in ACTORS.iter().zip(expected) {
            let answer = node.ask(actor, method, path, &body.replace("ACTOR", actor));
            assert_eq!(answer.status, *status, "{actor:?} {method} {path} {body}: {}", answer.body);
        }
    }
    // Each refusal of an act is written down, and so is each act.
    let log = node.administered();
    for (act, done) in [
        ("add-group", false),
        ("add-group", true),
        ("change-group", false),
        ("remove-group", true),
        ("set-relation", false),
        ("set-standing", false),
        ("explain-marking", false),
        ("explain-marking", true),
        ("restrict", false),
        ("restrict", true),
        ("explain", false),
        ("trace", false),
    ] {
        let (act, done) = (format!(r#""act":"{act}""#), format!(r#""done":{done}"#));
        let told = log.replace(": ", ":");
        assert!(told.lines().any(|line| line.contains(&act) && line.contains(&done)), "{act} {done}: {log}");
    }
}

/// What may not be known of is answered as what is not there, to the last byte.
#[test]
fn an_administrator_of_one_organisation_learns_nothing_of_another() {
    let node = Node::start();
    let [_, quiet, far] = groups(&node);
    node.import(&[tool(1, 1, GREEN), tool(9, 1, RED)]);
    let nothing = "00000000-0000-4000-8000-000000000000";
    let (red, nowhere) = (id("tool", 9), id("tool", 77));
    let pairs = [
        ("GET", format!("/api/groups/{far}"), format!("/api/groups/{nothing}"), ""),
        ("GET", "/api/groups/far".to_owned(), "/api/groups/near".to_owned(), ""),
        ("PATCH", format!("/api/groups/{far}"), format!("/api/groups/{nothing}"), r#"{"add":["CERT North"]}"#),
        ("DELETE", format!("/api/groups/{far}"), format!("/api/groups/{nothing}"), ""),
        (
            "PATCH",
            "/api/organisations/CERT South".to_owned(),
            "/api/organisations/x".to_owned(),
            r#"{"ceiling":"red"}"#,
        ),
        ("GET", format!("/api/markings/{GREEN}"), format!("/api/markings/{MARKING}"), ""),
        ("GET", format!("/api/why?object={red}"), format!("/api/why?object={nowhere}"), ""),
        ("GET", format!("/api/who?object={red}"), format!("/api/who?object={nowhere}"), ""),
        (
            "GET",
            format!("/api/why?object={}&viewer=reader@south", id("tool", 1)),
            format!("/api/why?object={}&viewer=x", id("tool", 1)),
            "",
        ),
        (
            "POST",
            format!("/api/objects/{red}/restrict"),
            format!("/api/objects/{nowhere}/restrict"),
            r#"{"tlp":"red"}"#,
        ),
        (
            "POST",
            format!("/api/objects/{}/restrict", id("tool", 1)),
            format!("/api/objects/{nowhere}/restrict"),
            r#"{"group":"far"}"#,
        ),
    ];
    for actor in ["administrator@north", "partner-manager@north"] {
        for (method, there, absent, body) in &pairs {
            let (there_told, absent_told) =
                (node.ask(actor, method, there, body).told(), node.ask(actor, method, absent, body).told());
            assert!(there_told.0 == 403 || there_told.0 == 404, "{method} {there}: {there_told:?}");
            assert_eq!(there_told, absent_told, "{method} {there}");
        }
        // It is told of the hidden group, and not of who is in it.
        let shown = node.get(actor, &format!("/api/groups/{quiet}")).json();
        assert_eq!((&shown["name"], shown.get("members")), (&"quiet".into(), None));
        let listed = node.get(actor, "/api/groups").json()["groups"].clone();
        let names: Vec<_> = listed.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["quiet", "run"]);
        assert!(listed[0].get("members").is_none() && listed[1]["members"] == serde_json::json!(["CERT South"]));
    }
    let own = node.get("reader@own", &format!("/api/groups/{quiet}")).json();
    assert_eq!(own["members"], serde_json::json!(["CERT North"]), "its owner's members are told");
    // Nothing was changed by all this.
    let kept: serde_json::Value = serde_json::from_str(&node.command(&["group", "list", "--json"], "")).unwrap();
    let kept: Vec<_> = kept.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(kept, ["far", "quiet", "run"]);
    assert_eq!(node.names("reader@north"), ["t1/1"]);
}
