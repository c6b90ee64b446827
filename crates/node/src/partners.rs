//! Exchange with partners.

pub mod link;
