//! Appending: one transaction for everything that was handed in.

use super::head::{self, Head};
use super::leaf::{self, Leaf};
use super::{class, cover, key_blob};
use crate::{Appended, CollectionNo, Entry, Micros, Result, Same, Seq, Submission};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;

/// A version that the collection holds.
struct Known {
    micros: i64,
    picos: u32,
    seq: i64,
    dialect: u8,
    class: u32,
    state: u8,
    author: Option<i64>,
    revoked: bool,
}

/// The work of one call.
struct Append<'c, 's> {
    change: &'c Transaction<'c>,
    same: Same<'s>,
    last: i64,
    open: HashMap<CollectionNo, Leaves>,
    kinds: HashMap<String, u32>,
    authors: HashMap<String, i64>,
    /// Open variants of classes.
    variants: HashMap<u32, Option<u32>>,
    /// Whether any entry of the call refers to something. If none does, nothing is noted for `judgement`.
    refers: bool,
    judgement: cover::Judgement<'s>,
    candidates: Vec<Candidate>,
}

/// The leaves of a collection that are not written yet.
#[derive(Default)]
struct Leaves {
    /// Full, and in order. They wait if any of their records may turn out not to be covered, and then all that follow.
    full: Vec<Leaf>,
    last: Leaf,
    wait: bool,
}

impl Leaves {
    /// The one that holds a record, if it is not written yet.
    fn find(&mut self, seq: i64) -> Option<&mut Leaf> {
        let at = self.full.partition_point(|leaf| leaf.heads.last().is_some_and(|last| last.seq < seq));
        Some(self.full.get_mut(at).unwrap_or(&mut self.last))
    }
}

/// A record that may be covered; it is written as if it were.
struct Candidate {
    collection: CollectionNo,
    key: Vec<u8>,
    seq: i64,
    /// Its class if it is not.
    open: u32,
}

/// Appends all submissions inside the transaction; answers as the trait says.
pub(super) fn run<'s>(
    change: &Transaction<'_>,
    submissions: &'s [Submission<'_>],
    now: Micros,
    same: Same<'s>,
) -> Result<Vec<Vec<Appended>>, rusqlite::Error> {
    let last: i64 =
        change.prepare_cached("SELECT value FROM meta WHERE name = 'last_seq'")?.query_row([], |row| row.get(0))?;
    let mut work = Append {
        change,
        same,
        last,
        open: HashMap::new(),
        kinds: HashMap::new(),
        authors: HashMap::new(),
        variants: HashMap::new(),
        refers: submissions.iter().any(|one| one.entries.iter().any(|entry| !entry.references.is_empty())),
        judgement: cover::Judgement::default(),
        candidates: Vec::new(),
    };
    let mut answers = Vec::with_capacity(submissions.len());
    for submission in submissions {
        let mut answer = Vec::with_capacity(submission.entries.len());
        for entry in submission.entries {
            answer.push(work.entry(entry, now)?);
        }
        if let Some(receipt) = submission.receipt {
            let receipt = receipt(&answer);
            change
                .prepare_cached("INSERT INTO status(id, owner, made, body) VALUES(?1,?2,?3,?4)")?
                .execute(params![receipt.id, receipt.owner, now, receipt.body])?;
        }
        answers.push(answer);
    }
    work.judge_cover(last)?;
    work.finish(last)?;
    Ok(answers)
}

impl<'s> Append<'_, 's> {
    fn entry(&mut self, entry: &'s Entry<'_>, now: Micros) -> Result<Appended, rusqlite::Error> {
        let kind = self.kind(entry.kind)?;
        let key = key_blob(kind, entry.kind, entry.key);
        let known = self.known(entry.collection, &key)?;
        let author = entry.author.map(|name| self.author(name)).transpose()?;
        // What is held already takes a place as well: the places of what was handed in after it must not tell whether it
        // was, to somebody who may not see it.
        let seq = now.max(self.last + 1);
        self.last = seq;
        let state = match self.judge(entry, &known, author)? {
            Judgement::New(state) => state,
            Judgement::Held(seq, state) => {
                // Of what has no version the answer is the version that it would have got: when it was added before is no
                // business of whoever may not have all of it.
                let told = if entry.version.is_some() { seq } else { self.last };
                return Ok(answer(state, Seq(told), false));
            }
        };
        let (micros, picos) = entry.version.map_or((seq, 0), |version| (version.micros, version.picos));
        let shared = state == head::LIVE && known.iter().any(|k| k.state == head::LIVE);
        if shared {
            for other in known.iter().filter(|k| k.state == head::LIVE) {
                self.share(entry.collection, other.seq)?;
            }
        }
        let class = self.class(entry, state, &key)?;
        self.change.prepare_cached("INSERT INTO version VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?.execute(params![
            entry.collection.0,
            &key[..],
            micros,
            picos,
            seq,
            class,
            entry.dialect as u8,
            state,
            author,
            entry.revoked
        ])?;
        let head = Head {
            seq,
            micros,
            picos,
            class,
            kind,
            offset: 0,
            length: 0,
            name: 0,
            key_length: 0,
            version_length: 0,
            dialect: entry.dialect as u8,
            state,
            shared,
            refers: if entry.references.is_empty() { head::ALONE } else { head::REFERS },
        };
        self.place(entry, head)?;
        Ok(answer(state, Seq(seq), true))
    }

    /// The class that a new record is written with: until the end of the call what refers to something counts as covered.
    fn class(&mut self, entry: &'s Entry<'_>, state: u8, key: &[u8]) -> Result<u32, rusqlite::Error> {
        let (class, place) = (entry.class.0, (entry.collection.0, entry.key, entry.class.0));
        if entry.references.is_empty() {
            if self.refers && state == head::LIVE {
                self.judgement.certain(place);
            }
            return Ok(class);
        }
        let Some(open) = self.variant(class)? else { return Ok(class) };
        if state != head::LIVE {
            return Ok(open);
        }
        self.judgement.candidate(place, entry.references.to_vec());
        self.candidates.push(Candidate { collection: entry.collection, key: key.to_vec(), seq: self.last, open });
        self.open.entry(entry.collection).or_default().wait = true;
        Ok(class)
    }

    /// The open variant of a class.
    fn variant(&mut self, class: u32) -> Result<Option<u32>, rusqlite::Error> {
        Ok(match self.variants.get(&class) {
            Some(known) => *known,
            None => *self.variants.entry(class).or_insert(class::open_of(self.change, class)?),
        })
    }

    /// Tells the candidates of the call apart: those that are not covered get the open variant of their class.
    fn judge_cover(&mut self, before: i64) -> Result<(), rusqlite::Error> {
        let covered = self.judgement.covered(|place| cover::holds(self.change, place, before))?;
        for (candidate, covered) in self.candidates.iter().zip(covered) {
            if covered {
                continue;
            }
            let Candidate { collection, key, seq, open } = candidate;
            let Some(head) = self.open.get_mut(collection).and_then(|leaves| leaves.find(*seq)?.find(*seq)) else {
                continue;
            };
            cover::set_class(self.change, collection.0, key, head, *open)?;
            head.class = *open;
        }
        Ok(())
    }

    /// What the entry is to what the collection holds (STIX 2.1 §3.6).
    fn judge(&mut self, entry: &Entry<'_>, known: &[Known], author: Option<i64>) -> Result<Judgement, rusqlite::Error> {
        let Some(version) = entry.version else {
            // Only what its poster's class holds already is held: whoever may not see another class would learn from
            // the answer, and from what is not there afterwards, that somebody had brought the same.
            let open = self.variant(entry.class.0)?;
            let mine = |k: &&Known| k.state == head::LIVE && (k.class == entry.class.0 || Some(k.class) == open);
            let newest = known.iter().filter(mine).max_by_key(|k| k.seq);
            if let Some(newest) = newest
                && self.equals(entry, newest.seq)?
            {
                return Ok(Judgement::Held(newest.seq, head::LIVE));
            }
            return Ok(Judgement::New(head::LIVE));
        };
        let at = (version.micros, version.picos);
        let mut state = head::LIVE;
        for held in known.iter().filter(|k| (k.micros, k.picos) == at && k.dialect == entry.dialect as u8) {
            if self.equals(entry, held.seq)? {
                return Ok(Judgement::Held(held.seq, held.state));
            }
            if held.state == head::LIVE {
                state = head::CONFLICT;
            }
        }
        if state == head::LIVE {
            let live = || known.iter().filter(|k| k.state == head::LIVE);
            let foreign = live().min_by_key(|k| k.seq).is_some_and(|first| first.author != author);
            let ended = live().any(|k| k.revoked && (k.micros, k.picos) < at);
            if foreign || ended {
                state = head::QUARANTINED;
            }
        }
        Ok(Judgement::New(state))
    }

    fn known(&self, collection: CollectionNo, key: &[u8]) -> Result<Vec<Known>, rusqlite::Error> {
        let mut rows = self.change.prepare_cached(
            "SELECT micros, picos, seq, dialect, class, state, author, revoked FROM version WHERE collection = ?1 AND key = ?2",
        )?;
        rows.query_map(params![collection.0, key], |row| {
            Ok(Known {
                micros: row.get(0)?,
                picos: row.get(1)?,
                seq: row.get(2)?,
                dialect: row.get(3)?,
                class: row.get(4)?,
                state: row.get(5)?,
                author: row.get(6)?,
                revoked: row.get(7)?,
            })
        })?
        .collect()
    }

    /// Whether a stored record says the same as the entry.
    fn equals(&mut self, entry: &Entry<'_>, seq: i64) -> Result<bool, rusqlite::Error> {
        let same = |body: &[u8]| body == entry.body || (self.same)(body, entry.body);
        if let Some(leaf) = self.open.get_mut(&entry.collection).and_then(|leaves| leaves.find(seq))
            && let Some(head) = leaf.find(seq).map(|head| *head)
        {
            return Ok(same(leaf.body(&head)));
        }
        let Some(no) = leaf::holding(self.change, entry.collection, seq)? else { return Ok(false) };
        let mut leaf = Leaf::load(self.change, no)?.unwrap_or_default();
        let Some(head) = leaf.find(seq).map(|head| *head) else { return Ok(false) };
        Ok(same(leaf.body(&head)))
    }

    /// Notes at an earlier record that it is no longer the only version of its key.
    fn share(&mut self, collection: CollectionNo, seq: i64) -> Result<(), rusqlite::Error> {
        if let Some(head) = self.open.get_mut(&collection).and_then(|leaves| leaves.find(seq)?.find(seq)) {
            head.shared = true;
            return Ok(());
        }
        let Some(no) = leaf::holding(self.change, collection, seq)? else { return Ok(()) };
        let Some(mut leaf) = Leaf::load(self.change, no)? else { return Ok(()) };
        if let Some(head) = leaf.find(seq).filter(|head| !head.shared) {
            head.shared = true;
            leaf.update(self.change, no, false)?;
        }
        Ok(())
    }

    fn place(&mut self, entry: &Entry<'_>, head: Head) -> Result<(), rusqlite::Error> {
        let leaves = self.open.entry(entry.collection).or_default();
        if leaves.last.full(entry.body.len()) {
            let full = std::mem::take(&mut leaves.last);
            if leaves.wait {
                leaves.full.push(full);
            } else {
                full.write(self.change, entry.collection)?;
            }
        }
        leaves.last.push(head, entry.key, entry.version.map_or("", |version| version.text), entry.body);
        Ok(())
    }

    fn finish(self, before: i64) -> Result<(), rusqlite::Error> {
        let mut open: Vec<_> = self.open.into_iter().collect();
        open.sort_by_key(|(collection, _)| *collection);
        for (collection, leaves) in open {
            for leaf in leaves.full.into_iter().chain([leaves.last]) {
                leaf.write(self.change, collection)?;
            }
        }
        if self.last != before {
            self.change.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'last_seq'")?.execute([self.last])?;
        }
        Ok(())
    }

    fn kind(&mut self, name: &str) -> Result<u32, rusqlite::Error> {
        if let Some(no) = self.kinds.get(name) {
            return Ok(*no);
        }
        let no = u32::try_from(intern(self.change, "kind", name)?).unwrap_or(u32::MAX);
        self.kinds.insert(name.to_owned(), no);
        Ok(no)
    }

    fn author(&mut self, name: &str) -> Result<i64, rusqlite::Error> {
        if let Some(no) = self.authors.get(name) {
            return Ok(*no);
        }
        let no = intern(self.change, "author", name)?;
        self.authors.insert(name.to_owned(), no);
        Ok(no)
    }
}

enum Judgement {
    /// To be kept, in this state.
    New(u8),
    /// Held already, in this state.
    Held(i64, u8),
}

fn answer(state: u8, seq: Seq, new: bool) -> Appended {
    match (state, new) {
        (head::LIVE, true) => Appended::Added(seq),
        (head::LIVE, false) => Appended::Unchanged(seq),
        (head::CONFLICT, _) => Appended::Conflict(seq),
        _ => Appended::Quarantined(seq),
    }
}

/// The number of a name in one of the two tables of names; made if it is new.
fn intern(change: &Transaction<'_>, table: &'static str, name: &str) -> Result<i64, rusqlite::Error> {
    let (find, make) = match table {
        "kind" => ("SELECT no FROM kind WHERE name = ?1", "INSERT INTO kind(name) VALUES(?1)"),
        _ => ("SELECT no FROM author WHERE name = ?1", "INSERT INTO author(name) VALUES(?1)"),
    };
    if let Some(no) = change.prepare_cached(find)?.query_row([name], |row| row.get(0)).optional()? {
        return Ok(no);
    }
    change.prepare_cached(make)?.execute([name])?;
    Ok(change.last_insert_rowid())
}
