//! `marsad link`.

mod add;
mod status;

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, visible};
use node::administration::LinkSetting;
use node::partners::keeper::{Ran, Tools};
use node::partners::runner::{Held, Round};
use policy::role::Actor;
use std::sync::Arc;

/// Links: what is pulled from partners and pushed to them, on a schedule or at once.
///
/// `marsad serve` runs them. A link goes on where it stopped, however it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad link add north --partner 'CERT North' --pull https://cti.north.example/taxii2/ --collection shared --at-once --key-stdin < key
  marsad link status
  marsad link run north")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a process")]
enum Action {
    Add(add::Args),
    List(status::List),
    Status(status::Args),
    Run(Run),
    Pause(Pause),
    Resume(Resume),
    Remove(Remove),
}

/// Runs one round of a link now, whether or not it is due. Beside a running node too: of all processes one runs a link.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad link run north\n  marsad link run north --json")]
struct Run {
    /// The link
    name: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Lets a link rest until it is resumed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad link pause north")]
struct Pause {
    /// The link
    name: String,
}

/// Lets a link run again, at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad link resume north")]
struct Resume {
    /// The link
    name: String,
}

/// Removes a link with what it signs in with. What came over it stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad link remove north")]
struct Remove {
    /// The link
    name: String,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => add::run(place, add),
        Action::List(list) => status::run_list(place, list),
        Action::Status(status) => status::run(place, status),
        Action::Run(run) => run_round(place, run),
        Action::Pause(pause) => set(place, &pause.name, LinkSetting::Paused),
        Action::Resume(resume) => set(place, &resume.name, LinkSetting::Running),
        Action::Remove(remove) => run_remove(place, &remove.name),
    }
}

fn set(place: &Place, name: &str, setting: LinkSetting) -> Outcome {
    let link = place.open()?.administration()?.set_link(&Actor::Operator, name, setting).map_err(super::asked)?;
    let what = if link.paused { "rests" } else { "runs" };
    note(format!("the link `{}` {what}", visible(&link.name)));
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, name: &str) -> Outcome {
    let name = place.open()?.administration()?.remove_link(&Actor::Operator, name).map_err(super::asked)?;
    note(format!("removed the link `{}`", visible(&name)));
    Ok(Verdict::Good)
}

fn run_round(place: &Place, args: &Run) -> Outcome {
    let opened = place.open()?;
    // The name as the register has it.
    let name = opened.administration()?.exchange_link(&Actor::Operator, &args.name).map_err(super::asked)?.name;
    let (secret, journal) = (opened.home.secret()?, Arc::new(opened.audit()?));
    let tools = Tools::new(&opened.home, &opened.config, &opened.book, secret, journal);
    let tools = tools.map_err(|error| Failure::could(error.to_string()))?;
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let ran = super::pull::runtime()?.block_on(tools.run(&name, &stopping));
    match ran.map_err(|error| Failure::could(visible(&error.to_string())))? {
        Ran::Busy => Err(Failure::could(format!("another process runs the link `{}` at this moment", visible(&name)))),
        Ran::Broken(broken) => {
            told(args, &broken.done)?;
            Err(Failure::could(visible(&broken.error.story())))
        }
        Ran::Done(done) => {
            told(args, &done)?;
            Ok(Verdict::good_if(done.refused == 0 && done.conflicts == 0 && done.mail_refused == 0))
        }
    }
}

fn told(args: &Run, done: &Round) -> Result<(), Failure> {
    for warning in &done.warnings {
        note(visible(&format!("note: {warning}")));
    }
    let until = match done.held {
        Some(Held::Budget(at)) => Some(crate::when::spelled(at)),
        _ => None,
    };
    if args.json {
        return say_json(&serde_json::json!({
            "objects": done.objects, "bytes": done.bytes, "added": done.added, "unchanged": done.unchanged,
            "conflicts": done.conflicts, "refused": done.refused, "left_out": done.left_out, "pending": done.pending,
            "statements_in": done.mail_in, "statements_out": done.mail_out, "statements_waiting": done.mail_waiting,
            "complete": done.held.is_none(), "budget_until": until, "warnings": done.warnings,
        }));
    }
    say(format!(
        "objects {}, added {}, refused {}; statements in {}, out {}, waiting {}",
        done.objects, done.added, done.refused, done.mail_in, done.mail_out, done.mail_waiting
    ))?;
    if let Some(until) = until {
        note(format!("the budget of the link is used up: more from {until} on"));
    } else if done.held.is_some() {
        note("there is more: run it again");
    }
    Ok(())
}
