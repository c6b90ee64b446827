//! How an export is written.

use std::ops::RangeInclusive;

/// How an export is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// When it is made, in microseconds since 1970.
    pub at: i64,
    /// For whom it is made; stands in the head of every file that can have one.
    pub viewer: String,
    /// The numbers from which Suricata and Snort rules take theirs; `1000000..=1999999` is what both keep free for local
    /// rules.
    pub numbers: RangeInclusive<u32>,
    /// The name of the zone into which the response policy will be loaded: it counts into the length of a name.
    pub zone: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { at: 0, viewer: String::new(), numbers: 1_000_000..=1_999_999, zone: "rpz.marsad".to_owned() }
    }
}
