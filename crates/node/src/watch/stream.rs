//! A JetStream stream as an input: any number of processes share a durable consumer, each takes messages, meets their lines,
//! hands the hits on, and acknowledges a message when its hits are safe. Who is killed leaves its messages to the others.
//!
//! A message whose acknowledgement was lost comes again. This process knows the last ones that it acknowledged and passes over
//! them; what comes twice over two processes has the same number ([`super::Hit::place`]) and is folded by who takes the hits.

use super::book::Followed;
use super::hits::{Closed, Hits};
use super::seer::{self, Found, Seer, Tally};
use crate::egress::Egress;
use crate::nats::{self, Address, Connection, Consumer, Credentials, Message};
use ::watch::input::{Eye as _, Format, HEAD, Wanted, detect};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;

/// Messages that are worked on together.
const TOGETHER: usize = 256;
/// How long is waited for messages before it is looked whether to stop.
const WAIT: Duration = Duration::from_millis(500);
/// How often it is said that messages are still worked on.
const WORKING: Duration = Duration::from_secs(10);
/// The pauses between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// Numbers that are remembered.
const REMEMBERED: usize = 65_536;

/// What is watched, and for whom.
#[derive(Clone)]
pub struct Stream {
    /// The stream.
    pub address: Address,
    /// The way out.
    pub egress: Egress,
    /// What we sign in with.
    pub credentials: Option<Arc<Credentials>>,
    /// The set.
    pub followed: Arc<Followed>,
    /// Where hits go.
    pub hits: Hits,
    /// What is counted.
    pub tally: Arc<Tally>,
}

/// Numbers of messages that were acknowledged.
#[derive(Default)]
struct Remembered(HashSet<u64>, VecDeque<u64>);

impl Remembered {
    fn add(&mut self, number: u64) {
        if self.0.insert(number) {
            self.1.push_back(number);
        }
        if self.1.len() > REMEMBERED
            && let Some(old) = self.1.pop_front()
        {
            self.0.remove(&old);
        }
    }
}

/// Why a connection was left.
enum Left {
    /// It was told to stop, or nobody takes hits any more.
    Over,
    Failed(nats::Error),
}

impl From<nats::Error> for Left {
    fn from(error: nats::Error) -> Self {
        Self::Failed(error)
    }
}

impl Stream {
    /// Takes messages until it is told to stop. Connections that break are made again.
    pub async fn run(self, mut stop: Receiver<bool>) {
        let mut pause = PAUSES.0;
        let mut remembered = Remembered::default();
        let mut eyes = Some(Eyes::default());
        while !*stop.borrow() {
            let begun = tokio::time::Instant::now();
            let error = match self.session(&stop, &mut remembered, &mut eyes).await {
                Left::Over => return,
                Left::Failed(error) => error,
            };
            if begun.elapsed() > PAUSES.1 {
                pause = PAUSES.0;
            }
            let (stream, seconds) = (self.address.name(), pause.as_secs_f32());
            tracing::warn!(%stream, %error, seconds, "the stream is not reached: its messages wait there");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => return,
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn session(&self, stop: &Receiver<bool>, remembered: &mut Remembered, eyes: &mut Option<Eyes>) -> Left {
        match self.take(stop, remembered, eyes).await {
            Ok(()) => Left::Over,
            Err(left) => left,
        }
    }

    async fn take(
        &self,
        stop: &Receiver<bool>,
        remembered: &mut Remembered,
        eyes: &mut Option<Eyes>,
    ) -> Result<(), Left> {
        let connection = Connection::open(&self.egress, &self.address.servers, self.credentials.as_deref()).await?;
        let mut consumer = Consumer::join(connection, &self.address).await?;
        tracing::info!(stream = %self.address.name(), consumer = %self.address.consumer, "the stream is watched");
        while !*stop.borrow() {
            let messages = consumer.next(TOGETHER, WAIT).await?;
            let (again, new): (Vec<_>, Vec<_>) =
                messages.into_iter().partition(|message| remembered.0.contains(&message.number));
            for message in &again {
                consumer.acknowledge(message).await?;
            }
            if new.is_empty() {
                continue;
            }
            let new = Arc::new(new);
            let (stream, looked) = (self.clone(), Arc::clone(&new));
            let mut held = eyes.take().unwrap_or_default();
            let seen = tokio::task::spawn_blocking(move || {
                let hits = held.look(&stream, &looked);
                (held, hits)
            });
            let (held, hits) = still_at_work(&mut consumer, &new, seen).await?.map_err(|_| Left::Over)?;
            *eyes = Some(held);
            if !hits.is_empty() {
                let hand_on = async {
                    match self.hits.hand_on_in_task(hits).await {
                        Ok(handed) => Ok(handed.is_taken().await),
                        Err(Closed) => Err(Closed),
                    }
                };
                match still_at_work(&mut consumer, &new, hand_on).await? {
                    Ok(true) => {}
                    // Not acknowledged: they come again.
                    Ok(false) => continue,
                    Err(Closed) => return Ok(()),
                }
            }
            for message in new.iter() {
                consumer.acknowledge(message).await?;
                remembered.add(message.number);
            }
        }
        Ok(())
    }
}

/// Waits for something, and says all the while that the messages are worked on.
async fn still_at_work<T>(
    consumer: &mut Consumer,
    messages: &[Message],
    work: impl Future<Output = T>,
) -> Result<T, nats::Error> {
    tokio::pin!(work);
    loop {
        match tokio::time::timeout(WORKING, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => {
                for message in messages {
                    consumer.in_progress(message).await?;
                }
            }
        }
    }
}

/// What looks at messages, one for each format that has come.
#[derive(Default)]
struct Eyes {
    seers: Vec<(Format, Seer)>,
    found: Found,
}

impl Eyes {
    fn look(&mut self, stream: &Stream, messages: &[Message]) -> Vec<super::Hit> {
        let wanted = stream.address.format.as_deref().and_then(seer::format).unwrap_or(Wanted::Auto);
        for message in messages {
            let payload = &message.payload;
            let format = detect(payload.get(..HEAD).unwrap_or(payload), wanted);
            let known = self.seers.iter().position(|(of, seer)| *of == format && seer.by_lines());
            let place = match known {
                Some(place) => place,
                None => {
                    let name = stream.address.name();
                    let Some(seer) = Seer::new(&stream.followed, &name, format, &self.found, &stream.tally) else {
                        stream.tally.faults.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        continue;
                    };
                    self.seers.push((format, seer));
                    self.seers.len() - 1
                }
            };
            if let Some((_, seer)) = self.seers.get_mut(place) {
                seer.at(message.number);
                seer.block(payload, 1);
                if format == Format::Csv || !seer.by_lines() {
                    // Each has its own header or its own end.
                    seer.end();
                    self.seers.swap_remove(place);
                }
            }
        }
        self.found.take()
    }
}
