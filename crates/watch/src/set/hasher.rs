//! Keyed fingerprints.

use observable::Kind;
use observable::canonical::Parts;

/// Under what a value is looked up: a keyed fingerprint of its kind and canonical form. Keys of sets with different seeds
/// have nothing to do with each other.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub(crate) u64);

/// The bits of a fingerprint that say how far a claim goes; zero in a [`Key`].
pub(super) const FLAGS: u64 = 3;

/// From which bit on a URL's key says its scheme: two bits above the flags, which the filter leaves out.
const SCHEME: u32 = 2;

/// The bits that the keys of a URL under several schemes differ in, and the flags.
pub(super) const BESIDE: u64 = FLAGS | 3 << SCHEME;

/// The bits that a URL's key has in common with the key of the same URL without a query: they choose the block of a
/// filter, which answers for both from one line of cache. 38 bits are left to tell queries of one path apart.
const PATH: u64 = !0 << 42;

/// A hash of folded products, all of whose constants are secret. With published constants such hashes have been made to
/// collide for every seed; here the one who chooses the values knows none of what they are mixed with.
pub(super) struct Hasher {
    secrets: [u64; 6],
    /// One for each kind, so that a value means nothing under another kind.
    kinds: [u64; Kind::ALL.len()],
    /// For schemes of URLs other than `http` and `https`.
    scheme: u64,
    /// For queries of URLs.
    query: u64,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(..)")
    }
}

impl Hasher {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        let mut expanded = blake3::Hasher::new_keyed(&seed).update(b"marsad: keys of an indicator set").finalize_xof();
        let mut draw = || {
            let mut word = [0; 8];
            expanded.fill(&mut word);
            u64::from_le_bytes(word)
        };
        Self {
            secrets: std::array::from_fn(|_| draw()),
            kinds: std::array::from_fn(|_| draw()),
            scheme: draw(),
            query: draw(),
        }
    }

    #[inline(always)]
    pub(super) fn key(&self, kind: Kind, value: &[u8]) -> Key {
        let start = self.kinds.get(kind as usize).copied().unwrap_or(0);
        Key(self.hash(start, value) & !FLAGS)
    }

    /// The key of a URL whose parts are these.
    pub(super) fn url(&self, parts: &Parts<'_>) -> Key {
        let path = self.path(parts.without_query);
        let [key] = self.schemes([parts.scheme], self.query(path, parts).unwrap_or(path));
        key
    }

    /// What stands behind a URL's scheme, without the query.
    #[inline]
    pub(super) fn path(&self, without_query: &[u8]) -> u64 {
        self.hash(self.kinds.get(Kind::Url as usize).copied().unwrap_or(0), without_query)
    }

    /// All that stands behind a URL's scheme, by what the path is; `None` if it has no query.
    #[inline]
    pub(super) fn query(&self, path: u64, parts: &Parts<'_>) -> Option<u64> {
        let query = parts.rest.get(parts.without_query.len()..).filter(|query| !query.is_empty())?;
        let [.., key] = self.secrets;
        Some(path & PATH | fold(path ^ self.hash(self.query, query), key) & !PATH)
    }

    /// The keys of one URL under several schemes. The scheme is put in last: those that are looked up together differ in two
    /// bits, which the filter does not look at.
    #[inline]
    pub(super) fn schemes<const SCHEMES: usize>(&self, schemes: [Option<&[u8]>; SCHEMES], hash: u64) -> [Key; SCHEMES] {
        let [.., key] = self.secrets;
        let with = |scheme: u64| hash & !(3 << SCHEME) | scheme << SCHEME;
        schemes.map(
            #[inline(always)]
            |scheme| {
                let mixed = match scheme {
                    None => with(0),
                    Some(b"http") => with(1),
                    Some(b"https") => with(2),
                    Some(other) => fold(hash ^ self.hash(self.scheme, other), key),
                };
                Key(mixed & !FLAGS)
            },
        )
    }

    #[inline(always)]
    fn hash(&self, start: u64, value: &[u8]) -> u64 {
        let [first, second, third, fourth, fifth, _] = self.secrets;
        let mut state = start;
        let mut rest = value;
        while let Some((block, behind)) = rest.split_first_chunk::<16>()
            && !behind.is_empty()
        {
            let (low, high) = halves(block);
            state = fold(low ^ first ^ state, high ^ second);
            rest = behind;
        }
        // The last 1 to 16 bytes, read from both ends: with the length mixed in, that says which they are.
        let (low, high) = ends(rest);
        let length = value.len() as u64;
        fold(fold(low ^ third ^ state, high ^ fourth) ^ length, fifth ^ state)
    }
}

/// The product of both, its halves laid over each other.
#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

#[inline(always)]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let low = both as u64;
    (low, (both >> 64) as u64)
}

#[inline(always)]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    match *bytes {
        [] => (0, 0),
        [only] => (u64::from(only), 0),
        [first, second] => (u64::from(first) | u64::from(second) << 8, 0),
        [first, second, third, ..] => (u64::from(first) | u64::from(second) << 8 | u64::from(third) << 16, 0),
    }
}
