//! The tables of the sharing model.

use super::Book;
use super::register::{named, relation_code, touched};
use crate::{Group, Micros, OnLeave, Relation, Result, Sharing, Standing};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

impl Sharing for Book {
    fn add_group(&self, group: &Group) -> Result<()> {
        let done = self.register("add a sharing group", |change| {
            change.execute("INSERT INTO circle VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", columns(group))?;
            add_members(change, group, |_| None)
        });
        named(done, "sharing group", &group.name, ("organisation", &wanted(group)))
    }

    fn groups(&self) -> Result<Vec<Group>> {
        self.read("list sharing groups", |base| {
            let mut rows = base.prepare_cached(
                "SELECT id, name, owner, hidden, opens, closes, backfill, on_leave FROM circle ORDER BY name",
            )?;
            let mut groups = Vec::new();
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let id: String = row.get(0)?;
                let (members, since) = members(base, &id)?;
                groups.push(Group {
                    members,
                    since,
                    id,
                    name: row.get(1)?,
                    owner: row.get(2)?,
                    hidden: row.get(3)?,
                    from: row.get(4)?,
                    until: row.get(5)?,
                    backfill: row.get(6)?,
                    on_leave: if row.get(7)? { OnLeave::Recall } else { OnLeave::Keep },
                });
            }
            Ok(groups)
        })
    }

    fn change_group(&self, group: &Group) -> Result<()> {
        let done = self.register("change a sharing group", |change| {
            let (mut within, since) = members(change, &group.id)?;
            within.extend(
                change
                    .query_row("SELECT owner FROM circle WHERE id = ?1", [&group.id], |row| row.get::<_, String>(0))
                    .optional()?,
            );
            let rows = change.execute(
                "UPDATE circle SET name=?2, owner=?3, hidden=?4, opens=?5, closes=?6, backfill=?7, on_leave=?8
                 WHERE id=?1",
                columns(group),
            )?;
            change.execute("DELETE FROM circle_member WHERE circle = ?1", [&group.id])?;
            if rows > 0 {
                let last: Micros =
                    change.query_row("SELECT value FROM meta WHERE name = 'last_seq'", [], |row| row.get(0))?;
                let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
                add_members(change, group, |member| match within.iter().any(|known| same(known, member)) {
                    true => since.iter().find(|(known, _)| same(known, member)).map(|(_, since)| *since),
                    false => (!group.backfill).then_some(last + 1),
                })?;
            }
            Ok(rows)
        });
        touched(
            named(done, "sharing group", &group.name, ("organisation", &wanted(group)))?,
            "sharing group",
            &group.name,
        )
    }

    fn remove_group(&self, id: &str) -> Result<()> {
        let rows =
            self.register("remove a sharing group", |change| change.execute("DELETE FROM circle WHERE id = ?1", [id]))?;
        touched(rows, "sharing group", id)
    }

    fn set_relation(&self, organisation: &str, relation: Relation) -> Result<()> {
        let rows = self.register("set a relation", |change| {
            let code = relation_code(relation);
            change.execute("UPDATE organisation SET relation = ?2 WHERE name = ?1", params![organisation, code])
        })?;
        touched(rows, "organisation", organisation)
    }

    fn standings(&self) -> Result<Vec<Standing>> {
        self.read("list standings", |base| {
            let mut rows =
                base.prepare_cached("SELECT organisation, ceiling, personal FROM standing ORDER BY organisation")?;
            let mut standings = Vec::new();
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let organisation: String = row.get(0)?;
                let identities = base
                    .prepare_cached("SELECT id FROM identity WHERE organisation = ?1 ORDER BY id")?
                    .query_map([&organisation], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                let personal: String = row.get(2)?;
                standings.push(Standing {
                    organisation,
                    identities,
                    ceiling: row.get(1)?,
                    personal: personal.lines().map(str::to_owned).collect(),
                });
            }
            Ok(standings)
        })
    }

    fn set_standing(&self, standing: &Standing) -> Result<()> {
        let name = &standing.organisation;
        let done = self.register("set a standing", |change| {
            change.execute(
                "INSERT INTO standing VALUES(?1,?2,?3)
                 ON CONFLICT DO UPDATE SET ceiling = excluded.ceiling, personal = excluded.personal",
                params![name, standing.ceiling, standing.personal.join("\n")],
            )?;
            change.execute("DELETE FROM identity WHERE organisation = ?1", [name])?;
            for id in &standing.identities {
                change.execute("INSERT INTO identity VALUES(?1, ?2)", [id, name])?;
            }
            Ok(())
        });
        named(done, "identity", &standing.identities.join(", "), ("organisation", name))
    }

    fn meanings(&self) -> Result<Vec<(String, String)>> {
        self.read("list meanings", |base| {
            base.prepare_cached("SELECT marking, means FROM meaning ORDER BY marking")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    fn set_meaning(&self, marking: &str, meaning: Option<&str>) -> Result<()> {
        self.register("say what a marking means", |change| match meaning {
            Some(meaning) => change.execute("INSERT OR REPLACE INTO meaning VALUES(?1, ?2)", [marking, meaning]),
            None => change.execute("DELETE FROM meaning WHERE marking = ?1", [marking]),
        })
        .map(drop)
    }
}

/// A group in the order of its table's columns.
fn columns(group: &Group) -> impl rusqlite::Params {
    let recall = group.on_leave == OnLeave::Recall;
    let Group { id, name, owner, hidden, from, until, backfill, .. } = group;
    (id, name, owner, hidden, from, until, backfill, recall)
}

fn add_members(
    change: &Transaction<'_>,
    group: &Group,
    since: impl Fn(&str) -> Option<Micros>,
) -> Result<(), rusqlite::Error> {
    for member in &group.members {
        let from = since(member);
        change.execute("INSERT OR IGNORE INTO circle_member VALUES(?1, ?2, ?3)", params![group.id, member, from])?;
    }
    Ok(())
}

/// The members, and since when those see by the group who do not see everything.
type Members = (Vec<String>, Vec<(String, Micros)>);

fn members(base: &Connection, id: &str) -> Result<Members, rusqlite::Error> {
    let mut find =
        base.prepare_cached("SELECT organisation, since FROM circle_member WHERE circle = ?1 ORDER BY organisation")?;
    let mut rows = find.query([id])?;
    let (mut members, mut newcomers) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let member: String = row.get(0)?;
        newcomers.extend(row.get::<_, Option<Micros>>(1)?.map(|since| (member.clone(), since)));
        members.push(member);
    }
    Ok((members, newcomers))
}

/// Whom the error names when one of them is missing.
fn wanted(group: &Group) -> String {
    std::iter::once(&group.owner).chain(&group.members).cloned().collect::<Vec<_>>().join(", ")
}
