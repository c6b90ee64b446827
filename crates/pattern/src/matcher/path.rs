//! Where values are found (STIX 2.1 §9.7): properties, lists, dictionaries and references.

use super::Scope;
use super::constant::Seen;
use crate::ast::{ObjectPath, StepKind};
use crate::error::Error;
use crate::observed::{Data, Object, Observation};

/// A path ready to be walked.
#[derive(Debug, PartialEq)]
pub(super) struct Path {
    pub(super) object_type: Box<str>,
    steps: Vec<Step>,
    decode: Decode,
    /// As it is written.
    pub(super) text: Box<str>,
}

/// A step, with what the name of a property says of its value.
#[derive(Debug, PartialEq)]
enum Step {
    Property(Box<str>),
    Index(usize),
    Any,
    /// A property that ends in `_ref`: the object it names.
    Reference(Box<str>),
    /// One that ends in `_refs` and is followed by `[*]` or `[n]`: the objects, or object, that it names.
    References(Box<str>, Option<usize>),
}

/// How the value at the end is written (STIX 2.1 §9.6.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Decode {
    Plain,
    Hex,
    Base64,
}

impl Decode {
    fn of(name: &str) -> Self {
        match () {
            () if name.ends_with("_hex") => Self::Hex,
            () if name.ends_with("_bin") => Self::Base64,
            () => Self::Plain,
        }
    }
}

/// The bytes that the text of a property says whose name ends in `_hex` or `_bin` (STIX 2.1 §9.6.4); none for other
/// properties and for text that is not so written.
#[must_use]
pub fn decode_property(name: &str, text: &str) -> Option<Vec<u8>> {
    match Decode::of(name) {
        Decode::Hex => decode_hex(text),
        Decode::Base64 => decode_base64(text),
        Decode::Plain => None,
    }
}

/// Branchings in one path: no object of STIX has more than a few.
const MAX_BRANCHINGS: usize = 32;

impl Path {
    pub(super) fn new(path: &ObjectPath) -> Result<Self, Error> {
        let mut steps = Vec::with_capacity(path.steps.len());
        let mut kinds = path.steps.iter().map(|step| &step.kind).peekable();
        while let Some(kind) = kinds.next() {
            steps.push(match kind {
                StepKind::Property(name) if name.ends_with("_ref") => Step::Reference(name.clone()),
                StepKind::Property(name) if name.ends_with("_refs") => {
                    match kinds.next_if(|kind| !matches!(kind, StepKind::Property(_))) {
                        Some(StepKind::Index(index)) => Step::References(name.clone(), Some(place(*index))),
                        Some(_) => Step::References(name.clone(), None),
                        None => Step::Property(name.clone()),
                    }
                }
                StepKind::Property(name) => Step::Property(name.clone()),
                StepKind::Index(index) => Step::Index(place(*index)),
                StepKind::Any => Step::Any,
            });
        }
        let branching = |step: &&Step| matches!(step, Step::Any | Step::References(..));
        if steps.iter().filter(branching).count() > MAX_BRANCHINGS {
            return Err(Error::new(path.span, format!("path has more than {MAX_BRANCHINGS} steps `[*]`")));
        }
        let decode = match path.steps.last().map(|step| &step.kind) {
            Some(StepKind::Property(name)) => Decode::of(name),
            _ => Decode::Plain,
        };
        Ok(Self { object_type: path.object_type.clone(), steps, decode, text: path.to_string().into() })
    }

    /// Whether its values are bytes.
    pub(super) fn is_binary(&self) -> bool {
        self.decode != Decode::Plain
    }

    /// Whether some value that the path leads to from this object fulfils a condition.
    pub(super) fn any(
        &self,
        scope: &Scope<'_, '_>,
        observation: &Observation<'_>,
        root: &Object<'_>,
        holds: &mut dyn FnMut(Seen<'_>) -> bool,
    ) -> bool {
        if *root.object_type != *self.object_type {
            return false;
        }
        // The common case needs no search.
        if let ([Step::Property(name)], Decode::Plain) = (self.steps.as_slice(), self.decode) {
            return root.properties.get(name).is_some_and(|value| holds(Seen::Data(value)));
        }
        scope.visited.borrow_mut().clear();
        Walk { path: self, scope, observation, holds }.from(0, &root.properties)
    }
}

/// A search for a value.
struct Walk<'w> {
    path: &'w Path,
    scope: &'w Scope<'w, 'w>,
    observation: &'w Observation<'w>,
    holds: &'w mut dyn FnMut(Seen<'_>) -> bool,
}

impl<'w> Walk<'w> {
    /// Recurses once for each branching of the path.
    fn from(&mut self, mut at: usize, mut value: &'w Data<'w>) -> bool {
        loop {
            if !self.scope.meter.take(1) {
                return false;
            }
            let Some(step) = self.path.steps.get(at) else { return self.end(value) };
            at += 1;
            let next = match step {
                Step::Property(name) => value.get(name),
                Step::Index(index) => list(value).get(*index),
                Step::Any => return list(value).iter().any(|element| self.from(at, element)),
                Step::Reference(name) => value.get(name).and_then(|id| self.referenced(at, id)),
                Step::References(name, Some(index)) => {
                    value.get(name).and_then(|ids| list(ids).get(*index)).and_then(|id| self.referenced(at, id))
                }
                Step::References(name, None) => {
                    let Some(ids) = value.get(name) else { return false };
                    return list(ids)
                        .iter()
                        .any(|id| self.referenced(at, id).is_some_and(|properties| self.from(at, properties)));
                }
            };
            match next {
                Some(inner) => value = inner,
                None => return false,
            }
        }
    }

    /// The object of an id; none if it was tried from here before, without success.
    fn referenced(&self, at: usize, id: &Data<'_>) -> Option<&'w Data<'w>> {
        let scope = self.scope;
        let (place, object) = scope.observed.referenced(self.observation, id.text()?)?;
        scope.visited.borrow_mut().insert((at, place)).then_some(&object.properties)
    }

    fn end(&mut self, value: &Data<'_>) -> bool {
        let seen = match (self.path.decode, value) {
            (Decode::Hex, Data::Text(text)) => Seen::bytes(decode_hex(text)),
            (Decode::Base64, Data::Text(text)) => Seen::bytes(decode_base64(text)),
            _ => Seen::Data(value),
        };
        (self.holds)(seen)
    }
}

fn place(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn list<'v, 'd>(value: &'v Data<'d>) -> &'v [Data<'d>] {
    if let Data::List(list) = value { list } else { &[] }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    crate::constant::BASE64.decode(text).ok()
}
