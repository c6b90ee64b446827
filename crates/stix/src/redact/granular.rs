//! The granular markings of an object of which parts are taken out. STIX 2.1 §7.2.3.

use super::Rules;
use super::removal::Bound;
use super::select::{Places, after, index};
use super::write::Changes;
use crate::json::{Kind, Value};
use crate::rewrite::write_string;

/// The entries of a list of granular markings: those to obey by taking out what they select, and the others.
pub(super) struct Entries<'t> {
    pub(super) withheld: Vec<Value<'t>>,
    pub(super) given: Vec<Value<'t>>,
}

impl<'t> Entries<'t> {
    /// An entry of which it cannot be told what it says binds.
    pub(super) fn of(object: Value<'t>, rules: &dyn Rules) -> Result<Self, Bound> {
        let mut entries = Self { withheld: Vec::new(), given: Vec::new() };
        let Some(list) = object.get("granular_markings") else { return Ok(entries) };
        if list.kind() != Kind::Array {
            return Err(Bound);
        }
        for entry in list.items() {
            let withheld = match entry.get("marking_ref") {
                Some(marking) => rules.marking_withheld(&marking.as_str().ok_or(Bound)?),
                None => !entry.get("lang").is_some_and(|lang| lang.kind() == Kind::String),
            };
            if withheld { entries.withheld.push(entry) } else { entries.given.push(entry) }
        }
        Ok(entries)
    }
}

/// Leaves out the entries that were obeyed and the selectors of what is gone, and renumbers the others.
pub(super) fn adapt(
    object: Value<'_>,
    entries: &Entries<'_>,
    changes: &mut Changes,
    budget: &mut usize,
) -> Result<(), Bound> {
    let Some(list) = object.get("granular_markings") else { return Ok(()) };
    let mut left = 0;
    // What is left out of the markings themselves is not looked for by selectors.
    let mut gone: Vec<usize> = entries.withheld.iter().map(|entry| entry.span().start).collect();
    for entry in &entries.given {
        let mut kept = 0;
        let before = gone.len();
        let selectors = entry.get("selectors");
        for selector in selectors.iter().flat_map(Value::items) {
            let Some(text) = selector.as_str() else { continue };
            let mut moved = String::with_capacity(text.len());
            match relocate(object, &text, &changes.gone, &mut moved, budget) {
                Fate::Gone => {
                    gone.push(selector.span().start);
                    continue;
                }
                Fate::Stays if moved != text => {
                    let mut written = Vec::with_capacity(moved.len() + 2);
                    write_string(&mut written, &moved);
                    changes.swapped.insert(selector.span().start, written);
                }
                Fate::Stays | Fate::Missing => {}
            }
            kept += 1;
        }
        if kept == 0 && gone.len() > before {
            gone.truncate(before);
            gone.push(entry.span().start);
        } else {
            left += 1;
        }
    }
    if left == 0 && !gone.is_empty() {
        gone = vec![list.span().start];
    }
    changes.gone.extend(gone);
    if *budget == 0 { Err(Bound) } else { Ok(()) }
}

enum Fate {
    Stays,
    Gone,
    Missing,
}

/// What a selector is to be once the places are gone; written to `moved` if what it names stays.
fn relocate(value: Value<'_>, selector: &str, places: &Places, moved: &mut String, budget: &mut usize) -> Fate {
    *budget = budget.saturating_sub(value.len().max(1));
    let mut fate = Fate::Missing;
    let length = moved.len();
    let mut step = |child: Value<'_>, rest: &str, name: &str, moved: &mut String| {
        if *budget == 0 {
            return false;
        }
        if places.contains(&child.span().start) {
            fate = Fate::Gone;
            return false;
        }
        moved.push_str(name);
        let found = match rest.strip_prefix('.') {
            None => Fate::Stays,
            Some(rest) => {
                moved.push('.');
                relocate(child, rest, places, moved, budget)
            }
        };
        match found {
            Fate::Stays => {
                fate = Fate::Stays;
                return true;
            }
            Fate::Gone => fate = Fate::Gone,
            Fate::Missing => {}
        }
        moved.truncate(length);
        false
    };
    match value.kind() {
        Kind::Object => {
            for (key, child) in value.entries() {
                let key = key.as_str();
                if after(selector, &key).is_some_and(|rest| step(child, rest, &key, moved)) {
                    break;
                }
            }
        }
        Kind::Array => {
            if let Some((number, rest)) = index(selector)
                && let Some(child) = value.items().nth(number)
            {
                let lost = value.items().take(number).filter(|item| places.contains(&item.span().start)).count();
                let name = match lost {
                    0 => selector.get(..selector.len() - rest.len()).unwrap_or_default().to_owned(),
                    lost => format!("[{}]", number - lost),
                };
                step(child, rest, &name, moved);
            }
        }
        _ => {}
    }
    fate
}
