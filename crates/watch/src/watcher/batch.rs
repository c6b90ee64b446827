//! The values of a window of lines, asked for together.
//!
//! What was asked for not long ago, and in vain, is not asked for again. Which values those are cannot be guessed, so there
//! is no branch on it: the next one takes the place of one that is known.

use std::net::IpAddr;

use fearless_simd::{Level, Simd};
use observable::Kind;

use super::meet::{self, Look, Meet};
use super::quads::{Quad, Quads, RecentQuads};
use super::quick::{self, Recent};
use crate::Meaning;
use crate::scan::line::{Seen, Window};
use crate::set::{Found, Key, Set};
use crate::vectors::{self, Work};

/// Keys of the values of a window of lines.
#[derive(Debug)]
pub(super) struct Batch {
    level: Level,
    keys: Vec<Key>,
    /// For each key the place of its line.
    places: Vec<u32>,
    /// Lines that must be looked at.
    lines: Vec<u32>,
    quads: Quads,
    recent_quads: RecentQuads,
    /// Addresses of version 4 that were not asked for lately, at the front, and others behind them.
    fresh: Vec<Quad>,
    /// How many they are, and where their keys begin.
    fresh_count: usize,
    fresh_keys: usize,
    recent: Recent,
    /// Other values that were not asked for lately, at the front, and others behind them.
    waiting: Vec<Waiting>,
    /// Addresses among the values, each with the place of its key: networks may cover them.
    addresses: Vec<(u32, IpAddr)>,
    asked: Vec<Asked>,
    /// Keys of the names above those that wait, and for each of them which it was that was asked for.
    parents: Vec<Key>,
    below: Vec<u32>,
    /// Keys that are claimed, or whose networks are.
    passed: Vec<u32>,
}

/// A value that may come again.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    tag: Key,
    place: u32,
    seen: Seen,
}

/// The same, and its keys in the batch, but for those of names above it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    tag: Key,
    first: u32,
    end: u32,
    place: u32,
    /// Whether names below one above it may be claimed.
    is_below: bool,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            level: Level::new(),
            keys: Vec::new(),
            places: Vec::new(),
            lines: Vec::new(),
            quads: Quads::new(),
            recent_quads: RecentQuads::new(),
            fresh: Vec::new(),
            fresh_count: 0,
            fresh_keys: 0,
            recent: Recent::new(),
            waiting: Vec::new(),
            addresses: Vec::new(),
            asked: Vec::new(),
            parents: Vec::new(),
            below: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Works with these vectors from now on.
    #[cfg(test)]
    pub(super) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// Forgets what was asked for: the set is another one.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.recent_quads.clear();
    }

    /// The places of those lines of a window that must be looked at, since the set has something on a value of theirs.
    pub(super) fn lines(
        &mut self,
        set: &Set,
        meet: &mut Meet,
        found: &mut Vec<Found>,
        window: Window<'_>,
    ) -> &mut Vec<u32> {
        let (fresh, waiting) = vectors::run(self.level, Gather { batch: self, set, meet, window });
        self.ask(set, meet, window, fresh, waiting);
        self.filter(set, found);
        &mut self.lines
    }

    /// Takes back a list of lines whose memory is used again.
    pub(super) fn give_back(&mut self, lines: Vec<u32>) {
        self.lines = lines;
    }

    /// Adds the keys of the values that wait.
    fn ask(&mut self, set: &Set, meet: &mut Meet, window: Window<'_>, fresh: usize, waiting: usize) {
        let Self { keys, places, addresses, asked, parents, below, passed, .. } = self;
        parents.clear();
        below.clear();
        self.fresh_keys = keys.len();
        self.fresh_count = fresh;
        for quad in self.fresh.iter().take(fresh) {
            let address = quad.address();
            if set.may_cover(IpAddr::V4(address)) {
                addresses.push((keys.len() as u32, IpAddr::V4(address)));
            }
            keys.push(set.plain_key(Kind::Ipv4, &address.octets()));
        }
        places.extend(self.fresh.iter().take(fresh).map(|quad| quad.place));
        for Waiting { tag, place, seen } in self.waiting.iter().take(waiting) {
            let value = window.text(*seen);
            let first = keys.len() as u32;
            let is_name = seen.meaning != Some(Meaning::Address);
            if let Some(points) = is_name.then(|| quick::points(value)).flatten() {
                keys.push(*tag);
                if set.has_subdomains() {
                    quick::parents(set, value, points, |key| parents.push(key));
                    below.resize(parents.len(), asked.len() as u32);
                }
            } else if let Some(meaning) = seen.meaning {
                meet.value(set, meaning, value, &mut |look, _| push(set, look, keys, addresses));
            }
            places.resize(keys.len(), *place);
            asked.push(Asked { tag: *tag, first, end: keys.len() as u32, place: *place, is_below: false });
        }
        // Next to none passes. To branch on each would be to wait for it.
        set.sift_above(parents, passed);
        for at in passed.iter() {
            let at = *at as usize;
            if let (Some(key), Some(below)) = (parents.get(at), below.get(at))
                && let Some(asked) = asked.get_mut(*below as usize)
            {
                asked.is_below = true;
                keys.push(*key);
                places.push(asked.place);
            }
        }
    }

    /// Asks for all keys of the batch: lines that must be looked at are noted, and values that are not claimed.
    fn filter(&mut self, set: &Set, found: &mut Vec<Found>) {
        let Self { keys, places, lines, addresses, asked, passed, .. } = self;
        set.sift(keys, passed);
        // One in a hundred passes the filter in vain, and to look at its line would cost more than to ask the table.
        passed.retain(|at| keys.get(*at as usize).is_some_and(|key| set.claims_beside(*key, found)));
        if !addresses.is_empty() {
            let sifted = passed.len();
            passed.extend(addresses.iter().filter(|(_, address)| covered(set, *address, found)).map(|(key, _)| *key));
            if passed.len() > sifted {
                passed.sort_unstable();
            }
        }
        lines.clear();
        lines.extend(passed.iter().filter_map(|at| places.get(*at as usize)));
        let fresh = self.fresh.get(..self.fresh_count).unwrap_or_default();
        for quad in fresh {
            self.recent_quads.keep(quad.address);
        }
        for at in passed.iter() {
            if let Some(quad) = (*at as usize).checked_sub(self.fresh_keys).and_then(|at| fresh.get(at)) {
                self.recent_quads.forget(quad.address);
            }
        }
        let mut passed = passed.iter().copied().peekable();
        for asked in asked {
            while passed.next_if(|at| *at < asked.first).is_some() {}
            if !asked.is_below && passed.peek().is_none_or(|at| *at >= asked.end) {
                self.recent.keep(asked.tag);
            }
        }
    }
}

/// A batch that is being filled.
struct Gather<'g, 'w> {
    batch: &'g mut Batch,
    set: &'g Set,
    meet: &'g mut Meet,
    window: Window<'w>,
}

impl Work for Gather<'_, '_> {
    /// How many addresses are fresh, and how many other values wait.
    type Output = (usize, usize);

    #[inline(always)]
    fn with<S: Simd>(self, simd: S) -> (usize, usize) {
        let Self { batch, set, meet, window } = self;
        let Batch { keys, places, addresses, asked, fresh, waiting, quads, recent_quads, recent, .. } = batch;
        keys.clear();
        places.clear();
        addresses.clear();
        asked.clear();
        let most = window.count();
        if fresh.len() < most {
            fresh.resize(most, Quad::default());
        }
        let (mut all_quads, mut all) = (0, 0);
        for (place, _) in window.rows() {
            for (meaning, seen) in window.met(place) {
                let is_address = meaning == Meaning::Address;
                if !(is_address || matches!(meaning, Meaning::Host | Meaning::Answer)) {
                    match meaning {
                        Meaning::Url => meet.url_probes(set, window.text(seen), keys),
                        _ => {
                            meet.rare(set, meaning, window.text(seen), &mut |look, _| push(set, look, keys, addresses))
                        }
                    }
                    places.resize(keys.len(), place as u32);
                    continue;
                }
                if let Some((head, length)) = window.head(seen)
                    && (is_address || head.first().is_some_and(u8::is_ascii_digit))
                    && let Some(address) = quads.read(simd, head, length)
                {
                    if let Some(free) = fresh.get_mut(all_quads) {
                        *free = Quad { address, place: place as u32 };
                    }
                    all_quads += 1;
                    continue;
                }
                let tag = set.plain_key(if is_address { Kind::Cidr } else { Kind::Domain }, window.text(seen));
                let value = Waiting { tag, place: place as u32, seen };
                match waiting.get_mut(all) {
                    Some(free) => *free = value,
                    None => waiting.push(value),
                }
                all += 1;
            }
        }
        // Apart from what was done above, so that many of these accesses to memory are under way at once.
        let quads = kept(fresh, all_quads, |quad| !recent_quads.holds(quad.address));
        (quads, kept(waiting, all, |value| !recent.holds(value.tag)))
    }
}

/// Moves those of the first `count` values that pass to the front, without a branch on it; how many they are.
#[inline(always)]
fn kept<T: Copy>(values: &mut [T], count: usize, pass: impl Fn(&T) -> bool) -> usize {
    let mut kept = 0;
    for at in 0..count {
        let Some(value) = values.get(at).copied() else { break };
        if let Some(free) = values.get_mut(kept) {
            *free = value;
        }
        kept += usize::from(pass(&value));
    }
    kept
}

/// Adds what is to be looked up to a batch.
#[inline]
fn push(set: &Set, look: Look, keys: &mut Vec<Key>, addresses: &mut Vec<(u32, IpAddr)>) {
    match look {
        Look::Key { key, parent, .. } => {
            if !parent || set.may_be_above(key) {
                keys.push(key);
            }
        }
        Look::Address(address) => {
            if set.may_cover(address) {
                addresses.push((keys.len() as u32, address));
            }
            keys.push(meet::address_key(set, address).1);
        }
    }
}

fn covered(set: &Set, address: IpAddr, found: &mut Vec<Found>) -> bool {
    found.clear();
    set.address(address, found);
    !found.is_empty()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fearless_simd::Level;
    use observable::{Claim, Kind};
    use proptest::prelude::*;

    use crate::scan::{Format, Scan};
    use crate::set::{Builder, Set};
    use crate::{Event, Field, Hit, Meaning, Watcher};

    const CLAIMED: [&str; 8] = [
        "203.0.113.7",
        "2001:db8::1",
        "evil.example",
        "http://evil.example/a",
        "https://evil.example/b?c=1",
        "ftp://evil.example/b",
        "evil.example/c?d",
        "evil.example/d",
    ];

    fn set(claims: &[&str]) -> Arc<Set> {
        let mut builder = Builder::new([3; 32]);
        for (name, claim) in (0..).zip(claims) {
            let claim = match claim.as_bytes() {
                [.., b'e'] if !claim.contains('/') => Claim::with_subdomains(*claim),
                _ if claim.contains('/') => Claim::new(Kind::Url, *claim),
                _ if claim.contains(':') => Claim::new(Kind::Ipv6, *claim),
                _ => Claim::new(Kind::Ipv4, *claim),
            };
            builder.add(&claim, name).unwrap();
        }
        builder.add(&Claim::new(Kind::Cidr, "198.51.100.0/28"), 9).unwrap();
        builder.build().into()
    }

    /// Values of which few are claimed, and which come again.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "(203\\.0\\.113|198\\.51\\.100)\\.[0-9]{1,2}",
            1 => "2001:db8::[0-3]|::ffff:203\\.0\\.113\\.7|203\\.0\\.113\\.07|1\\.2\\.3|-|\\(empty\\)|",
            2 => "([ab]\\.){0,2}(evil|good)\\.example",
            1 => "EVIL\\.example|evil\\.example\\.|203\\.0\\.113\\.7:80|[a-z0-9.]{1,30}",
        ]
    }

    /// URLs in all the forms that claims are met in, and others.
    fn url() -> impl Strategy<Value = String> {
        "((https?|ftp|gopher|HTTP)://|//)?(evil|good)\\.example/[a-e](\\?(c=1|d|e)?)?|-"
    }

    const FIELDS: [(&str, Meaning); 5] = [
        ("id.orig_h", Meaning::Address),
        ("id.resp_h", Meaning::Address),
        ("query", Meaning::Host),
        ("host", Meaning::Host),
        ("referrer", Meaning::Url),
    ];

    type Told = (u64, u64, String);

    fn told(hit: &Hit<'_>) -> Told {
        (hit.line, hit.name, hit.field.to_owned())
    }

    fn watched(watcher: &mut Watcher, scan: &mut Scan, log: &[u8]) -> Vec<Told> {
        let mut hits = Vec::new();
        watcher.block(scan, log, &mut |hit| hits.push(told(hit)));
        hits.sort();
        hits
    }

    proptest! {
        #[test]
        fn values_are_met_with_all_vectors_as_one_by_one(lines in proptest::collection::vec((proptest::array::uniform4(value()), url()), 1..60)) {
            let mut log = String::from("#fields\tts\tid.orig_h\tuid\tid.resp_h\tquery\thost\treferrer\n");
            let mut expected = Vec::new();
            let claims = set(&CLAIMED);
            let mut slow = Watcher::new(Arc::clone(&claims));
            for (line, (values, referrer)) in (2..).zip(&lines) {
                let [orig, resp, query, host] = values;
                log += &format!("1.5\t{orig}\tC1\t{resp}\t{query}\t{host}\t{referrer}\n");
                let fields: Vec<Field<'_>> = FIELDS.iter().zip(values.iter().chain([referrer])).filter(|(_, value)| !matches!(value.as_str(), "-" | "(empty)"))
                    .map(|((name, meaning), value)| Field { name, meaning: *meaning, value: value.as_bytes() }).collect();
                slow.event(&Event { line, raw: b"", time: None, fields: &fields }, &mut |hit| expected.push(told(hit)));
            }
            expected.sort();
            for level in [Level::new(), Level::baseline()] {
                let mut watcher = Watcher::new(Arc::clone(&claims));
                watcher.batch.set_level(level);
                let scan = || Scan::new(Format::ZeekTsv).with_level(level);
                prop_assert_eq!(&watched(&mut watcher, &mut scan(), log.as_bytes()), &expected);
                // What it knows of the first time makes no difference,
                prop_assert_eq!(&watched(&mut watcher, &mut scan(), log.as_bytes()), &expected);
                // and it knows nothing of another set.
                watcher.swap(set(&[]));
                let networks: Vec<Told> = expected.iter().filter(|(_, name, _)| *name == 9).cloned().collect();
                prop_assert_eq!(&watched(&mut watcher, &mut scan(), log.as_bytes()), &networks);
                watcher.swap(Arc::clone(&claims));
                prop_assert_eq!(&watched(&mut watcher, &mut scan(), log.as_bytes()), &expected);
            }
        }
    }
}
