//! `marsad recall`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{confirmed, note, say, say_json, table, visible};
use node::administration::{Error, Recalling, TakeBack};
use node::narrow::Narrowing;
use node::partners::recalls::{Reached, Receiver, Status};
use policy::role::Actor;
use policy::{Audience, Handling, Tlp};

/// Takes an object back from everybody to whom it was handed: it is deleted or narrowed here, and a signed recall goes to
/// each partner, over relays too.
///
/// What was erased before (`marsad erase`) can still be recalled with --delete.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  marsad recall indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --delete --reason 'a mistake'
  marsad recall indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --narrow amber+strict
  marsad recall indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --to-group summit-2027
  marsad recall status indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")]
#[command(group = clap::ArgGroup::new("how").required(true).multiple(true))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// The object's id
    #[arg(required = true)]
    object: Option<String>,
    /// Delete it: every version in every collection
    #[arg(long, group = "how", conflicts_with_all = ["narrow", "to_group", "to"])]
    delete: bool,
    /// Narrow it to a TLP level: `green`, `amber`, `amber+strict` or `red`
    #[arg(long, value_name = "TLP", group = "how")]
    narrow: Option<String>,
    /// For whom it is, where the level is `red`: accounts and organisations
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "narrow")]
    to: Vec<String>,
    /// Narrow it to a sharing group
    #[arg(long, value_name = "GROUP", group = "how")]
    to_group: Vec<String>,
    /// Why: kept in the audit log, so without the data itself
    #[arg(long, value_name = "R", default_value = "", hide_default_value = true)]
    reason: String,
    /// Do not ask before deleting; without this the command asks, if there is a terminal to ask on
    #[arg(long)]
    yes: bool,
    /// Print one JSON object: {"versions","recalls":[ID],"told":[ORGANISATION]}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Status(StatusOf),
}

/// Shows who has confirmed the recalls of an object, who has not, and who cannot.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad recall status indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f
  marsad recall status indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --json")]
struct StatusOf {
    /// The object's id
    object: String,
    /// Print one JSON object: {"object","recalls":[{"recall","act","at","versions","tlp","handling","from","receivers":[…]}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match (&args.action, &args.object) {
        (Some(Action::Status(of)), _) => run_status(place, of),
        (None, Some(object)) => run_recall(place, args, object),
        (None, None) => Err(Failure::Usage("which object?".to_owned())),
    }
}

fn run_recall(place: &Place, args: &Args, object: &str) -> Outcome {
    let opened = place.open()?;
    let how = how(&opened, args)?;
    let asks = how == TakeBack::Delete && !args.yes;
    if asks && !confirmed(&format!("Delete {} for ever, here and everywhere?", visible(object)))? {
        return Err(Failure::could("nothing was recalled"));
    }
    let recalling = Recalling { object, originated: false, how: &how, reason: &args.reason };
    let (classes, now) = (node::intake::Classes::default(), node::clock::now());
    let administration = opened.administration()?;
    let done = administration.recall(&Actor::Operator, (&*opened.book, &classes), &recalling, now);
    let (versions, made) = match done {
        Err(Error::Unknown { .. }) => return Err(super::no_object(object)),
        done => done.map_err(super::asked)?,
    };
    if args.json {
        say_json(&serde_json::json!({"versions": versions, "recalls": made.recalls, "told": made.told}))?;
        return Ok(Verdict::Good);
    }
    let told: Vec<String> = made.told.iter().map(|name| visible(name)).collect();
    let names = if told.is_empty() { "nobody: it was handed to nobody".to_owned() } else { told.join(", ") };
    note(format!("changed {versions} versions of {}; to be told: {names}", visible(object)));
    if made.unknown {
        note("it was also handed to somebody of whom nobody knows for whom they acted: they cannot be told");
    }
    Ok(Verdict::Good)
}

fn how(opened: &super::Opened, args: &Args) -> Result<TakeBack, Failure> {
    if args.delete {
        return Ok(TakeBack::Delete);
    }
    let wrong = |word: &String| Failure::Usage(format!("`{}` is no TLP level", visible(word)));
    let tlp = args.narrow.as_ref().map(|word| node::meaning::tlp(word).ok_or_else(|| wrong(word))).transpose()?;
    if tlp != Some(Tlp::Red) && !args.to.is_empty() {
        return Err(Failure::Usage("--to names the recipients of what is RED: say --narrow red".to_owned()));
    }
    let groups = args.to_group.iter().map(|name| Ok(Audience::Group(super::group::find(opened, name)?.id)));
    let handling = Handling { audience: groups.collect::<Result<_, Failure>>()?, ..Handling::default() };
    Ok(TakeBack::Narrow(Narrowing { tlp, recipients: super::named(opened, &args.to.join(","))?, handling }))
}

fn run_status(place: &Place, args: &StatusOf) -> Outcome {
    let opened = place.open()?;
    let recalls = opened.administration()?.recall_status(&Actor::Operator, &args.object)?;
    if args.json {
        say_json(&serde_json::json!({"object": args.object, "recalls": recalls}))?;
        return Ok(Verdict::Good);
    }
    if recalls.is_empty() {
        note(format!("no recall of {} is known here", visible(&args.object)));
    }
    for status in &recalls {
        told(status)?;
    }
    Ok(Verdict::Good)
}

fn told(status: &Status) -> Result<(), Failure> {
    let Reached { confirmed, waiting, cannot } = status.reached();
    let by = status.from.as_deref().map_or_else(|| "ours".to_owned(), |from| format!("brought by {}", visible(from)));
    note(format!(
        "{} at {} ({by}): {confirmed} have confirmed, {waiting} have not, {cannot} cannot or will not",
        status.act, status.at
    ));
    let row = |receiver: &Receiver| {
        let Reached { confirmed, waiting, cannot } = receiver.downstream;
        vec![
            visible(&receiver.organisation),
            receiver.state.to_owned(),
            receiver.attempts.to_string(),
            receiver.last.clone().unwrap_or_else(|| "-".to_owned()),
            format!("{confirmed}/{waiting}/{cannot}"),
            visible(&receiver.answer),
        ]
    };
    let heads = ["TO", "STATE", "TRIED", "LAST", "BEHIND", "ANSWER"];
    say(table(&heads, &status.receivers.iter().map(row).collect::<Vec<_>>()))
}
