//! The watch: what partners say, met by what the organisation's own sensors show.

#![forbid(unsafe_code)]

mod event;
pub mod input;
pub mod read;
pub mod set;
pub mod text;

pub use event::{Event, Field, Meaning};
pub use set::{Builder, Found, Key, Set};
