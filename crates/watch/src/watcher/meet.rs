//! What to look up for a value, by what it means.

use std::net::IpAddr;

use observable::{Kind, canonical};

use super::quick;
use crate::set::{Key, Set};
use crate::text::Extractor;
use crate::{Detail, Meaning};

/// One thing to look up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// A value under its key.
    Key {
        key: Key,
        kind: Kind,
        /// The name is above the one that was seen: only claims on all names below count.
        parent: bool,
    },
    /// An address, by itself and in networks.
    Address(IpAddr),
}

/// Memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Meet {
    scratch: Vec<u8>,
    keys: Vec<Key>,
    extractor: Extractor,
}

/// Given what to look up, and the part of the value that was read for it.
pub(super) type Each<'e> = dyn FnMut(Look, &[u8]) + 'e;

/// The kind and key of an address by itself.
#[inline]
pub(super) fn address_key(set: &Set, address: IpAddr) -> (Kind, Key) {
    match address {
        IpAddr::V4(address) => (Kind::Ipv4, set.plain_key(Kind::Ipv4, &address.octets())),
        IpAddr::V6(address) => (Kind::Ipv6, set.plain_key(Kind::Ipv6, &address.octets())),
    }
}

impl Meet {
    /// Gives all that must be looked up for a value.
    #[inline]
    pub(super) fn value(&mut self, set: &Set, meaning: Meaning, value: &[u8], each: &mut impl FnMut(Look, &[u8])) {
        match meaning {
            Meaning::Address => {
                if let Some(address) = quick::address(value).map(IpAddr::V4).or_else(|| canonical::address(value)) {
                    each(Look::Address(address), value);
                }
            }
            Meaning::Host | Meaning::Answer => self.host(set, value, each),
            other => self.rare(set, other, value, each),
        }
    }

    /// A host, perhaps with a port.
    pub(super) fn host(&mut self, set: &Set, value: &[u8], each: &mut impl FnMut(Look, &[u8])) {
        if value.first().is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'[' | b':')) || may_be_v6(value) {
            let short = || quick::address(value).map(IpAddr::V4);
            if let Some(address) = short().or_else(|| canonical::address(without_port(value))) {
                each(Look::Address(address), value);
                return;
            }
        }
        if !set.has(Kind::Domain) {
            return;
        }
        if let Some(points) = quick::points(value) {
            each(Look::Key { key: set.key(Kind::Domain, value), kind: Kind::Domain, parent: false }, value);
            if set.has_subdomains() {
                quick::parents(set, value, points, |key| {
                    each(Look::Key { key, kind: Kind::Domain, parent: true }, value)
                });
            }
            return;
        }
        let Some(name) = canonical::domain(without_port(value), &mut self.scratch) else { return };
        each(Look::Key { key: set.key(Kind::Domain, name), kind: Kind::Domain, parent: false }, value);
        if set.has_subdomains() {
            let mut rest = name;
            while let Some(at) = memchr::memchr(b'.', rest) {
                rest = rest.get(at + 1..).unwrap_or_default();
                // No claim is on a name of one label.
                if memchr::memchr(b'.', rest).is_some() {
                    each(Look::Key { key: set.key(Kind::Domain, rest), kind: Kind::Domain, parent: true }, value);
                }
            }
        }
    }

    /// All that stands less often in logs than addresses and hosts.
    #[inline(never)]
    pub(super) fn rare(&mut self, set: &Set, meaning: Meaning, value: &[u8], each: &mut Each<'_>) {
        let kind = match meaning {
            Meaning::Url => return self.url(set, value, each),
            Meaning::Digest => return self.digest(set, value, each),
            Meaning::DistinguishedName => {
                return common_names(value, &mut |name| self.host(set, name, &mut |look, value| each(look, value)));
            }
            Meaning::Mailbox => return mailboxes(value, &mut |mailbox| self.plain(set, Kind::Email, mailbox, each)),
            Meaning::Text => return self.text(set, value, each),
            Meaning::Address | Meaning::Host | Meaning::Answer => {
                return self.value(set, meaning, value, &mut |look, value| each(look, value));
            }
            // Told as an address before: only patterns ask for it again.
            Meaning::Detail(Detail::Source | Detail::Destination) => {
                if let Some(address) = canonical::address(value) {
                    each(Look::Address(address), value);
                }
                return;
            }
            Meaning::Detail(_) => return,
            Meaning::Certificate => Kind::Certificate,
            Meaning::CertificateSerial => Kind::CertificateSerial,
            Meaning::Subject => Kind::Subject,
            Meaning::FileName => Kind::FileName,
            Meaning::UserAgent => Kind::UserAgent,
            Meaning::Ja3 => Kind::Ja3,
            Meaning::Ja3s => Kind::Ja3s,
            Meaning::Ja4 => Kind::Ja4,
            Meaning::RegistryKey => Kind::RegistryKey,
            Meaning::Mutex => Kind::Mutex,
            Meaning::Account => Kind::Account,
            Meaning::Mac => Kind::Mac,
            Meaning::AutonomousSystem => Kind::AutonomousSystem,
        };
        self.plain(set, kind, value, each);
    }

    /// A value of one kind.
    fn plain(&mut self, set: &Set, kind: Kind, value: &[u8], each: &mut Each<'_>) {
        if set.has(kind)
            && let Some(canonical) = canonical::of(kind, value, &mut self.scratch)
        {
            each(Look::Key { key: set.key(kind, canonical), kind, parent: false }, value);
        }
    }

    /// A digest of a file, of whichever kind its length says.
    fn digest(&mut self, set: &Set, value: &[u8], each: &mut Each<'_>) {
        let Some(digest) = canonical::hex(value, &mut self.scratch) else { return };
        let kind = match digest.len() {
            16 => Kind::Md5,
            20 => Kind::Sha1,
            32 => Kind::Sha256,
            64 => Kind::Sha512,
            _ => return,
        };
        if set.has(kind) {
            each(Look::Key { key: set.key(kind, digest), kind, parent: false }, value);
        }
    }
}

impl Meet {
    /// A URL, in all the forms under which it may be claimed.
    fn url(&mut self, set: &Set, value: &[u8], each: &mut Each<'_>) {
        if !set.has(Kind::Url) {
            return;
        }
        self.keys.clear();
        if let Some(parts) = url_parts(value, &mut self.scratch) {
            set.url_keys_of(parts, &mut self.keys);
        }
        for key in &self.keys {
            each(Look::Key { key: *key, kind: Kind::Url, parent: false }, value);
        }
    }

    /// Adds those keys of a URL that a filter must be asked for.
    #[inline(never)]
    pub(super) fn url_probes(&mut self, set: &Set, value: &[u8], keys: &mut Vec<Key>) {
        if set.has(Kind::Url)
            && let Some(parts) = url_parts(value, &mut self.scratch)
        {
            set.url_probes(parts, keys);
        }
    }

    /// What looks like an observable in text of any kind.
    fn text(&mut self, set: &Set, value: &[u8], each: &mut Each<'_>) {
        let mut extractor = std::mem::take(&mut self.extractor);
        extractor.each(value, &mut |meaning, value| {
            if meaning != Meaning::Text {
                self.value(set, meaning, value, &mut |look, value| each(look, value));
            }
        });
        self.extractor = extractor;
    }
}

/// The parts of a URL in its canonical form.
#[inline]
fn url_parts<'v>(value: &'v [u8], scratch: &'v mut Vec<u8>) -> Option<canonical::Parts<'v>> {
    quick::url(value).or_else(|| canonical::url(value, scratch).map(canonical::parts))
}

/// A host without the port behind it.
pub(crate) fn without_port(host: &[u8]) -> &[u8] {
    let Some(at) = memchr::memrchr(b':', host) else { return host };
    let (name, port) = host.split_at_checked(at).unwrap_or((host, &[]));
    // An address of version 6 has more colons, and a port only behind brackets.
    let single = memchr::memchr(b':', name).is_none() || (name.starts_with(b"[") && name.ends_with(b"]"));
    if single && port.iter().skip(1).all(u8::is_ascii_digit) { name } else { host }
}

/// Whether it could be an address of version 6: it begins with a digit, of which some are letters, and has two colons.
fn may_be_v6(host: &[u8]) -> bool {
    host.first().is_some_and(u8::is_ascii_hexdigit) && memchr::memchr_iter(b':', host).nth(1).is_some()
}

/// The common names in a distinguished name, as RFC 4514 writes it (`CN=a.example,O=…`, a comma in a value behind a
/// backslash) or with slashes between its parts (`/O=…/CN=a.example`).
fn common_names(name: &[u8], each: &mut dyn FnMut(&[u8])) {
    let slashes = name.first() == Some(&b'/');
    let mut rest = name;
    while !rest.is_empty() {
        let mut escaped = false;
        let end = rest.iter().position(|byte| {
            let ends = !escaped && if slashes { *byte == b'/' } else { matches!(byte, b',' | b'+') };
            escaped = !escaped && *byte == b'\\';
            ends
        });
        let (part, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
        let part = part.trim_ascii();
        if let Some((key, value)) = part.split_at_checked(3)
            && key.eq_ignore_ascii_case(b"cn=")
        {
            each(value.trim_ascii());
        }
        rest = behind.get(1..).unwrap_or_default();
    }
}

/// The mailboxes of a list: parted by commas or semicolons that stand neither in quotes nor in angle brackets.
pub(crate) fn mailboxes(list: &[u8], each: &mut dyn FnMut(&[u8])) {
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    let ends = |byte: &u8| {
        let ends = !quoted && !angled && matches!(byte, b',' | b';');
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => angled = true,
            b'>' if !quoted => angled = false,
            _ => {}
        }
        ends
    };
    list.split(ends).map(<[u8]>::trim_ascii).filter(|mailbox| !mailbox.is_empty()).for_each(each);
}
