//! The journal: what was done, in a chain that shows every change made to it afterwards.
//!
//! An entry has a number (1, 2, 3 …), a time, a kind and two parts that can be erased each on its own: the *matter*
//! (what happened) and the *person* part (names and addresses of people, under a random salt, so that a digest tells
//! nothing of a name that was erased). Each entry's chain value is
//!
//! ```text
//! chain(n) = H(chain(n-1) ‖ n ‖ time ‖ kind ‖ H(matter) ‖ H(salt ‖ person))
//! ```
//!
//! with BLAKE3 and lengths before everything of varying length. An erased part leaves its digest behind, and its erasure is
//! an entry of its own ([`ERASED`]) that names the numbers and the reason. [`Verifier`] accepts a missing part only if
//! such an entry covers it. That the end was not cut off is shown by an [`anchor`](Anchor) kept outside the journal.

mod anchor;
mod line;
mod verify;

pub use anchor::{Anchor, AnchorFault};
pub use line::BadLine;
pub(crate) use verify::extend;
pub use verify::{Fault, Flaw, Report, Verifier};

use crate::{Micros, Result};
use std::borrow::Cow;

/// The kind of the entries by which parts of others were erased. Their own matter is never erased.
pub const ERASED: &str = "audit-erased";

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// One thing that was done, to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// When, by the clock of whoever writes.
    pub time: Micros,
    /// What kind of thing; names of the caller, but for [`ERASED`].
    pub kind: Cow<'static, str>,
    /// What happened.
    pub matter: Matter,
    /// Who had to do with it.
    pub person: Person,
}

/// What happened, without names and addresses of persons.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Matter {
    /// What it was about, as the caller wants to find it again; empty: nothing.
    pub about: String,
    /// The first and the last number of what was handed out, where numbers were.
    pub span: Option<(i64, i64)>,
    /// The rest: JSON.
    pub body: Vec<u8>,
    /// What would be too large as JSON, as the caller packs it; empty: nothing.
    pub packed: Vec<u8>,
}

/// Who had to do with it. Nothing here may speak of persons other than `who` and `whom`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// Random bytes, so that nobody can guess a name and compare digests once the rest is erased.
    pub salt: [u8; 16],
    /// Who did it; empty: nobody in particular.
    pub who: String,
    /// To whom it was done; empty: nobody.
    pub whom: String,
    /// The rest: JSON, or nothing.
    pub details: Vec<u8>,
}

/// A part of an entry, or what is left of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part<T> {
    /// It is there.
    Kept(T),
    /// It was erased; its digest stays.
    Erased(Digest),
}

/// An entry as it stands in the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number.
    pub number: u64,
    /// When.
    pub time: Micros,
    /// What kind of thing.
    pub kind: String,
    /// What happened.
    pub matter: Part<Matter>,
    /// Who had to do with it.
    pub person: Part<Person>,
    /// Its chain value.
    pub chain: Digest,
}

/// Where a journal ends: what a head that was noted elsewhere is compared with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Head {
    /// The number of the last entry; 0: there is none.
    pub number: u64,
    /// Its chain value; zeros where there is none.
    pub chain: Digest,
}

/// When an entry must be on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// It survives the end of this process at once, and power loss soon.
    Soon,
    /// It survives power loss, and the anchor knows of it, when the call returns.
    Now,
}

/// Which part of entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// What happened.
    Matter,
    /// Who had to do with it.
    Person,
}

/// Of which entries a part is erased.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Of those older than this.
    Before(Micros),
    /// Of those in which this person did something, or something was done to them.
    Person(&'a str),
}

/// Who erases, when and why.
pub struct Erasing<'a> {
    /// When.
    pub now: Micros,
    /// Who; it stands in the personal part of the entry.
    pub who: &'a str,
    /// Why; it must not name the person who is erased.
    pub reason: &'a str,
    /// Random salts, one an entry.
    pub salt: &'a mut dyn FnMut() -> [u8; 16],
}

/// Which entries are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Only those after this number.
    pub after: u64,
    /// Only those from this time on.
    pub since: Option<Micros>,
    /// Only those of this kind.
    pub kind: Option<&'a str>,
    /// Only those in which this person did something, or something was done to them.
    pub person: Option<&'a str>,
    /// At most so many; 0: no limit.
    pub limit: usize,
}

/// A journal. Several processes may write to it: the engine decides the order.
pub trait Journal: Send + Sync {
    /// Writes the entries, in this order and in one transaction, and returns where the journal ends then.
    ///
    /// # Errors
    /// [`crate::Error::Full`], [`crate::Error::Storage`]; then none was written.
    fn write(&self, entries: &[Entry], keep: Keep) -> Result<Head>;

    /// Where the journal ends.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn head(&self) -> Result<Head>;

    /// Calls `each` for the wanted entries in order. Returns the number of the last one that was given.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn read(&self, wanted: &Wanted<'_>, each: &mut dyn FnMut(Line)) -> Result<Option<u64>>;

    /// Calls `each` for the entries about this whose span overlaps, in order.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn overlapping(&self, about: &str, span: (i64, i64), each: &mut dyn FnMut(Line)) -> Result<()>;

    /// Erases a part of the entries in scope, and writes down that it did. Returns of how many entries.
    ///
    /// # Errors
    /// [`crate::Error::Full`], [`crate::Error::Storage`]; what was erased until then is written down.
    fn erase(&self, which: Which, scope: Scope<'_>, by: &mut Erasing<'_>) -> Result<u64>;

    /// Reads everything and compares it with itself, with the anchor, and with a head that was noted elsewhere.
    /// `progress(done, total)` in entries.
    ///
    /// # Errors
    /// [`crate::Error::Storage`] when the journal cannot even be read.
    fn verify(&self, noted: Option<Head>, progress: &mut dyn FnMut(u64, u64)) -> Result<Report>;

    /// Makes everything durable and tells the anchor where the journal ends. Cheap if there is no news.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn anchor(&self) -> Result<()>;

    /// How far a follower has come; 0: it has not begun.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn position(&self, follower: &str) -> Result<u64>;

    /// Notes how far a follower has come.
    ///
    /// # Errors
    /// [`crate::Error::Full`], [`crate::Error::Storage`].
    fn set_position(&self, follower: &str, number: u64) -> Result<()>;

    /// Writes a consistent copy to a new file while others go on writing.
    ///
    /// # Errors
    /// [`crate::Error::Exists`] if the file exists, [`crate::Error::Full`], [`crate::Error::Storage`].
    fn backup(&self, to: &std::path::Path) -> Result<()>;
}

impl Matter {
    /// What stays of it when it is erased.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("marsad 2026-11 audit matter");
        sized(&mut hasher, self.about.as_bytes());
        match self.span {
            None => hasher.update(&[0]),
            Some((first, last)) => hasher.update(&[1]).update(&first.to_le_bytes()).update(&last.to_le_bytes()),
        };
        sized(&mut hasher, &self.body);
        hasher.update(&self.packed);
        hasher.finalize().into()
    }
}

impl Person {
    /// What stays of it when it is erased.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("marsad 2026-11 audit person");
        hasher.update(&self.salt);
        sized(&mut hasher, self.who.as_bytes());
        sized(&mut hasher, self.whom.as_bytes());
        hasher.update(&self.details);
        hasher.finalize().into()
    }
}

impl Part<Matter> {
    /// The digest, of what is there or of what was.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Kept(matter) => matter.digest(),
            Self::Erased(digest) => *digest,
        }
    }
}

impl Part<Person> {
    /// The digest, of what is there or of what was.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Kept(person) => person.digest(),
            Self::Erased(digest) => *digest,
        }
    }
}

impl<T> Part<T> {
    /// What is there.
    #[must_use]
    pub fn kept(&self) -> Option<&T> {
        match self {
            Self::Kept(part) => Some(part),
            Self::Erased(_) => None,
        }
    }
}

impl Head {
    /// Where a journal ends after one more entry.
    #[must_use]
    pub fn then(&self, number: u64, time: Micros, kind: &str, matter: &Digest, person: &Digest) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("marsad 2026-11 audit chain");
        hasher.update(&self.chain).update(&number.to_le_bytes()).update(&time.to_le_bytes());
        sized(&mut hasher, kind.as_bytes());
        hasher.update(matter).update(person);
        Self { number, chain: hasher.finalize().into() }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.number, hex(&self.chain))
    }
}

impl std::str::FromStr for Head {
    type Err = &'static str;

    /// As it is displayed: `NUMBER:HASH`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, chain) = text.trim().split_once(':').ok_or("a head is NUMBER:HASH")?;
        let number = number.parse().map_err(|_| "a head begins with a number")?;
        Ok(Self { number, chain: digest(chain).ok_or("a head ends with 64 hexadecimal digits")? })
    }
}

fn sized(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

/// A digest as it is written.
#[must_use]
pub fn hex(digest: &Digest) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

/// A digest as it was written.
#[must_use]
pub fn digest(text: &str) -> Option<Digest> {
    blake3::Hash::from_hex(text).ok().map(Into::into)
}

/// What an entry of kind [`ERASED`] says.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Erasure {
    /// Which part.
    pub part: Which,
    /// Why.
    pub reason: String,
    /// Of exactly which entries: first and last number of each run.
    pub ranges: Vec<(u64, u64)>,
}
