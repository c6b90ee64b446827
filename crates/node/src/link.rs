//! Exchange with other TAXII servers: pulling a collection in, pushing one out.
//!
//! Both keep where they stand in the register after every page that is durable on its side, so that whatever breaks off is
//! gone on with: objects that come twice are known. Both block their thread while the ledger works: they want a
//! runtime of their own.

#[cfg(test)]
mod tests;

use crate::accounts::who;
use crate::door::{Door, Selected};
use crate::eyes::Eyes;
use crate::import::{self, Counts, Listener, Pages};
use bytes::Bytes;
use ledger::{Collection, Filter, Ledger, Register, Seq, Versions};
use policy::{Released, Viewer};
use serde_json::value::RawValue;
use taxii::client::{Address, Client, Found, Position, Refusal, Selection, Transport};

/// Objects that are read from the ledger at once when pushing …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;

/// Why an exchange could not be done, or not to its end. What was done before stands, and the next run goes on there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The other side.
    #[error(transparent)]
    Taxii(Box<taxii::client::Error>),
    /// The ledger, while taking in.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The other side says that we may not.
    #[error("the server does not let this account {doing} the collection `{title}`: ask its operator")]
    Rights {
        /// `read` or `write to`.
        doing: &'static str,
        /// The collection's title there.
        title: String,
    },
    /// Our side says that the viewer may not.
    #[error("`{viewer}` may not read the collection `{alias}`, so nothing of it is pushed as `{viewer}`")]
    Viewer {
        /// For whom it would have been.
        viewer: String,
        /// The collection here.
        alias: String,
    },
    /// A defect: nothing of the page was sent.
    #[error(transparent)]
    Leak(#[from] policy::Leak),
    /// A page of the ledger is not what it must be.
    #[error("the ledger gave a page that cannot be split into objects: run `marsad check`")]
    Page,
}

impl From<taxii::client::Error> for Error {
    fn from(error: taxii::client::Error) -> Self {
        Self::Taxii(Box::new(error))
    }
}

/// Where something is on another server.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The address of the server, of its discovery, of an API root or of a collection.
    pub address: &'a Address,
    /// The collection: id, alias or title.
    pub collection: &'a str,
}

/// What is pulled, and where to.
#[derive(Clone, Debug)]
pub struct Pull<'a> {
    /// From where.
    pub from: Remote<'a>,
    /// Which objects.
    pub selection: Selection,
    /// To where.
    pub into: &'a Collection,
    /// How objects are taken in.
    pub options: &'a import::Options,
    /// Read everything again instead of what is new since the last time.
    pub again: bool,
}

/// How far a pull is, or was.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pulled {
    /// Pages that were read.
    pub pages: u64,
    /// Objects that came.
    pub received: u64,
    /// What became of them.
    pub counts: Counts,
    /// What is odd about the server, each once.
    pub warnings: Vec<&'static str>,
}

/// Pulls. `progress` is told after each page that is durable here.
///
/// # Errors
/// [`Error`].
pub async fn pull<T: Transport, B: Ledger + Register>(
    client: &Client<T>,
    book: &B,
    pull: &Pull<'_>,
    listener: &mut (dyn Listener + Send),
    progress: &mut (dyn FnMut(&Pulled) + Send),
) -> Result<Pulled, Error> {
    let found = client.find(pull.from.address, pull.from.collection).await?;
    if !found.collection.can_read {
        return Err(Error::Rights { doing: "read", title: title(&found) });
    }
    let note = format!("pull {} of {:?} into {}", found.objects, pull.selection, pull.into.id);
    let position = if pull.again { None } else { book.note(&note)? };
    // A position that cannot be read is none: everything is read again, and known.
    let position: Option<Position> = position.and_then(|kept| serde_json::from_slice(&kept).ok());
    let mut reading = client.pull(&found.objects, &pull.selection, position.unwrap_or_default());
    let mut pages = Pages::new(book, pull.options);
    let mut pulled = Pulled::default();
    while let Some(page) = reading.next_page().await? {
        pages.take(pull.from.collection, &page.objects, listener)?;
        if let Ok(kept) = serde_json::to_vec(&page.position) {
            book.set_note(&note, Some(&kept))?;
        }
        pulled.pages += 1;
        pulled.received += page.objects.len() as u64;
        pulled.counts = pages.counts();
        pulled.warnings.extend(page.warning.filter(|warning| !pulled.warnings.contains(warning)));
        progress(&pulled);
    }
    pages.end()?;
    Ok(pulled)
}

/// What is pushed, as whom, and where to.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// From where.
    pub from: &'a Collection,
    /// For whom: what this viewer may have goes out, and nothing else.
    pub viewer: Viewer,
    /// To where.
    pub to: Remote<'a>,
    /// Push everything again instead of what is new since the last time.
    pub again: bool,
}

/// How far a push is, or was.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pushed {
    /// Objects that were sent.
    pub sent: u64,
    /// The server has them.
    pub accepted: u64,
    /// The server does not take them.
    pub refused: u64,
    /// The server had not said when our patience ended: they are sent again the next time.
    pub pending: u64,
    /// What is odd about the server, each once.
    pub warnings: Vec<String>,
}

/// Pushes. `refused` is told of each object that the server does not take and names; `progress` after each page.
///
/// An object that the viewer may see only later, by a change of the rules, is behind the position: `again` sends it.
///
/// # Errors
/// [`Error`].
pub async fn push<T: Transport, B: Ledger + Register>(
    client: &Client<T>,
    book: &B,
    door: &Door,
    push: &Push<'_>,
    refused: &mut (dyn FnMut(&Refusal) + Send),
    progress: &mut (dyn FnMut(&Pushed) + Send),
) -> Result<Pushed, Error> {
    let viewer = || push.viewer.name.clone().unwrap_or_else(|| "anyone".to_owned());
    if !policy::may(&push.viewer, &who(&push.from.read)) {
        return Err(Error::Viewer { viewer: viewer(), alias: push.from.alias.clone() });
    }
    let found = client.find(push.to.address, push.to.collection).await?;
    if !found.collection.can_write {
        return Err(Error::Rights { doing: "write to", title: title(&found) });
    }
    let note = format!("push {} as {} to {}", push.from.id, viewer(), found.objects);
    let kept = if push.again { None } else { book.note(&note)? };
    let mut after = kept.and_then(|kept| kept.try_into().ok()).map(|kept| Seq(i64::from_be_bytes(kept)));
    let (mut pushed, mut held) = (Pushed::default(), false);
    loop {
        let (objects, last, more) = released(book, door, push, after)?;
        let answer = client.push(&found, &objects).await?;
        pushed.sent += objects.len() as u64;
        pushed.accepted += answer.accepted;
        pushed.refused += answer.refused.len() as u64 + answer.unnamed;
        pushed.pending += answer.pending;
        answer.refused.iter().for_each(&mut *refused);
        for warning in answer.warnings {
            if !pushed.warnings.contains(&warning) {
                pushed.warnings.push(warning);
            }
        }
        // What nobody knows the fate of is sent again: the position stays before it.
        held |= answer.pending > 0;
        after = last.or(after);
        if let Some(after) = after.filter(|_| !held) {
            book.set_note(&note, Some(&after.0.to_be_bytes()))?;
        }
        progress(&pushed);
        if !more || last.is_none() {
            return Ok(pushed);
        }
    }
}

/// One page of what the viewer may have.
fn released<B: Ledger + Register>(
    book: &B,
    door: &Door,
    push: &Push<'_>,
    after: Option<Seq>,
) -> Result<(Vec<Bytes>, Option<Seq>, bool), Error> {
    // The rights are asked anew for every page.
    let gate = door.gate(push.viewer.clone(), crate::clock::now());
    let readable = crate::export::readable(book, gate.viewer())?;
    let reads = |no| readable.contains(&no);
    let eyes = Eyes::new(&gate, door.references(), &reads);
    let filter = Filter {
        collection: push.from.no,
        after,
        keys: None,
        kinds: None,
        versions: Versions::All,
        dialects: None,
        limit: PAGE,
        max_bytes: PAGE_BYTES,
    };
    let mut content = vec![b'['];
    let page = book.objects(&filter, &eyes, &mut content)?;
    content.push(b']');
    let (last, more) = (page.last, page.more);
    let objects = objects(gate.admit(Selected { page, content })?)?;
    Ok((objects, last, more))
}

/// Only what was released is sent.
fn objects(page: Released<Selected<Vec<u8>>>) -> Result<Vec<Bytes>, Error> {
    let content = Bytes::from(page.into_inner().content);
    let objects: Vec<&RawValue> = serde_json::from_slice(&content).map_err(|_| Error::Page)?;
    Ok(objects.iter().map(|object| content.slice_ref(object.get().as_bytes())).collect())
}

/// The server's word, which may hold anything.
fn title(found: &Found) -> String {
    found.collection.title.chars().filter(|c| !c.is_control()).take(100).collect()
}
