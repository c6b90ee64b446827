//! `PATCH /api/organisations/{name}`: how an organisation stands to the node's own.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, json, read};
use super::super::request::{Asked, Content};
use super::given;
use super::organisations::{relation, resource};
use crate::administration::Terms;
use axum::body::Body;
use http::{Response, StatusCode};
use std::sync::Arc;

/// What is sent: what changes. A `null` takes the ceiling away.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    relation: Option<String>,
    identities: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    ceiling: Option<Option<String>>,
    personal: Option<Vec<String>>,
}

/// Changes an organisation, at once for everything that is stored.
pub(crate) async fn patch(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let form = r#"{"relation":…,"identities":[…],"ceiling":…,"personal":[…]}"#;
    let Change { relation: word, identities, ceiling, personal } = read(asked, content, form).await?;
    let wanted = word.as_deref().map(relation).transpose()?;
    let terms = Terms { identities, ceiling, personal };
    state
        .read(move |state| {
            let (organisation, standing) = state.administration.change_partner(&actor, &name, wanted, &terms)?;
            Ok(json(StatusCode::OK, &resource(&organisation, &standing)))
        })
        .await
}
