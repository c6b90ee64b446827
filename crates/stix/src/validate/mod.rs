//! Judging objects by the standard: every finding with its place, its clause and plain words.
//!
//! [`Validator`] walks an object once, along the tables of [`crate::schema`], and writes down what is wrong in a compact form;
//! messages and paths are made when somebody asks for them. What breaks a MUST is an error; a SHOULD or a best practice is
//! a warning, with the number that the OASIS validator gives it.
//!
//! ```
//! use stix::validate::{Options, Validator};
//! let mut validator = Validator::new(Options::default());
//! let checked = validator.object(br#"{"type": "url", "id": "url--1", "value": "http://example.com/"}"#);
//! assert!(!checked.valid());
//! let finding = checked.findings().remove(0);
//! assert_eq!((finding.path.as_str(), finding.clause), ("$.id", "STIX 2.1 §2.9"));
//! ```

mod bundle;
mod code;
mod dictionaries;
mod document;
mod finding;
mod forms;
mod markings;
mod message;
mod names;
mod note;
mod older;
mod options;
mod outline;
mod patterns;
mod rules;
mod values;
mod walk;

use std::mem;

pub use code::{Code, Severity};
pub use document::Report;
pub use finding::Finding;
pub use options::Options;

use crate::head::{Head, References};
use crate::json::{self, Kind as Json, Limits, Tape, Value};
use crate::schema::{self, Category, Shape, Version, find};
use note::{Notes, Pen};
use options::Checks;
use outline::Outline;
pub(crate) use walk::Slots;
use walk::Walk;

/// Judges objects, one after another, with buffers that it keeps.
#[derive(Debug)]
pub struct Validator {
    options: Options,
    checks: Checks,
    older_checks: Checks,
    limits: Limits,
    tape: Tape,
    notes: Notes,
    references: References,
}

/// What came out for one object.
#[derive(Clone, Debug)]
pub struct Checked<'t> {
    /// What a ledger needs of the object; `None` if it has no readable `type` and `id`.
    pub head: Option<Head<'t>>,
    text: &'t [u8],
    notes: Notes,
    fatal: Option<json::Error>,
    strict: bool,
}

impl Checked<'_> {
    /// Whether nothing was found that makes the object invalid: no error, and with [`Options::strict`] no warning.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.fatal.is_none() && self.notes.errors == 0 && (!self.strict || self.notes.warnings == self.notes.advice)
    }

    /// How many errors there are, those that are not kept included.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.notes.errors + usize::from(self.fatal.is_some())
    }

    /// How many warnings there are, those that are not kept included.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.notes.warnings
    }

    /// The codes of the findings, in the order in which they were met.
    pub fn codes(&self) -> impl Iterator<Item = Code> {
        self.fatal.iter().map(|_| Code::Json).chain(self.notes.list.iter().map(|note| note.code))
    }

    /// The findings with path and message: at most 100 errors and 100 warnings.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        finding::of_object(self.text, "$", &self.notes.list, self.fatal)
    }

    /// How many findings were counted and not kept.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.notes.left_out()
    }
}

impl Validator {
    /// A validator with these options and the default [`Limits`].
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self::with_limits(options, Limits::default())
    }

    /// A validator that reads objects within other limits.
    #[must_use]
    pub fn with_limits(options: Options, limits: Limits) -> Self {
        let older = Options { version: Some(Version::V20), ..options.clone() };
        Self {
            checks: Checks::of(&options),
            older_checks: Checks::of(&older),
            options,
            limits,
            tape: Tape::new(),
            notes: Notes::default(),
            references: References::default(),
        }
    }

    /// Reads objects within these limits from now on.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What it looks for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Judges a text that is one object.
    pub fn object<'t>(&mut self, text: &'t [u8]) -> Checked<'t> {
        let mut checked = self.nothing_of(text);
        self.check(&mut checked, |_| true);
        checked
    }

    /// The same, after the object was shown to `look`, if it can be read, so that what else is to be known of it need not read
    /// it again. `look` says whether it is to be judged at all: `None` where it is not.
    pub fn object_shown<'t>(&mut self, text: &'t [u8], look: impl FnOnce(Value<'_>) -> bool) -> Option<Checked<'t>> {
        let mut checked = self.nothing_of(text);
        self.check(&mut checked, look).then_some(checked)
    }

    fn nothing_of<'t>(&self, text: &'t [u8]) -> Checked<'t> {
        Checked { head: None, text, notes: Notes::default(), fatal: None, strict: self.options.strict }
    }

    fn check(&mut self, checked: &mut Checked<'_>, look: impl FnOnce(Value<'_>) -> bool) -> bool {
        let mut tape = mem::take(&mut self.tape);
        let mut wanted = true;
        match tape.read(checked.text, &self.limits) {
            Ok((source, base)) => {
                let value = tape.value(source, base);
                wanted = look(value);
                if wanted {
                    checked.head = self.judge(value, source, None);
                }
            }
            Err(error) => checked.fatal = Some(error),
        }
        checked.notes = mem::take(&mut self.notes);
        self.tape = tape;
        wanted
    }

    /// Judges one object whose text is `source`; findings go to `self.notes`.
    fn judge<'t>(&mut self, value: Value<'_>, source: &'t str, bundle: Option<Version>) -> Option<Head<'t>> {
        let notes = mem::take(&mut self.notes);
        let (head, notes) = self.judge_into(value, source, bundle, notes);
        self.notes = notes;
        head
    }

    fn judge_into<'t>(
        &mut self,
        value: Value<'_>,
        source: &'t str,
        bundle: Option<Version>,
        mut notes: Notes,
    ) -> (Option<Head<'t>>, Notes) {
        let base = value.span().start;
        let outline = Outline::of(value);
        let named = outline.type_name();
        let version = self.version_of(&outline, named.as_deref(), bundle);
        let checks = if version == Version::V20 { self.older_checks } else { self.checks };
        let mut pen = Pen { notes: &mut notes, checks, base };
        if value.kind() != Json::Object {
            pen.note(Code::NotAnObject, value, "");
            return (None, notes);
        }
        let Some(name) = named else {
            match outline.object_type {
                Some(found) => pen.note(Code::WrongKind, found, "a string"),
                None => pen.note(Code::Required, value, "type"),
            }
            return (None, notes);
        };
        let shape = shape_of(version, &name, &outline);
        let standard = !matches!(shape.category, Category::Custom | Category::CustomSco);
        if !standard && !is_type(&name, version) {
            pen.note(Code::TypeName, outline.object_type.unwrap_or(value), "");
        }
        let expected = self.options.version.or(bundle.filter(|bundle| *bundle == Version::V20));
        if let (Some(expected), Some(spec)) = (expected, outline.spec_version)
            && bundle.is_some()
            && spec.as_str().is_some_and(|text| text != expected.as_str())
        {
            pen.note(Code::SpecMismatch, spec, "");
        }
        let mut walk = Walk {
            pen,
            root: value,
            shape,
            version,
            container: None,
            outline,
            toplevel: None,
            nested: false,
            budget: walk::BUDGET,
            references: &mut self.references,
        };
        walk.references.clear();
        let mut slots = Slots::EMPTY;
        let seen = walk.members(value, shape, Some(&mut slots));
        walk.rules(value, shape, seen, Some(&slots));
        walk.besides(value, seen, &slots);
        if self.options.interop && version == Version::V21 {
            walk.interop(value, &slots);
        }
        (Head::of(source, value, shape, version, &slots, &self.references), notes)
    }

    fn version_of(&self, outline: &Outline<'_>, name: Option<&str>, bundle: Option<Version>) -> Version {
        if bundle == Some(Version::V20) {
            return Version::V20;
        }
        let spec = outline.spec_version;
        let older_member = bundle.is_some() && spec.is_none() && outline.created;
        if let Some(version) = self.options.version.filter(|_| !older_member) {
            return version;
        }
        edition(outline, name)
    }
}

/// Which edition an object follows. STIX 2.1 §3.2; objects of 2.0 have `created` and no `spec_version`.
fn edition(outline: &Outline<'_>, name: Option<&str>) -> Version {
    let spec = outline.spec_version;
    match spec.and_then(|found| found.as_str()).as_deref() {
        Some("2.0") => Version::V20,
        Some(_) => Version::V21,
        None if spec.is_some() || name.is_some_and(|name| is_new(name) || name == "bundle") => Version::V21,
        None if outline.created => Version::V20,
        None => Version::V21,
    }
}

/// The table and the edition by which an object on its own is judged; `None` for what has no readable `type`.
pub(crate) fn judged_by(object: Value<'_>) -> Option<(&'static Shape, Version)> {
    let outline = Outline::of(object);
    let name = outline.type_name()?;
    let version = edition(&outline, Some(&name));
    Some((shape_of(version, &name, &outline), version))
}

/// Whether a type exists only since 2.1: cyber-observables on their own and the types that 2.1 added.
fn is_new(name: &str) -> bool {
    let standard = |version| find(version, name).is_some_and(|shape| !shape.category.is_sco());
    find(Version::V21, name).is_some_and(|shape| shape.category.is_sco())
        || standard(Version::V21) && !standard(Version::V20)
}

/// The shape of an object: its type's, or that of custom objects.
fn shape_of(version: Version, name: &str, outline: &Outline<'_>) -> &'static Shape {
    let found = find(version, name).filter(|shape| version == Version::V21 || !shape.category.is_sco());
    found.unwrap_or_else(|| schema::custom(version, !outline.created && !outline.modified))
}

/// Whether a type's name is allowed. STIX 2.1 §3.1, §3.8.
fn is_type(name: &str, version: Version) -> bool {
    match version {
        Version::V21 => crate::object_type::is_well_formed(name) && name != "action",
        Version::V20 => {
            let bytes = name.as_bytes();
            (3..=250).contains(&bytes.len())
                && !name.contains("--")
                && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
                && !matches!(name, "incident" | "infrastructure")
        }
    }
}

#[cfg(test)]
mod tests;
