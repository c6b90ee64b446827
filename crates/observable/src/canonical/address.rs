//! Addresses and networks: numbers, however they were written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text of an IPv6 address (RFC 5952), without a zone.
const MAX_V6_TEXT: usize = 45;

/// An address. One in brackets is taken as in a URL, a zone (RFC 4007 §11) is dropped, and an IPv4-mapped address
/// (RFC 4291 §2.5.5.2) is the IPv4 address in it.
#[must_use]
pub fn address(raw: &[u8]) -> Option<IpAddr> {
    match dotted(raw) {
        Some(address) => Some(IpAddr::V4(address)),
        None => colons(raw),
    }
}

/// A network: an address, a slash and the length of the prefix (RFC 4632 §3.1), or an address alone, which is a network
/// of one. Bits behind the prefix are cleared; a network of IPv4-mapped addresses is one of IPv4 addresses.
#[must_use]
pub fn network(raw: &[u8]) -> Option<(IpAddr, u8)> {
    let Some(slash) = raw.iter().position(|&byte| byte == b'/') else {
        let address = address(raw)?;
        return Some((address, if address.is_ipv4() { 32 } else { 128 }));
    };
    let (text, length) = (raw.get(..slash)?, raw.get(slash + 1..)?);
    if length.is_empty() || length.len() > 3 || !length.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = length.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    if let Some(address) = dotted(text) {
        return masked_v4(address, length);
    }
    let written = written_v6(text)?;
    match written.to_ipv4_mapped() {
        Some(address) if length >= 96 => masked_v4(address, length - 96),
        _ => masked_v6(written, length),
    }
}

/// The canonical bytes of a network: the octets of its first address and the length of its prefix.
pub fn network_bytes(address: IpAddr, length: u8, into: &mut Vec<u8>) {
    into.clear();
    match address {
        IpAddr::V4(address) => into.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => into.extend_from_slice(&address.octets()),
    }
    into.push(length);
}

fn masked_v4(address: Ipv4Addr, length: u16) -> Option<(IpAddr, u8)> {
    let length = u8::try_from(length).ok().filter(|length| *length <= 32)?;
    let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
    Some((IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask)), length))
}

fn masked_v6(address: Ipv6Addr, length: u16) -> Option<(IpAddr, u8)> {
    let length = u8::try_from(length).ok().filter(|length| *length <= 128)?;
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    Some((IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask)), length))
}

/// Four decimal numbers with points between, none with a zero before it: some readers take such a one as octal.
fn dotted(raw: &[u8]) -> Option<Ipv4Addr> {
    if raw.len() < 7 || raw.len() > 15 {
        return None;
    }
    let (mut bits, mut part, mut digits, mut points) = (0_u32, 0_u32, 0_u32, 0_u32);
    for &byte in raw {
        if byte == b'.' {
            if digits == 0 {
                return None;
            }
            bits = bits << 8 | part;
            (part, digits, points) = (0, 0, points + 1);
        } else {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            if digit > 9 || (digits > 0 && part == 0) {
                return None;
            }
            part = part * 10 + digit;
            digits += 1;
            if part > 255 {
                return None;
            }
        }
    }
    (points == 3 && digits > 0).then(|| Ipv4Addr::from_bits(bits << 8 | part))
}

fn colons(raw: &[u8]) -> Option<IpAddr> {
    let address = written_v6(raw)?;
    Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
}

fn written_v6(raw: &[u8]) -> Option<Ipv6Addr> {
    if !raw.get(..6.min(raw.len()))?.contains(&b':') {
        return None;
    }
    let inner = match raw {
        [b'[', inner @ .., b']'] => inner,
        _ => raw,
    };
    let text = match inner.iter().position(|&byte| byte == b'%') {
        Some(zone) => inner.get(..zone)?,
        None => inner,
    };
    if text.len() > MAX_V6_TEXT {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
