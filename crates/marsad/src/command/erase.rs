//! `marsad erase`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{confirmed, note, visible};
use ledger::{Ledger as _, Register as _, Scope};
use node::audit::Event;
use node::partners::recalls::{Deleting, TakesBack as _};

/// Erases an object: every version in every collection, what was kept aside included. A tombstone stays in the order.
///
/// This cannot be undone. Partners to whom it was handed are told to delete it too (`marsad recall status`).
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
    let deleting = Deleting { object: &args.object, of: &|_| true, reason: &args.reason };
    // What was handed over is taken back; what was never served goes below, with everything that cannot be read.
    let (made, mut erased) = opened.office()?.delete(&deleting, &node::audit::operator(), node::clock::now())?;
    for collection in opened.book.collections()? {
        let scope = Scope { key: Some(&args.object), collection: Some(collection.no), ..Scope::default() };
        let versions = opened.book.erase(&scope, &mut |_| true, node::clock::now())?;
        if versions > 0 {
            opened.wrote_down(&Event::Erased {
                by: node::audit::operator(),
                collection: collection.no,
                object: args.object.clone(),
                versions,
                reason: args.reason.clone(),
            })?;
        }
        erased += versions;
    }
    if erased == 0 {
        return Err(super::no_object(&args.object));
    }
    note(format!("erased {erased} records of {}", visible(&args.object)));
    if !made.told.is_empty() {
        let told: Vec<String> = made.told.iter().map(|name| visible(name)).collect();
        note(format!("to be told, since they were given it: {} (`marsad recall status`)", told.join(", ")));
    }
    Ok(Verdict::Good)
}
