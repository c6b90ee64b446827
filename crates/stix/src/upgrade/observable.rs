//! One observable: what STIX 2.1 calls otherwise or has no place for. STIX 2.1 §6.

use std::borrow::Cow;

use crate::{
    json::{Key, Kind, Value},
    object_type,
    rewrite::{self, Rewriter},
};

/// What an observable needs to know of its surroundings, and what it tells of itself.
pub(super) struct Context<'c> {
    /// The id of the observable under a key of the container; `None` where the reference is no such key.
    pub(super) resolve: &'c dyn Fn(&str) -> Option<String>,
    /// The id of a file that has only a name.
    pub(super) file_named: &'c dyn Fn(&Value<'_>) -> String,
    /// What was lost or changed: the property within the observable, whether it is lost, and why.
    pub(super) notes: Vec<(String, bool, String)>,
    /// A process by whose name alone its image is known: the file is to be made.
    pub(super) image: Option<Vec<u8>>,
}

impl Context<'_> {
    /// Remembers that a property goes, why, and what it said.
    fn lose(&mut self, property: &str, reason: &str, value: &Value<'_>) {
        self.notes.push((property.to_owned(), true, format!("{reason}: {}", String::from_utf8_lossy(value.text()))));
    }
}

/// Where in an observable a value stands, as far as rules depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place<'p> {
    /// At the top of an observable of this type.
    Top(&'p str),
    /// The dictionary of extensions.
    Extensions,
    /// The extension of this name.
    Extension(&'p str),
    /// A dictionary of header fields, whose values are lists in STIX 2.1 (§6.6, §6.12.2).
    Headers,
    /// A dictionary of hashes.
    Hashes,
    /// Anywhere else.
    Within,
}

/// What becomes of a member.
enum Step {
    Keep,
    Rename(Cow<'static, str>),
    Drop(&'static str),
}

/// Writes an observable of a container as one of STIX 2.1: renamed, its references resolved; with `id` and `tail`
/// (further members, as `name` and JSON), or without both if only its contents are wanted.
pub(super) fn write(
    entry: &Value<'_>,
    object_type: &str,
    id: Option<&str>,
    tail: &[(&str, Vec<u8>)],
    context: &mut Context<'_>,
    out: &mut Vec<u8>,
) {
    let process = if object_type == "process" { Process::of(entry) } else { Process::default() };
    let mut rewriter = Rewriter::new(entry, out);
    for (key, value) in entry.entries() {
        let name = key.as_str();
        if name == "type" {
            rewriter.keep(&key, &value);
            rewriter.add("spec_version", |out| rewrite::write_plain(out, "2.1"));
            if let Some(id) = id {
                rewriter.add("id", |out| rewrite::write_string(out, id));
            }
        } else if process.replaces(&name) {
            rewriter.drop(&value);
        } else if name == "extensions"
            && value.len() == 1
            && value.entries().all(|(key, value)| is_bare_pe(&key.as_str(), &value))
        {
            // A dictionary may not be empty (§2.3), so it goes with its only member.
            context.lose("extensions.windows-pebinary-ext", BARE_PE, &value);
            rewriter.drop(&value);
        } else {
            member(&mut rewriter, entry, &key, &value, Place::Top(object_type), context);
        }
    }
    process.finish(&mut rewriter, context);
    for (name, json) in tail {
        rewriter.add(name, |out| out.extend_from_slice(json));
    }
    rewriter.finish();
}

/// Name and arguments of a process, which STIX 2.1 says by its image and its command line. STIX 2.1 §6.13.
#[derive(Default)]
struct Process<'t> {
    name: Option<Value<'t>>,
    arguments: Option<Value<'t>>,
    image: bool,
    command_line: bool,
}

impl<'t> Process<'t> {
    fn of(entry: &Value<'t>) -> Self {
        let image = entry.get("binary_ref").is_some() || entry.get("image_ref").is_some();
        let name = entry.get("name").filter(|name| name.kind() == Kind::String);
        let texts =
            |list: &Value<'t>| list.kind() == Kind::Array && list.items().all(|item| item.kind() == Kind::String);
        let arguments = entry.get("arguments").filter(texts);
        Self { name, arguments, image, command_line: entry.get("command_line").is_some() }
    }

    fn replaces(&self, name: &str) -> bool {
        (name == "name" && self.name.is_some()) || (name == "arguments" && self.arguments.is_some())
    }

    fn finish(&self, rewriter: &mut Rewriter<'_, '_>, context: &mut Context<'_>) {
        if let Some(name) = &self.name {
            if self.image {
                context.lose("name", "the process has an image, which has a name of its own", name);
            } else {
                let file = (context.file_named)(name);
                rewriter.add("image_ref", |out| rewrite::write_string(out, &file));
                context.image = Some(name.text().to_vec());
                context.notes.push(("name".into(), false, "said by `image_ref`, a file of that name".into()));
            }
        }
        if let Some(arguments) = &self.arguments {
            if self.command_line {
                context.lose("arguments", "the process has a `command_line`", arguments);
            } else {
                let words: Vec<_> =
                    self.name.iter().copied().chain(arguments.items()).filter_map(|word| word.as_str()).collect();
                rewriter.add("command_line", |out| rewrite::write_string(out, &words.join(" ")));
                context.notes.push(("arguments".into(), false, "said by `command_line`, joined by blanks".into()));
            }
        }
    }
}

/// Writes one member of an object, `whole`, within an observable.
fn member(
    rewriter: &mut Rewriter<'_, '_>,
    whole: &Value<'_>,
    key: &Key<'_>,
    value: &Value<'_>,
    place: Place<'_>,
    context: &mut Context<'_>,
) {
    let name = &*key.as_str();
    let path = match place {
        Place::Extension(extension) => format!("extensions.{extension}.{name}"),
        Place::Extensions => format!("extensions.{name}"),
        _ => name.to_owned(),
    };
    if place == Place::Extensions && is_bare_pe(name, value) {
        context.lose(&path, BARE_PE, value);
        return rewriter.drop(value);
    }
    match step(place, name) {
        Step::Drop(reason) => {
            context.lose(&path, reason, value);
            rewriter.drop(value);
        }
        Step::Rename(new) if whole.get(&new).is_some() => {
            context.lose(&path, &format!("there is `{new}` already, as STIX 2.1 calls it"), value);
            rewriter.drop(value);
        }
        Step::Rename(new) => {
            if place == Place::Extensions {
                context.notes.push((path, false, format!("called `{new}`: names of extensions end in `-ext`")));
            }
            rewriter.rename_with(key, value, &new, |out| content(value, place, name, context, out));
        }
        Step::Keep => rewriter.replace(key, value, |out| content(value, place, name, context, out)),
    }
}

const BARE_PE: &str = "STIX 2.1 demands another property beside `pe_type`";

/// Whether an extension of a portable executable says its `pe_type` alone. STIX 2.1 §6.7.6.
fn is_bare_pe(name: &str, value: &Value<'_>) -> bool {
    name == "windows-pebinary-ext" && value.len() == 1 && value.get("pe_type").is_some()
}

/// Writes the value of a member.
fn content(value: &Value<'_>, place: Place<'_>, name: &str, context: &mut Context<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::String if name.ends_with("_ref") => reference(value, context, out),
        Kind::Array if name.ends_with("_refs") => {
            elements(value, out, |item, out| reference(item, context, out));
        }
        Kind::String if place == Place::Headers => {
            out.push(b'[');
            out.extend_from_slice(value.text());
            out.push(b']');
        }
        Kind::String if place == Place::Top("user-account") && name == "account_type" => match value.raw_str() {
            Some("windows local") => rewrite::write_plain(out, "windows-local"),
            Some("windows domain") => rewrite::write_plain(out, "windows-domain"),
            _ => out.extend_from_slice(value.text()),
        },
        _ => nested(value, inner(place, name), context, out),
    }
}

/// Writes a value that may have observables' rules inside.
fn nested(value: &Value<'_>, place: Place<'_>, context: &mut Context<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Object => {
            let (whole, mut rewriter) = (value, Rewriter::new(value, out));
            for (key, value) in value.entries() {
                member(&mut rewriter, whole, &key, &value, place, context);
            }
            rewriter.finish();
        }
        Kind::Array => elements(value, out, |item, out| nested(item, Place::Within, context, out)),
        _ => out.extend_from_slice(value.text()),
    }
}

/// Writes an array with its author's white space.
fn elements(array: &Value<'_>, out: &mut Vec<u8>, mut write: impl FnMut(&Value<'_>, &mut Vec<u8>)) {
    let (source, base) = (array.text(), array.span().start);
    let mut passed = 0;
    for item in array.items() {
        out.extend_from_slice(source.get(passed..item.span().start - base).unwrap_or_default());
        write(&item, out);
        passed = item.span().end - base;
    }
    out.extend_from_slice(source.get(passed..).unwrap_or_default());
}

fn reference(value: &Value<'_>, context: &Context<'_>, out: &mut Vec<u8>) {
    match value.as_str().and_then(|key| (context.resolve)(&key)) {
        Some(id) => rewrite::write_string(out, &id),
        None => out.extend_from_slice(value.text()),
    }
}

/// Where the members of a member stand.
fn inner<'p>(place: Place<'_>, name: &'p str) -> Place<'p> {
    match (place, name) {
        (Place::Top(_), "extensions") => Place::Extensions,
        (Place::Top("email-message"), "additional_header_fields") => Place::Headers,
        (Place::Extensions, extension) => Place::Extension(extension),
        (Place::Extension("http-request-ext"), "request_header") => Place::Headers,
        (_, "hashes" | "file_header_hashes") => Place::Hashes,
        _ => Place::Within,
    }
}

/// The differences between observables of STIX 2.0 and 2.1 (§6), and of the names of hashes (§10.7).
fn step(place: Place<'_>, name: &str) -> Step {
    match (place, name) {
        (Place::Top("file" | "directory"), "created") => Step::Rename("ctime".into()),
        (Place::Top("file" | "directory"), "modified") => Step::Rename("mtime".into()),
        (Place::Top("file" | "directory"), "accessed") => Step::Rename("atime".into()),
        (Place::Top("file"), "is_encrypted" | "encryption_algorithm" | "decryption_key") => {
            Step::Drop("STIX 2.1 says encryption of artifacts, not of files")
        }
        (Place::Top("process"), "created") => Step::Rename("created_time".into()),
        (Place::Top("process"), "binary_ref") => Step::Rename("image_ref".into()),
        (Place::Top("windows-registry-key"), "modified") => Step::Rename("modified_time".into()),
        (Place::Top("user-account"), "password_last_changed") => Step::Rename("credential_last_changed".into()),
        (Place::Extension("archive-ext"), "version") => Step::Drop("STIX 2.1 does not say the version of an archive"),
        (Place::Extension("raster-image-ext"), "image_compression_algorithm") => {
            Step::Drop("STIX 2.1 does not say how an image is compressed")
        }
        (Place::Extension("socket-ext"), "protocol_family") => Step::Drop("STIX 2.1 says the address family alone"),
        (Place::Extensions, name) if !has_extension_form(name) => Step::Rename(format!("{name}-ext").into()),
        (Place::Hashes, "ssdeep") => Step::Rename("SSDEEP".into()),
        _ => Step::Keep,
    }
}

/// Whether a key of `extensions` may stay: names of STIX 2.0 need not end in `-ext`, those of 2.1 must (§11.3). What
/// cannot be mended by that ending stays for the validator to find.
fn has_extension_form(name: &str) -> bool {
    name.ends_with("-ext") || name.starts_with("extension-definition--") || !object_type::is_well_formed(name)
}

/// Where a selector within an observable points now; `None` if its property has no like in STIX 2.1.
pub(super) fn repoint(object_type: &str, selector: &str) -> Option<String> {
    let (name, rest) = selector.split_once('.').map_or((selector, None), |(name, rest)| (name, Some(rest)));
    let name = match step(Place::Top(object_type), name) {
        Step::Keep => Cow::Borrowed(name),
        Step::Rename(new) => new,
        Step::Drop(_) => return None,
    };
    Some(rest.map_or_else(|| name.to_string(), |rest| format!("{name}.{rest}")))
}
