//! Alerts over HTTP (`/api/alerts…`): for members of the node's own organisation, each of whom sees those whose indicator it
//! may see, and learns nothing of any other.
//!
//! INVARIANT: an alert is loaded by [`Looks::load`] or listed under [`Looks::looker`]; what may be done is asked of
//! `policy::role`. Nothing is changed by a GET.

pub(super) mod list;
pub(super) mod one;
pub(super) mod stream;

use super::State;
use super::answer::Refusal;
use super::request::Asked;
use super::taxii::rights;
use crate::alerts::alert::Alert;
use crate::alerts::out::Notice;
use crate::alerts::view::Looker;
use ledger::{Alerts as _, CollectionNo};
use policy::Viewer;
use policy::role::{Act, Target, may};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Whoever looks at alerts, and what they may read.
struct Looks {
    viewer: Viewer,
    readable: Vec<CollectionNo>,
    /// Of which indicators it is known whether they see them.
    seen: HashMap<String, bool>,
}

impl Looks {
    /// Somebody who may see alerts at all. Others are told what is told of an address that does not exist.
    fn of(state: &State, asked: &Asked, act: Act) -> Result<Self, Refusal> {
        if asked.identity.role.is_none() {
            return Err(Refusal::unauthorized());
        }
        let allowed = match act {
            Act::SeeAlerts => asked.identity.reads,
            _ => asked.identity.writes,
        };
        if !may(&asked.identity.actor, Act::SeeAlerts, &Target::Node) {
            return Err(Refusal::not_found());
        }
        if !allowed || !may(&asked.identity.actor, act, &Target::Node) {
            return Err(Refusal::forbidden("this is not yours to do"));
        }
        let known = state.known.now()?;
        let readable = known.collections.iter().filter(|one| rights(asked, one).read).map(|one| one.no).collect();
        Ok(Self { viewer: asked.identity.viewer.clone(), readable, seen: HashMap::new() })
    }

    /// Lets `work` look with their eyes.
    fn look<T>(&self, state: &State, work: impl FnOnce(&Looker<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let reads = |no: CollectionNo| self.readable.contains(&no);
        let (viewer, at) = (&self.viewer, state.sources.now());
        work(&Looker { book: &*state.book, door: &state.door, viewer, reads: &reads, at })
    }

    /// Whether they see an indicator.
    fn sees(&mut self, state: &State, indicator: &str) -> Result<bool, Refusal> {
        if let Some(sees) = self.seen.get(indicator) {
            return Ok(*sees);
        }
        let sees = self.look(state, |looker| Ok(looker.indicator(indicator)?.is_some()))?;
        self.seen.insert(indicator.to_owned(), sees);
        Ok(sees)
    }

    /// An alert that they see. One that they do not see is not there.
    fn load(&mut self, state: &State, id: &str) -> Result<(ledger::Alert, Alert), Refusal> {
        let row = state.book.alert(id)?.ok_or_else(Refusal::not_found)?;
        if !self.sees(state, &row.indicator)? {
            return Err(Refusal::not_found());
        }
        let alert = Alert::read(&row.body).ok_or_else(|| Refusal::internal("an alert in the register is damaged"))?;
        Ok((row, alert))
    }

    /// An alert as a row of a list; `None`: they see nothing of it.
    fn row(&self, state: &State, row: &ledger::Alert, alert: &Alert) -> Result<Option<Value>, Refusal> {
        let notice = self.look(state, |looker| Ok(state.alerts.notice(row, alert, alert.notices, looker)?))?;
        Ok(notice.map(|notice| resource(row, &notice)))
    }
}

/// An alert as the API shows it.
fn resource(row: &ledger::Alert, notice: &Notice) -> Value {
    let mut resource = notice.json();
    if let Some(members) = resource.as_object_mut() {
        members.remove("alert");
        members.insert("id".into(), json!(row.id));
        members.insert("open".into(), json!(row.open));
        members.insert("opened".into(), json!(super::people::instant(row.opened)));
    }
    resource
}
