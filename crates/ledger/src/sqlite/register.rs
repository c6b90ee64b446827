//! The register's tables.

use super::Book;
use crate::{
    Account, Collection, CollectionNo, Error, Key, Micros, Organisation, Register, Relation, Result, Role, Who,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

impl Book {
    /// A change of the register: whoever remembers something of it is told by the generation.
    pub(super) fn register<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T> {
        self.change(doing, |change| {
            let out = work(change)?;
            change.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'", [])?;
            Ok(out)
        })
    }
}

/// A broken constraint means a name that is taken or one that is missing.
pub(super) fn named<T>(result: Result<T>, what: &'static str, name: &str, of: (&'static str, &str)) -> Result<T> {
    let Err(Error::Storage { source, doing, path }) = result else { return result };
    let code =
        source.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error).map(|e| e.extended_code);
    Err(match code {
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::Missing { what: of.0, name: of.1.to_owned() },
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE) => {
            Error::Exists { what, name: name.to_owned() }
        }
        _ => Error::Storage { doing, path, source },
    })
}

pub(super) fn touched(rows: usize, what: &'static str, name: &str) -> Result<()> {
    if rows == 0 { Err(Error::Missing { what, name: name.to_owned() }) } else { Ok(()) }
}

impl Register for Book {
    fn add_organisation(&self, organisation: &Organisation) -> Result<()> {
        let done = self.register("add an organisation", |change| {
            change.execute(
                "INSERT INTO organisation VALUES(?1, ?2)",
                params![organisation.name, relation_code(organisation.relation)],
            )
        });
        named(done.map(drop), "organisation", &organisation.name, ("organisation", &organisation.name))
    }

    fn organisations(&self) -> Result<Vec<Organisation>> {
        self.read("list organisations", |base| {
            base.prepare_cached("SELECT name, relation FROM organisation ORDER BY name")?
                .query_map([], |row| Ok(Organisation { name: row.get(0)?, relation: relation(row.get(1)?) }))?
                .collect()
        })
    }

    fn add_account(&self, account: &Account) -> Result<()> {
        let done = self.register("add an account", |change| {
            change.execute(
                "INSERT INTO account VALUES(?1,?2,?3,?4,?5)",
                params![
                    account.name,
                    account.organisation.name,
                    role_code(account.role),
                    account.password,
                    account.created
                ],
            )
        });
        named(done.map(drop), "account", &account.name, ("organisation", &account.organisation.name))
    }

    fn accounts(&self) -> Result<Vec<Account>> {
        self.read("list accounts", |base| {
            let sql = format!("{ACCOUNT} ORDER BY account.name");
            base.prepare_cached(&sql)?.query_map([], account)?.collect()
        })
    }

    fn account(&self, name: &str) -> Result<Option<Account>> {
        self.read("look an account up", |base| {
            base.prepare_cached(&format!("{ACCOUNT} WHERE account.name = ?1"))?.query_row([name], account).optional()
        })
    }

    fn set_password(&self, name: &str, phc: &str) -> Result<()> {
        let rows = self.register("set a password", |change| {
            change.execute("DELETE FROM session WHERE account = ?1", [name])?;
            change.execute("UPDATE account SET password = ?2 WHERE name = ?1", [name, phc])
        })?;
        touched(rows, "account", name)
    }

    fn remove_account(&self, name: &str) -> Result<()> {
        let rows =
            self.register("remove an account", |change| change.execute("DELETE FROM account WHERE name = ?1", [name]))?;
        touched(rows, "account", name)
    }

    fn add_key(&self, key: &Key) -> Result<()> {
        let done = self.register("add a key", |change| {
            change.execute(
                "INSERT INTO key VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                params![
                    key.name,
                    key.account,
                    key.digest,
                    key.scope.join(","),
                    key.expires,
                    key.created,
                    key.networks.join(","),
                    key.last_used
                ],
            )
        });
        named(done.map(drop), "key", &key.name, ("account", &key.account))
    }

    fn keys(&self) -> Result<Vec<Key>> {
        self.read("list keys", |base| {
            base.prepare_cached(&format!("{KEY} ORDER BY name"))?.query_map([], key)?.collect()
        })
    }

    fn key(&self, digest: &[u8; 32]) -> Result<Option<Key>> {
        self.read("look a key up", |base| {
            base.prepare_cached(&format!("{KEY} WHERE digest = ?1"))?.query_row([digest], key).optional()
        })
    }

    fn remove_key(&self, name: &str) -> Result<()> {
        let rows = self.register("remove a key", |change| change.execute("DELETE FROM key WHERE name = ?1", [name]))?;
        touched(rows, "key", name)
    }

    fn add_collection(&self, collection: &Collection) -> Result<Collection> {
        let done = self.register("add a collection", |change| {
            change.execute(
                "INSERT INTO collection(id, alias, title, description, readers, writers) VALUES(?1,?2,?3,?4,?5,?6)",
                params![
                    collection.id,
                    collection.alias,
                    collection.title,
                    collection.description,
                    who_text(&collection.read),
                    who_text(&collection.write)
                ],
            )?;
            Ok(change.last_insert_rowid())
        });
        let no = named(done, "collection", &collection.alias, ("collection", &collection.alias))?;
        Ok(Collection { no: CollectionNo(u32::try_from(no).unwrap_or(u32::MAX)), ..collection.clone() })
    }

    fn collections(&self) -> Result<Vec<Collection>> {
        self.read("list collections", |base| {
            base.prepare_cached(&format!("{COLLECTION} ORDER BY no"))?.query_map([], collection)?.collect()
        })
    }

    fn collection(&self, id_or_alias: &str) -> Result<Option<Collection>> {
        self.read("look a collection up", |base| find_collection(base, id_or_alias))
    }

    fn remove_collection(&self, id_or_alias: &str) -> Result<()> {
        let found = self.register("remove a collection", |change| {
            let Some(collection) = find_collection(change, id_or_alias)? else { return Ok(false) };
            change.execute_batch("PRAGMA secure_delete=ON")?;
            let no = collection.no.0;
            change.execute("DELETE FROM body WHERE leaf IN (SELECT no FROM leaf WHERE collection = ?1)", [no])?;
            for table in ["leaf", "version"] {
                change.execute(&format!("DELETE FROM {table} WHERE collection = ?1"), [no])?;
            }
            change.execute("DELETE FROM collection WHERE no = ?1", [no])?;
            change.execute_batch("PRAGMA secure_delete=FAST")?;
            Ok(true)
        })?;
        touched(usize::from(found), "collection", id_or_alias)
    }

    fn status(&self, id: &str, owner: &str) -> Result<Option<Vec<u8>>> {
        self.read("look a status up", |base| {
            base.prepare_cached("SELECT body FROM status WHERE id = ?1 AND owner = ?2")?
                .query_row([id, owner], |row| row.get(0))
                .optional()
        })
    }

    fn expire_statuses(&self, before: Micros) -> Result<u64> {
        let rows =
            self.change("drop old statuses", |change| change.execute("DELETE FROM status WHERE made < ?1", [before]))?;
        Ok(rows as u64)
    }

    fn generation(&self) -> Result<u64> {
        self.read("read the generation", |base| {
            base.prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?
                .query_row([], |row| row.get::<_, i64>(0))
                .map(|n| u64::try_from(n).unwrap_or_default())
        })
    }

    fn note(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read("read a note", |base| {
            base.prepare_cached("SELECT value FROM note WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()
        })
    }

    fn set_note(&self, name: &str, value: Option<&[u8]>) -> Result<()> {
        self.change("set a note", |change| put_note(change, name, value))
    }

    fn set_notes(&self, notes: &[crate::Note]) -> Result<()> {
        if notes.is_empty() {
            return Ok(());
        }
        self.change("set notes", |change| {
            notes.iter().try_for_each(|(name, value)| put_note(change, name, Some(value)))
        })
    }

    fn swap_note(&self, name: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool> {
        self.change("set a note", |change| {
            let held: Option<Vec<u8>> =
                change.query_row("SELECT value FROM note WHERE name = ?1", [name], |row| row.get(0)).optional()?;
            let same = held.as_deref() == expected;
            if same {
                put_note(change, name, value)?;
            }
            Ok(same)
        })
    }
}

fn put_note(change: &Connection, name: &str, value: Option<&[u8]>) -> Result<(), rusqlite::Error> {
    match value {
        Some(value) => change.execute("INSERT OR REPLACE INTO note VALUES(?1, ?2)", params![name, value]).map(drop),
        None => change.execute("DELETE FROM note WHERE name = ?1", [name]).map(drop),
    }
}

const ACCOUNT: &str =
    "SELECT account.name, organisation.name, organisation.relation, account.role, account.password, account.created
    FROM account JOIN organisation ON organisation.name = account.organisation";
const KEY: &str = "SELECT name, account, digest, scope, expires, created, networks, last_used FROM key";
const COLLECTION: &str = "SELECT no, id, alias, title, description, readers, writers FROM collection";

fn account(row: &Row<'_>) -> Result<Account, rusqlite::Error> {
    Ok(Account {
        name: row.get(0)?,
        organisation: Organisation { name: row.get(1)?, relation: relation(row.get(2)?) },
        role: role(row.get(3)?),
        password: row.get(4)?,
        created: row.get(5)?,
    })
}

fn key(row: &Row<'_>) -> Result<Key, rusqlite::Error> {
    let list = |text: String| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    Ok(Key {
        name: row.get(0)?,
        account: row.get(1)?,
        digest: row.get(2)?,
        scope: list(row.get(3)?),
        networks: list(row.get(6)?),
        expires: row.get(4)?,
        created: row.get(5)?,
        last_used: row.get(7)?,
    })
}

fn collection(row: &Row<'_>) -> Result<Collection, rusqlite::Error> {
    Ok(Collection {
        no: CollectionNo(row.get(0)?),
        id: row.get(1)?,
        alias: row.get(2)?,
        title: row.get(3)?,
        description: row.get(4)?,
        read: who(&row.get::<_, String>(5)?),
        write: who(&row.get::<_, String>(6)?),
    })
}

/// An alias may look like another collection's id: the id is the stronger name.
fn find_collection(base: &Connection, id_or_alias: &str) -> Result<Option<Collection>, rusqlite::Error> {
    base.prepare_cached(&format!("{COLLECTION} WHERE id = ?1 OR alias = ?1 ORDER BY id = ?1 DESC LIMIT 1"))?
        .query_row([id_or_alias], collection)
        .optional()
}

/// Names hold no line breaks, so one a line is unambiguous.
fn who_text(who: &Who) -> String {
    match who {
        Who::Anyone => "anyone".into(),
        Who::Members => "members".into(),
        Who::Named(names) => format!("named\n{}", names.join("\n")),
    }
}

/// What cannot be read lets nobody in.
fn who(text: &str) -> Who {
    match text {
        "anyone" => Who::Anyone,
        "members" => Who::Members,
        _ => Who::Named(text.lines().skip(1).filter(|name| !name.is_empty()).map(str::to_owned).collect()),
    }
}

pub(super) fn relation_code(relation: Relation) -> u8 {
    match relation {
        Relation::Own => 0,
        Relation::Client => 1,
        Relation::Community => 2,
        Relation::Public => 3,
    }
}

fn relation(code: u8) -> Relation {
    match code {
        0 => Relation::Own,
        1 => Relation::Client,
        2 => Relation::Community,
        _ => Relation::Public,
    }
}

pub(super) fn role_code(role: Role) -> u8 {
    match role {
        Role::Reader => 0,
        Role::Analyst => 1,
        Role::Publisher => 2,
        Role::PartnerManager => 3,
        Role::Administrator => 4,
    }
}

fn role(code: u8) -> Role {
    match code {
        1 => Role::Analyst,
        2 => Role::Publisher,
        3 => Role::PartnerManager,
        4 => Role::Administrator,
        _ => Role::Reader,
    }
}
