//! A case: a book, somebody who asks, and what they ask.

use crate::ask::{self, Ask, Exchange, Memory};
use crate::bench::{self, Bench, Node, Placed};
use crate::cast::{self, COLLECTIONS, GUISES, Guise};
use crate::record::{self, Record};
use ledger::Versions;
use node::door::Door;
use node::export::{self, Export};
use policy::{Cuts, Outcome};
use proptest::prelude::*;
use rules::{Format, One, Options};

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) records: Vec<Record>,
    /// Who asks: a place in [`GUISES`].
    pub(crate) guise: usize,
    /// Who asks the same node before: what it remembers of them is nobody else's.
    pub(crate) before: usize,
    pub(crate) asks: Vec<Ask>,
    /// Objects that are brought at the end, though the book may hold them.
    pub(crate) brought: Vec<Record>,
    pub(crate) brought_to: usize,
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(record::record(), 0..15),
        0..GUISES.len(),
        prop_oneof![2 => Just(cast::ADMINISTRATOR), 1 => 0..GUISES.len()],
        prop::collection::vec((ask::ask(), prop::option::weighted(0.7, any::<prop::sample::Index>())), 4..20),
        prop::collection::vec(record::record(), 1..3),
        prop::sample::select(&[0_usize, 1, 4, 3][..]),
        prop::collection::vec(prop::option::weighted(0.7, any::<prop::sample::Index>()), 2),
    )
        .prop_map(|(records, guise, before, asks, mut brought, brought_to, echoes)| {
            // What is asked about is often what is there.
            let asks = asks.into_iter().map(|(ask, about)| match about.filter(|_| !records.is_empty()) {
                Some(about) => ask.about(about.get(&records)),
                None => ask,
            });
            let asks = asks.collect();
            // What is brought is often what is there already.
            for (object, echo) in brought.iter_mut().zip(echoes) {
                if let Some(echo) = echo.filter(|_| !records.is_empty()) {
                    let old: &Record = echo.get(&records);
                    *object = Record { variant: object.variant, ..old.clone() };
                }
            }
            Case { records, guise, before, asks, brought, brought_to }
        })
}

/// A way out of the node: what it gives somebody. A further one is a further line.
type Way = fn(&mut Bench, &mut Node, &Case) -> Vec<Exchange>;
pub(crate) const WAYS: &[(&str, Way)] = &[("export", exported), ("rules", ruled), ("http", asked)];

/// What the commands give who exports as a viewer: every collection, every choice of versions.
fn exported(bench: &mut Bench, node: &mut Node, case: &Case) -> Vec<Exchange> {
    let guise = &GUISES[case.guise];
    let Some(viewer) = guise.viewer().filter(|_| guise.reads()) else { return Vec::new() };
    let door = Door::over(&node.book, &bench.config);
    let mut out = Vec::new();
    for versions in [Versions::All, Versions::last(), Versions::Some { first: true, last: false, at: Vec::new() }] {
        let asked = format!("export {versions:?}");
        let export = Export {
            witness: &mut |_, _| Ok(()),
            collections: &bench.collections,
            versions,
            viewer: viewer.clone(),
            at: bench::ASKED,
            bundle_id: "bundle--00000000-0000-4000-8000-000000000000",
        };
        let (mut text, mut told) = (Vec::new(), Vec::new());
        let count = export::write(&*node.book, &door, export, &mut text, &mut |count| told.push(count)).unwrap();
        let answer = format!("{count} {told:?}\n{}", String::from_utf8_lossy(&text));
        out.push(Exchange { asked, pattern: "export", status: 0, answer });
    }
    out
}

/// What the commands give who writes rules for a viewer: claims, whole objects, and what is told of the rest.
fn ruled(bench: &mut Bench, node: &mut Node, case: &Case) -> Vec<Exchange> {
    let guise = &GUISES[case.guise];
    let Some(viewer) = guise.viewer().filter(|_| guise.reads()) else { return Vec::new() };
    let door = Door::over(&node.book, &bench.config);
    let mut out = Vec::new();
    for format in [Format::Jsonl, Format::Stix] {
        let options = Options { at: bench::ASKED, ..Options::default() };
        let export = node::rules::Export {
            collections: &bench.collections,
            viewer: viewer.clone(),
            at: bench::ASKED,
            min_confidence: None,
            format,
            options: &options,
            witness: &mut |_, _| Ok(()),
        };
        let (mut text, mut told) = (Vec::new(), Vec::new());
        let mut sink = One::new(&mut text);
        let summary = node::rules::write(&*node.book, &door, export, &mut sink, &mut |count| told.push(count)).unwrap();
        let answer = format!("{summary:?} {told:?}\n{}", String::from_utf8_lossy(&text));
        out.push(Exchange { asked: format!("rules {format:?}"), pattern: "rules", status: 0, answer });
    }
    out
}

/// What the node answers over HTTP, after it has answered somebody else.
fn asked(bench: &mut Bench, node: &mut Node, case: &Case) -> Vec<Exchange> {
    for collection in 0..COLLECTIONS {
        ask::walk(collection).put(bench, node, &GUISES[case.before], 0, &mut Memory::default());
    }
    node.begin();
    let guise = &GUISES[case.guise];
    let mut memory = Memory::default();
    let mut out = Vec::new();
    for collection in 0..COLLECTIONS {
        out.extend(ask::walk(collection).put(bench, node, guise, 0, &mut memory));
    }
    // Figures of the whole node are for who administrates it, and are no answer about records.
    let figures = |ask: &&Ask| guise.administrates() && ask::ROUTES[ask.route].0 == "/metrics";
    for (no, ask) in case.asks.iter().enumerate().filter(|(_, ask)| !figures(ask)) {
        out.extend(ask.put(bench, node, guise, no, &mut memory));
    }
    out.extend(Ask::clash(bench, node, guise, case.brought_to, &case.brought));
    out
}

/// Leaves out what the organisation of whoever asks has brought before, and what they cannot read for all that. An object
/// without versions that is brought a second time is answered with the time at which it was added: to the organisation
/// that added it, whatever this key or member may read.
fn leave_out_own(case: &Case, shown: &[bool]) -> Case {
    let organisation = GUISES[case.guise].viewer().and_then(|viewer| viewer.organisation);
    let mut case = case.clone();
    case.brought.retain(|object| {
        object.modified().is_some()
            || !case.records.iter().zip(shown).any(|(record, shown)| {
                !shown
                    && record.id() == object.id()
                    && usize::from(record.collection) == case.brought_to
                    && organisation.as_deref() == Some(cast::bringer(record.bringer).1)
            })
    });
    case
}

/// What a case came to.
#[derive(Default)]
pub(crate) struct Outcomes {
    pub(crate) shown: usize,
    pub(crate) hidden: usize,
    /// Shown, without some of their parts.
    pub(crate) cut: usize,
    pub(crate) exchanges: Vec<Exchange>,
}

/// Holds three books against each other: the whole; that without what its viewer may not see; and that in which what they
/// may not see says something else.
pub(crate) fn hold(bench: &mut Bench, case: &Case) -> Result<Outcomes, TestCaseError> {
    let bodies: Vec<Vec<u8>> = case.records.iter().map(|record| record.body().to_string().into_bytes()).collect();
    let all = || case.records.iter().enumerate().map(|(no, record)| (no, record, bodies[no].clone()));
    let (mut whole, placed) = bench.node(all());
    let guise = &GUISES[case.guise];
    let decided = decisions(bench, guise, case, &placed, &whole);
    // What a record refers to may keep it back as well. That is asked of the node: what it keeps back is left out, so
    // that being kept back is held against not being there.
    let listed = ask::listed(bench, &mut whole, guise);
    let shown: Vec<bool> =
        placed.iter().zip(&decided).map(|(record, cuts)| cuts.is_some() && listed.contains(&record.seq.0)).collect();
    let case = &leave_out_own(case, &shown);
    // INVARIANT: a marking definition is a rule of the policy, like a group or an account, whoever may see its text.
    let kept = |no: usize| shown[no] || (placed[no].live && case.records[no].kind == record::Kind::Definition);
    let (mut less, again) = bench.node(all().filter(|(no, ..)| kept(*no)));
    for record in &again {
        prop_assert!(
            (record.live, record.seq) == (true, placed[record.no].seq),
            "record {} stands otherwise where what its viewer may not see was never added",
            record.no
        );
    }
    let other = all().map(|(no, record, body)| {
        let body = match &decided[no] {
            Some(cuts) if shown[no] && cuts.is_empty() => body,
            Some(cuts) if shown[no] => {
                let cut = |mark: &str| cuts.markings.iter().any(|cut| cut == mark);
                let parts: Vec<_> =
                    record.selected().filter(|(_, mark)| cut(&mark.id())).map(|(path, _)| path).collect();
                record::altered_in(record.body(), &parts).to_string().into_bytes()
            }
            _ => record::altered(record.body()).to_string().into_bytes(),
        };
        (no, record, body)
    });
    let (mut other, otherwise) = bench.node(other);
    let same = placed.iter().zip(&otherwise).all(|(one, two)| (one.live, one.seq) == (two.live, two.seq));
    // A key that is used is noted: all three are asked the same before.
    for node in [&mut less, &mut other] {
        ask::listed(bench, node, guise);
    }
    let mut exchanges = Vec::new();
    for (name, way) in WAYS {
        let given = way(bench, &mut whole, case);
        compare(&format!("{name}: what is hidden is left out"), &given, &way(bench, &mut less, case))?;
        if same {
            compare(&format!("{name}: what is hidden says something else"), &given, &way(bench, &mut other, case))?;
        }
        names_nothing(name, &given, &hidden_ids(case, guise, &placed, &shown))?;
        exchanges.extend(given);
    }
    let count = |wanted: bool| shown.iter().filter(|shown| **shown == wanted).count();
    let cut =
        decided.iter().zip(&shown).filter(|(cuts, shown)| **shown && cuts.as_ref().is_some_and(|c| !c.is_empty()));
    Ok(Outcomes { shown: count(true), hidden: count(false), cut: cut.count(), exchanges })
}

/// What the policy says of each record, without the ledger and the gate: `None` if it is kept back, else what is cut.
fn decisions(bench: &Bench, guise: &Guise, case: &Case, placed: &[Placed], whole: &Node) -> Vec<Option<Cuts>> {
    let door = Door::over(&whole.book, &bench.config);
    let decide = |record: &Placed| {
        let viewer = guise.viewer().filter(|_| guise.reads() && record.live)?;
        let collection = &bench.collections[usize::from(case.records[record.no].collection)];
        policy::may(&viewer, &node::accounts::who(&collection.read)).then_some(())?;
        match policy::decide(&viewer, &record.class, bench::ASKED, door.rules(), &door).outcome {
            Outcome::Release => Some(Cuts::default()),
            Outcome::Redact(cuts) => Some(cuts),
            Outcome::Withhold => None,
        }
    };
    placed.iter().map(decide).collect()
}

/// Objects that are in the book and of which the viewer sees no version. Those to which something refers that the viewer's
/// own organisation brings are no secret to it. Identities stand in `created_by_ref`, marking definitions in markings, and
/// are named there whoever may see them.
fn hidden_ids(case: &Case, guise: &Guise, placed: &[Placed], shown: &[bool]) -> Vec<String> {
    let named = |kind| matches!(kind, record::Kind::Identity | record::Kind::Definition);
    let organisation = guise.viewer().and_then(|viewer| viewer.organisation);
    let own = |record: &&Record| organisation.as_deref() == Some(cast::bringer(record.bringer).1);
    let brought = case.asks.iter().flat_map(|ask| &ask.brings).chain(&case.brought);
    let told = case.records.iter().filter(own).chain(brought).flat_map(Record::refers_to);
    let told: Vec<String> = told.chain(case.brought.iter().map(Record::id)).collect();
    let visible = |id: &String| case.records.iter().zip(shown).any(|(record, shown)| *shown && record.id() == *id);
    let live = placed.iter().filter(|record| record.live && !named(case.records[record.no].kind));
    let ids = live.map(|record| case.records[record.no].id());
    ids.filter(|id| !visible(id) && !told.contains(id)).collect()
}

/// No answer names what its viewer may not see.
fn names_nothing(way: &str, given: &[Exchange], hidden: &[String]) -> Result<(), TestCaseError> {
    for exchange in given.iter().filter(|exchange| !exchange.asked.starts_with("POST")) {
        for id in hidden {
            prop_assert!(
                !exchange.answer.contains(id.as_str()),
                "{way}: {id} is hidden, and the answer names it\n\n{}\n{}\n",
                exchange.asked,
                exchange.answer
            );
        }
    }
    Ok(())
}

fn compare(what: &str, whole: &[Exchange], other: &[Exchange]) -> Result<(), TestCaseError> {
    for (one, two) in whole.iter().zip(other) {
        prop_assert!(
            one == two,
            "{what}, and the answer differs\n\n{}\n{}\n\nover the whole book\n\n{}\n{}\n\nover the other",
            one.asked,
            one.answer,
            two.asked,
            two.answer
        );
    }
    prop_assert!(whole.len() == other.len(), "{what}, and there are {} answers, not {}", other.len(), whole.len());
    Ok(())
}
