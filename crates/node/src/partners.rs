//! Exchange with partners.

pub mod link;
pub mod meeting;
