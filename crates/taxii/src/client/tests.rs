//! A server that is not one: it plays good, inclusive, looping, lying, slow, truncating and hostile ones.

mod finding;
mod reading;
mod writing;

use super::*;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// 2026-11-23T12:00:00Z.
pub(super) const NOW: i64 = 1_795_435_200_000_000;

type Play = Box<dyn FnMut(&Request<Bytes>) -> Result<Response<Bytes>, Failure> + Send>;

pub(super) struct Fake {
    play: Mutex<Play>,
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) waits: Mutex<Vec<Duration>>,
}

impl Transport for Fake {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        assert_eq!(request.headers()[ACCEPT], media::TAXII);
        let asked = &mut *self.asked.lock().unwrap();
        asked.push(format!("{} {}", request.method(), request.uri().path_and_query().unwrap()));
        assert!(asked.len() < 500, "it does not end");
        (self.play.lock().unwrap())(&request)
    }

    async fn pause(&self, wait: Duration) {
        self.waits.lock().unwrap().push(wait);
    }

    fn now(&self) -> i64 {
        NOW
    }

    fn chance(&self) -> u64 {
        0
    }
}

pub(super) fn client(
    play: impl FnMut(&Request<Bytes>) -> Result<Response<Bytes>, Failure> + Send + 'static,
) -> Client<Fake> {
    let fake = Fake { play: Mutex::new(Box::new(play)), asked: Mutex::default(), waits: Mutex::default() };
    Client::new(fake, Limits { page_size: 2, max_page_size: 32, max_answer_bytes: 10_000, ..Limits::default() })
}

/// The fake never waits, so its futures are ready at once.
pub(super) fn now<O>(future: impl Future<Output = O>) -> O {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the fake waits"),
    }
}

pub(super) fn answer(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).header(CONTENT_TYPE, media::TAXII).body(body.into()).unwrap()
}

pub(super) fn dated(body: &str, last: &str) -> Response<Bytes> {
    let mut answer = answer(200, body.to_owned());
    answer.headers_mut().insert("x-taxii-date-added-last", last.parse().unwrap());
    answer
}

/// The value of a parameter of a request.
pub(super) fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = crate::query::parse(request.uri().query().unwrap_or(""), crate::query::Endpoint::Objects).unwrap();
    match name {
        "next" => query.next,
        "limit" => query.limit.map(|limit| limit.to_string()),
        "added_after" => query.added_after.map(|after| after.to_string()),
        _ => unreachable!(),
    }
}

pub(super) fn address(text: &str) -> Address {
    text.parse().unwrap()
}
