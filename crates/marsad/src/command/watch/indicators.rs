//! What the watch looks for: the set, and the way from its numbers to indicators.

use super::summary::Summary;
use crate::cli::Place;
use crate::outcome::{Failure, chain};
use crate::terminal::visible;
use observable::{Kind, canonical};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use watch::list::Indicator;
use watch::{Builder, Set};

/// Finds the indicator of a number in the set; `None` if it does not count any more.
pub(super) type Names = Box<dyn FnMut(u64) -> std::io::Result<Option<Indicator>>>;

/// A set and its names.
pub(super) struct Indicators {
    pub(super) set: Arc<Set>,
    pub(super) names: Names,
}

/// Loads the set of a file, or that of the node.
pub(super) fn load(place: &Place, file: Option<&Path>, summary: &mut Summary) -> Result<Indicators, Failure> {
    match file {
        Some(file) => of_file(file, summary),
        None => of_node(place),
    }
}

fn of_file(path: &Path, summary: &mut Summary) -> Result<Indicators, Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let mut builder = Builder::new(node::chance::bytes()?);
    let loaded = watch::list::read(file, &mut builder).map_err(|error| {
        Failure::could(format!("cannot read the indicators of {}: {}", path.display(), chain(&error)))
    })?;
    summary.indicators = loaded.report;
    summary.general = loaded.general.len();
    summary.indicator_file = visible(&path.display().to_string());
    let mut names = loaded.names;
    Ok(Indicators { set: Arc::new(builder.build()), names: Box::new(move |name| names.indicator(name)) })
}

/// The set that a node makes of its book.
fn of_node(_: &Place) -> Result<Indicators, Failure> {
    Err(Failure::Usage("what to look for? name a list or a bundle with --indicators FILE".to_owned()))
}

/// Whether the indicator names the value that was seen, by what was written and not by digests of it.
pub(super) fn confirmed(indicator: &Indicator, kind: Kind, value: &[u8]) -> bool {
    let host = without_port(value);
    match kind {
        Kind::Cidr => match canonical::address(host) {
            Some(address) if address.is_ipv4() => indicator.meets(Kind::Ipv4, host),
            Some(_) => indicator.meets(Kind::Ipv6, host),
            None => false,
        },
        Kind::Domain | Kind::Ipv4 | Kind::Ipv6 => indicator.meets(kind, value) || indicator.meets(kind, host),
        _ => indicator.meets(kind, value),
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
