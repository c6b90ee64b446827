//! What a partner may have, page by page, through the door.

use super::Error;
use crate::accounts::who;
use crate::door::{Door, Selected};
use crate::eyes::Eyes;
use crate::partners::provenance::Noting;
use ledger::{ClassNo, Collection, Filter, Ledger, Partners, Run, Seq, Versions};
use policy::{Released, Viewer};

/// A page has at most so many objects …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;

/// A page of what was released.
pub(super) struct Given<'p> {
    /// The bodies with the class of each.
    pub(super) bodies: &'p [(&'p [u8], ClassNo)],
    /// The place of each in the order.
    pub(super) seqs: &'p [Seq],
}

/// What is done with a page; says whether to go on.
pub(super) type Each<'e> = dyn FnMut(&Given<'_>) -> Result<bool, Error> + 'e;

/// Goes through what the viewer may have of a collection after a place.
///
/// The rights are asked anew for every page.
pub(super) fn pages<B: Ledger + Partners>(
    book: &B,
    door: &Door,
    viewer: &Viewer,
    collection: &Collection,
    after: Option<Seq>,
    each: &mut Each<'_>,
) -> Result<(), Error> {
    if !policy::may(viewer, &who(&collection.read)) {
        let viewer = viewer.organisation.clone().unwrap_or_default();
        return Err(Error::Viewer { viewer, alias: collection.alias.clone() });
    }
    let mut after = after;
    loop {
        let gate = door.gate(viewer.clone(), crate::clock::now());
        let readable = crate::export::readable(book, gate.viewer())?;
        let reads = |no| readable.contains(&no);
        let eyes = Eyes::new(&gate, door.references(), &reads);
        let noting = Noting::new(&eyes);
        let filter = Filter {
            collection: collection.no,
            after,
            keys: None,
            kinds: None,
            versions: Versions::All,
            dialects: None,
            limit: PAGE,
            max_bytes: PAGE_BYTES,
        };
        let mut content = Vec::new();
        let page = book.objects(&filter, &noting, &mut content)?;
        let (count, last, more) = (page.count, page.last, page.more);
        let seqs: Vec<Seq> = places(&page.given).collect();
        let content = released(gate.admit(Selected { page, content })?);
        if count > 0 {
            let bodies = noting.apart(&content, count).ok_or(Error::Page)?;
            if seqs.len() != bodies.len() {
                return Err(Error::Page);
            }
            if !each(&Given { bodies: &bodies, seqs: &seqs })? {
                return Ok(());
            }
        }
        match last {
            Some(last) if more => after = Some(last),
            _ => return Ok(()),
        }
    }
}

/// Only what was released goes on.
fn released(page: Released<Selected<Vec<u8>>>) -> Vec<u8> {
    page.into_inner().content
}

fn places(runs: &[Run]) -> impl Iterator<Item = Seq> + '_ {
    runs.iter().flat_map(|run| (0..i64::from(run.count)).map(|at| Seq(run.first.0 + at)))
}

/// Places in runs, in order.
pub(super) fn runs(seqs: impl Iterator<Item = Seq>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some(run) if run.first.0 + i64::from(run.count) == seq.0 => run.count += 1,
            _ => runs.push(Run { first: seq, count: 1 }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_places_are_the_same() {
        for seqs in [vec![], vec![5], vec![5, 6, 7], vec![1, 3, 4, 9, 10, 11, 20]] {
            let runs = runs(seqs.iter().map(|seq| Seq(*seq)));
            assert_eq!(places(&runs).map(|seq| seq.0).collect::<Vec<_>>(), seqs);
            assert!(runs.windows(2).all(|pair| pair[0].first.0 + i64::from(pair[0].count) < pair[1].first.0));
        }
    }
}
