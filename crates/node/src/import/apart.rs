//! Objects of a document whose author may be proven by a seal that stands elsewhere in it.

use crate::intake::{Context, Taken};
use crate::partners::provenance::{Incoming, Refused, Sorted};
use bytes::Bytes;
use partner::signed::Kind;
use std::collections::HashMap;
use stix::split::{Form, Item, Place};

/// So many bytes wait at most: a longer document is sorted in pieces.
const MOST: usize = 64 << 20;

/// What of a document waits.
pub(super) struct Apart<'a> {
    incoming: &'a Incoming<'a>,
    objects: Vec<Bytes>,
    places: Vec<Place>,
    bytes: usize,
}

/// Where what waited stood.
pub(super) struct Places(HashMap<usize, Place>);

/// Takes an object apart if a seal is asked of it, if it may have one, or if it is one. `false`: it waits for nothing.
pub(super) fn waits(apart: &mut Option<Apart<'_>>, taken: &Taken<'_>, item: &Item<'_>, context: &Context) -> bool {
    let Some(apart) = apart else { return false };
    let head = &taken.head;
    let author = head.created_by_ref.as_deref();
    // What names no author is its bringer's, unless somebody sealed it.
    if author.is_some_and(|author| !context.makers.asks(author, &context.owner))
        && Kind::of(&head.object_type).is_none()
    {
        return false;
    }
    apart.bytes += item.text.len();
    apart.objects.push(Bytes::copy_from_slice(item.text));
    apart.places.push(item.place);
    true
}

impl<'a> Apart<'a> {
    pub(super) fn new(incoming: &'a Incoming<'a>) -> Self {
        Self { incoming, objects: Vec::new(), places: Vec::new(), bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST
    }

    /// Says what everything that waits comes to; nothing waits then.
    pub(super) fn sort(&mut self) -> ledger::Result<(Places, Sorted)> {
        self.bytes = 0;
        let objects = std::mem::take(&mut self.objects);
        let mut sorted = self.incoming.sort_all(&objects)?;
        let reason = "a statement about objects is no object: it comes over a link, or in a package";
        let control = std::mem::take(&mut sorted.control);
        sorted.refused.extend(
            control.into_iter().map(|(statement, _)| Refused { id: statement.id.clone(), reason: reason.to_owned() }),
        );
        let places = objects.iter().map(|object| object.as_ptr().addr()).zip(std::mem::take(&mut self.places));
        Ok((Places(places.collect()), sorted))
    }
}

impl Places {
    /// Where an object stood: it shares its bytes with the one that waited.
    pub(super) fn of(&self, body: &Bytes) -> Place {
        self.0.get(&body.as_ptr().addr()).copied().unwrap_or(Place { form: Form::Bundle, index: 0 })
    }
}
