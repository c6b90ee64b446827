//! Addresses of version 4 as nearly all logs write them, read sixteen bytes at once.

use std::net::Ipv4Addr;

#[cfg(target_arch = "x86_64")]
use fearless_simd::Level;
use fearless_simd::prelude::*;
use fearless_simd::u8x16;

#[cfg(target_arch = "x86_64")]
use super::quick;

/// Slots of the shapes, and what spreads all 81 of them over these without a collision; a test holds that it does.
const SLOTS: usize = 256;
const MULTIPLIER: u32 = 0xE07B_DB9F;

/// How many digits the parts of an address have.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// From where digits are taken: those that count hundreds, each with room for another byte, and behind them units and
    /// tens in turn. What a part does not have is taken from the first point.
    take: [u8; 16],
    /// For each part the least number that is written with so many digits.
    least: u64,
    /// The points, and the byte behind the last digit; 0 in a slot without a shape.
    points: u32,
}

/// Reads addresses.
#[derive(Debug)]
pub(super) struct Quads {
    shapes: Box<[Shape; SLOTS]>,
}

/// Every other byte: four numbers of 16 bits each that have no high part.
const LOW: u64 = 0x00FF_00FF_00FF_00FF;
const SIGNS: u64 = 0x8000_8000_8000_8000;

impl Quads {
    pub(super) fn new() -> Self {
        let mut shapes = Box::new([Shape::default(); SLOTS]);
        for number in 0..81 {
            let shape = shape([number / 27, number / 9 % 3, number / 3 % 3, number % 3].map(|digits| digits + 1));
            if let Some(slot) = shapes.get_mut(slot(shape.points)) {
                *slot = shape;
            }
        }
        Self { shapes }
    }

    /// The address that is written in the first `length` of these bytes; `None` if it is none, or may be none.
    #[inline(always)]
    pub(super) fn read<S: Simd>(&self, simd: S, bytes: &[u8; 16], length: usize) -> Option<u32> {
        if length > 15 {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        if matches!(simd.level(), Level::Sse2(_)) {
            // Without an instruction that moves bytes by a table, it is slower than this.
            return bytes.get(..length).and_then(quick::address).map(Ipv4Addr::to_bits);
        }
        let end = 1_u32 << length;
        let text = u8x16::load_array_ref(simd, bytes);
        let digits = text - b'0';
        let is_digit = digits.simd_le(9);
        let points = text.simd_eq(b'.').to_bitmask() as u32 & (end - 1);
        let shape = self.shapes.get(slot(points | end))?;
        // Of one shape with it, and nothing but digits between its points.
        let mut wrong =
            u64::from((shape.points ^ (points | end)) | (!(is_digit.to_bitmask() as u32 | points) & (end - 1)));
        let zero = u8x16::splat(simd, 0);
        let taken = is_digit.select(digits, zero).swizzle_dyn_within_blocks(u8x16::load_array_ref(simd, &shape.take));
        let taken = u128::from_le_bytes(taken.to_array());
        let (hundreds, rest) = (taken as u64, (taken >> 64) as u64);
        // Of another shape, bytes may stand where none are expected.
        let parts = hundreds.wrapping_mul(100).wrapping_add((rest >> 8 & LOW) * 10).wrapping_add(rest & LOW);
        // More than 255, or with a zero before its first digit.
        wrong |= parts & !LOW;
        wrong |= ((parts | SIGNS) - shape.least) & SIGNS ^ SIGNS;
        let pairs = (parts | parts >> 8) & 0xFFFF_0000_FFFF;
        (wrong == 0).then_some(((pairs | pairs >> 16) as u32).swap_bytes())
    }
}

/// The shape of addresses whose parts have so many digits.
fn shape(digits: [u8; 4]) -> Shape {
    let [first, ..] = digits;
    let mut shape = Shape { take: [first; 16], ..Shape::default() };
    let mut begin = 0;
    for (part, digits) in (0..).zip(digits) {
        let end = begin + digits;
        let places = [8 + 2 * part, 9 + 2 * part, 2 * part];
        for (place, from) in places.into_iter().zip((begin..end).rev()) {
            if let Some(take) = shape.take.get_mut(place) {
                *take = from;
            }
        }
        let least = match digits {
            1 => 0,
            2 => 10,
            _ => 100,
        };
        shape.least |= least << (16 * part);
        shape.points |= 1 << end;
        begin = end + 1;
    }
    shape
}

#[inline(always)]
fn slot(points: u32) -> usize {
    (points.wrapping_mul(MULTIPLIER) >> 24) as usize
}

/// Addresses of which the set was asked not long ago, and which it does not claim. Each is kept as it is, so that none is
/// taken for another.
#[derive(Debug)]
pub(super) struct RecentQuads {
    /// What of an address, once mixed, does not say its slot, and one; 0 if the slot is free.
    kept: Box<[u32]>,
}

const BITS: u32 = 15;

impl RecentQuads {
    pub(super) fn new() -> Self {
        Self { kept: vec![0; 1 << BITS].into_boxed_slice() }
    }

    pub(super) fn clear(&mut self) {
        self.kept.fill(0);
    }

    #[inline(always)]
    pub(super) fn holds(&self, address: u32) -> bool {
        let (slot, rest) = mixed(address);
        self.kept.get(slot) == Some(&rest)
    }

    #[inline(always)]
    pub(super) fn keep(&mut self, address: u32) {
        let (slot, rest) = mixed(address);
        if let Some(kept) = self.kept.get_mut(slot) {
            *kept = rest;
        }
    }

    pub(super) fn forget(&mut self, address: u32) {
        let (slot, rest) = mixed(address);
        if let Some(kept) = self.kept.get_mut(slot)
            && *kept == rest
        {
            *kept = 0;
        }
    }
}

/// The slot of an address, and what else there is to it. A product with an odd number is another one for each.
#[inline(always)]
fn mixed(address: u32) -> (usize, u32) {
    let mixed = address.wrapping_mul(0x9E37_79B1);
    ((mixed >> (32 - BITS)) as usize, (mixed & (u32::MAX >> BITS)) + 1)
}

/// An address in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quad {
    pub(super) address: u32,
    /// Of its line.
    pub(super) place: u32,
}

impl Quad {
    pub(super) fn address(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use fearless_simd::Level;
    use observable::canonical;
    use proptest::prelude::*;

    use super::{Quads, RecentQuads, mixed};
    use crate::vectors::{self, Work};

    struct Read<'r>(&'r Quads, &'r [u8; 16], usize);

    impl Work for Read<'_> {
        type Output = Option<u32>;

        fn with<S: fearless_simd::Simd>(self, simd: S) -> Option<u32> {
            self.0.read(simd, self.1, self.2)
        }
    }

    /// Reads an address with what stands behind it, in all ways there are.
    fn read(quads: &Quads, text: &str, behind: &str) -> Option<IpAddr> {
        let bytes: Vec<u8> = text.bytes().chain(behind.bytes()).chain([b'7'; 16]).collect();
        let read = |level| vectors::run(level, Read(quads, bytes.first_chunk().unwrap(), text.len()));
        let [one, other] = [Level::new(), Level::baseline()].map(read);
        assert_eq!(one, other, "{text}");
        one.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
    }

    #[test]
    fn every_shape_has_a_slot() {
        let quads = Quads::new();
        assert_eq!(quads.shapes.iter().filter(|shape| shape.points != 0).count(), 81);
        let number = |digits: usize| ["0", "9", "10", "99", "100", "255"][digits];
        for choice in 0..6_usize.pow(4) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|part| number(choice / 6_usize.pow(part) % 6));
            let text = format!("{a}.{b}.{c}.{d}");
            assert_eq!(read(&quads, &text, "\t1.2"), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_read() {
        let quads = Quads::new();
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.",
            ".1.2.3",
            "1..2.3",
            "1.2.3.4.",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.02.3.4",
            "1.2.003.4",
            "1.2.3.00",
            "256.1.1.1",
            "1.2.3.256",
            "1.999.3.4",
            "1.2.3.1000",
            "1.2.3.a",
            "1.2.3./",
            "1.2.3.:",
            "1.2.3.4 ",
            "-1.2.3.4",
            "1,2,3,4",
            "::1",
            "1.2.3.4/24",
            "255.255.255.2555",
            "www.example.org",
            "1.2.3.\u{e9}",
        ] {
            assert_eq!(read(&quads, text, ""), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn addresses_are_read_as_slowly(
            text in "[0-9]{1,4}(\\.[0-9]{1,3}){2,4}|[0-9.:a-f ]{0,17}|(25[0-9]|1?[0-9]{1,2})(\\.(25[0-9]|1?[0-9]{1,2})){3}[0-9/. é]?",
            behind in "[0-9.\t ,]{0,4}",
        ) {
            let known = canonical::address(text.as_bytes());
            match read(&Quads::new(), &text, &behind) {
                Some(address) => prop_assert_eq!(Some(address), known),
                None => prop_assert!(known.is_none_or(|known| known.is_ipv6() || text.contains(':'))),
            }
        }

        #[test]
        fn all_addresses_are_read(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(read(&Quads::new(), &address.to_string(), ""), Some(IpAddr::V4(address)));
        }

        #[test]
        fn what_was_kept_is_known_until_its_slot_is_taken(addresses in proptest::collection::vec(any::<u32>(), 1..20)) {
            let mut recent = RecentQuads::new();
            prop_assert!(!recent.holds(0) && addresses.iter().all(|address| !recent.holds(*address)));
            for (at, address) in addresses.iter().enumerate() {
                recent.keep(*address);
                let taken = |earlier: u32| addresses[..=at].iter().any(|later| later != &earlier && mixed(*later).0 == mixed(earlier).0);
                prop_assert!(recent.holds(*address));
                prop_assert!(addresses[..=at].iter().all(|earlier| recent.holds(*earlier) || taken(*earlier)));
                // No address is taken for another one.
                prop_assert!(!recent.holds(address ^ 1) || addresses.contains(&(address ^ 1)));
            }
            recent.forget(addresses[0]);
            prop_assert!(!recent.holds(addresses[0]));
        }
    }
}
