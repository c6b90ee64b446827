//! Files as they come: plain, or packed with gzip, zstd or zip, which is told by their first bytes.
//!
//! Everything is unpacked as it is read; nothing is written to disk, and the name of a zip entry is only ever
//! shown. A file may unpack to so many bytes, and may grow by so much, and no further ([`Budget`]).

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Small files may grow by any factor up to this size.
const FREE: u64 = 64 << 20;
/// A zip on standard input is held in memory up to this size, as its table of contents is at the end.
const MAX_ZIP_ON_STDIN: u64 = 256 << 20;
/// More entries than this are no honest zip of threat information.
const MAX_ZIP_ENTRIES: usize = 100_000;
/// zstd may ask for a window of 128 MiB, as the reference tool allows.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How far a packed file may unpack.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The most bytes altogether.
    pub max_bytes: u64,
    /// The most bytes for each packed byte, beyond the first 64 MiB.
    pub max_ratio: u64,
}

/// Where bytes come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// Bytes of the program itself.
    Embedded {
        /// What messages call them.
        name: &'static str,
        /// The bytes.
        bytes: &'static [u8],
    },
}

impl Source {
    /// What a person named: `-` is standard input.
    #[must_use]
    pub fn named(name: &std::ffi::OsStr) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Embedded { name, .. } => (*name).to_owned(),
        }
    }

    /// Its size as it lies on disk; `None` where that cannot be known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len()),
            Self::Embedded { bytes, .. } => Some(bytes.len() as u64),
        }
    }

    /// Calls `each` with the name and the plain bytes of every document in it: once, or once an entry of a zip.
    /// `read` counts the packed bytes that have been consumed, for progress.
    ///
    /// # Errors
    /// What opening or reading meets, and what `each` returns. A budget that is exceeded, or a broken packing,
    /// appears as an error of the reader that `each` is given.
    pub fn each(&self, budget: &Budget, read: &AtomicU64, each: &mut Each<'_>) -> io::Result<()> {
        match self {
            Self::Stdin => unpack(&self.name(), Counted { inner: io::stdin().lock(), read }, None, budget, each),
            Self::Embedded { name, bytes } => unpack(name, Counted { inner: *bytes, read }, None, budget, each),
            Self::File(path) => {
                let file = File::open(path)?;
                if file.metadata()?.is_dir() {
                    return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory: name its files"));
                }
                let seekable = file.metadata()?.is_file().then(|| file.try_clone()).transpose()?;
                unpack(&self.name(), Counted { inner: file, read }, seekable, budget, each)
            }
        }
    }
}

/// What is done with a document: its name and its plain bytes.
pub type Each<'a> = dyn FnMut(&str, &mut dyn Read) -> io::Result<()> + 'a;

fn unpack<R: Read>(
    name: &str,
    mut packed: Counted<'_, R>,
    seekable: Option<File>,
    budget: &Budget,
    each: &mut Each<'_>,
) -> io::Result<()> {
    let start = packed.read.load(Ordering::Relaxed);
    let mut magic = Vec::with_capacity(4);
    packed.by_ref().take(4).read_to_end(&mut magic)?;
    let read = packed.read;
    let mut whole = Cursor::new(magic.clone()).chain(packed);
    let meter = Meter { budget, out: Cell::new(0), read, start };
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            let inner = flate2::read::MultiGzDecoder::new(BufReader::with_capacity(256 << 10, whole));
            each(name, &mut Metered { inner, meter: &meter, kind: "gzip" })
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut inner = zstd::stream::read::Decoder::new(whole)?;
            inner.window_log_max(ZSTD_WINDOW_LOG)?;
            each(name, &mut Metered { inner, meter: &meter, kind: "zstd" })
        }
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => match seekable {
            Some(file) => {
                // Its entries are read out of order: the whole file counts at once.
                read.store(start.saturating_add(file.metadata()?.len()), Ordering::Relaxed);
                unzip(name, BufReader::new(file), &meter, each)
            }
            None => {
                let mut bytes = Vec::new();
                if whole.take(MAX_ZIP_ON_STDIN + 1).read_to_end(&mut bytes)? as u64 > MAX_ZIP_ON_STDIN {
                    return Err(refused("a zip larger than 256 MiB cannot be read from a pipe: name the file"));
                }
                unzip(name, Cursor::new(bytes), &meter, each)
            }
        },
        _ => each(name, &mut whole),
    }
}

fn unzip<R: Read + io::Seek>(name: &str, file: R, meter: &Meter<'_>, each: &mut Each<'_>) -> io::Result<()> {
    let broken = |error: zip::result::ZipError| refused(&format!("not a readable zip: {error}"));
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    if archive.len() > MAX_ZIP_ENTRIES {
        return Err(refused(&format!("has {} entries, the limit is {MAX_ZIP_ENTRIES}", archive.len())));
    }
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        if entry.is_dir() {
            continue;
        }
        let entry_name = format!("{name}!{}", String::from_utf8_lossy(entry.name_raw()).escape_debug());
        each(&entry_name, &mut Metered { inner: entry, meter, kind: "zip" })?;
    }
    Ok(())
}

fn refused(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

/// Counts what is read from the packed side.
struct Counted<'a, R> {
    inner: R,
    read: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What one packed file has given so far, all entries together.
struct Meter<'a> {
    budget: &'a Budget,
    out: Cell<u64>,
    read: &'a AtomicU64,
    start: u64,
}

impl Meter<'_> {
    fn add(&self, count: u64) -> io::Result<()> {
        let packed = self.read.load(Ordering::Relaxed).saturating_sub(self.start);
        let out = self.out.get().saturating_add(count);
        self.out.set(out);
        if out > self.budget.max_bytes {
            let limit = self.budget.max_bytes;
            return Err(refused(&format!("unpacks to more than {limit} bytes (`limits.max-unpacked-bytes`)")));
        }
        if out > FREE.saturating_add(packed.saturating_mul(self.budget.max_ratio)) {
            let limit = self.budget.max_ratio;
            return Err(refused(&format!("unpacks to more than {limit} times its size (`limits.max-unpack-ratio`)")));
        }
        Ok(())
    }
}

/// Unpacked bytes within the budget.
struct Metered<'a, R> {
    inner: R,
    meter: &'a Meter<'a>,
    kind: &'static str,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => refused(&format!("broken {} packing: {error}", self.kind)),
        })?;
        self.meter.add(count as u64)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const BUDGET: Budget = Budget { max_bytes: 100 << 20, max_ratio: 10 };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn documents(bytes: &[u8], budget: &Budget) -> io::Result<Vec<(String, String)>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let source = Source::File(file.path().to_owned());
        let mut found = Vec::new();
        let read = AtomicU64::new(0);
        source.each(budget, &read, &mut |name, reader| {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            found.push((name.strip_prefix(&source.name()).unwrap().to_owned(), text));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn every_packing_is_opened() {
        let two_members = [gzip(b"one "), gzip(b"two")].concat();
        let zip = zipped(&[("a.json", b"A"), ("d/../../etc/passwd", b"B")]);
        for (bytes, expected) in [
            (b"plain".to_vec(), vec![("", "plain")]),
            (Vec::new(), vec![("", "")]),
            (b"PK".to_vec(), vec![("", "PK")]),
            (two_members, vec![("", "one two")]),
            (zstd::encode_all(&b"three"[..], 3).unwrap(), vec![("", "three")]),
            (zip, vec![("!a.json", "A"), ("!d/../../etc/passwd", "B")]),
            (zipped(&[]), vec![]),
        ] {
            let found = documents(&bytes, &BUDGET).unwrap();
            let found: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_grows_too_far_is_refused() {
        let roomy = Budget { max_ratio: 100_000, ..BUDGET };
        let zeros = vec![b' '; (FREE + (8 << 20)) as usize];
        let small = Budget { max_bytes: 1 << 20, ..BUDGET };
        let many = vec![&zeros[..40 << 20]; 2];
        let entries: Vec<(&str, &[u8])> = ["a", "b"].into_iter().zip(many).collect();
        for packed in [gzip(&zeros), zstd::encode_all(&zeros[..], 3).unwrap(), zipped(&entries)] {
            let error = documents(&packed, &BUDGET).unwrap_err().to_string();
            assert!(error.contains("more than 10 times its size"), "{error}");
            let total: usize = documents(&packed, &roomy).unwrap().iter().map(|(_, text)| text.len()).sum();
            assert!(total > FREE as usize, "{total}");
            let error = documents(&packed, &small).unwrap_err().to_string();
            assert!(error.contains("more than 1048576 bytes"), "{error}");
        }
        // A large plain file is nobody's bomb.
        assert_eq!(documents(&zeros, &small).unwrap()[0].1.len(), zeros.len());
    }

    #[test]
    fn broken_packings_say_so() {
        let mut cut = gzip(&[b'x'; 5000]);
        cut.truncate(cut.len() / 2);
        let mut frame = zstd::encode_all(&[b'x'; 5000][..], 3).unwrap();
        frame.truncate(frame.len() - 3);
        let mut zip = zipped(&[("a", b"A")]);
        zip.truncate(zip.len() - 10);
        for (bytes, expected) in [(cut, "broken gzip"), (frame, "broken zstd"), (zip, "not a readable zip")] {
            let error = documents(&bytes, &BUDGET).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
