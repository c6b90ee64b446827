//! Digests, serial numbers and hardware addresses: hexadecimal digits, with or without something between them.

/// The most bytes that a serial number has here. RFC 5280 §4.1.2.2 allows 20; more are seen.
pub const MAX_SERIAL: usize = 64;

/// The longest digest there is, in bytes: 512 bits.
const MAX_DIGEST: usize = 64;

/// What stands for a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "a constant, below 256")]
        {
            let letter = byte as u8;
            table[byte] = match letter {
                b'0'..=b'9' => letter - b'0',
                b'a'..=b'f' => letter - b'a' + 10,
                b'A'..=b'F' => letter - b'A' + 10,
                _ => NO_DIGIT,
            };
        }
        byte += 1;
    }
    table
};

/// The value of a hexadecimal digit; more than 15 for any other byte.
#[inline]
pub(super) fn digit(byte: u8) -> u8 {
    DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT)
}

/// A digest in binary. Colons and blanks between the digits are left out; 128, 160, 224, 256, 384 or 512 bits remain.
#[must_use]
pub fn hex<'a>(raw: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    scratch.clear();
    let plain = raw.len().is_multiple_of(2) && pairs(raw, scratch);
    if !plain {
        spaced(raw, MAX_DIGEST, scratch)?;
    }
    matches!(scratch.len(), 16 | 20 | 28 | 32 | 48 | 64).then_some(scratch)
}

/// The serial number of a certificate as an unsigned number, the highest byte first and not zero, unless it is 0. It is
/// read as hexadecimal, `0x` before it or not, colons and blanks left out (RFC 5280 §4.1.2.2).
#[must_use]
pub fn serial<'a>(raw: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let digits = raw.strip_prefix(b"0x").or_else(|| raw.strip_prefix(b"0X")).unwrap_or(raw);
    scratch.clear();
    let mut count = 0_usize;
    for &byte in digits {
        match digit(byte) {
            value @ 0..=15 => {
                if count > 0 || value != 0 {
                    scratch.push(value);
                }
                count += 1;
            }
            _ if matches!(byte, b':' | b' ') => {}
            _ => return None,
        }
        if scratch.len() > 2 * MAX_SERIAL {
            return None;
        }
        // A run of zeros before the number is no part of it.
        if scratch.is_empty() {
            count = 0;
        }
    }
    if !digits.iter().any(|&byte| digit(byte) < 16) {
        return None;
    }
    pack(scratch);
    if scratch.is_empty() {
        scratch.push(0);
    }
    Some(scratch)
}

/// A hardware address in binary: six or eight bytes (EUI-48, EUI-64), in pairs with colons or hyphens, in groups of four
/// with points, or without anything between.
#[must_use]
pub fn mac<'a>(raw: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if raw.len() > 23 {
        return None;
    }
    let separator = raw.iter().copied().find(|byte| matches!(byte, b':' | b'-' | b'.'));
    let group = if separator == Some(b'.') { 4 } else { 2 };
    scratch.clear();
    let mut run = 0_usize;
    for &byte in raw {
        if Some(byte) == separator {
            if run != group {
                return None;
            }
            run = 0;
            continue;
        }
        let value = digit(byte);
        if value > 15 {
            return None;
        }
        scratch.push(value);
        run += 1;
    }
    if separator.is_some() && run != group {
        return None;
    }
    if !matches!(scratch.len(), 12 | 16) {
        return None;
    }
    pack(scratch);
    Some(scratch)
}

/// Pairs of digits and nothing else; false at the first other byte, with whatever was written before it.
fn pairs(raw: &[u8], into: &mut Vec<u8>) -> bool {
    if raw.len() > 2 * MAX_DIGEST {
        return false;
    }
    let (words, rest) = raw.as_chunks::<8>();
    let mut bytes = [0; MAX_DIGEST];
    let mut wrong = 0;
    for (word, four) in words.iter().zip(bytes.as_chunks_mut::<4>().0) {
        let (read, other) = eight(u64::from_le_bytes(*word));
        *four = read.to_le_bytes();
        wrong |= other;
    }
    into.extend_from_slice(bytes.get(..4 * words.len()).unwrap_or_default());
    into.extend(rest.as_chunks::<2>().0.iter().map(|&[high, low]| {
        let (high, low) = (digit(high), digit(low));
        wrong |= u64::from((high | low) & 0xF0);
        high << 4 | (low & 15)
    }));
    wrong == 0
}

/// The same bits in each byte of a word.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight digits as four bytes, the first lowest; what is not zero beside them tells that one was no digit.
#[inline]
fn eight(word: u64) -> (u32, u64) {
    const HIGH: u64 = each(0x80);
    // The highest bit of a byte is set by the sum if the byte is at least so great. It must not be set before.
    let low = word & !HIGH;
    let at_least = |bytes: u64, least: u8| bytes + each(0x80 - least);
    let is_digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
    let small = low | each(0x20);
    let is_letter = at_least(small, b'a') & !at_least(small, b'f' + 1);
    let wrong = (word | !(is_digit | is_letter)) & HIGH;
    // A letter's low bits count from 1.
    let values = (word & each(0x0F)) + 9 * (word >> 6 & each(1));
    let bytes = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF;
    let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    #[expect(clippy::cast_possible_truncation, reason = "the other half is a copy of a part")]
    let packed = (pairs | pairs >> 16) as u32;
    (packed, wrong)
}

fn spaced(raw: &[u8], most: usize, into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    for &byte in raw {
        let value = digit(byte);
        if value < 16 {
            into.push(value);
        } else if !matches!(byte, b':' | b' ') {
            return None;
        }
        if into.len() > 2 * most {
            return None;
        }
    }
    if !into.len().is_multiple_of(2) {
        return None;
    }
    pack(into);
    Some(())
}

/// Makes bytes of digits, in place; an odd first digit is a byte of its own.
fn pack(digits: &mut Vec<u8>) {
    let odd = digits.len() % 2;
    let bytes = digits.len().div_ceil(2);
    for at in 0..bytes {
        let low = digits.get(2 * at + 1 - odd).copied().unwrap_or(0);
        let high = if at == 0 && odd == 1 { 0 } else { digits.get(2 * at - odd).copied().unwrap_or(0) };
        if let Some(byte) = digits.get_mut(at) {
            *byte = high << 4 | low;
        }
    }
    digits.truncate(bytes);
}
