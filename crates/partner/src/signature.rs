//! Signatures of Ed25519 (RFC 8032), checked one by one and in batches with one and the same verdict.
//!
//! A signature (R, S) of a message M under a key A holds when the *cofactored* equation [8][S]B = [8]R + [8][k]A of RFC 8032
//! §5.1.7 does, with k = SHA-512(R, A, M). That is the one that a batch can decide: the stricter one without [8] would give
//! different answers in company than alone. Beside it R and A must be the canonical encoding of a point, S less than the
//! order of B, and A not of small order: such a key signs for everybody.

use crate::key::SIGNATURE;
use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use sha2::{Digest as _, Sha512};
use std::collections::HashMap;

/// Signatures that are checked in one equation.
const BATCH: usize = 1_024;
/// Wrong signatures that are looked for by halving a batch; where there are more, the rest is checked one by one.
const SOUGHT: u32 = 3;
/// Fewer than these are checked one by one.
const FEW: usize = 4;

/// A public key that may sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VerifyKey {
    bytes: [u8; 32],
    point: EdwardsPoint,
}

impl VerifyKey {
    /// The key of these bytes; `None`: it is no point of the curve, not canonical, or of small order.
    #[must_use]
    pub fn of(bytes: &[u8; 32]) -> Option<Self> {
        let point = point_of(bytes).filter(|point| !point.is_small_order())?;
        Some(Self { bytes: *bytes, point })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether this is a signature of the message under the key.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        Terms::of(self, message, signature).is_some_and(|terms| terms.hold(self))
    }
}

/// One signature to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// Whose it should be.
    pub key: &'a VerifyKey,
    /// What should have been signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; SIGNATURE],
}

impl Check<'_> {
    /// Whether this is the same as another: the same key, message and signature.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.signature == other.signature && self.key.bytes == other.key.bytes && self.message == other.message
    }
}

/// The verdict of [`VerifyKey::verify`] on each.
#[must_use]
pub fn verify_all(checks: &[Check<'_>]) -> Vec<bool> {
    let mut verdicts = vec![false; checks.len()];
    let mut sound = Vec::with_capacity(checks.len());
    for (place, check) in checks.iter().enumerate() {
        if let Some(terms) = Terms::of(check.key, check.message, check.signature) {
            sound.push((place, check.key, terms));
        }
    }
    for batch in sound.chunks(BATCH) {
        seek(batch, &mut SOUGHT.clone(), &mut |place, verdict| {
            if let Some(slot) = verdicts.get_mut(place) {
                *slot = verdict;
            }
        });
    }
    verdicts
}

/// What a signature brings to the equation.
struct Terms {
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Terms {
    /// `None`: it is none, whatever was signed.
    fn of(key: &VerifyKey, message: &[u8], signature: &[u8; SIGNATURE]) -> Option<Self> {
        let (r_bytes, s_bytes) = signature.split_first_chunk::<32>()?;
        let s: Option<Scalar> = Scalar::from_canonical_bytes(s_bytes.try_into().ok()?).into();
        let hash = Sha512::new().chain_update(r_bytes).chain_update(key.bytes).chain_update(message).finalize();
        Some(Self { r: point_of(r_bytes)?, s: s?, k: Scalar::from_bytes_mod_order_wide(&hash.into()) })
    }

    fn hold(&self, key: &VerifyKey) -> bool {
        let r = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-key.point, &self.s);
        (r - self.r).mul_by_cofactor().is_identity()
    }
}

type Sound<'a> = (usize, &'a VerifyKey, Terms);

/// Tells of each whether it holds. `sought`: how many wrong ones are still worth halving for.
fn seek(batch: &[Sound<'_>], sought: &mut u32, tell: &mut impl FnMut(usize, bool)) {
    if batch.len() < FEW || *sought == 0 {
        for (place, key, terms) in batch {
            let holds = terms.hold(key);
            *sought = sought.saturating_sub(u32::from(!holds));
            tell(*place, holds);
        }
    } else if hold_together(batch) {
        batch.iter().for_each(|(place, ..)| tell(*place, true));
    } else {
        let (one, two) = batch.split_at(batch.len() / 2);
        seek(one, sought, tell);
        seek(two, sought, tell);
    }
}

/// Whether the sum of all equations holds, each times a number that nobody can know before all signatures are fixed: were
/// one of them wrong, the sum would be right with a chance of 2⁻¹²⁸. Terms of one key are one term.
fn hold_together(batch: &[Sound<'_>]) -> bool {
    let mut transcript = Sha512::new_with_prefix(b"marsad batch 1\n");
    for (_, key, terms) in batch {
        // k stands for R, A and the message: it is their hash.
        transcript.update(key.bytes);
        transcript.update(terms.k.as_bytes());
        transcript.update(terms.s.as_bytes());
    }
    let seed = transcript.finalize();
    let mut of_base = Scalar::ZERO;
    let mut of_keys: HashMap<[u8; 32], (Scalar, EdwardsPoint)> = HashMap::new();
    let mut scalars = Vec::with_capacity(batch.len() + 8);
    let mut points = Vec::with_capacity(batch.len() + 8);
    for (number, (_, key, terms)) in batch.iter().enumerate() {
        let z = multiplier(&seed, number);
        of_base -= z * terms.s;
        of_keys.entry(key.bytes).or_insert((Scalar::ZERO, key.point)).0 += z * terms.k;
        scalars.push(z);
        points.push(terms.r);
    }
    scalars.push(of_base);
    points.push(curve25519_dalek::constants::ED25519_BASEPOINT_POINT);
    for (scalar, point) in of_keys.into_values() {
        scalars.push(scalar);
        points.push(point);
    }
    EdwardsPoint::vartime_multiscalar_mul(scalars, points).mul_by_cofactor().is_identity()
}

/// A number of 128 bits out of the seed.
fn multiplier(seed: &[u8], number: usize) -> Scalar {
    let block = Sha512::new().chain_update(seed).chain_update((number as u64).to_le_bytes()).finalize();
    let half = block.first_chunk::<16>().copied().unwrap_or_default();
    Scalar::from(u128::from_le_bytes(half))
}

/// The point of an encoding that is canonical: y less than p = 2²⁵⁵ - 19, and no minus sign on x = 0. RFC 8032 §5.1.3.
fn point_of(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    /// p, little end first.
    const P: [u8; 32] = {
        let mut p = [0xff; 32];
        p[0] = 0xed;
        p[31] = 0x7f;
        p
    };
    let mut y = *bytes;
    let last = y.last_mut()?;
    let minus = *last & 0x80 != 0;
    *last &= 0x7f;
    if y.iter().rev().cmp(P.iter().rev()).is_ge() {
        return None;
    }
    let point = CompressedEdwardsY(*bytes).decompress()?;
    // x is zero where y is 1 or -1: the neutral element and the point of order two.
    let x_is_zero = (point + point).is_identity();
    (!(minus && x_is_zero)).then_some(point)
}

#[cfg(test)]
mod tests;
