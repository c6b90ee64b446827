//! `marsad erase`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{confirmed, note, visible};
use ledger::{Ledger as _, Scope};

/// Erases an object: every version in every collection, what was kept aside included. A tombstone stays in the order.
///
/// This cannot be taken back. To whom it was handed is asked with `marsad who`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad erase email-addr--2d77a846-6264-5d51-b586-e43822ea1ea3 --reason 'right to be forgotten' --yes")]
pub(crate) struct Args {
    /// The object's id
    object: String,
    /// Why: kept in the audit log, so without the data itself
    #[arg(long, value_name = "R")]
    reason: String,
    /// Do not ask; without this the command asks, if there is a terminal to ask on
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    if !args.yes && !confirmed(&format!("Erase {} for ever?", visible(&args.object)))? {
        return Err(Failure::could("nothing was erased"));
    }
    let scope = Scope { key: Some(&args.object), ..Scope::default() };
    let erased = opened.book.erase(&scope, &mut |_| true, node::clock::now())?;
    if erased == 0 {
        return Err(super::no_object(&args.object));
    }
    note(format!("erased {erased} records of {}", visible(&args.object)));
    Ok(Verdict::Good)
}
