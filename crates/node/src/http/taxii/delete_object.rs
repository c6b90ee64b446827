//! `DELETE …/objects/{id}/` (TAXII 2.1 §5.7).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, collection, exists, named, parsed};
use crate::audit::{self, By, Event};
use crate::eyes::Eyes;
use ::taxii::query::Endpoint;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Filter, Ledger as _, Sees};
use std::sync::Arc;

/// Erases the versions that are asked for; without a version, all of them.
pub(in super::super) async fn delete(
    state: &Arc<State>,
    asked: &Asked,
    name: &str,
    object: String,
) -> Result<Response<Body>, Refusal> {
    let (collection, rights) = collection(state, asked, name)?;
    if !(rights.read && rights.write) {
        return Err(match asked.identity.role {
            None => Refusal::unauthorized().of(named(&collection)),
            Some(_) => Refusal::forbidden("deleting takes the right to read and to write").of(named(&collection)),
        });
    }
    let query = parsed(asked, Endpoint::Object)?;
    let every = query.versions.is_none();
    let every_dialect = query.spec_versions.is_none();
    let selecting = Selecting::new(state, asked, collection, query, &format!("delete {object}"))?;
    let by = asked.by();
    let shared = Arc::clone(state);
    state
        .read(move |state| {
            let gate = state.door.gate(selecting.viewer.clone(), state.sources.now());
            let reads = |no| selecting.reads(no);
            let eyes = Eyes::new(&gate, state.door.references(), &reads);
            exists(&shared, &selecting, &object, &eyes)?;
            let mut filter = selecting.filter(Some(&object));
            if every {
                filter.versions = ledger::Versions::All;
            }
            if every_dialect {
                filter.dialects = Some(vec![ledger::Dialect::Stix20, ledger::Dialect::Stix21]);
            }
            let filter = Filter { after: None, ..filter };
            recall(state, &filter, &eyes, &object, &by)?;
            let versions = state.book.delete(&filter, &eyes, state.sources.now())?;
            let (collection, object) = (selecting.collection.no, object);
            let event = Event::Erased { by, collection, object, versions, reason: String::new() };
            audit::write_now(&**state.audit.journal(), &event)?;
            Ok(answer::bytes(StatusCode::OK, Vec::new()))
        })
        .await
}

/// Whoever was given what is about to be deleted is told, before it is.
fn recall(state: &State, filter: &Filter<'_>, eyes: &dyn Sees, object: &str, by: &By) -> Result<(), Refusal> {
    let all = Filter { limit: usize::MAX - 1, ..filter.clone() };
    let (_, rows) = state.book.manifest(&all, eyes)?;
    let places: Vec<_> = rows.iter().map(|row| (filter.collection, row.date_added)).collect();
    // What was handed on a moment ago may not be written yet.
    state.audit.flush()?;
    state.office.at(state.sources.now(), |desk| desk.erasing(object, &places, by)).map_err(Refusal::internal)?;
    Ok(())
}
