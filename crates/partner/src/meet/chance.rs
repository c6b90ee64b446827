//! Chance out of 32 random bytes: the same seed, the same draws, at any place and in any order.

use curve25519_dalek::Scalar;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

/// A source of draws for one purpose. Does not print; is wiped when dropped.
#[derive(Clone)]
pub struct Chance {
    seed: Zeroizing<[u8; 64]>,
}

impl std::fmt::Debug for Chance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chance(…)")
    }
}

impl Chance {
    /// Draws of this purpose.
    #[must_use]
    pub fn new(seed: &[u8; 32], purpose: &str) -> Self {
        let hash = Sha512::new().chain_update(b"marsad meeting chance 1\n").chain_update(seed);
        Self { seed: Zeroizing::new(hash.chain_update(purpose).finalize().into()) }
    }

    /// Draws that depend on this and on a statement.
    #[must_use]
    pub fn about(&self, statement: &[u8]) -> Self {
        let hash = Sha512::new().chain_update(b"marsad meeting chance about 1\n").chain_update(*self.seed);
        Self { seed: Zeroizing::new(hash.chain_update(statement).finalize().into()) }
    }

    /// 64 random bytes: those of this place.
    #[must_use]
    pub fn wide(&self, place: u64) -> [u8; 64] {
        Sha512::new().chain_update(*self.seed).chain_update(place.to_le_bytes()).finalize().into()
    }

    /// A random scalar that is not zero: the one of this place.
    #[must_use]
    pub fn scalar(&self, place: u64) -> Scalar {
        let scalar = Scalar::from_bytes_mod_order_wide(&self.wide(place));
        // Nobody ever meets a zero; if so, one is a draw like any other.
        if scalar == Scalar::ZERO { Scalar::ONE } else { scalar }
    }

    /// Shuffles: every order is as likely as every other.
    pub fn shuffle<T>(&self, things: &mut [T]) {
        for (place, last) in (0..).zip((1..things.len()).rev()) {
            let choices = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            // 128 bits over at most 2^64 choices: no order is likelier than another by more than 2^-64.
            let bytes = self.wide(place);
            let wide = bytes.first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
            let chosen = usize::try_from(wide % u128::from(choices)).unwrap_or(last);
            things.swap(last, chosen);
        }
    }
}
