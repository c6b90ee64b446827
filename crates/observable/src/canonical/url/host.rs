//! The authority of a URL (RFC 3986 §3.2).

use std::net::{IpAddr, Ipv4Addr};

use super::super::{address, domain};
use super::{digit, encode};

/// An authority, cut.
pub(super) struct Authority<'a> {
    /// The user, without the sign behind it.
    user: Option<&'a [u8]>,
    /// With brackets, if it has any.
    pub(super) host: &'a [u8],
    /// Without the colon before it.
    port: Option<&'a [u8]>,
}

pub(super) fn split_authority(authority: &[u8]) -> Authority<'_> {
    let (user, place) = match authority.iter().rposition(|&byte| byte == b'@') {
        Some(sign) => (authority.get(..sign), authority.get(sign + 1..).unwrap_or_default()),
        None => (None, authority),
    };
    let colon = place.iter().rposition(|&byte| byte == b':').filter(|&colon| {
        let behind = place.get(colon..).unwrap_or_default();
        !behind.contains(&b']')
    });
    match colon {
        Some(colon) => Authority { user, host: place.get(..colon).unwrap_or_default(), port: place.get(colon + 1..) },
        None => Authority { user, host: place, port: None },
    }
}

/// Whether it is a host in its canonical form, without user and port.
pub(super) fn is_canonical(authority: &[u8]) -> bool {
    let mut unused = Vec::new();
    match domain(authority, &mut unused) {
        Some(name) => std::ptr::eq(name, authority),
        None => authority.first() != Some(&b'[') && matches!(address(authority), Some(IpAddr::V4(_))),
    }
}

/// Writes the authority behind what is in `into`: nothing, or a scheme in lower case and `://`.
pub(super) fn write_authority(authority: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let defaults = default_ports(into);
    let may_be_empty = into.as_slice() == b"file://";
    let Authority { user, host, port } = split_authority(authority);
    match user {
        Some(_) if into.is_empty() => return None,
        Some(user) if !user.is_empty() => {
            for (number, part) in user.split(|&byte| byte == b'@').enumerate() {
                if number > 0 {
                    into.extend_from_slice(b"%40");
                }
                encode(part, into);
            }
            into.push(b'@');
        }
        _ => {}
    }
    if host.is_empty() && may_be_empty && user.is_none() && port.is_none() {
        return Some(());
    }
    write_host(host, into)?;
    if let Some(port) = port {
        write_port(port, defaults, into)?;
    }
    Some(())
}

fn default_ports(scheme: &[u8]) -> &'static [u32] {
    match scheme {
        b"" => &[80, 443],
        b"http://" | b"ws://" => &[80],
        b"https://" | b"wss://" => &[443],
        b"ftp://" => &[21],
        _ => &[],
    }
}

fn write_port(port: &[u8], defaults: &[u32], into: &mut Vec<u8>) -> Option<()> {
    let mut number = 0_u32;
    for &byte in port {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
        if number > 65_535 {
            return None;
        }
    }
    if !port.is_empty() && !defaults.contains(&number) {
        into.extend_from_slice(format!(":{number}").as_bytes());
    }
    Some(())
}

fn write_host(host: &[u8], into: &mut Vec<u8>) -> Option<()> {
    if host.first() == Some(&b'[') {
        if host.last() != Some(&b']') {
            return None;
        }
        match address(host)? {
            IpAddr::V4(address) => into.extend_from_slice(address.to_string().as_bytes()),
            IpAddr::V6(address) => into.extend_from_slice(format!("[{address}]").as_bytes()),
        }
        return Some(());
    }
    let decoded = decode(host);
    let host = decoded.as_deref().unwrap_or(host);
    let mut name = Vec::new();
    if let Some(name) = domain(host, &mut name) {
        into.extend_from_slice(name);
        return Some(());
    }
    into.extend_from_slice(numeric(host)?.to_string().as_bytes());
    Some(())
}

fn decode(host: &[u8]) -> Option<Vec<u8>> {
    if !host.contains(&b'%') {
        return None;
    }
    let mut decoded = Vec::with_capacity(host.len());
    let mut rest = host;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, tail) {
            (b'%', [high, low, behind @ ..]) if digit(*high) < 16 && digit(*low) < 16 => {
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = behind;
            }
            _ => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    Some(decoded)
}

/// An IPv4 address in any way that readers of URLs take: one to four numbers, decimal, octal or hexadecimal, the last of
/// which fills what is left (WHATWG URL, "IPv4 parser").
fn numeric(host: &[u8]) -> Option<Ipv4Addr> {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let mut parts = host.split(|&byte| byte == b'.').peekable();
    let (mut bits, mut left) = (0_u64, 4_u32);
    while let Some(part) = parts.next() {
        let value = number(part)?;
        left = left.checked_sub(1)?;
        if parts.peek().is_some() {
            if value > 255 {
                return None;
            }
            bits |= value << (8 * left);
        } else {
            if value >= 1 << (8 * (left + 1)) {
                return None;
            }
            bits |= value;
        }
    }
    u32::try_from(bits).ok().map(Ipv4Addr::from_bits)
}

fn number(part: &[u8]) -> Option<u64> {
    let (digits, base) = match part {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        _ if part.is_empty() => return None,
        _ => (part, 10),
    };
    let mut value = 0_u64;
    for &byte in digits {
        let digit = u64::from(digit(byte));
        if digit >= base {
            return None;
        }
        value = value * base + digit;
        if value > u64::from(u32::MAX) {
            return None;
        }
    }
    Some(value)
}
