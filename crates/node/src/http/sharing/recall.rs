//! `POST /api/objects/{id}/recall` takes an object back from everybody to whom it was handed; `GET` says how far that has
//! come.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{json, read};
use super::super::request::{Asked, Content};
use super::{Asks, no_object};
use crate::administration::{Error, Recalling, TakeBack};
use crate::meaning;
use crate::narrow::{Narrowing, stored};
use axum::body::Body;
use http::{Response, StatusCode};
use policy::{Audience, Handling};
use serde_json::json as object_of;
use std::sync::Arc;

/// What is sent: `"delete": true`, or how it is narrowed.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    #[serde(default)]
    delete: bool,
    tlp: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    group: Option<String>,
    #[serde(default)]
    reason: String,
}

/// How far the recalls of an object have come.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, object: String) -> Result<Response<Body>, Refusal> {
    let asks = Asks::of(state, asked)?;
    state
        .read(move |state| {
            let recalls = state.administration.recall_status(&asks.actor, &object)?;
            // Of what is still here it is told to those who see it.
            if stored(&*state.book, &object)? {
                asks.ask(state, |asking, asker| Ok(asking.seen(asker, &object)?))?
                    .ok_or_else(|| no_object(state, &object))?;
            } else if recalls.is_empty() {
                return Err(Refusal::not_found());
            }
            Ok(json(StatusCode::OK, &object_of!({"object": object, "recalls": recalls})))
        })
        .await
}

/// Takes an object back, in every version that the actor's organisation answers for. Answers with who is told.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    object: String,
) -> Result<Response<Body>, Refusal> {
    let asks = Asks::of(state, asked)?;
    let form = r#"{"delete":true,"reason":…} or {"tlp":…,"to":[…],"group":…,"reason":…}"#;
    let sent: Sent = read(asked, content, form).await?;
    let reason = sent.reason.clone();
    let how = how(sent)?;
    state
        .read(move |state| {
            let seen = asks.ask(state, |asking, asker| Ok(asking.seen(asker, &object)?))?;
            let originated = seen.ok_or_else(|| no_object(state, &object))?.originated;
            // What was handed on a moment ago may not be written yet.
            state.audit.flush()?;
            let recalling = Recalling { object: &object, originated, how: &how, reason: &reason };
            let (book, now) = ((&*state.book as &dyn ledger::Ledger, &state.classes), state.sources.now());
            match state.administration.recall(&asks.actor, book, &recalling, now) {
                // Whether it is there is no business of whoever may not do this: as for an object that is not.
                Err(Error::Refused) => Err(Refusal::not_found()),
                done => {
                    let made = done?.1;
                    // To whom it was handed is told to those who may know.
                    let told = state.administration.may_trace(&asks.actor, &object).is_ok();
                    let organisations = told.then_some(made.told);
                    Ok(json(StatusCode::OK, &object_of!({"recalls": made.recalls, "told": organisations})))
                }
            }
        })
        .await
}

fn how(sent: Sent) -> Result<TakeBack, Refusal> {
    let wrong = |help: &'static str| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", help);
    let narrows = sent.tlp.is_some() || sent.group.is_some();
    if sent.delete == narrows || (sent.delete && !sent.to.is_empty()) {
        return Err(wrong("say either `delete`, or `tlp` or `group`"));
    }
    if sent.delete {
        return Ok(TakeBack::Delete);
    }
    let tlp = sent
        .tlp
        .as_deref()
        .map(|word| meaning::tlp(word).ok_or_else(|| wrong("`tlp` is clear, green, amber, amber+strict or red")));
    let audience = sent.group.map(Audience::Group).into_iter().collect();
    let handling = Handling { audience, ..Handling::default() };
    Ok(TakeBack::Narrow(Narrowing { tlp: tlp.transpose()?, recipients: sent.to, handling }))
}
