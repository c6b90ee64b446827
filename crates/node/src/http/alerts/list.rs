//! `GET /api/alerts` lists alerts, the newest first; `POST` brings in hits that a watcher elsewhere found.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::json;
use super::super::request::{Asked, Content};
use super::super::sharing::parameters;
use super::Looks;
use crate::alerts::alert::Alert;
use crate::alerts::hit::Hit;
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use ledger::{Alerted, Alerts as _};
use observable::Kind;
use policy::role::Act;
use serde_json::json as object_of;
use std::sync::Arc;

/// Alerts on a page when the client names no limit …
const USUAL: usize = 100;
/// … and at most.
const MOST: usize = 1_000;
/// Alerts that are looked at for one page, whether or not they are given.
const MOST_LOOKED: usize = 200_000;
/// Bytes of hits that are taken at once, and how many.
const LARGEST: u64 = 8 << 20;
const MOST_HITS: usize = 10_000;

/// A page.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let mut looks = Looks::of(state, asked, Act::SeeAlerts)?;
    let [limit, behind, which] = parameters(asked, ["limit", "behind", "state"])?;
    let malformed = |help: &'static str| Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", help);
    let limit = match limit {
        None => USUAL,
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(MOST),
            _ => return Err(malformed("`limit` is a number from 1")),
        },
    };
    let open = match which.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => return Err(malformed("`state` is open or closed")),
    };
    state
        .read(move |state| {
            // One that they do not see is no place to go on from: it is not there.
            if let Some(id) = &behind {
                looks.load(state, id)?;
            }
            let (mut given, mut more, mut looked, mut failed) = (Vec::new(), false, 0, None);
            state.book.alerts(&Alerted::Opened { behind: behind.as_deref(), open }, &mut |row| {
                looked += 1;
                let seen = match looks.sees(state, &row.indicator) {
                    Ok(seen) => seen,
                    Err(refusal) => {
                        failed = Some(refusal);
                        return false;
                    }
                };
                if seen && given.len() >= limit {
                    more = true;
                    return false;
                }
                if seen {
                    given.push(row);
                }
                looked < MOST_LOOKED
            })?;
            if let Some(refusal) = failed {
                return Err(refusal);
            }
            let mut alerts = Vec::with_capacity(given.len());
            for row in &given {
                if let Some(alert) = Alert::read(&row.body) {
                    alerts.extend(looks.row(state, row, &alert)?);
                }
            }
            Ok(json(StatusCode::OK, &object_of!({"alerts": alerts, "more": more})))
        })
        .await
}

/// Hits, as `marsad watch` prints them.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    hits: Vec<SentHit>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SentHit {
    indicator: String,
    #[serde(rename = "type")]
    kind: String,
    value: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    input: String,
    #[serde(default)]
    line: u64,
    #[serde(default)]
    place: u64,
    time: Option<String>,
    #[serde(default)]
    raw: String,
}

/// Takes hits in; answered when they are on disk. Those of indicators that the sender does not see are refused, as those of
/// indicators that do not exist.
pub(crate) async fn post(state: &Arc<State>, asked: &Asked, content: Content) -> Result<Response<Body>, Refusal> {
    let mut looks = Looks::of(state, asked, Act::AnswerAlerts)?;
    let kind = asked.header(CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let help = "send `Content-Type: application/json`";
        return Err(Refusal::bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is only read as JSON", help));
    }
    let body = content.read(asked, LARGEST).await?;
    let form = "send {\"hits\":[{\"indicator\":…,\"type\":…,\"value\":…,\"field\":…,\"input\":…,\"line\":…,\"time\":…,\"raw\":…}]}, ten thousand at most";
    let malformed = || Refusal::bad(StatusCode::BAD_REQUEST, "not understood", form);
    let sent: Sent = serde_json::from_slice(&body).map_err(|_| malformed())?;
    if sent.hits.len() > MOST_HITS {
        return Err(malformed());
    }
    state
        .read(move |state| {
            let now = state.sources.now();
            let (mut hits, mut refused) = (Vec::with_capacity(sent.hits.len()), 0_u64);
            for hit in sent.hits {
                match Kind::named(&hit.kind) {
                    Some(kind) if looks.sees(state, &hit.indicator)? => hits.push(taken(hit, kind, now)),
                    _ => refused += 1,
                }
            }
            let folded = state.alerts.take(hits, now)?;
            let said = object_of!({"counted": folded.counted, "repeated": folded.repeated, "refused": refused});
            Ok(json(StatusCode::OK, &said))
        })
        .await
}

fn taken(sent: SentHit, kind: Kind, now: ledger::Micros) -> Hit {
    let time = sent.time.as_deref().and_then(crate::alerts::hit::instant);
    Hit {
        indicator: sent.indicator,
        kind,
        value: sent.value,
        field: sent.field,
        met: Vec::new(),
        input: sent.input,
        line: sent.line,
        place: sent.place,
        time,
        raw: sent.raw,
        is_wrong: None,
        received: now,
    }
}
