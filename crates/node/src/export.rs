//! What a viewer may have, as one STIX bundle: through the door, page by page, bodies as they came.

use crate::accounts::{relation, who};
use crate::door::{Door, Selected};
use crate::eyes::Eyes;
use ledger::{Collection, CollectionNo, Filter, Ledger, Page, Register, Seq, Versions};
use policy::{Released, Viewer};
use std::io::{self, Write};

/// A page has at most so many objects …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;

/// Why an export could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The place where it goes refused.
    #[error("cannot write")]
    Write(#[from] io::Error),
    /// A defect: nothing of the page was written.
    #[error(transparent)]
    Leak(#[from] policy::Leak),
}

/// What is exported, and for whom.
pub struct Export<'a> {
    /// The collections, in this order. One that the viewer may not read gives nothing.
    pub collections: &'a [Collection],
    /// Which versions of each object.
    pub versions: Versions,
    /// For whom.
    pub viewer: Viewer,
    /// When, in microseconds since 1970: groups and embargoes have their times.
    pub at: ledger::Micros,
    /// The bundle's id: `bundle--` and a random UUID.
    pub bundle_id: &'a str,
    /// Told of each page before it is written: out of which collection, and what.
    pub witness: &'a mut dyn FnMut(&Collection, &Page) -> ledger::Result<()>,
}

/// Writes the bundle and returns how many objects it has. `progress` is told the count after each page.
///
/// # Errors
/// [`Error`]; what was written until then is not a whole bundle.
pub fn write<B: Ledger + Register>(
    book: &B,
    door: &Door,
    export: Export<'_>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, Error> {
    let gate = door.gate(export.viewer.clone(), export.at);
    let readable = readable(book, gate.viewer())?;
    let reads = |no| readable.contains(&no);
    let eyes = Eyes::new(&gate, door.references(), &reads);
    let mut count = 0;
    write!(out, "{{\"type\":\"bundle\",\"id\":\"{}\"", export.bundle_id)?;
    for collection in export.collections.iter().filter(|collection| policy::may(gate.viewer(), &who(&collection.read)))
    {
        let mut after: Option<Seq> = None;
        loop {
            let filter = Filter {
                collection: collection.no,
                after,
                keys: None,
                kinds: None,
                versions: export.versions.clone(),
                dialects: None,
                limit: PAGE,
                max_bytes: PAGE_BYTES,
            };
            let mut content = Vec::new();
            let page = book.objects(&filter, &eyes, &mut content)?;
            let (count_of_page, last, more) = (page.count as u64, page.last, page.more);
            if count_of_page > 0 {
                (export.witness)(collection, &page)?;
                // A STIX bundle has no empty list (STIX 2.1 §8): it begins with its first object.
                out.write_all(if count == 0 { b",\"objects\":[" } else { b"," })?;
                write_page(out, gate.admit(Selected { page, content })?)?;
                count += count_of_page;
                progress(count);
            }
            match last {
                Some(last) if more => after = Some(last),
                _ => break,
            }
        }
    }
    out.write_all(if count == 0 { b"}\n" } else { b"]}\n" })?;
    out.flush()?;
    Ok(count)
}

/// Only what was released is written.
fn write_page(out: &mut dyn Write, page: Released<Selected<Vec<u8>>>) -> io::Result<()> {
    out.write_all(&page.into_inner().content)
}

/// The collections that a viewer may read.
///
/// # Errors
/// Those of the register.
pub fn readable(register: &dyn Register, viewer: &Viewer) -> ledger::Result<Vec<CollectionNo>> {
    let all = register.collections()?.into_iter();
    Ok(all.filter(|collection| policy::may(viewer, &who(&collection.read))).map(|collection| collection.no).collect())
}

/// Who a name is: an account, which also acts for its organisation, or an organisation: then a member of it, nobody in
/// particular. An account wins over an organisation of the same name.
///
/// # Errors
/// Those of the register. `Ok(None)`: the name is neither.
pub fn viewer(book: &dyn Register, name: &str) -> ledger::Result<Option<Viewer>> {
    if let Some(account) = book.account(name)? {
        return Ok(Some(crate::accounts::viewer(&account)));
    }
    let lower = name.to_lowercase();
    let found = book.organisations()?.into_iter().find(|organisation| organisation.name.to_lowercase() == lower);
    Ok(found.map(|organisation| Viewer {
        name: Some(organisation.name.clone()),
        relation: relation(organisation.relation),
        organisation: Some(organisation.name),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let book = ledger::sqlite::Book::create(&directory.path().join("marsad.db")).unwrap();
        let north = ledger::Organisation { name: "CERT North".into(), relation: ledger::Relation::Community };
        book.add_organisation(&north).unwrap();
        let role = ledger::Role::Reader;
        let account = ledger::Account { name: "Noor".into(), organisation: north, role, password: None, created: 0 };
        book.add_account(&account).unwrap();
        for (name, expected) in [
            ("noor", Some(("Noor", "CERT North"))),
            ("cert north", Some(("CERT North", "CERT North"))),
            ("nobody", None),
        ] {
            let found = viewer(&book, name).unwrap();
            let found =
                found.as_ref().map(|viewer| (viewer.name.as_deref().unwrap(), viewer.organisation.as_deref().unwrap()));
            assert_eq!(found, expected, "{name}");
        }
    }
}
