//! `GET /{root}/collections/` and `GET /{root}/collections/{id}/` (TAXII 2.1 §5.1, §5.2).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::{Rights, api_root, mailbox, rights};
use axum::body::Body;
use http::{Response, StatusCode};
use taxii::media;
use taxii::resource::{Collection, Collections};

/// The collections with which this client may do something, in the order in which they were made.
pub(in super::super) fn list(state: &State, asked: &Asked) -> Result<Response<Body>, Refusal> {
    api_root::known_here(state, asked)?;
    let snapshot = state.known.asked_again()?;
    let mine = snapshot.collections.iter().map(|collection| (collection, rights(asked, collection)));
    let mut collections: Vec<Collection> =
        mine.filter(|(_, rights)| rights.read || rights.write).map(|(c, r)| resource(c, r)).collect();
    if mailbox::partner(state, asked)?.is_some() {
        collections.push(mailbox::resource(asked));
    }
    Ok(answer::json(StatusCode::OK, &Collections { collections }))
}

/// One of them.
pub(in super::super) fn get(state: &State, asked: &Asked, name: &str) -> Result<Response<Body>, Refusal> {
    let (collection, rights) = super::collection(state, asked, name)?;
    Ok(answer::json(StatusCode::OK, &resource(&collection, rights)))
}

fn resource(collection: &ledger::Collection, rights: Rights) -> Collection {
    Collection {
        id: collection.id.clone(),
        title: collection.title.clone(),
        description: collection.description.clone(),
        alias: Some(collection.alias.clone()).filter(|alias| *alias != collection.id),
        can_read: rights.read,
        can_write: rights.write,
        media_types: vec![media::STIX_21.to_owned(), media::STIX_20.to_owned()],
    }
}
