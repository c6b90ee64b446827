//! Domain objects. STIX 2.1 §4.

use super::common::{KILL_CHAIN_PHASES, MODIFIED_LAST, NUMBER, OBJECT, SEEN, TEXTS, open};
use super::property::{may, must};
use super::{Category, Format, Kind, Property, Role, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

const NAME: Property = must("name", Kind::Text);
const DESCRIPTION: Property = may("description", Kind::Text);
const ALIASES: Property = may("aliases", TEXTS);
const PHASES: Property = may("kill_chain_phases", KILL_CHAIN_PHASES);
const FIRST_SEEN: Property = may("first_seen", Kind::Time);
const LAST_SEEN: Property = may("last_seen", Kind::Time);
const OBJECT_REFS: Property = must("object_refs", Kind::Refs(Target::Object));
const SOFTWARE: Target = Target::Types(&["software"]);
const MOTIVATION: Kind = open(&vocab::ATTACK_MOTIVATION, Code::AttackMotivation);
const MOTIVATIONS: Kind = Kind::List(&MOTIVATION);
const RESOURCE_LEVEL: Kind = open(&vocab::ATTACK_RESOURCE_LEVEL, Code::AttackResourceLevel);

const fn sdo(name: &'static str, clause: &'static str, own: &'static [Property], rules: &'static [Rule]) -> Shape {
    Shape::new(name, clause, Category::Sdo, OBJECT, own, rules)
}

const ORDERED: &[Rule] = &[MODIFIED_LAST];
const SEEN_ORDERED: &[Rule] = &[MODIFIED_LAST, SEEN];

pub(super) static ATTACK_PATTERN: Shape =
    sdo("attack-pattern", "STIX 2.1 §4.1", &[NAME, DESCRIPTION, ALIASES, PHASES], ORDERED);

pub(super) static CAMPAIGN: Shape = sdo(
    "campaign",
    "STIX 2.1 §4.2",
    &[NAME, DESCRIPTION, ALIASES, FIRST_SEEN, LAST_SEEN, may("objective", Kind::Text)],
    SEEN_ORDERED,
);

pub(super) static COURSE_OF_ACTION: Shape = sdo("course-of-action", "STIX 2.1 §4.3", &[NAME, DESCRIPTION], ORDERED);

pub(super) static GROUPING: Shape = sdo(
    "grouping",
    "STIX 2.1 §4.4",
    &[
        may("name", Kind::Text),
        DESCRIPTION,
        must("context", Kind::Listed(&vocab::GROUPING_CONTEXT, Code::GroupingContext)),
        OBJECT_REFS,
    ],
    ORDERED,
);

pub(super) static IDENTITY: Shape = sdo(
    "identity",
    "STIX 2.1 §4.5",
    &[
        NAME,
        DESCRIPTION,
        may("roles", TEXTS),
        may("identity_class", open(&vocab::IDENTITY_CLASS, Code::IdentityClass)),
        may("sectors", Kind::List(&open(&vocab::INDUSTRY_SECTOR, Code::IndustrySector))),
        may("contact_information", Kind::Text),
    ],
    ORDERED,
);

pub(super) static INCIDENT: Shape = sdo("incident", "STIX 2.1 §4.6", &[NAME, DESCRIPTION], ORDERED);

pub(super) static INDICATOR: Shape = sdo(
    "indicator",
    "STIX 2.1 §4.7",
    &[
        may("name", Kind::Text),
        DESCRIPTION,
        may("indicator_types", Kind::List(&open(&vocab::INDICATOR_TYPE, Code::IndicatorTypes))),
        must("pattern", Kind::Text).role(Role::Main),
        must("pattern_type", Kind::Listed(&vocab::PATTERN_TYPE, Code::PatternTypes)).role(Role::Second),
        may("pattern_version", Kind::Text).role(Role::Third),
        must("valid_from", Kind::Time),
        may("valid_until", Kind::Time),
        PHASES,
    ],
    &[MODIFIED_LAST, Rule::Order("valid_from", "valid_until", true)],
);

pub(super) static INFRASTRUCTURE: Shape = sdo(
    "infrastructure",
    "STIX 2.1 §4.8",
    &[
        NAME,
        DESCRIPTION,
        may("infrastructure_types", Kind::List(&open(&vocab::INFRASTRUCTURE_TYPE, Code::InfrastructureTypes))),
        ALIASES,
        PHASES,
        FIRST_SEEN,
        LAST_SEEN,
    ],
    SEEN_ORDERED,
);

pub(super) static INTRUSION_SET: Shape = sdo(
    "intrusion-set",
    "STIX 2.1 §4.9",
    &[
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

pub(super) static LOCATION: Shape = sdo(
    "location",
    "STIX 2.1 §4.10",
    &[
        may("name", Kind::Text),
        DESCRIPTION,
        may("latitude", Kind::Number(-90.0, 90.0)),
        may("longitude", Kind::Number(-180.0, 180.0)),
        may("precision", NUMBER),
        may("region", open(&vocab::REGION, Code::Region)),
        may("country", Kind::Form(Format::Country)),
        may("administrative_area", Kind::Text),
        may("city", Kind::Text),
        may("street_address", Kind::Text),
        may("postal_code", Kind::Text),
    ],
    &[
        MODIFIED_LAST,
        Rule::AnyOf(&["region", "country", "latitude"]),
        Rule::Needs("latitude", "longitude"),
        Rule::Needs("longitude", "latitude"),
        Rule::Needs("precision", "latitude"),
        Rule::Needs("precision", "longitude"),
    ],
);

pub(super) static MALWARE: Shape = sdo(
    "malware",
    "STIX 2.1 §4.11",
    &[
        may("name", Kind::Text),
        DESCRIPTION,
        may("malware_types", Kind::List(&open(&vocab::MALWARE_TYPE, Code::MalwareTypes))),
        must("is_family", Kind::Boolean).role(Role::Main),
        ALIASES,
        PHASES,
        FIRST_SEEN,
        LAST_SEEN,
        may("operating_system_refs", Kind::Refs(SOFTWARE)),
        may(
            "architecture_execution_envs",
            Kind::List(&open(&vocab::PROCESSOR_ARCHITECTURE, Code::ProcessorArchitecture)),
        ),
        may(
            "implementation_languages",
            Kind::List(&open(&vocab::IMPLEMENTATION_LANGUAGE, Code::ImplementationLanguages)),
        ),
        may("capabilities", Kind::List(&open(&vocab::MALWARE_CAPABILITIES, Code::MalwareCapabilities))),
        may("sample_refs", Kind::Refs(Target::Types(&["file", "artifact"]))),
    ],
    &[MODIFIED_LAST, SEEN, Rule::NeedsIf("is_family", "name")],
);

pub(super) static MALWARE_ANALYSIS: Shape = sdo(
    "malware-analysis",
    "STIX 2.1 §4.12",
    &[
        must("product", Kind::Form(Format::Product)),
        may("version", Kind::Text),
        may("host_vm_ref", Kind::Ref(SOFTWARE)),
        may("operating_system_ref", Kind::Ref(SOFTWARE)),
        may("installed_software_refs", Kind::Refs(SOFTWARE)),
        may("configuration_version", Kind::Text),
        may("modules", TEXTS),
        may("analysis_engine_version", Kind::Text),
        may("analysis_definition_version", Kind::Text),
        may("submitted", Kind::Time),
        may("analysis_started", Kind::Time),
        may("analysis_ended", Kind::Time),
        may("result_name", Kind::Text),
        may("result", open(&vocab::MALWARE_RESULT, Code::MalwareResult)),
        may("analysis_sco_refs", Kind::Refs(Target::Sco)),
        may("sample_ref", Kind::Ref(Target::Types(&["file", "network-traffic", "artifact"]))),
    ],
    &[MODIFIED_LAST, Rule::AnyOf(&["result", "analysis_sco_refs"])],
);

pub(super) static NOTE: Shape = sdo(
    "note",
    "STIX 2.1 §4.13",
    &[may("abstract", Kind::Text), must("content", Kind::Text), may("authors", TEXTS), OBJECT_REFS],
    ORDERED,
);

pub(super) static OBSERVED_DATA: Shape = sdo(
    "observed-data",
    "STIX 2.1 §4.14",
    &[
        must("first_observed", Kind::Time),
        must("last_observed", Kind::Time),
        must("number_observed", Kind::Integer(1, 999_999_999)),
        may("objects", Kind::Container),
        may("object_refs", Kind::Refs(Target::Observed)),
    ],
    &[MODIFIED_LAST, Rule::Order("first_observed", "last_observed", false), Rule::OneOf("object_refs", "objects")],
);

pub(super) static OPINION: Shape = sdo(
    "opinion",
    "STIX 2.1 §4.15",
    &[
        may("explanation", Kind::Text),
        may("authors", TEXTS),
        must("opinion", Kind::Closed(&vocab::OPINION)),
        OBJECT_REFS,
    ],
    ORDERED,
);

pub(super) static REPORT: Shape = sdo(
    "report",
    "STIX 2.1 §4.16",
    &[
        NAME,
        DESCRIPTION,
        may("report_types", Kind::List(&open(&vocab::REPORT_TYPE, Code::ReportTypes))),
        must("published", Kind::Time),
        OBJECT_REFS,
    ],
    ORDERED,
);

pub(super) static THREAT_ACTOR: Shape = sdo(
    "threat-actor",
    "STIX 2.1 §4.17",
    &[
        NAME,
        DESCRIPTION,
        may("threat_actor_types", Kind::List(&open(&vocab::THREAT_ACTOR_TYPE, Code::ThreatActorTypes))),
        ALIASES,
        FIRST_SEEN,
        LAST_SEEN,
        may("roles", Kind::List(&open(&vocab::THREAT_ACTOR_ROLE, Code::ThreatActorRole))),
        may("goals", TEXTS),
        may("sophistication", open(&vocab::THREAT_ACTOR_SOPHISTICATION, Code::ThreatActorSophistication)),
        may("resource_level", RESOURCE_LEVEL),
        may("primary_motivation", MOTIVATION),
        may("secondary_motivations", MOTIVATIONS),
        may("personal_motivations", MOTIVATIONS),
    ],
    SEEN_ORDERED,
);

pub(super) static TOOL: Shape = sdo(
    "tool",
    "STIX 2.1 §4.18",
    &[
        NAME,
        DESCRIPTION,
        may("tool_types", Kind::List(&open(&vocab::TOOL_TYPE, Code::ToolTypes))),
        ALIASES,
        PHASES,
        may("tool_version", Kind::Text),
    ],
    ORDERED,
);

pub(super) static VULNERABILITY: Shape = sdo("vulnerability", "STIX 2.1 §4.19", &[NAME, DESCRIPTION], ORDERED);
