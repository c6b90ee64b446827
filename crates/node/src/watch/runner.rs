//! The watch of a serving node: its files, folders and streams, in the background, until the node ends.

use super::book::{Followed, Settings};
use super::hits::{Hit, Hits, Queue, queue};
use super::seer::{self, Found, Seer, Tally};
use super::stream::Stream;
use crate::config::{self, Config};
use crate::door::Door;
use crate::egress::{self, Egress};
use crate::home::Home;
use crate::nats::{self, Address, Credentials};
use ::watch::input::{Follower, Notice, State, Wanted};
use ::watch::standing::Decay;
use ::watch::warning::{self, Warnings};
use ledger::sqlite::Book;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long is waited for more where something was read within [`LATELY`] …
const BRIEF: Duration = Duration::from_millis(3);
/// … and where nothing was.
const IDLE: Duration = Duration::from_millis(20);
/// How long a log that was just written is looked at more often.
const LATELY: Duration = Duration::from_secs(2);
/// How often it is kept how far files have been read. After a crash what was read since comes again, and its hits with it:
/// alerts know the last 64 that they have counted.
const KEEP: Duration = Duration::from_secs(1);
/// So many hits are not left to that.
const MOST_UNKEPT: usize = 32;
/// Batches of hits that wait for whoever takes them.
const QUEUE: usize = 16;

/// Why the watch cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address of a stream.
    #[error("`watch.inputs`: {0}")]
    Address(String),
    /// The credentials for streams.
    #[error("`watch.nats-credentials`: {0}")]
    Credentials(nats::Error),
    /// The way out.
    #[error(transparent)]
    Egress(#[from] egress::Error),
    /// How far files were read.
    #[error(transparent)]
    State(#[from] ::watch::input::StateError),
    /// The directory for that.
    #[error("cannot make the directory {path}: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The model by which claims decay.
    #[error("`watch.decay-model`: cannot use {path}: {why}")]
    Decay {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The lists of what is well known and benign.
    #[error("`watch.warning-lists`: {0}")]
    Warnings(String),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A watch that runs.
#[derive(Debug)]
pub struct Running {
    /// What was seen since it began.
    pub tally: Arc<Tally>,
    followed: Arc<OnceLock<Arc<Followed>>>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// The set, as soon as it has been built.
    #[must_use]
    pub fn followed(&self) -> Option<&Arc<Followed>> {
        self.followed.get()
    }

    /// Ends it behind what is being read. What was not handed on is read again the next time.
    pub fn end(&self) {
        self.stop.send_replace(true);
    }
}

/// What is watched for, as the configuration says.
///
/// Warning lists and the model of decay are read now, and not again before the next start.
///
/// # Errors
/// [`Error::Decay`] and [`Error::Warnings`].
pub fn settings(home: &Home, config: &config::Watch) -> Result<Settings, Error> {
    let model = || {
        let path = home.path().join(&config.decay_model);
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        let decay = read.and_then(|model| Decay::read(&model).map_err(|error| error.to_string()));
        decay.map_err(|why| Error::Decay { path, why })
    };
    Ok(Settings {
        without: config.without.iter().filter_map(|name| observable::Kind::named(name)).collect(),
        least_confidence: u8::try_from(config.min_confidence).unwrap_or(100),
        decay: (!config.decay_model.is_empty()).then(model).transpose()?,
        warnings: (!config.warning_lists.is_empty()).then(|| warnings(home, &config.warning_lists)).transpose()?,
    })
}

fn warnings(home: &Home, paths: &[String]) -> Result<Arc<Warnings>, Error> {
    let seed = crate::chance::bytes().map_err(|error| Error::Warnings(error.to_string()))?;
    let paths: Vec<PathBuf> = paths.iter().map(|path| home.path().join(path)).collect();
    let loaded = warning::load(&paths, seed).map_err(|error| {
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Error::Warnings(causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}")))
    })?;
    for (path, why) in &loaded.refused {
        tracing::warn!(path = %path.display(), %why, "a file of warning lists that is left out");
    }
    for list in loaded.warnings.lists() {
        tracing::info!(name = &*list.name, entries = list.entries, left_out = list.left_out, "a warning list");
    }
    Ok(Arc::new(loaded.warnings))
}

/// Begins to watch what the configuration names; `None`: it names nothing. The set is built in the background. In a task's
/// context, since streams are read by tasks.
///
/// # Errors
/// [`Error`].
pub fn start(home: &Home, config: &Config, book: &Arc<Book>) -> Result<Option<(Running, Queue)>, Error> {
    let watch = &config.watch;
    if watch.inputs.is_empty() {
        return Ok(None);
    }
    let (streams, files): (Vec<_>, Vec<_>) = watch.inputs.iter().partition(|input| Address::is_one(input));
    let streams = streams.into_iter().map(|text| text.parse::<Address>().map_err(Error::Address));
    let streams = streams.collect::<Result<Vec<_>, _>>()?;
    let signed = (!watch.nats_credentials.is_empty()).then(|| home.path().join(&watch.nats_credentials));
    let signed = signed.map(|path| Credentials::read(&path)).transpose().map_err(Error::Credentials)?.map(Arc::new);
    let egress = Egress::new(config, home.path())?;
    let directory = home.path().join("watch");
    std::fs::create_dir_all(&directory).map_err(|source| Error::Directory { path: directory.clone(), source })?;
    let kept = directory.join("files.json");
    let state = State::load(&kept)?;
    let settings = settings(home, watch)?;
    let (hits, queue) = queue(QUEUE);
    let (stop, stopped) = watch::channel(false);
    let followed: Arc<OnceLock<Arc<Followed>>> = Arc::default();
    let tally: Arc<Tally> = Arc::default();
    let running = Running { tally: Arc::clone(&tally), followed: Arc::clone(&followed), stop };
    let files = Files {
        roots: files.into_iter().map(|path| home.path().join(path)).collect(),
        wanted: seer::format(&watch.format).unwrap_or(Wanted::Auto),
        kept: Some(kept),
        tally: Arc::clone(&tally),
        hits: hits.clone(),
        stop: stopped.clone(),
    };
    let (book, config, tasks) = (Arc::clone(book), config.clone(), tokio::runtime::Handle::current());
    let all = move || {
        let begun = Instant::now();
        let set = loop {
            match Followed::start(Arc::clone(&book), Door::over(&book, &config), settings.clone(), &mut |_| {}) {
                Ok(set) => break set,
                Err(error) => tracing::error!(%error, "the watch cannot read the book: it tries again"),
            }
            std::thread::sleep(KEEP);
            if *files.stop.borrow() {
                return;
            }
        };
        let (claims, seconds) = (set.now().set.len(), begun.elapsed().as_secs_f32());
        tracing::info!(claims, seconds, "the watch has begun");
        let _ = followed.set(Arc::clone(&set));
        for address in streams {
            let (egress, credentials) = (egress.clone(), signed.clone());
            let (followed, hits, tally) = (Arc::clone(&set), hits.clone(), Arc::clone(&tally));
            let stream = Stream { address, egress, credentials, followed, hits, tally };
            tasks.spawn(stream.run(files.stop.clone()));
        }
        drop(hits);
        files.run(&set, state);
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(all).map_err(Error::Thread)?;
    Ok(Some((running, queue)))
}

/// Files and folders that are followed on a thread.
#[derive(Debug)]
pub struct Files {
    /// Which.
    pub roots: Vec<PathBuf>,
    /// How they are written.
    pub wanted: Wanted,
    /// Where it is kept how far they have been read.
    pub kept: Option<PathBuf>,
    /// What is counted.
    pub tally: Arc<Tally>,
    /// Where hits go.
    pub hits: Hits,
    /// When to end.
    pub stop: watch::Receiver<bool>,
}

impl Files {
    /// Follows them from where the state says until it is told to stop, or nobody takes hits any more.
    pub fn run(&self, followed: &Arc<Followed>, mut state: State) {
        if self.roots.is_empty() {
            return;
        }
        while !*self.stop.borrow() {
            match self.follow(followed, state) {
                // Hits were let go: what they came from is read again, from where it is known to be safe.
                Some(safe) => state = safe,
                None => return,
            }
            std::thread::sleep(KEEP);
        }
    }

    /// Follows until it is told to stop. `Some`: from where it has to begin again.
    fn follow(&self, followed: &Arc<Followed>, mut safe: State) -> Option<State> {
        let found = Found::default();
        let mut follower: Follower<Seer> = Follower::new(self.roots.clone(), self.wanted, safe.clone());
        let (begun, mut kept) = (Instant::now(), Instant::now());
        let (mut wrote, mut unkept, mut met) = (Instant::now(), false, 0);
        while !*self.stop.borrow() {
            let mut make = |path: &std::path::Path, format| {
                Seer::new(followed, &path.display().to_string(), format, &found, &self.tally)
            };
            let now = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let round = follower.round(now, &mut make, &mut |notice| log(&notice));
            let hits = found.take();
            if round.bytes > 0 {
                (wrote, unkept) = (Instant::now(), true);
            }
            met += hits.len();
            if !hits.is_empty() {
                match self.hits.hand_on(hits).map(super::Handed::wait) {
                    Ok(true) => {}
                    Ok(false) => return Some(safe),
                    Err(_) => return None,
                }
            }
            // Not with every hit: the next one would wait for the disk.
            if unkept && (kept.elapsed() >= KEEP || met >= MOST_UNKEPT) {
                safe = follower.state();
                (kept, unkept, met) = (Instant::now(), false, 0);
                self.keep(&safe);
            }
            if !round.more && round.bytes == 0 {
                std::thread::sleep(if wrote.elapsed() < LATELY { BRIEF } else { IDLE });
            }
        }
        let state = follower.end();
        let last = found.take();
        let handed = last.is_empty() || self.hits.hand_on(last).is_ok_and(super::Handed::wait);
        self.keep(if handed { &state } else { &safe });
        None
    }

    fn keep(&self, state: &State) {
        let Some(kept) = &self.kept else { return };
        if let Err(error) = state.save(kept) {
            tracing::warn!(%error, "it cannot be kept how far files have been read: after a restart they are read again");
        }
    }
}

fn log(notice: &Notice) {
    match notice {
        Notice::Found(path, format) => tracing::info!(path = %path.display(), format = format.name(), "a new file"),
        Notice::Copy(path) => tracing::debug!(path = %path.display(), "a copy of a known file"),
        Notice::Anew(path) => tracing::info!(path = %path.display(), "a file that begins anew"),
        Notice::Gone(path) => tracing::debug!(path = %path.display(), "a file that is gone"),
        Notice::Unfit(path, format) => {
            tracing::warn!(path = %path.display(), format = format.name(), "a file that cannot be followed");
        }
        Notice::Failed(path, error) => tracing::warn!(path = %path.display(), %error, "a file that cannot be read"),
    }
}

/// Writes hits to the log of the node, one line each.
pub fn log_hits(hits: &[Hit]) {
    for hit in hits {
        let line = super::line::Line::of(hit);
        let line = serde_json::to_string(&line).unwrap_or_default();
        tracing::info!(hit = %line, "an indicator was met");
    }
}
