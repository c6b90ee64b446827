//! Readers: they turn the bytes of a log, a capture or a table into [`Event`]s.
//!
//! A reader is fed blocks of bytes and gives events to a sink; it knows no files and no clock, and its memory does not
//! grow with what it has read. What it cannot read it counts ([`Faults`]) and passes over.

mod capture;
mod cef;
mod csv;
mod faults;
mod gather;
mod json;
mod key_value;
mod lines;
mod map;
mod names;
#[cfg(feature = "parquet")]
mod parquet;
mod plain;
mod syslog;

pub use capture::Capture;
pub use csv::Csv;
pub use faults::{Fault, Faults};
pub use json::JsonLines;
pub use lines::{Line, Lines};
pub use map::{FieldMap, MapError, Use};
#[cfg(feature = "parquet")]
pub use parquet::Parquet;
pub use plain::Plain;
pub use syslog::{Octets, Syslog};

pub(crate) use csv::separator;
pub(crate) use names::end;
pub(crate) use syslog::looks_like_syslog;

use crate::Event;

/// Where events go.
pub type Sink<'s> = dyn FnMut(&Event<'_>) + 's;

/// Turns blocks of bytes into events.
pub trait Reader: Send {
    /// Reads the next bytes of the input. Where [`Reader::by_lines`] says so, they end with the end of a line, or with the
    /// end of the input. `first` is the number of the first line in the block, counted from 1; other readers ignore it.
    fn block(&mut self, bytes: &[u8], first: u64, sink: &mut Sink<'_>);

    /// The input has ended: what was kept for more is read as it is, or counted as cut.
    fn end(&mut self, sink: &mut Sink<'_>);

    /// What could not be read so far.
    fn faults(&self) -> &Faults;

    /// Whether its blocks must hold whole lines.
    fn by_lines(&self) -> bool {
        true
    }

    /// How many of the bytes that it was given it keeps for more, at their end: who resumes begins before them.
    fn pending(&self) -> usize {
        0
    }

    /// What a new reader must be fed to go on in the middle of the input: the header in force.
    fn header(&self) -> &[u8] {
        &[]
    }
}
