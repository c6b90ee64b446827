//! Who sees what: printed from the real policy and compared with the file that people read. To change the policy, change
//! the file by hand and say why; no tool refreshes it.

use policy::{Class, Classed, Classes, Gate, Leak, Meaning, Outcome, Relation, Rules, Tlp, Viewer, decide};
use proptest::prelude::*;
use std::fmt::Write;

const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const AMBER_1: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const STATEMENT: &str = "marking-definition--11111111-1111-4111-8111-111111111111";
const UNKNOWN: &str = "marking-definition--22222222-2222-4222-8222-222222222222";
const ALL: [&str; 9] = [CLEAR, WHITE, GREEN, AMBER, AMBER_1, STRICT, RED, STATEMENT, UNKNOWN];

fn meaning(id: &str) -> Meaning {
    if id == STATEMENT { Meaning::Statement } else { Meaning::Unknown }
}

fn viewer(name: &str, organisation: &str, relation: Relation) -> Viewer {
    Viewer { name: Some(name.into()), organisation: Some(organisation.into()), relation }
}

fn viewers() -> Vec<(&'static str, Viewer)> {
    vec![
        ("anonymous", Viewer::anonymous()),
        ("public", viewer("paul", "Passers-by", Relation::Public)),
        ("community", viewer("lina", "Port CSIRT", Relation::Community)),
        ("client", viewer("omar", "Bank", Relation::Client)),
        ("own", viewer("ines", "Node", Relation::Own)),
        ("named, own", viewer("Nadia", "Node", Relation::Own)),
        ("named, public", viewer("zoe", "ADDRESSEE", Relation::Public)),
    ]
}

fn class(markings: &[&str], granular: &[&str]) -> Class {
    Class {
        markings: markings.iter().map(|id| (*id).to_owned()).collect(),
        granular: granular.iter().map(|id| (*id).to_owned()).collect(),
        recipients: vec!["nadia".into(), "Addressee".into()],
        owner: "Node".into(),
    }
}

fn kinds() -> Vec<(&'static str, Class)> {
    vec![
        ("none", class(&[], &[])),
        ("clear", class(&[CLEAR], &[])),
        ("white", class(&[WHITE], &[])),
        ("green", class(&[GREEN], &[])),
        ("amber", class(&[AMBER], &[])),
        ("amber-1", class(&[AMBER_1], &[])),
        ("strict", class(&[STRICT], &[])),
        ("red", class(&[RED], &[])),
        ("statement", class(&[STATEMENT], &[])),
        ("unknown", class(&[UNKNOWN], &[])),
        ("clear+unknown", class(&[CLEAR, UNKNOWN], &[])),
        ("clear+amber", class(&[CLEAR, AMBER], &[])),
        ("clear,part-amber", class(&[CLEAR], &[AMBER])),
        ("clear,part-unknown", class(&[CLEAR], &[UNKNOWN])),
    ]
}

#[test]
fn table() {
    let (kinds, mut out) =
        (kinds(), String::from("R released, . withheld; default marking AMBER; recipients: nadia, Addressee\n"));
    write!(out, "{:<14}", "").unwrap();
    for (name, _) in &kinds {
        write!(out, " {name}").unwrap();
    }
    for (name, viewer) in viewers() {
        write!(out, "\n{name:<14}").unwrap();
        for (kind, class) in &kinds {
            let released = decide(&viewer, class, &Rules::default(), &meaning).outcome == Outcome::Release;
            write!(out, " {:^1$}", if released { 'R' } else { '.' }, kind.len()).unwrap();
        }
    }
    let out: String = out.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(out, include_str!("output/who-sees-what.txt"), "printed:\n{out}");
}

#[test]
fn every_decision_gives_its_reasons() {
    for (_, viewer) in viewers() {
        for (_, class) in kinds() {
            let decision = decide(&viewer, &class, &Rules::default(), &meaning);
            assert!(!decision.reasons.is_empty() && decision.reasons.iter().all(|reason| !reason.message.is_empty()));
        }
    }
}

#[test]
fn a_definition_that_is_not_understood_withholds() {
    struct Store;
    impl Classes for Store {
        fn definition(&self, class: u32) -> Option<std::sync::Arc<[u8]>> {
            let clear = format!(r#"{{"markings":["{CLEAR}"],"granular":[],"recipients":[],"owner":"Node"}}"#);
            let newer = clear.replace("\"owner\"", "\"embargo\":\"2030-01-01\",\"owner\"");
            match class {
                1 => Some(clear.into_bytes().into()),
                2 => Some(newer.into_bytes().into()),
                3 => Some(b"not json".to_vec().into()),
                _ => None,
            }
        }
    }
    #[derive(Debug)]
    struct Page(Vec<u32>);
    impl Classed for Page {
        fn classes(&self) -> impl Iterator<Item = u32> {
            self.0.iter().copied()
        }
    }
    let gate = Gate::new(Viewer::anonymous(), Rules::default(), &Store, &meaning);
    assert_eq!([1, 2, 3, 4].map(|class| gate.sees(class)), [true, false, false, false]);
    assert!(gate.admit(Page(vec![1, 1])).is_ok());
    assert_eq!(gate.admit(Page(vec![1, 2])).unwrap_err(), Leak(2));
}

#[test]
fn collection_rights() {
    use policy::{Who, may};
    let named = |names: &[&str]| Who::Named(names.iter().map(|name| (*name).to_owned()).collect());
    let nameless = Viewer { name: Some(String::new()), organisation: Some(String::new()), relation: Relation::Own };
    let lina = viewer("Lina", "Port CSIRT", Relation::Community);
    for (viewer, who, wanted) in [
        (&Viewer::anonymous(), Who::Anyone, true),
        (&Viewer::anonymous(), Who::Members, false),
        (&Viewer::anonymous(), named(&["lina", ""]), false),
        (&lina, Who::Anyone, true),
        (&lina, Who::Members, true),
        (&lina, named(&["LINA"]), true),
        (&lina, named(&["omar", "port csirt"]), true),
        (&lina, named(&["lin"]), false),
        (&lina, named(&[]), false),
        (&nameless, named(&[""]), false),
    ] {
        assert_eq!(may(viewer, &who), wanted, "{viewer:?} {who:?}");
    }
}

/// What withholds, and the reason that it gives.
#[test]
fn fail_closed_says_why() {
    let codes = |viewer: &Viewer, class: &Class| {
        let decision = decide(viewer, class, &Rules::default(), &meaning);
        let codes: Vec<&str> = decision.reasons.iter().map(|reason| reason.code.as_str()).collect();
        (decision.outcome == Outcome::Release, codes.join(" "))
    };
    let lina = viewer("lina", "Port CSIRT", Relation::Community);
    let nadia = viewer("nadia", "Node", Relation::Own);
    for (viewer, class, released, wanted) in [
        (&lina, class(&[], &[]), false, "default-marking marking-withholds"),
        (&lina, class(&[GREEN], &[]), true, "marking-releases"),
        (&lina, class(&[GREEN, AMBER], &[]), false, "marking-releases marking-withholds"),
        (&lina, class(&[GREEN, STATEMENT], &[]), true, "marking-releases statement"),
        (&lina, class(&[GREEN, UNKNOWN], &[]), false, "marking-releases unknown-marking"),
        (&lina, class(&["no id at all"], &[]), false, "unknown-marking default-marking marking-withholds"),
        (&lina, class(&[GREEN], &[RED]), false, "marking-releases part-withheld"),
        (&lina, class(&[GREEN], &[UNKNOWN]), false, "marking-releases part-withheld"),
        (&lina, class(&[RED], &[]), false, "recipient-not-named"),
        (&nadia, class(&[RED], &[]), true, "recipient-named"),
        (&nadia, Class { markings: vec![RED.into()], ..Class::default() }, false, "recipient-not-named"),
    ] {
        assert_eq!(codes(viewer, &class), (released, wanted.to_owned()), "{class:?}");
    }
}

proptest! {
    /// A further marking never lets anybody see more.
    #[test]
    fn a_marking_never_widens(picked in prop::collection::vec(0..ALL.len(), 1..4), more in 0..ALL.len(), who in 0..7_usize) {
        let (_, viewer) = &viewers()[who];
        let sees = |ids: &[&str], parts: &[&str]| {
            decide(viewer, &class(ids, parts), &Rules { default_marking: Tlp::Clear }, &meaning).outcome == Outcome::Release
        };
        let ids: Vec<&str> = picked.iter().map(|n| ALL[*n]).collect();
        let wider: Vec<&str> = ids.iter().copied().chain([ALL[more]]).collect();
        prop_assert!(sees(&ids, &[]) || !sees(&wider, &[]));
        prop_assert!(sees(&ids, &[]) || !sees(&ids, &[ALL[more]]));
    }

    /// Whatever a class holds, there is a decision with a reason.
    #[test]
    fn decides_anything(ids in prop::collection::vec(".{0,60}", 0..4), parts in prop::collection::vec(".{0,60}", 0..3), name: Option<String>) {
        let viewer = Viewer { name: name.clone(), organisation: name, relation: Relation::Client };
        let class = Class { markings: ids, granular: parts, ..Class::default() };
        prop_assert!(!decide(&viewer, &class, &Rules::default(), &meaning).reasons.is_empty());
    }

    /// The same class has the same definition, whatever the order, and is read back.
    #[test]
    fn definitions_round_trip(mut ids in prop::collection::vec("[a-z]{1,4}", 0..4), owner in ".*") {
        let one = Class { markings: ids.clone(), owner: owner.clone(), ..Class::default() };
        ids.reverse();
        let other = Class { markings: ids, owner, ..Class::default() };
        prop_assert_eq!(one.to_definition(), other.to_definition());
        let read = Class::from_definition(&one.to_definition()).unwrap();
        prop_assert_eq!(read.to_definition(), one.to_definition());
    }
}
