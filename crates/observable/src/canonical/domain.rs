//! Host names.

/// The longest name in its text form, without the final point (RFC 1035 §2.3.4).
pub const MAX_DOMAIN: usize = 253;

/// The longest label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// The most bytes that are handed to IDNA: no name of 253 letters is longer before it is encoded, and the text of a log
/// may be.
const MAX_WRITTEN: usize = 1024;

/// What a byte is in a name.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Class {
    /// A lower-case letter, a digit, a hyphen or an underscore (service names, RFC 8552).
    Canonical,
    Upper,
    Point,
    /// Not ASCII: IDNA decides.
    Wide,
    Wrong,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Wrong; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "a constant, below 256")]
        {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => Class::Canonical,
                b'A'..=b'Z' => Class::Upper,
                b'.' => Class::Point,
                128.. => Class::Wide,
                _ => Class::Wrong,
            };
        }
        byte += 1;
    }
    table
};

/// What was seen of a name that is written in ASCII.
struct Ascii {
    upper: bool,
    wide: bool,
}

/// A host name: lower-case A-labels (UTS #46, non-transitional) without the final point. Labels have 1 to 63 bytes, the
/// name up to 253. An address is no name, and neither is what ends in a number (RFC 3696 §2).
///
/// A label that begins with `xn--` is kept even if it decodes to nothing: such names are asked for and answered.
#[must_use]
pub fn domain<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let name = raw.strip_suffix(b".").unwrap_or(raw);
    if is_canonical(name) {
        return Some(name);
    }
    let seen = look(name)?;
    if seen.wide {
        return encoded(raw, scratch);
    }
    if name.len() > MAX_DOMAIN || ends_in_number(name) {
        return None;
    }
    if !seen.upper {
        return Some(name);
    }
    scratch.clear();
    scratch.extend(name.iter().map(u8::to_ascii_lowercase));
    Some(scratch)
}

/// Whether a name is plainly canonical, eight bytes at a time. False says nothing.
#[inline]
fn is_canonical(name: &[u8]) -> bool {
    // Up to the length of a label no label is too long; a last letter beyond `f` is of no number.
    let (Some(last), true) = (name.last_chunk::<8>(), name.len() <= MAX_LABEL) else { return false };
    if name.first() == Some(&b'.') || matches!(last, [.., b'.']) {
        return false;
    }
    if !matches!(last, [.., b'g'..=b'z']) && ends_in_number(name) {
        return false;
    }
    let mut wrong = 0;
    let mut rest = name;
    // Seven bytes on each time: two points beside each other stand in one of the words together.
    while let Some(word) = rest.first_chunk::<8>() {
        wrong |= faults(u64::from_le_bytes(*word));
        rest = rest.get(7..).unwrap_or_default();
    }
    wrong | faults(u64::from_le_bytes(*last)) == 0
}

/// Not zero if a byte is none of a canonical name, or two points stand beside each other.
#[inline]
fn faults(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    // For bytes below 128 the high bit of a sum tells whether the byte is at least so much.
    let low = word & !HIGH;
    let from = |least: u8| low + (0x80 - u64::from(least)) * ONES;
    let between = |first: u8, last: u8| from(first) & !from(last + 1);
    let points = between(b'.', b'.');
    let good = between(b'a', b'z') | between(b'0', b'9') | between(b'-', b'.') | between(b'_', b'_');
    (word & HIGH) | (!good & HIGH) | (points & (points << 8) & HIGH)
}

/// One walk over the bytes; none if this is no name at all.
#[inline]
fn look(name: &[u8]) -> Option<Ascii> {
    let mut seen = Ascii { upper: false, wide: false };
    let mut label = 0_usize;
    for &byte in name {
        match CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Wrong) {
            Class::Canonical => label += 1,
            Class::Point => {
                // With wide letters about, a label is measured once it is encoded.
                if label == 0 || (label > MAX_LABEL && !seen.wide) {
                    return None;
                }
                label = 0;
            }
            Class::Upper => {
                seen.upper = true;
                label += 1;
            }
            Class::Wide => {
                seen.wide = true;
                label += 1;
            }
            Class::Wrong => return None,
        }
    }
    (label > 0 && (label <= MAX_LABEL || seen.wide)).then_some(seen)
}

/// Whether the last label is a number, decimal or `0x…`: readers of URLs take such a host as an address.
fn ends_in_number(name: &[u8]) -> bool {
    let last = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix(b"0x").or_else(|| last.strip_prefix(b"0X"));
    last.iter().all(u8::is_ascii_digit) || hexadecimal.is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit))
}

fn encoded<'a>(name: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if name.len() > MAX_WRITTEN {
        return None;
    }
    let ascii = idna::domain_to_ascii_cow(name, idna::AsciiDenyList::EMPTY).ok()?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii).as_bytes();
    let seen = look(ascii)?;
    if seen.wide || seen.upper || ascii.len() > MAX_DOMAIN || ends_in_number(ascii) {
        return None;
    }
    scratch.clear();
    scratch.extend_from_slice(ascii);
    Some(scratch)
}
