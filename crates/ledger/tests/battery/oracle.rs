//! The ledger in a vector: slow, obvious, and what every engine is compared with.

use super::viewer::Viewer;
use ledger::{Appended, ClassNo, CollectionNo, Dialect, Filter, Place, Seq, Versions};

/// One object as a test makes it.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) collection: CollectionNo,
    pub(crate) key: String,
    pub(crate) kind: String,
    /// Microseconds of the version; `None`: unversioned.
    pub(crate) version: Option<i64>,
    pub(crate) dialect: Dialect,
    pub(crate) author: Option<String>,
    pub(crate) revoked: bool,
    pub(crate) class: ClassNo,
    pub(crate) references: Vec<String>,
    pub(crate) body: String,
}

struct Row {
    object: Object,
    seq: i64,
    at: i64,
    live: bool,
    answer: Appended,
}

/// A record that is given, as it is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) seq: Seq,
    pub(crate) class: ClassNo,
    pub(crate) body: String,
}

/// The book.
#[derive(Default)]
pub(crate) struct Oracle {
    rows: Vec<Row>,
    last: i64,
    /// Classes and their open variants.
    pairs: Vec<(ClassNo, ClassNo)>,
}

impl Oracle {
    pub(crate) fn new(pairs: &[(ClassNo, ClassNo)]) -> Self {
        Self { pairs: pairs.to_vec(), ..Self::default() }
    }

    /// What an append must answer to the objects of one call.
    pub(crate) fn append(&mut self, objects: &[Object], now: i64) -> Vec<Appended> {
        let before = self.last;
        let answers = objects.iter().map(|object| self.append_one(object, now)).collect();
        let open: Vec<i64> = self
            .rows
            .iter()
            .filter(|row| row.live && row.seq > before && !row.object.references.is_empty())
            .map(|row| row.seq)
            .collect();
        self.cover(open);
        answers
    }

    fn append_one(&mut self, object: &Object, now: i64) -> Appended {
        let same_key = |row: &&Row| row.object.collection == object.collection && row.object.key == object.key;
        let live: Vec<&Row> = self.rows.iter().filter(same_key).filter(|row| row.live).collect();
        let known: Vec<&Row> = self.rows.iter().filter(same_key).collect();
        let mut state = Appended::Added as fn(Seq) -> Appended;
        let seq = now.max(self.last + 1);
        match object.version {
            None => {
                if let Some(newest) = live
                    .iter()
                    .filter(|row| self.pair(row.object.class) == self.pair(object.class))
                    .max_by_key(|row| row.seq)
                    && newest.object.body == object.body
                {
                    self.last = seq;
                    return Appended::Unchanged(Seq(seq));
                }
            }
            Some(at) => {
                let equal = known.iter().filter(|row| row.at == at && row.object.dialect == object.dialect);
                for row in equal {
                    if row.object.body == object.body {
                        let held = if row.live { Appended::Unchanged(Seq(row.seq)) } else { row.answer };
                        self.last = seq;
                        return held;
                    }
                    if row.live {
                        state = Appended::Conflict;
                    }
                }
                let conflict = matches!(state(Seq(0)), Appended::Conflict(_));
                let foreign =
                    live.iter().min_by_key(|row| row.seq).is_some_and(|row| row.object.author != object.author);
                let ended = live.iter().any(|row| row.object.revoked && row.at < at);
                if !conflict && (foreign || ended) {
                    state = Appended::Quarantined;
                }
            }
        }
        self.last = seq;
        let answer = state(Seq(seq));
        let live = matches!(answer, Appended::Added(_));
        let mut object = object.clone();
        if !object.references.is_empty() {
            object.class = self.pair(object.class).1;
        }
        self.rows.push(Row { at: object.version.unwrap_or(seq), object, seq, live, answer });
        answer
    }

    fn next(&mut self, now: i64) -> i64 {
        self.last = now.max(self.last + 1);
        self.last
    }

    /// A class and its open variant, by either.
    fn pair(&self, class: ClassNo) -> (ClassNo, ClassNo) {
        *self.pairs.iter().find(|pair| pair.0 == class || pair.1 == class).unwrap()
    }

    /// Covers as many of the open rows as can be together: takes out one after another that finds a target nowhere.
    fn cover(&mut self, mut set: Vec<i64>) -> u64 {
        loop {
            let fits = |row: &Row| {
                let class = self.pair(row.object.class).0;
                row.object.references.iter().all(|id| {
                    self.rows.iter().any(|other| {
                        other.live
                            && other.object.collection == row.object.collection
                            && other.object.key == *id
                            && (other.object.class == class
                                || (set.contains(&other.seq) && self.pair(other.object.class).0 == class))
                    })
                })
            };
            let out = self.rows.iter().find(|row| set.contains(&row.seq) && !fits(row)).map(|row| row.seq);
            match out {
                Some(out) => set.retain(|seq| *seq != out),
                None => break,
            }
        }
        let pairs = self.pairs.clone();
        for row in self.rows.iter_mut().filter(|row| set.contains(&row.seq)) {
            row.object.class = pairs.iter().find(|pair| pair.1 == row.object.class).unwrap().0;
        }
        set.len() as u64
    }

    /// Opens every covered row that finds a target nowhere any more.
    fn uncover(&mut self) {
        loop {
            let lost = self.rows.iter().position(|row| {
                row.live
                    && self.pair(row.object.class).0 == row.object.class
                    && !row.object.references.iter().all(|id| {
                        self.rows.iter().any(|other| {
                            other.live
                                && other.object.collection == row.object.collection
                                && other.object.class == row.object.class
                                && other.object.key == *id
                        })
                    })
            });
            let Some(lost) = lost else { return };
            self.rows[lost].object.class = self.pair(self.rows[lost].object.class).1;
        }
    }

    /// Covers what can be covered by now.
    pub(crate) fn settle(&mut self, collection: CollectionNo) -> u64 {
        let open = |row: &&Row| {
            row.live
                && row.object.collection == collection
                && !row.object.references.is_empty()
                && self.pair(row.object.class).1 == row.object.class
        };
        let open = self.rows.iter().filter(open).map(|row| row.seq).collect();
        self.cover(open)
    }

    /// Every live version of a key, with its class and body.
    pub(crate) fn versions(&self, key: &str) -> Vec<(ClassNo, String)> {
        let found = self.rows.iter().filter(|row| row.live && row.object.key == key);
        found.map(|row| (row.object.class, row.object.body.clone())).collect()
    }

    fn given(&self, row: &Row, viewer: &Viewer) -> Option<String> {
        viewer.give(row.object.class, &row.object.body, &mut |key| self.versions(key))
    }

    /// Whether a viewer may see anything of the record with this number.
    pub(crate) fn shows(&self, seq: Seq, viewer: &Viewer) -> bool {
        self.rows.iter().any(|row| row.live && row.seq == seq.0 && self.given(row, viewer).is_some())
    }

    /// Whether a viewer may see any version of a key.
    pub(crate) fn contains(&self, collection: CollectionNo, key: &str, viewer: &Viewer) -> bool {
        let of = |row: &&Row| row.live && row.object.collection == collection && row.object.key == key;
        self.rows.iter().filter(of).any(|row| self.given(row, viewer).is_some())
    }

    /// What a walk must give, in order.
    pub(crate) fn select(&self, filter: &Filter<'_>, viewer: &Viewer) -> Vec<Given> {
        let visible =
            |row: &&Row| row.live && row.object.collection == filter.collection && self.given(row, viewer).is_some();
        let chosen = |row: &Row| {
            let versions: Vec<&Row> =
                self.rows.iter().filter(visible).filter(|other| other.object.key == row.object.key).collect();
            let newest = versions.iter().map(|other| other.object.dialect).max();
            let wanted = |other: &&&Row| match &filter.dialects {
                None => Some(other.object.dialect) == newest,
                Some(list) => list.contains(&other.object.dialect),
            };
            let mut wanted: Vec<&&Row> = versions.iter().filter(wanted).collect();
            wanted.sort_by_key(|other| (other.at, other.seq));
            let is = |other: Option<&&&Row>| other.is_some_and(|other| other.seq == row.seq);
            wanted.iter().any(|other| other.seq == row.seq)
                && match &filter.versions {
                    Versions::All => true,
                    Versions::Some { first, last, at } => {
                        (*first && is(wanted.first())) || (*last && is(wanted.last())) || at.contains(&(row.at, 0))
                    }
                }
        };
        let listed = |list: &Option<Vec<&str>>, word: &str| list.as_ref().is_none_or(|list| list.contains(&word));
        self.rows
            .iter()
            .filter(visible)
            .filter(|row| filter.after.is_none_or(|after| row.seq > after.0))
            .filter(|row| listed(&filter.keys, &row.object.key) && listed(&filter.kinds, &row.object.kind))
            .filter(|row| chosen(row))
            .filter_map(|row| {
                let body = self.given(row, viewer)?;
                Some(Given { seq: Seq(row.seq), class: row.object.class, body })
            })
            .collect()
    }

    fn remove(&mut self, gone: &[i64], now: i64) -> u64 {
        self.rows.retain(|row| !gone.contains(&row.seq));
        for _ in gone {
            // A tombstone takes a place of its own.
            self.next(now);
        }
        gone.len() as u64
    }

    /// Erases what the filter selects.
    pub(crate) fn delete(&mut self, filter: &Filter<'_>, viewer: &Viewer, now: i64) -> u64 {
        let gone: Vec<i64> = self.select(filter, viewer).iter().map(|given| given.seq.0).collect();
        let count = self.remove(&gone, now);
        self.uncover();
        count
    }

    /// Erases whatever is named, seen or not, live or not.
    pub(crate) fn erase(&mut self, which: impl Fn(&Object, Seq) -> bool, now: i64) -> u64 {
        let gone: Vec<i64> =
            self.rows.iter().filter(|row| which(&row.object, Seq(row.seq))).map(|row| row.seq).collect();
        let count = self.remove(&gone, now);
        self.uncover();
        count
    }

    /// Another class for what is live under a key.
    pub(crate) fn reclass(
        &mut self,
        key: &str,
        to: impl Fn(&Object) -> Option<ClassNo>,
        place: Place,
        now: i64,
    ) -> u64 {
        let mut count = 0;
        let mut collections: Vec<CollectionNo> = self.rows.iter().map(|row| row.object.collection).collect();
        collections.sort();
        collections.dedup();
        for collection in collections {
            let mut moves = Vec::new();
            for row in
                self.rows.iter().filter(|row| row.live && row.object.key == key && row.object.collection == collection)
            {
                let Some(wanted) = to(&row.object) else { continue };
                let (covered, open) = self.pair(wanted);
                let stays = row.object.references.is_empty() || row.object.class == covered;
                let class = if stays { covered } else { open };
                if class != row.object.class || place == Place::Renewed {
                    moves.push((row.seq, class));
                }
            }
            count += moves.len() as u64;
            if place == Place::Renewed {
                for _ in &moves {
                    self.next(now);
                }
            }
            for (seq, class) in moves {
                let at = self.rows.iter().position(|row| row.seq == seq).unwrap();
                let mut row = self.rows.remove(at);
                row.object.class = class;
                if place == Place::Renewed {
                    row.seq = self.next(now);
                    row.at = row.object.version.unwrap_or(row.seq);
                    row.answer = Appended::Added(Seq(row.seq));
                }
                self.rows.push(row);
                self.rows.sort_by_key(|row| row.seq);
            }
        }
        self.uncover();
        count
    }
}
