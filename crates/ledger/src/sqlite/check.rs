//! Reading everything: following the book in order, counting it, and comparing it with itself.

use super::head::{self, Head};
use super::leaf::{self, Leaf};
use super::shelf::Shelf;
use super::{cover, key_of, partners};
use crate::{CollectionNo, Fault, Record, References, Result, Seq, Statistics, Version};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// Faults that are reported at most.
const MOST: usize = 1000;

pub(super) fn follow(
    base: &Connection,
    after: Seq,
    limit: usize,
    each: &mut dyn FnMut(&Record<'_>),
) -> Result<Option<Seq>, rusqlite::Error> {
    // Leaves of different collections overlap in time: take every leaf that may hold one of the next records.
    let mut next: Vec<(i64, i64, u32)> = Vec::new();
    let mut rows =
        base.prepare_cached("SELECT no, heads, collection FROM leaf WHERE last_seq > ?1 ORDER BY first_seq")?;
    let mut found = rows.query([after.0])?;
    while let Some(row) = found.next()? {
        let (no, collection): (i64, u32) = (row.get(0)?, row.get(2)?);
        let heads = row.get_ref(1)?.as_blob()?;
        let first = head::heads(heads).find(|head| head.seq > after.0).map_or(i64::MAX, |head| head.seq);
        if next.len() >= limit
            && let Some(edge) = next.get(limit - 1)
            && first > edge.0
        {
            break;
        }
        next.extend(head::heads(heads).filter(|head| head.seq > after.0).map(|head| (head.seq, no, collection)));
        next.sort_unstable();
        next.truncate(limit);
    }
    let mut open: std::collections::HashMap<i64, Leaf> = std::collections::HashMap::new();
    for (seq, no, collection) in &next {
        if !open.contains_key(no) {
            open.insert(*no, Leaf::load(base, *no)?.unwrap_or_default());
        }
        let Some(leaf) = open.get_mut(no) else { continue };
        let Some(head) = leaf.find(*seq).map(|head| *head) else { continue };
        give(base, leaf, &head, CollectionNo(*collection), each)?;
    }
    Ok(next.last().map(|(seq, _, _)| Seq(*seq)))
}

fn give(
    base: &Connection,
    leaf: &Leaf,
    head: &Head,
    collection: CollectionNo,
    each: &mut dyn FnMut(&Record<'_>),
) -> Result<(), rusqlite::Error> {
    let kind: String =
        base.prepare_cached("SELECT name FROM kind WHERE no = ?1")?.query_row([head.kind], |row| row.get(0))?;
    each(&Record {
        seq: head.seq(),
        collection,
        key: leaf.key(head),
        kind: &kind,
        version: leaf.version(head).map(|text| Version { micros: head.micros, picos: head.picos, text }),
        dialect: head.dialect(),
        class: head.class(),
        state: head.state(),
        body: leaf.body(head),
    });
    Ok(())
}

pub(super) fn statistics(base: &Connection) -> Result<Statistics, rusqlite::Error> {
    let count = |sql: &str| {
        base.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|n| u64::try_from(n.unwrap_or(0)).unwrap_or(0))
    };
    let all = count("SELECT sum(count) FROM leaf")?;
    let listed = count("SELECT count(*) FROM version")?;
    let aside = count("SELECT count(*) FROM version WHERE state <> 0")?;
    Ok(Statistics {
        records: listed - aside,
        aside,
        // An erased record and its tombstone are both in the leaves and neither in the index.
        tombstones: (all - listed) / 2,
        body_bytes: count("SELECT sum(size) FROM leaf")?,
        disk_bytes: count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
        last: last(base)?,
        seals: count("SELECT value FROM meta WHERE name = 'seals'")?,
        recalls: count("SELECT count(*) FROM recall")?,
        mail: count("SELECT count(*) FROM mail")?,
    })
}

pub(super) fn last(base: &Connection) -> Result<Option<Seq>, rusqlite::Error> {
    let mut last = base.prepare_cached("SELECT value FROM meta WHERE name = 'last_seq'")?;
    let last: i64 = last.query_row([], |row| row.get(0))?;
    Ok((last > 0).then_some(Seq(last)))
}

pub(super) fn run(base: &Connection, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Fault>, rusqlite::Error> {
    let mut faults = Faults(Vec::new());
    let mut engine = base.prepare("PRAGMA integrity_check(100)")?;
    for line in engine.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            faults.add("file", format!("{line}: restore the last backup, then `marsad check` again"));
        }
    }
    for orphan in base
        .prepare("SELECT leaf FROM body WHERE leaf NOT IN (SELECT no FROM leaf)")?
        .query_map([], |row| row.get::<_, i64>(0))?
    {
        faults.add(&format!("body {}", orphan?), "no leaf owns it: restore the last backup".into());
    }
    partners::check(base, &mut |table, message| faults.add(table, message))?;
    leaves(base, &mut faults, progress)?;
    Ok(faults.0)
}

/// Looks at everything that a class shows without asking: what such a record refers to must be shown by the class too.
pub(super) fn cover(base: &Connection, references: References<'_>) -> Result<Vec<Fault>, rusqlite::Error> {
    let (mut faults, shelf) = (Faults(Vec::new()), Shelf::new(base));
    let mut classes = base.prepare("SELECT no FROM class WHERE open IS NOT NULL")?;
    let classes: HashSet<u32> = classes.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut leaves = base.prepare("SELECT no, collection, heads FROM leaf ORDER BY collection, first_seq")?;
    let mut leaves = leaves.query([])?;
    while let Some(row) = leaves.next()? {
        let (no, collection): (i64, u32) = (row.get(0)?, row.get(1)?);
        let place = format!("leaf {no} of collection {collection}");
        for head in head::heads(row.get_ref(2)?.as_blob()?) {
            if head.state != head::LIVE || !classes.contains(&head.class) {
                continue;
            }
            let wanted = shelf.show(collection, no, &head, references)?;
            if wanted.is_empty() != (head.refers == head::ALONE) {
                faults
                    .add(&place, format!("record {} and the note of its references differ: import it again", head.seq));
            }
            for id in wanted {
                if !cover::holds(base, (collection, &id, head.class), i64::MAX)? {
                    faults.add(
                        &place,
                        format!(
                            "record {} is shown with `{id}`, which its class does not show: import it again",
                            head.seq
                        ),
                    );
                }
            }
        }
    }
    Ok(faults.0)
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, place: &str, message: String) {
        if self.0.len() < MOST {
            self.0.push(Fault { place: place.to_owned(), message });
        }
    }
}

fn leaves(base: &Connection, faults: &mut Faults, progress: &mut dyn FnMut(u64, u64)) -> Result<(), rusqlite::Error> {
    let total: u64 = base
        .query_row("SELECT ifnull(sum(count), 0) FROM leaf", [], |row| row.get::<_, i64>(0))?
        .try_into()
        .unwrap_or(0);
    let (mut done, mut listed, mut before) = (0_u64, 0_i64, (0_u32, i64::MIN));
    let newest: i64 = base.query_row("SELECT value FROM meta WHERE name = 'last_seq'", [], |row| row.get(0))?;
    let mut classes = base.prepare("SELECT no FROM class")?;
    let classes: HashSet<u32> = classes.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows =
        base.prepare("SELECT no, collection, count, sum, refers FROM leaf ORDER BY collection, first_seq")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (no, collection, count): (i64, u32, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let place = format!("leaf {no} of collection {collection}");
        let Some(leaf) = Leaf::load(base, no)? else {
            faults.add(&place, "its bodies are missing: restore the last backup".into());
            continue;
        };
        let (heads, _, _) = leaf.sealed();
        if leaf.heads.len() != count as usize
            || leaf::checksum(&heads, &leaf.names, &leaf.bodies) != row.get_ref(3)?.as_blob()?
        {
            faults.add(&place, "its checksum does not hold, a byte has changed: restore the last backup".into());
        }
        if leaf.refers() && !row.get::<_, bool>(4)? {
            faults.add(&place, "it is not listed among those with references: restore the last backup".into());
        }
        for head in &leaf.heads {
            if !classes.contains(&head.class) {
                faults.add(&place, format!("record {} has no policy class: restore the last backup", head.seq));
            }
            let in_order = before.0 != collection || head.seq > before.1;
            if !in_order || head.seq > newest {
                faults.add(&place, format!("record {} is out of order: restore the last backup", head.seq));
            }
            before = (collection, head.seq);
            listed += i64::from(record(base, &leaf, head, collection, &place, faults)?);
        }
        done += u64::from(count);
        progress(done, total);
    }
    let indexed: i64 = base.query_row("SELECT count(*) FROM version", [], |row| row.get(0))?;
    if indexed != listed {
        faults.add(
            "index of versions",
            format!("it lists {indexed} records, the leaves hold {listed}: restore the last backup"),
        );
    }
    Ok(())
}

/// Checks one record against the index; whether the index must list it.
fn record(
    base: &Connection,
    leaf: &Leaf,
    head: &Head,
    collection: u32,
    place: &str,
    faults: &mut Faults,
) -> Result<bool, rusqlite::Error> {
    if matches!(head.state, head::ERASED | head::TOMBSTONE) {
        if head.length > 0 {
            faults.add(place, format!("record {} is erased but has a body: erase it again", head.seq));
        }
        return Ok(false);
    }
    if leaf.body(head).is_empty() {
        faults.add(place, format!("record {} has no body: restore the last backup", head.seq));
    }
    let found: Option<(u32, u8, u8)> = base
        .prepare_cached(
            "SELECT class, dialect, state FROM version WHERE collection=?1 AND key=?2 AND micros=?3 AND picos=?4 AND seq=?5",
        )?
        .query_row(params![collection, key_of(base, &leaf.names, head)?, head.micros, head.picos, head.seq], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    if found != Some((head.class, head.dialect, head.state)) {
        faults.add(place, format!("record {} and the index differ: restore the last backup", head.seq));
    }
    Ok(found.is_some())
}
