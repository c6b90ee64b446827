//! `GET /api/accounts/{name}`, `PATCH` for its role or password, `DELETE`.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::accounts::named_role;
use super::{actor, instant, is_self, json, no_machine, nothing, read};
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Account, People as _};
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is sent: one of the two.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    role: Option<String>,
    password: Option<Zeroizing<String>>,
    /// The password until now: asked for when a member changes its own.
    current: Option<Zeroizing<String>>,
}

/// A member as the API shows it.
pub(super) fn resource(state: &State, account: &Account) -> Result<Value, Refusal> {
    let factor = state.book.second_factor(&account.name)?;
    Ok(json!({
        "name": account.name,
        "organisation": account.organisation.name,
        "role": crate::administration::role_of(account.role).name(),
        "created": instant(account.created),
        "password": account.password.is_some(),
        "second_factor": factor.is_some_and(|factor| factor.confirmed),
    }))
}

/// One member.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, name: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state
        .read(move |state| {
            let account = state.administration.account(&actor, &name)?;
            Ok(json(StatusCode::OK, &resource(state, &account)?))
        })
        .await
}

/// Changes a role or a password.
pub(crate) async fn patch(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    let change: Change = read(asked, content, r#"{"role":…} or {"password":…,"current":…}"#).await?;
    match change {
        Change { role: Some(role), password: None, current: None } => {
            let role = named_role(&role)?;
            state.read(move |state| Ok(state.administration.set_role(&actor, &name, role)?)).await?;
        }
        Change { role: None, password: Some(password), current } => {
            no_machine(asked, &actor, &name)?;
            if is_self(&actor, &name) {
                let current = current.ok_or_else(|| {
                    let help = "send the password until now as `current`";
                    Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "the password until now is missing", help)
                })?;
                state.accounts.confirm(&name, current, asked.from.ip()).await.map_err(wrong_current)?;
            }
            state.read(move |state| Ok(state.administration.set_password(&actor, &name, &password)?)).await?;
        }
        _ => {
            let help = r#"send {"role":…} or {"password":…,"current":…}"#;
            return Err(Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "one change at a time", help));
        }
    }
    Ok(nothing())
}

/// Removes a member.
pub(crate) async fn delete(state: &Arc<State>, asked: &Asked, name: String) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    state.read(move |state| Ok(state.administration.remove_account(&actor, &name)?)).await?;
    Ok(nothing())
}

/// Whoever is signed in need not sign in again because of a slip.
pub(super) fn wrong_current(refusal: crate::accounts::Refusal) -> Refusal {
    match refusal {
        crate::accounts::Refusal::Wrong => Refusal::forbidden("that is not what you sign in with"),
        other => other.into(),
    }
}
