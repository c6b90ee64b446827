//! Recalls over several nodes: whom they reach, who is believed, what is counted, what is kept out.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod foreign;
mod groups;
mod obeying;
mod unknown;
mod world;
