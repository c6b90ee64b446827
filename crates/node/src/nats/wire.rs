//! What a NATS server says (the client protocol, version 1), out of bytes as they come, each part within a bound.

use super::Error;
use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line: an INFO names every server of a cluster.
const MOST_LINE: usize = 256 << 10;
/// The largest message; a server's own bound is at most that (`max_payload`).
const MOST_PAYLOAD: usize = 64 << 20;

/// A message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Incoming {
    /// Where it was published.
    pub subject: String,
    /// Where an answer goes.
    pub reply: Option<String>,
    /// Its head, with the first line; empty where it has none.
    pub head: Bytes,
    /// What it says.
    pub payload: Bytes,
}

impl Incoming {
    /// The number in its head's first line: the server says something of its own.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let line = self.head.split(|byte| *byte == b'\r').next()?;
        let rest = line.strip_prefix(b"NATS/1.0")?.trim_ascii_start();
        std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let reply = self.reply.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.subject.len() + reply + self.head.len() + self.payload.len()
    }

    /// What the server says beside the number.
    #[must_use]
    pub fn description(&self) -> String {
        let line = self.head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let text = line.strip_prefix(b"NATS/1.0").unwrap_or_default().trim_ascii_start();
        shown(text.get(3..).unwrap_or_default().trim_ascii())
    }
}

/// One thing that a server says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// What it is, as JSON.
    Info(Bytes),
    Message(Incoming),
    Ping,
    Pong,
    Ok,
    Error(String),
}

/// Takes the next thing out of what was read; `None`: it is not whole yet, and nothing was taken.
///
/// # Errors
/// [`Error::Protocol`].
pub(super) fn next(read: &mut BytesMut) -> Result<Option<Said>, Error> {
    let Some(end) = memchr::memchr(b'\n', read) else {
        let fits = read.len() <= MOST_LINE;
        return if fits { Ok(None) } else { Err(Error::Protocol("a line without an end")) };
    };
    if end > MOST_LINE {
        return Err(Error::Protocol("a line that is too long"));
    }
    let line = read.get(..end).unwrap_or_default().trim_ascii_end();
    let (word, rest) = match line.iter().position(u8::is_ascii_whitespace) {
        Some(place) => line.split_at(place),
        None => (line, &[][..]),
    };
    let rest = rest.trim_ascii();
    let said = match word.to_ascii_uppercase().as_slice() {
        b"MSG" => return message(read, end, false),
        b"HMSG" => return message(read, end, true),
        b"PING" => Said::Ping,
        b"PONG" => Said::Pong,
        b"+OK" => Said::Ok,
        b"-ERR" => {
            Said::Error(shown(rest.trim_ascii().strip_prefix(b"'").unwrap_or(rest).strip_suffix(b"'").unwrap_or(rest)))
        }
        b"INFO" => Said::Info(Bytes::copy_from_slice(rest)),
        _ => return Err(Error::Protocol("an unknown word")),
    };
    read.advance(end + 1);
    Ok(Some(said))
}

/// `MSG subject sid [reply] bytes` or `HMSG subject sid [reply] bytes-of-head bytes`, and behind it so many bytes.
fn message(read: &mut BytesMut, end: usize, has_head: bool) -> Result<Option<Said>, Error> {
    const WRONG: Error = Error::Protocol("a message whose line is wrong");
    let line = read.get(..end).unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| WRONG)?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |text: &str| text.parse::<usize>().ok().filter(|length| *length <= MOST_PAYLOAD).ok_or(WRONG);
    let (subject, reply, head, all) = match (words.as_slice(), has_head) {
        ([_, subject, _, length], false) => (subject, None, 0, number(length)?),
        ([_, subject, _, reply, length], false) => (subject, Some(reply), 0, number(length)?),
        ([_, subject, _, head, all], true) => (subject, None, number(head)?, number(all)?),
        ([_, subject, _, reply, head, all], true) => (subject, Some(reply), number(head)?, number(all)?),
        _ => return Err(WRONG),
    };
    if head > all {
        return Err(WRONG);
    }
    let (subject, reply) = ((*subject).to_owned(), reply.map(|reply| (*reply).to_owned()));
    let whole = end + 1 + all + 2;
    if read.len() < whole {
        read.reserve(whole - read.len());
        return Ok(None);
    }
    read.advance(end + 1);
    let mut payload = read.split_to(all).freeze();
    if read.get(..2) != Some(b"\r\n") {
        return Err(Error::Protocol("a message that is longer than it says"));
    }
    read.advance(2);
    let head = payload.split_to(head);
    Ok(Some(Said::Message(Incoming { subject, reply, head, payload })))
}

/// A stranger's words in a message for people.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn incoming(subject: &str, reply: Option<&str>, head: &str, payload: &str) -> Said {
        Said::Message(Incoming {
            subject: subject.into(),
            reply: reply.map(str::to_owned),
            head: Bytes::copy_from_slice(head.as_bytes()),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
        })
    }

    const HEAD: &str = "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 5\r\n\r\n";

    fn all() -> Vec<(String, Said)> {
        vec![
            ("INFO {\"a\":1}\r\n".into(), Said::Info(Bytes::from_static(b"{\"a\":1}"))),
            ("MSG a.b 1 5\r\nhello\r\n".into(), incoming("a.b", None, "", "hello")),
            ("MSG a.b 1 _INBOX.1 0\r\n\r\n".into(), incoming("a.b", Some("_INBOX.1"), "", "")),
            ("MSG a 1 7\r\na\r\nPING\r\n".into(), incoming("a", None, "", "a\r\nPING")),
            (format!("HMSG a 1 {} {}\r\n{HEAD}xy\r\n", HEAD.len(), HEAD.len() + 2), incoming("a", None, HEAD, "xy")),
            (format!("HMSG a 1 r {0} {0}\r\n{HEAD}\r\n", HEAD.len()), incoming("a", Some("r"), HEAD, "")),
            ("PING\r\n".into(), Said::Ping),
            ("pong\r\n".into(), Said::Pong),
            ("+OK\r\n".into(), Said::Ok),
            ("-ERR 'Authorization Violation'\r\n".into(), Said::Error("Authorization Violation".into())),
        ]
    }

    #[test]
    fn what_a_server_says_is_read_however_it_is_cut() {
        let text: String = all().into_iter().map(|(text, _)| text).collect();
        let wanted: Vec<Said> = all().into_iter().map(|(_, said)| said).collect();
        for size in [1, 2, 3, 7, 64, text.len()] {
            let (mut read, mut got) = (BytesMut::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                read.extend_from_slice(piece);
                while let Some(said) = next(&mut read).unwrap() {
                    got.push(said);
                }
            }
            assert_eq!(got, wanted, "in pieces of {size}");
            assert!(read.is_empty());
        }
        let Said::Message(message) = incoming("a", None, HEAD, "") else { unreachable!() };
        assert_eq!((message.status(), message.description().as_str()), (Some(408), "Request Timeout"));
        let Said::Message(message) = incoming("a", None, "NATS/1.0\r\nA: b\r\n\r\n", "") else { unreachable!() };
        assert_eq!(message.status(), None);
    }

    #[test]
    fn what_is_wrong_or_too_large_is_refused() {
        for text in [
            "HELLO\r\n",
            "MSG a 1\r\n",
            "MSG a 1 -1\r\n",
            "MSG a 1 99999999999\r\n",
            "MSG a 1 67108865\r\n",
            "MSG a 1 r x 5\r\n",
            "HMSG a 1 6 5\r\n",
            "HMSG a 1 5\r\n",
            "MSG a 1 2\r\nabc\r\n",
            "MSG \u{e9} 1 2 3 4 5\r\n",
        ] {
            assert!(next(&mut BytesMut::from(text)).is_err(), "{text:?}");
        }
        let long = vec![b'x'; MOST_LINE + 1];
        assert!(next(&mut BytesMut::from(&long[..])).is_err());
        // Memory is given for what a message says that it has, and only within the bound.
        assert_eq!(next(&mut BytesMut::from("MSG a 1 67108864\r\n")).unwrap(), None);
    }

    proptest! {
        #[test]
        fn anything_else_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut read = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = next(&mut read) {}
        }
    }
}
