//! Which version of an indicator counts, where it lies in several collections.

use super::Seen;
use crate::export::Error;
use ledger::Ledger;
use std::collections::HashMap;
use stix::timestamp::Timestamp;

/// The newest version that the viewer may have of each indicator, if there is more than one collection to look into. Some
/// forty bytes for each of them.
pub(super) struct Newest(Option<HashMap<u128, Version>>);

/// A version of an indicator.
#[derive(Clone, Copy)]
enum Version {
    /// Not met yet: it was made at this time, in microseconds since 1970.
    Awaited(i64),
    /// It is written, or left out.
    Met,
}

impl Newest {
    pub(super) fn of<B: Ledger>(seen: &Seen<'_, B>) -> Result<Self, Error> {
        if seen.collections.len() < 2 {
            return Ok(Self(None));
        }
        let mut all = HashMap::new();
        for collection in &seen.collections {
            seen.rows(collection, "indicator", &mut |row| {
                let made = row.version.as_deref().and_then(|text| Timestamp::parse(text).ok());
                let made = made.map_or(row.date_added.0, |made| made.micros);
                let known = all.entry(number(&row.key)).or_insert(Version::Awaited(made));
                if matches!(known, Version::Awaited(other) if *other < made) {
                    *known = Version::Awaited(made);
                }
            })?;
        }
        Ok(Self(Some(all)))
    }

    /// Whether this is the version that counts, met for the first time.
    pub(super) fn is_the_one(&mut self, id: &str, modified: i64) -> bool {
        let Some(all) = &mut self.0 else { return true };
        let known = all.entry(number(id)).or_insert(Version::Awaited(modified));
        let counts = matches!(known, Version::Awaited(newest) if *newest <= modified);
        if counts {
            *known = Version::Met;
        }
        counts
    }
}

/// An id in sixteen bytes: its UUID or, if it has none, a digest.
fn number(id: &str) -> u128 {
    let uuid = id.strip_prefix("indicator--").and_then(|text| uuid::Uuid::parse_str(text).ok());
    uuid.map_or_else(
        || u128::from_le_bytes(blake3::hash(id.as_bytes()).as_bytes().first_chunk().copied().unwrap_or_default()),
        |uuid| uuid.as_u128(),
    )
}
