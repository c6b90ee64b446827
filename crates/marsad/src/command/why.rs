//! `marsad why`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{say, say_json, visible};
use ledger::Register as _;

/// Says whether somebody sees an object, and why: the decision and every rule that took part.
///
/// Exit code 1 if the object is withheld from them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad why liaison indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f
  marsad why 'CERT North' indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --json
  marsad why anyone indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")]
pub(crate) struct Args {
    /// An account, an organisation, or `anyone` for somebody who has not signed in
    viewer: String,
    /// The object's id
    object: String,
    /// Print one JSON object: {"outcome":"release|redact|withhold","reasons":[{"rule","rests_on","message"}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let viewer = node::why::named(&*opened.book, &args.viewer)?.ok_or_else(|| {
        Failure::could(format!("`{}` is neither an account nor an organisation", visible(&args.viewer)))
    })?;
    let (door, collections) = (opened.door(), opened.book.collections()?);
    let asking =
        node::why::Asking { book: &*opened.book, door: &door, collections: &collections, at: node::clock::now() };
    let answer = asking.why(&viewer, &args.object)?.ok_or_else(|| super::no_object(&args.object))?;
    if args.json {
        say_json(&answer)?;
    } else {
        say(answer.outcome)?;
        for reason in &answer.reasons {
            let rests_on = reason.rests_on.as_deref().map(|id| format!(" ({})", visible(id))).unwrap_or_default();
            say(format!("  {}: {}{rests_on}", reason.rule, visible(&reason.message)))?;
        }
    }
    Ok(Verdict::good_if(answer.outcome != "withhold"))
}
