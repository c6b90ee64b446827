//! Plain text: what looks like an observable is one.

use super::{Fault, Line, Sink};
use crate::read::gather::Gather;

/// Lines of plain text.
#[derive(Debug, Default)]
pub struct Plain {
    gather: Gather,
}

impl Plain {
    /// A reader of lines of text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Line for Plain {
    fn line(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.gather.clear();
        self.gather.text("text", line);
        self.gather.emit(number, line, sink);
        Ok(())
    }
}
