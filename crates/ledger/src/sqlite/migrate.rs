//! The schema and its history. A file's version is SQLite's `user_version`; steps are applied in order, each whole.

use super::{Store, copy_to};
use crate::{Error, Micros, Result};
use rusqlite::Connection;
use std::path::Path;

/// Step n brings version n to n + 1. Published steps are never edited: a change is a further step.
const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("aside.sql"),
    include_str!("status.sql"),
    include_str!("sharing.sql"),
    include_str!("cover.sql"),
    include_str!("people.sql"),
    include_str!("partners.sql"),
    include_str!("newcomers.sql"),
    include_str!("alerts.sql"),
    include_str!("verdicts.sql"),
];

/// Brings the file up to date.
pub(super) fn run(base: &mut Connection, path: &Path, now: Micros) -> Result<()> {
    let store = Store { path };
    let version = |base: &Connection| base.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = version(base).map_err(store.failed("read the schema's version"))?;
    if found > known {
        return Err(Error::TooNew { path: path.display().to_string(), found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let snapshot = path.with_extension(format!("before-v{known}.{now}.db"));
        copy_to(base, &snapshot, &mut |_, _| {}).map_err(Store { path: &snapshot }.failed("write a snapshot"))?;
    }
    let mut step = || {
        let change = base.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        // Another process may have been first.
        let found = usize::try_from(version(&change)?).unwrap_or_default();
        for step in STEPS.get(found..).unwrap_or_default() {
            change.execute_batch(step)?;
        }
        change.execute_batch(&format!("PRAGMA user_version = {known}"))?;
        change.commit()
    };
    step().map_err(store.failed("bring the schema up to date"))
}
