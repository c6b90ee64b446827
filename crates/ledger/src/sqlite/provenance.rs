//! Seals and statements, by the mark of a stored body.
//!
//! What is said of a page's bodies is written side by side, and looked up side by side; only the index is by mark. A mark may
//! be anywhere in it, so writing a few thousand of them would change as many pages of a large index. They go to a small
//! index first, and from there into the large one when there are so many that they share its pages.

use crate::{Mark, Micros, Result, Stated, Statement};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::HashMap;

/// How many entries the small index holds before it is emptied into the large one.
pub(super) const FRESH: i64 = 1 << 16;
/// In the index: the author's seal, not an organisation's statement.
const SEAL: i64 = 0;

/// Something to be kept of a body: its seal, or a statement with the number of its source.
enum Said<'s> {
    Seal(&'s [u8]),
    Statement(i64, &'s Stated<'s>),
}

/// Keeps seals and statements; the small index is emptied when it holds more than `fresh` entries.
pub(super) fn put(
    change: &Transaction<'_>,
    seals: &[(Mark, &[u8])],
    statements: &[Stated<'_>],
    fresh: i64,
) -> Result<(), rusqlite::Error> {
    let mut all: Vec<(&Mark, Said<'_>)> = Vec::with_capacity(seals.len() + statements.len());
    all.extend(seals.iter().map(|(mark, body)| (mark, Said::Seal(body))));
    let mut sources: HashMap<&str, i64> = HashMap::new();
    for statement in statements {
        let source = match sources.get(statement.source) {
            Some(no) => *no,
            None => number(change, statement.source)?,
        };
        sources.insert(statement.source, source);
        all.push((&statement.mark, Said::Statement(source, statement)));
    }
    // Stable: of two seals of one body the first stays, of two statements of one instant the later.
    all.sort_by_key(|(mark, _)| *mark);
    let mut writer = Writer::new(change)?;
    for said in all.chunk_by(|one, other| one.0 == other.0) {
        writer.write(said)?;
    }
    writer.count_uses()?;
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
    let (mut entries, mut left) = (0, Vec::new());
    let mut writer = Writer::new(change)?;
    for (mark, seal) in seals {
        let known = writer.known(mark)?;
        let own = known.iter().find(|(source, _)| *source == SEAL).map(|(_, no)| *no);
        let is_new = own.is_none() && !writer.has_seal(&known)?;
        let row = writer.seal(seal)?;
        match own {
            Some(no) => {
                writer.lead(mark, SEAL, row)?;
                // After all others: what follows would get a row of its own.
                left.push(no);
            }
            None => {
                writer.enter.execute(params![mark, SEAL, row])?;
                entries += 1;
            }
        }
        writer.seals += i64::from(is_new);
    }
    for no in left {
        writer.leave(no)?;
    }
    writer.count_uses()?;
    let new = writer.seals;
    drop(writer);
    let mut count = change.prepare_cached("UPDATE meta SET value = value + ?2 WHERE name = ?1")?;
    count.execute(params!["seals", new])?;
    count.execute(params!["said_new", entries])?;
    settle(change, fresh)
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

/// Where some words lie in memory: what lies in one place is one text.
type Words = (*const u8, usize);

fn words(text: &[u8]) -> Words {
    (text.as_ptr(), text.len())
}

/// What is alike of many bodies: a seal (without a source), or a statement with its dates and the row of its seal.
type Alike = (i64, Words, Option<(Micros, Micros)>, Option<i64>);

/// Writes what is said of one body after another.
struct Writer<'c> {
    find: rusqlite::CachedStatement<'c>,
    add: rusqlite::CachedStatement<'c>,
    enter: rusqlite::CachedStatement<'c>,
    base: &'c Connection,
    /// Rows that were written in this call, and how many entries lead to each so far.
    rows: HashMap<Alike, (i64, i64)>,
    /// How many seals were new.
    seals: i64,
    /// How many entries the small index has got.
    entries: i64,
}

impl<'c> Writer<'c> {
    fn new(base: &'c Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            find: base.prepare_cached(FIND)?,
            add: base.prepare_cached("INSERT INTO said(first, last, body, seal, uses) VALUES(?1, ?2, ?3, ?4, 1)")?,
            enter: base.prepare_cached("INSERT INTO said_new VALUES(?1, ?2, ?3)")?,
            base,
            rows: HashMap::new(),
            seals: 0,
            entries: 0,
        })
    }

    /// All that is said in one call of one body.
    fn write(&mut self, said: &[(&Mark, Said<'_>)]) -> Result<(), rusqlite::Error> {
        let Some((mark, _)) = said.first() else { return Ok(()) };
        let mut known = self.known(mark)?;
        let mut seal = said.iter().find_map(|(_, said)| match said {
            Said::Seal(body) => Some(*body),
            Said::Statement(..) => None,
        });
        if seal.is_some() && self.has_seal(&known)? {
            seal = None;
        }
        self.seals += i64::from(seal.is_some());
        for (_, said) in said {
            let Said::Statement(source, new) = said else { continue };
            if let Some(held) = known.iter_mut().find(|(held, _)| held == source) {
                held.1 = self.renew(mark, *held, new)?;
                continue;
            }
            let no = self.statement(*source, new, seal.take())?;
            self.enter(mark, *source, no)?;
            known.push((*source, no));
        }
        if let Some(seal) = seal {
            let no = self.seal(seal)?;
            self.enter(mark, SEAL, no)?;
        }
        Ok(())
    }

    /// Who said something of a body so far, and in which row.
    fn known(&mut self, mark: &Mark) -> Result<Vec<(i64, i64)>, rusqlite::Error> {
        self.find.query_map([mark], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    fn has_seal(&self, known: &[(i64, i64)]) -> Result<bool, rusqlite::Error> {
        for (source, no) in known {
            if *source == SEAL || seal_at(self.base, *no)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(&mut self, mark: &Mark, source: i64, no: i64) -> Result<(), rusqlite::Error> {
        self.enter.execute(params![mark, source, no])?;
        self.entries += 1;
        Ok(())
    }

    /// The row of a seal, to which one more leads.
    fn seal(&mut self, body: &[u8]) -> Result<i64, rusqlite::Error> {
        let alike = (SEAL, words(body), None, None);
        if let Some((no, uses)) = self.rows.get_mut(&alike) {
            *uses += 1;
            return Ok(*no);
        }
        self.add.execute(params![None::<i64>, None::<i64>, body, None::<i64>])?;
        let no = self.base.last_insert_rowid();
        self.rows.insert(alike, (no, 1));
        Ok(no)
    }

    /// The row of a statement, with the seal that came with it, to which one more entry leads.
    fn statement(&mut self, source: i64, new: &Stated<'_>, seal: Option<&[u8]>) -> Result<i64, rusqlite::Error> {
        // The row of the seal is one for all rows of statements that are alike: it is counted when such a row is written.
        let sealed = seal.and_then(|seal| self.rows.get(&(SEAL, words(seal), None, None)));
        let dates = Some((new.first, new.last));
        if let Some((seal, _)) = sealed.copied().or_else(|| seal.is_none().then_some((0, 0))) {
            let alike = (source, words(new.body), dates, (seal != 0).then_some(seal));
            if let Some((no, uses)) = self.rows.get_mut(&alike) {
                *uses += 1;
                return Ok(*no);
            }
        }
        let seal = seal.map(|seal| self.seal(seal)).transpose()?;
        self.add.execute(params![new.first, new.last, new.body, seal])?;
        let no = self.base.last_insert_rowid();
        self.rows.insert((source, words(new.body), dates, seal), (no, 1));
        Ok(no)
    }

    /// What a source says of a body of which it has said something before. Returns where that is now.
    fn renew(&mut self, mark: &Mark, held: (i64, i64), new: &Stated<'_>) -> Result<i64, rusqlite::Error> {
        // What is written down of uses must be right from here on.
        self.count_uses()?;
        let (source, no) = held;
        let mut read = self.base.prepare_cached("SELECT first, last, body, seal, uses FROM said WHERE no = ?1")?;
        let (first, last, body, seal, uses): (i64, i64, Vec<u8>, Option<i64>, i64) =
            read.query_row([no], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        let body = if new.last >= last { new.body } else { &*body };
        let (first, last) = (first.min(new.first), last.max(new.last));
        if uses == 1 {
            let mut update =
                self.base.prepare_cached("UPDATE said SET first = ?2, last = ?3, body = ?4 WHERE no = ?1")?;
            update.execute(params![no, first, last, body])?;
            return Ok(no);
        }
        self.add.execute(params![first, last, body, seal])?;
        let row = self.base.last_insert_rowid();
        if let Some(seal) = seal {
            self.use_more(seal, 1)?;
        }
        self.lead(mark, source, row)?;
        self.leave(no)?;
        Ok(row)
    }

    /// Has an entry lead to another row.
    fn lead(&self, mark: &Mark, source: i64, row: i64) -> Result<(), rusqlite::Error> {
        for table in ["said_new", "said_of"] {
            let sql = format!("UPDATE {table} SET no = ?3 WHERE mark = ?1 AND source = ?2");
            if self.base.prepare_cached(&sql)?.execute(params![mark, source, row])? > 0 {
                break;
            }
        }
        Ok(())
    }

    /// One entry less leads to a row: one to which nothing leads is gone, and with it what leads from there to its seal.
    fn leave(&mut self, no: i64) -> Result<(), rusqlite::Error> {
        self.count_uses()?;
        let mut next = Some(no);
        while let Some(no) = next.take() {
            self.use_more(no, -1)?;
            let mut gone = self.base.prepare_cached("DELETE FROM said WHERE no = ?1 AND uses = 0 RETURNING seal")?;
            next = gone.query_row([no], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten();
        }
        Ok(())
    }

    fn use_more(&self, no: i64, by: i64) -> Result<(), rusqlite::Error> {
        let mut update = self.base.prepare_cached("UPDATE said SET uses = uses + ?2 WHERE no = ?1")?;
        update.execute([no, by]).map(drop)
    }

    /// Writes down how many entries lead to the rows of this call. What follows gets rows of its own.
    fn count_uses(&mut self) -> Result<(), rusqlite::Error> {
        for (no, uses) in std::mem::take(&mut self.rows).into_values() {
            // It was written with one.
            if uses > 1 {
                self.use_more(no, uses - 1)?;
            }
        }
        Ok(())
    }
}

/// The row of the seal that hangs on the row of a statement.
fn seal_at(base: &Connection, no: i64) -> Result<Option<i64>, rusqlite::Error> {
    let mut read = base.prepare_cached("SELECT seal FROM said WHERE no = ?1")?;
    Ok(read.query_row([no], |row| row.get(0)).optional()?.flatten())
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
    let mut rows: Vec<Option<i64>> = vec![None; marks.len()];
    let mut last = None;
    for (no, place, source) in places(base, marks, |_| true)? {
        let row = match last {
            _ if source == SEAL => Some(no),
            Some((same, seal)) if same == no => seal,
            _ => {
                let seal = seal_at(base, no)?;
                last = Some((no, seal));
                seal
            }
        };
        // One that has an entry of its own comes before one that hangs on a statement.
        if let Some(slot) = rows.get_mut(place).filter(|slot| slot.is_none() || source == SEAL) {
            *slot = row;
        }
    }
    let mut order: Vec<(i64, usize)> = rows.iter().zip(0..).filter_map(|(row, place)| Some(((*row)?, place))).collect();
    order.sort_unstable();
    let mut read = base.prepare_cached("SELECT body FROM said WHERE no = ?1")?;
    let mut found = vec![None; marks.len()];
    for of_row in order.chunk_by(|one, other| one.0 == other.0) {
        let Some((no, _)) = of_row.first() else { continue };
        let body: Vec<u8> = read.query_row([no], |row| row.get(0))?;
        for (_, place) in of_row {
            if let Some(slot) = found.get_mut(*place) {
                *slot = Some(body.clone());
            }
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

    /// What is said of many at once lies in a few rows, and goes when nothing leads there any more.
    #[test]
    fn what_is_alike_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book")).unwrap();
        book.add_organisation(&Organisation { name: "North".into(), relation: Relation::Community }).unwrap();
        let marks: Vec<Mark> = (0..50_u8).map(|no| [no; 16]).collect();
        let (seal, word, later) = (b"seal".as_slice(), b"word".as_slice(), b"later".as_slice());
        let say = |marks: &[Mark], body: &[u8], at: i64| {
            let stated = |mark: &Mark| Stated { mark: *mark, source: "North", first: at, last: at, body };
            let stated: Vec<Stated<'_>> = marks.iter().map(stated).collect();
            let seals: Vec<(Mark, &[u8])> = marks.iter().map(|mark| (*mark, seal)).collect();
            book.change("put", |change| put(change, &seals, &stated, FRESH)).unwrap();
            assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
        };
        let rows = || {
            let sql = "SELECT count(*), sum(uses) FROM said";
            book.read("count", |base| base.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))))
                .unwrap()
        };
        say(&marks, word, 1);
        assert_eq!(rows(), (2, 51));
        assert!(book.seals(&marks).unwrap().iter().all(|found| found.as_deref() == Some(seal)));
        // What is said anew of some leaves the others alone.
        say(&marks[..20], later, 2);
        let said = book.statements_of(&marks).unwrap();
        let bodies: Vec<&[u8]> = said.iter().map(|of| &*of[0].body).collect();
        assert_eq!(bodies, [[later; 20].as_slice(), &[word; 30]].concat());
        assert_eq!(rows(), (22, 50 + 21));
        say(&marks, later, 3);
        assert_eq!(rows(), (51, 50 + 50), "each has a row of its own, and one seal");
        book.renew_seals(&marks.iter().map(|mark| (*mark, later)).collect::<Vec<_>>()).unwrap();
        assert!(book.seals(&marks).unwrap().iter().all(|found| found.as_deref() == Some(later)));
        assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
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
                let stated: Vec<Stated<'_>> = statements.iter().map(Statement::as_stated).collect();
                book.change("test", |change| put(change, &seals, &stated, fresh)).unwrap();
            }
            assert_eq!(small.seals(&marks).unwrap(), large.seals(&marks).unwrap(), "round {round}");
            assert_eq!(small.statements_of(&marks).unwrap(), large.statements_of(&marks).unwrap(), "round {round}");
        }
        let count = |book: &Book, table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            book.read("count", |base| base.query_row(&sql, [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert!(count(&small, "said_new") <= 7 && count(&small, "said_of") > 50);
        assert_eq!(count(&large, "said_of"), 0);
        for book in [&small, &large] {
            assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
        }
    }
}
