//! Data markings: which apply to an object or to parts of it, and how they are changed. STIX 2.1 §7.2; TLP 2.0.
//!
//! Markings of an object are listed in `object_marking_refs`; markings of parts in `granular_markings`, each with the
//! selectors of its parts and either a marking definition or a language. Every change makes a new version of the
//! object (§3.6), so the functions that change take the time as an argument.

mod algebra;
mod granular;
mod tlp;

pub use algebra::{Error, Options, add, clear, get, is_marked, remove, set};
pub use tlp::{PREDEFINED, Predefined, TLP1_CREATED, TLP2_CREATED, TLP2_EXTENSION, Tlp, predefined, tlp_of};
