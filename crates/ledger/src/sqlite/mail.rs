//! What waits for partners.

use crate::{Mail, Micros, Result};
use rusqlite::{Connection, Transaction, params};

pub(super) fn post(
    change: &Transaction<'_>,
    organisation: &str,
    objects: &[(&str, &[u8])],
    now: Micros,
) -> Result<u64, rusqlite::Error> {
    let last: i64 = change.query_row("SELECT value FROM meta WHERE name = 'last_mail'", [], |row| row.get(0))?;
    let mut write =
        change.prepare_cached("INSERT INTO mail VALUES(?1,?2,?3,?4) ON CONFLICT(organisation, id) DO NOTHING")?;
    let (mut newest, mut new) = (last, 0);
    for (id, body) in objects {
        let no = now.max(newest + 1);
        if write.execute(params![organisation, no, id, body])? > 0 {
            newest = no;
            new += 1;
        }
    }
    if new > 0 {
        change.execute("UPDATE meta SET value = ?1 WHERE name = 'last_mail'", [newest])?;
    }
    Ok(new)
}

pub(super) fn after(
    base: &Connection,
    organisation: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Mail>, rusqlite::Error> {
    base.prepare_cached(
        "SELECT no, organisation, id, body FROM mail WHERE organisation = ?1 AND no > ?2 ORDER BY no LIMIT ?3",
    )?
    .query_map(params![organisation, after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok(Mail { no: row.get(0)?, organisation: row.get(1)?, id: row.get(2)?, body: row.get(3)? })
    })?
    .collect()
}
