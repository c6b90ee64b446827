//! `marsad backup`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{Unit, note, progress};
use std::path::PathBuf;

/// Writes the node to one file: database, configuration, secret and certificates.
///
/// The node may go on running. The file can do whatever the node can: it holds the secret, and everything that
/// was ever shared. Only its owner can read it; keep it that way.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad backup /backups/marsad-2026-11-23.zip")]
pub(crate) struct Args {
    /// A new file
    file: PathBuf,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let journal = opened.audit()?;
    opened.administered("backed-up", "", None, serde_json::json!({}))?;
    let bar = progress(Some(0), Unit::Things);
    let size = node::backup::write(
        &opened.home,
        &*opened.book,
        &journal,
        &args.file,
        node::clock::now(),
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )?;
    bar.finish_and_clear();
    note(format!("wrote {} ({size} bytes)", args.file.display()));
    Ok(Verdict::Good)
}
