//! `POST /api/session` signs in, `GET` says who is signed in, `DELETE` signs out.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::cookie::Cookie;
use super::{instant, json, nothing, read};
use crate::accounts::How;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Account, Micros, People as _};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: Zeroizing<String>,
    /// Of the second factor, or a recovery code.
    code: Option<Zeroizing<String>>,
}

/// Signs in.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let SignIn { name, password, code } = read(asked, content, r#"{"name":…,"password":…,"code":…}"#).await?;
    let now = state.sources.now();
    let code = code.as_ref().map(|code| code.as_str());
    let account = match state.accounts.sign_in(&name, password, code, asked.from.ip(), now).await {
        Ok(account) => account,
        Err(refusal) => {
            state.metrics.refused_credential();
            return Err(refusal.into());
        }
    };
    begin(state, asked, account, now).await
}

/// Opens a session of a member that has signed in.
pub(super) async fn begin(
    state: &Arc<State>,
    asked: &Asked,
    account: Account,
    now: Micros,
) -> Result<Response<Body>, Refusal> {
    let from = asked.from.ip();
    let name = account.name.clone();
    let begun =
        state.read(move |state| state.accounts.sessions().begin(&name, from, now).map_err(Refusal::internal)).await?;
    let mut answer = json(
        StatusCode::OK,
        &json!({
            "name": account.name,
            "organisation": account.organisation.name,
            "role": crate::administration::role_of(account.role).name(),
            "csrf": begun.csrf,
            "ends": instant(begun.ends),
        }),
    );
    let seconds = begun.ends.saturating_sub(now) / 1_000_000;
    Cookie::Session.set(&mut answer, &state.config, &begun.cookie, seconds);
    Ok(answer)
}

/// Who is signed in, and how.
pub(crate) fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let identity = &asked.identity;
    let (Some(name), Some(role)) = (&identity.viewer.name, identity.role) else {
        return Err(Refusal::unauthorized());
    };
    let how = match identity.how {
        How::Not => return Err(Refusal::unauthorized()),
        How::Password => "password",
        How::Key | How::LimitedKey => "key",
        How::Session(_) => "session",
        How::Certificate => "certificate",
    };
    let csrf = asked.session.as_ref().map(|cookie| state.accounts.sessions().csrf(cookie));
    Ok(json(
        StatusCode::OK,
        &json!({
            "name": name,
            "organisation": identity.viewer.organisation,
            "role": crate::administration::role_of(role).name(),
            "how": how,
            "csrf": csrf,
        }),
    ))
}

/// Signs out.
pub(crate) async fn delete(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let How::Session(digest) = asked.identity.how else { return Err(Refusal::unauthorized()) };
    state.read(move |state| Ok(state.book.end_session(&digest)?)).await?;
    let mut answer = nothing();
    Cookie::Session.set(&mut answer, &state.config, "", 0);
    Ok(answer)
}
