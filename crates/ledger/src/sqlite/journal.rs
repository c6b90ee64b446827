//! The journal on SQLite: a file of its own, so that its writes wait for nobody and it can be kept longer than the book.
//!
//! The order of the chain is decided inside an immediate transaction, whichever process writes. Most entries are written
//! with `synchronous=NORMAL`: the end of the process loses nothing, and the log is brought to disk before the anchor
//! says so. The anchor therefore never runs ahead of what power loss leaves.

use super::{PATIENCE, Store, copy_to, keep_plans};
use crate::journal::{
    Anchor, Digest, ERASED, Entry, Erasing, Erasure, Flaw, Head, Journal, Keep, Line, Matter, Part, Person, Report,
    Scope, Verifier, Wanted, Which, extend,
};
use crate::{Error, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The newest version of the schema.
const VERSION: i64 = 1;
/// Entries of which a part is erased in one transaction.
const AT_ONCE: usize = 20_000;

const COLUMNS: &str = "number, time, kind, about, first, last, body, packed, matter_digest, salt, who, whom, details, person_digest, chain";

/// A journal in a file.
pub struct JournalFile {
    path: PathBuf,
    anchor: Anchor,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    /// What the anchor said when this process last wrote it.
    anchored: Mutex<Option<Head>>,
}

/// Tries again while another process is at the same: a file's first change to a write-ahead log is refused at once, not
/// after [`PATIENCE`], if somebody else makes it.
fn patiently(work: impl Fn() -> Result<(), rusqlite::Error>) -> Result<(), rusqlite::Error> {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        match work() {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                std::thread::sleep(PAUSE)
            }
            done => return done,
        }
    }
    work()
}

impl JournalFile {
    /// Opens a journal, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::TooNew`], [`Error::Full`], [`Error::Storage`].
    pub fn open(path: &Path, anchor: Anchor) -> Result<Self> {
        let store = Store { path };
        let open = |read_only: bool| -> Result<Connection, rusqlite::Error> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let flags = if read_only { flags } else { flags | OpenFlags::SQLITE_OPEN_CREATE };
            let base = Connection::open_with_flags(path, flags)?;
            base.busy_timeout(PATIENCE)?;
            let mode =
                if read_only { "PRAGMA query_only=ON;" } else { "PRAGMA page_size=8192; PRAGMA journal_mode=WAL;" };
            patiently(|| base.execute_batch(mode))?;
            base.execute_batch(
                "PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;
                 PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=2000;",
            )?;
            keep_plans(&base)?;
            Ok(base)
        };
        let mut writer = open(false).map_err(store.failed("open the audit log"))?;
        make(&mut writer, path)?;
        let reader = open(true).map_err(store.failed("open the audit log"))?;
        let begins = head(&writer).map_err(store.failed("read the audit log"))?.number == 0;
        let journal = Self {
            path: path.to_owned(),
            anchor,
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            anchored: Mutex::new(None),
        };
        if begins && matches!(journal.anchor.read(), Ok(None)) {
            // From here on a journal without an anchor is one whose anchor was taken away.
            journal.anchor.write(&Head::default()).map_err(|error| journal.io("write the anchor", error))?;
        }
        Ok(journal)
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

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        doing: &'static str,
        keep: Keep,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T> {
        let mut writer = self.writer();
        let run = || {
            // How a commit is synchronised can only be set between two.
            if keep == Keep::Now {
                writer.execute_batch("PRAGMA synchronous=FULL")?;
            }
            let done = (|| {
                let change = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let out = work(&change)?;
                change.commit()?;
                Ok(out)
            })();
            if keep == Keep::Now {
                writer.execute_batch("PRAGMA synchronous=NORMAL")?;
            }
            done
        };
        run().map_err(self.failed(doing))
    }

    fn io(&self, doing: &'static str, source: std::io::Error) -> Error {
        Error::Storage { doing, path: self.path.display().to_string(), source: Box::new(source) }
    }

    /// Brings the log to disk and writes the anchor, while nobody else can write either. An anchor that the journal
    /// contradicts is left as it is: it is what shows that something was cut off.
    fn write_anchor(&self, base: &Connection) -> Result<Head> {
        let head = head(base).map_err(self.failed("read the audit log"))?;
        if !self.holds(base)? {
            tracing::error!(path = %self.path.display(), "the audit log and its anchor differ: `marsad audit verify`");
            return Ok(head);
        }
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        match std::fs::File::open(log).and_then(|log| log.sync_all()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(self.io("sync the audit log", error));
            }
            // Without a log everything is in the file, which was synchronised before the log was removed.
            _ => {}
        }
        self.anchor.write(&head).map_err(|error| self.io("write the anchor", error))?;
        Ok(head)
    }

    /// Whether the entry that the anchor names is there as it names it.
    fn holds(&self, base: &Connection) -> Result<bool> {
        let Ok(Some(anchored)) = self.anchor.read() else { return Ok(false) };
        if anchored.number == 0 {
            return Ok(true);
        }
        let number = i64::try_from(anchored.number).unwrap_or(i64::MAX);
        let chain: Option<Vec<u8>> = base
            .prepare_cached("SELECT chain FROM entry WHERE number = ?1")
            .and_then(|mut statement| statement.query_row([number], |row| row.get(0)).optional())
            .map_err(self.failed("read the audit log"))?;
        Ok(chain.is_some_and(|chain| chain == anchored.chain))
    }

    fn lines(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
        each: &mut dyn FnMut(u64, Option<Line>),
    ) -> Result<(), rusqlite::Error> {
        let reader = self.reader();
        let mut statement =
            reader.prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE {condition} ORDER BY number"))?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let number = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            each(number, line(row));
        }
        Ok(())
    }
}

fn make(base: &mut Connection, path: &Path) -> Result<()> {
    let store = Store { path };
    let version = |base: &Connection| base.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let found = version(base).map_err(store.failed("read the audit log's version"))?;
    if found > VERSION {
        return Err(Error::TooNew { path: path.display().to_string(), found, known: VERSION });
    }
    if found == VERSION {
        return Ok(());
    }
    let mut step = || {
        let change = base.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        // Another process may have been first.
        if version(&change)? == 0 {
            change.execute_batch(include_str!("journal.sql"))?;
            change.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
        }
        change.commit()
    };
    step().map_err(store.failed("make the audit log"))
}

fn head(base: &Connection) -> Result<Head, rusqlite::Error> {
    let found: Option<(i64, Vec<u8>)> = base
        .prepare_cached("SELECT number, chain FROM entry ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // A chain value of another length was not written by us: whatever follows from it will not verify.
    Ok(found.map_or_else(Head::default, |(number, chain)| Head {
        number: u64::try_from(number).unwrap_or(0),
        chain: Digest::try_from(chain.as_slice()).unwrap_or_default(),
    }))
}

fn insert(change: &Connection, head: &mut Head, entry: &Entry) -> Result<(), rusqlite::Error> {
    let Entry { time, kind, matter, person } = entry;
    *head = head.then(head.number + 1, *time, kind, &matter.digest(), &person.digest());
    change
        .prepare_cached(&format!(
            "INSERT INTO entry({COLUMNS}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9, ?10, ?11, ?12, NULL, ?13)"
        ))?
        .execute(params![
            i64::try_from(head.number).unwrap_or(i64::MAX),
            time,
            kind,
            matter.about,
            matter.span.map(|span| span.0),
            matter.span.map(|span| span.1),
            matter.body,
            matter.packed,
            person.salt,
            person.who,
            person.whom,
            person.details,
            head.chain
        ])?;
    Ok(())
}

/// An entry as its row says; `None` if its columns contradict each other.
fn line(row: &Row<'_>) -> Option<Line> {
    let gone = |columns: &[usize]| columns.iter().all(|column| matches!(row.get(*column), Ok(Value::Null)));
    let erased = |column: usize| Digest::try_from(row.get::<_, Vec<u8>>(column).ok()?.as_slice()).ok();
    let matter = if gone(&[3, 4, 5, 6, 7]) {
        Part::Erased(erased(8)?)
    } else {
        let span = match (row.get(4).ok()?, row.get(5).ok()?) {
            (None, None) => None,
            (Some(first), Some(last)) => Some((first, last)),
            _ => return None,
        };
        let (body, packed) = (row.get(6).ok()?, row.get(7).ok()?);
        Part::Kept(Matter { about: row.get(3).ok()?, span, body, packed: gone(&[8]).then_some(packed)? })
    };
    let person = if gone(&[9, 10, 11, 12]) {
        Part::Erased(erased(13)?)
    } else {
        Part::Kept(Person {
            salt: row.get(9).ok()?,
            who: row.get(10).ok()?,
            whom: row.get(11).ok()?,
            details: gone(&[13]).then(|| row.get(12).ok())??,
        })
    };
    Some(Line {
        number: u64::try_from(row.get::<_, i64>(0).ok()?).ok()?,
        time: row.get(1).ok()?,
        kind: row.get(2).ok()?,
        matter,
        person,
        chain: Digest::try_from(row.get::<_, Vec<u8>>(14).ok()?.as_slice()).ok()?,
    })
}

/// Erases a part of one batch of entries and returns their numbers.
fn erase(base: &Connection, which: Which, scope: Scope<'_>) -> Result<Vec<u64>, rusqlite::Error> {
    let kept = match which {
        Which::Matter => format!("body IS NOT NULL AND kind <> '{ERASED}'"),
        Which::Person => "salt IS NOT NULL".to_owned(),
    };
    let (within, value): (_, &dyn rusqlite::ToSql) = match &scope {
        Scope::Before(time) => ("time < ?1", time),
        Scope::Person(name) => ("(who = ?1 OR whom = ?1)", name),
    };
    let found = format!("SELECT {COLUMNS} FROM entry WHERE {kept} AND {within} ORDER BY number LIMIT {AT_ONCE}");
    let mut statement = base.prepare(&found)?;
    let mut lines = Vec::new();
    let mut rows = statement.query([value])?;
    while let Some(row) = rows.next()? {
        // What cannot be read is left to `verify`.
        lines.extend(line(row));
    }
    let change = match which {
        Which::Matter => "about = NULL, first = NULL, last = NULL, body = NULL, packed = NULL, matter_digest",
        Which::Person => "salt = NULL, who = NULL, whom = NULL, details = NULL, person_digest",
    };
    let mut update = base.prepare(&format!("UPDATE entry SET {change} = ?2 WHERE number = ?1"))?;
    for line in &lines {
        let digest = match which {
            Which::Matter => line.matter.digest(),
            Which::Person => line.person.digest(),
        };
        update.execute(params![i64::try_from(line.number).unwrap_or(i64::MAX), digest])?;
    }
    Ok(lines.into_iter().map(|line| line.number).collect())
}

impl Journal for JournalFile {
    fn write(&self, entries: &[Entry], keep: Keep) -> Result<Head> {
        let head = self.change("write to the audit log", keep, |change| {
            let mut head = head(change)?;
            for entry in entries {
                insert(change, &mut head, entry)?;
            }
            Ok(head)
        })?;
        if keep == Keep::Now {
            self.anchor()?;
        }
        Ok(head)
    }

    fn head(&self) -> Result<Head> {
        head(&self.reader()).map_err(self.failed("read the audit log"))
    }

    fn read(&self, wanted: &Wanted<'_>, each: &mut dyn FnMut(Line)) -> Result<Option<u64>> {
        let condition = "number > ?1 AND (?2 IS NULL OR time >= ?2) AND (?3 IS NULL OR kind = ?3)
                         AND (?4 IS NULL OR who = ?4 OR whom = ?4)";
        let after = i64::try_from(wanted.after).unwrap_or(i64::MAX);
        let limit = match wanted.limit {
            0 => -1,
            limit => i64::try_from(limit).unwrap_or(i64::MAX),
        };
        let mut last = None;
        let mut spoilt = None;
        let condition = format!("number IN (SELECT number FROM entry WHERE {condition} ORDER BY number LIMIT ?5)");
        self.lines(&condition, &[&after, &wanted.since, &wanted.kind, &wanted.person, &limit], &mut |number, line| {
            match line {
                Some(line) => each(line),
                None => spoilt = spoilt.or(Some(number)),
            }
            last = Some(number);
        })
        .map_err(self.failed("read the audit log"))?;
        match spoilt {
            None => Ok(last),
            Some(number) => Err(Error::Storage {
                doing: "read an entry",
                path: self.path.display().to_string(),
                source: format!("entry {number} was changed: `marsad audit verify` says more").into(),
            }),
        }
    }

    fn overlapping(&self, about: &str, span: (i64, i64), each: &mut dyn FnMut(Line)) -> Result<()> {
        let condition = "first IS NOT NULL AND about = ?1 AND last >= ?2 AND first <= ?3";
        self.lines(condition, &[&about, &span.0, &span.1], &mut |_, line| {
            line.into_iter().for_each(&mut *each);
        })
        .map_err(self.failed("read the audit log"))
    }

    fn erase(&self, which: Which, scope: Scope<'_>, by: &mut Erasing<'_>) -> Result<u64> {
        let mut count = 0;
        loop {
            let erased = self.change("erase in the audit log", Keep::Now, |change| {
                let numbers = erase(change, which, scope)?;
                let mut ranges = Vec::new();
                numbers.iter().for_each(|number| extend(&mut ranges, *number));
                if !numbers.is_empty() {
                    let erasure = Erasure { part: which, reason: by.reason.to_owned(), ranges };
                    let body = serde_json::to_vec(&erasure)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                    let entry = Entry {
                        time: by.now,
                        kind: ERASED.into(),
                        matter: Matter { body, ..Matter::default() },
                        person: Person { salt: (by.salt)(), who: by.who.to_owned(), ..Person::default() },
                    };
                    insert(change, &mut head(change)?, &entry)?;
                }
                Ok(numbers.len())
            })?;
            count += erased as u64;
            if erased < AT_ONCE {
                break;
            }
        }
        if count > 0 {
            // What was erased must not live on in the log.
            let _ = self.writer().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            self.anchor()?;
        }
        Ok(count)
    }

    fn verify(&self, noted: Option<Head>, progress: &mut dyn FnMut(u64, u64)) -> Result<Report> {
        let mut verifier = Verifier::new();
        // The anchor first: what is written meanwhile comes after it.
        match self.anchor.read() {
            Ok(Some(head)) => verifier.expect(head),
            Ok(None) => verifier.fault(0, Flaw::Anchor("it is not there".to_owned())),
            Err(error) => verifier.fault(0, Flaw::Anchor(error.to_string())),
        }
        noted.into_iter().for_each(|noted| verifier.expect(noted));
        let total = self.head()?.number;
        let mut done = 0;
        self.lines("1", &[], &mut |number, line| {
            match line {
                Some(line) => verifier.take(&line),
                None => verifier.unreadable(number),
            }
            done += 1;
            if done % 1024 == 0 {
                progress(done, total);
            }
        })
        .map_err(self.failed("read the audit log"))?;
        Ok(verifier.finish())
    }

    fn anchor(&self) -> Result<()> {
        let mut anchored = self.anchored.lock().unwrap_or_else(PoisonError::into_inner);
        if anchored.is_some() && *anchored == Some(self.head()?) {
            return Ok(());
        }
        let mut writer = self.writer();
        let still = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(self.failed("lock the audit log"))?;
        *anchored = Some(self.write_anchor(&still)?);
        still.rollback().map_err(self.failed("unlock the audit log"))
    }

    fn position(&self, follower: &str) -> Result<u64> {
        let found: Option<i64> = self
            .reader()
            .prepare_cached("SELECT number FROM follower WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([follower], |row| row.get(0)).optional())
            .map_err(self.failed("read a position"))?;
        Ok(found.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
    }

    fn set_position(&self, follower: &str, number: u64) -> Result<()> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.change("note a position", Keep::Soon, |change| {
            change.prepare_cached("INSERT OR REPLACE INTO follower VALUES(?1, ?2)")?.execute(params![follower, number])
        })
        .map(drop)
    }

    fn backup(&self, to: &Path) -> Result<()> {
        if to.exists() {
            return Err(Error::Exists { what: "file", name: to.display().to_string() });
        }
        copy_to(&self.reader(), to, &mut |_, _| {}).map_err(Store { path: to }.failed("write the backup"))
    }
}
