//! `GET /{root}/status/{id}/` (TAXII 2.1 §4.3).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Register as _;
use std::sync::Arc;

/// What became of a POST, for the member that made it and nobody else.
pub(in super::super) async fn get(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let Some(owner) = asked.identity.viewer.name.clone() else { return Err(Refusal::unauthorized()) };
    let found = state.read(move |state| Ok(state.book.status(&id.to_lowercase(), &owner)?)).await?;
    found.map(|body| answer::bytes(StatusCode::OK, body)).ok_or_else(Refusal::not_found)
}
