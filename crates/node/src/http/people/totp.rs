//! `POST /api/accounts/{name}/totp` makes a second factor, and takes it into use by its first code; `DELETE` takes it out of
//! use.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::account::wrong_current;
use super::{actor, is_self, json, no_machine, nothing, read};
use crate::totp::Algorithm;
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is sent: nothing to begin, the first code to confirm.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrol {
    code: Option<Zeroizing<String>>,
}

/// What is sent to take it out of use: by the member itself, a code.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    code: Option<Zeroizing<String>>,
}

/// Makes a second factor, or confirms it.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    no_machine(asked, &actor, &name)?;
    let Enrol { code } = read(asked, content, r#"{} to begin, {"code":…} to confirm"#).await?;
    let from = asked.from.ip();
    if code.is_some() {
        state.accounts.count(&name, from)?;
    }
    state
        .read(move |state| {
            let Some(code) = code else {
                let totp = state.administration.enrol_second_factor(&actor, &name, Algorithm::Sha1, 6)?;
                let shown = json!({"address": totp.address(&name).as_str(), "secret": totp.typed().as_str()});
                return Ok(json(StatusCode::OK, &shown));
            };
            let codes = state.administration.confirm_second_factor(&actor, &name, &code, state.sources.now())?;
            state.accounts.was_right(&name, from);
            Ok(super::recovery::shown(&codes))
        })
        .await
}

/// Takes a second factor out of use: the member's own with a code, another's as its administrator.
pub(crate) async fn delete(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    no_machine(asked, &actor, &name)?;
    let code = if is_self(&actor, &name) {
        let Remove { code } = read(asked, content, r#"{"code":…}"#).await?;
        Some(code.unwrap_or_default())
    } else {
        None
    };
    state
        .read(move |state| {
            if let Some(code) = code {
                state.accounts.confirm_code(&name, &code, state.sources.now()).map_err(wrong_current)?;
            }
            state.administration.remove_second_factor(&actor, &name)?;
            Ok(nothing())
        })
        .await
}
