//! The algebra by clause, its laws, and the cases recorded from the reference library.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{marking::Tlp, published};

const NOW: i64 = 1_800_000_000_000_000;
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const STATEMENT: &str = "marking-definition--443eb5c3-a76c-4a0a-8caa-e93998e7bc09";

fn object() -> Json {
    json!({
        "type": "report", "spec_version": "2.1", "id": "report--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z",
        "name": "n", "name_enc": "m", "labels": ["a", "b"],
        "object_marking_refs": [GREEN],
        "granular_markings": [
            {"marking_ref": RED, "selectors": ["labels.[1]", "name"]},
            {"lang": "ar", "selectors": ["name"]},
            {"marking_ref": STATEMENT, "selectors": ["labels"]},
        ],
    })
}

fn text() -> Vec<u8> {
    object().to_string().into_bytes()
}

#[test]
fn what_a_part_carries() {
    let near = Options::default();
    let up = Options { inherited: true, ..near };
    let down = Options { descendants: true, ..near };
    type Case = (&'static str, Option<&'static [&'static str]>, Options, &'static [&'static str]);
    let cases: &[Case] = &[
        ("object markings alone", None, near, &[GREEN]),
        ("exact selector", Some(&["name"]), near, &["ar", RED]),
        ("marking definitions only", Some(&["name"]), Options { langs: false, ..near }, &[RED]),
        ("languages only", Some(&["name"]), Options { marking_refs: false, ..near }, &["ar"]),
        ("no marking reaches up by itself", Some(&["labels"]), near, &[STATEMENT]),
        ("parts within", Some(&["labels"]), down, &[STATEMENT, RED]),
        ("wholes around, the object included", Some(&["labels.[1]"]), up, &[STATEMENT, GREEN, RED]),
        ("a list's marking does not reach down unasked", Some(&["labels.[0]"]), near, &[]),
        ("a name that begins alike is another property", Some(&["name_enc"]), up, &[GREEN]),
        ("several parts", Some(&["name", "labels"]), near, &["ar", STATEMENT, RED]),
    ];
    for (name, selectors, options, expected) in cases {
        assert_eq!(get(&text(), *selectors, *options).unwrap(), *expected, "{name}");
    }
}

#[test]
fn whether_a_part_is_marked() {
    let near = Options::default();
    let up = Options { inherited: true, ..near };
    type Case = (&'static str, &'static [&'static str], Option<&'static [&'static str]>, Options, bool);
    let cases: &[Case] = &[
        ("the object, by anything", &[], None, near, true),
        ("the object, by one of several", &[RED, GREEN], None, near, true),
        ("the object, by another", &[RED], None, near, false),
        ("a part, by anything", &[], Some(&["name"]), near, true),
        ("a part, by all that are named", &[RED, "ar"], Some(&["name"]), near, true),
        ("a part, by one of two only", &[RED, STATEMENT], Some(&["name"]), near, false),
        ("a part without marking", &[], Some(&["type"]), near, false),
        ("… but the object has one", &[], Some(&["type"]), up, true),
        ("… by this one", &[GREEN], Some(&["type"]), up, true),
        ("… not by that one", &[RED], Some(&["type"]), up, false),
    ];
    for (name, markings, selectors, options, expected) in cases {
        assert_eq!(is_marked(&text(), markings, *selectors, *options).unwrap(), *expected, "{name}");
    }
}

#[test]
fn refusals() {
    let red: &[&str] = &[RED];
    assert_eq!(get(&text(), Some(&[]), Options::default()), Err(Error::Selector(String::new())));
    assert_eq!(get(&text(), Some(&["labels.[2]"]), Options::default()), Err(Error::Selector("labels.[2]".into())));
    assert_eq!(add(&text(), red, Some(&["nothing"]), NOW), Err(Error::Selector("nothing".into())));
    assert_eq!(add(&text(), &["indicator--1"], None, NOW), Err(Error::Marking("indicator--1".into())));
    assert_eq!(add(&text(), &[""], Some(&["name"]), NOW), Err(Error::Marking(String::new())));
    assert_eq!(remove(&text(), red, None, NOW), Err(Error::NotMarked));
    assert_eq!(remove(&text(), red, Some(&["type"]), NOW), Err(Error::NotMarked));
    assert_eq!(clear(&text(), Some(&["type"]), Options::default(), NOW), Err(Error::NotMarked));
    let mut revoked = object();
    revoked["revoked"] = true.into();
    let refused = add(revoked.to_string().as_bytes(), red, None, NOW);
    assert_eq!(refused, Err(Error::Version(versioning::Error::Revoked)), "§3.6: nothing after revoked");
    assert!(matches!(get(b"{", None, Options::default()), Err(Error::Json(_))));
}

#[test]
fn a_change_of_markings_is_a_new_version_and_touches_nothing_else() {
    let changed: Json = serde_json::from_slice(&clear(&text(), None, Options::default(), NOW).unwrap()).unwrap();
    let mut expected = object();
    expected.as_object_mut().unwrap().remove("object_marking_refs");
    expected["modified"] = "2027-01-15T08:00:00.000Z".into();
    assert_eq!(changed, expected);
}

const PARTS: [&str; 6] = ["name", "labels", "labels.[0]", "labels.[1]", "type", "name_enc"];

proptest! {
    #[test]
    fn removing_what_was_added_restores_what_was_there(
        part in 0..PARTS.len(), marking in 0_usize..5, whole: bool,
    ) {
        let fresh = ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::AmberStrict.id(), "fr", "ar-MA", "en"];
        let selectors = [PARTS[part]];
        let (marking, selectors) = if whole { (fresh[marking % 2], None) } else { (fresh[marking], Some(selectors.as_slice())) };
        let options = Options::default();
        let added = add(&text(), &[marking], selectors, NOW).unwrap();
        prop_assert!(is_marked(&added, &[marking], selectors, options).unwrap());
        let again = add(&added, &[marking], selectors, NOW + 1000).unwrap();
        prop_assert_eq!(get(&again, selectors, options), get(&added, selectors, options), "adding twice is adding once");
        let removed = remove(&added, &[marking], selectors, NOW + 1000).unwrap();
        prop_assert!(!is_marked(&removed, &[marking], selectors, options).unwrap());
        for asked in PARTS {
            prop_assert_eq!(get(&removed, Some(&[asked]), options), get(&text(), Some(&[asked]), options));
        }
        prop_assert_eq!(get(&removed, None, options), get(&text(), None, options));
    }

    #[test]
    fn setting_leaves_exactly_what_was_set(part in 0..PARTS.len()) {
        let asked = [PARTS[part]];
        let set = set(&text(), &[GREEN, "fr"], Some(&asked), NOW).unwrap();
        prop_assert_eq!(get(&set, Some(&asked), Options::default()).unwrap(), ["fr", GREEN]);
        for other in PARTS.iter().filter(|other| **other != asked[0]) {
            prop_assert_eq!(get(&set, Some(&[other]), Options::default()), get(&text(), Some(&[other]), Options::default()));
        }
    }

    #[test]
    fn looking_further_never_finds_less(part in 0..PARTS.len()) {
        let asked = [PARTS[part]];
        let near = get(&text(), Some(&asked), Options::default()).unwrap();
        for (inherited, descendants) in [(true, false), (false, true), (true, true)] {
            let far = get(&text(), Some(&asked), Options { inherited, descendants, ..Options::default() }).unwrap();
            prop_assert!(near.iter().all(|name| far.contains(name)));
        }
    }
}

/// Recorded cases that we answer otherwise, and the clause by which we do.
const DIFFERENCES: &[(&str, &str)] = &[];

#[test]
fn the_recorded_cases() {
    let Some(cases) = published::cases("stix-cases/markings_cases.jsonl.gz") else { return };
    let mut found = Vec::new();
    for case in &cases {
        let (expected, ours) = (recorded(case), answer(case));
        if expected != ours {
            println!("{} {}\n  recorded {expected}\n  ours     {ours}", case["id"], case["test"]);
            found.push(case["id"].as_str().unwrap().trim_start_matches("markings_cases-").to_owned());
        }
    }
    println!("{} cases, {} as recorded", cases.len(), cases.len() - found.len());
    let listed: Vec<&str> = DIFFERENCES.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, listed);
}

/// The recorded outcome, without what depends on the recorder's clock and on the order of its sets.
fn recorded(case: &Json) -> Json {
    match case["raises"].as_str() {
        Some(name) => name.into(),
        None => comparable(case["result"].clone()),
    }
}

fn comparable(mut outcome: Json) -> Json {
    let sort = |list: &mut Json| {
        if let Some(list) = list.as_array_mut() {
            list.sort_by_key(Json::to_string);
        }
    };
    sort(&mut outcome);
    if let Some(object) = outcome.as_object_mut() {
        object.remove("modified");
        for name in ["object_marking_refs", "granular_markings"] {
            object.get_mut(name).map(sort);
        }
        for entry in object.get_mut("granular_markings").and_then(Json::as_array_mut).into_iter().flatten() {
            sort(&mut entry["selectors"]);
        }
    }
    outcome
}

/// Our answer in the recorder's words.
fn answer(case: &Json) -> Json {
    let object = case["args"][0].to_string().into_bytes();
    let flag = |at: usize, name: &str, otherwise: bool| {
        case["args"][at].as_bool().or(case["kwargs"][name].as_bool()).unwrap_or(otherwise)
    };
    let function = case["fn"].as_str().unwrap();
    let first = texts(&case["args"][1]);
    let second = texts(&case["args"][2]).or_else(|| texts(&case["kwargs"]["selectors"]));
    let first = first.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let second = second.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
    let (first, second) = (first.as_deref(), second.as_deref());
    let options = |from: usize| Options {
        inherited: flag(from, "inherited", false),
        descendants: flag(from + 1, "descendants", false),
        marking_refs: flag(9, "marking_ref", true),
        langs: flag(9, "lang", true),
    };
    let outcome = match function {
        "get_markings" => get(&object, first, options(2)).map(Json::from),
        "is_marked" => is_marked(&object, first.unwrap_or_default(), second, options(3)).map(Json::from),
        "clear_markings" => clear(&object, first, options(9), NOW).map(parsed),
        "add_markings" => add(&object, first.unwrap(), second, NOW).map(parsed),
        "set_markings" => set(&object, first.unwrap(), second, NOW).map(parsed),
        "remove_markings" => remove(&object, first.unwrap(), second, NOW).map(parsed),
        other => panic!("unknown function {other}"),
    };
    match outcome {
        Ok(outcome) => comparable(outcome),
        Err(Error::Selector(_)) => "InvalidSelectorError".into(),
        Err(Error::NotMarked) => "MarkingNotFoundError".into(),
        Err(Error::Marking(_)) => "InvalidValueError".into(),
        Err(other) => format!("{other:?}").into(),
    }
}

fn parsed(text: Vec<u8>) -> Json {
    serde_json::from_slice(&text).unwrap()
}

/// One string, a list of them, or marking definitions named by their ids.
fn texts(value: &Json) -> Option<Vec<String>> {
    match value {
        Json::String(text) => Some(vec![text.clone()]),
        Json::Array(list) => Some(list.iter().flat_map(|item| texts(item).unwrap()).collect()),
        Json::Object(definition) => Some(vec![definition["id"].as_str().unwrap().to_owned()]),
        Json::Null => None,
        other => Some(vec![other.to_string()]),
    }
}
