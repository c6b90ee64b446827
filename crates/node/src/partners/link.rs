//! What a link is: one direction of the exchange with a partner, as the operator defined it.

use crate::egress;
use crate::home::Secret;
use crate::meaning;
use crate::sealed;
use policy::Tlp;
use stix::timestamp::Timestamp;
use taxii::client::{Address, Selection};
use zeroize::Zeroizing;

/// What sealing a link's credentials is for.
const PURPOSE: &str = "marsad 2026-11 link";
/// Seconds between rounds: no fewer, …
const SHORTEST: u64 = 5;
/// … and no more.
const LONGEST: u64 = 31 * 86_400;
/// Types and versions that one link names.
const MOST: usize = 200;

/// Which way objects go.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the partner's server to us.
    Pull,
    /// From us to the partner's server.
    Push,
}

impl Direction {
    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

/// What a link does. Kept as JSON; what is not named here cannot be in it.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Definition {
    /// Which way.
    pub direction: Direction,
    /// Their server, its discovery, an API root or a collection.
    pub url: String,
    /// Their collection: id, alias or title.
    pub theirs: String,
    /// Our collection: its id.
    pub ours: String,
    /// Seconds between two rounds; `None`: no schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// A round begins as soon as there is something new.
    #[serde(default)]
    pub at_once: bool,
    /// Only objects of these types; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Only objects of these versions of STIX; empty: as the server has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spec_versions: Vec<String>,
    /// Only what was added after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_after: Option<String>,
    /// Nothing that is marked more strictly is taken or given: a TLP level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<String>,
    /// Who gets what comes marked TLP:RED: accounts and organisations of this node. Without any it is not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Objects that are taken or given in an hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_objects_per_hour: Option<u64>,
    /// Bytes that are taken or given in a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes_per_day: Option<u64>,
    /// Larger objects are not taken or given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_object_bytes: Option<u64>,
}

/// Why a definition is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BadDefinition(pub String);

fn bad(why: impl Into<String>) -> BadDefinition {
    BadDefinition(why.into())
}

impl Definition {
    /// Between a collection of theirs and one of ours; without a schedule, filters and ceilings.
    #[must_use]
    pub fn new(direction: Direction, url: &str, theirs: &str, ours: &str) -> Self {
        Self {
            direction,
            url: url.to_owned(),
            theirs: theirs.to_owned(),
            ours: ours.to_owned(),
            every: None,
            at_once: false,
            types: Vec::new(),
            spec_versions: Vec::new(),
            added_after: None,
            ceiling: None,
            to: Vec::new(),
            max_objects_per_hour: None,
            max_bytes_per_day: None,
            max_object_bytes: None,
        }
    }

    /// Reads what [`Self::write`] wrote, and checks it.
    ///
    /// # Errors
    /// [`BadDefinition`].
    pub fn read(text: &[u8]) -> Result<Self, BadDefinition> {
        let read: Self = serde_json::from_slice(text).map_err(|error| bad(format!("not a link: {error}")))?;
        read.check()?;
        Ok(read)
    }

    /// As it is kept.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// [`BadDefinition`].
    pub fn check(&self) -> Result<(), BadDefinition> {
        self.address()?;
        for (what, name) in [("their collection", &self.theirs), ("our collection", &self.ours)] {
            if name.is_empty() || name.len() > 1_000 || name.chars().any(char::is_control) {
                return Err(bad(format!("{what} has no name that can be used")));
            }
        }
        if self.every.is_some_and(|every| !(SHORTEST..=LONGEST).contains(&every)) {
            return Err(bad(format!("rounds are between {SHORTEST} seconds and {} days apart", LONGEST / 86_400)));
        }
        if [&self.types, &self.spec_versions, &self.to].iter().any(|list| list.len() > MOST) {
            return Err(bad(format!("a link names at most {MOST} types, versions and recipients")));
        }
        if let Some(wrong) = self.types.iter().find(|name| !is_type(name)) {
            return Err(bad(format!("`{wrong}` is no type of a STIX object")));
        }
        if let Some(wrong) = self.types.iter().find(|name| partner::signed::Kind::of(name).is_some()) {
            return Err(bad(format!("`{wrong}` is not chosen: what partners sign goes over every link")));
        }
        if let Some(wrong) = self.spec_versions.iter().find(|name| !matches!(name.as_str(), "2.0" | "2.1")) {
            return Err(bad(format!("`{wrong}` is no version of STIX: there are 2.0 and 2.1")));
        }
        if self.added_after.as_ref().is_some_and(|after| Timestamp::parse(after).is_err()) {
            return Err(bad("the beginning is no instant such as 2026-11-23T12:00:00Z"));
        }
        if let Some(wrong) = self.ceiling.as_ref().filter(|level| meaning::tlp(level).is_none()) {
            return Err(bad(format!("`{wrong}` is no TLP level")));
        }
        let most = [self.max_objects_per_hour, self.max_bytes_per_day, self.max_object_bytes];
        if most.contains(&Some(0)) {
            return Err(bad("a link that takes nothing is no link: pause or remove it"));
        }
        Ok(())
    }

    /// Where it leads.
    ///
    /// # Errors
    /// [`BadDefinition`].
    pub fn address(&self) -> Result<Address, BadDefinition> {
        self.url.parse().map_err(|error| bad(format!("the address cannot be used: {error}")))
    }

    /// The strictest level that goes over it.
    #[must_use]
    pub fn ceiling(&self) -> Option<Tlp> {
        self.ceiling.as_deref().and_then(meaning::tlp)
    }

    /// What is asked of their server; `inline`: what partners sign lies among the objects.
    #[must_use]
    pub fn selection(&self, inline: bool) -> Selection {
        let mut types = self.types.clone();
        if inline && !types.is_empty() {
            types.extend(partner::signed::Kind::ALL.iter().map(|kind| kind.object_type().to_owned()));
        }
        Selection { types, versions: Some("all".to_owned()), spec_versions: self.spec_versions.clone() }
    }

    /// What its position is of: a link that is led elsewhere begins anew.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { direction, url, theirs, ours, types, spec_versions, added_after, .. } = self;
        let what = (direction, url, theirs, ours, types, spec_versions, added_after);
        let text = serde_json::to_vec(&what).unwrap_or_default();
        blake3::hash(&text).to_hex().chars().take(32).collect()
    }
}

/// A name of a type (STIX 2.1 §3.2).
fn is_type(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What a link signs in with. Does not print; is wiped when dropped.
#[derive(Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Login {
    /// A name and a password.
    Basic {
        /// The name.
        name: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A key.
    Key(Zeroizing<String>),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

impl Login {
    /// For the way out.
    ///
    /// # Errors
    /// [`egress::Error::Credentials`].
    pub fn credentials(&self) -> Result<egress::Credentials, egress::Error> {
        match self {
            Self::Basic { name, password } => egress::Credentials::basic(name, password.clone()),
            Self::Key(key) => egress::Credentials::key(key.clone()),
        }
    }

    /// Sealed for a link and the server that it leads to: it opens for no other.
    ///
    /// # Errors
    /// [`sealed::NotSealed`].
    pub fn seal(&self, secret: &Secret, link: &str, url: &str) -> Result<Vec<u8>, sealed::NotSealed> {
        let plain = Zeroizing::new(serde_json::to_vec(self).unwrap_or_default());
        sealed::seal(secret, PURPOSE, &owner(link, url), &plain)
    }

    /// Opens what was sealed for this link and server.
    #[must_use]
    pub fn open(secret: &Secret, link: &str, url: &str, text: &[u8]) -> Option<Self> {
        let plain = sealed::open(secret, PURPOSE, &owner(link, url), text)?;
        serde_json::from_slice(&plain).ok()
    }
}

fn owner(link: &str, url: &str) -> String {
    format!("{} {link} {url}", link.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Definition {
        Definition::new(Direction::Pull, "https://cti.example.org/taxii2/", "indicators", "91a7b528")
    }

    #[test]
    fn definitions_that_can_be_and_that_cannot() {
        type Change = fn(&mut Definition);
        let table: [(Change, Option<&str>); 19] = [
            (|_| {}, None),
            (|d| d.every = Some(5), None),
            (|d| d.every = Some(4), Some("seconds")),
            (|d| d.every = Some(u64::MAX), Some("days")),
            (|d| d.url = "ftp://cti.example.org/".into(), Some("address")),
            (|d| d.url = "https://noor:secret@cti.example.org/".into(), Some("credentials")),
            (|d| d.url = "nowhere".into(), Some("address")),
            (|d| d.theirs = String::new(), Some("their collection")),
            (|d| d.ours = "a\nb".into(), Some("our collection")),
            (|d| d.types = vec!["indicator".into(), "x-own-type".into()], None),
            (|d| d.types = vec!["Indicator".into()], Some("no type")),
            (|d| d.types = vec!["marsad-recall".into()], Some("every link")),
            (|d| d.spec_versions = vec!["2.1".into(), "3.0".into()], Some("2.0 and 2.1")),
            (|d| d.added_after = Some("2026-11-23T12:00:00Z".into()), None),
            (|d| d.added_after = Some("yesterday".into()), Some("instant")),
            (|d| d.ceiling = Some("amber+strict".into()), None),
            (|d| d.ceiling = Some("purple".into()), Some("TLP")),
            (|d| d.max_bytes_per_day = Some(0), Some("nothing")),
            (|d| d.types = vec!["tool".into(); 201], Some("at most")),
        ];
        for (change, wrong) in table {
            let mut definition = plain();
            change(&mut definition);
            let read = Definition::read(&definition.write());
            match wrong {
                None => assert_eq!(read.unwrap(), definition),
                Some(word) => {
                    let why = read.unwrap_err().to_string();
                    assert!(why.contains(word), "{why}");
                }
            }
        }
    }

    #[test]
    fn the_type_is_closed() {
        let text = String::from_utf8(plain().write()).unwrap();
        let more = text.replacen('{', r#"{"run":"rm","#, 1);
        assert!(Definition::read(more.as_bytes()).is_err());
        assert!(Definition::read(text.replace("pull", "both").as_bytes()).is_err());
        assert!(Definition::read(b"{}").is_err());
    }

    #[test]
    fn a_link_that_is_led_elsewhere_is_another() {
        let one = plain();
        let schedule = Definition { every: Some(60), at_once: true, ceiling: Some("green".into()), ..plain() };
        assert_eq!(one.fingerprint(), schedule.fingerprint());
        for other in [
            Definition { url: "https://other.example.org/".into(), ..plain() },
            Definition { theirs: "malware".into(), ..plain() },
            Definition { direction: Direction::Push, ..plain() },
            Definition { types: vec!["tool".into()], ..plain() },
        ] {
            assert_ne!(one.fingerprint(), other.fingerprint());
        }
    }

    #[test]
    fn credentials_open_for_their_link_and_server_alone() {
        let secret = Secret::new([1; 32]);
        let login = Login::Basic { name: "noor".into(), password: "a long secret".to_owned().into() };
        assert!(!format!("{login:?}").contains("noor"));
        let sealed = login.seal(&secret, "north", "https://a.example/").unwrap();
        for (secret, link, url, opens) in [
            (&secret, "north", "https://a.example/", true),
            (&secret, "south", "https://a.example/", false),
            (&secret, "north", "https://b.example/", false),
            (&Secret::new([2; 32]), "north", "https://a.example/", false),
        ] {
            let opened = Login::open(secret, link, url, &sealed);
            let same = matches!(opened, Some(Login::Basic { name, password }) if name == "noor" && *password == "a long secret");
            assert_eq!(same, opens, "{link} {url}");
        }
    }
}
