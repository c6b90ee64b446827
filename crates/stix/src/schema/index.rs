//! Finding a name in a constant list with one look: a perfect hash that the compiler searches for.

use super::{Property, Shape};

/// A table from names to their numbers; `N` is a power of two.
#[derive(Debug)]
pub struct Index<const N: usize> {
    seed: u64,
    numbers: [u8; N],
}

const NONE: u8 = u8::MAX;

impl<const N: usize> Index<N> {
    /// The index of two lists of properties, numbered one after the other.
    pub(super) const fn of_properties(common: &[Property], own: &[Property]) -> Self {
        let mut seed = FIRST_SEED;
        loop {
            let mut numbers = [NONE; N];
            let next = place_properties(&mut numbers, common, seed, Some(0));
            if place_properties(&mut numbers, own, seed, next).is_some() {
                return Self { seed, numbers };
            }
            seed = next_seed(seed);
        }
    }

    /// The index of the names of a list of shapes.
    pub(super) const fn of_shapes(shapes: &[&Shape]) -> Self {
        let mut seed = FIRST_SEED;
        loop {
            let mut numbers = [NONE; N];
            let mut next = Some(0);
            let mut rest = shapes;
            while let [shape, more @ ..] = rest {
                next = place(&mut numbers, shape.name.as_bytes(), seed, next);
                rest = more;
            }
            if next.is_some() {
                return Self { seed, numbers };
            }
            seed = next_seed(seed);
        }
    }

    /// The number of `name` if it is in the list; any number otherwise. The caller compares the names.
    #[inline]
    pub(super) fn candidate(&self, name: &[u8]) -> usize {
        let slot = slot::<N>(name, self.seed);
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
    seed: u64,
    mut next: Option<u8>,
) -> Option<u8> {
    while let [property, rest @ ..] = properties {
        next = place(numbers, property.name.as_bytes(), seed, next);
        properties = rest;
    }
    next
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; the slot is below N by the shift")]
const fn place<const N: usize>(numbers: &mut [u8; N], name: &[u8], seed: u64, next: Option<u8>) -> Option<u8> {
    let Some(number) = next else { return None };
    let slot = slot::<N>(name, seed);
    if numbers[slot] != NONE {
        return None;
    }
    numbers[slot] = number;
    Some(number + 1)
}

/// The place of a name in a table of `N`: the top bits of its hash, on which every bit of the name has a say.
#[inline]
const fn slot<const N: usize>(name: &[u8], seed: u64) -> usize {
    (hash(name, seed) >> (u64::BITS - N.trailing_zeros())) as usize
}

/// Mixes the length with the first and the last bytes, which tell the standard's names apart.
#[inline]
const fn hash(name: &[u8], seed: u64) -> u64 {
    let (first, last) = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => (short(name), 0),
    };
    let middle = match name {
        [_, _, _, _, five, six, ..] => (*five as u64) << 8 | *six as u64,
        _ => 0,
    };
    let ends = first as u64 | (last as u64) << 32;
    (ends ^ ((name.len() as u64) << 16 | middle).wrapping_mul(FIRST_SEED)).wrapping_mul(seed)
}

/// An odd number whose bits look random; the search for a seed goes on from it.
const FIRST_SEED: u64 = 0x9E37_79B9_7F4A_7C15;

const fn next_seed(seed: u64) -> u64 {
    seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F) | 1
}

const fn short(name: &[u8]) -> u32 {
    match name {
        [one] => *one as u32,
        [one, two] => (*one as u32) << 8 | *two as u32,
        [one, two, three] => (*one as u32) << 16 | (*two as u32) << 8 | *three as u32,
        _ => 0,
    }
}
