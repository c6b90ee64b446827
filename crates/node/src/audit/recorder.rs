//! Acts of administration, written down where they are done.

use super::{By, Event, Way};
use crate::administration::{AdministrationAct, Deed, Recorder};
use ledger::journal::Journal;
use policy::role::Actor;
use serde_json::Map;
use std::sync::Arc;

/// Writes acts of administration into the audit log; each is on disk before its answer goes out.
pub struct AuditRecorder(Arc<dyn Journal>);

impl AuditRecorder {
    /// Into this log.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self(journal)
    }
}

impl Recorder for AuditRecorder {
    fn record(&self, act: &AdministrationAct<'_>) {
        let event = event(act);
        if let Err(error) = super::write_now(&*self.0, &event) {
            // The act is done and durable: the operator must know that the log lacks it.
            tracing::error!(%error, act = act.deed.as_str(), "an act of administration could not be written down");
        }
    }
}

fn event(act: &AdministrationAct<'_>) -> Event {
    if let Some(event) = of_partner(act) {
        return event;
    }
    let (about, whom) = match act.deed {
        Deed::AddOrganisation | Deed::SetRelation | Deed::SetStanding => {
            (format!("organisation {}", act.subject), None)
        }
        Deed::AddGroup | Deed::ChangeGroup | Deed::RemoveGroup => (format!("sharing group {}", act.subject), None),
        Deed::ExplainMarking | Deed::GradeObject | Deed::Restrict | Deed::Recall | Deed::Trace => {
            (act.subject.to_owned(), None)
        }
        Deed::AddCollection | Deed::RemoveCollection => (format!("collection {}", act.subject), None),
        _ => (String::new(), Some(act.subject.to_owned()).filter(|name| !name.is_empty())),
    };
    let mut details = Map::new();
    for (name, value) in [("of", act.organisation), ("detail", act.detail)] {
        details.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    Event::Administered { by: acts_as(act.actor), act: act.deed.as_str(), about, whom, done: act.done, details }
}

/// What was done to a partner or to our card. The detail of what was refused is why.
fn of_partner(act: &AdministrationAct<'_>) -> Option<Event> {
    matches!(
        act.deed,
        Deed::AddPartner
            | Deed::ConfirmPartner
            | Deed::GradePartner
            | Deed::RevokePartner
            | Deed::RemovePartner
            | Deed::ListPartners
            | Deed::ShowCard
            | Deed::RotateCard
            | Deed::RevokeCard
    )
    .then(|| {
        let detail = act.detail.unwrap_or_default().to_owned();
        let (about, reason) = if act.done { (detail, String::new()) } else { (String::new(), detail) };
        let partner = act.subject.to_owned();
        Event::Partner { by: acts_as(act.actor), partner, act: act.deed.as_str(), about, done: act.done, reason }
    })
}

/// An actor, for the audit log.
#[must_use]
pub fn acts_as(actor: &Actor) -> By {
    let (who, organisation) = match actor {
        Actor::Operator => return super::operator(),
        Actor::Member(member) => (Some(member.name.clone()), Some(member.organisation.clone())),
        Actor::Stranger => (None, None),
    };
    By { way: Way::Api, who, organisation, address: None }
}
