//! The embedded engine: one SQLite file, one writer at a time, readers that never wait for it.
//!
//! Records lie in leaves (`leaf.rs`), which is what makes a page a few copies; one index (`version`) finds every
//! version of a key. Several processes may open the same file: the engine orders their writes, and every number that
//! counts (the newest sequence, the generation of the register) is read from the file inside the transaction.

mod alerts;
mod append;
mod check;
mod class;
mod cover;
mod head;
mod journal;
mod leaf;
mod mail;
mod migrate;
mod page;
mod partners;
mod people;
mod provenance;
mod recall;
mod reclass;
mod register;
mod remove;
mod select;
mod settle;
mod sharing;
mod shelf;
mod uncover;

pub use journal::JournalFile;

use crate::{
    ClassNo, CollectionNo, Error, Fault, Filter, Ledger, ManifestRow, Met, Micros, Page, Place, Record, References,
    Result, Same, Scope, Sees, Seq, Statistics, Submission,
};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections for reading are kept when idle.
const IDLE_READERS: usize = 8;
/// How long a writer waits for another process.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A book in a file.
pub struct Book {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    classes: Mutex<std::collections::HashMap<ClassNo, Arc<[u8]>>>,
}

impl Book {
    /// Makes a new book.
    ///
    /// # Errors
    /// [`Error::Exists`] if the file exists, [`Error::Full`], [`Error::Storage`].
    pub fn create(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(Error::Exists { what: "file", name: path.display().to_string() });
        }
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, 0)
    }

    /// Opens a book. An older schema is brought up to date, after a snapshot of the file has been laid beside it
    /// under a name with its version and `now`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::TooNew`], [`Error::Full`], [`Error::Storage`].
    pub fn open(path: &Path, now: Micros) -> Result<Self> {
        if !path.exists() {
            return Err(Error::Missing { what: "book", name: path.display().to_string() });
        }
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE, now)
    }

    fn with(path: &Path, flags: OpenFlags, now: Micros) -> Result<Self> {
        let store = Store { path };
        let open = || -> Result<Connection, rusqlite::Error> {
            let base = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            base.busy_timeout(PATIENCE)?;
            base.execute_batch(
                "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
                 PRAGMA secure_delete=FAST; PRAGMA cache_size=-24576; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000;
                 PRAGMA journal_size_limit=67108864;",
            )?;
            base.set_prepared_statement_cache_capacity(64);
            keep_plans(&base)?;
            Ok(base)
        };
        let mut writer = open().map_err(store.failed("open the book"))?;
        migrate::run(&mut writer, path, now)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            classes: Mutex::new(std::collections::HashMap::new()),
        })
    }

    /// Lets the file grow to so many pages at most (what is there stays): a quota, past which writes are refused as on a
    /// full disk.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn limit_pages(&self, most: i64) -> Result<()> {
        let set = self.writer().query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()));
        set.map_err(self.failed("set a quota"))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error + use<'_> {
        Store { path: &self.path }.failed(doing)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change in one durable transaction.
    fn change<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T> {
        let mut writer = self.writer();
        let run = || {
            let change = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let out = work(&change)?;
            change.commit()?;
            Ok(out)
        };
        run().map_err(self.failed(doing))
    }

    /// Runs a read on one consistent state.
    fn read<T>(&self, doing: &'static str, work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let run = || {
            let mut reader = match idle {
                Some(reader) => reader,
                None => self.reader()?,
            };
            let state = reader.transaction()?;
            let out = work(&state);
            state.finish()?;
            let mut idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_READERS {
                idle.push(reader);
            }
            out
        };
        run().map_err(self.failed(doing))
    }

    /// What was erased must not live on in the log.
    fn forget(&self, erased: u64) {
        if erased > 0 {
            let _ = self.writer().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    /// Readers map the file: a page of bodies is then one copy, from the system's cache into the answer. The mapping counts
    /// as resident memory of the process, once a reader, though it is the system's to take back.
    fn reader(&self) -> Result<Connection, rusqlite::Error> {
        let base = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        base.busy_timeout(PATIENCE)?;
        base.execute_batch(
            "PRAGMA query_only=ON; PRAGMA cache_size=-2048; PRAGMA mmap_size=1073741824; PRAGMA temp_store=MEMORY;",
        )?;
        base.set_prepared_statement_cache_capacity(32);
        keep_plans(&base)?;
        Ok(base)
    }
}

/// One plan a statement. Otherwise the engine may plan anew whenever a bound value changes: a few times the cost of the
/// query itself, for statistics that this schema does not keep.
fn keep_plans(base: &Connection) -> Result<(), rusqlite::Error> {
    base.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Names the file in errors, and tells a full disk from other failures.
#[derive(Clone, Copy)]
struct Store<'p> {
    path: &'p Path,
}

impl<'p> Store<'p> {
    fn failed(self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error + use<'p> {
        let path = self.path;
        move |source| {
            let path = path.display().to_string();
            match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => Error::Full { path },
                // A write that could not be finished: on Linux a full disk shows here when the log's index cannot grow.
                Some(rusqlite::ErrorCode::SystemIoFailure) if full(&source) => Error::Full { path },
                _ => Error::Storage { doing, path, source: Box::new(source) },
            }
        }
    }
}

/// Extended codes that a full disk gives: short or failed writes and failed growth of the shared index.
fn full(error: &rusqlite::Error) -> bool {
    const WRITE: i32 = 10 | (3 << 8);
    const FSYNC: i32 = 10 | (4 << 8);
    const SHM_SIZE: i32 = 10 | (19 << 8);
    matches!(error.sqlite_error().map(|e| e.extended_code), Some(WRITE | FSYNC | SHM_SIZE))
}

impl Ledger for Book {
    fn append(&self, submissions: &[Submission<'_>], now: Micros, same: Same<'_>) -> Result<Vec<Vec<crate::Appended>>> {
        self.change("append", |change| append::run(change, submissions, now, same))
    }

    fn objects(&self, filter: &Filter<'_>, sees: &dyn Sees, out: &mut Vec<u8>) -> Result<Page> {
        self.read("read a page", |base| page::objects(base, filter, sees, out))
    }

    fn manifest(&self, filter: &Filter<'_>, sees: &dyn Sees) -> Result<(Page, Vec<ManifestRow>)> {
        self.read("read a manifest", |base| page::manifest(base, filter, sees))
    }

    fn contains(&self, collection: CollectionNo, key: &str, sees: &dyn Sees) -> Result<bool> {
        let filter = Filter {
            collection,
            after: None,
            keys: None,
            kinds: None,
            versions: crate::Versions::All,
            dialects: None,
            limit: 1,
            max_bytes: 0,
        };
        self.read("look an object up", |base| {
            let Some(key) = known_key(base, key)? else { return Ok(false) };
            select::Selection::new(base, &filter, sees)?.any(&key)
        })
    }

    fn delete(&self, filter: &Filter<'_>, sees: &dyn Sees, now: Micros) -> Result<u64> {
        self.change("erase", |change| remove::run(change, filter, sees, now)).inspect(|erased| self.forget(*erased))
    }

    fn erase(&self, scope: &Scope<'_>, which: &mut dyn FnMut(&Met<'_>) -> bool, now: Micros) -> Result<u64> {
        self.change("erase", |change| remove::within(change, scope, which, now)).inspect(|erased| self.forget(*erased))
    }

    fn reclass(
        &self,
        key: &str,
        to: &mut dyn FnMut(&Met<'_>) -> Option<ClassNo>,
        place: Place,
        now: Micros,
    ) -> Result<u64> {
        self.change("change a class", |change| reclass::run(change, key, to, place, now))
    }

    fn settle(&self, collection: CollectionNo, references: References<'_>) -> Result<u64> {
        let batches = self.read("look for cover", |base| settle::find(base, collection.0, references))?;
        let mut covered = 0;
        for batch in batches {
            covered += self.change("cover", |change| settle::cover(change, collection.0, &batch))?;
        }
        Ok(covered)
    }

    fn follow(&self, after: Seq, limit: usize, each: &mut dyn FnMut(&Record<'_>)) -> Result<Option<Seq>> {
        self.read("follow the book", |base| check::follow(base, after, limit, each))
    }

    fn class(&self, definition: &[u8], open: &[u8]) -> Result<ClassNo> {
        if let Some(no) = self.read("look a class up", |base| class::paired(base, definition))? {
            return Ok(no);
        }
        let taken = || Error::Exists { what: "policy class", name: String::from_utf8_lossy(open).into_owned() };
        self.change("add a class", |change| class::pair(change, definition, open))?.ok_or_else(taken)
    }

    fn class_definition(&self, class: ClassNo) -> Result<Option<Arc<[u8]>>> {
        let held = self.classes.lock().unwrap_or_else(PoisonError::into_inner).get(&class).cloned();
        if held.is_some() {
            return Ok(held);
        }
        let Some((found, settled)) = self.read("look a class up", |base| class::definition(base, class))? else {
            return Ok(None);
        };
        let found: Arc<[u8]> = found.into();
        if settled {
            self.classes.lock().unwrap_or_else(PoisonError::into_inner).insert(class, Arc::clone(&found));
        }
        Ok(Some(found))
    }

    fn look(&self, work: &mut dyn FnMut(&dyn crate::Lookup)) -> Result<()> {
        self.read("look objects up", |base| {
            let shelf = shelf::Shelf::new(base);
            work(&shelf);
            shelf.end()
        })
    }

    fn last(&self) -> Result<Option<Seq>> {
        self.read("read the newest number", check::last)
    }

    fn statistics(&self) -> Result<Statistics> {
        self.read("count", check::statistics)
    }

    fn check(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Fault>> {
        self.read("check the book", |base| check::run(base, progress))
    }

    fn check_cover(&self, references: References<'_>) -> Result<Vec<Fault>> {
        self.read("check the book", |base| check::cover(base, references))
    }

    fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        if to.exists() {
            return Err(Error::Exists { what: "file", name: to.display().to_string() });
        }
        let reader = self.reader().map_err(self.failed("back up"))?;
        copy_to(&reader, to, progress).map_err(Store { path: to }.failed("write the backup"))
    }
}

/// Copies the whole file in steps, so that writers are never held up for long.
fn copy_to(from: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), rusqlite::Error> {
    let mut target = Connection::open(to)?;
    target.execute_batch("PRAGMA synchronous=FULL;")?;
    let work = rusqlite::backup::Backup::new(from, &mut target)?;
    loop {
        let state = work.step(2048)?;
        let at = work.progress();
        let total = u64::try_from(at.pagecount).unwrap_or_default();
        progress(total - u64::try_from(at.remaining).unwrap_or_default(), total);
        match state {
            rusqlite::backup::StepResult::Done => break,
            rusqlite::backup::StepResult::More => {}
            _ => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
    Ok(())
}

/// A key as the index holds it: `type--uuid` is the type's number and sixteen bytes, anything else the text itself.
fn key_blob(kind: u32, kind_name: &str, key: &str) -> Vec<u8> {
    let uuid = key.strip_prefix(kind_name).and_then(|rest| rest.strip_prefix("--")).and_then(uuid);
    match uuid {
        Some(uuid) => {
            let mut out = Vec::with_capacity(20);
            out.extend(kind.to_be_bytes());
            out.extend(uuid);
            out
        }
        None => [&[0xff], key.as_bytes()].concat(),
    }
}

/// The sixteen bytes of a UUID in lower case; other spellings are other keys.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let mut out = [0_u8; 16];
    let (mut at, bytes) = (0, text.as_bytes());
    if bytes.len() != 36 {
        return None;
    }
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let slot = out.get_mut(at / 2)?;
        *slot = (*slot << 4) | digit;
        at += 1;
    }
    Some(out)
}

/// The index's form of a key that is asked for; `None` if no record has its type. A record's type is what its key begins
/// with, as intake makes sure.
fn known_key(base: &Connection, key: &str) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    let (name, rest) = key.split_once("--").unwrap_or((key, ""));
    if uuid(rest).is_none() {
        return Ok(Some(key_blob(0, name, key)));
    }
    let kind: Option<u32> =
        base.prepare_cached("SELECT no FROM kind WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?;
    Ok(kind.map(|kind| key_blob(kind, name, key)))
}

/// The index's form of a record's key.
fn key_of(base: &Connection, names: &[u8], head: &head::Head) -> Result<Vec<u8>, rusqlite::Error> {
    let name: String =
        base.prepare_cached("SELECT name FROM kind WHERE no = ?1")?.query_row([head.kind], |row| row.get(0))?;
    Ok(key_blob(head.kind, &name, leaf::key(names, head)))
}

/// Puts a backup in a book's place: it is opened and checked first, and only a sound one replaces the file.
///
/// # Errors
/// [`Error::Storage`] if the backup cannot be read or is not sound, [`Error::Full`].
pub fn restore(from: &Path, to: &Path, now: Micros) -> Result<()> {
    let source = Book::open(from, now)?;
    let faults = source.check(&mut |_, _| {})?;
    if let Some(fault) = faults.first() {
        let source = format!("{}: {} ({} faults in all)", fault.place, fault.message, faults.len());
        return Err(Error::Storage {
            doing: "use the backup",
            path: from.display().to_string(),
            source: source.into(),
        });
    }
    let part = to.with_extension("restoring");
    let _ = std::fs::remove_file(&part);
    source.backup(&part, &mut |_, _| {})?;
    for leftover in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(to.with_extension(leftover));
    }
    std::fs::rename(&part, to).map_err(|source| Error::Storage {
        doing: "put the backup in place",
        path: to.display().to_string(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Appended, Collection, Dialect, Entry, Register, Version, Versions, Who};

    #[test]
    fn pages_are_the_bodies_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::create(&folder.path().join("book.db")).unwrap();
        let collection = book
            .add_collection(&Collection {
                no: CollectionNo(0),
                id: "i".into(),
                alias: "a".into(),
                title: "t".into(),
                description: None,
                read: Who::Members,
                write: Who::Members,
            })
            .unwrap();
        let class = book.class(b"{}", b"{} open").unwrap();
        let bodies: Vec<(String, String)> = (0..3000)
            .map(|n| (format!("indicator--00000000-0000-4000-8000-{n:012}"), format!("{{\"n\":{n}}}")))
            .collect();
        let entry = |(key, body): &'static (String, String)| Entry {
            collection: collection.no,
            key,
            kind: "indicator",
            version: Some(Version { micros: 5, picos: 0, text: "1970-01-01T00:00:00.000005Z" }),
            dialect: Dialect::Stix21,
            author: None,
            revoked: false,
            class,
            references: &[],
            body: body.as_bytes(),
        };
        let bodies: &'static [(String, String)] = bodies.leak();
        for one in bodies {
            let done =
                book.append(&[Submission { entries: &[entry(one)], receipt: None }], 1000, &|a, b| a == b).unwrap();
            assert!(matches!(done[0][0], Appended::Added(_)));
        }
        let again =
            book.append(&[Submission { entries: &[entry(&bodies[7])], receipt: None }], 1000, &|a, b| a == b).unwrap();
        assert!(matches!(again[0][0], Appended::Unchanged(_)));
        let mut filter = Filter {
            collection: collection.no,
            after: None,
            keys: None,
            kinds: None,
            versions: Versions::last(),
            dialects: None,
            limit: 700,
            max_bytes: 1 << 20,
        };
        let mut seen = Vec::new();
        loop {
            let mut out = Vec::new();
            let page = book.objects(&filter, &|_| true, &mut out).unwrap();
            seen.extend(String::from_utf8(out).unwrap().split(',').map(str::to_owned));
            filter.after = page.last;
            if !page.more {
                break;
            }
            assert_eq!(page.count, 700);
        }
        assert_eq!(seen, bodies.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>());
        assert_eq!(book.check(&mut |_, _| {}).unwrap(), []);
        assert!(
            book.read("count", |base| base.query_row("SELECT count(*) FROM leaf", [], |row| row.get::<_, i64>(0)))
                .unwrap()
                < 20
        );
    }
}
