//! General patterns met by telemetry, beside a set.
//!
//! The values without which a pattern cannot be met go into the set as claims, under the pattern's name and
//! [`CANDIDATES`]. An event in which the set finds none of them costs nothing more; any other is shown to the patterns as
//! observable objects. Where a set cannot tell (only LIKE, MATCHES, ports …), every event is shown, and
//! [`Patterns::everywhere`] says so.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use observable::{Claim, Kind, canonical};
use pattern::{Observed, Pattern};

use super::details::{Columns, Details};
use super::show::{SOURCES, show_with};
use super::{Bound, General, Limits, Match, Report, told};
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
struct Inner {
    general: General,
    /// Of each pattern how many claims it has in the set; `None`: it is tested on every event.
    claims: HashMap<u64, Option<usize>>,
    observed: Observed<'static>,
    token: u64,
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
        let inner = Inner { general, claims: HashMap::new(), observed: Observed::new(), token: 0 };
        Self { inner: Mutex::new(inner), everywhere: AtomicUsize::new(0), hasher: RandomState::new() }
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

    fn inner(&self) -> MutexGuard<'_, Inner> {
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
        let source = event.fields.iter().find(|field| SOURCES.contains(&field.name));
        let source = source.and_then(|field| canonical::address(field.value));
        let entity = source.map_or(circumstances.input, |address| self.entity(address.to_string().as_bytes()));
        let mut matches: Vec<Match> = Vec::new();
        {
            let mut inner = self.inner();
            let Inner { general, observed, token, .. } = &mut *inner;
            observed.clear();
            let origins = show_with(event, &details, micros, observed);
            *token += 1;
            general.observe_of(entity, *token, (observed, &origins), &mut |found| matches.push(found));
        }
        for Match { name, bound, .. } in matches {
            let joined = |part: fn(&Bound) -> &str| bound.iter().map(part).collect::<Vec<_>>().join(" ");
            let (value, field) = (joined(|bound| &bound.value), joined(|bound| &bound.field));
            let (line, time, raw) = (event.line, event.time, event.raw);
            sink(&Hit { name, kind: Kind::Pattern, value: value.into(), field: &field, line, time, raw });
        }
    }
}
