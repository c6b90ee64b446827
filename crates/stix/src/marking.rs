//! Data markings. STIX 2.1 §7.2; TLP 2.0.

mod tlp;

pub use tlp::{PREDEFINED, Predefined, TLP1_CREATED, TLP2_CREATED, TLP2_EXTENSION, Tlp, predefined, tlp_of};
