//! `POST /api/links/cards`: a partner's node tells us its cards, and is told ours. It counts by what is on the cards, so
//! whoever may read here may do it.

use super::State;
use super::answer::Refusal;
use super::people::json;
use super::request::{Asked, Content};
use super::taxii::mailbox;
use crate::audit::{By, Event, Way};
use crate::partners::cards::{Refused, told};
use crate::partners::identity;
use axum::body::Body;
use http::{Response, StatusCode};
use std::sync::Arc;

/// Takes what is told, and tells.
pub(super) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    if asked.identity.role.is_none() {
        return Err(Refusal::unauthorized());
    }
    let Some(organisation) = mailbox::partner(state, asked)?.filter(|_| asked.identity.reads) else {
        return Err(Refusal::not_found());
    };
    let body = content.read(asked, told::LARGEST).await?;
    let now = state.sources.now();
    let partner = organisation.clone();
    let (heard, ours) = state
        .read(move |state| {
            let own = identity::own(&*state.book, &state.secret).map_err(Refusal::internal)?;
            Ok((told::hear(&*state.book, &state.secret, &partner, &body, now), told::ours(&own)))
        })
        .await?;
    let heard = heard.map_err(|refused| match refused {
        Refused::Because(why) => Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "no cards", why),
        Refused::Ledger(error) => error.into(),
        Refused::Identity(error) => Refusal::internal(error),
    })?;
    for heard in &heard {
        let Some((about, done, reason)) = heard.told() else { continue };
        let by = By { way: Way::Link, ..asked.by() };
        let (partner, about) = (organisation.clone(), about.to_owned());
        state.audit.tell(Event::Partner { by, partner, act: "card-told", about, done, reason }).await?;
    }
    let ours: serde_json::Value = serde_json::from_slice(&ours).map_err(Refusal::internal)?;
    Ok(json(StatusCode::OK, &ours))
}
