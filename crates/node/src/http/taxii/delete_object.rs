//! `DELETE …/objects/{id}/` (TAXII 2.1 §5.7).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, collection, exists, named, parsed};
use crate::audit::{self, Event};
use crate::eyes::Eyes;
use ::taxii::query::Endpoint;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Filter, Ledger as _};
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
            let versions = state.book.delete(&filter, &eyes, state.sources.now())?;
            let (collection, object) = (selecting.collection.no, object);
            let event = Event::Erased { by, collection, object, versions, reason: String::new() };
            audit::write_now(&**state.audit.journal(), &event)?;
            Ok(answer::bytes(StatusCode::OK, Vec::new()))
        })
        .await
}
