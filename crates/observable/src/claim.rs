//! What an indicator says of one value.

use crate::Kind;

/// An indicator's statement that one value is of note.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Claim {
    /// The kind of the value.
    pub kind: Kind,
    /// The value as it was written.
    pub value: Box<str>,
    /// Whether the value itself is meant. Only a claim on the names below a domain leaves it out
    /// (`domain-name:value LIKE '%.example.org'`).
    pub itself: bool,
    /// Whether every name below the domain is meant. False for every other kind.
    pub subdomains: bool,
}

impl Claim {
    /// A claim on this value alone.
    #[must_use]
    pub fn new(kind: Kind, value: impl Into<Box<str>>) -> Self {
        Self { kind, value: value.into(), itself: true, subdomains: false }
    }

    /// A claim on a domain and every name below it.
    #[must_use]
    pub fn with_subdomains(domain: impl Into<Box<str>>) -> Self {
        Self { kind: Kind::Domain, value: domain.into(), itself: true, subdomains: true }
    }

    /// A claim on every name below a domain, but not on the domain.
    #[must_use]
    pub fn below(domain: impl Into<Box<str>>) -> Self {
        Self { kind: Kind::Domain, value: domain.into(), itself: false, subdomains: true }
    }
}
