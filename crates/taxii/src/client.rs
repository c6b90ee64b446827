//! The client's side: what to ask next, what to believe of the answer, when to wait (TAXII 2.1 §3–§5).
//!
//! Everything that touches the world is behind [`Transport`]: the connection, the clock, chance and waiting. What the
//! server says is a stranger's word: sizes and counts are bounded, a reading that does not get on is ended, and text
//! for people is cleaned before anybody sees it.

mod address;
mod backoff;
mod delete;
mod error;
mod find;
mod pull;
mod push;
#[cfg(test)]
mod tests;

pub use address::{Address, InvalidAddress};
pub use backoff::{Backoff, retry_after};
pub use delete::Deleted;
pub use error::{Cause, Error, Failure};
pub use find::Found;
pub use pull::{Page, Position, Pull, Selection};
pub use push::{Pushed, Refusal};

use crate::media;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// What the client needs of the world.
pub trait Transport: Send + Sync {
    /// Sends a request and reads the whole answer, within the transport's own bounds of time and size. Credentials are
    /// the transport's affair: the requests have none.
    fn send(&self, request: Request<Bytes>) -> impl Future<Output = Result<Response<Bytes>, Failure>> + Send;

    /// Waits.
    fn pause(&self, wait: Duration) -> impl Future<Output = ()> + Send;

    /// The clock: microseconds since 1970.
    fn now(&self) -> i64;

    /// A random number, evenly spread.
    fn chance(&self) -> u64;
}

/// How far the client goes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Objects that it asks for a page; the server may give fewer. At least 1.
    pub page_size: u64,
    /// Largest `limit` that it tries where a server needs a larger page to get on.
    pub max_page_size: u64,
    /// Bytes of an answer; the transport should stop reading there already.
    pub max_answer_bytes: usize,
    /// Pages of one reading.
    pub max_pages: u64,
    /// Objects of one envelope that is pushed.
    pub max_envelope_objects: usize,
    /// Bytes of one envelope that is pushed, where the server names no smaller bound.
    pub max_envelope_bytes: usize,
    /// How long to ask for a status that stays pending.
    pub status_patience: Duration,
    /// When to try again.
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_size: 1_000,
            max_page_size: 100_000,
            max_answer_bytes: 64 << 20,
            max_pages: 1_000_000,
            max_envelope_objects: 1_000,
            max_envelope_bytes: 8 << 20,
            status_patience: Duration::from_secs(600),
            backoff: Backoff::default(),
        }
    }
}

/// Speaks TAXII 2.1 over a transport.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    limits: Limits,
}

impl<T: Transport> Client<T> {
    /// Over this transport, within these limits.
    pub fn new(transport: T, limits: Limits) -> Self {
        Self { transport, limits }
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Sends a request, and again when the server is busy or out of reach for a moment. The answer has any other
    /// status. A POST is repeated too: an object that is there already is no error (TAXII 2.1 §5.5).
    async fn exchange(&self, at: &Address, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let mut attempt = 0;
        loop {
            let outcome = self.transport.send(request.clone()).await;
            let hint = match &outcome {
                Ok(answer) if backoff::is_busy(answer.status()) => {
                    text(answer.headers(), &RETRY_AFTER).map(str::to_owned)
                }
                Ok(answer) if answer.body().len() > self.limits.max_answer_bytes => {
                    let failure = Failure::new(Cause::TooLarge, "the answer is larger than is read");
                    return Err(Error::Unreached { address: at.clone(), source: failure });
                }
                Err(failure) if failure.cause == Cause::Interrupted => None,
                _ => return outcome.map_err(|source| Error::Unreached { address: at.clone(), source }),
            };
            let now = self.transport.now();
            let wait = self.limits.backoff.wait(attempt, hint.as_deref(), now, self.transport.chance());
            match (wait, outcome) {
                (Some(wait), _) => self.transport.pause(wait).await,
                (None, Err(source)) => return Err(Error::Unreached { address: at.clone(), source }),
                (None, Ok(answer)) => {
                    let wait = hint.and_then(|hint| retry_after(&hint, now));
                    return Err(Error::Busy { address: at.clone(), status: answer.status(), wait });
                }
            }
            attempt += 1;
        }
    }

    async fn get(&self, at: &Address) -> Result<Response<Bytes>, Error> {
        let request = request(Method::GET, at).body(Bytes::new());
        let request = request.map_err(|_| Error::protocol(at, "it leads to an address that cannot be asked for"))?;
        self.exchange(at, request).await
    }

    /// A resource, with a status of 200.
    async fn resource<R: DeserializeOwned>(&self, at: &Address) -> Result<R, Error> {
        let answer = self.get(at).await?;
        expect(at, &answer, StatusCode::OK)?;
        read(at, answer.body())
    }
}

/// A request for TAXII 2.1 (§1.6.8.1).
fn request(method: Method, at: &Address) -> http::request::Builder {
    Request::builder().method(method).uri(at.to_string()).header(ACCEPT, media::TAXII)
}

/// Refuses an answer of another status, or one that is not TAXII.
fn expect(at: &Address, answer: &Response<Bytes>, status: StatusCode) -> Result<(), Error> {
    if answer.status() != status {
        return Err(Error::refused(at, answer));
    }
    let content_type = text(answer.headers(), &CONTENT_TYPE);
    if !media::is_taxii(content_type) {
        let named = content_type.map_or_else(|| "nothing".to_owned(), error::clean);
        return Err(Error::protocol(
            at,
            &format!("the answer calls itself {named}, not {}: is this a TAXII 2.1 server?", media::TAXII),
        ));
    }
    Ok(())
}

fn read<'a, R: serde::Deserialize<'a>>(at: &Address, body: &'a [u8]) -> Result<R, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::protocol(
            at,
            &format!(
                "the answer cannot be read as the resource that it should be: {}",
                error::clean(&error.to_string())
            ),
        )
    })
}

fn text(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What two texts have in common when they are the same, in 16 bytes; parts are kept apart by their lengths.
fn fingerprint(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut out = [0; 16];
    hash.finalize_xof().fill(&mut out);
    out
}
