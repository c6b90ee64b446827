//! `PUT /api/meetings/{id}/echoes` says what both hold, and ends the meeting.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::json;
use super::super::request::{Asked, Content};
use super::{refuse, running, tell};
use crate::partners::meeting::{Common, Outcome, keep};
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// How many values both hold. The values themselves are kept for the operator, and are not sent.
pub(crate) async fn put(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    id: String,
) -> Result<Response<Body>, Refusal> {
    let (viewer, meeting) = running(state, asked, &id).await?;
    let content = content.read(asked, (meeting.asked() * 16) as u64).await?;
    let values = match meeting.finish(&content).await {
        Ok(values) => values,
        Err(error) => return Err(refuse(state, asked, "meeting-ended", &id, error).await),
    };
    // Whoever ends it first has ended it: what comes again finds none.
    if !state.meetings.forget(&id) {
        return Err(Refusal::not_found());
    }
    let (ours, theirs, both) = (meeting.count() as u64, meeting.asked() as u64, values.len());
    let outcome = Outcome {
        at: state.sources.now(),
        began: false,
        ours,
        theirs,
        both: values.iter().map(Common::from).collect(),
    };
    let organisation = viewer.organisation.unwrap_or_default();
    state.read(move |state| Ok(keep(&*state.book, &organisation, &outcome)?)).await?;
    tell(state, asked, "meeting-ended", &id, None).await?;
    Ok(json(StatusCode::OK, &json!({"both": both})))
}
