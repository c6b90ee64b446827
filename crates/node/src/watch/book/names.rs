//! The names under which indicators stand in the set: small numbers, each of which stays with its object.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// How an indicator's id begins.
const PREFIX: &str = "indicator--";

/// The UUID of an indicator.
pub(super) type Uuid = [u8; 16];

/// Numbers of indicators, 20 to 26 bytes each: the UUIDs in their order of arrival, and a table of places in that, keyed by
/// chance, since whoever makes indicators chooses their UUIDs.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<Uuid>,
    /// Places in `all`, one more than they are; 0: free. Its length is a power of two.
    slots: Vec<u32>,
    hasher: RandomState,
}

impl Names {
    /// The name of an object; a new one if it has none. `None`: there are too many.
    pub(super) fn name(&mut self, uuid: Uuid) -> Option<u64> {
        if self.all.len() * 10 >= self.slots.len() * 7 {
            self.grow();
        }
        let slot = self.slot(&uuid)?;
        let held = self.slots.get_mut(slot)?;
        if *held == 0 {
            *held = u32::try_from(self.all.len()).ok()?.checked_add(1)?;
            self.all.push(uuid);
        }
        Some(u64::from(*held - 1))
    }

    /// The name of an object that has one.
    pub(super) fn known(&self, uuid: &Uuid) -> Option<u64> {
        let held = *self.slots.get(self.slot(uuid)?)?;
        held.checked_sub(1).map(u64::from)
    }

    /// The id of the object with this name.
    pub(super) fn id(&self, name: u64) -> Option<String> {
        let uuid = self.all.get(usize::try_from(name).ok()?)?;
        Some(format!("{PREFIX}{}", uuid::Uuid::from_bytes(*uuid).hyphenated()))
    }

    /// What they take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * 16 + self.slots.capacity() * 4
    }

    /// Where an object stands, or would.
    fn slot(&self, uuid: &Uuid) -> Option<usize> {
        let last = self.slots.len().checked_sub(1)?;
        let mut slot = usize::try_from(self.hasher.hash_one(uuid) & last as u64).ok()?;
        loop {
            match *self.slots.get(slot)? {
                0 => return Some(slot),
                held if self.all.get(held as usize - 1) == Some(uuid) => return Some(slot),
                _ => slot = (slot + 1) & last,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(64)];
        for place in 0..self.all.len() {
            let slot = self.all.get(place).and_then(|uuid| self.slot(uuid));
            let slot = slot.and_then(|slot| self.slots.get_mut(slot));
            if let (Some(slot), Ok(held)) = (slot, u32::try_from(place + 1)) {
                *slot = held;
            }
        }
    }
}

/// The UUID in an indicator's id.
pub(super) fn uuid_of(id: &str) -> Option<Uuid> {
    uuid::Uuid::try_parse(id.strip_prefix(PREFIX)?).ok().map(uuid::Uuid::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_keeps_its_name() {
        let mut names = Names::default();
        let uuid = |number: u32| uuid::Uuid::from_u128(u128::from(number) << 3).into_bytes();
        assert_eq!((names.known(&uuid(1)), names.id(0)), (None, None));
        for number in 0..5_000 {
            assert_eq!(names.name(uuid(number)), Some(u64::from(number)));
            assert_eq!(names.name(uuid(number / 2)), Some(u64::from(number / 2)));
        }
        for number in 0..5_000 {
            assert_eq!(names.known(&uuid(number)), Some(u64::from(number)));
            let id = names.id(u64::from(number)).unwrap();
            assert_eq!(uuid_of(&id), Some(uuid(number)), "{id}");
        }
        assert_eq!((names.known(&uuid(5_000)), names.all.len()), (None, 5_000));
        assert!(names.bytes() < 5_000 * 50);
        assert_eq!(uuid_of("malware--00000000-0000-4000-8000-000000000000"), None);
        assert_eq!(uuid_of("indicator--x"), None);
    }
}
