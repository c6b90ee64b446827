//! The blind meeting over HTTP (`/api/meetings…`): for members of an organisation whose card is pinned and whose terms say that
//! it meets. For everybody else there is no such thing.
//!
//! INVARIANT: nothing here answers from a record; what the policy lets take part was gathered when the meeting began, and an
//! answer shows a size that is a bucket, points and tags.

pub(super) mod begin;
pub(super) mod echoes;
pub(super) mod elements;
pub(super) mod tags;

use super::State;
use super::answer::Refusal;
use super::request::Asked;
use crate::accounts::How;
use crate::audit::{By, Event, Way};
use crate::partners::meeting::host::{Error, Running};
use crate::partners::meeting::{Standing, standing};
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use partner::meet::Error as Meeting;
use policy::Viewer;
use std::sync::Arc;

/// Of which partner whoever asks is a member: the partner as the policy sees it.
async fn partner(state: &Arc<State>, asked: &Asked) -> Result<Viewer, Refusal> {
    if asked.identity.how == How::Not {
        return Err(Refusal::unauthorized());
    }
    if !asked.identity.reads || !asked.identity.writes {
        return Err(Refusal::forbidden("a meeting reads and writes: sign in with what may do both"));
    }
    let organisation = asked.identity.viewer.organisation.clone().ok_or_else(Refusal::not_found)?;
    match state.read(move |state| Ok(standing(&*state.book, &organisation)?)).await? {
        Standing::Stranger => Err(Refusal::not_found()),
        Standing::Partner => {
            Err(Refusal::forbidden("this node does not meet with your organisation: ask its operator"))
        }
        Standing::Meets(viewer) => Ok(viewer),
    }
}

/// The meeting of this id, if it is one with the partner of whoever asks.
async fn running(state: &Arc<State>, asked: &Asked, id: &str) -> Result<(Viewer, Arc<Running>), Refusal> {
    let viewer = partner(state, asked).await?;
    let organisation = viewer.organisation.as_deref().unwrap_or_default();
    let found = state.meetings.find(id, organisation, state.sources.now());
    Ok((viewer, found.ok_or_else(Refusal::not_found)?))
}

/// Writes down what passed with a partner.
async fn tell(
    state: &Arc<State>,
    asked: &Asked,
    act: &'static str,
    about: &str,
    refused: Option<&str>,
) -> Result<(), Refusal> {
    let by = By { way: Way::Api, ..asked.by() };
    let partner = by.organisation.clone().unwrap_or_default();
    let (done, reason) = (refused.is_none(), refused.unwrap_or_default().to_owned());
    Ok(state.audit.tell(Event::Partner { by, partner, act, about: about.to_owned(), done, reason }).await?)
}

/// Writes down that a step of a meeting was refused, and answers so.
async fn refuse(state: &Arc<State>, asked: &Asked, act: &'static str, id: &str, error: Error) -> Refusal {
    let title = "the meeting does not go on so";
    let status = match &error {
        Error::Busy => return Refusal::unavailable("busy with meetings: come back in a moment"),
        Error::Thread => return Refusal::internal(error),
        Error::Meeting(Meeting::Early(_) | Meeting::Again(_)) => StatusCode::CONFLICT,
        Error::Length(..) | Error::Meeting(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let told = tell(state, asked, act, id, Some(&error.to_string())).await;
    told.err().unwrap_or_else(|| Refusal::bad(status, title, error))
}

/// Bytes that are no text.
fn octets(content: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::from(content));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer
}

/// The number of a page.
fn number(page: &str) -> Result<usize, Refusal> {
    let plain = page.len() <= 6 && page.bytes().all(|byte| byte.is_ascii_digit());
    page.parse().ok().filter(|_| plain).ok_or_else(Refusal::not_found)
}
