//! Exchange with partners.

pub mod backfill;
pub mod link;
pub mod notices;
pub mod recalls;
