//! `GET /api/accounts/{name}/sessions` lists a member's sessions, `DELETE` ends them all, or the one that is named.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::Asked;
use super::{actor, instant, json, nothing};
use crate::accounts::How;
use crate::sessions::name_of;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Session;
use serde_json::json;
use std::sync::Arc;

/// A member's sessions, newest first.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, name: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let present = match asked.identity.how {
        How::Session(digest) => Some(digest),
        _ => None,
    };
    state
        .read(move |state| {
            let sessions = state.administration.sessions(&actor, &name)?;
            let resource = |session: &Session| {
                json!({
                    "id": name_of(session),
                    "address": session.address,
                    "made": instant(session.made),
                    "seen": instant(session.seen),
                    "ends": instant(session.ends),
                    "this": present == Some(session.digest),
                })
            };
            Ok(json(StatusCode::OK, &json!({"sessions": sessions.iter().map(resource).collect::<Vec<_>>()})))
        })
        .await
}

/// Ends sessions.
pub(crate) async fn delete(
    state: &Arc<State>,
    asked: &Asked,
    name: String,
    session: Option<String>,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            match session {
                Some(session) => state.administration.end_session(&actor, &name, &session)?,
                None => drop(state.administration.end_sessions(&actor, &name)?),
            }
            Ok(nothing())
        })
        .await
}
