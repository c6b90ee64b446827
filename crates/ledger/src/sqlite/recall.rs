//! Recalls, and how far each has come with whom.

use crate::{Delivery, DeliveryState, Micros, Recall, Result};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

const RECALL: &str = "SELECT id, object, at, body, bringer FROM recall";
const DELIVERY: &str = "SELECT recall, organisation, state, attempts, last, answer FROM delivery";

pub(super) fn add(change: &Transaction<'_>, recall: &Recall, deliveries: &[Delivery]) -> Result<(), rusqlite::Error> {
    change.prepare_cached("INSERT INTO recall VALUES(?1,?2,?3,?4,?5)")?.execute(params![
        recall.id,
        recall.object,
        recall.at,
        recall.body,
        recall.from
    ])?;
    deliveries.iter().try_for_each(|delivery| deliver(change, &recall.id, delivery))
}

pub(super) fn deliver(change: &Transaction<'_>, recall: &str, delivery: &Delivery) -> Result<(), rusqlite::Error> {
    change
        .prepare_cached(
            "INSERT INTO delivery VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO UPDATE SET
             state = excluded.state, attempts = excluded.attempts, last = excluded.last, answer = excluded.answer",
        )?
        .execute(params![
            recall,
            delivery.organisation,
            code(delivery.state),
            delivery.attempts,
            delivery.last,
            delivery.answer
        ])
        .map(drop)
}

pub(super) fn one(base: &Connection, id: &str) -> Result<Option<Recall>, rusqlite::Error> {
    base.prepare_cached(&format!("{RECALL} WHERE id = ?1"))?.query_row([id], recall).optional()
}

pub(super) fn of(base: &Connection, object: &str) -> Result<Vec<Recall>, rusqlite::Error> {
    base.prepare_cached(&format!("{RECALL} WHERE object = ?1 ORDER BY at, id"))?.query_map([object], recall)?.collect()
}

pub(super) fn any(base: &Connection, objects: &[&str]) -> Result<Vec<bool>, rusqlite::Error> {
    // Most nodes have none most of the time.
    let none = base.prepare_cached("SELECT 1 FROM recall LIMIT 1")?.query_row([], |_| Ok(())).optional()?.is_none();
    if none {
        return Ok(vec![false; objects.len()]);
    }
    let mut find = base.prepare_cached("SELECT 1 FROM recall WHERE object = ?1 LIMIT 1")?;
    objects.iter().map(|object| find.exists([object])).collect()
}

pub(super) fn after(base: &Connection, at: Micros, limit: usize) -> Result<Vec<Recall>, rusqlite::Error> {
    let skipped = i64::try_from(limit.saturating_sub(1)).unwrap_or(i64::MAX);
    base.prepare_cached(&format!(
        "{RECALL} WHERE at > ?1 AND at <=
         ifnull((SELECT at FROM recall WHERE at > ?1 ORDER BY at LIMIT 1 OFFSET ?2), 9223372036854775807)
         ORDER BY at, id"
    ))?
    .query_map([at, skipped], recall)?
    .collect()
}

pub(super) fn deliveries(base: &Connection, recall: &str) -> Result<Vec<Delivery>, rusqlite::Error> {
    base.prepare_cached(&format!("{DELIVERY} WHERE recall = ?1 ORDER BY organisation"))?
        .query_map([recall], delivery)?
        .collect()
}

pub(super) fn deliveries_to(
    base: &Connection,
    organisation: &str,
    states: &[DeliveryState],
) -> Result<Vec<Delivery>, rusqlite::Error> {
    let mut find = base.prepare_cached(
        "SELECT recall, organisation, state, attempts, last, answer, at FROM delivery JOIN recall ON recall.id = recall
         WHERE organisation = ?1 AND state = ?2",
    )?;
    let mut found: Vec<(Micros, Delivery)> = Vec::new();
    let mut codes: Vec<u8> = states.iter().map(|state| code(*state)).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        let rows = find.query_map(params![organisation, code], |row| Ok((row.get(6)?, delivery(row)?)))?;
        found.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_by(|one, other| (one.0, &one.1.recall).cmp(&(other.0, &other.1.recall)));
    Ok(found.into_iter().map(|(_, delivery)| delivery).collect())
}

fn recall(row: &Row<'_>) -> Result<Recall, rusqlite::Error> {
    Ok(Recall { id: row.get(0)?, object: row.get(1)?, at: row.get(2)?, body: row.get(3)?, from: row.get(4)? })
}

fn delivery(row: &Row<'_>) -> Result<Delivery, rusqlite::Error> {
    // A state that is not known is tried again.
    let state = match row.get::<_, u8>(2)? {
        1 => DeliveryState::Sent,
        2 => DeliveryState::Confirmed,
        3 => DeliveryState::Refused,
        4 => DeliveryState::Cannot,
        _ => DeliveryState::Waiting,
    };
    Ok(Delivery {
        recall: row.get(0)?,
        organisation: row.get(1)?,
        state,
        attempts: row.get(3)?,
        last: row.get(4)?,
        answer: row.get(5)?,
    })
}

fn code(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Waiting => 0,
        DeliveryState::Sent => 1,
        DeliveryState::Confirmed => 2,
        DeliveryState::Refused => 3,
        DeliveryState::Cannot => 4,
    }
}
