//! Erasing: bodies go for good, a tombstone in the order says that they went.

use super::head::{self, Head};
use super::leaf::Leaf;
use super::select::{self, Selection};
use super::shelf::Shelf;
use super::uncover::{self, Gone};
use super::{class, key_of, known_key};
use crate::{CollectionNo, Filter, Met, Micros, Result, Scope, Sees};
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeMap, HashSet};

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
    let (erased, gone) = erase(change, filter.collection, &chosen, now)?;
    uncover::run(change, filter.collection.0, &gone)?;
    Ok(erased)
}

/// Erases whatever lies in the scope and is agreed to, whoever may see it and also what was kept aside.
pub(super) fn within(
    change: &Transaction<'_>,
    scope: &Scope<'_>,
    which: &mut dyn FnMut(&Met<'_>) -> bool,
    now: Micros,
) -> Result<u64, rusqlite::Error> {
    let shelf = Shelf::new(change);
    let mut classes = scope.classes.map(|classes| classes.iter().map(|class| class.0).collect::<HashSet<u32>>());
    for class in classes.clone().iter().flatten() {
        if let (Some(open), Some(classes)) = (class::open_of(change, *class)?, &mut classes) {
            classes.insert(open);
        }
    }
    let before = scope.before.map_or(i64::MAX, |seq| seq.0);
    let fits = |head: &Head| {
        !matches!(head.state, head::ERASED | head::TOMBSTONE)
            && head.seq < before
            && classes.as_ref().is_none_or(|classes| classes.contains(&head.class))
    };
    let mut all: Vec<(u32, BTreeMap<i64, Vec<Head>>)> = Vec::new();
    for collection in shelf.collections()?.iter().filter(|no| scope.collection.is_none_or(|only| only.0 == **no)) {
        let mut chosen: BTreeMap<i64, Vec<Head>> = BTreeMap::new();
        let mut consider = |leaf: i64, head: Head| -> Result<(), rusqlite::Error> {
            if fits(&head) && shelf.show(*collection, leaf, &head, &mut *which)? {
                chosen.entry(leaf).or_default().push(head);
            }
            Ok(())
        };
        match scope.key {
            Some(key) => {
                for seq in versions(change, *collection, key)? {
                    if let Some((leaf, head)) = select::locate(change, *collection, seq)? {
                        consider(leaf, head)?;
                    }
                }
            }
            None => {
                let mut leaves = change.prepare_cached(
                    "SELECT no, heads FROM leaf WHERE collection = ?1 AND first_seq < ?2 ORDER BY first_seq",
                )?;
                let mut leaves = leaves.query(params![collection, before])?;
                while let Some(row) = leaves.next()? {
                    for head in head::heads(row.get_ref(1)?.as_blob()?) {
                        consider(row.get(0)?, head)?;
                    }
                }
            }
        }
        all.push((*collection, chosen));
    }
    drop(shelf);
    let mut count = 0;
    for (collection, chosen) in all.iter().filter(|(_, chosen)| !chosen.is_empty()) {
        let (erased, gone) = erase(change, CollectionNo(*collection), chosen, now)?;
        uncover::run(change, *collection, &gone)?;
        count += erased;
    }
    Ok(count)
}

/// Everything that the index lists under a key, in order.
fn versions(base: &Connection, collection: u32, key: &str) -> Result<Vec<i64>, rusqlite::Error> {
    let Some(key) = known_key(base, key)? else { return Ok(Vec::new()) };
    let mut found = base.prepare_cached("SELECT seq FROM version WHERE collection = ?1 AND key = ?2 ORDER BY seq")?;
    found.query_map(params![collection, key], |row| row.get(0))?.collect()
}

/// Erases single records or a whole book's worth, leaf by leaf. Returns how many, and what went of what was served.
pub(super) fn erase(
    change: &Transaction<'_>,
    collection: CollectionNo,
    chosen: &BTreeMap<i64, Vec<Head>>,
    now: Micros,
) -> Result<(u64, Gone), rusqlite::Error> {
    let mut gone = Gone::new();
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
            if head.state == head::LIVE {
                gone.push((leaf.key(head).to_owned(), head.class));
            }
        }
        let seqs: Vec<i64> = heads.iter().map(|head| head.seq).collect();
        leaf.erase(&seqs);
        leaf.update(change, *no, true)?;
    }
    tombstones.write(change, collection)?;
    change.execute("UPDATE meta SET value = ?1 WHERE name = 'last_seq'", [last])?;
    change.execute_batch("PRAGMA secure_delete=FAST")?;
    Ok((erased, gone))
}
