//! Reading a package.

use super::block::{Block, Kind, exactly};
use super::chunks::{Opening, Running, digest_of};
use super::header::{self, Header};
use super::sealer::{ANSWERS, END, End, MAIL, OBJECT, PAGE, Trailer};
use super::{Error, Limits, MAGIC, TOLERANCE, wrap};
use crate::key::{KeyId, Keys};
use crate::signed;
use crate::trust::{Keyring, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::io::{self, BufReader, Read};
use stix::timestamp::format_micros;

/// Small packages may grow by any factor up to this size.
const FREE: u64 = 64 << 20;
/// The longest look back of zstd that is granted: 8 MiB, four times what the sealer asks for.
const WINDOW_LOG: u32 = 23;

/// Whose a key is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sender {
    /// As the organisation is called here.
    pub organisation: String,
    /// Its node id.
    pub node: String,
    /// Its key that signs.
    pub sign: [u8; 32],
}

impl Sender {
    /// Whose key this is by the cards on the ring, if it counts at `now`: also one that its owner has replaced.
    ///
    /// # Errors
    /// Those of [`Keyring::signer`].
    pub fn of(ring: &Keyring, key: &KeyId, now: i64) -> Result<Self, signed::Error> {
        let Signer { organisation, card } = ring.signer(key, now)?;
        let mut keys = card.former.iter().chain([&card.keys.sign]);
        let sign = *keys.find(|sign| KeyId::of(sign) == *key).ok_or_else(|| signed::Error::Key(key.clone()))?;
        Ok(Self { organisation: organisation.to_owned(), node: card.node().to_owned(), sign })
    }
}

/// Says whose a key is, if it counts.
pub type Trust<'a> = dyn Fn(&KeyId) -> Result<Sender, signed::Error> + 'a;

/// Something in a package.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Item<'a> {
    /// An object, or a statement that goes with the objects of its page.
    Object(&'a [u8]),
    /// The page ends here.
    PageEnd,
    /// A statement out of the mailbox.
    Mail(&'a [u8]),
    /// What became of packages that went the other way, in the words of whoever made the package.
    Answers(&'a [u8]),
}

/// Reads a package. What it gives is only whole when [`Opener::finish`] says so.
pub struct Opener<R: Read> {
    plain: BufReader<Metered<R>>,
    header: Header,
    sender: Sender,
    limits: Limits,
    item: Vec<u8>,
    page_objects: usize,
    page_bytes: usize,
    seen: End,
    ended: bool,
}

/// A package that was read to its end: everything in it is the sender's, and nothing is missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Whole {
    /// What it says of itself.
    pub header: Header,
    /// From whom.
    pub sender: Sender,
    /// The digest by which the next names it.
    pub digest: [u8; 32],
    /// Its bytes, without the trailer.
    pub bytes: u64,
    /// Objects in it, statements that go with them included.
    pub objects: u64,
    /// Statements of the mailbox in it.
    pub mail: u64,
}

impl<R: Read> Opener<R> {
    /// Reads the header and judges it: signed by a key that counts, addressed to one of `own`, in time.
    ///
    /// # Errors
    /// [`Error`].
    pub fn begin(mut from: R, own: &[&Keys], trust: &Trust<'_>, limits: &Limits, now: i64) -> Result<Self, Error> {
        let (block, header, fields) = read_header(&mut from)?;
        // First of all the clocks: if one is wrong, keys seem to be out of their time as well.
        if header.created > now.saturating_add(TOLERANCE) {
            return Err(Error::Future { created: format_micros(header.created), now: format_micros(now) });
        }
        if let Some(expires) = header.expires.filter(|expires| *expires < now) {
            return Err(Error::Expired { expires: format_micros(expires), now: format_micros(now) });
        }
        let untrusted = |source| Error::Signer { what: "header", source };
        let sender = trust(&header.key).map_err(untrusted)?;
        if KeyId::of(&sender.sign) != header.key {
            return Err(untrusted(signed::Error::Key(header.key)));
        }
        block.verify(&sender.sign)?;
        if sender.node != header.from {
            return Err(Error::Origin { said: header.from, signer: sender.node });
        }
        let salt = URL_SAFE_NO_PAD.decode(&fields.salt).ok().filter(|salt| salt.len() == 16);
        let salt = salt.ok_or_else(|| Error::form("header", "it has no salt"))?;
        let mut found = Err(Error::NotForUs);
        for keys in own {
            found = wrap::open(&fields.recipients, &salt, keys);
            if !matches!(found, Err(Error::NotForUs)) {
                break;
            }
        }
        let bytes = [MAGIC, &block.bytes()].concat();
        let mut running = Running::new();
        running.add(&bytes);
        let opening = Opening::new(from, &*found?, digest_of(&bytes), fields.chunk as usize, running)?;
        let mut unpacked = zstd::stream::read::Decoder::new(opening)?.single_frame();
        unpacked.window_log_max(WINDOW_LOG)?;
        let metered = Metered { unpacked, out: 0, limits: *limits };
        let plain = BufReader::with_capacity(256 << 10, metered);
        let (item, seen) = (Vec::new(), End::default());
        Ok(Self { plain, header, sender, limits: *limits, item, page_objects: 0, page_bytes: 0, seen, ended: false })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// The next item; `None`: there is no further one, and [`Self::finish`] says whether that is right.
    ///
    /// # Errors
    /// [`Error`].
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, Error> {
        if self.ended {
            return Ok(None);
        }
        let mut head = [0; 5];
        exactly(&mut self.plain, &mut head, "content")?;
        let [kind, a, b, c, d] = head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.limits.object {
            return Err(Error::Limit(format!("an object of {length} bytes, the most is {}", self.limits.object)));
        }
        self.count(kind, length)?;
        self.item.resize(length, 0);
        exactly(&mut self.plain, &mut self.item, "content")?;
        match kind {
            OBJECT => Ok(Some(Item::Object(&self.item))),
            MAIL => Ok(Some(Item::Mail(&self.item))),
            ANSWERS => Ok(Some(Item::Answers(&self.item))),
            PAGE if self.item.is_empty() => Ok(Some(Item::PageEnd)),
            END => {
                let said: Result<End, _> = serde_json::from_slice(&self.item);
                if said.ok().as_ref() != Some(&self.seen) || self.page_objects > 0 {
                    return Err(Error::form("content", "it does not hold what it says it holds"));
                }
                self.ended = true;
                Ok(None)
            }
            _ => Err(Error::form("content", "it has something unknown: a newer Marsad made it")),
        }
    }

    /// Keeps the page and the whole within their limits.
    fn count(&mut self, kind: u8, length: usize) -> Result<(), Error> {
        match kind {
            OBJECT => {
                self.seen.objects += 1;
                self.page_objects += 1;
                let first = self.page_objects == 1;
                self.page_bytes += if first { 0 } else { length };
            }
            MAIL => self.seen.mail += 1,
            PAGE => (self.page_objects, self.page_bytes) = (0, 0),
            _ => {}
        }
        let Limits { page_objects, page_bytes, objects, .. } = self.limits;
        if self.page_objects > page_objects || self.page_bytes > page_bytes {
            return Err(Error::Limit(format!("a page of more than {page_objects} objects or {page_bytes} bytes")));
        }
        if self.seen.objects.saturating_add(self.seen.mail) > objects {
            return Err(Error::Limit(format!("more than {objects} objects")));
        }
        Ok(())
    }

    /// Reads what is left and judges the end: all chunks, nothing behind them, the trailer, its signature and digest.
    ///
    /// # Errors
    /// [`Error`].
    pub fn finish(mut self) -> Result<Whole, Error> {
        while self.next_item()?.is_some() {}
        let mut byte = [0];
        if read_some(&mut self.plain, &mut byte)? > 0 {
            return Err(Error::form("content", "it goes on behind its end"));
        }
        let mut opening = self.plain.into_inner().unpacked.finish();
        // The frame has ended; so must the chunks.
        if !opening.buffer().is_empty() || read_some(&mut opening, &mut byte)? > 0 || !opening.get_ref().ended {
            return Err(Error::form("content", "it goes on behind its end"));
        }
        let (mut from, running, chunks) = opening.into_inner().into_rest();
        let trailer = Block::read(Kind::Trailer, &mut from)?;
        trailer.verify(&self.sender.sign)?;
        let digest = running.value();
        let found = Trailer { bytes: running.bytes, chunks, digest: URL_SAFE_NO_PAD.encode(digest) };
        if trailer.value::<Trailer>()? != found {
            return Err(Error::form("trailer", "it is the trailer of another package"));
        }
        if read_some(&mut from, &mut byte)? > 0 {
            return Err(Error::Tail);
        }
        let End { objects, mail } = self.seen;
        let (header, sender, bytes) = (self.header, self.sender, running.bytes);
        Ok(Whole { header, sender, digest, bytes, objects, mail })
    }
}

impl Header {
    /// Reads what a package says of itself. Nothing of it is known to be true.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(mut from: impl Read) -> Result<Self, Error> {
        read_header(&mut from).map(|(_, header, _)| header)
    }
}

fn read_header(from: &mut impl Read) -> Result<(Block, Header, header::Fields), Error> {
    let mut magic = [0; MAGIC.len()];
    exactly(from, &mut magic, "header").map_err(|error| match error {
        Error::Cut(_) => Error::Foreign,
        error => error,
    })?;
    if magic != MAGIC {
        return Err(Error::Foreign);
    }
    let block = Block::read(Kind::Header, from)?;
    let (header, fields) = header::read(&block)?;
    Ok((block, header, fields))
}

fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map_err(Error::unwrapped),
        }
    }
}

/// Unpacked bytes within their limits.
struct Metered<R: Read> {
    unpacked: zstd::stream::read::Decoder<'static, BufReader<Opening<R>>>,
    out: u64,
    limits: Limits,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.unpacked.read(buffer).map_err(|error| {
            let ours = error.get_ref().is_some_and(|inner| inner.is::<Error>());
            // What zstd itself finds has another kind than what a disk says.
            let packing = matches!(error.kind(), io::ErrorKind::Other | io::ErrorKind::UnexpectedEof);
            if ours || !packing { error } else { Error::form("content", format!("broken packing: {error}")).into() }
        })?;
        self.out = self.out.saturating_add(count as u64);
        let Limits { bytes, ratio, .. } = self.limits;
        let packed = self.unpacked.get_ref().get_ref().running.bytes;
        if self.out > bytes {
            return Err(Error::Limit(format!("it unpacks to more than {bytes} bytes")).into());
        }
        if self.out > FREE.saturating_add(packed.saturating_mul(ratio)) {
            return Err(Error::Limit(format!("it unpacks to more than {ratio} times its size")).into());
        }
        Ok(count)
    }
}
