//! What the watch found, told to people and partners.
//!
//! Hits are folded into alerts ([`fold`]), which lie in the register; an alert becomes a STIX [`sighting`]; notices of it wait in the
//! register for each way out until they are told ([`out`]); what people answer lowers or keeps the [`confidence`] in a claim.

pub mod alert;
pub mod confidence;
pub mod desk;
pub mod fold;
pub mod hit;
pub mod out;
pub mod sighting;
pub mod view;
pub mod words;
