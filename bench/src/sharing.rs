//! What is done for every record, reference or request under the sharing model, in this process: decisions, redaction,
//! signing in.

use crate::corpus::{AMBER, AMBER_STRICT, GREEN, Size};
use crate::{clock, row, table};
use ledger::Register as _;
use policy::{Audience, Class, ClassNo, Classes, Facts, Gate, Group, Handling, Meaning, Relation, Rules, Tlp, Treatment, View, Viewer};
use std::hint::black_box;
use std::sync::Arc;
use stix::personal;
use stix::redact::{Fate, Redacted, redact};

pub fn run(size: Size) {
    let times = if size == Size::Quick { 5 } else { 15 };
    decisions(times);
    redaction(times);
    signing_in(times);
}

/// An instant within the windows below.
const NOW: i64 = 1_800_000_000_000_000;
const GROUP: &str = "5f2b6c1b-0d2b-4e5f-9c0b-5d9c7a3e6a0e";
/// Records on a page.
const PAGE: usize = 1_000;

/// A world with one group, and the definitions of some classes.
struct World(Vec<(&'static str, Arc<[u8]>)>);

impl World {
    fn new() -> Self {
        let class = |markings: &[&str]| Class {
            markings: markings.iter().map(|id| (*id).to_owned()).collect(),
            owner: "North".into(),
            ..Class::default()
        };
        let confined = Handling { audience: vec![Audience::Group(GROUP.into())], embargo: Some(NOW - 1), expires: Some(NOW + 1) };
        let classes = [
            ("TLP", class(&[GREEN])),
            ("TLP, withheld", class(&[AMBER_STRICT])),
            ("sharing group in a window of time", Class { handling: confined, ..class(&[AMBER]) }),
            ("granular markings", Class { granular: vec![AMBER.into(), AMBER_STRICT.into()], ..class(&[GREEN]) }),
            ("personal data", Class { personal: vec!["email".into(), "phone".into()], ..class(&[GREEN]) }),
        ];
        Self(classes.into_iter().map(|(name, class)| (name, class.to_definition().into())).collect())
    }
}

impl Classes for World {
    fn definition(&self, class: ClassNo) -> Option<Arc<[u8]>> {
        self.0.get(class as usize).map(|(_, definition)| Arc::clone(definition))
    }
}

impl Facts for World {
    fn meaning(&self, _: &str, _: &str) -> Meaning {
        Meaning::Unknown
    }

    fn group(&self, id: &str) -> Option<Group> {
        let members = (0..20).map(|n| format!("Organisation {n}")).chain(["South".to_owned()]).collect();
        (id == GROUP).then(|| Group { id: id.into(), name: "summit".into(), owner: "North".into(), members, ..Group::default() })
    }

    fn ceiling(&self, _: &str) -> Option<Tlp> {
        None
    }

    fn treatment(&self, _: &Viewer, _: &str) -> Treatment {
        Treatment::Mask
    }
}

fn viewer() -> Viewer {
    Viewer { name: Some("south".into()), organisation: Some("South".into()), relation: Relation::Community }
}

fn decisions(times: usize) {
    const PAGES: usize = 2_000;
    let world = World::new();
    // Neighbours differ: nothing can be said of two records at once.
    let page: Vec<ClassNo> = (0..PAGE).map(|place| (place * 7 % world.0.len()) as ClassNo).collect();
    let cost = clock::median(times, || {
        for _ in 0..PAGES {
            let gate = Gate::new(viewer(), NOW, Rules::default(), &world, &world);
            black_box(page.iter().filter(|class| gate.view(black_box(**class)) != View::Nothing).count());
        }
    });
    let mut rows = vec![row!["what", "decisions a CPU second", "µs each", "limit"]];
    let mut add = |what: &str, count: usize, cost: clock::Cost, limit: &str| {
        let each = cost.cpu.as_secs_f64() / count as f64;
        rows.push(row![what, format!("{:.0}", 1.0 / each), format!("{:.4}", each * 1e6), limit]);
    };
    let what = format!("**by class**: pages of {PAGE} records of {} classes, a gate a page", world.0.len());
    add(&what, PAGES * PAGE, cost, "at least 10000000");
    for (name, definition) in &world.0 {
        let class = Class::from_definition(definition).expect("a class");
        let (viewer, rules) = (viewer(), Rules::default());
        let cost = clock::median(times, || {
            for _ in 0..20_000 {
                black_box(policy::decide(black_box(&viewer), black_box(&class), NOW, &rules, &world));
            }
        });
        add(&format!("in full, with reasons: {name}"), 20_000, cost, "-");
    }
    table::print("Policy decisions, on one core", &rows);
}

/// Withholds what is AMBER and stricter, hides what is asked of it, masks e-mail addresses.
struct Strict {
    hidden: Option<&'static str>,
    masks: bool,
}

impl stix::redact::Rules for Strict {
    fn marking_withheld(&self, marking: &str) -> bool {
        marking == AMBER || marking == AMBER_STRICT
    }

    fn reference(&self, id: &str) -> Fate {
        if self.hidden.is_some_and(|hidden| hidden == id) { Fate::Goes } else { Fate::Stays }
    }

    fn personal(&self, kind: personal::Kind) -> Treatment {
        if self.masks && kind == personal::Kind::Email { Treatment::Mask } else { Treatment::Give }
    }
}

/// A report of about 1 KB with five selectors under two markings.
fn object(granular: bool) -> Vec<u8> {
    let marked = if granular {
        format!(
            r#","granular_markings":[{{"marking_ref":"{AMBER}","selectors":["description","labels.[1]"]}},{{"marking_ref":"{AMBER_STRICT}","selectors":["external_references.[0].description","confidence","report_types.[0]"]}}]"#
        )
    } else {
        String::new()
    };
    format!(
        r#"{{"type":"report","spec_version":"2.1","id":"report--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Loader of the spring","description":"Three organisations saw the second stage report to names under one registrar; ask soc@north.example for the rest of the sample set before the next call.","report_types":["malware","indicator"],"published":"2026-03-01T09:00:00Z","object_refs":["{HIDDEN}","indicator--2b0c3b5a-92d1-4a3e-9c55-8f5d3d7f1c02"],"labels":["spring","port","loader"],"confidence":70,"external_references":[{{"source_name":"north","description":"the long version","url":"https://north.example/reports/17"}}],"object_marking_refs":["{GREEN}"]{marked}}}"#
    )
    .into_bytes()
}

const HIDDEN: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

fn redaction(times: usize) {
    const COUNT: usize = 5_000;
    let mut rows = vec![row!["what", "bytes", "µs an object", "limit"]];
    let rules = |hidden, masks| Strict { hidden, masks };
    for (what, granular, rules, limit) in [
        ("nothing goes", false, rules(None, false), "-"),
        ("**five selectors under two markings**", true, rules(None, false), "under 20"),
        ("a reference", false, rules(Some(HIDDEN), false), "under 20"),
        ("an e-mail address, masked", false, rules(None, true), "-"),
        ("all of them", true, rules(Some(HIDDEN), true), "-"),
    ] {
        let object = object(granular);
        let mut out = Vec::new();
        let expected = if what == "nothing goes" { Redacted::Whole } else { Redacted::Part };
        assert_eq!(redact(&object, &rules, &mut out), expected, "{what}");
        let cost = clock::median(times, || {
            for _ in 0..COUNT {
                out.clear();
                black_box(redact(black_box(&object), &rules, &mut out));
            }
        });
        rows.push(row![what, object.len(), format!("{:.2}", cost.cpu.as_secs_f64() * 1e6 / COUNT as f64), limit]);
    }
    table::print("Redaction of one object", &rows);
}

fn signing_in(times: usize) {
    const COUNT: usize = 20_000;
    let folder = std::env::temp_dir().join(format!("marsad-bench-sign-in-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let book = Arc::new(ledger::sqlite::Book::create(&folder.join("book.db")).expect("create"));
    let own = ledger::Organisation { name: "North".into(), relation: ledger::Relation::Own };
    book.add_organisation(&own).expect("an organisation");
    book.set_note(node::administration::OWN_ORGANISATION, Some(b"North")).expect("a note");
    let config = node::config::Accounts::default();
    let secret = node::home::Secret::new([1; 32]);
    let administration = node::administration::Administration::new(Arc::clone(&book) as _, secret.clone(), &config);
    let member = node::administration::NewAccount {
        name: "amina", organisation: None, role: policy::role::Role::Analyst, password: Some("correct horse battery"),
    };
    administration.add_account(&policy::role::Actor::Operator, &member, NOW).expect("a member");
    let known = Arc::new(node::known::Known::new(Arc::clone(&book) as _));
    let accounts = node::accounts::Accounts::new(known, book, secret, &config);
    let header = "Basic YW1pbmE6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    let from = std::net::Ipv4Addr::LOCALHOST.into();
    let mut rows = vec![row!["what", "µs", "limit"]];
    let mut add = |what: &str, cost: clock::Cost, count: usize, limit: &str| {
        rows.push(row![what, format!("{:.2}", cost.cpu.as_secs_f64() * 1e6 / count as f64), limit]);
    };
    let identify = || assert!(runtime.block_on(accounts.identify(Some(header), from, NOW)).is_ok(), "refused");
    // Judged on a thread of its own: what that costs this one is no figure.
    identify();
    let hashed = accounts.hashes();
    let cost = clock::median(times, || (0..COUNT).for_each(|_| identify()));
    add("**Basic, remembered**", cost, COUNT, "at most 5");
    assert_eq!(accounts.hashes(), hashed, "it was not remembered");
    let cost = clock::median(3, || drop(black_box(node::credentials::hash_password("correct horse battery"))));
    add("Argon2id, once for each credential", cost, 1, "-");
    table::print("Signing in", &rows);
    drop(accounts);
    let _ = std::fs::remove_dir_all(folder);
}
