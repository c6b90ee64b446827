//! `marsad marking`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, say_list, visible};
use ledger::Sharing as _;
use policy::role::Actor;

/// What marking definitions mean here. TLP is known; what nobody has explained withholds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad marking set marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b tlp:amber
  marsad marking list")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Set(Set),
    List(List),
    Remove(Remove),
}

/// Says what a marking definition means to this node. It goes before what the definition itself says.
///
/// MEANING is `tlp:LEVEL`, `pap:LEVEL`, `statement` (no limit on who may see), `group:NAME` (a sharing group),
/// `audience:organisation`, `audience:community`, `audience:connected`, `audience:all`, or `withhold`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad marking set marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b tlp:amber
  marsad marking set marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b group:summit-2027")]
struct Set {
    /// The marking definition's id
    id: String,
    /// What it means
    meaning: String,
}

/// Shows the markings whose meaning was said.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad marking list\n  marsad marking list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Takes back what was said: the definition then speaks for itself, or withholds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad marking remove marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b")]
struct Remove {
    /// The marking definition's id
    id: String,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Set(set) => run_set(place, set),
        Action::List(list) => run_list(place, list),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_set(place: &Place, args: &Set) -> Outcome {
    let administration = place.open()?.administration()?;
    let meaning = administration.explain_marking(&Actor::Operator, &args.id, &args.meaning).map_err(super::asked)?;
    note(format!("{} now means {}", visible(&args.id), visible(&meaning)));
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let meanings = place.open()?.book.meanings()?;
    let shown = |(id, meaning): &(String, String)| serde_json::json!({"id": id, "meaning": meaning});
    let row = |(id, meaning): &(String, String)| [visible(id), visible(meaning)];
    say_list(args.json, &meanings, shown, ["ID", "MEANING"], row)?;
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    let administration = place.open()?.administration()?;
    administration.unexplain_marking(&Actor::Operator, &args.id).map_err(super::asked)?;
    note(format!("{} speaks for itself again", visible(&args.id)));
    Ok(Verdict::Good)
}
