//! Looking at what is on a page, without asking anything of this node.

use super::incoming::{Refused, refused};
use super::sketch::Sketch;
use super::{halves, mark};
use crate::intake::{Brief, Intake};
use bytes::Bytes;
use ledger::Mark;
use partner::seal::{Content, On, Sheet, Sheets};
use partner::signed::{self, Kind, Unverified};
use stix::json::{Limits, Tape};

/// What something on a page is, before anything is known of the page.
pub(super) enum Looked {
    /// Ours, or somebody's, about objects; or what says that it is one, with its id.
    Statement(Kind, Result<Box<Unverified>, (String, signed::Error)>),
    /// The seals of many objects, or what says that it is that.
    Sheet(Result<Box<Sheet>, signed::Error>),
    Object(Box<Object>),
}

/// A sheet on which an object is, and the sheet as it came.
pub(super) type OnSheet = (On, Bytes);

/// An object that was looked at.
#[derive(Default)]
pub(super) struct Object {
    pub(super) sketch: Sketch,
    /// `None`: it cannot be read.
    pub(super) content: Option<Content>,
    pub(super) mark: Mark,
    /// What intake takes of it; `None`: it is to be checked.
    pub(super) brief: Option<Box<Brief>>,
    /// On which sheets of the page it is.
    pub(super) on: Option<OnSheet>,
    pub(super) on_others: Vec<OnSheet>,
}

/// Looks at one thing after another, with memory that is used again.
struct Looker {
    intake: Intake,
    tape: Tape,
    scratch: Vec<u8>,
}

impl Looker {
    fn new(limits: &Limits) -> Self {
        let mut intake = Intake::new();
        intake.limit(*limits);
        Self { intake, tape: Tape::new(), scratch: Vec::new() }
    }

    fn look(&mut self, body: &[u8]) -> Looked {
        let (mut other, mut object) = (None, None);
        let (tape, scratch) = (&mut self.tape, &mut self.scratch);
        let brief = self.intake.glance(body, |value| {
            // Most are objects, and say so with one word.
            let is = value.get("type").and_then(|is| is.as_str()).and_then(|is| Kind::of(&is));
            let Some(kind) = is else {
                object = Some((Sketch::read(value), Content::of_on(scratch, value)));
                return true;
            };
            // Within the bounds of what is kept, or what was taken in could not be read again.
            other = Some(match (kind == Kind::Seals).then(|| Sheet::parse(body)).flatten() {
                Some(sheet) => Looked::Sheet(sheet.map(Box::new)),
                None => {
                    let statement = signed::seal_of(value).unwrap_or_else(|| signed::read_on(tape, body));
                    let id = || value.get("id").and_then(|id| id.as_str()).unwrap_or_default().into_owned();
                    Looked::Statement(kind, statement.map(Box::new).map_err(|error| (id(), error)))
                }
            });
            false
        });
        if let Some(other) = other {
            return other;
        }
        let (mark, brief) = (mark::of(body), brief.map(Box::new));
        let (sketch, content) = object.map_or_else(Default::default, |(sketch, content)| (sketch, Some(content)));
        Looked::Object(Box::new(Object { sketch, content, mark, brief, ..Object::default() }))
    }
}

/// What is on a page, looked at without asking anything of this node: a page may be looked at before the one that came before
/// it is taken in.
#[derive(Default)]
pub struct Looks {
    pub(super) looked: Vec<(Bytes, Looked)>,
    /// Why sheets were refused.
    pub(super) refused: Vec<Refused>,
    bytes: u64,
}

impl Looks {
    /// At objects and statements, as they came.
    #[must_use]
    pub fn of(objects: Vec<Bytes>, limits: &Limits) -> Self {
        let looked = halves(&objects, |objects| {
            let mut looker = Looker::new(limits);
            objects.iter().map(|body| looker.look(body)).collect()
        });
        let bytes = objects.iter().map(|object| object.len() as u64).sum();
        let (mut sheets, mut texts, mut looks) = (Sheets::default(), Vec::new(), Self { bytes, ..Self::default() });
        looks.looked.reserve(looked.len());
        for (body, looked) in objects.into_iter().zip(looked) {
            match looked {
                Looked::Sheet(Ok(sheet)) => {
                    sheets.push(*sheet);
                    texts.push(body);
                }
                Looked::Sheet(Err(error)) => looks.refused.push(refused("", &error.to_string())),
                other => looks.looked.push((body, other)),
            }
        }
        if !sheets.is_empty() {
            looks.find(&sheets, &texts);
        }
        looks
    }

    /// Finds the objects on the sheets.
    fn find(&mut self, sheets: &Sheets, texts: &[Bytes]) {
        let found = halves(&self.looked, |part| {
            let mut said = Vec::new();
            let mut find = |(_, looked): &(Bytes, Looked)| match looked {
                Looked::Object(object) => {
                    let (mut on, mut others) = (None, Vec::new());
                    if let Some(content) = &object.content {
                        sheets.find(content, &mut said, &mut |found, place| {
                            let Some(text) = texts.get(place) else { return };
                            let found = (found, text.clone());
                            if on.is_none() { on = Some(found) } else { others.push(found) }
                        });
                    }
                    (on, others)
                }
                Looked::Statement(..) | Looked::Sheet(_) => (None, Vec::new()),
            };
            part.iter().map(&mut find).collect()
        });
        for ((_, looked), (on, others)) in self.looked.iter_mut().zip(found) {
            if let Looked::Object(object) = looked {
                (object.on, object.on_others) = (on, others);
            }
        }
    }

    /// How many there are, without the sheets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.looked.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looked.is_empty()
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
