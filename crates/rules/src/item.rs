//! What is written: a claim of an indicator, or an indicator that is a rule already.

use observable::Kind;

/// What is said of an indicator, as far as its reader may know it. Every text may be a stranger's.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    /// Its STIX id.
    pub id: &'a str,
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// The organisation that claims it; empty where the reader is not told.
    pub source: &'a str,
    /// The label of the Traffic Light Protocol that it is given under: `TLP:AMBER`.
    pub tlp: &'a str,
    /// How sure its source is, 0 to 100 (STIX 2.1 §3.2).
    pub confidence: Option<u8>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// When this version of it was made, in microseconds since 1970.
    pub modified: i64,
    /// From when on it holds, in microseconds since 1970.
    pub valid_from: i64,
    /// From when on it no longer holds, in microseconds since 1970.
    pub valid_until: Option<i64>,
    /// Where more is said of it.
    pub reference: Option<&'a str>,
    /// Its labels and kinds.
    pub labels: &'a [String],
    /// The whole STIX object, as its reader may have it; empty where it is not at hand.
    pub object: &'a [u8],
}

/// One value that an indicator claims.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The indicator.
    pub about: &'a About<'a>,
    /// What kind of value it is.
    pub kind: Kind,
    /// The value, as the indicator has it.
    pub value: &'a str,
    /// Whether the value itself is meant: false only for a domain of which the names below it are meant and nothing else.
    pub itself: bool,
    /// For a domain: whether all names below it are meant.
    pub subdomains: bool,
}

/// An indicator that is written in the language of a sensor (STIX 2.1 §4.7, `pattern_type`).
#[derive(Clone, Copy, Debug)]
pub struct Native<'a> {
    /// The indicator.
    pub about: &'a About<'a>,
    /// In which language.
    pub language: Language,
    /// Its own text.
    pub text: &'a str,
}

/// A language of patterns other than STIX (STIX 2.1 §10.17).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// Rules over log events.
    Sigma,
    /// Snort rules.
    Snort,
    /// Suricata rules.
    Suricata,
    /// Rules over the content of files.
    Yara,
}

impl Language {
    /// The language with this name in `pattern_type`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sigma" => Some(Self::Sigma),
            "snort" => Some(Self::Snort),
            "suricata" => Some(Self::Suricata),
            "yara" => Some(Self::Yara),
            _ => None,
        }
    }
}
