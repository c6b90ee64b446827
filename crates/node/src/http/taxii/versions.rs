//! `GET …/objects/{id}/versions/` (TAXII 2.1 §5.8).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, date, exists, parsed, readable};
use crate::door::Selected;
use crate::eyes::Eyes;
use ::taxii::query::Endpoint;
use ::taxii::resource::Versions;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Filter, Ledger as _};
use policy::Released;
use std::sync::Arc;
use stix::timestamp::format_micros;

/// The versions of one object that the viewer may see, in the order in which they were added.
pub(in super::super) async fn get(
    state: &Arc<State>,
    asked: &Asked,
    name: &str,
    object: String,
) -> Result<Response<Body>, Refusal> {
    let collection = readable(state, asked, name)?;
    let query = parsed(asked, Endpoint::Versions)?;
    let selecting = Selecting::new(state, asked, collection, query, &format!("versions {object}"))?;
    let shared = Arc::clone(state);
    state
        .read(move |state| {
            let gate = state.door.gate(selecting.viewer.clone(), state.sources.now());
            let reads = |no| selecting.reads(no);
            let eyes = Eyes::new(&gate, state.door.references(), &reads);
            exists(&shared, &selecting, &object, &eyes)?;
            let filter = Filter { versions: ledger::Versions::All, ..selecting.filter(Some(&object)) };
            let (page, content) = state.book.manifest(&filter, &eyes)?;
            let released = gate.admit(Selected { page, content })?;
            selecting.hand_over(state, "versions", &released.as_inner().page)?;
            let next = selecting.next(state, &released.as_inner().page);
            Ok(write(released, next))
        })
        .await
}

fn write(released: Released<Selected<Vec<ledger::ManifestRow>>>, next: Option<String>) -> Response<Body> {
    let Selected { page, content } = released.into_inner();
    let versions =
        content.into_iter().map(|row| row.version.unwrap_or_else(|| format_micros(row.date_added.0))).collect();
    let mut answer = answer::json(StatusCode::OK, &Versions { more: page.more, next, versions });
    date(&mut answer, &page);
    answer
}
