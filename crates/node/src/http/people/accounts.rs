//! `GET /api/accounts` lists the members that the actor may know of, `POST` makes one.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::account::resource;
use super::{actor, json, read};
use crate::administration::NewAccount;
use axum::body::Body;
use http::{Response, StatusCode};
use policy::role::Role;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    role: String,
    organisation: Option<String>,
    password: Option<Zeroizing<String>>,
}

/// The members.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let accounts = state.administration.accounts(&actor)?;
            let shown: Result<Vec<_>, _> = accounts.iter().map(|account| resource(state, account)).collect();
            Ok(json(StatusCode::OK, &json!({"accounts": shown?})))
        })
        .await
}

/// Makes a member. Without a password it gets a one-time token, shown this once.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let new: New = read(asked, content, r#"{"name":…,"role":…,"organisation":…,"password":…}"#).await?;
    let role = named_role(&new.role)?;
    state
        .read(move |state| {
            let wanted = NewAccount {
                name: &new.name,
                organisation: new.organisation.as_deref(),
                role,
                password: new.password.as_ref().map(|password| password.as_str()),
            };
            let account = state.administration.add_account(&actor, &wanted, state.sources.now())?;
            let mut shown = resource(state, &account)?;
            if account.password.is_none()
                && let Ok(token) = state.administration.issue_token(&actor, &account.name)
                && let Some(shown) = shown.as_object_mut()
            {
                shown.insert("token".to_owned(), json!(token.as_str()));
            }
            Ok(json(StatusCode::CREATED, &shown))
        })
        .await
}

pub(super) fn named_role(name: &str) -> Result<Role, Refusal> {
    let help = "a role is reader, analyst, publisher, partner-manager or administrator";
    Role::named(name).ok_or_else(|| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "there is no such role", help))
}
