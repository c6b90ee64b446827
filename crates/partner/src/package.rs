//! Packages: what is carried over a gap that no wire crosses, on a stick or through a diode.
//!
//! A package is one run of bytes, made and read in bounded memory:
//!
//! ```text
//! "marsad package 1\n"
//! header    length (u32, big endian), canonical JSON, Ed25519 signature       in the clear
//! chunks    length (u32; the highest bit marks the last), AES-256-GCM         STREAM: the nonce holds number and end
//! trailer   length (u32), canonical JSON, Ed25519 signature                   how many chunks, the digest of all before
//! ```
//!
//! What the chunks hold is one zstd frame of *items*: a kind (u8), a length (u32) and the bytes of an object. They are not
//! lines: an author may have broken the lines of a body, and a body is handed on as it came. The last item says how many
//! there were.
//!
//! The content key is random and wrapped for every recipient by HPKE (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305). A recipient finds its own by a salted digest of its key's id, so that a package says to nobody else for
//! whom it is. Chunks are bound to the header, the trailer signs everything, and [`Opener`] gives nothing for granted
//! before [`Opener::finish`] has seen the end: who takes in reads a package twice.
//!
//! Packages are numbered in a series, and each names the digest of the one before ([`order`]). A package may be cut into
//! parts ([`part`]), each of which says of itself which it is, signed.

mod block;
mod chunks;
mod header;
mod opener;
pub mod order;
pub mod part;
mod sealer;
#[cfg(test)]
mod tests;
mod wrap;

pub use header::Header;
pub use opener::{Item, Opener, Sender, Trust, Whole};
pub use sealer::{Draft, Sealed, Sealer};

use crate::signed;
use std::io;

/// How a package begins.
pub const MAGIC: &[u8] = b"marsad package 1\n";
/// How a part of a package begins.
pub const PART: &[u8] = b"marsad part 1\n";
/// Bytes of content in a chunk.
pub const CHUNK: usize = 256 << 10;
/// The chunks that a reader takes: from 64 KiB …
pub const CHUNK_LEAST: usize = 64 << 10;
/// … to 1 MiB.
pub const CHUNK_MOST: usize = 1 << 20;
/// A package for more recipients than this is none.
pub const RECIPIENTS: usize = 100;
/// A clock may be so far behind the sender's: ten minutes, in microseconds.
pub const TOLERANCE: i64 = 600 * 1_000_000;

/// How much of a package is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of one object.
    pub object: usize,
    /// Objects of one page.
    pub page_objects: usize,
    /// Bytes of one page, beyond its first object.
    pub page_bytes: usize,
    /// Objects altogether.
    pub objects: u64,
    /// Bytes altogether, unpacked.
    pub bytes: u64,
    /// Unpacked bytes for each packed one, beyond the first 64 MiB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object: 64 << 20,
            page_objects: 50_000,
            page_bytes: 128 << 20,
            objects: 1_000_000_000,
            bytes: 1 << 40,
            ratio: 200,
        }
    }
}

/// Why something is not a package that can be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be read, or not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not begin as a package does.
    #[error("not a package: it does not begin as one")]
    Foreign,
    /// Something in it does not have the form.
    #[error("the {what} of the package is broken: {message}")]
    Form {
        /// `header`, `chunk`, `content`, `trailer` or `part`.
        what: &'static str,
        /// What is wrong.
        message: String,
    },
    /// It ends too early.
    #[error("the package is cut off in its {0}: copy it again")]
    Cut(&'static str),
    /// It goes on behind its end.
    #[error("the package goes on behind its end")]
    Tail,
    /// It is signed with a key that does not count.
    #[error("the {what} of the package is not to be trusted")]
    Signer {
        /// `header`, `trailer` or `part`.
        what: &'static str,
        /// Why not.
        #[source]
        source: signed::Error,
    },
    /// It says that it comes from another node than the one whose key signed it.
    #[error("the package says that it comes from {said}, and is signed by {signer}")]
    Origin {
        /// What it says.
        said: String,
        /// Whose key it is.
        signer: String,
    },
    /// It is for others.
    #[error("the package is not addressed to this node, or to a key that it has replaced since")]
    NotForUs,
    /// Its time is over.
    #[error("the package was good until {expires}, and now it is {now}")]
    Expired {
        /// Its end.
        expires: String,
        /// The time here.
        now: String,
    },
    /// It was made in the future.
    #[error("the package was made at {created}, and here it is only {now}: one of the two clocks is wrong")]
    Future {
        /// When it was made, as it says.
        created: String,
        /// The time here.
        now: String,
    },
    /// A chunk does not open.
    #[error("chunk {0} of the package was altered, or is not a chunk of it in this place")]
    Chunk(u64),
    /// It is larger than what is read.
    #[error("the package has more than is read: {0}")]
    Limit(String),
    /// The system has no random bytes, or a key is no key.
    #[error("a key of the package cannot be wrapped")]
    Wrap,
    /// It was taken before.
    #[error(transparent)]
    Order(#[from] order::Refused),
}

impl Error {
    /// What an error of reading or writing carries, where it is one of ours.
    fn unwrapped(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(inner) => inner,
            Err(error) => Self::Io(error),
        }
    }

    fn form(what: &'static str, message: impl Into<String>) -> Self {
        Self::Form { what, message: message.into() }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
