//! A node in one file, and a node from one file.
//!
//! The file is a zip: `marsad.db` and `audit.db` (consistent copies), `audit.anchor`, `config.toml`, `secret`, `tls/…`, and `manifest.json` with
//! the BLAKE3 digest of each. It appears under its name only when it is complete and on disk.

use crate::home::{Home, Secret};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// Everything but the database is small.
const MAX_SMALL: u64 = 1 << 20;
const MAX_ENTRIES: usize = 100;

/// Why a backup cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file exists.
    #[error("{} exists: name a new file", .0.display())]
    Exists(PathBuf),
    /// The file is no backup, or was damaged.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The home could not be read or made.
    #[error(transparent)]
    Home(#[from] crate::home::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    marsad: String,
    made: String,
    /// Name to BLAKE3 digest in hexadecimal.
    files: BTreeMap<String, String>,
}

/// Writes a node to a new file (0600) and returns its size in bytes. `progress(done, total)` in pages of the
/// database.
///
/// # Errors
/// [`Error`]; then the file does not exist.
pub fn write(
    home: &Home,
    book: &dyn ledger::Ledger,
    journal: &dyn ledger::Journal,
    to: &Path,
    now: ledger::Micros,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Error> {
    if to.exists() {
        return Err(Error::Exists(to.to_owned()));
    }
    let partial = Partial::beside(to)?;
    let copy = partial.directory.join("marsad.db");
    book.backup(&copy, progress)?;
    // The anchor before the log: what is written meanwhile comes after it.
    journal.anchor()?;
    let anchor = partial.directory.join("audit.anchor");
    let read = |source| Error::Io { doing: "read", path: home.audit_anchor(), source };
    std::fs::copy(home.audit_anchor(), &anchor).map_err(read)?;
    let log = partial.directory.join("audit.db");
    journal.backup(&log)?;
    let archive = partial.directory.join("backup.zip");
    pack(home, &[("marsad.db", &copy), ("audit.db", &log), ("audit.anchor", &anchor)], &archive, now)?;
    // A hard link fails if somebody made the file in between, which a rename would replace.
    std::fs::hard_link(&archive, to).map_err(|source| Error::Io { doing: "write", path: to.to_owned(), source })?;
    let size = std::fs::metadata(to).map_err(|source| Error::Io { doing: "read", path: to.to_owned(), source })?.len();
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(|source| Error::Io {
        doing: "write",
        path: parent.to_owned(),
        source,
    })?;
    Ok(size)
}

fn pack(home: &Home, copies: &[(&str, &Path)], archive: &Path, now: ledger::Micros) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "write", path: archive.to_owned(), source };
    let zip = |error: zip::result::ZipError| io(std::io::Error::other(error));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(archive).map_err(io)?;
    let mut writer = zip::ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
    let options = SimpleFileOptions::default().unix_permissions(0o600).large_file(true).compression_level(Some(1));
    let mut files = BTreeMap::new();
    for (name, path) in contents(home, copies)? {
        writer.start_file(&*name, options).map_err(zip)?;
        let digest = copy(&path, &mut writer)?;
        files.insert(name, digest);
    }
    let manifest = Manifest {
        format: FORMAT,
        marsad: env!("CARGO_PKG_VERSION").to_owned(),
        made: stix::timestamp::format_micros(now),
        files,
    };
    writer.start_file(MANIFEST, options).map_err(zip)?;
    serde_json::to_writer_pretty(&mut writer, &manifest).map_err(|error| io(error.into()))?;
    let file = writer.finish().map_err(zip)?.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)
}

fn contents(home: &Home, copies: &[(&str, &Path)]) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut files = vec![("config.toml".to_owned(), home.config()), ("secret".to_owned(), home.secret_file())];
    files.extend(copies.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())));
    let tls = home.tls();
    let io = |source| Error::Io { doing: "read", path: tls.clone(), source };
    for entry in std::fs::read_dir(&tls).map_err(io)? {
        let entry = entry.map_err(io)?;
        if let Some(name) = entry.file_name().to_str()
            && entry.path().is_file()
        {
            files.push((format!("tls/{name}"), entry.path()));
        }
    }
    Ok(files)
}

/// Copies a file and gives its digest.
fn copy(path: &Path, to: &mut impl Write) -> Result<String, Error> {
    let file = File::open(path).map_err(|source| Error::Io { doing: "read", path: path.to_owned(), source })?;
    transfer(file, to).map_err(|source| Error::Io { doing: "back up", path: path.to_owned(), source })
}

fn transfer(mut from: impl Read, to: &mut impl Write) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = buffer.get(..count).unwrap_or_default();
        hasher.update(chunk);
        to.write_all(chunk)?;
    }
}

/// Makes a node in a new or empty directory from a backup.
///
/// # Errors
/// [`Error`]; then nothing of the node is left in the directory.
pub fn restore(from: &Path, path: &Path) -> Result<Home, Error> {
    let file = File::open(from).map_err(|source| Error::Io { doing: "read", path: from.to_owned(), source })?;
    let mut backup = Backup::open(from, BufReader::new(file))?;
    let config = backup.small("config.toml")?;
    let config = String::from_utf8(config).map_err(|_| backup.damaged("config.toml is not text"))?;
    let secret = <[u8; 32]>::try_from(backup.small("secret")?.as_slice())
        .map_err(|_| backup.damaged("the secret is not 32 bytes"))?;
    let home = Home::prepare(path, &config)?;
    match fill(&mut backup, &home).and_then(|()| Ok(home.seal(&Secret::new(secret))?)) {
        Ok(()) => Ok(home),
        Err(error) => {
            home.discard();
            Err(error)
        }
    }
}

fn fill<R: Read + Seek>(backup: &mut Backup<'_, R>, home: &Home) -> Result<(), Error> {
    backup.extract("marsad.db", &home.database())?;
    // Backups of older versions have no audit log.
    for (name, path) in [("audit.db", home.audit()), ("audit.anchor", home.audit_anchor())] {
        if backup.manifest.files.contains_key(name) {
            backup.extract(name, &path)?;
        }
    }
    let names: Vec<String> = backup.manifest.files.keys().cloned().collect();
    for name in names.iter().filter_map(|name| name.strip_prefix("tls/")) {
        if name.is_empty() || name.contains(['/', '\\', '\0']) || name.starts_with('.') {
            return Err(backup.damaged("names a certificate outside its folder"));
        }
        let bytes = backup.small(&format!("tls/{name}"))?;
        crate::home::write_private(&home.tls().join(name), &bytes)?;
    }
    Ok(())
}

/// A backup that is read.
struct Backup<'a, R> {
    path: &'a Path,
    archive: zip::ZipArchive<R>,
    manifest: Manifest,
}

impl<'a, R: Read + Seek> Backup<'a, R> {
    fn open(path: &'a Path, reader: R) -> Result<Self, Error> {
        let no = |reason: String| Error::Damaged { path: path.to_owned(), reason };
        let mut archive =
            zip::ZipArchive::new(reader).map_err(|error| no(format!("is not a marsad backup: {error}")))?;
        if archive.len() > MAX_ENTRIES {
            return Err(no("is not a marsad backup: it has too many entries".to_owned()));
        }
        let entry =
            archive.by_name(MANIFEST).map_err(|_| no("is not a marsad backup: it has no manifest".to_owned()))?;
        let manifest: Manifest = serde_json::from_reader(entry.take(MAX_SMALL))
            .map_err(|error| no(format!("its manifest cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(no(format!(
                "has format {}, this program knows {FORMAT}: use marsad {}",
                manifest.format, manifest.marsad
            )));
        }
        Ok(Self { path, archive, manifest })
    }

    fn damaged(&self, reason: &str) -> Error {
        Error::Damaged { path: self.path.to_owned(), reason: reason.to_owned() }
    }

    fn small(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read(name, MAX_SMALL, &mut bytes)?;
        Ok(bytes)
    }

    fn extract(&mut self, name: &str, to: &Path) -> Result<(), Error> {
        let io = |source| Error::Io { doing: "write", path: to.to_owned(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(io)?;
        self.read(name, u64::MAX, &mut file)?;
        file.sync_all().map_err(io)
    }

    fn read(&mut self, name: &str, limit: u64, to: &mut impl Write) -> Result<(), Error> {
        let damaged = |reason: String| Error::Damaged { path: self.path.to_owned(), reason };
        let Some(expected) = self.manifest.files.get(name) else {
            return Err(damaged(format!("has no {name}")));
        };
        let entry = self.archive.by_name(name).map_err(|error| damaged(format!("has no {name}: {error}")))?;
        let digest =
            transfer(entry.take(limit), to).map_err(|error| damaged(format!("cannot take {name} out: {error}")))?;
        if digest == *expected { Ok(()) } else { Err(damaged(format!("{name} is not what was backed up"))) }
    }
}

/// A directory (0700) beside the file to be, which goes when it is no longer needed.
struct Partial {
    directory: PathBuf,
}

impl Partial {
    fn beside(to: &Path) -> Result<Self, Error> {
        use std::os::unix::fs::DirBuilderExt;
        let mut name = std::ffi::OsString::from(".");
        name.push(to.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let directory = to.with_file_name(name);
        std::fs::DirBuilder::new().mode(0o700).create(&directory).map_err(|source| Error::Io {
            doing: "make",
            path: directory.clone(),
            source,
        })?;
        Ok(Self { directory })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // What cannot be removed now is a hidden directory that its owner can remove.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
