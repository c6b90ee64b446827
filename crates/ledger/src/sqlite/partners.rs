//! Partners, their cards and links; and where the rest of what the node keeps of partners is done.

use super::register::{named, touched};
use super::{Book, append, mail, provenance, recall};
use crate::partners::{Link, Said};
use crate::{
    Appended, Card, CardState, Delivery, DeliveryState, Mail, Mark, Micros, Partner, PartnerKind, Partners, Recall,
    Result, Same, Stated, Statement, Submission,
};
use rusqlite::{OptionalExtension as _, Row, params};

impl Partners for Book {
    fn add_partner(&self, partner: &Partner) -> Result<()> {
        let name = &partner.organisation;
        let done = self.register("add a partner", |change| {
            change.execute(
                "INSERT INTO partner VALUES(?1,?2,?3,?4)",
                params![name, kind_code(partner.kind), partner.terms, partner.added],
            )
        });
        named(done.map(drop), "partner", name, ("organisation", name))
    }

    fn change_partner(&self, partner: &Partner) -> Result<()> {
        let rows = self.register("change a partner", |change| {
            change.execute(
                "UPDATE partner SET kind = ?2, terms = ?3 WHERE organisation = ?1",
                params![partner.organisation, kind_code(partner.kind), partner.terms],
            )
        })?;
        touched(rows, "partner", &partner.organisation)
    }

    fn partners(&self) -> Result<Vec<Partner>> {
        self.read("list partners", |base| {
            base.prepare_cached(&format!("{PARTNER} ORDER BY organisation"))?.query_map([], partner)?.collect()
        })
    }

    fn partner(&self, organisation: &str) -> Result<Option<Partner>> {
        self.read("look a partner up", |base| {
            base.prepare_cached(&format!("{PARTNER} WHERE organisation = ?1"))?
                .query_row([organisation], partner)
                .optional()
        })
    }

    fn remove_partner(&self, organisation: &str) -> Result<()> {
        let rows = self.register("remove a partner", |change| {
            change.execute("DELETE FROM partner WHERE organisation = ?1", [organisation])
        })?;
        touched(rows, "partner", organisation)
    }

    fn set_card(&self, card: &Card) -> Result<()> {
        let (name, state) = (&card.organisation, card_code(card.state));
        let done = self.register("set a card", |change| {
            let serial = i64::try_from(card.serial)
                .map_err(|source| rusqlite::Error::ToSqlConversionFailure(Box::new(source)))?;
            if card.state == CardState::Pinned {
                change.execute(
                    "UPDATE card SET state = ?3, at = ?4 WHERE organisation = ?1 AND serial <> ?2 AND state = ?5",
                    params![name, serial, card_code(CardState::Replaced), card.at, state],
                )?;
            }
            change.execute(
                "INSERT INTO card VALUES(?1,?2,?3,?4,?5)
                 ON CONFLICT(organisation, serial) DO UPDATE SET state = excluded.state, body = excluded.body, at = excluded.at",
                params![name, serial, state, card.body, card.at],
            )
        });
        named(done.map(drop), "card", name, ("partner", name))
    }

    fn cards(&self, organisation: &str) -> Result<Vec<Card>> {
        self.read("list cards", |base| {
            base.prepare_cached(&format!("{CARD} WHERE organisation = ?1 ORDER BY serial DESC"))?
                .query_map([organisation], card)?
                .collect()
        })
    }

    fn all_cards(&self) -> Result<Vec<Card>> {
        self.read("list cards", |base| {
            base.prepare_cached(&format!("{CARD} ORDER BY organisation, serial DESC"))?.query_map([], card)?.collect()
        })
    }

    fn add_link(&self, link: &Link) -> Result<()> {
        let done = self.register("add a link", |change| {
            change.execute(
                "INSERT INTO partner_link VALUES(?1,?2,?3,?4,?5)",
                params![link.name, link.organisation, link.definition, link.secret, link.paused],
            )
        });
        named(done.map(drop), "link", &link.name, ("partner", &link.organisation))
    }

    fn change_link(&self, link: &Link) -> Result<()> {
        let done = self.register("change a link", |change| {
            change.execute(
                "UPDATE partner_link SET organisation = ?2, definition = ?3, secret = ?4, paused = ?5 WHERE name = ?1",
                params![link.name, link.organisation, link.definition, link.secret, link.paused],
            )
        });
        touched(named(done, "link", &link.name, ("partner", &link.organisation))?, "link", &link.name)
    }

    fn links(&self) -> Result<Vec<Link>> {
        self.read("list links", |base| {
            base.prepare_cached(&format!("{LINK} ORDER BY name"))?.query_map([], link)?.collect()
        })
    }

    fn link(&self, name: &str) -> Result<Option<Link>> {
        self.read("look a link up", |base| {
            base.prepare_cached(&format!("{LINK} WHERE name = ?1"))?.query_row([name], link).optional()
        })
    }

    fn remove_link(&self, name: &str) -> Result<()> {
        let rows = self
            .register("remove a link", |change| change.execute("DELETE FROM partner_link WHERE name = ?1", [name]))?;
        touched(rows, "link", name)
    }

    fn seals(&self, marks: &[Mark]) -> Result<Vec<Option<Vec<u8>>>> {
        self.read("look seals up", |base| provenance::seals(base, marks))
    }

    fn renew_seals(&self, seals: &[(Mark, &[u8])]) -> Result<()> {
        if seals.is_empty() {
            return Ok(());
        }
        self.change("renew seals", |change| provenance::renew(change, seals, provenance::FRESH))
    }

    fn statements_of(&self, marks: &[Mark]) -> Result<Vec<Vec<Statement>>> {
        self.read("look statements up", |base| provenance::statements(base, marks))
    }

    fn put_provenance(&self, seals: &[(Mark, &[u8])], statements: &[Statement]) -> Result<()> {
        if seals.is_empty() && statements.is_empty() {
            return Ok(());
        }
        let stated: Vec<Stated<'_>> = statements.iter().map(Statement::as_stated).collect();
        let done = self
            .change("keep seals and statements", |change| provenance::put(change, seals, &stated, provenance::FRESH));
        named(done, "source", "", ("organisation", &list(statements.iter().map(|one| &*one.source))))
    }

    fn append_said(
        &self,
        submissions: &[Submission<'_>],
        said: &Said<'_>,
        now: Micros,
        same: Same<'_>,
    ) -> Result<Vec<Vec<Appended>>> {
        let Said { seals, statements } = *said;
        let done = self.change("append with what is said of it", |change| {
            provenance::put(change, seals, statements, provenance::FRESH)?;
            append::run(change, submissions, now, same)
        });
        named(done, "source", "", ("organisation", &list(statements.iter().map(|one| one.source))))
    }

    fn add_recall(&self, recall: &Recall, deliveries: &[Delivery]) -> Result<()> {
        let done = self.change("add a recall", |change| recall::add(change, recall, deliveries));
        let receivers = deliveries.iter().map(|delivery| &*delivery.organisation);
        named(done, "recall", &recall.id, ("organisation", &list(recall.from.as_deref().into_iter().chain(receivers))))
    }

    fn recall(&self, id: &str) -> Result<Option<Recall>> {
        self.read("look a recall up", |base| recall::one(base, id))
    }

    fn recalls_of(&self, object: &str) -> Result<Vec<Recall>> {
        self.read("look recalls up", |base| recall::of(base, object))
    }

    fn recalled(&self, objects: &[&str]) -> Result<Vec<Vec<Recall>>> {
        self.read("look recalls up", |base| objects.iter().map(|object| recall::of(base, object)).collect())
    }

    fn any_recalled(&self, objects: &[&str]) -> Result<Vec<bool>> {
        self.read("look recalls up", |base| recall::any(base, objects))
    }

    fn recalls_after(&self, at: Micros, limit: usize) -> Result<Vec<Recall>> {
        self.read("follow recalls", |base| recall::after(base, at, limit))
    }

    fn set_delivery(&self, delivery: &Delivery) -> Result<()> {
        let done = self.change("set a delivery", |change| {
            let known = recall::one(change, &delivery.recall)?.is_some();
            if known {
                recall::deliver(change, &delivery.recall, delivery)?;
            }
            Ok(usize::from(known))
        });
        let known = named(done, "delivery", &delivery.recall, ("organisation", &delivery.organisation))?;
        touched(known, "recall", &delivery.recall)
    }

    fn deliveries(&self, recall: &str) -> Result<Vec<Delivery>> {
        self.read("list deliveries", |base| recall::deliveries(base, recall))
    }

    fn deliveries_to(&self, organisation: &str, states: &[DeliveryState]) -> Result<Vec<Delivery>> {
        self.read("list deliveries", |base| recall::deliveries_to(base, organisation, states))
    }

    fn post(&self, organisation: &str, objects: &[(&str, &[u8])], now: Micros) -> Result<u64> {
        let done = self.change("post", |change| mail::post(change, organisation, objects, now));
        named(done, "mail", organisation, ("partner", organisation))
    }

    fn mail(&self, organisation: &str, after: i64, limit: usize) -> Result<Vec<Mail>> {
        self.read("read what waits", |base| mail::after(base, organisation, after, limit))
    }

    fn drop_mail(&self, organisation: &str, upto: i64) -> Result<u64> {
        let rows = self.change("drop what was fetched", |change| {
            change.execute("DELETE FROM mail WHERE organisation = ?1 AND no <= ?2", params![organisation, upto])
        })?;
        Ok(rows as u64)
    }
}

const PARTNER: &str = "SELECT organisation, kind, terms, added FROM partner";
const CARD: &str = "SELECT organisation, serial, state, body, at FROM card";
const LINK: &str = "SELECT name, organisation, definition, secret, paused FROM partner_link";

fn partner(row: &Row<'_>) -> Result<Partner, rusqlite::Error> {
    let kind = match row.get::<_, u8>(1)? {
        0 => PartnerKind::Node,
        _ => PartnerKind::Foreign,
    };
    Ok(Partner { organisation: row.get(0)?, kind, terms: row.get(2)?, added: row.get(3)? })
}

fn kind_code(kind: PartnerKind) -> u8 {
    match kind {
        PartnerKind::Node => 0,
        PartnerKind::Foreign => 1,
    }
}

fn card(row: &Row<'_>) -> Result<Card, rusqlite::Error> {
    // A state that is not known trusts nothing.
    let state = match row.get::<_, u8>(2)? {
        0 => CardState::Offered,
        1 => CardState::Pinned,
        2 => CardState::Replaced,
        _ => CardState::Revoked,
    };
    let serial = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
    Ok(Card { organisation: row.get(0)?, serial, state, body: row.get(3)?, at: row.get(4)? })
}

/// The index `card_pinned` names the number of a pinned one.
fn card_code(state: CardState) -> u8 {
    match state {
        CardState::Offered => 0,
        CardState::Pinned => 1,
        CardState::Replaced => 2,
        CardState::Revoked => 3,
    }
}

fn link(row: &Row<'_>) -> Result<Link, rusqlite::Error> {
    Ok(Link {
        name: row.get(0)?,
        organisation: row.get(1)?,
        definition: row.get(2)?,
        secret: row.get(3)?,
        paused: row.get(4)?,
    })
}

/// Whom an error names when one of them is missing.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// What `check` looks at: that every row belongs to something, and that what is counted agrees with what is there.
pub(super) fn check(base: &rusqlite::Connection, fault: &mut dyn FnMut(&str, String)) -> Result<(), rusqlite::Error> {
    let mut strays = base.prepare("PRAGMA foreign_key_check")?;
    let strays = strays.query_map([], |row| Ok((row.get(0)?, row.get(2)?)))?;
    for (table, parent) in strays.collect::<Result<Vec<(String, String)>, _>>()? {
        fault(&table, format!("a row of it belongs to a `{parent}` that is not there: restore the last backup"));
    }
    let number = |sql: &str| base.query_row(sql, [], |row| row.get::<_, i64>(0));
    const BOTH: &str = "(SELECT * FROM said_of UNION ALL SELECT * FROM said_new)";
    let sealed =
        format!("(SELECT DISTINCT mark FROM {BOTH} AS entry JOIN said USING(no) WHERE source = 0 OR seal IS NOT NULL)");
    for (name, counted) in [("seals", &*sealed), ("said_new", "said_new")] {
        let noted = number(&format!("SELECT value FROM meta WHERE name = '{name}'"))?;
        let there = number(&format!("SELECT count(*) FROM {counted}"))?;
        if noted != there {
            fault(name, format!("{noted} were counted, {there} are there: restore the last backup"));
        }
    }
    let strange = "length(mark) <> 16 OR (source <> 0 AND source NOT IN (SELECT no FROM source))
         OR (SELECT first IS NULL FROM said WHERE said.no = entry.no) IS NOT (source = 0)";
    let used = format!(
        "SELECT count(*) FROM said LEFT JOIN (SELECT no, count(*) AS used FROM
         (SELECT no FROM {BOTH} UNION ALL SELECT seal FROM said WHERE seal IS NOT NULL) GROUP BY no) USING(no)
         WHERE used IS NOT uses OR (seal IS NOT NULL AND seal NOT IN (SELECT no FROM said WHERE first IS NULL))"
    );
    for (table, sql) in [
        ("said", &*used),
        ("said_of", &format!("SELECT count(*) FROM {BOTH} AS entry WHERE {strange}")),
        ("said_of", "SELECT count(*) FROM said_of JOIN said_new USING(mark, source)"),
        ("mail", "SELECT count(*) FROM mail WHERE no > (SELECT value FROM meta WHERE name = 'last_mail')"),
    ] {
        let wrong = number(sql)?;
        if wrong > 0 {
            fault(table, format!("{wrong} rows of it are not what they must be: restore the last backup"));
        }
    }
    Ok(())
}
