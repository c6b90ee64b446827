//! Granular markings whose parts have gone elsewhere. STIX 2.1 §7.2.3.

use std::collections::{BTreeSet, HashMap};

use super::labels::Labels;
use crate::{json::Value, rewrite, selector};

/// The granular markings of an observed-data that are about its observables.
#[derive(Default)]
pub(super) struct Marks {
    /// Of all of them: ids of marking definitions.
    all: BTreeSet<String>,
    /// Of the observable under a key of the container: marking definitions and selectors within it, empty for all of it.
    by_key: HashMap<String, Vec<(String, String)>>,
}

impl Marks {
    pub(super) fn of(granular: Option<&Value<'_>>) -> Self {
        let mut marks = Self::default();
        for entry in granular.iter().flat_map(|granular| granular.items()) {
            let Some(id) = entry.get("marking_ref").and_then(|found| found.as_str()) else { continue };
            for selector in selectors(&entry) {
                if selector == "objects" {
                    marks.all.insert(id.clone().into_owned());
                } else if let Some(rest) = selector.strip_prefix("objects.") {
                    let (key, part) = rest.split_once('.').unwrap_or((rest, ""));
                    marks.by_key.entry(key.to_owned()).or_default().push((id.clone().into_owned(), part.to_owned()));
                }
            }
        }
        marks
    }

    /// The marking definitions that are about all observables.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.all.iter()
    }

    /// The marking definitions and selectors that are about one observable.
    pub(super) fn under(&self, key: &str) -> &[(String, String)] {
        self.by_key.get(key).map(Vec::as_slice).unwrap_or_default()
    }
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

fn selectors<'t>(entry: &Value<'t>) -> impl Iterator<Item = String> + use<'t> {
    entry.get("selectors").into_iter().flat_map(|list| list.items()).filter_map(|item| item.as_str().map(String::from))
}
