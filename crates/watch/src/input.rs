//! Inputs: files, folders that grow, standard input; packed or not; in whatever format.

mod ahead;
mod cut;
mod detect;
mod folder;
mod follow;
mod mark;
mod open;
mod state;

pub use ahead::{Piece, ahead};
pub use cut::{Cutter, LONGEST_LINE};
pub use detect::{Format, HEAD, Wanted, detect, enough};
pub use folder::files;
pub use follow::{Follower, Make, Notice, Round};
pub use open::{Opened, Packed, open, open_stream};
pub use state::{State, StateError};

use crate::read::Faults;

/// What looks at the bytes of one input.
pub trait Eye {
    /// Looks at bytes that end with the end of a line, or anywhere if the format has no lines; `first` is the number of
    /// the first line, from 1.
    fn block(&mut self, bytes: &[u8], first: u64);

    /// Nothing more will come.
    fn end(&mut self);

    /// Whether it wants whole lines.
    fn by_lines(&self) -> bool;

    /// How many of the bytes that it was given it keeps for more: see [`crate::read::Reader::pending`].
    fn pending(&self) -> usize;

    /// What another must be given to go on in the middle: see [`crate::read::Reader::header`].
    fn header(&self) -> &[u8];

    /// Counts what could not be read, by whoever gave the bytes.
    fn count(&mut self, faults: &Faults);
}
