//! General patterns met by telemetry, beside a set.
//!
//! The values without which a pattern cannot be met go into the set as claims, under the pattern's name and
//! [`CANDIDATES`]. An event in which the set finds none of them costs nothing more; any other is shown to the patterns as
//! observable objects. Where a set cannot tell (only LIKE, MATCHES, ports …), every event is shown, and
//! [`Patterns::everywhere`] says so.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use observable::{Claim, Kind};
use pattern::{Observed, Pattern};

use super::details::{Columns, Details};
use super::show::{show_with, source};
use super::{Bound, Deferred, General, Limits, Match, Report, told};
use crate::warning::Warnings;
use crate::{Builder, Event, Hit, time};

/// Under names from here on stand values of general patterns, each under that of its pattern and this bit. No indicator
/// has such a name: a file would have to be longer than half a tebibyte, a book to have more than the names it gives.
pub const CANDIDATES: u64 = 1 << 39;

/// General patterns, shared by all who watch: what they remember of an entity comes from every input.
#[derive(Debug)]
pub struct Patterns {
    inner: Mutex<Inner>,
    everywhere: AtomicUsize,
    hasher: RandomState,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) general: General,
    /// Of each pattern how many claims it has in the set; `None`: it is tested on every event.
    claims: HashMap<u64, Option<usize>>,
    observed: Observed<'static>,
    token: u64,
    pub(super) deferred: Vec<Deferred>,
}

/// Where and when an event was met, for events that do not say it themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Circumstances {
    pub(crate) input: u64,
    pub(crate) received: i64,
}

impl Default for Patterns {
    fn default() -> Self {
        Self::new(Limits { states: 200_000, ..Limits::default() })
    }
}

impl Patterns {
    /// Without any pattern.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let general = General::empty(limits);
        let inner =
            Inner { general, claims: HashMap::new(), observed: Observed::new(), token: 0, deferred: Vec::new() };
        Self { inner: Mutex::new(inner), everywhere: AtomicUsize::new(0), hasher: RandomState::new() }
    }

    /// Those whose matches are not told if these lists name every value that they were made by.
    #[must_use]
    pub fn with_warnings(self, warnings: Option<Arc<Warnings>>) -> Self {
        self.inner().general.warnings = warnings;
        self
    }

    /// Matches that were not told for that, by the first list that names a value of theirs.
    #[must_use]
    pub fn benign(&self) -> BTreeMap<Box<str>, u64> {
        self.inner().general.benign.clone()
    }

    /// Adds a pattern, and to a set the values without which it cannot be met; a pattern of the same name goes. It is
    /// tested on every event if there are none, or the set does not take them.
    ///
    /// # Errors
    /// What is wrong with the pattern; nothing has changed then.
    pub fn add(&self, name: u64, pattern: &Pattern, set: &mut Builder) -> Result<(), pattern::Error> {
        let pattern = told::told(pattern);
        let atoms = pattern::atoms_preferring(&pattern, &|atom| told::claims(atom).is_some());
        let mut inner = self.inner();
        inner.general.add(name, &pattern, &atoms)?;
        let claims = atoms.iter().flat_map(|leaf| &leaf.alternatives).map(told::claims);
        let claims: Option<Vec<Claim>> = claims.collect::<Option<Vec<_>>>().map(|claims| claims.concat());
        let mut taken = |claims: &Vec<Claim>| claims.iter().all(|claim| set.add(claim, CANDIDATES | name).is_ok());
        let claims = claims.filter(|_| name < CANDIDATES).filter(|claims| taken(claims)).map(|claims| claims.len());
        let before = inner.claims.insert(name, claims);
        self.count(before.as_ref(), Some(&claims));
        Ok(())
    }

    /// Takes a pattern away. Whether it was there. What the set has of it is the caller's, under `CANDIDATES | name`.
    pub fn remove(&self, name: u64) -> bool {
        let mut inner = self.inner();
        let before = inner.claims.remove(&name);
        self.count(before.as_ref(), None);
        inner.general.remove(name)
    }

    /// How many patterns are tested on every event.
    #[must_use]
    pub fn everywhere(&self) -> usize {
        self.everywhere.load(Ordering::Acquire)
    }

    /// How many claims they have in the set.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.inner().claims.values().flatten().sum()
    }

    /// How many of what there is.
    #[must_use]
    pub fn report(&self) -> Report {
        self.inner().general.report()
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts patterns that are tested on every event, as one comes in the place of another.
    fn count(&self, before: Option<&Option<usize>>, now: Option<&Option<usize>>) {
        if now == Some(&None) {
            self.everywhere.fetch_add(1, Ordering::AcqRel);
        }
        if before == Some(&None) {
            self.everywhere.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// The entity that an input is.
    pub(crate) fn entity(&self, name: &[u8]) -> u64 {
        self.hasher.hash_one(name)
    }

    /// The entity that an address is.
    pub(super) fn entity_of(&self, source: Option<IpAddr>) -> Option<u64> {
        source.map(|address| self.entity(address.to_string().as_bytes()))
    }

    /// Shows an event to the patterns, and tells the hits.
    pub(crate) fn meet(
        &self,
        event: &Event<'_>,
        columns: Option<Columns<'_>>,
        circumstances: Circumstances,
        sink: &mut dyn FnMut(&Hit<'_>),
    ) {
        let details = Details::of(event, columns);
        let written = event.time.and_then(time::utc);
        let micros = written.and_then(|time| pattern::instant(&time)).unwrap_or(circumstances.received);
        let source = source(event);
        let entity = self.entity_of(source).unwrap_or(circumstances.input);
        let mut matches: Vec<Match> = Vec::new();
        {
            let mut inner = self.inner();
            let Inner { general, observed, token, deferred, .. } = &mut *inner;
            observed.clear();
            let origins = show_with(event, &details, micros, observed);
            *token += 1;
            general.observe_of(entity, *token, (observed, &origins), &mut |found| matches.push(found));
            general.put_off((source, event.line, event.time), deferred);
        }
        for Match { name, bound, witnesses, .. } in matches {
            let joined = |part: fn(&Bound) -> &str| bound.iter().map(part).collect::<Vec<_>>().join(" ");
            let (value, field) = (joined(|bound| &bound.value), joined(|bound| &bound.field));
            let (line, time, raw) = (event.line, event.time, event.raw);
            let (value, met) = (value.into(), witnesses.as_slice());
            sink(&Hit { name, kind: Kind::Pattern, value, field: &field, met, line, time, raw });
        }
    }
}
