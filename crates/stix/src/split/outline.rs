//! The grammar around the objects, one step at a time, over a text that may arrive in pieces.

use std::ops::Range;

use super::error::FaultKind;
use super::{Container, Form, Place};
use crate::json::{self, ErrorKind, Limits, Nest, Tape, Value};

/// What has been found.
#[derive(Debug)]
pub(super) enum Step {
    /// The text ends before anything is found.
    More,
    /// An element starts here; only told to those who ask for it.
    Start(usize),
    /// An object.
    Item(Range<usize>),
    /// The end of the document.
    End,
}

/// A fault at an offset of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    pub(super) at: usize,
    pub(super) kind: FaultKind,
}

/// Where in a document we are. Offsets count from the start of the text as it is passed; see [`Outline::shift`].
#[derive(Debug)]
pub(super) struct Outline {
    limits: Limits,
    state: State,
    /// The next byte to look at.
    at: usize,
    /// Whether a byte order mark may stand here.
    beginning: bool,
    /// The value that is being gone past.
    value: Option<(usize, Nest)>,
    /// The object at the top that we are in, if any.
    object: Option<Object>,
    container: Container,
    /// Elements, or bare values, seen so far.
    index: usize,
    /// Values at the top seen so far.
    values: usize,
    /// The bytes of the container without its objects.
    frame: Vec<u8>,
    tape: Tape,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// A value at the top, or the end.
    Top,
    /// A name, or the end of the object if this is the first.
    Name {
        first: bool,
    },
    Colon,
    /// The value of a member of the object at the top.
    Member,
    AfterMember,
    /// An element of the list, or its end if this is the first.
    Element {
        first: bool,
    },
    AfterElement,
}

/// An object at the top: perhaps a container, perhaps one of the objects.
#[derive(Debug)]
struct Object {
    start: usize,
    /// The list of `objects` has been found; in a bare object it never is.
    contains: bool,
    /// Where the part after the list starts.
    trailer: usize,
    /// Length of the frame before the list.
    head: usize,
    name: Range<usize>,
    /// `"type": "bundle"` has been seen.
    bundle: bool,
    /// `objects` that is no list.
    odd_objects: Option<usize>,
    /// There are no names but those of an envelope.
    envelope: bool,
}

impl Outline {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Top,
            at: 0,
            beginning: true,
            value: None,
            object: None,
            container: Container::default(),
            index: 0,
            values: 0,
            frame: Vec::new(),
            tape: Tape::new(),
        }
    }

    pub(super) fn container(&self) -> &Container {
        &self.container
    }

    /// Values at the top seen so far.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// The place of the object that was found or taken last.
    pub(super) fn place(&self) -> Place {
        Place { form: self.container.form, index: self.index.saturating_sub(1) }
    }

    /// The first byte that is still needed.
    pub(super) fn keep(&self) -> usize {
        let value = self.value.as_ref().map_or(self.at, |(start, _)| *start);
        let object =
            self.object.as_ref().map_or(value, |object| if object.contains { object.trailer } else { object.start });
        if self.in_list() { value } else { object.min(value) }
    }

    /// Notes that the first `count` bytes of the text are gone.
    pub(super) fn shift(&mut self, count: usize) {
        self.at -= count;
        if let Some((start, _)) = &mut self.value {
            *start -= count;
        }
        if let Some(object) = &mut self.object {
            object.start = object.start.saturating_sub(count);
            object.trailer = object.trailer.saturating_sub(count);
            object.name = object.name.start.saturating_sub(count)..object.name.end.saturating_sub(count);
            object.odd_objects = object.odd_objects.map(|at| at.saturating_sub(count));
        }
    }

    /// Notes that the element that [`Step::Start`] told of ends at `end`.
    pub(super) fn took(&mut self, end: usize) {
        self.at = end;
        self.index += 1;
        self.state = State::AfterElement;
    }

    /// Goes on to the next object. `last`: nothing follows the text. `starts`: stop at the start of elements.
    pub(super) fn step(&mut self, text: &[u8], last: bool, starts: bool) -> Result<Step, Broken> {
        if self.beginning && !self.mark(text, last) {
            return Ok(Step::More);
        }
        loop {
            let Some(byte) = self.white(text) else {
                return if last { self.end_of_text(text) } else { self.more(text) };
            };
            if self.at - self.keep() > self.limits.max_bytes {
                return self.too_large(self.keep());
            }
            let found = match self.state {
                State::Top => self.top(byte)?,
                State::Name { first } => self.name(text, last, byte, first)?,
                State::Colon => self.colon(byte)?,
                State::Member => self.member(text, last, byte)?,
                State::AfterMember => self.after_member(text, byte)?,
                State::Element { first } => self.element(text, last, byte, first, starts)?,
                State::AfterElement => self.after_element(byte)?,
            };
            match found {
                None => {}
                Some(Step::More) => return self.more(text),
                Some(step) => return Ok(step),
            }
        }
    }

    fn in_list(&self) -> bool {
        matches!(self.state, State::Element { .. } | State::AfterElement)
    }

    /// Goes past white space; the byte after it.
    fn white(&mut self, text: &[u8]) -> Option<u8> {
        if self.value.is_some() {
            return Some(0);
        }
        let rest = text.get(self.at..).unwrap_or_default();
        let white = rest.iter().position(|byte| !json::is_white(*byte));
        self.at += white.unwrap_or(rest.len());
        text.get(self.at).copied()
    }

    /// Goes past a byte order mark at the very beginning; false if too little is there to tell.
    fn mark(&mut self, text: &[u8], last: bool) -> bool {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if MARK.starts_with(text) && text.len() < MARK.len() && !last {
            return false;
        }
        if text.starts_with(MARK) {
            self.at = MARK.len();
        }
        self.beginning = false;
        true
    }

    fn more(&self, text: &[u8]) -> Result<Step, Broken> {
        if text.len().saturating_sub(self.keep()) > self.limits.max_bytes {
            return self.too_large(self.keep());
        }
        Ok(Step::More)
    }

    fn end_of_text(&mut self, text: &[u8]) -> Result<Step, Broken> {
        match self.state {
            State::Top if self.values > 0 => Ok(Step::End),
            State::Top => broken(text.len(), ErrorKind::Empty),
            _ => broken(text.len(), ErrorKind::Truncated),
        }
    }

    fn too_large<T>(&self, start: usize) -> Result<T, Broken> {
        broken(start + self.limits.max_bytes, ErrorKind::Bytes(self.limits.max_bytes))
    }

    fn top(&mut self, byte: u8) -> Result<Option<Step>, Broken> {
        self.values += 1;
        match byte {
            b'{' => {
                self.object = Some(Object {
                    start: self.at,
                    contains: false,
                    trailer: 0,
                    head: 0,
                    name: 0..0,
                    bundle: false,
                    odd_objects: None,
                    envelope: true,
                });
                self.state = State::Name { first: true };
            }
            b'[' => {
                self.container = Container { form: Form::List, ..Container::default() };
                self.index = 0;
                self.state = State::Element { first: true };
            }
            _ => return Err(Broken { at: self.at, kind: FaultKind::NoContainer }),
        }
        self.at += 1;
        Ok(None)
    }

    /// Goes past the value that starts with `byte`, if that is new: its range, or `None` if more text is needed.
    fn value(&mut self, text: &[u8], last: bool, byte: u8, depth: usize) -> Result<Option<Range<usize>>, Broken> {
        if self.value.is_none() {
            let Some(nest) = Nest::new(byte) else { return broken(self.at, ErrorKind::ExpectedValue) };
            self.value = Some((self.at, nest));
        }
        let from = self.keep();
        let Some((start, nest)) = &mut self.value else { return Ok(None) };
        let start = *start;
        let (rest, kept) = (text.get(start..).unwrap_or_default(), start - from);
        let budget = rest.get(..self.limits.max_bytes.saturating_sub(kept)).unwrap_or(rest);
        let cut = budget.len() < rest.len();
        match nest.end(budget, last && !cut, self.limits.max_depth.saturating_sub(depth)) {
            Ok(None) if cut => self.too_large(from),
            Ok(None) => Ok(None),
            Ok(Some(end)) => {
                self.value = None;
                self.at = start + end;
                Ok(Some(start..self.at))
            }
            Err(error) => broken(start + error.offset, error.kind),
        }
    }

    fn name(&mut self, text: &[u8], last: bool, byte: u8, first: bool) -> Result<Option<Step>, Broken> {
        if self.value.is_none() && byte == b'}' && first {
            return self.object_end(text);
        }
        if self.value.is_none() && byte != b'"' {
            return broken(self.at, ErrorKind::ExpectedKey);
        }
        let Some(range) = self.value(text, last, byte, 1)? else { return Ok(Some(Step::More)) };
        if let Some(object) = &mut self.object {
            object.name = range;
        }
        self.state = State::Colon;
        Ok(None)
    }

    fn colon(&mut self, byte: u8) -> Result<Option<Step>, Broken> {
        if byte != b':' {
            return broken(self.at, ErrorKind::ExpectedColon);
        }
        self.at += 1;
        self.state = State::Member;
        Ok(None)
    }

    fn member(&mut self, text: &[u8], last: bool, byte: u8) -> Result<Option<Step>, Broken> {
        let new = self.value.is_none();
        let Some(object) = &mut self.object else { return Ok(None) };
        let start = self.at;
        if new && !object.contains && is_objects(text.get(object.name.clone()).unwrap_or_default()) {
            if byte == b'[' && self.open_container(text)? {
                self.at += 1;
                self.index = 0;
                self.state = State::Element { first: true };
                return Ok(None);
            }
            if let Some(object) = &mut self.object {
                object.odd_objects = Some(start);
            }
        }
        let Some(range) = self.value(text, last, byte, 1)? else { return Ok(Some(Step::More)) };
        if let Some(object) = &mut self.object {
            let name = text.get(object.name.clone()).unwrap_or_default();
            object.bundle |= name == br#""type""# && text.get(range) == Some(br#""bundle""#);
            object.envelope &= matches!(name, br#""more""# | br#""next""#);
        }
        self.state = State::AfterMember;
        Ok(None)
    }

    /// Reads the members before a list of `objects`, which starts at `self.at`: true if they are those of a container.
    fn open_container(&mut self, text: &[u8]) -> Result<bool, Broken> {
        let Some(object) = &mut self.object else { return Ok(false) };
        self.frame.clear();
        self.frame.extend_from_slice(text.get(object.start..self.at).unwrap_or_default());
        self.frame.push(b'[');
        object.head = self.frame.len();
        self.frame.extend_from_slice(b"]}");
        let start = object.start;
        let frame = match self.tape.parse(&self.frame, &self.limits) {
            Ok(frame) => frame,
            Err(error) => return broken(start + error.offset.min(object.head), error.kind),
        };
        if frame.get("type").is_some_and(|value| value.as_str().as_deref() != Some("bundle")) {
            return Ok(false);
        }
        self.container = described(frame);
        object.contains = true;
        Ok(true)
    }

    fn after_member(&mut self, text: &[u8], byte: u8) -> Result<Option<Step>, Broken> {
        match byte {
            b',' => {
                self.at += 1;
                self.state = State::Name { first: false };
                Ok(None)
            }
            b'}' => self.object_end(text),
            _ => broken(self.at, ErrorKind::ExpectedCommaOrBrace),
        }
    }

    /// Goes past the end of the object at the top, which is a container or one of the objects.
    fn object_end(&mut self, text: &[u8]) -> Result<Option<Step>, Broken> {
        self.at += 1;
        self.state = State::Top;
        let Some(object) = self.object.take() else { return Ok(None) };
        if object.contains {
            self.close_container(text, &object)?;
            return Ok(None);
        }
        if object.bundle
            && let Some(at) = object.odd_objects
        {
            return Err(Broken { at, kind: FaultKind::ObjectsNotAList });
        }
        let range = object.start..self.at;
        if range.len() > self.limits.max_bytes {
            return self.too_large(range.start);
        }
        if object.bundle || object.envelope {
            let bytes = text.get(range.clone()).unwrap_or_default();
            let frame = self.tape.parse(bytes, &self.limits);
            let frame = frame.or_else(|error| broken(range.start + error.offset, error.kind))?;
            self.container = described(frame);
            return Ok(None);
        }
        self.container = Container::default();
        self.index = self.values;
        Ok(Some(Step::Item(range)))
    }

    /// Reads the container again when all its members are known.
    fn close_container(&mut self, text: &[u8], object: &Object) -> Result<(), Broken> {
        self.frame.truncate(object.head);
        self.frame.push(b']');
        self.frame.extend_from_slice(text.get(object.trailer..self.at).unwrap_or_default());
        let place = |offset: usize| (object.trailer + offset).saturating_sub(object.head + 1);
        let frame = match self.tape.parse(&self.frame, &self.limits) {
            Ok(frame) => frame,
            Err(error) => return broken(place(error.offset), error.kind),
        };
        if let Some(value) = frame.get("type").filter(|value| value.as_str().as_deref() != Some("bundle")) {
            return Err(Broken { at: place(value.span().start), kind: FaultKind::NotABundle });
        }
        self.container = described(frame);
        Ok(())
    }

    fn element(
        &mut self,
        text: &[u8],
        last: bool,
        byte: u8,
        first: bool,
        starts: bool,
    ) -> Result<Option<Step>, Broken> {
        if self.value.is_none() {
            if byte == b']' && first {
                self.list_end();
                return Ok(None);
            }
            if starts && matches!(byte, b'{' | b'[' | b'"') {
                return Ok(Some(Step::Start(self.at)));
            }
        }
        let Some(range) = self.value(text, last, byte, 0)? else { return Ok(Some(Step::More)) };
        self.index += 1;
        self.state = State::AfterElement;
        Ok(Some(Step::Item(range)))
    }

    fn after_element(&mut self, byte: u8) -> Result<Option<Step>, Broken> {
        match byte {
            b',' => {
                self.at += 1;
                self.state = State::Element { first: false };
            }
            b']' => self.list_end(),
            _ => return broken(self.at, ErrorKind::ExpectedCommaOrBracket),
        }
        Ok(None)
    }

    fn list_end(&mut self) {
        self.at += 1;
        self.state = State::Top;
        if let Some(object) = &mut self.object {
            object.trailer = self.at;
            self.state = State::AfterMember;
        }
    }
}

fn broken<T>(at: usize, kind: ErrorKind) -> Result<T, Broken> {
    Err(Broken { at, kind: FaultKind::Json(kind) })
}

/// Whether a name, with its quotes, is `objects`.
fn is_objects(name: &[u8]) -> bool {
    const NAME: &[u8] = br#""objects""#;
    name == NAME
        || memchr::memchr(b'\\', name).is_some()
            && Tape::new().parse(name, &Limits::default()).is_ok_and(|name| name.as_str().as_deref() == Some("objects"))
}

/// What a container says of itself, apart from its objects.
fn described(frame: Value<'_>) -> Container {
    let text = |name: &str| frame.get(name).and_then(|value| value.as_str()).map(String::from);
    if frame.get("type").is_none() {
        let more = frame.get("more").and_then(|value| value.as_bool());
        return Container { form: Form::Envelope, more, next: text("next"), ..Container::default() };
    }
    Container { form: Form::Bundle, id: text("id"), spec_version: text("spec_version"), ..Container::default() }
}
