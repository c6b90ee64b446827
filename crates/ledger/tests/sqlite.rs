//! The battery on SQLite, and what only a file can suffer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong in a test ends it, and says where")]

mod battery;

use ledger::sqlite::{Book, restore};
use ledger::{Ledger as _, Register as _};

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
    a_call_is_whole,
    the_book_can_be_followed,
    readers_and_writers_at_once,
    the_register,
    the_sharing_model,
);

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
