//! `GET /api/accounts/{name}/keys` lists a member's keys, `POST` makes one.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::{actor, instant, json, read};
use crate::administration::NewKey;
use crate::network::Network;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Key;
use serde_json::{Value, json};
use std::sync::Arc;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    from: Vec<String>,
    expires: Option<String>,
}

/// Networks of one key at most.
const MOST_NETWORKS: usize = 64;

fn resource(key: &Key) -> Value {
    json!({
        "name": key.name,
        "scope": key.scope,
        "from": key.networks,
        "expires": key.expires.map(instant),
        "created": instant(key.created),
        "last_used": key.last_used.map(instant),
    })
}

/// A member's keys, without their secrets.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, name: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let keys = state.administration.keys(&actor, &name)?;
            Ok(json(StatusCode::OK, &json!({"keys": keys.iter().map(resource).collect::<Vec<_>>()})))
        })
        .await
}

/// Makes a key. It is shown this once.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let new: New = read(asked, content, r#"{"name":…,"scope":["read","write"],"from":[…],"expires":…}"#).await?;
    let wrong = |why: String| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", why);
    if new.from.len() > MOST_NETWORKS {
        return Err(wrong(format!("a key has at most {MOST_NETWORKS} networks")));
    }
    let networks: Result<Vec<Network>, _> = new.from.iter().map(|network| network.parse()).collect();
    let networks = networks.map_err(|error: crate::network::Error| wrong(error.to_string()))?;
    let expires =
        new.expires.as_deref().map(|text| stix::timestamp::Timestamp::parse(text).map(|at| at.micros)).transpose();
    let expires = expires.map_err(|_| wrong("`expires` is an instant such as 2027-01-31T00:00:00Z".to_owned()))?;
    state
        .read(move |state| {
            let wanted = NewKey { name: &new.name, scope: new.scope, networks, expires };
            let (key, secret) = state.administration.add_key(&actor, &name, &wanted, state.sources.now())?;
            let mut shown = resource(&key);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("key".to_owned(), json!(secret.as_str()));
            }
            Ok(json(StatusCode::CREATED, &shown))
        })
        .await
}
