//! Links between nodes: objects and statements over them, whatever breaks off in between.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod at_once;
mod quotas;
mod rounds;
mod sightings;
mod site;
