//! Exchange with partners.

pub mod admiralty;
pub mod backfill;
pub mod cards;
pub mod identity;
pub mod keeper;
pub mod link;
pub mod mailbox;
pub mod makers;
pub mod meeting;
pub mod notices;
pub mod pack;
pub mod plan;
pub mod provenance;
pub mod quota;
pub mod recalls;
pub mod runner;
pub mod sources;
pub mod state;
pub mod statement;
pub mod terms;

pub use terms::Terms;
