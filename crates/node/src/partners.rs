//! Exchange with partners.

pub mod link;
pub mod mailbox;
pub mod plan;
pub mod state;
