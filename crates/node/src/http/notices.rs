//! `GET /api/links/notices`: tells a partner at once that there is something new for it, and never of what it may not see.
//!
//! Server-sent events: one for each collection in which something that this account sees was added, or for its mailbox.
//! A look is a page under the account's own rights behind the last place that was looked at, so that nothing else in the
//! book makes a difference. The credential is judged anew while the stream is open, and the stream ends with it.

use super::State;
use super::answer::Refusal;
use super::request::{self, Asked};
use super::taxii::{mailbox as taxii_mailbox, rights};
use crate::door::Selected;
use crate::eyes::Eyes;
use crate::partners::mailbox;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ledger::{CollectionNo, Filter, Ledger as _, Partners as _, Seq, Versions};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The media type of server-sent events.
pub(super) const EVENTS: &str = "text/event-stream";
/// How often it is looked whether there is something new: events are no more frequent.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// How often something is said though there is nothing to say, so that both ends know that the other is there.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the credential is judged anew.
pub(super) const JUDGE: Duration = Duration::from_secs(5);
/// Streams that one account may have open …
const MOST_EACH: usize = 4;
/// … and all together.
const MOST: usize = 256;

/// The streams that are open, and what ends them all.
pub(super) struct Streams {
    open: Mutex<HashMap<String, usize>>,
    ending: watch::Sender<bool>,
    newest: Mutex<Option<(Option<Seq>, Instant)>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { open: Mutex::default(), ending: watch::Sender::new(false), newest: Mutex::default() }
    }
}

impl Streams {
    /// Ends every stream.
    pub(super) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Tells when every stream ends.
    pub(super) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// A place for one more; `None`: there is none.
    pub(super) fn place(self: &Arc<Self>, account: &str) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let mine = open.entry(account.to_owned()).or_default();
        if *mine >= MOST_EACH || all >= MOST {
            return None;
        }
        *mine += 1;
        Some(Place { streams: Arc::clone(self), account: account.to_owned() })
    }

    /// The newest place in the book, asked once for all who look at about the same time.
    fn newest(&self, state: &State) -> Result<Option<Seq>, Refusal> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            Some((last, since)) if since.elapsed() < LOOK / 2 => Ok(*last),
            _ => {
                let last = state.book.last()?;
                *newest = Some((last, Instant::now()));
                Ok(last)
            }
        }
    }
}

/// A place among the streams, given back when it is dropped.
pub(super) struct Place {
    streams: Arc<Streams>,
    account: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = open.get_mut(&self.account) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.account);
            }
        }
    }
}

/// What is asked.
struct Query {
    /// Only of what was added after this place; `None`: from now on.
    after: Option<Seq>,
    /// One look, and no stream.
    once: bool,
}

/// Opens a stream.
pub(super) async fn get(state: &Arc<State>, asked: Asked) -> Result<Response<Body>, Refusal> {
    if asked.identity.role.is_none() {
        return Err(Refusal::unauthorized());
    }
    let Some(organisation) = taxii_mailbox::partner(state, &asked)?.filter(|_| asked.identity.reads) else {
        return Err(Refusal::not_found());
    };
    let query = parsed(&asked.query)?;
    let account = asked.identity.viewer.name.clone().unwrap_or_default();
    let place = state.streams.place(&account);
    let place = place.ok_or_else(|| Refusal::unavailable("too many streams of notices are open"))?;
    let begin = state.read(|state| Ok(state.book.last()?)).await?;
    let after = query.after.or(begin);
    let watching = Watching {
        ending: state.streams.ending(),
        state: Arc::clone(state),
        // What waits in the mailbox since before is told of.
        looked: Some(Looked { begin: after, places: HashMap::new(), seen: None, mail: i64::MIN, organisation }),
        asked: Arc::new(asked),
        _place: place,
        // The first words say that the stream stands.
        say: VecDeque::from([Bytes::from_static(b": marsad\n\n")]),
        said: Instant::now(),
        judged: Instant::now(),
        looks: 0,
        once: query.once,
    };
    let events = stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((Ok::<_, Infallible>(next), watching))
    });
    let mut answer = Response::new(Body::from_stream(events));
    *answer.status_mut() = StatusCode::OK;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    Ok(answer)
}

fn parsed(text: &str) -> Result<Query, Refusal> {
    let mut query = Query { after: None, once: false };
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = super::route::decoded_query(value).unwrap_or_default();
        let instant = || stix::timestamp::Timestamp::parse(&value).ok();
        match (name, value.as_str()) {
            ("once", "true") => query.once = true,
            ("once", "false") => query.once = false,
            ("added_after", _) if instant().is_some() => query.after = instant().map(|at| Seq(at.micros)),
            _ => {
                let help = "it takes added_after and once";
                return Err(Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", help));
            }
        }
    }
    Ok(query)
}

/// An open stream.
struct Watching {
    state: Arc<State>,
    asked: Arc<Asked>,
    /// Lent to each look.
    looked: Option<Looked>,
    ending: watch::Receiver<bool>,
    _place: Place,
    say: VecDeque<Bytes>,
    said: Instant,
    judged: Instant,
    looks: u64,
    once: bool,
}

/// How far was looked.
struct Looked {
    begin: Option<Seq>,
    places: HashMap<CollectionNo, Seq>,
    /// The newest place in the book at the last look.
    seen: Option<Option<Seq>>,
    mail: i64,
    organisation: String,
}

impl Watching {
    /// What is said next; `None`: the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(next) = self.say.pop_front() {
                self.said = Instant::now();
                return Some(next);
            }
            if *self.ending.borrow() || (self.once && self.looks > 0) {
                return None;
            }
            if self.looks > 0 {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.ending.changed() => return None,
                }
            }
            if self.judged.elapsed() >= JUDGE {
                self.judged = Instant::now();
                let partner = taxii_mailbox::partner(&self.state, &self.asked).ok().flatten();
                if partner.is_none() || !request::still_counts(&self.state, &self.asked).await {
                    return None;
                }
            }
            self.looks += 1;
            let mut looked = self.looked.take()?;
            let asked = Arc::clone(&self.asked);
            let look = self.state.read(move |state| Ok((looked.look(state, &asked)?, looked)));
            match look.await {
                Ok((news, looked)) => {
                    self.looked = Some(looked);
                    self.say.extend(news.iter().map(|id| Bytes::from(format!("event: new\ndata: {id}\n\n"))));
                }
                // What went wrong is in the log; whoever listens comes again.
                Err(_) => return None,
            }
            if self.say.is_empty() && self.said.elapsed() >= HEARTBEAT {
                self.say.push_back(Bytes::from_static(b":\n\n"));
            }
        }
    }
}

impl Looked {
    /// The ids of the collections in which there is something new.
    fn look(&mut self, state: &State, asked: &Asked) -> Result<Vec<String>, Refusal> {
        let mut news = Vec::new();
        // Asked before anything is read: what comes meanwhile is found the next time.
        let newest = state.streams.newest(state)?;
        if self.seen != Some(newest) {
            let known = state.known.now()?;
            let readable: Vec<_> = known.collections.iter().filter(|one| rights(asked, one).read).collect();
            let gate = state.door.gate(asked.identity.viewer.clone(), state.sources.now());
            let reads = |no| readable.iter().any(|one| one.no == no);
            let eyes = Eyes::new(&gate, state.door.references(), &reads);
            for collection in &readable {
                let after = self.places.get(&collection.no).copied().or(self.begin);
                let filter = Filter {
                    collection: collection.no,
                    after,
                    keys: None,
                    kinds: None,
                    versions: Versions::All,
                    dialects: None,
                    limit: 1,
                    max_bytes: 1,
                };
                let (page, content) = state.book.manifest(&filter, &eyes)?;
                // Only what was released is told of.
                let released = gate.admit(Selected { page, content })?;
                let page = &released.as_inner().page;
                if page.count > 0 {
                    news.push(collection.id.clone());
                }
                if let Some(place) = newest.max(page.last).max(after) {
                    self.places.insert(collection.no, place);
                }
            }
            self.seen = Some(newest);
        }
        let mail = state.book.mail(&self.organisation, self.mail, 100)?;
        if let Some(last) = mail.last() {
            self.mail = last.no;
            news.push(mailbox::ID.to_owned());
        }
        Ok(news)
    }
}
