//! Foreign servers keep no recalls. Those to which we push are asked to delete what they were given, and what they answer is
//! kept.

use super::delivery::Answer;
use super::{Desk, judge};
use ledger::{Delivery, DeliveryState};
use partner::recall::{Act, Recall};
use partner::signed;
use policy::Outcome;
use taxii::client::{Client, Deleted, Error, Found, Transport};

/// What came of asking.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pumped {
    /// It says that it has done it.
    pub confirmed: u64,
    /// It cannot, or does not let us.
    pub cannot: u64,
    /// It is asked again.
    pub waiting: u64,
}

/// Asks a foreign server to delete what was recalled from it: at the end of a round of a link that pushes there.
///
/// # Errors
/// Those of the book. What the server does is no error.
pub async fn pump_foreign<T: Transport>(
    desk: &Desk<'_>,
    client: &Client<T>,
    found: &Found,
    organisation: &str,
) -> ledger::Result<Pumped> {
    let mut pumped = Pumped::default();
    for delivery in desk.book.waiting_deliveries(organisation)? {
        let Some(kept) = desk.book.recall(&delivery.recall)? else { continue };
        let recall = signed::read(&kept.body).ok().and_then(|statement| Recall::read(&statement).ok());
        let verdict = match recall {
            None => Verdict::Cannot("the recall cannot be read".to_owned()),
            Some(recall) => match desk.untold(&recall, organisation)? {
                Some(why) => Verdict::Cannot(why.to_owned()),
                None => {
                    let versions = recall.versions.as_deref().unwrap_or_default();
                    judged(client.delete(found, &recall.object, versions).await)
                }
            },
        };
        let (state, said) = match verdict {
            Verdict::Done(said) => (DeliveryState::Confirmed, said),
            Verdict::Cannot(said) => (DeliveryState::Cannot, said),
            Verdict::Later(said) => (DeliveryState::Waiting, said),
        };
        match state {
            DeliveryState::Confirmed => pumped.confirmed += 1,
            DeliveryState::Cannot => pumped.cannot += 1,
            _ => pumped.waiting += 1,
        }
        let later = state == DeliveryState::Waiting;
        let (attempts, last, answer) = (delivery.attempts.saturating_add(1), Some(desk.now), Answer::of(said).write());
        desk.book.set_delivery(&Delivery { state, attempts, last, answer, ..delivery.clone() })?;
        desk.renew(&delivery.recall)?;
        // A server that cannot be reached is not asked for each of many.
        if later {
            break;
        }
    }
    Ok(pumped)
}

enum Verdict {
    Done(String),
    Cannot(String),
    Later(String),
}

fn judged(answer: Result<Deleted, Error>) -> Verdict {
    let Deleted { asked, status, said } = match answer {
        Ok(deleted) => deleted,
        Err(error) => return Verdict::Later(super::delivery::shown(&whole(&error))),
    };
    let said = said.map(|said| format!(" (“{said}”)")).unwrap_or_default();
    let answered = format!("DELETE {asked} answered {}{said}", status.as_u16());
    if status.is_success() {
        return Verdict::Done(format!("{answered}, which is their word"));
    }
    if status.is_server_error() || status.as_u16() == 401 {
        return Verdict::Later(answered);
    }
    Verdict::Cannot(answered)
}

fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Desk<'_> {
    /// Why there is nothing that a foreign server could be asked for.
    fn untold(&self, recall: &Recall, organisation: &str) -> ledger::Result<Option<&'static str>> {
        if recall.act == Act::Narrow {
            return Ok(Some("it may go on seeing it, and TAXII has no word for narrowing: told nobody"));
        }
        if recall.act != Act::Revoke {
            return Ok(None);
        }
        let viewer = self.viewer(organisation)?;
        let sees = |viewer| {
            let copies = self.copies(&recall.object)?;
            let revoked = copies.iter().filter(|copy| copy.revoked);
            Ok::<_, ledger::Error>(
                revoked.map(|copy| self.decision(viewer, &copy.class)).any(|made| made.outcome != Outcome::Withhold),
            )
        };
        let sees = viewer.as_ref().map(sees).transpose()?.unwrap_or_default();
        Ok(sees.then_some("the version that says that it is revoked is pushed to it; nothing else can be told"))
    }

    /// Whether an organisation is a partner without a node.
    ///
    /// # Errors
    /// Those of the book.
    pub fn is_foreign(&self, organisation: &str) -> ledger::Result<bool> {
        let foreign = |partner: &ledger::Partner| partner.kind == ledger::PartnerKind::Foreign;
        Ok(self
            .book
            .partners()?
            .iter()
            .any(|partner| judge::same(&partner.organisation, organisation) && foreign(partner)))
    }
}
