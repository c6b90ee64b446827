//! Splitting a stream.

use std::io::Read;

use super::error::{Error, Fault};
use super::lines::Lines;
use super::outline::{Broken, Outline, Step};
use super::{Container, Item};
use crate::json::Limits;

/// Bytes that are asked of the source at a time.
const CHUNK: usize = 256 << 10;

/// Reads the objects of a document one by one, holding one of them and a chunk of the stream in memory at most.
///
/// ```
/// use stix::{json::Limits, split::Splitter};
/// let source = br#"{"type": "bundle", "id": "bundle--1", "objects": [{"a": 1}, {"b": 2}]}"#;
/// let mut splitter = Splitter::new(source.as_slice(), Limits::default());
/// let mut found = Vec::new();
/// while let Some(item) = splitter.next_item()? {
///     found.push(format!("{} {}", item.place, String::from_utf8_lossy(item.text)));
/// }
/// assert_eq!(found, [r#"$.objects[0] {"a": 1}"#, r#"$.objects[1] {"b": 2}"#]);
/// # Ok::<(), stix::split::Error>(())
/// ```
#[derive(Debug)]
pub struct Splitter<R> {
    pub(super) source: R,
    pub(super) buffer: Vec<u8>,
    /// How much of the buffer holds text.
    filled: usize,
    /// The source has no more.
    last: bool,
    /// The document has ended, well or not.
    done: bool,
    outline: Outline,
    lines: Lines,
    limits: Limits,
}

impl<R: Read> Splitter<R> {
    /// Reads from `source`, which need not be buffered. The limits hold for each object, and for the container's own
    /// members.
    pub fn new(source: R, limits: Limits) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            filled: 0,
            last: false,
            done: false,
            outline: Outline::new(limits),
            lines: Lines::default(),
            limits,
        }
    }

    /// What the last object stood in, as far as it is known; all of it once `next_item` has given `None`.
    #[must_use]
    pub fn container(&self) -> &Container {
        self.outline.container()
    }

    /// The next object; `None` at the end, and after an error.
    ///
    /// # Errors
    /// When the source fails, or the document cannot be followed any further. The objects before that were good.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, Error> {
        if self.done {
            return Ok(None);
        }
        match self.find() {
            Ok(Some(range)) => {
                self.lines.go(&self.buffer, range.start);
                let (line, column, offset) = (self.lines.line, self.lines.column, self.lines.offset());
                let text = self.buffer.get(range).unwrap_or_default();
                Ok(Some(Item { text, offset, line, column, place: self.outline.place() }))
            }
            Ok(None) => {
                self.done = true;
                Ok(None)
            }
            Err(error) => {
                self.done = true;
                Err(error)
            }
        }
    }

    fn find(&mut self) -> Result<Option<std::ops::Range<usize>>, Error> {
        loop {
            let text = self.buffer.get(..self.filled).unwrap_or_default();
            match self.outline.step(text, self.last, false) {
                Ok(Step::Item(range)) => return Ok(Some(range)),
                Ok(Step::End) => return Ok(None),
                Ok(Step::More | Step::Start(_)) => self.read()?,
                Err(broken) => return Err(self.fault(broken).into()),
            }
        }
    }

    /// Reads on, after putting what is still needed to the start of the buffer.
    fn read(&mut self) -> Result<(), Error> {
        let gone = self.outline.keep().min(self.filled);
        if gone > 0 {
            self.lines.drop(&self.buffer, gone);
            self.buffer.copy_within(gone..self.filled, 0);
            self.filled -= gone;
            self.outline.shift(gone);
        }
        // Twice what is held, so that a large object is moved and extended seldom; never more than it may have.
        let most = self.limits.max_bytes.saturating_add(CHUNK);
        let wanted = (self.filled * 2).max(CHUNK).min(most).max(self.filled + 1);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        loop {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.source.read(room) {
                Ok(0) => self.last = true,
                Ok(count) => self.filled += count.min(room.len()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            return Ok(());
        }
    }

    fn fault(&mut self, Broken { at, kind }: Broken) -> Fault {
        let at = at.min(self.filled);
        self.lines.go(&self.buffer, at);
        Fault { offset: self.lines.offset(), line: self.lines.line, column: self.lines.column, kind }
    }
}
