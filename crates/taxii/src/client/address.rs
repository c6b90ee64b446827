//! Addresses of resources: absolute, with a path that ends in a slash (TAXII 2.1 §3.1).

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

/// An absolute `https` or `http` address without credentials and fragment.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address {
    /// Scheme and authority: `https://host:port`.
    origin: String,
    /// From the first slash to the last.
    path: String,
    /// What is asked, without `?`; empty when nothing is.
    query: String,
}

/// Why a text is not an address of a TAXII resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidAddress {
    /// Not an absolute address.
    #[error("not an address: write it whole, such as https://taxii.example.org/taxii2/")]
    Malformed,
    /// Another scheme than `https` and `http`.
    #[error("not an https address")]
    Scheme,
    /// A name or password before the host.
    #[error("credentials do not belong into an address: it is logged and shown; give them apart")]
    Credentials,
    /// A part behind `?` or `#`.
    #[error("a part behind `?` or `#`: give the address of the server, API root or collection alone")]
    Query,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(['?', '#']) {
            return Err(InvalidAddress::Query);
        }
        let uri: http::Uri = text.trim().parse().map_err(|_| InvalidAddress::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidAddress::Malformed);
        };
        if scheme != "https" && scheme != "http" {
            return Err(InvalidAddress::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(InvalidAddress::Credentials);
        }
        if authority.host().is_empty() {
            return Err(InvalidAddress::Malformed);
        }
        let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        Ok(Self { origin, path: slashed(uri.path()), query: String::new() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

impl Address {
    /// The path, from the first slash to the last.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Below this one: each segment becomes one of the path, whatever is in it. `None`: a segment that would lead
    /// elsewhere (`.`, `..` or nothing).
    #[must_use]
    pub fn below(&self, segments: &[&str]) -> Option<Self> {
        let mut path = self.path.clone();
        for segment in segments {
            if matches!(*segment, "" | "." | "..") {
                return None;
            }
            encode(segment, &mut path);
            path.push('/');
        }
        Some(Self { origin: self.origin.clone(), path, query: String::new() })
    }

    /// The same with a query.
    #[must_use]
    pub fn asking(&self, parameters: &[(&str, &str)]) -> Self {
        let mut query = String::new();
        for (name, value) in parameters {
            if !query.is_empty() {
                query.push('&');
            }
            encode(name, &mut query);
            query.push('=');
            encode(value, &mut query);
        }
        Self { origin: self.origin.clone(), path: self.path.clone(), query }
    }

    /// Where a server says that something is: an absolute address, or a path from the root of the server (§4.1.1); a
    /// path without its first slash is taken from here, as the reference client does.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn join(&self, reference: &str) -> Result<Self, InvalidAddress> {
        if reference.starts_with("https://") || reference.starts_with("http://") {
            return reference.parse();
        }
        if reference.starts_with("//") || reference.split('/').any(|part| part == "..") {
            return Err(InvalidAddress::Malformed);
        }
        let base = if reference.starts_with('/') { "" } else { self.path.as_str() };
        format!("{}{base}{reference}", self.origin).parse()
    }

    /// The root of the server.
    #[must_use]
    pub fn discovery(&self) -> Self {
        Self { origin: self.origin.clone(), path: "/taxii2/".into(), query: String::new() }
    }

    /// The API root, where this is the address of a collection in one.
    #[must_use]
    pub fn api_root(&self) -> Option<Self> {
        let at = self.path.find("/collections/")?;
        let path = self.path.get(..=at)?.to_owned();
        Some(Self { origin: self.origin.clone(), path, query: String::new() })
    }
}

fn slashed(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 §2.3).
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, wanted) in [
            ("https://a.example/taxii2/", Ok("https://a.example/taxii2/")),
            ("https://A.example/taxii2", Ok("https://a.example/taxii2/")),
            ("https://a.example", Ok("https://a.example/")),
            ("http://[::1]:8080/x", Ok("http://[::1]:8080/x/")),
            ("a.example/taxii2/", Err(InvalidAddress::Malformed)),
            ("/taxii2/", Err(InvalidAddress::Malformed)),
            ("", Err(InvalidAddress::Malformed)),
            ("https:///taxii2/", Err(InvalidAddress::Malformed)),
            ("ftp://a.example/", Err(InvalidAddress::Scheme)),
            ("file:///etc/passwd", Err(InvalidAddress::Malformed)),
            ("https://u:p@a.example/", Err(InvalidAddress::Credentials)),
            ("https://a.example/?x=1", Err(InvalidAddress::Query)),
            ("https://a.example/#x", Err(InvalidAddress::Query)),
        ] {
            let got = text.parse::<Address>().map(|address| address.to_string());
            assert_eq!(got.as_deref().map_err(|error| *error), wanted, "{text}");
        }
    }

    #[test]
    fn references() {
        let base: Address = "https://a.example/taxii2/".parse().unwrap();
        for (reference, wanted) in [
            ("/api1/", Some("https://a.example/api1/")),
            ("/api1", Some("https://a.example/api1/")),
            ("api1/", Some("https://a.example/taxii2/api1/")),
            ("https://b.example:8443/api1/", Some("https://b.example:8443/api1/")),
            ("//b.example/api1/", None),
            ("/../api1/", None),
            ("javascript:alert(1)", Some("https://a.example/taxii2/javascript:alert(1)/")),
            ("https://u:p@b.example/", None),
        ] {
            let got = base.join(reference).ok().map(|address| address.to_string());
            assert_eq!(got.as_deref(), wanted, "{reference}");
        }
    }

    #[test]
    fn segments_and_queries_stay_what_they_are() {
        let base: Address = "https://a.example/api/".parse().unwrap();
        let below = base.below(&["collections", "a/../b?c#d é"]).unwrap();
        assert_eq!(below.to_string(), "https://a.example/api/collections/a%2F..%2Fb%3Fc%23d%20%C3%A9/");
        assert_eq!(base.below(&[".."]), None);
        assert_eq!(base.below(&[""]), None);
        let asking = base.asking(&[("match[type]", "a,b"), ("next", "x&limit=9")]);
        assert_eq!(asking.to_string(), "https://a.example/api/?match%5Btype%5D=a%2Cb&next=x%26limit%3D9");
        let collection: Address = "https://a.example/api/collections/x/objects".parse().unwrap();
        assert_eq!(collection.api_root().unwrap().to_string(), "https://a.example/api/");
        assert_eq!(base.api_root(), None);
    }
}
