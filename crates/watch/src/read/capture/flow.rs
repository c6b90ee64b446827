//! Connections: which have been seen, and what each side said, in its order, as far as it is still wanted.

use super::packet::{Packet, Transport};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// The most connections that are remembered; the oldest go first.
const MOST_FLOWS: usize = 1 << 16;
/// The most sides of connections of which bytes are kept.
const MOST_STREAMS: usize = 1 << 13;
/// The most bytes that are kept of one side.
const MOST_BYTES: usize = 1 << 17;
/// The most bytes and pieces of one side that came too early.
const MOST_EARLY: usize = 1 << 16;
const MOST_PIECES: usize = 64;

/// One side of a connection: who speaks, to whom.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key(IpAddr, u16, IpAddr, u16, bool);

/// What whoever reads a stream makes of the bytes that are there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// It needs more.
    More,
    /// So many have been read; what follows may be read too. So many behind them are of no interest.
    Read { bytes: usize, skip: u64 },
    /// Nothing more is wanted of this side.
    Done,
}

/// Connections and streams.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Each connection by the lesser of its sides; whether that one opened it.
    seen: BTreeMap<Key, bool>,
    order: VecDeque<Key>,
    streams: BTreeMap<Key, Stream>,
    stream_order: VecDeque<Key>,
}

#[derive(Debug)]
struct Stream {
    next: u32,
    bytes: Vec<u8>,
    early: BTreeMap<u32, Vec<u8>>,
    skip: u64,
    done: bool,
}

impl Flows {
    /// The side that speaks in this packet, whether its connection is new, and whether that side opened it, as far as can be
    /// told of a capture that began later.
    pub(super) fn of(&mut self, packet: &Packet<'_>) -> (Key, bool, bool) {
        let [from, to] = packet.ports();
        let tcp = matches!(packet.transport, Transport::Tcp { .. });
        let key = Key(packet.source, from, packet.destination, to, tcp);
        let back = Key(packet.destination, to, packet.source, from, tcp);
        let connection = key.clone().min(back);
        let speaks = connection == key;
        let known = self.seen.get(&connection).copied();
        // A server answers with both flags, or from a port that is well known.
        let answers = matches!(packet.transport, Transport::Tcp { syn: true, answers: true, .. })
            || (from < to && from < 1_024 && !is_first(packet));
        let opened = known.unwrap_or(speaks != answers);
        if known.is_none() {
            self.seen.insert(connection.clone(), opened);
            self.order.push_back(connection);
            if self.order.len() > MOST_FLOWS
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
        }
        (key, known.is_none(), opened == speaks)
    }

    /// Takes the payload of a packet; `read` is asked what it makes of the bytes in order. Whether a limit was met.
    pub(super) fn feed(&mut self, key: &Key, packet: &Packet<'_>, read: &mut dyn FnMut(&[u8]) -> Turn) -> bool {
        let Transport::Tcp { sequence, syn, ends, .. } = packet.transport else { return false };
        if syn {
            self.begin(key, sequence.wrapping_add(1));
        } else if !self.streams.contains_key(key) && !packet.payload.is_empty() {
            // The capture began in the middle.
            self.begin(key, sequence);
        }
        let Some(stream) = self.streams.get_mut(key) else { return false };
        let beyond = !stream.done && !packet.payload.is_empty() && stream.take(sequence, syn, packet.payload, read);
        if beyond {
            stream.finish();
        }
        if ends && stream.done {
            // Its place in the order is left: it is bounded, and a new one of the same ports takes it.
            stream.finish();
        }
        beyond
    }

    fn begin(&mut self, key: &Key, next: u32) {
        let stream = Stream { next, bytes: Vec::new(), early: BTreeMap::new(), skip: 0, done: false };
        if self.streams.insert(key.clone(), stream).is_none() {
            self.stream_order.push_back(key.clone());
        }
        if self.stream_order.len() > MOST_STREAMS
            && let Some(oldest) = self.stream_order.pop_front()
        {
            self.streams.remove(&oldest);
        }
    }
}

/// Whether a packet can only be the first of its connection.
fn is_first(packet: &Packet<'_>) -> bool {
    matches!(packet.transport, Transport::Tcp { syn: true, answers: false, .. })
}

impl Stream {
    /// Whether a limit was met.
    fn take(&mut self, sequence: u32, syn: bool, payload: &[u8], read: &mut dyn FnMut(&[u8]) -> Turn) -> bool {
        let sequence = if syn { sequence.wrapping_add(1) } else { sequence };
        self.add(sequence, payload);
        // Distances are signed: sequence numbers wrap. RFC 9293 §3.4.
        while let Some((&at, _)) = self.early.iter().find(|(at, _)| at.wrapping_sub(self.next).cast_signed() <= 0) {
            let Some(piece) = self.early.remove(&at) else { break };
            self.add(at, &piece);
        }
        self.offer(read);
        self.bytes.len() > MOST_BYTES
            || self.early.len() > MOST_PIECES
            || self.early.values().map(Vec::len).sum::<usize>() > MOST_EARLY
    }

    /// Adds what is new of a piece, or keeps it if it came too early.
    fn add(&mut self, sequence: u32, payload: &[u8]) {
        let distance = self.next.wrapping_sub(sequence).cast_signed();
        if distance < 0 {
            self.early.insert(sequence, payload.to_vec());
            return;
        }
        let Some(new) = usize::try_from(distance).ok().and_then(|known| payload.get(known..)) else { return };
        // Payloads are shorter than 2^32.
        self.next = self.next.wrapping_add(u32::try_from(new.len()).unwrap_or(0));
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(new.len());
        self.skip -= skipped as u64;
        self.bytes.extend_from_slice(new.get(skipped..).unwrap_or_default());
    }

    fn offer(&mut self, read: &mut dyn FnMut(&[u8]) -> Turn) {
        while !self.done && !self.bytes.is_empty() {
            match read(&self.bytes) {
                Turn::More => return,
                Turn::Done => self.finish(),
                Turn::Read { bytes, skip } => {
                    self.bytes.drain(..bytes.min(self.bytes.len()).max(1));
                    let here = usize::try_from(skip).unwrap_or(usize::MAX).min(self.bytes.len());
                    self.bytes.drain(..here);
                    self.skip = skip - here as u64;
                }
            }
        }
    }

    fn finish(&mut self) {
        self.done = true;
        self.bytes = Vec::new();
        self.early = BTreeMap::new();
    }
}
