//! Seals and statements, by the mark of a stored body. Both are written and looked up in the order of the marks: neighbours
//! share their pages, and marks are spread evenly.

use crate::{Mark, Result, Statement};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::HashMap;

pub(super) fn put(
    change: &Transaction<'_>,
    seals: &[(Mark, &[u8])],
    statements: &[Statement],
) -> Result<(), rusqlite::Error> {
    // Stable: of two seals of one body the first stays, of two statements of one instant the later.
    let mut seals: Vec<&(Mark, &[u8])> = seals.iter().collect();
    seals.sort_by_key(|(mark, _)| *mark);
    let mut new = 0_i64;
    let mut write = change.prepare_cached("INSERT OR IGNORE INTO seal VALUES(?1, ?2)")?;
    for (mark, body) in seals {
        new += i64::from(write.execute(params![mark, body])? > 0);
    }
    if new > 0 {
        change.execute("UPDATE meta SET value = value + ?1 WHERE name = 'seals'", [new])?;
    }
    let mut sources: HashMap<&str, i64> = HashMap::new();
    let mut statements: Vec<&Statement> = statements.iter().collect();
    statements.sort_by_key(|statement| statement.mark);
    let mut write = change.prepare_cached(
        "INSERT INTO statement VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET
         body = CASE WHEN excluded.last >= last THEN excluded.body ELSE body END,
         first = min(first, excluded.first), last = max(last, excluded.last)",
    )?;
    for statement in statements {
        let source = match sources.get(&*statement.source) {
            Some(no) => *no,
            None => {
                let no = number(change, &statement.source)?;
                sources.insert(&statement.source, no);
                no
            }
        };
        write.execute(params![statement.mark, source, statement.first, statement.last, statement.body])?;
    }
    Ok(())
}

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
    let mut find = base.prepare_cached("SELECT body FROM seal WHERE mark = ?1")?;
    in_order(marks, |mark| find.query_row([mark], |row| row.get(0)).optional())
}

pub(super) fn statements(base: &Connection, marks: &[Mark]) -> Result<Vec<Vec<Statement>>, rusqlite::Error> {
    let mut names = base.prepare_cached("SELECT no, organisation FROM source")?;
    let names: HashMap<i64, String> =
        names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut find = base.prepare_cached("SELECT source, first, last, body FROM statement WHERE mark = ?1")?;
    in_order(marks, |mark| {
        let row = |row: &rusqlite::Row<'_>| {
            let source = names.get(&row.get(0)?).cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok(Statement { mark: *mark, source, first: row.get(1)?, last: row.get(2)?, body: row.get(3)? })
        };
        let mut found = find.query_map([mark], row)?.collect::<Result<Vec<Statement>, _>>()?;
        found.sort_by_cached_key(|statement| statement.source.to_lowercase());
        Ok(found)
    })
}

/// Asks in the order of the marks and answers in the order of the question.
fn in_order<T: Default>(
    marks: &[Mark],
    mut find: impl FnMut(&Mark) -> Result<T, rusqlite::Error>,
) -> Result<Vec<T>, rusqlite::Error> {
    let mut order: Vec<(&Mark, usize)> = marks.iter().zip(0..).collect();
    order.sort_unstable();
    let mut found: Vec<T> = std::iter::repeat_with(T::default).take(marks.len()).collect();
    for (mark, place) in order {
        if let Some(slot) = found.get_mut(place) {
            *slot = find(mark)?;
        }
    }
    Ok(found)
}
