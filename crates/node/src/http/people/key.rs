//! `DELETE /api/accounts/{name}/keys/{key}`.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::Asked;
use super::{actor, nothing};
use axum::body::Body;
use http::Response;
use std::sync::Arc;

/// Removes a key of a member.
pub(crate) async fn delete(
    state: &Arc<State>,
    asked: &Asked,
    name: String,
    key: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state.read(move |state| Ok(state.administration.remove_key(&actor, &name, &key)?)).await?;
    Ok(nothing())
}
