//! `GET /api/oidc/start` sends a person to the provider, `GET /api/oidc/callback` takes it back and signs it in;
//! `POST /api/oidc/link` begins the binding of an identity to the member that is signed in.
//!
//! The only address to which anybody is sent on is the provider's, from its own description.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::cookie::Cookie;
use super::{actor, json, read, session};
use crate::accounts::How;
use crate::oidc::{Answer, Error, Provider};
use axum::body::Body;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use ledger::{People as _, Register as _};
use serde_json::json;
use std::sync::Arc;

/// Seconds for which the browser keeps a sign-in under way.
const FLOW: i64 = 600;

/// Sends a person to the provider.
pub(crate) async fn start(state: &Arc<State>) -> Result<Response<Body>, Refusal> {
    let begun = provider(state)?.begin(None, state.sources.now()).await.map_err(refusal)?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(&begun.location).map_err(Refusal::internal)?;
    answer.headers_mut().insert(LOCATION, location);
    Cookie::Provider.set(&mut answer, &state.config, &begun.cookie, FLOW);
    Ok(answer)
}

/// What is sent to begin a binding: nothing.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Begins the binding of an identity: whoever comes back in the same browser binds it to this session's member.
pub(crate) async fn link(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    actor(asked)?;
    let How::Session(digest) = asked.identity.how else {
        return Err(Refusal::forbidden("sign in with a session to bind an identity"));
    };
    let Nothing {} = read(asked, content, "{}").await?;
    let begun = provider(state)?.begin(Some(digest), state.sources.now()).await.map_err(refusal)?;
    let mut answer = json(StatusCode::OK, &json!({"location": begun.location}));
    Cookie::Provider.set(&mut answer, &state.config, &begun.cookie, FLOW);
    Ok(answer)
}

/// Takes a person back.
pub(crate) async fn callback(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let provider = provider(state)?;
    let from = asked.from.ip();
    state.accounts.count_from(from)?;
    let now = state.sources.now();
    let cookie = Cookie::Provider.read(&asked.headers, &state.config).ok_or_else(|| refusal(Error::State))?;
    let given = parameters(&asked.query).ok_or_else(|| refusal(Error::State))?;
    let signed = provider.complete(&cookie, &given, now).await.map_err(refusal)?;
    let mut answer = match signed.session {
        Some(digest) => {
            let work = move |state: &State| {
                let session = state.accounts.sessions().alive(&digest, now)?.ok_or_else(|| refusal(Error::State))?;
                let account = state.book.account(&session.account)?.ok_or_else(|| refusal(Error::State))?;
                let own = crate::administration::own_organisation(&*state.book)?;
                let own = own.is_some_and(|own| own.to_lowercase() == account.organisation.name.to_lowercase());
                let actor = policy::role::Actor::Member(crate::administration::member(&account, own));
                state.administration.link(&actor, &account.name, &signed.issuer, &signed.subject, now)?;
                Ok(json(StatusCode::OK, &json!({"name": account.name, "linked": signed.issuer})))
            };
            state.read(work).await?
        }
        None => {
            let found = state
                .read(move |state| match state.book.link(&signed.issuer, &signed.subject)? {
                    Some(link) => Ok(state.book.account(&link.account)?),
                    None => Ok(None),
                })
                .await?;
            let unbound = "this identity is bound to no member: sign in otherwise, and bind it first";
            session::begin(state, asked, found.ok_or_else(|| Refusal::forbidden(unbound))?, now).await?
        }
    };
    state.accounts.was_right_from(from);
    Cookie::Provider.set(&mut answer, &state.config, "", 0);
    Ok(answer)
}

fn provider(state: &State) -> Result<&Provider, Refusal> {
    state.oidc.as_ref().ok_or_else(Refusal::not_found)
}

/// What came back; nothing may come twice.
fn parameters(query: &str) -> Option<Answer> {
    let mut answer = Answer::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "code" => &mut answer.code,
            "state" => &mut answer.state,
            "error" => &mut answer.error,
            "iss" => &mut answer.iss,
            _ => continue,
        };
        if place.replace(super::super::route::decoded_query(value)?).is_some() {
            return None;
        }
    }
    Some(answer)
}

/// Strangers learn that it did not work; the operator finds why in the log.
fn refusal(error: Error) -> Refusal {
    match error {
        Error::State => {
            let help = "begin again at /api/oidc/start";
            Refusal::bad(StatusCode::BAD_REQUEST, "this sign-in was not begun here, or took too long", help)
        }
        Error::Denied => Refusal::forbidden("the provider did not sign you in"),
        Error::Token(wrong) => {
            tracing::warn!(%wrong, "a token of the provider does not hold");
            Refusal::forbidden("the provider's answer does not hold")
        }
        Error::Provider(..) => {
            tracing::warn!(%error, "the provider failed");
            Refusal::unavailable("the provider cannot be asked: come back in a moment")
        }
        error => Refusal::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back() {
        let read = |query| parameters(query).map(|answer| (answer.code, answer.state));
        let some = |text: &str| Some(text.to_owned());
        for (query, expected) in [
            ("code=a&state=b", Some((some("a"), some("b")))),
            ("state=b&code=a%2Fb+c&session_state=x", Some((some("a/b c"), some("b")))),
            ("", Some((None, None))),
            ("code=a&code=b", None),
            ("code=%zz", None),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }
}
