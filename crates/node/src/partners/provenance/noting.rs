//! Which record became which piece of a page.

use ledger::{ClassNo, Lookup, Met, Sees, Sight};
use std::cell::RefCell;

/// A viewer's eyes that note of what class each record of a page is, and how long it became.
///
/// What is given is told to [`Sees::gives`], so that a page can be taken apart again without reading it.
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
        if noted.len() != count {
            return None;
        }
        let mut bodies = Vec::with_capacity(count);
        let mut at = 0;
        for (class, length) in noted.iter() {
            bodies.push((page.get(at..at + length)?, *class));
            at += length + 1;
        }
        (at.saturating_sub(1) == page.len()).then_some(bodies)
    }
}

impl Sees for Noting<'_> {
    fn class(&self, class: ClassNo) -> Sight {
        self.eyes.class(class)
    }

    fn record(&self, met: &Met<'_>, book: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool {
        self.eyes.record(met, book, out)
    }

    fn gives(&self, class: ClassNo, length: usize) {
        self.noted.borrow_mut().push((class, length));
    }
}
