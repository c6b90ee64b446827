//! JSON lines, walked from mark to mark.
//!
//! Structure is checked: braces, brackets, strings, and the colons and commas between them. What stands inside of numbers
//! and literals is not, nor a comma too many before a closing brace: neither can hide a value.

use super::fault::Fault;
use super::keys::{Keys, NOWHERE, ROOT, Target};
use super::line::{Lines, OPEN, Span};
use super::mask::Outline;
use super::{MAX_DEPTH, unescape};

/// A walk over one line.
pub(super) struct Walk<'w> {
    /// The line.
    pub(super) text: &'w [u8],
    pub(super) outline: &'w Outline,
    /// The offsets of the outline.
    pub(super) marks: &'w [u32],
    pub(super) keys: &'w Keys,
    pub(super) lines: &'w mut Lines,
    /// Where the line begins in its window.
    pub(super) base: usize,
}

/// An object or array that is open.
#[derive(Clone, Copy)]
struct Frame {
    array: bool,
    target: Target,
}

impl Walk<'_> {
    /// Walks over the line, up to before the mark of its end. False if it is empty.
    pub(super) fn line(&mut self) -> Result<bool, Fault> {
        let next = &mut 0;
        let (open, byte) = self.mark(*next);
        if byte != b'{' {
            let blank = self.text.get(..open).is_some_and(blank);
            return if byte == b'\n' && blank { Ok(false) } else { Err(Fault::NotObject) };
        }
        if open != 0 && !self.text.get(..open).is_some_and(blank) {
            return Err(Fault::NotObject);
        }
        *next += 1;
        let end = self.nest(next)?;
        let (feed, byte) = self.mark(*next);
        if byte != b'\n' || (feed != end && !self.text.get(end..feed).is_some_and(blank)) {
            return Err(Fault::Syntax(end));
        }
        Ok(true)
    }

    /// The offset of a mark, and the byte there. Past the end there are line feeds.
    #[inline(always)]
    fn mark(&self, place: usize) -> (usize, u8) {
        let at = self.marks.get(place).map_or(self.text.len(), |at| *at as usize);
        (at, self.byte(at))
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// From behind the first brace to behind the one that closes it; that offset.
    #[inline(always)]
    fn nest(&mut self, next: &mut usize) -> Result<usize, Fault> {
        // The object of the line itself is the first level.
        let mut frames = [Frame { array: false, target: Target::NONE }; MAX_DEPTH - 1];
        let mut depth = 0;
        let mut frame = Frame { array: false, target: Target { field: 0, child: ROOT } };
        loop {
            if !frame.array {
                self.members(frame.target.child, next);
            }
            let (at, byte) = self.mark(*next);
            let open = match byte {
                b'"' if frame.array => self.element(frame.target, next)?,
                b'"' => self.member(frame.target.child, next)?,
                b'}' | b']' if frame.array == (byte == b']') => {
                    *next += 1;
                    if depth == 0 {
                        return Ok(at + 1);
                    }
                    depth -= 1;
                    frame = frames.get(depth).copied().unwrap_or(frame);
                    None
                }
                b'{' | b'[' if frame.array => Some(frame.target),
                b'\n' => return Err(Fault::Cut),
                _ => return Err(self.wrong(at)),
            };
            let Some(target) = open else { continue };
            let (_, byte) = self.mark(*next);
            *next += 1;
            let kept = frames.get_mut(depth).ok_or(Fault::Depth)?;
            *kept = frame;
            depth += 1;
            frame = Frame { array: byte == b'[', target };
            if target.child == NOWHERE && target.field == 0 {
                *next = self.skip(depth, *next)?;
            }
        }
    }

    /// Keys and values as nearly all are written: no white space beside them, values that are strings or scalars. Stops
    /// before what is not, and before what is wrong, which [`member`](Self::member) then says.
    #[inline(always)]
    fn members(&mut self, node: u8, next: &mut usize) {
        let (text, marks) = (self.text, self.marks);
        // Inside of a string no bracket is a mark, so a mark that is a quote closes the string that the one before opens.
        while let Some([open, close, _, end]) = marks.get(*next..).and_then(<[u32]>::first_chunk::<4>) {
            let (open, close, end) = (*open as usize, *close as usize, *end as usize);
            let Some([b',' | b'{', b'"']) = chunk(text, open.wrapping_sub(1)) else { return };
            let Some([b'"', b':', first]) = chunk(text, close) else { return };
            let plain = |start, end| !self.outline.has_escapes() || !self.outline.escaped(start, end);
            let mut count = 2;
            match first {
                b'"' => {
                    let Some([b'"', b',' | b'}']) = chunk(text, end) else { return };
                    count = 4;
                }
                b'{' | b'[' | b',' | b':' | b'}' | b']' | 0..=b' ' => return,
                _ => {}
            }
            let target = self.keys.find(node, text, open + 1, close);
            if !plain(open + 1, close) {
                return;
            }
            if let Some(act) = self.keys.act(target.field) {
                if count == 2 {
                    self.scalar(target.field, close + 2, *first);
                } else if plain(close + 3, end) {
                    self.lines.see(act, self.span(close + 3, end));
                } else {
                    return;
                }
            }
            *next += count;
        }
    }

    /// One key and its value, if that is no object or array; else what the key leads to, and the next mark opens it.
    #[inline(always)]
    fn member(&mut self, node: u8, next: &mut usize) -> Result<Option<Target>, Fault> {
        let (open, _) = self.mark(*next);
        let (close, byte) = self.mark(*next + 1);
        if byte != b'"' {
            return Err(self.unclosed(close, byte));
        }
        if !matches!(self.byte(open.wrapping_sub(1)), b',' | b'{') {
            self.separated(open)?;
        }
        let mut target = self.keys.find(node, self.text, open + 1, close);
        if self.outline.has_escapes() && self.outline.escaped(open + 1, close) {
            target = self.escaped_key(node, open + 1, close)?;
        }
        let mut colon = close + 1;
        if self.byte(colon) != b':' {
            colon = self.blanks(colon);
            if self.byte(colon) != b':' {
                return Err(self.wrong(colon));
            }
        }
        let mut value = colon + 1;
        if self.byte(value) <= b' ' {
            value = self.blanks(value);
        }
        *next += 2;
        match self.byte(value) {
            b'"' => self.string(target.field, next),
            b'{' | b'[' => Ok(Some(target)),
            b',' | b':' | b'}' | b']' | b'\n' => Err(self.wrong(value)),
            _ if target.field == 0 => Ok(None),
            first => {
                self.scalar(target.field, value, first);
                Ok(None)
            }
        }
    }

    /// The string whose opening quote is the next mark: the value of a field, or of none.
    #[inline(always)]
    fn string(&mut self, field: u16, next: &mut usize) -> Result<Option<Target>, Fault> {
        let (open, _) = self.mark(*next);
        let (close, byte) = self.mark(*next + 1);
        if byte != b'"' {
            return Err(self.unclosed(close, byte));
        }
        if !matches!(self.byte(close + 1), b',' | b'}' | b']') {
            let after = self.blanks(close + 1);
            if !matches!(self.byte(after), b',' | b'}' | b']') {
                return Err(self.wrong(after));
            }
        }
        *next += 2;
        if let Some(act) = self.keys.act(field) {
            let span = if self.outline.has_escapes() && self.outline.escaped(open + 1, close) {
                self.unescaped(open + 1, close)?
            } else {
                self.span(open + 1, close)
            };
            self.lines.see(act, span);
        }
        Ok(None)
    }

    /// A string in an array.
    #[inline(always)]
    fn element(&mut self, target: Target, next: &mut usize) -> Result<Option<Target>, Fault> {
        let (open, _) = self.mark(*next);
        if !matches!(self.byte(open.wrapping_sub(1)), b',' | b'[') {
            self.separated(open)?;
        }
        self.string(target.field, next)
    }

    /// A number or literal of a known field.
    fn scalar(&mut self, field: u16, start: usize, first: u8) {
        if first != b'n'
            && let Some(act) = self.keys.act(field)
        {
            // Where it ends is looked up when it is needed, and most are not.
            self.lines.see(act, Span { end: OPEN, ..self.span(start, start) });
        }
    }

    /// Where a part of the line stands in the window.
    #[inline(always)]
    fn span(&self, start: usize, end: usize) -> Span {
        Span { start: (self.base + start) as u32, end: (self.base + end) as u32, made: false }
    }

    /// Leaves out what is in the object or array that was just opened; the mark of its end.
    fn skip(&self, outer: usize, mut next: usize) -> Result<usize, Fault> {
        let mut depth = 0_usize;
        loop {
            let (at, byte) = self.mark(next);
            match byte {
                b'"' => {
                    let (close, byte) = self.mark(next + 1);
                    if byte != b'"' {
                        return Err(self.unclosed(close, byte));
                    }
                    next += 1;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return Ok(next),
                b'}' | b']' => depth -= 1,
                b'\n' => return Err(Fault::Cut),
                _ => return Err(self.wrong(at)),
            }
            if 1 + outer + depth > MAX_DEPTH {
                return Err(Fault::Depth);
            }
            next += 1;
        }
    }

    /// Whether a comma or an opening bracket, and nothing but white space beside it, stands before a string.
    #[cold]
    fn separated(&self, open: usize) -> Result<(), Fault> {
        let before = self.text.get(..open).unwrap_or_default();
        let at = before.iter().rposition(|byte| !is_white(*byte));
        match at.and_then(|at| before.get(at)) {
            Some(b',' | b'{' | b'[') => Ok(()),
            _ => Err(self.wrong(open)),
        }
    }

    #[cold]
    fn escaped_key(&mut self, node: u8, start: usize, end: usize) -> Result<Target, Fault> {
        let mut key = Vec::new();
        if !unescape::json(self.text.get(start..end).unwrap_or_default(), &mut key) {
            return Err(self.wrong(start));
        }
        Ok(self.keys.find(node, &key, 0, key.len()))
    }

    #[cold]
    fn unescaped(&mut self, start: usize, end: usize) -> Result<Span, Fault> {
        let raw = self.text.get(start..end).unwrap_or_default();
        let mut fine = true;
        let span = self.lines.make(|out| fine = unescape::json(raw, out));
        if fine { Ok(span) } else { Err(self.wrong(start)) }
    }

    /// The first byte from `at` on that is no white space.
    #[cold]
    fn blanks(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.iter().position(|byte| !is_white(*byte)).map_or(self.text.len(), |length| at + length)
    }

    /// What is wrong where a string should have been closed.
    #[cold]
    fn unclosed(&self, at: usize, byte: u8) -> Fault {
        if byte == b'\n' || (byte == b'\r' && self.byte(at + 1) == b'\n') { Fault::Cut } else { Fault::Syntax(at) }
    }

    /// What is wrong where another byte should have stood.
    #[cold]
    fn wrong(&self, at: usize) -> Fault {
        self.unclosed(at, self.byte(at))
    }
}

/// So many bytes from `at` on.
#[inline(always)]
fn chunk<const SIZE: usize>(text: &[u8], at: usize) -> Option<&[u8; SIZE]> {
    text.get(at..).and_then(<[u8]>::first_chunk)
}

/// White space of JSON within a line.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

pub(super) fn blank(text: &[u8]) -> bool {
    text.iter().all(|byte| is_white(*byte))
}
