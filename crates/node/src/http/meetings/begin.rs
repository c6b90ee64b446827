//! `POST /api/meetings` begins a meeting.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{instant, read};
use super::super::request::{Asked, Content};
use super::{partner, refuse, tell};
use crate::partners::identity;
use crate::partners::meeting::host::Beginning;
use crate::partners::meeting::{TAGS, budget, kinds, threads, values};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use ledger::Micros;
use partner::meet::hello::{self, Hello, Welcome};
use partner::meet::{PAGE, bucket};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;

/// Reads the hello of a partner: signed by its key, said to us, now, and not heard before.
fn heard(state: &State, text: &[u8], organisation: &str, now: Micros) -> Result<(Hello, String), Unheard> {
    let ring = state.rings.now()?;
    let own = ring.own().ok_or(identity::Error::NoOrganisation)?;
    let (hello, signer) = hello::read::<Hello>(text, &ring, now)?;
    if signer.organisation.to_lowercase() != organisation.to_lowercase() {
        return Err(Unheard::Other("it is signed by another partner than signs in"));
    }
    hello.check(own.node(), now)?;
    if !state.meetings.is_new(&hello.nonce, now) {
        return Err(Unheard::Other("it was said before"));
    }
    Ok((hello, signer.card.node().to_owned()))
}

/// Why a hello is none.
#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error(transparent)]
    Signed(#[from] partner::signed::Error),
    #[error("{0}")]
    Other(&'static str),
    #[error(transparent)]
    Identity(#[from] identity::Error),
}

/// Begins a meeting: gathers our values and makes a key. It spends its size of the partner's budget.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let viewer = partner(state, asked).await?;
    let sent: Box<RawValue> =
        read(asked, content, r#"{"to":…,"nonce":…,"at":…,"size":…,"types":[…],"key":…,"signature":…}"#).await?;
    let organisation = viewer.organisation.clone().unwrap_or_default();
    let now = state.sources.now();
    let heard = {
        let organisation = organisation.clone();
        state.read(move |state| Ok(heard(state, sent.get().as_bytes(), &organisation, now))).await?
    };
    let (Hello { size, types, nonce, .. }, node) = match heard {
        Ok(heard) => heard,
        Err(Unheard::Identity(error)) => return Err(Refusal::internal(error)),
        Err(error) => {
            tell(state, asked, "meeting-began", "", Some(&error.to_string())).await?;
            return Err(Refusal::bad(StatusCode::FORBIDDEN, "this does not begin a meeting", error));
        }
    };
    let wrong = |help: String| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", help);
    let kinds = kinds(&types).map_err(|name| wrong(format!("`{name}` is no type of value")))?;
    let most = usize::try_from(state.config.meeting.max_values).unwrap_or(usize::MAX);
    if size != bucket(size) || size > bucket(most) {
        return Err(wrong(format!("`size` is a bucket, and at most {}", bucket(most))));
    }
    let spent = {
        let organisation = organisation.clone();
        let spend = move |state: &State| {
            Ok(budget::spend(&*state.book, &organisation, size as u64, now, &state.config.meeting))
        };
        state.read(spend).await?
    };
    match spent {
        Ok(()) => {}
        Err(budget::Error::Ledger(error)) => return Err(error.into()),
        Err(spent) => {
            tell(state, asked, "meeting-began", "", Some(&spent.to_string())).await?;
            let help = format!("come back tomorrow: {spent}");
            return Err(Refusal::bad(StatusCode::TOO_MANY_REQUESTS, "your organisation has met enough today", help));
        }
    }
    let gathered = state
        .read(move |state| {
            let comparing = state.config.meeting.values.into();
            let wanted = values::Wanted { viewer: &viewer, kinds: &kinds, comparing, at: now, most };
            Ok(values::gather(&*state.book, &state.door, &wanted))
        })
        .await?;
    let values = match gathered {
        Ok(values) => values,
        Err(values::Error::Ledger(error)) => return Err(error.into()),
        Err(error @ values::Error::Page) => return Err(Refusal::internal(error)),
        Err(error) => {
            tell(state, asked, "meeting-began", "", Some(&error.to_string())).await?;
            return Err(wrong("more values would take part than this node lets: name fewer types".to_owned()));
        }
    };
    let id: [u8; 16] = crate::chance::bytes().map_err(Refusal::internal)?;
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    // The key of the meeting comes of it: chance of the system, and of no other source.
    let seed = zeroize::Zeroizing::new(crate::chance::bytes::<32>().map_err(Refusal::internal)?);
    let lasts = Duration::from_secs(state.config.meeting.minutes.saturating_mul(60));
    let until = now.saturating_add(i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX));
    let beginning = Beginning { id: id.clone(), organisation: &organisation, asked: size, seed: &seed, until };
    let meeting = match state.meetings.begin(&beginning, values, threads(), now) {
        Ok(meeting) => meeting,
        Err(error) => return Err(refuse(state, asked, "meeting-began", &id, error).await),
    };
    tell(state, asked, "meeting-began", &id, None).await?;
    forget_later(state, id, lasts);
    let welcome = Welcome {
        to: node,
        nonce,
        id: meeting.id().to_owned(),
        element: URL_SAFE_NO_PAD.encode(meeting.public()),
        size: meeting.size(),
        page: PAGE,
        tags_page: TAGS,
        until: instant(meeting.until()),
    };
    let text = state
        .read(move |state| {
            let own = identity::own(&*state.book, &state.secret).map_err(Refusal::internal)?;
            Ok(hello::sign(&welcome, &own.keys))
        })
        .await?;
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::CREATED;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// Whoever begins and never answers holds memory for so long, and no longer.
fn forget_later(state: &Arc<State>, id: String, lasts: Duration) {
    let state = Arc::downgrade(state);
    tokio::spawn(async move {
        tokio::time::sleep(lasts).await;
        if let Some(state) = state.upgrade() {
            state.meetings.forget(&id);
        }
    });
}
