//! NATS, as much of it as a node needs: publish, ask, and take messages of a JetStream stream as one of a group.
//!
//! The client is our own because of the one way out: addresses are judged and pinned by [`Egress`], the other servers that a
//! server names are not called, and what is read is bounded before memory is given to it. The protocol is text, and small.

mod address;
mod credentials;
mod stream;
mod wire;

pub use address::{Address, Server};
pub use credentials::Credentials;
pub use stream::{Consumer, Message};
pub use wire::Incoming;

use crate::egress::{self, Egress};
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use taxii::client::Failure;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wire::Said;

/// How long the first words and an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are read at once.
const READ: usize = 64 << 10;
/// Bytes of messages that are kept while an answer is waited for: more than is ever asked for.
const MOST_WAITING: usize = 128 << 20;

/// Why NATS cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server cannot be reached, or may not be.
    #[error("{0}")]
    Unreached(#[from] Failure),
    /// The connection broke.
    #[error("the connection to the NATS server broke: {0}")]
    Broken(#[from] std::io::Error),
    /// The server does not keep to the protocol, or beyond our bounds.
    #[error("the NATS server says what is not understood: {0}")]
    Protocol(&'static str),
    /// The server refused.
    #[error("the NATS server refuses: {0}")]
    Refused(String),
    /// Nobody answers.
    #[error("the NATS server does not answer in time")]
    Slow,
    /// What is asked for is not there.
    #[error("{0}")]
    Absent(String),
    /// The file of credentials cannot be used.
    #[error("the NATS credentials {path}: {why}")]
    Credentials {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// Whether it is of no use to try again before somebody has changed something.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unreached(failure) => matches!(failure.cause, taxii::client::Cause::Forbidden),
            Self::Absent(_) | Self::Credentials { .. } => true,
            Self::Broken(_) | Self::Protocol(_) | Self::Refused(_) | Self::Slow => false,
        }
    }
}

/// What a server says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    max_payload: u64,
    tls_required: bool,
    tls_available: bool,
    nonce: Option<String>,
    headers: bool,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection to one server.
pub struct Connection {
    io: Box<dyn Io>,
    read: BytesMut,
    info: Info,
    /// Begins the subjects at which answers are waited for.
    inbox: String,
    asked: u64,
    /// Messages that came while an answer was waited for.
    waiting: VecDeque<Incoming>,
    /// Bytes that they take.
    held: usize,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to the first server that answers, and signs in.
    ///
    /// # Errors
    /// [`Error`]: of the last one.
    pub async fn open(egress: &Egress, servers: &[Server], signed: Option<&Credentials>) -> Result<Self, Error> {
        let mut last = Error::Absent("no NATS server is named".to_owned());
        for server in servers {
            match tokio::time::timeout(PATIENCE * 2, Self::to(egress, server, signed)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::Slow,
            }
        }
        Err(last)
    }

    async fn to(egress: &Egress, server: &Server, signed: Option<&Credentials>) -> Result<Self, Error> {
        let stream = egress.tcp(&server.host, server.port).await?;
        // Many small writes, each of which is waited for at the other end.
        let _ = stream.set_nodelay(true);
        let here = egress::is_here(&stream);
        let mut read = BytesMut::new();
        let mut plain = stream;
        let info = loop {
            if let Some(Said::Info(info)) = wire::next(&mut read)? {
                break serde_json::from_slice::<Info>(&info).map_err(|_| Error::Protocol("no INFO at first"))?;
            }
            if plain.read_buf(&mut read).await? == 0 {
                return Err(Error::Protocol("no INFO at first"));
            }
        };
        let tls = server.tls || info.tls_required || (info.tls_available && !here);
        if !tls && !here {
            let what = "it speaks no TLS, and is not on this machine".to_owned();
            return Err(Error::Unreached(Failure::new(taxii::client::Cause::Forbidden, what)));
        }
        if tls && !read.is_empty() {
            // What was slipped in before the handshake would count as said by whoever proves to be the server.
            return Err(Error::Protocol("it says more before TLS begins"));
        }
        let io: Box<dyn Io> =
            if tls { Box::new(egress.secure(plain, &server.host, None).await?) } else { Box::new(plain) };
        let random = crate::chance::bytes::<12>().map_err(|_| Error::Protocol("the system gives no random bytes"))?;
        let inbox: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut connection =
            Self { io, read, info, inbox: format!("_INBOX.{inbox}."), asked: 0, waiting: VecDeque::new(), held: 0 };
        connection.sign_in(signed, tls).await?;
        Ok(connection)
    }

    async fn sign_in(&mut self, signed: Option<&Credentials>, tls: bool) -> Result<(), Error> {
        let mut words = serde_json::json!({
            "verbose": false,
            "pedantic": false,
            "tls_required": tls,
            "name": "marsad",
            "lang": "rust",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": 1,
            "echo": false,
            "headers": self.info.headers,
            "no_responders": self.info.headers,
        });
        if let (Some(signed), Some(words)) = (signed, words.as_object_mut()) {
            signed.say(self.info.nonce.as_deref(), words)?;
        }
        let text = zeroize::Zeroizing::new(format!("CONNECT {words}\r\nSUB {}* 1\r\nPING\r\n", self.inbox));
        self.write(text.as_bytes()).await?;
        let signed_in = async {
            loop {
                match self.said().await? {
                    Said::Pong => return Ok(()),
                    Said::Error(why) => return Err(Error::Refused(why)),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, signed_in).await.map_err(|_| Error::Slow)?
    }

    /// The longest message that the server takes, in bytes.
    #[must_use]
    pub fn max_payload(&self) -> u64 {
        self.info.max_payload
    }

    /// Publishes without waiting for anything.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn publish(&mut self, subject: &str, reply: Option<&str>, body: &[u8]) -> Result<(), Error> {
        if !address::is_subject(subject) {
            return Err(Error::Absent(format!("`{subject}` is no subject")));
        }
        let mut text = match reply {
            Some(reply) => format!("PUB {subject} {reply} {}\r\n", body.len()),
            None => format!("PUB {subject} {}\r\n", body.len()),
        }
        .into_bytes();
        text.extend_from_slice(body);
        text.extend_from_slice(b"\r\n");
        self.write(&text).await
    }

    /// Publishes to a stream, and waits until it has kept the message. `id`: by it the stream knows a message again that
    /// comes twice.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn publish_to_stream(&mut self, subject: &str, id: &str, body: &[u8]) -> Result<(), Error> {
        if !address::is_subject(subject) || id.contains(['\r', '\n']) {
            return Err(Error::Absent(format!("`{subject}` is no subject")));
        }
        let reply = self.new_inbox();
        let head = format!("NATS/1.0\r\nNats-Msg-Id: {id}\r\n\r\n");
        let mut text =
            format!("HPUB {subject} {reply} {} {}\r\n{head}", head.len(), head.len() + body.len()).into_bytes();
        text.extend_from_slice(body);
        text.extend_from_slice(b"\r\n");
        self.write(&text).await?;
        let answer = self.answer(&reply).await?;
        stream::refusal(&answer.payload).map_or(Ok(()), |why| Err(Error::Refused(why)))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ask(&mut self, subject: &str, body: &[u8]) -> Result<Incoming, Error> {
        let reply = self.new_inbox();
        self.publish(subject, Some(&reply), body).await?;
        self.answer(&reply).await
    }

    async fn answer(&mut self, reply: &str) -> Result<Incoming, Error> {
        let answer = async {
            loop {
                let message = self.received().await?;
                if message.subject == reply {
                    return Ok::<_, Error>(message);
                }
                self.keep(message)?;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Error::Slow)??;
        match answer.status() {
            Some(503) => Err(Error::Absent("nobody answers at the NATS server: is JetStream on?".to_owned())),
            _ => Ok(answer),
        }
    }

    /// Keeps a message for [`Self::next`], by itself: it shall not hold all that was read with it.
    fn keep(&mut self, mut message: Incoming) -> Result<(), Error> {
        self.held += message.bytes();
        if self.held > MOST_WAITING {
            return Err(Error::Protocol("more messages than were asked for"));
        }
        message.head = Bytes::copy_from_slice(&message.head);
        message.payload = Bytes::copy_from_slice(&message.payload);
        self.waiting.push_back(message);
        Ok(())
    }

    /// A subject at which one answer, or what answers one question, comes.
    fn new_inbox(&mut self) -> String {
        self.asked += 1;
        format!("{}{}", self.inbox, self.asked)
    }

    /// The next message; waits for it. Nothing is lost if this is let go while it waits.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn next(&mut self) -> Result<Incoming, Error> {
        match self.waiting.pop_front() {
            Some(message) => {
                self.held -= message.bytes();
                Ok(message)
            }
            None => self.received().await,
        }
    }

    async fn received(&mut self) -> Result<Incoming, Error> {
        loop {
            match self.said().await? {
                Said::Message(message) => return Ok(message),
                Said::Error(why) => return Err(Error::Refused(why)),
                Said::Info(_) | Said::Pong | Said::Ok | Said::Ping => {}
            }
        }
    }

    /// What the server says next. Its question whether we are there is answered.
    async fn said(&mut self) -> Result<Said, Error> {
        loop {
            match wire::next(&mut self.read)? {
                Some(Said::Ping) => self.write(b"PONG\r\n").await?,
                Some(said) => return Ok(said),
                None => {
                    self.read.reserve(READ);
                    if self.io.read_buf(&mut self.read).await? == 0 {
                        return Err(Error::Broken(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        Ok(tokio::time::timeout(PATIENCE, written).await.map_err(|_| Error::Slow)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection to whatever the test says into the other end.
    fn connection() -> (Connection, tokio::io::DuplexStream) {
        let (here, there) = tokio::io::duplex(1 << 20);
        let (info, inbox) = (Info::default(), "_INBOX.x.".to_owned());
        let (read, waiting) = (BytesMut::new(), VecDeque::new());
        (Connection { io: Box::new(here), read, info, inbox, asked: 0, waiting, held: 0 }, there)
    }

    #[tokio::test]
    async fn what_comes_before_an_answer_is_kept_in_order() {
        let (mut connection, mut server) = connection();
        server.write_all(b"MSG a 1 1\r\n1\r\nPING\r\nMSG b 1 r 1\r\n2\r\nMSG _INBOX.x.1 1 2\r\nok\r\n").await.unwrap();
        assert_eq!(connection.ask("question", b"").await.unwrap().payload, "ok");
        assert!(connection.held > 0);
        for wanted in ["1", "2"] {
            assert_eq!(connection.next().await.unwrap().payload, wanted);
        }
        assert_eq!(connection.held, 0);
    }

    #[tokio::test]
    async fn a_server_that_floods_while_an_answer_is_waited_for_is_left() {
        let (mut connection, mut server) = connection();
        let flood = tokio::spawn(async move {
            let message = [&b"MSG a 1 1000000\r\n"[..], &vec![b'x'; 1_000_000], b"\r\n"].concat();
            let mut sent = 0_usize;
            while server.write_all(&message).await.is_ok() {
                sent += message.len();
            }
            sent
        });
        let error = connection.ask("question", b"").await.unwrap_err();
        assert!(matches!(error, Error::Protocol("more messages than were asked for")), "{error}");
        drop(connection);
        let sent = flood.await.unwrap();
        assert!((MOST_WAITING / 2..MOST_WAITING + (8 << 20)).contains(&sent), "{sent}");
    }
}
