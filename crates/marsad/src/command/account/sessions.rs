//! `marsad account sessions`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, say_list, visible};
use ledger::Session;
use node::sessions::name_of;
use policy::role::Actor;

/// A member's sessions: `list` shows them, newest first; `end` ends them all, or the one that is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account sessions amina list
  marsad account sessions amina end
  marsad account sessions amina end 4f1d0c9a8b7e6a55")]
pub(super) struct Args {
    /// The member
    name: String,
    /// What to do
    action: Action,
    /// The session to end, as `list` shows it [default: all]
    id: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Action {
    /// Shows them
    List,
    /// Ends them
    End,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let administration = place.open()?.administration()?;
    let name = args.name.as_str();
    match (args.action, &args.id) {
        (Action::List, _) => {
            let sessions = administration.sessions(&Actor::Operator, name)?;
            let facts = |session: &Session| {
                let at = stix::timestamp::format_micros;
                [name_of(session), session.address.clone(), at(session.made), at(session.seen), at(session.ends)]
            };
            let shown = |session: &Session| {
                let [id, address, made, seen, ends] = facts(session);
                serde_json::json!({"id": id, "address": address, "made": made, "seen": seen, "ends": ends})
            };
            say_list(args.json, &sessions, shown, ["ID", "ADDRESS", "MADE", "SEEN", "ENDS"], facts)?;
        }
        (Action::End, Some(id)) => {
            administration.end_session(&Actor::Operator, name, id)?;
            note(format!("ended a session of `{}`", visible(name)));
        }
        (Action::End, None) => {
            let ended = administration.end_sessions(&Actor::Operator, name)?;
            note(format!("ended {ended} sessions of `{}`", visible(name)));
        }
    }
    Ok(Verdict::Good)
}
