//! What organisations think of the claims in the book: opinions that our own organisation may see, and how sure a claim is under
//! them.

use super::Shared;
use super::names::{Uuid, uuid_of};
use super::object::Object;
use crate::alerts::confidence::{self, Opinion, Trust};
use crate::export;
use ledger::{Filter, Ledger as _, Record, Register as _, Relation, State, Versions};
use policy::{Author, Class, Classes as _, View};
use std::collections::HashMap;
use std::sync::PoisonError;

/// Opinions that are read at once.
const PAGE: usize = 1_000;
/// Bytes of a page.
const PAGE_BYTES: usize = 4 << 20;

/// Reads every opinion of the book.
pub(super) fn whole(shared: &Shared) -> Result<(), super::Error> {
    let collections = export::readable(&*shared.book, &shared.viewer)?;
    for collection in &collections {
        let mut after = None;
        loop {
            let filter = Filter {
                collection: *collection,
                after,
                keys: None,
                kinds: Some(vec!["opinion"]),
                versions: Versions::last(),
                dialects: None,
                limit: PAGE,
                max_bytes: PAGE_BYTES,
            };
            // Which there are is asked of the whole book; what counts of each, of our own viewer ([`record`]).
            let (page, rows) = shared.book.manifest(&filter, &|_: ledger::ClassNo| true)?;
            for row in rows {
                shared.book.look(&mut |book| {
                    // A failure is noted by the book and fails the whole look.
                    let _ = book.versions(&row.key, &mut |met| {
                        if met.kind == "opinion" && collections.contains(&met.collection) {
                            take(shared, met.class, met.body);
                        }
                        true
                    });
                })?;
            }
            match page.last.filter(|_| page.more) {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

/// Takes a record of the book in; the indicators whose voices changed.
pub(super) fn record(shared: &Shared, record: &Record<'_>) -> Vec<Uuid> {
    if record.kind != "opinion" {
        return Vec::new();
    }
    let changed = match record.state {
        State::Live => take(shared, record.class, record.body),
        State::Erased | State::Tombstone => {
            shared.voices.write().unwrap_or_else(PoisonError::into_inner).forget(record.key)
        }
        State::Conflict | State::Quarantined => Vec::new(),
    };
    changed.iter().filter_map(|id| uuid_of(id)).collect()
}

/// Takes an opinion in, if our own organisation may see records of its class.
fn take(shared: &Shared, class: ledger::ClassNo, body: &[u8]) -> Vec<String> {
    let gate = shared.door.gate(shared.viewer.clone(), shared.at());
    if gate.view(class.0) == View::Nothing {
        return Vec::new();
    }
    let class = shared.door.definition(class.0).and_then(|bytes| Class::from_definition(&bytes));
    let organisation = class.as_ref().and_then(|class| match &class.author {
        Author::Owner => Some(class.owner.as_str()),
        Author::Organisation(name) => Some(name.as_str()),
        Author::Foreign => None,
    });
    shared.voices.write().unwrap_or_else(PoisonError::into_inner).take("opinion", body, organisation)
}

/// How sure a claim is, as its author and all who count say; `None`: nobody says anything.
pub(super) fn score(shared: &Shared, object: &Object<'_>) -> Option<u8> {
    let voices = {
        let held = shared.voices.read().unwrap_or_else(PoisonError::into_inner);
        if !held.any(&object.id) {
            return object.confidence;
        }
        let trusts = trusts(shared);
        held.on(&object.id, &|organisation| trusts.get(organisation).copied().unwrap_or(Trust::None))
    };
    Some(confidence::effective(object.confidence, &voices))
}

/// Whether our own organisation says that a claim is wrong.
pub(super) fn is_wrong(shared: &Shared, object: &Object<'_>) -> bool {
    let held = shared.voices.read().unwrap_or_else(PoisonError::into_inner);
    if !held.any(&object.id) {
        return false;
    }
    let trusts = trusts(shared);
    let voices = held.on(&object.id, &|organisation| trusts.get(organisation).copied().unwrap_or(Trust::None));
    voices.iter().any(|voice| voice.trust == Trust::Own && voice.opinion == Opinion::StronglyDisagree)
}

/// How much each organisation counts, in lower case. Of a register that cannot be read nobody does.
fn trusts(shared: &Shared) -> HashMap<String, Trust> {
    let trust = |relation| match relation {
        Relation::Own => Trust::Own,
        Relation::Client | Relation::Community => Trust::Partner,
        Relation::Public => Trust::None,
    };
    let known = shared.book.organisations().unwrap_or_default();
    known.into_iter().map(|one| (one.name.to_lowercase(), trust(one.relation))).collect()
}
