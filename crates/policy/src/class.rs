//! What decides about a record: its policy class.

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Everything of a record that the policy looks at. Records that agree in all of it form one class, and a decision is
/// made once a class.
///
/// What is at rest is left out of the definition, so that a definition of an earlier version is the same class.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Marking definitions that apply to the whole object (STIX 2.1 §7.2.1), sorted.
    pub markings: Vec<String>,
    /// Marking definitions that apply to parts of it which can be taken out (STIX 2.1 §7.2.3), sorted.
    pub granular: Vec<String>,
    /// Marking definitions that apply to parts without which the object would not stand, sorted: they bind the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binding: Vec<String>,
    /// The accounts and organisations to whom a TLP:RED record is addressed, sorted.
    pub recipients: Vec<String>,
    /// The organisation that brought it in.
    pub owner: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Author::is_owner")]
    pub author: Author,
    /// To whom it is confined, beyond what its markings say.
    #[serde(default, skip_serializing_if = "Handling::is_none")]
    pub handling: Handling,
    /// The kinds of personal data in it that can be masked, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<String>,
    /// The kinds of personal data in it without which it would not stand, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal_fixed: Vec<String>,
    /// Whether it refers to objects that not everyone who may see it is sure to see: each record is then looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

/// Who made a record, as against who brought it in. Whoever brings a stranger's record in is bound by its markings.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The organisation that brought it in.
    #[default]
    Owner,
    /// Another one, which the node knows.
    Organisation(String),
    /// Somebody whom the node does not know.
    Foreign,
}

impl Author {
    fn is_owner(&self) -> bool {
        *self == Self::Owner
    }
}

/// A limit that the source or the node sets beside the markings. It only ever narrows.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Handling {
    /// Each must let the viewer in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Audience>,
    /// Nobody but its originator sees it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embargo: Option<Micros>,
    /// Nobody but its originator sees it from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Micros>,
}

/// A circle of viewers: MISP's distribution levels 0 to 4 (MISP core §2.2). Level 5, inherit, is no circle: it is
/// resolved to the parent's before a record is made.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// 0: the organisation that brought it in and the one that made it.
    Organisation,
    /// 1: the organisations that this node knows as its own, clients or community.
    Community,
    /// 2: those and the communities one hop away.
    Connected,
    /// 3: everyone.
    All,
    /// 4: a sharing group, by its UUID.
    Group(String),
}

impl Handling {
    /// Whether it limits nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Both limits at once.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let latest = |a: Option<Micros>, b: Option<Micros>| a.max(b);
        let earliest = |a: Option<Micros>, b: Option<Micros>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            audience: sorted(self.audience.iter().chain(&other.audience)),
            embargo: latest(self.embargo, other.embargo),
            expires: earliest(self.expires, other.expires),
        }
    }
}

impl Class {
    /// Whether the organisation made records of this class or brought them in.
    #[must_use]
    pub fn originated_by(&self, organisation: &str) -> bool {
        let lower = organisation.to_lowercase();
        let is = |name: &str| !lower.is_empty() && name.to_lowercase() == lower;
        is(&self.owner) || matches!(&self.author, Author::Organisation(author) if is(author))
    }

    /// The class that looks at each record, of the same records otherwise.
    #[must_use]
    pub fn opened(&self) -> Self {
        Self { open: true, ..self.clone() }
    }

    /// The class with a further marking and a further limit: whoever sees it sees this one, and not the other way round.
    /// `recipients` are those of a TLP:RED that the marking brings; of one that is there already only those stay who are
    /// among them.
    #[must_use]
    pub fn narrowed(&self, marking: Option<&str>, recipients: &[String], handling: &Handling) -> Self {
        let red = |id: &str| stix::marking::tlp_of(id) == Some(crate::Tlp::Red);
        let mut class = Self { handling: self.handling.and(handling), ..self.clone() };
        let was_red = self.markings.iter().any(|id| red(id));
        match marking {
            Some(id) if red(id) && !was_red => class.recipients = recipients.to_vec(),
            Some(id) if red(id) => class.recipients.retain(|name| recipients.contains(name)),
            _ => {}
        }
        class.markings = sorted(self.markings.iter().chain(marking.map(str::to_owned).as_ref()));
        class
    }

    /// The bytes by which a store knows the class: the same for the same class, whatever the order of its lists.
    #[must_use]
    pub fn to_definition(&self) -> Vec<u8> {
        let mut class = self.clone();
        let Self { markings, granular, binding, recipients, personal, personal_fixed, .. } = &mut class;
        for list in [markings, granular, binding, recipients, personal, personal_fixed] {
            list.sort_unstable();
            list.dedup();
        }
        class.handling.audience = sorted(class.handling.audience.iter());
        // A struct of strings always serialises; were it not so, the empty definition is one that withholds.
        serde_json::to_vec(&class).unwrap_or_default()
    }

    /// Reads a definition. `None`: not understood (written by a newer version, or damaged), which withholds.
    #[must_use]
    pub fn from_definition(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

fn sorted<'a, T: Clone + Ord + 'a>(list: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut list: Vec<T> = list.cloned().collect();
    list.sort_unstable();
    list.dedup();
    list
}
