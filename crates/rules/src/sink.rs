//! Where an export goes.

use std::io::{self, Write};

/// Takes the bytes of the files of an export. Pieces of several files come in turn, those of one file in their order.
pub trait Sink {
    /// Adds to the end of a file. The name is one of the export's own, never a stranger's.
    ///
    /// # Errors
    /// Those of the place where it goes.
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()>;
}

/// An export of one file, which goes where it is told.
pub struct One<W>(W);

impl<W: Write> One<W> {
    /// To this place.
    pub fn new(out: W) -> Self {
        Self(out)
    }
}

impl<W: Write> Sink for One<W> {
    fn put(&mut self, _: &'static str, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

/// One file of an export of several; the others go nowhere.
pub struct Part<W> {
    out: W,
    file: &'static str,
}

impl<W: Write> Part<W> {
    /// This file, to this place.
    pub fn new(file: &'static str, out: W) -> Self {
        Self { out, file }
    }
}

impl<W: Write> Sink for Part<W> {
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        if file == self.file { self.out.write_all(bytes) } else { Ok(()) }
    }
}
