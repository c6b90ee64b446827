//! `GET /{root}/` (TAXII 2.1 §4.2).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Who;
use taxii::media;
use taxii::resource::ApiRoot;

/// What the API root is.
pub(in super::super) fn get(state: &State, asked: &Asked) -> Result<Response<Body>, Refusal> {
    known_here(state, asked)?;
    let taxii = &state.config.taxii;
    Ok(answer::json(
        StatusCode::OK,
        &ApiRoot {
            title: taxii.title.clone(),
            description: Some(taxii.description.clone()).filter(|text| !text.is_empty()),
            versions: vec![media::TAXII.to_owned()],
            max_content_length: taxii.max_content_length,
        },
    ))
}

/// Members are; strangers are where some collection is open to anyone, and are otherwise asked to sign in.
pub(super) fn known_here(state: &State, asked: &Asked) -> Result<(), Refusal> {
    let open = |who: &Who| *who == Who::Anyone;
    let snapshot = state.known.now()?;
    let welcome = asked.identity.role.is_some()
        || snapshot.collections.iter().any(|collection| open(&collection.read) || open(&collection.write));
    if welcome { Ok(()) } else { Err(Refusal::unauthorized()) }
}
