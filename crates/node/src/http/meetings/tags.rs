//! `GET /api/meetings/{id}/tags/{page}` gives a page of our tags.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::Asked;
use super::{number, octets, refuse, running};
use axum::body::Body;
use http::Response;
use std::sync::Arc;

/// The tags.
pub(crate) async fn get(
    state: &Arc<State>,
    asked: &Asked,
    id: String,
    page: String,
) -> Result<Response<Body>, Refusal> {
    let (_, meeting) = running(state, asked, &id).await?;
    match meeting.tags(number(&page)?).await {
        Ok(tags) if tags.is_empty() => Err(Refusal::not_found()),
        Ok(tags) => Ok(octets(tags)),
        Err(error) => Err(refuse(state, asked, "meeting-offered", &id, error).await),
    }
}
