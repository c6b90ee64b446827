//! `marsad group`.

use super::Opened;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, say_list, visible};
use crate::when;
use ledger::{Group, OnLeave, Sharing as _};
use node::administration::{GroupChange, NewGroup};
use policy::role::Actor;
use serde_json::json;

/// Sharing groups: organisations that share among themselves, with an owner and a window in time.
///
/// What is confined to a group (`marsad import --group NAME`) goes to its organisations while it is open, and to nobody
/// else. Whoever leaves it sees nothing of it from that moment on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad group add summit-2027 --members 'CERT North','Port Authority'
  marsad import --group summit-2027 plans.json
  marsad group list --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Change(Change),
    Remove(Remove),
}

/// Makes a sharing group and prints its id.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad group add summit-2027 --members 'CERT North','Port Authority' --until 2027-06-30T00:00:00Z
  marsad group add quiet --members 'CERT North' --hidden
  marsad group add case-7 --members 'CERT North' --backfill --on-leave recall")]
struct Add {
    /// Its name
    name: String,
    /// The organisations in it, separated by commas; a group cannot hold a group
    #[arg(long, value_name = "ORG", value_delimiter = ',')]
    members: Vec<String>,
    /// The organisation that runs it, always a member [default: the node's own]
    #[arg(long, value_name = "ORG")]
    owner: Option<String>,
    /// Tell nobody but its owner who is in it
    #[arg(long)]
    hidden: bool,
    /// Open from then on: after so long (`12h`) or at an instant [default: at once]
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Closed from then on: after so long (`90d`) or at an instant [default: never]
    #[arg(long, value_name = "T")]
    until: Option<String>,
    /// Whoever comes in receives what was shared with the group before
    #[arg(long)]
    backfill: bool,
    /// What becomes of what was shared with it at an organisation that leaves
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keep")]
    on_leave: Leave,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the groups.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad group list\n  marsad group list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Changes a group. It acts at once on everything that is confined to it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad group change summit-2027 --remove 'Port Authority'
  marsad group change summit-2027 --add 'CERT South' --until 2027-07-31T00:00:00Z")]
struct Change {
    /// Its name or id
    name: String,
    /// Organisations to take in
    #[arg(long, value_name = "ORG", value_delimiter = ',')]
    add: Vec<String>,
    /// Organisations to take out
    #[arg(long, value_name = "ORG", value_delimiter = ',')]
    remove: Vec<String>,
    /// Open from then on
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Closed from then on
    #[arg(long, value_name = "T")]
    until: Option<String>,
    /// Whether only its owner is told who is in it
    #[arg(long, value_name = "BOOL")]
    hidden: Option<bool>,
    /// Whether whoever comes in receives what was shared with the group before
    #[arg(long, value_name = "BOOL")]
    backfill: Option<bool>,
    /// What becomes of what was shared with it at an organisation that leaves
    #[arg(long, value_enum, value_name = "WHAT")]
    on_leave: Option<Leave>,
}

/// What becomes of what was shared with a group at an organisation that leaves it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Leave {
    /// It keeps what it has, and gets nothing more
    Keep,
    /// What it was given by the group is recalled
    Recall,
}

impl From<Leave> for OnLeave {
    fn from(said: Leave) -> Self {
        match said {
            Leave::Keep => Self::Keep,
            Leave::Recall => Self::Recall,
        }
    }
}

/// Removes a group. What is confined to it is then seen by those alone who made it or brought it in.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad group remove summit-2027")]
struct Remove {
    /// Its name or id
    name: String,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::List(list) => run_list(place, list),
        Action::Change(change) => run_change(place, change),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let now = node::clock::now();
    let opened = place.open()?;
    let new = NewGroup {
        name: &args.name,
        owner: args.owner.as_deref(),
        members: &args.members,
        hidden: args.hidden,
        from: args.from.as_deref().map(|text| when::instant("--from", text, now)).transpose()?,
        until: args.until.as_deref().map(|text| when::later("--until", text, now)).transpose()?,
        backfill: args.backfill,
        on_leave: args.on_leave.into(),
    };
    let group = opened.administration()?.add_group(&Actor::Operator, &new).map_err(super::asked)?;
    note(format!("added the sharing group `{}`", visible(&group.name)));
    if args.json { say_json(&shown(&group)) } else { say(&group.id) }?;
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let groups = place.open()?.book.groups()?;
    let at = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), when::spelled);
    let row = |group: &Group| {
        let members = group.members.iter().map(|name| visible(name)).collect::<Vec<_>>().join(", ");
        [visible(&group.name), group.id.clone(), visible(&group.owner), members, at(group.from), at(group.until)]
    };
    say_list(args.json, &groups, shown, ["NAME", "ID", "OWNER", "MEMBERS", "FROM", "UNTIL"], row)?;
    Ok(Verdict::Good)
}

fn run_change(place: &Place, args: &Change) -> Outcome {
    let now = node::clock::now();
    let opened = place.open()?;
    let change = GroupChange {
        add: &args.add,
        remove: &args.remove,
        hidden: args.hidden,
        backfill: args.backfill,
        on_leave: args.on_leave.map(Into::into),
        from: args.from.as_deref().map(|text| when::instant("--from", text, now)).transpose()?.map(Some),
        until: args.until.as_deref().map(|text| when::instant("--until", text, now)).transpose()?.map(Some),
        ..GroupChange::default()
    };
    opened.administration()?.change_group(&Actor::Operator, &args.name, &change).map_err(super::asked)?;
    note(format!("changed the sharing group `{}`", visible(&args.name)));
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    let group = place.open()?.administration()?.remove_group(&Actor::Operator, &args.name)?;
    note(format!("removed the sharing group `{}`", visible(&group.name)));
    Ok(Verdict::Good)
}

/// The group of this name or id.
pub(crate) fn find(opened: &Opened, name: &str) -> Result<Group, Failure> {
    let lower = name.to_lowercase();
    let found = opened.book.groups()?.into_iter().find(|group| group.id == lower || group.name.to_lowercase() == lower);
    found.ok_or_else(|| {
        Failure::could(format!(
            "there is no sharing group `{}`: `marsad group list` shows what there is",
            visible(name)
        ))
    })
}

fn shown(group: &Group) -> serde_json::Value {
    json!({
        "id": group.id, "name": group.name, "owner": group.owner, "members": group.members, "hidden": group.hidden,
        "from": group.from.map(when::spelled), "until": group.until.map(when::spelled), "backfill": group.backfill,
        "on_leave": match group.on_leave { OnLeave::Keep => "keep", OnLeave::Recall => "recall" },
    })
}
