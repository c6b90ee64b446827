//! Which values are written already.

use observable::Kind;
use std::collections::HashSet;

/// Values that are written, remembered by 128 bits of a digest that nobody can make collide.
#[derive(Default)]
pub(crate) struct Seen(HashSet<u128>);

impl Seen {
    /// Whether this is met for the first time.
    pub(crate) fn first(&mut self, kind: Kind, reach: &str, value: &str) -> bool {
        let mut digest = blake3::Hasher::new();
        digest.update(&[kind as u8]).update(reach.as_bytes()).update(&[0]).update(value.as_bytes());
        self.0.insert(short(&digest))
    }
}

/// The first 128 bits of a digest.
pub(crate) fn short(digest: &blake3::Hasher) -> u128 {
    let mut bytes = [0; 16];
    digest.finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}
