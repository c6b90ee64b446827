//! `DELETE …/objects/{id}/` (TAXII 2.1 §5.7): what is asked for is gone everywhere, and nothing else.

use super::objects::{address, id, labels, object, old_tool, tools, version};
use super::server::{ANALYST, Node};
use super::wire::{Answer, Request};

const COLLECTION: &str = "/exchange/collections/both";

fn delete(node: &Node, id: &str, query: &str) -> Answer {
    node.send(&Request::new("DELETE", &format!("{COLLECTION}/objects/{id}/{query}")).by(ANALYST))
}

fn versions(node: &Node, id: &str) -> Vec<serde_json::Value> {
    node.get(&format!("{COLLECTION}/objects/{id}/versions/?match[spec_version]=2.0,2.1")).list("versions")
}

/// Of five versions, and one of STIX 2.0, each request removes those that it names.
#[test]
fn some_versions() {
    let tool = id("tool", 1);
    let table: &[(&str, u16, &[usize])] = &[
        ("match[version]=first", 200, &[2, 3, 4, 5, 6]),
        ("match[version]=last", 200, &[1, 2, 3, 4, 5]),
        ("match[version]=first,last", 200, &[2, 3, 4, 5]),
        ("match[version]=2024-01-01T00:03:00Z", 200, &[1, 2, 4, 5, 6]),
        ("match[version]=2024-01-01T00:03:00Z,2024-01-01T00:04:00Z,last", 200, &[1, 2, 5]),
        ("match[version]=1999-01-01T00:00:00Z", 200, &[1, 2, 3, 4, 5, 6]),
        ("match[version]=all&match[spec_version]=2.1", 200, &[1]),
        ("match[spec_version]=2.0", 200, &[2, 3, 4, 5, 6]),
        ("match[version]=all", 200, &[]),
        ("", 200, &[]),
        ("match[version]=frobnicate", 400, &[1, 2, 3, 4, 5, 6]),
        ("match[version]=all,first", 400, &[1, 2, 3, 4, 5, 6]),
        ("match[spec_version]=3.0", 200, &[1, 2, 3, 4, 5, 6]),
    ];
    let node = Node::start(&[]);
    for (query, status, left) in table {
        delete(&node, &tool, "");
        node.add("both", &[vec![old_tool(1, 1)], (2..7).map(|at| object("tool", 1, at)).collect()].concat());
        let answer = delete(&node, &tool, &format!("?{query}"));
        assert_eq!((answer.status, answer.status == 200 && !answer.body.is_empty()), (*status, false), "{query}");
        let left: Vec<_> = left.iter().map(|at| serde_json::Value::from(version(*at))).collect();
        assert_eq!(versions(&node, &tool), left, "{query}");
    }
}

/// After it the object is 404 by its name, and absent from every list; its neighbours stay.
#[test]
fn gone() {
    let node = Node::start(&[]);
    node.add("both", &[tools(1..4), vec![address(7)]].concat());
    node.add("main", &tools(2..3));
    for gone in [id("tool", 2), id("ipv4-addr", 7)] {
        assert_eq!(delete(&node, &gone, "").status, 200);
        for path in ["", "versions/", "?match[version]=all"] {
            assert_eq!(node.get(&format!("{COLLECTION}/objects/{gone}/{path}")).status, 404, "{gone} {path}");
        }
        assert_eq!(delete(&node, &gone, "").status, 404, "it is not there any more");
        assert_eq!(node.get(&format!("{COLLECTION}/objects/?match[id]={gone}")).text(), "{}");
        assert!(!node.get(&format!("{COLLECTION}/manifest/")).text().contains(&gone));
    }
    assert_eq!(labels(&node.get(&format!("{COLLECTION}/objects/"))), ["tool1/1", "tool3/1"]);
    assert_eq!(labels(&node.get("/exchange/collections/main/objects/")), ["tool2/1"], "another collection's stays");
}

/// What was deleted can be added again, as something new.
#[test]
fn back_again() {
    let node = Node::start(&[]);
    node.add("both", &tools(1..3));
    let last = |node: &Node| {
        let page = node.get(&format!("{COLLECTION}/manifest/"));
        page.header("x-taxii-date-added-last").unwrap().to_owned()
    };
    let before = last(&node);
    assert_eq!(delete(&node, &id("tool", 1), "").status, 200);
    node.add("both", &tools(1..2));
    assert!(last(&node) > before);
    let page = node.get(&format!("{COLLECTION}/objects/?added_after={before}"));
    assert_eq!(labels(&page), ["tool1/1"]);
}
