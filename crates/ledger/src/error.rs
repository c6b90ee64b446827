//! The crate's one error.

/// Why the store could not do as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is taken.
    #[error("{what} `{name}` exists already")]
    Exists {
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    Missing {
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The disk is full: nothing of the call was written, reading goes on.
    #[error("the disk is full: free space below {path}; nothing of this write was kept")]
    Full {
        /// The store's file.
        path: String,
    },
    /// The file was written by a newer Marsad.
    #[error("{path} has schema version {found}, this program knows up to {known}: use a newer marsad")]
    TooNew {
        /// The store's file.
        path: String,
        /// Version in the file.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// The engine failed.
    #[error("cannot {doing} in {path}")]
    Storage {
        /// What was tried.
        doing: &'static str,
        /// The store's file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
