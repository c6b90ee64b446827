//! Erasing: bodies go for good, a tombstone in the order says that they went.

use super::head::{self, Head};
use super::key_of;
use super::leaf::Leaf;
use super::select::Selection;
use crate::{CollectionNo, Filter, Micros, Result, Sees};
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;

/// Erases what the filter selects, however much it is; the filter's limits are a page's, not a deletion's.
pub(super) fn run(
    change: &Transaction<'_>,
    filter: &Filter<'_>,
    sees: &dyn Sees,
    now: Micros,
) -> Result<u64, rusqlite::Error> {
    let all = Filter { limit: usize::MAX - 1, max_bytes: usize::MAX, ..filter.clone() };
    let mut chosen: BTreeMap<i64, Vec<Head>> = BTreeMap::new();
    let selection = Selection::new(change, &all, sees)?;
    selection.walk(|found| {
        for head in found.heads {
            if found.whole || selection.asker.shows(found.leaf, head)? {
                chosen.entry(found.leaf).or_default().push(*head);
            }
        }
        Ok(true)
    })?;
    drop(selection);
    erase(change, filter.collection, &chosen, now)
}

/// Erases whole collections' worth or single records, leaf by leaf.
pub(super) fn erase(
    change: &Transaction<'_>,
    collection: CollectionNo,
    chosen: &BTreeMap<i64, Vec<Head>>,
    now: Micros,
) -> Result<u64, rusqlite::Error> {
    let mut last: i64 = change.query_row("SELECT value FROM meta WHERE name = 'last_seq'", [], |row| row.get(0))?;
    let mut tombstones = Leaf::default();
    let mut erased = 0;
    change.execute_batch("PRAGMA secure_delete=ON")?;
    for (no, heads) in chosen {
        let mut leaf = Leaf::load(change, *no)?.unwrap_or_default();
        for head in heads {
            let key = key_of(change, &leaf.names, head)?;
            change
                .prepare_cached(
                    "DELETE FROM version WHERE collection=?1 AND key=?2 AND micros=?3 AND picos=?4 AND seq=?5",
                )?
                .execute(params![collection.0, key, head.micros, head.picos, head.seq])?;
            last = now.max(last + 1);
            let notice = Head { seq: last, state: head::TOMBSTONE, shared: false, ..*head };
            tombstones.push_empty(notice, leaf.key(head), leaf.version(head).unwrap_or_default());
            erased += 1;
        }
        let seqs: Vec<i64> = heads.iter().map(|head| head.seq).collect();
        leaf.erase(&seqs);
        leaf.update(change, *no, true)?;
    }
    tombstones.write(change, collection)?;
    change.execute("UPDATE meta SET value = ?1 WHERE name = 'last_seq'", [last])?;
    change.execute_batch("PRAGMA secure_delete=FAST")?;
    Ok(erased)
}
