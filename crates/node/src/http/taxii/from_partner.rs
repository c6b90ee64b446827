//! Signed statements that a partner posts, to the mailbox or among objects. The status says of each what became of it; the
//! audit log says why one was refused.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::{Asked, Content};
use super::add_objects::receipt_id;
use super::objects::ours;
use crate::audit::{By, Event, Way};
use crate::partners::provenance::Refused;
use crate::partners::recalls::{Desk, Took};
use crate::writer::Work;
use ::taxii::resource::{Status, StatusRow};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use ledger::{Micros, Receipt};
use partner::signed::{self, Unverified};
use std::collections::HashMap;
use std::sync::Arc;
use stix::split::{Form, Walk};
use stix::timestamp::format_micros;

/// Statements that one request may hold: each costs a signature and a commit.
const MOST: usize = 2_000;
/// Refusals that are written down one by one.
const SHOWN: usize = 20;

/// Takes what a partner puts into the mailbox.
pub(super) async fn mail(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    partner: String,
) -> Result<Response<Body>, Refusal> {
    if !asked.content_is_taxii() {
        return Err(Refusal::unsupported());
    }
    let body = content.read(asked, state.config.taxii.max_content_length).await?;
    let (rows, refused) = state
        .read(move |state| {
            let objects = split(state, &body)?;
            let (mut read, mut refused) = (Vec::new(), Vec::new());
            for object in &objects {
                match signed::read(object) {
                    Ok(statement) => read.push((statement, object.clone())),
                    Err(error) => refused.push(Refused { id: row(object).id, reason: error.to_string() }),
                }
            }
            tell(state, &partner, &refused)?;
            refused.extend(statements(state, &partner, state.sources.now(), &read)?);
            Ok((objects.iter().map(|object| row(object)).collect::<Vec<_>>(), refused))
        })
        .await?;
    let status = status(state, rows, refused)?;
    let body = serde_json::to_vec(&status).map_err(Refusal::internal)?;
    let owner = asked.identity.viewer.name.clone().unwrap_or_default();
    let receipt = Receipt { id: status.id, owner, body: body.clone() };
    let receipt = Box::new(move |_: &[ledger::Appended]| receipt.clone());
    state.writer.write(Work { text: Bytes::new(), entries: Vec::new(), receipt: Some(receipt) }).await?;
    Ok(answer::bytes(StatusCode::ACCEPTED, body))
}

/// Takes statements of a partner in; what was refused of them, which stands in the audit log.
pub(super) fn statements(
    state: &State,
    partner: &str,
    now: Micros,
    statements: &[(Unverified, Bytes)],
) -> Result<Vec<Refused>, Refusal> {
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    // To whom something was handed a moment ago must stand in the audit log when it is taken back.
    state.audit.flush()?;
    with_desk(state, now, |desk| {
        let mut refused = Vec::new();
        for (statement, body) in statements {
            if let Took::Refused(reason) = desk.take_in(statement, body, partner)? {
                refused.push(Refused { id: statement.id.clone(), reason });
            }
        }
        Ok(refused)
    })
}

/// Where recalls are taken in and followed.
pub(super) fn with_desk<T>(
    state: &State,
    now: Micros,
    work: impl FnOnce(&Desk<'_>) -> ledger::Result<T>,
) -> Result<T, Refusal> {
    let (own, ring) = ours(state)?;
    let known = state.known.now()?;
    let desk = Desk {
        book: &*state.book,
        journal: &**state.audit.journal(),
        door: &state.door,
        classes: &state.classes,
        keys: &own.keys,
        ring: &ring,
        own: known.own_organisation().unwrap_or_default(),
        now,
    };
    Ok(work(&desk)?)
}

/// Writes down what is no statement: the first of many, and how many there were.
fn tell(state: &State, partner: &str, refused: &[Refused]) -> Result<(), Refusal> {
    let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    let event = |about: &str, reason: &str| Event::Partner {
        by: By { way: Way::Link, who: None, organisation: Some(partner.to_owned()), address: None },
        partner: partner.to_owned(),
        act: "statement-refused",
        about: cut(about),
        done: false,
        reason: cut(reason),
    };
    for refused in refused.iter().take(SHOWN) {
        state.audit.note(event(&refused.id, &refused.reason))?;
    }
    let more = refused.len().saturating_sub(SHOWN);
    if more > 0 {
        state.audit.note(event("request", &format!("and {more} more in this request")))?;
    }
    Ok(())
}

/// Splits an envelope. What is no envelope is refused whole, before anything is kept.
fn split(state: &State, text: &Bytes) -> Result<Vec<Bytes>, Refusal> {
    let unprocessable = |why: &dyn std::fmt::Display| {
        Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this is no TAXII envelope with objects", why)
    };
    let mut walk = Walk::new(text, crate::intake::limits(&state.config.limits));
    let mut objects = Vec::new();
    while let Some(item) = walk.next_item().map_err(|fault| unprocessable(&fault))? {
        if item.place.form != Form::Envelope {
            return Err(unprocessable(&"send {\"objects\": […]}"));
        }
        if objects.len() >= MOST {
            return Err(unprocessable(&format!("send at most {MOST} statements at once")));
        }
        objects.push(text.slice(item.offset..item.offset + item.text.len()));
    }
    if walk.values() != 1 || walk.container().form != Form::Envelope {
        return Err(unprocessable(&"send one {\"objects\": […]}"));
    }
    if objects.is_empty() { Err(unprocessable(&"it holds no objects")) } else { Ok(objects) }
}

/// What a status says of a statement: what it says of itself.
fn row(object: &[u8]) -> StatusRow {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        id: String,
        #[serde(default)]
        modified: String,
    }
    let named = serde_json::from_slice::<Named>(object).ok();
    let (id, version) = named.map_or_else(Default::default, |named| (named.id, named.modified));
    StatusRow { id, version, message: None }
}

fn status(state: &State, rows: Vec<StatusRow>, refused: Vec<Refused>) -> Result<Status, Refusal> {
    let mut reasons: HashMap<String, Vec<String>> = HashMap::new();
    for refused in refused {
        reasons.entry(refused.id).or_default().push(refused.reason);
    }
    let (mut successes, mut failures) = (Vec::new(), Vec::new());
    for row in rows {
        match reasons.get_mut(&row.id).and_then(Vec::pop) {
            Some(reason) => failures.push(StatusRow { message: Some(reason), ..row }),
            None => successes.push(row),
        }
    }
    Ok(Status::of(receipt_id(state)?, format_micros(state.sources.now()), successes, failures))
}
