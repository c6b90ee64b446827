//! Meta objects and the bundle. STIX 2.1 §7, §8.

use super::common::{BUNDLE as BUNDLE_COMMON, EXTENSION, LANGUAGE, MARKING, MODIFIED_LAST, TEXTS};
use super::property::{may, must};
use super::{Category, Kind, Role, Shape, Target};
use crate::vocab;

pub(super) static LANGUAGE_CONTENT: Shape = Shape::new(
    "language-content",
    "STIX 2.1 §7.1",
    Category::Language,
    LANGUAGE,
    &[
        must("object_ref", Kind::Ref(Target::Translatable)).role(Role::Main),
        may("object_modified", Kind::Time).role(Role::Second),
        must("contents", Kind::Contents).role(Role::Third),
    ],
    &[MODIFIED_LAST],
);

pub(super) static MARKING_DEFINITION: Shape = Shape::new(
    "marking-definition",
    "STIX 2.1 §7.2.1",
    Category::Marking,
    MARKING,
    &[
        may("name", Kind::Text).role(Role::Third),
        may("definition_type", Kind::Text).role(Role::Second),
        may("definition", Kind::Definition).role(Role::Main),
    ],
    &[],
);

pub(super) static EXTENSION_DEFINITION: Shape = Shape::new(
    "extension-definition",
    "STIX 2.1 §7.3",
    Category::Extension,
    EXTENSION,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        must("schema", Kind::Text),
        must("version", Kind::Text),
        must("extension_types", Kind::List(&Kind::Closed(&vocab::EXTENSION_TYPE))).role(Role::Main),
        may("extension_properties", TEXTS).role(Role::Second),
    ],
    &[MODIFIED_LAST],
);

pub(super) static BUNDLE: Shape = Shape::new(
    "bundle",
    "STIX 2.1 §8",
    Category::Bundle,
    BUNDLE_COMMON,
    &[may("objects", Kind::Objects).role(Role::Main)],
    &[],
);
