//! `GET /api/alerts/stream`: alerts as they are opened and change, as server-sent events.
//!
//! Each event is the alert as the list shows it, under the place of its last change as its id: whoever comes again with
//! `Last-Event-ID` (or `after`) misses nothing. The credential is judged anew while the stream is open.

use super::super::State;
use super::super::answer::Refusal;
use super::super::notices::{EVENTS, HEARTBEAT, JUDGE, LOOK, Place};
use super::super::people::instant;
use super::super::request::{self, Asked};
use super::super::sharing::parameters;
use super::Looks;
use crate::alerts::alert::Alert;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ledger::{Alerted, Alerts as _, Micros};
use policy::role::Act;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// Changes that are looked at in one go.
const MOST: usize = 500;

/// Opens a stream.
pub(crate) async fn get(state: &Arc<State>, asked: Asked) -> Result<Response<Body>, Refusal> {
    Looks::of(state, &asked, Act::SeeAlerts)?;
    let [after, once] = parameters(&asked, ["after", "once"])?;
    let last = asked.header(http::HeaderName::from_static("last-event-id")).map(str::to_owned);
    let malformed = || {
        let help = "`after` is an instant such as 2027-01-31T00:00:00Z, `once` is true or false";
        Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", help)
    };
    let instant = |text: &str| stix::timestamp::Timestamp::parse(text).map(|at| at.micros).map_err(|_| malformed());
    let after = match after.or(last) {
        Some(text) => instant(&text)?,
        None => state.read(|state| Ok(state.book.alert_changed()?)).await?,
    };
    let once = match once.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed()),
    };
    let account = asked.identity.viewer.name.clone().unwrap_or_default();
    let place = state.streams.place(&account);
    let place = place.ok_or_else(|| Refusal::unavailable("too many streams are open"))?;
    let watching = Watching {
        ending: state.streams.ending(),
        changes: state.alerts.changes(),
        state: Arc::clone(state),
        asked: Arc::new(asked),
        after,
        _place: place,
        say: VecDeque::from([Bytes::from_static(b": marsad\n\n")]),
        said: Instant::now(),
        judged: Instant::now(),
        looked: false,
        more: false,
        once,
    };
    let events = stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((Ok::<_, Infallible>(next), watching))
    });
    let mut answer = Response::new(Body::from_stream(events));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    Ok(answer)
}

/// An open stream.
struct Watching {
    state: Arc<State>,
    asked: Arc<Asked>,
    after: Micros,
    ending: watch::Receiver<bool>,
    changes: watch::Receiver<u64>,
    _place: Place,
    say: VecDeque<Bytes>,
    said: Instant,
    judged: Instant,
    looked: bool,
    more: bool,
    once: bool,
}

impl Watching {
    /// What is said next; `None`: the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(next) = self.say.pop_front() {
                self.said = Instant::now();
                return Some(next);
            }
            if *self.ending.borrow() || (self.once && self.looked && !self.more) {
                return None;
            }
            if self.looked && !self.more {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.changes.changed() => {}
                    _ = self.ending.changed() => return None,
                }
            }
            if self.judged.elapsed() >= JUDGE {
                self.judged = Instant::now();
                if !request::still_counts(&self.state, &self.asked).await {
                    return None;
                }
            }
            self.looked = true;
            let (asked, after) = (Arc::clone(&self.asked), self.after);
            match self.state.read(move |state| look(state, &asked, after)).await {
                Ok(Looked { events, last, more }) => {
                    self.say.extend(events);
                    (self.after, self.more) = (last, more);
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

struct Looked {
    events: Vec<Bytes>,
    last: Micros,
    more: bool,
}

/// What has changed behind a place, as whoever asks sees it.
fn look(state: &State, asked: &Asked, after: Micros) -> Result<Looked, Refusal> {
    if state.book.alert_changed()? <= after {
        return Ok(Looked { events: Vec::new(), last: after, more: false });
    }
    let mut looks = Looks::of(state, asked, Act::SeeAlerts)?;
    let mut rows = Vec::new();
    state.book.alerts(&Alerted::Changed(after), &mut |row| {
        rows.push(row);
        rows.len() < MOST
    })?;
    let more = rows.len() >= MOST;
    let last = rows.last().map_or(after, |row| row.changed);
    let mut events = Vec::new();
    for row in rows {
        let Some(alert) = Alert::read(&row.body).filter(|alert| alert.count > 0) else { continue };
        if looks.sees(state, &row.indicator)?
            && let Some(shown) = looks.row(state, &row, &alert)?
        {
            events.push(Bytes::from(format!("id: {}\nevent: alert\ndata: {shown}\n\n", instant(row.changed))));
        }
    }
    Ok(Looked { events, last, more })
}
