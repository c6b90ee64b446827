//! `marsad restore`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::note;
use std::path::PathBuf;

/// Makes a node from a backup: passwords, keys and cursors of readers work as they did.
///
/// The node's directory must be new or empty. Nothing is left in it if the backup is damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad restore /backups/marsad-2026-11-23.zip --home /srv/marsad")]
pub(crate) struct Args {
    /// A file that `marsad backup` wrote
    file: PathBuf,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let path = place.path()?;
    let home = node::backup::restore(&args.file, &path)?;
    let event = node::audit::Event::Administered {
        by: node::audit::operator(),
        act: "restored",
        about: String::new(),
        whom: None,
        done: true,
        details: serde_json::Map::new(),
    };
    node::audit::write_now(&node::audit::open(&home)?, &event)?;
    note(format!("restored the node in {}: `marsad check` looks it over", path.display()));
    Ok(Verdict::Good)
}
