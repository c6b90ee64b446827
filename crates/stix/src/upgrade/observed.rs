//! Observed data: from a container of observables to observables of their own. STIX 2.1 §4.14, §6.
//!
//! An observable that stood in a container was marked as the container was, and must not lose that: it takes over the
//! markings of the observed-data, and the granular ones that were about it.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeSet, HashMap},
};

use uuid::Uuid;

use super::{Fate, Sink, marks, object::Members, observable};
use crate::{
    id::Id,
    json::{Kind, Limits, Tape, Value},
    object_type, rewrite, sco_id, selector,
};

/// The namespace from which ids are derived that must not tell of their contents: version 4 in form, so that nobody
/// takes them for ids of the standard's recipe, but always the same for the same source.
const SEED: Uuid = Uuid::from_u128(0x6f0e_33d5_2c8b_4f5e_9d0a_51c7_7a84_be12);

/// A container whose observables can stand alone.
pub(super) struct Split<'t> {
    entries: Vec<Entry<'t>>,
    /// Index of an entry by its key.
    keys: HashMap<Cow<'t, str>, usize>,
    ids: Vec<Option<String>>,
    /// Index of the first entry with an id.
    owners: HashMap<String, usize>,
    /// Files known only as the image of a process: their ids and names as JSON.
    files: RefCell<Vec<(String, Vec<u8>)>>,
    seed: Uuid,
}

struct Entry<'t> {
    key: Cow<'t, str>,
    object_type: Cow<'t, str>,
    value: Value<'t>,
}

/// Splits a container; `None` with a note if an observable of it cannot stand alone, so that the container has to stay,
/// as STIX 2.1 still allows (§4.14).
pub(super) fn split<'t>(container: &Value<'t>, members: &Members<'t>, sink: &mut Sink) -> Option<Split<'t>> {
    match read(container, members) {
        Ok(mut split) => {
            split.assign();
            Some(split)
        }
        Err(reason) => {
            sink.note(&members.id, "objects", Fate::Kept, format!("the deprecated container stays: {reason}"));
            None
        }
    }
}

fn read<'t>(container: &Value<'t>, members: &Members<'t>) -> Result<Split<'t>, String> {
    if container.kind() != Kind::Object || container.is_empty() {
        return Err("it is no dictionary of observables".into());
    }
    if members.object_refs {
        return Err("the object has `object_refs` too".into());
    }
    let seed = Uuid::new_v5(&SEED, &[members.id.as_bytes(), b"\n", container.text()].concat());
    let mut split = Split {
        entries: Vec::new(),
        keys: HashMap::new(),
        ids: Vec::new(),
        owners: HashMap::new(),
        files: RefCell::default(),
        seed,
    };
    for (key, value) in container.entries() {
        let key = key.as_str();
        let object_type = value.get("type").and_then(|found| found.as_str()).unwrap_or_default();
        if !object_type::is_well_formed(&object_type) || object_type.ends_with('-') {
            return Err(format!("`{key}` has no type that an id could begin with"));
        }
        let own = ["id", "spec_version", "object_marking_refs", "granular_markings"];
        if let Some(name) = own.iter().find(|name| value.get(name).is_some()) {
            return Err(format!("`{key}` has a property `{name}` of its own"));
        }
        if key.contains('.') && members.granular.is_some() {
            return Err(format!("selectors cannot tell `{key}` from what is within it"));
        }
        split.keys.insert(key.clone(), split.entries.len());
        split.entries.push(Entry { key, object_type, value });
    }
    for entry in &split.entries {
        if let Some(dangling) = references(&entry.value).into_iter().find(|key| !split.is_known(key)) {
            return Err(format!("`{}` refers to `{dangling}`, which the container does not have", entry.key));
        }
    }
    split.ids = vec![None; split.entries.len()];
    Ok(split)
}

/// The keys to which an observable refers, in all its depth.
fn references<'t>(value: &Value<'t>) -> Vec<Cow<'t, str>> {
    let mut found = Vec::new();
    for (key, value) in value.entries() {
        let name = key.as_str();
        match value.kind() {
            Kind::String if name.ends_with("_ref") => found.extend(value.as_str()),
            Kind::Array if name.ends_with("_refs") => found.extend(value.items().filter_map(|item| item.as_str())),
            _ => found.extend(references(&value)),
        }
    }
    found.extend(value.items().flat_map(|item| references(&item)));
    found
}

impl<'t> Split<'t> {
    fn is_known(&self, key: &str) -> bool {
        self.keys.contains_key(key) || Id::parse(key).is_ok()
    }

    /// Gives every observable its id: first those of which others' ids are made.
    fn assign(&mut self) {
        let mut waiting = vec![false; self.entries.len()];
        let mut stack: Vec<usize> = (0..self.entries.len()).rev().collect();
        while let Some(at) = stack.pop() {
            if self.ids.get(at).is_none_or(Option::is_some) {
                continue;
            }
            let first_visit = waiting.get_mut(at).is_some_and(|waits| !std::mem::replace(waits, true));
            let missing: Vec<usize> = if first_visit { self.needs(at) } else { Vec::new() };
            if missing.is_empty() {
                let id = self.id_of(at);
                self.owners.entry(id.clone()).or_insert(at);
                if let Some(slot) = self.ids.get_mut(at) {
                    *slot = Some(id);
                }
            } else {
                stack.push(at);
                stack.extend(missing);
            }
        }
    }

    /// The observables without an id yet of whose ids this one's is made.
    fn needs(&self, at: usize) -> Vec<usize> {
        let Some(entry) = self.entries.get(at) else { return Vec::new() };
        let names = sco_id::contributing(&entry.object_type).unwrap_or_default();
        let mut keys = Vec::new();
        for (name, value) in names.iter().filter_map(|name| Some((*name, entry.value.get(name)?))) {
            if name.ends_with("_ref") {
                keys.extend(value.as_str());
            } else {
                keys.extend(references(&value));
            }
        }
        let known = keys.iter().filter_map(|key| self.keys.get(key.as_ref()).copied());
        known.filter(|other| self.ids.get(*other).is_some_and(Option::is_none)).collect()
    }

    /// The id of an observable whose needs are met. Where they cannot be, since observables refer to one another in a
    /// circle, and where the recipe gives none, the id is derived from the source. One that an observable with other
    /// contents has already is not given twice.
    fn id_of(&self, at: usize) -> String {
        let Some(entry) = self.entries.get(at) else { return String::new() };
        let mut text = Vec::new();
        self.write(at, None, &[], &mut text);
        let open = !self.needs(at).is_empty();
        let mut tape = Tape::new();
        let uuid = tape.parse(&text, &Limits::default()).ok().and_then(|value| sco_id::deterministic(&value));
        let id = uuid.filter(|_| !open).map(|uuid| format!("{}--{uuid}", entry.object_type));
        let taken = |id: &String| {
            let other = self.owners.get(id).and_then(|other| self.entries.get(*other));
            other.is_some_and(|other| other.value.text() != entry.value.text())
        };
        id.filter(|id| !taken(id)).unwrap_or_else(|| {
            let random = Uuid::new_v5(&self.seed, entry.key.as_bytes()).into_bytes();
            format!("{}--{}", entry.object_type, uuid::Builder::from_random_bytes(random).into_uuid())
        })
    }

    /// Writes an observable, and tells what was lost; files that it makes necessary are remembered.
    fn write(
        &self,
        at: usize,
        id: Option<&str>,
        tail: &[(&str, Vec<u8>)],
        out: &mut Vec<u8>,
    ) -> Vec<(String, bool, String)> {
        let Some(entry) = self.entries.get(at) else { return Vec::new() };
        let resolve = |key: &str| self.ids.get(*self.keys.get(key)?)?.clone();
        let mut context = observable::Context {
            resolve: &resolve,
            file_named: &|name| file_id(name.text()),
            notes: Vec::new(),
            image: None,
        };
        observable::write(&entry.value, &entry.object_type, id, tail, &mut context, out);
        if let (Some(name), true) = (context.image, id.is_some()) {
            self.files.borrow_mut().push((file_id(&name), name));
        }
        context.notes
    }

    /// The ids of all observables in the order of the container, each once, and of the files made for processes.
    pub(super) fn write_refs(&self, out: &mut Vec<u8>) {
        let mut once = BTreeSet::new();
        let own = self.ids.iter().flatten().cloned();
        let names = self
            .entries
            .iter()
            .filter(|entry| entry.object_type == "process")
            .filter_map(|entry| image_name(&entry.value));
        let files = names.map(|name| file_id(name.text()));
        let all = own.chain(files).filter(|id| once.insert(id.clone()));
        rewrite::write_all(out, all, |out, id| rewrite::write_string(out, &id));
    }
}

/// The name by which alone the image of a process is known.
fn image_name<'t>(process: &Value<'t>) -> Option<Value<'t>> {
    let name = process.get("name").filter(|name| name.kind() == Kind::String)?;
    (process.get("binary_ref").is_none() && process.get("image_ref").is_none()).then_some(name)
}

/// The id of a file that has only a name, given as JSON.
fn file_id(name: &[u8]) -> String {
    let text = [br#"{"type":"file","name":"#, name, b"}"].concat();
    let mut tape = Tape::new();
    let uuid = tape.parse(&text, &Limits::default()).ok().and_then(|value| sco_id::deterministic(&value));
    format!("file--{}", uuid.unwrap_or_default())
}

/// Writes the observables to the sink, each once, marked as they were in the container.
pub(super) fn write(split: &Split<'_>, members: &Members<'_>, sink: &mut Sink) {
    let marks = marks::Marks::of(members.granular.as_ref());
    let own = members.marking_refs.iter().flat_map(Value::items).filter_map(|id| id.as_str().map(String::from));
    let whole: BTreeSet<String> = own.chain(marks.all().cloned()).collect();
    for (at, entry) in split.entries.iter().enumerate() {
        let Some(Some(id)) = split.ids.get(at) else { continue };
        let mut text = Vec::new();
        for (property, gone, detail) in split.write(at, Some(id), &[], &mut text) {
            let fate = if gone { Fate::Dropped } else { Fate::Changed };
            sink.note(&members.id, format!("objects.{}.{property}", entry.key), fate, detail);
        }
        let tail = markings(&text, entry, &whole, marks.under(&entry.key));
        text.clear();
        split.write(at, Some(id), &tail, &mut text);
        emit(id, &text, members, sink);
        for (file, name) in split.files.take() {
            let ids: BTreeSet<&String> = whole.iter().chain(marks.under(&entry.key).iter().map(|(id, _)| id)).collect();
            let mut text = format!(r#"{{"type":"file","spec_version":"2.1","id":"{file}","name":"#).into_bytes();
            text.extend_from_slice(&name);
            if !ids.is_empty() {
                text.extend_from_slice(br#","object_marking_refs":"#);
                rewrite::write_all(&mut text, ids, |out, id| rewrite::write_string(out, id));
            }
            text.push(b'}');
            emit(&file, &text, members, sink);
        }
    }
}

/// Writes an observable unless the very same was written before.
fn emit(id: &str, text: &[u8], members: &Members<'_>, sink: &mut Sink) {
    let before = sink.seen.get(id).and_then(|range| sink.out.get(range.clone()));
    match before {
        Some(before) if before == text => return,
        Some(_) => {
            let detail = format!("{id} is written again with other contents or markings");
            sink.note(&members.id, "objects", Fate::Kept, detail);
        }
        None => {}
    }
    let out = sink.begin();
    let start = out.len();
    out.extend_from_slice(text);
    let end = out.len();
    sink.seen.insert(id.to_owned(), start..end);
    sink.end();
}

/// Granular markings of one observable beyond which they are not looked at one by one.
const MANY_MARKS: usize = 1000;

/// The marking properties of an observable: those of all the container, and granular ones where the part can still be
/// named; where it cannot, the whole observable is marked, which is the stricter reading.
fn markings(
    text: &[u8],
    entry: &Entry<'_>,
    whole: &BTreeSet<String>,
    marks: &[(String, String)],
) -> Vec<(&'static str, Vec<u8>)> {
    let mut ids: BTreeSet<&String> = whole.iter().collect();
    let mut parts: Vec<(&String, String)> = Vec::new();
    let mut tape = Tape::new();
    let written = tape.parse(text, &Limits::default()).ok();
    // To look up each of very many parts would take too long: then the whole is marked.
    let few = marks.len() <= MANY_MARKS;
    for (id, part) in marks {
        let part = observable::repoint(&entry.object_type, part).filter(|part| {
            few && !part.is_empty() && written.is_some_and(|written| selector::resolve(written, part).is_some())
        });
        match part {
            Some(part) => parts.push((id, part)),
            None => drop(ids.insert(id)),
        }
    }
    let mut tail = Vec::new();
    if !ids.is_empty() {
        let mut json = Vec::new();
        rewrite::write_all(&mut json, &ids, |out, id| rewrite::write_string(out, id));
        tail.push(("object_marking_refs", json));
    }
    if !parts.is_empty() {
        let mut json = Vec::new();
        rewrite::write_all(&mut json, &parts, |out, (id, part)| {
            out.extend_from_slice(br#"{"marking_ref":"#);
            rewrite::write_string(out, id);
            out.extend_from_slice(br#","selectors":["#);
            rewrite::write_string(out, part);
            out.extend_from_slice(b"]}");
        });
        tail.push(("granular_markings", json));
    }
    tail
}
