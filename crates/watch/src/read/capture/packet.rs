//! From the link to the payload: Ethernet, VLAN, raw IP, Linux cooked captures, loopback; IPv4, IPv6; TCP, UDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most extension headers of IPv6, tags of VLAN and labels of MPLS in one packet.
const MOST_HEADERS: usize = 8;

/// A packet with addresses.
#[derive(Debug)]
pub(super) struct Packet<'b> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) transport: Transport,
    pub(super) payload: &'b [u8],
}

/// What carries the payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Transport {
    Udp { from: u16, to: u16 },
    Tcp { from: u16, to: u16, sequence: u32, syn: bool, answers: bool, ends: bool },
    Other,
}

impl Packet<'_> {
    pub(super) fn ports(&self) -> [u16; 2] {
        match self.transport {
            Transport::Udp { from, to } | Transport::Tcp { from, to, .. } => [from, to],
            Transport::Other => [0, 0],
        }
    }
}

/// Reads a frame of this link type; nothing if it carries no IP, and nothing within if its IP cannot be.
pub(super) fn read(link: u32, bytes: &[u8]) -> Option<Option<Packet<'_>>> {
    let ip = match link {
        // Ethernet.
        1 => ethernet(bytes.get(12..)?)?,
        // BSD loopback: the family in four bytes, which the first half byte of what follows tells as well.
        0 | 108 => bytes.get(4..)?,
        // Raw IP; its number differs between systems.
        12 | 14 | 101 | 228 | 229 => bytes,
        // Linux cooked, versions 1 and 2.
        113 => ethernet(bytes.get(14..)?)?,
        276 => {
            let protocol = bytes.get(..2)?;
            tagged(u16::from_be_bytes(protocol.try_into().ok()?), bytes.get(20..)?)?
        }
        _ => return None,
    };
    Some(match ip.first()? >> 4 {
        4 => ipv4(ip),
        6 => ipv6(ip),
        _ => None,
    })
}

/// What follows the addresses of an Ethernet frame.
fn ethernet(bytes: &[u8]) -> Option<&[u8]> {
    tagged(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?), bytes.get(2..)?)
}

/// Passes over tags of VLAN and labels of MPLS and PPPoE.
fn tagged(mut protocol: u16, mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_HEADERS {
        match protocol {
            0x0800 | 0x86dd => return Some(rest),
            0x8100 | 0x88a8 | 0x9100 => {
                protocol = u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?);
                rest = rest.get(4..)?;
            }
            0x8847 => {
                let last = rest.get(2)? & 1 == 1;
                rest = rest.get(4..)?;
                if last {
                    return Some(rest);
                }
            }
            0x8864 => return rest.get(8..),
            _ => return None,
        }
    }
    None
}

/// RFC 791 §3.1.
fn ipv4(bytes: &[u8]) -> Option<Packet<'_>> {
    let header = usize::from(bytes.first()? & 15) * 4;
    if header < 20 {
        return None;
    }
    let total = usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?));
    let (source, destination) = (address(12)?.into(), address(16)?.into());
    // Behind a short packet the link may have padding. A length of nothing is left to hardware.
    let end = if total >= header { total.min(bytes.len()) } else { bytes.len() };
    let body = bytes.get(header..end).unwrap_or_default();
    let fragment = u16::from_be_bytes(bytes.get(6..8)?.try_into().ok()?) & 0x1fff;
    let protocol = if fragment == 0 { *bytes.get(9)? } else { 0 };
    Some(transport(source, destination, protocol, body))
}

/// RFC 8200 §3, §4.
fn ipv6(bytes: &[u8]) -> Option<Packet<'_>> {
    let address = |at: usize| Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok()?));
    let (source, destination) = (address(8)?.to_canonical(), address(24)?.to_canonical());
    let length = usize::from(u16::from_be_bytes(bytes.get(4..6)?.try_into().ok()?));
    let mut rest = bytes.get(40..).unwrap_or_default();
    rest = if length > 0 { rest.get(..length).unwrap_or(rest) } else { rest };
    let mut next = *bytes.get(6)?;
    for _ in 0..MOST_HEADERS {
        let skip = match (next, rest.get(1)) {
            // Hop-by-hop options, routing, destination options.
            (0 | 43 | 60, Some(&length)) => (usize::from(length) + 1) * 8,
            (51, Some(&length)) => (usize::from(length) + 2) * 4,
            (44, Some(_)) => {
                let offset = rest.get(2..4).and_then(|two| Some(u16::from_be_bytes(two.try_into().ok()?)));
                if offset.is_none_or(|offset| offset & 0xfff8 != 0) {
                    return Some(transport(source, destination, 59, &[]));
                }
                8
            }
            _ => break,
        };
        next = *rest.first()?;
        rest = rest.get(skip..).unwrap_or_default();
    }
    Some(transport(source, destination, next, rest))
}

fn transport(source: IpAddr, destination: IpAddr, protocol: u8, body: &[u8]) -> Packet<'_> {
    let read = match protocol {
        17 => udp(body),
        6 => tcp(body),
        _ => None,
    };
    let (transport, payload) = read.unwrap_or((Transport::Other, &[]));
    Packet { source, destination, transport, payload }
}

/// RFC 768.
fn udp(body: &[u8]) -> Option<(Transport, &[u8])> {
    let two = |at: usize| Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
    let length = usize::from(two(4)?);
    let payload = body.get(8..)?;
    let payload = length.checked_sub(8).and_then(|length| payload.get(..length)).unwrap_or(payload);
    Some((Transport::Udp { from: two(0)?, to: two(2)? }, payload))
}

/// RFC 9293 §3.1.
fn tcp(body: &[u8]) -> Option<(Transport, &[u8])> {
    let two = |at: usize| Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
    let sequence = u32::from_be_bytes(body.get(4..8)?.try_into().ok()?);
    let header = usize::from(body.get(12)? >> 4) * 4;
    let flags = *body.get(13)?;
    if header < 20 {
        return None;
    }
    let (syn, answers, ends) = (flags & 2 != 0, flags & 16 != 0, flags & 5 != 0);
    let transport = Transport::Tcp { from: two(0)?, to: two(2)?, sequence, syn, answers, ends };
    Some((transport, body.get(header..).unwrap_or_default()))
}
