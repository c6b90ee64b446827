//! Exchange with partners.

pub mod cards;
pub mod identity;
pub mod link;
pub mod terms;

pub use terms::Terms;
