//! `GET /api/organisations` lists the organisations and how they stand to the node's own, `POST` adds one.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{actor, json, read};
use super::super::request::{Asked, Content};
use crate::administration::{Terms, relation_named, relation_word};
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Organisation, Relation, Standing};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    relation: String,
    identities: Option<Vec<String>>,
    ceiling: Option<String>,
    personal: Option<Vec<String>>,
}

/// An organisation as the API shows it.
pub(super) fn resource(organisation: &Organisation, standing: &Standing) -> Value {
    json!({
        "name": organisation.name,
        "relation": relation_word(organisation.relation),
        "identities": standing.identities,
        "ceiling": standing.ceiling,
        "personal": standing.personal,
    })
}

pub(super) fn relation(word: &str) -> Result<Relation, Refusal> {
    let help = "a relation is self, client, community or public";
    relation_named(word)
        .ok_or_else(|| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "there is no such relation", help))
}

/// The organisations.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let all = state.administration.organisations(&actor)?;
            let shown: Vec<_> = all.iter().map(|(organisation, standing)| resource(organisation, standing)).collect();
            Ok(json(StatusCode::OK, &json!({"organisations": shown})))
        })
        .await
}

/// Adds an organisation.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let form = r#"{"name":…,"relation":…,"identities":[…],"ceiling":…,"personal":[…]}"#;
    let New { name, relation: word, identities, ceiling, personal } = read(asked, content, form).await?;
    let organisation = Organisation { name, relation: relation(&word)? };
    let terms = Terms { identities, ceiling: ceiling.map(Some), personal };
    state
        .read(move |state| {
            let standing = state.administration.add_partner(&actor, &organisation, &terms)?;
            Ok(json(StatusCode::CREATED, &resource(&organisation, &standing)))
        })
        .await
}
