//! `GET …/objects/` and `GET …/objects/{id}/` (TAXII 2.1 §5.4, §5.6): a page is a copy of stored bytes.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, date, exists, mailbox, parsed, readable};
use crate::audit::runs_of;
use crate::door::Selected;
use crate::eyes::Eyes;
use crate::partners::identity;
use crate::partners::provenance::{Noting, Outgoing};
use ::taxii::query::Endpoint;
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use ledger::{Ledger as _, Page, Seq};
use policy::Released;
use std::sync::Arc;

/// What a page's buffer is made for, before it is known how large the page is.
const EXPECTED: usize = 1 << 20;
/// Pages of which nothing is handed over that are gone through in one request.
const PASSED_OVER: usize = 50;

/// A page of the collection.
pub(in super::super) async fn list(state: &Arc<State>, asked: &Asked, name: &str) -> Result<Response<Body>, Refusal> {
    let collection = readable(state, asked, name)?;
    let query = parsed(asked, Endpoint::Objects)?;
    let selecting = Selecting::new(state, asked, collection, query, "objects")?;
    match partner_of_link(state, asked)? {
        Some(partner) => dressed(state, selecting, partner, None).await,
        None => page(state, selecting, None).await,
    }
}

/// The partner to whose link the answer goes: dressed for it.
fn partner_of_link(state: &State, asked: &Asked) -> Result<Option<String>, Refusal> {
    if mailbox::is_link(asked) { mailbox::partner(state, asked) } else { Ok(None) }
}

/// A page of one object's versions.
pub(in super::super) async fn get(
    state: &Arc<State>,
    asked: &Asked,
    name: &str,
    object: String,
) -> Result<Response<Body>, Refusal> {
    let collection = readable(state, asked, name)?;
    let query = parsed(asked, Endpoint::Object)?;
    let scope = format!("object {object}");
    let selecting = Selecting::new(state, asked, collection, query, &scope)?;
    match partner_of_link(state, asked)? {
        Some(partner) => dressed(state, selecting, partner, Some(object)).await,
        None => page(state, selecting, Some(object)).await,
    }
}

async fn page(state: &Arc<State>, selecting: Selecting, object: Option<String>) -> Result<Response<Body>, Refusal> {
    let shared = Arc::clone(state);
    state
        .read(move |state| {
            let gate = state.door.gate(selecting.viewer.clone(), state.sources.now());
            let reads = |no| selecting.reads(no);
            let eyes = Eyes::new(&gate, state.door.references(), &reads);
            if let Some(object) = &object {
                exists(&shared, &selecting, object, &eyes)?;
            }
            let filter = selecting.filter(object.as_deref());
            let mut content = Vec::with_capacity(EXPECTED);
            content.extend_from_slice(br#"{"objects":["#);
            let page = state.book.objects(&filter, &eyes, &mut content)?;
            let released = gate.admit(Selected { page, content })?;
            let next = selecting.next(state, &released.as_inner().page);
            selecting.hand_over(state, "objects", &released.as_inner().page)?;
            state.metrics.gave(released.as_inner().page.count);
            Ok(write(released, next))
        })
        .await
}

/// The envelope (§3.7): the bodies as they lie there, and where reading goes on.
fn write(released: Released<Selected<Vec<u8>>>, next: Option<String>) -> Response<Body> {
    let Selected { page, mut content } = released.into_inner();
    if page.count == 0 {
        return answer::bytes(StatusCode::OK, b"{}".to_vec());
    }
    content.push(b']');
    if let Some(next) = next {
        content.extend_from_slice(br#","more":true,"next":""#);
        content.extend_from_slice(next.as_bytes());
        content.push(b'"');
    }
    content.push(b'}');
    let mut answer = answer::bytes(StatusCode::OK, content);
    date(&mut answer, &page);
    answer
}

/// A page for a link: each object followed by its author's seal, and one envelope that says by which nodes they came. What
/// came from the receiver, or over it, is left out.
async fn dressed(
    state: &Arc<State>,
    mut selecting: Selecting,
    partner: String,
    object: Option<String>,
) -> Result<Response<Body>, Refusal> {
    let shared = Arc::clone(state);
    state
        .read(move |state| {
            let now = state.sources.now();
            let gate = state.door.gate(selecting.viewer.clone(), now);
            let (own, ring) = ours(state)?;
            let known = state.known.now()?;
            let outgoing = Outgoing {
                book: &*state.book,
                partners: &*state.book,
                keys: &own.keys,
                ring: &ring,
                own: known.own_organisation().unwrap_or_default(),
                to: &partner,
                limits: crate::intake::limits(&state.config.limits),
                now,
            };
            let mut passed_over = 0;
            loop {
                let reads = |no| selecting.reads(no);
                let eyes = Eyes::new(&gate, state.door.references(), &reads);
                if let Some(object) = &object {
                    exists(&shared, &selecting, object, &eyes)?;
                }
                let noting = Noting::new(&eyes);
                let mut content = Vec::with_capacity(EXPECTED);
                let page = state.book.objects(&selecting.filter(object.as_deref()), &noting, &mut content)?;
                let released = gate.admit(Selected { page, content })?;
                let next = selecting.next(state, &released.as_inner().page);
                let Selected { mut page, content } = released.into_inner();
                let content = Bytes::from(content);
                let broken = || Refusal::internal("a page of the ledger cannot be taken apart");
                let bodies = noting.apart(&content, page.count).ok_or_else(broken)?;
                let dressed = outgoing.dress_for_link(&content, &bodies)?;
                let goes = |place: &usize| dressed.left_out.binary_search(place).is_err();
                let given: Vec<Seq> =
                    seqs(&page).enumerate().filter(|(place, _)| goes(place)).map(|(_, seq)| seq).collect();
                if given.is_empty() && page.more && passed_over < PASSED_OVER {
                    passed_over += 1;
                    selecting.go_on(&page);
                    continue;
                }
                (page.count, page.given) = (given.len(), runs_of(given));
                selecting.hand_over_now(state, "objects", &page)?;
                state.metrics.gave(page.count);
                let objects = if page.count == 0 { Vec::new() } else { dressed.objects };
                return Ok(write_dressed(&objects, &page, next));
            }
        })
        .await
}

/// Our keys, and all cards that count.
pub(super) fn ours(state: &State) -> Result<(identity::Own, Arc<partner::trust::Keyring>), Refusal> {
    let own = identity::own(&*state.book, &state.secret).map_err(Refusal::internal)?;
    Ok((own, state.rings.now().map_err(Refusal::internal)?))
}

/// The places of a page's records.
fn seqs(page: &Page) -> impl Iterator<Item = Seq> {
    let of = |run: &ledger::Run| {
        let first = run.first.0;
        (0..i64::from(run.count)).map(move |no| Seq(first.saturating_add(no)))
    };
    page.given.iter().flat_map(of)
}

/// Only what was released and dressed is written.
fn write_dressed(objects: &[Bytes], page: &Page, next: Option<String>) -> Response<Body> {
    if objects.is_empty() && next.is_none() {
        let mut answer = answer::bytes(StatusCode::OK, b"{}".to_vec());
        date(&mut answer, page);
        return answer;
    }
    let size: usize = objects.iter().map(|object| object.len() + 1).sum();
    let mut content = Vec::with_capacity(size + 100);
    content.extend_from_slice(br#"{"objects":["#);
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            content.push(b',');
        }
        content.extend_from_slice(object);
    }
    content.push(b']');
    if let Some(next) = next {
        content.extend_from_slice(format!(r#","more":true,"next":"{next}""#).as_bytes());
    }
    content.push(b'}');
    let mut answer = answer::bytes(StatusCode::OK, content);
    date(&mut answer, page);
    answer
}
