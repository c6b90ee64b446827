//! A notice as a syslog message (RFC 5424): over UDP one a datagram (RFC 5426), over TCP (RFC 6587 §3.4.1) and TLS (RFC 5425)
//! framed by its length in octets.
//!
//! The protocol has no acknowledgements. Over TCP and TLS a message counts as taken when the other end has closed the
//! connection in good order behind us, or kept it open for a moment; over UDP when it was sent.

use super::{Notice, cef};
use crate::alerts::words::plain;
use crate::audit::{ELEMENT, Message, Origin};
use crate::egress::Egress;
use ledger::Micros;
use std::path::Path;
use std::time::Duration;
use taxii::client::{Cause, Failure};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// `security/authorization messages` (RFC 5424 §6.2.1, table 1).
const FACILITY: u8 = 4;
/// Warning (table 2).
const SEVERITY: u8 = 4;
/// Receivers should take messages of this size (RFC 5425 §4.3.1).
const MOST: usize = 8_192;
/// Over UDP what fits a datagram on every way (RFC 5426 §3.2).
const MOST_UDP: usize = 2_048;
/// How long a whole delivery may take, once connected.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it is listened whether the other end breaks off.
const SETTLE: Duration = Duration::from_millis(500);

/// By which protocol a server is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Over {
    /// Datagrams.
    Udp,
    /// A connection that can be read on its way.
    Tcp,
    /// A connection whose other end has shown who it is.
    Tls,
}

/// What the text of a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Text {
    /// A sentence; what machines want is in the structured data.
    Plain,
    /// The Common Event Format.
    Cef,
}

/// A syslog server: `udp://`, `tcp://` or `tls://`, a host, and a port where it is not the usual one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// By which protocol.
    pub over: Over,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it must be udp://, tcp:// or tls:// and a host, such as tls://siem.example.org:6514".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (over, port) = match scheme {
            "udp" => (Over::Udp, 514),
            "tcp" => (Over::Tcp, 601),
            "tls" => (Over::Tls, 6_514),
            _ => return Err(wrong()),
        };
        let (host, port) = super::server(rest, port).ok_or_else(wrong)?;
        Ok(Self { over, host, port })
    }
}

/// The message, without a frame.
#[must_use]
pub fn message(notice: &Notice, text: Text, origin: &Origin, most: usize, now: Micros) -> Vec<u8> {
    let (kind, value) = notice.value();
    let values = vec![
        ("notice", notice.id()),
        ("alert", notice.alert.clone()),
        ("indicator", notice.indicator.clone()),
        ("type", kind.to_owned()),
        ("value", plain(value, 300)),
        ("entity", plain(&notice.entity, 100)),
        ("count", notice.count.to_string()),
        ("state", notice.state.to_owned()),
    ];
    let said = match text {
        Text::Cef => cef::line(notice),
        Text::Plain => {
            let name = notice.name.as_deref().unwrap_or(&notice.indicator);
            format!("{} met {} times: {}", plain(name, 200), notice.count, plain(value, 300))
        }
    };
    let message = Message {
        facility: FACILITY,
        severity: SEVERITY,
        time: &stix::timestamp::format_micros(now),
        host: &origin.host,
        app: "marsad",
        process: &origin.process.to_string(),
        id: "indicator-hit",
        data: &[(ELEMENT, values)],
        text: Some(&said),
    };
    message.encode(most)
}

/// Tells a server.
///
/// # Errors
/// [`Failure`]: it was not reached, or broke off.
pub async fn send(
    egress: &Egress,
    target: &Target,
    authorities: Option<&Path>,
    notice: &Notice,
    (text, origin, now): (Text, &Origin, Micros),
) -> Result<(), Failure> {
    let most = if target.over == Over::Udp { MOST_UDP } else { MOST };
    let message = message(notice, text, origin, most, now);
    let framed = || [format!("{} ", message.len()).as_bytes(), &message].concat();
    match target.over {
        Over::Udp => {
            let socket = egress.udp(&target.host, target.port).await?;
            socket.send(&message).await.map(drop).map_err(broke)
        }
        Over::Tcp => hand_over(egress.tcp(&target.host, target.port).await?, &framed()).await,
        Over::Tls => hand_over(egress.tls(&target.host, target.port, authorities).await?, &framed()).await,
    }
}

async fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> Result<(), Failure> {
    let work = async {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        stream.shutdown().await?;
        let mut nothing = [0; 256];
        // Servers say nothing; what comes is the end, or nothing for a while.
        match tokio::time::timeout(SETTLE, stream.read(&mut nothing)).await {
            Ok(Err(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(()),
        }
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(broke),
        Err(_) => Err(Failure::new(Cause::Slow, "the syslog server does not take the message in time")),
    }
}

fn broke(error: std::io::Error) -> Failure {
    Failure::new(Cause::Interrupted, format!("the connection to the syslog server broke: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::notice;
    use super::*;

    #[test]
    fn servers() {
        let target = |over, host: &str, port| Ok(Target { over, host: host.into(), port });
        for (text, wanted) in [
            ("udp://siem.example", target(Over::Udp, "siem.example", 514)),
            ("tcp://SIEM.example:5140", target(Over::Tcp, "siem.example", 5_140)),
            ("tls://[::1]:6000", target(Over::Tls, "::1", 6_000)),
            ("tls://[2001:db8::1]", target(Over::Tls, "2001:db8::1", 6_514)),
            ("tls://siem.example/", target(Over::Tls, "siem.example", 6_514)),
            ("siem.example:514", Err(())),
            ("http://siem.example", Err(())),
            ("udp://", Err(())),
            ("udp://a@b", Err(())),
            ("udp://host:0", Err(())),
            ("udp://host:x", Err(())),
        ] {
            assert_eq!(text.parse::<Target>().map_err(drop), wanted, "{text}");
        }
    }

    #[test]
    fn messages() {
        let origin = Origin { host: "node".into(), process: 42 };
        let now = 1_764_000_000_000_001;
        let head = "<36>1 2025-11-24T16:00:00.000001Z node marsad 42 indicator-hit [marsad@32473 notice=\"5e57c739-391a-4eb3-b6be-7d15ca92d5ed.1\" ";
        let text = String::from_utf8(message(&notice(), Text::Plain, &origin, MOST, now)).unwrap();
        assert!(text.starts_with(head) && text.ends_with("\u{feff}Beacon met 1 times: bad.example"), "{text}");
        let text = String::from_utf8(message(&notice(), Text::Cef, &origin, MOST, now)).unwrap();
        assert!(text.contains("] \u{feff}CEF:0|Marsad|"), "{text}");
        for (name, entity, escaped) in [
            (r#"a"b\c]d"#, r#"e"f\g]h"#, r#"entity="e\"f\\g\]h""#),
            ("a\nb\r\n<13>1 forged", "x\ny", "entity=\"x y\""),
            ("\u{202e}", "\u{0}", "entity=\"\u{fffd}\""),
        ] {
            let notice = Notice { name: Some(name.into()), entity: entity.into(), ..notice() };
            for kind in [Text::Plain, Text::Cef] {
                let text = String::from_utf8(message(&notice, kind, &origin, MOST, now)).unwrap();
                assert!(text.contains(escaped), "{text}");
                assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
        let long = Notice { name: Some("ض".repeat(9_000)), entity: "e".repeat(9_000), ..notice() };
        assert!(message(&long, Text::Cef, &origin, MOST_UDP, now).len() <= MOST_UDP);
    }
}
