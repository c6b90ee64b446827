//! The watch: what partners say, met by what the organisation's own sensors show.

#![forbid(unsafe_code)]

mod eve;
mod event;
pub mod general;
pub mod input;
pub mod list;
pub mod read;
pub mod scan;
pub mod set;
pub mod standing;
pub mod text;
pub mod time;
mod vectors;
pub mod warning;
mod watcher;
mod zeek;

pub use event::{Detail, Event, Field, Meaning};
pub use set::{Builder, Found, Key, Reach, Set};
pub use watcher::{Hit, Watcher};
