//! Reading the indicators of a bundle.

use std::collections::HashMap;
use std::io::Read;

use observable::Claim;
use pattern::Pattern;
use serde::Deserialize;
use stix::json::Limits;
use stix::split::{self, Splitter};
use stix::timestamp::Timestamp;

use super::{Error, Report};
use crate::set::Builder;
use crate::warning::Warnings;

/// An indicator whose pattern says more than that one of some values is there.
#[derive(Clone, Debug, PartialEq)]
pub struct General {
    /// Its place in the file, as in a set.
    pub name: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its id.
    pub id: Box<str>,
    /// What it says.
    pub pattern: Pattern,
}

/// What kind of object it is, whatever else it holds.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    object_type: Box<str>,
}

/// What is read of an indicator (STIX 2.1 §4.7).
#[derive(Deserialize)]
pub(super) struct Object {
    #[serde(default)]
    pub(super) id: Option<Box<str>>,
    #[serde(default)]
    pattern: Option<Box<str>>,
    #[serde(default)]
    pattern_type: Option<Box<str>>,
    #[serde(default)]
    modified: Option<Box<str>>,
    #[serde(default)]
    valid_from: Option<Box<str>>,
    #[serde(default)]
    valid_until: Option<Box<str>>,
    #[serde(default)]
    pub(super) revoked: Option<bool>,
    #[serde(default)]
    pub(super) confidence: Option<u8>,
}

impl Object {
    /// The object, if it is an indicator.
    fn indicator(text: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        match serde_json::from_slice::<Typed>(text) {
            Ok(Typed { object_type }) if &*object_type == "indicator" => serde_json::from_slice(text).map(Some),
            _ => Ok(None),
        }
    }

    /// Its pattern, if that is in the language of STIX: indicators of STIX 2.0 name none.
    pub(super) fn pattern(&self) -> Option<Result<Pattern, pattern::Error>> {
        let ours = self.pattern_type.as_deref().is_none_or(|name| name == "stix");
        self.pattern.as_deref().filter(|_| ours).map(pattern::parse)
    }

    /// When it begins and ends to hold, in microseconds since 1970.
    pub(super) fn window(&self) -> (Option<i64>, Option<i64>) {
        (micros(self.valid_from.as_deref()), micros(self.valid_until.as_deref()))
    }
}

fn micros(text: Option<&str>) -> Option<i64> {
    Timestamp::parse(text?).ok().map(|timestamp| timestamp.micros)
}

/// Of each id the newest version that was seen, and where it stands.
type Newest = HashMap<[u8; 16], (i64, u64)>;

/// What is in a bundle: the report, the general patterns, and the places of objects that count no longer, in order.
type Contents = (Report, Vec<General>, Vec<u64>);

pub(super) fn read<R: Read>(source: R, into: &mut Builder, warnings: Option<&Warnings>) -> Result<Contents, Error> {
    let mut report = Report::default();
    let (mut general, mut superseded) = (Vec::new(), Vec::new());
    let mut newest = Newest::new();
    let mut splitter = Splitter::new(source, Limits::default());
    loop {
        let item = match splitter.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(split::Error::Read(error)) => return Err(error.into()),
            Err(split::Error::Document(fault)) if report.indicators == 0 => return Err(Error::Bundle(fault)),
            Err(split::Error::Document(fault)) => {
                report.refuse(fault.line, fault);
                break;
            }
        };
        let object = match Object::indicator(item.text) {
            Ok(None) => continue,
            Ok(Some(object)) => object,
            Err(error) => {
                // Where in the object it stands would read like a line of the file.
                let error = error.to_string();
                let told = error.split(" at line ").next().unwrap_or_default();
                report.indicators += 1;
                report.refuse(item.line, format_args!("no indicator: {told}"));
                continue;
            }
        };
        report.indicators += 1;
        if !is_newest(&object, item.offset, &mut newest, &mut superseded) || object.revoked == Some(true) {
            report.withdrawn += 1;
            continue;
        }
        match claims(&object) {
            Ok(Said::Claims(mut claims)) => {
                if let Some(warnings) = warnings {
                    claims.retain(|claim| !report.is_benign(claim, warnings));
                }
                take(&claims, item.offset, item.line, into, &mut report);
            }
            Ok(Said::More(pattern)) => {
                let id = object.id.unwrap_or_default();
                general.push(General { name: item.offset, line: item.line, id, pattern });
            }
            Err(reason) => report.refuse(item.line, reason),
        }
    }
    superseded.sort_unstable();
    report.withdrawn += superseded.len() as u64;
    general.retain(|general| superseded.binary_search(&general.name).is_err());
    Ok((report, general, superseded))
}

/// Whether no newer version was seen before. What it supersedes counts no longer.
fn is_newest(object: &Object, offset: u64, newest: &mut Newest, superseded: &mut Vec<u64>) -> bool {
    let Some(id) = object.id.as_deref() else { return true };
    let hash = blake3::hash(id.as_bytes());
    let Some(key) = hash.as_bytes().first_chunk::<16>() else { return true };
    let version = micros(object.modified.as_deref()).unwrap_or(i64::MIN);
    match newest.get_mut(key) {
        Some((known, _)) if *known > version => false,
        Some((known, place)) => {
            superseded.push(*place);
            (*known, *place) = (version, offset);
            true
        }
        None => {
            newest.insert(*key, (version, offset));
            true
        }
    }
}

enum Said {
    Claims(Vec<Claim>),
    More(Pattern),
}

fn claims(object: &Object) -> Result<Said, String> {
    let pattern = match object.pattern() {
        Some(Ok(pattern)) => pattern,
        Some(Err(error)) => return Err(format!("the pattern is broken: {error}")),
        None if object.pattern.is_none() => return Err("no `pattern`".into()),
        None => {
            let language = object.pattern_type.as_deref().unwrap_or_default();
            return Err(format!("the pattern is in another language, `{}`", shortened(language)));
        }
    };
    Ok(observable::claims(&pattern).map_or_else(|| Said::More(pattern), Said::Claims))
}

fn take(claims: &[Claim], name: u64, line: u64, into: &mut Builder, report: &mut Report) {
    for claim in claims {
        match into.add(claim, name) {
            Ok(()) => report.taken += 1,
            Err(refused) => report.refuse(line, refused),
        }
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}
