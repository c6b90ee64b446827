//! What every engine must do. An engine's own test file gives a factory; nothing in here knows which engine it is.

pub(crate) mod alerts;
mod oracle;
pub(crate) mod partners;
mod sharing;

pub(crate) use sharing::{newcomers_of_a_group, the_sharing_model};
pub(crate) mod people;
mod viewer;

use ledger::{
    Account, Appended, ClassNo, Collection, CollectionNo, Dialect, Entry, Filter, Key, Ledger, Met, Organisation, Page,
    Place, Receipt, Register, Relation, Role, Scope, Sees, Seq, Sight, State, Submission, Version, Versions, Who,
};
use oracle::{Given, Object, Oracle};
use proptest::prelude::*;
use viewer::{Viewer, references};

/// Spells a version as its author might.
fn spelling(at: i64) -> String {
    format!("1970-01-01T00:00:00.{at:06}Z")
}

/// Appends one object.
fn append<B: Ledger>(book: &B, object: &Object, now: i64) -> Appended {
    append_all(book, std::slice::from_ref(object), now)[0]
}

/// Appends objects in one call, in two submissions.
fn append_all<B: Ledger>(book: &B, objects: &[Object], now: i64) -> Vec<Appended> {
    let texts: Vec<String> = objects.iter().map(|object| object.version.map(spelling).unwrap_or_default()).collect();
    let ids: Vec<Vec<&str>> =
        objects.iter().map(|object| object.references.iter().map(String::as_str).collect()).collect();
    let entries: Vec<Entry<'_>> = objects
        .iter()
        .zip(texts.iter().zip(&ids))
        .map(|(object, (text, references))| Entry {
            collection: object.collection,
            key: &object.key,
            kind: &object.kind,
            version: object.version.map(|micros| Version { micros, picos: 0, text }),
            dialect: object.dialect,
            author: object.author.as_deref(),
            revoked: object.revoked,
            class: object.class,
            references,
            body: object.body.as_bytes(),
        })
        .collect();
    let (one, two) = entries.split_at(entries.len() / 2);
    let submissions = [one, two].map(|entries| Submission { entries, receipt: None });
    book.append(&submissions, now, &|a, b| a == b).unwrap().concat()
}

fn collection<B: Register>(book: &B, alias: &str) -> Collection {
    let id = format!("00000000-0000-4000-8000-{:012x}", alias.len());
    let new = Collection {
        no: CollectionNo(0),
        id,
        alias: alias.into(),
        title: alias.into(),
        description: None,
        read: Who::Members,
        write: Who::Named(vec!["amina".into()]),
    };
    book.add_collection(&new).unwrap()
}

fn class<B: Ledger>(book: &B, name: &str) -> ClassNo {
    book.class(name.as_bytes(), format!("{name} open").as_bytes()).unwrap()
}

/// The number of a class's open variant, which an engine does not tell.
fn open_variant<B: Ledger>(book: &B, name: &str) -> ClassNo {
    let definition = format!("{name} open").into_bytes();
    let is = |no: &ClassNo| book.class_definition(*no).unwrap().is_some_and(|found| *found == *definition);
    (0..1000).map(ClassNo).find(is).unwrap()
}

/// What a record refers to, for those who ask.
fn refers(met: &Met<'_>) -> Vec<String> {
    references(std::str::from_utf8(met.body).unwrap())
}

/// Every version of everything.
pub(crate) fn everything(collection: CollectionNo) -> Filter<'static> {
    Filter {
        collection,
        after: None,
        keys: None,
        kinds: None,
        versions: Versions::All,
        dialects: Some(vec![Dialect::Stix20, Dialect::Stix21]),
        limit: 1000,
        max_bytes: 1 << 24,
    }
}

/// Every page of a filter, one after another, as bodies.
fn walk<B: Ledger>(book: &B, filter: &Filter<'_>, sees: &dyn Sees) -> Vec<String> {
    let (mut filter, mut found) = (filter.clone(), Vec::new());
    loop {
        let mut out = Vec::new();
        let page = book.objects(&filter, sees, &mut out).unwrap();
        let (rows, manifest) = book.manifest(&filter, sees).unwrap();
        assert_eq!((&page, page.count), (&rows, manifest.len()), "a manifest is the page without its bodies");
        let text = String::from_utf8(out).unwrap();
        let bodies: Vec<String> = text.split(',').filter(|body| !body.is_empty()).map(str::to_owned).collect();
        assert_eq!(bodies.len(), page.count);
        assert!(page.count <= filter.limit && page.classes.iter().all(|class| sees.class(*class) != Sight::Nothing));
        assert_eq!(
            (page.first, page.last),
            (manifest.first().map(|r| r.date_added), manifest.last().map(|r| r.date_added))
        );
        found.extend(bodies);
        match page.last {
            Some(last) if page.more => filter.after = Some(last),
            _ => return found,
        }
    }
}

/// The page that a list of records begins with.
fn first_page(list: &[Given], limit: usize, max_bytes: usize) -> (Page, String) {
    let (mut page, mut text) = (Page::default(), String::new());
    for given in list {
        let full = !text.is_empty() && text.len() + 1 + given.body.len() > max_bytes;
        if full || page.count == limit {
            page.more = true;
            break;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&given.body);
        page.count += 1;
        page.first = page.first.or(Some(given.seq));
        page.last = Some(given.seq);
        if !page.classes.contains(&given.class) {
            page.classes.push(given.class);
        }
    }
    (page, text)
}

/// Every page of a filter is what the list of selected records says: bytes, cuts, what it says of itself.
fn pages_are<B: Ledger>(book: &B, filter: &Filter<'_>, viewer: &Viewer, list: &[Given]) -> Result<(), TestCaseError> {
    let said = |page: &Page| {
        let seqs = page.given.iter().flat_map(|run| (0..i64::from(run.count)).map(|n| Seq(run.first.0 + n)));
        (seqs.collect::<Vec<_>>(), Page { given: Vec::new(), ..page.clone() })
    };
    let mut rest = list;
    let mut at = filter.clone();
    loop {
        let mut out = b"[".to_vec();
        viewer.given.take();
        let page = book.objects(&at, viewer, &mut out).unwrap();
        let (wanted, text) = first_page(rest, at.limit, at.max_bytes);
        let given: Vec<_> = rest[..wanted.count].iter().map(|given| (given.class, given.body.len())).collect();
        prop_assert_eq!(viewer.given.take(), given);
        prop_assert_eq!(String::from_utf8(out).unwrap(), format!("[{text}"));
        let seqs: Vec<Seq> = rest[..wanted.count].iter().map(|given| given.seq).collect();
        prop_assert!(page.given.windows(2).all(|pair| pair[0].first.0 + i64::from(pair[0].count) < pair[1].first.0));
        prop_assert_eq!(said(&page), (seqs, wanted.clone()));
        let (page, rows) = book.manifest(&at, viewer).unwrap();
        let (manifest, _) = first_page(rest, at.limit, usize::MAX);
        let seqs: Vec<Seq> = rest[..manifest.count].iter().map(|given| given.seq).collect();
        prop_assert_eq!(rows.iter().map(|row| row.date_added).collect::<Vec<_>>(), seqs.clone());
        prop_assert_eq!(said(&page), (seqs, manifest));
        if !wanted.more {
            return Ok(());
        }
        rest = &rest[wanted.count..];
        at.after = wanted.last;
    }
}

/// One object of an operation.
#[derive(Clone, Debug)]
struct Draft {
    key: u8,
    version: Option<i64>,
    old: bool,
    author: u8,
    revoked: bool,
    class: u8,
    content: u8,
    other: bool,
    references: Vec<u8>,
}

/// An operation on the book, small enough that keys and versions meet often.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Draft>),
    Delete { key: u8, first: bool, seen: Vec<Sight> },
    Reclass { key: u8, class: u8, some: bool, renewed: bool },
    Erase { key: Option<u8>, class: Option<u8>, before: Option<i64>, other: Option<bool>, some: bool },
    Settle,
}

fn sights() -> impl Strategy<Value = Vec<Sight>> {
    use Sight::{Ask, Nothing, Part, Whole};
    prop::collection::vec(prop::sample::select(vec![Nothing, Whole, Whole, Part, Ask, Ask]), 6)
}

fn draft() -> impl Strategy<Value = Draft> {
    (
        0..7_u8,
        prop::option::weighted(0.85, 0..4_i64),
        any::<bool>(),
        0..8_u8,
        0..12_u8,
        0..3_u8,
        0..2_u8,
        prop::bool::weighted(0.3),
        prop_oneof![2 => Just(vec![]), 3 => prop::collection::vec(0..8_u8, 1..3)],
    )
        .prop_map(|(key, version, old, author, revoked, class, content, other, references)| Draft {
            key,
            version,
            old,
            author: u8::from(author == 0),
            revoked: revoked == 0,
            class: class.saturating_sub(1),
            content,
            other,
            references,
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let append = prop::collection::vec(draft(), 1..5).prop_map(Step::Append);
    let delete = (0..7_u8, any::<bool>(), sights()).prop_map(|(key, first, seen)| Step::Delete { key, first, seen });
    let reclass = (0..7_u8, 0..3_u8, any::<bool>(), any::<bool>())
        .prop_map(|(key, class, some, renewed)| Step::Reclass { key, class, some, renewed });
    let erase = (
        prop::option::weighted(0.7, 0..7_u8),
        prop::option::of(0..3_u8),
        prop::option::of(0..10_000_i64),
        prop::option::of(any::<bool>()),
        any::<bool>(),
    )
        .prop_map(|(key, class, before, other, some)| Step::Erase { key, class, before, other, some });
    prop::collection::vec(
        prop_oneof![14 => append, 1 => delete, 2 => reclass, 1 => erase, 2 => Just(Step::Settle)],
        0..16,
    )
}

impl Draft {
    fn object(&self, collections: &[CollectionNo; 2], classes: &[(ClassNo, ClassNo)]) -> Object {
        let (id, kind) = key(self.key);
        let references: Vec<String> = self.references.iter().map(|k| key(*k).0).collect();
        let quoted: Vec<String> = references.iter().map(|id| format!("\"{id}\"")).collect();
        // Of different lengths, so that pages are cut here and there.
        let padding = "x".repeat(usize::from(self.content) * 90);
        Object {
            collection: collections[usize::from(self.other)],
            body: format!("{{{}|{:?}|{}|{}{padding}}}", self.key, self.version, self.content, quoted.join(" ")),
            key: id,
            kind,
            version: self.version,
            dialect: if self.old { Dialect::Stix20 } else { Dialect::Stix21 },
            author: (self.author > 0).then(|| format!("identity--{}", self.author)),
            revoked: self.revoked,
            class: classes[usize::from(self.class)].0,
            references,
        }
    }
}

/// Does the same to a book and to the oracle, and compares what they answer.
fn step<B: Ledger>(
    book: &B,
    oracle: &mut Oracle,
    step: &Step,
    collections: &[CollectionNo; 2],
    classes: &[(ClassNo, ClassNo)],
    now: i64,
) -> Result<(), TestCaseError> {
    let chosen = |body: &str, some: bool| !some || body.contains("|0|");
    match step {
        Step::Append(drafts) => {
            let objects: Vec<Object> = drafts.iter().map(|draft| draft.object(collections, classes)).collect();
            prop_assert_eq!(append_all(book, &objects, now), oracle.append(&objects, now));
        }
        Step::Delete { key: k, first, seen } => {
            let (id, _) = key(*k);
            let viewer = viewer(classes, seen);
            let versions = if *first { Versions::Some { first: true, last: false, at: vec![] } } else { Versions::All };
            let filter = Filter { keys: Some(vec![&id]), versions, ..everything(collections[0]) };
            prop_assert_eq!(book.delete(&filter, &viewer, now).unwrap(), oracle.delete(&filter, &viewer, now));
        }
        Step::Reclass { key: k, class, some, renewed } => {
            let (id, _) = key(*k);
            let (covered, open) = classes[usize::from(*class)];
            // By either number of the pair.
            let to = if *renewed { open } else { covered };
            let place = if *renewed { Place::Renewed } else { Place::Kept };
            let mut of = |met: &Met<'_>| chosen(std::str::from_utf8(met.body).unwrap(), *some).then_some(to);
            let done = book.reclass(&id, &mut of, place, now).unwrap();
            let wanted = oracle.reclass(&id, |object| chosen(&object.body, *some).then_some(to), place, now);
            prop_assert_eq!(done, wanted);
        }
        Step::Erase { key: k, class, before, other, some } => {
            let id = k.map(|k| key(k).0);
            let collection = other.map(|other| collections[usize::from(other)]);
            let pair = class.map(|class| classes[usize::from(class)]);
            let only = pair.map(|pair| [pair.0]);
            let scope = Scope {
                collection,
                key: id.as_deref(),
                classes: only.as_ref().map(<[ClassNo; 1]>::as_slice),
                before: before.map(Seq),
            };
            let mut which = |met: &Met<'_>| chosen(std::str::from_utf8(met.body).unwrap(), *some);
            let done = book.erase(&scope, &mut which, now).unwrap();
            let which = |object: &Object, seq: Seq| {
                collection.is_none_or(|only| object.collection == only)
                    && id.as_ref().is_none_or(|only| object.key == *only)
                    && pair.is_none_or(|(one, other)| object.class == one || object.class == other)
                    && before.is_none_or(|before| seq.0 < before)
                    && chosen(&object.body, *some)
            };
            prop_assert_eq!(done, oracle.erase(which, now));
        }
        Step::Settle => {
            for collection in collections {
                prop_assert_eq!(book.settle(*collection, &refers).unwrap(), oracle.settle(*collection));
            }
        }
    }
    Ok(())
}

fn key(n: u8) -> (String, String) {
    let kind = if n == 6 { "file" } else { ["indicator", "malware", "file"][usize::from(n) % 3] };
    // The last is not of the form that an engine may pack.
    let id = if n == 6 { "file--ODD".into() } else { format!("{kind}--00000000-0000-4000-8000-0000000000{n:02}") };
    (id, kind.into())
}

/// A viewer with a sight for each class and each open variant.
fn viewer(classes: &[(ClassNo, ClassNo)], sights: &[Sight]) -> Viewer {
    Viewer::new(classes.iter().flat_map(|(covered, open)| [*covered, *open]).zip(sights.iter().copied()))
}

fn pairs<B: Ledger>(book: &B) -> [(ClassNo, ClassNo); 3] {
    ["0", "1", "2"].map(|name| (class(book, name), open_variant(book, name)))
}

/// A random book, random viewers and random filters: every walk is the oracle's, page by page.
pub(crate) fn agrees_with_the_oracle<B: Ledger + Register>(make: impl Fn() -> B) {
    let filters = (
        prop::option::of(prop::collection::vec(0..8_u8, 1..3)),
        prop::option::of(0..3_usize),
        (any::<bool>(), any::<bool>(), any::<bool>(), prop::collection::vec(0..4_i64, 0..2)),
        prop::option::of((any::<bool>(), any::<bool>())),
        1..9_usize,
        prop_oneof![Just(1_usize << 20), 1..600_usize],
        prop::option::of(0..15_000_i64),
        sights(),
    );
    let config = ProptestConfig { cases: 200, max_shrink_iters: 400, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps(), filters in prop::collection::vec(filters, 1..5))| {
        let book = make();
        let collections = [collection(&book, "a").no, collection(&book, "bb").no];
        let classes = pairs(&book);
        let mut oracle = Oracle::new(&classes);
        for (n, one) in steps.iter().enumerate() {
            step(&book, &mut oracle, one, &collections, &classes, n as i64 * 700)?;
        }
        for (keys, kind, (first, last, all, at), dialects, limit, max_bytes, after, seen) in &filters {
            let viewer = viewer(&classes, seen);
            let ids: Option<Vec<String>> = keys.as_ref().map(|keys| keys.iter().map(|k| key(*k).0).collect());
            let filter = Filter {
                collection: collections[0], after: after.map(Seq), keys: ids.as_ref().map(|ids| ids.iter().map(String::as_str).collect()),
                kinds: kind.map(|kind| vec![["indicator", "malware", "never-seen"][kind]]),
                versions: if *all { Versions::All } else { Versions::Some { first: *first, last: *last, at: at.iter().map(|at| (*at, 0)).collect() } },
                dialects: dialects.map(|(old, new)| old.then_some(Dialect::Stix20).into_iter().chain(new.then_some(Dialect::Stix21)).collect()),
                limit: *limit, max_bytes: *max_bytes,
            };
            pages_are(&book, &filter, &viewer, &oracle.select(&filter, &viewer))?;
            for k in 0..8 {
                let (id, _) = key(k);
                prop_assert_eq!(book.contains(collections[0], &id, &viewer).unwrap(), oracle.contains(collections[0], &id, &viewer));
            }
        }
        prop_assert_eq!(book.check(&mut |_, _| {}).unwrap(), vec![]);
        prop_assert_eq!(book.check_cover(&refers).unwrap(), vec![]);
    });
}

/// Law 1: what a viewer is given is, byte for byte, what the book without the hidden records would give.
pub(crate) fn hidden_records_leave_no_trace<B: Ledger + Register>(make: impl Fn() -> B) {
    let objects = prop::collection::vec((0..5_u8, 0..3_u8, 0..2_usize, prop::collection::vec(0..5_u8, 0..3)), 1..40);
    // Who sees a class sees all of it; open records may be asked about.
    let whole = prop::collection::vec(prop::sample::select(vec![Sight::Nothing, Sight::Whole, Sight::Part]), 3);
    let config = ProptestConfig { cases: 150, max_shrink_iters: 400, ..ProptestConfig::default() };
    proptest!(config, |(
        objects in objects, seen in whole, open in sights(), limit in 1..9_usize, max_bytes in 1..400_usize, last in any::<bool>(), settle in any::<bool>()
    )| {
        let (whole, part) = (make(), make());
        let (one, other) = (collection(&whole, "a").no, collection(&part, "a").no);
        let classes = pairs(&whole);
        prop_assert_eq!((one, classes), (other, pairs(&part)));
        let sights: Vec<Sight> = seen.iter().zip(&open).flat_map(|(covered, open)| [*covered, *open]).collect();
        let viewer = viewer(&classes, &sights);
        let mut oracle = Oracle::new(&classes);
        let objects: Vec<Object> = objects
            .iter()
            .enumerate()
            .map(|(n, (k, class, content, references))| {
                let (id, kind) = key(*k);
                let references: Vec<String> = references.iter().map(|k| key(*k).0).collect();
                let quoted: Vec<String> = references.iter().map(|id| format!("\"{id}\"")).collect();
                Object {
                    collection: one, key: id, kind, version: Some(n as i64), dialect: Dialect::Stix21, author: None, revoked: false,
                    class: classes[usize::from(*class)].0, body: format!("{{{n}|{}{}}}", quoted.join(" "), "x".repeat(content * 90)), references,
                }
            })
            .collect();
        let mut seqs = Vec::new();
        for (n, object) in objects.iter().enumerate() {
            let answer = append(&whole, object, n as i64 * 10);
            prop_assert_eq!(&[answer][..], &oracle.append(std::slice::from_ref(object), n as i64 * 10));
            let Appended::Added(seq) = answer else { unreachable!("every version is new") };
            seqs.push(seq);
        }
        if settle {
            prop_assert_eq!(whole.settle(one, &refers).unwrap(), oracle.settle(one));
        }
        for (n, object) in objects.iter().enumerate() {
            if oracle.shows(seqs[n], &viewer) {
                prop_assert_eq!(append(&part, object, n as i64 * 10), Appended::Added(seqs[n]));
            }
        }
        if settle {
            part.settle(other, &refers).unwrap();
        }
        let mut after = None;
        loop {
            let versions = if last { Versions::last() } else { Versions::All };
            let filter = Filter { limit, max_bytes, after, versions: versions.clone(), ..everything(one) };
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let page = whole.objects(&filter, &viewer, &mut a).unwrap();
            prop_assert_eq!(&page, &part.objects(&filter, &viewer, &mut b).unwrap());
            prop_assert_eq!(a, b);
            prop_assert_eq!(whole.manifest(&filter, &viewer).unwrap(), part.manifest(&filter, &viewer).unwrap());
            for k in 0..5 {
                let (id, _) = key(k);
                prop_assert_eq!(whole.contains(one, &id, &viewer).unwrap(), part.contains(other, &id, &viewer).unwrap());
            }
            after = page.last;
            if !page.more {
                break;
            }
        }
    });
}

/// A class and its variant belong to each other for good.
pub(crate) fn classes_come_in_pairs<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let one = class(&book, "1");
    assert_eq!((class(&book, "1"), book.class(b"1", b"other").unwrap()), (one, one), "as it was first made");
    assert_ne!(class(&book, "2"), one);
    for (definition, open) in [("3", "1 open"), ("3", "1"), ("1 open", "3"), ("3", "3")] {
        let outcome = book.class(definition.as_bytes(), open.as_bytes());
        assert!(matches!(outcome, Err(ledger::Error::Exists { .. })), "{definition}, {open}: {outcome:?}");
    }
    let open = open_variant(&book, "1");
    assert_eq!(book.class_definition(one).unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(book.class_definition(open).unwrap().as_deref(), Some(&b"1 open"[..]));
}

/// Chains and circles of more records than lie together: all covered in one call, all open when one link goes, all
/// covered again when it is back.
pub(crate) fn cover_goes_and_comes_all_along<B: Ledger + Register>(make: impl Fn() -> B) {
    /// To what a record refers, by number.
    type Target = fn(usize) -> Option<usize>;
    const LENGTH: usize = 1300;
    let shapes: [(&str, Target, usize); 4] = [
        ("backward", |n| n.checked_sub(1), LENGTH),
        ("forward", |n| (n + 1 < LENGTH).then_some(n + 1), LENGTH),
        ("circle", |n| Some((n + 1) % LENGTH), LENGTH),
        // Ten that refer to nothing, each with its followers: more to look for at once than a few.
        ("star", |n| (n >= 10).then_some(n % 10), LENGTH / 10),
    ];
    for (shape, target, group) in shapes {
        let book = make();
        let (no, class) = (collection(&book, "a").no, class(&book, "0"));
        let id = |n: usize| plain(no, class, n, String::new()).key;
        let objects: Vec<Object> = (0..LENGTH)
            .map(|n| {
                let references: Vec<String> = target(n).map(id).into_iter().collect();
                let body = references.iter().map(|id| format!("\"{id}\"")).collect::<String>();
                Object { references, ..plain(no, class, n, format!("{{{n}|{body}}}")) }
            })
            .collect();
        let links: Vec<usize> = match shape {
            "star" => (0..6).collect(),
            "forward" => vec![LENGTH - 1],
            _ => vec![0],
        };
        let without = make();
        let place = (collection(&without, "a").no, self::class(&without, "0"));
        assert_eq!(place, (no, class));
        let rest: Vec<Object> = (0..LENGTH).filter(|n| !links.contains(n)).map(|n| objects[n].clone()).collect();
        append_all(&without, &rest, 0);
        let seen = walk(&without, &everything(no), &|seen: ClassNo| seen == class);
        assert_eq!(seen.len(), LENGTH - links.len() * group, "{shape}");
        assert_eq!((without.check(&mut |_, _| {}).unwrap(), without.check_cover(&refers).unwrap()), (vec![], vec![]));
        append_all(&book, &objects, 0);
        let covered = || walk(&book, &everything(no), &|seen: ClassNo| seen == class).len();
        assert_eq!(covered(), LENGTH, "{shape}");
        let ids: Vec<String> = links.iter().map(|n| id(*n)).collect();
        let erased = book.erase(&Scope::default(), &mut |met| ids.iter().any(|id| id == met.key), 0).unwrap();
        assert_eq!(erased, links.len() as u64);
        assert_eq!(covered(), LENGTH - links.len() * group, "{shape}");
        assert_eq!(book.settle(no, &refers).unwrap(), 0, "{shape}");
        let again: Vec<Object> = links.iter().map(|n| objects[*n].clone()).collect();
        append_all(&book, &again, 0);
        let open = LENGTH - covered();
        assert_eq!(book.settle(no, &refers).unwrap(), open as u64, "{shape}");
        assert_eq!((covered(), book.settle(no, &refers).unwrap()), (LENGTH, 0), "{shape}");
        assert_eq!((book.check(&mut |_, _| {}).unwrap(), book.check_cover(&refers).unwrap()), (vec![], vec![]));
    }
}

/// A reference that its author spelled with escapes is noticed too when its target goes.
pub(crate) fn an_escaped_reference_loses_cover<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let (no, class) = (collection(&book, "a").no, class(&book, "0"));
    let target = plain(no, class, 1, "{}".into());
    let escaped = target.key.replace("indicator", "indic\\u0061tor");
    let record =
        Object { references: vec![target.key.clone()], ..plain(no, class, 2, format!("{{\"r\":\"{escaped}\"}}")) };
    append_all(&book, &[record, target.clone()], 0);
    let covered = || walk(&book, &everything(no), &|seen: ClassNo| seen == class).len();
    assert_eq!(covered(), 2);
    let filter = Filter { keys: Some(vec![&target.key]), ..everything(no) };
    assert_eq!(book.delete(&filter, &|_| true, 0).unwrap(), 1);
    assert_eq!(covered(), 0);
}

/// Whoever follows by the time of addition receives what was renewed once more, and what only changed its class not.
pub(crate) fn a_renewed_record_comes_again<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let (no, one, two) = (collection(&book, "a").no, class(&book, "1"), class(&book, "2"));
    for n in 0..4 {
        append(&book, &plain(no, one, n, format!("{{{n}}}")), 0);
    }
    let after = book.statistics().unwrap().last;
    assert_eq!(book.last().unwrap(), after);
    let later = Filter { after, ..everything(no) };
    let id = |n| plain(no, one, n, String::new()).key;
    assert_eq!(book.reclass(&id(1), &mut |_| Some(two), Place::Kept, 50).unwrap(), 1);
    assert_eq!(walk(&book, &later, &|_| true), Vec::<String>::new());
    assert_eq!(walk(&book, &everything(no), &|seen: ClassNo| seen == two), ["{1}"]);
    // The class that it has already: it moves all the same.
    assert_eq!(book.reclass(&id(2), &mut |_| Some(one), Place::Renewed, 90).unwrap(), 1);
    let (page, rows) = book.manifest(&later, &|_| true).unwrap();
    assert_eq!(rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>(), [id(2)]);
    assert!(page.first.is_some_and(|at| at.0 >= 90));
    assert_eq!(walk(&book, &everything(no), &|_| true), ["{0}", "{1}", "{3}", "{2}"]);
    let mut states = Vec::new();
    book.follow(Seq(0), 100, &mut |record| states.push(record.state)).unwrap();
    use State::{Erased, Live, Tombstone};
    assert_eq!(states, [Live, Live, Erased, Live, Tombstone, Live]);
    assert_eq!(book.reclass(&id(3), &mut |_| None, Place::Renewed, 99).unwrap(), 0);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

/// Everything of one call is written, status resource included, or nothing.
pub(crate) fn a_call_is_whole<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let (no, class) = (collection(&book, "a").no, book.class(b"0", b"0 open").unwrap());
    let text = spelling(1);
    let keys: Vec<String> = (0..3).map(|n| key(n).0).collect();
    let entries: Vec<Entry<'_>> = keys
        .iter()
        .map(|key| Entry {
            collection: no,
            key,
            kind: "indicator",
            version: Some(Version { micros: 1, picos: 0, text: &text }),
            dialect: Dialect::Stix21,
            author: None,
            revoked: false,
            class,
            references: &[],
            body: b"{}",
        })
        .collect();
    let receipt = |answers: &[Appended]| Receipt {
        id: "s".into(),
        owner: "amina".into(),
        body: format!("{}", answers.len()).into_bytes(),
    };
    book.append(&[Submission { entries: &entries, receipt: Some(&receipt) }], 5, &|a, b| a == b).unwrap();
    assert_eq!(book.status("s", "amina").unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(book.status("s", "karim").unwrap(), None, "a status is for its owner");
    // The same status id again fails the whole call: nothing of it stays.
    let more = Entry { key: "indicator--00000000-0000-4000-8000-0000000000ff", ..entries[0] };
    assert!(book.append(&[Submission { entries: &[more], receipt: Some(&receipt) }], 9, &|a, b| a == b).is_err());
    assert_eq!(walk(&book, &everything(no), &|_| true).len(), 3);
    assert_eq!(book.expire_statuses(6).unwrap(), 1);
}

/// The order over all collections, with what is aside and what was erased.
pub(crate) fn the_book_can_be_followed<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let (a, b, class) = (collection(&book, "a").no, collection(&book, "bb").no, book.class(b"0", b"0 open").unwrap());
    let object = |collection, n: u8, content: &str| Object {
        collection,
        key: key(n).0,
        kind: key(n).1,
        version: Some(1),
        dialect: Dialect::Stix21,
        author: None,
        revoked: false,
        class,
        references: vec![],
        body: content.into(),
    };
    for n in 0..3 {
        append(&book, &object(a, n, "{}"), 0);
        append(&book, &object(b, n, "{}"), 0);
    }
    append(&book, &object(a, 0, "{\"other\":1}"), 0);
    let (id, _) = key(1);
    assert_eq!(book.delete(&Filter { keys: Some(vec![&id]), ..everything(a) }, &|_| true, 0).unwrap(), 1);
    let (mut seen, mut after) = (Vec::new(), Seq(0));
    while let Some(last) =
        book.follow(after, 3, &mut |record| seen.push((record.seq, record.state, record.body.len()))).unwrap()
    {
        after = last;
    }
    let states: Vec<State> = seen.iter().map(|(_, state, _)| *state).collect();
    use State::{Conflict, Erased, Live, Tombstone};
    assert_eq!(states, [Live, Live, Erased, Live, Live, Live, Conflict, Tombstone]);
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "strictly increasing");
    assert!(seen.iter().all(|(_, state, length)| (*length == 0) == matches!(state, Erased | Tombstone)));
    let figures = book.statistics().unwrap();
    assert_eq!((figures.records, figures.aside, figures.tombstones), (5, 1, 1));
    assert!(matches!(append(&book, &object(a, 1, "{}"), 0), Appended::Added(_)), "what was erased can be added again");
}

/// Sixteen writers and sixteen readers in threads: each reader sees each record once, in order.
pub(crate) fn readers_and_writers_at_once<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let (no, class) = (collection(&book, "a").no, book.class(b"0", b"0 open").unwrap());
    const EACH: usize = 25;
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let book = &book;
            scope.spawn(move || {
                for n in 0..EACH {
                    let object = Object {
                        collection: no,
                        key: format!("indicator--00000000-0000-4000-8000-{writer:06}{n:06}"),
                        kind: "indicator".into(),
                        version: Some(1),
                        dialect: Dialect::Stix21,
                        author: None,
                        revoked: false,
                        class,
                        references: vec![],
                        body: format!("{{\"n\":{}}}", writer * EACH + n),
                    };
                    assert!(matches!(append(book, &object, 0), Appended::Added(_)));
                }
            });
        }
        let readers: Vec<_> = (0..16)
            .map(|reader| {
                let book = &book;
                scope.spawn(move || {
                    let (mut seen, mut after) = (Vec::new(), None);
                    while seen.len() < 16 * EACH {
                        let mut out = Vec::new();
                        let filter = Filter { after, limit: 3 + reader, ..everything(no) };
                        let page = book.objects(&filter, &|_| true, &mut out).unwrap();
                        after = page.last.or(after);
                        seen.extend(
                            String::from_utf8(out).unwrap().split(',').filter(|b| !b.is_empty()).map(str::to_owned),
                        );
                    }
                    seen
                })
            })
            .collect();
        let orders: Vec<Vec<String>> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        let mut sorted = orders[0].clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 16 * EACH);
        assert!(orders.iter().all(|order| *order == orders[0]));
    });
}

/// Names are unique without regard to case, what is missing is named, and every change is noticed.
pub(crate) fn the_register<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    let generation = book.generation().unwrap();
    let north = Organisation { name: "CERT North".into(), relation: Relation::Community };
    book.add_organisation(&north).unwrap();
    assert!(matches!(
        book.add_organisation(&Organisation { name: "cert north".into(), ..north }),
        Err(ledger::Error::Exists { .. })
    ));
    let account =
        Account { name: "Noor".into(), organisation: north.clone(), role: Role::Analyst, password: None, created: 1 };
    book.add_account(&account).unwrap();
    let stray =
        Account { name: "x".into(), organisation: Organisation { name: "none".into(), ..north }, ..account.clone() };
    assert!(matches!(book.add_account(&stray), Err(ledger::Error::Missing { .. })));
    assert_eq!(book.account("NOOR").unwrap(), Some(account));
    book.set_password("noor", "$phc").unwrap();
    assert!(matches!(book.set_password("nobody", "$phc"), Err(ledger::Error::Missing { .. })));
    let key = Key {
        name: "sensor".into(),
        account: "noor".into(),
        digest: [7; 32],
        scope: vec!["read".into()],
        networks: vec!["192.0.2.0/24".into(), "2001:db8::/32".into()],
        expires: Some(9),
        created: 1,
        last_used: None,
    };
    book.add_key(&key).unwrap();
    assert_eq!(book.key(&[7; 32]).unwrap(), Some(key));
    book.remove_account("noor").unwrap();
    assert_eq!((book.key(&[7; 32]).unwrap(), book.keys().unwrap()), (None, vec![]), "keys end with their account");
    let made = collection(&book, "phishing");
    assert_eq!(book.collection("PHISHING").unwrap().as_ref(), Some(&made));
    assert_eq!(book.collection(&made.id).unwrap(), Some(made));
    book.remove_collection("phishing").unwrap();
    assert!(book.collection("phishing").unwrap().is_none());
    book.set_note("n", Some(b"1")).unwrap();
    assert_eq!(book.note("n").unwrap().as_deref(), Some(&b"1"[..]));
    for (expected, value, held) in [
        (None, Some(&b"2"[..]), Some(&b"1"[..])),
        (Some(&b"2"[..]), Some(b"3"), Some(b"1")),
        (Some(b"1"), Some(b"2"), Some(b"2")),
        (Some(b"2"), None, None),
        (Some(b"2"), Some(b"3"), None),
        (None, Some(b"1"), Some(b"1")),
    ] {
        let before = book.note("n").unwrap();
        let swapped = book.swap_note("n", expected, value).unwrap();
        assert_eq!(swapped, before.as_deref() == expected, "{expected:?}");
        assert_eq!(book.note("n").unwrap().as_deref(), held, "{expected:?}");
    }
    book.set_note("n", None).unwrap();
    assert_eq!(book.note("n").unwrap(), None);
    assert!(book.generation().unwrap() > generation);
}

/// Fifty records in a collection, for tests of one engine's own.
pub(crate) fn fill<B: Ledger + Register>(book: &B) -> CollectionNo {
    let (no, class) = (collection(book, "a").no, book.class(b"0", b"0 open").unwrap());
    for n in 0..50 {
        append(book, &plain(no, class, n, format!("{{\"n\":{n}}}")), 0);
    }
    no
}

/// How many records a collection serves.
pub(crate) fn count<B: Ledger>(book: &B, no: CollectionNo) -> usize {
    walk(book, &everything(no), &|_| true).len()
}

/// Tries to append a megabyte.
pub(crate) fn try_large<B: Ledger>(book: &B, no: CollectionNo) -> ledger::Result<()> {
    let object = plain(no, book.class(b"0", b"0 open")?, 999, format!("{{\"x\":\"{}\"}}", "y".repeat(1 << 20)));
    let text = spelling(1);
    let entry = Entry {
        collection: no,
        key: &object.key,
        kind: &object.kind,
        version: Some(Version { micros: 1, picos: 0, text: &text }),
        dialect: Dialect::Stix21,
        author: None,
        revoked: false,
        class: object.class,
        references: &[],
        body: object.body.as_bytes(),
    };
    book.append(&[Submission { entries: &[entry], receipt: None }], 0, &|a, b| a == b).map(drop)
}

fn plain(collection: CollectionNo, class: ClassNo, n: usize, body: String) -> Object {
    Object {
        collection,
        key: format!("indicator--00000000-0000-4000-8000-{n:012}"),
        kind: "indicator".into(),
        version: Some(1),
        dialect: Dialect::Stix21,
        author: None,
        revoked: false,
        class,
        references: vec![],
        body,
    }
}
