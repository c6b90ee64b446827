//! The sharing model over HTTP (`/api/…`): who may see what and why, groups, partners, markings, restrictions.
//!
//! INVARIANT: what may be done is decided by [`crate::administration`]; a handler hands it the actor and a name. Input types
//! are closed, nothing is changed by a GET, and no answer about an object rests on what whoever asks may not see.

pub(super) mod group;
pub(super) mod groups;
pub(super) mod marking;
pub(super) mod markings;
pub(super) mod organisation;
pub(super) mod organisations;
pub(super) mod recall;
pub(super) mod restrict;
pub(super) mod who;
pub(super) mod why;

use super::State;
use super::answer::Refusal;
use super::people::actor;
use super::request::Asked;
use super::taxii::rights;
use crate::narrow::stored;
use crate::why::{Asker, Asking};
use http::StatusCode;
use ledger::{Collection, CollectionNo, Micros};
use policy::Viewer;
use policy::role::Actor;

/// Whoever asks about objects, and what they may read.
struct Asks {
    actor: Actor,
    viewer: Viewer,
    collections: Vec<Collection>,
    readable: Vec<CollectionNo>,
}

impl Asks {
    fn of(state: &State, asked: &Asked) -> Result<Self, Refusal> {
        let collections = state.known.now()?.collections.clone();
        Ok(Self {
            actor: actor(asked)?,
            viewer: asked.identity.viewer.clone(),
            readable: collections.iter().filter(|one| rights(asked, one).read).map(|one| one.no).collect(),
            collections,
        })
    }

    /// Asks a question of the book as the asker sees it.
    fn ask<T>(
        &self,
        state: &State,
        question: impl FnOnce(&Asking<'_>, &Asker<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let asking =
            Asking { book: &*state.book, door: &state.door, collections: &self.collections, at: state.sources.now() };
        let asker = Asker {
            viewer: &self.viewer,
            reads: &|no| self.readable.contains(&no),
            told_of: &|id| state.administration.group(&self.actor, id).is_ok_and(|seen| seen.whole),
        };
        question(&asking, &asker)
    }
}

/// There is no such object, or none that whoever asks sees: the same for both.
fn no_object(state: &State, object: &str) -> Refusal {
    match stored(&*state.book, object) {
        Ok(true) => Refusal::not_found().of(object),
        Ok(false) => Refusal::not_found(),
        Err(error) => error.into(),
    }
}

/// The parameters of a query: these and no others, each at most once.
pub(super) fn parameters<const N: usize>(asked: &Asked, names: [&str; N]) -> Result<[Option<String>; N], Refusal> {
    let malformed = || {
        let help = format!("it takes {}, each once", names.join(" and "));
        Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", help)
    };
    let mut values = [const { None }; N];
    for pair in asked.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = names.iter().position(|known| *known == name).and_then(|at| values.get_mut(at));
        let value = super::route::decoded_query(value).ok_or_else(malformed)?;
        if place.ok_or_else(malformed)?.replace(value).is_some() {
            return Err(malformed());
        }
    }
    Ok(values)
}

/// An instant as it is sent (RFC 3339).
fn at(name: &'static str, text: &str) -> Result<Micros, Refusal> {
    let help = || format!("`{name}` is an instant such as 2027-01-31T00:00:00Z");
    let read = stix::timestamp::Timestamp::parse(text).map(|at| at.micros);
    read.map_err(|_| Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this cannot be done", help()))
}

/// A member that may be `null`, which is not the same as left out.
fn given<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}
