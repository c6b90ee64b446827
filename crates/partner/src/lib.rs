//! What organisations that exchange with each other say and sign.
//!
//! An organisation has [`key`]s. What it says to others about objects are [`signed`] statements, which travel as STIX
//! objects through any software that keeps such.
//!
//! Nothing here reads a clock, a file or a socket: time and chance are arguments.

#![forbid(unsafe_code)]

pub mod key;
pub mod package;
pub mod signed;
