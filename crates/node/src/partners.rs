//! Exchange with partners.

pub mod link;
pub mod makers;
pub mod provenance;
pub mod statement;
