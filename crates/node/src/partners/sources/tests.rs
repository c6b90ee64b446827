//! What is said of an object, over a book in a file.

use super::*;
use crate::intake::{Classes, Context, Intake};
use ledger::sqlite::Book;
use ledger::{Organisation, Partner, PartnerKind, Register as _, Relation, Submission, Who};

const TOOL: &str = "tool--00000000-0000-4000-8000-000000000001";

/// A book of `Us`, with `North` as a partner of whom no more than 60 is believed, and `South`.
struct Here {
    book: Book,
    _folder: tempfile::TempDir,
}

impl Here {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book.db")).unwrap();
        for name in ["Us", "North", "South"] {
            book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
        }
        let terms = Terms { reliability: Some('B'), confidence_ceiling: Some(60), ..Terms::default() };
        let (organisation, kind) = ("North".into(), PartnerKind::Node);
        book.add_partner(&Partner { organisation, kind, terms: terms.write(), added: 0 }).unwrap();
        for alias in ["a", "b"] {
            book.add_collection(&ledger::Collection {
                no: CollectionNo(0),
                id: alias.into(),
                alias: alias.into(),
                title: alias.into(),
                description: None,
                read: Who::Members,
                write: Who::Members,
            })
            .unwrap();
        }
        Self { book, _folder: folder }
    }

    /// An organisation brings an object into a collection.
    fn bring(&self, owner: &str, collection: &str, body: &str, now: Micros) -> Mark {
        let no = self.book.collection(collection).unwrap().unwrap().no;
        let context = Context::new(no, owner.into(), &self.book).unwrap();
        let mut intake = Intake::new();
        let taken = intake.take(body.as_bytes()).unwrap();
        let class = context.class(&taken, crate::partners::provenance::Backing::none());
        let class = Classes::default().number(&self.book, &class).unwrap();
        let entries = [taken.entry(no, class, &[])];
        self.book.append(&[Submission { entries: &entries, receipt: None }], now, &|a, b| a == b).unwrap();
        mark::of(body.as_bytes())
    }

    fn say(&self, mark: Mark, source: &str, statement: &Statement, now: Micros) {
        let body = serde_json::to_vec(statement).unwrap();
        self.book
            .put_statements(&[ledger::Statement { mark, source: source.into(), first: now, last: now, body }])
            .unwrap();
    }

    fn versions(&self) -> Vec<Version> {
        of(&self.book, &self.book, Some("us"), TOOL).unwrap()
    }
}

fn tool(version: u8, confidence: Option<u8>) -> String {
    let confidence = confidence.map_or_else(String::new, |value| format!(r#""confidence":{value},"#));
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{TOOL}",{confidence}"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-0{version}T00:00:00.000Z","name":"t"}}"#
    )
}

/// Organisation, reliability, credibility, what it claims, what counts.
type Row<'v> = (&'v str, Option<char>, Option<u8>, Option<u8>, Option<u8>);

fn rows(version: &Version) -> Vec<Row<'_>> {
    let row = |source| {
        let Source { organisation, reliability, credibility, claimed, confidence, .. }: &Source = source;
        (organisation.as_str(), *reliability, *credibility, *claimed, *confidence)
    };
    version.sources.iter().map(row).collect()
}

#[test]
fn every_source_of_every_version_keeps_what_it_says() {
    let here = Here::new();
    assert_eq!(here.versions(), []);
    let one = here.bring("North", "a", &tool(1, Some(80)), 100);
    assert_eq!(here.bring("South", "b", &tool(1, Some(80)), 200), one);
    let two = here.bring("Us", "a", &tool(2, None), 300);
    here.say(one, "North", &Statement { path: vec!["x".into(), "y".into()], ..Statement::default() }, 90);
    here.say(one, "north", &Statement { path: vec!["y".into()], ..Statement::default() }, 150);
    here.say(one, "South", &Statement { credibility: Some(2), reliability: Some('D'), ..Statement::default() }, 210);
    let versions = here.versions();
    let [first, second] = versions.as_slice() else { unreachable!("{versions:?}") };
    assert_eq!(first.version.as_deref(), Some("2026-01-01T00:00:00.000Z"));
    assert_eq!((first.collections.len(), second.collections.len()), (2, 1));
    // North's word counts up to the ceiling; South's letter is its own, as nothing was agreed with it.
    let expected = [("North", Some('B'), None, Some(80), Some(60)), ("South", Some('D'), Some(2), Some(80), Some(80))];
    assert_eq!(rows(first), expected);
    assert_eq!(first.confidence, Some(80));
    let north = &first.sources[0];
    assert_eq!((north.path.as_slice(), north.first, north.last), (["y".to_owned()].as_slice(), 90, 150));
    // Who brought it in without a word is a source as well.
    assert_eq!(rows(second), [("Us", None, None, None, None)]);
    assert_eq!((second.confidence, second.sources[0].first, second.sources[0].ours), (None, 300, true));
    assert_ne!(one, two);
}

#[test]
fn what_counts_is_the_claim_under_the_ceiling() {
    for (claimed, said, expected) in [
        (None, Statement::default(), None),
        (Some(30), Statement::default(), Some(30)),
        (Some(30), Statement { confidence: Some(50), ..Statement::default() }, Some(50)),
        (None, Statement { confidence: Some(90), ..Statement::default() }, Some(60)),
        (None, Statement { credibility: Some(3), ..Statement::default() }, Some(50)),
        (None, Statement { credibility: Some(1), ..Statement::default() }, Some(60)),
        (None, Statement { credibility: Some(6), ..Statement::default() }, None),
        (Some(20), Statement { credibility: Some(1), ..Statement::default() }, Some(20)),
    ] {
        let here = Here::new();
        let mark = here.bring("North", "a", &tool(1, claimed), 100);
        here.say(mark, "North", &said, 100);
        let versions = here.versions();
        assert_eq!((versions[0].sources[0].confidence, versions[0].confidence), (expected, expected), "{said:?}");
    }
}

#[test]
fn our_own_grade_goes_before_what_others_claim() {
    let here = Here::new();
    let grade =
        |credibility, source, now| grade((&here.book, &here.book), "Us", TOOL, credibility, source, now).unwrap();
    assert_eq!(grade(3, None, 1), 0, "it is not there");
    let one = here.bring("North", "a", &tool(1, Some(100)), 100);
    here.bring("South", "a", &tool(2, Some(100)), 200);
    assert_eq!(grade(4, Some("NORTH"), 300), 1);
    let confidences = || here.versions().iter().map(|version| version.confidence).collect::<Vec<_>>();
    assert_eq!(confidences(), [Some(30), Some(100)], "the other version is another claim");
    let first = here.versions().remove(0);
    let expected = [("North", Some('B'), None, Some(100), Some(60)), ("Us", None, Some(4), None, Some(30))];
    assert_eq!(rows(&first), expected);
    // Ours may also be more than was agreed for the source: we know better now.
    assert_eq!(grade(1, None, 400), 2);
    assert_eq!(confidences(), [Some(90), Some(90)]);
    let ours = here.book.statements(&one).unwrap().remove(0);
    assert_eq!((ours.source.as_str(), ours.first, ours.last), ("Us", 300, 400));
    // Who says that it cannot be judged lifts no ceiling.
    assert_eq!(grade(6, None, 500), 2);
    assert_eq!(confidences(), [Some(60), Some(100)]);
    assert_eq!(grade(2, Some("Us"), 600), 2, "we said something of both");
    assert_eq!(grade(2, Some("Nobody"), 600), 0);
}

/// A grade changes nothing else of what we said, and a newer word of the source leaves the grade alone.
#[test]
fn a_grade_stands_beside_everything_else() {
    let here = Here::new();
    let mark = here.bring("Us", "a", &tool(1, Some(40)), 100);
    let said = Statement { path: vec!["x".into()], confidence: Some(35), ..Statement::default() };
    here.say(mark, "Us", &said, 100);
    assert_eq!(grade((&here.book, &here.book), "Us", TOOL, 2, None, 200).unwrap(), 1);
    let kept = here.book.statements(&mark).unwrap().remove(0);
    let kept: Statement = serde_json::from_slice(&kept.body).unwrap();
    assert_eq!(kept, Statement { credibility: Some(2), ..said });
    here.say(mark, "North", &Statement { confidence: Some(10), ..Statement::default() }, 300);
    let version = here.versions().remove(0);
    assert_eq!(
        rows(&version),
        [("North", Some('B'), None, Some(10), Some(10)), ("Us", None, Some(2), Some(35), Some(70))]
    );
    assert_eq!(version.confidence, Some(70));
}
