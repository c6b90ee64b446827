//! 224 exchanges of OpenTAXII: the best source for negotiation and for the statuses of what is refused.

use super::exchange::{self, Case};
use super::server::{AUTHORIZATION, Home, Seed, Server};
use super::{differences, settle, shared};
use ledger::{Dialect, Who};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where we differ, and the clause that decides.
const LISTED: &[(&str, &str)] = &[];

/// The recorded API root that holds the collections; ours has another name.
const ROOT: &str = "/taxii2/b0fd9bb7-4018-4634-9d2b-bdb78a5e9ccb/";
/// The collection that most exchanges read.
const READ: &str = "65112e49-5826-4e88-abf2-4b838bec8531";
/// The collection that is read without signing in.
const PUBLIC: &str = "6c812570-4c27-4b15-b704-3f4c8c361b5b";
/// The collection that is written without signing in.
const PUBLIC_WRITE: &str = "05f7c50c-9889-464a-af68-15ec4bccc06a";

#[test]
fn opentaxii() {
    let Some(cases) = shared("taxii_cases_opentaxii.jsonl.gz") else { return };
    let cases = exchange::read(&cases);
    let home = seeded(&cases);
    let (total, untouched) = (cases.len(), home.serve());
    let mut found = BTreeMap::new();
    let mut cursors = BTreeMap::new();
    for case in &cases {
        let copy = (case.method != "GET" && case.status < 300).then(|| home.copy());
        let own = copy.as_ref().map(Home::serve);
        let answer = replay(case, own.as_ref().unwrap_or(&untouched), &mut cursors);
        let differ = differences(case, &answer, case.method == "GET" && case.url.contains("/collections/"));
        if !differ.is_empty() {
            found.insert(case.id.clone(), differ);
        }
    }
    settle(&found, LISTED, total);
}

/// Its tests start at a recorded cursor: ours is the one that the same request with `limit=1` gives.
fn replay(case: &Case, server: &Server, cursors: &mut BTreeMap<String, String>) -> exchange::Answer {
    let mut url = case.url.replace(ROOT, "/exchange/");
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
    server.send(&case.method, &url, &case.headers(AUTHORIZATION), case.req_body.as_bytes())
}

/// Its data are mocks: the collections as its listing describes them, the objects as its answers hold them.
fn seeded(cases: &[Case]) -> Home {
    let home = Home::new();
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
            let dialect =
                if row["media_type"].as_str().unwrap().ends_with("2.0") { Dialect::Stix20 } else { Dialect::Stix21 };
            let added = row["date_added"].as_str().unwrap().to_owned();
            seeds.push(Seed { collection: collection.into(), body: with_version(body, row), dialect, added });
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
