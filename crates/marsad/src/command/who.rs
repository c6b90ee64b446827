//! `marsad who`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, table, visible};
use crate::when;
use ledger::{Ledger as _, Register as _};
use node::audit::Handed;
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
    /// Print one JSON object: {"could":[{"account","organisation","outcome"}],"handed":[{"time","account","organisation","way","as","request"}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let (door, collections) = (opened.door(), opened.book.collections()?);
    let asking = Asking { book: &*opened.book, door: &door, collections: &collections, at: node::clock::now() };
    let bar = progress(Some(opened.book.statistics()?.records), Unit::Things);
    let places = node::why::places(&*opened.book, &args.object, &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    if places.is_empty() {
        return Err(super::no_object(&args.object));
    }
    let seers = asking.seers(&*opened.book, &args.object)?;
    let handed = node::audit::handed_over(&opened.audit()?, &places)?;
    if args.json {
        let handed: Vec<_> = handed.iter().map(shown).collect();
        say_json(&serde_json::json!({"could": seers, "handed": handed}))?;
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
    note("was handed to:");
    let row = |handed: &Handed| {
        let name = |name: &Option<String>| name.as_deref().map_or_else(|| "-".to_owned(), visible);
        vec![
            when::spelled(handed.when),
            name(&handed.viewer),
            name(&handed.organisation),
            handed.way.clone(),
            handed.what.clone(),
            handed.request.clone(),
        ]
    };
    let heads = ["TIME", "ACCOUNT", "ORGANISATION", "WAY", "AS", "REQUEST"];
    say(table(&heads, &handed.iter().map(row).collect::<Vec<_>>()))?;
    Ok(Verdict::Good)
}

fn shown(handed: &Handed) -> serde_json::Value {
    serde_json::json!({
        "time": when::spelled(handed.when), "account": handed.viewer, "organisation": handed.organisation,
        "way": handed.way, "as": handed.what, "request": handed.request,
    })
}
