//! `marsad watch`.

mod eye;
mod hits;
mod indicators;
mod live;
#[cfg(feature = "parquet")]
mod rows;
mod stop;
mod streams;
mod summary;

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, visible};
use eye::{LogEye, Sight};
use hits::Hits;
use indicatif::ProgressBar;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use summary::Summary;
use watch::input::{Cutter, Eye as _, Format, Piece, Wanted, ahead, detect, enough, files, open, open_stream};
use watch::read::FieldMap;

/// Meets indicators with telemetry: logs, captures, folders that grow.
///
/// Hits go to stdout, one JSON object a line: {"time","input","line","indicator","type","value","field"}; what was read
/// and what could not be read is told on stderr. A value is met as what it is, never as a piece of another: a domain with
/// its subdomains where the indicator has a leading point, an address with the networks around it. A pattern that says more
/// is met as a whole, over the events of one originating address, in the order in which inputs are read (`marsad hunt` sorts
/// them by time): its type is `pattern`, its value what it was met by, its line the last of them.
///
/// Exit code 0 with hits or without; 1 if indicators were refused or lines could not be read; 3 if an input could not be
/// opened.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad watch --indicators list.csv conn.log.gz dns.log
  zcat eve.json.gz | marsad watch --indicators bundle.json -
  marsad watch --home /srv/marsad --follow /opt/zeek/logs/current     the indicators of the node, as they come and go
  marsad watch 'nats://127.0.0.1:4222/LOGS?consumer=marsad'           a stream, shared by all who name the consumer
  marsad watch --indicators list.csv --follow --state watch.state /opt/zeek/logs/current
  marsad watch --indicators list.csv --format csv --field-map proxy.map proxy.csv

A field map has lines `path = meaning`, as in `client.machine = host`; `* = ignore` leaves out all others.")]
pub(crate) struct Args {
    /// Files, folders, or `-` for standard input; gzip and Zstandard are opened. With the node's own set also streams:
    /// nats://HOST:PORT/STREAM?consumer=NAME&subject=SUBJECT&format=FORMAT
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// What to look for: a STIX bundle, or CSV with the header `type,value[,id]`; else the node's own set
    #[arg(long, value_name = "FILE")]
    indicators: Option<PathBuf>,
    /// A file or folder of MISP's warning lists (JSON), once or more: what they name is well known and benign, and not looked
    /// for. The node's own set has those of `watch.warning-lists`
    #[arg(long, value_name = "PATH", requires = "indicators")]
    warning_lists: Vec<PathBuf>,
    /// The format of the inputs
    #[arg(long, value_enum, default_value = "auto")]
    format: FormatName,
    /// Which field of JSON lines, CSV and syslog means what
    #[arg(long, value_name = "FILE")]
    field_map: Option<PathBuf>,
    /// Go on with what is added to the inputs, until SIGINT or SIGTERM
    #[arg(long)]
    follow: bool,
    /// Where to keep how far the inputs have been read, so that --follow goes on there after a restart; after a crash the
    /// hits of the last half second may come again
    #[arg(long, value_name = "FILE", requires = "follow")]
    state: Option<PathBuf>,
    /// Print at most so many hits of one indicator; the rest is only counted
    #[arg(long, value_name = "N")]
    most: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatName {
    Auto,
    Zeek,
    Eve,
    Jsonl,
    Csv,
    Syslog,
    Text,
    Pcap,
    /// From files alone; only where marsad was built with it
    Parquet,
}

impl FormatName {
    fn wanted(self) -> Wanted {
        match self {
            Self::Auto => Wanted::Auto,
            Self::Zeek => Wanted::Zeek,
            Self::Eve => Wanted::Only(Format::Eve),
            Self::Jsonl => Wanted::Only(Format::JsonLines),
            Self::Csv => Wanted::Only(Format::Csv),
            Self::Syslog => Wanted::Only(Format::Syslog),
            Self::Text => Wanted::Only(Format::Text),
            Self::Pcap => Wanted::Only(Format::Pcap),
            Self::Parquet => Wanted::Only(Format::Parquet),
        }
    }
}

/// How long a thread may wait for input before it looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(100);

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let stdin = args.inputs.iter().filter(|input| is_stdin(input)).count();
    if stdin > 1 || (stdin == 1 && args.follow) {
        let message = "standard input is named once, and without --follow: it is read until it ends";
        return Err(Failure::Usage(message.to_owned()));
    }
    if args.inputs.iter().any(|input| streams::is_one(input)) {
        return streams::run(place, args);
    }
    let map = match &args.field_map {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
            FieldMap::parse(&text).map_err(|error| Failure::Usage(error.to_string()))?
        }
        None => FieldMap::default(),
    };
    let mut summary = Summary::default();
    let source = indicators::load(place, args, args.follow || stdin > 0, &mut summary)?;
    let stop = stop::on_signals()?;
    let sight = Rc::new(RefCell::new(Sight {
        watcher: watch::Watcher::new(source.set()).with_patterns(Arc::clone(source.patterns())),
        hits: Hits::new(source, args.most),
        summary,
        map,
    }));
    let done = if args.follow { live::follow(args, &sight, &stop) } else { once(args, &sight, &stop) };
    let mut sight = sight.borrow_mut();
    let Sight { hits, summary, .. } = &mut *sight;
    hits.flush();
    summary.tell(hits);
    hits.failure()?;
    done?;
    if summary.unread > 0 {
        return Err(Failure::could(format!("{} of the inputs could not be read", summary.unread)));
    }
    Ok(Verdict::good_if(summary.flawless()))
}

/// Reads the inputs, one after the other.
fn once(args: &Args, sight: &Rc<RefCell<Sight>>, stop: &stop::Stop) -> Result<(), Failure> {
    let mut paths = Vec::new();
    for input in &args.inputs {
        if is_stdin(input) {
            paths.push(input.clone());
            continue;
        }
        match files(input) {
            Ok(found) => paths.extend(found),
            Err(error) => unreadable(sight, input, &error),
        }
    }
    let sizes = paths.iter().map(|path| std::fs::metadata(path).map_or(0, |about| about.len()));
    let total = if paths.iter().any(|path| is_stdin(path)) { None } else { Some(sizes.sum()) };
    let bar = progress(total, Unit::Bytes);
    for path in &paths {
        if stop.asked() || sight.borrow().hits.failed() {
            break;
        }
        if let Err(error) = one(path, args.format.wanted(), sight, stop, &bar) {
            bar.suspend(|| unreadable(sight, path, &error));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn unreadable(sight: &Rc<RefCell<Sight>>, path: &Path, error: &std::io::Error) {
    note(format!("marsad: cannot read {}: {error}", visible(&path.display().to_string())));
    sight.borrow_mut().summary.unread += 1;
}

/// Reads one input on a thread of its own, and looks at it on this one.
fn one(
    path: &Path,
    wanted: Wanted,
    sight: &Rc<RefCell<Sight>>,
    stop: &stop::Stop,
    bar: &ProgressBar,
) -> std::io::Result<()> {
    let live = is_stdin(path);
    #[cfg(feature = "parquet")]
    if !live && rows::is_one(path, wanted)? {
        return rows::read(path, sight, stop, bar);
    }
    let opened = if live { open_stream(std::io::stdin())? } else { open(path)? };
    let before = bar.position();
    let read = opened.read;
    let pieces = ahead(opened.source, live);
    let mut head = Vec::new();
    let mut eye: Option<(LogEye, Cutter)> = None;
    let mut whole = true;
    loop {
        let piece = match pieces.recv_timeout(PATIENCE) {
            Ok(Piece::Bytes(bytes)) => bytes,
            Ok(Piece::Failed(error)) => {
                // What could be read of it counts.
                let shown = visible(&path.display().to_string());
                bar.suspend(|| note(format!("marsad: {shown} is cut or broken: {error}; what came before was read")));
                sight.borrow_mut().summary.cut += 1;
                break;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if stop.asked() => {
                whole = false;
                break;
            }
            Err(RecvTimeoutError::Timeout) => continue,
        };
        match &mut eye {
            Some((eye, cutter)) => cutter.push(&piece, &mut |block, first| eye.block(block, first)),
            None => {
                head.extend_from_slice(&piece);
                if enough(&head) {
                    eye = Some(begin(path, &head, wanted, sight)?);
                    head = Vec::new();
                }
            }
        }
        bar.set_position(before + read.load(Ordering::Relaxed));
        if stop.asked() || sight.borrow().hits.failed() {
            whole = false;
            break;
        }
    }
    if eye.is_none() && !head.is_empty() {
        eye = Some(begin(path, &head, wanted, sight)?);
    }
    sight.borrow_mut().summary.inputs += 1;
    if let Some((eye, cutter)) = &mut eye {
        if whole {
            cutter.rest(&mut |block, first| eye.block(block, first));
            eye.end();
        }
        eye.count(&cutter.take_faults());
    }
    sight.borrow_mut().summary.bytes += read.load(Ordering::Relaxed);
    bar.set_position(before + read.load(Ordering::Relaxed));
    Ok(())
}

/// Why Parquet is not read here: what it holds is told at its end, so it is read from a file that lies there.
const NO_PARQUET: &str = if cfg!(feature = "parquet") {
    "Parquet is read from a file that is not packed, not from a stream: save it and name the file"
} else {
    "this marsad was built without Parquet: build it with `--features parquet`, or write the file out as CSV or JSON lines"
};

/// Tells the format, and looks at the first bytes.
fn begin(path: &Path, head: &[u8], wanted: Wanted, sight: &Rc<RefCell<Sight>>) -> std::io::Result<(LogEye, Cutter)> {
    let format = detect(head, wanted);
    if format == Format::Parquet {
        return Err(std::io::Error::new(std::io::ErrorKind::Unsupported, NO_PARQUET));
    }
    let mut eye = LogEye::new(path.display().to_string(), format, Rc::clone(sight));
    let mut cutter = Cutter::at(0, 1, eye.by_lines());
    cutter.push(head, &mut |block, first| eye.block(block, first));
    Ok((eye, cutter))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
