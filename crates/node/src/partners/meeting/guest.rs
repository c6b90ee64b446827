//! The node as the one who asks: a meeting at a partner's node.
//!
//! What comes from there is a stranger's word: sizes are bounded before anything is sent that depends on them, every answer has
//! the length that was agreed, and every element is proven. Blocks its thread while it works: it wants a runtime of its own.

use super::{TAGS, host};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use partner::key::Keys;
use partner::meet::hello::{self, Hello, Welcome};
use partner::meet::oprf::{Element, PROOF};
use partner::meet::{Asker, Error as Meeting, Kind, PAGE, Value, bucket, pages};
use partner::signed;
use partner::trust::Keyring;
use serde::Deserialize;
use std::num::NonZeroUsize;
use taxii::client::{Backoff, Cause, Failure, Transport};

/// Why a meeting could not be held, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The other side cannot be reached.
    #[error("{step}: {source}")]
    Unreached {
        /// What was asked.
        step: &'static str,
        /// Why not.
        source: Failure,
    },
    /// The other side does not do it.
    #[error("{step}: the partner's node answers {status}: {words}")]
    Refused {
        /// What was asked.
        step: &'static str,
        /// How it was answered.
        status: StatusCode,
        /// What it says, cleaned.
        words: String,
    },
    /// The answer is not what was agreed.
    #[error("{step}: the partner's node does not keep to the meeting: {words}")]
    Odd {
        /// What was asked.
        step: &'static str,
        /// What is wrong.
        words: String,
    },
    /// The other side cheats, or answers what was not asked.
    #[error("{step}: {source}")]
    Meeting {
        /// What was asked.
        step: &'static str,
        /// What is wrong.
        source: Meeting,
    },
    /// It is not the partner who answers, or not to us.
    #[error("{step}: {source}")]
    Signed {
        /// What was asked.
        step: &'static str,
        /// What is wrong.
        source: signed::Error,
    },
    /// One of the two has no card that counts.
    #[error("we or the partner have no card that counts: see `marsad card show` and `marsad partner show`")]
    NoCard,
    /// Our own budget for this partner is spent.
    #[error("this meeting would be too much: {0}")]
    Budget(#[from] super::budget::Error),
}

/// How far a meeting is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Pages that are done: of elements, then of tags.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}

/// What is asked, and how.
pub struct Meet<'a> {
    /// Where the partner's node is: its origin, such as `https://cti.example.org`.
    pub origin: &'a str,
    /// The partner, by its name here.
    pub partner: &'a str,
    /// Our keys.
    pub keys: &'a Keys,
    /// The cards that count.
    pub ring: &'a Keyring,
    /// 16 random bytes that no other meeting has.
    pub nonce: [u8; 16],
    /// Only values of these kinds; the partner is told.
    pub kinds: &'a [Kind],
    /// Our values.
    pub values: Vec<Value>,
    /// All our chance.
    pub seed: &'a [u8; 32],
    /// Threads for the work.
    pub threads: NonZeroUsize,
    /// The largest size that the partner may show.
    pub most: usize,
}

impl std::fmt::Debug for Meet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meet").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Met {
    /// What both hold, sorted.
    pub both: Vec<Value>,
    /// How many of ours took part.
    pub ours: usize,
    /// The size that the partner showed.
    pub theirs: usize,
}

/// How a meeting ends, as the partner says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    both: usize,
}

/// Holds a meeting. `spend` is told the size that the partner shows before anything is compared, and may refuse it.
///
/// # Errors
/// [`Error`].
pub async fn meet<T: Transport>(
    transport: &T,
    mut meet: Meet<'_>,
    spend: &mut (dyn FnMut(usize) -> Result<(), super::budget::Error> + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Met, Error> {
    let there = There { transport, base: format!("{}/api/meetings", meet.origin.trim_end_matches('/')) };
    let mut asker = Asker::new(std::mem::take(&mut meet.values), meet.seed, meet.threads);
    let (ours, size) = (asker.count(), asker.size());
    let (id, public, theirs) = begin(&there, size, &meet).await?;
    spend(theirs)?;
    let of = pages(size) + theirs.div_ceil(TAGS);
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(Progress { done, of });
    };
    for page in 0..pages(size) {
        const STEP: &str = "evaluating elements";
        let cheats = |source| Error::Meeting { step: STEP, source };
        let blinded = asker.page(page).map_err(cheats)?;
        let path = format!("/{id}/elements/{page}");
        let sent = Bytes::copy_from_slice(blinded.as_flattened());
        let answer = there.exchange(STEP, Method::PUT, &path, OCTETS, sent, true).await?;
        let (evaluated, proof) = evaluated(&answer, blinded.len())
            .ok_or_else(|| odd(STEP, "the answer has another length than was agreed"))?;
        asker.take(page, &public, &blinded, &evaluated, &proof).map_err(cheats)?;
        step();
    }
    for page in 0..theirs.div_ceil(TAGS) {
        const STEP: &str = "reading tags";
        let answer =
            there.exchange(STEP, Method::GET, &format!("/{id}/tags/{page}"), OCTETS, Bytes::new(), true).await?;
        let tags = host::parts::<16>(&answer, TAGS, "tags").map_err(|error| odd(STEP, error))?;
        if tags.len() != (theirs - page * TAGS).min(TAGS) {
            return Err(odd(STEP, "the answer has another length than was agreed"));
        }
        asker.compare(&tags).map_err(|source| Error::Meeting { step: STEP, source })?;
        step();
    }
    let met = asker.finish();
    let sent = Bytes::copy_from_slice(met.echoes.as_flattened());
    let step = "telling what both hold";
    let answer = there.exchange(step, Method::PUT, &format!("/{id}/echoes"), OCTETS, sent, false).await?;
    let ended: Ended = serde_json::from_slice(&answer).map_err(|error| odd(step, error))?;
    if ended.both != met.values.len() {
        return Err(odd(step, "it counts other values than we do"));
    }
    Ok(Met { both: met.values, ours, theirs })
}

/// Begins: the meeting's id, the key, and the size that is shown to us.
async fn begin<T: Transport>(
    there: &There<'_, T>,
    size: usize,
    meet: &Meet<'_>,
) -> Result<(String, Element, usize), Error> {
    let step = "beginning";
    let most = meet.most;
    let (own, theirs) = (meet.ring.own().ok_or(Error::NoCard)?, meet.ring.card(meet.partner).ok_or(Error::NoCard)?);
    let said = Hello {
        to: theirs.node().to_owned(),
        nonce: meet.nonce.iter().map(|byte| format!("{byte:02x}")).collect(),
        at: Hello::instant(there.transport.now()),
        size,
        types: meet.kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
    };
    let sent = Bytes::from(hello::sign(&said, meet.keys));
    let answer = there.exchange(step, Method::POST, "", JSON, sent, false).await?;
    let not = |source| Error::Signed { step, source };
    let (begun, signer) = hello::read::<Welcome>(&answer, meet.ring, there.transport.now()).map_err(not)?;
    if signer.organisation.to_lowercase() != meet.partner.to_lowercase() {
        return Err(not(signed::Error::Other("it is signed by another partner")));
    }
    if begun.to != own.node() || begun.nonce != said.nonce {
        return Err(not(signed::Error::Other("it answers something else")));
    }
    let id = begun.id;
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(odd(step, "the meeting has no id"));
    }
    if (begun.page, begun.tags_page) != (PAGE, TAGS) {
        return Err(odd(step, "its pages have other lengths: one of the nodes is of another version"));
    }
    if begun.size != bucket(begun.size) || begun.size > most {
        return Err(odd(step, format!("it shows the size {}, which is none, or more than {most}", begun.size)));
    }
    let key = URL_SAFE_NO_PAD.decode(&begun.element).ok().and_then(|key| key.try_into().ok());
    Ok((id, key.ok_or_else(|| odd(step, "it names no key"))?, begun.size))
}

/// Evaluated elements and their proof.
fn evaluated(answer: &[u8], count: usize) -> Option<(Vec<Element>, [u8; PROOF])> {
    let (elements, proof) = answer.split_at_checked(count.checked_mul(32)?)?;
    let (elements, rest) = elements.as_chunks::<32>();
    Some((elements.to_vec(), proof.try_into().ok().filter(|_| rest.is_empty())?))
}

const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// The partner's node.
struct There<'t, T> {
    transport: &'t T,
    base: String,
}

impl<T: Transport> There<'_, T> {
    /// Asks, and again where it is busy; `again`: also where the connection broke, because asking twice is asking once.
    async fn exchange(
        &self,
        step: &'static str,
        method: Method,
        path: &str,
        kind: &'static str,
        content: Bytes,
        again: bool,
    ) -> Result<Bytes, Error> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base)).header(CONTENT_TYPE, kind);
        let request = request.body(content).map_err(|error| odd(step, error))?;
        let mut attempt = 0;
        loop {
            let outcome = self.transport.send(request.clone()).await;
            let hint = match &outcome {
                Ok(answer) if is_busy(answer.status()) => {
                    answer.headers().get(RETRY_AFTER).and_then(|hint| hint.to_str().ok()).map(str::to_owned)
                }
                Err(failure) if again && failure.cause == Cause::Interrupted => None,
                _ => return outcome.map_err(|source| Error::Unreached { step, source }).and_then(|a| read(step, a)),
            };
            let (now, chance) = (self.transport.now(), self.transport.chance());
            match Backoff::default().wait(attempt, hint.as_deref(), now, chance) {
                Some(wait) => self.transport.pause(wait).await,
                None => {
                    return outcome.map_err(|source| Error::Unreached { step, source }).and_then(|a| read(step, a));
                }
            }
            attempt += 1;
        }
    }
}

/// Whether a status says: later. A spent budget does not: it is a day's wait.
fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// The content of a good answer.
fn read(step: &'static str, answer: Response<Bytes>) -> Result<Bytes, Error> {
    if answer.status().is_success() {
        return Ok(answer.into_body());
    }
    #[derive(Deserialize)]
    struct Words {
        title: String,
        #[serde(default)]
        description: Option<String>,
    }
    let words = serde_json::from_slice::<Words>(answer.body()).ok();
    let words = words.map(|words| [Some(words.title), words.description].into_iter().flatten().collect::<Vec<_>>());
    let words = words.unwrap_or_default().join(": ");
    let words: String = words.chars().filter(|c| !c.is_control()).take(300).collect();
    Err(Error::Refused { step, status: answer.status(), words })
}

fn odd(step: &'static str, words: impl ToString) -> Error {
    Error::Odd { step, words: words.to_string() }
}
