//! Winning cover: open records whose targets have arrived meanwhile.

use super::head::{self, Head};
use super::leaf::Leaf;
use super::shelf::Shelf;
use super::{class, cover, key_of, select};
use crate::{References, Result};
use rusqlite::{Connection, Transaction};
use std::collections::{BTreeMap, HashMap};

/// Records of one commit, unless more rest on each other in a circle.
const BATCH: usize = 4096;

/// An open record.
pub(super) struct Open {
    seq: i64,
    key: String,
    /// The class of which it has the open variant.
    covered: u32,
    references: Vec<String>,
}

impl Open {
    fn candidate<'s>(&'s self, collection: u32, judgement: &mut cover::Judgement<'s>) {
        let references = self.references.iter().map(String::as_str).collect();
        judgement.candidate((collection, &self.key, self.covered), references);
    }
}

/// The open records that could be covered, in batches: none rests on a record of a later one.
pub(super) fn find(
    base: &Connection,
    collection: u32,
    references: References<'_>,
) -> Result<Vec<Vec<Open>>, rusqlite::Error> {
    let shelf = Shelf::new(base);
    let mut classes: HashMap<u32, Option<u32>> = HashMap::new();
    let mut found = Vec::new();
    for leaf in cover::leaves(base, collection)? {
        let heads: Vec<Head> = base
            .prepare_cached("SELECT heads FROM leaf WHERE no = ?1")?
            .query_row([leaf], |row| Ok(head::heads(row.get_ref(0)?.as_blob()?).filter(may_be_open).collect()))?;
        for head in heads {
            let covered = match classes.get(&head.class) {
                Some(known) => *known,
                None => *classes.entry(head.class).or_insert(class::covered_of(base, head.class)?),
            };
            let Some(covered) = covered else { continue };
            let (key, references) = shelf.show(collection, leaf, &head, |met| (met.key.to_owned(), references(met)))?;
            found.push(Open { seq: head.seq, key, covered, references });
        }
    }
    let mut judgement = cover::Judgement::default();
    found.iter().for_each(|open| open.candidate(collection, &mut judgement));
    let covered = judgement.covered(|place| cover::holds(base, place, i64::MAX))?;
    let (order, circles) = judgement.order(&covered);
    let mut found: Vec<Option<Open>> = found.into_iter().map(Some).collect();
    let mut take = |places: &[usize]| -> Vec<Open> {
        places.iter().filter_map(|place| found.get_mut(*place).and_then(Option::take)).collect()
    };
    let mut batches: Vec<Vec<Open>> = order.chunks(BATCH).map(&mut take).collect();
    if !circles.is_empty() {
        batches.push(take(&circles));
    }
    Ok(batches)
}

fn may_be_open(head: &Head) -> bool {
    head.state == head::LIVE && head.refers != head::ALONE
}

/// Covers those of a batch for which it still holds. Returns how many.
pub(super) fn cover(change: &Transaction<'_>, collection: u32, batch: &[Open]) -> Result<u64, rusqlite::Error> {
    let mut judgement = cover::Judgement::default();
    let mut judged: Vec<(i64, &Open)> = Vec::new();
    for open in batch {
        let Some((leaf, head)) = select::locate(change, collection, open.seq)? else { continue };
        if head.state == head::LIVE && class::open_of(change, open.covered)? == Some(head.class) {
            open.candidate(collection, &mut judgement);
            judged.push((leaf, open));
        }
    }
    let covered = judgement.covered(|place| cover::holds(change, place, i64::MAX))?;
    let mut leaves: BTreeMap<i64, Vec<&Open>> = BTreeMap::new();
    for ((leaf, open), _) in judged.into_iter().zip(covered).filter(|(_, covered)| *covered) {
        leaves.entry(leaf).or_default().push(open);
    }
    let mut count = 0;
    for (no, opens) in leaves {
        let Some(mut leaf) = Leaf::load(change, no)? else { continue };
        for open in opens {
            let Some(was) = leaf.find(open.seq).map(|head| *head) else { continue };
            cover::set_class(change, collection, &key_of(change, &leaf.names, &was)?, &was, open.covered)?;
            if let Some(head) = leaf.find(open.seq) {
                head.class = open.covered;
                head.refers = if open.references.is_empty() { head::ALONE } else { head::REFERS };
                count += 1;
            }
        }
        leaf.update(change, no, false)?;
    }
    Ok(count)
}
