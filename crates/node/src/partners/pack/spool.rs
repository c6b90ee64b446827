//! Files of packages: the outbox in which they are made, the parts into which they are cut, the inbox in which parts wait
//! for the rest.

use super::{Error, file};
use partner::key::Keys;
use partner::package::part::{Digest, Odd, Part, Parts, cuts};
use partner::package::{Header, MAGIC, PART, Trust};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;
/// How files are called that are not whole yet.
const PARTIAL: &str = ".partial";

/// A directory below the home that one process at a time works in.
fn directory(home: &Path, name: &str) -> Result<(PathBuf, File), Error> {
    let path = home.join(name);
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(file("make the directory", &path))?,
    }
    let lock = File::open(&path).map_err(file("read", &path))?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok((path, lock)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy),
        Err(error) => Err(file("lock", &path)(error.into())),
    }
}

fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(file("write", path))
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes what an earlier call left unfinished.
fn sweep(folder: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(file("read", folder))? {
        let path = entry.map_err(file("read", folder))?.path();
        if path.to_string_lossy().ends_with(PARTIAL) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Where packages are made.
pub(super) struct Outbox {
    path: PathBuf,
    /// Held as long as the outbox is.
    _lock: File,
}

impl Outbox {
    pub(super) fn open(home: &Path) -> Result<Self, Error> {
        let (path, lock) = directory(home, "outbox")?;
        sweep(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn file(&self, id: &str) -> PathBuf {
        self.path.join(id)
    }

    pub(super) fn begin(&self) -> Result<Spool, Error> {
        Spool::begin(&self.path)
    }

    /// Whether a package lies here whole.
    pub(super) fn holds(&self, id: &str, bytes: u64) -> Result<bool, Error> {
        let path = self.file(id);
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(meta.len() == bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(file("read", &path)(error)),
        }
    }

    pub(super) fn remove(&self, id: &str) -> Result<(), Error> {
        remove(&self.file(id))
    }
}

/// A file that appears when it is whole and on disk, and nobody else can read.
pub(super) struct Spool {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Spool {
    fn begin(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(format!("{}{PARTIAL}", std::process::id()));
        remove(&path)?;
        let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let made = made.map_err(file("write", &path))?;
        Ok(Self { folder: folder.to_owned(), path, file: made, finished: false })
    }

    pub(super) fn writer(&self) -> impl Write + '_ {
        BufWriter::with_capacity(PIECE, &self.file)
    }

    pub(super) fn finish(mut self, name: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        self.file.sync_all().map_err(file("write", &self.path))?;
        std::fs::rename(&self.path, &path).map_err(file("write", &path))?;
        self.finished = true;
        sync(&self.folder)?;
        Ok(path)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed is swept by the next call.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a package out of the outbox to a file, or cut to `file.001`, `file.002`, … A part that is there already, whole,
/// is not written again: what was interrupted goes on behind the last whole part. Returns what was written.
///
/// # Errors
/// [`Error::Taken`] if something else is there, [`Error::Split`], [`Error::File`].
pub fn write_out(
    package: &Path,
    id: &str,
    keys: &Keys,
    to: &Path,
    split: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<PathBuf>, Error> {
    let mut from = File::open(package).map_err(file("read", package))?;
    let bytes = from.metadata().map_err(file("read", package))?.len();
    let Some(each) = split else {
        write_piece(&mut from, package, &[], bytes, to, progress)?;
        return Ok(vec![to.to_owned()]);
    };
    let cuts = cuts(bytes, each).ok_or(Error::Split { bytes, each })?;
    let of = u32::try_from(cuts.len()).unwrap_or(u32::MAX);
    let mut written = Vec::with_capacity(cuts.len());
    for (index, (begin, length)) in (1_u32..).zip(cuts) {
        from.seek(SeekFrom::Start(begin)).map_err(file("read", package))?;
        let mut digest = Digest::default();
        copy(&mut (&from).take(length), package, &mut |bytes| {
            digest.add(bytes);
            Ok(())
        })?;
        from.seek(SeekFrom::Start(begin)).map_err(file("read", package))?;
        let (digest, key) = (digest.text(), keys.public().id());
        let part = Part { digest, from: begin, index, key, length, of, package: id.to_owned() };
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{index:03}"));
        let path = PathBuf::from(name);
        write_piece(&mut from, package, &part.head(keys), length, &path, progress)?;
        written.push(path);
    }
    Ok(written)
}

/// Writes a head and so many bytes to a file that appears when it is whole.
fn write_piece(
    from: &mut File,
    package: &Path,
    head: &[u8],
    length: u64,
    to: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    match File::open(to) {
        Ok(there) => {
            let same = is_same(there, from, head, length).map_err(file("read", to))?;
            progress(length);
            return if same { Ok(()) } else { Err(Error::Taken(to.to_owned())) };
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(file("read", to)(error)),
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(PARTIAL);
    let partial = to.with_file_name(name);
    let written = (|| {
        // What an interrupted call left.
        remove(&partial)?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
        let mut out = made.map_err(file("write", &partial))?;
        out.write_all(head).map_err(file("write", &partial))?;
        copy(&mut from.take(length), package, &mut |bytes| {
            progress(bytes.len() as u64);
            out.write_all(bytes).map_err(file("write", to))
        })?;
        out.sync_all().map_err(file("write", to))?;
        std::fs::rename(&partial, to).map_err(file("write", to))
    })();
    if written.is_err() {
        // What cannot be removed is a hidden file that its owner can remove.
        let _ = std::fs::remove_file(&partial);
        return written;
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Some media cannot synchronise a directory; the file itself is on them.
    let _ = sync(folder);
    Ok(())
}

/// Whether a file holds exactly this.
fn is_same(there: File, from: &File, head: &[u8], length: u64) -> io::Result<bool> {
    if there.metadata()?.len() != head.len() as u64 + length {
        return Ok(false);
    }
    let mut there = io::BufReader::with_capacity(PIECE, there);
    let mut expected = head.chain(io::BufReader::with_capacity(PIECE, from.take(length)));
    let (mut one, mut two) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let count = there.read(&mut one)?;
        let (Some(one), Some(two)) = (one.get(..count), two.get_mut(..count)) else { return Ok(false) };
        if count == 0 {
            return Ok(true);
        }
        match expected.read_exact(two) {
            Ok(()) if one == two => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

fn copy(from: &mut impl Read, path: &Path, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<u64, Error> {
    let (mut buffer, mut total) = (vec![0; PIECE], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                total += count as u64;
                each(buffer.get(..count).unwrap_or_default())?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(file("read", path)(error)),
        }
    }
}

/// A file that holds a package, or a part of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Where.
    pub path: PathBuf,
    /// Where the package's bytes begin in it.
    pub offset: u64,
    /// Which part; `None`: all of it.
    pub part: Option<Part>,
}

/// A package whose pieces are all there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    /// Its id, as its header has it.
    pub id: String,
    /// Its header: nothing of it is known to be true.
    pub header: Header,
    /// In order.
    pub pieces: Vec<Piece>,
}

/// A package of which parts are missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Incomplete {
    /// Its id, as its parts have it.
    pub id: String,
    /// Which parts are missing.
    pub missing: Vec<u32>,
    /// Of how many.
    pub of: u32,
}

/// What files hold.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Whole packages, in the order in which they were made. One of which there are two copies is here twice.
    pub packages: Vec<Package>,
    /// Packages of which parts are missing. Those that are there wait in the inbox.
    pub incomplete: Vec<Incomplete>,
    /// What is odd about a file: it was not used.
    pub odd: Vec<(PathBuf, String)>,
}

/// Where parts wait for the others, and what comes through a pipe is kept while it is read.
pub struct Inbox {
    path: PathBuf,
    _lock: File,
}

impl Inbox {
    /// Opens it; nobody else takes packages in meanwhile.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::File`].
    pub fn open(home: &Path) -> Result<Self, Error> {
        let (path, lock) = directory(home, "inbox")?;
        sweep(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Keeps what comes through a pipe, so that it can be read twice.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Package`] when it is more than `most` bytes.
    pub fn keep(&self, from: &mut impl Read, most: u64) -> Result<PathBuf, Error> {
        let spool = Spool::begin(&self.path)?;
        let path = spool.path.clone();
        let mut out = spool.writer();
        let total = copy(&mut from.take(most.saturating_add(1)), Path::new("-"), &mut |bytes| {
            out.write_all(bytes).map_err(file("write", &path))
        })?;
        out.flush().map_err(file("write", &path))?;
        drop(out);
        if total > most {
            let limit = format!("it has more than {most} bytes (`limits.max-unpacked-bytes`)");
            return Err(partner::package::Error::Limit(limit).into());
        }
        spool.finish("pipe")
    }

    /// Drops what came through a pipe.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn drop_kept(&self) -> Result<(), Error> {
        remove(&self.path.join("pipe"))
    }

    /// Drops the parts of a package.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn forget(&self, id: &str) -> Result<(), Error> {
        for path in self.waiting()? {
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{id}."))) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn waiting(&self) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(file("read", &self.path))? {
            let path = entry.map_err(file("read", &self.path))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("marsad-package--")) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Copies a part, checked, to wait here.
    fn wait(&self, piece: &Piece, part: &Part) -> Result<(), Error> {
        let name = format!("{}.{:06}", part.package, part.index);
        if piece.path.parent() == Some(&self.path) {
            return Ok(());
        }
        let spool = Spool::begin(&self.path)?;
        let mut from = File::open(&piece.path).map_err(file("read", &piece.path))?;
        let mut out = spool.writer();
        let mut head = Vec::new();
        (&from).take(piece.offset).read_to_end(&mut head).map_err(file("read", &piece.path))?;
        from.seek(SeekFrom::Start(piece.offset)).map_err(file("read", &piece.path))?;
        out.write_all(&head).map_err(file("write", &spool.path))?;
        let mut joined = Joined::new(std::slice::from_ref(piece));
        copy(&mut joined, &piece.path, &mut |bytes| out.write_all(bytes).map_err(file("write", &spool.path)))?;
        out.flush().map_err(file("write", &spool.path))?;
        drop(out);
        spool.finish(&name).map(drop)
    }
}

/// Looks what files hold, together with the parts that wait in the inbox. Parts of what is not whole go to the inbox if
/// `keep`.
///
/// # Errors
/// [`Error::File`] of the inbox. What is wrong with a file that was named is told in [`Gathered::odd`].
pub fn gather(inbox: &Inbox, files: &[PathBuf], trust: &Trust<'_>, keep: bool) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    let mut sets: BTreeMap<String, (Parts, Vec<Piece>)> = BTreeMap::new();
    for (path, named) in
        files.iter().map(|path| (path.clone(), true)).chain(inbox.waiting()?.into_iter().map(|path| (path, false)))
    {
        match look(&path, trust) {
            // A second copy may be better than the first.
            Ok(Looked::Whole(package)) => gathered.packages.push(*package),
            Ok(Looked::Part(piece, part)) => {
                let (parts, pieces) = sets.entry(part.package.clone()).or_default();
                match parts.add(part) {
                    Ok(()) => pieces.push(*piece),
                    // What waits here has been named as well.
                    Err(Odd::Doubled(..)) if !named => {}
                    Err(odd) => gathered.odd.push((path, odd.to_string())),
                }
            }
            Err(error) if named => gathered.odd.push((path, crate::partners::pack::telling::chain(&error))),
            // A part whose sender is nobody's partner any more.
            Err(_) => remove(&path)?,
        }
    }
    for (id, (parts, pieces)) in sets {
        assemble(inbox, id, &parts, pieces, keep, &mut gathered)?;
    }
    gathered.packages.sort_by(|one, two| {
        let place = |package: &Package| (package.header.from.clone(), package.header.created, package.header.number);
        place(one).cmp(&place(two))
    });
    Ok(gathered)
}

/// Makes a package of its parts, if they are all there.
fn assemble(
    inbox: &Inbox,
    id: String,
    parts: &Parts,
    mut pieces: Vec<Piece>,
    keep: bool,
    gathered: &mut Gathered,
) -> Result<(), Error> {
    let index = |piece: &Piece| piece.part.as_ref().map_or(0, |part| part.index);
    pieces.sort_by_key(index);
    if parts.whole().is_some() {
        let path = pieces.first().map(|piece| piece.path.clone()).unwrap_or_default();
        match Header::read(Joined::new(&pieces)) {
            Ok(header) if header.id == id => gathered.packages.push(Package { id, header, pieces }),
            Ok(_) => gathered.odd.push((path, "its parts hold another package than they say".to_owned())),
            Err(error) => gathered.odd.push((path, error.to_string())),
        }
        return Ok(());
    }
    let missing = parts.missing();
    if missing.is_empty() {
        let path = pieces.first().map(|piece| piece.path.clone()).unwrap_or_default();
        gathered.odd.push((path, "its parts do not follow each other".to_owned()));
        return Ok(());
    }
    let of = pieces.iter().filter_map(|piece| piece.part.as_ref()).map(|part| part.of).next().unwrap_or_default();
    for piece in pieces.iter().filter(|_| keep) {
        let Some(part) = &piece.part else { continue };
        if let Err(error) = inbox.wait(piece, part) {
            gathered.odd.push((piece.path.clone(), super::telling::chain(&error)));
        }
    }
    gathered.incomplete.push(Incomplete { id, missing, of });
    Ok(())
}

enum Looked {
    Whole(Box<Package>),
    Part(Box<Piece>, Part),
}

/// What a file holds.
fn look(path: &Path, trust: &Trust<'_>) -> Result<Looked, Error> {
    let io = file("read", path);
    let mut from = File::open(path).map_err(&io)?;
    if !from.metadata().map_err(&io)?.is_file() {
        return Err(io(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
    }
    let mut magic = Vec::new();
    (&from).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(&io)?;
    from.seek(SeekFrom::Start(0)).map_err(&io)?;
    if magic.starts_with(PART) {
        let part = Part::read(&mut from, trust)?;
        let offset = from.stream_position().map_err(&io)?;
        let piece = Piece { path: path.to_owned(), offset, part: Some(part.clone()) };
        return Ok(Looked::Part(Box::new(piece), part));
    }
    let header = Header::read(&mut io::BufReader::new(from))?;
    let pieces = vec![Piece { path: path.to_owned(), offset: 0, part: None }];
    Ok(Looked::Whole(Box::new(Package { id: header.id.clone(), header, pieces })))
}

impl Package {
    /// Its bytes. A part that is not what its head says ends them with an error that names it.
    pub fn read(&self) -> impl Read + '_ {
        io::BufReader::with_capacity(PIECE, Joined::new(&self.pieces))
    }

    /// How many bytes its files have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pieces.iter().filter_map(|piece| std::fs::metadata(&piece.path).ok()).map(|meta| meta.len()).sum()
    }
}

/// The pieces of a package, one behind the other.
struct Joined<'p> {
    rest: std::slice::Iter<'p, Piece>,
    now: Option<(&'p Piece, File, Digest)>,
}

impl<'p> Joined<'p> {
    fn new(pieces: &'p [Piece]) -> Self {
        Self { rest: pieces.iter(), now: None }
    }
}

impl Read for Joined<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some((piece, open, digest)) = &mut self.now else {
                let Some(piece) = self.rest.next() else { return Ok(0) };
                let mut open = File::open(&piece.path)?;
                open.seek(SeekFrom::Start(piece.offset))?;
                self.now = Some((piece, open, Digest::default()));
                continue;
            };
            let count = open.read(buffer)?;
            if count > 0 {
                if piece.part.is_some() {
                    digest.add(buffer.get(..count).unwrap_or_default());
                }
                return Ok(count);
            }
            if buffer.is_empty() {
                return Ok(0);
            }
            if let Some(part) = &piece.part
                && (digest.bytes() != part.length || digest.text() != part.digest)
            {
                let fault = if digest.bytes() < part.length { "is cut off" } else { "was altered" };
                let message =
                    format!("part {} of {} ({}) {fault}: copy it again", part.index, part.of, piece.path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            self.now = None;
        }
    }
}
