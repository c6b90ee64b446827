//! Cursors: where a client's reading goes on (TAXII 2.1 §3.5, App. B).
//!
//! A cursor holds a position and nothing else; the collection and the filters are under its signature, so it opens for
//! the query that it was given for and for no other. It is kept nowhere: it survives restarts, and any node with the same
//! key opens it. Rights are no part of it, they are asked anew with every request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

const VERSION: u8 = 1;
const SIGNATURE: usize = 16;

/// Signs and opens cursors.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

/// Not a cursor of this node for this query: 400, whatever the reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("next: not a cursor that this server gave for this query")]
pub struct BadCursor;

impl Signer {
    /// With the node's key for this purpose.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A cursor that goes on after `position`. `scope` names the endpoint and the collection, `filters` is
    /// [`crate::query::Query::filters`].
    #[must_use]
    pub fn sign(&self, position: i64, scope: &str, filters: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(position.to_be_bytes());
        bytes.extend(self.signature(&bytes, scope, filters));
        BASE64.encode(bytes)
    }

    /// The position of a cursor that this signer gave for the same scope and filters.
    ///
    /// # Errors
    /// [`BadCursor`] for anything else.
    pub fn open(&self, cursor: &str, scope: &str, filters: &str) -> Result<i64, BadCursor> {
        let bytes = BASE64.decode(cursor).map_err(|_| BadCursor)?;
        let (payload, signature) = bytes.split_at_checked(9).ok_or(BadCursor)?;
        let signature: [u8; SIGNATURE] = signature.try_into().map_err(|_| BadCursor)?;
        let same = differ(&signature, &self.signature(payload, scope, filters)) == 0;
        match payload.split_first() {
            Some((&VERSION, position)) if same => position.try_into().map(i64::from_be_bytes).map_err(|_| BadCursor),
            _ => Err(BadCursor),
        }
    }

    fn signature(&self, payload: &[u8], scope: &str, filters: &str) -> [u8; SIGNATURE] {
        let mut hash = blake3::Hasher::new_keyed(&self.key);
        for part in [payload, scope.as_bytes(), filters.as_bytes()] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let mut out = [0; SIGNATURE];
        hash.finalize_xof().fill(&mut out);
        out
    }
}

/// Compares in the same time wherever the difference lies.
fn differ(a: &[u8; SIGNATURE], b: &[u8; SIGNATURE]) -> u8 {
    a.iter().zip(b).fold(0, |all, (x, y)| std::hint::black_box(all | (x ^ y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn opens_for_its_own_query_alone(position: i64, scope in ".{0,20}", filters in ".{0,20}", other in ".{0,20}") {
            let signer = Signer::new([7; 32]);
            let cursor = signer.sign(position, &scope, &filters);
            prop_assert_eq!(signer.open(&cursor, &scope, &filters), Ok(position));
            if other != filters {
                prop_assert_eq!(signer.open(&cursor, &scope, &other), Err(BadCursor));
            }
            if other != scope {
                prop_assert_eq!(signer.open(&cursor, &other, &filters), Err(BadCursor));
            }
            prop_assert_eq!(Signer::new([8; 32]).open(&cursor, &scope, &filters), Err(BadCursor));
        }

        #[test]
        fn a_flipped_bit_is_refused(position: i64, at in 0..25_usize, bit in 0..8_u8) {
            let signer = Signer::new([7; 32]);
            let mut bytes = BASE64.decode(signer.sign(position, "s", "f")).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(signer.open(&BASE64.encode(bytes), "s", "f"), Err(BadCursor));
        }

        #[test]
        fn anything_is_an_answer(text in ".*") {
            prop_assert_eq!(Signer::new([7; 32]).open(&text, "", ""), Err(BadCursor));
        }
    }
}
