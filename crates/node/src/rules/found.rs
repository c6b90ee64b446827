//! An indicator as far as a sensor wants to know it.

use crate::export::Error;
use ::rules::About;
use policy::Tlp;
use std::borrow::Cow;
use stix::json::{Limits, Tape, Value};
use stix::marking::tlp_of;
use stix::timestamp::Timestamp;

/// Labels that are kept of an indicator at most.
const LABELS: usize = 32;

/// An indicator.
pub(super) struct Found<'t> {
    pub(super) id: Cow<'t, str>,
    name: Cow<'t, str>,
    pub(super) pattern: Cow<'t, str>,
    /// `pattern_type`; `stix` where there is none (STIX 2.0).
    pub(super) language: Cow<'t, str>,
    pub(super) author: Option<Cow<'t, str>>,
    pub(super) tlp: Option<Tlp>,
    pub(super) confidence: Option<u8>,
    created: i64,
    pub(super) modified: i64,
    pub(super) valid_from: i64,
    pub(super) valid_until: Option<i64>,
    pub(super) revoked: bool,
    reference: Option<Cow<'t, str>>,
    labels: Vec<String>,
    object: &'t [u8],
}

impl<'t> Found<'t> {
    /// Reads an indicator; `None`: it has no id or pattern, and so claims nothing.
    pub(super) fn of(object: &'t [u8], value: Value<'t>) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(|found| found.as_str());
        let time = |name: &str| Some(Timestamp::parse(&text(name)?).ok()?.micros);
        let modified = time("modified").or_else(|| time("created")).unwrap_or_default();
        let references = value.get("external_references");
        let lists = ["labels", "indicator_types"].into_iter().filter_map(|name| value.get(name));
        Some(Self {
            id: text("id")?,
            name: text("name").unwrap_or_default(),
            pattern: text("pattern")?,
            language: text("pattern_type").unwrap_or(Cow::Borrowed("stix")),
            author: text("created_by_ref"),
            tlp: tlp(value),
            confidence: value.get("confidence").and_then(|found| u8::try_from(found.as_i64()?.clamp(0, 100)).ok()),
            created: time("created").unwrap_or(modified),
            modified,
            valid_from: time("valid_from").unwrap_or(modified),
            valid_until: time("valid_until"),
            revoked: value.get("revoked").and_then(|found| found.as_bool()).unwrap_or_default(),
            reference: references.and_then(|all| all.items().find_map(|found| found.get("url")?.as_str())),
            labels: lists
                .flat_map(|list| list.items().filter_map(|found| found.as_str()).take(LABELS))
                .map(Cow::into_owned)
                .collect(),
            object,
        })
    }

    /// What is said of it, where its author is called so and its label is this one.
    pub(super) fn about<'a>(&'a self, source: &'a str, tlp: &'a str) -> About<'a> {
        About {
            id: &self.id,
            name: &self.name,
            source,
            tlp,
            confidence: self.confidence,
            created: self.created,
            modified: self.modified,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            reference: self.reference.as_deref(),
            labels: &self.labels,
            object: self.object,
        }
    }
}

/// The strictest label that an object has, for the whole of it or for a part.
fn tlp(value: Value<'_>) -> Option<Tlp> {
    let whole = value.get("object_marking_refs");
    let parts = value.get("granular_markings");
    let whole = whole.iter().flat_map(|list| list.items());
    let parts = parts.iter().flat_map(|list| list.items()).filter_map(|part| part.get("marking_ref"));
    whole.chain(parts).filter_map(|marking| tlp_of(&marking.as_str()?)).max()
}

/// Takes the text of an object, and what is in it.
pub(super) type Each<'a> = dyn for<'t> FnMut(&'t [u8], Value<'t>) -> Result<(), Error> + 'a;

/// Calls `each` with every object of a page: bodies with commas between them.
pub(super) fn each_object(content: &[u8], each: &mut Each<'_>) -> Result<(), Error> {
    // What is in the book was judged when it came in.
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    let (mut tape, mut at) = (Tape::new(), 0);
    while let Ok((value, end)) = tape.parse_at(content, at, &limits) {
        each(value.text(), value)?;
        at = end + 1;
    }
    Ok(())
}
