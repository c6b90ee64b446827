//! Exchange over an air gap: packages out, packages in.
//!
//! [`Packer`] makes a package of what one partner may have and has not been handed in a package before, and of the mail
//! that waits for it. The package is made in the outbox of the home, whole and on disk; then what it hands over is
//! written into the audit log; only then does the first byte go where it was asked for. What breaks off in between is gone
//! on with by the next call: the same bytes, as long as the policy still says the same.
//!
//! [`Taker`] reads a package twice: at first to judge all of it, then to take it in. What it has taken it remembers after
//! that is on disk, so that a package that was taken by half is taken again, and its objects are known.
//!
//! A package is for one partner: what two may have is not the same, and each gets exactly its own. Answers travel with the
//! next package the other way; a sender behind a diode asks for none.

mod making;
mod release;
mod series;
mod spool;
mod taking;
mod telling;
#[cfg(test)]
mod tests;

pub use making::{Made, Packer, Request, Witness};
pub use series::{Answer, Pending, Receiving, Sending, Unanswered, pack_again, receiving, sending};
pub use spool::{Gathered, Inbox, Incomplete, Package, Piece, gather, write_out};
pub use taking::{Checked, Control, HELD, Taken, Taker};
pub use telling::chain;

use std::path::PathBuf;

/// Why something could not be packed or unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The package.
    #[error(transparent)]
    Package(#[from] partner::package::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The ledger, while taking in.
    #[error(transparent)]
    Import(#[from] crate::import::Error),
    /// A defect: nothing of the page was packed.
    #[error(transparent)]
    Leak(#[from] policy::Leak),
    /// A page of the ledger is not what it must be.
    #[error("the ledger gave a page that cannot be split into objects: run `marsad check`")]
    Page,
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is there, and is something else.
    #[error("{} is there already and is something else: name another file", .0.display())]
    Taken(PathBuf),
    /// Nobody knows to which key it should be sealed.
    #[error("`{0}` has no card that was confirmed: `marsad partner add` and `marsad partner confirm`")]
    NoCard(String),
    /// Its card does not count now.
    #[error("the card of `{organisation}` does not count")]
    Card {
        /// Whose.
        organisation: String,
        /// Why not.
        #[source]
        source: partner::signed::Error,
    },
    /// It may not read a collection.
    #[error("`{viewer}` may not read the collection `{alias}`, so nothing of it is packed for `{viewer}`")]
    Viewer {
        /// For whom it would have been.
        viewer: String,
        /// The collection here.
        alias: String,
    },
    /// Into too many, or too small, parts.
    #[error(
        "a package of {bytes} bytes cannot be cut into parts of {each} bytes: parts are at least 4 KiB, and at most 100000"
    )]
    Split {
        /// Of how many.
        bytes: u64,
        /// Into which.
        each: u64,
    },
    /// Something else packs or unpacks for this node at the moment.
    #[error("another `marsad pack` or `marsad unpack` is at work in this home: wait for it to end")]
    Busy,
    /// What is remembered of packages is broken.
    #[error("the note `{0}` of the register cannot be read: restore the node from a backup")]
    Note(String, #[source] serde_json::Error),
    /// There is no chance.
    #[error(transparent)]
    Chance(#[from] crate::chance::NoChance),
}

/// For mapping errors of a file.
fn file<'p>(doing: &'static str, path: &'p std::path::Path) -> impl Fn(std::io::Error) -> Error + 'p {
    move |source| Error::File { doing, path: path.to_owned(), source }
}
