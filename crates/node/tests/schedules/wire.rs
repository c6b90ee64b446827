//! The wire between the nodes of a schedule: it loses, cuts, repeats, holds back, reorders and alters what is sent, as the
//! dice say. What is asked is answered by the other node's real router.
//!
//! Rounds take turns: a request waits until the schedule lets its round go on, before it is sent and again before the
//! answer is given, so that rounds of all nodes overlap in every order, and a node may die at each of these places.

use crate::dice::Dice;
use crate::relay::Relay;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use node::http::State;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use taxii::client::{Cause, Failure, Transport};

/// Lets one round go on by one step.
#[derive(Default)]
pub(crate) struct Turn {
    granted: AtomicBool,
    waiting: AtomicBool,
}

impl Turn {
    pub(crate) fn grant(&self) {
        self.granted.store(true, Ordering::SeqCst);
    }

    /// Whether the round waits for a turn.
    pub(crate) fn waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        poll_fn(|_| {
            let granted = self.granted.swap(false, Ordering::SeqCst);
            self.waiting.store(!granted, Ordering::SeqCst);
            if granted { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    /// Nobody gets it.
    Lost,
    /// It is done, and nobody is told.
    Cut,
    /// It is done twice, one after the other.
    Twice,
    /// It is done, and once more much later.
    Echo,
    /// The other side has no time.
    Busy,
    /// The other side answers so slowly that the asker gives up.
    Slow,
    /// The two do not reach each other.
    Parted,
}

/// A request that comes once more, much later.
struct Echo {
    to: usize,
    request: Request<Bytes>,
}

/// Everything between the nodes.
pub(crate) struct Net {
    /// True time, in microseconds; every node's clock is off by something.
    pub(crate) clock: Arc<AtomicI64>,
    nodes: Mutex<Vec<Arc<State>>>,
    dice: Mutex<Dice>,
    /// In so many of a hundred requests something goes wrong.
    faults: Mutex<usize>,
    parted: Mutex<BTreeSet<(usize, usize)>>,
    echoes: Mutex<Vec<Echo>>,
    met: Mutex<BTreeMap<Fault, u64>>,
    relay: Option<Relay>,
    /// A node whose answers never come to their end.
    slow: Mutex<Option<usize>>,
    log: Mutex<Vec<String>>,
}

impl Net {
    pub(crate) fn new(dice: Dice, clock: Arc<AtomicI64>, nodes: Vec<Arc<State>>, relay: Option<Relay>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            nodes: Mutex::new(nodes),
            dice: Mutex::new(dice),
            faults: Mutex::default(),
            parted: Mutex::default(),
            echoes: Mutex::default(),
            met: Mutex::default(),
            relay,
            slow: Mutex::default(),
            log: Mutex::default(),
        })
    }

    /// The node was opened anew.
    pub(crate) fn replace(&self, no: usize, state: Arc<State>) {
        self.nodes.lock().unwrap()[no] = state;
    }

    pub(crate) fn set_faults(&self, percent: usize) {
        *self.faults.lock().unwrap() = percent;
    }

    /// Two nodes do not reach each other from now on, or do again.
    pub(crate) fn part(&self, a: usize, b: usize) {
        let pair = (a.min(b), a.max(b));
        let mut parted = self.parted.lock().unwrap();
        if !parted.remove(&pair) {
            parted.insert(pair);
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.set_faults(0);
        self.parted.lock().unwrap().clear();
    }

    /// From now on the answers of this node, or of none, never come to their end.
    pub(crate) fn slow(&self, node: Option<usize>) {
        *self.slow.lock().unwrap() = node;
    }

    pub(crate) fn relay(&self) -> Option<&Relay> {
        self.relay.as_ref()
    }

    /// How often what went wrong.
    pub(crate) fn met(&self) -> BTreeMap<Fault, u64> {
        self.met.lock().unwrap().clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn say(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn fault(&self, from: usize, to: usize) -> Option<Fault> {
        if self.parted.lock().unwrap().contains(&(from.min(to), from.max(to))) {
            return Some(Fault::Parted);
        }
        if *self.slow.lock().unwrap() == Some(to) {
            return Some(Fault::Slow);
        }
        let mut dice = self.dice.lock().unwrap();
        let kinds = [Fault::Lost, Fault::Cut, Fault::Cut, Fault::Twice, Fault::Echo, Fault::Busy, Fault::Slow];
        dice.percent(*self.faults.lock().unwrap()).then(|| *dice.pick(&kinds))
    }

    /// Has a node answer.
    async fn deliver(&self, to: usize, request: Request<Bytes>) -> Response<Bytes> {
        let state = Arc::clone(&self.nodes.lock().unwrap()[to]);
        let (parts, body) = request.into_parts();
        let from = std::net::SocketAddr::from(([192, 0, 2, 1], 4_000));
        let (parts, body) = state.answer(Request::from_parts(parts, Body::from(body)), from).await.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    /// What was sent long ago arrives once more.
    pub(crate) async fn echo(&self) {
        let echo = {
            let mut echoes = self.echoes.lock().unwrap();
            let no = self.dice.lock().unwrap().below(echoes.len());
            if echoes.is_empty() { None } else { Some(echoes.swap_remove(no)) }
        };
        if let Some(echo) = echo {
            let _ = self.deliver(echo.to, echo.request).await;
        }
    }
}

/// One round's end of the wire.
pub(crate) struct Wire {
    pub(crate) net: Arc<Net>,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The asker's clock is off by so much.
    pub(crate) skew: i64,
    pub(crate) authorization: String,
    pub(crate) turn: Arc<Turn>,
}

impl Transport for Wire {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
        request.headers_mut().insert("host", host.parse().unwrap());
        request.headers_mut().insert(node::partners::mailbox::LINK, "1".parse().unwrap());
        request.headers_mut().insert("authorization", self.authorization.parse().unwrap());
        self.turn.wait().await;
        let fault = self.net.fault(self.from, self.to);
        if let Some(fault) = fault {
            *self.net.met.lock().unwrap().entry(fault).or_default() += 1;
        }
        let statements = request.uri().path().contains(node::partners::mailbox::ID) && request.method() == "POST";
        let brought = if statements { request.body().clone() } else { Bytes::new() };
        let brought = String::from_utf8_lossy(&brought);
        let asked = format!("{}>{} {} {} {brought}", self.from, self.to, request.method(), request.uri());
        let cut = || Err(Failure::new(Cause::Interrupted, "the line is cut"));
        match fault {
            Some(Fault::Lost | Fault::Parted) => {
                self.net.say(format!("{asked}: {fault:?}"));
                return cut();
            }
            Some(Fault::Busy) => {
                let answer = Response::builder().status(503).header("retry-after", "1");
                return Ok(answer.body(Bytes::new()).unwrap());
            }
            Some(Fault::Echo) => {
                let echo = Echo { to: self.to, request: request.clone() };
                self.net.echoes.lock().unwrap().push(echo);
            }
            Some(Fault::Twice) => {
                let _ = self.net.deliver(self.to, request.clone()).await;
            }
            _ => {}
        }
        let request = match self.net.relay() {
            Some(relay) if relay.node == self.from => relay.alters_request(self.to, request),
            _ => request,
        };
        let answer = self.net.deliver(self.to, request).await;
        let said = if answer.status().is_success() { Bytes::new() } else { answer.body().clone() };
        self.net.say(format!("{asked}: {} {fault:?} {}", answer.status(), String::from_utf8_lossy(&said)));
        self.turn.wait().await;
        match fault {
            Some(Fault::Cut) => return cut(),
            Some(Fault::Slow) => return Err(Failure::new(Cause::Slow, "the answer does not come to its end")),
            _ => {}
        }
        Ok(match self.net.relay() {
            Some(relay) if relay.node == self.to => relay.alters_answer(self.from, answer),
            _ => answer,
        })
    }

    async fn pause(&self, wait: Duration) {
        let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        self.net.clock.fetch_add(wait.min(600_000_000), Ordering::SeqCst);
        self.turn.wait().await;
    }

    fn now(&self) -> i64 {
        self.net.clock.load(Ordering::SeqCst) + self.skew
    }

    fn chance(&self) -> u64 {
        self.net.dice.lock().unwrap().roll()
    }
}
