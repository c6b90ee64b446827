//! Leaves: built in memory, written once, merged with their neighbours while they are small.
//!
//! A leaf that is written merges with the leaves before it as long as those are not larger, like a binary counter:
//! a book of single posts soon reads like one written in bulk, and a record is copied about log2(512) times in all.

use super::head::{self, Head, WIDTH};
use crate::{CollectionNo, Result};
use rusqlite::{OptionalExtension, Transaction, params};

/// A leaf holds at most so many records …
const MAX_COUNT: usize = 512;
/// … and, unless a single record is larger, so many bytes of bodies.
const MAX_BYTES: usize = 512 * 1024;

/// The records of one leaf in memory.
#[derive(Default)]
pub(super) struct Leaf {
    pub(super) heads: Vec<Head>,
    pub(super) names: Vec<u8>,
    pub(super) bodies: Vec<u8>,
}

impl Leaf {
    pub(super) fn full(&self, next: usize) -> bool {
        !self.heads.is_empty() && (self.heads.len() >= MAX_COUNT || self.bodies.len() + next > MAX_BYTES)
    }

    /// Adds a record; offsets of the head are filled in here.
    pub(super) fn push(&mut self, mut head: Head, key: &str, version: &str, body: &[u8]) {
        if !self.bodies.is_empty() {
            self.bodies.push(b',');
        }
        head.offset = small(self.bodies.len());
        head.length = small(body.len());
        head.name = small(self.names.len());
        head.key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        head.version_length = u16::try_from(version.len()).unwrap_or(u16::MAX);
        self.names.extend_from_slice(key.as_bytes());
        self.names.extend_from_slice(version.as_bytes());
        self.bodies.extend_from_slice(body);
        self.heads.push(head);
    }

    pub(super) fn key(&self, head: &Head) -> &str {
        key(&self.names, head)
    }

    /// Whether any record of it may refer to others: leaves without are passed over where cover is lost or won.
    pub(super) fn refers(&self) -> bool {
        self.heads.iter().any(|head| head.state == head::LIVE && head.refers != head::ALONE)
    }

    pub(super) fn version(&self, head: &Head) -> Option<&str> {
        version(&self.names, head)
    }

    pub(super) fn body(&self, head: &Head) -> &[u8] {
        self.bodies.get(head.offset as usize..head.end()).unwrap_or_default()
    }

    pub(super) fn find(&mut self, seq: i64) -> Option<&mut Head> {
        let at = self.heads.binary_search_by_key(&seq, |head| head.seq).ok()?;
        self.heads.get_mut(at)
    }

    /// This leaf before `next`: one leaf of both.
    pub(super) fn join(&mut self, next: &Self) {
        if !self.bodies.is_empty() && !next.bodies.is_empty() {
            self.bodies.push(b',');
        }
        let (names, bodies) = (small(self.names.len()), small(self.bodies.len()));
        self.heads.extend(next.heads.iter().map(|head| Head {
            name: head.name + names,
            offset: head.offset + bodies,
            ..*head
        }));
        self.names.extend_from_slice(&next.names);
        self.bodies.extend_from_slice(&next.bodies);
    }

    /// Writes it after the leaves of its collection, merging with those that are not larger.
    pub(super) fn write(mut self, change: &Transaction<'_>, collection: CollectionNo) -> Result<(), rusqlite::Error> {
        if self.heads.is_empty() {
            return Ok(());
        }
        let mut before = change.prepare_cached(
            "SELECT no, count, size FROM leaf WHERE collection = ?1 AND first_seq < ?2 ORDER BY first_seq DESC LIMIT 1",
        )?;
        loop {
            let first = self.heads.first().map_or(0, |head| head.seq);
            let found: Option<(i64, u32, u32)> = before
                .query_row(params![collection.0, first], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((no, count, size)) = found else { break };
            let (count, size) = (count as usize, size as usize);
            let fits = count + self.heads.len() <= MAX_COUNT && size + self.bodies.len() < MAX_BYTES;
            if count > self.heads.len() || !fits {
                break;
            }
            let mut merged = Self::load(change, no)?.unwrap_or_default();
            merged.join(&self);
            remove(change, no)?;
            self = merged;
        }
        self.insert(change, collection)
    }

    fn insert(&self, change: &Transaction<'_>, collection: CollectionNo) -> Result<(), rusqlite::Error> {
        let (heads, kinds, sum) = self.sealed();
        let (first, last) = (self.heads.first().map_or(0, |h| h.seq), self.heads.last().map_or(0, |h| h.seq));
        change
            .prepare_cached(
                "INSERT INTO leaf(collection, first_seq, last_seq, count, size, kinds, sum, heads, names, refers)
                 VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
            )?
            .execute(params![
                collection.0,
                first,
                last,
                small(self.heads.len()),
                small(self.bodies.len()),
                kinds,
                sum,
                heads,
                self.names,
                self.refers()
            ])?;
        change
            .prepare_cached("INSERT INTO body(leaf, bytes) VALUES(?1, ?2)")?
            .execute(params![change.last_insert_rowid(), self.bodies])?;
        Ok(())
    }

    /// Writes changed heads, and bodies if they changed too, back to the leaf's rows.
    pub(super) fn update(&self, change: &Transaction<'_>, no: i64, bodies: bool) -> Result<(), rusqlite::Error> {
        let (heads, kinds, sum) = self.sealed();
        change
            .prepare_cached(
                "UPDATE leaf SET heads = ?2, names = ?3, size = ?4, kinds = ?5, sum = ?6, refers = ?7 WHERE no = ?1",
            )?
            .execute(params![no, heads, self.names, small(self.bodies.len()), kinds, sum, self.refers()])?;
        if bodies {
            change.prepare_cached("UPDATE body SET bytes = ?2 WHERE leaf = ?1")?.execute(params![no, self.bodies])?;
        }
        Ok(())
    }

    /// Takes the bodies of the given records out, for good.
    pub(super) fn erase(&mut self, seqs: &[i64]) {
        let mut kept = Self::default();
        for head in &self.heads {
            let gone = seqs.contains(&head.seq);
            let head_now = if gone { Head { state: head::ERASED, ..*head } } else { *head };
            let version = self.version(head).unwrap_or_default();
            if gone || head.length == 0 {
                kept.push_empty(head_now, self.key(head), version);
            } else {
                kept.push(head_now, self.key(head), version, self.body(head));
            }
        }
        *self = kept;
    }

    /// Adds a record without a body: no separator is written for it.
    pub(super) fn push_empty(&mut self, mut head: Head, key: &str, version: &str) {
        head.offset = small(self.bodies.len());
        head.length = 0;
        head.name = small(self.names.len());
        head.key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        head.version_length = u16::try_from(version.len()).unwrap_or(u16::MAX);
        self.names.extend_from_slice(key.as_bytes());
        self.names.extend_from_slice(version.as_bytes());
        self.heads.push(head);
    }

    pub(super) fn load(base: &rusqlite::Connection, no: i64) -> Result<Option<Self>, rusqlite::Error> {
        base.prepare_cached("SELECT heads, names, bytes FROM leaf JOIN body ON body.leaf = leaf.no WHERE leaf.no = ?1")?
            .query_row([no], |row| {
                let heads = head::heads(row.get_ref(0)?.as_blob()?).collect();
                Ok(Self { heads, names: row.get(1)?, bodies: row.get(2)? })
            })
            .optional()
    }

    /// The leaf's blobs as they are stored: heads, the set of types, the checksum.
    pub(super) fn sealed(&self) -> (Vec<u8>, i64, Vec<u8>) {
        let mut heads = Vec::with_capacity(self.heads.len() * WIDTH);
        let mut kinds = 0_i64;
        for head in &self.heads {
            head.write(&mut heads);
            kinds |= kind_bit(head.kind);
        }
        let sum = checksum(&heads, &self.names, &self.bodies);
        (heads, kinds, sum)
    }
}

/// A record's key in its leaf's names.
pub(super) fn key<'n>(names: &'n [u8], head: &Head) -> &'n str {
    text(names, head.name as usize, head.key_length)
}

/// The spelling of a record's version in its leaf's names.
pub(super) fn version<'n>(names: &'n [u8], head: &Head) -> Option<&'n str> {
    let at = head.name as usize + usize::from(head.key_length);
    (head.version_length > 0).then(|| text(names, at, head.version_length))
}

/// The bit of a type in a leaf's set of types; types 64 apart share one.
pub(super) fn kind_bit(kind: u32) -> i64 {
    1_i64 << (kind % 64)
}

pub(super) fn checksum(heads: &[u8], names: &[u8], bodies: &[u8]) -> Vec<u8> {
    let mut sum = blake3::Hasher::new();
    sum.update(heads).update(names).update(bodies);
    sum.finalize().as_bytes().get(..16).unwrap_or_default().to_vec()
}

/// The leaf that holds a record.
pub(super) fn holding(
    base: &rusqlite::Connection,
    collection: CollectionNo,
    seq: i64,
) -> Result<Option<i64>, rusqlite::Error> {
    base.prepare_cached(
        "SELECT no FROM leaf WHERE collection = ?1 AND first_seq <= ?2 AND last_seq >= ?2 ORDER BY first_seq DESC LIMIT 1",
    )?
    .query_row(params![collection.0, seq], |row| row.get(0))
    .optional()
}

fn remove(change: &Transaction<'_>, no: i64) -> Result<(), rusqlite::Error> {
    change.prepare_cached("DELETE FROM leaf WHERE no = ?1")?.execute([no])?;
    change.prepare_cached("DELETE FROM body WHERE leaf = ?1")?.execute([no])?;
    Ok(())
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn text(names: &[u8], at: usize, length: u16) -> &str {
    names.get(at..at + usize::from(length)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}
