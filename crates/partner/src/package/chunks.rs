//! The encrypted content: the STREAM construction over AES-256-GCM. A chunk's nonce holds its number and whether it is
//! the last, and every chunk is bound to the header: none can be left out, doubled, moved or taken from elsewhere.

use super::Error;
use super::block::exactly;
use super::wrap::KEY;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use std::io::{self, Read, Write};

/// Bytes of an authentication tag.
const TAG: usize = 16;
/// Marks the length of the last chunk.
const LAST: u32 = 1 << 31;

/// The nonce of a chunk. A content key is used for one package alone.
fn nonce(number: u32, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    if let Some((_, end)) = nonce.split_at_mut_checked(7)
        && let Some((place, flag)) = end.split_at_mut_checked(4)
    {
        place.copy_from_slice(&number.to_be_bytes());
        flag.copy_from_slice(&[u8::from(last)]);
    }
    Nonce::assume_unique_for_key(nonce)
}

fn key(content: &[u8; KEY]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, content).map(LessSafeKey::new).map_err(|_| Error::Wrap)
}

/// The digest of something, as a chunk is bound to it.
pub(super) fn digest_of(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref());
    digest
}

/// A digest that grows: of all that a package has so far.
pub(super) struct Running {
    context: Context,
    /// How many bytes.
    pub(super) bytes: u64,
}

impl Running {
    pub(super) fn new() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0 }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(super) fn value(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.context.clone().finish().as_ref());
        digest
    }
}

/// Encrypts what is written to it.
pub(super) struct Sealing<W> {
    out: W,
    key: LessSafeKey,
    bound: [u8; 32],
    chunk: usize,
    held: Vec<u8>,
    number: u32,
    pub(super) running: Running,
}

impl<W: Write> Sealing<W> {
    /// `running` has what was written to `out` before.
    pub(super) fn new(
        out: W,
        content: &[u8; KEY],
        bound: [u8; 32],
        chunk: usize,
        running: Running,
    ) -> Result<Self, Error> {
        let held = Vec::with_capacity(chunk + TAG);
        Ok(Self { out, key: key(content)?, bound, chunk, held, number: 0, running })
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, last);
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::from(self.bound), &mut self.held);
        sealed.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        let length = u32::try_from(self.held.len()).map_err(io::Error::other)? | if last { LAST } else { 0 };
        self.number = self.number.checked_add(1).ok_or_else(|| io::Error::other("a package has too many chunks"))?;
        for bytes in [&length.to_be_bytes()[..], &self.held] {
            self.out.write_all(bytes)?;
            self.running.add(bytes);
        }
        self.held.clear();
        Ok(())
    }

    /// Writes the last chunk. Returns how many there are.
    pub(super) fn finish(mut self) -> io::Result<(W, Running, u64)> {
        self.chunk(true)?;
        Ok((self.out, self.running, self.number.into()))
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until more comes: it may be the last.
        if self.held.len() == self.chunk && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let fits = bytes.len().min(self.chunk - self.held.len());
        self.held.extend_from_slice(bytes.get(..fits).unwrap_or_default());
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives the content. What is given is the sender's, in order and without a gap, but only after the end was seen all of
/// it. An error of ours travels inside an [`io::Error`].
pub(super) struct Opening<R> {
    from: R,
    key: LessSafeKey,
    bound: [u8; 32],
    chunk: usize,
    held: Vec<u8>,
    /// What of `held` was given.
    given: usize,
    pub(super) number: u32,
    pub(super) ended: bool,
    pub(super) running: Running,
}

impl<R: Read> Opening<R> {
    /// `running` has what was read from `from` before.
    pub(super) fn new(
        from: R,
        content: &[u8; KEY],
        bound: [u8; 32],
        chunk: usize,
        running: Running,
    ) -> Result<Self, Error> {
        let (held, key) = (Vec::with_capacity(chunk + TAG), key(content)?);
        Ok(Self { from, key, bound, chunk, held, given: 0, number: 0, ended: false, running })
    }

    fn next_chunk(&mut self) -> Result<(), Error> {
        let mut length = [0; 4];
        exactly(&mut self.from, &mut length, "content")?;
        self.running.add(&length);
        let length = u32::from_be_bytes(length);
        let (last, size) = (length & LAST != 0, (length & !LAST) as usize);
        let whole = self.chunk + TAG;
        if size > whole || size < TAG || (!last && size != whole) {
            return Err(Error::Chunk(self.number.into()));
        }
        self.held.resize(size, 0);
        exactly(&mut self.from, &mut self.held, "content")?;
        self.running.add(&self.held);
        let wrong = |_| Error::Chunk(self.number.into());
        let opened = self.key.open_in_place(nonce(self.number, last), Aad::from(self.bound), &mut self.held);
        let plain = opened.map_err(wrong)?.len();
        self.held.truncate(plain);
        self.given = 0;
        self.number = self.number.checked_add(1).ok_or_else(|| Error::form("chunk", "there are too many"))?;
        self.ended = last;
        Ok(())
    }

    /// What comes behind the chunks.
    pub(super) fn into_rest(self) -> (R, Running, u64) {
        (self.from, self.running, self.number.into())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.held.len() && !self.ended {
            self.next_chunk()?;
        }
        let rest = self.held.get(self.given..).unwrap_or_default();
        let fits = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..fits), rest.get(..fits)) {
            to.copy_from_slice(from);
        }
        self.given += fits;
        Ok(fits)
    }
}
