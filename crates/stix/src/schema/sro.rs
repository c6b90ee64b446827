//! Relationships and sightings. STIX 2.1 §5.

use super::common::{MODIFIED_LAST, OBJECT, SEEN};
use super::property::{may, must};
use super::{Category, Format, Kind, Role, Rule, Shape, Target};

pub(super) static RELATIONSHIP: Shape = Shape::new(
    "relationship",
    "STIX 2.1 §5.1",
    Category::Sro,
    OBJECT,
    &[
        must("relationship_type", Kind::Form(Format::RelationshipType)).role(Role::Main),
        may("description", Kind::Text),
        must("source_ref", Kind::Ref(Target::End)).role(Role::Second),
        must("target_ref", Kind::Ref(Target::End)).role(Role::Third),
        may("start_time", Kind::Time),
        may("stop_time", Kind::Time),
    ],
    &[MODIFIED_LAST, Rule::Order("start_time", "stop_time", true)],
);

pub(super) static SIGHTING: Shape = Shape::new(
    "sighting",
    "STIX 2.1 §5.2",
    Category::Sro,
    OBJECT,
    &[
        may("description", Kind::Text),
        may("first_seen", Kind::Time),
        may("last_seen", Kind::Time),
        may("count", Kind::Integer(0, 999_999_999)),
        must("sighting_of_ref", Kind::Ref(Target::Sighted)),
        may("observed_data_refs", Kind::Refs(Target::Types(&["observed-data"]))),
        may("where_sighted_refs", Kind::Refs(Target::Types(&["identity", "location"]))),
        may("summary", Kind::Boolean),
    ],
    &[MODIFIED_LAST, SEEN],
);
