//! Another class for what is stored, at once and wherever it lies.

use super::head::{self, Head};
use super::leaf::Leaf;
use super::shelf::Shelf;
use super::{class, cover, key_of, known_key, remove, select, uncover};
use crate::{ClassNo, CollectionNo, Met, Micros, Place, Result};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;

/// A record and the class that it gets.
struct Move {
    leaf: i64,
    head: Head,
    class: u32,
}

pub(super) fn run(
    change: &Transaction<'_>,
    key: &str,
    to: &mut dyn FnMut(&Met<'_>) -> Option<ClassNo>,
    place: Place,
    now: Micros,
) -> Result<u64, rusqlite::Error> {
    let Some(blob) = known_key(change, key)? else { return Ok(0) };
    let shelf = Shelf::new(change);
    let mut all: Vec<(u32, Vec<Move>)> = Vec::new();
    for collection in shelf.collections()? {
        let mut live = change
            .prepare_cached("SELECT seq FROM version WHERE collection = ?1 AND key = ?2 AND state = 0 ORDER BY seq")?;
        let live: Vec<i64> = live.query_map(params![collection, blob], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut moves = Vec::new();
        for seq in live {
            let Some((leaf, head)) = select::locate(change, *collection, seq)? else { continue };
            let Some(wanted) = shelf.show(*collection, leaf, &head, &mut *to)? else { continue };
            let class = class_for(change, &head, wanted.0)?;
            if class != head.class || place == Place::Renewed {
                moves.push(Move { leaf, head, class });
            }
        }
        all.push((*collection, moves));
    }
    drop(shelf);
    let mut count = 0;
    for (collection, moves) in all.iter().filter(|(_, moves)| !moves.is_empty()) {
        let gone = match place {
            Place::Kept => stay(change, *collection, key, moves)?,
            Place::Renewed => renew(change, *collection, moves, now)?,
        };
        uncover::run(change, *collection, &gone)?;
        count += moves.len() as u64;
    }
    Ok(count)
}

/// What a record gets when it shall have a class: the open variant if it refers to something, unless it has the class
/// already and is covered.
fn class_for(base: &Connection, head: &Head, wanted: u32) -> Result<u32, rusqlite::Error> {
    let covered = class::covered_of(base, wanted)?.unwrap_or(wanted);
    if head.refers == head::ALONE || head.class == covered {
        return Ok(covered);
    }
    Ok(class::open_of(base, covered)?.unwrap_or(covered))
}

/// Changes the classes where the records lie.
fn stay(
    change: &Transaction<'_>,
    collection: u32,
    key: &str,
    moves: &[Move],
) -> Result<uncover::Gone, rusqlite::Error> {
    let mut leaves: BTreeMap<i64, Vec<&Move>> = BTreeMap::new();
    for one in moves {
        leaves.entry(one.leaf).or_default().push(one);
    }
    for (no, moves) in leaves {
        let Some(mut leaf) = Leaf::load(change, no)? else { continue };
        for Move { head: was, class, .. } in moves {
            cover::set_class(change, collection, &key_of(change, &leaf.names, was)?, was, *class)?;
            if let Some(head) = leaf.find(was.seq) {
                head.class = *class;
            }
        }
        leaf.update(change, no, false)?;
    }
    Ok(moves.iter().map(|one| (key.to_owned(), one.head.class)).collect())
}

/// Gives the records new places at the end of the order, with the same bodies; the old ones are erased.
fn renew(
    change: &Transaction<'_>,
    collection: u32,
    moves: &[Move],
    now: Micros,
) -> Result<uncover::Gone, rusqlite::Error> {
    let mut old: BTreeMap<i64, Vec<Head>> = BTreeMap::new();
    let mut kept = Vec::new();
    for Move { leaf: no, head, class } in moves {
        let Some(leaf) = Leaf::load(change, *no)? else { continue };
        let key = key_of(change, &leaf.names, head)?;
        let (author, revoked): (Option<i64>, bool) = change
            .prepare_cached(
                "SELECT author, revoked FROM version
                 WHERE collection = ?1 AND key = ?2 AND micros = ?3 AND picos = ?4 AND seq = ?5",
            )?
            .query_row(params![collection, key, head.micros, head.picos, head.seq], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut one = Leaf::default();
        one.push(
            Head { class: *class, ..*head },
            leaf.key(head),
            leaf.version(head).unwrap_or_default(),
            leaf.body(head),
        );
        kept.push((key, author, revoked, one));
        old.entry(*no).or_default().push(*head);
    }
    let (_, gone) = remove::erase(change, CollectionNo(collection), &old, now)?;
    let mut last: i64 = change.query_row("SELECT value FROM meta WHERE name = 'last_seq'", [], |row| row.get(0))?;
    let mut fresh = Leaf::default();
    for (key, author, revoked, mut one) in kept {
        let Some(head) = one.heads.first_mut() else { continue };
        last = now.max(last + 1);
        head.seq = last;
        if head.version_length == 0 {
            // The time of addition is the version.
            head.micros = last;
        }
        let head = *head;
        change.prepare_cached("INSERT INTO version VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?.execute(params![
            collection,
            key,
            head.micros,
            head.picos,
            last,
            head.class,
            head.dialect,
            head.state,
            author,
            revoked
        ])?;
        if fresh.full(one.bodies.len()) {
            std::mem::take(&mut fresh).write(change, CollectionNo(collection))?;
        }
        fresh.join(&one);
    }
    fresh.write(change, CollectionNo(collection))?;
    change.execute("UPDATE meta SET value = ?1 WHERE name = 'last_seq'", [last])?;
    Ok(gone)
}
