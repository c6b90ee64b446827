//! `POST /api/first-sign-in`: the one-time token that `init` printed, for a password.

use super::State;
use super::answer::{self, Refusal};
use super::request::{Asked, Content};
use axum::body::Body;
use http::{Response, StatusCode};
use std::sync::Arc;

/// What is sent.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    name: String,
    token: zeroize::Zeroizing<String>,
    password: zeroize::Zeroizing<String>,
}

/// Sets the password of the member to whom the token was given. Works once.
pub(super) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let address = asked.from.ip();
    let body = content.read(asked, 16 * 1024).await?;
    let exchange: Exchange = serde_json::from_slice(&body).map_err(|_| {
        Refusal::bad(StatusCode::BAD_REQUEST, "not understood", r#"send {"name":…,"token":…,"password":…}"#)
    })?;
    state.accounts.count(&exchange.name, address)?;
    state
        .read(move |state| {
            let Exchange { name, token, password } = &exchange;
            if !state.administration.first_sign_in(name, token, password)? {
                return Err(Refusal::unauthorized());
            }
            state.accounts.was_right(name, address);
            Ok(answer::text(StatusCode::NO_CONTENT, "text/plain", ""))
        })
        .await
}
