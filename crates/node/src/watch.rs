//! The watch of this node: what the book claims, met by what the organisation's own sensors show.

pub mod book;
pub mod hits;
pub mod hunt;
pub mod line;
pub mod runner;
pub mod seer;
pub mod stream;

pub use book::Followed;
pub use hits::{Batch, Closed, Handed, Hit, Hits, Indicator, Queue, queue};
