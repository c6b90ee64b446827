//! Finding where a value ends by its quotes and brackets alone, in a text that arrives piece by piece.

use super::error::{Error, ErrorKind};
use super::scan::{self, BLOCK, State};
use super::{Limits, is_white};

/// A value whose end has not been found yet.
#[derive(Clone, Debug)]
pub(crate) struct Nest {
    form: Form,
    state: State,
    /// Bytes from the value's start that have been seen.
    seen: usize,
    depth: usize,
    /// A bit for each level: set for objects.
    objects: [u64; Limits::DEEPEST / 64],
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Container,
    String,
    /// A number, a literal, or neither.
    Plain,
}

impl Nest {
    /// A value that starts with this byte; `None` if none does.
    pub(crate) fn new(first: u8) -> Option<Self> {
        let form = match first {
            b'{' | b'[' => Form::Container,
            b'"' => Form::String,
            b'}' | b']' | b',' | b':' => return None,
            byte if byte <= b' ' => return None,
            _ => Form::Plain,
        };
        Some(Self { form, state: State::default(), seen: 0, depth: 0, objects: [0; Limits::DEEPEST / 64] })
    }

    /// The end of the value, if it lies in `text`, which starts where the value does. `last`: nothing will follow.
    ///
    /// Strings may hold anything, and between brackets anything may stand: only that brackets match is made sure of.
    pub(crate) fn end(&mut self, text: &[u8], last: bool, max_depth: usize) -> Result<Option<usize>, Error> {
        let found = match self.form {
            Form::Container => self.container(text, max_depth.min(Limits::DEEPEST))?,
            Form::String => self.string(text),
            Form::Plain => self.plain(text, last),
        };
        if found.is_none() && last { Err(Error::new(text.len(), ErrorKind::Truncated)) } else { Ok(found) }
    }

    fn container(&mut self, text: &[u8], max_depth: usize) -> Result<Option<usize>, Error> {
        let (blocks, tail) = text.get(self.seen..).unwrap_or_default().as_chunks::<BLOCK>();
        for block in blocks {
            if let Some(end) = self.block(block, text, max_depth)? {
                return Ok(Some(end));
            }
            self.seen += BLOCK;
        }
        if tail.is_empty() {
            return Ok(None);
        }
        // A block that is not full yet is looked at again when there is more.
        let before = self.clone();
        let end = self.block(&scan::padded(tail), text, max_depth)?;
        *self = before;
        Ok(end)
    }

    #[inline]
    fn block(&mut self, block: &[u8; BLOCK], text: &[u8], max_depth: usize) -> Result<Option<usize>, Error> {
        let (_, inside) = self.state.strings(block);
        let (opening, closing) = scan::brackets(block);
        let mut brackets = (opening | closing) & !inside;
        while brackets != 0 {
            let bit = brackets.trailing_zeros();
            let at = self.seen + bit as usize;
            brackets &= brackets.wrapping_sub(1);
            let object = matches!(text.get(at), Some(b'{' | b'}'));
            if opening >> bit & 1 == 1 {
                if self.depth >= max_depth {
                    return Err(Error::new(at, ErrorKind::Depth(max_depth)));
                }
                self.set(object);
                self.depth += 1;
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.is_object() != object {
                    let kind = if object { ErrorKind::ExpectedCommaOrBracket } else { ErrorKind::ExpectedCommaOrBrace };
                    return Err(Error::new(at, kind));
                }
                if self.depth == 0 {
                    return Ok(Some(at + 1));
                }
            }
        }
        Ok(None)
    }

    fn set(&mut self, object: bool) {
        if let Some(word) = self.objects.get_mut(self.depth / 64) {
            let bit = 1 << (self.depth % 64);
            *word = if object { *word | bit } else { *word & !bit };
        }
    }

    fn is_object(&self) -> bool {
        self.objects.get(self.depth / 64).is_some_and(|word| word >> (self.depth % 64) & 1 == 1)
    }

    fn string(&mut self, text: &[u8]) -> Option<usize> {
        // After an escape that the text ends in, `seen` lies beyond the text.
        self.seen = self.seen.max(1);
        loop {
            let rest = text.get(self.seen..)?;
            let Some(at) = memchr::memchr2(b'"', b'\\', rest) else {
                self.seen = text.len();
                return None;
            };
            self.seen += at;
            if rest.get(at) == Some(&b'"') {
                return Some(self.seen + 1);
            }
            self.seen += 2;
        }
    }

    fn plain(&mut self, text: &[u8], last: bool) -> Option<usize> {
        let rest = text.get(self.seen..).unwrap_or_default();
        let ends = |byte: &u8| is_white(*byte) || matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'{' | b'[');
        let end = rest.iter().position(ends).map(|at| self.seen + at);
        self.seen = text.len();
        end.or(last.then_some(text.len()))
    }
}
