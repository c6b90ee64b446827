//! TAXII 2.1 by tables, against the real binary over loopback: every request that the standard speaks of with the status,
//! the headers and the facts of the body that it must give, and what a hostile client may try.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod access;
mod adding;
mod deleting;
mod filters;
mod hostile;
mod negotiation;
mod objects;
mod oddities;
mod paging;
mod server;
mod transport;
mod wire;

/// The program as a process, as the tests of its commands run it.
#[expect(dead_code, reason = "those tests use more of it")]
#[path = "../program/process.rs"]
mod process;

/// The one media type of requests and answers.
const TAXII: &str = "application/taxii+json;version=2.1";
