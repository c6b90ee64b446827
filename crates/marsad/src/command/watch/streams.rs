//! `marsad watch` on streams of NATS JetStream, with the set of the node, which follows its book while it watches.

use super::{Args, PATIENCE, stop};
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::note;
use node::egress::Egress;
use node::nats::{Address, Credentials};
use node::watch::book::Followed;
use node::watch::line::Line;
use node::watch::runner;
use node::watch::seer::Tally;
use node::watch::stream::Stream;
use node::watch::{Queue, queue};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch::{Sender, channel};

/// Batches of hits that wait to be written.
const QUEUE: usize = 16;

/// Whether this input is a stream.
pub(super) fn is_one(input: &Path) -> bool {
    input.to_str().is_some_and(Address::is_one)
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    if !args.inputs.iter().all(|input| is_one(input)) {
        return Err(Failure::Usage("streams are watched by a command of their own: name files in another".to_owned()));
    }
    if args.indicators.is_some() || args.field_map.is_some() || args.most.is_some() || args.follow {
        let message = "a stream is watched with the node's own set, for ever, in the format that its address names";
        return Err(Failure::Usage(message.to_owned()));
    }
    let address = |input: &std::path::PathBuf| input.to_string_lossy().parse::<Address>().map_err(Failure::Usage);
    let streams = args.inputs.iter().map(address).collect::<Result<Vec<_>, _>>()?;
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
    drop((hits, ended));
    std::thread::spawn(move || tell(&asked, &end));
    runtime.block_on(async {
        for task in tasks {
            // A task that panicked has said so.
            let _ = task.await;
        }
    });
    let written = writing.join().unwrap_or(Ok(()));
    let figure = |figure: &std::sync::atomic::AtomicU64| figure.load(Ordering::Relaxed);
    let (events, faults) = (figure(&tally.events), figure(&tally.faults));
    note(format!("marsad: {} hits in {events} events, {faults} broken lines", figure(&tally.hits)));
    written?;
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
