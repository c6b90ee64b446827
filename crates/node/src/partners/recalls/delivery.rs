//! How recalls reach those who have to obey them, and how it is counted who has.

use super::{Desk, judge};
use crate::audit::By;
use ledger::{Delivery, DeliveryState, Mail, Micros, PartnerKind, Partners, Recall as Kept};
use partner::recall::Recall;
use partner::receipt::{Downstream, Outcome, Receipt};
use partner::signed::{self, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use stix::timestamp::format_micros;

/// What was handed over and not answered is posted again after so long, …
const AGAIN: Micros = 3_600 * 1_000_000;
/// … later after twice as long each time, and at last once in so long.
const SELDOM: Micros = 24 * AGAIN;

/// What a delivery keeps of its answer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Answer {
    /// In words.
    pub(super) said: String,
    /// When the receiver said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Micros>,
    /// How it went with those to whom the receiver had handed the object on.
    pub(super) confirmed: u64,
    pub(super) waiting: u64,
    pub(super) cannot: u64,
}

impl Answer {
    pub(super) fn of(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }

    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::of(text))
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Held while it is counted what is told to whoever brought a recall.
static ANSWERING: Mutex<()> = Mutex::new(());

/// What we told whoever brought a recall: kept, so that it is told again only when it has changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Told {
    pub(super) outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Whether it was its signer who told us.
    #[serde(default)]
    pub(super) direct: bool,
    pub(super) confirmed: u64,
    pub(super) waiting: u64,
    pub(super) cannot: u64,
    /// When that was: what is said later is dated later, whatever the clock does.
    #[serde(default)]
    pub(super) at: Micros,
}

fn told_note(recall: &str) -> String {
    format!("told of {recall}")
}

/// The note that keeps which recall of ours passes one on that its signer could not send further.
fn instead_note(recall: &str) -> String {
    format!("passed on instead of {recall}")
}

/// The note that keeps the other way round.
fn behind_note(recall: &str) -> String {
    format!("stands behind {recall}")
}

/// These were handed to a partner: what of them are recalls is on its way.
///
/// # Errors
/// Those of the book.
pub fn handed(book: &dyn Partners, organisation: &str, mail: &[Mail], now: Micros) -> ledger::Result<()> {
    let is_recall = |mail: &&Mail| mail.id.starts_with(Kind::Recall.object_type());
    // A server of another make that takes one has not heeded it: it is still asked to delete.
    if book.partner(organisation)?.is_some_and(|partner| partner.kind == PartnerKind::Foreign) {
        return Ok(());
    }
    for mail in mail.iter().filter(is_recall) {
        let deliveries = book.deliveries(&mail.id)?;
        let mine = deliveries.into_iter().find(|delivery| judge::same(&delivery.organisation, organisation));
        if let Some(delivery) = mine
            && matches!(delivery.state, DeliveryState::Waiting | DeliveryState::Sent)
        {
            let attempts = delivery.attempts.saturating_add(1);
            let (state, last) = (DeliveryState::Sent, Some(now));
            book.set_delivery(&Delivery { state, attempts, last, ..delivery })?;
        }
    }
    Ok(())
}

/// Posts again what a partner has not been handed, or was handed long ago and has not answered. Returns how many.
///
/// # Errors
/// Those of the book.
pub fn remind(book: &dyn Partners, organisation: &str, now: Micros) -> ledger::Result<u64> {
    let due = |delivery: &Delivery| match delivery.state {
        DeliveryState::Waiting => true,
        _ => {
            let doubled = 1_i64.checked_shl(delivery.attempts.saturating_sub(1).min(16)).unwrap_or(1);
            let wait = AGAIN.saturating_mul(doubled).min(SELDOM);
            delivery.last.is_none_or(|last| last.saturating_add(wait) <= now)
        }
    };
    if book.partner(organisation)?.is_none_or(|partner| partner.kind != PartnerKind::Node) {
        return Ok(0);
    }
    let mut posted = 0;
    for delivery in book.deliveries_to(organisation, &[DeliveryState::Waiting, DeliveryState::Sent])? {
        if due(&delivery)
            && let Some(recall) = book.recall(&delivery.recall)?
        {
            posted += book.post(organisation, &[(&recall.id, &recall.body)], now)?;
        }
    }
    Ok(posted)
}

impl Desk<'_> {
    /// [`handed`], now.
    ///
    /// # Errors
    /// Those of the book.
    pub fn handed(&self, organisation: &str, mail: &[Mail]) -> ledger::Result<()> {
        handed(self.book, organisation, mail, self.now)
    }

    /// [`remind`], now.
    ///
    /// # Errors
    /// Those of the book.
    pub fn remind(&self, organisation: &str) -> ledger::Result<u64> {
        remind(self.book, organisation, self.now)
    }

    /// Writes a recall down with whom it has to reach, and posts it to those who have a mailbox. `None`: nobody has to be
    /// told.
    pub(super) fn send(
        &self,
        recall: &Recall,
        body: &[u8],
        from: Option<&str>,
        to: &BTreeSet<String>,
    ) -> ledger::Result<String> {
        let id = signed::read(body).map(|statement| statement.id.clone()).unwrap_or_default();
        let known = self.book.organisations()?;
        let mut deliveries = Vec::new();
        for organisation in to {
            if let Some(known) = known.iter().find(|known| judge::same(&known.name, organisation)) {
                deliveries.push(self.delivery(&id, &known.name)?);
            }
        }
        let from = from.map(str::to_owned);
        let kept = Kept { id: id.clone(), object: recall.object.clone(), at: self.now, body: body.to_vec(), from };
        match self.book.add_recall(&kept, &deliveries) {
            // The same words at the same instant are the same recall.
            Err(ledger::Error::Exists { .. }) => {
                for delivery in &deliveries {
                    if !self.book.deliveries(&id)?.iter().any(|held| held.organisation == delivery.organisation) {
                        self.book.set_delivery(delivery)?;
                    }
                }
            }
            done => done?,
        }
        for delivery in deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Waiting) {
            self.post(&delivery.organisation, &id, body)?;
        }
        Ok(id)
    }

    /// A delivery as it begins.
    fn delivery(&self, recall: &str, organisation: &str) -> ledger::Result<Delivery> {
        let cannot = |why: &str| (DeliveryState::Cannot, Answer::of(why).write());
        let (state, answer) = match self.book.partner(organisation)? {
            None => cannot("no link: told nobody"),
            Some(partner) if partner.kind == PartnerKind::Node => (DeliveryState::Waiting, String::new()),
            Some(_) if self.is_pushed_to(organisation)? => (DeliveryState::Waiting, String::new()),
            Some(_) => cannot("it fetches with software that takes no recall: told nobody"),
        };
        let (recall, organisation) = (recall.to_owned(), organisation.to_owned());
        Ok(Delivery { recall, organisation, state, attempts: 0, last: None, answer })
    }

    /// Whether a link pushes to an organisation.
    fn is_pushed_to(&self, organisation: &str) -> ledger::Result<bool> {
        let pushes = |link: &ledger::partners::Link| {
            let definition = super::super::link::Definition::read(&link.definition);
            definition.is_ok_and(|definition| definition.direction == super::super::link::Direction::Push)
        };
        Ok(self.book.links()?.iter().any(|link| judge::same(&link.organisation, organisation) && pushes(link)))
    }

    /// Lets a statement wait for a partner that has a node. For others there is nothing to wait in.
    pub(in crate::partners) fn post(&self, organisation: &str, id: &str, body: &[u8]) -> ledger::Result<()> {
        match self.book.partner(organisation)? {
            Some(partner) if partner.kind == PartnerKind::Node => {
                self.book.post(organisation, &[(id, body)], self.now).map(drop)
            }
            // A server of another make hands a recall on like any object: it reaches who fetches there.
            Some(_) if id.starts_with(Kind::Recall.object_type()) && self.is_pushed_to(organisation)? => {
                self.book.post(organisation, &[(id, body)], self.now).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes in what somebody says of a recall of whom they were told. Only of themselves anybody can say something.
    pub(super) fn take_receipt(
        &self,
        receipt: &Receipt,
        signer: &str,
        from: &str,
    ) -> ledger::Result<Result<(), String>> {
        if !judge::same(signer, from) {
            return Ok(Err(format!("it is signed by `{signer}`, and says something of `{from}`")));
        }
        if judge::is_ahead(&receipt.at, self.now) {
            return Ok(Err("it is dated after our clock".to_owned()));
        }
        let deliveries = self.book.deliveries(&receipt.recall)?;
        let Some(delivery) = deliveries.into_iter().find(|delivery| judge::same(&delivery.organisation, signer)) else {
            return Ok(Err("it speaks of a recall of which its signer was never told".to_owned()));
        };
        let at = stix::timestamp::Timestamp::parse(&receipt.at).ok().map(|at| at.micros);
        // An older one, that comes again, is passed over.
        if Answer::read(&delivery.answer).at >= at && at.is_some() {
            return Ok(Ok(()));
        }
        let state = match receipt.outcome {
            Outcome::Done | Outcome::Unknown => DeliveryState::Confirmed,
            Outcome::Refused => DeliveryState::Refused,
            Outcome::Cannot => DeliveryState::Cannot,
        };
        let reason = receipt.reason.as_deref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
        let said = match receipt.outcome {
            Outcome::Done => format!("done{reason}"),
            Outcome::Unknown => format!("the object is not known there; it is kept out{reason}"),
            Outcome::Refused => format!("refused{reason}"),
            Outcome::Cannot => format!("cannot{reason}"),
        };
        let Downstream { confirmed, waiting, cannot } = receipt.downstream;
        let answer = Answer { said, at, confirmed, waiting, cannot }.write();
        self.book.set_delivery(&Delivery { state, answer, ..delivery })?;
        self.renew(&receipt.recall)?;
        Ok(Ok(()))
    }

    /// How it went with everybody to whom we passed a recall on, and with those to whom they did.
    pub(super) fn downstream(&self, recall: &str) -> ledger::Result<Downstream> {
        let mut sum = Downstream::default();
        let instead = self.book.note(&instead_note(recall))?.and_then(|id| String::from_utf8(id).ok());
        for id in std::iter::once(recall).chain(instead.as_deref()) {
            for delivery in self.book.deliveries(id)? {
                let Answer { confirmed, waiting, cannot, .. } = Answer::read(&delivery.answer);
                let one = match delivery.state {
                    DeliveryState::Confirmed => &mut sum.confirmed,
                    DeliveryState::Waiting | DeliveryState::Sent => &mut sum.waiting,
                    DeliveryState::Refused | DeliveryState::Cannot => &mut sum.cannot,
                };
                *one = one.saturating_add(1);
                sum.confirmed = sum.confirmed.saturating_add(confirmed);
                sum.waiting = sum.waiting.saturating_add(waiting);
                sum.cannot = sum.cannot.saturating_add(cannot);
            }
        }
        Ok(sum)
    }

    /// Tells whoever brought a recall what became of it. `direct`: they signed it.
    pub(super) fn answer(
        &self,
        recall: &str,
        to: &str,
        outcome: Outcome,
        reason: Option<String>,
        direct: bool,
    ) -> ledger::Result<()> {
        let _one_by_one = ANSWERING.lock().unwrap_or_else(PoisonError::into_inner);
        self.answer_alone(recall, to, outcome, reason, direct)
    }

    /// The same, while nobody else counts: else who counted less could say so later.
    fn answer_alone(
        &self,
        recall: &str,
        to: &str,
        outcome: Outcome,
        reason: Option<String>,
        direct: bool,
    ) -> ledger::Result<()> {
        let downstream = self.downstream(recall)?;
        let Downstream { confirmed, waiting, cannot } = downstream;
        let before = self.told(recall)?.map_or(Micros::MIN, |told| told.at);
        let at = self.now.max(before.saturating_add(1));
        let outcome_name = outcome.name().to_owned();
        let told = Told { outcome: outcome_name, reason: reason.clone(), direct, confirmed, waiting, cannot, at };
        self.book.set_note(&told_note(recall), Some(&serde_json::to_vec(&told).unwrap_or_default()))?;
        // Whoever told us first is told of those behind us, so that nobody is counted twice.
        let first = self.book.recall(recall)?.and_then(|kept| kept.from);
        let counted = first.is_none_or(|first| judge::same(&first, to));
        self.receipt_at(recall, to, outcome, reason, if counted { downstream } else { Downstream::default() }, at)
    }

    /// Posts a receipt.
    pub(super) fn receipt(
        &self,
        recall: &str,
        to: &str,
        outcome: Outcome,
        reason: Option<String>,
        downstream: Downstream,
    ) -> ledger::Result<()> {
        self.receipt_at(recall, to, outcome, reason, downstream, self.now)
    }

    fn receipt_at(
        &self,
        recall: &str,
        to: &str,
        outcome: Outcome,
        reason: Option<String>,
        downstream: Downstream,
        at: Micros,
    ) -> ledger::Result<()> {
        let receipt = Receipt { recall: recall.to_owned(), outcome, at: format_micros(at), reason, downstream };
        let body = receipt.sign(self.keys);
        let id = signed::read(&body).map(|statement| statement.id.clone()).unwrap_or_default();
        self.post(to, &id, &body)
    }

    /// What we told whoever brought a recall; `None`: nothing yet.
    pub(super) fn told(&self, recall: &str) -> ledger::Result<Option<Told>> {
        Ok(self.book.note(&told_note(recall))?.and_then(|told| serde_json::from_slice(&told).ok()))
    }

    /// Renews what we told whoever brought a recall, if the counts have changed.
    pub(super) fn renew(&self, recall: &str) -> ledger::Result<()> {
        let behind = self.book.note(&behind_note(recall))?.and_then(|id| String::from_utf8(id).ok());
        let recall = behind.as_deref().unwrap_or(recall);
        let Some(from) = self.book.recall(recall)?.and_then(|kept| kept.from) else { return Ok(()) };
        let _one_by_one = ANSWERING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = self.told(recall)? else { return Ok(()) };
        let now = self.downstream(recall)?;
        let was = Downstream { confirmed: told.confirmed, waiting: told.waiting, cannot: told.cannot };
        match Outcome::of(&told.outcome) {
            Some(outcome) if now != was => self.answer_alone(recall, &from, outcome, told.reason, told.direct),
            _ => Ok(()),
        }
    }

    /// Notes that a recall of ours passes another one on.
    pub(super) fn stands_instead(&self, ours: &str, of: &str) -> ledger::Result<()> {
        self.book.set_note(&instead_note(of), Some(ours.as_bytes()))?;
        self.book.set_note(&behind_note(ours), Some(of.as_bytes()))
    }

    /// Writes down that a recall was made or passed on.
    pub(super) fn note_sent(
        &self,
        by: &By,
        act: &'static str,
        recall: &Recall,
        to: &BTreeSet<String>,
    ) -> ledger::Result<()> {
        let names: Vec<&str> = to.iter().map(String::as_str).collect();
        let told = format!("{}; to {}", recall.act.name(), names.join(", "));
        self.note(by, "", act, &recall.object, true, &told)
    }
}

/// A stranger's words, for a line of a terminal or a log.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
