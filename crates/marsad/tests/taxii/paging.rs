//! Paging (TAXII 2.1 §3.3, §3.5): every object once, by time of addition, whichever way a client goes on.

use super::objects::{id, object, tools};
use super::server::{ANALYST, Node, READER};
use super::wire::{Answer, Request};

const COLLECTION: &str = "/exchange/collections/both";

/// 25 tools, of which `tool25` has 25 further versions; pages are of ten, twenty at most.
fn seeded() -> Node {
    let node = Node::start(&["taxii.page-size=10", "taxii.max-page-size=20"]);
    node.add("both", &tools(1..9));
    node.add("both", &tools(9..26));
    node.add("both", &(2..27).map(|at| object("tool", 25, at)).collect::<Vec<_>>());
    node
}

/// How a client goes on after a page.
#[derive(Clone, Copy, Debug)]
enum Way {
    Next,
    AddedAfter,
    Both,
}

/// What names a row of a page, whatever the page is of.
fn names(answer: &Answer) -> Vec<String> {
    let rows = [answer.list("objects"), answer.list("versions")].concat();
    let member = |row: &serde_json::Value, name: &str| row.get(name).map(ToString::to_string).unwrap_or_default();
    let name = |row: &serde_json::Value| match row.as_str() {
        Some(version) => version.to_owned(),
        None => member(row, "id") + &member(row, "modified") + &member(row, "version"),
    };
    rows.iter().map(name).collect()
}

/// Follows a query to its end: the rows, and how many there were on each page.
fn walk(node: &Node, path: &str, query: &str, way: Way) -> (Vec<String>, Vec<usize>) {
    let (mut rows, mut sizes, mut on, mut last) = (Vec::new(), Vec::new(), String::new(), String::new());
    loop {
        let page = node.get(&format!("{COLLECTION}/{path}?{query}{on}"));
        assert_eq!(page.status, 200, "{path}?{query}{on}: {}", page.text());
        let here = names(&page);
        let [first, end] = ["x-taxii-date-added-first", "x-taxii-date-added-last"]
            .map(|name| page.header(name).unwrap_or_default().to_owned());
        assert!(here.is_empty() || (last < first && first <= end), "{path}?{query}: {last}, {first}, {end}");
        assert_eq!(page.get("more") == true, page.json().get("next").is_some());
        sizes.push(here.len());
        rows.extend(here);
        let next = page.get("next");
        let Some(next) = next.as_str() else { break };
        on = match way {
            Way::Next => format!("&next={next}"),
            Way::AddedAfter => format!("&added_after={end}"),
            Way::Both => format!("&next={next}&added_after={end}"),
        };
        last = end;
    }
    (rows, sizes)
}

#[test]
fn every_row_once() {
    let node = seeded();
    let one = format!("objects/{}/", id("tool", 25));
    let versions = format!("{one}versions/");
    let table: &[(&str, &str, usize)] = &[
        ("objects/", "", 25),
        ("objects/", "match[version]=all", 50),
        ("objects/", "match[version]=first,last&match[type]=tool", 26),
        ("manifest/", "", 25),
        ("manifest/", "match[version]=all", 50),
        (&one, "match[version]=all", 26),
        (&versions, "", 26),
    ];
    for (path, query, count) in table {
        let (whole, _) = walk(&node, path, query, Way::Next);
        let mut distinct = whole.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((whole.len(), distinct.len()), (*count, *count), "{path}?{query}");
        for way in [Way::Next, Way::AddedAfter, Way::Both] {
            for limit in [1, 7, 10, 25, 26, 1_000_000] {
                let (rows, sizes) = walk(&node, path, &format!("{query}&limit={limit}"), way);
                assert_eq!(rows, whole, "{path}?{query} {limit} {way:?}");
                let most = limit.min(20);
                let full = sizes[..sizes.len() - 1].iter().all(|size| *size == most);
                assert!(full && sizes.iter().all(|size| *size <= most), "{path}?{query} {limit} {way:?}: {sizes:?}");
            }
        }
    }
}

/// Without a limit a page has the configured size; beyond the largest one, that.
#[test]
fn sizes() {
    let node = seeded();
    for (query, size, more) in [
        ("", 10, true),
        ("limit=1", 1, true),
        ("limit=19", 19, true),
        ("limit=21", 20, true),
        ("limit=18446744073709551615", 20, true),
        ("limit=5&match[type]=malware", 0, false),
        ("limit=1&match[id]=tool--00000000-0000-4000-8000-000000000003", 1, false),
    ] {
        for resource in ["objects", "manifest"] {
            let page = node.get(&format!("{COLLECTION}/{resource}/?{query}"));
            assert_eq!((page.list("objects").len(), page.get("more") == true), (size, more), "{resource} {query}");
            assert_eq!(page.get("next").is_string(), more, "{resource} {query}");
        }
    }
}

/// Later is later: strictly, and by time of addition.
#[test]
fn added_after() {
    let node = seeded();
    let rows = node.get(&format!("{COLLECTION}/manifest/?limit=20")).list("objects");
    for (at, row) in rows.iter().enumerate() {
        let added = row["date_added"].as_str().unwrap();
        let page = node.get(&format!("{COLLECTION}/manifest/?limit=1&added_after={added}"));
        let wanted = rows.get(at + 1).map_or(&page.list("objects")[0], |row| row).clone();
        assert_eq!(page.list("objects"), [wanted]);
    }
    for (when, some) in [("1970-01-01T00:00:00Z", true), ("2999-12-31T23:59:59.999999Z", false)] {
        let page = node.get(&format!("{COLLECTION}/objects/?added_after={when}"));
        assert_eq!((page.status, !page.list("objects").is_empty()), (200, some), "{when}");
    }
}

/// A cursor holds its place while objects are added behind and removed before it.
#[test]
fn a_moving_collection() {
    let node = seeded();
    let page = node.get(&format!("{COLLECTION}/objects/?limit=10"));
    let next = page.get("next").as_str().unwrap().to_owned();
    for number in [2, 3, 12] {
        let path = format!("{COLLECTION}/objects/{}/", id("tool", number));
        assert_eq!(node.send(&Request::new("DELETE", &path).by(ANALYST)).status, 200);
    }
    node.add("both", &tools(30..32));
    let mut labels = super::objects::labels(&node.get(&format!("{COLLECTION}/objects/?limit=20&next={next}")));
    let wanted: Vec<String> = (11..25).filter(|n| *n != 12).map(|n| format!("tool{n}/1")).collect();
    assert_eq!(labels.drain(..13).collect::<Vec<_>>(), wanted);
    assert_eq!(labels, ["tool25/26", "tool30/1", "tool31/1"]);
}

/// A cursor opens for the query that it was given for, and for whoever may ask that; anything else is 400.
#[test]
fn cursors() {
    let node = seeded();
    node.add("main", &tools(1..20));
    let page = node.get(&format!("{COLLECTION}/objects/?match[type]=tool,malware&limit=3"));
    let next = page.get("next").as_str().unwrap().to_owned();
    let flipped: String = next.char_indices().map(|(at, c)| if at == 5 { flip(c) } else { c }).collect();
    let table = [
        ("/objects/", "match[type]=malware,tool&limit=7", next.clone(), 200),
        ("/objects/", "match[type]=tool", next.clone(), 400),
        ("/objects/", "", next.clone(), 400),
        ("/objects/", "match[type]=tool,malware&match[version]=all", next.clone(), 400),
        ("/manifest/", "match[type]=tool,malware", next.clone(), 400),
        ("/objects/", "match[type]=tool,malware", flipped, 400),
        ("/objects/", "match[type]=tool,malware", next[..next.len() - 1].to_owned(), 400),
        ("/objects/", "match[type]=tool,malware", format!("{next}A"), 400),
        ("/objects/", "match[type]=tool,malware", "A".repeat(10_000), 400),
        ("/objects/", "match[type]=tool,malware", "0".into(), 400),
        ("/objects/", "match[type]=tool,malware", "%00".into(), 400),
        ("/../main/objects/", "match[type]=tool,malware", next.clone(), 404),
    ];
    for (path, query, next, status) in &table {
        let answer = node.get(&format!("{COLLECTION}{path}?{query}&next={next}"));
        assert_eq!(answer.status, *status, "{path}?{query}&next={next}");
    }
    let elsewhere = format!("/exchange/collections/main/objects/?match[type]=tool,malware&next={next}");
    assert_eq!(node.get(&elsewhere).status, 400);
    // Rights are asked anew, and are no part of it.
    let here = format!("{COLLECTION}/objects/?match[type]=tool,malware&next={next}");
    assert_eq!([READER, ""].map(|who| node.send(&Request::new("GET", &here).by(who)).status), [200, 401]);
}

fn flip(c: char) -> char {
    if c == 'A' { 'B' } else { 'A' }
}
