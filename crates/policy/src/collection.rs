//! Rights on collections.

use crate::Viewer;

/// Who may read or write a collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Who {
    /// Without signing in.
    Anyone,
    /// Every member.
    Members,
    /// The named accounts and organisations; an empty list is nobody.
    Named(Vec<String>),
}

/// Whether the viewer is one of them.
#[must_use]
pub fn may(viewer: &Viewer, who: &Who) -> bool {
    match who {
        Who::Anyone => true,
        Who::Members => viewer.name.is_some(),
        Who::Named(names) => viewer.is_named(names),
    }
}
