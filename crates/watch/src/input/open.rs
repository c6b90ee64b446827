//! Opens files and streams, and unpacks them: gzip (RFC 1952) and Zstandard (RFC 8878), of any number of members.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest window of Zstandard that is allowed, as a power of two: 128 MiB.
const LARGEST_WINDOW: u32 = 27;

/// How an input is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packed {
    /// It is not.
    No,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// An input that is open. Reading gives it unpacked, piece by piece: however much it unpacks to, the memory is the same.
pub struct Opened {
    /// The bytes, unpacked.
    pub source: Box<dyn Read + Send>,
    /// How it is packed.
    pub packed: Packed,
    /// Its length as it lies there, where that is known.
    pub total: Option<u64>,
    /// How many of those bytes have been read.
    pub read: Arc<AtomicU64>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("packed", &self.packed).field("total", &self.total).finish_non_exhaustive()
    }
}

/// Opens a file.
///
/// # Errors
/// It cannot be opened, or is a folder.
pub fn open(path: &Path) -> io::Result<Opened> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut opened = open_stream(file)?;
    opened.total = about.is_file().then_some(about.len());
    Ok(opened)
}

/// Opens a stream: standard input, or a file that was opened elsewhere.
///
/// # Errors
/// Its first bytes cannot be read.
pub fn open_stream(stream: impl Read + Send + 'static) -> io::Result<Opened> {
    let read = Arc::new(AtomicU64::new(0));
    let mut counted = Counted { stream, read: Arc::clone(&read) };
    let mut magic = [0_u8; 4];
    let mut length = 0;
    while let Some(room) = magic.get_mut(length..).filter(|room| !room.is_empty()) {
        match counted.read(room) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let head = magic.get(..length).unwrap_or_default().to_vec();
    let packed = packed(&head);
    let whole = Cursor::new(head).chain(counted);
    let buffered = || -> io::Result<Box<dyn Read + Send>> {
        let whole = BufReader::with_capacity(1 << 17, whole);
        Ok(match packed {
            Packed::No => Box::new(whole),
            Packed::Gzip => Box::new(Members { inner: Some(flate2::bufread::GzDecoder::new(whole)) }),
            Packed::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
                decoder.window_log_max(LARGEST_WINDOW)?;
                Box::new(decoder)
            }
        })
    };
    Ok(Opened { source: buffered()?, packed, total: None, read })
}

/// How something with these first four bytes is packed.
pub(super) fn packed(head: &[u8]) -> Packed {
    match head {
        [0x1f, 0x8b, 8, ..] => Packed::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Packed::Zstd,
        // A frame that is to be passed over may come first: RFC 8878 §3.1.2.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Packed::Zstd,
        _ => Packed::No,
    }
}

struct Counted<R> {
    stream: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(room)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The members of a gzip file, one behind the other; zeros behind the last are padding.
struct Members<R: BufRead> {
    inner: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.inner {
            let count = decoder.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            let Some(mut rest) = self.inner.take().map(flate2::bufread::GzDecoder::into_inner) else { break };
            if !padding(&mut rest)? {
                self.inner = Some(flate2::bufread::GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Passes over zeros; whether nothing else comes.
fn padding(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let ready = rest.fill_buf()?;
        if ready.is_empty() {
            return Ok(true);
        }
        let zeros = ready.iter().take_while(|&&byte| byte == 0).count();
        let all = zeros == ready.len();
        rest.consume(zeros);
        if !all {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn zst(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn read(bytes: Vec<u8>) -> (Vec<u8>, Packed, bool) {
        let mut opened = open_stream(Cursor::new(bytes)).unwrap();
        let mut out = Vec::new();
        let failed = opened.source.read_to_end(&mut out).is_err();
        (out, opened.packed, failed)
    }

    #[test]
    fn packed_and_not() {
        for (bytes, wanted, packed) in [
            (b"".to_vec(), &b""[..], Packed::No),
            (b"a".to_vec(), b"a", Packed::No),
            (b"plain text".to_vec(), b"plain text", Packed::No),
            (gz(b"one"), b"one", Packed::Gzip),
            ([gz(b"one"), gz(b"two")].concat(), b"onetwo", Packed::Gzip),
            ([gz(b"one"), vec![0; 512]].concat(), b"one", Packed::Gzip),
            ([zst(b"one"), zst(b"two")].concat(), b"onetwo", Packed::Zstd),
            ([b"\x50\x2a\x4d\x18\x02\0\0\0ab".to_vec(), zst(b"one")].concat(), b"one", Packed::Zstd),
        ] {
            assert_eq!(read(bytes), (wanted.to_vec(), packed, false));
        }
    }

    #[test]
    fn of_what_is_cut_the_readable_part_is_read() {
        // What does not compress, so that a part of the file is a part of the text.
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for whole in [gz(&text), zst(&text)] {
            let (out, _, failed) = read(whole[..whole.len() / 2].to_vec());
            assert!(failed, "the cut is told");
            assert!(out.len() > text.len() / 4 && text.starts_with(&out), "{} bytes", out.len());
        }
        let (out, _, failed) = read([gz(b"one"), b"garbage".to_vec()].concat());
        assert_eq!((out.as_slice(), failed), (&b"one"[..], true));
    }

    #[test]
    fn a_bomb_is_read_in_pieces() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..256 {
            packer.write_all(&[0; 1 << 18]).unwrap();
        }
        let mut opened = open_stream(Cursor::new(packer.finish().unwrap())).unwrap();
        let mut room = vec![0; 1 << 16];
        let mut total = 0;
        loop {
            let count = opened.source.read(&mut room).unwrap();
            total += count;
            if count == 0 {
                break;
            }
        }
        assert_eq!(total, 256 << 18);
        assert!(opened.read.load(Ordering::Relaxed) < 1 << 20);
    }
}
