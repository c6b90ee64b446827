//! `GET …/manifest/` (TAXII 2.1 §5.3).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Selecting, date, parsed, readable};
use crate::door::Selected;
use crate::eyes::Eyes;
use ::taxii::media;
use ::taxii::query::Endpoint;
use ::taxii::resource::{Manifest, ManifestRow};
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Dialect, Ledger as _};
use policy::Released;
use std::sync::Arc;
use stix::timestamp::format_micros;

/// What a page of the collection would hold, without the bodies.
pub(in super::super) async fn get(state: &Arc<State>, asked: &Asked, name: &str) -> Result<Response<Body>, Refusal> {
    let collection = readable(state, asked, name)?;
    let query = parsed(asked, Endpoint::Objects)?;
    let selecting = Selecting::new(state, asked, collection, query, "manifest")?;
    state
        .read(move |state| {
            let gate = state.door.gate(selecting.viewer.clone(), state.sources.now());
            let reads = |no| selecting.reads(no);
            let eyes = Eyes::new(&gate, state.door.references(), &reads);
            let (page, content) = state.book.manifest(&selecting.filter(None), &eyes)?;
            let released = gate.admit(Selected { page, content })?;
            selecting.hand_over(state, "manifest", &released.as_inner().page)?;
            let next = selecting.next(state, &released.as_inner().page);
            Ok(write(released, next))
        })
        .await
}

fn write(released: Released<Selected<Vec<ledger::ManifestRow>>>, next: Option<String>) -> Response<Body> {
    let Selected { page, content } = released.into_inner();
    let objects = content.into_iter().map(row).collect();
    let mut answer = answer::json(StatusCode::OK, &Manifest { more: page.more, next, objects });
    date(&mut answer, &page);
    answer
}

fn row(row: ledger::ManifestRow) -> ManifestRow {
    let added = format_micros(row.date_added.0);
    ManifestRow {
        id: row.key,
        version: row.version.unwrap_or_else(|| added.clone()),
        date_added: added,
        media_type: Some(match row.dialect {
            Dialect::Stix20 => media::STIX_20.to_owned(),
            Dialect::Stix21 => media::STIX_21.to_owned(),
        }),
    }
}
