//! `GET /api/alerts/{id}` shows an alert with its evidence; `POST` answers it.

use super::super::State;
use super::super::answer::Refusal;
use super::super::people::{instant, json, read};
use super::super::request::{Asked, Content};
use super::{Looks, resource};
use crate::alerts::alert::Alert;
use crate::alerts::desk::Answer;
use crate::audit::{By, Event, Way};
use axum::body::Body;
use http::{Response, StatusCode};
use policy::role::Act;
use serde_json::{Map, Value, json as object_of};
use std::sync::Arc;

/// What people send.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    answer: Word,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Acknowledge,
    Close,
    FalsePositive,
}

/// The alert.
pub(crate) async fn get(state: &Arc<State>, asked: &Asked, id: String) -> Result<Response<Body>, Refusal> {
    let mut looks = Looks::of(state, asked, Act::SeeAlerts)?;
    state
        .read(move |state| {
            let (row, alert) = looks.load(state, &id)?;
            shown(state, &looks, &row, &alert)
        })
        .await
}

/// An answer to it.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    id: String,
) -> Result<Response<Body>, Refusal> {
    let mut looks = Looks::of(state, asked, Act::AnswerAlerts)?;
    let form = r#"{"answer":"acknowledge"|"close"|"false-positive","note":…}"#;
    let sent: Sent = read(asked, content, form).await?;
    let by = By { way: Way::Api, ..asked.by() };
    let who = by.who.clone().unwrap_or_default();
    let (word, note, alert) = (sent.answer, sent.note, id.clone());
    let answer = state
        .read(move |state| {
            looks.load(state, &alert)?;
            let answer = match word {
                Word::Acknowledge => Answer::Acknowledge,
                Word::Close => Answer::Close,
                Word::FalsePositive => Answer::FalsePositive,
            };
            let answered = state.alerts.answer(&alert, answer, (&who, &note), state.sources.now())?;
            let row = answered.ok_or_else(Refusal::not_found)?;
            let alert = Alert::read(&row.body).ok_or_else(Refusal::not_found)?;
            shown(state, &looks, &row, &alert)
        })
        .await?;
    let act = match word {
        Word::Acknowledge => "alert-acknowledged",
        Word::Close => "alert-closed",
        Word::FalsePositive => "alert-false-positive",
    };
    let about = format!("alert {id}");
    state.audit.tell(Event::Administered { by, act, about, whom: None, done: true, details: Map::new() }).await?;
    Ok(answer)
}

fn shown(state: &State, looks: &Looks, row: &ledger::Alert, alert: &Alert) -> Result<Response<Body>, Refusal> {
    let shown = looks.look(state, |looker| {
        let Some(notice) = state.alerts.notice(row, alert, alert.notices, looker)? else { return Ok(None) };
        let mut shown = resource(row, &notice);
        let evidence = alert.samples.iter().map(|sample| {
            object_of!({
                "time": instant(sample.time), "input": sample.input, "line": sample.line, "field": sample.field,
                "raw": looker.text(&sample.raw),
            })
        });
        let evidence: Vec<Value> = evidence.collect();
        let answered = alert.answered.as_ref();
        let answered = answered.map(|said| object_of!({"by": said.by, "at": instant(said.at), "note": said.note}));
        if let Some(members) = shown.as_object_mut() {
            members.insert("evidence".into(), evidence.into());
            members.insert("answered".into(), object_of!(answered));
        }
        Ok(Some(shown))
    })?;
    shown.map(|shown| json(StatusCode::OK, &shown)).ok_or_else(Refusal::not_found)
}
