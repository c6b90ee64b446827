//! Values that can be observed: which kinds there are, and in which form two of them are compared.
//!
//! An indicator and a log line write the same thing in different ways. What both are brought to here is the same bytes
//! exactly if they mean the same, so that whoever compares needs nothing but equality.

#![forbid(unsafe_code)]

mod kind;

pub use kind::Kind;
