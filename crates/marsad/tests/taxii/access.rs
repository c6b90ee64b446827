//! Who may do what, and what is not there (TAXII 2.1 §3.6, §5.2, §5.4, §5.5, §5.7, §8.3).

use super::objects::{envelope, id, tools};
use super::server::{ANALYST, KEEPER, Node, READER, SECOND};
use super::wire::{Answer, Request};

/// A credential of the right form that is nobody's.
const WRONG: &str = "Basic YW5hbHlzdDp3cm9uZw==";

/// Sends a request that would do something if its sender might; `TOOL` stands for the object.
fn attempt(node: &Node, who: &str, method: &str, path: &str) -> Answer {
    let path = path.replace("TOOL", &id("tool", 1));
    let request = Request::new(method, &path).by(who);
    let body = envelope(&tools(1..2));
    node.send(&if method == "POST" { request.carrying(body.as_bytes()) } else { request })
}

fn check(node: &Node, table: &[(&str, &str, &str, u16)]) {
    for (who, method, path, status) in table {
        let answer = attempt(node, who, method, path);
        assert_eq!(answer.status, *status, "{who} {method} {path}: {}", answer.text());
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some_and(|text| text.starts_with("Basic realm=")), *status == 401, "{who} {path}");
    }
}

#[test]
fn strangers_are_asked_to_sign_in() {
    let node = Node::start(&["accounts.attempts-per-minute=1000"]);
    node.add("both", &tools(1..2));
    let mut table = Vec::new();
    for who in ["", WRONG, "Basic", "Basic !!!", "Bearer nobody", "Digest x", "nobody"] {
        table.extend([
            (who, "GET", "/taxii2/", 401),
            (who, "GET", "/exchange/", 401),
            (who, "GET", "/exchange/collections/", 401),
            (who, "GET", "/exchange/collections/both/", 401),
            (who, "GET", "/exchange/collections/both/manifest/", 401),
            (who, "GET", "/exchange/collections/both/objects/", 401),
            (who, "POST", "/exchange/collections/both/objects/", 401),
            (who, "GET", "/exchange/collections/both/objects/TOOL/", 401),
            (who, "DELETE", "/exchange/collections/both/objects/TOOL/", 401),
            (who, "GET", "/exchange/collections/both/objects/TOOL/versions/", 401),
            (who, "GET", "/exchange/status/00000000-0000-4000-8000-000000000000/", 401),
            // What is not there looks as what is there.
            (who, "GET", "/exchange/collections/nowhere/", 401),
            (who, "GET", "/exchange/collections/hidden/objects/TOOL/", 401),
        ]);
    }
    check(&node, &table);
    assert_eq!(node.get("/exchange/collections/both/objects/").list("objects").len(), 1);
}

#[test]
fn what_is_open_to_anyone_needs_no_account() {
    let node = Node::start(&[]);
    node.command(&["collection", "add", "open", "--read", "anyone", "--write", "keeper"]);
    check(
        &node,
        &[
            ("", "GET", "/taxii2/", 200),
            ("", "GET", "/exchange/", 200),
            ("", "GET", "/exchange/collections/", 200),
            ("", "GET", "/exchange/collections/open/objects/", 200),
            ("", "GET", "/exchange/collections/open/manifest/", 200),
            ("", "GET", "/exchange/collections/open/objects/TOOL/", 404),
            ("", "POST", "/exchange/collections/open/objects/", 401),
            ("", "DELETE", "/exchange/collections/open/objects/TOOL/", 401),
            ("", "GET", "/exchange/collections/both/objects/", 401),
            // A wrong credential is wrong even where none is needed.
            (WRONG, "GET", "/exchange/collections/open/objects/", 401),
        ],
    );
    let listed = attempt(&node, "", "GET", "/exchange/collections/").list("collections");
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["alias"], &listed[0]["can_write"]), (&"open".into(), &false.into()));
}

/// 403 where one of the rights is there, 404 where neither is.
#[test]
fn rights_of_members() {
    let node = Node::start(&[]);
    let mut table = Vec::new();
    for (name, read, write, delete) in
        [("both", 200, 202, 404), ("readable", 200, 403, 403), ("writable", 403, 202, 403), ("hidden", 404, 404, 404)]
    {
        let collection = format!("/exchange/collections/{name}/");
        let there = if name == "hidden" { 404 } else { 200 };
        let one = if read == 200 { 404 } else { read };
        for (method, path, status) in [
            ("GET", String::new(), there),
            ("GET", "manifest/".into(), read),
            ("GET", "objects/".into(), read),
            ("GET", "objects/TOOL/".into(), one),
            ("GET", "objects/TOOL/versions/".into(), one),
            ("DELETE", "objects/TOOL/".into(), delete),
            ("POST", "objects/".into(), write),
        ] {
            table.push((method, format!("{collection}{path}"), status));
        }
    }
    let table: Vec<_> = table.iter().map(|(method, path, status)| (ANALYST, *method, path.as_str(), *status)).collect();
    check(&node, &table);
    check(
        &node,
        &[
            (READER, "GET", "/exchange/collections/both/objects/", 200),
            (READER, "POST", "/exchange/collections/both/objects/", 403),
            (READER, "DELETE", "/exchange/collections/both/objects/TOOL/", 403),
            (READER, "GET", "/exchange/collections/writable/", 404),
            (KEEPER, "GET", "/exchange/collections/writable/objects/", 200),
            (KEEPER, "GET", "/exchange/collections/hidden/objects/", 200),
        ],
    );
}

#[test]
fn keys_do_what_they_are_for() {
    let node = Node::start(&[]);
    let key = |name: &str, scope: &str| {
        format!("Bearer {}", node.command(&["key", "add", name, "--account", "analyst", "--scope", scope]))
    };
    let (reads, writes) = (key("r", "read"), key("w", "write"));
    check(
        &node,
        &[
            (&writes, "POST", "/exchange/collections/both/objects/", 202),
            (&writes, "GET", "/exchange/collections/both/objects/", 403),
            (&writes, "DELETE", "/exchange/collections/both/objects/TOOL/", 403),
            (&reads, "GET", "/exchange/collections/both/objects/TOOL/", 200),
            (&reads, "POST", "/exchange/collections/both/objects/", 403),
            (&reads, "DELETE", "/exchange/collections/both/objects/TOOL/", 403),
        ],
    );
}

#[test]
fn what_is_not_there() {
    let node = Node::start(&[]);
    node.add("both", &tools(1..2));
    let long = format!("/exchange/collections/{}/", "x".repeat(5_000));
    let table: Vec<_> = [
        "/",
        "/elsewhere/",
        "/elsewhere/collections/",
        "/exchange/frobnicate/",
        "/exchange/collections/nowhere/",
        "/exchange/collections/nowhere/objects/",
        "/exchange/collections/nowhere/manifest/",
        "/exchange/collections/00000000-0000-4000-8000-000000000000/",
        "/exchange/collections/both/frobnicate/",
        "/exchange/collections/both/objects/tool--00000000-0000-4000-8000-00000000ffff/",
        "/exchange/collections/both/objects/tool--00000000-0000-4000-8000-00000000ffff/versions/",
        "/exchange/collections/both/objects/frobnicate/",
        "/exchange/collections/both/objects/TOOL/versions/first/",
        "/exchange/collections/readable/objects/TOOL/",
        "/exchange/status/00000000-0000-4000-8000-000000000000/",
        "/exchange/status/frobnicate/",
        "/exchange/status/",
        "/exchange/collections/../collections/both/",
        "/exchange/collections/%2e%2e%2fboth/",
        "/exchange/collections/both%00/",
        "/exchange/collections/%ff/",
        "/exchange/collections/%/",
        "/exchange/collections/'%20or%201=1/",
        &long,
    ]
    .map(|path| (ANALYST, "GET", path, 404))
    .to_vec();
    check(&node, &table);
    check(
        &node,
        &[
            (ANALYST, "POST", "/exchange/collections/nowhere/objects/", 404),
            (ANALYST, "DELETE", "/exchange/collections/both/objects/frobnicate/", 404),
            (ANALYST, "PUT", "/elsewhere/", 404),
        ],
    );
}

/// A status is for whoever made the request (§4.3).
#[test]
fn a_status_is_for_its_member() {
    let node = Node::start(&[]);
    let made = node.post("both", &envelope(&tools(1..2)));
    let path = format!("/exchange/status/{}/", made.get("id").as_str().unwrap());
    let table = [(ANALYST, 200), (SECOND, 404), (KEEPER, 404), ("", 401)];
    check(&node, &table.map(|(who, status)| (who, "GET", path.as_str(), status)));
    assert_eq!(node.get(&path).json(), made.json());
}
