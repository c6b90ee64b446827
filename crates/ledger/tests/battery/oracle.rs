//! The ledger in a vector: slow, obvious, and what every engine is compared with.

use ledger::{Appended, ClassNo, CollectionNo, Dialect, Filter, Seq, Versions};

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
    pub(crate) body: String,
}

struct Row {
    object: Object,
    seq: i64,
    at: i64,
    live: bool,
    answer: Appended,
}

/// The book.
#[derive(Default)]
pub(crate) struct Oracle {
    rows: Vec<Row>,
    last: i64,
}

impl Oracle {
    /// What an append must answer.
    pub(crate) fn append(&mut self, object: &Object, now: i64) -> Appended {
        let same_key = |row: &&Row| row.object.collection == object.collection && row.object.key == object.key;
        let live: Vec<&Row> = self.rows.iter().filter(same_key).filter(|row| row.live).collect();
        let known: Vec<&Row> = self.rows.iter().filter(same_key).collect();
        let mut state = Appended::Added as fn(Seq) -> Appended;
        self.last = now.max(self.last + 1);
        match object.version {
            None => {
                if let Some(newest) =
                    live.iter().filter(|row| row.object.class == object.class).max_by_key(|row| row.seq)
                    && newest.object.body == object.body
                {
                    return Appended::Unchanged(Seq(newest.seq));
                }
            }
            Some(at) => {
                let equal = known.iter().filter(|row| row.at == at && row.object.dialect == object.dialect);
                for row in equal {
                    if row.object.body == object.body {
                        return if row.live { Appended::Unchanged(Seq(row.seq)) } else { row.answer };
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
        let answer = state(Seq(self.last));
        let live = matches!(answer, Appended::Added(_));
        let at = object.version.unwrap_or(self.last);
        self.rows.push(Row { object: object.clone(), seq: self.last, at, live, answer });
        answer
    }

    /// What a page must hold: bodies with their places.
    pub(crate) fn select(&self, filter: &Filter<'_>, sees: &dyn Fn(ClassNo) -> bool) -> Vec<(Seq, String)> {
        let visible = |row: &&Row| row.live && row.object.collection == filter.collection && sees(row.object.class);
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
            .map(|row| (Seq(row.seq), row.object.body.clone()))
            .collect()
    }

    /// Erases what the filter selects; a tombstone takes a place of its own.
    pub(crate) fn delete(&mut self, filter: &Filter<'_>, sees: &dyn Fn(ClassNo) -> bool, now: i64) -> u64 {
        let gone = self.select(filter, sees);
        self.rows.retain(|row| !gone.iter().any(|(seq, _)| seq.0 == row.seq));
        for _ in &gone {
            self.last = now.max(self.last + 1);
        }
        gone.len() as u64
    }
}
