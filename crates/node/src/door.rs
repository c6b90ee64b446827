//! The door of this node: the policy's gate over the book's classes and marking definitions.

use ledger::{ClassNo, Ledger, Page};
use policy::{Classed, Classes, Gate, Markings, Meaning, Rules, Viewer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the node believes that it does not know a marking: a definition may arrive at any time.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// Markings that are remembered at most.
const MOST: usize = 10_000;

/// What the policy needs to know of the book.
pub struct Door {
    book: Arc<dyn Ledger>,
    rules: Rules,
    meanings: Mutex<HashMap<String, (Meaning, Instant)>>,
}

impl Door {
    /// Over a book, under the node's rules.
    #[must_use]
    pub fn new(book: Arc<dyn Ledger>, rules: Rules) -> Self {
        Self { book, rules, meanings: Mutex::new(HashMap::new()) }
    }

    /// The gate for one viewer and one answer.
    #[must_use]
    pub fn gate(&self, viewer: Viewer) -> Gate<'_> {
        Gate::new(viewer, self.rules, self, self)
    }
}

impl Classes for Door {
    fn definition(&self, class: policy::ClassNo) -> Option<Arc<[u8]>> {
        // A store that cannot answer has no definition: withheld.
        self.book.class_definition(ClassNo(class)).ok().flatten()
    }
}

impl Markings for Door {
    fn meaning(&self, id: &str) -> Meaning {
        let known = || self.meanings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((meaning, since)) = known().get(id)
            && (*meaning != Meaning::Unknown || since.elapsed() < UNKNOWN_FOR)
        {
            return *meaning;
        }
        let meaning = match self.book.first_accepted(id) {
            Ok(Some(body)) => meaning_of(&body),
            _ => Meaning::Unknown,
        };
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.to_owned(), (meaning, Instant::now()));
        meaning
    }
}

/// What a marking definition says (STIX 2.1 §7.2.1). Only the predefined ids are TLP: nobody else may make one. An
/// extension that is not understood makes the whole definition unknown.
fn meaning_of(body: &[u8]) -> Meaning {
    #[derive(serde::Deserialize)]
    struct Definition {
        definition_type: Option<String>,
        definition: Option<serde_json::Map<String, serde_json::Value>>,
        extensions: Option<serde::de::IgnoredAny>,
    }
    match serde_json::from_slice(body) {
        Ok(Definition { definition_type: Some(kind), definition: Some(content), extensions: None })
            if kind == "statement" && content.contains_key("statement") =>
        {
            Meaning::Statement
        }
        _ => Meaning::Unknown,
    }
}

/// What a query of the ledger gave, with the classes that are in it: what the gate looks at again before it lets go.
#[derive(Debug)]
pub struct Selected<T> {
    /// What the ledger says of the page.
    pub page: Page,
    /// The bytes or rows.
    pub content: T,
}

impl<T> Classed for Selected<T> {
    fn classes(&self) -> impl Iterator<Item = policy::ClassNo> {
        self.page.classes.iter().map(|class| class.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_statement_is_one() {
        let table = [
            (r#"{"definition_type":"statement","definition":{"statement":"(c)"}}"#, Meaning::Statement),
            (r#"{"definition_type":"statement","definition":{}}"#, Meaning::Unknown),
            (r#"{"definition_type":"statement"}"#, Meaning::Unknown),
            (r#"{"definition_type":"tlp","definition":{"tlp":"white"}}"#, Meaning::Unknown),
            (
                r#"{"definition_type":"statement","definition":{"statement":"x"},"extensions":{"e":{}}}"#,
                Meaning::Unknown,
            ),
            (r#"{"name":"x","extensions":{"extension-definition--1":{}}}"#, Meaning::Unknown),
            ("nonsense", Meaning::Unknown),
        ];
        for (body, wanted) in table {
            assert_eq!(meaning_of(body.as_bytes()), wanted, "{body}");
        }
    }
}
