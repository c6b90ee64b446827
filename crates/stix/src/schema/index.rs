//! Finding a name in a constant list with one look: a perfect hash that the compiler searches for.

use super::Property;

/// A table from names to their numbers; `N` is a power of two.
#[derive(Debug)]
pub struct Index<const N: usize> {
    seed: u32,
    numbers: [u8; N],
}

const NONE: u8 = u8::MAX;

impl<const N: usize> Index<N> {
    /// The index of two lists of properties, numbered one after the other.
    pub(super) const fn of_properties(common: &[Property], own: &[Property]) -> Self {
        let mut seed = 1;
        loop {
            let mut numbers = [NONE; N];
            let next = place_properties(&mut numbers, common, seed, Some(0));
            if place_properties(&mut numbers, own, seed, next).is_some() {
                return Self { seed, numbers };
            }
            seed += 2;
        }
    }

    /// The index of a list of names.
    pub(super) const fn of_names(names: &[&str]) -> Self {
        let mut seed = 1;
        loop {
            let mut numbers = [NONE; N];
            let mut next = Some(0);
            let mut rest = names;
            while let [name, more @ ..] = rest {
                next = place(&mut numbers, name.as_bytes(), seed, next);
                rest = more;
            }
            if next.is_some() {
                return Self { seed, numbers };
            }
            seed += 2;
        }
    }

    /// The number of `name` if it is in the list; any number otherwise. The caller compares the names.
    #[inline]
    pub(super) fn candidate(&self, name: &[u8]) -> usize {
        let slot = hash(name, self.seed) as usize & (N - 1);
        self.numbers.get(slot).map_or(usize::MAX, |number| *number as usize)
    }
}

/// Whether two names are the same; most are short enough for two looks of eight bytes each.
#[inline]
pub(super) fn same(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let ends = |name: &[u8]| {
        (name.first_chunk().copied().map(u64::from_le_bytes), name.last_chunk().copied().map(u64::from_le_bytes))
    };
    if (8..=16).contains(&one.len()) { ends(one) == ends(two) } else { one == two }
}

const fn place_properties<const N: usize>(
    numbers: &mut [u8; N],
    mut properties: &[Property],
    seed: u32,
    mut next: Option<u8>,
) -> Option<u8> {
    while let [property, rest @ ..] = properties {
        next = place(numbers, property.name.as_bytes(), seed, next);
        properties = rest;
    }
    next
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; the slot is below N by the mask")]
const fn place<const N: usize>(numbers: &mut [u8; N], name: &[u8], seed: u32, next: Option<u8>) -> Option<u8> {
    let Some(number) = next else { return None };
    let slot = hash(name, seed) as usize & (N - 1);
    if numbers[slot] != NONE {
        return None;
    }
    numbers[slot] = number;
    Some(number + 1)
}

/// Mixes the length with the first and the last bytes, which tell the standard's names apart.
#[inline]
const fn hash(name: &[u8], seed: u32) -> u32 {
    let (first, last) = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => (short(name), 0),
    };
    let middle = match name {
        [_, _, _, _, five, six, ..] => (*five as u32) << 8 | *six as u32,
        [_, _, _, _, five] => *five as u32,
        _ => 0,
    };
    let mixed = first.wrapping_mul(seed.wrapping_mul(0x9E37_79B1))
        ^ last.wrapping_mul(seed.wrapping_mul(0x85EB_CA6B)).rotate_left(13)
        ^ (middle.wrapping_add((name.len() as u32) << 16)).wrapping_mul(seed.wrapping_mul(0xC2B2_AE35)).rotate_left(7);
    (mixed ^ mixed >> 15).wrapping_mul(0x2C1B_3C6D) >> 17
}

const fn short(name: &[u8]) -> u32 {
    match name {
        [one] => *one as u32,
        [one, two] => (*one as u32) << 8 | *two as u32,
        [one, two, three] => (*one as u32) << 16 | (*two as u32) << 8 | *three as u32,
        _ => 0,
    }
}
