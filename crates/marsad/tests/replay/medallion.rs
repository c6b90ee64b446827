//! 114 exchanges of medallion on its sample data.

use super::exchange::{self, Case};
use super::server::{AUTHORIZATION, Home, Seed};
use super::{differences, settle, shared};
use ledger::{Dialect, Who};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where we differ, and the clause that decides.
const LISTED: &[(&str, &str)] = &[
    ("taxii_cases-00003", "§5.1: a collection with which the client may do nothing is left out"),
    ("taxii_cases-00085", "§3.4: `added_after` is the recorder's clock, our object was added later"),
    ("taxii_cases-00094", "§5.3: neither readable nor writable is 404, as for a collection that does not exist"),
    ("taxii_cases-00097", "§5.6: neither readable nor writable is 404, as for a collection that does not exist"),
];

#[test]
fn medallion() {
    let (Some(cases), Some(seed)) = (shared("taxii_cases.jsonl.gz"), shared("taxii_seed_medallion.json")) else {
        return;
    };
    let home = seeded(&serde_json::from_slice(&std::fs::read(seed).unwrap()).unwrap());
    let cases = exchange::read(&cases);
    let (total, untouched) = (cases.len(), home.serve());
    let mut found = BTreeMap::new();
    for test in exchange::tests(cases) {
        let writes = test.iter().any(|case| case.method != "GET");
        let copy = writes.then(|| home.copy());
        let own = copy.as_ref().map(Home::serve);
        replay(&test, own.as_ref().unwrap_or(&untouched), &mut found);
    }
    settle(&found, LISTED, total);
}

/// Replays one test; cursors and status ids are those that our own server gave.
fn replay(test: &[Case], server: &super::server::Server, found: &mut BTreeMap<String, Vec<String>>) {
    let (mut next, mut wrote) = (None::<String>, false);
    let mut statuses: BTreeMap<String, String> = BTreeMap::new();
    for case in test {
        let mut url = case.url.replace("/trustgroup1/", "/exchange/");
        if let (Some((before, after)), Some(next)) = (url.split_once("next="), &next) {
            let rest = after.find('&').map_or("", |at| &after[at..]);
            url = format!("{before}next={next}{rest}");
        }
        for (theirs, ours) in &statuses {
            url = url.replace(theirs, ours);
        }
        let answer = server.send(&case.method, &url, &case.headers(AUTHORIZATION), &exchange::envelope(case));
        let body = answer.json();
        if let Some(token) = body.get("next").and_then(Value::as_str) {
            next = Some(token.to_owned());
        }
        wrote |= case.method != "GET";
        if let (Some(theirs), Some(ours)) =
            (case.json().get("id").and_then(Value::as_str), body.get("id").and_then(Value::as_str))
            && case.status == 202
        {
            statuses.insert(theirs.to_owned(), ours.to_owned());
        }
        let differ = differences(case, &answer, !wrote);
        if !differ.is_empty() {
            found.insert(case.id.clone(), differ);
        }
    }
}

fn seeded(seed: &Value) -> Home {
    let home = Home::new();
    let root = &seed["trustgroup1"];
    let mut seeds = Vec::new();
    for collection in root["collections"].as_array().unwrap() {
        let id = collection["id"].as_str().unwrap();
        let may =
            |right: &str| if collection[right].as_bool().unwrap() { Who::Members } else { Who::Named(Vec::new()) };
        let alias = collection.get("alias").and_then(Value::as_str).unwrap_or(id);
        home.collection(id, alias, collection["title"].as_str().unwrap(), may("can_read"), may("can_write"));
        let rows = collection["manifest"].as_array().unwrap();
        for body in collection["objects"].as_array().unwrap() {
            let version = body.get("modified").or(body.get("created")).cloned();
            let row = rows
                .iter()
                .find(|row| row["id"] == body["id"] && version.as_ref().is_none_or(|v| &row["version"] == v));
            let row = row.unwrap_or_else(|| panic!("no manifest row for {}", body["id"]));
            let dialect =
                if row["media_type"].as_str().unwrap().ends_with("2.0") { Dialect::Stix20 } else { Dialect::Stix21 };
            let mut body = body.clone();
            body.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
            seeds.push(Seed {
                collection: id.into(),
                body,
                dialect,
                open: false,
                added: row["date_added"].as_str().unwrap().into(),
            });
        }
    }
    home.seed(seeds);
    for status in root["status"].as_array().unwrap() {
        home.status(status["id"].as_str().unwrap(), status);
    }
    home
}
