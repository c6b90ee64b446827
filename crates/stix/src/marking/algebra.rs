//! What is marked how: asking and changing. STIX 2.1 §7.2.2, §7.2.3.

use super::granular::{Granular, Said};
use crate::{
    id::Id,
    json::{self, Kind, Limits, Tape, Value},
    rewrite, selector,
    versioning::{self, Change},
};

/// How far to look when asked for the markings of a part, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Also what is said of the wholes that contain the part, the object included.
    pub inherited: bool,
    /// Also what is said of parts within the part.
    pub descendants: bool,
    /// Marking definitions.
    pub marking_refs: bool,
    /// Languages.
    pub langs: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { inherited: false, descendants: false, marking_refs: true, langs: true }
    }
}

/// Why markings could not be told or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("the object is not JSON")]
    Json(#[source] json::Error),
    /// A selector names nothing in the object, or none is given where one is needed. STIX 2.1 §7.2.3.1.
    #[error("selector `{0}` names nothing in the object")]
    Selector(String),
    /// What should be taken away is not there.
    #[error("the object does not carry these markings there")]
    NotMarked,
    /// Not an id of a marking definition.
    #[error("`{0}` is no id of a marking definition")]
    Marking(String),
    /// The changed object would be a new version, which there cannot be.
    #[error("the object cannot have a new version")]
    Version(#[from] versioning::Error),
}

/// The markings of the object (no selectors) or of parts of it, sorted: ids of marking definitions, and languages.
///
/// # Errors
/// [`Error::Json`], or [`Error::Selector`] for an empty list or a part that the object does not have.
pub fn get(object: &[u8], selectors: Option<&[&str]>, options: Options) -> Result<Vec<String>, Error> {
    let mut tape = Tape::new();
    let object = parse(&mut tape, object)?;
    let Some(selectors) = selectors else { return Ok(sorted(of_object(&object))) };
    check_selectors(&object, selectors)?;
    let mut found: Vec<String> = of_parts(&object, selectors, options)
        .into_iter()
        .filter(|said| match said {
            Said::Marking(_) => options.marking_refs,
            Said::Lang(_) => options.langs,
        })
        .map(|said| said.name().to_owned())
        .collect();
    if options.inherited {
        found.extend(of_object(&object));
    }
    Ok(sorted(found))
}

/// Whether the object or its parts carry all of `markings`, or any marking if none is named.
///
/// Without selectors one of `markings` on the object is enough. With [`Options::inherited`] a part is marked also by
/// one of `markings` on the object.
///
/// # Errors
/// As [`get`].
pub fn is_marked(
    object: &[u8],
    markings: &[&str],
    selectors: Option<&[&str]>,
    options: Options,
) -> Result<bool, Error> {
    let mut tape = Tape::new();
    let object = parse(&mut tape, object)?;
    let whole = of_object(&object);
    let by_object =
        || if markings.is_empty() { !whole.is_empty() } else { whole.iter().any(|id| markings.contains(&id.as_str())) };
    let Some(selectors) = selectors else { return Ok(by_object()) };
    check_selectors(&object, selectors)?;
    let said = of_parts(&object, selectors, options);
    let by_part = if markings.is_empty() {
        !said.is_empty()
    } else {
        markings.iter().all(|marking| said.iter().any(|said| said.name() == *marking))
    };
    Ok(by_part || (options.inherited && by_object()))
}

/// Adds markings to the object (no selectors) or to parts of it.
///
/// # Errors
/// [`Error::Marking`] for what is no marking definition (on parts a language will do), and as [`get`].
pub fn add(object: &[u8], markings: &[&str], selectors: Option<&[&str]>, now: i64) -> Result<Vec<u8>, Error> {
    let mut tape = Tape::new();
    let value = parse(&mut tape, object)?;
    let Some(selectors) = selectors else {
        let mut all = of_object(&value);
        all.extend(markings.iter().map(|marking| (*marking).to_owned()));
        return write_object_markings(object, all, now);
    };
    check_selectors(&value, selectors)?;
    let mut all = Granular::default();
    add_to(&mut all, markings, selectors)?;
    for (said, selector) in Granular::of(&value).pairs() {
        all.insert(said.clone(), selector);
    }
    write_granular(object, &all, now)
}

/// Puts markings in the place of those that the object (no selectors) or its parts carry.
///
/// # Errors
/// As [`add`].
pub fn set(object: &[u8], markings: &[&str], selectors: Option<&[&str]>, now: i64) -> Result<Vec<u8>, Error> {
    let mut tape = Tape::new();
    let value = parse(&mut tape, object)?;
    let Some(selectors) = selectors else {
        return write_object_markings(object, markings.iter().map(|marking| (*marking).to_owned()).collect(), now);
    };
    check_selectors(&value, selectors)?;
    let mut all = Granular::default();
    add_to(&mut all, markings, selectors)?;
    let mut before = Granular::of(&value);
    before.take(|_, selector| selectors.contains(&selector));
    for (said, selector) in before.pairs() {
        all.insert(said.clone(), selector);
    }
    write_granular(object, &all, now)
}

/// Takes markings away from the object (no selectors) or from parts of it. An object that carries none of the kind
/// comes back as it is.
///
/// # Errors
/// [`Error::NotMarked`] if one of them is not on the object, or none of them on the parts; and as [`get`].
pub fn remove(object: &[u8], markings: &[&str], selectors: Option<&[&str]>, now: i64) -> Result<Vec<u8>, Error> {
    let mut tape = Tape::new();
    let value = parse(&mut tape, object)?;
    let Some(selectors) = selectors else {
        let mut all = of_object(&value);
        if all.is_empty() {
            return Ok(object.to_vec());
        }
        if !markings.iter().all(|marking| all.iter().any(|id| id == marking)) {
            return Err(Error::NotMarked);
        }
        all.retain(|id| !markings.contains(&id.as_str()));
        return write_object_markings(object, all, now);
    };
    check_selectors(&value, selectors)?;
    let mut all = Granular::of(&value);
    take_away(object, &mut all, now, |said, selector| markings.contains(&said.name()) && selectors.contains(&selector))
}

/// Takes all markings away from the object (no selectors), or from parts of it; of parts only the kinds that
/// `options` names.
///
/// # Errors
/// [`Error::NotMarked`] if no granular marking is on the parts; and as [`get`].
pub fn clear(object: &[u8], selectors: Option<&[&str]>, options: Options, now: i64) -> Result<Vec<u8>, Error> {
    let mut tape = Tape::new();
    let value = parse(&mut tape, object)?;
    let Some(selectors) = selectors else { return write_object_markings(object, Vec::new(), now) };
    check_selectors(&value, selectors)?;
    let mut all = Granular::of(&value);
    take_away(object, &mut all, now, |said, selector| {
        let kind = match said {
            Said::Marking(_) => options.marking_refs,
            Said::Lang(_) => options.langs,
        };
        kind && selectors.contains(&selector)
    })
}

fn parse<'t>(tape: &'t mut Tape, object: &'t [u8]) -> Result<Value<'t>, Error> {
    tape.parse(object, &Limits::default()).map_err(Error::Json)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

/// `object_marking_refs`; a lone string, which is invalid, counts as a list of one rather than as unmarked.
fn of_object(object: &Value<'_>) -> Vec<String> {
    let Some(refs) = object.get("object_marking_refs") else { return Vec::new() };
    match refs.kind() {
        Kind::String => refs.as_str().map(String::from).into_iter().collect(),
        _ => refs.items().filter_map(|id| id.as_str()).map(String::from).collect(),
    }
}

/// What the granular markings say of these parts.
fn of_parts(object: &Value<'_>, selectors: &[&str], options: Options) -> Vec<Said> {
    let reaches = |marked: &str, asked: &str| {
        marked == asked
            || (options.inherited && selector::covers(marked, asked))
            || (options.descendants && selector::covers(asked, marked))
    };
    let granular = Granular::of(object);
    let reached = granular.pairs().filter(|(_, marked)| selectors.iter().any(|asked| reaches(marked, asked)));
    reached.map(|(said, _)| said.clone()).collect()
}

fn check_selectors(object: &Value<'_>, selectors: &[&str]) -> Result<(), Error> {
    if selectors.is_empty() {
        return Err(Error::Selector(String::new()));
    }
    match selectors.iter().find(|selector| selector::resolve(*object, selector).is_none()) {
        Some(unknown) => Err(Error::Selector((*unknown).to_owned())),
        None => Ok(()),
    }
}

fn add_to(all: &mut Granular, markings: &[&str], selectors: &[&str]) -> Result<(), Error> {
    for marking in markings {
        let said = Said::from_name(marking);
        if let Said::Marking(id) = &said {
            check_marking(id)?;
        } else if marking.is_empty() {
            return Err(Error::Marking(String::new()));
        }
        for selector in selectors {
            all.insert(said.clone(), selector);
        }
    }
    Ok(())
}

fn check_marking(id: &str) -> Result<(), Error> {
    match Id::parse(id) {
        Ok(parsed) if parsed.object_type() == "marking-definition" => Ok(()),
        _ => Err(Error::Marking(id.to_owned())),
    }
}

fn take_away(
    object: &[u8],
    all: &mut Granular,
    now: i64,
    named: impl FnMut(&Said, &str) -> bool,
) -> Result<Vec<u8>, Error> {
    if all.is_empty() {
        return Ok(object.to_vec());
    }
    if all.take(named) == 0 {
        return Err(Error::NotMarked);
    }
    write_granular(object, all, now)
}

/// The next version of the object with these object markings, sorted; without the property if there are none.
fn write_object_markings(object: &[u8], markings: Vec<String>, now: i64) -> Result<Vec<u8>, Error> {
    markings.iter().try_for_each(|marking| check_marking(marking))?;
    let markings = sorted(markings);
    let mut json = Vec::new();
    rewrite::write_all(&mut json, &markings, |out, marking| rewrite::write_string(out, marking));
    let value = (!markings.is_empty()).then_some(json.as_slice());
    Ok(versioning::new_version(object, &[Change { name: "object_marking_refs", value }], now)?)
}

/// The next version of the object with these granular markings; without the property if there are none.
fn write_granular(object: &[u8], all: &Granular, now: i64) -> Result<Vec<u8>, Error> {
    let json = all.json();
    let value = (!all.is_empty()).then_some(json.as_slice());
    Ok(versioning::new_version(object, &[Change { name: "granular_markings", value }], now)?)
}

#[cfg(test)]
mod tests;
