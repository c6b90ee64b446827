//! The STIX 2.1 language.

pub mod json;
