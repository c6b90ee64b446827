//! Policy classes: definitions with numbers, in pairs of a class and its open variant.

use crate::{ClassNo, Result};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// A class by its definition, if it has its open variant.
pub(super) fn paired(base: &Connection, definition: &[u8]) -> Result<Option<ClassNo>, rusqlite::Error> {
    base.prepare_cached("SELECT no FROM class WHERE definition = ?1 AND open IS NOT NULL")?
        .query_row([definition], |row| row.get(0).map(ClassNo))
        .optional()
}

/// Makes a class and its open variant. `None`: the variant is taken by another class, or is none.
pub(super) fn pair(
    change: &Transaction<'_>,
    definition: &[u8],
    open: &[u8],
) -> Result<Option<ClassNo>, rusqlite::Error> {
    if let Some(no) = paired(change, definition)? {
        return Ok(Some(no));
    }
    let (old, variant) = (find(change, definition)?, find(change, open)?);
    let belongs =
        |class: u32| Ok::<_, rusqlite::Error>(covered_of(change, class)?.or(open_of(change, class)?).is_some());
    if definition == open
        || old.map(belongs).transpose()? == Some(true)
        || variant.map(belongs).transpose()? == Some(true)
    {
        return Ok(None);
    }
    let variant = match (old, variant) {
        // Of the records that an earlier Marsad put into the class nobody has looked at references: they keep their number,
        // which now means the open variant, and the class gets a new one.
        (Some(old), None) => {
            change.execute("UPDATE class SET definition = ?2 WHERE no = ?1", params![old, open])?;
            old
        }
        (Some(_), Some(_)) => return Ok(None),
        (None, Some(variant)) => variant,
        (None, None) => insert(change, open, None)?,
    };
    insert(change, definition, Some(variant)).map(|no| Some(ClassNo(no)))
}

/// The number of the open variant of a class; `None` if there is none, as of an open variant itself.
pub(super) fn open_of(base: &Connection, class: u32) -> Result<Option<u32>, rusqlite::Error> {
    let open = base
        .prepare_cached("SELECT open FROM class WHERE no = ?1")?
        .query_row([class], |row| row.get::<_, Option<u32>>(0))
        .optional()?;
    Ok(open.flatten())
}

/// The class of which this is the open variant.
pub(super) fn covered_of(base: &Connection, open: u32) -> Result<Option<u32>, rusqlite::Error> {
    base.prepare_cached("SELECT no FROM class WHERE open = ?1")?.query_row([open], |row| row.get(0)).optional()
}

/// A definition, and whether it can no longer change.
pub(super) fn definition(base: &Connection, class: ClassNo) -> Result<Option<(Vec<u8>, bool)>, rusqlite::Error> {
    base.prepare_cached(
        "SELECT definition, open IS NOT NULL OR EXISTS(SELECT 1 FROM class other WHERE other.open = class.no)
         FROM class WHERE no = ?1",
    )?
    .query_row([class.0], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

fn find(base: &Connection, definition: &[u8]) -> Result<Option<u32>, rusqlite::Error> {
    base.prepare_cached("SELECT no FROM class WHERE definition = ?1")?
        .query_row([definition], |row| row.get(0))
        .optional()
}

fn insert(change: &Transaction<'_>, definition: &[u8], open: Option<u32>) -> Result<u32, rusqlite::Error> {
    change.prepare_cached("INSERT INTO class(definition, open) VALUES(?1, ?2)")?.execute(params![definition, open])?;
    Ok(u32::try_from(change.last_insert_rowid()).unwrap_or(u32::MAX))
}
