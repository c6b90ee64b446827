//! Whether two texts say the same, without writing either canonically.

use crate::json::{Key, Kind, Limits, Tape, Value};

use super::order;

/// Whether two JSON texts have the same canonical form; the same bytes always do.
///
/// A text that is not acceptable JSON (within [`Limits::default`]) is only equivalent to itself.
#[must_use]
pub fn equivalent(one: &[u8], two: &[u8]) -> bool {
    if one == two {
        return true;
    }
    let (mut left, mut right) = (Tape::new(), Tape::new());
    let limits = Limits::default();
    match (left.parse(one, &limits), right.parse(two, &limits)) {
        (Ok(one), Ok(two)) => same(one, two),
        _ => false,
    }
}

fn same(one: Value<'_>, two: Value<'_>) -> bool {
    match (one.kind(), two.kind()) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool, Kind::Bool) => one.as_bool() == two.as_bool(),
        (Kind::Integer | Kind::Float, Kind::Integer | Kind::Float) => {
            one.text() == two.text() || one.as_f64() == two.as_f64()
        }
        (Kind::String, Kind::String) => one.text() == two.text() || one.as_str() == two.as_str(),
        (Kind::Array, Kind::Array) => {
            one.len() == two.len() && one.items().zip(two.items()).all(|(one, two)| same(one, two))
        }
        (Kind::Object, Kind::Object) => one.len() == two.len() && same_members(one, two),
        _ => false,
    }
}

/// Compares the members of two objects of the same size, in the authors' order for as long as that is the same.
fn same_members(one: Value<'_>, two: Value<'_>) -> bool {
    let mut left = one.entries();
    let mut right = two.entries();
    loop {
        let (Some((name, value)), Some((other, rival))) = (left.next(), right.next()) else { return true };
        if name.text() != other.text() && name.as_str() != other.as_str() {
            return same_sorted(
                std::iter::once((name, value)).chain(left).collect(),
                std::iter::once((other, rival)).chain(right).collect(),
            );
        }
        if !same(value, rival) {
            return false;
        }
    }
}

fn same_sorted<'t>(mut left: Vec<(Key<'t>, Value<'t>)>, mut right: Vec<(Key<'_>, Value<'_>)>) -> bool {
    left.sort_by(|one, two| order(&one.0.as_str(), &two.0.as_str()));
    right.sort_by(|one, two| order(&one.0.as_str(), &two.0.as_str()));
    // Names first: they are short, and differ sooner than values.
    left.iter().zip(&right).all(|(one, two)| one.0.as_str() == two.0.as_str())
        && left.iter().zip(&right).all(|(one, two)| same(one.1, two.1))
}
