//! `GET …/objects/` and `GET …/objects/{id}/` (TAXII 2.1 §5.4, §5.6): a page is a copy of stored bytes.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, date, exists, parsed, readable};
use crate::door::Selected;
use crate::eyes::Eyes;
use ::taxii::query::Endpoint;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::Ledger as _;
use policy::Released;
use std::sync::Arc;

/// What a page's buffer is made for, before it is known how large the page is.
const EXPECTED: usize = 1 << 20;

/// A page of the collection.
pub(in super::super) async fn list(state: &Arc<State>, asked: &Asked, name: &str) -> Result<Response<Body>, Refusal> {
    let collection = readable(state, asked, name)?;
    let query = parsed(asked, Endpoint::Objects)?;
    page(state, Selecting::new(state, asked, collection, query, "objects")?, None).await
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
    page(state, Selecting::new(state, asked, collection, query, &scope)?, Some(object)).await
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
