//! Splitting a document in memory.

use std::ops::Range;

use super::error::{Fault, FaultKind};
use super::outline::{Broken, Outline, Step};
use super::{Container, Place};
use crate::json::{self, Limits, Series, Value};

/// Goes over a document in memory object by object, parsing each of them on the way: the text is gone over once.
///
/// ```
/// use stix::{json::Limits, split::Walk};
/// let mut walk = Walk::new(br#"[{"id": "tool--1"}, {"id": ?}]"#, Limits::default());
/// let first = walk.next_item()?.map(|item| item.value.map(|value| value.len()));
/// assert_eq!(first, Some(Ok(1)));
/// let second = walk.next_item()?.map(|item| (item.place.to_string(), item.value.is_err()));
/// assert_eq!(second, Some((String::from("$[1]"), true)));
/// assert_eq!(walk.next_item()?.map(|item| item.place), None);
/// # Ok::<(), stix::split::Fault>(())
/// ```
#[derive(Debug)]
pub struct Walk<'t> {
    text: &'t [u8],
    outline: Outline,
    series: Series,
    limits: Limits,
    done: bool,
}

/// One object of a document in memory.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    /// Its bytes.
    pub text: &'a [u8],
    /// Bytes from the start of the document; [`json::position`] tells the line.
    pub offset: usize,
    /// Its place in the document.
    pub place: Place,
    /// The object, or what is wrong with it as JSON; offsets count from the start of the document.
    pub value: Result<Value<'a>, json::Error>,
}

impl<'t> Walk<'t> {
    /// Begins at the start of the document. The limits hold for each object, and for the container's own members.
    #[must_use]
    pub fn new(text: &'t [u8], limits: Limits) -> Self {
        Self { text, outline: Outline::new(limits), series: Series::default(), limits, done: false }
    }

    /// What the last object stood in, as far as it is known; all of it once `next_item` has given `None`.
    #[must_use]
    pub fn container(&self) -> &Container {
        self.outline.container()
    }

    /// Values at the top of the document so far: the containers and bare objects, of which one may follow another.
    #[must_use]
    pub fn values(&self) -> usize {
        self.outline.values()
    }

    /// The next object; `None` at the end, and after an error.
    ///
    /// # Errors
    /// When the document cannot be followed any further. The objects before that stand.
    pub fn next_item(&mut self) -> Result<Option<Walked<'_>>, Fault> {
        if self.done {
            return Ok(None);
        }
        let Some((range, outcome)) = self.find()? else {
            self.done = true;
            return Ok(None);
        };
        let text = self.text.get(range.clone()).unwrap_or_default();
        let value = outcome.map(|source| self.series.value(source, range.start));
        Ok(Some(Walked { text, offset: range.start, place: self.outline.place(), value }))
    }

    /// The next object's range and what came of parsing it.
    #[expect(clippy::type_complexity, reason = "the result of one private step")]
    fn find(&mut self) -> Result<Option<(Range<usize>, Result<&'t str, json::Error>)>, Fault> {
        let text = self.text;
        match self.outline.step(text, true, true) {
            Ok(Step::Start(at)) => match self.series.fill(text, at, &self.limits) {
                Ok((source, range)) => {
                    self.outline.took(range.end);
                    Ok(Some((range, Ok(source))))
                }
                // Bad JSON is gone past if it is well nested; if not, its first fault is the document's.
                Err(error) => match self.outline.step(text, true, false) {
                    Ok(Step::Item(range)) => Ok(Some((range, Err(error)))),
                    _ => Err(self.fault(Broken { at: error.offset, kind: FaultKind::Json(error.kind) })),
                },
            },
            Ok(Step::Item(range)) => {
                let outcome = self.series.fill_range(text, range.clone(), &self.limits);
                Ok(Some((range, outcome)))
            }
            Ok(Step::More | Step::End) => Ok(None),
            Err(broken) => Err(self.fault(broken)),
        }
    }

    fn fault(&mut self, Broken { at, kind }: Broken) -> Fault {
        self.done = true;
        let (line, column) = json::position(self.text, at);
        Fault { offset: at as u64, line: line as u64, column: column as u64, kind }
    }
}
