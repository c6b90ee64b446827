//! Finding what a selector is about, whatever the keys look like. STIX 2.1 §7.2.3.1.

use std::collections::BTreeSet;

use crate::json::{Kind, Value};

/// The values that are to go, by where they start in the text: no two values of a text start at one place.
pub(crate) type Places = BTreeSet<usize>;

/// Members and elements that may be looked at for the selectors of one object.
pub(crate) const BUDGET: usize = 1_000_000;

/// Adds the values that a selector names to `places`; false if it names nothing, or if the budget is used up.
///
/// Keys may have any character, dots too: where a selector can be read in several ways, it means all of them. What is
/// inside a value that goes already counts as found without a look at it, so that nothing follows from hidden content.
pub(crate) fn select(root: Value<'_>, selector: &str, places: &mut Places, budget: &mut usize) -> bool {
    let mut found = Vec::new();
    let covered = walk(root, selector, places, budget, &mut found);
    let any = covered || !found.is_empty();
    places.extend(found);
    any && *budget > 0
}

/// Whether something on the way goes already.
fn walk(value: Value<'_>, selector: &str, places: &Places, budget: &mut usize, found: &mut Vec<usize>) -> bool {
    *budget = budget.saturating_sub(value.len().max(1));
    if *budget == 0 {
        return false;
    }
    let mut covered = false;
    let mut step = |rest: Option<&str>, child: Value<'_>| {
        let start = child.span().start;
        match rest {
            Some(_) if places.contains(&start) => covered = true,
            Some("") => found.push(start),
            Some(rest) => {
                covered |= rest.strip_prefix('.').is_some_and(|rest| walk(child, rest, places, budget, found))
            }
            None => {}
        }
    };
    match value.kind() {
        Kind::Object => {
            for (key, child) in value.entries() {
                step(after(selector, &key.as_str()), child);
            }
        }
        Kind::Array => {
            if let Some((index, rest)) = index(selector)
                && let Some(child) = value.items().nth(index)
            {
                step(Some(rest), child);
            }
        }
        _ => {}
    }
    covered
}

/// What follows a key with which the selector begins.
pub(super) fn after<'s>(selector: &'s str, key: &str) -> Option<&'s str> {
    selector.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The index `[n]` with which the selector begins, and what follows.
pub(super) fn index(selector: &str) -> Option<(usize, &str)> {
    let (digits, rest) = selector.strip_prefix('[')?.split_once(']')?;
    let good = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let whole = rest.is_empty() || rest.starts_with('.');
    (good && whole).then(|| Some((digits.parse().ok()?, rest)))?
}
