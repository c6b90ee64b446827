//! What decides about a record: its policy class.

use serde::{Deserialize, Serialize};

/// Everything of a record that the policy looks at. Records that agree in all of it form one class, and a decision is
/// made once a class.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Marking definitions that apply to the whole object (STIX 2.1 §7.2.1), sorted.
    pub markings: Vec<String>,
    /// Marking definitions that apply to parts of it (STIX 2.1 §7.2.3), sorted.
    pub granular: Vec<String>,
    /// The accounts and organisations to whom a TLP:RED record is addressed, sorted.
    pub recipients: Vec<String>,
    /// The organisation that brought it in.
    pub owner: String,
}

impl Class {
    /// The bytes by which a store knows the class: the same for the same class, whatever the order of its lists.
    #[must_use]
    pub fn to_definition(&self) -> Vec<u8> {
        let mut class = self.clone();
        for list in [&mut class.markings, &mut class.granular, &mut class.recipients] {
            list.sort_unstable();
            list.dedup();
        }
        // A struct of strings always serialises; were it not so, the empty definition is one that withholds.
        serde_json::to_vec(&class).unwrap_or_default()
    }

    /// Reads a definition. `None`: not understood (written by a newer version, or damaged), which withholds.
    #[must_use]
    pub fn from_definition(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
