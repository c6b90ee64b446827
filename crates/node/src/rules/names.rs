//! What the authors of indicators are called, as far as the viewer may know.

use super::found::each_object;
use super::{Seen, Witness};
use crate::export::Error;
use ledger::{Collection, Ledger, Register};
use policy::Viewer;
use std::collections::{HashMap, HashSet};
use stix::json::Value;

/// Names that are remembered at most.
const MOST: usize = 100_000;
/// Identities that one query asks for.
const ASKED: usize = 100;

/// Names by the id of the identity.
pub(super) struct Names {
    known: HashMap<String, String>,
    /// Every collection that the viewer may read: the author of an indicator may lie beside it or elsewhere.
    collections: Vec<Collection>,
}

impl Names {
    pub(super) fn new<B: Register>(book: &B, viewer: &Viewer) -> Result<Self, Error> {
        let all = book.collections()?.into_iter();
        let collections =
            all.filter(|collection| policy::may(viewer, &crate::accounts::who(&collection.read))).collect();
        Ok(Self { known: HashMap::new(), collections })
    }

    /// Learns the names of all authors in a page.
    pub(super) fn learn<B: Ledger>(
        &mut self,
        seen: &Seen<'_, B>,
        content: &[u8],
        witness: &mut Witness<'_>,
    ) -> Result<(), Error> {
        let mut asked = HashSet::new();
        each_object(content, &mut |_, value| {
            let author = value.get("created_by_ref").and_then(|found| found.as_str());
            if let Some(author) = author.filter(|author| !self.known.contains_key(author.as_ref())) {
                asked.insert(author.into_owned());
            }
            Ok(())
        })?;
        if self.known.len() + asked.len() > MOST {
            self.known.clear();
        }
        let mut asked: Vec<String> = asked.into_iter().collect();
        asked.sort();
        for some in asked.chunks(ASKED) {
            let keys: Vec<&str> = some.iter().map(String::as_str).collect();
            let mut newest: HashMap<String, (String, String)> = HashMap::new();
            for collection in &self.collections {
                seen.pages(collection, "identity", Some(&keys), &mut *witness, &mut |content, _| {
                    each_object(content, &mut |_, value| {
                        let text = |value: Value<'_>, name: &str| Some(value.get(name)?.as_str()?.into_owned());
                        if let (Some(id), Some(name)) = (text(value, "id"), text(value, "name")) {
                            let modified = text(value, "modified").unwrap_or_default();
                            let known = newest.entry(id).or_default();
                            if known.0 <= modified {
                                *known = (modified, name);
                            }
                        }
                        Ok(())
                    })
                })?;
            }
            // Of an identity that the viewer may not see, the id that the indicator names is all that is told.
            self.known.extend(some.iter().map(|id| {
                let name = newest.remove(id).map_or_else(|| id.clone(), |(_, name)| name);
                (id.clone(), name)
            }));
        }
        Ok(())
    }

    /// What an author is called.
    pub(super) fn of(&self, author: Option<&str>) -> &str {
        author.and_then(|author| self.known.get(author)).map_or("", String::as_str)
    }
}
