//! The one pass over a text.

use super::error::{Error, ErrorKind};
use super::value::{Kind, Node};
use super::{Limits, keys, number, string};

/// What a parse needs beside the nodes, kept for the next one.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    open: Vec<Open>,
    names: Vec<Node>,
}

/// An array or object that has not ended yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    node: usize,
    count: u32,
    object: bool,
    /// Where its names start in `Scratch::names`.
    names: usize,
}

pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Fills `nodes` with the value at the start of `text` (no white space before it) and tells where it ends.
pub(super) fn fill(text: &[u8], limits: &Limits, nodes: &mut Vec<Node>, scratch: &mut Scratch) -> Result<usize, Error> {
    nodes.clear();
    scratch.open.clear();
    scratch.names.clear();
    let max_bytes = limits.max_bytes.min(u32::MAX as usize - 1);
    let budget = text.get(..max_bytes).unwrap_or(text);
    let mut parser = Parser { text: budget, at: 0, values: 0, limits, nodes, scratch };
    match parser.run() {
        Err(Error { kind: ErrorKind::Truncated, .. }) if budget.len() < text.len() => {
            Err(Error::new(budget.len(), ErrorKind::Bytes(max_bytes)))
        }
        other => other,
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    values: usize,
    limits: &'a Limits,
    nodes: &'a mut Vec<Node>,
    scratch: &'a mut Scratch,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<usize, Error> {
        if self.text.is_empty() {
            return Err(Error::new(0, ErrorKind::Empty));
        }
        loop {
            let opened = self.value()?;
            if !opened && self.after_value()? {
                return Ok(self.at);
            }
        }
    }

    fn fail<T>(&self, kind: ErrorKind) -> Result<T, Error> {
        let kind = if self.at >= self.text.len() { ErrorKind::Truncated } else { kind };
        Err(Error::new(self.at, kind))
    }

    fn white(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !is_white(*byte) {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Reads one value, or opens a container that is not empty (true), up to where its first value starts.
    fn value(&mut self) -> Result<bool, Error> {
        self.values += 1;
        if self.values > self.limits.max_values {
            return Err(Error::new(self.at, ErrorKind::Values(self.limits.max_values)));
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.first() {
            Some(b'"') => self.string()?,
            Some(b'{') => return self.open(Kind::Object, b'}'),
            Some(b'[') => return self.open(Kind::Array, b']'),
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                let (length, integer) =
                    number::scan(rest).map_err(|error| Error::new(self.at + error.offset, error.kind))?;
                self.scalar(self.at + length, if integer { Kind::Integer } else { Kind::Float }, 0);
            }
            Some(b'N' | b'I') => return self.fail(ErrorKind::NotANumber),
            Some(0xEF) if rest.starts_with(b"\xEF\xBB\xBF") => return self.fail(ErrorKind::ByteOrderMark),
            _ => return self.fail(ErrorKind::ExpectedValue),
        }
        Ok(false)
    }

    fn scalar(&mut self, end: usize, kind: Kind, detail: u32) {
        self.nodes.push(Node { start: offset(self.at), end: offset(end), skip: 1, detail, kind });
        self.at = end;
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<(), Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.scalar(self.at + word.len(), kind, 0);
            return Ok(());
        }
        if word.starts_with(rest) {
            return Err(Error::new(self.text.len(), ErrorKind::Truncated));
        }
        self.fail(ErrorKind::ExpectedValue)
    }

    fn string(&mut self) -> Result<(), Error> {
        let mut at = self.at + 1;
        let mut escapes = 0;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = 1;
                    at = string::check_escape(self.text, at)?;
                }
                Some(0..0x20) => return Err(Error::new(at, ErrorKind::ControlCharacter)),
                Some(_) => at += 1,
                None => return Err(Error::new(at, ErrorKind::Truncated)),
            }
        }
        self.scalar(at + 1, Kind::String, escapes);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Error> {
        if self.white() != Some(b'"') {
            return self.fail(ErrorKind::ExpectedKey);
        }
        self.string()?;
        self.scratch.names.extend(self.nodes.last());
        if self.white() != Some(b':') {
            return self.fail(ErrorKind::ExpectedColon);
        }
        self.at += 1;
        self.white();
        Ok(())
    }

    fn open(&mut self, kind: Kind, close: u8) -> Result<bool, Error> {
        if self.scratch.open.len() >= self.limits.max_depth {
            return Err(Error::new(self.at, ErrorKind::Depth(self.limits.max_depth)));
        }
        let node = self.nodes.len();
        self.scalar(self.at + 1, kind, 0);
        if self.white() == Some(close) {
            self.at += 1;
            self.finish(node, 0);
            return Ok(false);
        }
        let object = kind == Kind::Object;
        self.scratch.open.push(Open { node, count: 0, object, names: self.scratch.names.len() });
        if object {
            self.key()?;
        }
        Ok(true)
    }

    fn finish(&mut self, index: usize, count: u32) {
        let skip = offset(self.nodes.len() - index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.end = offset(self.at);
            node.skip = skip;
            node.detail = count;
        }
    }

    /// Goes on after a value: to the next one (false), or to the end of the root (true).
    fn after_value(&mut self) -> Result<bool, Error> {
        while let Some(mut open) = self.scratch.open.pop() {
            open.count += 1;
            match self.white() {
                Some(b',') => {
                    self.at += 1;
                    self.white();
                    self.scratch.open.push(open);
                    if open.object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(b'}') if open.object => {
                    keys::refuse_duplicates(self.text, self.scratch.names.get(open.names..).unwrap_or_default())?;
                    self.scratch.names.truncate(open.names);
                }
                Some(b']') if !open.object => {}
                _ if open.object => return self.fail(ErrorKind::ExpectedCommaOrBrace),
                _ => return self.fail(ErrorKind::ExpectedCommaOrBracket),
            }
            self.at += 1;
            self.finish(open.node, open.count);
        }
        Ok(true)
    }
}

/// An offset on the tape; texts are shorter than 4 GiB by `fill`.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
