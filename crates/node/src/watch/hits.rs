//! Hits, and the bounded queue by which they are handed on.
//!
//! Whoever takes a batch says when it is safe ([`Batch::taken`]): only then does an input go on for good (a position is
//! kept, a message acknowledged). What was dropped without that word comes again, so that nothing is missed; whoever takes
//! hits folds what comes twice by [`Hit::input`] and [`Hit::place`].

use ::watch::general::Witness;
use ledger::{Micros, Seq};
use observable::Kind;
use policy::Tlp;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// An indicator of the book, as it stood at the moment of the match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Indicator {
    /// Its STIX id.
    pub id: String,
    /// Its version, as its author wrote it (`modified`, else `created`).
    pub modified: String,
    /// Where this version lies in the book.
    pub seq: Seq,
    /// The organisation that brought it in.
    pub source: String,
    /// The identity that made it (`created_by_ref`).
    pub author: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// How sure its author is, 0 to 100 (STIX 2.1 §3.2).
    pub confidence: Option<u8>,
    /// What is left of that after decay, at the moment of the match; `None`: it does not say how sure it is.
    pub score: Option<u8>,
    /// Whether our own organisation says in the book that it is wrong: an opinion of ours that strongly disagrees.
    pub is_wrong: bool,
    /// Its marking; what the node takes for it where there is none.
    pub tlp: Tlp,
    /// All markings of the whole object.
    pub markings: Vec<String>,
    /// From when it holds.
    pub valid_from: Option<Micros>,
    /// Until when; `None`: no end was given.
    pub valid_until: Option<Micros>,
    /// Its pattern.
    pub pattern: String,
}

/// An indicator met by an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hit {
    /// What was claimed.
    pub indicator: Arc<Indicator>,
    /// The kind of the value that was met.
    pub kind: Kind,
    /// The value as it stood in the event.
    pub value: String,
    /// The name of the field that it stood in.
    pub field: String,
    /// Of a pattern that says more than a list of values, the values that took part; empty for a claim on one.
    pub met: Vec<Witness>,
    /// Where the event came from: a file's path, or a stream's address.
    pub input: Arc<str>,
    /// The number of its line in that input, or of its line in that message.
    pub line: u64,
    /// Where exactly in the input, as long as that can be told again: the byte at which a line begins, the sequence number
    /// of a message. With `input` and `line` it names the event.
    pub place: u64,
    /// When the event happened, as it says itself.
    pub time: Option<String>,
    /// The event as it stood in the input, cut after [`Hit::MOST_RAW`] bytes.
    pub raw: Vec<u8>,
    /// When the node met it.
    pub received: Micros,
}

impl Hit {
    /// Bytes of an event that are kept as evidence.
    pub const MOST_RAW: usize = 64 << 10;
}

/// Nobody takes hits any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("nobody takes the hits any more")]
pub struct Closed;

/// Hits that were found together.
#[derive(Debug)]
pub struct Batch {
    /// In the order of the input. Empty: only the word is wanted that all before is safe.
    pub hits: Vec<Hit>,
    taken: oneshot::Sender<()>,
}

impl Batch {
    /// Says that these hits are safe: they will not be handed on again.
    pub fn taken(self) {
        // Who found them may have ended: then they come again.
        let _ = self.taken.send(());
    }
}

/// The end at which hits go in.
#[derive(Clone, Debug)]
pub struct Hits(mpsc::Sender<Batch>);

/// The end at which they come out.
#[derive(Debug)]
pub struct Queue(mpsc::Receiver<Batch>);

/// A batch on its way.
#[derive(Debug)]
pub struct Handed(oneshot::Receiver<()>);

/// A queue that holds at most `most` batches; who hands on more waits.
#[must_use]
pub fn queue(most: usize) -> (Hits, Queue) {
    let (hits, queue) = mpsc::channel(most.max(1));
    (Hits(hits), Queue(queue))
}

impl Hits {
    /// Hands a batch on; waits for a place in the queue. Not on a thread that runs tasks.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn hand_on(&self, hits: Vec<Hit>) -> Result<Handed, Closed> {
        let (taken, handed) = oneshot::channel();
        self.0.blocking_send(Batch { hits, taken }).map_err(|_| Closed)?;
        Ok(Handed(handed))
    }

    /// The same in a task.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn hand_on_in_task(&self, hits: Vec<Hit>) -> Result<Handed, Closed> {
        let (taken, handed) = oneshot::channel();
        self.0.send(Batch { hits, taken }).await.map_err(|_| Closed)?;
        Ok(Handed(handed))
    }
}

impl Handed {
    /// Waits for the word. `false`: the batch was let go without it. Not on a thread that runs tasks.
    #[must_use]
    pub fn wait(self) -> bool {
        self.0.blocking_recv().is_ok()
    }

    /// The same in a task.
    pub async fn is_taken(self) -> bool {
        self.0.await.is_ok()
    }
}

impl Queue {
    /// The next batch; waits for it. `None`: none comes any more. Not on a thread that runs tasks.
    pub fn wait(&mut self) -> Option<Batch> {
        self.0.blocking_recv()
    }

    /// The same in a task.
    pub async fn next(&mut self) -> Option<Batch> {
        self.0.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_let_go_is_not_taken() {
        let (hits, mut batches) = queue(2);
        let (first, second) = (hits.hand_on(Vec::new()).unwrap(), hits.hand_on(Vec::new()).unwrap());
        batches.wait().unwrap().taken();
        drop(batches.wait().unwrap());
        assert_eq!((first.wait(), second.wait()), (true, false));
        let third = hits.hand_on(Vec::new()).unwrap();
        drop(batches);
        assert!(!third.wait(), "what is left in the queue is not taken");
        assert_eq!(hits.hand_on(Vec::new()).unwrap_err(), Closed);
        let (hits, mut batches) = queue(1);
        drop(hits);
        assert!(batches.wait().is_none());
    }

    #[test]
    fn who_is_faster_waits() {
        let (hits, mut batches) = queue(1);
        let sender = std::thread::spawn(move || (0..50).map(|_| hits.hand_on(Vec::new()).unwrap()).collect::<Vec<_>>());
        let mut taken = 0;
        while let Some(batch) = batches.wait() {
            batch.taken();
            taken += 1;
        }
        assert_eq!(taken, 50);
        assert!(sender.join().unwrap().into_iter().all(Handed::wait));
    }
}
