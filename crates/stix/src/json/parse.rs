//! The grammar: the second of the two halves of a parse.

use super::error::{Error, ErrorKind};
use super::scan::{Cursor, Scanner};
use super::value::{Kind, Node};
use super::{Limits, keys, number, string};

/// What a parse needs beside the nodes, kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    open: Vec<Open>,
    marks: Vec<u32>,
}

/// An array or object that has not ended yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Its node.
    node: usize,
    /// Elements or members seen.
    count: u32,
    object: bool,
    /// Whether one of its names is written with escapes.
    escaped: bool,
    /// Where the marks of its names start.
    marks: usize,
}

/// What stands right behind a string.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Separator {
    Comma,
    Colon,
    /// Anything else: it is the next position.
    Ahead,
}

/// The tape of one value, and what is used to fill it.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    pub(super) nodes: Vec<Node>,
    scratch: Scratch,
}

/// Reads the next value of the scanner onto the tape, and tells where it starts and ends.
///
/// Nodes count from the start of the value, errors from the start of the scanner's text.
pub(crate) fn fill(
    scanner: &mut Scanner<'_, '_>,
    limits: &Limits,
    cursor: &mut Cursor,
    filling: &mut Filling,
) -> Result<(usize, usize), Error> {
    filling.nodes.clear();
    filling.scratch.open.clear();
    filling.scratch.marks.clear();
    let mut ahead = *cursor;
    let (start, first) = scanner.next(&mut ahead);
    if start >= scanner.text().len() {
        return Err(Error::new(start, ErrorKind::Empty));
    }
    let Filling { nodes, scratch } = filling;
    let max_values = limits.max_values.min(Node::MOST);
    let mut parser = Parser { text: scanner.text(), base: start, max_values, limits, values: 0, nodes, scratch };
    let end = parser.run(scanner, &mut ahead, start, first)?;
    *cursor = ahead;
    Ok((start, end))
}

struct Parser<'a> {
    text: &'a [u8],
    base: usize,
    max_values: usize,
    limits: &'a Limits,
    values: usize,
    nodes: &'a mut Vec<Node>,
    scratch: &'a mut Scratch,
}

impl Parser<'_> {
    #[inline(always)]
    fn run(
        &mut self,
        scanner: &mut Scanner<'_, '_>,
        cursor: &mut Cursor,
        mut at: usize,
        mut byte: u8,
    ) -> Result<usize, Error> {
        // The innermost container; the ones around it are in `scratch.open`.
        let mut open: Option<Open> = None;
        loop {
            self.values += 1;
            if self.values > self.max_values {
                return Err(Error::new(at, ErrorKind::Values(self.max_values)));
            }
            let mut end;
            let mut after = Separator::Ahead;
            match byte {
                b'"' => (end, after) = self.string(scanner, cursor, at)?,
                b'{' | b'[' => {
                    let mut inner = self.open(&mut open, at, byte == b'{')?;
                    (at, byte) = scanner.next(cursor);
                    if byte == if inner.object { b'}' } else { b']' } {
                        end = at + 1;
                        self.close(&inner, end)?;
                        open = self.scratch.open.pop();
                    } else {
                        if inner.object {
                            self.key(scanner, cursor, &mut inner, at, byte)?;
                            (at, byte) = scanner.next(cursor);
                        }
                        open = Some(inner);
                        continue;
                    }
                }
                _ => end = self.scalar(at, byte, open.as_ref())?,
            };
            // After a value: a comma and the next one, or the end of the container, which is a value as well.
            loop {
                let Some(inner) = open.as_mut() else { return Ok(end) };
                inner.count += 1;
                (at, byte) = match after {
                    Separator::Ahead => scanner.next(cursor),
                    Separator::Comma => (end, b','),
                    Separator::Colon => (end, b':'),
                };
                match byte {
                    b',' => {
                        (at, byte) = scanner.next(cursor);
                        if inner.object {
                            self.key(scanner, cursor, inner, at, byte)?;
                            (at, byte) = scanner.next(cursor);
                        }
                        break;
                    }
                    b'}' if inner.object => {}
                    b']' if !inner.object => {}
                    _ if inner.object => return self.fail(at, ErrorKind::ExpectedCommaOrBrace),
                    _ => return self.fail(at, ErrorKind::ExpectedCommaOrBracket),
                }
                end = at + 1;
                after = Separator::Ahead;
                self.close(inner, end)?;
                open = self.scratch.open.pop();
            }
        }
    }

    fn fail<T>(&self, at: usize, kind: ErrorKind) -> Result<T, Error> {
        let kind = if at >= self.text.len() { ErrorKind::Truncated } else { kind };
        Err(Error::new(at, kind))
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, kind: Kind, detail: u32) {
        self.nodes.push(Node::new(short(start - self.base), short(end - self.base), kind, detail));
    }

    /// Reads on to the closing quote; tells where the string ends and what follows at once.
    #[inline(always)]
    fn string(
        &mut self,
        scanner: &mut Scanner<'_, '_>,
        cursor: &mut Cursor,
        start: usize,
    ) -> Result<(usize, Separator), Error> {
        let (mut at, byte) = scanner.next(cursor);
        let mut detail = 0;
        if byte != b'"' {
            (at, *cursor) = self.escapes(scanner, *cursor, at, byte)?;
            detail = 1;
        }
        let end = at + 1;
        self.push(start, end, Kind::String, detail);
        let separator = match self.text.get(end) {
            Some(b',') => Separator::Comma,
            Some(b':') => Separator::Colon,
            _ => Separator::Ahead,
        };
        Ok((end, separator))
    }

    /// Checks the escapes of a string from the first one on; tells where the closing quote is, and the cursor after it.
    #[inline(never)]
    fn escapes(
        &self,
        scanner: &mut Scanner<'_, '_>,
        mut cursor: Cursor,
        mut at: usize,
        mut byte: u8,
    ) -> Result<(usize, Cursor), Error> {
        while byte != b'"' {
            if byte != b'\\' {
                return self.fail(at, ErrorKind::ControlCharacter);
            }
            if string::check_escape(self.text, at)? - at > string::UNICODE {
                scanner.next(&mut cursor);
            }
            (at, byte) = scanner.next(&mut cursor);
        }
        Ok((at, cursor))
    }

    /// Reads a member's name and the colon after it.
    #[inline(always)]
    fn key(
        &mut self,
        scanner: &mut Scanner<'_, '_>,
        cursor: &mut Cursor,
        open: &mut Open,
        at: usize,
        byte: u8,
    ) -> Result<(), Error> {
        if byte != b'"' {
            return self.fail(at, ErrorKind::ExpectedKey);
        }
        let (end, separator) = self.string(scanner, cursor, at)?;
        open.escaped |= self.nodes.last().is_some_and(|node| node.detail() == 1);
        self.scratch.marks.push(keys::mark(self.text, at + 1, end - 1));
        match separator {
            Separator::Colon => Ok(()),
            Separator::Comma => self.fail(end, ErrorKind::ExpectedColon),
            Separator::Ahead => {
                let (at, byte) = scanner.next(cursor);
                if byte == b':' { Ok(()) } else { self.fail(at, ErrorKind::ExpectedColon) }
            }
        }
    }

    /// Starts a container, putting the one around it aside.
    #[inline]
    fn open(&mut self, around: &mut Option<Open>, at: usize, object: bool) -> Result<Open, Error> {
        self.scratch.open.extend(around.take());
        let most = self.limits.max_depth.min(Limits::DEEPEST);
        if self.scratch.open.len() >= most {
            return Err(Error::new(at, ErrorKind::Depth(most)));
        }
        let inner = Open { node: self.nodes.len(), count: 0, object, escaped: false, marks: self.scratch.marks.len() };
        self.push(at, at, if object { Kind::Object } else { Kind::Array }, 0);
        Ok(inner)
    }

    /// Completes the node of a container that ends before `end`.
    #[inline]
    fn close(&mut self, open: &Open, end: usize) -> Result<(), Error> {
        let next = self.nodes.len();
        let kind = if open.object { Kind::Object } else { Kind::Array };
        if let Some(node) = self.nodes.get_mut(open.node) {
            node.complete(short(end - self.base), short(next - open.node), kind, open.count);
        }
        if open.object {
            let marks = self.scratch.marks.get(open.marks..).unwrap_or_default();
            if open.escaped || keys::may_repeat(marks) {
                let nodes = self.nodes.get(open.node..).unwrap_or_default();
                let text = self.text.get(self.base..).unwrap_or_default();
                keys::refuse_duplicates(text, nodes)
                    .map_err(|error| Error::new(self.base + error.offset, error.kind))?;
            }
            self.scratch.marks.truncate(open.marks);
        }
        Ok(())
    }

    /// Reads a number or a literal.
    fn scalar(&mut self, at: usize, byte: u8, around: Option<&Open>) -> Result<usize, Error> {
        let rest = self.text.get(at..).unwrap_or_default();
        let (length, kind) = match byte {
            b'-' | b'0'..=b'9' => match number::scan(rest) {
                Ok((length, true)) => (length, Kind::Integer),
                Ok((length, false)) => (length, Kind::Float),
                Err(error) => return Err(Error::new(at + error.offset, error.kind)),
            },
            b't' => (self.literal(at, b"true")?, Kind::Bool),
            b'f' => (self.literal(at, b"false")?, Kind::Bool),
            b'n' => (self.literal(at, b"null")?, Kind::Null),
            b'N' | b'I' => return self.fail(at, ErrorKind::NotANumber),
            0xEF if rest.starts_with(b"\xEF\xBB\xBF") => return self.fail(at, ErrorKind::ByteOrderMark),
            _ => return self.fail(at, ErrorKind::ExpectedValue),
        };
        let end = at + length;
        if let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b']' | b'}') | None = self.text.get(end) {
            self.push(at, end, kind, 0);
            return Ok(end);
        }
        self.fail(
            end,
            match around {
                None => ErrorKind::Trailing,
                Some(open) if open.object => ErrorKind::ExpectedCommaOrBrace,
                Some(_) => ErrorKind::ExpectedCommaOrBracket,
            },
        )
    }

    /// The length of `word`, which stands at `at`.
    fn literal(&self, at: usize, word: &[u8]) -> Result<usize, Error> {
        let rest = self.text.get(at..).unwrap_or_default();
        if rest.starts_with(word) {
            return Ok(word.len());
        }
        let truncated = word.starts_with(rest);
        self.fail(if truncated { self.text.len() } else { at }, ErrorKind::ExpectedValue)
    }
}

/// An offset on the tape: texts are shorter than 4 GiB by [`Scanner::new`].
#[inline]
fn short(at: usize) -> u32 {
    at as u32
}
