//! Members over HTTP (`/api/…`): who is signed in, and who administers whom.
//!
//! INVARIANT: what may be done is decided by [`crate::administration`]; a handler hands it the actor and a name. Input
//! types are closed, and nothing is changed by a GET.

pub(super) mod account;
pub(super) mod accounts;
pub(super) mod cookie;
pub(super) mod key;
pub(super) mod keys;
pub(super) mod oidc;
pub(super) mod recovery;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod totp;

use super::answer::Refusal;
use super::request::{Asked, Content};
use crate::accounts::How;
use crate::administration::Error;
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use policy::role::Actor;

/// The largest body that these endpoints read, in bytes.
const LARGEST: u64 = 16 * 1024;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown { .. } => Self::not_found(),
            Error::Refused => Self::forbidden("this is not yours to do"),
            Error::Taken { what, .. } => {
                Self::bad(StatusCode::CONFLICT, "it exists already", format!("this {what} exists"))
            }
            Error::Invalid(why) | Error::NotTaken(why) => {
                Self::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", why)
            }
            Error::Code => {
                Self::bad(StatusCode::UNPROCESSABLE_ENTITY, "the code is wrong", "send the one that is shown now, once")
            }
            Error::SecondFactor(crate::second_factor::Error::Digits) => {
                Self::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", "a code has 6 or 8 digits")
            }
            Error::Register(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

/// Who acts. Strangers are asked to sign in; a key that may less than its member administers nothing.
pub(super) fn actor(asked: &Asked) -> Result<Actor, Refusal> {
    match asked.identity.how {
        How::Not => Err(Refusal::unauthorized()),
        How::LimitedKey => Err(Refusal::forbidden("a key with a scope, an end or networks administers nothing")),
        _ => Ok(asked.identity.administrator()),
    }
}

/// Whether the actor and the member of this name are one.
fn is_self(actor: &Actor, name: &str) -> bool {
    matches!(actor, Actor::Member(member) if member.name.to_lowercase() == name.to_lowercase())
}

/// What a member signs in with is its own to change, and not a machine's that has a key of it.
fn no_machine(asked: &Asked, actor: &Actor, name: &str) -> Result<(), Refusal> {
    if asked.identity.how == How::Key && is_self(actor, name) {
        return Err(Refusal::forbidden("a key changes nothing of how its member signs in"));
    }
    Ok(())
}

/// Reads a body of JSON. Whatever a browser sends from elsewhere without asking is not JSON.
pub(super) async fn read<T: serde::de::DeserializeOwned>(
    asked: &Asked,
    content: Content,
    form: &'static str,
) -> Result<T, Refusal> {
    let kind = asked.header(CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let help = "send `Content-Type: application/json`";
        return Err(Refusal::bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is only read as JSON", help));
    }
    let body = content.read(asked, LARGEST).await?;
    serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad(StatusCode::BAD_REQUEST, "not understood", format!("send {form}, and nothing else")))
}

/// A resource as JSON.
pub(super) fn json(status: StatusCode, resource: &serde_json::Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(resource.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Done, and nothing to say.
pub(super) fn nothing() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// An instant as the API writes it.
pub(super) fn instant(micros: ledger::Micros) -> String {
    stix::timestamp::format_micros(micros)
}
