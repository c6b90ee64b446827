//! Servers of another make: what was tried, and what they answered.

use crate::world::{GREEN, id, nodes, tool};
use bytes::Bytes;
use http::{Request, Response};
use ledger::partners::Link;
use ledger::{Partner, PartnerKind, Partners as _};
use node::narrow::Narrowing;
use node::partners::link::{Definition, Direction};
use node::partners::recalls::{Pumped, pump_foreign};
use std::sync::Mutex;
use std::time::Duration;
use taxii::client::{Cause, Client, Failure, Found, Limits, Transport};

/// A server that answers everything with one status, or not at all.
struct Server {
    status: Option<u16>,
    asked: Mutex<Vec<String>>,
}

impl Transport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        self.asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        match self.status {
            Some(status) => {
                let body = r#"{"title":"It is so"}"#;
                Ok(Response::builder().status(status).body(Bytes::from(body)).unwrap())
            }
            None => Err(Failure::new(Cause::Forbidden, "no such host")),
        }
    }

    async fn pause(&self, _: Duration) {}

    fn now(&self) -> i64 {
        node::clock::now()
    }

    fn chance(&self) -> u64 {
        0
    }
}

fn found() -> Found {
    Found {
        api_root: "https://other.example/api/".parse().unwrap(),
        max_content_length: None,
        collection: serde_json::from_str(r#"{"id":"c","title":"C","can_read":true,"can_write":true}"#).unwrap(),
        objects: "https://other.example/api/collections/c/objects/".parse().unwrap(),
    }
}

#[tokio::test]
async fn what_a_foreign_server_answers_is_shown() {
    let address = format!("https://other.example/api/collections/c/objects/{}/", id(1));
    let said = |status: u16| format!("DELETE {address} answered {status} (“It is so”)");
    let one = |confirmed, cannot, waiting| Pumped { confirmed, cannot, waiting };
    let table = [
        (Some(200), one(1, 0, 0), "confirmed", format!("{}, which is their word", said(200))),
        (Some(204), one(1, 0, 0), "confirmed", format!("{}, which is their word", said(204))),
        (Some(403), one(0, 1, 0), "cannot", said(403)),
        (Some(404), one(0, 1, 0), "cannot", said(404)),
        (Some(405), one(0, 1, 0), "cannot", said(405)),
        (Some(401), one(0, 0, 1), "waiting", said(401)),
        (Some(500), one(0, 0, 1), "waiting", said(500)),
        (None, one(0, 0, 1), "waiting", format!("no answer from {address}: no such host")),
    ];
    for (status, wanted, state, answer) in table {
        let [alpha, ..] = nodes();
        pushed_to_quiet(&alpha);
        alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
        alpha.fetched_by("Quiet");
        alpha.erase(&id(1));
        assert_eq!(alpha.receivers(&id(1)), ["delete Quiet waiting +0/0/0"]);
        let client = Client::new(Server { status, asked: Mutex::default() }, Limits::default());
        let pumped = pump_foreign(&alpha.desk(), &client, &found(), "Quiet").await.unwrap();
        assert_eq!(pumped, wanted, "{status:?}");
        let receiver = alpha.status(&id(1)).remove(0).receivers.remove(0);
        assert_eq!((receiver.state, receiver.answer.as_str(), receiver.attempts), (state, answer.as_str(), 1));
        // What is settled is not asked again.
        let again = pump_foreign(&alpha.desk(), &client, &found(), "Quiet").await.unwrap();
        assert_eq!(again, if state == "waiting" { wanted } else { one(0, 0, 0) });
        let asked = client.transport().asked.lock().unwrap();
        assert!(asked.iter().all(|asked| *asked == format!("DELETE {address}")), "{asked:?}");
    }
}

fn pushed_to_quiet(alpha: &crate::world::Node) {
    let partner = Partner { organisation: "Quiet".into(), kind: PartnerKind::Foreign, terms: Vec::new(), added: 0 };
    alpha.book.add_partner(&partner).unwrap();
    let definition = Definition::new(Direction::Push, "https://other.example/taxii2/", "theirs", "ours").write();
    let link = Link { name: "quiet".into(), organisation: "Quiet".into(), definition, secret: None, paused: false };
    alpha.book.add_link(&link).unwrap();
}

#[tokio::test]
async fn what_taxii_has_no_word_for_is_said() {
    let [alpha, ..] = nodes();
    pushed_to_quiet(&alpha);
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 2, 1, GREEN, "")]);
    alpha.fetched_by("Quiet");
    let expires = Some(node::clock::now() + 3_600_000_000);
    let handling = policy::Handling { expires, ..policy::Handling::default() };
    alpha.restrict(&id(1), &Narrowing { handling, ..Narrowing::default() });
    alpha.import(&[tool("Alpha", 2, 2, GREEN, r#""revoked":true,"#)]);
    alpha.desk().revoked(&id(2), &alpha.by()).unwrap();
    let client = Client::new(Server { status: Some(200), asked: Mutex::default() }, Limits::default());
    pump_foreign(&alpha.desk(), &client, &found(), "Quiet").await.unwrap();
    let answers: Vec<String> = [1, 2].map(|n| alpha.status(&id(n)).remove(0).receivers.remove(0).answer).into();
    assert!(answers[0].contains("no word for narrowing"), "{answers:?}");
    assert!(answers[1].contains("pushed to it"), "{answers:?}");
    assert_eq!(alpha.receivers(&id(1)), ["narrow Quiet cannot +0/0/0"]);
    assert_eq!(client.transport().asked.lock().unwrap().len(), 0, "it keeps what it may have");
}
