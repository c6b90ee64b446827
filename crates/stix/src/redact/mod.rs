//! Taking parts out of an object.

mod mark;
mod removal;
mod select;

pub(crate) use select::BUDGET;

use crate::json::Value;
use crate::schema::{Shape, Version};
use select::Places;

/// Whether a marking, by its entries in `granular_markings`, selects something that cannot go.
pub(crate) fn is_binding(
    object: Value<'_>,
    entries: &[Value<'_>],
    shape: &'static Shape,
    version: Version,
    budget: &mut usize,
) -> bool {
    let mut places = Places::new();
    for entry in entries {
        let selectors = entry.get("selectors");
        let mut any = false;
        for selector in selectors.iter().flat_map(Value::items) {
            any = true;
            let found = selector.as_str().is_some_and(|text| select::select(object, &text, &mut places, budget));
            if !found {
                return true;
            }
        }
        if !any {
            return true;
        }
    }
    removal::complete(object, shape, version, &mut places).is_err()
}
