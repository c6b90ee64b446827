//! Reads indicators of the book, through the door and as our own organisation's viewer.

use super::figures::Counts;
use super::names::Uuid;
use super::object::{Object, Said, Why};
use super::{Error, MOST_GENERAL, Shared};
use crate::door::Selected;
use crate::export;
use crate::eyes::Eyes;
use ::watch::general::CANDIDATES;
use ::watch::set::Builder;
use ledger::{CollectionNo, Filter, Ledger as _, Register, Relation, Seq, Versions};
use pattern::Pattern;
use policy::Viewer;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

/// Objects that are read at once …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;
/// Objects that are looked up at once.
pub(super) const KEYS: usize = 2_000;

/// Our own organisation, and nobody in particular of it.
pub(super) fn own_viewer(register: &dyn Register) -> Result<Viewer, Error> {
    let own = register.organisations()?.into_iter().find(|one| one.relation == Relation::Own);
    let own = own.ok_or(Error::Nobody)?;
    export::viewer(register, &own.name)?.ok_or(Error::Nobody)
}

/// Reads the whole book, or what was added to it after a place, into a new set.
pub(super) fn whole(shared: &Shared, since: Option<Seq>, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
    // Read before: what is added meanwhile is read again, and so not missed.
    let position = shared.book.last()?.unwrap_or(Seq(i64::MIN));
    super::voices::whole(shared)?;
    let mut taking = Taking::over(shared.now().set.additions());
    let (mut seen, mut twice, mut count) = (Vec::<bool>::new(), Vec::new(), 0);
    let collections = export::readable(&*shared.book, &shared.viewer)?;
    for collection in &collections {
        let mut after = since;
        loop {
            let page = page(shared, &collections, (*collection, after, None), &mut |object| {
                count += 1;
                let Some(uuid) = object.uuid() else { return };
                let place = name(shared, uuid).and_then(|name| usize::try_from(name).ok());
                let Some(place) = place else { return taking.counts.refuse(Why::TooMany, &object.id) };
                if seen.len() <= place {
                    seen.resize(place + 1, false);
                }
                match seen.get_mut(place) {
                    // In two collections, perhaps in two versions: looked at again below.
                    Some(true) => twice.push(uuid),
                    Some(new) => {
                        *new = true;
                        taking.take(shared, uuid, object);
                    }
                    None => {}
                }
            })?;
            progress(count);
            match page {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    drop(seen);
    *shared.counts.lock().unwrap_or_else(PoisonError::into_inner) = taking.counts;
    let before = shared.now();
    let gone = before.general.keys().filter(|name| !taking.general.contains_key(name)).copied();
    let gone: Vec<u64> = gone.collect();
    // What is being put together is of the set before.
    *shared.merging() = None;
    shared.put(taking.builder.build(), Arc::new(taking.general), position);
    for name in gone {
        shared.patterns.remove(name);
    }
    for keys in twice.chunks(KEYS) {
        super::follow::amend(shared, keys, position)?;
    }
    Ok(())
}

/// The newest version that we may use of each of some objects, if it is live: bodies, by object.
pub(super) fn newest(shared: &Shared, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<u8>>, Error> {
    let ids: Vec<String> = {
        let id = |uuid: &Uuid| format!("indicator--{}", uuid::Uuid::from_bytes(*uuid).hyphenated());
        keys.iter().map(id).collect()
    };
    let collections = export::readable(&*shared.book, &shared.viewer)?;
    let mut found: HashMap<Uuid, Newest> = HashMap::new();
    for collection in &collections {
        let mut after = None;
        loop {
            let next = page(shared, &collections, (*collection, after, Some(&ids)), &mut |object| {
                let Some(uuid) = object.uuid() else { return };
                let order = object.order();
                // Revoked somewhere is revoked: whoever ends an object ends it for ever (STIX 2.1 §3.6).
                let newer = |held: &Newest| !held.revoked && (object.revoked || held.order < order);
                if found.get(&uuid).is_none_or(newer) {
                    found.insert(uuid, Newest { order, revoked: object.revoked, body: object.body.to_vec() });
                }
            })?;
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(found.into_iter().filter(|(_, newest)| !newest.revoked).map(|(uuid, newest)| (uuid, newest.body)).collect())
}

/// The newest version of an object that was found so far.
struct Newest {
    order: (i64, u32),
    revoked: bool,
    body: Vec<u8>,
}

/// An indicator and its bytes.
pub(super) struct Read<'o> {
    object: Object<'o>,
    pub(super) body: &'o [u8],
}

impl<'o> std::ops::Deref for Read<'o> {
    type Target = Object<'o>;

    fn deref(&self) -> &Object<'o> {
        &self.object
    }
}

/// Shows the newest visible versions on a page of a collection. Returns where the next page goes on.
fn page(
    shared: &Shared,
    collections: &[CollectionNo],
    (collection, after, keys): (CollectionNo, Option<Seq>, Option<&[String]>),
    each: &mut dyn FnMut(&Read<'_>),
) -> Result<Option<Seq>, Error> {
    let gate = shared.door.gate(shared.viewer.clone(), shared.at());
    let reads = |no| collections.contains(&no);
    let eyes = Eyes::new(&gate, shared.door.references(), &reads);
    let filter = Filter {
        collection,
        after,
        keys: keys.map(|keys| keys.iter().map(String::as_str).collect()),
        kinds: Some(vec!["indicator"]),
        versions: Versions::last(),
        dialects: None,
        limit: PAGE,
        max_bytes: PAGE_BYTES,
    };
    let mut content = vec![b'['];
    let page = shared.book.objects(&filter, &eyes, &mut content)?;
    content.push(b']');
    let next = page.last.filter(|_| page.more);
    let released = gate.admit(Selected { page, content })?.into_inner();
    let objects: Vec<&RawValue> = serde_json::from_slice(&released.content).map_err(|_| Error::Page)?;
    for body in objects {
        let body = body.get().as_bytes();
        if let Some(object) = Object::read(body) {
            each(&Read { object, body });
        }
    }
    Ok(next)
}

/// Claims on their way into a set.
pub(super) struct Taking {
    pub(super) builder: Builder,
    pub(super) general: BTreeMap<u64, Arc<Pattern>>,
    pub(super) counts: Counts,
    /// The names under which something was put into the builder, where that is asked for.
    pub(super) names: Vec<u64>,
    notes: bool,
}

impl Taking {
    pub(super) fn over(builder: Builder) -> Self {
        Self { builder, general: BTreeMap::new(), counts: Counts::default(), names: Vec::new(), notes: false }
    }

    /// One that notes the names.
    pub(super) fn noting(builder: Builder) -> Self {
        Self { notes: true, ..Self::over(builder) }
    }

    /// Takes what an indicator says.
    pub(super) fn take(&mut self, shared: &Shared, uuid: Uuid, object: &Object<'_>) {
        if object.revoked || !is_sure(shared, object) {
            return;
        }
        if super::object::micros(object.valid_until.as_deref()).is_some_and(|until| until <= shared.at()) {
            return self.counts.refuse(Why::Over, &object.id);
        }
        let claims = match object.said() {
            Said::Nothing(why) => return self.counts.refuse(why, &object.id),
            Said::More(pattern) => {
                if self.general.len() >= MOST_GENERAL {
                    return self.counts.refuse(Why::TooMany, &object.id);
                }
                if shared.settings.without.contains(&observable::Kind::Pattern) {
                    return;
                }
                let Some(name) = name(shared, uuid) else { return self.counts.refuse(Why::TooMany, &object.id) };
                if shared.patterns.add(name, &pattern, &mut self.builder).is_err() {
                    return self.counts.refuse(Why::Broken, &object.id);
                }
                self.general.insert(name, Arc::new(*pattern));
                if self.notes {
                    self.names.push(CANDIDATES | name);
                }
                self.counts.indicators += 1;
                return;
            }
            Said::Claims(claims) => claims,
        };
        let Some(name) = name(shared, uuid) else { return self.counts.refuse(Why::TooMany, &object.id) };
        if self.notes {
            self.names.push(name);
        }
        let mut any = false;
        for claim in claims.iter().filter(|claim| !shared.settings.without.contains(&claim.kind)) {
            let warnings = shared.settings.warnings.as_ref();
            if let Some(list) = warnings.and_then(|warnings| warnings.benign(claim).first().copied()) {
                self.counts.benign(list, &object.id);
                continue;
            }
            match self.builder.add(claim, name) {
                Ok(()) => any = true,
                Err(refused) => self.counts.refuse(Why::of(&refused), &object.id),
            }
        }
        self.counts.indicators += u64::from(any);
    }
}

/// Whether a claim is as sure as is asked for.
pub(super) fn is_sure(shared: &Shared, object: &Object<'_>) -> bool {
    super::voices::score(shared, object).is_none_or(|score| score >= shared.settings.least_confidence)
}

fn name(shared: &Shared, uuid: Uuid) -> Option<u64> {
    let known = shared.names.read().unwrap_or_else(PoisonError::into_inner).known(&uuid);
    known.or_else(|| shared.names.write().unwrap_or_else(PoisonError::into_inner).name(uuid))
}
