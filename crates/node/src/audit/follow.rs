//! Sends the audit log to a syslog server over TLS (RFC 5425), entry after entry, and goes on where it stopped.
//!
//! The protocol has no acknowledgements. An entry counts as delivered when the connection still stands some seconds after
//! it was sent, or was closed in good order by both ends; whatever was sent shortly before a connection broke is sent
//! again. So the server may get an entry twice, which its number shows, and misses none.

use super::syslog::{Origin, message};
use crate::egress::{Egress, Stream};
use ledger::journal::{Journal, Wanted};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::watch;

/// The port of syslog over TLS (RFC 5425 §4.1).
const PORT: u16 = 6514;
/// Entries that are sent at once.
const BATCH: usize = 200;
/// How often it is looked for news.
const LOOK: Duration = Duration::from_millis(250);
/// How long one batch may take to be sent, and the end of a connection to be answered.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two attempts to connect.
const LONGEST: Duration = Duration::from_secs(60);
/// The name under which the journal keeps the position.
pub const NAME: &str = "syslog";

/// A syslog server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Why a server's address cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`audit.syslog` must be a host or a host and a port, such as siem.example.org:6514")]
pub struct TargetError;

impl std::str::FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let authority: http::uri::Authority = text.parse().map_err(|_| TargetError)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let behind = text.rsplit(']').next().unwrap_or_default();
        let port = match behind.split_once(':') {
            None => PORT,
            Some((_, port)) => port.parse().ok().filter(|port| *port > 0).ok_or(TargetError)?,
        };
        if host.is_empty() || text.contains('@') {
            return Err(TargetError);
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

/// Follows the journal and sends what it finds.
pub struct Follower {
    /// What is followed.
    pub journal: Arc<dyn Journal>,
    /// The way out.
    pub egress: Egress,
    /// Where to.
    pub target: Target,
    /// The authorities whose certificates are believed, where they are not the system's.
    pub authorities: Option<PathBuf>,
    /// How long after it was sent an entry counts as delivered if the connection still stands.
    pub settle: Duration,
    /// The first pause after a connection broke; it doubles from one to the next, up to a minute.
    pub pause: Duration,
}

/// Why a connection ended.
enum End {
    /// It was told to stop, and everything that was sent has arrived.
    Told,
    /// It broke.
    Broke(String),
}

impl Follower {
    /// Follows until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let origin = Origin { host: host.trim().to_owned(), process: std::process::id() };
        let mut pause = self.pause;
        while !*stop.borrow() {
            let connected = tokio::select! {
                connected = self.egress.tls(&self.target.host, self.target.port, self.authorities.as_deref()) => connected,
                _ = stop.changed() => return,
            };
            let why = match connected {
                Err(failure) => failure.message,
                Ok(stream) => {
                    pause = self.pause;
                    match self.send(stream, &origin, &mut stop).await {
                        End::Told => return,
                        End::Broke(why) => why,
                    }
                }
            };
            let (server, seconds) = (&self.target.host, pause.as_secs_f32());
            tracing::warn!(%server, %why, seconds, "the syslog server is not reached: entries wait in the audit log");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => return,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    async fn send(&self, stream: Stream, origin: &Origin, stop: &mut watch::Receiver<bool>) -> End {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let broke = |error: &dyn std::fmt::Display| End::Broke(error.to_string());
        let mut sent = match self.with(|journal| journal.position(NAME)).await {
            Ok(position) => position,
            Err(why) => return End::Broke(why),
        };
        let mut unsettled: VecDeque<(u64, Instant)> = VecDeque::new();
        loop {
            let batch = match self.batch(sent, origin).await {
                Ok(batch) => batch,
                Err(why) => return End::Broke(why),
            };
            let idle = batch.is_none();
            if let Some((last, bytes)) = batch {
                let written = async {
                    writer.write_all(&bytes).await?;
                    writer.flush().await
                };
                match tokio::time::timeout(PATIENCE, written).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return broke(&error),
                    Err(_) => return broke(&"the server does not read"),
                }
                sent = last;
                unsettled.push_back((last, Instant::now()));
            }
            if let Some(why) = listen(&mut reader, stop, if idle { LOOK } else { Duration::ZERO }).await {
                return End::Broke(why);
            }
            let mut settled = None;
            while let Some((number, _)) = unsettled.pop_front_if(|(_, at)| at.elapsed() >= self.settle) {
                settled = Some(number);
            }
            if let Some(number) = settled
                && let Err(why) = self.with(move |journal| journal.set_position(NAME, number)).await
            {
                return End::Broke(why);
            }
            if idle && *stop.borrow() {
                return self.close(reader, writer, sent).await;
            }
        }
    }

    /// Closes the connection and waits for the other end to do so, which it does after it has read everything.
    async fn close(&self, mut reader: ReadHalf<Stream>, mut writer: WriteHalf<Stream>, sent: u64) -> End {
        let mut rest = [0; 512];
        let closed = async {
            writer.shutdown().await?;
            while reader.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        };
        if let Ok(Ok(())) = tokio::time::timeout(self.settle, closed).await
            && let Err(why) = self.with(move |journal| journal.set_position(NAME, sent)).await
        {
            tracing::warn!(%why, "the position of the syslog server could not be kept: it gets some entries again");
        }
        End::Told
    }

    /// The next entries as messages, and the number of the last.
    async fn batch(&self, after: u64, origin: &Origin) -> Result<Option<(u64, Vec<u8>)>, String> {
        let origin = origin.clone();
        self.with(move |journal| {
            let mut bytes = Vec::new();
            let wanted = Wanted { after, limit: BATCH, ..Wanted::default() };
            let last = journal.read(&wanted, &mut |line| bytes.extend(message(&line, &origin)))?;
            Ok(last.map(|last| (last, bytes)))
        })
        .await
    }

    /// Asks the journal away from the threads that serve.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Journal) -> ledger::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let journal = Arc::clone(&self.journal);
        match tokio::task::spawn_blocking(move || work(&*journal)).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Waits for so long, or until it is told to stop. What the server says is not listened to (RFC 5425 §4.3); that it hangs
/// up is. Returns why the connection is over.
async fn listen(reader: &mut ReadHalf<Stream>, stop: &mut watch::Receiver<bool>, wait: Duration) -> Option<String> {
    let mut ignored = [0; 512];
    tokio::select! {
        biased;
        read = reader.read(&mut ignored) => match read {
            Ok(0) => Some("the server hung up".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        },
        _ = stop.changed() => None,
        () = tokio::time::sleep(wait) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (text, expected) in [
            ("siem.example.org", Some(("siem.example.org", 6514))),
            ("SIEM.example.org.:443", Some(("siem.example.org", 443))),
            ("192.0.2.1:6515", Some(("192.0.2.1", 6515))),
            ("[2001:db8::1]:6515", Some(("2001:db8::1", 6515))),
            ("[2001:db8::1]", Some(("2001:db8::1", 6514))),
            ("", None),
            ("a:0", None),
            ("a:70000", None),
            ("a:", None),
            ("me@a", None),
            ("https://a/", None),
            ("a b", None),
        ] {
            let target = text.parse::<Target>().ok();
            assert_eq!(target.as_ref().map(|target| (target.host.as_str(), target.port)), expected, "{text}");
        }
    }
}
