//! The list `granular_markings` as a map from what is said to the parts it is said of. STIX 2.1 §7.2.3.

use std::collections::{BTreeSet, HashMap};

use crate::{json::Value, rewrite};

/// What a granular marking says of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    /// They carry this marking definition.
    Marking(String),
    /// They are written in this language.
    Lang(String),
}

impl Said {
    /// A marking definition's id or else a language, as callers name both by one string.
    pub(super) fn from_name(name: &str) -> Self {
        if name.starts_with("marking-definition--") {
            Self::Marking(name.to_owned())
        } else {
            Self::Lang(name.to_owned())
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Marking(name) | Self::Lang(name) => name,
        }
    }
}

/// The granular markings of an object: each thing said once, in the order of first mention, with its parts sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Granular {
    list: Vec<(Said, BTreeSet<String>)>,
    /// Where in the list a thing is said; partners may say many.
    index: HashMap<Said, usize>,
}

impl Granular {
    /// Reads the list; entries that say nothing or are no objects are left out.
    pub(super) fn of(object: &Value<'_>) -> Self {
        let mut all = Self::default();
        for entry in object.get("granular_markings").iter().flat_map(Value::items) {
            let text = |name: &str| entry.get(name).and_then(|found| found.as_str()).map(String::from);
            let said = match (text("marking_ref"), text("lang")) {
                (Some(id), _) => Said::Marking(id),
                (None, Some(lang)) => Said::Lang(lang),
                (None, None) => continue,
            };
            for selector in entry.get("selectors").iter().flat_map(Value::items).filter_map(|found| found.as_str()) {
                all.insert(said.clone(), &selector);
            }
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every pair of what is said and a part.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Said, &str)> {
        self.list.iter().flat_map(|(said, selectors)| selectors.iter().map(move |selector| (said, selector.as_str())))
    }

    pub(super) fn insert(&mut self, said: Said, selector: &str) {
        let next = self.list.len();
        let at = *self.index.entry(said.clone()).or_insert(next);
        if at == next {
            self.list.push((said, BTreeSet::new()));
        }
        if let Some((_, selectors)) = self.list.get_mut(at) {
            selectors.insert(selector.to_owned());
        }
    }

    /// Takes out the pairs that the predicate names; tells how many there were.
    pub(super) fn take(&mut self, mut named: impl FnMut(&Said, &str) -> bool) -> usize {
        let before = self.pairs().count();
        for (said, selectors) in &mut self.list {
            selectors.retain(|selector| !named(said, selector));
        }
        self.list.retain(|(_, selectors)| !selectors.is_empty());
        self.index = self.list.iter().enumerate().map(|(at, (said, _))| (said.clone(), at)).collect();
        before - self.pairs().count()
    }

    /// The list as JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut out = vec![b'['];
        for (at, (said, selectors)) in self.list.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"{" } else { b",{" });
            out.extend_from_slice(match said {
                Said::Marking(_) => b"\"marking_ref\":",
                Said::Lang(_) => b"\"lang\":".as_slice(),
            });
            rewrite::write_string(&mut out, said.name());
            out.extend_from_slice(b",\"selectors\":");
            rewrite::write_all(&mut out, selectors, |out, selector| rewrite::write_string(out, selector));
            out.push(b'}');
        }
        out.push(b']');
        out
    }
}
