//! `POST …/objects/` (TAXII 2.1 §5.5): what is taken, what is refused, and what is said of it.

use super::objects::{address, envelope, id, labels, object, old_tool, tools, version};
use super::server::{ANALYST, Node};
use super::wire::Request;
use serde_json::{Value, json};

const OBJECTS: &str = "/exchange/collections/both/objects/";

/// What is no envelope with objects is refused whole.
#[test]
fn no_envelope() {
    let node = Node::start(&[]);
    let good = object("tool", 1, 1);
    let table = [
        String::new(),
        " ".into(),
        "{}".into(),
        "[]".into(),
        "null".into(),
        "x".into(),
        "\u{feff}".into(),
        r#"{"objects":[]}"#.into(),
        r#"{"objects":{}}"#.into(),
        r#"{"objects":null}"#.into(),
        r#"{"objects":"x"}"#.into(),
        r#"{"Objects":[]}"#.into(),
        format!("[{good}]"),
        good.clone(),
        format!(r#"{{"objects":[{good}]"#),
        format!(r#"{{"objects":[{good},]}}"#),
        format!(r#"{{"objects":[{good}}}"#),
        format!(r#"{{"objects":[{good}]}}x"#),
        format!(r#"{{"objects":[{good}]}} {{"objects":[{good}]}}"#),
        format!("{{\"objects\":[{good}]}}\n{good}"),
        format!(r#"{{"objects":[{good}],"objects":[{good}]}}"#),
        format!(r#"{{"objects":[]}}{{"objects":[{good}]}}"#),
        format!(r#"{{"objects":[{good}]}}{{}}"#),
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{good}]}}"#),
        format!(r#"{{"objects":[{good}],"type":"bundle","id":"bundle--1"}}"#),
        format!(r#"{{"data":{{"objects":[{good}]}}}}"#),
    ];
    for body in table {
        let answer = node.post("both", &body);
        assert!([400, 422].contains(&answer.status), "{} {body}: {}", answer.status, answer.text());
    }
    let bytes = Request::new("POST", OBJECTS).by(ANALYST).carrying(b"{\"objects\":[\"\xff\"]}");
    assert!([202, 400, 422].contains(&node.send(&bytes).status));
    assert_eq!(node.get(OBJECTS).json(), json!({}), "nothing of it was kept");
}

/// The good ones are kept, the others named (§4.3.1).
#[test]
fn partly_bad() {
    let node = Node::start(&[]);
    let good = object("tool", 1, 1);
    let definition = format!(
        r#"{{"type":"marking-definition","spec_version":"2.1","id":"{}","created":"{}"}}"#,
        id("marking-definition", 7),
        version(0)
    );
    // With what the status says of it: its id and its version, as far as it has them.
    let table = [
        (good.replace("000001", "000002").replace("2.1\",", "9.9\","), id("tool", 2), version(1)),
        (good.replace(r#","name":"tool1/1""#, "").replace("000001", "000003"), id("tool", 3), version(1)),
        (object("tool", 4, 1).replace(&version(1), "yesterday"), id("tool", 4), "yesterday".into()),
        (definition, id("marking-definition", 7), version(0)),
        (address(5).replace("value", "values"), id("ipv4-addr", 5), String::new()),
        (r#"{"type":"tool"}"#.into(), String::new(), String::new()),
        ("{}".into(), String::new(), String::new()),
        ("[]".into(), String::new(), String::new()),
        ("7".into(), String::new(), String::new()),
        (r#""../../etc/passwd""#.into(), String::new(), String::new()),
    ];
    let mut sent: Vec<String> = table.iter().map(|(text, ..)| text.clone()).collect();
    sent.insert(3, good);
    sent.push(object("tool", 6, 1));
    let answer = node.post("both", &envelope(&sent));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let status = answer.json();
    let counts = ["total_count", "success_count", "failure_count", "pending_count"].map(|name| status[name].clone());
    assert_eq!(counts, [12, 2, 10, 0].map(Value::from));
    assert_eq!(status["status"], "complete");
    let row = |number| json!({"id": id("tool", number), "version": version(1)});
    assert_eq!(status["successes"], json!([row(1), row(6)]));
    let failures = answer.list("failures");
    for ((text, id, version), failure) in table.iter().zip(&failures) {
        assert_eq!((&failure["id"], &failure["version"]), (&id.as_str().into(), &version.as_str().into()), "{text}");
        assert!(failure["message"].as_str().unwrap().len() > 10, "{text}: {failure}");
    }
    assert_eq!(failures.len(), table.len());
    let asked = node.get(&format!("/exchange/status/{}/", status["id"].as_str().unwrap()));
    assert_eq!(asked.json(), status, "the status is kept as it was given");
    assert_eq!(labels(&node.get(OBJECTS)), ["tool1/1", "tool6/1"]);
}

/// Bad input of every kind in one envelope: what can be told apart is named with its place, the good ones are kept.
#[test]
fn bad_objects_among_good_ones() {
    let node = Node::start(&[]);
    let good = |number| object("tool", number, 1);
    let spoilt = |number, value: &str| good(number).replace(r#""name":"#, &format!(r#""x_a":{value},"name":"#));
    let far = |number, year: &str| good(number).replace("2024", year);
    let table = [
        ("NaN", spoilt(2, "NaN"), Some("NaN")),
        ("-Infinity", spoilt(3, "-Infinity"), Some("Infinity")),
        ("duplicate keys", spoilt(4, r#"1,"x_a":2"#), Some("already has a member")),
        ("duplicate keys within", spoilt(5, r#"{"b":1,"b":2}"#), Some("already has a member")),
        ("lone surrogate", spoilt(6, r#""\ud800""#), Some("surrogate")),
        ("half pairs the wrong way round", spoilt(7, r#""\udc00\ud800""#), Some("surrogate")),
        ("beyond a double", spoilt(8, "1e999"), Some("double")),
        ("a million values", spoilt(9, &format!("[{}0]", "0,".repeat(1_000_000))), Some("values")),
        ("year 10000", far(10, "10000"), Some("timestamp")),
        ("id of another type", good(11).replace(r#""id":"tool--"#, r#""id":"malware--"#), Some("type")),
        ("id that leads elsewhere", good(12).replace(r#""id":"tool--"#, r#""id":"tool--../../"#), Some("identifier")),
        ("a pair", spoilt(13, r#""\ud83d\ude00""#), None),
        ("year 0", far(14, "0000"), None),
        ("year 9999", far(15, "9999"), None),
    ];
    let mut sent = vec![good(1)];
    sent.extend(table.iter().map(|(_, text, _)| text.clone()));
    sent.push(good(99));
    let answer = node.post("both", &envelope(&sent));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let failures = answer.list("failures");
    let bad: Vec<_> = table.iter().enumerate().filter(|(_, (_, _, why))| why.is_some()).collect();
    assert_eq!((failures.len(), answer.get("success_count")), (bad.len(), (sent.len() - bad.len()).into()));
    for ((index, (name, _, why)), failure) in bad.iter().zip(&failures) {
        let message = failure["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("$.objects[{}]", index + 1)), "{name}: {message}");
        assert!(message.contains(why.unwrap()) && message.contains("(STIX 2.1 §"), "{name}: {message}");
    }
    let kept = node.get(OBJECTS).text();
    for (name, text, why) in &table {
        assert_eq!(kept.contains(text.as_str()), why.is_none(), "{name}");
    }
    node.still_serves();
}

/// One bad object of ten thousand.
#[test]
fn one_of_ten_thousand() {
    let node = Node::start(&[]);
    for (start, bad) in [(0, r#""name":NaN"#), (10_000, r#""title":"x""#)] {
        let mut sent = tools(start..start + 10_000);
        sent[7_777] = object("tool", 7_777 + start, 1).replace(r#""name""#, &format!("{bad},\"x_a\""));
        let answer = node.post("both", &envelope(&sent));
        assert_eq!((answer.status, answer.get("success_count")), (202, 9_999.into()));
        let failures = answer.list("failures");
        assert_eq!(failures.len(), 1);
        assert!(failures[0]["message"].as_str().unwrap().starts_with("$.objects[7777]"), "{failures:?}");
    }
}

/// Every object is bad: nothing is kept, and the status says so.
#[test]
fn all_bad() {
    let node = Node::start(&[]);
    let answer = node.post("both", r#"{"objects":[{"type":"tool"},7]}"#);
    assert_eq!((answer.status, answer.get("failure_count")), (202, 2.into()));
    assert_eq!(answer.json().get("successes"), None, "an empty list is left out");
    assert_eq!(node.get(OBJECTS).json(), json!({}));
}

/// What is there already is a success, and is stored once.
#[test]
fn again() {
    let node = Node::start(&[]);
    let sent = [object("tool", 1, 1), address(2), old_tool(3, 1)];
    let mut first = Value::Null;
    for _ in 0..3 {
        let answer = node.post("both", &envelope(&sent));
        assert_eq!((answer.status, answer.get("success_count")), (202, 3.into()));
        let manifest = node.get("/exchange/collections/both/manifest/?match[version]=all").json();
        assert_eq!(manifest["objects"].as_array().unwrap().len(), 3);
        assert!(first.is_null() || manifest == first, "nothing moved");
        first = manifest;
    }
    // Twice in one envelope.
    let answer = node.post("both", &envelope(&[object("tool", 4, 1), object("tool", 4, 1)]));
    assert_eq!((answer.status, answer.get("success_count")), (202, 2.into()));
    assert_eq!(node.get(OBJECTS).list("objects").len(), 4);
}

/// The members of an object come back as they were sent, to the byte.
#[test]
fn bytes_stay() {
    let node = Node::start(&[]);
    let odd = object("tool", 1, 1).replace(r#""name""#, "\"x_a\" : 1.50e1 ,\n\t\"x_b\":\"\\u00e9é\",\"name\"");
    node.add("both", std::slice::from_ref(&odd));
    assert_eq!(node.get(OBJECTS).text(), envelope(&[odd]));
}

/// Smaller bodies are never too large (§4.2.1), larger ones are, whether or not their length is told.
#[test]
fn size() {
    let node = Node::start(&["taxii.max-content-length=65536"]);
    let padded = |size: usize| {
        let body = envelope(&tools(1..2));
        let space = " ".repeat(size - body.len());
        body + &space
    };
    for (size, status) in [(500, 202), (65_536, 202), (65_537, 413), (200_000, 413), (3_000_000, 413)] {
        let whole = Request::new("POST", OBJECTS).by(ANALYST).carrying(padded(size).as_bytes());
        assert_eq!(node.send(&whole).status, status, "{size}");
        assert_eq!(node.send(&whole.chunked(10_000)).status, status, "{size} in chunks");
    }
    // Told beforehand, it is refused before it is sent.
    let told = Request::new("POST", OBJECTS).by(ANALYST).carrying(b"").with("Content-Length", "99999999999");
    for request in [told.clone(), told.clone().with("Expect", "100-continue")] {
        assert_eq!(node.send(&request).status, 413);
    }
    assert_eq!(node.send(&told.with("Content-Length", "99999999999999999999999")).status, 400);
    node.still_serves();
}
