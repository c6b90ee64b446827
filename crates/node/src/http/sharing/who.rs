//! `GET /api/who?object=ID`: who could see an object now, and to whom it was handed.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{instant, json};
use super::super::request::Asked;
use super::{Asks, no_object, parameters};
use crate::audit::{Handed, last_handed_over};
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Hand-overs that are told of at most: the newest.
const MOST: usize = 1_000;

fn resource(handed: &Handed) -> Value {
    json!({
        "time": instant(handed.when),
        "account": handed.viewer,
        "organisation": handed.organisation,
        "way": handed.way,
        "as": handed.what,
        "request": handed.request,
    })
}

/// Both lists, as far as the versions that the asker sees tell; `more`: there are older hand-overs.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let asks = Asks::of(state, asked)?;
    let [object] = parameters(asked, ["object"])?;
    let missing = || Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", "say `object`");
    let object = object.ok_or_else(missing)?;
    state
        .read(move |state| {
            state.administration.may_trace(&asks.actor, &object)?;
            asks.ask(state, |asking, asker| {
                let seen = asking.seen(asker, &object)?.ok_or_else(|| no_object(state, &object))?;
                let could = asking.seers_to(asker, &*state.book, &object)?;
                // What was handed on a moment ago may not be written yet.
                state.audit.flush()?;
                let handed = last_handed_over(&**state.audit.journal(), &seen.places, MOST + 1)?;
                let more = handed.len() > MOST;
                let handed: Vec<Value> = handed.iter().skip(usize::from(more)).map(resource).collect();
                Ok(json(StatusCode::OK, &json!({"could": could, "handed": handed, "more": more})))
            })
        })
        .await
}
