//! Making a package.

use super::block::{self, Kind};
use super::chunks::{Running, Sealing, digest_of};
use super::header::{self, Fields, Header};
use super::wrap;
use super::{CHUNK_LEAST, CHUNK_MOST, Error, MAGIC, RECIPIENTS};
use crate::key::{Keys, PublicKeys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use zeroize::Zeroizing;

/// How hard zstd tries: the default of the reference tool.
const LEVEL: i32 = 3;

/// What a package shall say of itself.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The sender's node id.
    pub from: &'a str,
    /// The sender's keys.
    pub keys: &'a Keys,
    /// For whom.
    pub recipients: &'a [PublicKeys],
    /// The series, and the number in it.
    pub series: &'a str,
    /// Strictly rising, from 1.
    pub number: u64,
    /// The digest of the package before.
    pub previous: Option<[u8; 32]>,
    /// When, in microseconds since 1970.
    pub created: i64,
    /// Until when it may be taken.
    pub expires: Option<i64>,
    /// Whether an answer is waited for.
    pub answer: bool,
    /// Bytes of a chunk: [`super::CHUNK`].
    pub chunk: usize,
}

/// How a package ends, in the order of the names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    pub(super) bytes: u64,
    pub(super) chunks: u64,
    pub(super) digest: String,
}

/// The last item.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) mail: u64,
    pub(super) objects: u64,
}

/// What an item is.
pub(super) const OBJECT: u8 = b'o';
pub(super) const MAIL: u8 = b'm';
pub(super) const PAGE: u8 = b'p';
pub(super) const ANSWERS: u8 = b'a';
pub(super) const END: u8 = b'e';

/// Writes a package.
pub struct Sealer<'a, W: Write> {
    out: zstd::stream::write::Encoder<'static, Sealing<W>>,
    keys: &'a Keys,
    header: Header,
    pub(super) end: End,
}

/// A package that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// What it says of itself.
    pub header: Header,
    /// The digest by which the next names it.
    pub digest: [u8; 32],
    /// Its bytes.
    pub bytes: u64,
    /// Objects in it, statements that go with them included.
    pub objects: u64,
    /// Statements of the mailbox in it.
    pub mail: u64,
}

impl<'a, W: Write> Sealer<'a, W> {
    /// Begins. `chance` are 48 random bytes that are used for nothing else: the content key, and a salt.
    ///
    /// # Errors
    /// [`Error::Form`] when the draft is none, [`Error::Wrap`], [`Error::Io`].
    pub fn begin(draft: &Draft<'a>, chance: &[u8; 48], mut out: W) -> Result<Self, Error> {
        if draft.recipients.is_empty() || draft.recipients.len() > RECIPIENTS {
            return Err(Error::form("header", "it has no recipients, or too many"));
        }
        if !(CHUNK_LEAST..=CHUNK_MOST).contains(&draft.chunk) {
            return Err(Error::form("header", "its chunks are too small or too large"));
        }
        let mut content = Zeroizing::new([0; wrap::KEY]);
        let mut salt = [0; 16];
        for (to, from) in content.iter_mut().chain(&mut salt).zip(chance) {
            *to = *from;
        }
        let recipients = draft.recipients.iter().map(|to| wrap::wrap(&content, &salt, to));
        let mut recipients = recipients.collect::<Result<Vec<_>, _>>()?;
        // Their order tells nothing either.
        recipients.sort_by(|one, two| one.to.cmp(&two.to));
        let fields = Fields {
            answer: draft.answer,
            chunk: u32::try_from(draft.chunk).unwrap_or(u32::MAX),
            created: draft.created,
            expires: draft.expires,
            from: draft.from.to_owned(),
            key: draft.keys.public().id(),
            number: draft.number,
            previous: draft.previous.map(|digest| URL_SAFE_NO_PAD.encode(digest)),
            recipients,
            salt: URL_SAFE_NO_PAD.encode(salt),
            series: draft.series.to_owned(),
        };
        let block = header::sign(&fields, draft.keys);
        let (header, _) = header::read(&block)?;
        let mut running = Running::new();
        let bytes = [MAGIC, &block.bytes()].concat();
        out.write_all(&bytes)?;
        running.add(&bytes);
        let sealing = Sealing::new(out, &content, digest_of(&bytes), draft.chunk, running)?;
        let out = zstd::stream::write::Encoder::new(sealing, LEVEL)?;
        Ok(Self { out, keys: draft.keys, header, end: End::default() })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn item(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(bytes.len()).map_err(|_| Error::Limit("an object of 4 GiB".to_owned()))?;
        let [a, b, c, d] = length.to_be_bytes();
        self.out.write_all(&[kind, a, b, c, d])?;
        Ok(self.out.write_all(bytes)?)
    }

    /// Puts in an object of the page.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn object(&mut self, body: &[u8]) -> Result<(), Error> {
        self.end.objects += 1;
        self.item(OBJECT, body)
    }

    /// Ends a page: what its envelope speaks of.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn end_page(&mut self) -> Result<(), Error> {
        self.item(PAGE, b"")
    }

    /// Puts in a statement out of the mailbox.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn mail(&mut self, statement: &[u8]) -> Result<(), Error> {
        self.end.mail += 1;
        self.item(MAIL, statement)
    }

    /// Puts in what became of packages that came the other way.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn answers(&mut self, answers: &[u8]) -> Result<(), Error> {
        self.item(ANSWERS, answers)
    }

    /// Ends the package and gives the writer back, to be flushed and synchronised.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<(W, Sealed), Error> {
        let end = serde_json::to_vec(&self.end).map_err(io::Error::other)?;
        self.item(END, &end)?;
        let (mut out, running, chunks) = self.out.finish()?.finish()?;
        let digest = running.value();
        let trailer = Trailer { bytes: running.bytes, chunks, digest: URL_SAFE_NO_PAD.encode(digest) };
        let trailer = block::sign(Kind::Trailer, &trailer, self.keys).bytes();
        out.write_all(&trailer)?;
        let bytes = running.bytes + trailer.len() as u64;
        let End { objects, mail } = self.end;
        Ok((out, Sealed { header: self.header, digest, bytes, objects, mail }))
    }
}
