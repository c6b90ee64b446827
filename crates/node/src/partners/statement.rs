//! What a source said of an object that it brought.

use serde::{Deserialize, Serialize};

/// The words of a [`ledger::Statement`].
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Statement {
    /// The nodes that the object passed before it came here, oldest first; the last is the one from which it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// How far the source is to be relied upon: A to F (Admiralty).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<char>,
    /// How far the object is to be believed: 1 to 6 (Admiralty).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credibility: Option<u8>,
    /// How sure its author is: 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
}
