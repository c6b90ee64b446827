//! STIX 2.0.

use super::{Shape, common};

/// The shape of a type of STIX 2.0.
pub(super) fn find(_name: &str) -> Option<&'static Shape> {
    None
}

pub(super) fn contained(_name: &str) -> Option<&'static Shape> {
    None
}

pub(super) fn custom() -> &'static Shape {
    &common::CUSTOM
}

pub(super) fn contained_custom() -> &'static Shape {
    &common::CUSTOM_SCO
}
