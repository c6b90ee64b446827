//! What must hold between the objects of one bundle. STIX 2.1 §2.9, §3.6, §7.1.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::document::Report;
use super::note::Note;
use super::{Code, Validator};
use crate::head::{Category, Head};
use crate::id::Id;
use crate::json::{Limits, Tape, Value};
use crate::timestamp::Timestamp;

/// What is kept of a bundle's objects while they are judged: little, since bundles are large and seldom at fault.
#[derive(Default)]
pub(super) struct Members<'t> {
    list: Vec<Member<'t>>,
}

struct Member<'t> {
    /// Its number among the judged values.
    place: usize,
    category: Category,
    id: Cow<'t, str>,
    /// The UUID of its id; `None` if the id is malformed.
    uuid: Option<u128>,
}

/// What two objects of one UUID are compared by.
struct Twin {
    place: usize,
    observable: bool,
    object_type: Option<String>,
    id: String,
    creator: Option<String>,
    version: Option<(i64, u32)>,
}

impl<'t> Members<'t> {
    pub(super) fn add(&mut self, place: usize, head: Head<'t>) {
        let uuid = Id::parse(&head.id).ok().map(|id| id.uuid().as_u128());
        self.list.push(Member { place, category: head.category, id: head.id, uuid });
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
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
        // Sorted rather than hashed: neighbours are compared without a look at the text.
        let mut order: Vec<(u128, usize)> =
            self.list.iter().enumerate().filter_map(|(index, member)| Some((member.uuid?, index))).collect();
        order.sort_unstable();
        let mut found = Vec::new();
        for same in order.chunk_by(|one, two| one.0 == two.0).filter(|same| same.len() > 1) {
            let twins = same.iter().filter_map(|(_, index)| self.list.get(*index)?.twin(report));
            compare(twins, &mut found);
        }
        found.sort_unstable_by_key(|(place, _)| *place);
        for (place, code) in found {
            if code != Code::DuplicateIds || validator.checks.wants(code) {
                report.add(place, note(code, 0, ""));
            }
        }
    }

    /// Translated lists are as long as what they translate, where that is in the bundle.
    fn translations(&self, report: &mut Report<'t>) {
        let places: HashMap<&str, usize> = self.list.iter().map(|member| (member.id.as_ref(), member.place)).collect();
        // Targets are parsed again; one that very many translate must not cost more than a few readings of the bundle.
        let mut bytes = report.size().saturating_mul(4);
        let mut budget = super::walk::BUDGET;
        for member in self.list.iter().filter(|member| member.category == Category::Language) {
            let (mut tape, mut target_tape) = (Tape::new(), Tape::new());
            let Some(language) = parse(&mut tape, report.text_of(member.place)) else { continue };
            let Some(target) = language.get("object_ref").and_then(|found| found.as_str()) else { continue };
            let Some(place) = places.get(target.as_ref()) else { continue };
            let Some(left) = bytes.checked_sub(report.text_of(*place).len()) else { return };
            bytes = left;
            let Some(target) = parse(&mut target_tape, report.text_of(*place)) else { continue };
            let mut wrong = Vec::new();
            for (_, translation) in language.get("contents").into_iter().flat_map(|found| found.entries()) {
                for (key, translated) in translation.entries() {
                    if let Some(original) = look_up(target, &key.as_str(), &mut budget) {
                        uneven(original, translated, &mut wrong, &mut budget);
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
        let ids: HashSet<&str> = self.list.iter().map(|member| member.id.as_ref()).collect();
        let mut tape = Tape::new();
        for member in &self.list {
            let Some(object) = parse(&mut tape, report.text_of(member.place)) else { continue };
            if text_of(object, "type").as_deref() != Some("relationship") {
                continue;
            }
            let wanting: Vec<usize> = ["source_ref", "target_ref"]
                .iter()
                .filter_map(|name| object.get(name))
                .filter(|end| end.as_str().is_some_and(|id| !ids.contains(id.as_ref())))
                .map(|end| end.span().start - object.span().start)
                .collect();
            for at in wanting {
                report.add(member.place, note(Code::EnforceRefs, at, ""));
            }
        }
    }

    /// Every object names its producer, an identity of the bundle that names its own. STIX 2.1 Interoperability.
    fn producers(&self, report: &mut Report<'t>) {
        let twins: Vec<Twin> = self.list.iter().filter_map(|member| member.twin(report)).collect();
        let mut creators: HashMap<&str, bool> = HashMap::new();
        for twin in &twins {
            creators.entry(&twin.id).or_insert(twin.creator.is_some());
        }
        for twin in twins.iter().filter(|twin| twin.object_type.as_deref() != Some("identity")) {
            let what = match twin.creator.as_deref().map(|id| creators.get(id)) {
                None => "`created_by_ref` is missing",
                Some(None) => "the identity of `created_by_ref` is not there",
                Some(Some(false)) => "the producer has no `created_by_ref`",
                Some(Some(true)) => continue,
            };
            report.add(twin.place, note(Code::InteropCreator, 0, what));
        }
    }
}

impl Member<'_> {
    /// Reads the object again.
    fn twin(&self, report: &Report<'_>) -> Option<Twin> {
        let mut tape = Tape::new();
        let object = parse(&mut tape, report.text_of(self.place))?;
        let time = text_of(object, "modified").or_else(|| text_of(object, "created"));
        let version = time.and_then(|text| Timestamp::parse(&text).ok().map(|time| (time.micros, time.picos)));
        Some(Twin {
            place: self.place,
            observable: self.category.is_sco(),
            object_type: text_of(object, "type"),
            id: self.id.to_string(),
            creator: text_of(object, "created_by_ref"),
            version,
        })
    }
}

/// Compares objects of one UUID, in the document's order: with the first, and by version.
fn compare(mut twins: impl Iterator<Item = Twin>, found: &mut Vec<(usize, Code)>) {
    let Some(first) = twins.next() else { return };
    let mut versions = HashSet::new();
    versions.extend(first.version.map(|version| (first.id.clone(), version)));
    for twin in twins {
        if twin.object_type != first.object_type {
            if twin.creator == first.creator && !twin.observable && !first.observable {
                found.push((twin.place, Code::UuidShared));
            }
            continue;
        }
        if twin.version.is_some_and(|version| !versions.insert((twin.id, version))) {
            found.push((twin.place, Code::DuplicateIds));
        }
    }
}

fn text_of(object: Value<'_>, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(Cow::into_owned)
}

fn note(code: Code, at: usize, what: &'static str) -> Note {
    Note { code, at: u32::try_from(at).unwrap_or(u32::MAX), what, clause: code.clause() }
}

fn parse<'t>(tape: &'t mut Tape, text: &'t [u8]) -> Option<Value<'t>> {
    tape.parse(text, &Limits { max_bytes: usize::MAX, ..Limits::default() }).ok()
}

/// Where lists differ in length from those that they translate, objects within objects included.
fn uneven(original: Value<'_>, translated: Value<'_>, wrong: &mut Vec<usize>, budget: &mut usize) {
    use crate::json::Kind;
    match (original.kind(), translated.kind()) {
        (Kind::Array, Kind::Array) if original.len() != translated.len() => wrong.push(translated.span().start),
        (Kind::Array, Kind::Array) => {
            for (one, two) in original.items().zip(translated.items()) {
                uneven(one, two, wrong, budget);
            }
        }
        (Kind::Object, Kind::Object) => {
            for (key, two) in translated.entries() {
                if let Some(one) = look_up(original, &key.as_str(), budget) {
                    uneven(one, two, wrong, budget);
                }
            }
        }
        _ => {}
    }
}

/// A member by its name, as long as the budget lasts.
fn look_up<'t>(object: Value<'t>, name: &str, budget: &mut usize) -> Option<Value<'t>> {
    *budget = budget.checked_sub(object.len())?;
    object.get(name)
}
