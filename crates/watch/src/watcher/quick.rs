//! Short ways for values that stand in logs most often. Whatever they do not take goes the long way; a test holds that
//! both lead to the same.

use std::net::Ipv4Addr;

use observable::canonical::Parts;
use wide::u8x16;

use crate::set::{Key, Set};

/// The points of a host name that is canonical as it stands, a bit a byte; `None` if it is none, or may be none.
#[inline]
pub(super) fn points(name: &[u8]) -> Option<u64> {
    let length = name.len();
    if !(4..=64).contains(&length) {
        return None;
    }
    let (mut wrong, mut points) = (0, 0);
    let (chunks, _) = name.as_chunks::<16>();
    for (place, chunk) in chunks.iter().enumerate() {
        let class = of_name(*chunk);
        wrong |= class.0;
        points |= class.1 << (16 * place);
    }
    if let Some(last) = name.last_chunk::<16>() {
        let class = of_name(*last);
        wrong |= class.0;
        points |= class.1 << (length - 16);
    } else {
        let class = of_name(short(name)?.to_le_bytes());
        let within = (1 << length) - 1;
        wrong |= class.0 & within;
        points |= class.1 & within;
    }
    // An empty label, or none but the last.
    if wrong != 0 || points == 0 || points & (points << 1 | 1) != 0 {
        return None;
    }
    let last = 64 - points.leading_zeros() as usize;
    // What begins with a digit may be a number, and a name does not end in one.
    name.get(last).is_some_and(|byte| !byte.is_ascii_digit()).then_some(points)
}

/// An IPv4 address as nearly all are written; `None` if it is none, or may be none.
#[inline]
pub(super) fn address(text: &[u8]) -> Option<Ipv4Addr> {
    let length = text.len() as u32;
    if !(7..=15).contains(&length) {
        return None;
    }
    let number = short(text)?;
    let points = is(u8x16::new(number.to_le_bytes()), b'.').to_bitmask() & ((1 << length) - 1);
    let but_first = |bits: u32| bits & bits.wrapping_sub(1);
    let (second, third) = (but_first(points), but_first(but_first(points)));
    if third == 0 || but_first(third) != 0 {
        return None;
    }
    let ends = [points.trailing_zeros(), second.trailing_zeros(), third.trailing_zeros(), length];
    let (mut bits, mut begin, mut wrong) = (0_u32, 0, false);
    for end in ends {
        let digits = end.wrapping_sub(begin);
        wrong |= digits.wrapping_sub(1) > 2;
        // The last three bytes before the end of the part: its first has no three before it.
        let word = match begin {
            0 => (number as u32) << (4_u32.wrapping_sub(end) << 3 & 31) >> 8,
            _ => (number << 8 >> ((8 * end).wrapping_sub(16) & 127)) as u32,
        };
        // As digits, the units lowest, and nothing of what stands before the part.
        let digit = ((word << 8).swap_bytes() ^ 0x30_3030) & 0xFF_FFFF >> (3_u32.wrapping_sub(digits) << 3 & 31);
        wrong |= (digit.wrapping_add(0x76_7676) | digit) & 0x80_8080 != 0;
        // More than 255, or with a zero before its first digit.
        wrong |= digit > 0x02_0505 || digit < 1 << (digits.wrapping_sub(1) << 3 & 31) & !1;
        bits = bits << 8 | ((digit & 0xFF) + 10 * (digit >> 8 & 0xFF) + 100 * (digit >> 16)) & 0xFF;
        begin = end + 1;
    }
    (!wrong).then(|| Ipv4Addr::from_bits(bits))
}

/// Four to fifteen bytes as one number, the first lowest; what lies beyond them is zero.
#[inline]
fn short(bytes: &[u8]) -> Option<u128> {
    let length = bytes.len();
    let (low, high, width) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last), 8),
        _ => {
            let (first, last) = (bytes.first_chunk::<4>()?, bytes.last_chunk::<4>()?);
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 4)
        }
    };
    Some(u128::from(low) | u128::from(high) << (8 * (length - width)))
}

/// Bytes that a canonical name does not have, and points.
#[inline(always)]
fn of_name(chunk: [u8; 16]) -> (u64, u64) {
    let bytes = u8x16::new(chunk);
    let points = is(bytes, b'.');
    let right = within(bytes, b'a', b'z') | within(bytes, b'0', b'9') | is(bytes, b'-') | is(bytes, b'_') | points;
    (u64::from(!right.to_bitmask() as u16), u64::from(points.to_bitmask() as u16))
}

/// The parts of a URL without scheme that is canonical as it stands; `None` if it is none, or may be none.
#[inline]
pub(super) fn url(url: &[u8]) -> Option<Parts<'_>> {
    let (scheme, rest) = match url.strip_prefix(b"http://") {
        Some(rest) => (url.get(..4), rest),
        None => (None, url),
    };
    let host = memchr::memchr(b'/', rest)?;
    let (authority, behind) = rest.split_at_checked(host)?;
    points(authority)?;
    // Dot segments may begin behind a slash, and the query of a URL says nothing of them here.
    if !is_plain(behind) {
        return None;
    }
    let mark = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    Some(Parts { scheme, authority, rest, without_query: rest.get(..mark).unwrap_or_default() })
}

/// Whether a path and query have only bytes that stand for themselves, and no segment begins with a point.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (chunks, tail) = text.as_chunks::<16>();
    let (mut wrong, mut slash) = (0, 0);
    for chunk in chunks {
        wrong |= of_path(*chunk, &mut slash);
    }
    if !tail.is_empty() {
        let mut chunk = [b'a'; 16];
        for (to, from) in chunk.iter_mut().zip(tail) {
            *to = *from;
        }
        wrong |= of_path(chunk, &mut slash);
    }
    wrong == 0
}

/// Bytes that a plain path does not have; `slash` is one if the chunk before ended with a slash.
#[inline(always)]
fn of_path(chunk: [u8; 16], slash: &mut u64) -> u64 {
    let bytes = u8x16::new(chunk);
    let slashes = u64::from(is(bytes, b'/').to_bitmask() as u16);
    let points = u64::from(is(bytes, b'.').to_bitmask() as u16);
    let right = within(bytes, b'&', b';')
        | within(bytes, b'?', b'Z')
        | within(bytes, b'a', b'z')
        | is(bytes, b'=')
        | is(bytes, b'_')
        | is(bytes, b'~')
        | is(bytes, b'!')
        | is(bytes, b'$');
    let segments = points & (slashes << 1 | *slash);
    *slash = slashes >> 15;
    u64::from(!right.to_bitmask() as u16) | segments
}

#[inline(always)]
fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

#[inline(always)]
fn within(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    bytes.max(u8x16::splat(first)).min(u8x16::splat(last)).simd_eq(bytes)
}

/// Values of which the set was asked not long ago, and which it does not claim. They are told apart by keyed
/// fingerprints, like claims: nobody can make a value look like one that was seen.
#[derive(Debug)]
pub(super) struct Recent {
    tags: Box<[u64; 1 << SLOTS]>,
}

const SLOTS: u32 = 13;

/// What no key is: the lowest bits of keys are zero.
const FREE: u64 = u64::MAX;

impl Recent {
    pub(super) fn new() -> Self {
        Self { tags: Box::new([FREE; 1 << SLOTS]) }
    }

    pub(super) fn clear(&mut self) {
        self.tags.fill(FREE);
    }

    #[inline]
    pub(super) fn holds(&self, tag: Key) -> bool {
        self.tags.get(slot(tag)) == Some(&tag.0)
    }

    #[inline]
    pub(super) fn keep(&mut self, tag: Key) {
        if let Some(slot) = self.tags.get_mut(slot(tag)) {
            *slot = tag.0;
        }
    }
}

#[inline]
fn slot(tag: Key) -> usize {
    (tag.0 >> (64 - SLOTS)) as usize
}

/// The keys of the names above a canonical one, as far as they may be claimed: no claim is on a name of one label.
#[inline]
pub(super) fn parents(set: &Set, name: &[u8], points: u64, mut each: impl FnMut(Key)) {
    let mut rest = points;
    while rest & rest.wrapping_sub(1) != 0 {
        let at = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        each(set.plain_key(observable::Kind::Domain, name.get(at + 1..).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::{address, points, url};
    use observable::canonical;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_name_is_canonical(name in "[a-zA-Z0-9._/:é-]{0,70}|([a-z0-9_-]{0,20}\\.){0,5}[a-z0-9x]{0,5}") {
            let mut scratch = Vec::new();
            if let Some(points) = points(name.as_bytes()) {
                prop_assert_eq!(canonical::domain(name.as_bytes(), &mut scratch), Some(name.as_bytes()));
                let expected = name.bytes().enumerate().filter(|(_, byte)| *byte == b'.').fold(0, |bits, (at, _)| bits | 1 << at);
                prop_assert_eq!(points, expected);
            }
        }

        #[test]
        fn a_plain_address_is_one(text in "[0-9]{1,4}(\\.[0-9]{1,3}){2,4}|[0-9.:a-f ]{0,17}|(25[0-9]|1?[0-9]{1,2})(\\.(25[0-9]|1?[0-9]{1,2})){3}[0-9/. é]?") {
            let known = canonical::address(text.as_bytes());
            match address(text.as_bytes()) {
                Some(address) => prop_assert_eq!(Some(std::net::IpAddr::V4(address)), known),
                None => prop_assert!(known.is_none_or(|known| known.is_ipv6() || text.contains(':'))),
            }
        }

        #[test]
        fn a_plain_url_is_canonical(text in "(http://|https://|ftp://|HTTP://)?[a-z0-9.]{1,20}(:80)?/[ -~]{0,40}|[a-z]{1,9}\\.com(/[.a-c]{0,3}){0,9}(\\?[a-z/.]{0,20})?") {
            let mut scratch = Vec::new();
            if let Some(parts) = url(text.as_bytes()) {
                prop_assert_eq!(canonical::url(text.as_bytes(), &mut scratch), Some(text.as_bytes()));
                prop_assert_eq!(parts, canonical::parts(text.as_bytes()));
            }
        }
    }

    #[test]
    fn plain_values_are_taken() {
        assert_eq!(points(b"a.bc"), Some(2));
        assert_eq!(points(b"www.example.org"), Some(1 << 3 | 1 << 11));
        assert_eq!(points(b"r3---sn-4g5e6nez.googlevideo.com"), Some(1 << 16 | 1 << 28));
        for name in ["a.1", "1.2.3.4", "a..b", ".a.b", "a.b.", "A.bc", "localhost", "a.b c", "a:80.b"] {
            assert_eq!(points(name.as_bytes()), None, "{name}");
        }
        assert!(url(b"example.org/a?b=c").is_some());
        assert!(url(b"http://example.org/index.html?session=1&lang=en").is_some());
        for text in [
            "example.org",
            "example.org/../a",
            "example.org/0123456789abcde/./a",
            "example.org/%41",
            "Example.org/",
            "example.org:80/",
        ] {
            assert!(url(text.as_bytes()).is_none(), "{text}");
        }
    }
}
