use super::find::SHAPES;
use super::{Version, find};

#[test]
fn every_type_and_every_property_is_found_by_its_name() {
    for shape in SHAPES {
        assert!(std::ptr::eq(find(Version::V21, shape.name).expect(shape.name), shape), "{}", shape.name);
        for (number, property) in shape.properties().enumerate() {
            let found = shape.property(property.name).expect(property.name);
            assert_eq!((found.number, found.property.name), (number, property.name), "{}", shape.name);
        }
        assert!(shape.property("x_unknown").is_none() && shape.property("").is_none(), "{}", shape.name);
        assert!(shape.properties().count() < 64, "{}: a set of properties is 64 bits", shape.name);
    }
    assert!(find(Version::V21, "x-unknown").is_none());
}

#[test]
fn rules_name_properties_that_exist() {
    use super::Rule::{AnyBesides, AnyOf, AnyOwn, Forbids, ForbidsUnless, Needs, NeedsIf, OneOf, Order};
    for shape in SHAPES {
        for rule in shape.rules {
            let names: Vec<&str> = match rule {
                AnyOwn => Vec::new(),
                AnyBesides(name) => vec![*name],
                AnyOf(names) => names.to_vec(),
                Order(one, two, _) | OneOf(one, two) | Needs(one, two) | Forbids(one, two) => vec![*one, *two],
                ForbidsUnless(one, two) | NeedsIf(one, two) => vec![*one, *two],
            };
            for name in names.iter().chain(shape.identifying) {
                assert_ne!(shape.bit(name), 0, "{} has no {name}", shape.name);
            }
        }
    }
}
