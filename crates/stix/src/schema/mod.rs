//! The standard's tables: every type, its properties and the rules between them. STIX 2.1 §4–§8.
//!
//! A [`Shape`] is a constant: what may stand in an object, what must, and an index that finds a property by name with one
//! comparison. The checks that the tables ask for are in [`crate::validate`].

mod common;
mod extension;
mod find;
mod index;
mod meta;
mod property;
mod sco;
mod sco_shapes;
mod sdo;
mod sro;
mod v20;

pub use extension::predefined;
pub use find::{Version, find};
pub use index::Index;
pub use property::{Dictionary, Format, Kind, Property, Role, Target};

use property::Found;

/// The shape of an external reference, STIX 2.1 §2.5.
#[must_use]
pub fn external_reference() -> &'static Shape {
    &common::EXTERNAL_REFERENCE
}

/// The shape of a granular marking, STIX 2.1 §7.2.3.
#[must_use]
pub fn granular_marking() -> &'static Shape {
    &common::GRANULAR_MARKING
}

/// The shape of objects whose type the standard does not define; `observable` for custom cyber-observables.
#[must_use]
pub fn custom(version: Version, observable: bool) -> &'static Shape {
    match version {
        Version::V20 => v20::custom(),
        Version::V21 if observable => &common::CUSTOM_SCO,
        Version::V21 => &common::CUSTOM,
    }
}

/// The predefined extension called `key` of cyber-observables of type `of` in STIX 2.0.
#[must_use]
pub fn predefined20(of: &str, key: &str) -> Option<&'static Shape> {
    v20::predefined(of, key)
}

/// The shape of a cyber-observable in a container of STIX 2.0.
#[must_use]
pub fn contained20(name: &str) -> Option<&'static Shape> {
    v20::contained(name)
}

/// The shape of a custom cyber-observable in a container of STIX 2.0.
#[must_use]
pub fn contained20_custom() -> &'static Shape {
    v20::contained_custom()
}

/// The shape of an object of this type in a deprecated container.
pub(crate) fn shape_of_contained(version: Version, name: &str) -> &'static Shape {
    let found = match version {
        Version::V21 => find(version, name).filter(|shape| shape.category == Category::Sco),
        Version::V20 => contained20(name),
    };
    found.unwrap_or_else(|| match version {
        Version::V21 => custom(version, true),
        Version::V20 => contained20_custom(),
    })
}

/// What an object is, in the standard's words. STIX 2.1 §1.2, §7, §8.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Category {
    /// A domain object: campaign, indicator, … (§4).
    Sdo,
    /// A relationship or a sighting (§5).
    Sro,
    /// A cyber-observable: file, url, … (§6).
    Sco,
    /// A language-content (§7.1).
    Language,
    /// A marking-definition (§7.2).
    Marking,
    /// An extension-definition (§7.3).
    Extension,
    /// A bundle, which is no STIX object (§8).
    Bundle,
    /// A type that the standard does not define, with `created` or `modified`.
    Custom,
    /// A type that the standard does not define, without `created` and `modified`: a custom cyber-observable.
    CustomSco,
    /// Something inside another object that may hold more than the standard says.
    Embedded,
    /// Something inside a cyber-observable, where custom content should be declared.
    Part,
}

impl Category {
    /// Whether it is a cyber-observable, standard or custom.
    #[must_use]
    pub fn is_sco(self) -> bool {
        matches!(self, Self::Sco | Self::CustomSco)
    }
}

/// A rule between the properties of one object.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// The first time must not be before the second; with `true` it must be later.
    Order(&'static str, &'static str, bool),
    /// At least one of these must be there.
    AnyOf(&'static [&'static str]),
    /// Any property of its own must be there.
    AnyOwn,
    /// Any property besides this one must be there.
    AnyBesides(&'static str),
    /// Exactly one of these two must be there.
    OneOf(&'static str, &'static str),
    /// Where the first is, the second must be too.
    Needs(&'static str, &'static str),
    /// Where the first is `true`, the second must not be.
    Forbids(&'static str, &'static str),
    /// Where the first is not `true`, the second must not be.
    ForbidsUnless(&'static str, &'static str),
    /// Where the first is `true`, the second must be there.
    NeedsIf(&'static str, &'static str),
}

/// What may stand in one kind of object.
#[derive(Debug)]
pub struct Shape {
    /// The `type`, or the standard's name of an embedded type.
    pub name: &'static str,
    /// Where the standard defines it.
    pub clause: &'static str,
    /// What it is.
    pub category: Category,
    /// Properties that it shares with others of its class.
    pub common: &'static [Property],
    /// Its own properties.
    pub own: &'static [Property],
    /// What must hold between them.
    pub rules: &'static [Rule],
    /// Properties by which the id of a cyber-observable is made.
    pub identifying: &'static [&'static str],
    index: Index<128>,
    required: u64,
}

impl Shape {
    const fn new(
        name: &'static str,
        clause: &'static str,
        category: Category,
        common: &'static [Property],
        own: &'static [Property],
        rules: &'static [Rule],
    ) -> Self {
        let index = Index::of_properties(common, own);
        let required = required(common, 0) | required(own, common.len());
        Self { name, clause, category, common, own, rules, identifying: &[], index, required }
    }

    const fn identified_by(mut self, names: &'static [&'static str]) -> Self {
        self.identifying = names;
        self
    }

    /// The property called `name` and its number, by which a set of properties counts it.
    #[inline]
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Found> {
        let number = self.index.candidate(name.as_bytes());
        let found = match self.common.get(number) {
            Some(found) => found,
            None => self.own.get(number.checked_sub(self.common.len())?)?,
        };
        index::same(found.name.as_bytes(), name.as_bytes()).then_some(Found { property: found, number })
    }

    /// The bit of the property called `name`; 0 if there is none.
    #[must_use]
    pub fn bit(&self, name: &str) -> u64 {
        self.property(name).map_or(0, |found| 1 << found.number)
    }

    /// The bits of the properties that must be there.
    #[must_use]
    pub fn required(&self) -> u64 {
        self.required
    }

    /// The bits of its own properties.
    #[must_use]
    pub fn own_bits(&self) -> u64 {
        let all = (1_u64 << (self.common.len() + self.own.len())) - 1;
        all & !((1_u64 << self.common.len()) - 1)
    }

    /// All properties in the order of their bits.
    pub fn properties(&self) -> impl Iterator<Item = &'static Property> {
        self.common.iter().chain(self.own)
    }
}

const fn required(mut properties: &[Property], first: usize) -> u64 {
    let mut bits = 0;
    let mut number = first;
    while let [property, rest @ ..] = properties {
        if property.required {
            bits |= 1 << number;
        }
        number += 1;
        properties = rest;
    }
    bits
}

#[cfg(test)]
mod tests;
