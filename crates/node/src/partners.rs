//! Exchange with partners.

pub mod backfill;
pub mod link;
pub mod mailbox;
pub mod makers;
pub mod notices;
pub mod plan;
pub mod provenance;
pub mod recalls;
pub mod runner;
pub mod state;
pub mod statement;
