//! What the watch looks for: the set of a file or of the book, and the way from its numbers to indicators.

use super::Args;
use super::summary::Summary;
use crate::cli::Place;
use crate::outcome::{Failure, chain};
use crate::terminal::{note, visible};
use node::watch::Followed;
use node::watch::book::Why;
use observable::{Kind, canonical};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use watch::general::Patterns;
use watch::list::{Indicator, Names};
use watch::warning::{self, Warnings};
use watch::{Builder, Set};

/// How many indicators of a file are kept ready; with more, all are looked up anew.
const MOST_READY: usize = 1 << 16;

/// Where indicators come from.
pub(super) enum Source {
    /// A list or a bundle.
    File {
        set: Arc<Set>,
        patterns: Arc<Patterns>,
        names: Box<Names<File>>,
        ready: HashMap<u64, Option<Rc<Indicator>>>,
        now: i64,
    },
    /// The book of a node; `seen` is which of its sets is in use.
    Book { followed: Arc<Followed>, seen: u64 },
}

/// Loads the indicators of a file, or those of the node. If `live`, the set of the node follows its book.
pub(super) fn load(place: &Place, args: &Args, live: bool, summary: &mut Summary) -> Result<Source, Failure> {
    match (&args.indicators, &place.home) {
        (Some(file), _) => of_file(file, &args.warning_lists, summary),
        (None, Some(_)) => of_book(place, live, summary),
        (None, None) => Err(Failure::Usage(
            "what to look for? name a list or a bundle with --indicators FILE, or a node with --home DIR".to_owned(),
        )),
    }
}

fn of_file(path: &Path, warning_lists: &[PathBuf], summary: &mut Summary) -> Result<Source, Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let mut builder = Builder::new(node::chance::bytes()?);
    let warnings = (!warning_lists.is_empty()).then(|| warnings(warning_lists)).transpose()?.map(Arc::new);
    let mut loaded = watch::list::read_without(file, &mut builder, warnings.as_deref()).map_err(|error| {
        Failure::could(format!("cannot read the indicators of {}: {}", path.display(), chain(&error)))
    })?;
    let patterns = Arc::new(Patterns::default().with_warnings(warnings));
    loaded.add_patterns(&patterns, &mut builder);
    summary.indicators = loaded.report;
    summary.indicator_file = visible(&path.display().to_string());
    Ok(Source::File {
        set: Arc::new(builder.build()),
        patterns,
        names: Box::new(loaded.names),
        ready: HashMap::new(),
        now: micros_now(),
    })
}

fn warnings(paths: &[PathBuf]) -> Result<Warnings, Failure> {
    let loaded = warning::load(paths, node::chance::bytes()?).map_err(|error| Failure::could(chain(&error)))?;
    for (path, why) in &loaded.refused {
        let (path, why) = (visible(&path.display().to_string()), visible(&chain(why)));
        note(format!("marsad: {path} is left out of the warning lists: {why}"));
    }
    Ok(loaded.warnings)
}

fn of_book(place: &Place, live: bool, summary: &mut Summary) -> Result<Source, Failure> {
    let opened = place.open()?;
    let settings = node::watch::runner::settings(&opened.home, &opened.config.watch)?;
    let read = if live { Followed::start } else { Followed::still };
    let followed = read(Arc::clone(&opened.book), opened.door(), settings, &mut |_| {})?;
    let status = followed.status()?;
    summary.indicators.taken = status.figures.claims;
    // What is benign is no fault of an indicator: it is told apart from what is refused.
    let refused = status.refused.iter().filter(|(why, _)| *why != Why::Benign);
    summary.indicators.refused = refused.map(|(_, count)| count).sum();
    summary.indicators.benign = status.benign.into_iter().collect();
    summary.indicators.patterns = status.figures.patterns;
    Ok(Source::Book { seen: followed.generation(), followed })
}

impl Source {
    /// The set to look with.
    pub(super) fn set(&self) -> Arc<Set> {
        match self {
            Self::File { set, .. } => Arc::clone(set),
            Self::Book { followed, .. } => Arc::clone(&followed.now().set),
        }
    }

    /// The patterns beside it.
    pub(super) fn patterns(&self) -> &Arc<Patterns> {
        match self {
            Self::File { patterns, .. } => patterns,
            Self::Book { followed, .. } => followed.patterns(),
        }
    }

    /// Another set, if it has changed.
    pub(super) fn changed(&mut self) -> Option<Arc<Set>> {
        let Self::Book { followed, seen } = self else { return None };
        let generation = followed.generation();
        if generation == *seen {
            return None;
        }
        *seen = generation;
        Some(Arc::clone(&followed.now().set))
    }

    /// How the indicator of a number is called, if it holds now and names the value that was seen: by what was written, and
    /// not by digests of it.
    pub(super) fn confirm(&mut self, name: u64, kind: Kind, value: &[u8]) -> io::Result<Option<Rc<str>>> {
        match self {
            Self::File { names, ready, now, .. } => {
                let indicator = match ready.get(&name) {
                    Some(known) => known.clone(),
                    None => {
                        let found = names.indicator(name)?.filter(|indicator| holds(indicator, *now)).map(Rc::new);
                        if ready.len() >= MOST_READY {
                            ready.clear();
                        }
                        ready.insert(name, found.clone());
                        found
                    }
                };
                let meets = |kind, value: &[u8]| Ok(indicator.as_ref().is_some_and(|found| found.meets(kind, value)));
                let met = kind == Kind::Pattern || means(kind, value, &mut { meets })?;
                Ok(indicator.filter(|_| met).map(|indicator| indicator.label().into()))
            }
            Self::Book { followed, .. } => {
                let mut id = None;
                means(kind, value, &mut |kind, value| {
                    let found = followed.confirm(name, kind, value, micros_now()).map_err(io::Error::other)?;
                    id = found.map(|indicator| Rc::from(indicator.id.as_str()));
                    Ok(id.is_some())
                })?;
                Ok(id)
            }
        }
    }
}

/// Whether it is valid at this instant (STIX 2.1 §4.7).
fn holds(indicator: &Indicator, now: i64) -> bool {
    indicator.valid_from.is_none_or(|from| from <= now) && indicator.valid_until.is_none_or(|until| now < until)
}

/// Asks with the value as what it is: a network is met by an address, and a host may have its port behind it.
fn means(kind: Kind, value: &[u8], meets: &mut dyn FnMut(Kind, &[u8]) -> io::Result<bool>) -> io::Result<bool> {
    let host = without_port(value);
    match kind {
        Kind::Cidr => match canonical::address(host) {
            Some(address) if address.is_ipv4() => meets(Kind::Ipv4, host),
            Some(_) => meets(Kind::Ipv6, host),
            None => Ok(false),
        },
        Kind::Domain | Kind::Ipv4 | Kind::Ipv6 => Ok(meets(kind, value)? || (host != value && meets(kind, host)?)),
        _ => meets(kind, value),
    }
}

/// `host:port` and `[address]:port` without what is not the host.
fn without_port(value: &[u8]) -> &[u8] {
    if let Some(literal) = value.strip_prefix(b"[") {
        return literal.split(|&byte| byte == b']').next().unwrap_or(literal);
    }
    let mut parts = value.split(|&byte| byte == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(_), None) => host,
        _ => value,
    }
}

pub(super) fn micros_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
