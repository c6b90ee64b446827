//! Media types, methods and addresses (TAXII 2.1 §1.6.8, §3.1, §3.6).

use super::TAXII;
use super::objects::{self, envelope, id, tools};
use super::server::{ANALYST, Node};
use super::wire::Request;

/// Everything that can be read, of a node with `tool1` in `both`; `STATUS` stands for a status resource.
fn resources(node: &Node) -> Vec<String> {
    let status = node.post("both", &envelope(&tools(1..2))).get("id");
    let object = id("tool", 1);
    [
        "/taxii2/",
        "/exchange/",
        &format!("/exchange/status/{}/", status.as_str().unwrap()),
        "/exchange/collections/",
        "/exchange/collections/both/",
        "/exchange/collections/both/manifest/",
        "/exchange/collections/both/objects/",
        &format!("/exchange/collections/both/objects/{object}/"),
        &format!("/exchange/collections/both/objects/{object}/versions/"),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn accept() {
    let node = Node::start(&[]);
    let table: &[(&[&str], u16)] = &[
        (&["application/taxii+json;version=2.1"], 200),
        (&["application/taxii+json; version=2.1"], 200),
        (&["application/taxii+json"], 200),
        (&["APPLICATION/TAXII+JSON"], 200),
        (&["*/*"], 200),
        (&["text/html, application/taxii+json;version=2.1;q=0.5"], 200),
        // A list in two lines is the list in one (RFC 9110 §5.3).
        (&["text/html", "application/taxii+json;version=2.1"], 200),
        (&["application/json"], 406),
        (&["application/taxii+json;version=2.0"], 406),
        (&["application/vnd.oasis.taxii+json; version=2.0"], 406),
        (&["application/stix+json;version=2.1"], 406),
        (&["text/html"], 406),
        (&["application/taxii+json;version=2.1;q=0"], 406),
        // Every request must have one (§1.6.8.1), and is answered all the same.
        (&[], 200),
    ];
    for path in resources(&node) {
        for (accept, status) in table {
            let mut request = Request::new("GET", &path).by(ANALYST).without("Accept");
            for line in *accept {
                request = request.and("Accept", line);
            }
            let answer = node.send(&request);
            assert_eq!(answer.status, *status, "{path} {accept:?}");
            assert_eq!(answer.header("content-type"), Some(TAXII), "{path} {accept:?}");
        }
    }
}

#[test]
fn content_type() {
    let node = Node::start(&[]);
    let table = [
        (Some("application/taxii+json;version=2.1"), 202),
        (Some("application/taxii+json"), 202),
        (Some("application/json"), 415),
        (Some("application/stix+json;version=2.1"), 415),
        (Some("application/taxii+json;version=2.0"), 415),
        (Some("text/plain"), 415),
        (None, 415),
    ];
    let path = "/exchange/collections/both/objects/";
    for (content_type, status) in table {
        let request = Request::new("POST", path).by(ANALYST).carrying(envelope(&tools(1..2)).as_bytes());
        let request = match content_type {
            Some(text) => request.with("Content-Type", text),
            None => request.without("Content-Type"),
        };
        assert_eq!(node.send(&request).status, status, "{content_type:?}");
    }
    // What a GET claims to carry is nobody's business: real clients send this.
    let request = Request::new("GET", path).by(ANALYST).with("Content-Type", "application/json");
    assert_eq!(node.send(&request).status, 200);
}

#[test]
fn methods() {
    let node = Node::start(&[]);
    for path in resources(&node) {
        let allowed = match path.trim_end_matches('/').rsplit('/').next().unwrap() {
            "objects" => "GET, HEAD, POST, OPTIONS",
            last if last.starts_with("tool--") => "GET, HEAD, DELETE, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        };
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "BREW"] {
            if allowed.split(", ").any(|name| name == method) {
                continue;
            }
            let answer = node.send(&Request::new(method, &path).by(ANALYST).carrying(b"{}"));
            assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
        }
        let answer = node.send(&Request::new("OPTIONS", &path));
        assert_eq!((answer.status, answer.header("allow")), (204, Some(allowed)), "{path}");
    }
    assert_eq!(objects::labels(&node.get("/exchange/collections/both/objects/")), ["tool1/1"]);
}

/// HEAD is GET without a body (RFC 9110 §9.3.2).
#[test]
fn head() {
    let node = Node::start(&[]);
    let mut paths = resources(&node);
    paths.extend(["/exchange/collections/nowhere/".to_owned(), "/taxii2/?limit=0".to_owned()]);
    paths.push("/exchange/collections/both/objects/?limit=0".to_owned());
    for path in paths {
        let [get, head] = ["GET", "HEAD"].map(|method| node.send(&Request::new(method, &path).by(ANALYST)));
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        for name in ["content-type", "content-length", "x-taxii-date-added-first", "x-taxii-date-added-last"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

/// Paths end with a slash (§3.1). Without it the same is answered, not redirected: many clients drop credentials then.
#[test]
fn the_slash_at_the_end_may_be_missing() {
    let node = Node::start(&[]);
    for path in resources(&node) {
        let (with, without) = (node.get(&path), node.get(path.trim_end_matches('/')));
        assert_eq!((with.status, without.status), (200, 200), "{path}");
        assert_eq!(with.body, without.body, "{path}");
    }
    for path in ["/exchange//collections/", "/exchange/collections/both//objects/", "/taxii2//"] {
        assert_eq!(node.get(path).status, 404, "{path}");
    }
}

#[test]
fn what_the_node_says_of_itself() {
    let node = Node::start(&["taxii.title=North", "taxii.max-content-length=1000"]);
    let discovery = node.get("/taxii2/").json();
    assert_eq!(discovery, serde_json::json!({"title": "North", "default": "/exchange/", "api_roots": ["/exchange/"]}));
    let root = node.get("/exchange/").json();
    assert_eq!(root, serde_json::json!({"title": "North", "versions": [TAXII], "max_content_length": 1000}));
    let listed = node.get("/exchange/collections/").list("collections");
    let row = |row: &serde_json::Value| {
        (row["alias"].as_str().unwrap().to_owned(), row["can_read"] == true, row["can_write"] == true)
    };
    let mine: Vec<_> = listed.iter().map(row).collect();
    let expected = [("main", true, true), ("both", true, true), ("readable", true, false), ("writable", false, true)];
    assert_eq!(mine[..4], expected.map(|(name, read, write)| (name.to_owned(), read, write)));
    for collection in listed {
        let by_id = node.get(&format!("/exchange/collections/{}/", collection["id"].as_str().unwrap()));
        let by_alias = node.get(&format!("/exchange/collections/{}/", collection["alias"].as_str().unwrap()));
        assert_eq!((by_id.json(), by_alias.json()), (collection.clone(), collection));
    }
}
