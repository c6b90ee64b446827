//! Field maps: which field of a log means what.

use super::names;
use crate::{Detail, Meaning};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What to do with a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// Its value means this.
    Is(Meaning),
    /// It says when the event happened.
    Time,
    /// It is not looked at.
    Ignore,
}

impl Use {
    const NAMES: [(&'static str, Self); 27] = [
        ("address", Self::Is(Meaning::Address)),
        ("host", Self::Is(Meaning::Host)),
        ("answer", Self::Is(Meaning::Answer)),
        ("url", Self::Is(Meaning::Url)),
        ("digest", Self::Is(Meaning::Digest)),
        ("certificate", Self::Is(Meaning::Certificate)),
        ("certificate-serial", Self::Is(Meaning::CertificateSerial)),
        ("distinguished-name", Self::Is(Meaning::DistinguishedName)),
        ("mailbox", Self::Is(Meaning::Mailbox)),
        ("subject", Self::Is(Meaning::Subject)),
        ("filename", Self::Is(Meaning::FileName)),
        ("user-agent", Self::Is(Meaning::UserAgent)),
        ("ja3", Self::Is(Meaning::Ja3)),
        ("ja3s", Self::Is(Meaning::Ja3s)),
        ("ja4", Self::Is(Meaning::Ja4)),
        ("registry-key", Self::Is(Meaning::RegistryKey)),
        ("mutex", Self::Is(Meaning::Mutex)),
        ("account", Self::Is(Meaning::Account)),
        ("mac", Self::Is(Meaning::Mac)),
        ("as", Self::Is(Meaning::AutonomousSystem)),
        ("text", Self::Is(Meaning::Text)),
        ("source-port", Self::Is(Meaning::Detail(Detail::SourcePort))),
        ("destination-port", Self::Is(Meaning::Detail(Detail::DestinationPort))),
        ("protocol", Self::Is(Meaning::Detail(Detail::Protocol))),
        ("method", Self::Is(Meaning::Detail(Detail::Method))),
        ("time", Self::Time),
        ("ignore", Self::Ignore),
    ];

    /// The use of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, meant)| *meant)
    }
}

/// A line of a field map that says nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MapError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl std::fmt::Display for MapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of the field map: {}", self.line, self.message)
    }
}

impl std::error::Error for MapError {}

/// Which field means what. A path has points between its parts and no indices: `dns.answers.data`.
///
/// What it does not name is read as the Elastic Common Schema and OCSF have it, else by the last part of the name
/// (`src_ip`, `url`), else as text in which observables are found.
#[derive(Clone, Debug)]
pub struct FieldMap {
    told: Arc<BTreeMap<Box<str>, Use>>,
    others: Option<Use>,
}

impl Default for FieldMap {
    fn default() -> Self {
        Self::with(BTreeMap::new(), None)
    }
}

impl FieldMap {
    fn with(own: BTreeMap<Box<str>, Use>, others: Option<Use>) -> Self {
        let known = names::ECS.iter().chain(names::OCSF);
        let mut told: BTreeMap<Box<str>, Use> = known.map(|(path, meant)| ((*path).into(), *meant)).collect();
        if others.is_some() {
            told.clear();
        }
        told.extend(own);
        Self { told: Arc::new(told), others }
    }

    /// Reads lines of `path = meaning`; `#` begins a comment. The path `*` says what all other fields are: with
    /// `* = ignore` only those in the map count.
    ///
    /// # Errors
    /// The first line that is not one of these.
    ///
    /// ```
    /// let map = watch::read::FieldMap::parse("sender.machine = host\nblob = ignore\n")?;
    /// # Ok::<(), watch::read::MapError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let mut own = BTreeMap::new();
        let mut others = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |message: String| MapError { line: index + 1, message };
            let Some((path, meaning)) = line.rsplit_once('=') else {
                return Err(error("expected `path = meaning`".to_owned()));
            };
            let (path, meaning) = (path.trim(), meaning.trim());
            let Some(meant) = Use::named(meaning) else {
                let known: Vec<&str> = Use::NAMES.iter().map(|(name, _)| *name).collect();
                return Err(error(format!("there is no meaning `{meaning}`: it is one of {}", known.join(", "))));
            };
            match path {
                "" => return Err(error("the path is empty".to_owned())),
                "*" => others = Some(meant),
                _ => {
                    own.insert(path.into(), meant);
                }
            }
        }
        Ok(Self::with(own, others))
    }

    /// What the field of this path is; `None` if its name must tell.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Use> {
        self.told.get(path).copied().or(self.others)
    }

    /// Whether the name is one that the map, the guess or the table of details knows.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.told.contains_key(name) || names::guess(name).is_some() || names::detail(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let map = FieldMap::parse("# ours\n a.b = host\n\nc=time\nd = e = ignore\n").unwrap();
        assert_eq!(map.get("a.b"), Some(Use::Is(Meaning::Host)));
        assert_eq!(map.get("c"), Some(Use::Time));
        assert_eq!(map.get("d = e"), Some(Use::Ignore));
        assert_eq!(map.get("dns.question.name"), Some(Use::Is(Meaning::Host)), "the standards stay");
        assert_eq!(map.get("other"), None);
        let only = FieldMap::parse("a = host\n* = ignore").unwrap();
        assert_eq!((only.get("a"), only.get("url.full")), (Some(Use::Is(Meaning::Host)), Some(Use::Ignore)));
        for (text, line) in [("a", 1), ("a = host\nb = nothing", 2), ("= host", 1)] {
            assert_eq!(FieldMap::parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
