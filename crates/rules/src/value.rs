//! Values taken apart once, so that every format writes of them only what they are.

use crate::item::Item;
use crate::report::Reason;
use observable::Kind;
use std::borrow::Cow;
use std::net::IpAddr;

/// Longest value that is read.
const MOST: usize = 8_192;

/// A value of its kind, in the form in which values are compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// A host name of letters, digits, `-` and `_`, in lower case, without a point at its end.
    Domain { name: Cow<'a, str>, itself: bool, subdomains: bool },
    /// An address.
    Address(IpAddr),
    /// A network, host bits cleared.
    Network(IpAddr, u8),
    /// A URL.
    Url(Url),
    /// A digest or fingerprint in lower-case hexadecimal, of the right length.
    Hex(Cow<'a, str>),
    /// Any other text, not empty.
    Text(&'a str),
}

/// A URL in printable ASCII without blanks, quotes and backslashes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// Path and query; begins with `/`.
    pub(crate) path: String,
}

impl Url {
    /// Host and port as they stand in a request, path and query behind.
    pub(crate) fn bare(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}{}", self.host, self.path),
            None => format!("{}{}", self.host, self.path),
        }
    }

    /// The whole.
    pub(crate) fn whole(&self) -> String {
        format!("{}://{}", self.scheme, self.bare())
    }

    /// The port to which a client connects.
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }
}

impl<'a> Value<'a> {
    /// Reads the value of an item.
    pub(crate) fn of(item: &Item<'a>) -> Result<Self, Reason> {
        let text = item.value;
        if text.len() > MOST {
            return Err(Reason::TooLong);
        }
        let value = match item.kind {
            Kind::Domain => domain(text).map(|name| Self::Domain {
                name,
                itself: item.itself || !item.subdomains,
                subdomains: item.subdomains,
            }),
            Kind::Ipv4 => address(text).filter(IpAddr::is_ipv4).map(Self::Address),
            Kind::Ipv6 => address(text).filter(IpAddr::is_ipv6).map(Self::Address),
            Kind::Cidr => network(text).map(|(address, prefix)| Self::Network(address, prefix)),
            Kind::Url => url(text).map(Self::Url),
            Kind::Md5 | Kind::Ja3 | Kind::Ja3s => hex(text, &[32]),
            Kind::Sha1 => hex(text, &[40]),
            Kind::Sha256 => hex(text, &[64]),
            Kind::Sha512 => hex(text, &[128]),
            Kind::Certificate => hex(text, &[32, 40, 64]),
            Kind::CertificateSerial => serial(text),
            Kind::Ja4 => ja4(text),
            Kind::Email => email(text),
            Kind::FileName | Kind::UserAgent | Kind::RegistryKey | Kind::Mutex | Kind::Account | Kind::Mac => {
                (!text.is_empty()).then_some(Self::Text(text))
            }
            Kind::Pattern => None,
            Kind::Subject | Kind::AutonomousSystem => (!text.is_empty()).then_some(Self::Text(text)),
        };
        value.ok_or(Reason::NotOfItsKind)
    }

    /// The value as one text, in the form in which it is compared.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Domain { name, .. } => Cow::Borrowed(name),
            Self::Address(address) => Cow::Owned(address.to_string()),
            Self::Network(address, prefix) => Cow::Owned(format!("{address}/{prefix}")),
            Self::Url(url) => Cow::Owned(url.whole()),
            Self::Hex(text) => Cow::Borrowed(text),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// Whether the names below a domain are meant as well.
    pub(crate) fn subdomains(&self) -> bool {
        matches!(self, Self::Domain { subdomains: true, .. })
    }

    /// What tells two claims on one value apart: whether it is meant itself, and what is below it.
    pub(crate) fn reach(&self) -> &'static str {
        match self {
            Self::Domain { itself: false, .. } => "below",
            Self::Domain { subdomains: true, .. } => "all",
            _ => "",
        }
    }

    /// Whether only the names below a domain are meant.
    pub(crate) fn only_below(&self) -> bool {
        matches!(self, Self::Domain { itself: false, .. })
    }

    /// An address or network as a network.
    pub(crate) fn range(&self) -> Option<(IpAddr, u8)> {
        match self {
            Self::Address(address) => Some((*address, if address.is_ipv4() { 32 } else { 128 })),
            Self::Network(address, prefix) => Some((*address, *prefix)),
            _ => None,
        }
    }
}

/// A host name: labels of 1 to 63 letters, digits, `-` and `_`, 253 bytes in all (RFC 1035 §2.3.4), the last not a number.
fn domain(text: &str) -> Option<Cow<'_, str>> {
    let mut scratch = Vec::new();
    let name = observable::canonical::domain(text.as_bytes(), &mut scratch)?;
    let name = std::str::from_utf8(name).ok()?;
    let sound = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if name.len() > 253 || last_is_number || !name.split('.').all(sound) {
        return None;
    }
    Some(if name == text { Cow::Borrowed(text) } else { Cow::Owned(name.to_owned()) })
}

fn address(text: &str) -> Option<IpAddr> {
    observable::canonical::address(text.as_bytes())
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    observable::canonical::network(text.as_bytes())
}

fn hex<'a>(text: &'a str, lengths: &[usize]) -> Option<Value<'a>> {
    let kept = |c: char| !matches!(c, ':' | ' ');
    let digits: Cow<'a, str> = if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| kept(*c)).map(|c| c.to_ascii_lowercase()).collect())
    };
    let sound = lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then_some(Value::Hex(digits))
}

/// A serial number without leading zeros, at most 20 octets (RFC 5280 §4.1.2.2), with an even count of digits.
fn serial(text: &str) -> Option<Value<'_>> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    let trimmed = digits.trim_start_matches('0');
    let sound = !digits.is_empty() && trimmed.len() <= 40 && trimmed.bytes().all(|byte| byte.is_ascii_hexdigit());
    let even =
        if trimmed.len().is_multiple_of(2) && !trimmed.is_empty() { trimmed.to_owned() } else { format!("0{trimmed}") };
    sound.then_some(Value::Hex(Cow::Owned(if trimmed.is_empty() { "00".to_owned() } else { even })))
}

fn ja4(text: &str) -> Option<Value<'_>> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (text.len() == 36 && text.bytes().all(plain)).then_some(Value::Text(text))
}

/// A mailbox that needs no quotes (RFC 5321 §4.1.2, Dot-string) at a host name, or one with letters of other scripts.
fn email(text: &str) -> Option<Value<'_>> {
    let (local, host) = text.rsplit_once('@')?;
    let host = host.strip_suffix('.').unwrap_or(host);
    let sound = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let sound = (1..=64).contains(&local.chars().count()) && local.chars().all(sound) && domain(host).is_some();
    sound.then_some(Value::Text(text))
}

/// Takes a URL apart. Fragment and credentials go; what a URL cannot hold as it is (RFC 3986 §2) is percent-encoded.
fn url(text: &str) -> Option<Url> {
    let mut scratch = Vec::new();
    let text = std::str::from_utf8(observable::canonical::url(text.as_bytes(), &mut scratch)?).ok()?;
    let (scheme, rest) = text.split_once("://")?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(sound) {
        return None;
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, if port.is_empty() { None } else { Some(port.parse().ok()?) })
        }
        _ => (authority, None),
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => format!("[{}]", inner.parse::<std::net::Ipv6Addr>().ok()?),
        None => match address(host).filter(IpAddr::is_ipv4) {
            Some(address) => address.to_string(),
            None => domain(host)?.into_owned(),
        },
    };
    let mut encoded = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        encoded.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(Url { scheme: scheme.to_ascii_lowercase(), host, port, path: encoded })
}
