//! Several files as one: a tar archive (POSIX.1-1988 ustar).

use crate::sink::Sink;
use std::io::{self, Write};

/// A block of the archive.
const BLOCK: usize = 512;

/// Gathers the files of an export and writes them as one tar archive, in the order in which they began.
///
/// A file's length stands before its content, so the files are held until the end.
pub struct Archive {
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Archive {
    /// One without files.
    #[must_use]
    pub fn new() -> Self {
        Self { files: Vec::new() }
    }

    /// Writes the archive. `at`: the time of its files, in microseconds since 1970.
    ///
    /// # Errors
    /// Those of the place where it goes, and a file beyond 8 GiB, which the format cannot hold.
    pub fn finish(self, at: i64, out: &mut dyn Write) -> io::Result<()> {
        for (name, content) in &self.files {
            out.write_all(&header(name, content.len(), at)?)?;
            out.write_all(content)?;
            let beyond = content.len() % BLOCK;
            if beyond > 0 {
                out.write_all(&vec![0; BLOCK - beyond])?;
            }
        }
        out.write_all(&[0; 2 * BLOCK])
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for Archive {
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        match self.files.iter_mut().find(|(name, _)| *name == file) {
            Some((_, content)) => content.extend_from_slice(bytes),
            None => self.files.push((file, bytes.to_vec())),
        }
        Ok(())
    }
}

/// The block before a file. Names are the export's own, and short.
fn header(name: &str, length: usize, at: i64) -> io::Result<[u8; BLOCK]> {
    if length >= 1 << 33 {
        return Err(io::Error::other("a file of more than 8 GiB does not fit into an archive: write to a folder"));
    }
    let seconds = at.div_euclid(1_000_000).max(0);
    let mut block = [0; BLOCK];
    let mut put = |from: usize, text: &str| {
        for (place, byte) in block.iter_mut().skip(from).zip(text.bytes()) {
            *place = byte;
        }
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{length:011o}"));
    put(136, &format!("{seconds:011o}"));
    // The sum is made as if its own place were blank.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (place, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *place = byte;
    }
    Ok(block)
}
