//! `POST /api/first-sign-in`: the one-time token that `init` printed, for a password.

use super::State;
use super::answer::{self, Refusal};
use super::request::{Asked, Content};
use crate::audit::{self, By, Event, Way};
use crate::credentials;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Register as _;
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
    let mut by = By { way: Way::Api, who: None, organisation: None, address: Some(address.to_canonical()) };
    let body = content.read(asked, 16 * 1024).await?;
    let exchange: Exchange = serde_json::from_slice(&body).map_err(|_| {
        Refusal::bad(StatusCode::BAD_REQUEST, "not understood", r#"send {"name":…,"token":…,"password":…}"#)
    })?;
    if exchange.password.is_empty() {
        return Err(Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "the password is empty", "choose one"));
    }
    state.accounts.count(&exchange.name, address)?;
    state
        .read(move |state| {
            if !credentials::redeem_token(&*state.book, &state.secret, &exchange.name, &exchange.token)
                .map_err(Refusal::internal)?
            {
                // A name is kept only if it is a member's.
                by.who = state.known.now()?.account(&exchange.name).map(|account| account.name.clone());
                state.audit.note(Event::SignInRefused { by, count: 1 })?;
                return Err(Refusal::unauthorized());
            }
            state.accounts.was_right(&exchange.name, address);
            let hash = credentials::hash_password(&exchange.password).map_err(Refusal::internal)?;
            state.book.set_password(&exchange.name, &hash)?;
            by.who = Some(exchange.name.clone());
            let event = Event::Administered {
                by,
                act: "password-set-first",
                about: String::new(),
                whom: Some(exchange.name),
                done: true,
                details: serde_json::Map::new(),
            };
            audit::write_now(&**state.audit.journal(), &event)?;
            Ok(answer::text(StatusCode::NO_CONTENT, "text/plain", ""))
        })
        .await
}
