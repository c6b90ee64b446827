//! Which records a filter and a viewer select: one walk that pages, manifests and deletions share.

use super::head::{self, Head};
use super::{key_of, leaf};
use crate::{ClassNo, Filter, Result, Run, Sees, Seq, Versions};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::RefCell;

/// Asks the caller once a class.
pub(super) struct Sight<'s> {
    sees: Sees<'s>,
    known: RefCell<Vec<(u32, bool)>>,
}

impl<'s> Sight<'s> {
    pub(super) fn new(sees: Sees<'s>) -> Self {
        Self { sees, known: RefCell::new(Vec::new()) }
    }

    pub(super) fn sees(&self, class: u32) -> bool {
        if let Some((_, answer)) = self.known.borrow().iter().find(|(no, _)| *no == class) {
            return *answer;
        }
        let answer = (self.sees)(ClassNo(class));
        self.known.borrow_mut().push((class, answer));
        answer
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
pub(super) struct Selection<'f> {
    filter: &'f Filter<'f>,
    sight: Sight<'f>,
    kinds: Option<Vec<u32>>,
    kind_bits: i64,
}

impl<'f> Selection<'f> {
    pub(super) fn new(base: &Connection, filter: &'f Filter<'f>, sees: Sees<'f>) -> Result<Self, rusqlite::Error> {
        let kinds = filter.kinds.as_ref().map(|names| kinds(base, names)).transpose()?;
        let kind_bits =
            kinds.as_ref().map_or(-1, |kinds| kinds.iter().fold(0, |bits, kind| bits | leaf::kind_bit(*kind)));
        Ok(Self { filter, sight: Sight::new(sees), kinds, kind_bits })
    }

    /// Calls `each(leaf, heads)` for the selected heads, leaf by leaf in order, at most `filter.limit` + 1 in all:
    /// the one beyond tells that more follow. `each` returns whether to go on.
    pub(super) fn walk(
        &self,
        base: &Connection,
        mut each: impl FnMut(i64, &[Head]) -> Result<bool, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        if let Some(keys) = &self.filter.keys {
            return self.walk_keys(base, keys, each);
        }
        let after = self.filter.after.map_or(i64::MIN, |seq| seq.0);
        let mut wanted = self.filter.limit.saturating_add(1);
        let mut leaves = base.prepare_cached(
            "SELECT no, heads, names, kinds FROM leaf WHERE collection = ?1 AND first_seq >=
               ifnull((SELECT max(first_seq) FROM leaf WHERE collection = ?1 AND first_seq <= ?2), ?2)
             ORDER BY first_seq",
        )?;
        let mut rows = leaves.query(params![self.filter.collection.0, after])?;
        let mut chosen = Vec::with_capacity(512);
        while wanted > 0
            && let Some(row) = rows.next()?
        {
            if self.kind_bits & row.get::<_, i64>(3)? == 0 {
                continue;
            }
            chosen.clear();
            for head in head::heads(row.get_ref(1)?.as_blob()?) {
                if head.seq <= after || !self.plausible(&head) {
                    continue;
                }
                let taken = if head.shared {
                    let names = row.get_ref(2)?.as_blob()?;
                    self.chosen_versions(base, &key_of(base, names, &head)?)?.iter().any(|seen| seen.seq == head.seq)
                } else {
                    self.alone(&head)
                };
                if taken {
                    chosen.push(head);
                    wanted -= 1;
                    if wanted == 0 {
                        break;
                    }
                }
            }
            if !chosen.is_empty() && !each(row.get(0)?, &chosen)? {
                break;
            }
        }
        Ok(())
    }

    fn walk_keys(
        &self,
        base: &Connection,
        keys: &[&str],
        mut each: impl FnMut(i64, &[Head]) -> Result<bool, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut found = Vec::new();
        for key in keys {
            let Some(key) = super::known_key(base, key)? else { continue };
            found.extend(self.chosen_versions(base, &key)?.into_iter().map(|seen| seen.seq));
        }
        let after = self.filter.after.map_or(i64::MIN, |seq| seq.0);
        found.retain(|seq| *seq > after);
        found.sort_unstable();
        found.dedup();
        let mut taken = 0;
        for seq in found {
            let Some((no, head)) = locate(base, self.filter.collection.0, seq)? else { continue };
            if !self.plausible(&head) {
                continue;
            }
            taken += 1;
            if !each(no, &[head])? || taken > self.filter.limit {
                break;
            }
        }
        Ok(())
    }

    /// What the head alone can tell: live, visible, of a wanted type.
    fn plausible(&self, head: &Head) -> bool {
        head.state == head::LIVE
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&head.kind))
            && self.sight.sees(head.class)
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
    fn chosen_versions(&self, base: &Connection, key: &[u8]) -> Result<Vec<Seen>, rusqlite::Error> {
        let mut rows = base.prepare_cached(
            "SELECT micros, picos, seq, dialect, class FROM version WHERE collection = ?1 AND key = ?2 AND state = 0
             ORDER BY micros, picos, seq",
        )?;
        let mut seen = Vec::new();
        let mut rows = rows.query(params![self.filter.collection.0, key])?;
        while let Some(row) = rows.next()? {
            if self.sight.sees(row.get(4)?) {
                seen.push(Seen { at: (row.get(0)?, row.get(1)?), seq: row.get(2)?, dialect: row.get(3)? });
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
    pub(super) fn any(&self, base: &Connection, key: &[u8]) -> Result<bool, rusqlite::Error> {
        let mut rows =
            base.prepare_cached("SELECT class FROM version WHERE collection = ?1 AND key = ?2 AND state = 0")?;
        let mut rows = rows.query(params![self.filter.collection.0, key])?;
        while let Some(row) = rows.next()? {
            if self.sight.sees(row.get(0)?) {
                return Ok(true);
            }
        }
        Ok(false)
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
