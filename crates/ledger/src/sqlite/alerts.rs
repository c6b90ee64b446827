//! The tables of alerts.

use super::Book;
use crate::{Alert, AlertDesk, Alerted, Alerts, Micros, Result, Telling};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params, params_from_iter};

impl Alerts for Book {
    fn alerting(&self, work: &mut dyn FnMut(&dyn AlertDesk) -> Result<()>) -> Result<()> {
        let mut failed = None;
        let done = self.change("change alerts", |change| {
            work(&Desk { book: self, change }).map_err(|error| {
                failed = Some(error);
                // Takes the change back; what it says is not what is told.
                rusqlite::Error::QueryReturnedNoRows
            })
        });
        match failed {
            Some(error) => Err(error),
            None => done,
        }
    }

    fn alert(&self, id: &str) -> Result<Option<Alert>> {
        self.read("look an alert up", |base| one(base, "id = ?1", id))
    }

    fn alerts(&self, wanted: &Alerted<'_>, each: &mut dyn FnMut(Alert) -> bool) -> Result<()> {
        self.read("list alerts", |base| {
            let (rest, values): (_, Vec<Value>) = match wanted {
                Alerted::Changed(after) => ("WHERE changed > ?1 ORDER BY changed", vec![(*after).into()]),
                Alerted::Opened { behind, open } => {
                    let (low, high) = (open.is_some_and(|open| open), open.is_none_or(|open| open));
                    let mut values = vec![i64::from(low).into(), i64::from(high).into()];
                    match behind {
                        None => ("WHERE is_open BETWEEN ?1 AND ?2 ORDER BY opened DESC, id DESC", values),
                        Some(id) => {
                            values.push((*id).to_owned().into());
                            let behind = "WHERE is_open BETWEEN ?1 AND ?2 \
                                AND (opened, id) < (SELECT opened, id FROM alert WHERE id = ?3) \
                                ORDER BY opened DESC, id DESC";
                            (behind, values)
                        }
                    }
                }
            };
            let mut rows = base.prepare_cached(&format!("{ALERT} {rest}"))?;
            let mut rows = rows.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if !each(alert(row)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn alert_changed(&self) -> Result<Micros> {
        self.read("look for changed alerts", |base| meta(base, "alert_changed"))
    }

    fn tellings(&self, way: &str, now: Micros, limit: usize) -> Result<Vec<Telling>> {
        self.read("list what waits to be told", |base| {
            base.prepare_cached(
                "SELECT way, alert, number, due, attempts, since FROM telling WHERE way = ?1 AND due <= ?2 \
                 ORDER BY due, alert LIMIT ?3",
            )?
            .query_map(params![way, now, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(Telling {
                    way: row.get(0)?,
                    alert: row.get(1)?,
                    number: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
                    due: row.get(3)?,
                    attempts: row.get(4)?,
                    since: row.get(5)?,
                })
            })?
            .collect()
        })
    }
}

/// The tables in the middle of a change.
struct Desk<'d> {
    book: &'d Book,
    change: &'d Transaction<'d>,
}

impl Desk<'_> {
    fn run<T>(&self, doing: &'static str, work: impl FnOnce() -> Result<T, rusqlite::Error>) -> Result<T> {
        work().map_err(self.book.failed(doing))
    }
}

impl AlertDesk for Desk<'_> {
    fn of_group(&self, group: &[u8; 32]) -> Result<Option<Alert>> {
        self.run("look an alert up", || {
            let sql = format!("{ALERT} WHERE grouped = ?1 AND is_open = 1");
            self.change.prepare_cached(&sql)?.query_row([group], alert).optional()
        })
    }

    fn alert(&self, id: &str) -> Result<Option<Alert>> {
        self.run("look an alert up", || one(self.change, "id = ?1", id))
    }

    fn open(&self, indicator: Option<&str>) -> Result<u64> {
        let counted = self.run("count alerts", || match indicator {
            None => meta(self.change, "alerts_open"),
            Some(indicator) => self
                .change
                .prepare_cached("SELECT count(*) FROM alert WHERE indicator = ?1 AND is_open = 1")?
                .query_row([indicator], |row| row.get(0)),
        });
        counted.map(|counted| u64::try_from(counted).unwrap_or_default())
    }

    fn of_object(&self, object: &str) -> Result<Vec<Alert>> {
        self.run("list alerts of an object", || {
            let sql = format!("{ALERT} WHERE indicator = ?1 AND is_open = 1 ORDER BY opened, id");
            self.change.prepare_cached(&sql)?.query_map([object], alert)?.collect()
        })
    }

    fn is_wrong(&self, object: &str) -> Result<bool> {
        self.run("look a verdict up", || {
            self.change.prepare_cached("SELECT 1 FROM alert_verdict WHERE object = ?1")?.exists([object])
        })
    }

    fn judge(&self, object: &str, wrong: bool, now: Micros) -> Result<()> {
        self.run("keep a verdict", || {
            let done = match wrong {
                true => self
                    .change
                    .prepare_cached("INSERT OR IGNORE INTO alert_verdict VALUES(?1, ?2)")?
                    .execute(params![object, now]),
                false => self.change.prepare_cached("DELETE FROM alert_verdict WHERE object = ?1")?.execute([object]),
            };
            done.map(drop)
        })
    }

    fn due(&self, now: Micros, limit: usize) -> Result<Vec<Alert>> {
        self.run("list alerts that are due", || {
            let sql = format!("{ALERT} WHERE due <= ?1 AND is_open = 1 ORDER BY due LIMIT ?2");
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.change.prepare_cached(&sql)?.query_map([now, limit], alert)?.collect()
        })
    }

    fn put(&self, alert: &Alert, now: Micros) -> Result<()> {
        self.run("keep an alert", || {
            let before: Option<bool> = self
                .change
                .prepare_cached("SELECT is_open FROM alert WHERE id = ?1")?
                .query_row([&alert.id], |row| row.get(0))
                .optional()?;
            let place = now.max(meta(self.change, "alert_changed")?.saturating_add(1));
            self.change
                // An open alert of the same group is an error, and not replaced.
                .prepare_cached(
                    "INSERT INTO alert VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(id) DO UPDATE SET \
                     is_open = ?4, changed = ?6, due = ?7, body = ?8",
                )?
                .execute(params![
                    alert.id,
                    alert.group,
                    alert.indicator,
                    alert.open,
                    alert.opened,
                    place,
                    alert.due.filter(|_| alert.open),
                    alert.body
                ])?;
            set_meta(self.change, "alert_changed", place)?;
            let grown = i64::from(alert.open) - i64::from(before.unwrap_or(false));
            if grown != 0 {
                let open = meta(self.change, "alerts_open")?;
                set_meta(self.change, "alerts_open", open + grown)?;
            }
            Ok(())
        })
    }

    fn waiting(&self, way: &str) -> Result<u64> {
        let counted = self.run("count what waits to be told", || {
            let mut rows = self.change.prepare_cached("SELECT count(*) FROM telling WHERE way = ?1")?;
            rows.query_row([way], |row| row.get::<_, i64>(0))
        });
        counted.map(|counted| u64::try_from(counted).unwrap_or_default())
    }

    fn tell(&self, telling: &Telling) -> Result<bool> {
        self.run("let something wait to be told", || {
            let Telling { way, alert, number, due, attempts, since } = telling;
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            let there = self
                .change
                .prepare_cached("SELECT 1 FROM telling WHERE way = ?1 AND alert = ?2")?
                .exists(params![way, alert])?;
            self.change
                .prepare_cached("INSERT OR REPLACE INTO telling VALUES(?1,?2,?3,?4,?5,?6)")?
                .execute(params![way, alert, number, due, attempts, since])?;
            Ok(there)
        })
    }

    fn told(&self, way: &str, alert: &str, number: u64) -> Result<()> {
        self.run("let go of what was told", || {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            self.change
                .prepare_cached("DELETE FROM telling WHERE way = ?1 AND alert = ?2 AND number <= ?3")?
                .execute(params![way, alert, number])
                .map(drop)
        })
    }

    fn again(&self, telling: &Telling) -> Result<()> {
        self.run("let something wait again", || {
            let Telling { way, alert, number, due, attempts, .. } = telling;
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            self.change
                .prepare_cached(
                    "UPDATE telling SET due = ?4, attempts = ?5 WHERE way = ?1 AND alert = ?2 AND number = ?3",
                )?
                .execute(params![way, alert, number, due, attempts])
                .map(drop)
        })
    }

    fn forget(&self, before: Micros, most: u64) -> Result<u64> {
        self.run("erase old alerts", || {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let oldest = "SELECT changed FROM alert WHERE is_open = 0 ORDER BY changed DESC LIMIT 1 OFFSET ?1";
            let beyond: Option<i64> = self.change.query_row(oldest, [most], |row| row.get(0)).optional()?;
            self.change.execute_batch("PRAGMA secure_delete=ON")?;
            let before = beyond.map_or(before, |beyond| before.max(beyond.saturating_add(1)));
            let rows = self.change.execute("DELETE FROM alert WHERE is_open = 0 AND changed < ?1", [before]);
            self.change.execute_batch("PRAGMA secure_delete=FAST")?;
            rows.map(|rows| rows as u64)
        })
    }
}

const ALERT: &str = "SELECT id, grouped, indicator, is_open, opened, changed, due, body FROM alert";

fn alert(row: &Row<'_>) -> Result<Alert, rusqlite::Error> {
    Ok(Alert {
        id: row.get(0)?,
        group: row.get(1)?,
        indicator: row.get(2)?,
        open: row.get(3)?,
        opened: row.get(4)?,
        changed: row.get(5)?,
        due: row.get(6)?,
        body: row.get(7)?,
    })
}

fn one(base: &Connection, place: &str, value: &str) -> Result<Option<Alert>, rusqlite::Error> {
    base.prepare_cached(&format!("{ALERT} WHERE {place}"))?.query_row([value], alert).optional()
}

fn meta(base: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    base.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

fn set_meta(base: &Connection, name: &str, value: i64) -> Result<(), rusqlite::Error> {
    base.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?.execute(params![name, value]).map(drop)
}
