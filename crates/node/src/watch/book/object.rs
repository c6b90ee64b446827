//! What is read of an indicator.

use super::names::{Uuid, uuid_of};
use observable::{Claim, Refused};
use pattern::Pattern;
use serde::Deserialize;
use std::borrow::Cow;
use stix::timestamp::Timestamp;

/// Claims of one indicator that are taken; a pattern may name thousands.
const MOST_CLAIMS: usize = 100_000;

/// An indicator as it stands in the book.
#[derive(Debug, Deserialize)]
pub(super) struct Object<'o> {
    #[serde(borrow)]
    pub(super) id: Cow<'o, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'o, str>,
    #[serde(borrow, default)]
    modified: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    created: Option<Cow<'o, str>>,
    #[serde(default)]
    pub(super) revoked: bool,
    #[serde(borrow, default)]
    pub(super) pattern: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pattern_type: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pub(super) valid_from: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pub(super) valid_until: Option<Cow<'o, str>>,
    #[serde(default)]
    pub(super) confidence: Option<u8>,
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pub(super) created_by_ref: Option<Cow<'o, str>>,
    #[serde(default)]
    pub(super) object_marking_refs: Vec<String>,
}

/// What an indicator says of values.
#[derive(Debug)]
pub(super) enum Said {
    /// These, each by itself.
    Claims(Vec<Claim>),
    /// More than that: only the whole pattern tells.
    More(Box<Pattern>),
    /// Nothing that can be met, and why.
    Nothing(Why),
}

/// Why an indicator, or a claim of one, is not watched for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Why {
    /// The pattern cannot be read.
    Broken,
    /// The pattern is in another language than STIX.
    Language,
    /// What is claimed is met everywhere: a public suffix, a whole continent of addresses, the digest of nothing.
    TooBroad,
    /// What is claimed is no value of its kind.
    NoValue,
    /// The pattern names more values than are taken, or there are too many patterns.
    TooMany,
    /// Its window is closed for ever.
    Over,
    /// A warning list names what is claimed: it is well known and benign.
    Benign,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Broken, Self::Language, Self::TooBroad, Self::NoValue, Self::TooMany, Self::Over, Self::Benign];

    /// Its name in figures and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken-pattern",
            Self::Language => "other-language",
            Self::TooBroad => "too-broad",
            Self::NoValue => "no-value",
            Self::TooMany => "too-many",
            Self::Over => "over",
            Self::Benign => "benign",
        }
    }

    /// Why a claim is refused.
    pub(super) fn of(refused: &Refused) -> Self {
        match refused {
            Refused::NotAValue(_) => Self::NoValue,
            Refused::Number | Refused::Full => Self::TooMany,
            _ => Self::TooBroad,
        }
    }
}

impl<'o> Object<'o> {
    /// Reads a body. `None`: it is no indicator.
    pub(super) fn read(body: &'o [u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(body).ok().filter(|object| object.kind == "indicator")
    }

    pub(super) fn uuid(&self) -> Option<Uuid> {
        uuid_of(&self.id)
    }

    /// Its version as it was written.
    pub(super) fn version(&self) -> &str {
        self.modified.as_deref().or(self.created.as_deref()).unwrap_or_default()
    }

    /// Where its version stands among others of the object.
    pub(super) fn order(&self) -> (i64, u32) {
        Timestamp::parse(self.version()).map(|at| (at.micros, at.picos)).unwrap_or_default()
    }

    /// When it was made.
    pub(super) fn created(&self) -> Option<i64> {
        micros(self.created.as_deref())
    }

    /// What its pattern says.
    pub(super) fn said(&self) -> Said {
        // STIX 2.0 names no language.
        if self.pattern_type.as_deref().is_some_and(|language| language != "stix") {
            return Said::Nothing(Why::Language);
        }
        let Some(Ok(pattern)) = self.pattern.as_deref().map(pattern::parse) else {
            return Said::Nothing(Why::Broken);
        };
        match observable::claims(&pattern) {
            Some(claims) if claims.len() > MOST_CLAIMS => Said::Nothing(Why::TooMany),
            Some(claims) => Said::Claims(claims),
            None => Said::More(Box::new(pattern)),
        }
    }
}

/// The instant that a text names.
pub(super) fn micros(text: Option<&str>) -> Option<i64> {
    text.and_then(|text| Timestamp::parse(text).ok()).map(|at| at.micros)
}
