//! Many seals under one signature: a tree of hashes (RFC 9162 §2.1) over what each says, of which the root is signed. A seal
//! carries the hashes beside its way to the root, so that it stands alone.
//!
//! Whoever holds a seal learns nothing of the others under its root, not even whether there are any. A leaf is hashed with 16
//! bytes that only its own seal tells, so no guess at what another says can be tried against its hash; each of our trees is
//! full, and what stands for nothing in it looks like what stands for something; which place a seal has is drawn.

use super::HASH;
use crate::key::Keys;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The most hashes on a way to a root.
pub(crate) const LONGEST: usize = 32;
/// Levels of the trees that we make.
pub(crate) const LEVELS: usize = 6;
/// Seals of one tree that we make.
pub(crate) const SEALS: usize = 1 << LEVELS;
/// Bytes that hide a leaf.
pub(crate) const SALT: usize = 16;

/// The hash of what a seal says.
pub(crate) fn leaf(salt: &[u8; SALT], said: &[u8]) -> [u8; HASH] {
    // The first byte tells leaves from nodes: what is hashed as the one is never taken for the other.
    Sha256::new().chain_update([0]).chain_update(salt).chain_update(said).finalize().into()
}

fn node(left: &[u8; HASH], right: &[u8; HASH]) -> [u8; HASH] {
    let mut both = [1; 1 + 2 * HASH];
    let (_, hashes) = both.split_at_mut(1);
    let (to_left, to_right) = hashes.split_at_mut(HASH);
    to_left.copy_from_slice(left);
    to_right.copy_from_slice(right);
    Sha256::digest(both).into()
}

/// The root above a leaf at a place among so many (RFC 9162 §2.1.3.2). `None`: the way has another length than it has there.
pub(crate) fn root(leaf: &[u8; HASH], place: u64, count: u64, way: &[[u8; HASH]]) -> Option<[u8; HASH]> {
    if place >= count || way.len() > LONGEST {
        return None;
    }
    let (mut at, mut last, mut hash) = (place, count - 1, *leaf);
    for beside in way {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// What is signed: the root and the number of its leaves, behind a line that no other use of the key begins with.
pub(crate) fn message(root: &[u8; HASH], count: u64) -> Vec<u8> {
    [b"marsad-seals 1\n".as_slice(), &count.to_be_bytes(), root].concat()
}

/// Numbers that nobody else can know, out of the secret keys and what they are for: the same each time, so that what is
/// sealed twice for one reader is sealed alike. Whoever has all objects of a tree may know them.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Drawn(Zeroizing<[u8; HASH]>);

impl Drawn {
    pub(super) fn new(keys: &Keys, about: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"marsad seals drawn 1\n");
        hash.update(keys.blind());
        for part in about {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(Zeroizing::new(hash.finalize().into()))
    }

    /// As they were told.
    pub(super) fn told(bytes: [u8; HASH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// To be told to whoever has all objects of the tree.
    pub(super) fn tell(&self) -> &[u8; HASH] {
        &self.0
    }

    fn draw(&self, purpose: u8, level: usize, place: usize) -> [u8; HASH] {
        let at = (((level as u64) << 32) | place as u64).to_be_bytes();
        let mut all = [purpose; HASH + 1 + 8];
        let (to_secret, rest) = all.split_at_mut(HASH);
        let (_, to_place) = rest.split_at_mut(1);
        to_secret.copy_from_slice(&*self.0);
        to_place.copy_from_slice(&at);
        Sha256::digest(all).into()
    }

    /// What hides the leaf of the seal with this number.
    pub(super) fn salt(&self, number: usize) -> [u8; SALT] {
        self.draw(b's', 0, number).first_chunk().copied().unwrap_or_default()
    }

    /// A place for each of so many seals.
    fn places(&self, count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..SEALS).collect();
        for at in 0..count.min(SEALS) {
            let drawn = self.draw(b'p', 0, at).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            // The remainder is uneven by less than 2⁻⁵⁷.
            let left = (SEALS - at) as u64;
            places.swap(at, at + usize::try_from(drawn % left).unwrap_or_default());
        }
        places.truncate(count);
        places
    }
}

/// The root of a full tree over at most [`SEALS`] leaves; the rest is drawn.
pub(super) fn root_over(leaves: &[[u8; HASH]], drawn: &Drawn) -> [u8; HASH] {
    climb(leaves, drawn, &drawn.places(leaves.len()), |_, _| {})
}

/// The place of a leaf in its tree, and the hashes beside its way to the root.
pub(super) type Way = (usize, [[u8; HASH]; LEVELS]);

/// The ways of the leaves.
pub(super) fn ways(leaves: &[[u8; HASH]], drawn: &Drawn) -> Vec<Way> {
    let places = drawn.places(leaves.len());
    let mut ways: Vec<Way> = places.iter().map(|place| (*place, [[0; HASH]; LEVELS])).collect();
    climb(leaves, drawn, &places, |height, level| {
        for (place, way) in &mut ways {
            let beside = level.get((*place >> height) ^ 1).copied().flatten();
            if let (Some(slot), Some(beside)) = (way.get_mut(height), beside) {
                *slot = beside;
            }
        }
    });
    ways
}

/// Hashes level by level up to the root; each is shown, with its height, when it is whole.
fn climb(
    leaves: &[[u8; HASH]],
    drawn: &Drawn,
    places: &[usize],
    mut show: impl FnMut(usize, &[Option<[u8; HASH]>]),
) -> [u8; HASH] {
    let mut level: Vec<Option<[u8; HASH]>> = vec![None; SEALS];
    for (place, leaf) in places.iter().zip(leaves) {
        if let Some(slot) = level.get_mut(*place) {
            *slot = Some(*leaf);
        }
    }
    for height in 0..LEVELS {
        // What has nothing below it is a number like any other hash.
        for (place, pair) in level.chunks_mut(2).enumerate() {
            if let [left, right] = pair
                && left.is_some() != right.is_some()
            {
                let (side, slot) = if left.is_none() { (0, left) } else { (1, right) };
                *slot = Some(drawn.draw(b'n', height, place * 2 + side));
            }
        }
        show(height, &level);
        let above = level.chunks(2).map(|pair| match pair {
            [Some(left), Some(right)] => Some(node(left, right)),
            _ => None,
        });
        level = above.collect();
    }
    level.first().copied().flatten().unwrap_or_default()
}
