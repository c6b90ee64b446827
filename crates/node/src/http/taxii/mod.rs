//! The endpoints of TAXII 2.1, one a file, and what several of them ask.

pub(super) mod add_objects;
pub(super) mod api_root;
pub(super) mod collections;
pub(super) mod delete_object;
pub(super) mod discovery;
pub(super) mod mailbox;
pub(super) mod manifest;
pub(super) mod objects;
pub(super) mod status;
pub(super) mod versions;
mod with_seals;

use super::State;
use super::answer::Refusal;
use super::request::Asked;
use crate::accounts::who;
use crate::audit::{By, Event, Given, HandOver};
use crate::eyes::Eyes;
use ::taxii::query::{self, Endpoint, Query};
use http::{HeaderValue, Response, StatusCode};
use ledger::{Collection, CollectionNo, Dialect, Filter, Page, Seq, Versions};
use policy::Viewer;
use std::sync::Arc;

/// What somebody may do with a collection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// The rights of whoever asks: the collection's, less what their key or role leaves out.
pub(super) fn rights(asked: &Asked, collection: &Collection) -> Rights {
    let viewer: &Viewer = &asked.identity.viewer;
    Rights {
        read: asked.identity.reads && policy::may(viewer, &who(&collection.read)),
        write: asked.identity.writes && policy::may(viewer, &who(&collection.write)),
    }
}

/// The collection of this name for somebody who may do something with it. Whoever may do nothing is told the same as
/// for a collection that does not exist; whoever has not signed in is asked to (TAXII 2.1 §5.2).
pub(super) fn collection(state: &State, asked: &Asked, name: &str) -> Result<(Collection, Rights), Refusal> {
    let mut found = state.known.now()?.collection(name).cloned();
    if found.is_none() {
        found = state.known.asked_again()?.collection(name).cloned();
    }
    let nothing = || if asked.identity.role.is_none() { Refusal::unauthorized() } else { Refusal::not_found() };
    let collection = found.ok_or_else(nothing)?;
    let rights = rights(asked, &collection);
    if rights.read || rights.write { Ok((collection, rights)) } else { Err(nothing().of(named(&collection))) }
}

/// A collection as the audit log names it.
pub(super) fn named(collection: &Collection) -> String {
    format!("collection {}", collection.alias)
}

/// The collection, for reading.
pub(super) fn readable(state: &State, asked: &Asked, name: &str) -> Result<Collection, Refusal> {
    let (collection, rights) = collection(state, asked, name)?;
    match (rights.read, asked.identity.role) {
        (true, _) => Ok(collection),
        (false, None) => Err(Refusal::unauthorized().of(named(&collection))),
        (false, Some(_)) => Err(Refusal::forbidden("this collection is not yours to read").of(named(&collection))),
    }
}

/// The query, read for its endpoint.
pub(super) fn parsed(asked: &Asked, endpoint: Endpoint) -> Result<Query, Refusal> {
    query::parse(&asked.query, endpoint)
        .map_err(|bad| Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", bad))
}

/// A query ready for the ledger, owning what the filter borrows.
pub(super) struct Selecting {
    pub(super) collection: Collection,
    pub(super) viewer: Viewer,
    query: Query,
    after: Option<Seq>,
    limit: usize,
    max_bytes: usize,
    scope: String,
    filters: String,
    /// The collections that whoever asks may read: where the objects may be to which those of this one refer.
    readable: Vec<CollectionNo>,
    by: By,
    request: String,
}

impl Selecting {
    /// Reads the query and opens its cursor. `scope` is the endpoint (and object) that a cursor is bound to.
    pub(super) fn new(
        state: &State,
        asked: &Asked,
        collection: Collection,
        query: Query,
        scope: &str,
    ) -> Result<Self, Refusal> {
        let scope = format!("{scope} {}", collection.id);
        let filters = query.filters();
        let cursor = match &query.next {
            Some(cursor) => Some(
                state
                    .signer
                    .open(cursor, &scope, &filters)
                    .map_err(|bad| Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", bad))?,
            ),
            None => None,
        };
        let known = state.known.now()?;
        let readable = known.collections.iter().filter(|collection| rights(asked, collection).read);
        let limits = &state.config.taxii;
        let asked_for = query.limit.unwrap_or(limits.page_size);
        Ok(Self {
            viewer: asked.identity.viewer.clone(),
            by: asked.by(),
            request: asked.id.clone(),
            after: cursor.max(query.added_after).map(Seq),
            limit: usize::try_from(asked_for.min(limits.max_page_size).max(1)).unwrap_or(1),
            max_bytes: usize::try_from(limits.max_page_bytes).unwrap_or(usize::MAX),
            readable: readable.map(|collection| collection.no).collect(),
            collection,
            query,
            scope,
            filters,
        })
    }

    /// Whether a collection is one that whoever asks may read.
    pub(super) fn reads(&self, collection: CollectionNo) -> bool {
        self.readable.contains(&collection)
    }

    /// Goes on behind a page of which nothing was handed over.
    pub(super) fn go_on(&mut self, page: &Page) {
        self.after = page.last.max(self.after);
    }

    /// For the ledger; `object` is the one in the address.
    pub(super) fn filter<'s>(&'s self, object: Option<&'s str>) -> Filter<'s> {
        let strs = |list: &'s Option<Vec<String>>| list.as_ref().map(|list| list.iter().map(String::as_str).collect());
        Filter {
            collection: self.collection.no,
            after: self.after,
            keys: object.map(|object| vec![object]).or_else(|| strs(&self.query.ids)),
            kinds: strs(&self.query.types),
            versions: match &self.query.versions {
                None => Versions::last(),
                Some(query::Versions::All) => Versions::All,
                Some(query::Versions::Some { first, last, at }) => {
                    Versions::Some { first: *first, last: *last, at: at.clone() }
                }
            },
            dialects: self.query.spec_versions.as_ref().map(|wanted| dialects(wanted)),
            limit: self.limit,
            max_bytes: self.max_bytes,
        }
    }

    /// Writes down what is given, before it is. Waits if the audit log does not keep up.
    pub(super) fn hand_over(&self, state: &State, what: &'static str, page: &Page) -> Result<(), Refusal> {
        if page.count == 0 {
            return Ok(());
        }
        Ok(state.audit.note(self.handed_over(what, page))?)
    }

    /// The same, and on disk when it returns: a recall reads in the log who has to be told, and would forget whoever got
    /// something a moment before the node ended.
    pub(super) fn hand_over_now(&self, state: &State, what: &'static str, page: &Page) -> Result<(), Refusal> {
        if page.count == 0 {
            return Ok(());
        }
        crate::audit::write_now(&**state.audit.journal(), &self.handed_over(what, page))?;
        Ok(())
    }

    fn handed_over(&self, what: &'static str, page: &Page) -> Event {
        Event::HandedOver(HandOver {
            by: self.by.clone(),
            collection: self.collection.no,
            what,
            request: self.request.clone(),
            given: Given::of(&page.given),
        })
    }

    /// The cursor behind a page, if more follow.
    pub(super) fn next(&self, state: &State, page: &Page) -> Option<String> {
        let last = page.last.filter(|_| page.more)?;
        Some(state.signer.sign(last.0, &self.scope, &self.filters))
    }
}

/// `match[spec_version]`; versions that nobody has heard of select nothing.
fn dialects(wanted: &[String]) -> Vec<Dialect> {
    let known = |text: &String| match text.as_str() {
        "2.0" => Some(Dialect::Stix20),
        "2.1" => Some(Dialect::Stix21),
        _ => None,
    };
    wanted.iter().filter_map(known).collect()
}

/// Says when the first and the last object of the page were added; of an empty page nothing is said (§3.3).
pub(super) fn date(answer: &mut Response<axum::body::Body>, page: &Page) {
    write_date(answer, page.first, page.last);
}

fn write_date(answer: &mut Response<axum::body::Body>, first: Option<Seq>, last: Option<Seq>) {
    for (name, at) in [("x-taxii-date-added-first", first), ("x-taxii-date-added-last", last)] {
        if let Some(at) = at
            && let Ok(value) = HeaderValue::from_str(&stix::timestamp::format_micros(at.0))
        {
            answer.headers_mut().insert(name, value);
        }
    }
}

/// Whether the viewer may know that the object exists: without that, a page about it is 404.
pub(super) fn exists(state: &Arc<State>, selecting: &Selecting, object: &str, eyes: &Eyes<'_>) -> Result<(), Refusal> {
    use ledger::Ledger as _;
    let no = selecting.collection.no;
    if state.book.contains(no, object, eyes)? {
        return Ok(());
    }
    // Asked in both cases, so that neither takes longer than the other.
    let there = state.book.contains(no, object, &|_: ledger::ClassNo| true)?;
    let refusal = Refusal::not_found();
    Err(if there { refusal.of(format!("{object} in {}", named(&selecting.collection))) } else { refusal })
}
