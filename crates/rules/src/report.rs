//! What became of everything that was to be written.

use observable::Kind;
use std::collections::BTreeMap;

/// So many of what was left out for one reason are named.
const NAMED: usize = 5;

/// Why something was left out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// It was taken back by its author.
    Revoked,
    /// It no longer holds.
    Expired,
    /// It does not hold yet.
    NotYetValid,
    /// Its source is less sure of it than was asked for.
    Confidence,
    /// Its pattern says more than that one of some values is seen.
    SaysMore,
    /// Its pattern cannot be read.
    BadPattern,
    /// Its pattern is in a language that this format does not hold.
    OtherLanguage,
    /// What it claims is too common to be told from what is harmless.
    TooBroad,
    /// The address is one that every network uses for its own hosts.
    Private,
    /// The value is not one of its kind.
    NotOfItsKind,
    /// The format has no place for values of this kind.
    NoPlace,
    /// The value, or what names it, is longer than the format allows.
    TooLong,
    /// The value has characters that cannot be written in this format.
    Unwritable,
    /// The name would be read as a trigger of another kind.
    OtherTrigger,
    /// Only the names below a domain are meant, which the format cannot say.
    OnlyBelow,
    /// All numbers for rules are taken.
    NoNumber,
    /// The rule does more than to alert.
    DoesMore,
    /// The rule reads files, runs a script or keeps data.
    Reaches,
    /// The rule is not written such that it can be told where it ends.
    BadRule,
}

impl Reason {
    /// Its name, which stays.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Confidence => "low-confidence",
            Self::SaysMore => "says-more",
            Self::BadPattern => "bad-pattern",
            Self::OtherLanguage => "other-language",
            Self::TooBroad => "too-broad",
            Self::Private => "private",
            Self::NotOfItsKind => "not-of-its-kind",
            Self::NoPlace => "no-place",
            Self::TooLong => "too-long",
            Self::Unwritable => "unwritable",
            Self::OtherTrigger => "other-trigger",
            Self::OnlyBelow => "only-below",
            Self::NoNumber => "no-number-left",
            Self::DoesMore => "does-more",
            Self::Reaches => "reaches-out",
            Self::BadRule => "bad-rule",
        }
    }

    /// In plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Revoked => "revoked by the author",
            Self::Expired => "no longer valid",
            Self::NotYetValid => "not valid yet",
            Self::Confidence => "less confidence than asked for",
            Self::SaysMore => "the pattern says more than a list of values",
            Self::BadPattern => "the pattern cannot be read",
            Self::OtherLanguage => "written in a language that this format does not hold",
            Self::TooBroad => "the claim is too broad",
            Self::Private => "an address that every network uses for its own hosts",
            Self::NotOfItsKind => "not a value of its kind",
            Self::NoPlace => "the format has no place for this kind",
            Self::TooLong => "longer than the format allows",
            Self::Unwritable => "has characters that the format cannot hold",
            Self::OtherTrigger => "the name would be read as another kind of trigger",
            Self::OnlyBelow => "means only what is below a domain, which the format cannot say",
            Self::NoNumber => "no number left for a rule: give a larger range",
            Self::DoesMore => "the rule does more than alert",
            Self::Reaches => "the rule reads files, runs a script or keeps data",
            Self::BadRule => "not a rule that can be passed on safely",
        }
    }
}

/// What was left out for one reason.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The ids of the first of them.
    pub first: Vec<String>,
}

/// What became of everything that was to be written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Entries by kind.
    pub entries: BTreeMap<Kind, u64>,
    /// Rules that were passed on in their own text.
    pub natives: u64,
    /// STIX objects that were passed on whole.
    pub objects: u64,
    /// Claims whose value is already written, or covered by a wider one.
    pub merged: u64,
    /// Entries that say less than the claim: the name alone, where the names below it are meant as well.
    pub narrowed: u64,
    /// What is not in the export.
    pub left_out: BTreeMap<Reason, LeftOut>,
}

impl Report {
    /// How many entries were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.entries.values().sum::<u64>() + self.natives + self.objects
    }

    /// Notes that an entry which was counted is covered by another.
    pub(crate) fn merge(&mut self, kind: Kind) {
        self.merged += 1;
        if let Some(count) = self.entries.get_mut(&kind) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts something that is not written.
    pub(crate) fn leave_out(&mut self, id: &str, reason: Reason) {
        let left = self.left_out.entry(reason).or_default();
        left.count += 1;
        if left.first.len() < NAMED && left.first.last().is_none_or(|last| last != id) {
            left.first.push(id.to_owned());
        }
    }
}
