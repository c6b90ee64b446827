//! Values that can be observed: which kinds there are, and in which form two of them are compared.
//!
//! An indicator and a log line write the same thing in different ways. What both are brought to here ([`canonical`]) is
//! the same bytes exactly if they mean the same, so that whoever compares needs nothing but equality. [`claims`] says
//! which values a STIX pattern names, if it does nothing else, and [`admit`] which of those are too wide to be met.
//!
//! ```
//! use observable::{Claim, Kind, Refused};
//!
//! let pattern = pattern::parse("[domain-name:value = 'a.example' OR url:value IN ('http://b.example/c')]").unwrap();
//! let claims = observable::claims(&pattern).unwrap();
//! assert_eq!(claims, [Claim::new(Kind::Domain, "a.example"), Claim::new(Kind::Url, "http://b.example/c")]);
//! assert_eq!(observable::admit(&Claim::with_subdomains("co.uk")), Err(Refused::PublicSuffix));
//! ```

#![forbid(unsafe_code)]

mod admit;
pub mod canonical;
mod claim;
mod claims;
mod kind;

pub use admit::{Limits, Refused, admit, admitted};
pub use claim::Claim;
pub use claims::{claims, named};
pub use kind::Kind;
