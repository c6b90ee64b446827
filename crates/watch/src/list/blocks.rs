//! A source in blocks of whole lines.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use super::record::MAX_LINE;

/// Bytes read at a time; more than the longest line.
const BLOCK: usize = MAX_LINE + (256 << 10);

/// Whole lines, the last of the source perhaps without its end.
#[derive(Debug)]
pub(super) struct Block {
    /// Where it begins, in bytes from the start of the source.
    pub(super) offset: u64,
    /// The number of its first line, from 1.
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
}

impl Block {
    /// Its lines with their ends, each with its place and number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, u64, &[u8])> {
        let mut rest = self.bytes.as_slice();
        let (mut offset, mut number) = (self.offset, self.line);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let (line, behind) = rest.split_at_checked(end)?;
            rest = behind;
            let here = (offset, number, line);
            (offset, number) = (offset + end as u64, number + 1);
            Some(here)
        })
    }
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Piece {
    Block(Block),
    /// A line longer than any may be, left out.
    LongLine(u64),
}

pub(super) struct Blocks<R> {
    source: R,
    /// What was read behind the last whole line.
    carried: Vec<u8>,
    offset: u64,
    line: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, carried: Vec::new(), offset: 0, line: 1, ended: false }
    }

    /// The next lines; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut bytes = std::mem::take(&mut self.carried);
        bytes.reserve_exact(BLOCK.saturating_sub(bytes.len()));
        self.fill(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let end = match memrchr(b'\n', &bytes) {
            Some(end) => end + 1,
            None if self.ended => bytes.len(),
            None => return self.skip_line(bytes).map(Some),
        };
        self.carried = bytes.split_off(end);
        let block = Block { offset: self.offset, line: self.line, bytes };
        self.offset += end as u64;
        self.line += memchr::memchr_iter(b'\n', &block.bytes).count() as u64;
        Ok(Some(Piece::Block(block)))
    }

    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let wanted = BLOCK.saturating_sub(bytes.len());
        if self.ended || wanted == 0 {
            return Ok(());
        }
        let read = (&mut self.source).take(wanted as u64).read_to_end(bytes)?;
        self.ended = read < wanted;
        Ok(())
    }

    /// Passes over a line of which this is the beginning.
    fn skip_line(&mut self, mut bytes: Vec<u8>) -> io::Result<Piece> {
        let line = self.line;
        self.line += 1;
        loop {
            if let Some(end) = memchr(b'\n', &bytes) {
                self.carried = bytes.split_off(end + 1);
                self.offset += end as u64 + 1;
                return Ok(Piece::LongLine(line));
            }
            self.offset += bytes.len() as u64;
            bytes.clear();
            self.fill(&mut bytes)?;
            if bytes.is_empty() {
                return Ok(Piece::LongLine(line));
            }
        }
    }
}
