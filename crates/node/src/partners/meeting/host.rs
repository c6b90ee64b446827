//! The node as the one who is asked: meetings under way, in memory.

use super::TAGS;
use ledger::Micros;
use partner::meet::oprf::Element;
use partner::meet::{Answerer, Error as Meeting, Offer, PAGE, Tag, Value};
use partner::trust::CLOCKS_APART;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Meetings at once, with different partners: each keeps up to some hundred bytes a value.
const MOST: usize = 4;
/// How long an answer waits for the tags, which may take a minute to make.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a step is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too many meetings, or the work of one is not done yet: later.
    #[error("busy with meetings: come back in a moment")]
    Busy,
    /// Not whole elements or echoes, or too many.
    #[error("{0} bytes are not as many {1} of {2} bytes as there may be")]
    Length(usize, &'static str, usize),
    /// What the meeting itself refuses.
    #[error(transparent)]
    Meeting(#[from] Meeting),
    /// The system gives no thread.
    #[error("no thread for the work")]
    Thread,
}

/// A meeting under way.
pub struct Running {
    id: String,
    organisation: String,
    until: Micros,
    asked: usize,
    answerer: Arc<Answerer>,
    offer: watch::Receiver<Option<Arc<Offer>>>,
    turn: Arc<Semaphore>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What begins a meeting.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// Its id, 16 random bytes in hex.
    pub id: String,
    /// With whom.
    pub organisation: &'a str,
    /// How many elements are sent: a bucket.
    pub asked: usize,
    /// All its chance.
    pub seed: &'a [u8; 32],
    /// When it ends.
    pub until: Micros,
}

/// The meetings under way.
#[derive(Debug)]
pub struct Host {
    running: Mutex<HashMap<String, Arc<Running>>>,
    /// The nonces that began one, and when each is too old to be looked at again.
    begun: Mutex<HashMap<String, Micros>>,
    /// One page is worked on at a time: a meeting does not keep the node from answering others.
    turn: Arc<Semaphore>,
}

impl Default for Host {
    fn default() -> Self {
        Self { running: Mutex::default(), begun: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Host {
    /// Whether a nonce comes for the first time, as long as a hello counts at all.
    #[must_use]
    pub fn is_new(&self, nonce: &str, now: Micros) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, until| *until > now);
        begun.insert(nonce.to_lowercase(), now.saturating_add(4 * CLOCKS_APART)).is_none()
    }

    /// Begins a meeting, in the place of one that was under way with the same partner. Its tags are made from now on.
    ///
    /// # Errors
    /// [`Error`].
    pub fn begin(
        &self,
        beginning: &Beginning<'_>,
        values: Vec<Value>,
        threads: NonZeroUsize,
        now: Micros,
    ) -> Result<Arc<Running>, Error> {
        let Beginning { id, organisation, asked, seed, until } = beginning;
        let answerer = Arc::new(Answerer::new(values, *asked, seed, id.as_bytes())?);
        let mut running = self.running();
        running.retain(|_, one| one.until > now && !one.is_with(organisation));
        if running.len() >= MOST {
            return Err(Error::Busy);
        }
        let (send, offer) = watch::channel(None);
        let meeting = Arc::new(Running {
            id: id.clone(),
            organisation: (*organisation).to_owned(),
            until: *until,
            asked: *asked,
            answerer: Arc::clone(&answerer),
            offer,
            turn: Arc::clone(&self.turn),
        });
        // A thread of its own: the runtime would wait for it when the node ends.
        let work = move || match answerer.offer(threads) {
            Ok(offer) => drop(send.send(Some(Arc::new(offer)))),
            Err(error) => tracing::error!(%error, "the tags of a meeting could not be made"),
        };
        std::thread::Builder::new().name("meeting".into()).spawn(work).map_err(|_| Error::Thread)?;
        running.insert(id.clone(), Arc::clone(&meeting));
        Ok(meeting)
    }

    /// The meeting of this id with this partner; another's is none.
    #[must_use]
    pub fn find(&self, id: &str, organisation: &str, now: Micros) -> Option<Arc<Running>> {
        let found = self.running().get(id).cloned();
        found.filter(|one| one.is_with(organisation) && one.until > now)
    }

    /// Forgets a meeting, and its key with it. Whether it was there.
    pub fn forget(&self, id: &str) -> bool {
        self.running().remove(id).is_some()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn is_with(&self, organisation: &str) -> bool {
        self.organisation.to_lowercase() == organisation.to_lowercase()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it ends.
    #[must_use]
    pub fn until(&self) -> Micros {
        self.until
    }

    /// The key under which everything is evaluated.
    #[must_use]
    pub fn public(&self) -> &Element {
        self.answerer.public()
    }

    /// The size that is shown to the partner.
    #[must_use]
    pub fn size(&self) -> usize {
        self.answerer.size()
    }

    /// How many of our values take part.
    #[must_use]
    pub fn count(&self) -> usize {
        self.answerer.count()
    }

    /// The size that the partner shows.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Evaluates a page: its evaluated elements and the proof.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn evaluate(&self, page: usize, content: &[u8], threads: NonZeroUsize) -> Result<Vec<u8>, Error> {
        let blinded = parts::<32>(content, PAGE, "elements")?;
        self.answerer.accept(page, &blinded)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Error::Busy)?;
        let answerer = Arc::clone(&self.answerer);
        let work = tokio::task::spawn_blocking(move || {
            let answer = answerer.evaluate(page, &blinded, threads);
            drop(turn);
            answer
        });
        let answer = work.await.map_err(|_| Error::Thread)??;
        Ok([answer.elements.as_flattened(), &answer.proof].concat())
    }

    /// A page of our tags; empty: there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn tags(&self, page: usize) -> Result<Vec<u8>, Error> {
        match self.answerer.left() {
            0 => {}
            left => return Err(Meeting::Early(left).into()),
        }
        let offer = self.offer().await?;
        Ok(offer.tags().chunks(TAGS).nth(page).unwrap_or_default().as_flattened().to_vec())
    }

    /// What both hold.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn finish(&self, content: &[u8]) -> Result<Vec<Value>, Error> {
        let echoes: Vec<Tag> = parts(content, self.asked, "echoes")?;
        let offer = self.offer().await?;
        Ok(self.answerer.finish(&offer, &echoes)?)
    }

    async fn offer(&self) -> Result<Arc<Offer>, Error> {
        let mut offer = self.offer.clone();
        let made = tokio::time::timeout(PATIENCE, offer.wait_for(Option::is_some)).await;
        made.ok().and_then(Result::ok).and_then(|offer| offer.clone()).ok_or(Error::Busy)
    }
}

/// Bytes as parts of `N` bytes each, at most so many.
pub(super) fn parts<const N: usize>(content: &[u8], most: usize, what: &'static str) -> Result<Vec<[u8; N]>, Error> {
    let (parts, rest) = content.as_chunks::<N>();
    if !rest.is_empty() || parts.len() > most {
        return Err(Error::Length(content.len(), what, N));
    }
    Ok(parts.to_vec())
}
