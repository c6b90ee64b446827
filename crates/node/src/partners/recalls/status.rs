//! How far the recalls of an object have come: who has confirmed, who has not, who cannot.

use super::Desk;
use super::delivery::Answer;
use ledger::{DeliveryState, Micros};
use partner::recall::Recall;
use partner::signed;
use serde::Serialize;
use stix::timestamp::format_micros;

/// One recall.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Status {
    /// The id of the signed statement.
    pub recall: String,
    /// `delete`, `revoke`, `narrow` or `untag`.
    pub act: &'static str,
    /// When it was said.
    pub at: String,
    /// Which versions; `None`: all up to then.
    pub versions: Option<Vec<String>>,
    /// The marking that was added.
    pub tlp: Option<String>,
    /// The limits that were added.
    pub handling: Option<serde_json::Value>,
    /// Who brought it; `None`: it is ours.
    pub from: Option<String>,
    /// Everybody to whom it has to go.
    pub receivers: Vec<Receiver>,
}

/// Somebody who has to obey.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Receiver {
    /// The organisation.
    pub organisation: String,
    /// How far it has come: `waiting`, `sent`, `confirmed`, `refused` or `cannot`.
    pub state: &'static str,
    /// How often it was handed over or tried.
    pub attempts: u32,
    /// When that was last.
    pub last: Option<String>,
    /// What was tried, or what was answered.
    pub answer: String,
    /// Those to whom the receiver had handed the object on.
    pub downstream: Reached,
}

/// How many.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Reached {
    /// Have confirmed.
    pub confirmed: u64,
    /// Have not answered.
    pub waiting: u64,
    /// Cannot, or refused.
    pub cannot: u64,
}

/// The word for a state.
#[must_use]
fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Sent => "sent",
        DeliveryState::Confirmed => "confirmed",
        DeliveryState::Refused => "refused",
        DeliveryState::Cannot => "cannot",
    }
}

impl Status {
    /// How many have confirmed, have not answered, cannot: receivers, and those behind them.
    #[must_use]
    pub fn reached(&self) -> Reached {
        let mut sum = Reached::default();
        for receiver in &self.receivers {
            let Reached { confirmed, waiting, cannot } = receiver.downstream;
            sum.confirmed = sum.confirmed.saturating_add(confirmed);
            sum.waiting = sum.waiting.saturating_add(waiting);
            sum.cannot = sum.cannot.saturating_add(cannot);
            match receiver.state {
                "confirmed" => sum.confirmed += 1,
                "refused" | "cannot" => sum.cannot += 1,
                _ => sum.waiting += 1,
            }
        }
        sum
    }
}

/// The recalls of an object, oldest first.
///
/// # Errors
/// Those of the book.
pub fn of(book: &dyn ledger::Partners, object: &str) -> ledger::Result<Vec<Status>> {
    let mut all = Vec::new();
    for kept in book.recalls_of(object)? {
        let recall = signed::read(&kept.body).ok().and_then(|statement| Recall::read(&statement).ok());
        // What cannot be read was written by a newer version: it is shown with what is known of it.
        let mut status = Status {
            recall: kept.id.clone(),
            act: "unknown",
            at: format_micros(kept.at),
            versions: None,
            tlp: None,
            handling: None,
            from: kept.from,
            receivers: Vec::new(),
        };
        if let Some(recall) = recall {
            status.act = recall.act.name();
            (status.at, status.versions) = (recall.at, recall.versions);
            (status.tlp, status.handling) = (recall.tlp, recall.handling);
        }
        let at = |at: Option<Micros>| at.map(format_micros);
        for delivery in book.deliveries(&kept.id)? {
            let answer = Answer::read(&delivery.answer);
            status.receivers.push(Receiver {
                organisation: delivery.organisation,
                state: word(delivery.state),
                attempts: delivery.attempts,
                last: at(delivery.last.max(answer.at)),
                answer: answer.said,
                downstream: Reached { confirmed: answer.confirmed, waiting: answer.waiting, cannot: answer.cannot },
            });
        }
        all.push(status);
    }
    Ok(all)
}

impl Desk<'_> {
    /// The recalls of an object, oldest first.
    ///
    /// # Errors
    /// Those of the book.
    pub fn status(&self, object: &str) -> ledger::Result<Vec<Status>> {
        of(self.book, object)
    }
}
