//! The watch: what partners say, met by what the organisation's own sensors show.

#![forbid(unsafe_code)]

mod event;
pub mod list;
pub mod set;
pub mod standing;
pub mod warning;

pub use event::{Event, Field, Meaning};
pub use set::{Builder, Found, Key, Reach, Set};
