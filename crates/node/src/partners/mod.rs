//! Exchange with partners.

pub mod link;
pub mod plan;
pub mod state;
