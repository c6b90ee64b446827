//! Which addresses lie in a claimed network at all, and how long the prefixes are that may cover them.

use std::net::IpAddr;

/// From so many intervals on, a table over the first 16 bits leads to them.
const INDEXED: usize = 1024;

/// The union of the claimed networks as intervals. An address in none of them is answered at once; for one that is in
/// some, the networks are looked up in the exact table by every length of prefix that occurs.
#[derive(Debug, Default)]
pub(super) struct Networks {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    /// For each value of an IPv4 address's first 16 bits, the first interval that ends there or later; empty if there are
    /// few intervals.
    index: Vec<u32>,
    /// For each value of an IPv4 address's first 16 bits a bit, set if an interval has such addresses. All of it is in the
    /// nearest cache, and it answers for nearly all addresses.
    touched: Vec<u64>,
    /// Bit n: there is a prefix of n bits.
    lengths_v4: u64,
    lengths_v6: [u128; 2],
}

/// A network as a builder keeps it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) length: u8,
}

impl Networks {
    pub(super) fn new(networks: &[Network]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let (mut lengths_v4, mut lengths_v6) = (0, [0, 0]);
        for network in networks {
            match network.address {
                IpAddr::V4(address) => {
                    let hosts = u32::MAX.checked_shr(u32::from(network.length)).unwrap_or(0);
                    v4.push((address.to_bits() & !hosts, address.to_bits() | hosts));
                    lengths_v4 |= 1_u64.checked_shl(network.length.into()).unwrap_or(0);
                }
                IpAddr::V6(address) => {
                    let hosts = u128::MAX.checked_shr(u32::from(network.length)).unwrap_or(0);
                    v6.push((address.to_bits() & !hosts, address.to_bits() | hosts));
                    set_length(&mut lengths_v6, network.length);
                }
            }
        }
        Self::of(v4, v6, lengths_v4, lengths_v6)
    }

    /// What either covers.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let [low, high] = self.lengths_v6;
        let [other_low, other_high] = other.lengths_v6;
        Self::of(
            self.v4.iter().chain(&other.v4).copied().collect(),
            self.v6.iter().chain(&other.v6).copied().collect(),
            self.lengths_v4 | other.lengths_v4,
            [low | other_low, high | other_high],
        )
    }

    fn of(mut v4: Vec<(u32, u32)>, mut v6: Vec<(u128, u128)>, lengths_v4: u64, lengths_v6: [u128; 2]) -> Self {
        merge(&mut v4, |end| end.checked_add(1));
        merge(&mut v6, |end| end.checked_add(1));
        let mut index = Vec::new();
        if v4.len() >= INDEXED {
            let mut at = 0;
            for first in 0..=u32::from(u16::MAX) {
                while v4.get(at).is_some_and(|(_, end)| *end < first << 16) {
                    at += 1;
                }
                index.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        let mut touched = Vec::new();
        if !v4.is_empty() {
            touched.resize(1 << 10, 0);
        }
        for (start, end) in &v4 {
            for first in start >> 16..=end >> 16 {
                if let Some(word) = touched.get_mut((first >> 6) as usize) {
                    *word |= 1_u64 << (first & 63);
                }
            }
        }
        Self { v4, v6, index, touched, lengths_v4, lengths_v6 }
    }

    /// Whether an address may lie in a network: false is certain.
    #[inline]
    pub(super) fn may_cover(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                let first = address.to_bits() >> 16;
                self.touched.get((first >> 6) as usize).is_some_and(|word| word >> (first & 63) & 1 == 1)
            }
            IpAddr::V6(_) => !self.v6.is_empty(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.v4.capacity() * 8 + self.v6.capacity() * 32 + self.index.capacity() * 4 + self.touched.capacity() * 8
    }

    /// Hands over the canonical bytes of every network that may cover this address, the widest first.
    pub(super) fn covering(&self, address: IpAddr, bytes: &mut [u8; 17], mut each: impl FnMut(&[u8])) {
        match address {
            IpAddr::V4(address) => {
                if !self.covers_v4(address.to_bits()) {
                    return;
                }
                for length in (0..=32_u8).filter(|length| self.lengths_v4 >> length & 1 == 1) {
                    let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                    let [a, b, c, d] = (address.to_bits() & mask).to_be_bytes();
                    each(&[a, b, c, d, length]);
                }
            }
            IpAddr::V6(address) => {
                if !holds(&self.v6, address.to_bits()) {
                    return;
                }
                for length in (0..=128_u8).filter(|length| has_length(self.lengths_v6, *length)) {
                    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                    let octets = (address.to_bits() & mask).to_be_bytes();
                    for (byte, octet) in bytes.iter_mut().zip(octets.into_iter().chain([length])) {
                        *byte = octet;
                    }
                    each(bytes);
                }
            }
        }
    }

    fn covers_v4(&self, address: u32) -> bool {
        let first = (address >> 16) as usize;
        let Some(&from) = self.index.get(first) else { return holds(&self.v4, address) };
        // The interval in which the next 16 bits begin may have begun here.
        let to = self.index.get(first + 1).map_or(self.v4.len(), |&next| (next as usize + 1).min(self.v4.len()));
        self.v4.get(from as usize..to).is_some_and(|near| holds(near, address))
    }
}

/// Whether one of the intervals, which are in order and apart, holds the value.
fn holds<T: Copy + Ord>(intervals: &[(T, T)], value: T) -> bool {
    let at = intervals.partition_point(|(_, end)| *end < value);
    intervals.get(at).is_some_and(|(start, _)| *start <= value)
}

/// Puts intervals in order and makes one of those that overlap or touch.
fn merge<T: Copy + Ord>(intervals: &mut Vec<(T, T)>, next: impl Fn(T) -> Option<T>) {
    intervals.sort_unstable();
    intervals.dedup_by(|(start, end), (_, before)| {
        let touches = next(*before).is_none_or(|next| *start <= next);
        if touches {
            *before = (*before).max(*end);
        }
        touches
    });
    intervals.shrink_to_fit();
}

fn set_length([low, high]: &mut [u128; 2], length: u8) {
    if length < 128 {
        *low |= 1 << length;
    } else {
        *high = 1;
    }
}

fn has_length([low, high]: [u128; 2], length: u8) -> bool {
    if length < 128 { low >> length & 1 == 1 } else { high == 1 }
}
