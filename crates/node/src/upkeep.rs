//! What time brings: embargoes end, data about persons has been kept long enough, references find what they refer to.

use crate::config;
use crate::door::Door;
use crate::intake::{self, Classes};
use ledger::{ClassNo, CollectionNo, Ledger, Met, Micros, Place, Register, Scope, Seq, State};
use policy::{Class, Facts, Handling, Meaning};
use std::collections::{BTreeMap, BTreeSet};

/// Until when ended embargoes have been seen to.
const LIFTED: &str = "embargoes lifted until";
/// Records that are read at once.
const BATCH: usize = 5_000;
const DAY: Micros = 86_400 * 1_000_000;

/// Hands what an embargo held back to those who follow the order: its records move to the end of it. Returns how many.
///
/// # Errors
/// Those of the ledger; what was moved until then stays moved, and the rest moves the next time.
pub fn lift_embargoes<B: Ledger + Register>(
    book: &B,
    door: &Door,
    classes: &Classes,
    now: Micros,
) -> ledger::Result<u64> {
    let since = book.note(LIFTED)?.and_then(|kept| kept.try_into().ok()).map_or(0, Micros::from_le_bytes);
    let mut ended: BTreeMap<ClassNo, ClassNo> = BTreeMap::new();
    each_class(book, &mut |number, class| {
        let limits = class.markings.iter().map(|id| door.meaning(id, &class.owner));
        let of_markings = limits.filter_map(|meaning| match meaning {
            Meaning::Handling(_, limit) => limit.embargo,
            _ => None,
        });
        let embargo = of_markings.chain(class.handling.embargo).max();
        if embargo.is_some_and(|until| since < until && until <= now) {
            let handling = Handling { embargo: None, ..class.handling.clone() };
            ended.insert(number, classes.number(book, &Class { handling, open: false, ..class })?);
        }
        Ok(())
    })?;
    let mut moved = 0;
    if !ended.is_empty() {
        for key in keys_of(book, &ended.keys().copied().collect())? {
            let to = &mut |met: &Met<'_>| ended.get(&met.class).copied();
            moved += book.reclass(&key, to, Place::Renewed, now)?;
        }
    }
    if !ended.is_empty() || now - since > DAY {
        book.set_note(LIFTED, Some(&now.to_le_bytes()))?;
    }
    Ok(moved)
}

/// Told of an object, and of the places of its records, before they are erased.
pub type Erasing<'a> = &'a mut dyn FnMut(&str, &[(CollectionNo, Seq)]) -> ledger::Result<()>;

/// Erases records with data about persons that were kept for as long as the configuration says. `erasing` is told of each
/// object before. Returns how many records.
///
/// # Errors
/// Those of the ledger.
pub fn forget_persons(
    book: &dyn Ledger,
    personal: &config::Personal,
    now: Micros,
    erasing: Erasing<'_>,
) -> ledger::Result<u64> {
    let mut erased = 0;
    for (kind, days) in personal.retention.iter().filter_map(|rule| config::retention(rule)) {
        let mut with = BTreeSet::new();
        each_class(book, &mut |number, class| {
            if class.personal.iter().chain(&class.personal_fixed).any(|held| held == kind) {
                with.insert(number);
            }
            Ok(())
        })?;
        if with.is_empty() {
            continue;
        }
        let before = Seq(now.saturating_sub(Micros::from(days) * DAY));
        for (object, places) in places_of(book, &with, before)? {
            erasing(&object, &places)?;
        }
        let classes: Vec<ClassNo> = with.into_iter().collect();
        let scope = Scope { classes: Some(&classes), before: Some(before), ..Scope::default() };
        erased += book.erase(&scope, &mut |_| true, now)?;
    }
    Ok(erased)
}

/// Where the live records of some classes lie that were added before, by object.
fn places_of(
    book: &dyn Ledger,
    classes: &BTreeSet<ClassNo>,
    before: Seq,
) -> ledger::Result<BTreeMap<String, Vec<(CollectionNo, Seq)>>> {
    let (mut places, mut after) = (BTreeMap::<_, Vec<_>>::new(), Some(Seq(i64::MIN)));
    while let Some(from) = after.filter(|from| *from < before) {
        after = book.follow(from, BATCH, &mut |record| {
            if record.state == State::Live && record.seq < before && classes.contains(&record.class) {
                places.entry(record.key.to_owned()).or_default().push((record.collection, record.seq));
            }
        })?;
    }
    Ok(places)
}

/// Covers records whose references have found what they refer to. Returns how many.
///
/// # Errors
/// Those of the ledger and the register.
pub fn settle<B: Ledger + Register>(book: &B) -> ledger::Result<u64> {
    let collections: Vec<CollectionNo> = book.collections()?.into_iter().map(|collection| collection.no).collect();
    collections.into_iter().map(|no| book.settle(no, &intake::references)).sum()
}

/// Every class that can be read, by number.
pub(crate) fn each_class(
    book: &dyn Ledger,
    each: &mut dyn FnMut(ClassNo, Class) -> ledger::Result<()>,
) -> ledger::Result<()> {
    for number in (1..).map(ClassNo) {
        let Some(definition) = book.class_definition(number)? else { break };
        if let Some(class) = Class::from_definition(&definition) {
            each(number, class)?;
        }
    }
    Ok(())
}

/// The keys of the live records of some classes.
pub(crate) fn keys_of(book: &dyn Ledger, classes: &BTreeSet<ClassNo>) -> ledger::Result<BTreeSet<String>> {
    let (mut keys, mut after) = (BTreeSet::new(), Some(Seq(i64::MIN)));
    while let Some(from) = after {
        after = book.follow(from, BATCH, &mut |record| {
            if record.state == State::Live && classes.contains(&record.class) {
                keys.insert(record.key.to_owned());
            }
        })?;
    }
    Ok(keys)
}
