//! Listening to a partner's notices, so that what is new there is pulled at once.

use super::{News, Tools};
use crate::egress::{Listening, Session};
use crate::partners::mailbox;
use crate::partners::plan::{self, End};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use taxii::client::Failure;

/// A stream on which nothing was said for so long is dead: heartbeats come every quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(60);
/// A stream that stood so long was no failure.
const STOOD: Duration = Duration::from_secs(60);
/// The longest line that is read.
const LONGEST: usize = 4_096;

/// Listens for as long as it is let, comes again when the stream ends, and wakes the link.
pub(super) async fn hear(tools: Tools, name: String, theirs: Arc<Mutex<String>>, news: Arc<News>) {
    let mut failures = 0_u32;
    loop {
        let begun = Instant::now();
        let wait = match heard(&tools, &name, &theirs, &news).await {
            Ok(()) => None,
            Err(failure) => {
                tracing::debug!(link = %name, %failure, "no notices from the partner");
                Some(failure)
            }
        };
        failures = if begun.elapsed() >= STOOD { 1 } else { failures.saturating_add(1) };
        let chance = crate::chance::bytes().map_or(0, u64::from_le_bytes);
        // A server that is restarted is there again in a moment.
        let failures = if wait.is_none() { failures.min(2) } else { failures };
        let next = plan::next(End::Failed { failures, wait: None }, None, true, 0, chance).unwrap_or_default();
        tokio::time::sleep(Duration::from_micros(u64::try_from(next).unwrap_or(0))).await;
    }
}

/// One stream, to its end.
async fn heard(tools: &Tools, name: &str, theirs: &Mutex<String>, news: &News) -> Result<(), Failure> {
    let forbidden = |why: String| Failure::new(taxii::client::Cause::Forbidden, why);
    let (open, link) = (tools.clone(), name.to_owned());
    let job = tokio::task::spawn_blocking(move || open.job(&link)).await;
    let (_, session): (_, Session) = match job {
        Ok(Ok(job)) => job,
        Ok(Err(error)) => return Err(forbidden(error.to_string())),
        Err(error) => return Err(forbidden(error.to_string())),
    };
    let address = session.beside("/api/links/notices").ok_or_else(|| forbidden("no address of notices".to_owned()))?;
    let mut stream = session.listen(&address, "text/event-stream").await?;
    // What came before the stream stood is pulled by the round that begins now.
    news.wake(name);
    let mut lines = Lines::default();
    while let Some(line) = lines.next(&mut stream).await? {
        let Some(id) = line.strip_prefix("data:").map(str::trim) else { continue };
        let theirs = theirs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if theirs.is_empty() || id == theirs || id == mailbox::ID {
            news.wake(name);
        }
    }
    Ok(())
}

/// A stream, line by line.
#[derive(Default)]
struct Lines {
    held: Vec<u8>,
}

impl Lines {
    async fn next(&mut self, stream: &mut Listening) -> Result<Option<String>, Failure> {
        loop {
            if let Some(line) = self.line() {
                return Ok(Some(line));
            }
            if self.held.len() > LONGEST {
                return Err(Failure::new(taxii::client::Cause::TooLarge, "a line of the notices is too long"));
            }
            match stream.next(PATIENCE).await? {
                Some(chunk) => self.held.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let end = self.held.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.held.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_however_they_came_in() {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in [": mar", "sad\n\nevent: new\r\nda", "ta: a", "\n", "\n:\n"] {
            lines.held.extend_from_slice(piece.as_bytes());
            while let Some(line) = lines.line() {
                out.push(line);
            }
        }
        assert_eq!(out, [": marsad", "", "event: new", "data: a", "", ":"]);
        assert!(lines.held.is_empty());
    }
}
