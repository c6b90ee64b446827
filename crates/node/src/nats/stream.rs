//! A durable pull consumer of a JetStream stream: whoever names the same one shares the work.
//!
//! Every message is acknowledged by itself, when what was made of it is safe. What is not acknowledged comes again, to this
//! process or to another, with the same number in the stream: by it whoever takes it in folds what comes twice.

use super::{Address, Connection, Error, wire};
use bytes::Bytes;
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a message may be worked on before it is given to somebody else.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long a question for messages stands at the server.
const EXPIRES: Duration = Duration::from_secs(5);
/// Bytes that are asked for at once: no less than the largest message.
const BYTES: u64 = 8 << 20;
/// Messages of which all who share the work may have some that are not acknowledged.
const MOST_PENDING: u64 = 20_000;

/// A message of the stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its number in the stream.
    pub number: u64,
    /// How often it was given to somebody, this time counted.
    pub delivered: u64,
    /// What it says.
    pub payload: Bytes,
    /// Where it is acknowledged.
    reply: String,
}

/// A consumer on a connection.
#[derive(Debug)]
pub struct Consumer {
    connection: Connection,
    stream: String,
    name: String,
    /// The subject of the question that stands, and how many messages are still to come for it.
    asked: Option<(String, usize)>,
    held: VecDeque<Message>,
}

impl Consumer {
    /// Takes part in a stream's consumer, which is made if there is none.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Absent`]: there is no such stream.
    pub async fn join(mut connection: Connection, address: &Address) -> Result<Self, Error> {
        let (stream, name) = (&address.stream, &address.consumer);
        let held = connection.ask(&format!("$JS.API.CONSUMER.INFO.{stream}.{name}"), b"").await?;
        match refused(&held.payload) {
            None => {}
            // There is none yet: consumer 10014, stream 10059.
            Some(Refusal { code: 404, err_code: 10014, .. }) => {
                let wanted = serde_json::json!({
                    "stream_name": stream,
                    "config": {
                        "durable_name": name,
                        "ack_policy": "explicit",
                        "ack_wait": nanos(ACK_WAIT),
                        "deliver_policy": "all",
                        "replay_policy": "instant",
                        "max_deliver": -1,
                        "max_ack_pending": MOST_PENDING,
                        "filter_subject": address.subject.as_deref().unwrap_or_default(),
                    },
                });
                let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}");
                let made = connection.ask(&subject, wanted.to_string().as_bytes()).await?;
                // Somebody else may have made it at the same moment: then it is there.
                if let Some(why) = refused(&made.payload).filter(|why| !matches!(why.err_code, 10013 | 10105 | 10148)) {
                    return Err(why.error(stream));
                }
            }
            Some(why) => return Err(why.error(stream)),
        }
        let (stream, name) = (stream.clone(), name.clone());
        Ok(Self { connection, stream, name, asked: None, held: VecDeque::new() })
    }

    /// The next messages, at most so many; waits for the first, and no longer than `patience`. None: there are none now.
    ///
    /// # Errors
    /// [`Error`]: the connection is of no more use. What was given out and not acknowledged comes again.
    pub async fn next(&mut self, most: usize, patience: Duration) -> Result<Vec<Message>, Error> {
        let end = tokio::time::Instant::now() + patience;
        while self.held.is_empty() {
            if self.asked.is_none() {
                self.ask(most).await?;
            }
            // The question ends by itself; a server that does not even say that is gone.
            let silence = tokio::time::Instant::now() + EXPIRES + Duration::from_secs(10);
            match tokio::time::timeout_at(end.min(silence), self.connection.next()).await {
                Ok(message) => self.take(message?)?,
                Err(_) if end < silence => return Ok(Vec::new()),
                Err(_) => return Err(Error::Slow),
            }
        }
        // What lies there already goes along.
        while self.held.len() < most && self.asked.is_some() {
            match tokio::time::timeout(Duration::from_millis(1), self.connection.next()).await {
                Ok(message) => self.take(message?)?,
                Err(_) => break,
            }
        }
        Ok(self.held.drain(..self.held.len().min(most)).collect())
    }

    /// Asks for messages.
    async fn ask(&mut self, most: usize) -> Result<(), Error> {
        let bytes = BYTES.max(self.connection.max_payload().saturating_add(64 << 10));
        let wanted = serde_json::json!({"batch": most, "max_bytes": bytes, "expires": nanos(EXPIRES)});
        let reply = self.connection.new_inbox();
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.name);
        self.connection.publish(&subject, Some(&reply), wanted.to_string().as_bytes()).await?;
        self.asked = Some((reply, most));
        Ok(())
    }

    fn take(&mut self, message: wire::Incoming) -> Result<(), Error> {
        let ends = |asked: &Option<(String, usize)>| asked.as_ref().is_some_and(|(of, _)| *of == message.subject);
        match message.status() {
            // A heartbeat.
            Some(100) => {}
            // Nothing there, expired, batch or bytes are full: the question is answered.
            Some(404 | 408) => {
                if ends(&self.asked) {
                    self.asked = None;
                }
            }
            Some(409) => {
                let why = message.description();
                let full = ["exceeded maxrequest", "maxbytes", "batch completed", "server shutdown", "leadership"];
                if ends(&self.asked) {
                    self.asked = None;
                }
                let why_lower = why.to_ascii_lowercase();
                if !full.iter().any(|known| why_lower.contains(known)) {
                    return Err(Error::Refused(why));
                }
            }
            Some(503) => return Err(Error::Absent(format!("the consumer `{}` is gone", self.name))),
            Some(_) => return Err(Error::Refused(message.description())),
            None => {
                // A message comes under its own subject; only its answer's subject tells of it.
                let Some(reply) = message.reply else { return Ok(()) };
                let Some((delivered, number)) = places(&reply) else { return Ok(()) };
                self.held.push_back(Message { number, delivered, payload: message.payload, reply });
                // The last one ends the question without a word.
                self.asked = self.asked.take().and_then(|(of, left)| (left > 1).then(|| (of, left - 1)));
            }
        }
        Ok(())
    }

    /// Says that what was made of a message is safe.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn acknowledge(&mut self, message: &Message) -> Result<(), Error> {
        self.connection.publish(&message.reply, None, b"+ACK").await
    }

    /// Says that a message is still worked on, so that it is not given to somebody else.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn in_progress(&mut self, message: &Message) -> Result<(), Error> {
        self.connection.publish(&message.reply, None, b"+WPI").await
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How often a message was delivered and its number in the stream, from the subject at which it is acknowledged:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`, or with domain and account
/// behind `ACK` and a token at the end.
fn places(reply: &str) -> Option<(u64, u64)> {
    let rest = reply.strip_prefix("$JS.ACK.")?;
    let words: Vec<&str> = rest.split('.').collect();
    let skip = match words.len() {
        7 => 2,
        9.. => 4,
        _ => return None,
    };
    Some((words.get(skip)?.parse().ok()?, words.get(skip + 1)?.parse().ok()?))
}

/// What the API of JetStream says against it.
#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    err_code: u32,
    #[serde(default)]
    description: String,
}

impl Refusal {
    fn error(self, stream: &str) -> Error {
        let said = wire::shown(self.description.as_bytes());
        match self.err_code {
            10059 => Error::Absent(format!("there is no stream `{stream}` at the NATS server")),
            _ => Error::Refused(said),
        }
    }
}

fn refused(body: &[u8]) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Answer {
        error: Option<Refusal>,
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(answer) => answer.error,
        Err(_) => Some(Refusal { code: 0, err_code: 0, description: "an answer that is not JSON".to_owned() }),
    }
}

/// Why the API of JetStream refuses, in words.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    refused(body).map(|refusal| wire::shown(refusal.description.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_both_generations() {
        for (reply, wanted) in [
            ("$JS.ACK.LOGS.marsad.1.17.20.1700000000000000000.5", Some((1, 17))),
            ("$JS.ACK._.acc.LOGS.marsad.2.18.21.1700000000000000000.5", Some((2, 18))),
            ("$JS.ACK.hub.acc.LOGS.marsad.3.19.22.1700000000000000000.5.rnd", Some((3, 19))),
            ("$JS.ACK.LOGS.marsad.x.17.20.1.5", None),
            ("$JS.ACK.LOGS", None),
            ("_INBOX.1", None),
        ] {
            assert_eq!(places(reply), wanted, "{reply}");
        }
    }

    #[test]
    fn refusals() {
        let absent = br#"{"type":"x","error":{"code":404,"err_code":10059,"description":"stream not found"}}"#;
        let error = refused(absent).unwrap().error("LOGS");
        assert_eq!(error.to_string(), "there is no stream `LOGS` at the NATS server");
        assert!(error.is_final());
        assert!(refused(br#"{"stream":"LOGS","seq":1}"#).is_none());
        assert_eq!(refusal(b"<html>").unwrap(), "an answer that is not JSON");
    }
}
