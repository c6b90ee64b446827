//! A recall: an object, or what it was marked with, is taken back from everybody who was given it.

use crate::key::Keys;
use crate::signed::{Error, Kind, Unverified, sign as sign_statement};
use serde_json::{Map, Value, json};

/// The most versions that one recall names.
pub const MOST_VERSIONS: usize = 10_000;

/// What is to be done with the object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Act {
    /// It is to be deleted.
    Delete,
    /// It does not hold any more.
    Revoke,
    /// Fewer may see it.
    Narrow,
    /// It is no longer part of what it was shared for.
    Untag,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Delete, Self::Revoke, Self::Narrow, Self::Untag];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Revoke => "revoke",
            Self::Narrow => "narrow",
            Self::Untag => "untag",
        }
    }

    /// The act that is written so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

/// A recall.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// The object's id.
    pub object: String,
    /// Which versions, as the object writes them; `None`: all that there are and will be.
    pub versions: Option<Vec<String>>,
    /// What is to be done.
    pub act: Act,
    /// The id of the marking that is added, for [`Act::Narrow`].
    pub tlp: Option<String>,
    /// The limits that are added, for [`Act::Narrow`], as `policy::Handling` writes them.
    pub handling: Option<Value>,
    /// When it was said (RFC 3339).
    pub at: String,
}

impl Recall {
    /// Signs it.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("object_ref".into(), self.object.as_str().into());
        body.insert("act".into(), self.act.name().into());
        body.extend(self.versions.as_ref().map(|versions| ("versions".into(), json!(versions))));
        body.extend(self.tlp.as_ref().map(|tlp| ("tlp".into(), tlp.as_str().into())));
        body.extend(self.handling.as_ref().map(|handling| ("handling".into(), handling.clone())));
        sign_statement(Kind::Recall, Some(&self.at), body, keys)
    }

    /// What a recall says. Whether it is from whom it says is another question ([`Unverified::verify`]).
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn read(statement: &Unverified) -> Result<Self, Error> {
        let says = statement.expect(Kind::Recall, &["object_ref", "act", "versions", "tlp", "handling"])?;
        let act = says.needed("act")?;
        let act = Act::of(act).ok_or_else(|| says.wrong("`act` is none of delete, revoke, narrow, untag"))?;
        let version = |value: &Value| {
            let text = value.as_str().filter(|text| stix::timestamp::Timestamp::parse(text).is_ok());
            text.map(str::to_owned).ok_or_else(|| says.wrong("a version is a timestamp"))
        };
        let versions = says.list("versions", MOST_VERSIONS)?;
        let versions = versions.map(|list| list.iter().map(version).collect::<Result<Vec<_>, _>>()).transpose()?;
        if versions.as_ref().is_some_and(Vec::is_empty) {
            return Err(says.wrong("`versions` is empty"));
        }
        let tlp = says.text("tlp")?.map(str::to_owned);
        if tlp.is_some() {
            says.id("tlp", Some("marking-definition"))?;
        }
        let handling = says.get("handling").cloned();
        if handling.as_ref().is_some_and(|handling| !handling.is_object()) {
            return Err(says.wrong("`handling` is no object"));
        }
        if (act == Act::Narrow) != (tlp.is_some() || handling.is_some()) {
            return Err(says.wrong("to narrow says how, and nothing else does"));
        }
        let object = says.id("object_ref", None)?.to_owned();
        Ok(Self { object, versions, act, tlp, handling, at: statement.at().to_owned() })
    }
}

#[cfg(test)]
mod tests;
