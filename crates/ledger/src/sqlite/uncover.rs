//! Losing cover: when the last live version of a key in a class goes, what rests on it becomes open, and so on.
//!
//! Who refers to whom is not kept, because that would cost every append; the bodies of the records that refer to anything
//! are searched instead. A quoted id anywhere in a body counts. That is sometimes more than a reference, and never less.

use super::head::{self, Head};
use super::leaf::Leaf;
use super::{class, cover, key_of};
use crate::Result;
use memchr::memmem::{Finder, find_iter};
use rusqlite::Transaction;
use std::collections::{HashMap, HashSet};

/// Keys and classes of records that went.
pub(super) type Gone = Vec<(String, u32)>;

/// So many keys are searched for one by one; of more, every string of a body is looked up.
const FEW: usize = 4;

/// Opens whatever was covered by records that are no longer there. To be called when they are gone from the index.
pub(super) fn run(change: &Transaction<'_>, collection: u32, gone: &Gone) -> Result<(), rusqlite::Error> {
    let mut work =
        Uncover { change, collection, variants: HashMap::new(), wanted: Wanted::new(), further: Wanted::new() };
    for (key, class) in gone {
        if work.is_gone(key, *class)? {
            work.wanted.entry(*class).or_default().add(key);
        }
    }
    if work.wanted.is_empty() {
        return Ok(());
    }
    let leaves = cover::leaves(change, collection)?;
    while !work.wanted.is_empty() {
        // What is referred to mostly lies before what refers to it: one round usually finds everything.
        for no in &leaves {
            work.leaf(*no)?;
        }
        work.wanted = std::mem::take(&mut work.further);
    }
    Ok(())
}

type Wanted = HashMap<u32, Keys>;

struct Uncover<'c> {
    change: &'c Transaction<'c>,
    collection: u32,
    variants: HashMap<u32, Option<u32>>,
    /// What this round looks for, class by class.
    wanted: Wanted,
    /// What was added in this round, so that leaves before have not been searched for it.
    further: Wanted,
}

impl Uncover<'_> {
    fn leaf(&mut self, no: i64) -> Result<(), rusqlite::Error> {
        let suspect = |wanted: &Wanted, head: &Head| {
            head.state == head::LIVE && head.refers == head::REFERS && wanted.contains_key(&head.class)
        };
        let any = self.change.prepare_cached("SELECT heads FROM leaf WHERE no = ?1")?.query_row([no], |row| {
            Ok(head::heads(row.get_ref(0)?.as_blob()?).any(|head| suspect(&self.wanted, &head)))
        })?;
        if !any {
            return Ok(());
        }
        let mut leaf = Leaf::load(self.change, no)?.unwrap_or_default();
        let mut changed = false;
        loop {
            let mentions = |head: &&Head| {
                suspect(&self.wanted, head)
                    && self.wanted.get(&head.class).is_some_and(|keys| keys.mentioned(leaf.body(head)))
            };
            let hit: Vec<Head> = leaf.heads.iter().filter(mentions).copied().collect();
            if hit.is_empty() {
                break;
            }
            for was in hit {
                self.open(&mut leaf, &was)?;
            }
            changed = true;
        }
        if changed { leaf.update(self.change, no, false) } else { Ok(()) }
    }

    fn open(&mut self, leaf: &mut Leaf, was: &Head) -> Result<(), rusqlite::Error> {
        let Some(open) = self.variant(was.class)? else { return Ok(()) };
        cover::set_class(self.change, self.collection, &key_of(self.change, &leaf.names, was)?, was, open)?;
        if let Some(head) = leaf.find(was.seq) {
            head.class = open;
        }
        let key = leaf.key(was);
        if self.is_gone(key, was.class)? {
            self.wanted.entry(was.class).or_default().add(key);
            self.further.entry(was.class).or_default().add(key);
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
