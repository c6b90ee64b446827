//! How people write where a stream is.

use http::Uri;
use std::str::FromStr;

/// The port of NATS.
const PORT: u16 = 4222;

/// A server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS is a must; else it is used where the server has it, and a must beyond this machine.
    pub tls: bool,
}

/// A JetStream stream, and as whom it is read:
/// `nats://HOST[:PORT][,HOST[:PORT]…]/STREAM[?consumer=NAME][&subject=SUBJECT][&format=FORMAT]`; `tls://` for TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// Any of them serves.
    pub servers: Vec<Server>,
    /// The stream.
    pub stream: String,
    /// The durable consumer, which all who share the work name alike.
    pub consumer: String,
    /// Only messages of this subject; with `*` and `>` as NATS has them.
    pub subject: Option<String>,
    /// How the lines in a message are written.
    pub format: Option<String>,
}

impl Address {
    /// Whether a text begins like one.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with("nats://") || text.starts_with("tls://")
    }

    /// The address of the stream alone, as hits name it.
    #[must_use]
    pub fn name(&self) -> String {
        let server = self.servers.first();
        let host = server.map_or("", |server| server.host.as_str());
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        format!("nats://{host}:{}/{}", server.map_or(PORT, |server| server.port), self.stream)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write nats://HOST:PORT/STREAM?consumer=NAME&subject=SUBJECT";
        let wrong = |why: &str| format!("`{}` cannot be used: {why}; {FORM}", super::wire::shown(text.as_bytes()));
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it is no address"))?;
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return Err(wrong("it is neither nats:// nor tls://")),
        };
        let (servers, path) = rest.split_once('/').ok_or_else(|| wrong("it names no stream"))?;
        let servers =
            servers.split(',').map(|one| server(one, tls).ok_or_else(|| wrong("a server is no host and port")));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        let (stream, query) = path.split_once('?').unwrap_or((path, ""));
        if !is_name(stream) {
            return Err(wrong("it names no stream"));
        }
        let mut address =
            Self { servers, stream: stream.to_owned(), consumer: "marsad".to_owned(), subject: None, format: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("consumer", name)) if is_name(name) => address.consumer = name.to_owned(),
                Some(("subject", subject)) if is_subject(subject) => address.subject = Some(subject.to_owned()),
                Some(("format", format)) => address.format = Some(format.to_owned()),
                Some(("consumer", _)) => {
                    return Err(wrong("the consumer's name has more than letters, digits, - and _"));
                }
                Some(("subject", _)) => return Err(wrong("the subject is none")),
                _ => return Err(wrong("it may have consumer, subject and format behind the question mark")),
            }
        }
        Ok(address)
    }
}

fn server(text: &str, tls: bool) -> Option<Server> {
    // Credentials in an address would be logged and shown.
    let authority = text.parse::<Uri>().ok()?.into_parts().authority?;
    if text.contains('@') {
        return None;
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let behind = text.rsplit(']').next().unwrap_or_default();
    let port = match behind.split_once(':') {
        None => PORT,
        Some((_, port)) => port.parse().ok().filter(|port| *port > 0)?,
    };
    (!host.is_empty()).then(|| Server { host: host.to_ascii_lowercase(), port, tls })
}

/// A name of a stream or consumer, as we take it: it becomes part of a subject.
fn is_name(text: &str) -> bool {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(may)
}

/// A subject, with or without wildcards.
pub(super) fn is_subject(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    text.len() <= 512 && text.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let server = |host: &str, port, tls| Server { host: host.into(), port, tls };
        let address = |servers: Vec<Server>, consumer: &str, subject: Option<&str>, format: Option<&str>| {
            let (subject, format) = (subject.map(str::to_owned), format.map(str::to_owned));
            Ok(Address { servers, stream: "LOGS".into(), consumer: consumer.into(), subject, format })
        };
        for (text, wanted) in [
            ("nats://Log.Example/LOGS", address(vec![server("log.example", 4222, false)], "marsad", None, None)),
            (
                "tls://a.example:5222,[::1]:4223/LOGS?consumer=watch_1&subject=zeek.>&format=zeek",
                address(
                    vec![server("a.example", 5222, true), server("::1", 4223, true)],
                    "watch_1",
                    Some("zeek.>"),
                    Some("zeek"),
                ),
            ),
        ] {
            assert_eq!(text.parse::<Address>(), wanted, "{text}");
        }
        for text in [
            "nats://",
            "nats://a.example",
            "nats://a.example/",
            "nats:///LOGS",
            "http://a.example/LOGS",
            "nats://user:word@a.example/LOGS",
            "nats://a.example:0/LOGS",
            "nats://a.example:99999/LOGS",
            "nats://a.example/LO.GS",
            "nats://a.example/LOGS*",
            "nats://a.example/LOGS?consumer=a.b",
            "nats://a.example/LOGS?subject=a..b",
            "nats://a.example/LOGS?subject=a%20b\r\nPUB",
            "nats://a.example/LOGS?colour=red",
            "nats://a.example,/LOGS",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        let read: Address = "nats://[::1]/LOGS?consumer=x".parse().unwrap();
        assert_eq!(read.name(), "nats://[::1]:4222/LOGS");
    }
}
