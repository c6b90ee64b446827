//! `GET /api/groups/{id}`, `PATCH` to change it, `DELETE`.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, json, nothing, read};
use super::super::request::{Asked, Content};
use super::groups::{Leave, resource};
use super::{at, given};
use crate::administration::{GroupChange, SeenGroup};
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Micros;
use std::sync::Arc;

/// What is sent: what changes. A `null` takes an end of the window away.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    owner: Option<String>,
    members: Option<Vec<String>>,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    hidden: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    from: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    until: Option<Option<String>>,
    backfill: Option<bool>,
    on_leave: Option<Leave>,
}

/// One group.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state.read(move |state| Ok(json(StatusCode::OK, &resource(&state.administration.group(&actor, &id)?)))).await
}

/// Changes a group, at once for everything that is confined to it.
pub(crate) async fn patch(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    id: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let form = r#"{"name":…,"owner":…,"members":[…],"add":[…],"remove":[…],"hidden":…,"from":…,"until":…,"backfill":…,"on_leave":"keep|recall"}"#;
    let sent: Change = read(asked, content, form).await?;
    let (from, until) = (end("from", sent.from.as_ref())?, end("until", sent.until.as_ref())?);
    state
        .read(move |state| {
            let change = GroupChange {
                name: sent.name.as_deref(),
                owner: sent.owner.as_deref(),
                members: sent.members.as_deref(),
                add: &sent.add,
                remove: &sent.remove,
                hidden: sent.hidden,
                from,
                until,
                backfill: sent.backfill,
                on_leave: sent.on_leave.map(Into::into),
            };
            // What was handed on a moment ago may not be written yet.
            state.audit.flush()?;
            let group = state.administration.change_group(&actor, &id, &change)?;
            // Who gave the group away is told what it was made.
            let seen = state.administration.group(&actor, &group.id).unwrap_or(SeenGroup { group, whole: true });
            Ok(json(StatusCode::OK, &resource(&seen)))
        })
        .await
}

/// Removes a group.
pub(crate) async fn delete(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            state.audit.flush()?;
            Ok(state.administration.remove_group(&actor, &id).map(drop)?)
        })
        .await?;
    Ok(nothing())
}

/// One end of a window, as it is sent.
fn end(name: &'static str, sent: Option<&Option<String>>) -> Result<Option<Option<Micros>>, Refusal> {
    sent.map(|text| text.as_deref().map(|text| at(name, text)).transpose()).transpose()
}
