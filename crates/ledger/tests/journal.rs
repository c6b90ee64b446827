//! The journal: every way of tampering is found, every honest history is sound, and neither kill -9 nor company breaks it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong in a test ends it")]

use ledger::journal::{
    Anchor, Entry, Erasing, Fault, Flaw, Head, Journal as _, Keep, Line, Matter, Part, Person, Report, Scope, Verifier,
    Wanted, Which,
};
use ledger::sqlite::JournalFile;
use proptest::prelude::*;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const KEY: [u8; 32] = [5; 32];

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    fn open(&self) -> JournalFile {
        open(self.folder.path())
    }

    fn report(&self, noted: Option<Head>) -> Report {
        self.open().verify(noted, &mut |_, _| {}).unwrap()
    }

    fn faults(&self) -> Vec<Fault> {
        self.report(None).faults
    }

    fn tamper(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }
}

fn open(folder: &Path) -> JournalFile {
    JournalFile::open(&folder.join("audit.db"), Anchor::new(&folder.join("audit.anchor"), KEY)).unwrap()
}

fn entry(number: u64) -> Entry {
    let time = i64::try_from(number).unwrap() * 1_000;
    Entry {
        time,
        kind: if number.is_multiple_of(3) { "signed-in" } else { "handed-over" }.into(),
        matter: Matter {
            about: "7".to_owned(),
            span: (!number.is_multiple_of(3)).then_some((time, time + 500)),
            body: format!(r#"{{"count":{number}}}"#).into_bytes(),
            packed: vec![0xa5; usize::try_from(number % 3).unwrap()],
        },
        person: Person {
            salt: [u8::try_from(number % 251).unwrap(); 16],
            who: ["amina", "omar", ""][usize::try_from(number % 3).unwrap()].to_owned(),
            whom: String::new(),
            details: br#"{"address":"192.0.2.1"}"#.to_vec(),
        },
    }
}

fn fill(journal: &JournalFile, count: u64) -> Head {
    let entries: Vec<Entry> = (1..=count).map(entry).collect();
    for few in entries.chunks(3) {
        journal.write(few, Keep::Soon).unwrap();
    }
    journal.anchor().unwrap();
    journal.head().unwrap()
}

fn erasing<R>(now: i64, work: impl FnOnce(&mut Erasing<'_>) -> R) -> R {
    let mut next = 0;
    let mut salt = || {
        next += 1;
        [next; 16]
    };
    work(&mut Erasing { now, who: "operator", reason: "asked for it", salt: &mut salt })
}

#[test]
fn what_was_written_is_read_and_sound() {
    let place = Place::new();
    let journal = place.open();
    let head = fill(&journal, 10);
    assert_eq!(head.number, 10);
    let mut lines = Vec::new();
    assert_eq!(journal.read(&Wanted::default(), &mut |line| lines.push(line)).unwrap(), Some(10));
    for (line, wrote) in lines.iter().zip((1..).map(entry)) {
        assert_eq!((line.time, line.kind.as_str()), (wrote.time, &*wrote.kind));
        assert_eq!((line.matter.kept(), line.person.kept()), (Some(&wrote.matter), Some(&wrote.person)));
    }
    let numbers = |wanted: Wanted<'_>| {
        let mut numbers = Vec::new();
        journal.read(&wanted, &mut |line| numbers.push(line.number)).unwrap();
        numbers
    };
    assert_eq!(numbers(Wanted { after: 8, ..Wanted::default() }), [9, 10]);
    assert_eq!(numbers(Wanted { since: Some(9_000), ..Wanted::default() }), [9, 10]);
    assert_eq!(numbers(Wanted { kind: Some("signed-in"), ..Wanted::default() }), [3, 6, 9]);
    assert_eq!(numbers(Wanted { person: Some("Omar"), limit: 2, ..Wanted::default() }), [1, 4]);
    let mut found = Vec::new();
    journal.overlapping("7", (4_400, 5_000), &mut |line| found.push(line.number)).unwrap();
    assert_eq!(found, [4, 5]);
    let report = place.report(Some(head));
    assert_eq!((report.entries, report.head, report.faults), (10, head, Vec::new()));
    journal.set_position("syslog", 4).unwrap();
    assert_eq!((journal.position("syslog").unwrap(), journal.position("other").unwrap()), (4, 0));
}

#[test]
fn every_column_is_under_the_chain() {
    for (column, change) in [
        ("number", "number = 1000"),
        ("time", "time = time + 1"),
        ("kind", "kind = 'handed-ovex'"),
        ("about", "about = '8'"),
        ("first", "first = first - 1"),
        ("last", "last = last + 1"),
        ("last", "last = NULL"),
        ("body", "body = CAST(replace(CAST(body AS TEXT), '5', '6') AS BLOB)"),
        ("body", "body = NULL"),
        ("packed", "packed = x'a5'"),
        ("packed", "packed = NULL"),
        ("packed", "packed = CAST(substr(body, 4) || packed AS BLOB), body = substr(body, 1, 3)"),
        ("matter_digest", "matter_digest = zeroblob(32)"),
        ("salt", "salt = zeroblob(16)"),
        ("salt", "salt = zeroblob(15)"),
        ("who", "who = 'AMINA'"),
        ("whom", "whom = 'x'"),
        ("details", "details = CAST(replace(CAST(details AS TEXT), '1', '2') AS BLOB)"),
        ("person_digest", "person_digest = zeroblob(32)"),
        ("chain", "chain = zeroblob(32)"),
        ("chain", "chain = 'x'"),
    ] {
        let place = Place::new();
        fill(&place.open(), 9);
        place.tamper(&format!("UPDATE entry SET {change} WHERE number = 5"));
        let faults = place.faults();
        assert_eq!(faults.first().map(|fault| fault.number), Some(5), "{column}: {change}: {faults:?}");
        assert_eq!(faults.len(), if column == "number" { 2 } else { 1 }, "{column}: {change}: {faults:?}");
    }
}

/// Everything of an entry but its number.
const REST: &str =
    "time, kind, about, first, last, body, packed, matter_digest, salt, who, whom, details, person_digest, chain";

#[test]
fn tampering_with_entries_is_found_where_it_was_done() {
    let digests = |journal: &JournalFile| {
        let mut found = None;
        journal.read(&Wanted { after: 4, limit: 1, ..Wanted::default() }, &mut |line| found = Some(line)).unwrap();
        let line: Line = found.unwrap();
        (ledger::journal::hex(&line.matter.digest()), ledger::journal::hex(&line.person.digest()))
    };
    type Tamper = fn(&Place, (String, String));
    let table: &[(&str, Tamper, u64, Flaw)] = &[
        ("remove", |p, _| p.tamper("DELETE FROM entry WHERE number = 5"), 5, Flaw::Missing { to: 5 }),
        ("remove two", |p, _| p.tamper("DELETE FROM entry WHERE number IN (5, 6)"), 5, Flaw::Missing { to: 6 }),
        ("remove the first", |p, _| p.tamper("DELETE FROM entry WHERE number = 1"), 1, Flaw::Missing { to: 1 }),
        (
            "remove and close the gap",
            |p, _| {
                p.tamper("DELETE FROM entry WHERE number = 5; UPDATE entry SET number = number - 1 WHERE number > 5")
            },
            5,
            Flaw::Changed,
        ),
        (
            "insert",
            |p, _| {
                p.tamper(&format!(
                    "UPDATE entry SET number = -number - 1 WHERE number >= 5; UPDATE entry SET number = -number WHERE number < 0;
                     INSERT INTO entry(number, {REST}) SELECT 5, {REST} FROM entry WHERE number = 2"
                ));
            },
            5,
            Flaw::Changed,
        ),
        (
            "swap",
            |p, _| {
                p.tamper("UPDATE entry SET number = -5 WHERE number = 5; UPDATE entry SET number = 5 WHERE number = 6; UPDATE entry SET number = 6 WHERE number = -5");
            },
            5,
            Flaw::Changed,
        ),
        ("cut the end off", |p, _| p.tamper("DELETE FROM entry WHERE number > 7"), 8, Flaw::CutOff),
        ("empty it", |p, _| p.tamper("DELETE FROM entry"), 1, Flaw::CutOff),
        (
            "erase without an entry: what",
            |p, (matter, _)| {
                p.tamper(&format!("UPDATE entry SET about=NULL, first=NULL, last=NULL, body=NULL, packed=NULL, matter_digest=x'{matter}' WHERE number=5"))
            },
            5,
            Flaw::PartMissing(Which::Matter),
        ),
        (
            "erase without an entry: who",
            |p, (_, person)| {
                p.tamper(&format!("UPDATE entry SET salt=NULL, who=NULL, whom=NULL, details=NULL, person_digest=x'{person}' WHERE number=5"))
            },
            5,
            Flaw::PartMissing(Which::Person),
        ),
    ];
    for (name, tamper, number, flaw) in table {
        let place = Place::new();
        let journal = place.open();
        fill(&journal, 9);
        tamper(&place, digests(&journal));
        drop(journal);
        let faults = place.faults();
        assert_eq!(faults.first(), Some(&Fault { number: *number, flaw: flaw.clone() }), "{name}: {faults:?}");
        // Going on does not hide it: the anchor is not moved past what contradicts it.
        let journal = place.open();
        journal.write(&[entry(1), entry(2), entry(3), entry(4), entry(5)], Keep::Now).unwrap();
        drop(journal);
        assert_ne!(place.faults(), [], "{name}");
    }
}

#[test]
fn a_chain_that_was_computed_anew_does_not_fit_the_anchor() {
    let (place, other) = (Place::new(), Place::new());
    fill(&place.open(), 9);
    // All the same but one byte, chained as it should be.
    let forged = other.open();
    for number in 1..=9 {
        let mut entry = entry(number);
        if number == 4 {
            entry.matter.body = br#"{"count":5}"#.to_vec();
        }
        forged.write(&[entry], Keep::Soon).unwrap();
    }
    forged.backup(&place.folder.path().join("forged.db")).unwrap();
    std::fs::rename(place.folder.path().join("forged.db"), place.file()).unwrap();
    for log in ["audit.db-wal", "audit.db-shm"] {
        let _ = std::fs::remove_file(place.folder.path().join(log));
    }
    assert_eq!(place.faults(), [Fault { number: 9, flaw: Flaw::OtherHead }]);
}

#[test]
fn an_older_copy_is_found_by_the_anchor_and_by_a_noted_head() {
    let place = Place::new();
    let journal = place.open();
    let early = fill(&journal, 4);
    let (old, old_anchor) = (place.folder.path().join("old.db"), place.folder.path().join("old.anchor"));
    journal.backup(&old).unwrap();
    std::fs::copy(place.folder.path().join("audit.anchor"), &old_anchor).unwrap();
    journal.write(&(5..=9).map(entry).collect::<Vec<_>>(), Keep::Now).unwrap();
    let late = journal.head().unwrap();
    drop(journal);
    let _ = std::fs::remove_file(place.folder.path().join("audit.db-wal"));
    std::fs::rename(&old, place.file()).unwrap();
    assert_eq!(place.faults(), [Fault { number: 5, flaw: Flaw::CutOff }]);
    std::fs::rename(&old_anchor, place.folder.path().join("audit.anchor")).unwrap();
    assert_eq!(place.faults(), [], "both together only a head noted elsewhere can tell");
    assert_eq!(place.report(Some(late)).faults, [Fault { number: 5, flaw: Flaw::CutOff }]);
    assert_eq!(place.report(Some(early)).faults, []);
    let wrong = Head { chain: [1; 32], ..early };
    assert_eq!(place.report(Some(wrong)).faults, [Fault { number: 4, flaw: Flaw::OtherHead }]);
    assert_eq!(late.to_string().parse::<Head>().unwrap(), late);
    for text in ["", "4", "4:", "x:00", "4:zz"] {
        assert!(text.parse::<Head>().is_err(), "{text}");
    }
    std::fs::remove_file(place.folder.path().join("audit.anchor")).unwrap();
    assert!(matches!(place.faults()[..], [Fault { number: 0, flaw: Flaw::Anchor(_) }]));
}

#[test]
fn erased_persons_are_gone_and_the_chain_holds() {
    let place = Place::new();
    let journal = place.open();
    fill(&journal, 30);
    let count = erasing(40_000, |by| journal.erase(Which::Person, Scope::Person("OMAR"), by)).unwrap();
    assert_eq!(count, 10);
    assert_eq!(erasing(40_001, |by| journal.erase(Which::Person, Scope::Person("omar"), by)).unwrap(), 0);
    let count = erasing(41_000, |by| journal.erase(Which::Matter, Scope::Before(6_000), by)).unwrap();
    assert_eq!(count, 5);
    let count = erasing(42_000, |by| journal.erase(Which::Person, Scope::Before(42_000), by)).unwrap();
    assert_eq!(count, 22, "twenty of the others, and two by whom it was erased");
    let report = place.report(None);
    assert_eq!((report.entries, report.faults), (33, Vec::new()));
    let mut kept = 0;
    journal.read(&Wanted::default(), &mut |line| kept += u32::from(matches!(line.matter, Part::Kept(_)))).unwrap();
    assert_eq!(kept, 28);
    drop(journal);
    for file in ["audit.db", "audit.db-wal"] {
        let bytes = std::fs::read(place.folder.path().join(file)).unwrap_or_default();
        for name in ["omar", "amina", "192.0.2.1"] {
            assert!(!bytes.windows(name.len()).any(|window| window == name.as_bytes()), "{name} is still in {file}");
        }
    }
    // Its own account of an erasure cannot be taken away, and what was erased cannot be put back.
    let wounded = |sql: &str, expected: &[u64]| {
        let copy = Place::new();
        for file in ["audit.db", "audit.anchor"] {
            std::fs::copy(place.folder.path().join(file), copy.folder.path().join(file)).unwrap();
        }
        copy.tamper(sql);
        let numbers: Vec<u64> = copy.faults().iter().map(|fault| fault.number).collect();
        assert_eq!(numbers, expected, "{sql}");
    };
    wounded(
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '[1,1]', '[1,2]') AS BLOB) WHERE number = 31",
        &[31],
    );
    wounded(
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '[1,5]', '[1,4]') AS BLOB) WHERE number = 32",
        &[5, 32],
    );
    wounded(
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '[1,5]', '[1,99]') AS BLOB) WHERE number = 32",
        &[1, 2, 3, 4, 5, 32, 32],
    );
}

#[test]
fn a_line_of_json_says_all_that_the_chain_needs() {
    let place = Place::new();
    let journal = place.open();
    fill(&journal, 12);
    erasing(40_000, |by| journal.erase(Which::Person, Scope::Person("omar"), by)).unwrap();
    let mut texts = Vec::new();
    journal.read(&Wanted::default(), &mut |line| texts.push(line.to_json("a time".into()).unwrap())).unwrap();
    let faults = |texts: &[String]| {
        let mut verifier = Verifier::new();
        texts.iter().for_each(|text| verifier.take(&Line::from_json(text).unwrap()));
        verifier.finish().faults
    };
    assert_eq!(faults(&texts), []);
    let text = &texts[1];
    for (from, to) in [
        ("\"count\":2", "\"count\":3"),
        ("\"packed\":\"a5a5\"", "\"packed\":\"a5a4\""),
        ("\"micros\":2000", "\"micros\":2001"),
        ("192.0.2.1", "192.0.2.7"),
    ] {
        assert!(text.contains(from), "{text}");
        let mut changed = texts.clone();
        changed[1] = text.replace(from, to);
        assert_eq!(faults(&changed), [Fault { number: 2, flaw: Flaw::Changed }], "{from}");
    }
    let mut repeated = texts.clone();
    repeated.insert(3, texts[2].clone());
    assert_eq!(faults(&repeated), [Fault { number: 3, flaw: Flaw::Repeated }]);
    for bad in [
        "",
        "{}",
        "[1]",
        &text.replace("\"number\"", "\"nomber\""),
        &text.replace("\"who\"", "\"wer\""),
        &text.replace("\"a5a5\"", "\"a5a\""),
        &text.replace("\"a5a5\"", "\"A5a5\""),
    ] {
        assert!(Line::from_json(bad).is_err(), "{bad}");
    }
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Write(u64, Keep),
    Erase(Which, i64),
    Forget(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let which = prop_oneof![Just(Which::Matter), Just(Which::Person)];
    let keep = prop_oneof![4 => Just(Keep::Soon), 1 => Just(Keep::Now)];
    prop_oneof![
        4 => (1_u64..20, keep).prop_map(|(count, keep)| Step::Write(count, keep)),
        1 => (which, 0_i64..100_000).prop_map(|(which, before)| Step::Erase(which, before)),
        1 => prop_oneof![Just("amina"), Just("omar"), Just("operator")].prop_map(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn honest_histories_are_sound_and_one_changed_byte_is_not(
        steps in proptest::collection::vec(step(), 1..20),
        victim in 0_usize..1_000,
    ) {
        let place = Place::new();
        let journal = place.open();
        let (mut next, mut wrote) = (0, 0);
        for step in steps {
            match step {
                Step::Write(count, keep) => {
                    let entries: Vec<Entry> = (next + 1..=next + count).map(entry).collect();
                    next += count;
                    wrote = journal.write(&entries, keep).unwrap().number;
                }
                Step::Erase(which, before) => {
                    erasing(before, |by| journal.erase(which, Scope::Before(before), by)).unwrap();
                }
                Step::Forget(name) => {
                    erasing(1, |by| journal.erase(Which::Person, Scope::Person(name), by)).unwrap();
                }
            }
        }
        let report = place.report(None);
        prop_assert_eq!(&report.faults, &[]);
        prop_assert!(report.entries >= wrote);
        if report.entries > 0 {
            let victim = victim as u64 % report.entries + 1;
            place.tamper(&format!("UPDATE entry SET time = time + 1 WHERE number = {victim}"));
            prop_assert_eq!(place.faults(), [Fault { number: victim, flaw: Flaw::Changed }]);
        }
    }
}

/// This test's own program, doing one of the two things below in a process of its own.
fn child(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("JOURNAL_FOLDER", folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn folder() -> PathBuf {
    std::env::var_os("JOURNAL_FOLDER").unwrap().into()
}

#[test]
#[ignore = "started by others"]
fn writes_until_it_is_killed() {
    let journal = open(&folder());
    for number in 1.. {
        let keep = if number % 64 == 0 { Keep::Now } else { Keep::Soon };
        let head = journal.write(&[entry(number)], keep).unwrap();
        println!("wrote {}", head.number);
    }
}

#[test]
#[ignore = "started by others"]
fn writes_two_hundred() {
    let journal = open(&folder());
    for number in 1..=200 {
        let keep = if number % 50 == 0 { Keep::Now } else { Keep::Soon };
        journal.write(&[entry(number)], keep).unwrap();
    }
}

#[test]
fn kill_9_loses_nothing_that_was_written() {
    use std::io::BufRead as _;
    let place = Place::new();
    drop(place.open());
    let mut told = 0;
    for lines in [3, 90, 300] {
        let mut child = child("writes_until_it_is_killed", place.folder.path());
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < lines {
            let line = out.next().unwrap().unwrap();
            if let Some((_, number)) = line.split_once("wrote ") {
                (told, seen) = (number.parse::<u64>().unwrap(), seen + 1);
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let report = place.report(None);
        assert_eq!(report.faults, []);
        assert!(report.entries >= told, "{} of {told}", report.entries);
    }
}

#[test]
fn several_processes_write_one_chain() {
    let place = Place::new();
    let mut children: Vec<Child> = (0..3).map(|_| child("writes_two_hundred", place.folder.path())).collect();
    let journal = place.open();
    for number in 1..=100 {
        journal.write(&[entry(number)], Keep::Soon).unwrap();
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let report = place.report(None);
    assert_eq!((report.entries, report.faults), (700, Vec::new()));
}
