//! The register's tables about signing in.

use super::Book;
use super::register::{named, role_code, touched};
use crate::{Certificate, Error, Link, Micros, People, Result, Role, SecondFactor, Session};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

impl People for Book {
    fn set_role(&self, name: &str, role: Role) -> Result<()> {
        let rows = self.register("set a role", |change| {
            change.execute("UPDATE account SET role = ?2 WHERE name = ?1", params![name, role_code(role)])
        })?;
        touched(rows, "account", name)
    }

    fn second_factor(&self, account: &str) -> Result<Option<SecondFactor>> {
        self.read("look a second factor up", |base| factor(base, account))
    }

    fn set_second_factor(&self, account: &str, new: &SecondFactor) -> Result<()> {
        let done = self.register("set a second factor", |change| {
            if factor(change, account)?.is_some_and(|held| held.confirmed) {
                return Ok(false);
            }
            change.execute(
                "INSERT OR REPLACE INTO second_factor VALUES(?1, ?2, ?3, ?4, ?5, -1)",
                params![account, new.algorithm, new.digits, new.sealed, new.confirmed],
            )?;
            Ok(true)
        });
        match named(done, "second factor", account, ("account", account))? {
            true => Ok(()),
            false => Err(Error::Exists { what: "second factor", name: account.to_owned() }),
        }
    }

    fn confirm_second_factor(&self, account: &str, step: i64, recovery: &[[u8; 32]]) -> Result<bool> {
        self.register("confirm a second factor", |change| {
            let rows = change.execute(
                "UPDATE second_factor SET confirmed = 1, step = ?2 WHERE account = ?1 AND confirmed = 0 AND step < ?2",
                params![account, step],
            )?;
            if rows > 0 {
                write_recovery_codes(change, account, recovery)?;
            }
            Ok(rows > 0)
        })
    }

    fn remove_second_factor(&self, account: &str) -> Result<()> {
        let rows = self.register("remove a second factor", |change| {
            change.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
            change.execute("DELETE FROM second_factor WHERE account = ?1", [account])
        })?;
        touched(rows, "second factor", account)
    }

    fn use_step(&self, account: &str, step: i64) -> Result<bool> {
        self.change("use a code", |change| {
            let rows = change.execute(
                "UPDATE second_factor SET step = ?2 WHERE account = ?1 AND confirmed = 1 AND step < ?2",
                params![account, step],
            )?;
            Ok(rows > 0)
        })
    }

    fn set_recovery_codes(&self, account: &str, digests: &[[u8; 32]]) -> Result<()> {
        let rows = self.change("set recovery codes", |change| {
            let confirmed = factor(change, account)?.is_some_and(|held| held.confirmed);
            if confirmed {
                write_recovery_codes(change, account, digests)?;
            }
            Ok(usize::from(confirmed))
        })?;
        touched(rows, "second factor", account)
    }

    fn recovery_codes(&self, account: &str) -> Result<u64> {
        self.read("count recovery codes", |base| {
            base.prepare_cached("SELECT count(*) FROM recovery_code WHERE account = ?1")?
                .query_row([account], |row| row.get::<_, i64>(0))
                .map(|count| u64::try_from(count).unwrap_or_default())
        })
    }

    fn use_recovery_code(&self, account: &str, digest: &[u8; 32]) -> Result<bool> {
        self.change("use a recovery code", |change| {
            let sql = "DELETE FROM recovery_code WHERE account = ?1 AND digest = ?2";
            Ok(change.execute(sql, params![account, digest])? > 0)
        })
    }

    fn add_session(&self, session: &Session) -> Result<()> {
        let Session { digest, account, address, made, seen, ends } = session;
        let done = self.change("add a session", |change| {
            change.execute(
                "INSERT INTO session VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                params![digest, account, address, made, seen, ends],
            )
        });
        named(done.map(drop), "session", account, ("account", account))
    }

    fn session(&self, digest: &[u8; 32]) -> Result<Option<Session>> {
        self.read("look a session up", |base| {
            base.prepare_cached(&format!("{SESSION} WHERE digest = ?1"))?.query_row([digest], session).optional()
        })
    }

    fn sessions(&self, account: &str) -> Result<Vec<Session>> {
        self.read("list sessions", |base| {
            base.prepare_cached(&format!("{SESSION} WHERE account = ?1 ORDER BY made DESC, digest"))?
                .query_map([account], session)?
                .collect()
        })
    }

    fn session_used(&self, digest: &[u8; 32], now: Micros) -> Result<()> {
        self.change("note the use of a session", |change| {
            change.execute("UPDATE session SET seen = max(seen, ?2) WHERE digest = ?1", params![digest, now]).map(drop)
        })
    }

    fn end_session(&self, digest: &[u8; 32]) -> Result<bool> {
        self.change(
            "end a session",
            |change| Ok(change.execute("DELETE FROM session WHERE digest = ?1", [digest])? > 0),
        )
    }

    fn end_sessions(&self, account: &str) -> Result<u64> {
        self.change("end sessions", |change| {
            Ok(change.execute("DELETE FROM session WHERE account = ?1", [account])? as u64)
        })
    }

    fn expire_sessions(&self, idle: Micros, now: Micros) -> Result<u64> {
        self.change("drop old sessions", |change| {
            Ok(change.execute("DELETE FROM session WHERE ends <= ?2 OR seen < ?1", [idle, now])? as u64)
        })
    }

    fn add_certificate(&self, certificate: &Certificate) -> Result<()> {
        let Certificate { fingerprint, account, ends, added } = certificate;
        let done = self.register("pin a certificate", |change| {
            change.execute("INSERT INTO certificate VALUES(?1, ?2, ?3, ?4)", params![fingerprint, account, ends, added])
        });
        named(done.map(drop), "certificate", account, ("account", account))
    }

    fn certificates(&self) -> Result<Vec<Certificate>> {
        self.read("list certificates", |base| {
            base.prepare_cached("SELECT fingerprint, account, ends, added FROM certificate ORDER BY account, added")?
                .query_map([], |row| {
                    Ok(Certificate {
                        fingerprint: row.get(0)?,
                        account: row.get(1)?,
                        ends: row.get(2)?,
                        added: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    fn remove_certificate(&self, account: &str, fingerprint: &[u8; 32]) -> Result<()> {
        let rows = self.register("remove a certificate", |change| {
            change.execute(
                "DELETE FROM certificate WHERE account = ?1 AND fingerprint = ?2",
                params![account, fingerprint],
            )
        })?;
        touched(rows, "certificate of", account)
    }

    fn add_link(&self, link: &Link) -> Result<()> {
        let Link { issuer, subject, account, made } = link;
        let done = self.register("bind an identity", |change| {
            change.execute("INSERT INTO link VALUES(?1, ?2, ?3, ?4)", params![issuer, subject, account, made])
        });
        named(done.map(drop), "link", subject, ("account", account))
    }

    fn link(&self, issuer: &str, subject: &str) -> Result<Option<Link>> {
        self.read("look a link up", |base| {
            base.prepare_cached(&format!("{LINK} WHERE issuer = ?1 AND subject = ?2"))?
                .query_row([issuer, subject], link)
                .optional()
        })
    }

    fn links(&self, account: &str) -> Result<Vec<Link>> {
        self.read("list links", |base| {
            base.prepare_cached(&format!("{LINK} WHERE account = ?1 ORDER BY issuer, subject"))?
                .query_map([account], link)?
                .collect()
        })
    }

    fn remove_link(&self, account: &str, issuer: &str, subject: &str) -> Result<()> {
        let rows = self.register("remove a link", |change| {
            change.execute(
                "DELETE FROM link WHERE account = ?1 AND issuer = ?2 AND subject = ?3",
                [account, issuer, subject],
            )
        })?;
        touched(rows, "link", subject)
    }

    fn remove_key_of(&self, account: &str, key: &str) -> Result<()> {
        let rows = self.register("remove a key", |change| {
            change.execute("DELETE FROM key WHERE name = ?2 AND account = ?1", [account, key])
        })?;
        touched(rows, "key", key)
    }

    fn key_used(&self, key: &str, now: Micros) -> Result<()> {
        self.change("note the use of a key", |change| {
            change.execute("UPDATE key SET last_used = ?2 WHERE name = ?1", params![key, now]).map(drop)
        })
    }
}

const SESSION: &str = "SELECT digest, account, address, made, seen, ends FROM session";
const LINK: &str = "SELECT issuer, subject, account, made FROM link";

fn factor(base: &Connection, account: &str) -> Result<Option<SecondFactor>, rusqlite::Error> {
    base.prepare_cached("SELECT algorithm, digits, sealed, confirmed FROM second_factor WHERE account = ?1")?
        .query_row([account], |row| {
            Ok(SecondFactor {
                algorithm: row.get(0)?,
                digits: row.get(1)?,
                sealed: row.get(2)?,
                confirmed: row.get(3)?,
            })
        })
        .optional()
}

fn write_recovery_codes(change: &Transaction<'_>, account: &str, digests: &[[u8; 32]]) -> Result<(), rusqlite::Error> {
    change.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
    for digest in digests {
        change.execute("INSERT OR IGNORE INTO recovery_code VALUES(?1, ?2)", params![account, digest])?;
    }
    Ok(())
}

fn session(row: &Row<'_>) -> Result<Session, rusqlite::Error> {
    Ok(Session {
        digest: row.get(0)?,
        account: row.get(1)?,
        address: row.get(2)?,
        made: row.get(3)?,
        seen: row.get(4)?,
        ends: row.get(5)?,
    })
}

fn link(row: &Row<'_>) -> Result<Link, rusqlite::Error> {
    Ok(Link { issuer: row.get(0)?, subject: row.get(1)?, account: row.get(2)?, made: row.get(3)? })
}
