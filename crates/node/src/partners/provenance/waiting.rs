//! What waits for the next page: objects whose seals have not come yet, and seals whose objects have not.

use bytes::Bytes;
use partner::signed::Unverified;
use std::sync::Arc;

/// Objects, and seals, that wait at most …
const MOST: usize = 4_096;
/// … and bytes of each.
const MOST_BYTES: usize = 32 << 20;

/// What of one round of a link waits for a further page. Empty at the beginning of the round; at its end
/// [`super::Incoming::give_up`] says what became of the rest.
#[derive(Debug, Default)]
pub struct Waiting {
    pub(super) objects: Shelf<Bytes>,
    pub(super) seals: Shelf<Arc<(Unverified, Bytes)>>,
}

impl Waiting {
    /// How many objects wait for their seals.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects.held.len()
    }
}

/// A bounded place to wait.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    held: Vec<T>,
    bytes: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { held: Vec::new(), bytes: 0 }
    }
}

impl<T> Shelf<T> {
    /// Takes something of this length in, or gives it back if there is no room.
    pub(super) fn put(&mut self, value: T, length: usize) -> Option<T> {
        if self.held.len() >= MOST || self.bytes + length > MOST_BYTES {
            return Some(value);
        }
        self.bytes += length;
        self.held.push(value);
        None
    }

    /// Everything, in the order in which it came.
    pub(super) fn take(&mut self) -> Vec<T> {
        self.bytes = 0;
        std::mem::take(&mut self.held)
    }
}
