//! One file that is followed.

use super::{Make, Notice};
use crate::input::cut::Cutter;
use crate::input::mark::{self, FULL, Mark};
use crate::input::open::{self, Packed, open_stream};
use crate::input::state::{Known, hex, unhex};
use crate::input::{Eye, HEAD, Wanted, detect, enough};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// How much of one file is read in a round.
const MOST_A_ROUND: u64 = 16 << 20;
/// How much is read at once.
const PIECE: usize = 1 << 20;

/// What becomes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It is read on.
    Stays,
    /// It is gone and read to its end.
    Done,
}

/// A file, how far it has been read, and what looks at it.
pub(super) struct Followed<E> {
    path: PathBuf,
    key: (u64, u64),
    file: Option<File>,
    /// Its length when the folder was last looked at, and whether it was the same the time before.
    length: u64,
    still: bool,
    gone: bool,
    /// Nothing of it has been looked at yet.
    fresh: bool,
    unfit: bool,
    /// It is a copy that may not be whole yet.
    copying: bool,
    /// Where the next bytes are read: in the file, or in what it unpacks to.
    position: u64,
    mark: Mark,
    cutter: Cutter,
    eye: Option<E>,
    header: Vec<u8>,
    /// What it unpacks to, while it is being read.
    unpacking: Option<Box<dyn Read + Send>>,
    packed_length: Option<u64>,
    old: Option<Known>,
}

impl<E> std::fmt::Debug for Followed<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Followed").field("path", &self.path).field("position", &self.position).finish_non_exhaustive()
    }
}

impl<E: Eye> Followed<E> {
    /// A file that was found; `known` is how far it was read before.
    pub(super) fn new(path: PathBuf, key: (u64, u64), length: u64, known: Option<Known>) -> Self {
        let mut this = Self {
            path,
            key,
            file: None,
            length,
            still: false,
            gone: false,
            fresh: true,
            unfit: false,
            copying: false,
            position: 0,
            mark: Mark::default(),
            cutter: Cutter::at(0, 1, true),
            eye: None,
            header: Vec::new(),
            unpacking: None,
            packed_length: None,
            old: None,
        };
        if let Some(known) = known {
            this.resume(&known);
        }
        this
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn key(&self) -> (u64, u64) {
        self.key
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub(super) fn close(&mut self) {
        self.file = None;
    }

    pub(super) fn take_old(&mut self) -> Option<Known> {
        self.old.take()
    }

    /// It was found in its folder, perhaps under another name.
    pub(super) fn seen(&mut self, path: PathBuf, length: u64) {
        self.still = length == self.length;
        self.length = length;
        self.path = path;
        self.gone = false;
    }

    /// It is in no folder any more.
    pub(super) fn vanished(&mut self) {
        self.gone = true;
        self.still = true;
    }

    pub(super) fn fate(&self) -> Fate {
        let read = match &self.file {
            None => true,
            Some(file) => file.metadata().is_ok_and(|about| self.is_read(about.len())),
        };
        if self.gone && read { Fate::Done } else { Fate::Stays }
    }

    /// Whether nothing is left of a file of this length.
    fn is_read(&self, length: u64) -> bool {
        self.unfit || self.packed_length == Some(length) || (self.unpacking.is_none() && self.position >= length)
    }

    /// The end of a file that is gone: its half line counts.
    pub(super) fn end(&mut self) {
        if let Some(eye) = &mut self.eye {
            self.cutter.rest(&mut |block, first| eye.block(block, first));
            eye.count(&self.cutter.take_faults());
            eye.end();
        }
    }

    /// We end; half lines are left for the next time.
    pub(super) fn stop(&mut self) {
        if let Some(eye) = &mut self.eye {
            eye.count(&self.cutter.take_faults());
        }
    }

    /// How far it has been read.
    pub(super) fn known(&self) -> Known {
        let (pending, header) = match &self.eye {
            Some(eye) => (eye.pending() as u64, eye.header()),
            None => (0, self.header.as_slice()),
        };
        let offset = self.cutter.offset().saturating_sub(pending);
        Known {
            path: self.path.clone(),
            device: self.key.0,
            inode: self.key.1,
            offset,
            line: self.cutter.line().saturating_sub(self.lines_in(offset, pending)),
            mark: self.mark.clone(),
            header: hex(header),
            packed_length: self.packed_length,
        }
    }

    /// How many lines end in so many bytes at an offset; only to count lines.
    fn lines_in(&self, offset: u64, length: u64) -> u64 {
        let (Some(file), Ok(length)) = (&self.file, usize::try_from(length.min(1 << 21))) else { return 0 };
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => memchr::memchr_iter(b'\n', &bytes).count() as u64,
            Err(_) => 0,
        }
    }

    /// Goes on where it was left.
    fn resume(&mut self, known: &Known) {
        self.position = known.offset;
        self.cutter = Cutter::at(known.offset, known.line, true);
        self.mark = known.mark.clone();
        self.header = unhex(&known.header);
        self.packed_length = known.packed_length;
        self.eye = None;
    }

    /// Begins anew.
    fn anew(&mut self) {
        self.end();
        self.position = 0;
        self.cutter = Cutter::at(0, 1, true);
        self.mark = Mark::default();
        self.header.clear();
        self.packed_length = None;
        self.unpacking = None;
        self.eye = None;
    }

    /// Reads what is new, up to a bound: how much it was, and whether there is more.
    pub(super) fn read(
        &mut self,
        wanted: Wanted,
        copy_of: &dyn Fn(&[u8], u64) -> Option<Known>,
        make: &mut Make<'_, E>,
        notice: &mut dyn FnMut(Notice),
    ) -> io::Result<(u64, bool)> {
        if self.file.is_none() && !self.gone {
            self.open()?;
        }
        let Some(file) = &self.file else { return Ok((0, false)) };
        let length = file.metadata()?.len();
        if self.unfit || (!self.fresh && self.unpacking.is_none() && self.position == length) {
            return Ok((0, false));
        }
        let start = mark::head(file, FULL)?;
        match open::packed(start.get(..4).unwrap_or(&start)) {
            Packed::No => self.read_plain(&start, length, wanted, copy_of, make, notice),
            _ => self.read_packed(length, wanted, copy_of, make, notice),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        match File::open(&self.path) {
            Ok(file) => {
                let about = file.metadata()?;
                // Another has taken its place since: the folder will tell.
                if (about.dev(), about.ino()) == self.key {
                    self.file = Some(file);
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn read_plain(
        &mut self,
        start: &[u8],
        length: u64,
        wanted: Wanted,
        copy_of: &dyn Fn(&[u8], u64) -> Option<Known>,
        make: &mut Make<'_, E>,
        notice: &mut dyn FnMut(Notice),
    ) -> io::Result<(u64, bool)> {
        if self.copying && length < self.position && !self.still {
            return Ok((0, false));
        }
        if length < self.position || !self.mark.begins(start) {
            self.old = Some(self.known());
            self.anew();
            notice(Notice::Anew(self.path.clone()));
        }
        if self.fresh
            && self.position == 0
            && let Some(known) = copy_of(start, length)
        {
            self.resume(&known);
            self.packed_length = None;
            self.copying = true;
            notice(Notice::Copy(self.path.clone()));
        }
        if length < self.position || (self.eye.is_none() && !self.begin(wanted, &Start::Plain, make, notice)?) {
            return Ok((0, false));
        }
        self.copying = false;
        let Some(file) = self.file.take() else { return Ok((0, false)) };
        let done = self.pieces(length, &mut |room, at| file.read_at(room, at));
        self.file = Some(file);
        self.mark = Mark::of(start.get(..usize::try_from(self.position).unwrap_or(FULL)).unwrap_or(start));
        done.map(|read| (read, self.position < length))
    }

    /// Gives what is read to the eye, up to the bound of a round.
    fn pieces(&mut self, until: u64, read: &mut dyn FnMut(&mut [u8], u64) -> io::Result<usize>) -> io::Result<u64> {
        let Some(eye) = &mut self.eye else { return Ok(0) };
        let mut room = vec![0; PIECE.min(usize::try_from(until.saturating_sub(self.position)).unwrap_or(PIECE)).max(1)];
        let mut total = 0;
        while total < MOST_A_ROUND && self.position < until {
            let count = match read(&mut room, self.position) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.cutter.push(room.get(..count).unwrap_or_default(), &mut |block, first| eye.block(block, first));
            self.position += count as u64;
            total += count as u64;
        }
        eye.count(&self.cutter.take_faults());
        Ok(total)
    }

    /// Makes the eye, as soon as the format can be told; `false` if not yet, or if it cannot be followed.
    fn begin(
        &mut self,
        wanted: Wanted,
        from: &Start<'_>,
        make: &mut Make<'_, E>,
        notice: &mut dyn FnMut(Notice),
    ) -> io::Result<bool> {
        let head = match (from, &self.file) {
            (Start::Plain, Some(file)) => mark::head(file, HEAD)?,
            (Start::Unpacked(head), _) => head.to_vec(),
            (Start::Plain, None) => return Ok(false),
        };
        let more_may_come = matches!(from, Start::Plain) && (head.is_empty() || !self.gone);
        if more_may_come && !enough(&head) {
            return Ok(false);
        }
        let format = detect(&head, wanted);
        let Some(mut eye) = make(&self.path, format) else {
            self.unfit = true;
            self.fresh = false;
            notice(Notice::Unfit(self.path.clone(), format));
            return Ok(false);
        };
        self.cutter = Cutter::at(self.position, self.cutter.line(), eye.by_lines());
        if self.position > 0 && !self.header.is_empty() {
            eye.block(&self.header, 1);
        }
        self.eye = Some(eye);
        if self.fresh && self.position == 0 {
            notice(Notice::Found(self.path.clone(), format));
        }
        self.fresh = false;
        Ok(true)
    }

    /// A packed file is read when it has stopped growing.
    fn read_packed(
        &mut self,
        length: u64,
        wanted: Wanted,
        copy_of: &dyn Fn(&[u8], u64) -> Option<Known>,
        make: &mut Make<'_, E>,
        notice: &mut dyn FnMut(Notice),
    ) -> io::Result<(u64, bool)> {
        if self.packed_length == Some(length) || (self.unpacking.is_none() && !self.still) {
            return Ok((0, false));
        }
        if self.unpacking.is_none() {
            let Some(file) = &self.file else { return Ok((0, false)) };
            let file = file.try_clone()?;
            let mut head = Vec::new();
            // A cut archive gives what it has.
            let _ = unpacked(&file)?.take(HEAD as u64).read_to_end(&mut head);
            if !self.mark.begins(&head) {
                self.anew();
            }
            if self.fresh && self.position == 0 {
                let short = if head.len() > FULL { u64::MAX } else { head.len() as u64 };
                if let Some(known) = copy_of(&head, short) {
                    self.resume(&known);
                    self.packed_length = None;
                    notice(Notice::Copy(self.path.clone()));
                }
            }
            self.mark = Mark::of(&head);
            let begun = self.eye.is_some() || self.begin(wanted, &Start::Unpacked(&head), make, notice)?;
            if !begun {
                return Ok((0, false));
            }
            let mut source = unpacked(&file)?;
            let skipped = io::copy(&mut (&mut source).take(self.position), &mut io::sink());
            // What ended before the place where we were has nothing new.
            self.position = self.position.max(skipped.unwrap_or(self.position));
            self.unpacking = Some(source);
        }
        let Some(mut source) = self.unpacking.take() else { return Ok((0, false)) };
        let read = self.pieces(u64::MAX, &mut |room, _| source.read(room));
        match read {
            Ok(read) if read >= MOST_A_ROUND => {
                self.unpacking = Some(source);
                Ok((read, true))
            }
            read => {
                self.packed_length = Some(length);
                // Its half line is whole: nothing will be added to a packed file.
                if let Some(eye) = &mut self.eye {
                    self.cutter.rest(&mut |block, first| eye.block(block, first));
                }
                read.map(|read| (read, false))
            }
        }
    }
}

/// Where the first bytes come from.
enum Start<'h> {
    Plain,
    Unpacked(&'h [u8]),
}

/// Reads a file from its beginning without moving anybody's place in it.
struct Again {
    file: File,
    at: u64,
}

impl Read for Again {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(room, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// What a file unpacks to, from its beginning.
fn unpacked(file: &File) -> io::Result<Box<dyn Read + Send>> {
    Ok(open_stream(Again { file: file.try_clone()?, at: 0 })?.source)
}

/// Whether the file begins like one of these.
pub(super) fn begins_like(path: &Path, known: &[Known]) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let Ok(opened) = open_stream(Again { file, at: 0 }) else { return false };
    let mut head = Vec::new();
    let _ = opened.source.take(FULL as u64).read_to_end(&mut head);
    !head.is_empty() && known.iter().any(|known| known.mark.length > 0 && known.mark.begins(&head))
}
