//! Registered names that STIX points at: IANA's registries and a few lists of the same kind.
//!
//! Each table is a text file of our own beside this one: sorted by bytes, one name a line. A test compares them with the
//! registries as published.

use std::sync::LazyLock;

/// A list of names, compared by exact spelling.
#[derive(Debug)]
pub struct Registry {
    /// What a message calls it.
    pub name: &'static str,
    names: LazyLock<Vec<&'static str>>,
}

impl Registry {
    /// Whether `name` is registered under exactly this spelling.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.binary_search(&name).is_ok()
    }

    /// Every name, sorted by bytes.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }
}

macro_rules! registry {
    ($(#[$doc:meta])* $table:ident, $name:literal, $file:literal) => {
        $(#[$doc])*
        pub static $table: Registry = Registry {
            name: $name,
            names: LazyLock::new(|| include_str!($file).lines().filter(|line| !line.starts_with('#')).collect()),
        };
    };
}

registry!(
    /// Media types, STIX 2.1 §6.1 and §6.7.
    MEDIA_TYPES, "IANA media types", "media_types.txt"
);
registry!(
    /// Character sets by their preferred MIME name, STIX 2.1 §3.9.1.
    CHARSETS, "IANA character sets", "charsets.txt"
);
registry!(
    /// Service names and transport protocols, STIX 2.1 §6.12.
    PROTOCOLS, "IANA service names", "protocols.txt"
);
registry!(
    /// IPFIX information elements, STIX 2.1 §6.12.
    IPFIX, "IANA IPFIX elements", "ipfix.txt"
);
registry!(
    /// HTTP request header fields, STIX 2.1 §6.12.2.
    REQUEST_HEADERS, "HTTP request headers", "request_headers.txt"
);
registry!(
    /// Socket options, STIX 2.1 §6.12.4.
    SOCKET_OPTIONS, "socket options", "socket_options.txt"
);
registry!(
    /// Two-letter country codes, STIX 2.1 §4.10.
    COUNTRIES, "ISO 3166-1 alpha-2 codes", "countries.txt"
);

registry!(
    /// Three-letter language codes, which STIX 2.0 asks for.
    LANGUAGES, "ISO 639-2 codes", "languages.txt"
);

/// Names below the service registry that STIX's own examples use, STIX 2.1 §6.12.
#[must_use]
pub fn is_protocol(name: &str) -> bool {
    matches!(name, "ipv4" | "ipv6" | "ssl" | "tls" | "dns") || PROTOCOLS.contains(name)
}

/// Keys of a PDF's document information dictionary, STIX 2.1 §6.7.4 (ISO 32000-1 §14.3.3).
#[must_use]
pub fn is_pdf_info(key: &str) -> bool {
    matches!(
        key,
        "Title" | "Author" | "Subject" | "Keywords" | "Creator" | "Producer" | "CreationDate" | "ModDate" | "Trapped"
    )
}

#[cfg(test)]
mod tests;
