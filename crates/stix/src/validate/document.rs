//! Whole documents: a bundle, a TAXII envelope, an object, a list of objects, JSON lines.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use super::bundle::Members;
use super::finding::{self, Finding};
use super::note::{Note, Notes, Pen};
use super::{Code, Severity, Validator, names};
use crate::head::Head;
use crate::id::Id;
use crate::json::{self, Kind as Json, Limits, Nest, Series, Tape};
use crate::schema::Version;

/// Findings of a document that are kept, of each severity; more are counted.
const KEPT: usize = if cfg!(test) { 1_000 } else { 500_000 };
/// Objects of a document that are compared with each other; those after them are judged alone.
const COMPARED: usize = 1 << 20;

/// What came out for a document. Findings are made readable one object at a time, as they are asked for.
#[derive(Debug)]
pub struct Report<'t> {
    text: &'t [u8],
    pub(super) places: Vec<Place>,
    pub(super) notes: Vec<Note>,
    /// Objects that are not JSON, between brackets that match: what follows them was judged.
    unread: Vec<(Spot, json::Error)>,
    /// What ended the reading.
    fatal: Option<json::Error>,
    /// Findings that are kept: errors, warnings.
    kept: (usize, usize),
    objects: usize,
    errors: usize,
    warnings: usize,
    advice: usize,
    strict: bool,
}

/// One judged value of the document and where its notes are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) span: Range<usize>,
    pub(super) notes: Range<usize>,
    pub(super) spot: Spot,
}

/// Where in the document a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// It is the document.
    Whole,
    /// An element of `objects`.
    Member(usize),
    /// An element of a list.
    Element(usize),
    /// A value of JSON lines, counted from 0.
    Line(usize),
}

impl Spot {
    fn path(self) -> String {
        match self {
            Self::Whole => "$".to_owned(),
            Self::Member(index) => format!("$.objects[{index}]"),
            Self::Element(index) | Self::Line(index) => format!("$[{index}]"),
        }
    }
}

impl Report<'_> {
    /// Whether nothing makes the document invalid: no error, and with [`super::Options::strict`] no warning.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.errors == 0 && (!self.strict || self.warnings == self.advice)
    }

    /// STIX objects in the document; a bundle is none.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Errors, those that are not kept included.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Warnings, those that are not kept included.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// The codes of all findings that are kept.
    pub fn codes(&self) -> impl Iterator<Item = Code> {
        let unread = self.unread.iter().map(|_| Code::Json).chain(self.fatal.iter().map(|_| Code::Json));
        self.notes.iter().map(|note| note.code).chain(unread)
    }

    /// Every finding that is kept, object by object; at the end what is not JSON.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        let objects = self.places.iter().flat_map(|place| {
            let notes = self.notes.get(place.notes.clone()).unwrap_or_default();
            let text = self.text.get(place.span.clone()).unwrap_or_default();
            finding::of_object(text, &place.spot.path(), notes, None)
        });
        let unread = self.unread.iter().map(|(spot, error)| (spot.path(), error));
        let unread = unread.chain(self.fatal.iter().map(|error| ("$".to_owned(), error)));
        // They come in order, so that lines are counted once.
        let mut seen = (0, 1, 1);
        objects.chain(unread.map(move |(path, error)| {
            let (from, first, before) = seen;
            let rest = self.text.get(from..).unwrap_or_default();
            let (line, column) = match json::position(rest, error.offset.saturating_sub(from)) {
                (1, column) => (first, before + column - 1),
                (line, column) => (first + line - 1, column),
            };
            seen = (error.offset.max(from), line, column);
            finding::of_fatal(*error, &path, format!("{error} (line {line}, column {column})"))
        }))
    }

    /// Adds findings that were made after the walk.
    pub(super) fn add(&mut self, place: usize, note: Note) {
        match note.code.severity() {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        self.advice += usize::from(note.code.is_advice());
        if !self.has_room(note.code) {
            return;
        }
        let Some(owner) = self.places.get(place) else { return };
        let (span, spot) = (owner.span.clone(), owner.spot);
        self.notes.push(note);
        let notes = self.notes.len() - 1..self.notes.len();
        self.places.push(Place { span, notes, spot });
    }

    /// Counts a finding as kept, if it may be.
    fn has_room(&mut self, code: Code) -> bool {
        let kept = match code.severity() {
            Severity::Error => &mut self.kept.0,
            Severity::Warning => &mut self.kept.1,
        };
        let room = *kept < KEPT;
        *kept += usize::from(room);
        room
    }

    /// Bytes of the document.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// The bytes of a judged value.
    pub(super) fn text_of(&self, place: usize) -> &[u8] {
        self.places.get(place).and_then(|place| self.text.get(place.span.clone())).unwrap_or_default()
    }
}

/// The reading of one document.
struct Reading<'v, 't> {
    validator: &'v mut Validator,
    tape: Tape,
    /// For the objects.
    series: Series,
    /// For what is not an object of its own: names, the members of a bundle.
    small: Limits,
    text: &'t [u8],
    report: Report<'t>,
    members: Members<'t>,
}

/// How far a report had come.
#[derive(Clone, Copy)]
struct Mark {
    places: usize,
    notes: usize,
    unread: usize,
    kept: (usize, usize),
    counts: (usize, usize, usize, usize),
}

/// The members of a bundle besides `objects`.
#[derive(Default)]
struct Envelope {
    /// Names and where their values start.
    names: Vec<(String, usize)>,
    object_type: Option<String>,
    spec: Option<String>,
    /// Where the list `objects` starts.
    objects: Option<usize>,
    /// Whether they were judged as those of a 2.0 bundle.
    older: bool,
}

impl Validator {
    /// Judges a document. A bundle is judged object by object, so its size is not limited; each object's is.
    pub fn document<'t>(&mut self, text: &'t [u8]) -> Report<'t> {
        // Objects are seldom smaller than this: room at once is cheaper than growing, and costs nothing until it is used.
        let expected = text.len() / 1024;
        let report = Report {
            text,
            places: Vec::with_capacity(expected),
            notes: Vec::with_capacity(2 * expected),
            unread: Vec::new(),
            fatal: None,
            kept: (0, 0),
            objects: 0,
            errors: 0,
            warnings: 0,
            advice: 0,
            strict: self.options.strict,
        };
        let tape = mem::take(&mut self.tape);
        let small = self.limits;
        let (series, members) = (Series::default(), Members::default());
        let mut reading = Reading { validator: self, tape, series, small, text, report, members };
        if let Err(error) = reading.values() {
            reading.report.errors += 1;
            reading.report.fatal = Some(error);
        }
        let Reading { validator, tape, mut report, members, .. } = reading;
        validator.tape = tape;
        members.judge(&mut report, validator);
        report
    }
}

impl<'t> Reading<'_, 't> {
    /// The values of the document: one, or one a line.
    fn values(&mut self) -> Result<(), json::Error> {
        // A byte order mark may be there and means nothing (RFC 8259 §8.1).
        let mark = if self.text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut at = skip_white(self.text, mark);
        let mut line = 0;
        loop {
            let next = self.value(at, line)?;
            at = skip_white(self.text, next);
            line += 1;
            if at >= self.text.len() {
                return Ok(());
            }
            if line == 1 && self.text.get(next..at).is_some_and(|gap| !gap.contains(&b'\n')) {
                return Err(json::Error { offset: at, kind: json::ErrorKind::Trailing });
            }
        }
    }

    /// One value at the top, and where it ends.
    fn value(&mut self, at: usize, line: usize) -> Result<usize, json::Error> {
        let whole = if line == 0 { Spot::Whole } else { Spot::Line(line) };
        match self.text.get(at) {
            Some(b'[') => self.list(at, None, Spot::Element),
            Some(b'{') => match self.envelope(at)? {
                Some(end) => Ok(end),
                None => self.judge(at, None, whole),
            },
            _ => self.judge(at, None, whole),
        }
    }

    /// Judges the object at an offset.
    fn judge(&mut self, at: usize, bundle: Option<Version>, spot: Spot) -> Result<usize, json::Error> {
        let (source, span) = match self.series.fill(self.text, at, &self.validator.limits) {
            Ok(filled) => filled,
            Err(error) => return self.unread(at, spot, error),
        };
        let head = self.validator.judge(self.series.value(source, span.start), source, bundle);
        let end = span.end;
        self.keep(span, spot, head);
        Ok(end)
    }

    /// Goes past an object that is not JSON, if its brackets match; if not, nobody knows where the next one starts.
    fn unread(&mut self, at: usize, spot: Spot, error: json::Error) -> Result<usize, json::Error> {
        let rest = self.text.get(at..).unwrap_or_default();
        let nest = rest.first().and_then(|byte| Nest::new(*byte)).filter(|_| !matches!(spot, Spot::Whole));
        let limits = self.validator.limits;
        let part = rest.get(..limits.max_bytes).unwrap_or(rest);
        let end = nest.and_then(|mut nest| nest.end(part, true, limits.max_depth).ok().flatten()).ok_or(error)?;
        self.report.objects += 1;
        self.report.errors += 1;
        if self.report.has_room(Code::Json) {
            self.report.unread.push((spot, error));
        }
        Ok(at + end)
    }

    /// Takes the notes of the value that was just judged.
    fn keep(&mut self, span: Range<usize>, spot: Spot, head: Option<Head<'t>>) {
        let notes: &mut Notes = &mut self.validator.notes;
        self.report.errors += mem::take(&mut notes.errors);
        self.report.warnings += mem::take(&mut notes.warnings);
        self.report.advice += mem::take(&mut notes.advice);
        let first = self.report.notes.len();
        for note in notes.list.drain(..) {
            if self.report.has_room(note.code) {
                self.report.notes.push(note);
            }
        }
        let place = self.report.places.len();
        let compared = matches!(spot, Spot::Member(_)) && head.is_some() && self.members.len() < COMPARED;
        if compared || self.report.notes.len() > first {
            self.report.places.push(Place { span, notes: first..self.report.notes.len(), spot });
        }
        if !matches!(spot, Spot::Whole) || head.as_ref().is_none_or(|head| head.object_type != "bundle") {
            self.report.objects += 1;
        }
        if let Some(head) = head.filter(|_| compared) {
            self.members.add(place, head);
        }
    }

    /// The elements of a list of objects.
    fn list(&mut self, at: usize, bundle: Option<Version>, spot: fn(usize) -> Spot) -> Result<usize, json::Error> {
        let mut at = skip_white(self.text, at + 1);
        if self.text.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
        let mut index = 0;
        loop {
            at = skip_white(self.text, self.judge(at, bundle, spot(index))?);
            index += 1;
            match self.text.get(at) {
                Some(b',') => at = skip_white(self.text, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return Err(json::Error { offset: at, kind: json::ErrorKind::ExpectedCommaOrBracket }),
            }
        }
    }

    /// Reads an object as a bundle or a TAXII envelope; `None` if it is neither.
    fn envelope(&mut self, at: usize) -> Result<Option<usize>, json::Error> {
        let mark = self.mark();
        let mut envelope = Envelope::default();
        let end = self.envelope_members(at, &mut envelope)?;
        let Some(end) = end else { return Ok(None) };
        let bundle = envelope.object_type.as_deref() == Some("bundle");
        if !bundle && (envelope.object_type.is_some() || envelope.objects.is_none()) {
            self.rewind(mark);
            return Ok(None);
        }
        let older = envelope.spec.as_deref() == Some("2.0") && bundle;
        if let Some(objects) = envelope.objects.filter(|_| older && !envelope.older) {
            // The edition came after the objects: judge them again by it.
            self.rewind(mark);
            self.list(objects, Some(Version::V20), Spot::Member)?;
        }
        if bundle {
            self.bundle(at, end, &envelope)?;
        }
        Ok(Some(end))
    }

    /// Where the report is, to come back to.
    fn mark(&self) -> Mark {
        let report = &self.report;
        Mark {
            places: report.places.len(),
            notes: report.notes.len(),
            unread: report.unread.len(),
            kept: report.kept,
            counts: (report.objects, report.errors, report.warnings, report.advice),
        }
    }

    fn rewind(&mut self, mark: Mark) {
        let report = &mut self.report;
        report.places.truncate(mark.places);
        report.notes.truncate(mark.notes);
        report.unread.truncate(mark.unread);
        report.kept = mark.kept;
        (report.objects, report.errors, report.warnings, report.advice) = mark.counts;
        self.members = Members::default();
    }

    /// The members of an object, its `objects` judged on the way; `None` if it cannot be a bundle.
    fn envelope_members(&mut self, at: usize, envelope: &mut Envelope) -> Result<Option<usize>, json::Error> {
        let mut at = skip_white(self.text, at + 1);
        if self.text.get(at) == Some(&b'}') {
            return Ok(None);
        }
        loop {
            let (name, next) = self.string(at)?;
            at = skip_white(self.text, next);
            if self.text.get(at) != Some(&b':') {
                return Err(json::Error { offset: at, kind: json::ErrorKind::ExpectedColon });
            }
            at = skip_white(self.text, at + 1);
            let starts = at;
            if name == "objects" && self.text.get(at) == Some(&b'[') && envelope.objects.is_none() {
                let older = envelope.spec.as_deref() == Some("2.0");
                (envelope.objects, envelope.older) = (Some(at), older);
                let bundle = if older { Version::V20 } else { Version::V21 };
                at = self.list(at, Some(bundle), Spot::Member)?;
            } else {
                let (value, end) = self.tape.parse_at(self.text, at, &self.small)?;
                let text = value.as_str().map(Cow::into_owned);
                match name.as_str() {
                    "type" if text.as_deref() != Some("bundle") => return Ok(None),
                    "type" => envelope.object_type = text,
                    "spec_version" => envelope.spec = text,
                    _ => {}
                }
                at = end;
            }
            if envelope.names.iter().any(|(seen, _)| *seen == name) {
                return Err(json::Error { offset: starts, kind: json::ErrorKind::DuplicateKey });
            }
            if envelope.names.len() >= 100 {
                return Ok(None);
            }
            envelope.names.push((name, starts));
            at = skip_white(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = skip_white(self.text, at + 1),
                Some(b'}') => return Ok(Some(at + 1)),
                _ => return Err(json::Error { offset: at, kind: json::ErrorKind::ExpectedCommaOrBrace }),
            }
        }
    }

    /// Judges the bundle itself, its objects being judged. STIX 2.1 §8.
    fn bundle(&mut self, at: usize, end: usize, envelope: &Envelope) -> Result<(), json::Error> {
        let spoken = if envelope.spec.as_deref() == Some("2.0") { Version::V20 } else { Version::V21 };
        let older = self.validator.options.version.unwrap_or(spoken) == Version::V20;
        let mut notes = mem::take(&mut self.validator.notes);
        let checks = if older { self.validator.older_checks } else { self.validator.checks };
        let mut pen = Pen { notes: &mut notes, checks, base: at };
        let named = |name: &str| envelope.names.iter().find(|(seen, _)| seen == name).map(|(_, at)| *at);
        match named("id") {
            None => pen.note_at(Code::Required, at, "id", "STIX 2.1 §8"),
            Some(at) => {
                let (value, _) = self.tape.parse_at(self.text, at, &self.small)?;
                let text = value.as_str();
                match text.as_deref().map(Id::parse) {
                    None => pen.note_at(Code::WrongKind, at, "a string", "STIX 2.1 §8"),
                    Some(Err(_)) => pen.note_at(Code::IdFormat, at, "", Code::IdFormat.clause()),
                    Some(Ok(id)) if id.object_type() != "bundle" => {
                        pen.note_at(Code::IdPrefix, at, "", Code::IdPrefix.clause())
                    }
                    Some(Ok(id)) if id.uuid_version() != 4 && older => {
                        pen.note_at(Code::IdFormat, at, "2.0", "STIX 2.0 §2.7");
                    }
                    Some(Ok(id)) if id.uuid_version() != 4 => {
                        pen.note_at(Code::UuidCheck, at, "4", Code::UuidCheck.clause())
                    }
                    Some(Ok(_)) => {}
                }
            }
        }
        if let Some(objects) = named("objects") {
            if self.text.get(objects) != Some(&b'[') {
                pen.note_at(Code::WrongKind, objects, "a list", "STIX 2.1 §8");
            } else if self.text.get(skip_white(self.text, objects + 1)) == Some(&b']') {
                pen.note_at(Code::EmptyList, objects, "objects", "STIX 2.1 §8");
            }
        }
        match (named("spec_version"), envelope.spec.as_deref()) {
            (None, _) if older => pen.note_at(Code::Required, at, "spec_version", "STIX 2.0 part 1 §5"),
            (Some(at), spec) if older && spec != Some("2.0") => {
                pen.note_at(Code::SpecVersion, at, "2.0", "STIX 2.0 part 1 §5");
            }
            _ => {}
        }
        let expected = self.validator.options.version.map(Version::as_str);
        if let (Some(expected), Some(found), Some(at)) = (expected, envelope.spec.as_deref(), named("spec_version"))
            && expected != found
        {
            pen.note_at(Code::SpecMismatch, at, "", Code::SpecMismatch.clause());
        }
        for (name, at) in &envelope.names {
            let known = matches!(name.as_str(), "type" | "id" | "objects") || (older && name == "spec_version");
            if !known {
                pen.note_at(Code::ExtensionsUse, *at, "", Code::ExtensionsUse.clause());
                pen.note_at(Code::PropertiesStrict, *at, "bundle", Code::PropertiesStrict.clause());
                if !names::has_source_prefix(name, b'_') {
                    pen.note_at(Code::CustomPrefix, *at, "", Code::CustomPrefix.clause());
                }
            }
        }
        self.validator.notes = notes;
        self.keep(at..end, Spot::Whole, None);
        // A bundle is no object.
        self.report.objects -= 1;
        Ok(())
    }

    fn string(&mut self, at: usize) -> Result<(String, usize), json::Error> {
        let (value, end) = self.tape.parse_at(self.text, at, &self.small)?;
        match value.as_str() {
            Some(text) if value.kind() == Json::String => Ok((text.into_owned(), end)),
            _ => Err(json::Error { offset: at, kind: json::ErrorKind::ExpectedKey }),
        }
    }
}

fn skip_white(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len())
}
