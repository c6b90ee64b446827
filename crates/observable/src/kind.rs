//! The kinds of value that an indicator can name and telemetry can show.

use std::fmt;

/// A kind of observable value. Two values are compared only if they are of one kind.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Kind {
    /// A host name, compared as lower-case A-labels without a final dot (RFC 5890 §2.3.2.1).
    Domain,
    /// One IPv4 address.
    Ipv4,
    /// One IPv6 address that is not an IPv4-mapped one (RFC 5952).
    Ipv6,
    /// A range of IPv4 or IPv6 addresses (RFC 4632, RFC 4291 §2.3).
    Cidr,
    /// A URL (RFC 3986).
    Url,
    /// An MD5 digest of a file.
    Md5,
    /// A SHA-1 digest of a file.
    Sha1,
    /// A SHA-256 digest of a file.
    Sha256,
    /// A SHA-512 digest of a file.
    Sha512,
    /// The address of a mailbox (RFC 5321 §4.1.2).
    Email,
    /// The name of a file, without its folder.
    FileName,
    /// A JA3 fingerprint of a TLS client.
    Ja3,
    /// A JA3S fingerprint of a TLS server.
    Ja3s,
    /// A JA4 fingerprint of a TLS client.
    Ja4,
    /// What a client says that it is (RFC 9110 §10.1.5).
    UserAgent,
    /// A digest of a certificate: MD5, SHA-1 or SHA-256, told apart by length.
    Certificate,
    /// The serial number of a certificate, as a number (RFC 5280 §4.1.2.2).
    CertificateSerial,
    /// A key of the Windows registry.
    RegistryKey,
    /// A mutex.
    Mutex,
    /// An account's name.
    Account,
    /// A hardware address.
    Mac,
    /// The subject of a message.
    Subject,
    /// A number of an autonomous system.
    AutonomousSystem,
    /// Values that a pattern bound which says more than that one of them is there. Nothing can be claimed as this.
    Pattern,
}

impl Kind {
    /// All that can be claimed.
    pub const ALL: [Self; 23] = [
        Self::Domain,
        Self::Ipv4,
        Self::Ipv6,
        Self::Cidr,
        Self::Url,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Email,
        Self::FileName,
        Self::Ja3,
        Self::Ja3s,
        Self::Ja4,
        Self::UserAgent,
        Self::Certificate,
        Self::CertificateSerial,
        Self::RegistryKey,
        Self::Mutex,
        Self::Account,
        Self::Mac,
        Self::Subject,
        Self::AutonomousSystem,
    ];

    /// Its name in a list of indicators and in a hit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Cidr => "cidr",
            Self::Url => "url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Email => "email",
            Self::FileName => "filename",
            Self::Ja3 => "ja3",
            Self::Ja3s => "ja3s",
            Self::Ja4 => "ja4",
            Self::UserAgent => "user-agent",
            Self::Certificate => "certificate",
            Self::CertificateSerial => "certificate-serial",
            Self::RegistryKey => "registry-key",
            Self::Mutex => "mutex",
            Self::Account => "account",
            Self::Mac => "mac",
            Self::Subject => "subject",
            Self::AutonomousSystem => "as",
            Self::Pattern => "pattern",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Pattern]).find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("Domain"), None, "names are lower case");
    }
}
