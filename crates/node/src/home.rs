//! The node's directory: configuration, database, secret and certificates.
//!
//! | file | is |
//! |---|---|
//! | `config.toml` | the configuration, at first the sample |
//! | `marsad.db` | the ledger and the register (and SQLite's companions beside it) |
//! | `audit.db`, `audit.anchor` | the audit log, and where it is known to have ended |
//! | `secret` | 32 random bytes, from which every keyed hash of this node is derived |
//! | `tls/` | certificate and key |
//!
//! Nobody but its owner can enter it. A directory without a `secret` is not a home.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a home cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory holds something else.
    #[error("{} is not empty and is not a marsad home: name another directory, or empty this one", .0.display())]
    Foreign(PathBuf),
    /// There is a node in it already.
    #[error("{} is the home of a node already", .0.display())]
    Taken(PathBuf),
    /// There is no node in it.
    #[error("{path} is not a marsad home: `marsad init --home {path} --organisation NAME` makes one")]
    NotAHome {
        /// The directory.
        path: String,
    },
    /// The secret is not what it must be.
    #[error("{} must hold exactly the 32 random bytes that were made for this node: restore it from a backup", .0.display())]
    Secret(PathBuf),
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
}

/// 32 secret bytes. Does not print, is wiped when dropped.
#[derive(Clone, zeroize::ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes bytes as a secret.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose, which tells nothing of the secret or of other purposes' keys. `purpose` is a
    /// constant of the program, such as `"marsad 2026 taxii cursor"`.
    #[must_use]
    pub fn key_for(&self, purpose: &'static str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }

    /// The bytes themselves: for the file and for backups.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A node's directory.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// Makes the directory (0700) with configuration and `tls/`. It becomes a home when it is [sealed](Self::seal),
    /// which is done last, when all else is in place.
    ///
    /// # Errors
    /// [`Error::Foreign`] or [`Error::Taken`] when the directory is in use, else [`Error::Io`].
    pub fn prepare(path: &Path, config: &str) -> Result<Self, Error> {
        let home = Self { path: path.to_owned() };
        home.refuse_if_used()?;
        make_directory(path)?;
        make_directory(&home.tls())?;
        write_private(&home.config(), config.as_bytes())?;
        Ok(home)
    }

    /// Writes the secret (0600), 32 bytes from a random source or from a backup: from now on this is a home.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn seal(&self, secret: &Secret) -> Result<(), Error> {
        sync_directory(&self.path)?;
        write_private(&self.secret_file(), secret.expose())?;
        sync_directory(&self.path)
    }

    /// Takes back what was made, as far as that is possible: for what failed before it was sealed.
    pub fn discard(self) {
        if !self.secret_file().exists() {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                // What cannot be removed is reported by the next attempt, as a directory in use.
                let _ = std::fs::remove_file(self.path.join(format!("marsad.db{suffix}")));
                let _ = std::fs::remove_file(self.path.join(format!("audit.db{suffix}")));
            }
            let _ = std::fs::remove_file(self.audit_anchor());
            let _ = std::fs::remove_file(self.config());
            let _ = std::fs::remove_dir_all(self.tls());
            let _ = std::fs::remove_dir(&self.path);
        }
    }

    /// A home that exists.
    ///
    /// # Errors
    /// [`Error::NotAHome`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let home = Self { path: path.to_owned() };
        if !home.secret_file().is_file() {
            return Err(Error::NotAHome { path: path.display().to_string() });
        }
        Ok(home)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration's file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("marsad.db")
    }

    /// The audit log's file.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit.db")
    }

    /// The file that says where the audit log is known to have ended.
    #[must_use]
    pub fn audit_anchor(&self) -> PathBuf {
        self.path.join("audit.anchor")
    }

    /// The directory of certificates.
    #[must_use]
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// The secret's file.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.path.join("secret")
    }

    /// A path of the configuration: relative ones are below the home.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.join(path)
    }

    /// Reads the secret.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Secret`] if it is not 32 bytes, or if they are zero or text: somebody's placeholder.
    pub fn secret(&self) -> Result<Secret, Error> {
        let path = self.secret_file();
        let io = |source| Error::Io { doing: "read", path: path.clone(), source };
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(64));
        File::open(&path).map_err(io)?.take(64).read_to_end(&mut bytes).map_err(io)?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(secret) if !is_placeholder(&secret) => Ok(Secret(secret)),
            _ => Err(Error::Secret(path)),
        }
    }

    fn refuse_if_used(&self) -> Result<(), Error> {
        if self.secret_file().exists() {
            return Err(Error::Taken(self.path.clone()));
        }
        match std::fs::read_dir(&self.path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => Err(Error::Foreign(self.path.clone())),
            Ok(false) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Error::Io { doing: "read", path: self.path.clone(), source }),
        }
    }
}

/// Whether bytes were typed, or never filled in. Of random ones, fewer than one in 10^13 look like it.
fn is_placeholder(secret: &[u8; 32]) -> bool {
    *secret == [0; 32] || secret.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// Where a home is when nobody says: `~/.local/share/marsad`. `None` where there is no home directory.
#[must_use]
pub fn default_path(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    variable("HOME").filter(|home| !home.is_empty()).map(|home| PathBuf::from(home).join(".local/share/marsad"))
}

/// Makes a directory that only its owner can enter, and its parents; an existing one is closed to others.
fn make_directory(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let io = |source| Error::Io { doing: "make the directory", path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => other.map_err(io)?,
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(io)
}

/// Writes a new file (0600) and waits until it is on disk.
///
/// # Errors
/// [`Error::Io`], also when the file exists.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "write", path: path.to_owned(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.sync_all().map_err(io)
}

fn sync_directory(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "write", path: path.to_owned(), source };
    File::open(path).map_err(io)?.sync_all().map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_home_is_closed_to_others_and_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/home");
        let secret = Secret::new([7; 32]);
        let home = Home::prepare(&path, "# sample\n").unwrap();
        assert!(matches!(Home::open(&path), Err(Error::NotAHome { .. })));
        home.seal(&secret).unwrap();
        assert_eq!((mode(&path), mode(&home.secret_file()), mode(&home.config())), (0o700, 0o600, 0o600));
        assert_eq!(mode(&home.tls()), 0o700);
        let again = Home::open(&path).unwrap();
        assert_eq!(again.secret().unwrap().expose(), &[7; 32]);
        assert!(matches!(Home::prepare(&path, ""), Err(Error::Taken(_))));
        home.clone().discard();
        assert!(Home::open(&path).is_ok(), "a sealed home stays");
    }

    #[test]
    fn what_is_not_a_home_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Home::open(directory.path()), Err(Error::NotAHome { .. })));
        let foreign = directory.path().join("foreign");
        std::fs::create_dir(&foreign).unwrap();
        Home::prepare(&foreign, "").unwrap().discard();
        assert!(!foreign.exists());
        Home::prepare(&foreign, "").unwrap().seal(&Secret::new([1; 32])).unwrap();
        let other = directory.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("holiday.jpg"), b"").unwrap();
        assert!(matches!(Home::prepare(&other, ""), Err(Error::Foreign(_))));
        for secret in [&b"short"[..], b"", &[9; 33], &[0; 32], b"change-me change-me change-me..\n"] {
            std::fs::write(foreign.join("secret"), secret).unwrap();
            assert!(matches!(Home::open(&foreign).unwrap().secret(), Err(Error::Secret(_))), "{secret:?}");
        }
    }

    #[test]
    fn a_secret_does_not_print_and_its_keys_differ() {
        let secret = Secret::new([9; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_ne!(secret.key_for("marsad 2026 test a"), secret.key_for("marsad 2026 test b"));
        assert_ne!(&secret.key_for("marsad 2026 test a"), secret.expose());
    }

    #[test]
    fn the_default_place() {
        let with = |pairs: &'static [(&str, &str)]| {
            default_path(move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(with(&[("HOME", "/home/a")]), Some("/home/a/.local/share/marsad".into()));
        assert_eq!(with(&[("HOME", "")]), None);
        assert_eq!(with(&[]), None);
    }
}
