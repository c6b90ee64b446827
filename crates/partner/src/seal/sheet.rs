//! All seals of one tree together: for whoever gets all objects of it at once, and need not be told of each of them how it
//! leads to the root.
//!
//! A sheet lists the leaves of the tree, each behind the first bytes of the digest of its object, and tells what else was
//! drawn for the tree. So it proves of each object that is on it what the object's own seal proves, and whoever holds it can
//! make that seal. It is for its reader alone, and is not handed on: out of it one could find what else is in the tree.

use super::tree::{self, Drawn, SEALS, Way};
use super::wire::{Words, bytes, is_ours, limits_of, text_of};
use super::{Content, HASH};
use crate::key::{KeyId, Keys, SIGNATURE};
use crate::signed::{EXTENSION, Error, Kind, LIMITS, NO_TIME};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use stix::json::{self, Tape};

/// Bytes of a digest by which an object is looked for on a sheet.
const TAG: usize = 8;
/// Limits that stand on a sheet, in bytes of their canonical form. They are hashed once for each object and each leaf that may
/// be its own, and kept with each seal that is made out of the sheet.
pub const MOST_LIMITS: usize = 4 << 10;
/// A sheet that is longer is not read: whatever limits of that length, spaces among them, and all leaves take is less.
const LONGEST: usize = 16 << 10;
/// Bytes of one entry: the tag and the leaf.
const ENTRY: usize = TAG + HASH;

/// The seals of one tree. Whose they are, and whether they hold, is not known before [`super::verify_on`].
#[derive(Clone, Eq, PartialEq)]
pub struct Sheet {
    key: KeyId,
    /// The limits beside the markings in their canonical form; empty: none.
    limits: Vec<u8>,
    handling: Option<Arc<Value>>,
    drawn: Drawn,
    tags: Vec<[u8; TAG]>,
    leaves: Vec<[u8; HASH]>,
    root: [u8; HASH],
    message: Vec<u8>,
    signature: [u8; SIGNATURE],
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sheet({} seals by {})", self.leaves.len(), self.key)
    }
}

/// An object that was found on a sheet: the sheet says that it was sealed.
#[derive(Clone, Debug)]
pub struct On {
    sheet: Arc<Sheet>,
    digest: [u8; HASH],
}

impl On {
    pub(super) fn sheet(&self) -> &Arc<Sheet> {
        &self.sheet
    }

    pub(super) fn digest(&self) -> &[u8; HASH] {
        &self.digest
    }
}

impl Sheet {
    /// Seals at most [`super::TOGETHER`] objects with one signature; what is beyond is left out. `reader`: for whom, as
    /// [`super::seal_all`] has it. `handling`: at most [`MOST_LIMITS`] bytes, or nobody reads the sheet.
    #[must_use]
    pub fn of(objects: &[Content], handling: Option<&Value>, reader: &str, keys: &Keys) -> Self {
        let objects = objects.get(..SEALS).unwrap_or(objects);
        let limits = handling.map(crate::signed::canonical_value).unwrap_or_default();
        let key = keys.public().id();
        let mut about: Vec<&[u8]> = vec![reader.as_bytes(), key.as_str().as_bytes(), &limits];
        about.extend(objects.iter().flat_map(|object| [object.id().as_bytes(), object.digest()]));
        let drawn = Drawn::new(keys, &about);
        let mut said = Vec::with_capacity(512);
        let leaf = |(number, object)| leaf_of(number, object, &limits, &key, &drawn, &mut said);
        let leaves: Vec<_> = objects.iter().enumerate().map(leaf).collect();
        let root = tree::root_over(&leaves, &drawn);
        let message = tree::message(&root, SEALS as u64);
        let signature = keys.sign(&message);
        let (tags, handling) = (objects.iter().map(tag).collect(), handling.cloned().map(Arc::new));
        Self { key, limits, handling, drawn, tags, leaves, root, message, signature }
    }

    /// As it is written: a statement of the form of a STIX object, for whoever gets all its objects.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let entries: Vec<u8> =
            self.tags.iter().zip(&self.leaves).flat_map(|(tag, leaf)| tag.iter().chain(leaf)).copied().collect();
        let mut out = Vec::with_capacity(1_024 + entries.len() * 4 / 3);
        out.extend_from_slice(format!(r#"{{"created":"{NO_TIME}","drawn":""#).as_bytes());
        out.extend_from_slice(URL_SAFE_NO_PAD.encode(self.drawn.tell()).as_bytes());
        out.extend_from_slice(format!(r#"","extensions":{{"{EXTENSION}":{{"extension_type":"new-sdo"}}}}"#).as_bytes());
        if !self.limits.is_empty() {
            out.extend_from_slice(b",\"handling\":");
            out.extend_from_slice(&self.limits);
        }
        let (id, key) = (self.id(), self.key.as_str());
        out.extend_from_slice(format!(r#","id":"{id}","key":"{key}","leaves":""#).as_bytes());
        out.extend_from_slice(URL_SAFE_NO_PAD.encode(entries).as_bytes());
        out.extend_from_slice(format!(r#"","modified":"{NO_TIME}","signature":""#).as_bytes());
        out.extend_from_slice(URL_SAFE_NO_PAD.encode(self.signature).as_bytes());
        out.extend_from_slice(br#"","spec_version":"2.1","type":"marsad-seals"}"#);
        out
    }

    /// Its id follows from the root, and so from everything that is sealed.
    fn id(&self) -> String {
        let hash = Sha256::new().chain_update(b"marsad seals id 1\n").chain_update(self.root).finalize();
        let half = hash.first_chunk::<16>().copied().unwrap_or_default();
        format!("{}--{}", Kind::Seals.object_type(), uuid::Builder::from_sha1_bytes(half).into_uuid())
    }

    /// `None`: it is something else.
    fn read(value: json::Value<'_>) -> Option<Result<Self, Error>> {
        let is = value.get("type")?.as_str()?;
        (is == Kind::Seals.object_type()).then(|| {
            if value.text().len() > LONGEST {
                return Err(form(format!("it is longer than {LONGEST} bytes")));
            }
            Members::of(value).and_then(Members::sheet)
        })
    }

    /// Reads a sheet, as it came or as it was kept: what is read once is read ever after. `None`: it is something else.
    ///
    /// # Errors
    /// [`Error::Form`].
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Result<Self, Error>> {
        let mut tape = Tape::new();
        Self::read(tape.parse(text, &LIMITS).ok()?)
    }

    /// The key with which it says that it was signed.
    #[must_use]
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// How many seals are on it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    pub(super) fn handling(&self) -> Option<&Arc<Value>> {
        self.handling.as_ref()
    }

    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    pub(super) fn signature(&self) -> &[u8; SIGNATURE] {
        &self.signature
    }

    /// The seals that it stands for.
    #[must_use]
    pub fn ways(self) -> Ways {
        let ways = tree::ways(&self.leaves, &self.drawn);
        Ways { ways, signature: URL_SAFE_NO_PAD.encode(self.signature), sheet: self }
    }

    /// Whether the seal with this number is one of this object.
    fn is_of(&self, number: usize, object: &Content, said: &mut Vec<u8>) -> bool {
        let listed = self.leaves.get(number);
        listed.is_some()
            // What has no readable name has no seal that could be read.
            && stix::id::Id::parse(object.id()).is_ok()
            && object.version().is_none_or(|at| stix::timestamp::Timestamp::parse(at).is_ok())
            && listed == Some(&leaf_of(number, object, &self.limits, &self.key, &self.drawn, said))
    }
}

/// The hash of what the seal of an object says.
fn leaf_of(
    number: usize,
    object: &Content,
    limits: &[u8],
    key: &KeyId,
    drawn: &Drawn,
    said: &mut Vec<u8>,
) -> [u8; HASH] {
    said.clear();
    words(object, text_of(object.digest(), &mut [0; DIGEST]), limits, key).said(said);
    tree::leaf(&drawn.salt(number), said)
}

/// Characters of a digest.
const DIGEST: usize = (HASH * 4).div_ceil(3);

fn words<'w>(object: &'w Content, digest: &'w str, limits: &'w [u8], key: &'w KeyId) -> Words<'w> {
    let (at, object_ref) = (object.version().unwrap_or(NO_TIME), object.id());
    Words { at, digest, handling: limits, key: key.as_str(), object_ref }
}

fn tag(object: &Content) -> [u8; TAG] {
    object.digest().first_chunk().copied().unwrap_or_default()
}

/// How the seals of a sheet lead to its root: what each of them carries when it stands alone.
pub struct Ways {
    sheet: Sheet,
    ways: Vec<Way>,
    signature: String,
}

impl Ways {
    /// The seal of an object, which stands alone; `None`: the object is not on the sheet.
    #[must_use]
    pub fn seal_of(&self, object: &Content) -> Option<Vec<u8>> {
        let (wanted, mut said) = (tag(object), Vec::with_capacity(512));
        let mut found = self.sheet.tags.iter().zip(0..).filter(|(tag, _)| **tag == wanted);
        let (_, number) = found.find(|(_, number)| self.sheet.is_of(*number, object, &mut said))?;
        Some(self.seal(number, object))
    }

    /// The seal of the object with this number.
    pub(super) fn seal(&self, number: usize, object: &Content) -> Vec<u8> {
        let Sheet { key, limits, drawn, root, leaves, .. } = &self.sheet;
        let (Some(leaf), Some((place, way))) = (leaves.get(number), self.ways.get(number)) else { return Vec::new() };
        let mut digest = [0; DIGEST];
        let words = words(object, text_of(object.digest(), &mut digest), limits, key);
        words.batched(leaf, &drawn.salt(number), (*place, way), root, &self.signature)
    }
}

/// The sheets of a page.
#[derive(Debug, Default)]
pub struct Sheets {
    sheets: Vec<Arc<Sheet>>,
    /// Of each tag the sheet and the number on it that came first.
    places: HashMap<[u8; TAG], (usize, usize)>,
    /// Those that came after it.
    more: HashMap<[u8; TAG], Vec<(usize, usize)>>,
}

/// Further seals that are looked at for one object: more are a flood.
const MOST: usize = 8;

impl Sheets {
    /// Adds a sheet. Returns which it is.
    pub fn push(&mut self, sheet: Sheet) -> usize {
        let place = self.sheets.len();
        for (number, tag) in sheet.tags.iter().enumerate() {
            match self.places.entry(*tag) {
                std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert((place, number))),
                std::collections::hash_map::Entry::Occupied(_) => {
                    self.more.entry(*tag).or_default().push((place, number));
                }
            }
        }
        self.sheets.push(Arc::new(sheet));
        place
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sheets.is_empty()
    }

    /// Tells the sheets on which an object is, each with which it is. `said` is memory that is used again.
    pub fn find(&self, object: &Content, said: &mut Vec<u8>, found: &mut dyn FnMut(On, usize)) {
        let tag = tag(object);
        let Some(first) = self.places.get(&tag) else { return };
        let more = self.more.get(&tag).into_iter().flatten().take(MOST);
        for (place, number) in std::iter::once(first).chain(more).copied() {
            if let Some(sheet) = self.sheets.get(place).filter(|sheet| sheet.is_of(number, object, said)) {
                found(On { sheet: Arc::clone(sheet), digest: *object.digest() }, place);
            }
        }
    }
}

/// The members of a sheet as they stand there.
#[derive(Default)]
struct Members<'t> {
    created: Option<Cow<'t, str>>,
    drawn: Option<Cow<'t, str>>,
    extensions: Option<json::Value<'t>>,
    handling: Option<json::Value<'t>>,
    id: Option<Cow<'t, str>>,
    key: Option<Cow<'t, str>>,
    leaves: Option<Cow<'t, str>>,
    modified: Option<Cow<'t, str>>,
    signature: Option<Cow<'t, str>>,
    spec_version: Option<Cow<'t, str>>,
}

fn form(message: impl Into<String>) -> Error {
    Error::Form { kind: Kind::Seals.object_type(), message: message.into() }
}

impl<'t> Members<'t> {
    fn of(value: json::Value<'t>) -> Result<Self, Error> {
        let mut members = Self::default();
        for (name, value) in value.entries() {
            let slot = match name.as_str().as_ref() {
                "type" => continue,
                "extensions" => {
                    members.extensions = Some(value);
                    continue;
                }
                "handling" => {
                    members.handling = Some(value);
                    continue;
                }
                "created" => &mut members.created,
                "drawn" => &mut members.drawn,
                "id" => &mut members.id,
                "key" => &mut members.key,
                "leaves" => &mut members.leaves,
                "modified" => &mut members.modified,
                "signature" => &mut members.signature,
                "spec_version" => &mut members.spec_version,
                name => return Err(form(format!("it has the unknown property `{}`", name.escape_debug()))),
            };
            *slot = value.as_str();
        }
        Ok(members)
    }

    fn sheet(self) -> Result<Sheet, Error> {
        let wrong = |what: &'static str| move || form(what);
        if self.spec_version.as_deref() != Some("2.1") {
            return Err(form("its `spec_version` is not 2.1"));
        }
        if self.created.as_deref() != Some(NO_TIME) || self.modified.as_deref() != Some(NO_TIME) {
            return Err(form("its `created` and `modified` are not those of what has no time"));
        }
        if !self.extensions.is_some_and(is_ours) {
            return Err(form("its `extensions` do not name the one that it is of"));
        }
        let key = self.key.as_deref().and_then(KeyId::read).ok_or_else(wrong("it names no key"))?;
        let signature = self.signature.as_deref().and_then(bytes::<SIGNATURE>);
        let signature = signature.ok_or_else(wrong("it has no signature"))?;
        let drawn = self.drawn.as_deref().and_then(bytes::<HASH>).map(Drawn::told);
        let drawn = drawn.ok_or_else(wrong("`drawn` is 32 bytes in base64url"))?;
        let (limits, handling) = limits_of(self.handling).map_err(form)?;
        if limits.len() > MOST_LIMITS {
            return Err(form(format!("its `handling` takes more than {MOST_LIMITS} bytes")));
        }
        let mut room = [0; SEALS * ENTRY];
        let entries = self.leaves.and_then(|text| URL_SAFE_NO_PAD.decode_slice(text.as_ref(), &mut room).ok());
        let entries = entries.and_then(|written| room.get(..written)).map(<[u8]>::as_chunks::<ENTRY>);
        let entries = entries.filter(|(entries, rest)| rest.is_empty() && !entries.is_empty());
        let (entries, _) = entries.ok_or_else(wrong("`leaves` are 1 to 64 entries of 40 bytes in base64url"))?;
        let tags = entries.iter().filter_map(|entry| entry.first_chunk().copied()).collect();
        let leaves: Vec<[u8; HASH]> = entries.iter().filter_map(|entry| entry.last_chunk().copied()).collect();
        let root = tree::root_over(&leaves, &drawn);
        let message = tree::message(&root, SEALS as u64);
        let sheet = Sheet { key, limits, handling, drawn, tags, leaves, root, message, signature };
        if self.id.as_deref() != Some(&*sheet.id()) {
            return Err(form("its id does not follow from what it says"));
        }
        Ok(sheet)
    }
}
