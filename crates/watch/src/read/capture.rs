//! Captures of packets, pcap and pcapng: what was asked of the name system, HTTP requests, and the open parts of TLS.
//!
//! Addresses are told once for each connection, at its first packet. The line of an event is the number of its packet,
//! its time is in seconds since 1970.

mod certificate;
mod dns;
mod fingerprint;
mod flow;
mod frame;
mod http;
mod packet;
mod tls;

use super::gather::Gather;
use super::{Fault, Faults, Reader, Sink};
use crate::{Detail, Meaning};
use flow::{Flows, Turn};
use frame::{Frame, Frames};
use packet::{Packet, Transport};
use std::net::IpAddr;

/// The port of the name system, of mDNS and of LLMNR.
const DNS_PORTS: [u16; 3] = [53, 5353, 5355];

/// A capture.
#[derive(Debug, Default)]
pub struct Capture {
    kept: Vec<u8>,
    frames: Frames,
    work: Work,
}

/// What is made of the packets.
#[derive(Debug, Default)]
struct Work {
    flows: Flows,
    gather: Gather,
    faults: Faults,
    number: u64,
}

impl Capture {
    /// A reader of one capture, from its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Reader for Capture {
    fn block(&mut self, bytes: &[u8], _: u64, sink: &mut Sink<'_>) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = kept.get(at..).unwrap_or_default();
            match self.frames.next(rest) {
                Frame::Packet { link, seconds, fraction, digits, bytes, cut, length } => {
                    self.work.number += 1;
                    let time = if digits == 9 {
                        format!("{seconds}.{fraction:09}")
                    } else {
                        format!("{seconds}.{fraction:06}")
                    };
                    self.work.packet(link, bytes, cut, time.as_bytes(), sink);
                    at += length;
                }
                Frame::Other { length } => at += length,
                Frame::More => break,
                Frame::Wrong => {
                    // Where the next packet begins cannot be known.
                    self.work.faults.add(Fault::Broken, self.work.number + 1);
                    at = kept.len();
                    break;
                }
                Frame::Lost => {
                    at = kept.len();
                    break;
                }
            }
        }
        kept.drain(..at);
        self.kept = kept;
    }

    fn end(&mut self, _: &mut Sink<'_>) {
        if !self.kept.is_empty() {
            self.work.faults.add(Fault::Cut, self.work.number + 1);
            self.kept.clear();
        }
    }

    fn faults(&self) -> &Faults {
        &self.work.faults
    }

    fn by_lines(&self) -> bool {
        false
    }

    fn pending(&self) -> usize {
        self.kept.len()
    }

    fn header(&self) -> &[u8] {
        self.frames.header()
    }
}

impl Work {
    fn packet(&mut self, link: u32, bytes: &[u8], cut: bool, time: &[u8], sink: &mut Sink<'_>) {
        let Some(packet) = packet::read(link, bytes) else {
            // What is no IP is none of ours; IP that cannot be is counted.
            return;
        };
        let Some(packet) = packet else {
            return self.faults.add(Fault::Packet, self.number);
        };
        if cut && packet.payload.is_empty() && packet.transport == Transport::Other {
            self.faults.add(Fault::Packet, self.number);
        }
        let (flow, fresh, opened) = self.flows.of(&packet);
        let ends = Ends::of(&packet, opened);
        if fresh {
            self.gather.clear();
            self.gather.time(time);
            for (name, address) in [("ip.src", packet.source), ("ip.dst", packet.destination)] {
                self.gather.push(name, Meaning::Address, address.to_string().as_bytes());
            }
            ends.told(&mut self.gather);
            self.gather.emit(self.number, bytes, sink);
        }
        match packet.transport {
            Transport::Udp { .. } => self.udp(&packet, &ends, bytes, time, sink),
            Transport::Tcp { .. } => self.tcp(&packet, (&flow, &ends), bytes, time, sink),
            Transport::Other => {}
        }
    }

    fn udp(&mut self, packet: &Packet<'_>, ends: &Ends, raw: &[u8], time: &[u8], sink: &mut Sink<'_>) {
        if !packet.ports().into_iter().any(|port| DNS_PORTS.contains(&port)) || packet.payload.is_empty() {
            return;
        }
        self.begin(time);
        if dns::read(packet.payload, &mut self.gather).is_none() {
            self.faults.add(Fault::Packet, self.number);
        }
        ends.told(&mut self.gather);
        self.gather.push("protocol", Meaning::Detail(Detail::Protocol), b"dns");
        self.gather.emit(self.number, raw, sink);
    }

    fn tcp(
        &mut self,
        packet: &Packet<'_>,
        (flow, ends): (&flow::Key, &Ends),
        raw: &[u8],
        time: &[u8],
        sink: &mut Sink<'_>,
    ) {
        let dns = packet.ports().contains(&DNS_PORTS[0]);
        let Self { flows, gather, faults, number } = self;
        let beyond = flows.feed(flow, packet, &mut |bytes| {
            gather.clear();
            gather.time(time);
            ends.told(gather);
            let turn = if dns {
                gather.push("protocol", Meaning::Detail(Detail::Protocol), b"dns");
                dns::stream(bytes, gather)
            } else {
                http_or_tls(bytes, gather)
            };
            gather.emit(*number, raw, sink);
            turn
        });
        if beyond {
            faults.add(Fault::TooMuch, *number);
        }
    }

    fn begin(&mut self, time: &[u8]) {
        self.gather.clear();
        self.gather.time(time);
    }
}

/// Both ends of a connection, seen from the one that opened it.
struct Ends {
    source: IpAddr,
    destination: IpAddr,
    ports: Option<[u16; 2]>,
    transport: &'static str,
}

impl Ends {
    fn of(packet: &Packet<'_>, opened: bool) -> Self {
        let (transport, has_ports) = match packet.transport {
            Transport::Udp { .. } => ("udp", true),
            Transport::Tcp { .. } => ("tcp", true),
            Transport::Other => ("", false),
        };
        let (source, destination, [from, to]) = (packet.source, packet.destination, packet.ports());
        let (source, destination, ports) =
            if opened { (source, destination, [from, to]) } else { (destination, source, [to, from]) };
        Self { source, destination, ports: has_ports.then_some(ports), transport }
    }

    fn told(&self, gather: &mut Gather) {
        let mut tell = |name, detail, value: &str| gather.push(name, Meaning::Detail(detail), value.as_bytes());
        tell("ip.src", Detail::Source, &self.source.to_string());
        tell("ip.dst", Detail::Destination, &self.destination.to_string());
        if let Some([from, to]) = self.ports {
            tell("port.src", Detail::SourcePort, &from.to_string());
            tell("port.dst", Detail::DestinationPort, &to.to_string());
        }
        tell("protocol", Detail::Protocol, self.transport);
    }
}

/// What one side of a connection has said so far, from the first byte that is kept.
fn http_or_tls(bytes: &[u8], gather: &mut Gather) -> Turn {
    match bytes.first() {
        None => Turn::More,
        Some(20..=23) => tls::read(bytes, gather),
        Some(_) => http::read(bytes, gather),
    }
}
