//! The program as people and scripts use it: commands with their exit codes, both streams and JSON, and what nodes do with
//! each other.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod audit;
mod cards;
mod certificates;
mod import;
mod links;
mod meeting;
mod members;
mod node;
mod objects;
mod packages;
mod process;
mod serve;
mod sources;
mod validate;
mod without_node;
