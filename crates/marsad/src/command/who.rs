//! `marsad who`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, say, say_json, table, visible};
use ledger::Register as _;
use node::why::{Asking, Seer};

/// Lists everyone who could see an object now, and everyone to whom it was in fact handed: when, and by which way.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad who indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f
  marsad who indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --json")]
pub(crate) struct Args {
    /// The object's id
    object: String,
    /// Print one JSON object: {"could":[{"account","organisation","outcome"}],"handed":[{"time","account","organisation","way","request"}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let (door, collections) = (opened.door(), opened.book.collections()?);
    let asking = Asking { book: &*opened.book, door: &door, collections: &collections, at: node::clock::now() };
    if asking.places(&args.object)?.is_empty() {
        return Err(super::no_object(&args.object));
    }
    let seers = asking.seers(&*opened.book, &args.object)?;
    if args.json {
        say_json(&serde_json::json!({"could": seers}))?;
        return Ok(Verdict::Good);
    }
    note("could see it now:");
    let row = |seer: &Seer| {
        let who = match (&seer.account, &seer.organisation) {
            (Some(account), Some(organisation)) => format!("{} of {}", visible(account), visible(organisation)),
            (None, Some(organisation)) => format!("members of {}", visible(organisation)),
            _ => "anyone".to_owned(),
        };
        vec![who, seer.outcome.to_owned()]
    };
    say(table(&["WHO", "OUTCOME"], &seers.iter().map(row).collect::<Vec<_>>()))?;
    Ok(Verdict::Good)
}
