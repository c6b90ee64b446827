//! The TAXII 2.1 wire: media types, queries, cursors and resources, and the client's side over a transport it is given.
//!
//! Nothing here opens a socket, reads a clock or knows a store.
//!
//! ```
//! use taxii::query::{self, Endpoint};
//! let query = query::parse("match[type]=indicator,malware&limit=2", Endpoint::Objects).unwrap();
//! assert_eq!(query.limit, Some(2));
//! assert_eq!(query.types.as_deref(), Some(&["indicator".to_owned(), "malware".to_owned()][..]));
//! ```

#![forbid(unsafe_code)]

pub mod client;
pub mod cursor;
pub mod media;
pub mod query;
pub mod resource;
