//! Losing cover: when the last live version of a key in a class goes, what rests on it becomes open, and so on.
//!
//! Who refers to whom is not kept, because that would cost every append; the bodies of the records that refer to anything
//! are searched instead. A quoted id anywhere in a body counts. That is sometimes more than a reference, and never less.

use super::head::{self, Head};
use super::leaf::{self, Leaf};
use super::{class, cover, key_of};
use crate::Result;
use memchr::memmem::{Finder, find_iter};
use rusqlite::Transaction;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Keys and classes of records that went.
pub(super) type Gone = Vec<(String, u32)>;

/// So many keys are searched for one by one; of more, every string of a body is looked up.
const FEW: usize = 4;

/// Opens whatever was covered by records that are no longer there. To be called when they are gone from the index.
///
/// One search for what went; if something that others rest on becomes open by it, one more that notes who mentions whom
/// among all that may be concerned, and then everything follows from that. So a chain costs no more than a star, and
/// memory is about the keys of the covered records that refer to something.
pub(super) fn run(change: &Transaction<'_>, collection: u32, gone: &Gone) -> Result<(), rusqlite::Error> {
    let mut work = Uncover { change, collection, variants: HashMap::new(), opened: BTreeMap::new(), next: Vec::new() };
    let mut wanted: HashMap<u32, Keys> = HashMap::new();
    for (key, class) in gone {
        if work.is_gone(key, *class)? {
            wanted.entry(*class).or_default().add(key);
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut hit = Vec::new();
    work.suspects(
        |class| wanted.contains_key(&class),
        |no, leaf, head| {
            if wanted.get(&head.class).is_some_and(|keys| keys.mentioned(leaf.body(head))) {
                hit.push((no, head.seq));
            }
        },
    )?;
    for (no, seq) in hit {
        work.open(no, seq)?;
    }
    if !work.next.is_empty() {
        work.follow(&wanted)?;
    }
    work.write()
}

/// Keys, and the leaf and number of each record that mentions them.
type Mentions = HashMap<Vec<u8>, Vec<(i64, i64)>>;

struct Uncover<'c> {
    change: &'c Transaction<'c>,
    collection: u32,
    variants: HashMap<u32, Option<u32>>,
    /// What becomes open, leaf by leaf. The index has it already.
    opened: BTreeMap<i64, Vec<(i64, u32)>>,
    /// What went by that, and has not been followed yet.
    next: Gone,
}

impl Uncover<'_> {
    /// Calls `each` for every covered record of these classes that refers to something.
    fn suspects(
        &self,
        among: impl Fn(u32) -> bool,
        mut each: impl FnMut(i64, &Leaf, &Head),
    ) -> Result<(), rusqlite::Error> {
        let suspect = |head: &Head| head.state == head::LIVE && head.refers == head::REFERS && among(head.class);
        for no in cover::leaves(self.change, self.collection)? {
            let any = self
                .change
                .prepare_cached("SELECT heads FROM leaf WHERE no = ?1")?
                .query_row([no], |row| Ok(head::heads(row.get_ref(0)?.as_blob()?).any(|head| suspect(&head))))?;
            if any {
                let leaf = Leaf::load(self.change, no)?.unwrap_or_default();
                leaf.heads.iter().filter(|head| suspect(head)).for_each(|head| each(no, &leaf, head));
            }
        }
        Ok(())
    }

    /// Opens what rests on what was opened, and so on.
    fn follow(&mut self, classes: &HashMap<u32, Keys>) -> Result<(), rusqlite::Error> {
        // By class. Only what may become open itself can be looked for here.
        let mut mentions: HashMap<u32, Mentions> = HashMap::new();
        let among = |class: u32| classes.contains_key(&class);
        self.suspects(among, |_, leaf, head| {
            mentions.entry(head.class).or_default().entry(leaf.key(head).as_bytes().to_vec()).or_default();
        })?;
        self.suspects(among, |no, leaf, head| {
            let Some(mentions) = mentions.get_mut(&head.class) else { return };
            for text in leaf.body(head).split(|byte| *byte == b'"') {
                if let Some(by) = mentions.get_mut(text) {
                    by.push((no, head.seq));
                }
            }
        })?;
        while let Some((key, class)) = self.next.pop() {
            let by = mentions.get_mut(&class).and_then(|keys| keys.remove(key.as_bytes()));
            for (no, seq) in by.unwrap_or_default() {
                self.open(no, seq)?;
            }
        }
        Ok(())
    }

    /// Opens a record in the index, if that has not been done, and notes what is gone by it.
    fn open(&mut self, no: i64, seq: i64) -> Result<(), rusqlite::Error> {
        let opened = self.opened.entry(no).or_default();
        if opened.iter().any(|(done, _)| *done == seq) {
            return Ok(());
        }
        let (head, names) =
            self.change.prepare_cached("SELECT heads, names FROM leaf WHERE no = ?1")?.query_row([no], |row| {
                let head = head::heads(row.get_ref(0)?.as_blob()?).find(|head| head.seq == seq);
                Ok((head, row.get::<_, Vec<u8>>(1)?))
            })?;
        let Some(head) = head else { return Ok(()) };
        let Some(open) = self.variant(head.class)? else { return Ok(()) };
        cover::set_class(self.change, self.collection, &key_of(self.change, &names, &head)?, &head, open)?;
        self.opened.entry(no).or_default().push((seq, open));
        let key = leaf::key(&names, &head);
        if self.is_gone(key, head.class)? {
            self.next.push((key.to_owned(), head.class));
        }
        Ok(())
    }

    /// Writes the leaves of what was opened.
    fn write(self) -> Result<(), rusqlite::Error> {
        for (no, opened) in self.opened {
            let Some(mut leaf) = Leaf::load(self.change, no)? else { continue };
            for (seq, open) in opened {
                if let Some(head) = leaf.find(seq) {
                    head.class = open;
                }
            }
            leaf.update(self.change, no, false)?;
        }
        Ok(())
    }

    /// Whether nothing of a key is left in a class that can cover.
    fn is_gone(&mut self, key: &str, class: u32) -> Result<bool, rusqlite::Error> {
        Ok(self.variant(class)?.is_some() && !cover::holds(self.change, (self.collection, key, class), i64::MAX)?)
    }

    fn variant(&mut self, class: u32) -> Result<Option<u32>, rusqlite::Error> {
        if let Some(known) = self.variants.get(&class) {
            return Ok(*known);
        }
        let open = class::open_of(self.change, class)?;
        self.variants.insert(class, open);
        Ok(open)
    }
}

/// Keys to look for in bodies.
#[derive(Default)]
struct Keys {
    all: HashSet<Vec<u8>>,
    finders: Vec<Finder<'static>>,
}

impl Keys {
    fn add(&mut self, key: &str) {
        if self.all.insert(key.as_bytes().to_vec()) && self.finders.len() < FEW {
            self.finders.push(Finder::new(format!("\"{key}\"").as_bytes()).into_owned());
        }
    }

    /// Whether the body has one of the keys between two quotation marks, or may have one in a spelling with escapes.
    fn mentioned(&self, body: &[u8]) -> bool {
        let plain = if self.all.len() > FEW {
            body.split(|byte| *byte == b'"').any(|text| self.all.contains(text))
        } else {
            self.finders.iter().any(|finder| finder.find(body).is_some())
        };
        plain || escaped(body)
    }
}

/// Whether some character that an id may have is written as an escape.
fn escaped(body: &[u8]) -> bool {
    find_iter(body, "\\u00").any(|at| body.get(at + 4).is_some_and(|digit| (b'2'..=b'7').contains(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_between_quotation_marks_or_where_escapes_may_hide_it() {
        let cases = [
            (r#"{"ref":"a--1"}"#, true),
            (r#"{"refs":["x","a--1"]}"#, true),
            (r#"{"ref":"a--11"}"#, false),
            (r#"{"ref":"see a--1"}"#, false),
            (r#"{"ref":"\u0061--1"}"#, true),
            (r#"{"ref":"a\u002D-2"}"#, true),
            (r#"{"name":"\u0627\u00e9\u0009"}"#, false),
            ("{}", false),
        ];
        for more in [0, 1, FEW] {
            let mut keys = Keys::default();
            keys.add("a--1");
            (0..more).for_each(|n| keys.add(&format!("b--{n}")));
            for (body, wanted) in cases {
                assert_eq!(keys.mentioned(body.as_bytes()), wanted, "{body} among {more} more");
            }
        }
    }
}
