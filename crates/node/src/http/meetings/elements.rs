//! `PUT /api/meetings/{id}/elements/{page}` evaluates a page of blinded elements.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::{number, octets, refuse, running};
use crate::partners::meeting::threads;
use axum::body::Body;
use http::Response;
use partner::meet::PAGE;
use std::sync::Arc;

/// The evaluated elements and their proof.
pub(crate) async fn put(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    id: String,
    page: String,
) -> Result<Response<Body>, Refusal> {
    let (_, meeting) = running(state, asked, &id).await?;
    let page = number(&page)?;
    let content = content.read(asked, (PAGE * 32) as u64).await?;
    match meeting.evaluate(page, &content, threads()).await {
        Ok(answer) => Ok(octets(answer)),
        Err(error) => Err(refuse(state, asked, "meeting-evaluated", &id, error).await),
    }
}
