//! The versions of an object that are here.

use super::{Desk, judge};
use ledger::{ClassNo, CollectionNo, Mark, Seq};
use policy::{Class, Micros};
use stix::timestamp::Timestamp;

/// Where a record lies.
pub(super) type Place = (CollectionNo, Seq);

/// A version of an object in a collection.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) place: Place,
    pub(super) number: ClassNo,
    pub(super) class: Class,
    /// As the object writes it; `None`: it has none.
    pub(super) version: Option<String>,
    pub(super) revoked: bool,
    /// Whether it says who made it.
    pub(super) names_author: bool,
    pub(super) mark: Mark,
}

impl Copy {
    /// The instant of the version.
    pub(super) fn at(&self) -> Option<Micros> {
        Timestamp::parse(self.version.as_deref()?).ok().map(|at| at.micros)
    }
}

/// What is read of a body.
#[derive(serde::Deserialize)]
struct Dated {
    created: Option<String>,
    modified: Option<String>,
    created_by_ref: Option<String>,
    #[serde(default)]
    revoked: bool,
}

/// By what a stored body is known.
pub(super) fn mark_of(body: &[u8]) -> Mark {
    let mut mark = Mark::default();
    blake3::Hasher::new().update(body).finalize_xof().fill(&mut mark);
    mark
}

impl Desk<'_> {
    /// Every version that is served, in every collection. What has a class that cannot be read is nobody's, and left out.
    pub(super) fn copies(&self, object: &str) -> ledger::Result<Vec<Copy>> {
        let mut found = Vec::new();
        self.book.look(&mut |shelf| {
            // A failure is noted by the book and fails the whole look.
            let _ = shelf.versions(object, &mut |met| {
                let dated = serde_json::from_slice::<Dated>(met.body).ok();
                let (version, revoked, names_author) = dated.map_or((None, false, true), |dated| {
                    (dated.modified.or(dated.created), dated.revoked, dated.created_by_ref.is_some())
                });
                found.push(((met.collection, met.seq), met.class, version, revoked, names_author, mark_of(met.body)));
                true
            });
        })?;
        let mut copies = Vec::with_capacity(found.len());
        for (place, number, version, revoked, names_author, mark) in found {
            let class = self.book.class_definition(number)?.and_then(|bytes| Class::from_definition(&bytes));
            copies.extend(class.map(|class| Copy { place, number, class, version, revoked, names_author, mark }));
        }
        copies.sort_by_key(|copy| copy.place.1);
        Ok(copies)
    }

    /// Whether a copy is our own organisation's to recall.
    pub(super) fn ours(&self, copy: &Copy) -> bool {
        judge::is_ours(&copy.class, self.own, &|organisation| self.is_carded(organisation))
    }
}
