//! Who sees what: printed from the real policy and compared with the file that people read. To change the policy, change
//! the file by hand and say why; no tool refreshes it.

use policy::{
    Audience, Author, Class, Classed, Classes, Facts, Gate, Group, Handling, Leak, Meaning, Micros, Outcome, Pap,
    Relation, Rules, Tlp, Treatment, View, Viewer, decide, decide_of,
};
use proptest::prelude::*;

const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const AMBER_1: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const STATEMENT: &str = "marking-definition--11111111-1111-4111-8111-111111111111";
const UNKNOWN: &str = "marking-definition--22222222-2222-4222-8222-222222222222";
const PAP_RED: &str = "marking-definition--33333333-3333-4333-8333-333333333333";
const IEP_ENDED: &str = "marking-definition--44444444-4444-4444-8444-444444444444";
const FOR_GROUP: &str = "marking-definition--55555555-5555-4555-8555-555555555555";
const ALL: [&str; 12] =
    [CLEAR, WHITE, GREEN, AMBER, AMBER_1, STRICT, RED, STATEMENT, UNKNOWN, PAP_RED, IEP_ENDED, FOR_GROUP];

const NOW: Micros = 1_000;
/// When a member of the group came to it that is not given what was shared before.
const JOINED: Micros = 500;
const OPEN: &str = "66666666-6666-4666-8666-666666666666";
const ENDED: &str = "77777777-7777-4777-8777-777777777777";
const TO_COME: &str = "88888888-8888-4888-8888-888888888888";
const NO_GROUP: &str = "99999999-9999-4999-8999-999999999999";

/// What the tables below rest on.
struct World;

impl Facts for World {
    fn meaning(&self, id: &str, _: &str) -> Meaning {
        let limit = |tlp, handling| Meaning::Handling(tlp, handling);
        match id {
            STATEMENT => Meaning::Statement,
            PAP_RED => Meaning::Pap(Pap::Red),
            IEP_ENDED => limit(Some(Tlp::Green), Handling { expires: Some(NOW), ..Handling::default() }),
            FOR_GROUP => limit(None, handling(&[group(OPEN)])),
            _ => Meaning::Unknown,
        }
    }

    fn group(&self, id: &str) -> Option<Group> {
        let (from, until) = match id {
            OPEN => (Some(NOW), Some(NOW + 1)),
            ENDED => (None, Some(NOW)),
            TO_COME => (Some(NOW + 1), None),
            _ => return None,
        };
        let members = vec!["insider".to_owned(), "Newcomer".to_owned()];
        let since = vec![("NEWCOMER".to_owned(), JOINED), ("host".to_owned(), JOINED)];
        let owner = "Host".into();
        Some(Group { id: id.into(), name: "g".into(), owner, members, from, until, hidden: false, since })
    }

    fn ceiling(&self, organisation: &str) -> Option<Tlp> {
        (organisation == "Capped").then_some(Tlp::Green)
    }

    fn treatment(&self, viewer: &Viewer, kind: &str) -> Treatment {
        match (viewer.relation, kind) {
            (Relation::Own, _) => Treatment::Give,
            (Relation::Public, "phone") => Treatment::Withhold,
            (_, "email") => Treatment::Mask,
            _ => Treatment::Give,
        }
    }
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
        ("group member", viewer("gil", "Insider", Relation::Community)),
        ("group newcomer", viewer("nina", "Newcomer", Relation::Community)),
        ("group owner", viewer("hana", "Host", Relation::Public)),
        ("maker", viewer("ada", "Maker", Relation::Community)),
        ("up to green", viewer("cora", "Capped", Relation::Client)),
    ]
}

fn class(markings: &[&str], granular: &[&str]) -> Class {
    Class {
        markings: markings.iter().map(|id| (*id).to_owned()).collect(),
        granular: granular.iter().map(|id| (*id).to_owned()).collect(),
        recipients: vec!["nadia".into(), "Addressee".into()],
        owner: "Node".into(),
        ..Class::default()
    }
}

fn group(id: &str) -> Audience {
    Audience::Group(id.into())
}

fn handling(audience: &[Audience]) -> Handling {
    Handling { audience: audience.to_vec(), ..Handling::default() }
}

fn within(markings: &[&str], audience: Audience) -> Class {
    Class { handling: handling(&[audience]), ..class(markings, &[]) }
}

fn by(author: &str, class: Class) -> Class {
    let author = if author.is_empty() { Author::Foreign } else { Author::Organisation(author.into()) };
    Class { author, ..class }
}

fn bound(markings: &[&str], binding: &str) -> Class {
    Class { binding: vec![binding.into()], ..class(markings, &[]) }
}

/// Markings alone.
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
        ("pap-red+clear", class(&[PAP_RED, CLEAR], &[])),
        ("unknown", class(&[UNKNOWN], &[])),
        ("clear+unknown", class(&[CLEAR, UNKNOWN], &[])),
        ("clear+amber", class(&[CLEAR, AMBER], &[])),
        ("iep-ended", class(&[IEP_ENDED], &[])),
    ]
}

/// Limits beside the markings.
fn confined() -> Vec<(&'static str, Class)> {
    let dated = |embargo, expires| Class {
        handling: Handling { embargo, expires, ..Handling::default() },
        ..class(&[CLEAR], &[])
    };
    vec![
        ("clear>group", within(&[CLEAR], group(OPEN))),
        ("strict>group", within(&[STRICT], group(OPEN))),
        ("red>group", within(&[RED], group(OPEN))),
        ("marked>group", class(&[AMBER, FOR_GROUP], &[])),
        ("group-ended", within(&[CLEAR], group(ENDED))),
        ("group-to-come", within(&[CLEAR], group(TO_COME))),
        ("no-group", within(&[CLEAR], group(NO_GROUP))),
        ("clear>0", within(&[CLEAR], Audience::Organisation)),
        ("clear>1", within(&[CLEAR], Audience::Community)),
        ("clear>2", within(&[CLEAR], Audience::Connected)),
        ("clear>3", within(&[CLEAR], Audience::All)),
        ("amber>3", within(&[AMBER], Audience::All)),
        ("embargo", dated(Some(NOW + 1), None)),
        ("embargo-over", dated(Some(NOW), None)),
        ("expired", dated(None, Some(NOW))),
    ]
}

/// Whose it is, and what is in it.
fn owned() -> Vec<(&'static str, Class)> {
    let person = |maskable: &[&str], fixed: &[&str]| Class {
        personal: maskable.iter().map(|kind| (*kind).to_owned()).collect(),
        personal_fixed: fixed.iter().map(|kind| (*kind).to_owned()).collect(),
        ..class(&[CLEAR], &[])
    };
    vec![
        ("strict/maker", by("Maker", class(&[STRICT], &[]))),
        ("red/maker", by("Maker", class(&[RED], &[]))),
        ("amber/foreign", by("", class(&[AMBER], &[]))),
        ("amber/foreign>group", by("", within(&[AMBER], group(OPEN)))),
        ("amber/foreign>marked", by("", class(&[AMBER, FOR_GROUP], &[]))),
        (
            "embargo/maker",
            by(
                "Maker",
                Class { handling: Handling { embargo: Some(NOW + 1), ..Handling::default() }, ..class(&[CLEAR], &[]) },
            ),
        ),
        ("clear,part-amber", class(&[CLEAR], &[AMBER])),
        ("clear,part-red", class(&[CLEAR], &[RED])),
        ("clear,part-unknown", class(&[CLEAR], &[UNKNOWN])),
        ("clear,part-group", class(&[CLEAR], &[FOR_GROUP])),
        ("clear,bound-amber", bound(&[CLEAR], AMBER)),
        ("clear,bound-unknown", bound(&[CLEAR], UNKNOWN)),
        ("email", person(&["email"], &[])),
        ("email-fixed", person(&[], &["email"])),
        ("phone", person(&["phone"], &[])),
    ]
}

fn decided(viewer: &Viewer, class: &Class) -> policy::Decision {
    decide(viewer, class, NOW, &Rules::default(), &World)
}

fn print(out: &mut String, title: &str, added: Micros, kinds: &[(&'static str, Class)]) {
    out.push_str(&format!("\n{title}\n{:<14}", ""));
    for (name, _) in kinds {
        out.push_str(&format!(" {name}"));
    }
    for (name, viewer) in viewers() {
        out.push_str(&format!("\n{name:<14}"));
        for (kind, class) in kinds {
            let letter = match decide_of(&viewer, class, added, NOW, &Rules::default(), &World).outcome {
                Outcome::Release => 'R',
                Outcome::Redact(_) => 'd',
                Outcome::Withhold => '.',
            };
            out.push_str(&format!(" {letter:^0$}", kind.len()));
        }
    }
    out.push('\n');
}

#[test]
fn table() {
    let mut out = String::from(
        "R released, d released without parts, . withheld; default marking AMBER; owner: Node; recipients: nadia, Addressee;\n\
         group of Host, Insider and, later, Newcomer; `Capped` is given GREEN at most; e-mail is masked but for our own, phones withheld from the public\n",
    );
    print(&mut out, "Markings", NOW, &kinds());
    print(
        &mut out,
        "Confined: >group, >0 own organisation, >1 community, >2 connected, >3 all; embargo, expiry",
        NOW,
        &confined(),
    );
    print(&mut out, "/maker, parts of it, data about persons", NOW, &owned());
    let mut earlier: Vec<_> = confined().into_iter().chain(owned()).collect();
    earlier.retain(|(name, _)| name.contains("group") || name.contains("marked"));
    print(&mut out, "What goes to a group, added before the newcomer joined it", JOINED - 1, &earlier);
    let out: String = out.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(out, include_str!("output/who-sees-what.txt"), "printed:\n{out}");
}

#[test]
fn every_decision_gives_its_reasons() {
    for (_, viewer) in viewers() {
        for (_, class) in kinds().into_iter().chain(confined()).chain(owned()) {
            let decision = decided(&viewer, &class);
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
            let newer = clear.replace("\"owner\"", "\"mood\":\"2030-01-01\",\"owner\"");
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
    let gate = Gate::new(Viewer::anonymous(), NOW, Rules::default(), &Store, &World);
    assert_eq!([1, 2, 3, 4].map(|class| gate.view(class) == View::Whole), [true, false, false, false]);
    assert_eq!([2, 3, 4].map(|class| gate.view(class) == View::Nothing), [true; 3]);
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
        let decision = decided(viewer, class);
        let codes: Vec<&str> = decision.reasons.iter().map(|reason| reason.code.as_str()).collect();
        (decision.outcome != Outcome::Withhold, codes.join(" "))
    };
    let lina = viewer("lina", "Port CSIRT", Relation::Community);
    let nadia = viewer("nadia", "Node", Relation::Own);
    let cora = viewer("cora", "Capped", Relation::Client);
    let gil = viewer("gil", "insider", Relation::Community);
    let nina = viewer("nina", "Newcomer", Relation::Community);
    for (viewer, class, released, wanted) in [
        (&lina, class(&[], &[]), false, "default-marking marking-withholds"),
        (&lina, class(&[GREEN], &[]), true, "marking-releases"),
        (&lina, class(&[GREEN, AMBER], &[]), false, "marking-releases marking-withholds"),
        (&lina, class(&[GREEN, STATEMENT], &[]), true, "statement marking-releases"),
        (&lina, class(&[GREEN, UNKNOWN], &[]), false, "unknown-marking marking-releases"),
        (&lina, class(&["no id at all"], &[]), false, "unknown-marking default-marking marking-withholds"),
        (&lina, class(&[GREEN], &[RED]), true, "marking-releases part-withheld"),
        (&lina, class(&[GREEN], &[UNKNOWN]), true, "marking-releases part-withheld"),
        (&lina, bound(&[GREEN], RED), false, "marking-releases binding-part-withheld"),
        (&lina, within(&[GREEN], group(OPEN)), false, "not-group-member marking-releases"),
        (&lina, within(&[GREEN], group(NO_GROUP)), false, "group-closed marking-releases"),
        (&lina, within(&[GREEN], Audience::Organisation), false, "audience-withholds marking-releases"),
        (&lina, class(&[IEP_ENDED], &[]), false, "expired marking-releases"),
        (&cora, class(&[AMBER], &[]), false, "above-ceiling"),
        (&gil, within(&[STRICT], group(OPEN)), true, "group-member marking-releases"),
        (&nina, within(&[STRICT], group(OPEN)), true, "group-member marking-releases"),
        (&lina, class(&[RED], &[]), false, "recipient-not-named"),
        (&nadia, class(&[RED], &[]), true, "recipient-named"),
        (&nadia, Class { markings: vec![RED.into()], ..Class::default() }, false, "recipient-not-named"),
    ] {
        assert_eq!(codes(viewer, &class), (released, wanted.to_owned()), "{class:?}");
    }
}

/// Who joined a group later sees what was added from then on: whole, but looked at one by one.
#[test]
fn a_newcomer_sees_what_is_added_from_then_on() {
    struct Store;
    impl Classes for Store {
        fn definition(&self, number: u32) -> Option<std::sync::Arc<[u8]>> {
            let class = match number {
                1 => within(&[STRICT], group(OPEN)),
                2 => class(&[CLEAR], &[FOR_GROUP]),
                3 => within(&[RED], group(OPEN)),
                4 => bound(&[CLEAR], FOR_GROUP),
                _ => class(&[CLEAR], &[]),
            };
            Some(class.to_definition().into())
        }
    }
    let seen = |name: &str, organisation: &str| {
        let viewer = viewer(name, organisation, Relation::Community);
        let gate = Gate::new(viewer, NOW, Rules::default(), &Store, &World);
        let letter = |view| match view {
            View::Nothing => '.',
            View::Whole => 'W',
            View::Look(cuts, _) if cuts.is_empty() => 'R',
            View::Look(..) => 'd',
            View::Dated(_, turns) => {
                assert_eq!(*turns, [JOINED]);
                '?'
            }
        };
        (1..=5)
            .map(|class| {
                let of = |added| letter(gate.view_of(class, added));
                [letter(gate.view(class)), of(JOINED - 1), of(JOINED), of(NOW)].into_iter().collect::<String>()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(seen("nina", "newcomer"), ["?.RR", "?dRR", "....", "?.RR", "WWWW"]);
    // Whoever was in it from the beginning, or runs it, is no newcomer; whoever is not in it gets nothing by it.
    assert_eq!(seen("gil", "Insider"), ["WWWW", "WWWW", "....", "WWWW", "WWWW"]);
    assert_eq!(seen("hana", "Host"), ["WWWW", "WWWW", "....", "WWWW", "WWWW"]);
    assert_eq!(seen("lina", "Port CSIRT"), ["....", "dddd", "....", "....", "WWWW"]);
}

fn limits() -> impl Strategy<Value = Handling> {
    let circle = prop::sample::select(vec![
        Audience::Organisation,
        Audience::Community,
        Audience::Connected,
        Audience::All,
        group(OPEN),
        group(ENDED),
        group(NO_GROUP),
    ]);
    let at = || prop::option::of(NOW - 1..NOW + 2);
    (prop::collection::btree_set(circle, 0..3), at(), at()).prop_map(|(audience, embargo, expires)| Handling {
        audience: audience.into_iter().collect(),
        embargo,
        expires,
    })
}

proptest! {
    /// A further marking never lets anybody see more, but for the author's word that it goes to a group.
    #[test]
    fn a_marking_never_widens(picked in prop::collection::vec(0..ALL.len(), 1..4), more in 0..ALL.len() - 1, who in 0..12_usize) {
        let (_, viewer) = &viewers()[who];
        let sees = |ids: &[&str], parts: &[&str]| {
            decide(viewer, &class(ids, parts), NOW, &Rules { default_marking: Tlp::Clear }, &World).outcome == Outcome::Release
        };
        let ids: Vec<&str> = picked.iter().map(|n| ALL[*n]).collect();
        let wider: Vec<&str> = ids.iter().copied().chain([ALL[more]]).collect();
        prop_assert!(sees(&ids, &[]) || !sees(&wider, &[]));
        prop_assert!(sees(&ids, &[]) || !sees(&ids, &[ALL[more]]));
        let bound = Class { binding: vec![ALL[more].into()], ..class(&ids, &[]) };
        prop_assert!(sees(&ids, &[]) || decided(viewer, &bound).outcome == Outcome::Withhold);
    }

    /// A limit beside the markings never lets anybody see more, and two of them let through what both do.
    #[test]
    fn a_limit_never_widens(picked in 0..ALL.len(), one in limits(), other in limits(), who in 0..12_usize) {
        let (_, viewer) = &viewers()[who];
        let sees = |handling: &Handling, ids: &[&str]| {
            let class = Class { handling: handling.clone(), recipients: Vec::new(), ..class(ids, &[]) };
            decided(viewer, &class).outcome != Outcome::Withhold
        };
        // A group stands in the place of the relation: within it, TLP levels below RED say nothing more.
        let ids: &[&str] = if one.audience.is_empty() && other.audience.is_empty() { &[ALL[picked]] } else { &[CLEAR] };
        prop_assert!(sees(&Handling::default(), ids) || !sees(&one, ids));
        prop_assert_eq!(sees(&one.and(&other), ids), sees(&one, ids) && sees(&other, ids));
        prop_assert_eq!(one.and(&other), other.and(&one));
    }

    /// Of what was added earlier nobody has more, and between two turns nothing changes.
    #[test]
    fn what_came_earlier_never_shows_more(limit in limits(), part in 0..ALL.len(), who in 0..12_usize, added in 0..NOW, later in 0..NOW) {
        let (_, viewer) = &viewers()[who];
        let class = Class { handling: limit, ..class(&[CLEAR], &[ALL[part]]) };
        let of = |added| decide_of(viewer, &class, added, NOW, &Rules::default(), &World);
        let (one, other) = (of(added.min(later)), of(added.max(later)));
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Withhold => 0,
            Outcome::Redact(_) => 1,
            Outcome::Release => 2,
        };
        prop_assert!(rank(&one.outcome) <= rank(&other.outcome));
        prop_assert_eq!(&one.turns, &other.turns);
        if !one.turns.iter().any(|turn| (added.min(later) + 1..=added.max(later)).contains(turn)) {
            prop_assert_eq!(one.outcome, other.outcome);
        }
    }

    /// Whatever a class holds, there is a decision with a reason.
    #[test]
    fn decides_anything(ids in prop::collection::vec(".{0,60}", 0..4), parts in prop::collection::vec(".{0,60}", 0..3), name: Option<String>) {
        let viewer = Viewer { name: name.clone(), organisation: name, relation: Relation::Client };
        let class = Class { markings: ids, granular: parts, ..Class::default() };
        prop_assert!(!decided(&viewer, &class).reasons.is_empty());
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
