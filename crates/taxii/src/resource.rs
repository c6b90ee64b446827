//! The resources of the standard as they are written (TAXII 2.1 §3.6, §4, §5). Empty lists are left out (§2).

use serde::{Deserialize, Serialize};

/// The server's front page (§4.1.1).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Discovery {
    /// For people.
    pub title: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// One of `api_roots`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Absolute addresses or paths that begin with one slash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_roots: Vec<String>,
}

/// An API root (§4.2.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ApiRoot {
    /// For people.
    pub title: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media types spoken.
    pub versions: Vec<String>,
    /// Octets of the largest request body that is read.
    pub max_content_length: u64,
}

/// The list of collections (§5.1.1).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Collections {
    /// In an order that does not change between requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collections: Vec<Collection>,
}

/// A collection as one client sees it (§5.2.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Collection {
    /// UUIDv4.
    pub id: String,
    /// For people.
    pub title: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Works wherever the id does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Whether this client may read.
    pub can_read: bool,
    /// Whether this client may write.
    pub can_write: bool,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_types: Vec<String>,
}

/// A page of a manifest (§5.3.1). `next` is not in the standard's resource; clients that page by it are served too.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Manifest {
    /// Whether more follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The rows, by time of addition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ManifestRow>,
}

/// A row of a manifest (§5.3.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ManifestRow {
    /// The object.
    pub id: String,
    /// When this version was added.
    pub date_added: String,
    /// The version.
    pub version: String,
    /// How it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// A page of an object's versions (§5.8.1).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Versions {
    /// Whether more follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Where the next page begins; as in [`Manifest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// By time of addition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// What became of a POST (§4.3.1). Counts and lists always agree: they are made by [`Status::of`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Status {
    /// UUIDv4.
    pub id: String,
    /// `complete` or `pending`.
    pub status: String,
    /// When it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timestamp: Option<String>,
    /// Objects in the request.
    pub total_count: u64,
    /// Kept.
    pub success_count: u64,
    /// One row each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successes: Vec<StatusRow>,
    /// Refused.
    pub failure_count: u64,
    /// One row each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<StatusRow>,
    /// Not decided.
    pub pending_count: u64,
    /// One row each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pendings: Vec<StatusRow>,
}

impl Status {
    /// A finished request.
    #[must_use]
    pub fn of(id: String, request_timestamp: String, successes: Vec<StatusRow>, failures: Vec<StatusRow>) -> Self {
        Self {
            id,
            status: "complete".into(),
            request_timestamp: Some(request_timestamp),
            total_count: (successes.len() + failures.len()) as u64,
            success_count: successes.len() as u64,
            successes,
            failure_count: failures.len() as u64,
            failures,
            pending_count: 0,
            pendings: Vec::new(),
        }
    }
}

/// What became of one object (§4.3.1).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StatusRow {
    /// The object.
    pub id: String,
    /// The version.
    pub version: String,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What is said to somebody who is refused (§3.6.1): what they can do, nothing of what there is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ErrorMessage {
    /// In a few words.
    pub title: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// By which the operator finds the request in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_id: Option<String>,
    /// A name that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The status of the answer, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<String>,
}
