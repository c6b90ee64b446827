//! `POST /api/objects/{id}/restrict` narrows who may see an object that is stored.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{nothing, read};
use super::super::request::{Asked, Content};
use super::{Asks, at, no_object};
use crate::administration::{Error, Restriction};
use crate::meaning;
use crate::narrow::Narrowing;
use axum::body::Body;
use http::{Response, StatusCode};
use policy::{Audience, Handling};
use std::sync::Arc;

/// What is sent: at least one limit.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    tlp: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    group: Option<String>,
    audience: Option<String>,
    embargo: Option<String>,
    expires: Option<String>,
}

/// Narrows an object in every version that the actor's organisation answers for. How many those are is not said: some may
/// be hidden from whoever asks.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    object: String,
) -> Result<Response<Body>, Refusal> {
    let asks = Asks::of(state, asked)?;
    let form = r#"{"tlp":…,"to":[…],"group":…,"audience":…,"embargo":…,"expires":…}"#;
    let narrowing = narrowing(read(asked, content, form).await?)?;
    state
        .read(move |state| {
            let seen = asks.ask(state, |asking, asker| Ok(asking.seen(asker, &object)?))?;
            let originated = seen.ok_or_else(|| no_object(state, &object))?.originated;
            // What was handed on a moment ago may not be written yet.
            state.audit.flush()?;
            let restriction = Restriction { object: &object, originated, narrowing: &narrowing };
            let (book, now) = ((&*state.book as &dyn ledger::Ledger, &state.classes), state.sources.now());
            match state.administration.restrict(&asks.actor, book, &restriction, now) {
                // Whether it is there is no business of whoever may not do this: as for an object that is not.
                Err(Error::Refused) => Err(Refusal::not_found()),
                done => Ok(done.map(|_| nothing())?),
            }
        })
        .await
}

fn narrowing(limits: Limits) -> Result<Narrowing, Refusal> {
    let unknown = |help: &'static str| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", help);
    let tlp = limits
        .tlp
        .as_deref()
        .map(|word| meaning::tlp(word).ok_or_else(|| unknown("`tlp` is clear, green, amber, amber+strict or red")));
    let circle = limits.audience.as_deref().map(|word| {
        meaning::circle(word).ok_or_else(|| unknown("`audience` is organisation, community, connected or all"))
    });
    let group = limits.group.map(Audience::Group);
    Ok(Narrowing {
        tlp: tlp.transpose()?,
        recipients: limits.to,
        handling: Handling {
            audience: circle.transpose()?.into_iter().chain(group).collect(),
            embargo: limits.embargo.as_deref().map(|text| at("embargo", text)).transpose()?,
            expires: limits.expires.as_deref().map(|text| at("expires", text)).transpose()?,
        },
    })
}
