//! The values that can be met: of what kind, and in the one form in which both sides write them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes that a value may have: longer than any that is of use, and short enough for the two bytes in which RFC 9497
/// counts an input.
pub const MAX: usize = 4_096;
/// What every input of a meeting begins with: the function is of no use for anything else.
const PREFIX: &[u8] = b"marsad meeting 1\n";

/// What kind of value: two of different kinds are never the same.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// The name of a domain or host.
    Domain,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A URL.
    Url,
    /// An address of mail.
    Email,
    /// MD5 of a file.
    Md5,
    /// SHA-1 of a file.
    Sha1,
    /// SHA-256 of a file.
    Sha256,
    /// SHA-512 of a file.
    Sha512,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Domain,
        Self::Ipv4,
        Self::Ipv6,
        Self::Url,
        Self::Email,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
    ];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Url => "url",
            Self::Email => "email",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The kind that is written so.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The kind of a hash, by the name that STIX 2.1 §10.3 gives its algorithm.
    #[must_use]
    pub fn of_hash(algorithm: &str) -> Option<Self> {
        Some(match algorithm {
            "MD5" => Self::Md5,
            "SHA-1" => Self::Sha1,
            "SHA-256" => Self::Sha256,
            "SHA-512" => Self::Sha512,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value in its one form.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Value {
    kind: Kind,
    text: Box<str>,
}

impl Value {
    /// The value in its one form; `None`: the text is no value of this kind, or longer than [`MAX`].
    #[must_use]
    pub fn of(kind: Kind, text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > MAX {
            return None;
        }
        let text = match kind {
            Kind::Domain => domain(text)?,
            Kind::Ipv4 => address::<Ipv4Addr>(text, "/32")?,
            Kind::Ipv6 => address::<Ipv6Addr>(text, "/128")?,
            Kind::Url => url(text)?,
            Kind::Email => {
                let (local, host) = text.rsplit_once('@')?;
                (!local.is_empty()).then_some(())?;
                format!("{local}@{}", domain(host)?)
            }
            Kind::Md5 => hash(text, 32)?,
            Kind::Sha1 => hash(text, 40)?,
            Kind::Sha256 => hash(text, 64)?,
            Kind::Sha512 => hash(text, 128)?,
        };
        (text.len() <= MAX).then(|| Self { kind, text: text.into() })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the function is asked of.
    pub(super) fn input(&self) -> Vec<u8> {
        [PREFIX, self.kind.as_str().as_bytes(), b"\n", self.text.as_bytes()].concat()
    }
}

/// A name of the DNS in lower case, in the form in which it is looked up (UTS 46, RFC 5891), without the dot of the root.
fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    // What is met may be a name that no registry would give: underscores and hyphens at any place are let through.
    let name = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY).ok()?;
    let fits = |label: &str| {
        let ok = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(ok)
    };
    (name.len() <= 253 && name.split('.').all(fits)).then(|| name.into_owned())
}

/// An address in its shortest form (RFC 5952). A network is none, but for one that holds a single address.
fn address<A: std::str::FromStr + ToString>(text: &str, whole: &str) -> Option<String> {
    text.strip_suffix(whole).unwrap_or(text).parse::<A>().ok().map(|address| address.to_string())
}

/// A URL with scheme and host in lower case (RFC 3986 §6.2.2.1); the rest as its author wrote it, because two spellings of
/// it may lead to two things.
fn url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(plain) || text.chars().any(|c| c.is_control() || c == ' ') {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    };
    let name = if name.starts_with('[') { name.to_ascii_lowercase() } else { domain(name)? };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{user}{name}{port}{rest}", scheme.to_ascii_lowercase()))
}

/// A hash in lower case.
fn hash(text: &str, digits: usize) -> Option<String> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_one_form() {
        let sha = "A".repeat(64);
        let table: &[(Kind, &str, Option<&str>)] = &[
            (Kind::Domain, "Portal.Example", Some("portal.example")),
            (Kind::Domain, "portal.example.", Some("portal.example")),
            (Kind::Domain, "مثال.إختبار", Some("xn--mgbh0fb.xn--kgbechtv")),
            (Kind::Domain, "XN--MGBH0FB.xn--kgbechtv", Some("xn--mgbh0fb.xn--kgbechtv")),
            (Kind::Domain, "BÜCHER.example", Some("xn--bcher-kva.example")),
            (Kind::Domain, "_dmarc.example", Some("_dmarc.example")),
            (Kind::Domain, "a..example", None),
            (Kind::Domain, ".", None),
            (Kind::Domain, "", None),
            (Kind::Domain, "a b.example", None),
            (Kind::Domain, "a/b.example", None),
            (Kind::Ipv4, "192.0.2.1", Some("192.0.2.1")),
            (Kind::Ipv4, "192.0.2.1/32", Some("192.0.2.1")),
            (Kind::Ipv4, "192.0.2.0/24", None),
            (Kind::Ipv4, "192.0.2.01", None),
            (Kind::Ipv4, "::1", None),
            (Kind::Ipv6, "2001:DB8:0:0:0:0:0:1", Some("2001:db8::1")),
            (Kind::Ipv6, "2001:db8::1/128", Some("2001:db8::1")),
            (Kind::Ipv6, "2001:db8::/32", None),
            (Kind::Url, "HTTPS://Portal.Example:8443/A?b=C#d", Some("https://portal.example:8443/A?b=C#d")),
            (Kind::Url, "http://User:Pass@Portal.example", Some("http://User:Pass@portal.example")),
            (Kind::Url, "http://[2001:DB8::1]:80/", Some("http://[2001:db8::1]:80/")),
            (Kind::Url, "portal.example/a", None),
            (Kind::Url, "http://portal.example/a b", None),
            (Kind::Email, "Salma@Portal.Example", Some("Salma@portal.example")),
            (Kind::Email, "@portal.example", None),
            (Kind::Email, "portal.example", None),
            (Kind::Sha256, &sha, Some(&"a".repeat(64))),
            (Kind::Sha1, &sha, None),
            (Kind::Md5, "zz", None),
        ];
        for (kind, text, wanted) in table {
            assert_eq!(Value::of(*kind, text).as_ref().map(Value::text), *wanted, "{kind} {text}");
            if let Some(wanted) = wanted {
                assert_eq!(
                    Value::of(*kind, wanted).as_ref().map(Value::text),
                    Some(*wanted),
                    "{kind} {text}: not stable"
                );
            }
        }
        assert_eq!(Value::of(Kind::Url, &format!("http://a.example/{}", "a".repeat(MAX))), None);
    }

    #[test]
    fn no_two_values_of_different_kinds_are_one_input() {
        let text = "192.0.2.1";
        let as_domain = Value::of(Kind::Domain, text).unwrap();
        let as_address = Value::of(Kind::Ipv4, text).unwrap();
        assert_ne!(as_domain.input(), as_address.input());
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.as_str()), Some(kind));
            assert!(!kind.as_str().contains('\n'));
        }
    }
}
