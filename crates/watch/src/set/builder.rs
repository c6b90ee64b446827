//! Claims on their way into a set.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::thread;

use observable::{Claim, Kind, Limits, Refused, admitted, canonical};

use super::Set;
use super::hasher::{FLAGS, Hasher, Key};
use super::layer::{Layer, bit};
use super::networks::{Network, Networks};
use super::table::{self, Entries, ITSELF, MOST, SUBDOMAINS, Table};

/// Claims are kept apart by the first bits of their fingerprints, so that each part is put in order within the cache.
const PARTS: usize = 256;

/// Below this, putting in order is not worth a second thread.
const SMALL: usize = 65_536;

/// Collects claims for a set.
#[derive(Debug)]
pub struct Builder {
    hasher: Arc<Hasher>,
    limits: Limits,
    parts: Vec<Entries>,
    networks: Vec<Network>,
    count: usize,
    kinds: u32,
    subdomains: bool,
    scratch: Vec<u8>,
}

impl Builder {
    /// A builder for a set whose keys depend on this seed. It must be secret and random: whoever knows it can make values
    /// that are taken for others until their owner confirms them.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self::of(Arc::new(Hasher::new(seed)))
    }

    pub(super) fn of(hasher: Arc<Hasher>) -> Self {
        Self {
            hasher,
            limits: Limits::default(),
            parts: std::iter::repeat_with(Entries::default).take(PARTS).collect(),
            networks: Vec::new(),
            count: 0,
            kinds: 0,
            subdomains: false,
            scratch: Vec::new(),
        }
    }

    /// The same with other limits to what may be claimed.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// An empty builder whose claims can be [absorbed](Self::absorb) by this one: for another thread.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::of(Arc::clone(&self.hasher)).with_limits(self.limits)
    }

    /// Takes all claims of a [sibling](Self::sibling).
    pub fn absorb(&mut self, sibling: Self) {
        for (part, mut other) in self.parts.iter_mut().zip(sibling.parts) {
            if part.prints.is_empty() {
                *part = other;
            } else {
                part.prints.append(&mut other.prints);
                part.names.append(&mut other.names);
            }
        }
        self.networks.extend(sibling.networks);
        self.count += sibling.count;
        self.kinds |= sibling.kinds;
        self.subdomains |= sibling.subdomains;
    }

    /// How many claims were taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a claim. `name` is the caller's number of the indicator, of up to 40 bits: any number of claims may have the
    /// same, and any number of names may claim one value.
    ///
    /// # Errors
    ///
    /// Why the claim is refused; the builder is as it was.
    pub fn add(&mut self, claim: &Claim, name: u64) -> Result<(), Refused> {
        let reach = Reach { itself: claim.itself, subdomains: claim.subdomains };
        self.add_value(claim.kind, claim.value.as_bytes(), reach, name)
    }

    /// Takes a claim without making a [`Claim`] of it: a value as it was written, and how far it goes.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn add_value(&mut self, kind: Kind, value: &[u8], reach: Reach, name: u64) -> Result<(), Refused> {
        let name = table::name(name).ok_or(Refused::Number)?;
        let subdomains = reach.subdomains && kind == Kind::Domain;
        if self.count >= MOST {
            return Err(Refused::Full);
        }
        let canonical = admitted(kind, value, subdomains, &self.limits, &mut self.scratch)?;
        let Key(print) = if kind == Kind::Url {
            self.hasher.url(&canonical::parts(canonical))
        } else {
            self.hasher.key(kind, canonical)
        };
        if let (Kind::Cidr, Some((&length, octets))) = (kind, canonical.split_last()) {
            let address = match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
                (Ok(octets), _) => IpAddr::V4(Ipv4Addr::from(octets)),
                (_, Ok(octets)) => IpAddr::V6(Ipv6Addr::from(octets)),
                _ => return Err(Refused::NotAValue(kind)),
            };
            self.networks.push(Network { address, length });
        }
        let flags = if subdomains { SUBDOMAINS } else { 0 } | if reach.itself || !subdomains { ITSELF } else { 0 };
        if let Some(part) = self.parts.get_mut(part_of(print)) {
            part.push(print | flags, name);
        }
        self.count += 1;
        self.kinds |= bit(kind);
        self.subdomains |= subdomains;
        Ok(())
    }

    /// The set of all claims that were taken. Linear in their number; two threads put them in order.
    #[must_use]
    pub fn build(self) -> Set {
        let hasher = Arc::clone(&self.hasher);
        Set { hasher, base: Arc::new(self.into_layer()), fresh: Arc::default(), removed: Arc::default() }
    }

    pub(super) fn into_layer(self) -> Layer {
        let entries = in_order(self.parts, self.count);
        Layer {
            table: Table::new(entries),
            networks: Networks::new(&self.networks),
            kinds: self.kinds,
            subdomains: self.subdomains,
        }
    }
}

/// How far a claim goes; see [`Claim`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reach {
    /// The value itself is meant.
    pub itself: bool,
    /// Every name below the domain is meant.
    pub subdomains: bool,
}

impl Reach {
    /// The value alone.
    pub const VALUE: Self = Self { itself: true, subdomains: false };
    /// A domain and every name below it.
    pub const SUBDOMAINS: Self = Self { itself: true, subdomains: true };
    /// Every name below a domain, but not the domain.
    pub const BELOW: Self = Self { itself: false, subdomains: true };
}

fn part_of(print: u64) -> usize {
    (print >> 56) as usize
}

fn in_order(mut parts: Vec<Entries>, count: usize) -> Entries {
    let upper = parts.split_off(parts.len() / 2);
    if count < SMALL {
        let mut entries = Entries::with_capacity(count);
        sort_into(parts, &mut entries);
        sort_into(upper, &mut entries);
        return entries;
    }
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut entries = Entries::with_capacity(upper.iter().map(|part| part.prints.len()).sum());
            sort_into(upper, &mut entries);
            entries
        });
        let mut entries = Entries::with_capacity(count);
        sort_into(parts, &mut entries);
        match second.join() {
            Ok(mut second) => {
                entries.prints.append(&mut second.prints);
                entries.names.append(&mut second.names);
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
        entries
    })
}

/// Puts each part in order behind what is there. Claims of one name on one value become one that goes as far as all of
/// them.
fn sort_into(parts: Vec<Entries>, into: &mut Entries) {
    let mut sorted: Vec<(u64, u64, u64)> = Vec::new();
    for part in parts {
        sorted.clear();
        sorted.extend(part.iter().map(|(print, name)| (print & !FLAGS, name, print & FLAGS)));
        drop(part);
        sorted.sort_unstable();
        sorted.dedup_by(|next, before| {
            let same = (next.0, next.1) == (before.0, before.1);
            if same {
                before.2 |= next.2;
            }
            same
        });
        for &(print, name, flags) in &sorted {
            if let Some(name) = table::name(name) {
                into.push(print | flags, name);
            }
        }
    }
}
