//! Back-fill: what was shared with a group before somebody came to it lies behind the place to which their links have read.
//! It becomes visible by the policy alone, and at once; the links of the newcomer are told to read from the beginning again.
//! Only the newcomer receives again, and what it has is known to it.
//!
//! Clients that keep their own place find it when they ask from the beginning.

use super::pack;
use super::recalls::{Desk, judge};
use crate::partners::link::{Definition, Direction};
use ledger::{Group, Register};

fn note(link: &str) -> String {
    format!("link {} reads again from the beginning", link.to_lowercase())
}

/// Has a link read again from the beginning, in its next round.
///
/// # Errors
/// Those of the register.
pub fn ask_again(register: &dyn Register, link: &str) -> ledger::Result<()> {
    register.set_note(&note(link), Some(b"1"))
}

/// Whether a link has to read again from the beginning.
///
/// # Errors
/// Those of the register.
pub fn is_asked(register: &dyn Register, link: &str) -> ledger::Result<bool> {
    Ok(register.note(&note(link))?.is_some())
}

/// The link has forgotten its place.
///
/// # Errors
/// Those of the register.
pub fn begun(register: &dyn Register, link: &str) -> ledger::Result<()> {
    register.set_note(&note(link), None)
}

/// An organisation has come to a group that gives newcomers what was shared before.
pub(super) fn joined(desk: &Desk<'_>, group: &Group, organisation: &str) -> ledger::Result<()> {
    let within =
        |name: &str| std::iter::once(&group.owner).chain(&group.members).any(|member| judge::same(member, name));
    for link in desk.book.links()? {
        let Ok(definition) = Definition::read(&link.definition) else { continue };
        let again = match definition.direction {
            // We are the newcomer: whoever is in the group with us may have something. Of a hidden one nobody knows who is.
            Direction::Pull => desk.is_own(organisation) && (group.hidden || within(&link.organisation)),
            Direction::Push => judge::same(&link.organisation, organisation),
        };
        if again {
            ask_again(desk.book, &link.name)?;
        }
    }
    // What is carried to the newcomer begins anew as well. A damaged note stops the next package, with its reason.
    match pack::pack_again(desk.book, organisation) {
        Err(pack::Error::Ledger(error)) => Err(error),
        _ => Ok(()),
    }
}
