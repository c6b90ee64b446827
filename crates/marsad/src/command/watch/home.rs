//! `marsad watch` with the set of the node, which follows its book while it watches.

use super::{Args, PATIENCE, is_stdin, stop};
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, visible};
use node::egress::Egress;
use node::nats::{Address, Credentials};
use node::watch::book::Followed;
use node::watch::line::Line;
use node::watch::runner::{self, Files};
use node::watch::seer::{Found, Seer, Tally};
use node::watch::stream::Stream;
use node::watch::{Hits, Queue, queue};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use tokio::sync::watch::{Receiver, Sender, channel};
use watch::input::{Cutter, Eye as _, Piece, State, Wanted, ahead, detect, enough, files, open, open_stream};

/// Batches of hits that wait to be written.
const QUEUE: usize = 16;

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let (streams, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        args.inputs.iter().partition(|input| input.to_str().is_some_and(Address::is_one));
    let address = |input: &&PathBuf| input.to_string_lossy().parse::<Address>().map_err(Failure::Usage);
    let streams = streams.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let opened = place.open()?;
    let could = |error: &dyn std::fmt::Display| Failure::could(error.to_string());
    let settings = runner::settings(&opened.home, &opened.config.watch).map_err(|error| could(&error))?;
    let followed = Followed::start(Arc::clone(&opened.book), opened.door(), settings, &mut |_| {});
    let followed = followed.map_err(|error| could(&error))?;
    let asked = stop::on_signals()?;
    let (hits, out) = queue(QUEUE);
    let writing = std::thread::spawn(move || write(out));
    let tally: Arc<Tally> = Arc::default();
    let (end, ended) = channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let signed = &opened.config.watch.nats_credentials;
    let signed = (!signed.is_empty()).then(|| Credentials::read(&opened.home.path().join(signed))).transpose();
    let signed = signed.map_err(|error| could(&error))?.map(Arc::new);
    let mut tasks = Vec::new();
    for address in streams {
        let stream = Stream {
            address,
            egress: Egress::new(&opened.config, opened.home.path()).map_err(|error| could(&error))?,
            credentials: signed.clone(),
            followed: Arc::clone(&followed),
            hits: hits.clone(),
            tally: Arc::clone(&tally),
        };
        tasks.push(runtime.spawn(stream.run(ended.clone())));
    }
    let telling = std::thread::spawn(move || tell(&asked, &end));
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    let unread = if args.follow {
        let state = args.state.as_deref().map_or_else(|| Ok(State::default()), State::load)?;
        let (wanted, kept) = (args.format.wanted(), args.state.clone());
        let (tally, stop) = (Arc::clone(&tally), ended.clone());
        Files { roots: paths, wanted, kept, tally, hits: hits.clone(), stop }.run(&followed, state);
        0
    } else {
        let once = Once { followed: &followed, wanted: args.format.wanted(), hits: &hits, tally: &tally, stop: &ended };
        once.all(&paths)
    };
    runtime.block_on(async {
        for task in tasks {
            // A task that panicked has said so.
            let _ = task.await;
        }
    });
    drop(hits);
    let written = writing.join().unwrap_or(Ok(()));
    drop(telling);
    let figure = |figure: &std::sync::atomic::AtomicU64| figure.load(Ordering::Relaxed);
    let (events, faults) = (figure(&tally.events), figure(&tally.faults));
    note(format!("marsad: {} hits in {events} events, {faults} broken lines", figure(&tally.hits)));
    written?;
    if unread > 0 {
        return Err(Failure::could(format!("{unread} of the inputs could not be read")));
    }
    Ok(Verdict::good_if(faults == 0))
}

/// Hands the wish to end on.
fn tell(asked: &stop::Stop, end: &Sender<bool>) {
    while !asked.asked() && end.receiver_count() > 0 {
        std::thread::sleep(PATIENCE);
    }
    end.send_replace(true);
}

/// Writes hits until none come. They are safe when they have left this process.
fn write(mut queue: Queue) -> std::io::Result<()> {
    while let Some(batch) = queue.wait() {
        let mut lines = Vec::new();
        for hit in &batch.hits {
            serde_json::to_writer(&mut lines, &Line::of(hit))?;
            lines.push(b'\n');
        }
        let mut out = std::io::stdout().lock();
        out.write_all(&lines)?;
        out.flush()?;
        batch.taken();
    }
    Ok(())
}

/// Reads inputs to their end.
struct Once<'o> {
    followed: &'o Arc<Followed>,
    wanted: Wanted,
    hits: &'o Hits,
    tally: &'o Arc<Tally>,
    stop: &'o Receiver<bool>,
}

impl Once<'_> {
    /// Returns how many could not be read.
    fn all(&self, inputs: &[PathBuf]) -> u64 {
        let mut unread = 0;
        for input in inputs {
            let paths = if is_stdin(input) { Ok(vec![input.clone()]) } else { files(input) };
            let read = paths.and_then(|paths| paths.iter().try_for_each(|path| self.one(path)));
            if let Err(error) = read {
                note(format!("marsad: cannot read {}: {error}", visible(&input.display().to_string())));
                unread += 1;
            }
        }
        unread
    }

    fn one(&self, path: &Path) -> std::io::Result<()> {
        let live = is_stdin(path);
        let opened = if live { open_stream(std::io::stdin())? } else { open(path)? };
        let pieces = ahead(opened.source, live);
        let (found, mut head) = (Found::default(), Vec::new());
        let mut eye: Option<(Seer, Cutter)> = None;
        loop {
            let piece = match pieces.recv_timeout(PATIENCE) {
                Ok(Piece::Bytes(bytes)) => bytes,
                Ok(Piece::Failed(error)) => return Err(error),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if *self.stop.borrow() => return Ok(()),
                Err(RecvTimeoutError::Timeout) => continue,
            };
            match &mut eye {
                Some((eye, cutter)) => cutter.push(&piece, &mut |block, first| eye.block(block, first)),
                None => {
                    head.extend_from_slice(&piece);
                    if enough(&head) {
                        eye = Some(self.begin(path, &std::mem::take(&mut head), &found)?);
                    }
                }
            }
            if *self.stop.borrow() || !self.hand_on(&found) {
                return Ok(());
            }
        }
        let (mut eye, mut cutter) = match eye {
            Some(begun) => begun,
            None => self.begin(path, &head, &found)?,
        };
        cutter.rest(&mut |block, first| eye.block(block, first));
        eye.count(&cutter.take_faults());
        eye.end();
        self.hand_on(&found);
        Ok(())
    }

    fn begin(&self, path: &Path, head: &[u8], found: &Found) -> std::io::Result<(Seer, Cutter)> {
        let format = detect(head, self.wanted);
        let name = path.display().to_string();
        let mut eye = Seer::new(self.followed, &name, format, found, self.tally).ok_or_else(|| {
            let what = format!("{} is read with --indicators alone", format.name());
            std::io::Error::new(std::io::ErrorKind::Unsupported, what)
        })?;
        let mut cutter = Cutter::at(0, 1, eye.by_lines());
        cutter.push(head, &mut |block, first| eye.block(block, first));
        Ok((eye, cutter))
    }

    /// Whether somebody still takes hits.
    fn hand_on(&self, found: &Found) -> bool {
        let hits = found.take();
        hits.is_empty() || self.hits.hand_on(hits).is_ok_and(node::watch::Handed::wait)
    }
}
