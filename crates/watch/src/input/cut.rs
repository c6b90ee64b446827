//! Cuts a stream of bytes at the ends of its lines.

use crate::read::{Fault, Faults};

/// The longest line that is looked at, in bytes; a longer one is passed over and counted.
pub const LONGEST_LINE: usize = 16 << 20;

/// Takes bytes as they come and gives blocks of whole lines; half a line waits for its end.
#[derive(Debug)]
pub struct Cutter {
    by_lines: bool,
    kept: Vec<u8>,
    line: u64,
    given: u64,
    /// Within a line that is too long.
    skipping: bool,
    faults: Faults,
}

impl Cutter {
    /// Begins at this byte of the input, with the line of this number.
    #[must_use]
    pub fn at(offset: u64, line: u64, by_lines: bool) -> Self {
        Self { by_lines, kept: Vec::new(), line, given: offset, skipping: false, faults: Faults::default() }
    }

    /// Takes the next bytes; `give` gets blocks of whole lines, and the number of the first line in each.
    pub fn push(&mut self, mut bytes: &[u8], give: &mut dyn FnMut(&[u8], u64)) {
        if !self.by_lines {
            self.given += bytes.len() as u64;
            if !bytes.is_empty() {
                give(bytes, self.line);
            }
            return;
        }
        if !self.kept.is_empty() || self.skipping {
            let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
            let (head, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.continue_line(head, end.is_some(), give);
            bytes = rest;
        }
        let Some(last) = memchr::memrchr(b'\n', bytes) else { return self.keep(bytes) };
        let (whole, half) = bytes.split_at(last + 1);
        self.give(whole, give);
        self.keep(half);
    }

    /// The input has ended: gives the half line that is left.
    pub fn rest(&mut self, give: &mut dyn FnMut(&[u8], u64)) {
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            self.give(&kept, give);
        }
        if std::mem::take(&mut self.skipping) {
            self.line += 1;
        }
    }

    /// How many bytes of the input have been given away or passed over: whoever resumes here misses nothing.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.given
    }

    /// The number of the line that begins there.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether half a line waits for its end.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.kept.is_empty() || self.skipping
    }

    /// What was passed over since the last time; it is forgotten.
    pub fn take_faults(&mut self) -> Faults {
        std::mem::take(&mut self.faults)
    }

    fn continue_line(&mut self, head: &[u8], whole: bool, give: &mut dyn FnMut(&[u8], u64)) {
        self.keep(head);
        if !whole {
            return;
        }
        if std::mem::take(&mut self.skipping) {
            self.line += 1;
            return;
        }
        let mut kept = std::mem::take(&mut self.kept);
        self.give(&kept, give);
        kept.clear();
        // One long line must not hold its memory for ever.
        if kept.capacity() <= 1 << 20 {
            self.kept = kept;
        }
    }

    fn give(&mut self, block: &[u8], give: &mut dyn FnMut(&[u8], u64)) {
        give(block, self.line);
        self.given += block.len() as u64;
        let ends = memchr::memchr_iter(b'\n', block).count() as u64;
        self.line += ends + u64::from(block.last() != Some(&b'\n'));
    }

    fn keep(&mut self, half: &[u8]) {
        if self.skipping {
            self.given += half.len() as u64;
            return;
        }
        if self.kept.len() + half.len() > LONGEST_LINE {
            self.faults.add(Fault::TooLong, self.line);
            self.given += (self.kept.len() + half.len()) as u64;
            self.kept = Vec::new();
            self.skipping = true;
            return;
        }
        self.kept.extend_from_slice(half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(input: &[u8], chunk: usize) -> (Vec<(String, u64)>, Cutter) {
        let mut cutter = Cutter::at(0, 1, true);
        let mut lines = Vec::new();
        let mut give = |block: &[u8], first: u64| {
            for (index, line) in block.split_inclusive(|&byte| byte == b'\n').enumerate() {
                lines.push((String::from_utf8(line.to_vec()).unwrap(), first + index as u64));
            }
        };
        for part in input.chunks(chunk) {
            cutter.push(part, &mut give);
        }
        cutter.rest(&mut give);
        (lines, cutter)
    }

    #[test]
    fn however_the_bytes_come_the_lines_are_the_same() {
        let input = b"one\ntwo\n\nfour\r\nfive and a half";
        let wanted: Vec<(String, u64)> = ["one\n", "two\n", "\n", "four\r\n", "five and a half"]
            .into_iter()
            .zip(1..)
            .map(|(line, number)| (line.to_owned(), number))
            .collect();
        for chunk in 1..=input.len() {
            let (lines, cutter) = cut(input, chunk);
            assert_eq!(lines, wanted, "chunks of {chunk}");
            assert_eq!(cutter.offset(), input.len() as u64);
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let mut input = b"a\n".to_vec();
        input.resize(LONGEST_LINE + 1000, b'x');
        input.extend_from_slice(b"\nb\n");
        let (lines, mut cutter) = cut(&input, 1 << 16);
        assert_eq!(lines, [("a\n".to_owned(), 1), ("b\n".to_owned(), 3)]);
        assert_eq!(cutter.offset(), input.len() as u64);
        assert_eq!(cutter.take_faults().places(), [(Fault::TooLong, 2)]);
        let (_, cutter) = cut(&vec![b'x'; LONGEST_LINE * 2], 1 << 20);
        assert!(cutter.kept.capacity() < 1 << 20, "nothing is held of it");
    }
}
