//! `GET /api/why?object=ID[&viewer=NAME]`: why somebody sees an object, or does not.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::json;
use super::super::request::Asked;
use super::{Asks, no_object, parameters};
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// The decision and every rule that took part, as far as the asker may know of them.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let asks = Asks::of(state, asked)?;
    let [object, viewer] = parameters(asked, ["object", "viewer"])?;
    let missing = || Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", "say `object`");
    let object = object.ok_or_else(missing)?;
    state
        .read(move |state| {
            let viewer = match viewer {
                None => asks.viewer.clone(),
                Some(name) => {
                    let viewer = crate::why::named(&*state.book, &name)?.ok_or_else(Refusal::not_found)?;
                    state.administration.may_explain(&asks.actor, &viewer)?;
                    viewer
                }
            };
            let answer = asks.ask(state, |asking, asker| Ok(asking.why_to(asker, &viewer, &object)?))?;
            let answer = answer.ok_or_else(|| no_object(state, &object))?;
            Ok(json(StatusCode::OK, &json!(answer)))
        })
        .await
}
