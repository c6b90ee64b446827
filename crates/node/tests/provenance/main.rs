//! Nodes that hand objects to each other, by hand: what goes out, what is believed of what comes in, and what a hostile relay
//! can do on the way.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod honest;
mod hostile;
mod recalled;
mod relayed;
mod squatters;
mod world;
