//! The audit log: who signed in, who was given what, who was refused what, who changed what.
//!
//! What can be said is closed: [`Event`] is all there is. [`scribe`] writes what the server tells it in the background, in
//! groups, and holds back whoever is faster than the disk; commands and acts of administration write at once
//! ([`write_now`]). [`handed_over`] answers who was given a record. [`follow`] sends everything to a syslog server.
//!
//! Names and addresses of persons stand in the personal part of an entry and nowhere else, so that they can be erased.

mod event;
mod follow;
mod handed;
mod recorder;
mod retain;
mod runs;
mod scribe;
mod syslog;

pub use event::{By, Event, HandOver, KINDS, Way};
pub use follow::{Follower, NAME as SYSLOG, Target, TargetError};
pub use handed::{Handed, handed_over, last_handed_over};
pub use recorder::{AuditRecorder, acts_as};
pub use retain::{Retained, retain};
pub use runs::{Given, covers, decode, encode, runs_of};
pub use scribe::{Ended, Scribe};
pub(crate) use syslog::{ELEMENT, Message};
pub use syslog::{Origin, message};

use crate::home::{Home, Secret};
use ledger::journal::{Anchor, Head, Journal, Keep};
use ledger::sqlite::JournalFile;

/// Why there is no audit log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] crate::home::Error),
    /// The log cannot be opened.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// Opens a node's audit log.
///
/// # Errors
/// [`Error`].
pub fn open(home: &Home) -> Result<JournalFile, Error> {
    Ok(open_with(home, &home.secret()?)?)
}

/// Opens the audit log of a home that is not sealed yet.
///
/// # Errors
/// Those of the ledger.
pub fn open_with(home: &Home, secret: &Secret) -> ledger::Result<JournalFile> {
    JournalFile::open(&home.audit(), anchor(home, secret))
}

/// Where the audit log is known to have ended.
#[must_use]
pub fn anchor(home: &Home, secret: &Secret) -> Anchor {
    Anchor::new(&home.audit_anchor(), secret.key_for("marsad 2026-11 audit anchor"))
}

/// What is wrong with the audit log, as `check` tells it.
///
/// # Errors
/// [`Error`].
pub fn faults(home: &Home) -> Result<Vec<ledger::Fault>, Error> {
    let report = open(home)?.verify(None, &mut |_, _| {})?;
    let told = |fault: ledger::journal::Fault| ledger::Fault {
        place: format!("audit log, entry {}", fault.number),
        message: format!("{fault}: `marsad audit verify`"),
    };
    Ok(report.faults.into_iter().map(told).collect())
}

/// Writes one event down; it is on disk when this returns.
///
/// # Errors
/// Those of the ledger: nothing was written.
pub fn write_now(journal: &dyn Journal, event: &Event) -> ledger::Result<Head> {
    journal.write(&[event.entry(crate::clock::now(), salt())], Keep::Now)
}

/// Whoever runs a command on this machine: the name by which the system knows them.
#[must_use]
pub fn operator() -> By {
    use std::os::unix::fs::MetadataExt as _;
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let number = || std::fs::metadata("/proc/self").map(|own| format!("uid {}", own.uid())).ok();
    let who = named.filter(|name| !name.is_empty()).or_else(number);
    By { way: Way::Cli, who, organisation: None, address: None }
}

/// Random bytes for the personal part of an entry.
pub(crate) fn salt() -> [u8; 16] {
    crate::chance::bytes().unwrap_or_else(|error| {
        // Erased names could then be guessed and compared, which the operator must know.
        tracing::error!(%error, "an entry of the audit log has no salt");
        [0; 16]
    })
}
