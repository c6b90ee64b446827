//! The match filters (TAXII 2.1 §3.4.1), on objects and on the manifest alike.

use super::objects::{address, envelope, id, labels, object, old_tool, version};
use super::server::Node;

const COLLECTION: &str = "/exchange/collections/both";

/// A collection with several versions, types and specifications, each added after the one before.
fn seeded() -> Node {
    let node = Node::start(&[]);
    node.add("both", &[object("tool", 1, 1), object("indicator", 1, 1), object("tool", 1, 2), object("malware", 1, 1)]);
    node.add("both", &[object("tool", 2, 1), object("indicator", 1, 2), object("tool", 1, 3), address(7)]);
    node.add("both", &[old_tool(8, 1), old_tool(9, 1), object("tool", 9, 2)]);
    node
}

/// What is asked, and the labels of what it gives, in the order in which it was added.
fn table() -> Vec<(String, &'static str)> {
    let (tool, indicator, ip, twice) = (id("tool", 1), id("indicator", 1), id("ipv4-addr", 7), id("tool", 9));
    let (second, third) = (version(2), version(3));
    let all = "tool1/1 indicator1/1 tool1/2 malware1/1 tool2/1 indicator1/2 tool1/3 192.0.2.7 tool8/1 tool9/2";
    let last = "malware1/1 tool2/1 indicator1/2 tool1/3 192.0.2.7 tool8/1 tool9/2";
    vec![
        // The last version is the default (§3.4.1.4), and the newest specification of each object (§3.4.1.5).
        (String::new(), last),
        ("match[version]=last".into(), last),
        ("match[version]=all".into(), all),
        ("match[version]=first".into(), "tool1/1 indicator1/1 malware1/1 tool2/1 192.0.2.7 tool8/1 tool9/2"),
        (
            "match[version]=first,last".into(),
            "tool1/1 indicator1/1 malware1/1 tool2/1 indicator1/2 tool1/3 192.0.2.7 tool8/1 tool9/2",
        ),
        (format!("match[version]={second}"), "tool1/2 indicator1/2 tool9/2"),
        // An instant is an instant however many digits it has.
        ("match[version]=2024-01-01T00:02:00Z".into(), "tool1/2 indicator1/2 tool9/2"),
        (format!("match[version]={second},{third}"), "tool1/2 indicator1/2 tool1/3 tool9/2"),
        (
            format!("match[version]=first,{third}"),
            "tool1/1 indicator1/1 malware1/1 tool2/1 tool1/3 192.0.2.7 tool8/1 tool9/2",
        ),
        ("match[version]=1999-01-01T00:00:00Z".into(), ""),
        (format!("match[id]={tool}"), "tool1/3"),
        (format!("match[id]={tool},{indicator},{ip}"), "indicator1/2 tool1/3 192.0.2.7"),
        (format!("match[id]={tool},{tool}"), "tool1/3"),
        (format!("match[id]={}", id("tool", 77)), ""),
        ("match[id]=frobnicate".into(), ""),
        (format!("match[id]={tool}&match[version]=all"), "tool1/1 tool1/2 tool1/3"),
        ("match[type]=tool".into(), "tool2/1 tool1/3 tool8/1 tool9/2"),
        ("match[type]=tool,malware".into(), "malware1/1 tool2/1 tool1/3 tool8/1 tool9/2"),
        ("match[type]=ipv4-addr".into(), "192.0.2.7"),
        ("match[type]=x-frobnicate".into(), ""),
        ("match%5Btype%5D=malware%2Cipv4-addr".into(), "malware1/1 192.0.2.7"),
        // Fields narrow each other down.
        (format!("match[type]=malware&match[id]={tool}"), ""),
        (format!("match[type]=tool,indicator&match[id]={tool},{ip}"), "tool1/3"),
        (format!("match[type]=tool&match[version]=first,{third}"), "tool1/1 tool2/1 tool1/3 tool8/1 tool9/2"),
        ("match[spec_version]=2.1".into(), "malware1/1 tool2/1 indicator1/2 tool1/3 192.0.2.7 tool9/2"),
        ("match[spec_version]=2.0".into(), "tool8/1 tool9/1"),
        ("match[spec_version]=2.0&match[version]=all".into(), "tool8/1 tool9/1"),
        (format!("match[spec_version]=2.0,2.1&match[version]=all&match[id]={twice}"), "tool9/1 tool9/2"),
        ("match[spec_version]=3.0".into(), ""),
        ("match[spec_version]=2.0&match[type]=malware".into(), ""),
        // What is not known is ignored.
        ("match[confidence]=7&frobnicate&match[type]=malware".into(), "malware1/1"),
    ]
}

#[test]
fn every_filter() {
    let node = seeded();
    for (query, wanted) in table() {
        let objects = node.get(&format!("{COLLECTION}/objects/?{query}"));
        assert_eq!(objects.status, 200, "{query}: {}", objects.text());
        assert_eq!(labels(&objects).join(" "), wanted, "{query}");
        let manifest = node.get(&format!("{COLLECTION}/manifest/?{query}"));
        let ids = |answer: &super::wire::Answer| {
            answer.list("objects").iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((manifest.status, ids(&manifest)), (200, ids(&objects)), "{query}");
        for name in ["x-taxii-date-added-first", "x-taxii-date-added-last"] {
            assert_eq!(manifest.header(name), objects.header(name), "{query}");
            assert_eq!(objects.header(name).is_none(), wanted.is_empty(), "{query}: nothing is said of nothing");
        }
        if wanted.is_empty() {
            assert_eq!((objects.text(), manifest.text()), ("{}".to_owned(), "{}".to_owned()), "{query}");
        }
    }
}

/// A row says of an object what can be asked for: its version, its type and when it was added.
#[test]
fn rows_of_the_manifest() {
    let node = seeded();
    let rows =
        node.get(&format!("{COLLECTION}/manifest/?match[version]=all&match[spec_version]=2.0,2.1")).list("objects");
    assert_eq!(rows.len(), 11);
    for row in &rows {
        let old =
            ["8", "9"].iter().any(|end| row["id"].as_str().unwrap().ends_with(end)) && row["version"] == version(1);
        let media_type = format!("application/stix+json;version=2.{}", if old { 0 } else { 1 });
        assert_eq!(row["media_type"], media_type, "{row}");
        let added = row["date_added"].as_str().unwrap();
        assert!(added.len() == 27 && added.ends_with('Z'), "{added}");
        if row["id"] == id("ipv4-addr", 7) {
            assert_eq!(row["version"], added, "what has no version has the time of its addition");
        }
        // What the manifest names is found by that name.
        let (id, version) = (row["id"].as_str().unwrap(), row["version"].as_str().unwrap());
        let query = format!("?match[version]={version}&match[spec_version]=2.0,2.1");
        let found = node.get(&format!("{COLLECTION}/objects/{id}/{query}"));
        assert_eq!(found.list("objects").len(), 1, "{row}");
    }
    let added: Vec<_> = rows.iter().map(|row| row["date_added"].as_str().unwrap().to_owned()).collect();
    assert!(added.is_sorted_by(|a, b| a < b), "each was added at an instant of its own: {added:?}");
}

/// Malformed is 400 (§3.3), wherever it is asked; of a well-formed request nothing is refused.
#[test]
fn malformed() {
    let node = seeded();
    let one = format!("{COLLECTION}/objects/{}/", id("tool", 1));
    let everywhere =
        [format!("{COLLECTION}/objects/"), format!("{COLLECTION}/manifest/"), one.clone(), format!("{one}versions/")];
    let table = [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.5",
        "limit=%201",
        "limit=99999999999999999999",
        "limit=1&limit=1",
        "added_after=yesterday",
        "added_after=",
        "added_after=2024-01-01",
        "added_after=2024-13-01T00:00:00Z",
        "added_after=2024-01-01T00:00:00%2B01:00",
        "added_after=2024-01-01T00:00:00Z,2024-01-02T00:00:00Z",
        "match[version]=frobnicate",
        "match[version]=",
        "match[version]=all,last",
        "match[version]=all,2024-01-01T00:00:00Z",
        "match[version]=first,first",
        "match[version]=first,,last",
        "match[version]=first&match[version]=last",
        "match[type]=",
        "match[type]=tool,,malware",
        "match[type]=tool&match[type]=malware",
        "match[id]=",
        "match[id]=a&match%5Bid%5D=b",
        "match[spec_version]=",
        "next=frobnicate",
        "next=",
        "match[type]=%ff",
    ];
    for path in everywhere {
        for query in table {
            let answer = node.get(&format!("{path}?{query}"));
            assert_eq!(answer.status, 400, "{path}?{query}: {}", answer.text());
        }
    }
    let many = |count: usize| format!("match[type]={}", vec!["tool"; count].join(","));
    assert_eq!(node.get(&format!("{COLLECTION}/objects/?{}", many(1_000))).status, 200);
    assert_eq!(node.get(&format!("{COLLECTION}/objects/?{}", many(1_001))).status, 400);
}

/// On one object only versions and specifications are asked for (§5.6), on its versions only specifications (§5.8).
#[test]
fn one_object() {
    let node = seeded();
    let (tool, twice) = (id("tool", 1), id("tool", 9));
    for (object, query, wanted) in [
        (&tool, "", "tool1/3"),
        (&tool, "match[version]=all", "tool1/1 tool1/2 tool1/3"),
        (&tool, "match[version]=first,2024-01-01T00:02:00Z", "tool1/1 tool1/2"),
        (&tool, "match[version]=1999-01-01T00:00:00Z", ""),
        (&tool, "match[type]=malware&match[id]=frobnicate", "tool1/3"),
        (&twice, "", "tool9/2"),
        (&twice, "match[spec_version]=2.0", "tool9/1"),
    ] {
        let answer = node.get(&format!("{COLLECTION}/objects/{object}/?{query}"));
        assert_eq!((answer.status, labels(&answer).join(" ").as_str()), (200, wanted), "{object} {query}");
    }
    for (object, query, wanted) in [
        (&tool, "", vec![1, 2, 3]),
        (&tool, "match[version]=last", vec![1, 2, 3]),
        (&tool, "limit=2", vec![1, 2]),
        (&twice, "", vec![2]),
        (&twice, "match[spec_version]=2.0,2.1", vec![1, 2]),
    ] {
        let answer = node.get(&format!("{COLLECTION}/objects/{object}/versions/?{query}"));
        let wanted: Vec<_> = wanted.into_iter().map(|at| serde_json::Value::from(version(at))).collect();
        assert_eq!((answer.status, answer.list("versions")), (200, wanted), "{object} {query}");
        assert!(answer.header("x-taxii-date-added-first") <= answer.header("x-taxii-date-added-last"));
        assert_eq!(answer.get("more") == true, query == "limit=2");
    }
}

#[test]
fn an_empty_collection() {
    let node = Node::start(&[]);
    for resource in ["objects", "manifest"] {
        for query in ["", "?limit=1", "?match[version]=all", "?added_after=2000-01-01T00:00:00Z"] {
            let answer = node.get(&format!("/exchange/collections/empty/{resource}/{query}"));
            assert_eq!((answer.status, answer.text().as_str()), (200, "{}"), "{resource} {query}");
            assert_eq!(answer.header("x-taxii-date-added-first"), None);
            assert_eq!(answer.header("x-taxii-date-added-last"), None);
        }
    }
    assert_eq!(node.post("empty", &envelope(&[])).status, 422);
}
