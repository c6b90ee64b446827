//! Recalls: what was handed over and leaves our control is taken back from everybody who got it, over relays too, and it is
//! known who has confirmed that.
//!
//! Whoever recalls signs it ([`partner::recall`]). Who is told, [`recipients`] reads in the audit log. Each of them has a
//! *delivery* in the book until it confirms; the signed recall waits in its mailbox. Whoever is told obeys if [`judge`] says
//! so, tells those to whom it handed the object on, and answers with a receipt that counts them.
//!
//! A partner that has no card of the author refuses the author's words. It has the object from us, and nobody's word but ours
//! counts there: it is told in ours (`take::say_instead`). It keeps the author's words all the same, unproven, and hands them
//! on to whom it had handed the object, who may know the author. Whoever is told in several ways is counted once.
//!
//! A recall is written down, with whom it has to reach, *before* what it is about is erased or narrowed: if the node ends in
//! between, somebody was told too early, and nobody was forgotten.
//!
//! INVARIANT: a record of an author whose card is pinned is changed by nobody's recall but that author's.

mod copies;
mod delivery;
mod foreign;
pub mod judge;
mod leave;
mod make;
mod office;
pub mod recipients;
mod status;
mod take;

pub use delivery::{handed, remind};
pub use foreign::{Pumped, pump_foreign};
pub use make::Made;
pub use office::{Deleting, Office, TakesBack};
pub use status::{Reached, Receiver, Status, of as status_of};
pub use take::Took;

use crate::audit::{self, By, Event, Way};
use crate::door::Door;
use crate::intake::Classes;
use ledger::journal::Journal;
use ledger::{Ledger, Micros, Partners};
use partner::key::Keys;
use partner::trust::Keyring;

/// How far another's clock may be ahead of ours, in microseconds.
pub const AHEAD: Micros = 10 * 60 * 1_000_000;

/// What recalls are kept in.
pub trait Store: Ledger + Partners {}

impl<T: Ledger + Partners> Store for T {}

/// Where recalls are made, taken in and followed.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The book.
    pub book: &'a dyn Store,
    /// The audit log: to whom what was handed. What was handed over a moment ago must be in it.
    pub journal: &'a dyn Journal,
    /// Who may see what.
    pub door: &'a Door,
    /// The classes of the book.
    pub classes: &'a Classes,
    /// Our own keys.
    pub keys: &'a Keys,
    /// Our own card and those of partners.
    pub ring: &'a Keyring,
    /// Our own organisation.
    pub own: &'a str,
    /// When.
    pub now: Micros,
}

impl Desk<'_> {
    pub(super) fn is_own(&self, organisation: &str) -> bool {
        judge::same(self.own, organisation)
    }

    /// Whether an organisation signs for itself: it has a card that counts, or is our own.
    fn is_carded(&self, organisation: &str) -> bool {
        self.is_own(organisation) || self.ring.card(organisation).is_some()
    }

    /// The node itself, for the audit log.
    pub(super) fn by(&self) -> By {
        By { way: Way::Link, who: None, organisation: Some(self.own.to_owned()), address: None }
    }

    /// Writes down what passed between us and a partner.
    pub(super) fn note(
        &self,
        by: &By,
        partner: &str,
        act: &'static str,
        about: &str,
        done: bool,
        reason: &str,
    ) -> ledger::Result<()> {
        let (partner, about, reason) = (partner.to_owned(), about.to_owned(), reason.to_owned());
        let event = Event::Partner { by: by.clone(), partner, act, about, done, reason };
        audit::write_now(self.journal, &event).map(drop)
    }
}
