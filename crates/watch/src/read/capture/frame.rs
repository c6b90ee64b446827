//! The frames of pcap and pcapng files: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.

/// The longest packet or block that is read, in bytes.
const LONGEST: usize = 1 << 24;
/// The most interfaces of a pcapng section.
const MOST_INTERFACES: usize = 256;
/// The most bytes that are kept of section and interface blocks.
const LONGEST_HEADER: usize = 1 << 16;

/// What comes next in a capture.
#[derive(Debug)]
pub(super) enum Frame<'b> {
    /// A packet, and how long its record is.
    Packet {
        link: u32,
        seconds: u64,
        fraction: u64,
        /// How many digits the fraction has: 6 or 9.
        digits: u8,
        bytes: &'b [u8],
        /// The capture holds less of it than was on the wire.
        cut: bool,
        length: usize,
    },
    /// Something else, so long.
    Other { length: usize },
    /// It is not all there yet.
    More,
    /// It cannot be; nothing behind it can be found.
    Wrong,
    /// It was wrong before.
    Lost,
}

/// What is known of the file.
#[derive(Debug, Default)]
pub(super) struct Frames {
    kind: Kind,
    header: Vec<u8>,
}

#[derive(Debug, Default)]
enum Kind {
    /// Nothing has been read.
    #[default]
    Unknown,
    Pcap {
        big: bool,
        nanos: bool,
        link: u32,
    },
    Pcapng {
        big: bool,
        interfaces: Vec<Interface>,
    },
    Lost,
}

/// An interface of a pcapng section: its link type, and how many units of its clock make a second.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u32,
    units: u64,
}

impl Frames {
    /// What a reader that goes on in the middle must be given.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    pub(super) fn next<'b>(&mut self, bytes: &'b [u8]) -> Frame<'b> {
        let frame = match &self.kind {
            Kind::Lost => return if bytes.is_empty() { Frame::More } else { Frame::Lost },
            Kind::Unknown if bytes.len() < 24 => return Frame::More,
            Kind::Unknown => self.begin(bytes),
            Kind::Pcap { big, nanos, link } => record(bytes, *big, *nanos, *link),
            Kind::Pcapng { .. } => self.block(bytes),
        };
        match frame {
            Some(frame) => frame,
            None => {
                self.kind = Kind::Lost;
                Frame::Wrong
            }
        }
    }

    fn begin<'b>(&mut self, bytes: &'b [u8]) -> Option<Frame<'b>> {
        let (big, nanos) = match bytes.get(..4)? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
            [0x0a, 0x0d, 0x0d, 0x0a] => return self.block(bytes),
            _ => return None,
        };
        // The upper bits hold the length of a check sum.
        let link = u32_at(bytes, 20, big)? & 0x0fff_ffff;
        self.kind = Kind::Pcap { big, nanos, link };
        self.header = bytes.get(..24)?.to_vec();
        Some(Frame::Other { length: 24 })
    }

    fn block<'b>(&mut self, bytes: &'b [u8]) -> Option<Frame<'b>> {
        if bytes.len() < 12 {
            return Some(Frame::More);
        }
        if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            let big = match bytes.get(8..12)? {
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                _ => return None,
            };
            self.kind = Kind::Pcapng { big, interfaces: Vec::new() };
            self.header.clear();
        }
        let Kind::Pcapng { big, interfaces } = &mut self.kind else { return None };
        let big = *big;
        let length = u32_at(bytes, 4, big)? as usize;
        if !(12..=LONGEST).contains(&length) || !length.is_multiple_of(4) {
            return None;
        }
        let Some(whole) = bytes.get(..length) else { return Some(Frame::More) };
        let body = whole.get(8..length - 4)?;
        match u32_at(bytes, 0, big)? {
            // Section header, interface description.
            0x0a0d_0d0a | 1 => {
                if u32_at(bytes, 0, big) == Some(1) {
                    if interfaces.len() >= MOST_INTERFACES {
                        return None;
                    }
                    interfaces
                        .push(Interface { link: u32::from(u16_at(body, 0, big)?), units: units(body.get(8..)?, big) });
                }
                if self.header.len() + length <= LONGEST_HEADER {
                    self.header.extend_from_slice(whole);
                }
                Some(Frame::Other { length })
            }
            // Enhanced packet.
            6 => {
                let interface = interfaces.get(u32_at(body, 0, big)? as usize)?;
                let ticks = u64::from(u32_at(body, 4, big)?) << 32 | u64::from(u32_at(body, 8, big)?);
                let captured = u32_at(body, 12, big)? as usize;
                let cut = captured < u32_at(body, 16, big)? as usize;
                let bytes = body.get(20..)?.get(..captured)?;
                let seconds = ticks / interface.units;
                // Units are at least one.
                let nanos = u128::from(ticks % interface.units) * 1_000_000_000 / u128::from(interface.units);
                let nanos = u64::try_from(nanos).unwrap_or(0);
                let (fraction, digits) = if interface.units > 1_000_000 { (nanos, 9) } else { (nanos / 1000, 6) };
                Some(Frame::Packet { link: interface.link, seconds, fraction, digits, bytes, cut, length })
            }
            // Simple packet: without a time, from the first interface.
            3 => {
                let interface = interfaces.first()?;
                let on_wire = u32_at(body, 0, big)? as usize;
                let bytes = body.get(4..)?;
                let bytes = bytes.get(..on_wire).unwrap_or(bytes);
                let cut = bytes.len() < on_wire;
                Some(Frame::Packet { link: interface.link, seconds: 0, fraction: 0, digits: 6, bytes, cut, length })
            }
            _ => Some(Frame::Other { length }),
        }
    }
}

/// A record of a pcap file.
fn record(bytes: &[u8], big: bool, nanos: bool, link: u32) -> Option<Frame<'_>> {
    if bytes.len() < 16 {
        return Some(Frame::More);
    }
    let captured = u32_at(bytes, 8, big)? as usize;
    if captured > LONGEST {
        return None;
    }
    let length = 16 + captured;
    let Some(packet) = bytes.get(16..length) else { return Some(Frame::More) };
    Some(Frame::Packet {
        link,
        seconds: u64::from(u32_at(bytes, 0, big)?),
        fraction: u64::from(u32_at(bytes, 4, big)?),
        digits: if nanos { 9 } else { 6 },
        bytes: packet,
        cut: captured < u32_at(bytes, 12, big)? as usize,
        length,
    })
}

/// The option `if_tsresol` of an interface: units a second, a million where it does not say.
fn units(mut options: &[u8], big: bool) -> u64 {
    const MICROSECONDS: u64 = 1_000_000;
    while let (Some(code), Some(length)) = (u16_at(options, 0, big), u16_at(options, 2, big)) {
        let length = usize::from(length);
        if code == 0 {
            break;
        }
        if code == 9 && length == 1 {
            let Some(&exponent) = options.get(4) else { break };
            let (base, exponent) = if exponent & 0x80 == 0 { (10_u64, exponent) } else { (2, exponent & 0x7f) };
            return base.checked_pow(u32::from(exponent)).unwrap_or(MICROSECONDS);
        }
        let Some(rest) = options.get(4 + length.next_multiple_of(4)..) else { break };
        options = rest;
    }
    MICROSECONDS
}

fn u32_at(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}

fn u16_at(bytes: &[u8], at: usize, big: bool) -> Option<u16> {
    let two = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
}
