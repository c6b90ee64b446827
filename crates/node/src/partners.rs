//! Exchange with partners.

pub mod link;
pub mod makers;
pub mod pack;
pub mod provenance;
pub mod statement;
