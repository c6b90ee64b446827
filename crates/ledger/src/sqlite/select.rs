//! Which records a filter and a viewer select: one walk that pages, manifests and deletions share.

use super::head::{self, Head};
use super::leaf;
use super::shelf::Shelf;
use crate::{ClassNo, CollectionNo, Filter, Met, Result, Run, Sees, Seq, Sight, Versions};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::RefCell;
use std::collections::HashMap;

/// Asks the caller, once a class and, where the class does not tell, once a record.
pub(super) struct Asker<'b, 'f> {
    sees: &'f dyn Sees,
    collection: u32,
    classes: RefCell<Vec<(u32, Sight)>>,
    records: RefCell<HashMap<i64, bool>>,
    pub(super) shelf: Shelf<'b>,
}

impl<'b, 'f> Asker<'b, 'f> {
    fn new(base: &'b Connection, collection: CollectionNo, sees: &'f dyn Sees) -> Self {
        Self {
            sees,
            collection: collection.0,
            classes: RefCell::default(),
            records: RefCell::default(),
            shelf: Shelf::new(base),
        }
    }

    pub(super) fn class(&self, class: u32) -> Sight {
        if let Some((_, answer)) = self.classes.borrow().iter().find(|(no, _)| *no == class) {
            return *answer;
        }
        let answer = self.sees.class(ClassNo(class));
        self.classes.borrow_mut().push((class, answer));
        answer
    }

    /// Tells of a record that is put on the page.
    pub(super) fn gives(&self, head: &Head, length: usize) {
        self.sees.gives(head.class(), length);
    }

    /// Whether the viewer may have anything of a record.
    pub(super) fn shows(&self, leaf: i64, head: &Head) -> Result<bool, rusqlite::Error> {
        match self.class(head.class) {
            Sight::Nothing => Ok(false),
            Sight::Whole | Sight::Part => Ok(true),
            Sight::Ask => {
                if let Some(known) = self.records.borrow().get(&head.seq) {
                    return Ok(*known);
                }
                let met = |met: &Met<'_>| self.sees.record(met, &self.shelf, None);
                let answer = self.shelf.show(self.collection, leaf, head, met)?;
                self.records.borrow_mut().insert(head.seq, answer);
                Ok(answer)
            }
        }
    }

    /// Writes what the viewer may have of a record; `false`: nothing.
    pub(super) fn rewrite(&self, leaf: i64, head: &Head, out: &mut Vec<u8>) -> Result<bool, rusqlite::Error> {
        if self.records.borrow().get(&head.seq) == Some(&false) {
            return Ok(false);
        }
        self.shelf.show(self.collection, leaf, head, |met| self.sees.record(met, &self.shelf, Some(out)))
    }
}

/// A live version of a key that the viewer may see.
#[derive(Clone, Copy)]
struct Seen {
    at: (i64, u32),
    seq: i64,
    dialect: u8,
}

/// A filter made ready for one read of the book.
pub(super) struct Selection<'b, 'f> {
    base: &'b Connection,
    filter: &'f Filter<'f>,
    pub(super) asker: Asker<'b, 'f>,
    kinds: Option<Vec<u32>>,
    kind_bits: i64,
}

/// Selected heads of one leaf.
pub(super) struct Chosen<'c> {
    pub(super) leaf: i64,
    pub(super) heads: &'c [Head],
    /// Whether all of them are given as they are stored. If not, some may turn out to be hidden when asked about.
    pub(super) whole: bool,
}

impl<'b, 'f> Selection<'b, 'f> {
    pub(super) fn new(
        base: &'b Connection,
        filter: &'f Filter<'f>,
        sees: &'f dyn Sees,
    ) -> Result<Self, rusqlite::Error> {
        let kinds = filter.kinds.as_ref().map(|names| kinds(base, names)).transpose()?;
        let kind_bits =
            kinds.as_ref().map_or(-1, |kinds| kinds.iter().fold(0, |bits, kind| bits | leaf::kind_bit(*kind)));
        Ok(Self { base, filter, asker: Asker::new(base, filter.collection, sees), kinds, kind_bits })
    }

    /// Calls `each` for the selected heads, leaf by leaf in order, until `filter.limit` + 1 have been given that are
    /// certain to be visible: the one beyond tells that more follow. `each` returns whether to go on.
    pub(super) fn walk(
        &self,
        mut each: impl FnMut(&Chosen<'_>) -> Result<bool, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        if let Some(keys) = &self.filter.keys {
            return self.walk_keys(keys, each);
        }
        let after = self.filter.after.map_or(i64::MIN, |seq| seq.0);
        let mut wanted = self.filter.limit.saturating_add(1);
        let mut leaves = self.base.prepare_cached(
            "SELECT no, heads, kinds FROM leaf WHERE collection = ?1 AND first_seq >=
               ifnull((SELECT max(first_seq) FROM leaf WHERE collection = ?1 AND first_seq <= ?2), ?2)
             ORDER BY first_seq",
        )?;
        let mut rows = leaves.query(params![self.filter.collection.0, after])?;
        let mut chosen = Vec::with_capacity(512);
        while wanted > 0
            && let Some(row) = rows.next()?
        {
            if self.kind_bits & row.get::<_, i64>(2)? == 0 {
                continue;
            }
            chosen.clear();
            let (leaf, mut whole) = (row.get(0)?, true);
            for head in head::heads(row.get_ref(1)?.as_blob()?) {
                if head.seq <= after {
                    continue;
                }
                let sight = self.plausible(&head);
                if sight == Sight::Nothing {
                    continue;
                }
                let taken = if head.shared {
                    let key = self.asker.shelf.index_key(leaf, &head)?;
                    self.chosen_versions(&key)?.iter().any(|seen| seen.seq == head.seq)
                } else {
                    self.alone(&head)
                };
                if taken {
                    chosen.push(head);
                    whole &= sight == Sight::Whole;
                    if sight != Sight::Ask || head.shared {
                        wanted -= 1;
                        if wanted == 0 {
                            break;
                        }
                    }
                }
            }
            if !chosen.is_empty() && !each(&Chosen { leaf, heads: &chosen, whole })? {
                break;
            }
        }
        Ok(())
    }

    fn walk_keys(
        &self,
        keys: &[&str],
        mut each: impl FnMut(&Chosen<'_>) -> Result<bool, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut found = Vec::new();
        for key in keys {
            let Some(key) = super::known_key(self.base, key)? else { continue };
            found.extend(self.chosen_versions(&key)?.into_iter().map(|seen| seen.seq));
        }
        let after = self.filter.after.map_or(i64::MIN, |seq| seq.0);
        found.retain(|seq| *seq > after);
        found.sort_unstable();
        found.dedup();
        for seq in found {
            let Some((leaf, head)) = locate(self.base, self.filter.collection.0, seq)? else { continue };
            let sight = self.plausible(&head);
            let chosen = Chosen { leaf, heads: &[head], whole: sight == Sight::Whole };
            if sight != Sight::Nothing && !each(&chosen)? {
                break;
            }
        }
        Ok(())
    }

    /// What the head alone can tell: nothing if it is not live or not of a wanted type, else its class's sight.
    fn plausible(&self, head: &Head) -> Sight {
        if head.state == head::LIVE && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&head.kind)) {
            self.asker.class(head.class)
        } else {
            Sight::Nothing
        }
    }

    /// Whether a version that is the only one of its key is wanted.
    fn alone(&self, head: &Head) -> bool {
        let dialect = self.filter.dialects.as_ref().is_none_or(|wanted| wanted.contains(&head.dialect()));
        dialect
            && match &self.filter.versions {
                Versions::All => true,
                Versions::Some { first, last, at } => *first || *last || at.contains(&(head.micros, head.picos)),
            }
    }

    /// The versions of a key that this viewer gets: chosen among the visible ones of the whole collection.
    fn chosen_versions(&self, key: &[u8]) -> Result<Vec<Seen>, rusqlite::Error> {
        let mut rows = self.base.prepare_cached(
            "SELECT micros, picos, seq, dialect, class FROM version WHERE collection = ?1 AND key = ?2 AND state = 0
             ORDER BY micros, picos, seq",
        )?;
        let mut seen = Vec::new();
        let mut rows = rows.query(params![self.filter.collection.0, key])?;
        while let Some(row) = rows.next()? {
            let one = Seen { at: (row.get(0)?, row.get(1)?), seq: row.get(2)?, dialect: row.get(3)? };
            if self.visible(one.seq, row.get(4)?)? {
                seen.push(one);
            }
        }
        let newest = seen.iter().map(|seen| seen.dialect).max().unwrap_or_default();
        seen.retain(|seen| match &self.filter.dialects {
            None => seen.dialect == newest,
            Some(wanted) => wanted.contains(&head::dialect(seen.dialect)),
        });
        let Versions::Some { first, last, at } = &self.filter.versions else { return Ok(seen) };
        // Ordered by instant: the ends are the first and the last version, whatever their dialect.
        let (oldest, newest) = (seen.first().map(|one| one.seq), seen.last().map(|one| one.seq));
        seen.retain(|one| {
            (*first && Some(one.seq) == oldest) || (*last && Some(one.seq) == newest) || at.contains(&one.at)
        });
        Ok(seen)
    }

    /// Whether any live version of the key is visible.
    pub(super) fn any(&self, key: &[u8]) -> Result<bool, rusqlite::Error> {
        let mut rows = self
            .base
            .prepare_cached("SELECT seq, class FROM version WHERE collection = ?1 AND key = ?2 AND state = 0")?;
        let mut rows = rows.query(params![self.filter.collection.0, key])?;
        while let Some(row) = rows.next()? {
            if self.visible(row.get(0)?, row.get(1)?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a record of the collection is visible, of which the index has been read so far.
    fn visible(&self, seq: i64, class: u32) -> Result<bool, rusqlite::Error> {
        match self.asker.class(class) {
            Sight::Nothing => Ok(false),
            Sight::Whole | Sight::Part => Ok(true),
            Sight::Ask => match locate(self.base, self.filter.collection.0, seq)? {
                Some((leaf, head)) => self.asker.shows(leaf, &head),
                None => Ok(false),
            },
        }
    }
}

/// The leaf and head of one record.
pub(super) fn locate(base: &Connection, collection: u32, seq: i64) -> Result<Option<(i64, Head)>, rusqlite::Error> {
    let found = base
        .prepare_cached(
            "SELECT no, heads FROM leaf WHERE collection = ?1 AND first_seq <= ?2 AND last_seq >= ?2
             ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row(params![collection, seq], |row| {
            let head = head::heads(row.get_ref(1)?.as_blob()?).find(|head| head.seq == seq);
            Ok((row.get(0)?, head))
        })
        .optional()?;
    Ok(found.and_then(|(no, head)| head.map(|head| (no, head))))
}

/// The numbers of types; a type that the book has never seen has none, and selects nothing.
fn kinds(base: &Connection, names: &[&str]) -> Result<Vec<u32>, rusqlite::Error> {
    let mut find = base.prepare_cached("SELECT no FROM kind WHERE name = ?1")?;
    let mut found = Vec::new();
    for name in names {
        found.extend(find.query_row([name], |row| row.get::<_, u32>(0)).optional()?);
    }
    Ok(found)
}

/// Where a page begins and ends.
pub(super) fn note(page: &mut crate::Page, head: &Head) {
    page.count += 1;
    page.first.get_or_insert(Seq(head.seq));
    page.last = Some(Seq(head.seq));
    match page.given.last_mut() {
        Some(run) if run.first.0 + i64::from(run.count) == head.seq => run.count += 1,
        _ => page.given.push(Run { first: Seq(head.seq), count: 1 }),
    }
    if !page.classes.contains(&head.class()) {
        page.classes.push(head.class());
    }
}
