//! To whom records were handed, by organisation: what the audit log says, and what is kept of it when it is erased.

use crate::audit::{self, Given, covers, decode};
use ledger::journal::{Journal, Wanted};
use ledger::{CollectionNo, Micros, Register, Seq};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The note that keeps to which organisations an object was handed that was erased here without being recalled.
fn erased_note(object: &str) -> String {
    format!("handed over, and erased since: {object}")
}

/// The note that keeps what the audit log said of hand-overs before it was erased.
const KEPT: &str = "hand-overs that the audit log has erased";

/// By collection and organisation: the numbers of the records, packed.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept(BTreeMap<u32, BTreeMap<String, Vec<u8>>>);

/// To whom something was handed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recipients {
    /// The organisations.
    pub organisations: BTreeSet<String>,
    /// Whether somebody got it who had not signed in, or in whose name nobody knows to whom it belongs.
    pub unknown: bool,
}

/// The organisations to which any of these records was handed. What tells only of its existence is no hand-over.
///
/// # Errors
/// Those of the ledger.
pub fn handed(
    journal: &dyn Journal,
    register: &dyn Register,
    places: &[(CollectionNo, Seq)],
) -> ledger::Result<Recipients> {
    let mut found = Recipients::default();
    for handed in audit::handed_over(journal, places)? {
        if matches!(handed.what.as_str(), "manifest" | "versions") {
            continue;
        }
        match handed.organisation.filter(|name| !name.is_empty()) {
            Some(organisation) => drop(found.organisations.insert(organisation)),
            None => found.unknown = true,
        }
    }
    for (collection, kept) in kept(register)?.0 {
        for (organisation, packed) in kept {
            let within = |(no, seq): &(CollectionNo, Seq)| no.0 == collection && covers(&packed, *seq);
            if places.iter().any(within) {
                match organisation.is_empty() {
                    true => found.unknown = true,
                    false => drop(found.organisations.insert(organisation)),
                }
            }
        }
    }
    Ok(found)
}

/// The organisations to which an object was handed that was erased here since, without a recall.
///
/// # Errors
/// Those of the register.
pub fn of_erased(register: &dyn Register, object: &str) -> ledger::Result<BTreeSet<String>> {
    let kept = register.note(&erased_note(object))?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

/// Keeps to whom an object was handed that is about to be erased here, and is not ours to recall: its author may.
///
/// # Errors
/// Those of the register.
pub fn keep_of_erased(register: &dyn Register, object: &str, to: &BTreeSet<String>) -> ledger::Result<()> {
    let mut all = of_erased(register, object)?;
    if to.is_subset(&all) {
        return Ok(());
    }
    all.extend(to.iter().cloned());
    register.set_note(&erased_note(object), Some(&serde_json::to_vec(&all).unwrap_or_default()))
}

fn kept(register: &dyn Register) -> ledger::Result<Kept> {
    let kept = register.note(KEPT)?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

/// Keeps which organisations were given which records, of all hand-overs before an instant: the audit log is about to erase
/// them, and what was handed over must be known for as long as it may be recalled. Names of persons are not kept.
///
/// # Errors
/// Those of the ledger.
pub fn keep_before(journal: &dyn Journal, register: &dyn Register, before: Micros) -> ledger::Result<()> {
    let mut numbers: BTreeMap<(u32, String), Vec<ledger::Run>> = BTreeMap::new();
    let wanted = Wanted { kind: Some("handed-over"), ..Wanted::default() };
    journal.read(&wanted, &mut |line| {
        if line.time >= before {
            return;
        }
        let Some(matter) = line.matter.kept() else { return };
        let body: Body = serde_json::from_slice(&matter.body).unwrap_or_default();
        if matches!(body.what.as_str(), "manifest" | "versions") {
            return;
        }
        if let (Ok(collection), Some(runs)) = (matter.about.parse(), decode(&matter.packed)) {
            numbers.entry((collection, body.organisation.unwrap_or_default())).or_default().extend(runs);
        }
    })?;
    if numbers.is_empty() {
        return Ok(());
    }
    let mut all = kept(register)?;
    for ((collection, organisation), mut runs) in numbers {
        let packed = all.0.entry(collection).or_default().entry(organisation).or_default();
        runs.extend(decode(packed).unwrap_or_default());
        *packed = Given::of(&joined(runs)).packed().to_vec();
    }
    register.set_note(KEPT, Some(&serde_json::to_vec(&all).unwrap_or_default()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    what: String,
    organisation: Option<String>,
}

/// The same numbers in as few runs as can be, in order.
fn joined(mut runs: Vec<ledger::Run>) -> Vec<ledger::Run> {
    runs.sort_by_key(|run| run.first);
    let mut out: Vec<ledger::Run> = Vec::with_capacity(runs.len());
    for run in runs {
        let end = run.first.0.saturating_add(i64::from(run.count));
        match out.last_mut() {
            Some(last) if run.first.0 <= last.first.0.saturating_add(i64::from(last.count)) => {
                let length = end.saturating_sub(last.first.0).max(i64::from(last.count));
                match u32::try_from(length) {
                    Ok(count) => last.count = count,
                    Err(_) => out.push(run),
                }
            }
            _ => out.push(run),
        }
    }
    out
}
