//! `GET /api/markings`: the markings whose meaning was said.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, json};
use super::super::request::Asked;
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// A marking as the API shows it.
pub(super) fn resource(id: &str, meaning: &str) -> Value {
    json!({"id": id, "meaning": meaning})
}

/// The markings.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let all = state.administration.markings(&actor)?;
            let shown: Vec<_> = all.iter().map(|(id, meaning)| resource(id, meaning)).collect();
            Ok(json(StatusCode::OK, &json!({"markings": shown})))
        })
        .await
}
