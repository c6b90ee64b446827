//! Counting lines on the way.

/// Lines and columns of a stream whose beginning is gone.
#[derive(Debug)]
pub(super) struct Lines {
    /// Bytes of the stream before the buffer.
    before: u64,
    /// Up to where in the buffer lines have been counted.
    at: usize,
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { before: 0, at: 0, line: 1, column: 1 }
    }
}

impl Lines {
    pub(super) fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Counts up to `to`.
    pub(super) fn go(&mut self, buffer: &[u8], to: usize) {
        let Some(text) = buffer.get(self.at..to) else { return };
        let mut last = text;
        if let Some(at) = memchr::memrchr(b'\n', text) {
            self.line += memchr::memchr_iter(b'\n', text).count() as u64;
            self.column = 1;
            last = text.get(at + 1..).unwrap_or_default();
        }
        self.column += last.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u64;
        self.at = to;
    }

    /// Counts the first bytes of the buffer, which will be gone.
    pub(super) fn drop(&mut self, buffer: &[u8], count: usize) {
        self.go(buffer, count);
        self.before += count as u64;
        self.at -= count;
    }
}
