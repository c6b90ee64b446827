//! The compiled set of indicators: which values are claimed, and by whom.
//!
//! A set is immutable and shared; a change makes another one that shares the bulk of it ([`Set::amended`]). It holds no
//! values but keyed fingerprints of 62 bits, beside each the caller's number of the indicator, and in front of them a
//! filter that answers "surely not" from one line of cache. A fingerprint is met by chance once in some 10¹¹ look-ups
//! among ten million claims; nobody who does not know the seed can make two values meet. Whoever owns the indicators
//! confirms a hit by its value.
//!
//! ```
//! use observable::{Claim, Kind};
//! use watch::set::Builder;
//!
//! let mut builder = Builder::new([7; 32]);
//! builder.add(&Claim::with_subdomains("Evil.example"), 1).unwrap();
//! builder.add(&Claim::new(Kind::Cidr, "203.0.113.0/24"), 2).unwrap();
//! assert!(builder.add(&Claim::with_subdomains("com"), 3).is_err(), "that would meet everything");
//! let set = builder.build();
//!
//! let (mut found, mut scratch) = (Vec::new(), Vec::new());
//! set.value(Kind::Domain, b"www.evil.example", &mut scratch, &mut found);
//! set.value(Kind::Ipv4, b"203.0.113.9", &mut scratch, &mut found);
//! assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), [1, 2]);
//! ```

mod builder;
mod filter;
mod hasher;
mod layer;
mod networks;
mod table;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use fearless_simd::{Level, Simd};
use observable::{Kind, canonical};

pub use builder::{Builder, Reach};
use filter::Filter;
use hasher::Hasher;
pub use hasher::Key;
use layer::Layer;
use table::Table;

use crate::vectors::{self, Work};

/// One indicator's claim on what was looked up.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Found {
    /// The number under which the claim was added.
    pub name: u64,
    /// Whether the value itself is claimed. Only a claim on the names below a domain leaves it out.
    pub itself: bool,
    /// Whether the names below a domain are claimed.
    pub subdomains: bool,
}

/// A compiled set of claims. Made by [`Builder::build`].
#[derive(Clone, Debug)]
pub struct Set {
    hasher: Arc<Hasher>,
    /// The bulk.
    base: Arc<Layer>,
    /// What came since the bulk was built.
    fresh: Arc<Layer>,
    /// Names in the bulk that count no longer.
    removed: Arc<HashSet<u64>>,
}

impl Set {
    /// The key of a value in its canonical form ([`canonical::of`]). Some nanoseconds for short values.
    #[must_use]
    #[inline]
    pub fn key(&self, kind: Kind, canonical: &[u8]) -> Key {
        if kind == Kind::Url {
            return self.hasher.url(&canonical::parts(canonical));
        }
        self.hasher.key(kind, canonical)
    }

    /// The same for what is no URL.
    #[inline(always)]
    pub(crate) fn plain_key(&self, kind: Kind, canonical: &[u8]) -> Key {
        self.hasher.key(kind, canonical)
    }

    /// Every key under which a claim may stand that meets this canonical URL: as it is; without its scheme, and if it has
    /// none, with `http` and `https`; and all of these without the query, which meet only claims that have none.
    pub fn url_keys(&self, canonical: &[u8], keys: &mut Vec<Key>) {
        self.url_keys_of(canonical::parts(canonical), keys);
    }

    /// The same for a canonical URL whose parts are known.
    pub fn url_keys_of(&self, parts: canonical::Parts<'_>, keys: &mut Vec<Key>) {
        let path = self.hasher.path(parts.without_query);
        for hash in self.hasher.query(path, &parts).into_iter().chain([path]) {
            match parts.scheme {
                Some(scheme) => keys.extend(self.hasher.schemes([Some(scheme), None], hash)),
                None => keys.extend(self.hasher.schemes([None, Some(&b"http"[..]), Some(b"https")], hash)),
            }
        }
    }

    /// Of the keys of [`url_keys_of`](Self::url_keys_of), one for all whose claims [`claims_beside`](Self::claims_beside) tells.
    #[inline]
    pub(crate) fn url_probes(&self, parts: canonical::Parts<'_>, keys: &mut Vec<Key>) {
        let path = self.hasher.path(parts.without_query);
        let usual = matches!(parts.scheme, None | Some(b"http" | b"https"));
        for hash in self.hasher.query(path, &parts).into_iter().chain([path]) {
            keys.extend(self.hasher.schemes([None], hash));
            if !usual {
                keys.extend(self.hasher.schemes([parts.scheme], hash));
            }
        }
    }

    /// Whether a claim may stand under this key: false is certain, true is wrong once in some hundred times.
    #[must_use]
    #[inline(always)]
    pub fn may_hold(&self, key: Key) -> bool {
        self.base.table.filter().may_hold(key) | self.fresh().is_some_and(|table| table.filter().may_hold(key))
    }

    /// Whether the names below the one with this key may be claimed: false is certain.
    #[inline]
    pub(crate) fn may_be_above(&self, key: Key) -> bool {
        self.base.table.above().may_hold(key) || self.fresh().is_some_and(|table| table.above().may_hold(key))
    }

    /// What came since the bulk was built, if anything did.
    #[inline(always)]
    fn fresh(&self) -> Option<&Table> {
        Some(&self.fresh.table).filter(|table| table.len() > 0)
    }

    /// Puts into `through` the places of those keys under which a claim may stand, in their order. For some hundred keys
    /// at once this costs a fraction of as many calls of [`may_hold`](Self::may_hold) where the filter is larger than the
    /// cache.
    pub fn sift(&self, keys: &[Key], through: &mut Vec<u32>) {
        sift(self.base.table.filter(), self.fresh().map(Table::filter), keys, through);
    }

    /// The same for those keys below whose names something may be claimed.
    pub(crate) fn sift_above(&self, keys: &[Key], through: &mut Vec<u32>) {
        sift(self.base.table.above(), self.fresh().map(Table::above), keys, through);
    }

    /// Adds every claim under this key to what was found. For a name above the one that was seen, only those count that
    /// have `subdomains`; for the value itself, only those that have `itself`.
    pub fn find(&self, key: Key, found: &mut Vec<Found>) {
        self.find_with(|table, found| table.find(key, found), found);
    }

    /// Whether any claim is under this key, or of a URL under its key with another scheme.
    pub(crate) fn claims_beside(&self, key: Key, found: &mut Vec<Found>) -> bool {
        found.clear();
        self.find_with(|table, found| table.find_beside(key, found), found);
        !found.is_empty()
    }

    #[inline]
    fn find_with(&self, find: impl Fn(&Table, &mut Vec<Found>), found: &mut Vec<Found>) {
        let before = found.len();
        find(&self.base.table, found);
        if !self.removed.is_empty() && found.len() > before {
            let mut at = 0;
            found.retain(|claim| {
                at += 1;
                at <= before || !self.removed.contains(&claim.name)
            });
        }
        find(&self.fresh.table, found);
    }

    /// Adds every claim on a network that covers this address; not those on the address alone.
    pub fn address(&self, address: IpAddr, found: &mut Vec<Found>) {
        let mut bytes = [0; 17];
        for layer in [&self.base, &self.fresh].into_iter().filter(|layer| layer.networks.may_cover(address)) {
            layer.networks.covering(address, &mut bytes, |network| {
                let before = found.len();
                layer.table.find(self.hasher.key(Kind::Cidr, network), found);
                if Arc::ptr_eq(layer, &self.base) && !self.removed.is_empty() {
                    let new = found.split_off(before);
                    found.extend(new.into_iter().filter(|claim| !self.removed.contains(&claim.name)));
                }
            });
        }
    }

    /// Whether a network that covers this address may be claimed: false is certain, and told for most addresses at the cost
    /// of one look at few bytes.
    #[must_use]
    #[inline]
    pub fn may_cover(&self, address: IpAddr) -> bool {
        self.base.networks.may_cover(address) || self.fresh.networks.may_cover(address)
    }

    /// Adds every claim that meets a value, as it stood somewhere: by its canonical form, the names above a domain, the
    /// networks around an address, the forms of a URL. A watcher does the same in parts, over many values at once.
    pub fn value(&self, kind: Kind, raw: &[u8], scratch: &mut Vec<u8>, found: &mut Vec<Found>) {
        match kind {
            Kind::Domain => {
                if let Some(name) = canonical::domain(raw, scratch) {
                    self.domain(name, found);
                }
            }
            Kind::Ipv4 | Kind::Ipv6 => {
                if let Some(address) = canonical::address(raw) {
                    self.find_filtered(self.address_key(address), found);
                    self.address(address, found);
                }
            }
            Kind::Url => {
                let mut keys = Vec::new();
                if let Some(url) = canonical::url(raw, scratch) {
                    self.url_keys(url, &mut keys);
                }
                keys.into_iter().for_each(|key| self.find_filtered(key, found));
            }
            _ => {
                if let Some(value) = canonical::of(kind, raw, scratch) {
                    self.find_filtered(self.key(kind, value), found);
                }
            }
        }
    }

    /// Adds every claim that meets a canonical domain: on itself, or on the names below one that is above it.
    pub fn domain(&self, name: &[u8], found: &mut Vec<Found>) {
        let mut rest = name;
        loop {
            let key = self.hasher.key(Kind::Domain, rest);
            if self.may_hold(key) {
                let whole = rest.len() == name.len();
                let before = found.len();
                self.find(key, found);
                let new = found.split_off(before);
                found.extend(new.into_iter().filter(|claim| if whole { claim.itself } else { claim.subdomains }));
            }
            match rest.iter().position(|&byte| byte == b'.') {
                Some(point) if self.has_subdomains() => rest = rest.get(point + 1..).unwrap_or_default(),
                _ => return,
            }
        }
    }

    /// The key of an address.
    #[must_use]
    pub fn address_key(&self, address: IpAddr) -> Key {
        match address {
            IpAddr::V4(address) => self.hasher.key(Kind::Ipv4, &address.octets()),
            IpAddr::V6(address) => self.hasher.key(Kind::Ipv6, &address.octets()),
        }
    }

    fn find_filtered(&self, key: Key, found: &mut Vec<Found>) {
        if self.may_hold(key) {
            self.find(key, found);
        }
    }

    /// Whether any value of this kind is claimed, or was before it was removed.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        (self.base.kinds | self.fresh.kinds) & layer::bit(kind) != 0
    }

    /// Whether the names below any domain are claimed.
    #[must_use]
    pub fn has_subdomains(&self) -> bool {
        self.base.subdomains || self.fresh.subdomains
    }

    /// Whether any network is claimed.
    #[must_use]
    pub fn has_networks(&self) -> bool {
        self.has(Kind::Cidr)
    }

    /// How many claims it holds, those that were removed since the bulk was built among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.table.len() + self.fresh.table.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.base.bytes() + self.fresh.bytes() + self.removed.capacity() * 9
    }

    /// How many changes lie over the bulk: claims that came and names that went. Above some thousands,
    /// [`merged`](Self::merged) makes look-ups cheaper again.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.fresh.table.len() + self.removed.len()
    }

    /// A builder for what is to be added to this set: its keys are the same.
    #[must_use]
    pub fn additions(&self) -> Builder {
        Builder::of(Arc::clone(&self.hasher))
    }

    /// This set without the claims of `gone`, and then with those of `added`, which [`additions`](Self::additions) began:
    /// a name that is in both is replaced. The bulk is shared with this set; the cost grows with the changes that lie over
    /// it, not with the bulk.
    #[must_use]
    pub fn amended(&self, gone: &[u64], added: Builder) -> Self {
        let added = added.into_layer();
        let fresh = if self.fresh.table.len() == 0 {
            added
        } else {
            let gone: HashSet<u64> = gone.iter().copied().collect();
            self.fresh.joined(&gone, &added)
        };
        let removed = if gone.is_empty() {
            Arc::clone(&self.removed)
        } else {
            Arc::new(self.removed.iter().chain(gone).copied().collect())
        };
        Self { hasher: Arc::clone(&self.hasher), base: Arc::clone(&self.base), fresh: Arc::new(fresh), removed }
    }

    /// This set on a bulk that was [`merged`](Self::merged) from an earlier state of it, while it was amended further. `since`:
    /// every name that went or came after that state. The cost grows with the changes that lie over it, not with the bulk.
    #[must_use]
    pub fn rebased(&self, merged: &Self, since: &HashSet<u64>) -> Self {
        Self {
            hasher: Arc::clone(&self.hasher),
            base: Arc::clone(&merged.base),
            fresh: Arc::new(self.fresh.only(since)),
            removed: Arc::new(since.clone()),
        }
    }

    /// The same claims with all of them in the bulk: linear in the set, for another thread than the one that watches.
    #[must_use]
    pub fn merged(&self) -> Self {
        Self {
            hasher: Arc::clone(&self.hasher),
            base: Arc::new(self.base.joined(&self.removed, &self.fresh)),
            fresh: Arc::default(),
            removed: Arc::default(),
        }
    }
}

/// Puts into `through` the places of those keys that one of two filters lets through.
fn sift(base: &Filter, fresh: Option<&Filter>, keys: &[Key], through: &mut Vec<u32>) {
    through.clear();
    through.resize(keys.len(), 0);
    let count = vectors::run(Level::new(), Sift { base, fresh, keys, through });
    through.truncate(count);
}

/// Asks two filters for many keys.
struct Sift<'s> {
    base: &'s Filter,
    fresh: Option<&'s Filter>,
    keys: &'s [Key],
    through: &'s mut [u32],
}

impl Work for Sift<'_> {
    type Output = usize;

    /// No vectors, but much work on bits.
    #[inline(always)]
    fn with<S: Simd>(self, _: S) -> usize {
        let Self { base, fresh, keys, through } = self;
        std::hint::black_box(base.touch(keys));
        match fresh {
            Some(fresh) => kept(
                keys,
                through,
                #[inline(always)]
                |key| base.may_hold(key) | fresh.may_hold(key),
            ),
            None => kept(
                keys,
                through,
                #[inline(always)]
                |key| base.may_hold(key),
            ),
        }
    }
}

/// Writes the places of those keys that pass into `through`, without a branch on it; how many they are.
#[inline(always)]
fn kept(keys: &[Key], through: &mut [u32], pass: impl Fn(Key) -> bool) -> usize {
    let mut count = 0_usize;
    for (place, key) in (0_u32..).zip(keys) {
        if let Some(slot) = through.get_mut(count) {
            *slot = place;
        }
        count += usize::from(pass(*key));
    }
    count
}

#[cfg(test)]
mod tests;
