//! Which record became which piece of a page.

use ledger::{ClassNo, Lookup, Met, Sees, Sight};
use std::cell::RefCell;

/// A viewer's eyes that note of what class each record of a page is, and how long it became.
///
/// Everything that is given goes through [`Sees::record`], so that a page can be taken apart again without reading it.
pub struct Noting<'e> {
    eyes: &'e dyn Sees,
    noted: RefCell<Vec<(ClassNo, usize)>>,
}

impl<'e> Noting<'e> {
    /// Over the eyes of a viewer, for one page.
    #[must_use]
    pub fn new(eyes: &'e dyn Sees) -> Self {
        Self { eyes, noted: RefCell::default() }
    }

    /// Takes a page apart: each body with the class of its record. `count` is the page's own. `None`: it is not a page that
    /// was written under these eyes.
    #[must_use]
    pub fn apart<'p>(&self, page: &'p [u8], count: usize) -> Option<Vec<(&'p [u8], ClassNo)>> {
        let noted = self.noted.borrow();
        // One that was written last may have found no room.
        let given = noted.get(..count)?;
        let mut bodies = Vec::with_capacity(count);
        let mut at = 0;
        for (class, length) in given {
            bodies.push((page.get(at..at + length)?, *class));
            at += length + 1;
        }
        (at.saturating_sub(1) == page.len()).then_some(bodies)
    }
}

impl Sees for Noting<'_> {
    fn class(&self, class: ClassNo) -> Sight {
        match self.eyes.class(class) {
            Sight::Whole => Sight::Part,
            other => other,
        }
    }

    fn record(&self, met: &Met<'_>, book: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool {
        let Some(out) = out else { return self.eyes.record(met, book, None) };
        let start = out.len();
        let given = match self.eyes.class(met.class) {
            Sight::Nothing => false,
            Sight::Whole => {
                out.extend_from_slice(met.body);
                true
            }
            Sight::Part | Sight::Ask => self.eyes.record(met, book, Some(out)),
        };
        if given {
            self.noted.borrow_mut().push((met.class, out.len() - start));
        }
        given
    }
}
