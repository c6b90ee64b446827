//! What organisations that exchange with each other say and sign.
//!
//! An organisation has [`key`]s and tells others of them on a [`card`], which people compare by [`words`]; whose card was
//! confirmed is on the ring of [`trust`]. What it says to others about objects are [`signed`] statements, which travel as STIX
//! objects through any software that keeps such: the author's [`seal`], the [`envelope`] of whoever hands a page on, a
//! [`recall`] and its [`receipt`], the [`notice`] of a group. Two who [`meet`] blindly learn what both hold.
//! What crosses a gap without a wire goes in a [`package`].
//!
//! Nothing here reads a clock, a file or a socket: time and chance are arguments.

#![forbid(unsafe_code)]

pub mod card;
pub mod envelope;
pub mod key;
pub mod meet;
pub mod notice;
pub mod package;
pub mod recall;
pub mod receipt;
pub mod seal;
pub mod signature;
pub mod signed;
pub mod trust;
pub mod words;

#[cfg(test)]
mod sample;
