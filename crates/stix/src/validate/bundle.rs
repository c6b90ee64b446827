//! What must hold between the objects of one bundle. STIX 2.1 §2.9, §3.6, §7.1.

use std::borrow::Cow;
use std::collections::HashMap;

use super::document::Report;
use super::note::Note;
use super::{Code, Validator};
use crate::head::{Category, Head};
use crate::json::{Limits, Tape, Value};

/// The heads of a bundle's objects, gathered while they are judged.
#[derive(Default)]
pub(super) struct Members<'t> {
    list: Vec<Member<'t>>,
}

struct Member<'t> {
    /// Its number among the judged values.
    place: usize,
    category: Category,
    object_type: Cow<'t, str>,
    id: Cow<'t, str>,
    creator: Option<Cow<'t, str>>,
    version: Option<(i64, u32)>,
}

impl<'t> Members<'t> {
    pub(super) fn add(&mut self, place: usize, head: Head<'t>) {
        self.list.push(Member {
            place,
            category: head.category,
            object_type: head.object_type,
            id: head.id,
            creator: head.created_by_ref,
            version: head.version.map(|time| (time.micros, time.picos)),
        });
    }

    /// Judges the bundle as a whole.
    pub(super) fn judge(&self, report: &mut Report<'t>, validator: &Validator) {
        self.duplicates(report, validator);
        if self.list.iter().any(|member| member.category == Category::Language) {
            self.translations(report);
        }
        if validator.options.enforce_refs {
            self.ends(report);
        }
        if validator.options.interop {
            self.producers(report);
        }
    }

    /// One version twice; one UUID for two types.
    fn duplicates(&self, report: &mut Report<'t>, validator: &Validator) {
        let mut uuids: HashMap<&str, &Member<'_>> = HashMap::with_capacity(self.list.len());
        let mut versions: HashMap<(&str, (i64, u32)), ()> = HashMap::new();
        for member in &self.list {
            let Some((_, uuid)) = member.id.split_at_checked(member.id.len().saturating_sub(36)) else { continue };
            let Some(first) = uuids.insert(uuid, member) else { continue };
            uuids.insert(uuid, first);
            if first.object_type != member.object_type {
                let observable = first.category.is_sco() || member.category.is_sco();
                if first.creator == member.creator && !observable {
                    report.add(member.place, note(Code::UuidShared, 0, ""));
                }
                continue;
            }
            let Some(version) = member.version else { continue };
            if let Some(version) = first.version {
                versions.insert((first.id.as_ref(), version), ());
            }
            if versions.insert((member.id.as_ref(), version), ()).is_some()
                && validator.checks.wants(Code::DuplicateIds)
            {
                report.add(member.place, note(Code::DuplicateIds, 0, ""));
            }
        }
    }

    /// Translated lists are as long as what they translate, where that is in the bundle.
    fn translations(&self, report: &mut Report<'t>) {
        let places: HashMap<&str, usize> = self.list.iter().map(|member| (member.id.as_ref(), member.place)).collect();
        for member in self.list.iter().filter(|member| member.category == Category::Language) {
            let (mut tape, mut target_tape) = (Tape::new(), Tape::new());
            let Some(language) = parse(&mut tape, report.text_of(member.place)) else { continue };
            let Some(target) = language.get("object_ref").and_then(|found| found.as_str()) else { continue };
            let Some(place) = places.get(target.as_ref()) else { continue };
            let Some(target) = parse(&mut target_tape, report.text_of(*place)) else { continue };
            let mut wrong = Vec::new();
            for (_, translation) in language.get("contents").into_iter().flat_map(|found| found.entries()) {
                for (key, translated) in translation.entries() {
                    if let Some(original) = target.get(&key.as_str()) {
                        uneven(original, translated, &mut wrong);
                    }
                }
            }
            for at in wrong {
                report.add(member.place, note(Code::LanguageLists, at, ""));
            }
        }
    }

    /// Ends of relationships that are not in the bundle.
    fn ends(&self, report: &mut Report<'t>) {
        for member in self.list.iter().filter(|member| member.object_type == "relationship") {
            let mut tape = Tape::new();
            let Some(relationship) = parse(&mut tape, report.text_of(member.place)) else { continue };
            let wanting: Vec<usize> = ["source_ref", "target_ref"]
                .iter()
                .filter_map(|name| relationship.get(name))
                .filter(|end| end.as_str().is_some_and(|id| !self.list.iter().any(|other| other.id == id)))
                .map(|end| end.span().start - relationship.span().start)
                .collect();
            for at in wanting {
                report.add(member.place, note(Code::EnforceRefs, at, ""));
            }
        }
    }

    /// Every object names its producer, an identity of the bundle that names its own. STIX 2.1 Interoperability.
    fn producers(&self, report: &mut Report<'t>) {
        for member in self.list.iter().filter(|member| member.object_type != "identity") {
            let producer = member.creator.as_ref().and_then(|id| self.list.iter().find(|other| other.id == *id));
            let what = match (&member.creator, producer) {
                (None, _) => "`created_by_ref` is missing",
                (Some(_), None) => "the identity of `created_by_ref` is not there",
                (Some(_), Some(producer)) if producer.creator.is_none() => "the producer has no `created_by_ref`",
                _ => continue,
            };
            report.add(member.place, note(Code::InteropCreator, 0, what));
        }
    }
}

fn note(code: Code, at: usize, what: &'static str) -> Note {
    Note { code, at: u32::try_from(at).unwrap_or(u32::MAX), what, clause: code.clause() }
}

fn parse<'t>(tape: &'t mut Tape, text: &'t [u8]) -> Option<Value<'t>> {
    tape.parse(text, &Limits { max_bytes: usize::MAX, ..Limits::default() }).ok()
}

/// Where lists differ in length from those that they translate, objects within objects included.
fn uneven(original: Value<'_>, translated: Value<'_>, wrong: &mut Vec<usize>) {
    use crate::json::Kind;
    match (original.kind(), translated.kind()) {
        (Kind::Array, Kind::Array) if original.len() != translated.len() => wrong.push(translated.span().start),
        (Kind::Array, Kind::Array) => {
            for (one, two) in original.items().zip(translated.items()) {
                uneven(one, two, wrong);
            }
        }
        (Kind::Object, Kind::Object) => {
            for (key, two) in translated.entries() {
                if let Some(one) = original.get(&key.as_str()) {
                    uneven(one, two, wrong);
                }
            }
        }
        _ => {}
    }
}
