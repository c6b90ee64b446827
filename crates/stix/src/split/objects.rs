//! Splitting a document in memory without parsing its objects.

use super::error::Fault;
use super::lines::Lines;
use super::outline::{Broken, Outline, Step};
use super::{Container, Item};
use crate::json::Limits;

/// The objects of a document in memory, within the default [`Limits`].
///
/// ```
/// let texts: Result<Vec<&[u8]>, _> =
///     stix::split::objects(br#"{"objects": [{"a": 1}, {}]}"#).map(|found| found.map(|object| object.text)).collect();
/// assert_eq!(texts?, [br#"{"a": 1}"#.as_slice(), b"{}"]);
/// # Ok::<(), stix::split::Fault>(())
/// ```
#[must_use]
pub fn objects(text: &[u8]) -> Objects<'_> {
    let outline = Outline::new(Limits::default());
    Objects { text, outline, lines: Lines::default(), done: false }
}

/// The iterator that [`objects`] gives: it ends after the first fault.
#[derive(Debug)]
pub struct Objects<'t> {
    text: &'t [u8],
    outline: Outline,
    lines: Lines,
    done: bool,
}

impl Objects<'_> {
    /// What the last object stood in, as far as it is known; all of it at the end.
    #[must_use]
    pub fn container(&self) -> &Container {
        self.outline.container()
    }
}

impl<'t> Iterator for Objects<'t> {
    type Item = Result<Item<'t>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.outline.step(self.text, true, false);
        if let Ok(Step::Item(range)) = step {
            self.lines.go(self.text, range.start);
            let (offset, line, column) = (self.lines.offset(), self.lines.line, self.lines.column);
            let text = self.text.get(range).unwrap_or_default();
            return Some(Ok(Item { text, offset, line, column, place: self.outline.place() }));
        }
        self.done = true;
        let Broken { at, kind } = step.err()?;
        self.lines.go(self.text, at);
        Some(Err(Fault { offset: at as u64, line: self.lines.line, column: self.lines.column, kind }))
    }
}
