//! A file of lines that grows while a hunt goes on, of which it is kept how much counts.

use super::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Lines on disk.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    out: BufWriter<File>,
    /// Bytes so far.
    pub(super) written: u64,
}

impl Kept {
    /// Opens the file or begins one.
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let found = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
        let (written, file) = found.map_err(|source| Error::State { path: path.clone(), source })?;
        Ok(Self { path, out: BufWriter::new(file), written })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn wrong(&self, source: io::Error) -> Error {
        Error::State { path: self.path.clone(), source }
    }

    /// Lets go of what is behind so many bytes.
    pub(super) fn cut(&mut self, length: u64) -> Result<(), Error> {
        let flushed = self.out.flush();
        let file = self.out.get_mut();
        let cut = flushed.and_then(|()| file.set_len(length)).and_then(|()| file.seek(io::SeekFrom::End(0)));
        cut.map_err(|source| self.wrong(source))?;
        self.written = length;
        Ok(())
    }

    pub(super) fn push(&mut self, line: &str) -> Result<(), Error> {
        self.written += line.len() as u64 + 1;
        writeln!(self.out, "{line}").map_err(|source| self.wrong(source))
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(|source| self.wrong(source))
    }

    /// Waits until all of it is on disk.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_data()).map_err(|source| self.wrong(source))
    }
}
