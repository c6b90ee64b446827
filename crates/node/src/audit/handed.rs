//! Who was given a record.

use super::event::GivenBody;
use ledger::journal::{Journal, Line};
use ledger::{CollectionNo, Micros, Seq};
use std::collections::BTreeMap;

/// One hand-over of one of the records that were asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Handed {
    /// The number of its entry in the audit log.
    pub number: u64,
    /// When.
    pub when: Micros,
    /// To whom; `None`: to somebody who had not signed in, or whose name was erased.
    pub viewer: Option<String>,
    /// For which organisation they acted.
    pub organisation: Option<String>,
    /// Over which way: `taxii`, `api`, `cli`, `export`, `link`, `package`.
    pub way: String,
    /// What was given: `objects`, `manifest`, `versions`, `bundle`, `package`.
    pub what: String,
    /// In answer to which request.
    pub request: String,
}

/// Every hand-over of any of these records, oldest first. What retention has erased is not known any more.
///
/// # Errors
/// [`ledger::Error::Storage`].
pub fn handed_over(journal: &dyn Journal, seqs: &[(CollectionNo, Seq)]) -> ledger::Result<Vec<Handed>> {
    last_handed_over(journal, seqs, usize::MAX)
}

/// The same, at most so many: the newest, oldest first.
///
/// # Errors
/// [`ledger::Error::Storage`].
pub fn last_handed_over(
    journal: &dyn Journal,
    seqs: &[(CollectionNo, Seq)],
    most: usize,
) -> ledger::Result<Vec<Handed>> {
    let mut found = BTreeMap::new();
    for (collection, seq) in seqs {
        journal.overlapping(&collection.0.to_string(), (seq.0, seq.0), &mut |line| {
            if let Some(handed) = handed(&line, *seq) {
                found.insert(line.number, handed);
                if found.len() > most {
                    found.pop_first();
                }
            }
        })?;
    }
    Ok(found.into_values().collect())
}

fn handed(line: &Line, seq: Seq) -> Option<Handed> {
    let matter = line.matter.kept()?;
    if !super::covers(&matter.packed, seq) {
        return None;
    }
    let body: GivenBody<'_> = serde_json::from_slice(&matter.body).ok()?;
    Some(Handed {
        number: line.number,
        when: line.time,
        viewer: line.person.kept().map(|person| person.who.clone()).filter(|who| !who.is_empty()),
        organisation: body.organisation.map(Into::into),
        way: body.way.to_owned(),
        what: body.what.to_owned(),
        request: body.request.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{By, Event, Given, HandOver, Way, runs_of};
    use ledger::journal::{Anchor, Erasing, Keep, Scope, Which};
    use ledger::sqlite::JournalFile;

    #[test]
    fn exactly_those_who_were_given_a_record_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::new(&folder.path().join("audit.anchor"), [1; 32]);
        let journal = JournalFile::open(&folder.path().join("audit.db"), anchor).unwrap();
        let given = |who: &str, way, collection, seqs: &[i64]| {
            let organisation = Some(format!("{who}'s"));
            let by = By { way, who: Some(who.to_owned()), organisation, address: None };
            let given = Given::of(&runs_of(seqs.iter().copied().map(Seq)));
            let request = format!("for {who}");
            let event = Event::HandedOver(HandOver {
                by,
                collection: CollectionNo(collection),
                what: "objects",
                request,
                given,
            });
            event.entry(seqs[0], [7; 16])
        };
        let entries = [
            given("amina", Way::Taxii, 1, &[10, 11, 12, 20]),
            // Around it, and not it.
            given("omar", Way::Taxii, 1, &[10, 12, 20]),
            given("karim", Way::Export, 2, &[11]),
            given("lina", Way::Export, 1, &[11]),
        ];
        journal.write(&entries, Keep::Soon).unwrap();
        let asked = |seqs: &[(u32, i64)]| {
            let seqs: Vec<_> = seqs.iter().map(|(collection, seq)| (CollectionNo(*collection), Seq(*seq))).collect();
            let found = handed_over(&journal, &seqs).unwrap();
            found.into_iter().map(|handed| (handed.number, handed.viewer, handed.way)).collect::<Vec<_>>()
        };
        let row = |number, viewer: &str, way: &str| (number, Some(viewer.to_owned()), way.to_owned());
        assert_eq!(asked(&[(1, 11)]), [row(1, "amina", "taxii"), row(4, "lina", "export")]);
        assert_eq!(
            asked(&[(1, 20), (2, 11), (1, 12)]),
            [row(1, "amina", "taxii"), row(2, "omar", "taxii"), row(3, "karim", "export")]
        );
        assert_eq!(asked(&[(1, 13), (1, 9), (1, 21), (3, 11)]), []);
        let last = |most| last_handed_over(&journal, &[(CollectionNo(1), Seq(20)), (CollectionNo(1), Seq(11))], most);
        let numbers = |most| last(most).unwrap().iter().map(|handed| handed.number).collect::<Vec<_>>();
        assert_eq!((numbers(2), numbers(3), numbers(0)), (vec![2, 4], vec![1, 2, 4], vec![]));
        let one = handed_over(&journal, &[(CollectionNo(2), Seq(11))]).unwrap();
        assert_eq!(
            (one[0].when, one[0].organisation.as_deref(), one[0].request.as_str()),
            (11, Some("karim's"), "for karim")
        );
        // Who is erased is still counted, without a name; what is erased is not known any more.
        let mut salt = || [0; 16];
        let mut by = Erasing { now: 50, who: "", reason: "r", salt: &mut salt };
        journal.erase(Which::Person, Scope::Person("amina"), &mut by).unwrap();
        assert_eq!(asked(&[(1, 11)]), [(1, None, "taxii".to_owned()), row(4, "lina", "export")]);
        journal.erase(Which::Matter, Scope::Before(11), &mut by).unwrap();
        assert_eq!(asked(&[(1, 11)]), [row(4, "lina", "export")]);
        assert_eq!(journal.verify(None, &mut |_, _| {}).unwrap().faults, []);
    }
}
