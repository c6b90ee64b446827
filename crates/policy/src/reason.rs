//! Why: the rules that took part in a decision, by names that stay.

/// A rule that took part, by a name that stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// The viewer's organisation made it or brought it in.
    Originator,
    /// The marking lets this viewer have it.
    MarkingReleases,
    /// The marking keeps it from this viewer.
    MarkingWithholds,
    /// The viewer is addressed.
    RecipientNamed,
    /// TLP:RED, and the viewer is not addressed.
    RecipientNotNamed,
    /// No TLP marking: the default applies.
    DefaultMarking,
    /// A marking whose meaning is not known here.
    UnknownMarking,
    /// A statement: no limit on who may see.
    Statement,
    /// A limit on what may be done with it: none on who may see.
    PermittedActions,
    /// A circle of viewers to which it is confined, and the viewer is in it.
    AudienceReleases,
    /// A circle of viewers to which it is confined, and the viewer is not in it.
    AudienceWithholds,
    /// A sharing group, and the viewer's organisation is in it.
    GroupMember,
    /// A sharing group, and the viewer's organisation is not in it.
    NotGroupMember,
    /// A sharing group, and the viewer's organisation joined it after the record was added.
    GroupJoinedLater,
    /// A sharing group that is not open, or not known.
    GroupClosed,
    /// Stricter than what the viewer's organisation is ever given.
    AboveCeiling,
    /// Not yet released.
    Embargo,
    /// No longer released.
    Expired,
    /// A part of the record is marked so that this viewer may not have it; it is taken out.
    PartWithheld,
    /// A part without which the record would not stand is marked so that this viewer may not have it.
    BindingPartWithheld,
    /// Data about a person is masked.
    PersonalMasked,
    /// Data about a person keeps the record from this viewer.
    PersonalWithheld,
    /// It refers to an object that this viewer may not see; the reference is taken out.
    ReferenceRemoved,
    /// It cannot stand without an object that this viewer may not see.
    ReferenceWithholds,
    /// The collections that hold it are not the viewer's to read.
    CollectionWithholds,
}

impl Code {
    /// The name, for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Originator => "originator",
            Self::MarkingReleases => "marking-releases",
            Self::MarkingWithholds => "marking-withholds",
            Self::RecipientNamed => "recipient-named",
            Self::RecipientNotNamed => "recipient-not-named",
            Self::DefaultMarking => "default-marking",
            Self::UnknownMarking => "unknown-marking",
            Self::Statement => "statement",
            Self::PermittedActions => "permitted-actions",
            Self::AudienceReleases => "audience-releases",
            Self::AudienceWithholds => "audience-withholds",
            Self::GroupMember => "group-member",
            Self::NotGroupMember => "not-group-member",
            Self::GroupJoinedLater => "group-joined-later",
            Self::GroupClosed => "group-closed",
            Self::AboveCeiling => "above-ceiling",
            Self::Embargo => "embargo",
            Self::Expired => "expired",
            Self::PartWithheld => "part-withheld",
            Self::BindingPartWithheld => "binding-part-withheld",
            Self::PersonalMasked => "personal-masked",
            Self::PersonalWithheld => "personal-withheld",
            Self::ReferenceRemoved => "reference-removed",
            Self::ReferenceWithholds => "reference-withholds",
            Self::CollectionWithholds => "collection-withholds",
        }
    }
}

/// Why: a rule, and what it rests on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The rule.
    pub code: Code,
    /// What it rests on, where that is a record: the marking definition, the sharing group, the object referred to.
    pub rests_on: Option<String>,
    /// In plain words.
    pub message: String,
}
