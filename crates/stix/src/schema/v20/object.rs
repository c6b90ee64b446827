//! Domain objects, relationships, markings and the bundle of STIX 2.0. STIX 2.0 part 1 §3–§5, part 2.

use super::shape;
use super::terms::{
    IDENTITY_CLASS, INDICATOR_LABEL, INDUSTRY_SECTOR, MALWARE_LABEL, REPORT_LABEL, THREAT_ACTOR_LABEL, TOOL_LABEL,
};
use crate::schema::common::{GRANULAR, KILL_CHAIN_PHASES, MARKING_REFS, MODIFIED_LAST, SEEN, TEXTS, open};
use crate::schema::property::{may, must};
use crate::schema::{Category, Format, Kind, Property, Role, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

const TYPE: Property = must("type", Kind::Type);
const ID: Property = must("id", Kind::Id).role(Role::Id);
const CREATOR: Property = may("created_by_ref", Kind::Ref(Target::Creator)).role(Role::Creator);
const CREATED: Property = must("created", Kind::FineTime).role(Role::Created);
const MODIFIED: Property = must("modified", Kind::FineTime).role(Role::Modified);
const EXTERNAL: Property = may("external_references", Kind::List(&Kind::External));
const MARKINGS: Property = may("object_marking_refs", MARKING_REFS).role(Role::Markings);
const GRANULAR_MARKINGS: Property = may("granular_markings", GRANULAR).role(Role::Granular);

/// What objects share but labels, part 1 §3.1, with the names that §3.6 reserves.
pub(super) const COMMON: &[Property] = &[
    TYPE,
    ID,
    CREATOR,
    CREATED,
    MODIFIED,
    may("revoked", Kind::Boolean).role(Role::Revoked),
    EXTERNAL,
    MARKINGS,
    GRANULAR_MARKINGS,
    may("confidence", Kind::Reserved),
    may("severity", Kind::Reserved),
    may("action", Kind::Reserved),
    may("usernames", Kind::Reserved),
    may("phone_numbers", Kind::Reserved),
    may("addresses", Kind::Reserved),
    may("first_seen_precision", Kind::Reserved),
    may("last_seen_precision", Kind::Reserved),
    may("valid_from_precision", Kind::Reserved),
    may("valid_until_precision", Kind::Reserved),
];

const LABELS: Property = may("labels", TEXTS);
const NAME: Property = must("name", Kind::Text);
const TITLE: Property = may("name", Kind::Text);
const DESCRIPTION: Property = may("description", Kind::Text);
const ALIASES: Property = may("aliases", TEXTS);
const PHASES: Property = may("kill_chain_phases", KILL_CHAIN_PHASES);
const FIRST_SEEN: Property = may("first_seen", Kind::Time);
const LAST_SEEN: Property = may("last_seen", Kind::Time);
const MOTIVATION: Kind = open(&vocab::ATTACK_MOTIVATION, Code::AttackMotivation);
const MOTIVATIONS: Kind = Kind::List(&MOTIVATION);
const RESOURCE_LEVEL: Kind = open(&vocab::ATTACK_RESOURCE_LEVEL, Code::AttackResourceLevel);
const ORDERED: &[Rule] = &[MODIFIED_LAST];
const SEEN_ORDERED: &[Rule] = &[MODIFIED_LAST, SEEN];

const fn sdo(name: &'static str, clause: &'static str, own: &'static [Property], rules: &'static [Rule]) -> Shape {
    shape(name, clause, Category::Sdo, COMMON, own, rules)
}

static ATTACK_PATTERN: Shape =
    sdo("attack-pattern", "STIX 2.0 part 2 §2.1", &[LABELS, NAME, DESCRIPTION, PHASES], ORDERED);
static CAMPAIGN: Shape = sdo(
    "campaign",
    "STIX 2.0 part 2 §2.2",
    &[LABELS, NAME, DESCRIPTION, ALIASES, FIRST_SEEN, LAST_SEEN, may("objective", Kind::Text)],
    SEEN_ORDERED,
);
static COURSE_OF_ACTION: Shape = sdo("course-of-action", "STIX 2.0 part 2 §2.3", &[LABELS, NAME, DESCRIPTION], ORDERED);
static IDENTITY: Shape = sdo(
    "identity",
    "STIX 2.0 part 2 §2.4",
    &[
        LABELS,
        NAME,
        DESCRIPTION,
        must("identity_class", open(&IDENTITY_CLASS, Code::IdentityClass)),
        may("sectors", Kind::List(&open(&INDUSTRY_SECTOR, Code::IndustrySector))),
        may("contact_information", Kind::Text),
    ],
    ORDERED,
);
static INDICATOR: Shape = sdo(
    "indicator",
    "STIX 2.0 part 2 §2.5",
    &[
        must("labels", Kind::List(&open(&INDICATOR_LABEL, Code::IndicatorTypes))),
        TITLE,
        DESCRIPTION,
        must("pattern", Kind::Text).role(Role::Main),
        must("valid_from", Kind::Time),
        may("valid_until", Kind::Time),
        PHASES,
    ],
    &[MODIFIED_LAST, Rule::Order("valid_from", "valid_until", false)],
);
static INTRUSION_SET: Shape = sdo(
    "intrusion-set",
    "STIX 2.0 part 2 §2.6",
    &[
        LABELS,
        NAME,
        DESCRIPTION,
        ALIASES,
        FIRST_SEEN,
        LAST_SEEN,
        may("goals", TEXTS),
        may("resource_level", RESOURCE_LEVEL),
        may("primary_motivation", MOTIVATION),
        may("secondary_motivations", MOTIVATIONS),
    ],
    SEEN_ORDERED,
);
static MALWARE: Shape = sdo(
    "malware",
    "STIX 2.0 part 2 §2.7",
    &[must("labels", Kind::List(&open(&MALWARE_LABEL, Code::MalwareTypes))), NAME, DESCRIPTION, PHASES],
    ORDERED,
);
static OBSERVED_DATA: Shape = sdo(
    "observed-data",
    "STIX 2.0 part 2 §2.8",
    &[
        LABELS,
        must("first_observed", Kind::Time),
        must("last_observed", Kind::Time),
        must("number_observed", Kind::Integer(1, 999_999_999)),
        must("objects", Kind::Container),
    ],
    &[MODIFIED_LAST, Rule::Order("first_observed", "last_observed", false)],
);
static REPORT: Shape = sdo(
    "report",
    "STIX 2.0 part 2 §2.9",
    &[
        must("labels", Kind::List(&open(&REPORT_LABEL, Code::ReportTypes))),
        NAME,
        DESCRIPTION,
        must("published", Kind::Time),
        must("object_refs", Kind::Refs(Target::Object)),
    ],
    ORDERED,
);
static THREAT_ACTOR: Shape = sdo(
    "threat-actor",
    "STIX 2.0 part 2 §2.10",
    &[
        must("labels", Kind::List(&open(&THREAT_ACTOR_LABEL, Code::ThreatActorTypes))),
        NAME,
        DESCRIPTION,
        ALIASES,
        may("roles", Kind::List(&open(&vocab::THREAT_ACTOR_ROLE, Code::ThreatActorRole))),
        may("goals", TEXTS),
        may("sophistication", open(&vocab::THREAT_ACTOR_SOPHISTICATION, Code::ThreatActorSophistication)),
        may("resource_level", RESOURCE_LEVEL),
        may("primary_motivation", MOTIVATION),
        may("secondary_motivations", MOTIVATIONS),
        may("personal_motivations", MOTIVATIONS),
    ],
    ORDERED,
);
static TOOL: Shape = sdo(
    "tool",
    "STIX 2.0 part 2 §2.11",
    &[
        must("labels", Kind::List(&open(&TOOL_LABEL, Code::ToolTypes))),
        NAME,
        DESCRIPTION,
        PHASES,
        may("tool_version", Kind::Text),
    ],
    ORDERED,
);
static VULNERABILITY: Shape = sdo("vulnerability", "STIX 2.0 part 2 §2.12", &[LABELS, NAME, DESCRIPTION], ORDERED);

static RELATIONSHIP: Shape = shape(
    "relationship",
    "STIX 2.0 part 2 §3.1",
    Category::Sro,
    COMMON,
    &[
        LABELS,
        must("relationship_type", Kind::Form(Format::RelationshipType)).role(Role::Main),
        DESCRIPTION,
        must("source_ref", Kind::Ref(Target::End)).role(Role::Second),
        must("target_ref", Kind::Ref(Target::End)).role(Role::Third),
    ],
    ORDERED,
);
static SIGHTING: Shape = shape(
    "sighting",
    "STIX 2.0 part 2 §3.2",
    Category::Sro,
    COMMON,
    &[
        LABELS,
        FIRST_SEEN,
        LAST_SEEN,
        may("count", Kind::Integer(0, 999_999_999)),
        must("sighting_of_ref", Kind::Ref(Target::Sighted)),
        may("observed_data_refs", Kind::Refs(Target::Types(&["observed-data"]))),
        may("where_sighted_refs", Kind::Refs(Target::Types(&["identity"]))),
        may("summary", Kind::Boolean),
    ],
    SEEN_ORDERED,
);
static MARKING_DEFINITION: Shape = shape(
    "marking-definition",
    "STIX 2.0 part 1 §4.1",
    Category::Marking,
    &[
        TYPE,
        ID,
        CREATOR,
        must("created", Kind::Time).role(Role::Created),
        EXTERNAL,
        MARKINGS,
        GRANULAR_MARKINGS,
        must("definition_type", Kind::Text).role(Role::Second),
        must("definition", Kind::Definition).role(Role::Main),
    ],
    &[],
    &[],
);
static BUNDLE: Shape = shape(
    "bundle",
    "STIX 2.0 part 1 §5",
    Category::Bundle,
    &[TYPE, ID, must("spec_version", Kind::SpecVersion), may("objects", Kind::Objects)],
    &[],
    &[],
);

pub(super) static SHAPES: [&Shape; 16] = [
    &ATTACK_PATTERN,
    &CAMPAIGN,
    &COURSE_OF_ACTION,
    &IDENTITY,
    &INDICATOR,
    &INTRUSION_SET,
    &MALWARE,
    &OBSERVED_DATA,
    &REPORT,
    &THREAT_ACTOR,
    &TOOL,
    &VULNERABILITY,
    &RELATIONSHIP,
    &SIGHTING,
    &MARKING_DEFINITION,
    &BUNDLE,
];
