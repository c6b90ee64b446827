//! Granular markings whose parts have gone elsewhere. STIX 2.1 §7.2.3.

use super::labels::Labels;
use crate::{json::Value, rewrite, selector};

/// A granular marking of an observed-data that is about one of its observables.
pub(super) struct Mark {
    /// The marking definition.
    pub(super) id: String,
    /// The selector within the observable; empty for all of it.
    pub(super) part: String,
}

/// The list anew, if a selector points into what moved: into `labels`, or (with `split`) into `objects`, whose markings
/// go with the observables. `None` if the list can stay, empty if nothing is left of it.
pub(super) fn repoint(granular: &Value<'_>, labels: Option<&Labels<'_>>, split: bool) -> Option<Vec<u8>> {
    let moved = |selector: &str| -> Option<Vec<String>> {
        if split && selector::covers("objects", selector) {
            return Some(Vec::new());
        }
        labels
            .and_then(|labels| labels.repoint(selector))
            .filter(|targets| !matches!(targets.as_slice(), [one] if one == selector))
    };
    let any = granular.items().any(|entry| selectors(&entry).any(|selector| moved(&selector).is_some()));
    if !any {
        return None;
    }
    let mut out = Vec::new();
    for entry in granular.items() {
        let left: Vec<String> =
            selectors(&entry).flat_map(|selector| moved(&selector).unwrap_or_else(|| vec![selector])).collect();
        if left.is_empty() {
            continue;
        }
        out.push(if out.is_empty() { b'[' } else { b',' });
        let mut rewriter = rewrite::Rewriter::new(&entry, &mut out);
        for (key, value) in entry.entries() {
            if key.as_str() == "selectors" {
                rewriter.replace(&key, &value, |out| {
                    rewrite::write_all(out, &left, |out, selector| rewrite::write_string(out, selector));
                });
            } else {
                rewriter.keep(&key, &value);
            }
        }
        rewriter.finish();
    }
    if !out.is_empty() {
        out.push(b']');
    }
    Some(out)
}

/// The markings of an observed-data that are about the observable under `key` of its container, or about all of them.
pub(super) fn of_observable(granular: Option<&Value<'_>>, key: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for entry in granular.iter().flat_map(|granular| granular.items()) {
        let Some(id) = entry.get("marking_ref").and_then(|found| found.as_str()) else { continue };
        for selector in selectors(&entry) {
            let Some(rest) = selector.strip_prefix("objects") else { continue };
            let part = match rest.strip_prefix('.').map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
                None if rest.is_empty() => "",
                Some((found, part)) if found == key => part,
                _ => continue,
            };
            marks.push(Mark { id: id.clone().into_owned(), part: part.to_owned() });
        }
    }
    marks
}

fn selectors<'t>(entry: &Value<'t>) -> impl Iterator<Item = String> + use<'t> {
    entry.get("selectors").into_iter().flat_map(|list| list.items()).filter_map(|item| item.as_str().map(String::from))
}
