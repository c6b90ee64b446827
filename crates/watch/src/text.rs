//! Observables in running text: addresses, host names, URLs, mailboxes and digests, also where they were written so
//! that nobody clicks on them (`hxxp://evil[.]example`).
//!
//! What is found stands between boundaries: `1.2.3.4` is not found in `1.2.3.45`, in `1.2.3.4.5` or in `v1.2.3.4`, and
//! a name is always the whole name. The time is linear in the length of the text, the memory that of its longest word.

mod digest;
mod refang;
mod url;
mod word;

use crate::Meaning;
use memchr::memmem;

pub use digest::digest_length;
pub use url::host;

/// How many URLs within a URL are given: each costs the length of what follows.
const MOST_NESTED: u32 = 4;

/// A piece of text that looks like an observable is given to this, as it is written but with its disguise taken off.
pub type Found<'f> = dyn FnMut(Meaning, &[u8]) + 'f;

/// Finds observables in text. Keep it for the next text: it keeps its memory.
#[derive(Debug, Default)]
pub struct Extractor {
    refanged: Vec<u8>,
    lower: Vec<u8>,
}

impl Extractor {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives every observable in the text to `found`, in their order. A URL is given whole, and then its host; that of a
    /// mailbox is not.
    pub fn each(&mut self, text: &[u8], found: &mut Found<'_>) {
        for chunk in text.split(|&byte| parts_chunks(byte)) {
            if !worth_reading(chunk) {
                continue;
            }
            if refang::disguised(chunk) {
                let mut plain = std::mem::take(&mut self.refanged);
                plain.clear();
                refang::refang(chunk, &mut plain);
                self.chunk(&plain, found);
                self.refanged = plain;
            } else {
                self.chunk(chunk, found);
            }
        }
    }

    /// A run without white space and quotes: URLs in it, and words around them.
    fn chunk(&mut self, chunk: &[u8], found: &mut Found<'_>) {
        let mut from = 0;
        let mut nested = 0;
        while let Some(at) = chunk.get(from..).and_then(|rest| memmem::find(rest, b"://")).map(|at| at + from) {
            let Some(begin) = url::scheme_before(chunk, from, at) else {
                self.words(chunk.get(from..at).unwrap_or_default(), found);
                from = at + 3;
                continue;
            };
            self.words(chunk.get(from..begin).unwrap_or_default(), found);
            let end = url::end(chunk, begin, at + 3);
            let whole = chunk.get(begin..end).unwrap_or_default();
            found(Meaning::Url, whole);
            if let Some(host) = url::host(whole) {
                found(Meaning::Host, host);
            }
            // A URL in the query of another is one of its own; it is looked at where it begins.
            let inner = chunk.get(at + 3..end).and_then(|rest| memmem::find(rest, b"://"));
            let inner = inner.and_then(|inner| url::scheme_before(chunk, at + 3, at + 3 + inner));
            (from, nested) = match inner {
                Some(inner) if nested < MOST_NESTED => (inner, nested + 1),
                _ => (end, 0),
            };
        }
        self.words(chunk.get(from..).unwrap_or_default(), found);
    }

    /// Words: runs of what host names, addresses, mailboxes and digests are made of.
    fn words(&mut self, text: &[u8], found: &mut Found<'_>) {
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let Some(skip) = rest.iter().position(|&byte| word::is_part(byte)) else { return };
            let begin = at + skip;
            let run = text.get(begin..).unwrap_or_default();
            let length = run.iter().position(|&byte| !word::is_part(byte)).unwrap_or(run.len());
            let end = begin + length;
            let path = text.get(end..).unwrap_or_default();
            word::read(run.get(..length).unwrap_or_default(), path, &mut self.lower, found);
            at = end;
            // `%2F` parts words, and its digits belong to neither of them.
            if let [b'%', a, b, ..] = path
                && a.is_ascii_hexdigit()
                && b.is_ascii_hexdigit()
            {
                at += 3;
            }
        }
    }
}

/// What never stands within a URL, and so parts everything. RFC 3986 §2 and Appendix C.
fn parts_chunks(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'`' | 0x7f)
}

/// Whether anything could be in it: the shortest host name has four bytes, and all but digests have one of these.
fn worth_reading(chunk: &[u8]) -> bool {
    let mark = |byte: &u8| matches!(byte, b'.' | b':' | b'@' | b'(' | b'[' | b'{' | b'-');
    chunk.len() >= 32 || (chunk.len() >= 3 && chunk.iter().any(mark))
}

#[cfg(test)]
mod tests;
