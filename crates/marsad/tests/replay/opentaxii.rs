//! 224 exchanges of OpenTAXII: the best source for negotiation and for the statuses of what is refused.

use super::exchange::{self, Case};
use super::server::{AUTHORIZATION, Home, Seed, Server};
use super::{differences, settle, shared};
use ledger::{Dialect, Who};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where we differ, and the clause that decides.
const LISTED: &[(&str, &str)] = &[
    (
        "taxii_cases_opentaxii-00008",
        "§4.2: whether strangers are welcome follows from the collections; here none is open to anyone",
    ),
    ("taxii_cases_opentaxii-00035", "§5.1: a collection with which the client may do nothing is left out"),
    (
        "taxii_cases_opentaxii-00041",
        "§5.1: whether strangers are welcome follows from the collections; here none is open to anyone",
    ),
    ("taxii_cases_opentaxii-00042", "§5.1: some collection is open to anyone, so strangers see those that are"),
    (
        "taxii_cases_opentaxii-00081",
        "§5.3: 403 or 404 where the collection may be written but not read; its existence is no secret then",
    ),
    ("taxii_cases_opentaxii-00104", "§3.5: a page that holds everything has no cursor to start from"),
    ("taxii_cases_opentaxii-00111", "§3.4: a malformed match[version] is 400"),
    ("taxii_cases_opentaxii-00114", "§5.6: as 00081"),
    ("taxii_cases_opentaxii-00124", "§5.7: deleting an object that is not there is 404"),
    ("taxii_cases_opentaxii-00157", "§5.4: as 00081"),
    ("taxii_cases_opentaxii-00162", "§4.3: our counts are of what was posted, the recorded ones of a mock"),
    ("taxii_cases_opentaxii-00163", "§4.3: as 00162"),
    ("taxii_cases_opentaxii-00164", "§4.3: as 00162"),
    ("taxii_cases_opentaxii-00165", "§5.5: a body without objects is 422"),
    ("taxii_cases_opentaxii-00166", "§5.5: a body without objects is 422"),
    ("taxii_cases_opentaxii-00167", "§5.5: 403 or 404 where the collection may be read but not written"),
    ("taxii_cases_opentaxii-00178", "§4.3: as 00162"),
    ("taxii_cases_opentaxii-00188", "§4.3: one API root a node, so its status resources are one set"),
    ("taxii_cases_opentaxii-00195", "§4.3: a status is for the member that asked for it, never for strangers"),
    ("taxii_cases_opentaxii-00211", "§5.8: as 00081"),
];

/// The recorded API root that holds the collections; ours has another name.
const ROOT: &str = "/taxii2/b0fd9bb7-4018-4634-9d2b-bdb78a5e9ccb/";
/// The collection that most exchanges read.
const READ: &str = "65112e49-5826-4e88-abf2-4b838bec8531";
/// The collection that is read without signing in.
const PUBLIC: &str = "6c812570-4c27-4b15-b704-3f4c8c361b5b";
/// The collection that is written without signing in.
const PUBLIC_WRITE: &str = "05f7c50c-9889-464a-af68-15ec4bccc06a";

/// Another of its API roots, with no collections.
const OTHER_ROOT: &str = "/taxii2/3af2fd5e-5660-4fab-ae58-b41a3cb32863/";
/// A third, of which only the description is asked.
const THIRD_ROOT: &str = "/taxii2/4b8a2e9e-a4d8-4eb2-b93d-cb25309cf90b/";

/// Homes for what the recorded server had in one: we have one API root a node.
struct Homes {
    /// Every record as STIX 2.1: OpenTAXII leaves out that a page without `match[spec_version]` holds the newest
    /// specification alone (§3.4.1.5), so only so can the other filters be compared.
    one: Home,
    /// Every record as it was recorded.
    both: Home,
    /// Without collections.
    bare: Home,
}

#[test]
fn opentaxii() {
    let Some(cases) = shared("taxii_cases_opentaxii.jsonl.gz") else { return };
    let cases = exchange::read(&cases);
    let homes = Homes { one: seeded(&cases, false), both: seeded(&cases, true), bare: bare(&cases) };
    let (one, both, bare) = (homes.one.serve(), homes.both.serve(), homes.bare.serve());
    let (total, mut found, mut cursors) = (cases.len(), BTreeMap::new(), BTreeMap::new());
    for case in &cases {
        let at_root = case.url.starts_with(OTHER_ROOT) || case.url.starts_with(THIRD_ROOT);
        let private = case.status == 401 && !case.url.contains("/collections/");
        let (home, untouched) = match case {
            _ if private || (at_root && case.status != 404) => (&homes.bare, &bare),
            _ if case.url.contains("spec_version") => (&homes.both, &both),
            _ => (&homes.one, &one),
        };
        let copy = (case.method != "GET" && case.status < 300).then(|| home.copy());
        let own = copy.as_ref().map(Home::serve);
        let answer = replay(case, own.as_ref().unwrap_or(untouched), &mut cursors);
        let differ = differences(case, &answer, case.method == "GET" && case.url.contains("/collections/"));
        if !differ.is_empty() {
            found.insert(case.id.clone(), differ);
        }
    }
    settle(&found, LISTED, total);
}

/// Its status resources, and no collections.
fn bare(cases: &[Case]) -> Home {
    let home = Home::new();
    statuses(&home, cases);
    home
}

fn statuses(home: &Home, cases: &[Case]) {
    let mut kept = Vec::new();
    for case in cases.iter().filter(|case| case.url.contains("/status/") && case.status == 200) {
        let body = case.json();
        let id = body["id"].as_str().unwrap().to_owned();
        if !kept.contains(&id) {
            home.status(&id, &body);
            kept.push(id);
        }
    }
}

/// Its tests start at a recorded cursor: ours is the one that the same request with `limit=1` gives.
fn replay(case: &Case, server: &Server, cursors: &mut BTreeMap<String, String>) -> exchange::Answer {
    let mut url = case.url.replace(ROOT, "/exchange/");
    if case.status != 404 {
        url = url.replace(OTHER_ROOT, "/exchange/").replace(THIRD_ROOT, "/exchange/");
    }
    if let Some((before, after)) = url.clone().split_once("next=")
        && case.status == 200
    {
        let rest = after.find('&').map_or("", |at| &after[at..]);
        let first = format!("{before}limit=1{rest}");
        let next = cursors.entry(first.clone()).or_insert_with(|| {
            let page = server.send("GET", &first, &case.headers(AUTHORIZATION), b"").json();
            page.get("next").and_then(Value::as_str).unwrap_or("none-was-given").to_owned()
        });
        url = format!("{before}next={next}{rest}");
    }
    server.send(&case.method, &url, &case.headers(AUTHORIZATION), &exchange::envelope(case))
}

/// Its data are mocks: the collections as its listing describes them, the objects as its answers hold them.
fn seeded(cases: &[Case], recorded_dialects: bool) -> Home {
    let mut home = Home::new();
    home.set("taxii.max-content-length=1024");
    statuses(&home, cases);
    let listing = cases.iter().find(|case| case.test.ends_with("test_collections[good, first]")).unwrap().json();
    for collection in listing["collections"].as_array().unwrap() {
        let id = collection["id"].as_str().unwrap();
        let named = |right: &str| if collection[right] == true { Who::Members } else { Who::Named(Vec::new()) };
        let (read, write) = match id {
            READ => (Who::Members, Who::Members),
            PUBLIC => (Who::Anyone, named("can_write")),
            PUBLIC_WRITE => (named("can_read"), Who::Anyone),
            _ => (named("can_read"), named("can_write")),
        };
        let alias = collection.get("alias").and_then(Value::as_str).unwrap_or(id);
        home.collection(id, alias, collection["title"].as_str().unwrap(), read, write);
    }
    let mut seeds = Vec::new();
    for (collection, all) in [(READ, "?match%5Bversion%5D=all"), (PUBLIC, "")] {
        let bodies = answer_to(cases, &format!("{ROOT}collections/{collection}/objects/{all}"));
        let rows = answer_to(cases, &format!("{ROOT}collections/{collection}/manifest/{all}"));
        let rows = rows["objects"].as_array().unwrap();
        for (body, row) in bodies["objects"].as_array().unwrap().iter().zip(rows) {
            assert_eq!(body["id"], row["id"]);
            let old = recorded_dialects && row["media_type"].as_str().unwrap().ends_with("2.0");
            let dialect = if old { Dialect::Stix20 } else { Dialect::Stix21 };
            let added = row["date_added"].as_str().unwrap().to_owned();
            let open = collection == PUBLIC;
            seeds.push(Seed { collection: collection.into(), body: with_version(body, row), dialect, open, added });
        }
    }
    home.seed(seeds);
    home
}

/// The mocks keep the version beside the object.
fn with_version(body: &Value, row: &Value) -> Value {
    let mut body = body.clone();
    if body.get("modified").is_none() {
        body["modified"] = row["version"].clone();
    }
    body
}

fn answer_to(cases: &[Case], url: &str) -> Value {
    cases
        .iter()
        .find(|case| case.url == url && case.status == 200)
        .unwrap_or_else(|| panic!("no exchange {url}"))
        .json()
}
