//! Single records, read where one has to be looked at: what a query asks about record by record goes through here.

use super::head::Head;
use super::{key_blob, known_key, leaf, select};
use crate::{ClassNo, CollectionNo, Error, Lookup, Met, Result};
use rusqlite::blob::Blob;
use rusqlite::{Connection, params};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The records of one state of the book. Not to be kept across a write.
pub(super) struct Shelf<'b> {
    base: &'b Connection,
    bodies: RefCell<Option<(i64, Blob<'b>)>>,
    /// The names of the leaf that was asked for last.
    names: RefCell<Option<(i64, Vec<u8>)>>,
    kinds: RefCell<HashMap<u32, Rc<str>>>,
    collections: OnceCell<Vec<u32>>,
    spare: Cell<Vec<u8>>,
    /// What went wrong while somebody else was looking things up.
    failed: Cell<Option<rusqlite::Error>>,
}

impl<'b> Shelf<'b> {
    pub(super) fn new(base: &'b Connection) -> Self {
        Self {
            base,
            bodies: RefCell::new(None),
            names: RefCell::new(None),
            kinds: RefCell::default(),
            collections: OnceCell::new(),
            spare: Cell::default(),
            failed: Cell::new(None),
        }
    }

    /// What went wrong while somebody else was looking things up.
    pub(super) fn end(self) -> Result<(), rusqlite::Error> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Copies a piece of a leaf's bodies.
    pub(super) fn read(&self, leaf: i64, offset: usize, into: &mut [u8]) -> Result<(), rusqlite::Error> {
        let mut bodies = self.bodies.borrow_mut();
        match &mut *bodies {
            Some((open, _)) if *open == leaf => {}
            Some((open, blob)) => {
                blob.reopen(leaf)?;
                *open = leaf;
            }
            None => *bodies = Some((leaf, self.base.blob_open("main", "body", "bytes", leaf, true)?)),
        }
        match &*bodies {
            Some((_, blob)) if !into.is_empty() => blob.read_at_exact(into, offset),
            _ => Ok(()),
        }
    }

    /// Shows a record to `look`.
    pub(super) fn show<T>(
        &self,
        collection: u32,
        leaf: i64,
        head: &Head,
        look: impl FnOnce(&Met<'_>) -> T,
    ) -> Result<T, rusqlite::Error> {
        let key = self.key(leaf, head)?;
        let kind = self.kind(head.kind)?;
        let mut body = self.spare.take();
        body.resize(head.length as usize, 0);
        self.read(leaf, head.offset as usize, &mut body)?;
        let seen = look(&Met {
            seq: head.seq(),
            collection: CollectionNo(collection),
            class: head.class(),
            key: &key,
            kind: &kind,
            dialect: head.dialect(),
            body: &body,
        });
        self.spare.set(body);
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(seen),
        }
    }

    /// The index's form of a record's key.
    pub(super) fn index_key(&self, leaf: i64, head: &Head) -> Result<Vec<u8>, rusqlite::Error> {
        Ok(key_blob(head.kind, &self.kind(head.kind)?, &self.key(leaf, head)?))
    }

    fn key(&self, no: i64, head: &Head) -> Result<String, rusqlite::Error> {
        let mut held = self.names.borrow_mut();
        if let Some((leaf, names)) = &*held
            && *leaf == no
        {
            return Ok(leaf::key(names, head).to_owned());
        }
        let names: Vec<u8> =
            self.base.prepare_cached("SELECT names FROM leaf WHERE no = ?1")?.query_row([no], |row| row.get(0))?;
        let key = leaf::key(&names, head).to_owned();
        *held = Some((no, names));
        Ok(key)
    }

    fn kind(&self, no: u32) -> Result<Rc<str>, rusqlite::Error> {
        if let Some(name) = self.kinds.borrow().get(&no) {
            return Ok(Rc::clone(name));
        }
        let name: String =
            self.base.prepare_cached("SELECT name FROM kind WHERE no = ?1")?.query_row([no], |row| row.get(0))?;
        let name: Rc<str> = name.into();
        self.kinds.borrow_mut().insert(no, Rc::clone(&name));
        Ok(name)
    }

    /// Every collection of the book.
    pub(super) fn collections(&self) -> Result<&[u32], rusqlite::Error> {
        if let Some(held) = self.collections.get() {
            return Ok(held);
        }
        let mut found = self.base.prepare_cached("SELECT no FROM collection ORDER BY no")?;
        let found = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(self.collections.get_or_init(|| found))
    }

    fn each_version(&self, key: &str, each: &mut dyn FnMut(&Met<'_>) -> bool) -> Result<(), rusqlite::Error> {
        let Some(key) = known_key(self.base, key)? else { return Ok(()) };
        for collection in self.collections()? {
            let mut live =
                self.base.prepare_cached("SELECT seq FROM version WHERE collection = ?1 AND key = ?2 AND state = 0")?;
            let live: Vec<i64> =
                live.query_map(params![collection, key], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for seq in live {
                let Some((leaf, head)) = select::locate(self.base, *collection, seq)? else { continue };
                if !self.show(*collection, leaf, &head, &mut *each)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn each_place(
        &self,
        key: &str,
        each: &mut dyn FnMut(CollectionNo, ClassNo) -> bool,
    ) -> Result<(), rusqlite::Error> {
        let Some(key) = known_key(self.base, key)? else { return Ok(()) };
        for collection in self.collections()? {
            let mut live = self
                .base
                .prepare_cached("SELECT class FROM version WHERE collection = ?1 AND key = ?2 AND state = 0")?;
            let mut live = live.query(params![collection, key])?;
            while let Some(row) = live.next()? {
                if !each(CollectionNo(*collection), ClassNo(row.get(0)?)) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Keeps the engine's error for the query under way, and tells whoever asked that there was one.
    fn note(&self, done: Result<(), rusqlite::Error>) -> Result<()> {
        done.map_err(|error| {
            let source = error.to_string().into();
            self.failed.set(Some(error));
            Error::Storage { doing: "look an object up", path: self.base.path().unwrap_or_default().to_owned(), source }
        })
    }
}

impl Lookup for Shelf<'_> {
    fn versions(&self, key: &str, each: &mut dyn FnMut(&Met<'_>) -> bool) -> Result<()> {
        self.note(self.each_version(key, each))
    }

    fn places(&self, key: &str, each: &mut dyn FnMut(CollectionNo, ClassNo) -> bool) -> Result<()> {
        self.note(self.each_place(key, each))
    }
}
