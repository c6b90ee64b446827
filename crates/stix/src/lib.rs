//! The STIX 2.1 language: objects, identifiers, timestamps, vocabularies, markings and what is done with them.
//!
//! Nothing here reads a clock, a file or a socket: time and chance are arguments.

pub mod canonical;
pub mod head;
pub mod id;
pub mod json;
pub mod language;
pub mod marking;
pub mod object_type;
pub mod personal;
pub mod redact;
pub mod registry;
pub mod relationship;
pub mod schema;
pub mod sco_id;
pub mod selector;
pub mod split;
pub mod timestamp;
pub mod upgrade;
pub mod validate;
pub mod versioning;
pub mod vocab;

mod rewrite;

pub use canonical::equivalent;

#[cfg(test)]
mod published;
