//! Narrowing: a further limit on what is stored already. It acts at once, on every version in every collection, and can
//! only take away.

use crate::intake::Classes;
use ledger::{Ledger, Micros, Place};
use policy::{Class, Handling, Tlp};

/// A further limit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Narrowing {
    /// A TLP level that applies beside the markings of the object.
    pub tlp: Option<Tlp>,
    /// For whom it is, where the level is RED.
    pub recipients: Vec<String>,
    /// A circle, a group, an embargo, an end.
    pub handling: Handling,
}

/// Narrows every version of an object whose class is one `of` those that are meant. Returns how many were changed: none if
/// the object is not there, or if everything of it was as narrow already.
///
/// # Errors
/// Those of the ledger; nothing was changed then.
pub fn narrow(
    book: &dyn Ledger,
    classes: &Classes,
    object: &str,
    narrowing: &Narrowing,
    of: &dyn Fn(&Class) -> bool,
    now: Micros,
) -> ledger::Result<u64> {
    let marking = narrowing.tlp.map(Tlp::id);
    // Numbers are made before: a change of classes cannot add a class.
    let mut numbers = std::collections::HashMap::new();
    let mut failed = None;
    book.look(&mut |shelf| {
        let _ = shelf.versions(object, &mut |met| {
            match narrowed(book, classes, met.class, (marking, narrowing), of) {
                Ok(number) => drop(numbers.insert(met.class, number)),
                Err(error) => failed = Some(error),
            }
            true
        });
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    // A version that came meanwhile in a class that none of the others had keeps it: it is its bringer's to narrow.
    book.reclass(object, &mut |met| numbers.get(&met.class).copied(), Place::Kept, now)
}

/// Whether some version of the object is in the book.
///
/// # Errors
/// Those of the ledger.
pub fn stored(book: &dyn Ledger, object: &str) -> ledger::Result<bool> {
    let mut stored = false;
    book.look(&mut |shelf| {
        // A failure is noted by the book and fails the whole look.
        let _ = shelf.places(object, &mut |_, _| {
            stored = true;
            false
        });
    })?;
    Ok(stored)
}

fn narrowed(
    book: &dyn Ledger,
    classes: &Classes,
    class: ledger::ClassNo,
    (marking, narrowing): (Option<&str>, &Narrowing),
    of: &dyn Fn(&Class) -> bool,
) -> ledger::Result<ledger::ClassNo> {
    let definition = book.class_definition(class)?;
    // What cannot be read is withheld from everybody: it cannot be narrowed further.
    let Some(held) = definition.and_then(|bytes| Class::from_definition(&bytes)) else { return Ok(class) };
    if !of(&held) {
        return Ok(class);
    }
    let plain = Class { open: false, ..held };
    classes.number(book, &plain.narrowed(marking, &narrowing.recipients, &narrowing.handling))
}
