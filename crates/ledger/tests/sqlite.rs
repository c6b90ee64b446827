//! The battery on SQLite, and what only a file can suffer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong in a test ends it, and says where")]

mod battery;

use ledger::sqlite::{Book, restore};
use ledger::{Alerts as _, Ledger as _, Register as _};
use std::path::Path;

/// A book whose folder lives as long as the process: the system clears it away.
fn make() -> Book {
    let folder = tempfile::tempdir().unwrap().keep();
    Book::create(&folder.join("book.db")).unwrap()
}

macro_rules! run {
    ($($name:ident),* $(,)?) => { $( #[test] fn $name() { battery::$name(make); } )* };
}

run!(
    agrees_with_the_oracle,
    hidden_records_leave_no_trace,
    classes_come_in_pairs,
    cover_goes_and_comes_all_along,
    an_escaped_reference_loses_cover,
    a_renewed_record_comes_again,
    a_call_is_whole,
    the_book_can_be_followed,
    readers_and_writers_at_once,
    the_register,
    the_sharing_model,
    newcomers_of_a_group,
);

#[test]
fn how_members_sign_in() {
    battery::people::second_factors(make);
    battery::people::sessions(make);
    battery::people::credentials(make);
}

#[test]
fn what_the_watch_found() {
    battery::alerts::alerts(make);
    battery::alerts::closed_alerts(make);
    battery::alerts::tellings(make);
    battery::alerts::verdicts(make);
}

#[test]
fn what_is_kept_of_partners() {
    battery::partners::partners(make);
    battery::partners::provenance(make);
    battery::partners::recalls(make);
    battery::partners::mail(make);
}

/// Another process has the file open; the book is closed and opened; it is put back from a backup.
#[test]
fn what_is_kept_of_partners_is_in_the_file() {
    use battery::partners::{keep_one_of_everything, one_of_everything_is_there, recall};
    use ledger::{Error, Partners as _};
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("book.db"), folder.path().join("copy.db"));
    let book = Book::create(&path).unwrap();
    let other = Book::open(&path, 0).unwrap();
    let book = keep_one_of_everything(book);
    one_of_everything_is_there(&other);
    book.backup(&copy, &mut |_, _| {}).unwrap();
    // Both give numbers, and neither gives one twice.
    assert_eq!(other.post("North", &[("s", b"s")], 5).unwrap() + book.post("North", &[("t", b"t")], 5).unwrap(), 2);
    assert_eq!(other.mail("North", 5, 9).unwrap().iter().map(|mail| mail.no).collect::<Vec<_>>(), [6, 7]);
    assert!(matches!(other.add_recall(&recall("r", "p", 9), &[]), Err(Error::Exists { .. })));
    drop((book, other));
    let book = Book::open(&path, 0).unwrap();
    assert_eq!(book.drop_mail("North", i64::MAX).unwrap(), 3);
    drop(book);
    let book = Book::open(&path, 0).unwrap();
    book.post("North", &[("u", b"u")], 5).unwrap();
    assert_eq!(book.mail("North", 0, 9).unwrap().iter().map(|mail| mail.no).collect::<Vec<_>>(), [8]);
    drop(book);
    restore(&copy, &path, 0).unwrap();
    one_of_everything_is_there(&Book::open(&path, 0).unwrap());
}

#[test]
fn a_full_disk_keeps_nothing_of_what_is_said() {
    use ledger::{Error, Partners as _, Statement};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let book = battery::partners::keep_one_of_everything(Book::create(&path).unwrap());
    book.limit_pages(1).unwrap();
    let large = vec![b'x'; 1 << 20];
    let statement = Statement { mark: [2; 16], source: "West".into(), first: 1, last: 1, body: large.clone() };
    let full = |outcome: ledger::Result<()>| assert!(matches!(outcome, Err(Error::Full { .. })), "{outcome:?}");
    full(book.put_provenance(&[([2; 16], b"small"), ([3; 16], &large)], std::slice::from_ref(&statement)));
    full(book.put_statements(&[statement]));
    full(book.post("North", &[("small", b"1"), ("large", &large)], 9).map(drop));
    full(book.add_recall(&ledger::Recall { body: large, ..battery::partners::recall("s", "o", 9) }, &[]));
    battery::partners::one_of_everything_is_there(&book);
    book.limit_pages(i64::MAX).unwrap();
    book.put_seals(&[([2; 16], b"small")]).unwrap();
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

#[test]
fn what_does_not_belong_together_is_found() {
    for (wound, place) in [
        ("DELETE FROM organisation WHERE name = 'West'", "source"),
        ("DELETE FROM partner WHERE organisation = 'South'", "partner_link"),
        ("DELETE FROM recall", "delivery"),
        ("DELETE FROM said WHERE no = 1", "said"),
        ("UPDATE said SET uses = 2 WHERE no = 1", "said"),
        ("UPDATE said SET seal = 2 WHERE no = 2", "said"),
        ("INSERT INTO said(first, last, body) VALUES(NULL, NULL, x'01')", "said"),
        ("UPDATE meta SET value = 2 WHERE name = 'seals'", "seals"),
        ("UPDATE said_new SET mark = x'01'", "said_of"),
        ("UPDATE said SET first = NULL", "said_of"),
        ("INSERT INTO said_of SELECT * FROM said_new; UPDATE said SET uses = 2 WHERE no = 2", "said_of"),
        ("DELETE FROM source", "said_of"),
        ("UPDATE meta SET value = 4 WHERE name = 'last_mail'", "mail"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.db");
        let book = battery::partners::keep_one_of_everything(Book::create(&path).unwrap());
        let knife = rusqlite::Connection::open(&path).unwrap();
        knife.execute_batch(&format!("PRAGMA foreign_keys = OFF; {wound}")).unwrap();
        let places: Vec<String> = book.check(&mut |_, _| {}).unwrap().into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, [place], "{wound}");
    }
}

/// A book as its schema was with the ninth step.
fn of_version_9(path: &Path) -> rusqlite::Connection {
    let old = rusqlite::Connection::open(path).unwrap();
    for step in ["schema", "aside", "status", "sharing", "cover", "people", "partners", "newcomers", "alerts"] {
        let sql = std::fs::read_to_string(format!("{}/src/sqlite/{step}.sql", env!("CARGO_MANIFEST_DIR"))).unwrap();
        old.execute_batch(&sql).unwrap();
    }
    old.execute_batch("PRAGMA user_version = 9").unwrap();
    old
}

/// What was said before seals and statements could be kept once for many.
#[test]
fn what_an_older_file_says_of_bodies_is_said_after_it_is_brought_up_to_date() {
    use ledger::Partners as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let old = of_version_9(&path);
    old.execute_batch(
        "INSERT INTO organisation(name, relation) VALUES('North', 1); INSERT INTO source VALUES(1, 'North');
         INSERT INTO said VALUES(1, NULL, NULL, CAST('seal' AS BLOB)), (2, 3, 4, CAST('word' AS BLOB));
         INSERT INTO said_of VALUES(zeroblob(16), 0, 1); INSERT INTO said_new VALUES(zeroblob(16), 1, 2);
         UPDATE meta SET value = 1 WHERE name IN ('seals', 'said_new');",
    )
    .unwrap();
    drop(old);
    let book = Book::open(&path, 5).unwrap();
    let mark = [0; 16];
    let statement =
        |first, last, body: &[u8]| ledger::Statement { mark, source: "North".into(), first, last, body: body.to_vec() };
    assert_eq!(book.seals(&[mark]).unwrap(), [Some(b"seal".to_vec())]);
    assert_eq!(book.statements(&mark).unwrap(), [statement(3, 4, b"word")]);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
    book.put_provenance(&[(mark, b"other")], &[statement(9, 9, b"later")]).unwrap();
    book.renew_seals(&[(mark, b"newer")]).unwrap();
    assert_eq!(book.seals(&[mark]).unwrap(), [Some(b"newer".to_vec())]);
    assert_eq!(book.statements(&mark).unwrap(), [statement(3, 9, b"later")]);
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}

#[test]
fn an_older_file_is_brought_up_to_date_after_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../src/sqlite/schema.sql")).unwrap();
    old.execute_batch("PRAGMA user_version = 1; INSERT INTO note VALUES('kept', x'01');").unwrap();
    drop(old);
    let book = Book::open(&path, 77).unwrap();
    assert_eq!(book.note("kept").unwrap(), Some(vec![1]));
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
    let names =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let snapshot = names.into_iter().find(|name| name.contains("before-v") && name.contains("77")).expect("a snapshot");
    let snapshot = rusqlite::Connection::open(folder.path().join(snapshot)).unwrap();
    assert_eq!(snapshot.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

/// Of what was stored before references were noted nothing counts as covered until somebody has looked.
#[test]
fn records_of_an_older_file_are_open_until_they_are_settled() {
    let folder = tempfile::tempdir().unwrap();
    let (path, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let no = {
        let book = Book::create(&new).unwrap();
        battery::fill(&book)
    };
    let old = rusqlite::Connection::open(&path).unwrap();
    for step in ["schema", "aside", "status"] {
        let step = std::fs::read_to_string(format!("{}/src/sqlite/{step}.sql", env!("CARGO_MANIFEST_DIR"))).unwrap();
        old.execute_batch(&step).unwrap();
    }
    old.execute_batch(&format!("ATTACH '{}' AS new", new.display())).unwrap();
    let leaf = "no, collection, first_seq, last_seq, count, size, kinds, sum, heads, names";
    for (table, columns) in
        [("kind", "*"), ("author", "*"), ("leaf", leaf), ("body", "*"), ("version", "*"), ("collection", "*")]
    {
        old.execute_batch(&format!("INSERT INTO {table} SELECT {columns} FROM new.{table}")).unwrap();
    }
    old.execute_batch(
        "INSERT INTO class SELECT no, '0' FROM new.class WHERE open IS NOT NULL; UPDATE class SET definition = x'30';
         DELETE FROM meta; INSERT INTO meta SELECT * FROM new.meta WHERE name IN ('last_seq', 'generation'); PRAGMA user_version = 3;",
    )
    .unwrap();
    let leaves: Vec<(i64, Vec<u8>)> = old
        .prepare("SELECT no, heads FROM leaf")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (leaf, mut heads) in leaves {
        heads.as_chunks_mut::<56>().0.iter_mut().for_each(|head| head[47] = 0);
        let (names, bodies): (Vec<u8>, Vec<u8>) = old
            .query_row("SELECT names, bytes FROM leaf JOIN body ON leaf = no WHERE no = ?1", [leaf], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let mut sum = blake3::Hasher::new();
        sum.update(&heads).update(&names).update(&bodies);
        old.execute(
            "UPDATE leaf SET heads = ?2, sum = ?3 WHERE no = ?1",
            rusqlite::params![leaf, heads, &sum.finalize().as_bytes()[..16]],
        )
        .unwrap();
    }
    drop(old);
    let book = Book::open(&path, 0).unwrap();
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
    let class = book.class(b"0", b"0 open").unwrap();
    let covered = || {
        let filter = battery::everything(no);
        book.objects(&filter, &|seen: ledger::ClassNo| seen == class, &mut Vec::new()).unwrap().count
    };
    assert_eq!((battery::count(&book, no), covered()), (50, 0));
    // The first refers to what is nowhere, the others to nothing.
    let references = |met: &ledger::Met<'_>| if met.body == b"{\"n\":0}" { vec!["x--1".to_owned()] } else { vec![] };
    assert_eq!(book.settle(no, &references).unwrap(), 49);
    assert_eq!((battery::count(&book, no), covered()), (50, 49));
    assert_eq!((book.check(&mut |_, _| {}).unwrap(), book.check_cover(&references).unwrap()), (vec![], vec![]));
    // Another opinion of what refers to what is a fault.
    assert_eq!(book.check_cover(&|_| vec!["x--1".to_owned()]).unwrap().len(), 2 * 49);
}

#[test]
fn verdicts_of_before_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.db");
    let old = of_version_9(&path);
    for (n, body) in [(1_u8, r#"{"state":"false-positive"}"#), (2, r#"{"state":"new"}"#), (3, "damaged"), (4, "")] {
        let alert = rusqlite::params![n.to_string(), [n; 32], format!("indicator--{n}"), n, n, body.as_bytes()];
        old.execute("INSERT INTO alert VALUES(?1, ?2, ?3, 0, ?4, ?5, NULL, ?6)", alert).unwrap();
    }
    drop(old);
    let book = Book::open(&path, 0).unwrap();
    let mut wrong = Vec::new();
    book.alerting(&mut |desk| {
        for n in 1..=4 {
            wrong.push(desk.is_wrong(&format!("indicator--{n}"))?);
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(wrong, [true, false, false, false]);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    drop(Book::create(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(Book::open(&path, 0), Err(ledger::Error::TooNew { found: 99, .. })));
}

#[test]
fn a_changed_byte_is_found_and_a_backup_puts_it_right() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("book.db"), folder.path().join("copy.db"));
    let book = Book::create(&path).unwrap();
    let no = battery::fill(&book);
    book.backup(&copy, &mut |_, _| {}).unwrap();
    assert!(matches!(book.backup(&copy, &mut |_, _| {}), Err(ledger::Error::Exists { .. })));
    let wound = rusqlite::Connection::open(&path).unwrap();
    wound
        .execute("UPDATE body SET bytes = CAST(replace(CAST(bytes AS TEXT), '7', '8') AS BLOB) WHERE leaf = (SELECT min(leaf) FROM body)", [])
        .unwrap();
    assert_ne!(book.check(&mut |_, _| {}).unwrap(), []);
    drop((wound, book));
    restore(&copy, &path, 0).unwrap();
    let book = Book::open(&path, 0).unwrap();
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
    assert_eq!(battery::count(&book, no), 50);
}

/// Asks for another object, and takes an error for an answer.
struct Careless;

impl ledger::Sees for Careless {
    fn class(&self, _: ledger::ClassNo) -> ledger::Sight {
        ledger::Sight::Ask
    }

    fn record(&self, met: &ledger::Met<'_>, book: &dyn ledger::Lookup, out: Option<&mut Vec<u8>>) -> bool {
        out.into_iter().for_each(|out| out.extend_from_slice(met.body));
        let _ = book.versions("indicator--00000000-0000-4000-8000-000000000049", &mut |_| true);
        true
    }
}

#[test]
fn a_look_up_that_fails_fails_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let book = Book::create(&path).unwrap();
    let filter = ledger::Filter { limit: 1, ..battery::everything(battery::fill(&book)) };
    assert_eq!(book.objects(&filter, &Careless, &mut Vec::new()).unwrap().count, 1);
    let wound = rusqlite::Connection::open(&path).unwrap();
    assert_eq!(wound.execute("DELETE FROM body WHERE leaf = (SELECT max(leaf) FROM body)", []).unwrap(), 1);
    let outcome = book.objects(&filter, &Careless, &mut Vec::new());
    assert!(matches!(outcome, Err(ledger::Error::Storage { .. })), "{outcome:?}");
    let key = "indicator--00000000-0000-4000-8000-000000000000";
    assert!(book.contains(filter.collection, key, &Careless).is_err());
}

#[test]
fn a_full_disk_refuses_the_write_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.db");
    let book = Book::create(&path).unwrap();
    let no = battery::fill(&book);
    book.limit_pages(1).unwrap();
    let outcome = battery::try_large(&book, no);
    assert!(matches!(outcome, Err(ledger::Error::Full { .. })), "{outcome:?}");
    assert_eq!(battery::count(&book, no), 50, "reading goes on");
    book.limit_pages(i64::MAX).unwrap();
    assert!(battery::try_large(&book, no).is_ok());
    assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
}
