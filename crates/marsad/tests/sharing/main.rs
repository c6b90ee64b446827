//! The sharing model over HTTP, against the real binary: who may do what, what is answered about whom, and that every
//! change acts at once on what is stored.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod access;
mod acting;
mod closed;
mod node;
mod telling;

/// The program as a process, as the tests of its commands run it.
#[path = "../program/process.rs"]
mod process;
