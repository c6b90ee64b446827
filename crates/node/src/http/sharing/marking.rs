//! `GET /api/markings/{id}`, `PUT` to say what a marking definition means here, `DELETE` to take that back.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, json, nothing, read};
use super::super::request::{Asked, Content};
use super::markings::resource;
use axum::body::Body;
use http::{Response, StatusCode};
use std::sync::Arc;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Means {
    meaning: String,
}

/// What a marking means.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let found = state.administration.markings(&actor)?.into_iter().find(|(known, _)| *known == id);
            let (id, meaning) = found.ok_or_else(Refusal::not_found)?;
            Ok(json(StatusCode::OK, &resource(&id, &meaning)))
        })
        .await
}

/// Says what a marking means, in place of what was said before.
pub(crate) async fn put(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    id: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let Means { meaning } = read(asked, content, r#"{"meaning":…}"#).await?;
    state
        .read(move |state| {
            let meaning = state.administration.explain_marking(&actor, &id, &meaning)?;
            Ok(json(StatusCode::OK, &resource(&id, &meaning)))
        })
        .await
}

/// Takes back what was said.
pub(crate) async fn delete(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| match state.administration.unexplain_marking(&actor, &id)? {
            true => Ok(nothing()),
            false => Err(Refusal::not_found()),
        })
        .await
}
