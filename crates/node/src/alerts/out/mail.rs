//! A notice by e-mail (RFC 5321, RFC 5322): plain text in the language of its readers, over TLS alone.
//!
//! `lettre` writes the message and speaks SMTP; the connection under it, with TLS from the first byte or by STARTTLS
//! (RFC 3207), is made by the one way out. A stranger's text comes into the subject and the text only, made plain.

use super::Notice;
use crate::alerts::words::{Language, body, subject};
use crate::egress::{Egress, Stream};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use taxii::client::{Cause, Failure};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// How long a whole delivery may take, once connected.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of what a server says before TLS.
const MOST_SAID: usize = 16 << 10;

/// How TLS begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begins {
    /// With the connection (RFC 8314 §3.3).
    AtOnce,
    /// When the server was asked for it; without it nothing is sent.
    StartTls,
}

/// A mail server: `smtps://` or `smtp://`, a host, and a port where it is not the usual one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// How TLS begins.
    pub begins: Begins,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it must be smtps:// or smtp:// and a host, such as smtps://mail.example.org".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (begins, port) = match scheme {
            "smtps" => (Begins::AtOnce, 465),
            "smtp" => (Begins::StartTls, 587),
            _ => return Err(wrong()),
        };
        let (host, port) = super::server(rest, port).ok_or_else(wrong)?;
        Ok(Self { begins, host, port })
    }
}

/// Who writes to whom, and in which language.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Who writes.
    pub from: Mailbox,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// In which language.
    pub language: Language,
}

impl Letter {
    /// Reads addresses as the operator wrote them.
    ///
    /// # Errors
    /// Which of them is none.
    pub fn new(from: &str, to: &[String], language: Language) -> Result<Self, String> {
        let mailbox =
            |text: &str| text.parse::<Mailbox>().map_err(|error| format!("`{text}` is no mail address: {error}"));
        let to = to.iter().map(|text| mailbox(text)).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err("`alerts.mail-to` names nobody".to_owned());
        }
        Ok(Self { from: mailbox(from)?, to, language })
    }

    /// The message about a notice. Its Message-ID is the same each time that it is sent.
    ///
    /// # Errors
    /// Why there is none.
    pub fn message(&self, notice: &Notice, now: SystemTime) -> Result<Message, String> {
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject(notice, self.language))
            .date(now)
            .message_id(Some(format!("<{}@{domain}>", notice.id())))
            // Mail programs show the notices of one alert together.
            .references(format!("<{}@{domain}>", notice.alert));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        // Nobody's holiday answers (RFC 3834 §5).
        let fixed = [
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("Content-Language", self.language.tag().to_owned()),
            ("Marsad-Notice", notice.id()),
        ];
        for (name, value) in fixed {
            let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|error| error.to_string())?;
            builder = builder.raw_header(HeaderValue::new(name, value));
        }
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::Base64)
            .body(body(notice, self.language));
        builder.singlepart(text).map_err(|error| error.to_string())
    }
}

/// Hands a message to a server.
///
/// # Errors
/// [`Failure`]: it was not reached, or did not take it.
pub async fn send(
    egress: &Egress,
    target: &Target,
    authorities: Option<&Path>,
    signed: Option<&(String, Zeroizing<String>)>,
    message: &Message,
) -> Result<(), Failure> {
    let work = async {
        let stream = match target.begins {
            Begins::AtOnce => Greeted::new(egress.tls(&target.host, target.port, authorities).await?, b""),
            Begins::StartTls => {
                let plain = egress.tcp(&target.host, target.port).await?;
                let plain = ask_for_tls(plain).await?;
                // After TLS begins the server does not greet again, and whoever speaks SMTP here waits for that.
                Greeted::new(egress.secure(plain, &target.host, authorities).await?, b"220 TLS\r\n")
            }
        };
        let hello = ClientId::Domain("marsad.invalid".to_owned());
        let mut connection =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(refused)?;
        if let Some((name, password)) = signed {
            let credentials = Credentials::new(name.clone(), password.to_string());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(refused)?;
        }
        connection.send(message.envelope(), &message.formatted()).await.map_err(refused)?;
        // The message was taken: how the farewell goes is all one.
        let _ = connection.quit().await;
        Ok(())
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(Cause::Slow, "the mail server does not take the message in time")),
    }
}

fn refused(error: lettre::transport::smtp::Error) -> Failure {
    let mut text = format!("the mail server: {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Failure::new(Cause::Interrupted, text.chars().filter(|c| !c.is_control()).take(300).collect::<String>())
}

/// Greets a server and asks it for TLS (RFC 3207 §4).
async fn ask_for_tls(mut stream: TcpStream) -> Result<TcpStream, Failure> {
    let failed = |what: &str| Failure::new(Cause::Interrupted, format!("the mail server {what}"));
    let none = || failed("gives no TLS: nothing is sent to it in the clear");
    let broke = |_| failed("broke off before TLS began");
    let mut said = Said::default();
    said.answer(&mut stream, "220").await?.then_some(()).ok_or_else(|| failed("does not greet"))?;
    stream.write_all(b"EHLO marsad.invalid\r\n").await.map_err(broke)?;
    said.answer(&mut stream, "250").await?.then_some(()).ok_or_else(none)?;
    stream.write_all(b"STARTTLS\r\n").await.map_err(broke)?;
    said.answer(&mut stream, "220").await?.then_some(()).ok_or_else(none)?;
    // What was slipped in before the handshake would count as said under its protection.
    if said.read.is_empty() { Ok(stream) } else { Err(failed("says more before TLS begins")) }
}

/// What a server said and nobody has looked at yet.
#[derive(Default)]
struct Said {
    read: Vec<u8>,
}

impl Said {
    /// Reads one answer, of one line or several (RFC 5321 §4.2.1); whether it is of this code.
    async fn answer(&mut self, stream: &mut TcpStream, code: &str) -> Result<bool, Failure> {
        loop {
            while let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                if line.get(3) != Some(&b'-') {
                    return Ok(line.get(..3) == Some(code.as_bytes()));
                }
            }
            let mut bytes = [0; 1_024];
            let got = stream.read(&mut bytes).await.unwrap_or(0);
            if got == 0 || self.read.len() > MOST_SAID {
                return Err(Failure::new(Cause::Interrupted, "the mail server broke off before TLS began"));
            }
            self.read.extend_from_slice(bytes.get(..got).unwrap_or_default());
        }
    }
}

/// A connection under TLS before which something seems to have been said.
#[derive(Debug)]
struct Greeted {
    stream: Stream,
    first: &'static [u8],
}

impl Greeted {
    fn new(stream: Stream, first: &'static [u8]) -> Self {
        Self { stream, first }
    }
}

impl AsyncTokioStream for Greeted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Greeted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let (now, later) = self.first.split_at(self.first.len().min(into.remaining()));
        into.put_slice(now);
        self.first = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::notice;
    use super::*;

    #[test]
    fn servers_and_addresses() {
        let target = |begins, host: &str, port| Ok(Target { begins, host: host.into(), port });
        for (text, wanted) in [
            ("smtps://Mail.example", target(Begins::AtOnce, "mail.example", 465)),
            ("smtp://mail.example", target(Begins::StartTls, "mail.example", 587)),
            ("smtp://[::1]:2525", target(Begins::StartTls, "::1", 2_525)),
            ("mail.example", Err(())),
            ("smtp://user:secret@mail.example", Err(())),
            ("smtp://", Err(())),
        ] {
            assert_eq!(text.parse::<Target>().map_err(drop), wanted, "{text}");
        }
        let letter = |from: &str, to: &[&str]| {
            let to: Vec<String> = to.iter().map(|text| (*text).to_owned()).collect();
            Letter::new(from, &to, Language::En).is_ok()
        };
        assert!(letter("Marsad <marsad@example.org>", &["soc@example.org", "مركز <soc@example.org>"]));
        assert!(!letter("marsad", &["soc@example.org"]) && !letter("marsad@example.org", &[]));
        assert!(!letter("a@b.example", &["soc@example.org\r\nBcc: x@y.example"]));
    }

    /// Whatever a partner calls its indicator, the head of the message has the lines that it should have.
    #[test]
    fn hostile_names_add_no_header() {
        for (language, name) in [
            (Language::En, "x\r\nBcc: all@victim.example\r\n\r\nbody"),
            (Language::Ar, "منارة\n\u{202e}\r\nX-Evil: 1"),
            (Language::Fr, "=?utf-8?b?DQpCY2M6IHhAeS5leGFtcGxl?="),
            (Language::Es, "\u{0}\u{85}\u{2028}Bcc: x@y.example"),
        ] {
            let letter = Letter::new("marsad@example.org", &["soc@example.org".to_owned()], language).unwrap();
            let notice = Notice { name: Some(name.to_owned()), ..notice() };
            let message = letter.message(&notice, SystemTime::UNIX_EPOCH).unwrap();
            let text = String::from_utf8(message.formatted()).unwrap();
            let (head, rest) = text.split_once("\r\n\r\n").unwrap();
            let mut names: Vec<&str> = head
                .lines()
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            names.sort_unstable();
            let expected = [
                "Auto-Submitted",
                "Content-Language",
                "Content-Transfer-Encoding",
                "Content-Type",
                "Date",
                "From",
                "Marsad-Notice",
                "Message-ID",
                "MIME-Version",
                "References",
                "Subject",
                "To",
            ];
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            names.dedup();
            assert_eq!(names, expected, "{head}");
            assert!(head.is_ascii() && rest.is_ascii(), "{text}");
            let to = message.envelope().to().iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(to, ["soc@example.org"]);
            assert!(head.contains("Message-ID: <5e57c739-391a-4eb3-b6be-7d15ca92d5ed.1@example.org>"), "{head}");
        }
    }
}
