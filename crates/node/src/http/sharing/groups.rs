//! `GET /api/groups` lists the sharing groups that the actor may know of, `POST` makes one.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, instant, json, read};
use super::super::request::{Asked, Content};
use super::at;
use crate::administration::{NewGroup, SeenGroup};
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::OnLeave;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    owner: Option<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    hidden: bool,
    from: Option<String>,
    until: Option<String>,
    #[serde(default)]
    backfill: bool,
    #[serde(default)]
    on_leave: Leave,
}

/// [`OnLeave`] on the wire.
#[derive(Clone, Copy, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Leave {
    #[default]
    Keep,
    Recall,
}

impl From<Leave> for OnLeave {
    fn from(sent: Leave) -> Self {
        match sent {
            Leave::Keep => Self::Keep,
            Leave::Recall => Self::Recall,
        }
    }
}

impl From<OnLeave> for Leave {
    fn from(kept: OnLeave) -> Self {
        match kept {
            OnLeave::Keep => Self::Keep,
            OnLeave::Recall => Self::Recall,
        }
    }
}

/// A group as the API shows it; without `members` to whoever is not told of them.
pub(super) fn resource(seen: &SeenGroup) -> Value {
    let SeenGroup { group, whole } = seen;
    let mut shown = json!({
        "id": group.id,
        "name": group.name,
        "owner": group.owner,
        "hidden": group.hidden,
        "from": group.from.map(instant),
        "until": group.until.map(instant),
        "backfill": group.backfill,
        "on_leave": Leave::from(group.on_leave),
    });
    if *whole && let Some(shown) = shown.as_object_mut() {
        shown.insert("members".to_owned(), json!(group.members));
    }
    shown
}

/// The groups.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let groups = state.administration.groups(&actor)?;
            Ok(json(StatusCode::OK, &json!({"groups": groups.iter().map(resource).collect::<Vec<_>>()})))
        })
        .await
}

/// Makes a group.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let form =
        r#"{"name":…,"owner":…,"members":[…],"hidden":…,"from":…,"until":…,"backfill":…,"on_leave":"keep|recall"}"#;
    let new: New = read(asked, content, form).await?;
    let from = new.from.as_deref().map(|text| at("from", text)).transpose()?;
    let until = new.until.as_deref().map(|text| at("until", text)).transpose()?;
    state
        .read(move |state| {
            let (owner, members) = (new.owner.as_deref(), new.members.as_slice());
            let wanted = NewGroup {
                name: &new.name,
                owner,
                members,
                hidden: new.hidden,
                from,
                until,
                backfill: new.backfill,
                on_leave: new.on_leave.into(),
            };
            let group = state.administration.add_group(&actor, &wanted)?;
            Ok(json(StatusCode::CREATED, &resource(&SeenGroup { group, whole: true })))
        })
        .await
}
