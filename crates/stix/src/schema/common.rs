//! Properties and embedded types that many objects share. STIX 2.1 §2, §3.2.

use super::property::{may, must};
use super::{Category, Format, Kind, Property, Role, Rule, Shape, Target};
use crate::validate::Code;

/// Integers that survive a double: I-JSON, STIX 2.1 §2.10.
pub(super) const INTEGER: Kind = Kind::Integer(-9_007_199_254_740_991, 9_007_199_254_740_991);
/// An integer that counts or measures.
pub(super) const COUNT: Kind = Kind::Integer(0, 9_007_199_254_740_991);
/// Any number.
pub(super) const NUMBER: Kind = Kind::Number(f64::MIN, f64::MAX);
/// A list of strings.
pub(super) const TEXTS: Kind = Kind::List(&Kind::Text);
pub(super) const URI: Kind = Kind::Form(Format::Uri);
pub(super) const KILL_CHAIN_PHASES: Kind = Kind::List(&Kind::Object(&KILL_CHAIN_PHASE));
const EXTERNAL_REFERENCES: Kind = Kind::List(&Kind::External);
pub(super) const MARKING_REFS: Kind = Kind::Refs(Target::Types(&["marking-definition"]));
const IDENTITY: Kind = Kind::Ref(Target::Creator);
pub(super) const GRANULAR: Kind = Kind::List(&Kind::Granular);

const TYPE: Property = must("type", Kind::Type);
const SPEC: Property = must("spec_version", Kind::SpecVersion);
const ID: Property = must("id", Kind::Id).role(Role::Id);
const CREATOR: Property = may("created_by_ref", IDENTITY).role(Role::Creator);
const CREATED: Property = must("created", Kind::FineTime).role(Role::Created);
const MODIFIED: Property = must("modified", Kind::FineTime).role(Role::Modified);
const REVOKED: Property = may("revoked", Kind::Boolean).role(Role::Revoked);
const LABELS: Property = may("labels", TEXTS);
const CONFIDENCE: Property = may("confidence", Kind::Integer(0, 100));
const LANG: Property = may("lang", Kind::Form(Format::Language));
const EXTERNAL: Property = may("external_references", EXTERNAL_REFERENCES);
const MARKINGS: Property = may("object_marking_refs", MARKING_REFS).role(Role::Markings);
const GRANULAR_MARKINGS: Property = may("granular_markings", GRANULAR).role(Role::Granular);
const EXTENSIONS: Property = may("extensions", Kind::Extensions).role(Role::Extensions);
const SEVERITY: Property = may("severity", Kind::Reserved);
const ACTION: Property = may("action", Kind::Reserved);
const USERNAME: Property = may("username", Kind::Reserved);
const PHONE: Property = may("phone_number", Kind::Reserved);
const PHONES: Property = may("phone_numbers", Kind::Reserved);

/// What domain objects and relationships share, §3.2.
pub(super) const OBJECT: &[Property] = &[
    TYPE,
    SPEC,
    ID,
    CREATOR,
    CREATED,
    MODIFIED,
    REVOKED,
    LABELS,
    CONFIDENCE,
    LANG,
    EXTERNAL,
    MARKINGS,
    GRANULAR_MARKINGS,
    EXTENSIONS,
    SEVERITY,
    ACTION,
    USERNAME,
    PHONE,
    PHONES,
];

/// What cyber-observables share, §3.2.
pub(super) const OBSERVABLE: &[Property] = &[
    TYPE,
    may("spec_version", Kind::SpecVersion),
    ID,
    MARKINGS,
    GRANULAR_MARKINGS,
    may("defanged", Kind::Boolean),
    EXTENSIONS,
    SEVERITY,
    ACTION,
    USERNAME,
    PHONE,
    PHONES,
];

/// Language content, §7.1.
pub(super) const LANGUAGE: &[Property] = &[
    TYPE,
    SPEC,
    ID,
    CREATOR,
    CREATED,
    MODIFIED,
    REVOKED,
    LABELS,
    CONFIDENCE,
    EXTERNAL,
    MARKINGS,
    GRANULAR_MARKINGS,
    EXTENSIONS,
    SEVERITY,
    ACTION,
    USERNAME,
    PHONE,
    PHONES,
];

/// Marking definitions, §7.2.1.
pub(super) const MARKING: &[Property] = &[
    TYPE,
    SPEC,
    ID,
    CREATOR,
    CREATED,
    EXTERNAL,
    MARKINGS,
    GRANULAR_MARKINGS,
    EXTENSIONS,
    SEVERITY,
    ACTION,
    USERNAME,
    PHONE,
    PHONES,
];

/// Extension definitions, §7.3.
pub(super) const EXTENSION: &[Property] = &[
    TYPE,
    SPEC,
    ID,
    must("created_by_ref", IDENTITY).role(Role::Creator),
    CREATED,
    MODIFIED,
    REVOKED,
    LABELS,
    EXTERNAL,
    MARKINGS,
    GRANULAR_MARKINGS,
    SEVERITY,
    ACTION,
    USERNAME,
    PHONE,
    PHONES,
];

/// Bundles, §8.
pub(super) const BUNDLE: &[Property] = &[TYPE, ID];

/// `external-reference`, §2.5. Its form by source is judged apart.
pub(crate) static EXTERNAL_REFERENCE: Shape = Shape::new(
    "external-reference",
    "STIX 2.1 §2.5",
    Category::Embedded,
    &[],
    &[
        must("source_name", Kind::Text).role(Role::Main),
        may("description", Kind::Text),
        may("url", URI),
        may("hashes", Kind::Hashes),
        may("external_id", Kind::Text).role(Role::Second),
    ],
    &[Rule::AnyOf(&["description", "url", "external_id"])],
);

/// `kill-chain-phase`, §2.11.
pub(super) static KILL_CHAIN_PHASE: Shape = Shape::new(
    "kill-chain-phase",
    "STIX 2.1 §2.11",
    Category::Embedded,
    &[],
    &[must("kill_chain_name", Kind::Form(Format::KillChain)), must("phase_name", Kind::Form(Format::KillChain))],
    &[],
);

/// `granular-marking`, §7.2.3.
pub(crate) static GRANULAR_MARKING: Shape = Shape::new(
    "granular-marking",
    "STIX 2.1 §7.2.3",
    Category::Embedded,
    &[],
    &[
        must("selectors", TEXTS).role(Role::Main),
        may("marking_ref", Kind::Ref(Target::Types(&["marking-definition"]))).role(Role::Second),
        may("lang", Kind::Form(Format::Language)),
    ],
    &[Rule::OneOf("marking_ref", "lang")],
);

/// A type that the standard does not define, §7.3 and §11.2.
pub(super) static CUSTOM: Shape =
    Shape::new("custom object", "STIX 2.1 §3.2", Category::Custom, OBJECT, &[], &[MODIFIED_LAST]);

/// A cyber-observable that the standard does not define, §7.3 and §11.2.
pub(super) static CUSTOM_SCO: Shape =
    Shape::new("custom object", "STIX 2.1 §3.2", Category::CustomSco, OBSERVABLE, &[], &[]);

/// `modified` is not before `created`, §3.2.
pub(super) const MODIFIED_LAST: Rule = Rule::Order("created", "modified", false);
/// `last_seen` is not before `first_seen`.
pub(super) const SEEN: Rule = Rule::Order("first_seen", "last_seen", false);

pub(super) const fn open(vocabulary: &'static crate::vocab::Vocabulary, code: Code) -> Kind {
    Kind::Open(vocabulary, code)
}
