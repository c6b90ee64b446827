//! What a request may say, and what it changes.

use super::wire::{Connection, Request};
use super::world::{GREEN, World, basic, id, json, tool};
use serde_json::Value;
use std::net::TcpStream;

const MAIN: &str = "/exchange/collections/main";
const OBJECTS: &str = "/exchange/collections/main/objects/";

/// Where the numbers are in a value.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Array(list) => list.iter().for_each(|value| numbers(value, path, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| numbers(value, name, found)),
        _ => {}
    }
}

/// Flawed design: rows are named by the numbers of the store, which mean something else at every node.
pub(crate) fn a02_no_number_of_the_store_is_on_the_wire() {
    let mut world = World::with(&["boss", "north"]);
    world.good(&["group", "add", "room", "--members", "CERT North"], "");
    world.import(&["--group", "room"], &[tool(1, 1, "open", &[GREEN], "")]);
    world.serve(&[]);
    let session = r#"{"name":"boss","password":"boss-password"}"#;
    assert_eq!(world.api("", "POST", "/api/session", session).status, 200);
    let mut shown: Vec<(String, Value)> = [
        "/taxii2/",
        "/exchange/",
        "/exchange/collections/",
        "/exchange/collections/main/",
        "/exchange/collections/main/manifest/",
        "/api/accounts",
        "/api/accounts/boss",
        "/api/accounts/boss/keys",
        "/api/accounts/boss/sessions",
        "/api/session",
    ]
    .map(|path| {
        let answer = world.send(&Request::new("GET", path).by(&world.who("boss")));
        assert_eq!(answer.status, 200, "{path}");
        (path.to_owned(), answer.json())
    })
    .to_vec();
    for thing in ["account", "key", "organisation", "collection", "group", "marking"] {
        shown.push((thing.to_owned(), world.json(&[thing, "list"])));
    }
    shown.push(("who".to_owned(), world.json(&["who", &id(1)])));
    shown.push(("why".to_owned(), world.json(&["why", "north", &id(1)])));
    for (what, value) in &shown {
        let mut found = Vec::new();
        numbers(value, "", &mut found);
        found.retain(|name| name != "max_content_length");
        assert!(found.is_empty(), "{what}: {found:?} in {value}");
        assert!(!value.to_string().contains("seq"), "{what}");
    }
    // And none opens anything.
    for number in ["0", "1", "2", "3", "-1"] {
        for path in [
            format!("/exchange/collections/{number}/"),
            format!("/exchange/collections/{number}/objects/"),
            format!("{OBJECTS}{number}/"),
            format!("/exchange/status/{number}/"),
            format!("/api/accounts/{number}"),
        ] {
            assert_eq!(world.get("boss", &path).status, 404, "{path}");
        }
        for path in [format!("/api/accounts/boss/keys/{number}"), format!("/api/accounts/boss/sessions/{number}")] {
            assert_eq!(world.ask("boss", "DELETE", &path).status, 404, "{path}");
        }
    }
}

/// Flawed design: whatever a client sends is copied onto the stored row, and a create with a known name is an update.
pub(crate) fn a03_fields_are_closed_and_create_never_updates() {
    let mut world = World::with(&["boss", "north"]);
    world.good(&["group", "add", "room", "--members", "CERT North"], "");
    world.serve(&[]);
    let state = || world.lists(&["account", "key", "organisation", "group", "collection"]);
    let before = state();
    for (method, path, body, status) in [
        ("POST", "/api/accounts", r#"{"name":"x","role":"reader","own":true}"#, 400),
        ("POST", "/api/accounts", r#"{"name":"x","role":"reader","id":1}"#, 400),
        ("POST", "/api/accounts", r#"{"name":"x","role":"reader","created":"2020-01-01T00:00:00Z"}"#, 400),
        ("POST", "/api/accounts", r#"{"name":"x","role":"reader","role":"administrator"}"#, 400),
        ("POST", "/api/accounts", r#"{"Account":{"name":"x","role":"reader"}}"#, 400),
        ("POST", "/api/accounts", r#"{"name":"north","role":"administrator"}"#, 409),
        ("POST", "/api/accounts", r#"{"name":"NORTH","role":"administrator"}"#, 409),
        ("PUT", "/api/accounts/north", r#"{"role":"administrator"}"#, 405),
        ("PATCH", "/api/accounts/north", r#"{"role":"reader","name":"boss"}"#, 400),
        ("PATCH", "/api/accounts/north", r#"{"role":"reader","organisation":"Example CERT"}"#, 400),
        ("PATCH", "/api/accounts/north", r#"{"role":"reader","password":"correct horse battery"}"#, 422),
        ("PATCH", "/api/accounts/north", "{}", 422),
        ("POST", "/api/accounts/boss/keys", r#"{"name":"k","account":"north"}"#, 400),
        ("POST", "/api/accounts/boss/keys", r#"{"name":"k","digest":"00"}"#, 400),
        ("POST", "/api/accounts/boss/keys", r#"{"name":"of-north"}"#, 409),
        ("POST", "/api/session", r#"{"name":"boss","password":"boss-password","role":"administrator"}"#, 400),
        ("POST", "/api/oidc/link", r#"{"issuer":"x","subject":"y"}"#, 403),
    ] {
        let answer = world.api("boss", method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
    }
    for words in [
        &["group", "add", "ROOM", "--members", "CERT South"][..],
        &["organisation", "add", "cert north", "--relation", "client"],
        &["collection", "add", "main", "--read", "anyone"],
        &["account", "add", "North", "--role", "administrator"],
        &["key", "add", "OF-NORTH", "--account", "boss"],
    ] {
        assert_eq!(world.run(words, "").code, 3, "{words:?}");
    }
    assert_eq!(state(), before);
    // Nor does an object of the same version replace the stored one.
    world.post("north", "main", &[tool(1, 1, "first", &[GREEN], "")]);
    world.post("north", "main", &[tool(1, 1, "second", &[GREEN], "")]);
    assert_eq!(world.names("boss", &format!("{OBJECTS}?match[version]=all")), ["first"]);
}

/// Flawed design: the right is asked for what the address names, and what the body or the query names is written.
pub(crate) fn a04_what_is_checked_is_what_is_written() {
    let mut world = World::with(&["boss", "north"]);
    world.good(&["collection", "add", "vault", "--read", "boss", "--write", "boss"], "");
    world.import(&[], &[tool(1, 1, "one", &[GREEN], ""), tool(2, 1, "two", &[GREEN], "")]);
    world.import(&["--collection", "vault"], &[tool(1, 1, "one", &[GREEN], ""), tool(3, 1, "three", &[GREEN], "")]);
    world.serve(&[]);
    assert_eq!(world.api("", "POST", "/api/session", r#"{"name":"boss","password":"boss-password"}"#).status, 200);
    let sessions = world.get("boss", "/api/accounts/boss/sessions").json();
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    // Another's key, session or collection under one's own address.
    for (method, path) in [
        ("DELETE", "/api/accounts/north/keys/of-boss".to_owned()),
        ("DELETE", format!("/api/accounts/north/sessions/{session}")),
        ("PATCH", "/api/accounts/north%2F..%2Fboss".to_owned()),
        ("DELETE", "/api/accounts/north/../boss".to_owned()),
        ("DELETE", format!("{OBJECTS}{}/", id(3))),
        ("DELETE", format!("/exchange/collections/main%2F..%2Fvault/objects/{}/", id(3))),
        ("DELETE", format!("{MAIN}/../vault/objects/{}/", id(3))),
    ] {
        let answer = world.api("north", method, &path, r#"{"role":"reader"}"#);
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
    }
    assert_eq!(world.get("boss", "/api/accounts/boss/sessions").json(), sessions);
    // Of an object, what the address names goes, and from that collection alone.
    let path = format!("{OBJECTS}{}/?match[id]={}&collection=vault&id={}", id(1), id(2), id(2));
    assert_eq!(world.ask("north", "DELETE", &path).status, 200);
    assert_eq!(world.names("boss", OBJECTS), ["two"]);
    assert_eq!(world.names("boss", "/exchange/collections/vault/objects/"), ["one", "three"]);
    // And a body is added where the address says, whatever it says itself.
    let claims = r#""collection":"vault","x_collection_id":"vault","#;
    world.post("north", "main", &[tool(3, 2, "mine", &[GREEN], &claims.replace("\"collection\"", "\"x_collection\""))]);
    assert_eq!(world.names("boss", "/exchange/collections/vault/objects/"), ["one", "three"]);
}

/// Flawed design: the name of a field, an order or a script in a query is made a part of the question to the store.
pub(crate) fn a12_names_in_queries_are_known_ones() {
    let mut world = World::with(&["boss"]);
    world.import(&[], &[tool(1, 1, "one", &[GREEN], ""), tool(2, 1, "two", &[GREEN], "")]);
    world.serve(&[]);
    let evil = ["%27%20OR%20%271%27=%271", "1;DROP%20TABLE%20version", "%22)%20OR%201=1--", "*", "%25", "$where:1"];
    let all = world.get("boss", OBJECTS).text();
    for name in
        ["order", "order_by", "sort", "fields", "group", "script", "match[name]", "match[%27]", "filter", "where"]
    {
        for value in evil {
            let answer = world.get("boss", &format!("{OBJECTS}?{name}={value}"));
            assert_eq!((answer.status, answer.text()), (200, all.clone()), "{name}={value}");
        }
    }
    for name in ["match[id]", "match[type]", "match[version]", "match[spec_version]", "added_after", "limit", "next"] {
        for value in evil {
            let answer = world.get("boss", &format!("{OBJECTS}?{name}={value}"));
            let nothing = answer.status == 400 || answer.status == 200 && answer.text() == "{}";
            assert!(nothing, "{name}={value}: {} {}", answer.status, answer.text());
        }
    }
    let injected = "boss' OR '1'='1";
    assert_eq!(world.good(&["audit", "list", "--json", "--who", injected], ""), "");
    assert_eq!(world.run(&["audit", "list", "--kind", injected], "").code, 2);
    assert_eq!(world.run(&["why", injected, &id(1)], "").code, 3);
    assert_eq!(world.run(&["export", "--collection", "main' OR '1'='1"], "").code, 3);
    assert_eq!(world.get("boss", OBJECTS).text(), all);
}

/// Flawed design: where to go on is taken from the request.
pub(crate) fn a19_nobody_is_sent_elsewhere() {
    let mut world = World::with(&["boss"]);
    world.serve(&[]);
    for path in [
        "//evil.example/",
        "//evil.example/%2e%2e",
        "/%5cevil.example/",
        "/exchange",
        "/exchange//evil.example/",
        "/exchange/collections/main/objects",
        "/taxii2?next=https://evil.example/",
        "/api/session?next=//evil.example/",
        "/api/oidc/start?return_to=https://evil.example/",
        "/api/oidc/callback?code=a&state=b&redirect_uri=https://evil.example/",
        "https://evil.example/taxii2/",
    ] {
        for who in ["boss", ""] {
            for method in ["GET", "POST"] {
                let request = Request::new(method, path).by(&world.who(who)).with("X-Forwarded-Host", "evil.example");
                let answer = world.send(&request.with("Referer", "https://evil.example/"));
                assert!(!(300..400).contains(&answer.status), "{method} {path}: {}", answer.status);
                assert_eq!(answer.header("location"), None, "{method} {path}");
                assert!(!answer.text().contains("evil"), "{method} {path}: {}", answer.text());
            }
        }
    }
}

/// Flawed design: a link or a form on another site acts with the cookie of whoever follows it.
pub(crate) fn a20_reading_changes_nothing_and_sessions_need_their_token() {
    let mut world = World::with(&["boss", "north"]);
    world.import(&[], &[tool(1, 1, "one", &[GREEN], "")]);
    world.serve(&[]);
    let begun = world.api("", "POST", "/api/session", r#"{"name":"boss","password":"boss-password"}"#);
    let set = begun.header("set-cookie").unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
    let (cookie, token) = (set.split(';').next().unwrap().to_owned(), begun.get("csrf").as_str().unwrap().to_owned());
    let with_cookie = |method: &str, path: &str| Request::new(method, path).with("Cookie", &cookie);
    assert_eq!(world.send(&with_cookie("GET", OBJECTS)).status, 200, "the session is good");
    let state = || (world.lists(&["account", "key", "collection"]), world.get("north", OBJECTS).text());
    let before = state();
    let (member, envelope) = (r#"{"name":"x","role":"administrator"}"#, tool(9, 1, "forged", &[GREEN], ""));
    let envelope = format!(r#"{{"objects":[{envelope}]}}"#);
    for request in [
        json(with_cookie("POST", "/api/accounts"), member),
        json(with_cookie("POST", "/api/accounts"), member).with("X-Marsad-CSRF", "guess"),
        json(with_cookie("POST", "/api/accounts"), member).with("X-Marsad-CSRF", ""),
        json(with_cookie("PATCH", "/api/accounts/north"), r#"{"role":"administrator"}"#),
        with_cookie("DELETE", "/api/accounts/north"),
        with_cookie("DELETE", &format!("{OBJECTS}{}/", id(1))),
        with_cookie("POST", OBJECTS).carrying(envelope.as_bytes()),
        with_cookie("POST", "/api/accounts/boss/totp").carrying(b"{}"),
        with_cookie("DELETE", "/api/session"),
    ] {
        assert_eq!(world.send(&request).status, 403);
    }
    // What a form can send is not read, were the token known.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let right = |path: &str, body: &str| {
            let request = with_cookie("POST", path).carrying(body.as_bytes()).with("Content-Type", kind);
            world.send(&request.with("X-Marsad-CSRF", &token)).status
        };
        assert_eq!((right("/api/accounts", member), right(OBJECTS, &envelope)), (415, 415), "{kind}");
    }
    // Reading changes nothing, whatever it carries.
    for path in [
        "/api/accounts?name=x&role=administrator",
        "/api/accounts/north?role=administrator&_method=PATCH",
        "/api/accounts/north?_method=DELETE",
        "/api/accounts/boss/keys?name=x",
        "/api/accounts/north/keys/of-north",
        "/api/accounts/boss/totp",
        "/exchange/collections/main/objects/?_method=POST",
        &format!("{OBJECTS}{}/?_method=DELETE", id(1)),
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            for who in [with_cookie(method, path), Request::new(method, path).by(&world.who("boss"))] {
                let request = json(who, member).with("X-HTTP-Method-Override", "DELETE");
                assert!(world.send(&request.with("X-Method-Override", "DELETE")).status < 500, "{path}");
            }
        }
    }
    assert_eq!(state(), before);
    let meant = json(with_cookie("POST", "/api/accounts"), member).with("X-Marsad-CSRF", &token);
    assert_eq!(world.send(&meant).status, 201);
}

/// Flawed design: what strangers send is stored, queued or unpacked before anybody asks who they are.
pub(crate) fn a23_strangers_leave_nothing_behind() {
    let mut world = World::with(&["boss"]);
    world.import(&[], &[tool(1, 1, "one", &[GREEN], "")]);
    world.serve(&["accounts.attempts-per-minute=100000"]);
    let kept = |world: &World| {
        let book = ledger::sqlite::Book::open(&world.home().join("marsad.db"), node::clock::now()).unwrap();
        let figures = ledger::Ledger::statistics(&book).unwrap();
        let lists = world.lists(&["account", "key", "collection"]);
        (figures.records, figures.aside, figures.tombstones, figures.last, lists)
    };
    let (before, entries) = (kept(&world), world.good(&["audit", "list", "--json"], "").lines().count());
    let one = format!("{OBJECTS}{}/", id(1));
    for (method, path) in [
        ("POST", OBJECTS),
        ("DELETE", &one),
        ("POST", "/api/accounts"),
        ("PATCH", "/api/accounts/boss"),
        ("DELETE", "/api/accounts/boss"),
        ("POST", "/api/accounts/boss/keys"),
        ("POST", "/api/accounts/boss/totp"),
        ("POST", "/api/accounts/boss/recovery"),
        ("DELETE", "/api/accounts/boss/sessions"),
        ("DELETE", "/api/session"),
        ("POST", "/api/oidc/link"),
    ] {
        // The answer comes before the body, which never does.
        let promised = Request::new(method, path).carrying(b"").with("Content-Length", "10000000");
        for packing in ["identity", "gzip"] {
            let mut connection = Connection::over(TcpStream::connect(world.address()).unwrap());
            let answer = connection.ask(&promised.clone().with("Content-Encoding", packing));
            assert_eq!(answer.expect("an answer before the body").status, 401, "{method} {path}");
        }
    }
    for path in ["/api/session", "/api/first-sign-in"] {
        let mut connection = Connection::over(TcpStream::connect(world.address()).unwrap());
        let promised = json(Request::new("POST", path), "").with("Content-Length", "10000000");
        assert_eq!(connection.ask(&promised).expect("an answer before the body").status, 413, "{path}");
    }
    assert_eq!(world.good(&["audit", "list", "--json"], "").lines().count(), entries, "nobody asked in a name");
    // Wrong credentials are counted, not collected.
    for turn in 0..50 {
        let name = format!("stranger{turn}");
        let body = format!(r#"{{"objects":[{}]}}"#, tool(9, 1, "forged", &[GREEN], ""));
        let request = Request::new("POST", OBJECTS).by(&basic(&name, "wrong")).carrying(body.as_bytes());
        assert_eq!(world.send(&request).status, 401);
    }
    world.end();
    assert_eq!(kept(&world), before);
    let written = world.good(&["audit", "list", "--json"], "");
    // One line a kind and minute, however many come; the clock may have gone on to the next minute meanwhile.
    let mut lines = std::collections::BTreeSet::new();
    for line in written.lines().skip(entries) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let minute = entry["time"].as_str().unwrap().get(..16).unwrap().to_owned();
        assert!(lines.insert((entry["kind"].as_str().unwrap().to_owned(), minute)), "{written}");
    }
    let kinds: std::collections::BTreeSet<&String> = lines.iter().map(|(kind, _)| kind).collect();
    assert!(kinds.len() <= 2, "{written}");
    assert!(!written.contains("stranger"), "{written}");
}
