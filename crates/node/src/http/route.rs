//! Addresses to endpoints, as a pure function. A trailing slash may be missing.

use std::borrow::Cow;

/// What an address names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// `/taxii2/`
    Discovery,
    /// `/{root}/`
    ApiRoot,
    /// `/{root}/status/{id}/`
    Status(String),
    /// `/{root}/collections/`
    Collections,
    /// `/{root}/collections/{id}/`
    Collection(String),
    /// `/{root}/collections/{id}/manifest/`
    Manifest(String),
    /// `/{root}/collections/{id}/objects/`
    Objects(String),
    /// `/{root}/collections/{id}/objects/{object}/`
    Object(String, String),
    /// `/{root}/collections/{id}/objects/{object}/versions/`
    Versions(String, String),
    /// `/health`
    Health,
    /// `/ready`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/api/first-sign-in`
    FirstSignIn,
    /// Nothing that is here.
    Unknown,
}

macro_rules! patterns {
    ($($route:pat => $pattern:literal,)+) => {
        /// The pattern of every endpoint. It cannot miss one: the match below is made of the same lines.
        pub const PATTERNS: &[&str] = &[$($pattern),+];

        impl Route {
            /// Its pattern, for logs and metrics: never a name that came from outside.
            pub(super) fn pattern(&self) -> &'static str {
                match self { $($route => $pattern,)+ }
            }
        }
    };
}

patterns! {
    Self::Discovery => "/taxii2/",
    Self::ApiRoot => "/{root}/",
    Self::Status(_) => "/{root}/status/{id}/",
    Self::Collections => "/{root}/collections/",
    Self::Collection(_) => "/{root}/collections/{id}/",
    Self::Manifest(_) => "/{root}/collections/{id}/manifest/",
    Self::Objects(_) => "/{root}/collections/{id}/objects/",
    Self::Object(..) => "/{root}/collections/{id}/objects/{object}/",
    Self::Versions(..) => "/{root}/collections/{id}/objects/{object}/versions/",
    Self::Health => "/health",
    Self::Ready => "/ready",
    Self::Metrics => "/metrics",
    Self::FirstSignIn => "/api/first-sign-in",
    Self::Unknown => "unknown",
}

impl Route {
    /// The methods that it knows, as `Allow` lists them.
    pub(super) fn allowed(&self) -> &'static str {
        match self {
            Self::Objects(_) => "GET, HEAD, POST, OPTIONS",
            Self::Object(..) => "GET, HEAD, DELETE, OPTIONS",
            Self::FirstSignIn => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it is TAXII's: negotiated and signed in as TAXII says.
    pub(super) fn is_taxii(&self) -> bool {
        !matches!(self, Self::Health | Self::Ready | Self::Metrics | Self::FirstSignIn | Self::Unknown)
    }
}

/// Finds the endpoint of a path.
pub(super) fn of(path: &str, root: &str) -> Route {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(parts) = path.split('/').map(decoded).collect::<Option<Vec<_>>>() else { return Route::Unknown };
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.as_slice() {
        ["taxii2"] => Route::Discovery,
        ["health"] => Route::Health,
        ["ready"] => Route::Ready,
        ["metrics"] => Route::Metrics,
        ["api", "first-sign-in"] => Route::FirstSignIn,
        [first, rest @ ..] if *first == root => below_root(rest),
        _ => Route::Unknown,
    }
}

fn below_root(parts: &[&str]) -> Route {
    if parts.iter().any(|part| part.is_empty()) {
        return Route::Unknown;
    }
    match parts {
        [] => Route::ApiRoot,
        ["status", id] => Route::Status((*id).to_owned()),
        ["collections"] => Route::Collections,
        ["collections", id] => Route::Collection((*id).to_owned()),
        ["collections", id, "manifest"] => Route::Manifest((*id).to_owned()),
        ["collections", id, "objects"] => Route::Objects((*id).to_owned()),
        ["collections", id, "objects", object] => Route::Object((*id).to_owned(), (*object).to_owned()),
        ["collections", id, "objects", object, "versions"] => Route::Versions((*id).to_owned(), (*object).to_owned()),
        _ => Route::Unknown,
    }
}

/// Undoes percent-encoding of one part of a path.
fn decoded(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('%') {
        return Some(Cow::Borrowed(part));
    }
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let s = str::to_owned;
        let table = [
            ("/taxii2/", Route::Discovery),
            ("/taxii2", Route::Discovery),
            ("/exchange/", Route::ApiRoot),
            ("/other/", Route::Unknown),
            ("/", Route::Unknown),
            ("//", Route::Unknown),
            ("/exchange//collections/", Route::Unknown),
            ("/exchange/collections", Route::Collections),
            ("/exchange/collections/a/", Route::Collection(s("a"))),
            ("/exchange/collections/a%20b/", Route::Collection(s("a b"))),
            ("/exchange/collections/a%2Fobjects/", Route::Collection(s("a/objects"))),
            ("/exchange/collections/%ff/", Route::Unknown),
            ("/exchange/collections/a/objects/", Route::Objects(s("a"))),
            ("/exchange/collections/a/objects/x--1/", Route::Object(s("a"), s("x--1"))),
            ("/exchange/collections/a/objects/x--1/versions/", Route::Versions(s("a"), s("x--1"))),
            ("/exchange/collections/a/manifest/", Route::Manifest(s("a"))),
            ("/exchange/status/1/", Route::Status(s("1"))),
            ("/exchange/status/", Route::Unknown),
            ("/health", Route::Health),
            ("/metrics/", Route::Metrics),
        ];
        for (path, wanted) in table {
            assert_eq!(of(path, "exchange"), wanted, "{path}");
        }
    }
}
