//! STIX 2.0, as far as judging objects of that edition needs it: fewer types, labels in place of the `*_types`, and
//! cyber-observables only inside `observed-data.objects`.

mod extension;
mod object;
mod observable;
mod terms;

use super::{Category, Index, Property, Shape};

pub(super) use extension::predefined;

/// The shape of a type of STIX 2.0 that stands on its own.
pub(super) fn find(name: &str) -> Option<&'static Shape> {
    object::SHAPES.iter().copied().find(|shape| shape.name == name)
}

/// The shape of a cyber-observable in a container.
pub(super) fn contained(name: &str) -> Option<&'static Shape> {
    let shape = observable::SHAPES.get(INDEX.candidate(name.as_bytes()))?;
    (shape.name == name).then_some(*shape)
}

/// The shape of objects of other types.
pub(super) fn custom() -> &'static Shape {
    &CUSTOM
}

/// The shape of cyber-observables of other types.
pub(super) fn contained_custom() -> &'static Shape {
    &CONTAINED
}

static CUSTOM: Shape = Shape::new(
    "custom object",
    "STIX 2.0 part 1 §7.2",
    Category::Custom,
    object::COMMON,
    &[],
    &[super::common::MODIFIED_LAST],
);
static CONTAINED: Shape =
    Shape::new("custom object", "STIX 2.0 part 3 §4.2", Category::CustomSco, observable::COMMON, &[], &[]);

static INDEX: Index<128> = Index::of_shapes(&observable::SHAPES);

const fn shape(
    name: &'static str,
    clause: &'static str,
    category: Category,
    common: &'static [Property],
    own: &'static [Property],
    rules: &'static [super::Rule],
) -> Shape {
    Shape::new(name, clause, category, common, own, rules)
}
