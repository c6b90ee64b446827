//! Taking out of an object what its receiver may not see: marked parts, references, data about persons.
//!
//! Exactly the selected parts go; every other byte is kept as its author wrote it. What stays is a valid object under the
//! same id and version, marked as partial (see [`EXTENSION`], [`PROPERTY`]), so that a receiver can tell it from the version
//! that its creator made. Where that cannot be the whole object is withheld: a required property, a value that others
//! depend on, one from which the id of a cyber-observable is made, what says how to read and treat the object (`revoked`,
//! `object_marking_refs`, `granular_markings`, …), and a selector that names nothing. The outcome follows from what stays and
//! from which parts go, never from what stood there.
//!
//! Selectors that remain are renumbered where elements of lists went before them. Redacting again changes nothing more.
//!
//! ```
//! use stix::personal;
//! use stix::redact::{Fate, Redacted, Rules, redact};
//! struct Strict;
//! impl Rules for Strict {
//!     fn marking_withheld(&self, _: &str) -> bool { true }
//!     fn reference(&self, _: &str) -> Fate { Fate::Stays }
//!     fn personal(&self, _: personal::Kind) -> personal::Treatment { personal::Treatment::Mask }
//! }
//! let object = br#"{"type": "tool", "spec_version": "2.1", "id": "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
//!   "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "name": "of jo@example.org", "aliases": ["a"],
//!   "granular_markings": [{"selectors": ["aliases"], "marking_ref": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"}]}"#;
//! let mut out = Vec::new();
//! assert_eq!(redact(object, &Strict, &mut out), Redacted::Part);
//! let text = String::from_utf8(out).unwrap();
//! assert!(text.contains(r#""name": "of [e-mail]""#) && !text.contains("aliases") && text.contains("\"partial\":true"));
//! ```

mod granular;
mod mark;
mod removal;
mod select;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;

pub use mark::{DEFINER, DEFINITION, EXTENSION, PROPERTY, is_partial};
pub(crate) use select::{BUDGET, Places};

use crate::head::each_reference;
use crate::id::Id;
use crate::json::{Kind, Limits, Tape, Value};
use crate::personal::{self, Find, Kinds, Treatment};
use crate::schema::{Shape, Version};
use crate::validate::judged_by;
use granular::Entries;
use removal::Bound;
use write::Changes;

/// What may not be seen.
pub trait Rules {
    /// Whether what a granular marking selects goes, by the id of its marking definition.
    fn marking_withheld(&self, marking: &str) -> bool;
    /// What becomes of a reference to the object of this id. Not asked about `created_by_ref`, `object_marking_refs` and
    /// `marking_ref`.
    fn reference(&self, id: &str) -> Fate;
    /// What is done with data of a kind.
    fn personal(&self, kind: personal::Kind) -> Treatment;
}

/// What becomes of a reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It stays.
    Stays,
    /// It goes; where the object does not stand without it, the object is withheld.
    Goes,
    /// It goes where the object stands without it, and stays where it does not. Of an object that would have to be
    /// withheld for such references alone they all stay.
    GoesIfItCan,
}

/// What came of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redacted {
    /// Nothing was to go: the bytes as they were.
    Whole,
    /// The object without what was to go, marked as partial.
    Part,
    /// Nothing, as what was to go cannot go; nothing was written.
    Withheld,
}

/// Writes to the end of `out` what may be seen of an object.
///
/// A text that is not one STIX object (a bundle is none) is withheld, and so is one that it would be too costly to look
/// through.
pub fn redact(object: &[u8], rules: &dyn Rules, out: &mut Vec<u8>) -> Redacted {
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    let mut tape = Tape::new();
    let Ok(value) = tape.parse(object, &limits) else { return Redacted::Withheld };
    let planned = plan(value, rules);
    match planned {
        Err(Bound) => Redacted::Withheld,
        Ok(None) => {
            out.extend_from_slice(object);
            Redacted::Whole
        }
        Ok(Some(changes)) => {
            let span = value.span();
            out.reserve(object.len() + 160);
            out.extend_from_slice(object.get(..span.start).unwrap_or_default());
            changes.write(value, out);
            out.extend_from_slice(object.get(span.end..).unwrap_or_default());
            Redacted::Part
        }
    }
}

/// What is to be changed; `None` if nothing is.
fn plan(object: Value<'_>, rules: &dyn Rules) -> Result<Option<Changes>, Bound> {
    let (shape, version) =
        Some(object).filter(|value| value.kind() == Kind::Object).and_then(judged_by).ok_or(Bound)?;
    let mut changes = Changes::default();
    let mut budget = BUDGET;
    let entries = Entries::of(object, rules)?;
    select_all(object, &entries, &mut changes.gone, &mut budget)?;
    hide(object, (shape, version), rules, &mut changes.gone)?;
    mask(object, shape, version, rules, &mut changes)?;
    if changes.gone.is_empty() && changes.swapped.is_empty() {
        return Ok(None);
    }
    if !changes.gone.is_empty() {
        granular::adapt(object, &entries, &mut changes, &mut budget)?;
    }
    changes.added = mark::addition(object, shape, version, |value| changes.gone.contains(&value.span().start))?;
    Ok(Some(changes))
}

/// What the withheld markings select.
fn select_all(object: Value<'_>, entries: &Entries<'_>, gone: &mut Places, budget: &mut usize) -> Result<(), Bound> {
    let mut selectors = Vec::new();
    for entry in &entries.withheld {
        let list = entry.get("selectors").filter(|list| !list.is_empty()).ok_or(Bound)?;
        for selector in list.items() {
            selectors.push(selector.as_str().ok_or(Bound)?);
        }
    }
    // Shorter ones first: what they name hides whether longer ones name anything in it.
    selectors.sort_by_key(|selector| selector.len());
    selectors.iter().try_for_each(|selector| select::select(object, selector, gone, budget).then_some(()).ok_or(Bound))
}

/// The references to what may not be seen, and with them what cannot stand without what goes.
fn hide(
    object: Value<'_>,
    shape: (&'static Shape, Version),
    rules: &dyn Rules,
    gone: &mut Places,
) -> Result<(), Bound> {
    let (mut hidden, mut perhaps) = (Vec::new(), BTreeMap::<usize, Vec<usize>>::new());
    each_reference("", object, None, gone, &mut |value, text, list| {
        if Id::parse(text).is_err() {
            return;
        }
        let place = value.span().start;
        match rules.reference(text) {
            Fate::Stays => {}
            Fate::Goes => hidden.push(place),
            Fate::GoesIfItCan => perhaps.entry(list.unwrap_or(place)).or_default().push(place),
        }
    });
    let (shape, version) = shape;
    // Each list and each single reference is tried alone: what becomes of one does not hang on the others.
    perhaps.retain(|_, places| {
        let mut alone: Places = places.iter().copied().collect();
        removal::complete(object, shape, version, &mut alone).is_ok()
    });
    let mut all = gone.clone();
    all.extend(hidden.iter().copied().chain(perhaps.into_values().flatten()));
    match removal::complete(object, shape, version, &mut all) {
        Ok(()) => *gone = all,
        Err(Bound) if hidden.is_empty() => removal::complete(object, shape, version, gone)?,
        Err(Bound) => return Err(Bound),
    }
    Ok(())
}

/// Masks data about persons.
fn mask(
    object: Value<'_>,
    shape: &'static Shape,
    version: Version,
    rules: &dyn Rules,
    changes: &mut Changes,
) -> Result<(), Bound> {
    let of = |treatment| personal::Kind::ALL.into_iter().filter(|kind| rules.personal(*kind) == treatment).collect();
    let (masked, withheld): (Kinds, Kinds) = (of(Treatment::Mask), of(Treatment::Withhold));
    if masked.union(withheld).is_empty() {
        return Ok(());
    }
    let mut bound = false;
    let Changes { gone, swapped, .. } = changes;
    personal::visit(object, shape, version, gone, &mut |value, fixed, finds| {
        let stops = |find: &Find| withheld.contains(find.kind) || fixed && masked.contains(find.kind);
        if bound || finds.iter().any(stops) {
            bound = true;
            return;
        }
        let masks = masks(finds, masked);
        if !masks.is_empty() {
            match settled(write::masked(value, &masks), masked, withheld) {
                Ok(text) => drop(swapped.insert(value.span().start, text)),
                Err(Bound) => bound = true,
            }
        }
    });
    if bound { Err(Bound) } else { Ok(()) }
}

/// Masks what can be told from its surroundings only now that these are masked, until nothing is found any more.
fn settled(mut text: Vec<u8>, masked: Kinds, withheld: Kinds) -> Result<Vec<u8>, Bound> {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let mut tape = Tape::new();
        let value = tape.parse(&text, &Limits { max_bytes: usize::MAX, ..Limits::default() }).map_err(|_| Bound)?;
        let mut finds = Vec::new();
        personal::scan(&value.as_str().ok_or(Bound)?, &mut finds);
        if finds.iter().any(|find| withheld.contains(find.kind)) {
            return Err(Bound);
        }
        let masks = masks(&finds, masked);
        if masks.is_empty() {
            return Ok(text);
        }
        let again = write::masked(value, &masks);
        text = again;
    }
    Err(Bound)
}

/// The masks of a text, in order, none inside another.
fn masks(finds: &[Find], kinds: Kinds) -> Vec<(Range<usize>, &'static str)> {
    let mut all: Vec<&Find> = finds.iter().filter(|find| kinds.contains(find.kind)).collect();
    all.sort_by_key(|find| (find.range.start, usize::MAX - find.range.end));
    let mut masks: Vec<(Range<usize>, &'static str)> = Vec::with_capacity(all.len());
    for find in all {
        if masks.last().is_none_or(|(range, _)| range.end <= find.range.start) {
            masks.push((find.range.clone(), find.kind.mask()));
        }
    }
    masks
}

/// Whether a marking, by its entries in `granular_markings`, selects something that cannot go.
pub(crate) fn is_binding(
    object: Value<'_>,
    entries: &[Value<'_>],
    shape: &'static Shape,
    version: Version,
    budget: &mut usize,
) -> bool {
    let mut places = Places::new();
    for entry in entries {
        let Some(selectors) = entry.get("selectors").filter(|list| !list.is_empty()) else { return true };
        for selector in selectors.items() {
            let found = selector.as_str().is_some_and(|text| select::select(object, &text, &mut places, budget));
            if !found {
                return true;
            }
        }
    }
    removal::complete(object, shape, version, &mut places).is_err()
}
