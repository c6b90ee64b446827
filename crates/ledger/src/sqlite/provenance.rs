//! Seals and statements, by the mark of a stored body.
//!
//! What is said of a page's bodies is written side by side, and looked up side by side; only the index is by mark. A mark may
//! be anywhere in it, so writing a few thousand of them would change as many pages of a large index. They go to a small
//! index first, and from there into the large one when there are so many that they share its pages.

use crate::{Mark, Result, Statement};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::HashMap;

/// How many entries the small index holds before it is emptied into the large one.
pub(super) const FRESH: i64 = 1 << 16;
/// In the index: the author's seal, not an organisation's statement.
const SEAL: i64 = 0;

/// Something to be kept of a body: its seal, or a statement with the number of its source.
enum Said<'s> {
    Seal(&'s [u8]),
    Statement(i64, &'s Statement),
}

/// Keeps seals and statements; the small index is emptied when it holds more than `fresh` entries.
pub(super) fn put(
    change: &Transaction<'_>,
    seals: &[(Mark, &[u8])],
    statements: &[Statement],
    fresh: i64,
) -> Result<(), rusqlite::Error> {
    let mut all: Vec<(&Mark, Said<'_>)> = Vec::with_capacity(seals.len() + statements.len());
    all.extend(seals.iter().map(|(mark, body)| (mark, Said::Seal(body))));
    let mut sources: HashMap<&str, i64> = HashMap::new();
    for statement in statements {
        let source = match sources.get(&*statement.source) {
            Some(no) => *no,
            None => number(change, &statement.source)?,
        };
        sources.insert(&statement.source, source);
        all.push((&statement.mark, Said::Statement(source, statement)));
    }
    // Stable: of two seals of one body the first stays, of two statements of one instant the later.
    all.sort_by_key(|(mark, _)| *mark);
    let mut writer = Writer::new(change)?;
    for said in all.chunk_by(|one, other| one.0 == other.0) {
        writer.write(said)?;
    }
    let (seals, entries) = (writer.seals, writer.entries);
    drop(writer);
    if entries > 0 {
        let mut count = change.prepare_cached("UPDATE meta SET value = value + ?2 WHERE name = ?1")?;
        count.execute(params!["seals", seals])?;
        count.execute(params!["said_new", entries])?;
        settle(change, fresh)?;
    }
    Ok(())
}

/// Keeps seals in place of those that are kept of the same bodies.
pub(super) fn renew(change: &Transaction<'_>, seals: &[(Mark, &[u8])], fresh: i64) -> Result<(), rusqlite::Error> {
    let mut update = change
        .prepare_cached(&format!("UPDATE said SET body = ?2 WHERE no = (SELECT no FROM ({FIND}) WHERE source = ?3)"))?;
    for (mark, seal) in seals {
        if update.execute(params![mark, seal, SEAL])? == 0 {
            put(change, &[(*mark, seal)], &[], fresh)?;
        }
    }
    Ok(())
}

/// Empties the small index if it holds more than so many entries.
fn settle(change: &Transaction<'_>, fresh: i64) -> Result<(), rusqlite::Error> {
    let held: i64 = change.query_row("SELECT value FROM meta WHERE name = 'said_new'", [], |row| row.get(0))?;
    if held > fresh {
        change.execute_batch(
            "INSERT INTO said_of SELECT mark, source, no FROM said_new ORDER BY mark, source; DELETE FROM said_new;
             UPDATE meta SET value = 0 WHERE name = 'said_new';",
        )?;
    }
    Ok(())
}

/// Writes what is said of one body after another.
struct Writer<'c> {
    find: rusqlite::CachedStatement<'c>,
    add: rusqlite::CachedStatement<'c>,
    enter: rusqlite::CachedStatement<'c>,
    renew: rusqlite::CachedStatement<'c>,
    base: &'c Connection,
    /// How many seals were new.
    seals: i64,
    /// How many entries the small index has got.
    entries: i64,
}

impl<'c> Writer<'c> {
    fn new(base: &'c Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            find: base.prepare_cached(FIND)?,
            add: base.prepare_cached("INSERT INTO said(first, last, body) VALUES(?1, ?2, ?3)")?,
            enter: base.prepare_cached("INSERT INTO said_new VALUES(?1, ?2, ?3)")?,
            renew: base.prepare_cached(
                "UPDATE said SET body = CASE WHEN ?3 >= last THEN ?4 ELSE body END,
                 first = min(first, ?2), last = max(last, ?3) WHERE no = ?1",
            )?,
            base,
            seals: 0,
            entries: 0,
        })
    }

    /// All that is said in one call of one body.
    fn write(&mut self, said: &[(&Mark, Said<'_>)]) -> Result<(), rusqlite::Error> {
        let Some((mark, _)) = said.first() else { return Ok(()) };
        let mut known: Vec<(i64, i64)> =
            self.find.query_map([mark], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        for (_, said) in said {
            let source = match said {
                Said::Seal(_) => SEAL,
                Said::Statement(source, _) => *source,
            };
            match (known.iter().find(|(held, _)| *held == source), said) {
                (Some(_), Said::Seal(_)) => {}
                (Some((_, no)), Said::Statement(_, new)) => {
                    self.renew.execute(params![no, new.first, new.last, new.body])?;
                }
                (None, said) => {
                    match said {
                        Said::Seal(body) => self.add.execute(params![None::<i64>, None::<i64>, body])?,
                        Said::Statement(_, new) => self.add.execute(params![new.first, new.last, new.body])?,
                    };
                    let no = self.base.last_insert_rowid();
                    self.enter.execute(params![mark, source, no])?;
                    self.seals += i64::from(source == SEAL);
                    self.entries += 1;
                    known.push((source, no));
                }
            }
        }
        Ok(())
    }
}

/// Who said something of a body, and where it is.
const FIND: &str =
    "SELECT source, no FROM said_new WHERE mark = ?1 UNION ALL SELECT source, no FROM said_of WHERE mark = ?1";

/// The number of a source, which may be new.
fn number(change: &Transaction<'_>, organisation: &str) -> Result<i64, rusqlite::Error> {
    let known = change
        .prepare_cached("SELECT no FROM source WHERE organisation = ?1")?
        .query_row([organisation], |row| row.get(0))
        .optional()?;
    match known {
        Some(no) => Ok(no),
        None => {
            change.execute("INSERT INTO source(organisation) VALUES(?1)", [organisation])?;
            Ok(change.last_insert_rowid())
        }
    }
}

pub(super) fn seals(base: &Connection, marks: &[Mark]) -> Result<Vec<Option<Vec<u8>>>, rusqlite::Error> {
    let mut read = base.prepare_cached("SELECT body FROM said WHERE no = ?1")?;
    let mut found = vec![None; marks.len()];
    for (no, place, _) in places(base, marks, |source| source == SEAL)? {
        if let Some(slot) = found.get_mut(place) {
            *slot = Some(read.query_row([no], |row| row.get(0))?);
        }
    }
    Ok(found)
}

pub(super) fn statements(base: &Connection, marks: &[Mark]) -> Result<Vec<Vec<Statement>>, rusqlite::Error> {
    let mut names = base.prepare_cached("SELECT no, organisation FROM source")?;
    let names: HashMap<i64, String> =
        names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut read = base.prepare_cached("SELECT first, last, body FROM said WHERE no = ?1")?;
    let mut found = vec![Vec::new(); marks.len()];
    for (no, place, source) in places(base, marks, |source| source != SEAL)? {
        let (Some(mark), Some(slot)) = (marks.get(place), found.get_mut(place)) else { continue };
        let source = names.get(&source).cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        slot.push(read.query_row([no], |row| {
            Ok(Statement { mark: *mark, source, first: row.get(0)?, last: row.get(1)?, body: row.get(2)? })
        })?);
    }
    for statements in &mut found {
        statements.sort_by_cached_key(|statement: &Statement| statement.source.to_lowercase());
    }
    Ok(found)
}

/// Where what is said of bodies is, in its own order, with the place of its body among the marks and its source. The index
/// is asked in the order of the marks.
fn places(
    base: &Connection,
    marks: &[Mark],
    wanted: impl Fn(i64) -> bool,
) -> Result<Vec<(i64, usize, i64)>, rusqlite::Error> {
    let mut order: Vec<(&Mark, usize)> = marks.iter().zip(0..).collect();
    order.sort_unstable();
    let mut find = base.prepare_cached(FIND)?;
    let mut found = Vec::with_capacity(marks.len());
    for (mark, place) in order {
        let mut rows = find.query([mark])?;
        while let Some(row) = rows.next()? {
            let (source, no) = (row.get(0)?, row.get(1)?);
            if wanted(source) {
                found.push((no, place, source));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::Book;
    use crate::{Ledger as _, Organisation, Partners as _, Register as _, Relation};

    #[test]
    fn a_seal_stays_until_it_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let [one, two, three]: [Mark; 3] = [[1; 16], [2; 16], [3; 16]];
        book.put_seals(&[(one, b"one"), (two, b"two")]).unwrap();
        book.put_seals(&[(one, b"other")]).unwrap();
        let seals = || book.seals(&[one, two, three]).unwrap();
        let text = |seal: &[u8]| Some(seal.to_vec());
        assert_eq!(seals(), [text(b"one"), text(b"two"), None]);
        for fresh in [FRESH, 0] {
            // In the small index, and in the large one.
            let put = |change: &Transaction<'_>| put(change, &[([4; 16], b"four")], &[], fresh);
            book.change("put", put).unwrap();
            book.renew_seals(&[(one, b"renewed"), (three, b"three")]).unwrap();
            assert_eq!(seals(), [text(b"renewed"), text(b"two"), text(b"three")]);
            book.renew_seals(&[(one, b"again")]).unwrap();
            assert_eq!(seals()[0], text(b"again"));
        }
    }

    /// Whatever the small index holds, the answers are the same.
    #[test]
    fn what_is_said_is_found_in_both_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let [small, large] = ["small", "large"].map(|name| Book::create(&folder.path().join(name)).unwrap());
        let marks: Vec<Mark> =
            (0..40_u8).map(|no| std::array::from_fn(|at| if at == 0 { no.wrapping_mul(77) } else { no })).collect();
        for book in [&small, &large] {
            for name in ["North", "South"] {
                book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
            }
        }
        for round in 0..30_u8 {
            let some = || (0..40_u8).filter(move |no| no.wrapping_mul(round.wrapping_add(3)).is_multiple_of(7));
            let body = [round];
            let seals: Vec<(Mark, &[u8])> = some().map(|no| (marks[usize::from(no)], &body[..])).collect();
            let statement = |no: u8| Statement {
                mark: marks[usize::from(no)],
                source: if (no ^ round).is_multiple_of(3) { "North".into() } else { "South".into() },
                first: i64::from(round ^ 9),
                last: i64::from(round ^ 5),
                body: vec![round, no],
            };
            let statements: Vec<Statement> = some().map(statement).collect();
            for (book, fresh) in [(&small, 7), (&large, FRESH)] {
                book.change("test", |change| put(change, &seals, &statements, fresh)).unwrap();
            }
            assert_eq!(small.seals(&marks).unwrap(), large.seals(&marks).unwrap(), "round {round}");
            assert_eq!(small.statements_of(&marks).unwrap(), large.statements_of(&marks).unwrap(), "round {round}");
        }
        let count = |book: &Book, table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            book.read("count", |base| base.query_row(&sql, [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert!(count(&small, "said_new") <= 7 && count(&small, "said_of") > 100);
        assert_eq!(count(&large, "said_of"), 0);
        for book in [&small, &large] {
            assert_eq!(count(book, "said"), count(book, "said_new") + count(book, "said_of"));
            assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
        }
    }
}
